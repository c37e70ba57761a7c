// SPDX-License-Identifier: GPL-2.0
/*
 * Levels 4, 5 and 6: stripes of data with parity.
 *
 * A read goes to the leg that has it by remapping; if it fails there it is served by
 * repair.c, which works it out from the rest of the stripe. Writes, and reads of what is
 * on a leg that is missing, are cut into what lies in one stripe, and done by one of a few
 * jobs: see stripe.h. A job works on one stripe at a time, and several on several stripes,
 * each under the stripe's lock. So what a read is worked out from does not change
 * meanwhile, and parity goes with data.
 *
 * A write is begun by its submitter, if a job is idle and the stripe is nobody's; else it
 * waits in a queue, where it can be cancelled, for a worker.
 *
 * The gate counts a write from the moment that a job takes it. From then on it cannot be
 * cancelled. If a leg fails it, superblocks are written before it ends: see meta.c.
 */
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "bitmap.h"
#include "stripe.h"

/* ---- requests ---- */

static u64 parity_chunk_left(const struct parity_geo *geo, u64 pos)
{
	return geo->chunk - (pos & (geo->chunk - 1));
}

static u64 parity_stripe_left(const struct parity_geo *geo, u64 pos)
{
	u64 in;

	parity_stripe_of(geo, pos, &in);
	return (u64)geo->data * geo->chunk - in;
}

static struct stripe_job *parity_get_job(struct kraid_parity *parity)
{
	u32 nr;

	for (nr = 0; nr < STRIPE_NR_JOBS; nr++)
		if (!(READ_ONCE(parity->busy) & BIT(nr)) &&
		    !test_and_set_bit(nr, &parity->busy))
			return &parity->jobs[nr];
	return NULL;
}

/* Under rcu_read_lock(): see parity_stop(). */
static void parity_call_job(struct kraid_parity *parity)
{
	struct stripe_job *job = parity_get_job(parity);

	if (job)
		queue_work(parity->wq, &job->work);
}

static bool parity_has_queue(const struct kraid_parity *parity)
{
	return READ_ONCE(parity->queue.nr);
}

/* It does nothing any more. What waits is for the next that is called. */
static void parity_put_job(struct stripe_job *job)
{
	struct kraid_parity *parity = job->array->parity;

	job->kb = NULL;
	rcu_read_lock();
	clear_bit_unlock(job - parity->jobs, &parity->busy);
	/* Pairs with parity_wait_for_job(): it finds us idle, or we find it. */
	smp_mb__after_atomic();
	if (parity_has_queue(parity))
		parity_call_job(parity);
	rcu_read_unlock();
}

/* Its statistics were counted: it goes on as a request to the device behind. */
static int parity_wait_for_job(struct kraid_array *array, struct kiobuf *kb)
{
	int ret;

	/* Once it is queued it may end, and the array with it: see parity_stop(). */
	rcu_read_lock();
	kb->dev = &array->rows;
	ret = kiobuf_enqueue(&array->parity->queue, kb);
	/* Pairs with parity_put_job(). */
	smp_mb();
	if (!ret)
		parity_call_job(array->parity);
	rcu_read_unlock();
	return ret ?: KIOBUF_SUBMITTED;
}

/* A guard: a read that went well does not come here. */
static enum kiobuf_climb parity_read_endio(struct kiobuf *kb,
					   const struct kiobuf_frame *frame)
{
	struct kraid_array *array = kraid_of(kb->dev);
	struct kraid_member *member;

	if (!kb->error || !kraid_read_error_is_legs(kb))
		return KIOBUF_CLIMB;
	/* Members stay while a read is in flight: see kraid_manage_remove(). */
	member = READ_ONCE(array->legs[frame->data].member);
	if (member)
		atomic_inc(&member->errors);
	if (kiobuf_cancelled(kb))
		return KIOBUF_CLIMB;
	kraid_repair_read(array, kb, frame->data);
	return KIOBUF_HOLD;
}

