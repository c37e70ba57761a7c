// SPDX-License-Identifier: GPL-2.0
/*
 * The way up: results climb from child to parent in a loop, never by recursion,
 * since a leaf may end in hard irq context below many layers.
 */
#include <linux/module.h>
#include <linux/sched/mm.h>

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
	unsigned long flags;

	if (likely(!child->error))
		return;
	if (child->flags & KIOBUF_GATHERED) {
		kiobuf_collate_gathered(parent, child);
		return;
	}
	kiobuf_fail_prefix(parent, child->offset + child->bytes, child->error);
	/* They are the parent's once the child's end_io has looked at them. */
	spin_lock_irqsave(&child->wait.lock, flags);
	child->fate |= KIOBUF_MERGE;
	spin_unlock_irqrestore(&child->wait.lock, flags);
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

/* The device that made a clone: the parent may have gone on to another. */
static struct kiobuf_dev *kiobuf_maker(struct kiobuf *child)
{
	return child->flags & KIOBUF_POOLED ?
		container_of(kiobuf_slot(child)->pool, struct kiobuf_dev,
			     pool) : child->parent->dev;
}

static void kiobuf_collate_by_dev(struct kiobuf_dev *dev, struct kiobuf *parent,
				  struct kiobuf *child)
{
	if (!child->error)
		return;
	if (dev->ops->collate)
		dev->ops->collate(dev, parent, child);
	else
		kiobuf_collate_prefix(parent, child);
}

/*
 * By the rule of who made the clone: the parent's device, or its maker. Where that is
 * not KIOBUF_ANY, there is nothing to merge of a clone that is good.
 */
static bool kiobuf_collate(struct kiobuf *parent, struct kiobuf *child)
{
	if (parent->flags & KIOBUF_BY_DEV)
		kiobuf_collate_by_dev(kiobuf_maker(child), parent, child);
	else if (parent->flags & KIOBUF_ANY)
		return kiobuf_collate_any(parent, child);
	else if (!(parent->flags & KIOBUF_COLLATE_OWN))
		kiobuf_collate_prefix(parent, child);
	return false;
}

/* As if nobody had reported anything yet. */
static void kiobuf_forget(struct kiobuf *kb)
{
	unsigned long flags;

	kiobuf_fault_free(kiobuf_fault_take(kb));
	spin_lock_irqsave(&kb->wait.lock, flags);
	kb->fate &= ~(KIOBUF_VAGUE | KIOBUF_WON);
	kb->bytes = kb->length;
	kb->error = 0;
	spin_unlock_irqrestore(&kb->wait.lock, flags);
}

/**
 * kiobuf_restart() - forget the result of a header that is held
 * @kb: header held by a frame, to be submitted or ended again
 *
 * Context: any.
 */
void kiobuf_restart(struct kiobuf *kb)
{
	kb->flags &= ~(KIOBUF_CARVED | KIOBUF_BY_DEV | KIOBUF_FIRM |
		       KIOBUF_APART);
	kiobuf_forget(kb);
}
EXPORT_SYMBOL_GPL(kiobuf_restart);

/* ---- the climb ---- */

static struct workqueue_struct *kiobuf_end_wq;
static struct kiobuf_ender kiobuf_ender = {
	.lock	= __SPIN_LOCK_UNLOCKED(kiobuf_ender.lock),
	.list	= LIST_HEAD_INIT(kiobuf_ender.list),
	.work	= __WORK_INITIALIZER(kiobuf_ender.work, kiobuf_run_ends),
};

static struct kiobuf_ender *kiobuf_ender_of(struct kiobuf_dev *dev)
{
	return dev ? &dev->ender : &kiobuf_ender;
}

/*
 * Leaves the rest to the worker of @dev, unless this is it. Queued under the lock, since
 * the worker may end what keeps the device.
 */
