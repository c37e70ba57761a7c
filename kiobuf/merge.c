// SPDX-License-Identifier: GPL-2.0
/*
 * Several headers as one I/O: the reverse of a split. Neighbours on one device are
 * put together under a header that is nobody's clone; when it ends, each of them gets
 * its own share of the result.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "internal.h"

/**
 * struct kiobuf_merged - a header that stands for several
 * @kb: what is submitted
 * @vec: their fragments, one behind the other
 * @uppers: they, in order
 */
struct kiobuf_merged {
	struct kiobuf		kb;
	struct kiobuf_vec	*vec;
	struct list_head	uppers;
};

/* The lowest failure within bytes @from to @to of the whole. */
struct kiobuf_share {
	u64	from;
	u64	to;
	u64	bytes;
	int	error;
};

static int kiobuf_share_fault(const struct kiobuf_fault *fault, void *arg)
{
	struct kiobuf_share *share = arg;

	if (fault->offset + fault->length <= share->from)
		return 0;
	if (fault->offset >= share->to)
		return 1;
	share->bytes = max(fault->offset, share->from) - share->from;
	share->error = fault->error;
	return 1;
}

/* An errno that came with all bytes belongs to the last. */
static void kiobuf_share_find(struct kiobuf_share *share, struct kiobuf *kb)
{
	kiobuf_walk_faults(kb, kiobuf_share_fault, share);
	if (kb->error && kb->bytes == kb->length && share->to == kb->length)
		share->error = kb->error;
}

static void kiobuf_merged_end_io(struct kiobuf *kb)
{
	struct kiobuf_merged *merged = container_of(kb, struct kiobuf_merged,
						    kb);
	struct kiobuf *upper, *next;
	struct kiobuf_share share;
	u64 from = 0;

	list_for_each_entry_safe(upper, next, &merged->uppers, queue) {
		share = (struct kiobuf_share){
			.from	= from,
			.to	= from + upper->length,
			.bytes	= upper->length,
		};
		from = share.to;
		kiobuf_share_find(&share, kb);
		list_del_init(&upper->queue);
		kiobuf_endio(upper, share.bytes, share.error);
	}
	kiobuf_vec_put(merged->vec);
	kfree(merged);
}

static bool kiobuf_adjoins(const struct kiobuf *a, const struct kiobuf *b)
{
	return a->dev == b->dev && a->op == b->op && a->hints == b->hints &&
	       a->ioprio == b->ioprio && !a->vec == !b->vec &&
	       (a->flags & KIOBUF_INHERIT) == (b->flags & KIOBUF_INHERIT) &&
	       a->pos + a->length == b->pos;
}

static int kiobuf_merge_check(struct list_head *uppers, u64 *length, u32 *frags)
{
	struct kiobuf *kb, *last = NULL;

	list_for_each_entry(kb, uppers, queue) {
		if (last && !kiobuf_adjoins(last, kb))
			return -EINVAL;
		*length += kb->length;
		*frags += kb->vec ? kiobuf_nr_frags(kb) : 0;
		last = kb;
	}
	return last ? 0 : -EINVAL;
}

static struct kiobuf_merged *kiobuf_merged_new(struct list_head *uppers,
					       u32 frags, gfp_t gfp)
{
	struct kiobuf_merged *merged = kzalloc(sizeof(*merged), gfp);
	struct kiobuf *kb;
	int ret = 0;

	if (!merged)
		return NULL;
	if (!frags)
		return merged;
	/* Its last reference goes at the end, which may be in an irq: no vmalloc. */
	merged->vec = kiobuf_vec_alloc(frags, gfp & ~__GFP_DIRECT_RECLAIM);
	if (!merged->vec)
		goto free;
	list_for_each_entry(kb, uppers, queue)
		ret = ret ?: kiobuf_vec_add_slices(merged->vec,
						   kb->vec->frags + kb->frag,
						   kb->skip, kb->length);
	if (!ret)
		return merged;
	kiobuf_vec_put(merged->vec);
free:
	kfree(merged);
	return NULL;
}

/**
 * kiobuf_merge() - put neighbours together into one I/O
 * @uppers: headers that the caller holds, linked by kb->queue in ascending order: on
 *	one device, each beginning where the one before ends, alike in operation,
 *	flags, hints and priority
 * @gfp: allocation flags; the table of fragments is not slept for
 *
 * No data is copied, only the table of fragments. On success the list is empty, and
 * the caller submits the header that comes back, once, and forgets about it: at its
 * end each of @uppers ends, with exactly what became of its own bytes. Cancelling one
 * of @uppers has no effect any more.
 *
 * Context: may sleep if @gfp allows.
 * Return: the header; ERR_PTR(-EINVAL) if they are no such neighbours,
 * ERR_PTR(-ENOMEM); the list is then as it was.
 */
struct kiobuf *kiobuf_merge(struct list_head *uppers, gfp_t gfp)
{
	struct kiobuf_merged *merged;
	struct kiobuf *kb, *first;
	u64 length = 0;
	u32 frags = 0;
	int ret;

	ret = kiobuf_merge_check(uppers, &length, &frags);
	if (ret)
		return ERR_PTR(ret);
	merged = kiobuf_merged_new(uppers, frags, gfp);
	if (!merged)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&merged->uppers);
	list_splice_init(uppers, &merged->uppers);
	first = list_first_entry(&merged->uppers, struct kiobuf, queue);
	kb = &merged->kb;
	kiobuf_init(kb, first->dev, first->op, first->pos, merged->vec, length);
	kb->flags = first->flags & KIOBUF_INHERIT;
	kb->hints = first->hints;
	kb->ioprio = first->ioprio;
	kb->end_io = kiobuf_merged_end_io;
	return kb;
}
EXPORT_SYMBOL_GPL(kiobuf_merge);