static int parity_submit_read(struct kraid_array *array, struct kiobuf *kb)
{
	const struct parity_geo *geo = &array->parity->geo;
	const struct kraid_member *member;
	struct kraid_place place;

	if (unlikely(!kb->spare ||
		     kb->length > parity_chunk_left(geo, kb->pos)))
		return KIOBUF_SPLIT;
	place = parity_place(geo, kb->pos);
	member = kraid_leg_look(&array->legs[place.leg],
				place.pos + kb->length);
	if (unlikely(!member))
		return parity_wait_for_job(array, kb);
	kiobuf_push_guard(kb, parity_read_endio, place.leg);
	kb->dev = member->dev;
	kb->pos = place.pos + member->data_start;
	return KIOBUF_REMAPPED;
}

/* ---- writes ---- */

/* What a leg failed is known before the write ends, or the write fails. */
static int parity_tell(struct kraid_array *array)
{
	int ret = 0;

	mutex_lock(&array->meta.lock);
	if (kraid_meta_pending(array))
		ret = kraid_meta_write(array);
	mutex_unlock(&array->meta.lock);
	kraid_sync_kick(array);
	return ret;
}

/* Somebody may have tried in vain: kraid_break() comes before that is told. */
static bool parity_is_broken(const struct kraid_array *array)
{
	/* Pairs with kraid_break(): after kraid_meta_pending(). */
	smp_rmb();
	return READ_ONCE(array->gate.stop) & KRAID_STOP_BROKEN;
}

static void parity_end(struct stripe_job *job)
{
	struct kiobuf *kb = job->kb;
	int ret = job->ret;

	if (unlikely(parity_is_broken(job->array)))
		ret = ret ?: -EIO;
	parity_put_job(job);
	kiobuf_endio(kb, ret ? 0 : kb->length, ret);
}

/* The write is over. Context: any, irq too. */
static void parity_done(struct stripe_job *job)
{
	struct kraid_array *array = job->array;
	const struct kiobuf *kb = job->kb;

	stripe_end(job);
	if (job->by_bitmap)
		kraid_bitmap_end(array, kb->pos, kb->length);
	kraid_write_leave(array, kb->pos, kb->length);
	if (unlikely(kraid_meta_pending(array)))
		queue_work(array->parity->wq, &job->work);
	else
		parity_end(job);
}

/* Returns above 0 if the write may go on, else what ->submit() is to answer. */
static int parity_let_in(struct stripe_job *job, struct kiobuf *kb)
{
	struct kraid_array *array = job->array;
	int ret = kraid_write_enter(array, kb);

	job->by_bitmap = false;
	if (ret > 0 && array->bitmap) {
		ret = kraid_bitmap_start(array, kb);
		job->by_bitmap = ret > 0;
	}
	return ret;
}

/* The job is on the stripe. Returns what ->submit() is to answer. */
static int parity_write(struct stripe_job *job, struct kiobuf *kb)
{
	int ret;

	/* If it is parked it may end, and the array with it: see parity_stop(). */
	rcu_read_lock();
	ret = parity_let_in(job, kb);
	if (unlikely(ret <= 0)) {
		stripe_end(job);
		parity_put_job(job);
	}
	rcu_read_unlock();
	if (unlikely(ret <= 0))
		return ret;
	kb->flags |= KIOBUF_FIRM;
	job->done = parity_done;
	stripe_write(job, kb);
	return KIOBUF_SUBMITTED;
}

/* Columns that a write covers in one block at most */
static u32 parity_columns(const struct parity_geo *geo, const struct kiobuf *kb)
{
	return min_t(u64, kb->length, geo->chunk);
}

/* On the stripe, with memory, and nothing was slept for. */
static bool parity_try_begin(struct stripe_job *job, const struct kiobuf *kb)
{
	const struct parity_geo *geo = stripe_geo(job);
	u64 in, nr = parity_stripe_of(geo, kb->pos, &in);

	if (!stripe_try_begin(job, nr))
		return false;
	if (stripe_widen(job, parity_columns(geo, kb), false))
		return true;
	stripe_end(job);
	return false;
}

