// SPDX-License-Identifier: GPL-2.0
/*
 * A stripe of levels 4, 5 and 6: its lock, what of it can be read, and its I/O.
 *
 * The locks are semaphores, since a write begins in one task and ends in another, or in an
 * irq.
 */
#include <linux/module.h>
#include <linux/raid/pq.h>
#include <linux/slab.h>

#include "stripe.h"

/* ---- memory ---- */

/**
 * stripe_widen() - make room for more columns at once
 * @job: on the stripe
 * @length: columns that are wanted
 * @alloc: sleep for the memory, if none is kept
 *
 * Return: false if there may be some, but not without sleeping.
 */
bool stripe_widen(struct stripe_job *job, u32 length, bool alloc)
{
	if (length <= job->own.window ||
	    stripe_pool_get(&job->array->parity->pool, &job->memory))
		return true;
	if (!alloc)
		return false;
	if (stripe_memory_init(&job->memory, job->array->nr_legs,
			       STRIPE_WIDE_WINDOW,
			       GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN))
		job->memory = job->own;
	return true;
}

static void memory_narrow(struct stripe_job *job)
{
	if (job->memory.bytes != job->own.bytes)
		stripe_pool_put(&job->array->parity->pool, &job->memory);
	job->memory = job->own;
}

/**
 * stripe_job_init() - give a job its memory
 * @job: all zero
 * @array: the array
 * @blocks: that it has room for
 * @window: bytes of each
 *
 * Context: process, sleeps.
 * Return: 0 or -ENOMEM; stripe_job_exit() is owed in any case.
 */
int stripe_job_init(struct stripe_job *job, struct kraid_array *array,
		    u32 blocks, u32 window)
{
	u32 i, nr = 2 * array->nr_legs;

	job->array = array;
	job->torn = U64_MAX;
	job->spare = kmalloc(PAGE_SIZE, GFP_KERNEL);
	job->ios = kvcalloc(nr, sizeof(*job->ios), GFP_KERNEL);
	if (!job->spare || !job->ios ||
	    stripe_memory_init(&job->own, blocks, window, GFP_KERNEL))
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		kiobuf_init_once(&job->ios[i].kb);
	job->memory = job->own;
	return 0;
}

void stripe_job_exit(struct stripe_job *job)
{
	if (job->own.vec)
		stripe_memory_exit(&job->own);
	kvfree(job->ios);
	kfree(job->spare);
	job->ios = NULL;
	job->spare = NULL;
}

/* ---- state ---- */

static struct kraid_leg *stripe_leg(const struct stripe_job *job, u32 block)
{
	return &job->array->legs[parity_leg(stripe_geo(job), &job->stripe,
					    block)];
}

static u64 stripe_leg_pos(const struct stripe_job *job)
{
	return (job->stripe.nr << stripe_geo(job)->shift) + job->from;
}

static bool stripe_is_gone(const struct stripe_job *job, u32 block)
{
	const struct kraid_leg *leg = stripe_leg(job, block);

	return !kraid_leg_writable(leg) &&
	       !kraid_leg_writable(leg + job->array->nr_legs);
}

/* Blocks that cannot be read as a whole */
u64 stripe_lost(const struct stripe_job *job)
{
	u64 end = (job->stripe.nr + 1) << stripe_geo(job)->shift, lost = 0;
	u32 block;

	for (block = 0; block < job->array->nr_legs; block++)
		if (!kraid_leg_readable(stripe_leg(job, block), end))
			lost |= BIT_ULL(block);
	return lost;
}

void stripe_look(struct stripe_job *job)
{
	const struct parity_geo *geo = stripe_geo(job);
	u64 end = (job->stripe.nr + 1) << geo->shift;
	u32 block;

	job->state = (struct stripe_state){
		.data = geo->data,
		.parity = geo->parity,
		.chunk = geo->chunk,
		.lost = stripe_lost(job) | job->bad,
		.stale = end > READ_ONCE(job->array->sync.resynced),
		.anew = geo->parity > 1 && !raid6_call.xor_syndrome,
	};
	for (block = 0; block < geo->legs; block++)
		if (job->state.lost & BIT_ULL(block) &&
		    stripe_is_gone(job, block))
			job->state.gone |= BIT_ULL(block);
}

static struct semaphore *stripe_lock(const struct stripe_job *job, u64 nr)
{
	return &job->array->parity->locks[nr % STRIPE_NR_LOCKS];
}

