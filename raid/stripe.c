// SPDX-License-Identifier: GPL-2.0
/*
 * A stripe of levels 4, 5 and 6: what of it can be read, and how it is read and written.
 *
 * A window at a time: blocks are read, parity is worked out, blocks are written. What
 * cannot be read counts as lost from then on, and the write is planned anew and begun
 * again. That does no harm: what was done before is what it would do again.
 *
 * A leg that fails meanwhile holds what it held before the window, which may be old from
 * then on. So before each window we look, and if a leg is gone the write is planned anew.
 */
#include <linux/module.h>
#include <linux/raid/pq.h>
#include <linux/slab.h>

#include "stripe.h"

/* ---- memory ---- */

static int memory_init(struct stripe_memory *memory, u32 blocks, u32 window,
		       gfp_t gfp)
{
	size_t size = (size_t)blocks * window;

	memory->window = window;
	memory->bytes = kvmalloc(size, gfp);
	memory->vec = kiobuf_vec_alloc(DIV_ROUND_UP(size, PAGE_SIZE) + 1, gfp);
	if (memory->bytes && memory->vec &&
	    !kiobuf_vec_add_buffer(memory->vec, memory->bytes, size, gfp))
		return 0;
	kraid_buffer_free(memory->vec, memory->bytes);
	memory->bytes = NULL;
	memory->vec = NULL;
	return -ENOMEM;
}

/* For @length columns, if there is memory. */
static void memory_widen(struct stripe_job *job, u32 length)
{
	u32 window = min_t(u32, roundup_pow_of_two(length), STRIPE_WIDE_WINDOW);

	job->memory = job->own;
	if (window > job->own.window &&
	    memory_init(&job->memory, job->array->nr_legs, window,
			GFP_NOIO | __GFP_NORETRY | __GFP_NOWARN))
		job->memory = job->own;
}

static void memory_narrow(struct stripe_job *job)
{
	if (job->memory.bytes != job->own.bytes)
		kraid_buffer_free(job->memory.vec, job->memory.bytes);
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
	job->spare = kmalloc(PAGE_SIZE, GFP_KERNEL);
	job->ios = kvcalloc(nr, sizeof(*job->ios), GFP_KERNEL);
	if (!job->spare || !job->ios ||
	    memory_init(&job->own, blocks, window, GFP_KERNEL))
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		kiobuf_init_once(&job->ios[i].kb);
	job->memory = job->own;
	return 0;
}

