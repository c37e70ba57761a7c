// SPDX-License-Identifier: GPL-2.0
/*
 * The way up: results climb from child to parent in a loop, never by recursion,
 * since a leaf may end in hard irq context below many layers.
 */
#include <linux/module.h>

#include "internal.h"
#include "trace.h"

static bool kiobuf_retryable(int error)
{
	return error == -EAGAIN || error == -ENOMEM || error == -EINTR;
}

/* Which of two errors at the same offset is reported: see <linux/kiobuf.h>. */
static bool kiobuf_outranks(int a, int b)
{
	if (kiobuf_retryable(a) != kiobuf_retryable(b))
		return kiobuf_retryable(b);
	return a > b;
}

/**
 * kiobuf_fail() - record a failure without ending the header
 * @kb: header that has not ended
 * @bytes: where in its window the failure is
 * @error: negative errno
 *
 * Kept if it is the failure at the lowest offset so far. For a device's
 * ->collate(). Context: any.
 */
void kiobuf_fail(struct kiobuf *kb, u64 bytes, int error)
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
EXPORT_SYMBOL_GPL(kiobuf_fail);

/**
 * kiobuf_collate_prefix() - merge a clone's result into its parent
 * @parent: the parent
 * @child: a clone of it that has ended
 *
 * The default collation: the good prefix and the failure at the lowest offset.
 * For a device's ->collate() that does more. Context: any.
 */
void kiobuf_collate_prefix(struct kiobuf *parent, struct kiobuf *child)
{
	if (unlikely(child->error))
		kiobuf_fail(parent,
			    child->offset - parent->offset + child->bytes,
			    child->error);
}
EXPORT_SYMBOL_GPL(kiobuf_collate_prefix);

/* Returns false if a frame's device keeps the header. */
static bool kiobuf_pop_frames(struct kiobuf *kb)
{
	while (kb->nr_frames) {
		struct kiobuf_frame *frame = &kb->frame[--kb->nr_frames];

		kb->dev = frame->dev;
		kb->pos = frame->pos;
		if (kb->dev->ops->endio(kb, frame->data) == KIOBUF_HOLD)
			return false;
	}
	return true;
}

/*
 * Hands an ended header to its owner, who may free it.
 * Returns the parent, of which the clone's share is still to be dropped.
 */
static struct kiobuf *kiobuf_finish(struct kiobuf *kb)
{
	struct kiobuf *parent = kb->parent;
	struct kiobuf_dev *dev = parent ? parent->dev : NULL;

	trace_endio(kb);
	if (parent) {
		if (dev && dev->ops->collate)
			dev->ops->collate(parent, kb);
		else
			kiobuf_collate_prefix(parent, kb);
	}
	if (kb->end_io)
		kb->end_io(kb);
	else if (kb->flags & KIOBUF_POOLED)
		kiobuf_pool_free(&dev->pool, kb);
	else
		kiobuf_done(kb);
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

/* All that kiobuf_endio() does not do in line. */
void __kiobuf_endio(struct kiobuf *kb, u64 bytes, int error)
{
	if (unlikely(error || bytes < kb->length))
		kiobuf_fail(kb, min(bytes, kb->length), error ?: -EIO);
	do {
		if (!kiobuf_drop_share(kb))
			return;
		if (kb->nr_frames && !kiobuf_pop_frames(kb))
			return;
		kb = kiobuf_finish(kb);
	} while (kb);
}
EXPORT_SYMBOL_GPL(__kiobuf_endio);

/**
 * kiobuf_restart() - forget the result of a header that is held
 * @kb: header held by an ->endio(), to be submitted or ended again
 *
 * Context: any.
 */
void kiobuf_restart(struct kiobuf *kb)
{
	kb->bytes = kb->length;
	kb->error = 0;
	atomic_set(&kb->io_count, 1);
}
EXPORT_SYMBOL_GPL(kiobuf_restart);

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
	/* Pairs with kiobuf_wait(): who sees it sees the result. */
	smp_store_release(&kb->done, true);
	wake_up_all_locked(&kb->wait);
	orphan = kb->orphan;
	spin_unlock_irqrestore(&kb->wait.lock, flags);
	if (orphan)
		kiobuf_free(kb);
}
EXPORT_SYMBOL_GPL(kiobuf_done);