static int parity_write_here(struct stripe_job *job, struct kiobuf *kb)
{
	struct kraid_array *array = job->array;
	struct kblk_visit visit;
	int ret;

	if (!kblk_visit_begin(&visit)) {
		parity_put_job(job);
		return parity_wait_for_job(array, kb);
	}
	if (parity_try_begin(job, kb)) {
		ret = parity_write(job, kb);
	} else {
		parity_put_job(job);
		ret = parity_wait_for_job(array, kb);
	}
	kblk_visit_end(&visit);
	return ret;
}

static int parity_submit_write(struct kraid_array *array, struct kiobuf *kb)
{
	struct kraid_parity *parity = array->parity;
	struct stripe_job *job = NULL;

	if (kb->length > parity_stripe_left(&parity->geo, kb->pos))
		return KIOBUF_SPLIT;
	/* Who waits comes first; and the legs' drivers may sleep. */
	if (!parity_has_queue(parity) && !(kb->flags & KIOBUF_NOWAIT))
		job = parity_get_job(parity);
	return job ? parity_write_here(job, kb) :
		     parity_wait_for_job(array, kb);
}

static int parity_submit(struct kiobuf *kb)
{
	struct kraid_array *array = kraid_of(kb->dev);

	switch (kb->op) {
	case KIOBUF_READ:
		return parity_submit_read(array, kb);
	case KIOBUF_WRITE:
		return parity_submit_write(array, kb);
	case KIOBUF_FLUSH:
		return parity_wait_for_job(array, kb);
	default:
		return -EOPNOTSUPP;
	}
}

/* What lies in one chunk, or for a write in one stripe */
static struct kiobuf *parity_next_child(struct kiobuf *parent)
{
	struct kraid_array *array = kraid_of(parent->dev);
	const struct parity_geo *geo = &array->parity->geo;
	u64 pos = parent->pos + parent->carved;
	struct kiobuf *kb;

	kb = kiobuf_carve(parent, parent->op == KIOBUF_READ ?
				  parity_chunk_left(geo, pos) :
				  parity_stripe_left(geo, pos));
	if (!IS_ERR_OR_NULL(kb))
		kb->dev = &array->rows;
	return kb;
}

static bool parity_cancel(struct kiobuf_dev *dev, struct kiobuf *kb)
{
	struct kraid_array *array = kraid_of(dev);
	/* It stays, since irqs are off: see kraid_bitmap_free(). */
	struct kraid_bitmap *bitmap = READ_ONCE(array->bitmap);

	return kiobuf_unqueue(&array->parity->queue, kb) ||
	       kiobuf_unqueue(&array->gate.waiting, kb) ||
	       (bitmap && kiobuf_unqueue(&bitmap->waiting, kb));
}

static const struct kiobuf_dev_ops parity_ops = {
	.submit		= parity_submit,
	.next_child	= parity_next_child,
};

/* Positions on the legs of all that a write changes: whole chunks */
u64 kraid_parity_span(const struct kraid_array *array, u64 pos, u64 *length)
{
	const struct parity_geo *geo = &array->parity->geo;
	u64 in, first = parity_stripe_of(geo, pos, &in), last;

	last = parity_stripe_of(geo, pos + *length - 1, &in);
	*length = (last - first + 1) << geo->shift;
	return first << geo->shift;
}

/* Where the byte of the array at @pos is. */
struct kraid_place kraid_parity_place(const struct kraid_array *array, u64 pos)
{
	return parity_place(&array->parity->geo, pos);
}

static const struct kiobuf_dev_ops parity_row_ops = {
	.submit		= parity_submit,
	.next_child	= parity_next_child,
	.cancel		= parity_cancel,
};

/* ---- jobs ---- */

