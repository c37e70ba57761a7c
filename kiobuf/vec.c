// SPDX-License-Identifier: GPL-2.0
/* Page vectors: made once, shared by every header of an I/O, released once. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "internal.h"

static void kiobuf_vec_free(struct kiobuf_vec *vec)
{
	kvfree(vec->frags);
	kfree(vec);
}

/**
 * kiobuf_vec_alloc() - make an empty vector
 * @max: fragments it can hold
 * @gfp: allocation flags
 *
 * Context: may sleep if @gfp allows.
 * Return: the vector with one reference, the caller's; NULL without memory.
 */
struct kiobuf_vec *kiobuf_vec_alloc(u32 max, gfp_t gfp)
{
	struct kiobuf_vec *vec = kzalloc(sizeof(*vec), gfp);

	if (!vec)
		return NULL;
	vec->frags = kvmalloc_array(max, sizeof(*vec->frags), gfp);
	if (!vec->frags) {
		kfree(vec);
		return NULL;
	}
	vec->max = max;
	refcount_set(&vec->refs, 1);
	vec->release = kiobuf_vec_free;
	return vec;
}
EXPORT_SYMBOL_GPL(kiobuf_vec_alloc);

/**
 * kiobuf_vec_add() - append a fragment
 * @vec: vector from kiobuf_vec_alloc(), not yet lent to a kiobuf
 * @page: first page of the fragment
 * @offset: bytes into @page, may be beyond it for a compound page
 * @length: bytes, not 0
 *
 * The caller keeps its reference on @page until the vector is gone.
 * Context: any.
 * Return: 0, -EINVAL for an empty fragment or one that wraps, -ENOSPC when full.
 */
int kiobuf_vec_add(struct kiobuf_vec *vec, struct page *page, u32 offset,
		   u32 length)
{
	/* Only the maker writes, and only before the vector is lent. */
	struct bio_vec *frags = (struct bio_vec *)vec->frags;
	u32 end;

	if (!length || check_add_overflow(offset, length, &end))
		return -EINVAL;
	if (vec->nr == vec->max)
		return -ENOSPC;
	frags[vec->nr].bv_page = page;
	frags[vec->nr].bv_offset = offset;
	frags[vec->nr].bv_len = length;
	vec->nr++;
	vec->length += length;
	return 0;
}
EXPORT_SYMBOL_GPL(kiobuf_vec_add);

/**
 * kiobuf_vec_put() - drop a reference
 * @vec: vector, NULL is ignored
 *
 * The last one gives the memory back through vec->release(). Context: any that
 * vec->release() allows; for a vector from kiobuf_vec_alloc() not hard irq.
 */
void kiobuf_vec_put(struct kiobuf_vec *vec)
{
	if (vec && refcount_dec_and_test(&vec->refs))
		vec->release(vec);
}
EXPORT_SYMBOL_GPL(kiobuf_vec_put);
