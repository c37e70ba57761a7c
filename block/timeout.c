// SPDX-License-Identifier: GPL-2.0
/*
 * Requests that take too long are cancelled.
 *
 * Nothing is done for a request itself: each of our devices knows what is in flight, and
 * a worker looks there when the oldest is due. So one that ends in time costs nothing.
 */
#include <linux/workqueue.h>

#include "block.h"

/* A request may be late by that part of the timeout: many are then ended at once. */
#define KBLK_TIMEOUT_SLACK 16

static struct workqueue_struct *kblk_timeout_wq;

static void kblk_expire(struct work_struct *work)
{
	struct kblk_disk *kd = container_of(to_delayed_work(work),
					    struct kblk_disk, expire);
	unsigned long timeout = READ_ONCE(kd->timeout);
	unsigned long next;

	if (!timeout)
		return;
	next = kiobuf_dev_expire(&kd->dev, timeout, -ETIMEDOUT);
	queue_delayed_work(kblk_timeout_wq, &kd->expire,
			   max(next, timeout / KBLK_TIMEOUT_SLACK + 1));
}

/**
 * kblk_timeout_init() - set up a device whose requests may take for ever
 * @kd: the device
 *
 * Context: any.
 */
void kblk_timeout_init(struct kblk_disk *kd)
{
	INIT_DELAYED_WORK(&kd->expire, kblk_expire);
}

/**
 * kblk_timeout_start() - a device is about to get requests
 * @kd: the device; kblk_timeout_stop() has to follow
 *
 * Context: any.
 */
void kblk_timeout_start(struct kblk_disk *kd)
{
	if (kd->timeout)
		queue_delayed_work(kblk_timeout_wq, &kd->expire, kd->timeout);
}

/**
 * kblk_timeout_stop() - a device gets no more requests
 * @kd: the device, not to be given a timeout meanwhile
 *
 * Context: process, sleeps.
 */
void kblk_timeout_stop(struct kblk_disk *kd)
{
	cancel_delayed_work_sync(&kd->expire);
}

/**
 * kblk_timeout_set() - say how long requests may take
 * @kd: the device; not while it comes up or goes down
 * @ms: milliseconds, 0 for ever
 *
 * Holds for what is in flight too. Context: any.
 */
void kblk_timeout_set(struct kblk_disk *kd, unsigned int ms)
{
	/* The first jiffy of a request is not a whole one. */
	WRITE_ONCE(kd->timeout, ms ? msecs_to_jiffies(ms) + 1 : 0);
	if (ms && kd->disk)
		mod_delayed_work(kblk_timeout_wq, &kd->expire, 0);
}

int __init kblk_timeouts_init(void)
{
	kblk_timeout_wq = alloc_workqueue("kio_timeout",
					  WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return kblk_timeout_wq ? 0 : -ENOMEM;
}

void kblk_timeouts_exit(void)
{
	destroy_workqueue(kblk_timeout_wq);
}
