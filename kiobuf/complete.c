// SPDX-License-Identifier: GPL-2.0
/*
 * The way up: results climb from child to parent in a loop, never by recursion,
 * since a leaf may end in hard irq context below many layers.
 */
#include <linux/module.h>
#include <linux/sched.h>

#include "internal.h"
#include "trace.h"

/* ---- results ---- */

static bool kiobuf_retryable(int error)
{
	return error == -EAGAIN || error == -ENOMEM || error == -EINTR;
}

/* Which of two errors at the same offset is reported: see <linux/kiobuf.h>. */
bool kiobuf_outranks(int a, int b)
{
	if (kiobuf_retryable(a) != kiobuf_retryable(b))
		return kiobuf_retryable(b);
	return a > b;
}

void kiobuf_fail_prefix(struct kiobuf *kb, u64 bytes, int error)
{
	unsigned long flags;

	spin_lock_irqsave(&kb->wait.lock, flags);
	if (!kb->error || bytes < kb->bytes ||
	    (bytes == kb->bytes && kiobuf_outranks(error, kb->error))) {
		kb->bytes = bytes;
		kb->error = error;
	}
	spin_unlock_irqrestore(&kb->wait.lock, flags);
}

/**
 * kiobuf_fail() - record a failure without ending the header
 * @kb: header that has not ended
 * @bytes: where in its window the failure begins; all from there on counts as bad
 * @error: negative errno
 *
 * Kept if it is the failure at the lowest offset so far. For a device's
 * ->collate(), or an end_io with KIOBUF_COLLATE_OWN. Context: any.
 */
void kiobuf_fail(struct kiobuf *kb, u64 bytes, int error)
{
	bytes = min(bytes, kb->length);
	kiobuf_fail_prefix(kb, bytes, error);
	/* Without clones the prefix says all there is to say. */
	if (READ_ONCE(kb->fate) & KIOBUF_PARENT)
		kiobuf_fault_add(kb, bytes, kb->length - bytes, error);
}
EXPORT_SYMBOL_GPL(kiobuf_fail);

/**
 * kiobuf_collate_prefix() - merge a clone's result into its parent
 * @parent: the parent
 * @child: a clone of it that has ended
 *
 * The default collation: the good prefix and the failure at the lowest offset,
 * and the ranges that failed. For a device's ->collate() that does more.
 * Context: any.
 */
void kiobuf_collate_prefix(struct kiobuf *parent, struct kiobuf *child)
{
	if (likely(!child->error))
		return;
	kiobuf_fail_prefix(parent, child->offset + child->bytes, child->error);
	kiobuf_fault_merge(parent, child);
}
EXPORT_SYMBOL_GPL(kiobuf_collate_prefix);

/* Returns true for the first clone that succeeds. */
static bool kiobuf_collate_any(struct kiobuf *parent, struct kiobuf *child)
{
	unsigned long flags;
	bool first;

	if (child->error) {
		kiobuf_collate_prefix(parent, child);
		return false;
	}
	spin_lock_irqsave(&parent->wait.lock, flags);
	first = !(parent->fate & KIOBUF_WON);
	parent->fate |= KIOBUF_WON;
	spin_unlock_irqrestore(&parent->wait.lock, flags);
	return first;
}

static bool kiobuf_collate(struct kiobuf *parent, struct kiobuf *child)
{
	struct kiobuf_dev *dev = parent->dev;

	if (unlikely(parent->flags & KIOBUF_ANY))
		return kiobuf_collate_any(parent, child);
	if (unlikely(parent->flags & KIOBUF_COLLATE_OWN))
		return false;
	if (dev && dev->ops->collate)
		dev->ops->collate(parent, child);
	else
		kiobuf_collate_prefix(parent, child);
	return false;
}

static void kiobuf_forget(struct kiobuf *kb)
{
	kiobuf_fault_free(kiobuf_fault_take(kb));
	kb->fate &= ~KIOBUF_VAGUE;
	kb->bytes = kb->length;
	kb->error = 0;
}

/**
 * kiobuf_restart() - forget the result of a header that is held
 * @kb: header held by a frame, to be submitted or ended again
 *
 * Context: any.
 */
void kiobuf_restart(struct kiobuf *kb)
{
	kiobuf_forget(kb);
	atomic_set(&kb->io_count, 1);
}
EXPORT_SYMBOL_GPL(kiobuf_restart);

/* ---- the climb ---- */

static bool kiobuf_may_sleep(void)
{
	return preemptible() && !current->bio_list;
}

static struct workqueue_struct *kiobuf_end_wq;
static struct kiobuf_ender kiobuf_ender = {
	.lock	= __SPIN_LOCK_UNLOCKED(kiobuf_ender.lock),
	.list	= LIST_HEAD_INIT(kiobuf_ender.list),
	.work	= __WORK_INITIALIZER(kiobuf_ender.work, kiobuf_run_ends),
};

/* Queued under the lock, since the worker may end what keeps the device. */
static void kiobuf_end_later(struct kiobuf *kb)
{
	struct kiobuf_dev *dev = kb->dev;
	struct kiobuf_ender *ender = dev ? &dev->ender : &kiobuf_ender;
	unsigned long flags;

	spin_lock_irqsave(&ender->lock, flags);
	list_add_tail(&kb->queue, &ender->list);
	queue_work(dev ? dev->wq_end : kiobuf_end_wq, &ender->work);
	spin_unlock_irqrestore(&ender->lock, flags);
}