/* Returns 1 or a negative errno. */
static int parity_read(struct stripe_job *job, struct kiobuf *kb)
{
	const struct parity_geo *geo = stripe_geo(job);
	u64 in, nr = parity_stripe_of(geo, kb->pos, &in), done;
	u32 length, block = in >> geo->shift, from = in & (geo->chunk - 1);
	int ret = 0;

	stripe_begin(job, nr);
	for (done = 0; !ret && done < kb->length; done += length) {
		length = min_t(u64, kb->length - done, job->memory.window);
		ret = kiobuf_cancelled(kb) ?:
		      stripe_read_block(job, block, from + done, length);
		if (!ret)
			kiobuf_fill(kb, done, stripe_bytes(job, block), length);
	}
	stripe_end(job);
	return ret ?: 1;
}

static int parity_flush_leg(struct kraid_array *array, struct kraid_leg *leg)
{
	int ret;

	if (!kraid_leg_writable(leg))
		return 0;
	ret = kblk_io(leg->dev, KIOBUF_FLUSH, 0, NULL, 0, 0);
	return ret && !kraid_leg_fail(array, leg) ? ret : 0;
}

static int parity_flush(struct kraid_array *array)
{
	u32 i;
	int ret = 0;

	for (i = 0; i < 2 * array->nr_legs; i++)
		ret = parity_flush_leg(array, &array->legs[i]) ?: ret;
	return ret;
}

static int parity_do_flush(struct kraid_array *array, struct kiobuf *kb)
{
	int ret = kraid_write_enter(array, kb);

	if (ret <= 0)
		return ret;
	kb->flags |= KIOBUF_FIRM;
	ret = parity_flush(array);
	kraid_write_leave(array, kb->pos, kb->length);
	if (unlikely(kraid_meta_pending(array)))
		ret = parity_tell(array) ?: ret;
	if (unlikely(parity_is_broken(array)))
		ret = ret ?: -EIO;
	return ret ?: 1;
}

static int parity_do_write(struct stripe_job *job, struct kiobuf *kb)
{
	const struct parity_geo *geo = stripe_geo(job);
	u64 in, nr = parity_stripe_of(geo, kb->pos, &in);
	int ret;

	stripe_begin(job, nr);
	ret = kiobuf_cancelled(kb);
	if (ret) {
		stripe_end(job);
		parity_put_job(job);
		return ret;
	}
	stripe_widen(job, parity_columns(geo, kb), true);
	return parity_write(job, kb);
}

/* Reads and flushes are waited for. */
static void parity_do(struct stripe_job *job, struct kiobuf *kb)
{
	int ret;

	if (kb->op == KIOBUF_WRITE) {
		ret = parity_do_write(job, kb);
	} else {
		ret = kb->op == KIOBUF_READ ? parity_read(job, kb) :
					      parity_do_flush(job->array, kb);
		parity_put_job(job);
	}
	if (ret != KIOBUF_SUBMITTED)
		kiobuf_endio(kb, ret > 0 ? kb->length : 0, min(ret, 0));
}

/* Goes on with a write, ends it, or begins with what has waited longest. */
static void parity_run_job(struct work_struct *work)
{
	struct stripe_job *job = container_of(work, struct stripe_job, work);
	unsigned int noio = memalloc_noio_save();
	struct kiobuf *kb;

	if (job->kb && job->phase) {
		stripe_write_run(job);
	} else if (job->kb) {
		job->ret = parity_tell(job->array) ?: job->ret;
		parity_end(job);
	} else {
		kb = kiobuf_dequeue(&job->array->parity->queue);
		if (kb)
			parity_do(job, kb);
		else
			parity_put_job(job);
	}
	memalloc_noio_restore(noio);
}

/* ---- up and down ---- */

static void parity_stop(struct kraid_array *array)
{
	struct kraid_parity *parity = array->parity;
	int i;

	if (!parity)
		return;
	synchronize_rcu();
	if (parity->wq)
		destroy_workqueue(parity->wq);
	if (parity->go)
		destroy_workqueue(parity->go);
	for (i = 0; i < STRIPE_NR_JOBS; i++)
		stripe_job_exit(&parity->jobs[i]);
	stripe_job_exit(&parity->repair);
	stripe_pool_exit(&parity->pool);
	array->parity = NULL;
	kvfree(parity);
}

