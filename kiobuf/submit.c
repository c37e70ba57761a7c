// SPDX-License-Identifier: GPL-2.0
/*
 * The way down.
 *
 * One loop drives a request through the whole stack. A device that passes a
 * header on costs one turn; a device that splits makes the loop go depth first:
 * each clone is taken down as far as it goes before the next one is made, so at
 * most one clone a layer is waiting to be submitted, and a pool of one header
 * per device is enough to get on. Which headers are being split needs no
 * list: from the innermost one, kb->parent leads to the next.
 */
#include <linux/module.h>
#include <linux/part_stat.h>
#include <linux/sched/mm.h>

#include "internal.h"
#include "trace.h"

static const u8 kiobuf_stat_group[KIOBUF_NR_OPS] = {
	[KIOBUF_READ] = STAT_READ,
	[KIOBUF_WRITE] = STAT_WRITE,
	[KIOBUF_FLUSH] = STAT_FLUSH,
	[KIOBUF_DISCARD] = STAT_DISCARD,
	[KIOBUF_WRITE_ZEROES] = STAT_WRITE,
};

/* this_cpu_add() needs no section without preemption, unlike part_stat_add() */
static void kiobuf_count(struct block_device *part, const struct kiobuf *kb)
{
	struct disk_stats __percpu *stats = part->bd_stats;
	int group = kiobuf_stat_group[kb->op];

	this_cpu_inc(stats->ios[group]);
	this_cpu_add(stats->sectors[group], kb->length >> SECTOR_SHIFT);
}

static void kiobuf_start_split(struct kiobuf *kb)
{
	kb->flags = (kb->flags & ~KIOBUF_CARVED) | KIOBUF_BY_DEV;
	kb->carved = 0;
	kb->carve_frag = kb->frag;
	kb->carve_skip = kb->skip;
}

/*
 * Queued under the lock, since the worker may end the header, and with it the
 * device, as soon as it can pop it.
 */
static void kiobuf_hand_to_worker(struct kiobuf *kb, struct kiobuf_dev *dev,
				  struct list_head *list, unsigned long delay)
{
	unsigned long flags;

	kiobuf_stat_inc(dev, deferred);
	spin_lock_irqsave(&dev->lock, flags);
	list_add_tail(&kb->queue, list);
	mod_delayed_work(dev->wq, &dev->work, delay);
	spin_unlock_irqrestore(&dev->lock, flags);
}

/* What to do when ->next_child() has no clone to give. */
static void kiobuf_end_split(struct kiobuf *parent, struct kiobuf *child)
{
	int error = PTR_ERR_OR_ZERO(child);

	if (!error) {
		kiobuf_endio(parent, parent->length, 0);
	} else if (error == -EAGAIN && !(parent->flags & KIOBUF_NOWAIT)) {
		kiobuf_hand_to_worker(parent, parent->dev,
				      &parent->dev->deferred, 1);
	} else {
		kiobuf_endio(parent, parent->flags & KIOBUF_CARVED ?
			     parent->carved : 0, error);
	}
}

/*
 * The next header to take down: a clone of the innermost header being split, or that
 * header itself, which is then split no more: its share goes with it.
 * @top is where this loop began; its parents are not ours to split.
 */
static struct kiobuf *kiobuf_next(struct kiobuf *splitting, struct kiobuf *top,
				  struct kiobuf **innermost)
{
	struct kiobuf *child, *parent;

	while (splitting) {
		child = splitting->dev->ops->next_child(splitting);
		if (!IS_ERR_OR_NULL(child) && child != splitting) {
			*innermost = splitting;
			return child;
		}
		/* It may be gone as soon as its share is dropped. */
		parent = splitting == top ? NULL : splitting->parent;
		if (child == splitting) {
			*innermost = parent;
			return child;
		}
		kiobuf_end_split(splitting, child);
		splitting = parent;
	}
	return NULL;
}

/* As far down as it goes without a split; returns the header to be split. */
static __always_inline struct kiobuf *kiobuf_descend(struct kiobuf *kb)
{
	struct kiobuf_dev *dev;
	int verdict;

	for (;;) {
		dev = kb->dev;
		if (dev->part)
			kiobuf_count(dev->part, kb);
		if (static_branch_unlikely(&kiobuf_timing))
			kiobuf_time(kb);
		verdict = dev->submit(kb);
		if (verdict == KIOBUF_SUBMITTED)
			return NULL;
		if (unlikely(verdict != KIOBUF_REMAPPED))
			break;
		trace_remap(kb, dev);
	}
	if (verdict == KIOBUF_SPLIT)
		return kb;
	kiobuf_endio(kb, 0, verdict);
	return NULL;
}