static void kiobuf_unpush(struct kiobuf *kb, struct kiobuf_frame *frame)
{
	kb->frames = frame->next;
	/* Those behind the header are pushed and popped in order. */
	if (frame->behind)
		kb->spare++;
	if (frame->dev) {
		kb->dev = frame->dev;
		kb->pos = frame->pos;
	}
}

/* Returns false if a frame's owner, or a worker, has the header now. */
static bool kiobuf_pop_frames(struct kiobuf *kb)
{
	while (kb->frames) {
		struct kiobuf_frame *frame = kb->frames;

		if (frame->task && !kiobuf_may_sleep()) {
			kiobuf_end_later(kb);
			return false;
		}
		kiobuf_unpush(kb, frame);
		if (frame->endio(kb, frame) == KIOBUF_HOLD)
			return false;
	}
	return true;
}

/* Hands an ended header to its owner, who may free it. */
static void kiobuf_hand_over(struct kiobuf *kb, struct kiobuf_dev *maker)
{
	if (kb->end_io)
		kb->end_io(kb);
	else if (kb->flags & KIOBUF_POOLED)
		kiobuf_pool_free(&maker->pool, kb);
	else
		kiobuf_done(kb);
}

/* Returns the parent, of which the clone's share is still to be dropped. */
static struct kiobuf *kiobuf_finish(struct kiobuf *kb)
{
	struct kiobuf *parent = kb->parent;
	struct kiobuf_faults *faults = NULL;
	bool won = false;

	trace_endio(kb);
	if (unlikely(kb->error))
		faults = kb->faults = kiobuf_fault_take(kb);
	if (parent) {
		won = kiobuf_collate(parent, kb);
		kiobuf_unlink_clone(kb, parent);
		if (unlikely(won))
			kiobuf_cancel_clones(parent, -ECANCELED);
	} else if (!hlist_unhashed(&kb->sibling)) {
		kiobuf_untrack(kb);
	}
	kiobuf_hand_over(kb, parent ? parent->dev : NULL);
	kiobuf_fault_free(faults);
	return parent;
}

/*
 * Whoever finds one share left holds it, and nobody else can add another: no
 * atomic operation is needed to drop the last one.
 */
static bool kiobuf_drop_share(struct kiobuf *kb)
{
	if (likely(atomic_read_acquire(&kb->io_count) == 1)) {
		atomic_set(&kb->io_count, 0);
		return true;
	}
	return atomic_dec_and_test(&kb->io_count);
}

/*
 * Goes on with a header of which all shares are dropped. Returns the parent, or NULL
 * when there is none or somebody else goes on with this one.
 */
static struct kiobuf *kiobuf_climb(struct kiobuf *kb)
{
	if (unlikely(kb->fate & KIOBUF_WON))
		kiobuf_forget(kb);
	if (kb->frames && !kiobuf_pop_frames(kb))
		return NULL;
	if (unlikely(kb->flags & KIOBUF_END_IN_TASK) && !kiobuf_may_sleep()) {
		kiobuf_end_later(kb);
		return NULL;
	}
	return kiobuf_finish(kb);
}

static void kiobuf_climb_on(struct kiobuf *kb)
{
	while (kb && kiobuf_drop_share(kb))
		kb = kiobuf_climb(kb);
}

/**
 * __kiobuf_endio() - all that kiobuf_endio() does not do in line
 * @kb: as for kiobuf_endio(), which is what to call
 * @bytes: likewise
 * @error: likewise
 *
 * Context: any, hard irq too.
 */
void __kiobuf_endio(struct kiobuf *kb, u64 bytes, int error)
{
	if (unlikely(error || bytes < kb->length)) {
		if (kb->dev)
			kiobuf_stat_inc(kb->dev, failed);
		kiobuf_fail(kb, bytes, error ?: -EIO);
	}
	kiobuf_climb_on(kb);
}
EXPORT_SYMBOL_GPL(__kiobuf_endio);

/* Ends headers whose callbacks want to sleep, one after the other. */
void kiobuf_run_ends(struct work_struct *work)
{
	struct kiobuf_ender *ender = container_of(work, struct kiobuf_ender,
						  work);
	struct kiobuf *kb;

	do {
		spin_lock_irq(&ender->lock);
		kb = list_first_entry_or_null(&ender->list, struct kiobuf,
					      queue);
		if (kb)
			list_del_init(&kb->queue);
		spin_unlock_irq(&ender->lock);
		if (kb)
			kiobuf_climb_on(kiobuf_climb(kb));
	} while (kb);
}

/**
 * kiobuf_done() - announce the end of a header to its waiters
 * @kb: header handed to its end_io
 *
 * What the core does for a header without an end_io. An end_io that wants waiters
 * to see the end too calls it last, and does not touch @kb afterwards.
 * Context: any.
 */
void kiobuf_done(struct kiobuf *kb)
{
	unsigned long flags;
	bool orphan;

	spin_lock_irqsave(&kb->wait.lock, flags);
	/* Pairs with kiobuf_is_done(). */
	smp_store_release(&kb->fate, kb->fate | KIOBUF_DONE);
	wake_up_all_locked(&kb->wait);
	orphan = kb->fate & KIOBUF_ORPHAN;
	spin_unlock_irqrestore(&kb->wait.lock, flags);
	if (orphan)
		kiobuf_free(kb);
}
EXPORT_SYMBOL_GPL(kiobuf_done);

int __init kiobuf_ender_init(void)
{
	kiobuf_end_wq = alloc_workqueue("kio_end", WQ_MEM_RECLAIM | WQ_UNBOUND,
					0);
	return kiobuf_end_wq ? 0 : -ENOMEM;
}

void kiobuf_ender_exit(void)
{
	destroy_workqueue(kiobuf_end_wq);
}
