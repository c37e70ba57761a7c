// SPDX-License-Identifier: GPL-2.0
/*
 * Clones: a header with a parent and a narrower window on the same vector.
 * Nothing is copied or allocated for the fragments, whatever the size.
 */
#include <linux/module.h>
#include <linux/overflow.h>

#include "internal.h"
#include "trace.h"

struct kiobuf_cursor {
	u32	frag;
	u32	skip;
};

/* @by more bytes lie within the vector, and at least one behind them */
static __always_inline struct kiobuf_cursor
kiobuf_cursor_advance(struct kiobuf_cursor cur, const struct kiobuf_vec *vec,
		      u64 by)
{
	const struct bio_vec *frag = vec->frags + cur.frag;

	s64 rest = by + cur.skip;

	do
		rest -= frag++->bv_len;
	while (rest >= 0);
	frag--;
	cur.frag = frag - vec->frags;
	cur.skip = rest + frag->bv_len;
	return cur;
}

static bool kiobuf_window_ok(const struct kiobuf *parent, u64 offset,
			     u64 length)
{
	u64 end;

	return !check_add_overflow(offset, length, &end) &&
	       end <= parent->length;
}

/*
 * As kiobuf_reset(), but for a place in the parent, and what it inherits. What is read
 * of the parent is read before anything is written, as far as that saves a store.
 */
static __always_inline void kiobuf_clone_window(struct kiobuf *kb,
						const struct kiobuf *parent,
						u64 offset, u64 length,
						struct kiobuf_cursor cur)
{
	struct kiobuf_dev *dev = parent->dev;
	u64 pos = parent->pos + offset;
	struct kiobuf_vec *vec = parent->vec;
	u16 flags = parent->flags & KIOBUF_INHERIT;
	u16 ioprio = parent->ioprio;
	u32 hints = parent->hints;
	u8 op = parent->op;

	kiobuf_reset(kb, dev, op, pos, vec, length);
	kb->offset = offset;
	kb->frag = cur.frag;
	kb->skip = cur.skip;
	kb->flags = flags;
	kb->hints = hints;
	kb->ioprio = ioprio;
}

/*
 * Fails with the errno that the parent was cancelled with. Else the clone is in flight:
 * only its own fields are left to be written.
 */
static __always_inline int kiobuf_clone_begin(struct kiobuf *kb,
					      struct kiobuf *parent)
{
	int ret = kiobuf_link_clone(kb, parent);

	if (unlikely(ret)) {
		kb->parent = NULL;
		return ret;
	}
	trace_clone(kb);
	return 0;
}

static struct kiobuf_cursor kiobuf_find(const struct kiobuf *parent, u64 offset)
{
	struct kiobuf_cursor cur = { parent->frag, parent->skip };

	/* At its very end there may be no fragment. */
	if (!parent->vec || offset == parent->length)
		return cur;
	return kiobuf_cursor_advance(cur, parent->vec, offset);
}

/* Some legs have it already: all must get it, shut down or not. */
static bool kiobuf_must_go_on(const struct kiobuf *parent)
{
	return READ_ONCE(parent->fate) & KIOBUF_PARENT &&
	       parent->flags & KIOBUF_FIRM;
}

static noinline struct kiobuf *kiobuf_take_any(struct kiobuf *parent, gfp_t gfp)
{
	struct kiobuf_dev *dev = parent->dev;

	if (READ_ONCE(dev->shutdown) && !kiobuf_must_go_on(parent))
		return ERR_PTR(READ_ONCE(dev->shutdown) ?: -ESHUTDOWN);
	return kiobuf_pool_alloc(&dev->pool, gfp) ?: ERR_PTR(-EAGAIN);
}

static __always_inline struct kiobuf *kiobuf_take(struct kiobuf *parent,
						  gfp_t gfp)
{
	struct kiobuf_dev *dev = parent->dev;
	struct kiobuf *kb = NULL;

	if (likely(!READ_ONCE(dev->shutdown)))
		kb = kiobuf_pool_pop(&dev->pool);
	return likely(kb) ? kb : kiobuf_take_any(parent, gfp);
}

static __always_inline struct kiobuf *
kiobuf_pooled_clone(struct kiobuf *parent, u64 offset, u64 length, gfp_t gfp,
		    struct kiobuf_cursor cur)
{
	struct kiobuf_dev *dev = parent->dev;
	struct kiobuf *kb = kiobuf_take(parent, gfp);
	int ret;

	if (IS_ERR(kb))
		return kb;
	kiobuf_clone_window(kb, parent, offset, length, cur);
	kb->flags |= KIOBUF_POOLED;
	ret = kiobuf_clone_begin(kb, parent);
	if (unlikely(ret)) {
		kiobuf_pool_free(&dev->pool, kb);
		return ERR_PTR(ret);
	}
	kiobuf_stat_inc(dev, clones);
	return kb;
}

