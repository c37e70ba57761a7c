// SPDX-License-Identifier: GPL-2.0
/*
 * A write to a stripe of level 4, 5 or 6.
 *
 * A window at a time: blocks are read, parity is worked out, blocks are written. What
 * cannot be read counts as lost from then on, and the write is planned anew and begun
 * again. That does no harm: what was done before is what it would do again.
 *
 * A leg that fails meanwhile holds what it held before the window, which may be old from
 * then on. So after each window we look, and if a leg is gone the write is planned anew.
 *
 * Nobody waits for I/O. Each phase submits what it needs and says which phase comes next;
 * whoever ends the last of that goes on with it: the submitter, if all have ended when it
 * has submitted all, else a worker. Only the last phase needs no task.
 */
#include <linux/module.h>

#include "stripe.h"

#define WRITE_MAX_DEPTH 8

static bool write_read(struct stripe_job *job);
static bool write_next(struct stripe_job *job);

static bool write_is_over(struct stripe_job *job, int ret)
{
	job->ret = ret;
	job->phase = NULL;
	return false;
}

/* Phases return false when the write is over. */
static bool write_plan(struct stripe_job *job)
{
	int nr = stripe_plan_write(&job->state, job->in, job->kb->length,
				   job->steps);

	if (nr <= 0)
		return write_is_over(job, nr);
	job->step = job->steps;
	job->last = job->steps + nr - 1;
	job->from = job->step->from;
	return write_read(job);
}

static bool write_is_last(const struct stripe_job *job)
{
	return job->step == job->last && job->from + job->length == job->step->to;
}

/* Where in the request the window of each block begins that it changes. */
static void write_seek(struct stripe_job *job, u64 blocks)
{
	struct bvec_iter iter;
	u32 block;

	for (; blocks; blocks &= blocks - 1) {
		block = __ffs64(blocks);
		iter = kiobuf_window(job->kb);
		bvec_iter_advance(job->kb->vec->frags, &iter,
				  ((u64)block << stripe_geo(job)->shift) +
				  job->from - job->in);
		iter.bi_size = job->length;
		job->at[block] = iter;
		job->next[block] = iter;
	}
}

static void write_make_parity(struct stripe_job *job)
{
	const struct stripe_step *step = job->step;

	if (step->way == STRIPE_RECOVER)
		stripe_recover(job);
	write_seek(job, step->write);
	job->fresh = step->write;
	if (step->way == STRIPE_MODIFY)
		stripe_modify_parity(job);
	else if (step->store & stripe_parity_mask(&job->state))
		stripe_make_parity(job);
}

static bool write_store(struct stripe_job *job)
{
	int ret = stripe_check_reads(job);

	if (unlikely(ret))
		return ret == -EAGAIN ? write_plan(job) :
					write_is_over(job, ret);
	write_make_parity(job);
	job->phase = write_next;
	stripe_submit_stores(job, job->step->store,
			     job->kb->flags & KIOBUF_FUA);
	return true;
}

static bool write_read(struct stripe_job *job)
{
	const struct stripe_step *step = job->step;

	job->length = min(step->to - job->from, job->memory.window);
	job->fresh = 0;
	job->phase = write_store;
	stripe_submit_reads(job, step->read);
	return true;
}

/* Parity does not go with data now, and what is lost cannot be worked out any more. */
static void write_tear(struct stripe_job *job)
{
	WRITE_ONCE(job->torn, job->stripe.nr);
	kraid_break(job->array, "a stripe could be written in part only");
}

static bool write_next(struct stripe_job *job)
{
	int ret = stripe_check_stores(job);

	if (unlikely(ret))
		write_tear(job);
	if (ret || write_is_last(job))
		return write_is_over(job, ret);
	job->from += job->length;
	if (job->from == job->step->to)
		job->from = (++job->step)->from;
	if (!(stripe_lost(job) & ~job->state.lost))
		return write_read(job);
	stripe_look(job);
	return write_plan(job);
}

/* Goes on with a write of which nothing is in flight. */
void stripe_write_run(struct stripe_job *job)
{
	do {
		/* One for us, so that it goes on here, and once only. */
		atomic_set(&job->pending, 1);
		if (!job->phase(job)) {
			job->done(job);
			return;
		}
	} while (atomic_dec_and_test(&job->pending));
}

/* Ends nest where arrays with parity are on others: only so far on one stack. */
static bool write_may_end_here(const struct stripe_job *job)
{
	return job->phase == write_next && write_is_last(job) &&
	       READ_ONCE(job->array->object.kd.dev.depth) <= WRITE_MAX_DEPTH;
}

/* Context: any, irq too. */
static void write_end_io(struct kiobuf *kb)
{
	struct stripe_job *job = kb->private;

	if (!atomic_dec_and_test(&job->pending))
		return;
	if (write_may_end_here(job))
		stripe_write_run(job);
	else
		queue_work(job->array->parity->go, &job->work);
}

/**
 * stripe_write() - begin a write
 * @job: on the stripe, with job->done, job->work that calls stripe_write_run() while
 *	there is a job->phase, and as much memory as it can get
 * @kb: the write, held; it has been let in
 *
 * Calls job->done when it is over, in any context, with job->ret. Then the job is still on
 * the stripe. Context: process; what the legs' drivers need.
 */
void stripe_write(struct stripe_job *job, struct kiobuf *kb)
{
	parity_stripe_of(stripe_geo(job), kb->pos, &job->in);
	/* Legs stay what they are now that the gate has counted the write. */
	stripe_look(job);
	job->kb = kb;
	job->end_io = write_end_io;
	job->phase = write_plan;
	stripe_write_run(job);
}
