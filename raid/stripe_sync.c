// SPDX-License-Identifier: GPL-2.0
/*
 * Resync, check, repair and rebuild of a range of columns of a stripe, for sync.c.
 * Nothing but the stripe's lock is needed, since writes to a stripe hold that.
 *
 * Data are believed, parity is made anew of them and compared. What a leg could not read
 * is worked out and written back, whatever the action.
 */
#include <linux/module.h>

#include "stripe.h"

static bool sync_is_enough(const struct stripe_job *job)
{
	return hweight64(job->state.lost) <= job->state.parity;
}

static u64 sync_all(const struct stripe_job *job)
{
	return stripe_data_mask(&job->state) | stripe_parity_mask(&job->state);
}

/* All data are in memory then, and what parity there is. */
static int sync_read_all(struct stripe_job *job)
{
	int ret;

	do {
		if (!sync_is_enough(job))
			return -ENODATA;
		ret = stripe_read(job, sync_all(job) & ~job->state.lost);
	} while (ret == -EAGAIN);
	if (ret)
		return ret;
	if (job->state.lost && stripe_is_torn(job))
		return -ENODATA;
	stripe_recover(job);
	return 0;
}

/* ---- rebuild ---- */

/* Leaves what the leg is to have in memory. */
static int sync_restore(struct stripe_job *job, u32 block)
{
	int ret = -EAGAIN;

	/* A leg that is replaced can be read, as a rule. */
	while (!(job->state.lost & BIT_ULL(block)) && ret == -EAGAIN)
		ret = stripe_read(job, BIT_ULL(block));
	if (!ret)
		return 0;
	ret = sync_read_all(job);
	if (!ret && block >= job->state.data)
		stripe_make_parity(job);
	return ret;
}

static int sync_rebuild(struct stripe_job *job, struct kraid_leg *target,
			u32 slot)
{
	u32 block = parity_block(stripe_geo(job), &job->stripe, slot);

	return sync_restore(job, block) ?:
	       stripe_store_to(job, block, target);
}

/* ---- resync, check, repair ---- */

/* Behind the last block there is room for P and Q as they were read. */
static void *sync_old(struct stripe_job *job, u32 parity)
{
	return stripe_bytes(job, job->array->nr_legs + parity);
}

static void *sync_new(struct stripe_job *job, u32 parity)
{
	return stripe_bytes(job, job->state.data + parity);
}

/* Sectors at @at of parity that was read and is wrong */
static u64 sync_wrong(struct stripe_job *job, u32 at)
{
	u64 wrong = 0, bit;
	u32 i;

	for (i = 0; i < job->state.parity; i++) {
		bit = BIT_ULL(job->state.data + i);
		if (!(job->state.lost & bit) &&
		    memcmp(sync_old(job, i) + at, sync_new(job, i) + at,
			   SECTOR_SIZE))
			wrong |= bit;
	}
	return wrong;
}

static u64 sync_compare(struct stripe_job *job, u64 *mismatches)
{
	u64 wrong, all = 0;
	u32 at;

	for (at = 0; at < job->length; at += SECTOR_SIZE) {
		wrong = sync_wrong(job, at);
		*mismatches += !!wrong;
		all |= wrong;
	}
	return all;
}

/* Those that could not be read, and can be written. */
static void sync_count_bad(struct stripe_job *job, u64 bad)
{
	struct kraid_array *array = job->array;
	struct kraid_member *member;
	struct kraid_leg *leg;

	for (; bad; bad &= bad - 1) {
		leg = &array->legs[parity_leg(stripe_geo(job), &job->stripe,
					      __ffs64(bad))];
		member = READ_ONCE(leg->member);
		if (!member || member->state == KRAID_FAULTY)
			continue;
		if (kraid_count_read_error(member))
			kraid_member_fail(member);
		else
			atomic_inc(&member->corrected);
	}
}

static int sync_compare_all(struct stripe_job *job, bool write,
			    u64 *mismatches)
{
	u64 wrong;
	u32 i;
	int ret;

	/* Nothing to compare. */
	if (hweight64(job->state.lost) >= job->state.parity)
		return 0;
	ret = sync_read_all(job);
	if (ret)
		return ret;
	for (i = 0; i < job->state.parity; i++)
		memcpy(sync_old(job, i), sync_new(job, i), job->length);
	stripe_make_parity(job);
	wrong = sync_compare(job, mismatches);
	/* A leg that cannot take it has failed. */
	stripe_store(job, job->bad | (write ? wrong : 0));
	sync_count_bad(job, job->bad);
	return 0;
}

/**
 * stripe_sync() - have a range of a stripe as it should be
 * @job: on no stripe, with room for two more blocks
 * @pos: on the legs
 * @length: bytes, within a chunk and a window
 * @target: leg that is rebuilt; NULL to compare
 * @slot: its place
 * @write: write parity over that is wrong
 * @mismatches: sectors of a leg where parity was wrong are added
 *
 * Context: process, sleeps.
 * Return: 0; -ENODATA if too much cannot be read; what a write to @target failed with.
 */
int stripe_sync(struct stripe_job *job, u64 pos, u32 length,
		struct kraid_leg *target, u32 slot, bool write,
		u64 *mismatches)
{
	const struct parity_geo *geo = stripe_geo(job);
	int ret;

	stripe_begin(job, pos >> geo->shift);
	job->from = pos & (geo->chunk - 1);
	job->length = length;
	ret = target ? sync_rebuild(job, target, slot) :
		       sync_compare_all(job, write, mismatches);
	stripe_end(job);
	return ret;
}

/**
 * kraid_parity_read() - read from the leg, or work out what it cannot read
 * @array: the array, of level 4, 5 or 6
 * @pos: of the array
 * @length: bytes, within a chunk and a window
 * @bytes: where to
 *
 * Context: process, sleeps; one at a time.
 * Return: 0 if the leg has read it, 1 if it was worked out; -EIO if too much is lost.
 */
int kraid_parity_read(struct kraid_array *array, u64 pos, u32 length,
		      void *bytes)
{
	struct stripe_job *job = &array->parity->repair;
	const struct parity_geo *geo = &array->parity->geo;
	u64 in, nr = parity_stripe_of(geo, pos, &in);
	u32 block = in >> geo->shift;
	int ret;

	stripe_begin(job, nr);
	ret = stripe_read_block(job, block, in & (geo->chunk - 1), length);
	if (!ret) {
		memcpy(bytes, stripe_bytes(job, block), length);
		ret = !!(job->bad & BIT_ULL(block));
	}
	stripe_end(job);
	return ret;
}
