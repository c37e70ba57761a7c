// SPDX-License-Identifier: GPL-2.0
/* Waiting for the end of a header: asleep, or by a function that is called. */
#include <linux/module.h>
#include <linux/sched.h>

#include "internal.h"

/*
 * kiobuf_done() touches the header until it drops the lock: having had it, we may let
 * the caller free the header.
 */
static int kiobuf_waited(struct kiobuf *kb)
{
	unsigned long flags;

	spin_lock_irqsave(&kb->wait.lock, flags);
	spin_unlock_irqrestore(&kb->wait.lock, flags);
	return kb->error;
}

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
	wait_event(kb->wait, kiobuf_is_done(kb));
	return kiobuf_waited(kb);
}
EXPORT_SYMBOL_GPL(kiobuf_wait);

/**
 * kiobuf_wait_killable() - as kiobuf_wait(), but a fatal signal cancels the I/O
 * @kb: as for kiobuf_wait()
 *
 * When the signal comes, what can be cancelled is; the rest is waited for, since
 * the hardware may still use the memory. Context: process, sleeps.
 * Return: kb->error.
 */
int kiobuf_wait_killable(struct kiobuf *kb)
{
	if (wait_event_killable(kb->wait, kiobuf_is_done(kb)))
		kiobuf_cancel(kb, -ECANCELED);
	return kiobuf_wait(kb);
}
EXPORT_SYMBOL_GPL(kiobuf_wait_killable);

/**
 * kiobuf_wait_timeout() - as kiobuf_wait(), but only for so long
 * @kb: as for kiobuf_wait()
 * @timeout: jiffies
 *
 * Context: process, sleeps.
 * Return: what was left of @timeout, at least 1, when the header had ended; 0 if it
 * has not, and is in flight as before.
 */
long kiobuf_wait_timeout(struct kiobuf *kb, long timeout)
{
	long left = wait_event_timeout(kb->wait, kiobuf_is_done(kb), timeout);

	if (left)
		kiobuf_waited(kb);
	return left;
}
EXPORT_SYMBOL_GPL(kiobuf_wait_timeout);

/**
 * kiobuf_add_waiter() - have a function called at the end of a header
 * @kb: header without an end_io, or with one that calls kiobuf_done()
 * @entry: in the caller's structure: init_waitqueue_func_entry(). The function runs in
 *	the context of the end, under kb->wait.lock: it must not sleep, end, cancel, put or
 *	wait for a header, nor add or remove waiters. It should take @entry off the list,
 *	list_del_init(&entry->entry), if it may not be called again by kiobuf_wake().
 *	A negative return value ends the walk: later entries stay where they are, to
 *	be called by kiobuf_wake().
 *
 * No wakeup is lost: either the header had not ended, and the function will be
 * called, or false comes back. Context: any.
 * Return: true if it was added; false if the header has ended, and the caller goes
 * on by itself.
 */
bool kiobuf_add_waiter(struct kiobuf *kb, struct wait_queue_entry *entry)
{
	unsigned long flags;
	bool added;

	spin_lock_irqsave(&kb->wait.lock, flags);
	added = !(kb->fate & KIOBUF_DONE);
	INIT_LIST_HEAD(&entry->entry);
	if (added)
		__add_wait_queue_entry_tail(&kb->wait, entry);
	spin_unlock_irqrestore(&kb->wait.lock, flags);
	return added;
}
EXPORT_SYMBOL_GPL(kiobuf_add_waiter);

/**
 * kiobuf_remove_waiter() - have it not called any more
 * @kb: header that the caller has not let go of
 * @entry: from kiobuf_add_waiter()
 *
 * Afterwards the function does not run, and will not. Context: any.
 * Return: true if it was still on the list.
 */
bool kiobuf_remove_waiter(struct kiobuf *kb, struct wait_queue_entry *entry)
{
	unsigned long flags;
	bool removed;

	spin_lock_irqsave(&kb->wait.lock, flags);
	removed = !list_empty(&entry->entry);
	if (removed)
		list_del_init(&entry->entry);
	spin_unlock_irqrestore(&kb->wait.lock, flags);
	return removed;
}
EXPORT_SYMBOL_GPL(kiobuf_remove_waiter);

/**
 * kiobuf_wake() - go on with a walk that a function has ended
 * @kb: header that has ended, and that the caller has not let go of
 *
 * Context: any; not from a wait queue function of @kb.
 */
void kiobuf_wake(struct kiobuf *kb)
{
	wake_up_all(&kb->wait);
}
EXPORT_SYMBOL_GPL(kiobuf_wake);