static void stripe_enter(struct stripe_job *job, u64 nr)
{
	job->stripe = parity_stripe(stripe_geo(job), nr);
	job->bad = 0;
	job->fresh = 0;
	job->end_io = NULL;
	job->memory = job->own;
}

/**
 * stripe_begin() - work on a stripe
 * @job: with nothing else to do
 * @nr: its number
 *
 * Context: process, sleeps until nobody else does; stripe_end() is owed.
 */
void stripe_begin(struct stripe_job *job, u64 nr)
{
	down(stripe_lock(job, nr));
	stripe_enter(job, nr);
	stripe_look(job);
}

/* As stripe_begin(), without a look; false if it would sleep. Context: any. */
bool stripe_try_begin(struct stripe_job *job, u64 nr)
{
	if (down_trylock(stripe_lock(job, nr)))
		return false;
	stripe_enter(job, nr);
	return true;
}

/* Context: any, irq too. */
void stripe_end(struct stripe_job *job)
{
	memory_narrow(job);
	up(stripe_lock(job, job->stripe.nr));
}

/* ---- I/O ---- */

/* For the window of @block; where its memory begins is to be said yet. */
static struct stripe_io *stripe_io(struct stripe_job *job, enum kiobuf_op op,
				   u32 block, struct kiobuf_dev *dev, u64 pos)
{
	struct stripe_io *io = &job->ios[job->nr++];

	io->block = block;
	kiobuf_reset(&io->kb, dev, op, pos, job->memory.vec, job->length);
	if (job->end_io) {
		io->kb.end_io = job->end_io;
		io->kb.private = job;
		atomic_inc(&job->pending);
	}
	return io;
}

static void stripe_seek_own(struct stripe_job *job, struct stripe_io *io)
{
	const struct bio_vec *frags = io->kb.vec->frags;
	u64 skip = (u64)io->block * job->memory.window;
	u32 frag = 0;

	while (skip >= frags[frag].bv_len)
		skip -= frags[frag++].bv_len;
	io->kb.frag = frag;
	io->kb.skip = skip;
}

/* Those of the request, which are lent: it stays until we have ended. */
static void stripe_seek_new(struct stripe_job *job, struct stripe_io *io)
{
	io->kb.vec = job->kb->vec;
	io->kb.frag = job->at[io->block].bi_idx;
	io->kb.skip = job->at[io->block].bi_bvec_done;
}

static void stripe_count_error(const struct kraid_leg *leg)
{
	struct kraid_member *member = READ_ONCE(leg->member);

	if (member)
		atomic_inc(&member->errors);
}

static void stripe_submit_read(struct stripe_job *job, u32 block)
{
	struct kraid_leg *leg = stripe_leg(job, block);
	const struct kraid_member *member;
	u64 pos = stripe_leg_pos(job);
	struct stripe_io *io;

	member = kraid_leg_look(leg, pos + job->length);
	if (!member) {
		job->bad |= BIT_ULL(block);
		return;
	}
	io = stripe_io(job, KIOBUF_READ, block, member->dev,
		       pos + member->data_start);
	io->leg = leg;
	stripe_seek_own(job, io);
	kiobuf_submit(&io->kb);
}

/* Whoever is told of the end of each owns it then: see job->end_io. */
void stripe_submit_reads(struct stripe_job *job, u64 blocks)
{
	job->nr = 0;
	for (; blocks; blocks &= blocks - 1)
		stripe_submit_read(job, __ffs64(blocks));
}

/*
 * They have ended. Returns -EAGAIN if one could not be read: it is lost from now on; or
 * -ENOMEM, which is no leg's fault.
 */
int stripe_check_reads(struct stripe_job *job)
{
	int ret = 0, error;
	u32 i;

	for (i = 0; i < job->nr; i++) {
		error = job->ios[i].kb.error;
		if (!error)
			continue;
		if (error == -ENOMEM) {
			ret = error;
			continue;
		}
		job->bad |= BIT_ULL(job->ios[i].block);
		stripe_count_error(job->ios[i].leg);
	}
	if (ret || !(job->bad & ~job->state.lost))
		return ret;
	stripe_look(job);
	return -EAGAIN;
}

static void stripe_wait(struct stripe_job *job)
{
	u32 i;

	for (i = 0; i < job->nr; i++)
		kiobuf_wait(&job->ios[i].kb);
}

