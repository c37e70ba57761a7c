// SPDX-License-Identifier: GPL-2.0
/*
 * Queues of headers that wait for a device, and that a cancel can pull from.
 *
 * kb->on names the queue that a header waits in. It is written under that queue's
 * lock only, so who finds his own queue there, under its lock, has found the header.
 */
#include <linux/module.h>

#include "internal.h"

/**
 * kiobuf_queue_init() - set up an empty queue
 * @q: the queue
 * @work: queued for every header that comes in, NULL for none
 * @wq: where @work runs
 *
 * Context: any.
 */
void kiobuf_queue_init(struct kiobuf_queue *q, struct work_struct *work,
		       struct workqueue_struct *wq)
{
	spin_lock_init(&q->lock);
	INIT_LIST_HEAD(&q->list);
	q->nr = 0;
	q->work = work;
	q->wq = wq;
}
EXPORT_SYMBOL_GPL(kiobuf_queue_init);

static void kiobuf_queue_del(struct kiobuf_queue *q, struct kiobuf *kb)
{
	list_del_init(&kb->queue);
	WRITE_ONCE(kb->on, NULL);
	q->nr--;
}

/**
 * kiobuf_enqueue() - let a header wait
 * @q: queue of the device that has it
 * @kb: header that the caller holds
 *
 * From now on a cancel may end it at any time: do not touch it, nor anything that
 * lives only as long as it is in flight. That is why the queue's work is queued in
 * here. Context: any; irq-safe.
 * Return: 0, or the errno that @kb was cancelled with, or its device shut down; the
 * caller then still has it, and ends it with that, which ->submit() does by
 * returning it.
 */
int kiobuf_enqueue(struct kiobuf_queue *q, struct kiobuf *kb)
{
	unsigned long flags;
	int error;

	spin_lock_irqsave(&q->lock, flags);
	/* Pairs with kiobuf_dev_shutdown(). */
	smp_mb__after_spinlock();
	error = kiobuf_cancelled(kb) ?: READ_ONCE(kb->dev->shutdown);
	if (likely(!error)) {
		WRITE_ONCE(kb->on, q);
		kb->queued = jiffies;
		list_add_tail(&kb->queue, &q->list);
		q->nr++;
		if (q->work)
			queue_work(q->wq, q->work);
	}
	spin_unlock_irqrestore(&q->lock, flags);
	return error;
}
EXPORT_SYMBOL_GPL(kiobuf_enqueue);

static struct kiobuf *kiobuf_dequeue_if(struct kiobuf_queue *q,
					unsigned long age)
{
	struct kiobuf *kb;
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	kb = list_first_entry_or_null(&q->list, struct kiobuf, queue);
	if (kb && age && time_before(jiffies, kb->queued + age))
		kb = NULL;
	if (kb)
		kiobuf_queue_del(q, kb);
	spin_unlock_irqrestore(&q->lock, flags);
	return kb;
}

/**
 * kiobuf_dequeue() - take the header that has waited longest
 * @q: the queue
 *
 * Context: any; irq-safe.
 * Return: the header, which is the caller's and cannot be pulled any more; NULL if
 * none waits.
 */
struct kiobuf *kiobuf_dequeue(struct kiobuf_queue *q)
{
	return kiobuf_dequeue_if(q, 0);
}
EXPORT_SYMBOL_GPL(kiobuf_dequeue);

/**
 * kiobuf_dequeue_ripe() - take the header that has waited longest, if that is enough
 * @q: the queue
 * @age: in jiffies; below LONG_MAX
 *
 * Context: any; irq-safe.
 * Return: as kiobuf_dequeue(); NULL too if the oldest came less than @age ago.
 */
struct kiobuf *kiobuf_dequeue_ripe(struct kiobuf_queue *q, unsigned long age)
{
	return kiobuf_dequeue_if(q, age);
}
EXPORT_SYMBOL_GPL(kiobuf_dequeue_ripe);

/**
 * kiobuf_unqueue() - pull a cancelled header from a queue
 * @q: the queue
 * @kb: header as given to ->cancel()
 *
 * Context: any; irq-safe.
 * Return: true if it waited there.
 */
bool kiobuf_unqueue(struct kiobuf_queue *q, struct kiobuf *kb)
{
	unsigned long flags;
	bool found;

	spin_lock_irqsave(&q->lock, flags);
	/*
	 * Memory that has become another I/O meanwhile is not marked. What waits in a
	 * queue stays with its device; all of one that is emptied may go.
	 */
	found = READ_ONCE(kb->on) == q &&
		(kiobuf_cancelled(kb) || READ_ONCE(kb->dev->emptied));
	if (found)
		kiobuf_queue_del(q, kb);
	spin_unlock_irqrestore(&q->lock, flags);
	return found;
}
EXPORT_SYMBOL_GPL(kiobuf_unqueue);
