// SPDX-License-Identifier: GPL-2.0
/* Page vectors: made once, shared by every header of an I/O, released once. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "internal.h"

/* A fragment of linear memory stays well below what its length can hold. */
#define KIOBUF_FRAG_MAX (1UL << 30)

static void kiobuf_vec_free(struct kiobuf_vec *vec)
{
	kvfree(vec->frags);
	kfree(vec);
}

/**
 * kiobuf_vec_alloc() - make an empty vector
 * @max: fragments it can hold; it may grow later
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
	if (kiobuf_vec_grow(vec, max(max, 1U), gfp)) {
		kfree(vec);
		return NULL;
	}
	refcount_set(&vec->refs, 1);
	vec->release = kiobuf_vec_free;
	return vec;
}
EXPORT_SYMBOL_GPL(kiobuf_vec_alloc);

/**
 * kiobuf_vec_grow() - make room
 * @vec: vector from kiobuf_vec_alloc(), not lent to a kiobuf in flight
 * @max: fragments it is to hold
 * @gfp: allocation flags; without sleeping, tables above some pages may not be had
 *
 * What it holds stays. Does nothing if there is room.
 *
 * Context: may sleep if @gfp allows.
 * Return: 0, or -ENOMEM, the vector then being as it was.
 */
int kiobuf_vec_grow(struct kiobuf_vec *vec, u32 max, gfp_t gfp)
{
	struct bio_vec *frags;

	if (max <= vec->max)
		return 0;
	/* A table of somebody else's is not ours to replace. */
	if (vec->frags && !vec->max)
		return -EINVAL;
	if (gfpflags_allow_blocking(gfp))
		frags = kvmalloc_array(max, sizeof(*frags), gfp);
	else
		frags = kmalloc_array(max, sizeof(*frags), gfp);
	if (!frags)
		return -ENOMEM;
	if (vec->nr)
		memcpy(frags, vec->frags, vec->nr * sizeof(*frags));
	kvfree(vec->frags);
	vec->frags = frags;
	vec->max = max;
	return 0;
}
EXPORT_SYMBOL_GPL(kiobuf_vec_grow);

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
	if (vec->nr >= vec->max)
		return -ENOSPC;
	frags[vec->nr].bv_page = page;
	frags[vec->nr].bv_offset = offset;
	frags[vec->nr].bv_len = length;
	vec->nr++;
	vec->length += length;
	return 0;
}
EXPORT_SYMBOL_GPL(kiobuf_vec_add);

static struct page *kiobuf_page_of(const void *addr)
{
	return is_vmalloc_addr(addr) ? vmalloc_to_page(addr) :
				       virt_to_page(addr);
}

/**
 * kiobuf_vec_add_buffer() - append memory of the kernel
 * @vec: vector from kiobuf_vec_alloc(), not yet lent to a kiobuf
 * @buffer: from kmalloc(), the page allocator or vmalloc(); not on a stack, nor in a
 *	module
 * @length: bytes, not 0
 * @gfp: to grow the vector with, if it has no room
 *
 * The memory must stay until the vector is gone. For a vmalloc() buffer on a machine
 * whose caches alias, flush_kernel_vmap_range() and invalidate_kernel_vmap_range()
 * are the caller's. Context: may sleep if @gfp allows.
 * Return: 0; -EINVAL for an empty buffer or one that is not such memory; -ENOMEM.
 * After an error @vec is as it was.
 */
int kiobuf_vec_add_buffer(struct kiobuf_vec *vec, const void *buffer,
			  size_t length, gfp_t gfp)
{
	const bool linear = virt_addr_valid(buffer);
	const u32 old_nr = vec->nr;
	const u64 old_length = vec->length;
	u64 pages;
	int ret;

	if (!length || (!linear && !is_vmalloc_addr(buffer)))
		return -EINVAL;
	pages = ((u64)offset_in_page(buffer) + length + PAGE_SIZE - 1) >> PAGE_SHIFT;
	if (linear)
		pages = DIV_ROUND_UP_ULL(length, KIOBUF_FRAG_MAX) + 1;
	if (pages > U32_MAX - vec->nr)
		return -EINVAL;
	ret = kiobuf_vec_grow(vec, vec->nr + pages, gfp);
	while (length && !ret) {
		u32 offset = offset_in_page(buffer);
		size_t bytes = min_t(size_t, length, linear ?
				     KIOBUF_FRAG_MAX : PAGE_SIZE - offset);
		struct page *page = kiobuf_page_of(buffer);

		/* None where a vmalloc() buffer has ended before @length. */
		ret = page ? kiobuf_vec_add(vec, page, offset, bytes) : -EINVAL;
		buffer += bytes;
		length -= bytes;
	}
	return kiobuf_vec_settle(vec, old_nr, old_length, ret);
}
EXPORT_SYMBOL_GPL(kiobuf_vec_add_buffer);

/**
 * kiobuf_vec_put() - drop a reference
 * @vec: vector, NULL is ignored
 *
 * The last one gives the memory back through vec->release(). Context: any that
 * vec->release() allows; for a vector from kiobuf_vec_alloc() not hard irq.
 */
void kiobuf_vec_put(struct kiobuf_vec *vec)
{
	if (vec && refcount_dec_and_test(&vec->refs) && vec->release)
		vec->release(vec);
}
EXPORT_SYMBOL_GPL(kiobuf_vec_put);