/**
 * stripe_read() - read the window of some blocks
 * @job: on the stripe
 * @blocks: a bit for each
 *
 * Context: process, sleeps.
 * Return: 0; -EAGAIN if one cannot be read: it is in job->bad then, and lost;
 * -ENOMEM.
 */
int stripe_read(struct stripe_job *job, u64 blocks)
{
	stripe_submit_reads(job, blocks);
	stripe_wait(job);
	return stripe_check_reads(job);
}

static void stripe_submit_write(struct stripe_job *job, u32 block,
				struct kraid_leg *leg, u16 flags)
{
	struct stripe_io *io;

	if (!kraid_leg_writable(leg))
		return;
	io = stripe_io(job, KIOBUF_WRITE, block, leg->dev,
		       stripe_leg_pos(job) + leg->start);
	io->leg = leg;
	/* A leg that lacks a write that was cancelled below would be failed. */
	io->kb.flags = flags | KIOBUF_FIRM;
	if (job->fresh & BIT_ULL(block))
		stripe_seek_new(job, io);
	else
		stripe_seek_own(job, io);
	kiobuf_submit(&io->kb);
}

/* As stripe_submit_reads(), for the legs of @blocks and their twins. */
void stripe_submit_stores(struct stripe_job *job, u64 blocks, u16 flags)
{
	struct kraid_leg *leg;

	job->nr = 0;
	for (; blocks; blocks &= blocks - 1) {
		leg = stripe_leg(job, __ffs64(blocks));
		stripe_submit_write(job, __ffs64(blocks), leg, flags);
		stripe_submit_write(job, __ffs64(blocks),
				    leg + job->array->nr_legs, flags);
	}
}

/* They have ended. Returns the errno of one that may not fail. Context: any. */
int stripe_check_stores(struct stripe_job *job)
{
	int ret = 0, error;
	u32 i;

	for (i = 0; i < job->nr; i++) {
		error = job->ios[i].kb.error;
		/* -EAGAIN would have the write planned anew, for ever perhaps. */
		if (error && !kraid_leg_fail(job->array, job->ios[i].leg))
			ret = ret ?: error == -EAGAIN ? -EIO : error;
	}
	return ret;
}

/**
 * stripe_store() - write the window of some blocks
 * @job: on the stripe
 * @blocks: a bit for each
 *
 * A leg that cannot take it fails. Context: process, sleeps.
 * Return: 0; the errno of one that may not fail.
 */
int stripe_store(struct stripe_job *job, u64 blocks)
{
	stripe_submit_stores(job, blocks, 0);
	stripe_wait(job);
	return stripe_check_stores(job);
}

/* One block to one leg; that fails if it cannot take it, and the errno is returned. */
int stripe_store_to(struct stripe_job *job, u32 block, struct kraid_leg *leg)
{
	int ret;

	job->nr = 0;
	stripe_submit_write(job, block, leg, 0);
	if (!job->nr)
		return -EIO;
	ret = kiobuf_wait(&job->ios[0].kb);
	if (ret)
		kraid_leg_fail(job->array, leg);
	return ret;
}

/* ---- reads of what is lost ---- */

/* Was it written in part, so that parity tells nothing? */
bool stripe_is_torn(const struct stripe_job *job)
{
	const struct stripe_job *jobs = job->array->parity->jobs;
	u32 i;

	for (i = 0; i < STRIPE_NR_JOBS; i++)
		if (READ_ONCE(jobs[i].torn) == job->stripe.nr)
			return true;
	return false;
}

/**
 * stripe_read_block() - read a range of a data block, by what is left if need be
 * @job: on the stripe
 * @block: which
 * @from: first column
 * @length: columns, within a window
 *
 * Leaves it at stripe_bytes(). Context: process, sleeps.
 * Return: 0; -EIO if too much is lost, or the stripe was written in part.
 */
int stripe_read_block(struct stripe_job *job, u32 block, u32 from, u32 length)
{
	u64 blocks;
	int ret;

	job->from = from;
	job->length = length;
	do {
		ret = stripe_plan_read(&job->state, block, &blocks) ?:
		      stripe_read(job, blocks);
	} while (ret == -EAGAIN);
	if (ret || !(job->state.lost & BIT_ULL(block)))
		return ret;
	if (stripe_is_torn(job))
		return -EIO;
	stripe_recover(job);
	return 0;
}