static bool kiobuf_end_later(struct kiobuf *kb, struct kiobuf_dev *dev,
			     const struct kiobuf_ender *here)
{
	struct kiobuf_ender *ender = kiobuf_ender_of(dev);
	unsigned long flags;

	if (ender == here)
		return false;
	/* It is not idle, even if nobody ever submitted it. */
	kb->active = true;
	spin_lock_irqsave(&ender->lock, flags);
	list_add_tail(&kb->queue, &ender->list);
	queue_work(dev ? dev->wq_end : kiobuf_end_wq, &ender->work);
	spin_unlock_irqrestore(&ender->lock, flags);
	return true;
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

/* No error, and nobody who wants to hear of that but its owner. */
static __always_inline bool kiobuf_is_plain(const struct kiobuf *kb)
{
	return likely(!kb->error &&
		      !(kb->flags & (KIOBUF_ANY | KIOBUF_END_IN_TASK)) &&
		      (!kb->frames || kb->flags & KIOBUF_GUARDED));
}

/* Returns false if a frame's owner, or a worker, has the header now. */
static bool kiobuf_pop_frames(struct kiobuf *kb,
			      const struct kiobuf_ender *here)
{
	while (kb->frames) {
		struct kiobuf_frame *frame = kb->frames;

		if (frame->task &&
		    kiobuf_end_later(kb, frame->dev ?: kb->dev, here))
			return false;
		kiobuf_unpush(kb, frame);
		/* The share of whoever holds it; nobody drops it on the way up. */
		atomic_set(&kb->io_count, 1);
		if (frame->endio(kb, frame) == KIOBUF_HOLD)
			return false;
		kb->flags &= ~(KIOBUF_FIRM | KIOBUF_APART);
	}
	return true;
}

/* Hands an ended header to its owner, who may free it. */
static __always_inline void kiobuf_hand_over(struct kiobuf *kb)
{
	if (kb->end_io)
		kb->end_io(kb);
	else if (likely(kb->flags & KIOBUF_POOLED))
		kiobuf_pool_free(kiobuf_slot(kb)->pool, kb);
	else
		kiobuf_done(kb);
}

/* Merged into the parent's when nobody looks at the child's any more. */
struct kiobuf_legacy {
	struct kiobuf_faults	*faults;
	struct kiobuf_fault	rest;
	u64			offset;
	bool			is_rest;
	bool			merge;
};

static void kiobuf_legacy_take(struct kiobuf_legacy *legacy, struct kiobuf *kb)
{
	legacy->faults = kiobuf_fault_take(kb);
	kb->flags &= ~KIOBUF_CARVED;
	kb->faults = legacy->faults;
	legacy->is_rest = kiobuf_fault_is_rest(kb);
	legacy->offset = kb->offset;
	legacy->rest.offset = kb->offset + kb->bytes;
	legacy->rest.length = kb->length - kb->bytes;
	legacy->rest.error = kb->error;
}

static void kiobuf_legacy_leave(struct kiobuf_legacy *legacy,
				struct kiobuf *parent)
{
	if (legacy->merge && (legacy->is_rest || legacy->faults))
		kiobuf_fault_merge(parent,
				   legacy->is_rest ? NULL : legacy->faults,
				   &legacy->rest, legacy->offset);
	kiobuf_fault_free(legacy->faults);
}

static noinline void kiobuf_leave_collated(struct kiobuf *kb,
					   struct kiobuf *parent)
{
	bool won = kiobuf_collate(parent, kb);

	kiobuf_unlink_clone(kb, parent);
	if (won)
		kiobuf_cancel_clones(parent, -ECANCELED);
}

/* Takes the header off the list that it is on. */
static __always_inline void kiobuf_leave(struct kiobuf *kb,
					 struct kiobuf *parent)
{
	if (!parent) {
		if (!hlist_unhashed(&kb->sibling))
			kiobuf_untrack(kb);
	} else if (unlikely(kb->error || parent->flags & KIOBUF_ANY)) {
		kiobuf_leave_collated(kb, parent);
	} else {
		kiobuf_unlink_clone(kb, parent);
	}
}

/* Both return the parent, of which the clone's share is still to be dropped. */
static struct kiobuf *kiobuf_finish_failed(struct kiobuf *kb)
{
	struct kiobuf *parent = kb->parent;
	struct kiobuf_legacy legacy;

	trace_endio(kb);
	kiobuf_legacy_take(&legacy, kb);
	kiobuf_leave(kb, parent);
	legacy.merge = kb->fate & KIOBUF_MERGE;
	kiobuf_hand_over(kb);
	kiobuf_legacy_leave(&legacy, parent);
	return parent;
}

static __always_inline struct kiobuf *kiobuf_finish_good(struct kiobuf *kb)
{
	struct kiobuf *parent = kb->parent;

	trace_endio(kb);
	kiobuf_leave(kb, parent);
	kiobuf_hand_over(kb);
	return parent;
}

static __always_inline bool kiobuf_drop_one_of_many(struct kiobuf *kb)
{
	int left = atomic_dec_return(&kb->io_count);

	WARN_ONCE(left < 0, "kiobuf: a header was ended twice\n");
	return !left;
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
	return kiobuf_drop_one_of_many(kb);
}

/* Where an end_io that sleeps is called. */
static struct kiobuf_dev *kiobuf_end_dev(const struct kiobuf *kb)
{
	return !kb->parent && !hlist_unhashed(&kb->sibling) && kb->home ?
		kb->home : kb->dev;
}

/*
 * Goes on with a header of which all shares are dropped. Returns the parent, or NULL
 * when there is none or somebody else goes on with this one. @here: the worker that
 * runs this, NULL if none does and nothing may sleep.
 */
static noinline struct kiobuf *kiobuf_climb_any(struct kiobuf *kb,
						const struct kiobuf_ender *here)
{
	if (unlikely(kb->fate & KIOBUF_WON))
		kiobuf_forget(kb);
	if (kb->frames && !kiobuf_pop_frames(kb, here))
		return NULL;
	if (unlikely(kb->flags & KIOBUF_END_IN_TASK) &&
	    kiobuf_end_later(kb, kiobuf_end_dev(kb), here))
		return NULL;
	return kb->error ? kiobuf_finish_failed(kb) : kiobuf_finish_good(kb);
}

/* The same; by far the most have frames that need no look, if any. */
static __always_inline struct kiobuf *
kiobuf_climb(struct kiobuf *kb, const struct kiobuf_ender *here)
{
	if (unlikely(!kiobuf_is_plain(kb)))
		return kiobuf_climb_any(kb, here);
	while (unlikely(kb->frames))
		kiobuf_unpush(kb, kb->frames);
	return kiobuf_finish_good(kb);
}

static __always_inline void kiobuf_climb_on(struct kiobuf *kb, const struct kiobuf_ender *here)
{
	while (kb && kiobuf_drop_share(kb))
		kb = kiobuf_climb(kb, here);
}

/**
 * kiobuf_resume() - let a header go on that a frame has held
 * @kb: the header, with the result that it had, or with a failure that
 *	kiobuf_fail() has added
 *
 * Context: as kiobuf_endio().
 */
void kiobuf_resume(struct kiobuf *kb)
{
	kiobuf_climb_on(kb, NULL);
}
EXPORT_SYMBOL_GPL(kiobuf_resume);

/* What kiobuf_go_on() has sent down must not be taken for a failure of a clone. */
static noinline void kiobuf_report(struct kiobuf *kb, u64 bytes, int error)
{
	if (kb->dev)
		kiobuf_stat_inc(kb->dev, failed);
	if (!(kb->flags & KIOBUF_APART)) {
		kiobuf_fail(kb, bytes, error);
		return;
	}
	kb->carved = -error;
	kb->flags &= ~KIOBUF_GUARDED;
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
	if (unlikely(error || bytes < kb->length))
		kiobuf_report(kb, bytes, error ?: -EIO);
	kiobuf_climb_on(kb, NULL);
}
EXPORT_SYMBOL_GPL(__kiobuf_endio);

/* Ends headers whose callbacks want to sleep, one after the other. */
void kiobuf_run_ends(struct work_struct *work)
{
	struct kiobuf_ender *ender = container_of(work, struct kiobuf_ender,
						  work);
	unsigned int noio = memalloc_noio_save();
	struct kiobuf *kb;

	do {
		spin_lock_irq(&ender->lock);
		kb = list_first_entry_or_null(&ender->list, struct kiobuf,
					      queue);
		if (kb)
			list_del_init(&kb->queue);
		spin_unlock_irq(&ender->lock);
		if (kb)
			kiobuf_climb_on(kiobuf_climb(kb, ender), ender);
	} while (kb);
	memalloc_noio_restore(noio);
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
	kb->faults = NULL;
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
