// SPDX-License-Identifier: GPL-2.0
/* Data that a filter alters: in place on its way up, in a copy on its way down. */
#include <linux/bvec.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "filter.h"

/* Most that one clone copies, so that it needs little memory at once. */
#define KFILTER_COPY_MAX SZ_256K

/**
 * kfilter_alter() - change bytes of a window where they are
 * @kb: header of a read on its way up
 * @from: first byte of the window
 * @to: end of the range, exclusive
 * @alter: called for each piece, with the page mapped; must not sleep
 *
 * Context: any.
 */
void kfilter_alter(struct kiobuf *kb, u64 from, u64 to,
		   void (*alter)(u8 *bytes, size_t length))
{
	struct bvec_iter iter, start = kiobuf_window(kb);
	struct bio_vec bv;

	bvec_iter_advance(kb->vec->frags, &start, from);
	start.bi_size = to - from;
	for_each_bvec(bv, kb->vec->frags, iter, start) {
		u8 *bytes = bvec_kmap_local(&bv);

		alter(bytes, bv.bv_len);
		flush_dcache_page(bv.bv_page);
		kunmap_local(bytes);
	}
}
EXPORT_SYMBOL_GPL(kfilter_alter);

/* A copy, and what gives it back when the clone that has it ends. */
struct kfilter_copy {
	struct kiobuf_frame	frame;
	struct kiobuf_vec	*vec;
};

static void kfilter_copy_free(struct kfilter_copy *copy)
{
	u32 i;

	for (i = 0; copy->vec && i < copy->vec->nr; i++)
		__free_page(copy->vec->frags[i].bv_page);
	if (copy->vec)
		kiobuf_vec_put(copy->vec);
	kfree(copy);
}

static enum kiobuf_climb kfilter_copy_endio(struct kiobuf *kb,
					    const struct kiobuf_frame *frame)
{
	kfilter_copy_free(container_of(frame, struct kfilter_copy, frame));
	return KIOBUF_CLIMB;
}

static bool kfilter_copy_fill(struct kfilter_copy *copy, size_t length,
			      gfp_t gfp)
{
	struct page *page;

	for (; length; length -= min_t(size_t, length, PAGE_SIZE)) {
		page = alloc_page(gfp);
		if (!page)
			return false;
		kiobuf_vec_add(copy->vec, page, 0,
			       min_t(size_t, length, PAGE_SIZE));
	}
	return true;
}

static struct kfilter_copy *kfilter_copy_new(size_t length)
{
	gfp_t gfp = GFP_NOWAIT | __GFP_NOWARN;
	struct kfilter_copy *copy = kzalloc(sizeof(*copy), gfp);

	if (!copy)
		return NULL;
	copy->vec = kiobuf_vec_alloc(DIV_ROUND_UP(length, PAGE_SIZE), gfp);
	if (copy->vec && kfilter_copy_fill(copy, length, gfp))
		return copy;
	kfilter_copy_free(copy);
	return NULL;
}

/* Pages of the copy are filled one after the other. */
static void kfilter_copy_from(struct kfilter_copy *copy,
			      const struct kiobuf *kb,
			      void (*alter)(u8 *bytes, size_t length))
{
	const struct bio_vec *to = copy->vec->frags;
	struct bvec_iter iter = kiobuf_window(kb);

	for (; iter.bi_size; to++) {
		u8 *bytes = kmap_local_page(to->bv_page);
		u32 done = 0;

		while (done < to->bv_len) {
			struct bio_vec bv = bvec_iter_bvec(kb->vec->frags, iter);

			bv.bv_len = min(bv.bv_len, to->bv_len - done);
			memcpy_from_bvec(bytes + done, &bv);
			bvec_iter_advance_single(kb->vec->frags, &iter,
						 bv.bv_len);
			done += bv.bv_len;
		}
		alter(bytes, to->bv_len);
		kunmap_local(bytes);
	}
}

/**
 * kfilter_carve_copy() - kiobuf_carve() of a clone with memory of its own
 * @parent: write, as handed to ->next_child()
 * @length: most bytes that the clone shall have, not 0
 * @alter: changes the copy, piece by piece, each a page or less; must not sleep
 *
 * The caller's pages are not touched. The clone may be shorter than asked for, so
 * go on by parent->carved. The copy goes when the clone ends. Context: ->next_child().
 * Return: as kiobuf_carve(); ERR_PTR(-EAGAIN) without memory, for the core to ask again.
 */
struct kiobuf *kfilter_carve_copy(struct kiobuf *parent, u64 length,
				  void (*alter)(u8 *bytes, size_t length))
{
	struct kfilter_copy *copy;
	struct kiobuf *kb;

	length = min3(length, parent->length - parent->carved,
		      (u64)KFILTER_COPY_MAX);
	if (!length)
		return NULL;
	/* Rather a page at a time than not at all. */
	copy = kfilter_copy_new(length);
	if (!copy && length > PAGE_SIZE) {
		length = PAGE_SIZE;
		copy = kfilter_copy_new(length);
	}
	if (!copy)
		return ERR_PTR(-EAGAIN);
	kb = kiobuf_carve(parent, length);
	if (IS_ERR_OR_NULL(kb)) {
		kfilter_copy_free(copy);
		return kb;
	}
	kfilter_copy_from(copy, kb, alter);
	kb->vec = copy->vec;
	kb->frag = 0;
	kb->skip = 0;
	copy->frame.endio = kfilter_copy_endio;
	kiobuf_intercept(kb, &copy->frame);
	return kb;
}
EXPORT_SYMBOL_GPL(kfilter_carve_copy);
