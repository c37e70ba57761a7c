// SPDX-License-Identifier: GPL-2.0
/* Waiting for the end of a header. */
#include <linux/module.h>
#include <linux/sched.h>

#include "internal.h"

/**
 * kiobuf_wait() - sleep until a header has ended
 * @kb: header without an end_io, or with one that calls kiobuf_done()
 *
 * Afterwards the header is the caller's again, to read, reuse or free.
 * Context: process, sleeps.
 * Return: kb->error; kb->bytes tells how much is good.
 */
int kiobuf_wait(struct kiobuf *kb)
{
	/* Pairs with kiobuf_done(). */
	wait_event(kb->wait, smp_load_acquire(&kb->done));
	/*
	 * kiobuf_done() touches the header until it drops the lock: having had
	 * it, we may let the caller free @kb.
	 */
	spin_lock_irq(&kb->wait.lock);
	spin_unlock_irq(&kb->wait.lock);
	return kb->error;
}
EXPORT_SYMBOL_GPL(kiobuf_wait);