static int parity_init(struct kraid_array *array)
{
	struct kraid_parity *parity = kvzalloc(sizeof(*parity), GFP_KERNEL);
	int i, ret = 0;

	if (!parity)
		return -ENOMEM;
	array->parity = parity;
	kiobuf_queue_init(&parity->queue, NULL, NULL);
	stripe_pool_init(&parity->pool);
	for (i = 0; i < STRIPE_NR_LOCKS; i++)
		sema_init(&parity->locks[i], 1);
	for (i = 0; i < STRIPE_NR_JOBS; i++) {
		INIT_WORK(&parity->jobs[i].work, parity_run_job);
		ret = ret ?: stripe_job_init(&parity->jobs[i], array,
					     array->nr_legs, STRIPE_WINDOW);
	}
	ret = ret ?: stripe_job_init(&parity->repair, array, array->nr_legs,
				     STRIPE_WINDOW);
	parity->wq = alloc_workqueue("kraid_%s_stripes",
				     WQ_MEM_RECLAIM | WQ_UNBOUND, 0,
				     array->object.kd.dev.name);
	parity->go = alloc_workqueue("kraid_%s_writes",
				     WQ_MEM_RECLAIM | WQ_UNBOUND, 0,
				     array->object.kd.dev.name);
	return ret ?: parity->wq && parity->go ? 0 : -ENOMEM;
}

/* Room on the smallest leg */
static u64 parity_room(const struct kraid_array *array)
{
	const struct kraid_member *member;
	u64 bytes = U64_MAX;

	if (array->leg_bytes)
		return array->leg_bytes;
	list_for_each_entry(member, &array->members, list)
		if (member->slot >= 0 && member->lower)
			bytes = min(bytes, member->data_bytes);
	return bytes;
}

static int parity_run(struct kraid_array *array, struct kblk_shape *shape)
{
	int ret = array->parity ? 0 : parity_init(array);
	struct parity_geo geo;

	if (ret)
		return ret;
	ret = parity_setup(&geo, array->personality->level, array->nr_legs,
			   array->layout, array->chunk, parity_room(array));
	if (ret)
		return kblk_refuse(&array->object, -EINVAL,
				   "Layout %u of %s does not go with %u legs and a chunk of %u KiB: that has to be a power of two, 4 or more.",
				   array->layout, array->personality->name,
				   array->nr_legs, array->chunk >> 10);
	array->parity->geo = geo;
	array->geo = (struct raid10_geo){ };
	array->leg_bytes = geo.leg_bytes;
	shape->size = geo.size;
	shape->io_min = array->chunk;
	shape->io_opt = kraid_io_opt(array->chunk, geo.data);
	shape->stable = true;
	shape->no_discard = true;
	return 0;
}

const struct kraid_personality kraid4_personality = {
	.level		= 4,
	.name		= "RAID-4",
	.min_legs	= 3,
	.max_legs	= PARITY_MAX_LEGS,
	.redundant	= true,
	.chunked	= true,
	.ops		= &parity_ops,
	.row_ops	= &parity_row_ops,
	.run		= parity_run,
	.stop		= parity_stop,
};

const struct kraid_personality kraid5_personality = {
	.level		= 5,
	.name		= "RAID-5",
	.min_legs	= 3,
	.max_legs	= PARITY_MAX_LEGS,
	.redundant	= true,
	.chunked	= true,
	.layout		= PARITY_LEFT_SYMMETRIC,
	.ops		= &parity_ops,
	.row_ops	= &parity_row_ops,
	.run		= parity_run,
	.stop		= parity_stop,
};

const struct kraid_personality kraid6_personality = {
	.level		= 6,
	.name		= "RAID-6",
	.min_legs	= 4,
	.max_legs	= PARITY_MAX_LEGS,
	.redundant	= true,
	.chunked	= true,
	.layout		= PARITY_LEFT_SYMMETRIC,
	.ops		= &parity_ops,
	.row_ops	= &parity_row_ops,
	.run		= parity_run,
	.stop		= parity_stop,
};
