// SPDX-License-Identifier: GPL-2.0
/*
 * Parity of a window, in the memory of a job: by the kernel's xor and raid6_pq.
 *
 * A page at a time, since raid6_pq has a page of zeroes for what is not there. Columns
 * are whole sectors and blocks begin on a page, so that vectors of 64 bytes are aligned.
 */
#include <linux/module.h>
#include <linux/raid/pq.h>
#include <linux/raid/xor.h>

#include "stripe.h"

/* Bytes of a page from @at on that are in the window */
static u32 math_length(const struct stripe_job *job, u32 at)
{
	return min_t(u32, PAGE_SIZE, job->length - at);
}

static u32 math_p(const struct stripe_job *job)
{
	return job->state.data;
}

static u32 math_q(const struct stripe_job *job)
{
	return job->state.data + 1;
}

static bool math_has_q(const struct stripe_job *job)
{
	return job->state.parity > 1;
}

/* ---- where blocks are ---- */

/* The next bytes of a fresh block where they are; NULL if they cannot be used there. */
static void *math_in_place(const struct bio_vec *frags, struct bvec_iter *at,
			   u32 length)
{
	const struct bio_vec *bv = &frags[at->bi_idx];
	u32 done = at->bi_bvec_done;
	void *own;

	if (bv->bv_len - done < length || PageHighMem(bv->bv_page))
		return NULL;
	own = page_address(bv->bv_page) + bv->bv_offset + done;
	if (!IS_ALIGNED((unsigned long)own, 64))
		return NULL;
	bvec_iter_advance_single(frags, at, length);
	return own;
}

static void *math_copy(const struct bio_vec *frags, struct bvec_iter *at,
		       u32 length, void *copy)
{
	struct bvec_iter iter = *at;
	struct bio_vec bv;
	void *to = copy;

	iter.bi_size = length;
	for_each_bvec(bv, frags, iter, iter) {
		memcpy_from_bvec(to, &bv);
		to += bv.bv_len;
	}
	bvec_iter_advance(frags, at, length);
	return copy;
}

/* The next bytes of a fresh block; they are copied to @copy if need be. */
static void *math_take(struct stripe_job *job, u32 block, u32 length, void *copy)
{
	const struct bio_vec *frags = job->kb->vec->frags;
	struct bvec_iter *at = &job->next[block];

	return math_in_place(frags, at, length) ?:
	       math_copy(frags, at, length, copy);
}

/* Where the bytes of a block are that has @own in memory */
static inline void *math_block(struct stripe_job *job, u32 block, void *own,
			       u32 length)
{
	return job->fresh & BIT_ULL(block) ?
	       math_take(job, block, length, own) : own;
}

/* ---- parity ---- */

static void math_xor(void *to, void **from, u32 nr, u32 length)
{
	u32 i, n;

	for (i = 0; i < nr; i += n) {
		n = min_t(u32, nr - i, MAX_XOR_BLOCKS);
		xor_blocks(n, length, to, from + i);
	}
}

/* Makes @block the xor of all other data, and of P unless it is that. */
static void math_xor_others(struct stripe_job *job, u32 block, u32 at)
{
	u32 length = math_length(job, at), last = math_p(job), i, nr = 0;
	void *own = job->memory.bytes + at, *to = stripe_bytes(job, block) + at;
	void *from[PARITY_MAX_LEGS];

	for (i = 0; i <= last; i++, own += job->memory.window)
		if (own != to)
			from[nr++] = math_block(job, i, own, length);
	memcpy(to, from[0], length);
	math_xor(to, from + 1, nr - 1, length);
}

static int math_slot(struct stripe_job *job, u32 block)
{
	return parity_slot(stripe_geo(job), &job->stripe, block);
}