/* @splitting: header to hand out the clones of, @top or one below it */
static void kiobuf_split(struct kiobuf *splitting, struct kiobuf *top)
{
	struct kiobuf *kb;

	while ((kb = kiobuf_next(splitting, top, &splitting))) {
		kb = kiobuf_descend(kb);
		if (kb) {
			kiobuf_start_split(kb);
			splitting = kb;
		}
	}
}

/**
 * __kiobuf_submit() - kiobuf_submit() for a root that was just set up in a pool
 * @kb: header that lies in dev->root_pool, with KIOBUF_TRACKED set
 *
 * For borders. Context: as kiobuf_submit().
 */
void __kiobuf_submit(struct kiobuf *kb)
{
	trace_submit(kb);
	kb = kiobuf_descend(kb);
	if (unlikely(kb)) {
		kiobuf_start_split(kb);
		kiobuf_split(kb, kb);
	}
}
EXPORT_SYMBOL_GPL(__kiobuf_submit);

/* What was cancelled while somebody held it does not go down again. */
static void kiobuf_resubmit(struct kiobuf *kb)
{
	int error = kiobuf_cancelled(kb);

	if (unlikely(error))
		kiobuf_endio(kb, 0, error);
	else
		__kiobuf_submit(kb);
}

/**
 * kiobuf_submit() - hand a header to the device in kb->dev
 * @kb: header that is set up; its end may come before this returns
 *
 * The window must lie on the device, in whole logical blocks, and the memory
 * and the device must stay until the header has ended. Every outcome arrives as
 * its end, errors of submission too; so does that of a header that was cancelled
 * before.
 *
 * Context: process; may sleep unless KIOBUF_NOWAIT is set. May be called with
 * current->bio_list set: a clone for which there is no memory at once
 * is then made by a worker.
 */
void kiobuf_submit(struct kiobuf *kb)
{
	kb->active = true;
	if (!kb->parent && !(kb->flags & KIOBUF_TRACKED) &&
	    unlikely(kiobuf_root_is_held(kb)))
		return;
	kiobuf_resubmit(kb);
}
EXPORT_SYMBOL_GPL(kiobuf_submit);

/**
 * kiobuf_defer() - submit from a worker
 * @kb: header that the caller holds
 * @owner: device whose worker is to submit it to kb->dev
 *
 * For a header held by a frame, or one that its ->submit() found no memory for.
 * Context: any, irq too.
 */
void kiobuf_defer(struct kiobuf *kb, struct kiobuf_dev *owner)
{
	kiobuf_hand_to_worker(kb, owner, &owner->retries, 0);
}
EXPORT_SYMBOL_GPL(kiobuf_defer);

static struct kiobuf *kiobuf_pop(struct list_head *list)
{
	struct kiobuf *kb;

	kb = list_first_entry_or_null(list, struct kiobuf, queue);
	if (kb)
		list_del_init(&kb->queue);
	return kb;
}

/*
 * Never sleeps for a header: those that it would wait for may be in the other
 * list. A split that finds none free again is queued anew, for the next tick.
 */
void kiobuf_run_deferred(struct work_struct *work)
{
	struct kiobuf_dev *dev = container_of(to_delayed_work(work),
					      struct kiobuf_dev, work);
	unsigned int noio = memalloc_noio_save();
	struct kiobuf *retry, *split, *last;

	spin_lock_irq(&dev->lock);
	last = list_empty(&dev->deferred) ? NULL :
	       list_last_entry(&dev->deferred, struct kiobuf, queue);
	spin_unlock_irq(&dev->lock);
	do {
		spin_lock_irq(&dev->lock);
		retry = kiobuf_pop(&dev->retries);
		split = !retry && last ? kiobuf_pop(&dev->deferred) : NULL;
		spin_unlock_irq(&dev->lock);
		if (split == last)
			last = NULL;
		if (retry)
			kiobuf_resubmit(retry);
		if (split)
			kiobuf_split(split, split);
	} while (retry || split);
	memalloc_noio_restore(noio);
}
