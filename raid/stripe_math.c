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
	void *to = stripe_bytes(job, block) + at;
	void *from[PARITY_MAX_LEGS];
	u32 length = math_length(job, at), i, nr = 0;

	for (i = 0; i <= math_p(job); i++)
		if (i != block)
			from[nr++] = stripe_bytes(job, i) + at;
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
			job->ptrs[math_slot(job, i)] = stripe_bytes(job, i) + at;
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

/* Makes P and Q of all data. */
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

/* ---- what a request writes ---- */

/* Bytes of the request for a block, in its own memory if they can be used there. */
static void *math_new(struct stripe_job *job, u32 block, u32 at, void *copy)
{
	u64 pos = ((u64)block << stripe_geo(job)->shift) + job->from + at;
	struct bvec_iter iter, start = kiobuf_window(job->kb);
	u32 length = math_length(job, at);
	void *to = copy;
	struct bio_vec bv;

	bvec_iter_advance(job->kb->vec->frags, &start, pos - job->in);
	start.bi_size = length;
	bv = bvec_iter_bvec(job->kb->vec->frags, start);
	if (bv.bv_len == length && !PageHighMem(bv.bv_page)) {
		void *own = page_address(bv.bv_page) + bv.bv_offset;

		if (IS_ALIGNED((unsigned long)own, 64))
			return own;
	}
	for_each_bvec(bv, job->kb->vec->frags, iter, start) {
		memcpy_from_bvec(to, &bv);
		to += bv.bv_len;
	}
	return copy;
}

/* Has what the request writes take the place of what was read. */
void stripe_take_new(struct stripe_job *job, u64 write)
{
	u32 at, block;
	void *to, *from;

	for (; write; write &= write - 1) {
		block = __ffs64(write);
		for (at = 0; at < job->length; at += PAGE_SIZE) {
			to = stripe_bytes(job, block) + at;
			from = math_new(job, block, at, to);
			if (from != to)
				memcpy(to, from, math_length(job, at));
		}
	}
}

static void math_modify(struct stripe_job *job, u64 write, u32 at)
{
	u32 length = math_length(job, at), parity = math_p(job);
	void *delta[PARITY_MAX_LEGS], *new;
	int disks, a = INT_MAX, b = 0, slot;
	u32 nr = 0, block;
	u64 left;

	for (left = write; left; left &= left - 1) {
		block = __ffs64(left);
		delta[nr] = stripe_bytes(job, block) + at;
		new = math_new(job, block, at, job->spare);
		math_xor(delta[nr++], &new, 1, length);
	}
	if (!math_has_q(job)) {
		math_xor(stripe_bytes(job, parity) + at, delta, nr, length);
		return;
	}
	disks = math_point(job, write, at);
	for (left = write; left; left &= left - 1) {
		slot = math_slot(job, __ffs64(left));
		a = min(a, slot);
		b = max(b, slot);
	}
	raid6_call.xor_syndrome(disks, a, b, length, job->ptrs);
}

/* Old data and parity were read: parity becomes that of the new ones. */
void stripe_modify_parity(struct stripe_job *job, u64 write)
{
	u32 at;

	for (at = 0; at < job->length; at += PAGE_SIZE)
		math_modify(job, write, at);
}