/* Returns how many blocks raid6_pq is told of. */
static int math_point(struct stripe_job *job, u64 data, u32 at)
{
	u32 slots = parity_nr_slots(stripe_geo(job)), i;

	for (i = 0; i < slots; i++)
		job->ptrs[i] = (void *)raid6_empty_zero_page;
	for (i = 0; i < job->state.data; i++)
		if (data & BIT_ULL(i))
			job->ptrs[math_slot(job, i)] =
				math_block(job, i, stripe_bytes(job, i) + at,
					   math_length(job, at));
	job->ptrs[slots] = stripe_bytes(job, math_p(job)) + at;
	job->ptrs[slots + 1] = stripe_bytes(job, math_q(job)) + at;
	return slots + 2;
}

static void math_make(struct stripe_job *job, u32 at)
{
	int disks;

	if (!math_has_q(job)) {
		math_xor_others(job, math_p(job), at);
		return;
	}
	disks = math_point(job, stripe_data_mask(&job->state), at);
	raid6_call.gen_syndrome(disks, math_length(job, at), job->ptrs);
}

/* Makes P and Q of all data, fresh ones in place of old. */
void stripe_make_parity(struct stripe_job *job)
{
	u32 at;

	for (at = 0; at < job->length; at += PAGE_SIZE)
		math_make(job, at);
}

static void math_recover(struct stripe_job *job, u64 lost, u32 at)
{
	u32 length = math_length(job, at), one = __ffs64(lost);
	bool has_p = !(job->state.lost & BIT_ULL(math_p(job)));
	int disks, a, b;

	if (!(lost & (lost - 1)) && has_p) {
		math_xor_others(job, one, at);
		return;
	}
	disks = math_point(job, stripe_data_mask(&job->state), at);
	a = math_slot(job, one);
	if (!(lost & (lost - 1))) {
		raid6_datap_recov(disks, length, a, job->ptrs);
		return;
	}
	b = math_slot(job, fls64(lost) - 1);
	raid6_2data_recov(disks, length, min(a, b), max(a, b), job->ptrs);
}

/* Makes the data that are lost of what was read; that suffices. */
void stripe_recover(struct stripe_job *job)
{
	u64 lost = job->state.lost & stripe_data_mask(&job->state);
	u32 at;

	for (at = 0; lost && at < job->length; at += PAGE_SIZE)
		math_recover(job, lost, at);
}

/* ---- parity that changes by the difference ---- */

/* Has the difference of old and fresh take the place of the old. */
static void math_differ(struct stripe_job *job, u32 at)
{
	u32 length = math_length(job, at), block;
	u64 left;
	void *new;

	for (left = job->fresh; left; left &= left - 1) {
		block = __ffs64(left);
		new = math_take(job, block, length, job->spare);
		math_xor(stripe_bytes(job, block) + at, &new, 1, length);
	}
}

static void math_modify_p(struct stripe_job *job, u64 changed, u32 at)
{
	void *delta[PARITY_MAX_LEGS];
	u32 nr = 0;

	for (; changed; changed &= changed - 1)
		delta[nr++] = stripe_bytes(job, __ffs64(changed)) + at;
	math_xor(stripe_bytes(job, math_p(job)) + at, delta, nr,
		 math_length(job, at));
}

static void math_modify_both(struct stripe_job *job, u64 changed, u32 at)
{
	int disks = math_point(job, changed, at), a = INT_MAX, b = 0, slot;

	for (; changed; changed &= changed - 1) {
		slot = math_slot(job, __ffs64(changed));
		a = min(a, slot);
		b = max(b, slot);
	}
	raid6_call.xor_syndrome(disks, a, b, math_length(job, at), job->ptrs);
}

/* Old data and parity were read: parity becomes that of the fresh ones. */
void stripe_modify_parity(struct stripe_job *job)
{
	u64 changed = job->fresh;
	u32 at;

	for (at = 0; at < job->length; at += PAGE_SIZE)
		math_differ(job, at);
	/* What is in memory counts now. */
	job->fresh = 0;
	for (at = 0; at < job->length; at += PAGE_SIZE) {
		if (math_has_q(job))
			math_modify_both(job, changed, at);
		else
			math_modify_p(job, changed, at);
	}
	job->fresh = changed;
}
