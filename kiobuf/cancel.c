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
 * @except: header whose clones are meant, not itself
 * @only: cancel what is at a device for which this is true, NULL for all
 * @pulled: off their queues, to be ended
 * @found: a header was marked
 * @vetoed: a device said no
 */
struct kiobuf_cancel {
	int			error;
	u64			id;
	const struct kiobuf	*except;
	bool			(*only)(const struct kiobuf_dev *dev);
	struct list_head	pulled;
	bool			found;
	bool			vetoed;
};

/* False if the memory has become another I/O since @mark was read. */
static bool kiobuf_mark(struct kiobuf *kb, u32 mark, int error)
{
	return cmpxchg(&kb->mark, mark, mark | -error) == mark;
}

static enum kiobuf_walk kiobuf_cancel_one(struct kiobuf *kb, int depth,
					  void *arg)
{
	struct kiobuf_cancel *c = arg;
	u32 mark = READ_ONCE(kb->mark);
	struct kiobuf_dev *dev = READ_ONCE(kb->dev);
	const struct kiobuf_dev_ops *ops = dev ? dev->ops : NULL;

	if (kb == c->except || (dev && c->only && !c->only(dev)))
		return KIOBUF_WALK_ON;
	if (!depth && c->id && kiobuf_id(kb) != c->id)
		return KIOBUF_WALK_OVER;
	if (mark & KIOBUF_MARK_ERRNO)
		return KIOBUF_WALK_OVER;
	if (ops && ops->veto && ops->veto(kb)) {
		c->vetoed = true;
		return KIOBUF_WALK_OVER;
	}
	if (!kiobuf_mark(kb, mark, c->error))
		return KIOBUF_WALK_OVER;
	c->found = true;
	trace_cancel(kb);
	if (hlist_empty(&kb->children) && ops && ops->cancel &&
	    ops->cancel(kb)) {
		kiobuf_stat_inc(dev, cancelled);
		list_add_tail(&kb->queue, &c->pulled);
	}
	return KIOBUF_WALK_ON;
}

/* They are ours alone, on no queue any more. */
static void kiobuf_end_pulled(struct kiobuf_cancel *c)
{
	struct kiobuf *kb, *next;

	list_for_each_entry_safe(kb, next, &c->pulled, queue) {
		list_del_init(&kb->queue);
		kiobuf_endio(kb, 0, c->error);
	}
}

/* -EAGAIN asks for another try, which is the opposite. */
static int kiobuf_check_errno(int error)
{
	if (WARN_ON_ONCE(!error || !IS_ERR_VALUE((long)error) ||
			 error == -EAGAIN))
		return -ECANCELED;
	return error;
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
	struct kiobuf_cancel c = {
		.error	= kiobuf_check_errno(error),
		.pulled	= LIST_HEAD_INIT(c.pulled),
	};

	kiobuf_walk(kb, kiobuf_cancel_one, &c);
	kiobuf_end_pulled(&c);
	return c.vetoed ? -EBUSY : 0;
}
EXPORT_SYMBOL_GPL(kiobuf_cancel);

/* The caller has a share of @parent. */
void kiobuf_cancel_clones(struct kiobuf *parent, int error)
{
	struct kiobuf_cancel c = {
		.error	= error,
		.except	= parent,
		.pulled	= LIST_HEAD_INIT(c.pulled),
	};

	kiobuf_walk(parent, kiobuf_cancel_one, &c);
	kiobuf_end_pulled(&c);
}

static int kiobuf_cancel_roots(struct kiobuf_dev *dev, struct kiobuf_cancel *c)
{
	INIT_LIST_HEAD(&c->pulled);
	kiobuf_dev_walk_roots(dev, kiobuf_cancel_one, c);
	kiobuf_end_pulled(c);
	if (c->vetoed)
		return -EBUSY;
	return c->found || !c->id ? 0 : -ENOENT;
}

/**
 * kiobuf_dev_cancel() - cancel what was submitted to a device
 * @dev: registered device
 * @id: of the request, see kiobuf_id(); 0 for all
 * @error: as in kiobuf_cancel()
 *
 * Context: process.
 * Return: 0; -ENOENT if no such request is in flight; -EBUSY if a device would not
 * have it, or a part of it, cancelled now.
 */
int kiobuf_dev_cancel(struct kiobuf_dev *dev, u64 id, int error)
{
	struct kiobuf_cancel c = {
		.error	= kiobuf_check_errno(error),
		.id	= id,
	};

	return kiobuf_cancel_roots(dev, &c);
}
EXPORT_SYMBOL_GPL(kiobuf_dev_cancel);

/* Of what was submitted to @dev, all that now is where @only says. */
void kiobuf_dev_cancel_at(struct kiobuf_dev *dev,
			  bool (*only)(const struct kiobuf_dev *dev), int error)
{
	struct kiobuf_cancel c = {
		.error	= kiobuf_check_errno(error),
		.only	= only,
	};

	kiobuf_cancel_roots(dev, &c);
}
