// SPDX-License-Identifier: GPL-2.0
/*
 * Cancelling a tree, or a whole device.
 *
 * Marking comes first, each header under its own lock, so that it gets no more clones;
 * then its device is asked for it. A device puts a header on its queue under the
 * queue's lock, where it looks at the mark; so either the header is found there, or
 * the device finds the mark. Whoever takes a header off a queue, under that lock, is
 * the one that ends it. What is not in a queue is left to end by itself: a parent
 * waits for it, since the hardware may still write to its pages.
 */
#include <linux/module.h>

#include "internal.h"
#include "trace.h"

/*
 * struct kiobuf_cancel - a cancel under way
 * @error: what to cancel with
 * @id: of the root to cancel, 0 for any
 * @age: of roots to cancel, at least, in jiffies
 * @oldest: age of the oldest of those that are not so old
 * @except: header whose clones are meant, not itself
 * @pulled: off their queues, to be ended
 * @found: a header was cancelled, or had been
 * @vetoed: a device said no
 */
struct kiobuf_cancel {
	int			error;
	u64			id;
	unsigned long		age;
	unsigned long		oldest;
	const struct kiobuf	*except;
	struct list_head	pulled;
	bool			found;
	bool			vetoed;
};

/* -EAGAIN asks for another try, which is the opposite. */
int kiobuf_check_errno(int error, int instead)
{
	if (WARN_ON_ONCE(!error || !IS_ERR_VALUE((long)error) ||
			 error == -EAGAIN))
		return instead;
	return error;
}

/* False if the memory has become another I/O since @mark was read. */
static bool kiobuf_mark(struct kiobuf *kb, u32 mark, int error)
{
	return cmpxchg(&kb->mark, mark, mark | -error) == mark;
}

/* @kb is marked, or its device emptied: it is in that queue, or will never come there. */
static void kiobuf_pull(struct kiobuf *kb, struct list_head *pulled)
{
	/* Read after the mark, which orders it: see kiobuf_enqueue(). */
	struct kiobuf_dev *dev = READ_ONCE(kb->dev);

	if (!hlist_empty(&kb->children) || !dev || !dev->ops->cancel ||
	    !dev->ops->cancel(dev, kb))
		return;
	kiobuf_stat_inc(dev, cancelled);
	list_add_tail(&kb->queue, pulled);
}

/*
 * A device has a say in what it has split. The flag is set before the first clone, which
 * takes the lock that we have: so we see the flag, or that clone sees our mark.
 */
static bool kiobuf_vetoed(const struct kiobuf *kb)
{
	return READ_ONCE(kb->flags) & KIOBUF_FIRM;
}

/* Is this root one of those that are to be cancelled? */
static bool kiobuf_is_meant(struct kiobuf *kb, struct kiobuf_cancel *c)
{
	unsigned long age;

	if (c->id && kiobuf_id(kb) != c->id)
		return false;
	if (!c->age)
		return true;
	age = kiobuf_age(kb);
	if (age < c->age)
		c->oldest = max(c->oldest, age);
	return age >= c->age;
}

static enum kiobuf_walk kiobuf_cancel_one(struct kiobuf *kb, int depth,
					  void *arg)
{
	struct kiobuf_cancel *c = arg;
	/* Before its age: a root of a bio is given the new one first. */
	u32 mark = smp_load_acquire(&kb->mark);

	if (kb == c->except)
		return KIOBUF_WALK_ON;
	if (kb->fate & KIOBUF_DONE || (!depth && !kiobuf_is_meant(kb, c)))
		return KIOBUF_WALK_OVER;
	if (mark & KIOBUF_MARK_ERRNO) {
		c->found = true;
		return KIOBUF_WALK_ON;
	}
	if (kiobuf_vetoed(kb)) {
		c->vetoed = true;
		return KIOBUF_WALK_OVER;
	}
	if (!kiobuf_mark(kb, mark, c->error))
		return KIOBUF_WALK_OVER;
	c->found = true;
	trace_cancel(kb);
	kiobuf_pull(kb, &c->pulled);
	return KIOBUF_WALK_ON;
}

/* They are ours alone, on no queue any more. */
void kiobuf_end_pulled(struct list_head *pulled, int error)
{
	struct kiobuf *kb, *next;

	list_for_each_entry_safe(kb, next, pulled, queue) {
		list_del_init(&kb->queue);
		kiobuf_endio(kb, 0, error);
	}
}

static int kiobuf_cancel_tree(struct kiobuf *kb, const struct kiobuf *except,
			      int error)
{
	struct kiobuf_cancel c = {
		.error	= error,
		.except	= except,
		.pulled	= LIST_HEAD_INIT(c.pulled),
	};

	kiobuf_walk(kb, kiobuf_cancel_one, &c);
	kiobuf_end_pulled(&c.pulled, error);
	return c.vetoed ? -EBUSY : 0;
}