/**
 * kiobuf_init_clone() - make a clone in caller's memory
 * @kb: memory of the new header, as the caller likes to embed it
 * @parent: header to take a window of; not ended, the caller holds a share
 * @offset: first byte of the window, relative to the parent's
 * @length: bytes of the window
 *
 * Adds a share to @parent, which the clone drops when it ends: submit the clone
 * or end it. Windows of several clones may overlap: that is a mirror, and each
 * byte counts once in the parent's result. The clone is for the same device and
 * operation at the matching position, until the caller says otherwise. Its
 * memory must stay until it has ended: see kb->end_io.
 *
 * Context: any.
 * Return: 0; -EINVAL if the window does not lie in the parent's; the errno that the
 * parent was cancelled with.
 */
int kiobuf_init_clone(struct kiobuf *kb, struct kiobuf *parent, u64 offset,
		      u64 length)
{
	if (!kiobuf_window_ok(parent, offset, length))
		return -EINVAL;
	kiobuf_init_once(kb);
	kiobuf_clone_window(kb, parent, offset, length,
			    kiobuf_find(parent, offset));
	return kiobuf_clone_begin(kb, parent);
}
EXPORT_SYMBOL_GPL(kiobuf_init_clone);

/**
 * kiobuf_alloc_clone() - take a clone from the pool of the parent's device
 * @parent: header to take a window of; not ended, the caller holds a share
 * @offset: first byte of the window, relative to the parent's
 * @length: bytes of the window
 * @gfp: GFP_NOWAIT, or GFP_NOIO in a worker that holds no other clone unsubmitted
 *
 * As kiobuf_init_clone(). The core frees the clone when it has ended; it must
 * not have an end_io.
 *
 * Context: process; with GFP_NOWAIT it does not sleep.
 * Return: the clone, ERR_PTR(-EINVAL) for a window not in the parent's,
 * ERR_PTR(-EAGAIN) when no header is free, ERR_PTR of what the parent was
 * cancelled with.
 */
struct kiobuf *kiobuf_alloc_clone(struct kiobuf *parent, u64 offset,
				  u64 length, gfp_t gfp)
{
	if (!kiobuf_window_ok(parent, offset, length))
		return ERR_PTR(-EINVAL);
	return kiobuf_pooled_clone(parent, offset, length, gfp,
				   kiobuf_find(parent, offset));
}
EXPORT_SYMBOL_GPL(kiobuf_alloc_clone);

/**
 * kiobuf_carve() - clone the next bytes of a header that is being split
 * @parent: as handed to ->next_child()
 * @length: most bytes that the clone shall have, not 0
 *
 * Starts where the last call stopped (parent->carved) and finds that place in
 * the vector without walking it again. The clone is at the matching position
 * of the parent's device. Context: ->next_child().
 * Return: the clone; NULL when nothing is left; ERR_PTR(-EAGAIN) without a header,
 * or what the parent was cancelled with, to be handed to the core as it is.
 */
struct kiobuf *kiobuf_carve(struct kiobuf *parent, u64 length)
{
	struct kiobuf_cursor cur = { parent->carve_frag, parent->carve_skip };
	u64 left = parent->length - parent->carved;
	struct kiobuf *kb;

	if (!left)
		return NULL;
	length = min(length, left);
	kb = kiobuf_pooled_clone(parent, parent->carved, length, GFP_NOWAIT,
				 cur);
	if (IS_ERR(kb))
		return kb;
	if (parent->vec && length < left)
		cur = kiobuf_cursor_advance(cur, parent->vec, length);
	parent->flags |= KIOBUF_CARVED;
	parent->carved += length;
	parent->carve_frag = cur.frag;
	parent->carve_skip = cur.skip;
	return kb;
}
EXPORT_SYMBOL_GPL(kiobuf_carve);

/**
 * kiobuf_mirror() - clone the first bytes of a header that is being split
 * @parent: as handed to ->next_child(), which counts its legs in parent->carved
 * @length: bytes: the parent's length for a mirror; less for an operation without
 *	data whose share of a leg is a range of its own
 *
 * Clones made so overlap. Context: ->next_child().
 * Return: the clone, or ERR_PTR(-EAGAIN) without a header, or what the parent was
 * cancelled with, to be handed to the core as it is.
 */
struct kiobuf *kiobuf_mirror(struct kiobuf *parent, u64 length)
{
	struct kiobuf_cursor cur = { parent->frag, parent->skip };

	return kiobuf_pooled_clone(parent, 0, min(length, parent->length),
				   GFP_NOWAIT, cur);
}
EXPORT_SYMBOL_GPL(kiobuf_mirror);
