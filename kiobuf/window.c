// SPDX-License-Identifier: GPL-2.0
/* Reading and filling the bytes of a header's window. */
#include <linux/highmem.h>
#include <linux/module.h>

#include "internal.h"

/**
 * kiobuf_window() - the window as an iterator over kb->vec->frags
 * @kb: header with a vector and a window below 4 GiB
 *
 * For for_each_bvec(), iov_iter_bvec() and the like.
 *
 * Context: any.
 * Return: the iterator.
 */
struct bvec_iter kiobuf_window(const struct kiobuf *kb)
{
	struct bvec_iter iter = {
		.bi_size = kb->length,
		.bi_idx = kb->frag,
		.bi_bvec_done = kb->skip,
	};

	return iter;
}
EXPORT_SYMBOL_GPL(kiobuf_window);

/**
 * kiobuf_zero() - fill the window with zeroes
 * @kb: header of a read, held by its device
 *
 * Context: any.
 */
void kiobuf_zero(struct kiobuf *kb)
{
	struct bvec_iter iter;
	struct bio_vec bv;

	for_each_bvec(bv, kb->vec->frags, iter, kiobuf_window(kb))
		memzero_bvec(&bv);
}
EXPORT_SYMBOL_GPL(kiobuf_zero);

/**
 * kiobuf_fill() - copy bytes into the window
 * @kb: header of a read, held by its device; a window below 4 GiB
 * @offset: where in the window
 * @bytes: what to copy
 * @length: how much, within the window
 *
 * Context: any.
 */
void kiobuf_fill(struct kiobuf *kb, u64 offset, const void *bytes, u32 length)
{
	struct bvec_iter iter, start = kiobuf_window(kb);
	struct bio_vec bv;

	bvec_iter_advance(kb->vec->frags, &start, offset);
	start.bi_size = length;
	for_each_bvec(bv, kb->vec->frags, iter, start) {
		memcpy_to_bvec(&bv, bytes);
		bytes += bv.bv_len;
	}
}
EXPORT_SYMBOL_GPL(kiobuf_fill);