void stripe_job_exit(struct stripe_job *job)
{
	if (job->own.vec)
		kraid_buffer_free(job->own.vec, job->own.bytes);
	kvfree(job->ios);
	kfree(job->spare);
	job->own = (struct stripe_memory){ };
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

static void stripe_look(struct stripe_job *job)
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

/**
 * stripe_begin() - work on a stripe
 * @job: with nothing else to do
 * @nr: its number
 *
 * Context: process, sleeps until nobody else does; stripe_end() is owed.
 */
void stripe_begin(struct stripe_job *job, u64 nr)
{
	struct kraid_parity *parity = job->array->parity;

	mutex_lock(&parity->locks[nr % STRIPE_NR_LOCKS]);
	job->stripe = parity_stripe(&parity->geo, nr);
	job->bad = 0;
	job->kb = NULL;
	job->memory = job->own;
	stripe_look(job);
}

void stripe_end(struct stripe_job *job)
{
	u64 nr = job->stripe.nr;

	memory_narrow(job);
	mutex_unlock(&job->array->parity->locks[nr % STRIPE_NR_LOCKS]);
}

/* ---- I/O ---- */

/* For the window of @block; where its memory begins is to be said yet. */
static struct stripe_io *stripe_io(struct stripe_job *job, enum kiobuf_op op,
				   u32 block, struct kiobuf_dev *dev, u64 pos)
{
	struct stripe_io *io = &job->ios[job->nr++];

	io->block = block;
	kiobuf_reset(&io->kb, dev, op, pos, job->memory.vec, job->length);
	return io;
}

/* The window begins @skip bytes behind the first byte of fragment @frag. */
static void stripe_seek(struct kiobuf *kb, u32 frag, u64 skip)
{
	const struct bio_vec *frags = kb->vec->frags;

	while (skip >= frags[frag].bv_len)
		skip -= frags[frag++].bv_len;
	kb->frag = frag;
	kb->skip = skip;
}

static void stripe_seek_own(struct stripe_job *job, struct stripe_io *io)
{
	stripe_seek(&io->kb, 0, (u64)io->block * job->memory.window);
}

/* Those of the request, which are lent: it stays until we have ended. */
static void stripe_seek_new(struct stripe_job *job, struct stripe_io *io)
{
	u64 at = ((u64)io->block << stripe_geo(job)->shift) + job->from;
	const struct kiobuf *kb = job->kb;

	io->kb.vec = kb->vec;
	stripe_seek(&io->kb, kb->frag, kb->skip + at - job->in);
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

/**
 * stripe_read() - read the window of some blocks
 * @job: on the stripe
 * @blocks: a bit for each
 *
 * Context: process, sleeps.
 * Return: 0; -EAGAIN if one cannot be read: it is in job->bad then, and lost.
 */
int stripe_read(struct stripe_job *job, u64 blocks)
{
	u64 bad = job->bad;
	u32 i;

	job->nr = 0;
	for (; blocks; blocks &= blocks - 1)
		stripe_submit_read(job, __ffs64(blocks));
	for (i = 0; i < job->nr; i++) {
		if (!kiobuf_wait(&job->ios[i].kb))
			continue;
		job->bad |= BIT_ULL(job->ios[i].block);
		stripe_count_error(job->ios[i].leg);
	}
	if (job->bad == bad)
		return 0;
	stripe_look(job);
	return -EAGAIN;
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
	io->kb.flags = flags;
	if (job->kb && block < job->state.data)
		stripe_seek_new(job, io);
	else
		stripe_seek_own(job, io);
	kiobuf_submit(&io->kb);
}

/**
 * stripe_store() - write the window of some blocks
 * @job: on the stripe; data come from job->kb, if there is one
 * @blocks: a bit for each
 * @flags: of the requests
 *
 * A leg that cannot take it fails. Context: process, sleeps.
 * Return: 0; the errno of one that may not fail.
 */
int stripe_store(struct stripe_job *job, u64 blocks, u16 flags)
{
	struct kraid_leg *leg;
	int ret = 0, error;
	u32 i;

	job->nr = 0;
	for (; blocks; blocks &= blocks - 1) {
		leg = stripe_leg(job, __ffs64(blocks));
		stripe_submit_write(job, __ffs64(blocks), leg, flags);
		stripe_submit_write(job, __ffs64(blocks),
				    leg + job->array->nr_legs, flags);
	}
	for (i = 0; i < job->nr; i++) {
		error = kiobuf_wait(&job->ios[i].kb);
		/* -EAGAIN would have the write planned anew, for ever perhaps. */
		if (error && !kraid_leg_fail(job->array, job->ios[i].leg))
			ret = ret ?: error == -EAGAIN ? -EIO : error;
	}
	return ret;
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

/* ---- writes ---- */

/* -EAGAIN: something is lost that was not. */
static int stripe_write_window(struct stripe_job *job,
			       const struct stripe_step *step)
{
	u64 all = stripe_data_mask(&job->state);
	int ret;

	if (stripe_lost(job) & ~job->state.lost) {
		stripe_look(job);
		return -EAGAIN;
	}
	ret = stripe_read(job, step->read);
	if (ret)
		return ret;
	if (step->way == STRIPE_RECOVER)
		stripe_recover(job);
	if (step->way == STRIPE_MODIFY) {
		stripe_modify_parity(job, step->write);
	} else if (step->store & ~all) {
		stripe_take_new(job, step->write);
		stripe_make_parity(job);
	}
	return stripe_store(job, step->store, job->kb->flags & KIOBUF_FUA);
}

static int stripe_write_step(struct stripe_job *job,
			     const struct stripe_step *step)
{
	u32 at;
	int ret = 0;

	for (at = step->from; !ret && at < step->to; at += job->length) {
		job->from = at;
		job->length = min(step->to - at, job->memory.window);
		ret = stripe_write_window(job, step);
	}
	return ret;
}

static int stripe_write_once(struct stripe_job *job)
{
	struct stripe_step steps[STRIPE_MAX_STEPS];
	int i, nr, ret = 0;

	nr = stripe_plan_write(&job->state, job->in, job->kb->length, steps);
	if (nr < 0)
		return nr;
	for (i = 0; !ret && i < nr; i++)
		ret = stripe_write_step(job, &steps[i]);
	return ret;
}

/**
 * stripe_write() - do a write
 * @job: on no stripe
 * @kb: write to a stripe, held; it has been let in
 *
 * Context: process, sleeps.
 * Return: 0 or a negative errno.
 */
int stripe_write(struct stripe_job *job, struct kiobuf *kb)
{
	const struct parity_geo *geo = stripe_geo(job);
	u64 in, nr = parity_stripe_of(geo, kb->pos, &in);
	int ret;

	stripe_begin(job, nr);
	memory_widen(job, min_t(u64, kb->length, geo->chunk));
	job->kb = kb;
	job->in = in;
	do {
		ret = stripe_write_once(job);
	} while (ret == -EAGAIN);
	stripe_end(job);
	return ret;
}

/* ---- reads of what is lost ---- */

/**
 * stripe_read_block() - read a range of a data block, by what is left if need be
 * @job: on the stripe
 * @block: which
 * @from: first column
 * @length: columns, within a window
 *
 * Leaves it at stripe_bytes(). Context: process, sleeps.
 * Return: 0; -EIO if too much is lost.
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
	if (!ret && job->state.lost & BIT_ULL(block))
		stripe_recover(job);
	return ret;
}
