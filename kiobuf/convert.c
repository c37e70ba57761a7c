// SPDX-License-Identifier: GPL-2.0
/*
 * Vectors from what others use for the same, and back. Tables are converted, data is
 * never copied.
 */
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/uio.h>

#include "internal.h"

/* Back to what it was, if a table could not be taken whole. */
int kiobuf_vec_settle(struct kiobuf_vec *vec, u32 nr, u64 length, int ret)
{
	if (ret) {
		vec->nr = nr;
		vec->length = length;
	}
	return ret;
}

/**
 * kiobuf_vec_lend() - a vector over a table of somebody else's
 * @vec: memory of the vector, as the caller likes to embed it
 * @frags: the table, which stays, and stays as it is, until @release
 * @nr: fragments in it, each with a length
 * @release: called when the last reference goes; NULL if the caller sees to it
 *
 * Nothing is copied or allocated. One reference is the caller's. Context: any.
 */
void kiobuf_vec_lend(struct kiobuf_vec *vec, const struct bio_vec *frags,
		     u32 nr, void (*release)(struct kiobuf_vec *vec))
{
	u32 i;

	vec->frags = frags;
	vec->nr = nr;
	vec->max = 0;
	vec->length = 0;
	for (i = 0; i < nr; i++)
		vec->length += frags[i].bv_len;
	refcount_set(&vec->refs, 1);
	vec->release = release;
}
EXPORT_SYMBOL_GPL(kiobuf_vec_lend);

/**
 * kiobuf_vec_add_bvecs() - append fragments
 * @vec: vector from kiobuf_vec_alloc(), not yet lent to a kiobuf
 * @frags: the fragments
 * @nr: how many
 * @gfp: to grow the vector with
 *
 * The caller keeps his references on the pages until the vector is gone.
 * Context: may sleep if @gfp allows.
 * Return: 0, -EINVAL if one is empty, -ENOMEM. After an error @vec is as it was.
 */
int kiobuf_vec_add_bvecs(struct kiobuf_vec *vec, const struct bio_vec *frags,
			 u32 nr, gfp_t gfp)
{
	const u32 old_nr = vec->nr;
	const u64 old_length = vec->length;
	int ret;
	u32 i;

	if (nr > U32_MAX - vec->nr)
		return -EINVAL;
	ret = kiobuf_vec_grow(vec, vec->nr + nr, gfp);
	for (i = 0; i < nr && !ret; i++)
		ret = kiobuf_vec_add(vec, frags[i].bv_page, frags[i].bv_offset,
				     frags[i].bv_len);
	return kiobuf_vec_settle(vec, old_nr, old_length, ret);
}
EXPORT_SYMBOL_GPL(kiobuf_vec_add_bvecs);

/**
 * kiobuf_vec_add_sg() - append what a scatterlist names
 * @vec: vector from kiobuf_vec_alloc(), not yet lent to a kiobuf
 * @sg: the list, chained or not
 * @nents: entries to take
 * @gfp: to grow the vector with
 *
 * Context: may sleep if @gfp allows.
 * Return: as kiobuf_vec_add_bvecs().
 */
int kiobuf_vec_add_sg(struct kiobuf_vec *vec, struct scatterlist *sg,
		      unsigned int nents, gfp_t gfp)
{
	const u32 old_nr = vec->nr;
	const u64 old_length = vec->length;
	struct scatterlist *entry;
	unsigned int i;
	int ret;

	if (nents > U32_MAX - vec->nr)
		return -EINVAL;
	ret = kiobuf_vec_grow(vec, vec->nr + nents, gfp);
	if (!ret) {
		for_each_sg(sg, entry, nents, i) {
			ret = kiobuf_vec_add(vec, sg_page(entry), entry->offset,
					     entry->length);
			if (ret)
				break;
		}
	}
	return kiobuf_vec_settle(vec, old_nr, old_length, ret);
}
EXPORT_SYMBOL_GPL(kiobuf_vec_add_sg);

/* @left bytes of a table, from @skip bytes into @frag on. */
int kiobuf_vec_add_slices(struct kiobuf_vec *vec, const struct bio_vec *frag,
			  u32 skip, u64 left)
{
	int ret = 0;

	for (; left && !ret; frag++, skip = 0) {
		u32 bytes = min_t(u64, frag->bv_len - skip, left);

		if (bytes)
			ret = kiobuf_vec_add(vec, frag->bv_page,
					     frag->bv_offset + skip, bytes);
		left -= bytes;
	}
	return ret;
}

static int kiobuf_add_bvec_iter(struct kiobuf_vec *vec, struct iov_iter *iter,
				gfp_t gfp)
{
	return kiobuf_vec_grow(vec, vec->nr + iter->nr_segs, gfp) ?:
	       kiobuf_vec_add_slices(vec, iter->bvec, iter->iov_offset,
				     iov_iter_count(iter));
}