/**
 * kiobuf_cancel() - give up an I/O and everything below it
 * @kb: header that the caller has submitted and not yet let go of; ending it while
 *	this runs is fine, freeing it is not
 * @error: errno that what is pulled ends with, -ECANCELED as a rule
 *
 * Clones that wait in a queue of some device end at once, without reaching what is
 * below. New clones are refused. What is with the hardware ends as it would have;
 * when the last of them has, the header ends as always, with kb->bytes telling
 * what was moved. If nothing was left to be cancelled, it succeeds. So wait for its
 * end as ever. A second cancel, or one of a header that has ended, does nothing.
 *
 * Context: any, irq too; not from a wait queue callback, nor with a lock held that a
 * device's ->cancel() or an end_io takes: end_io of what was pulled is called.
 * Return: 0; -EBUSY if some device would not have it cancelled now, in which case
 * that part goes on to its end.
 */
int kiobuf_cancel(struct kiobuf *kb, int error)
{
	return kiobuf_cancel_tree(kb, NULL,
				  kiobuf_check_errno(error, -ECANCELED));
}
EXPORT_SYMBOL_GPL(kiobuf_cancel);

/* The caller has a share of @parent. */
void kiobuf_cancel_clones(struct kiobuf *parent, int error)
{
	kiobuf_cancel_tree(parent, parent, error);
}

/**
 * kiobuf_dev_cancel() - cancel what was submitted to a device
 * @dev: registered device
 * @id: of the request, see kiobuf_id(); 0 for all
 * @error: as in kiobuf_cancel()
 *
 * What makers cloned without submitting it, such as sets, has no device: it is found by
 * its @id whatever @dev is, and is not part of all. Context: process; end_io of what
 * was pulled is called.
 * Return: 0; -ENOENT if no such request is in flight; -EBUSY if a device would not
 * have it, or a part of it, cancelled now.
 */
int kiobuf_dev_cancel(struct kiobuf_dev *dev, u64 id, int error)
{
	struct kiobuf_cancel c = {
		.error	= kiobuf_check_errno(error, -ECANCELED),
		.id	= id,
		.pulled	= LIST_HEAD_INIT(c.pulled),
	};

	kiobuf_dev_walk_roots(dev, kiobuf_cancel_one, &c);
	if (id)
		kiobuf_dev_walk_roots(NULL, kiobuf_cancel_one, &c);
	kiobuf_end_pulled(&c.pulled, c.error);
	if (c.vetoed)
		return -EBUSY;
	return c.found || !id ? 0 : -ENOENT;
}
EXPORT_SYMBOL_GPL(kiobuf_dev_cancel);

/**
 * kiobuf_dev_expire() - cancel what was submitted to a device too long ago
 * @dev: registered device
 * @age: in jiffies, at least 1, and less than 2^20, where ages begin anew
 * @error: as in kiobuf_cancel()
 *
 * What a device would not have cancelled now is to be tried again.
 *
 * Context: process; end_io of what was pulled is called.
 * Return: jiffies until the next will be as old; @age if nothing else is in flight, 0 if
 * something is to be tried again.
 */
unsigned long kiobuf_dev_expire(struct kiobuf_dev *dev, unsigned long age,
				int error)
{
	struct kiobuf_cancel c = {
		.error	= kiobuf_check_errno(error, -ETIMEDOUT),
		.age	= age,
		.pulled	= LIST_HEAD_INIT(c.pulled),
	};

	kiobuf_dev_walk_roots(dev, kiobuf_cancel_one, &c);
	kiobuf_end_pulled(&c.pulled, c.error);
	return c.vetoed ? 0 : age - c.oldest;
}
EXPORT_SYMBOL_GPL(kiobuf_dev_expire);

/* ---- a device that goes ---- */

/*
 * For kiobuf_dev_walk_roots(): pulls what waits at a device that is being emptied, to
 * the list @arg. Nothing is marked: what a layer above may yet send elsewhere has
 * not been cancelled by anyone.
 */
enum kiobuf_walk kiobuf_pull_emptied(struct kiobuf *kb, int depth, void *arg)
{
	const struct kiobuf_dev *dev = READ_ONCE(kb->dev);

	if (!dev || !READ_ONCE(dev->emptied))
		return KIOBUF_WALK_ON;
	if (kiobuf_vetoed(kb))
		return KIOBUF_WALK_OVER;
	kiobuf_pull(kb, arg);
	return KIOBUF_WALK_ON;
}