static int kiobuf_add_kvec_iter(struct kiobuf_vec *vec, struct iov_iter *iter,
				gfp_t gfp)
{
	const struct kvec *kv = iter->kvec;
	size_t skip = iter->iov_offset, left = iov_iter_count(iter);
	int ret = 0;

	for (; left && !ret; kv++) {
		size_t bytes = min(kv->iov_len - skip, left);

		if (bytes)
			ret = kiobuf_vec_add_buffer(vec, kv->iov_base + skip,
						    bytes, gfp);
		left -= bytes;
		skip = 0;
	}
	return ret;
}

/**
 * kiobuf_vec_add_iter() - append what is left of an iterator
 * @vec: vector from kiobuf_vec_alloc(), not yet lent to a kiobuf
 * @iter: over bio_vecs or memory of the kernel; it is not advanced
 * @gfp: to grow the vector with
 *
 * Memory of a process has to be pinned first, which this does not do.
 * Context: may sleep if @gfp allows.
 * Return: 0, -EINVAL, -ENOMEM, -EOPNOTSUPP for any other kind of iterator. After an
 * error @vec is as it was.
 */
int kiobuf_vec_add_iter(struct kiobuf_vec *vec, const struct iov_iter *iter,
			gfp_t gfp)
{
	const u32 old_nr = vec->nr;
	const u64 old_length = vec->length;
	struct iov_iter copy = *iter;
	int ret = -EOPNOTSUPP;

	if (iov_iter_is_bvec(iter))
		ret = kiobuf_add_bvec_iter(vec, &copy, gfp);
	else if (iov_iter_is_kvec(iter))
		ret = kiobuf_add_kvec_iter(vec, &copy, gfp);
	return kiobuf_vec_settle(vec, old_nr, old_length, ret);
}
EXPORT_SYMBOL_GPL(kiobuf_vec_add_iter);

/**
 * kiobuf_nr_frags() - fragments that a window touches
 * @kb: header with a vector
 *
 * Context: any.
 * Return: how many.
 */
u32 kiobuf_nr_frags(const struct kiobuf *kb)
{
	const struct bio_vec *frag = kb->vec->frags + kb->frag;
	u64 left = kb->skip + kb->length;
	u32 nr = 1;

	if (!kb->length)
		return 0;
	while (left > frag->bv_len) {
		left -= frag++->bv_len;
		nr++;
	}
	return nr;
}
EXPORT_SYMBOL_GPL(kiobuf_nr_frags);

/**
 * kiobuf_to_iter() - the window as an iterator
 * @kb: header of a read or write, held by its device
 * @iter: set up over the shared vector: a destination for a read, a source for a
 *	write
 *
 * No table is made. Context: any.
 */
void kiobuf_to_iter(const struct kiobuf *kb, struct iov_iter *iter)
{
	iov_iter_bvec(iter, kb->op == KIOBUF_WRITE ? WRITE : READ,
		      kb->vec->frags + kb->frag, kiobuf_nr_frags(kb),
		      kb->length);
	iter->iov_offset = kb->skip;
}
EXPORT_SYMBOL_GPL(kiobuf_to_iter);

/**
 * kiobuf_to_sg() - the window as a scatterlist
 * @kb: header with a vector
 * @sg: list to fill in, sg_init_table() done, chained or not; its end is marked at
 *	the last entry used
 * @nents: entries that it has; kiobuf_nr_frags() are enough
 *
 * Fragments are not merged, so a list made from a vector and a vector made from that
 * list are alike. Context: any.
 * Return: entries used, 0 for an empty window; -ENOSPC if there are too few.
 */
int kiobuf_to_sg(const struct kiobuf *kb, struct scatterlist *sg,
		 unsigned int nents)
{
	const struct bio_vec *frag = kb->vec->frags + kb->frag;
	u64 left = kb->length;
	u32 skip = kb->skip;
	struct scatterlist *last = NULL;
	unsigned int used = 0;

	for (; left; frag++, skip = 0) {
		u32 bytes = min_t(u64, frag->bv_len - skip, left);

		if (used == nents)
			return -ENOSPC;
		/* Only now: the last entry has none behind it, marked or not. */
		if (last)
			sg = sg_next(last);
		sg_unmark_end(sg);
		sg_set_page(sg, frag->bv_page, bytes, frag->bv_offset + skip);
		last = sg;
		left -= bytes;
		used++;
	}
	if (last)
		sg_mark_end(last);
	return used;
}
EXPORT_SYMBOL_GPL(kiobuf_to_sg);
