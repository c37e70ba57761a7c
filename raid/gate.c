// SPDX-License-Identifier: GPL-2.0
/*
 * What lets writes in.
 *
 * A write counts itself into the buckets of its range, and then looks whether anything
 * stops it. Whoever wants to stop writes says so first, and then waits until the buckets
 * that he cares for are empty. With a full barrier between the two steps on both sides
 * one of them sees the other. So a plain write costs a count up and a count down in
 * memory that it shares with its neighbours only.
 *
 * A write that is stopped counts itself out again and waits in a queue, holding nothing.
 * There it can be cancelled. It is let go whenever something that stops writes ends,
 * and looks again. So neither side starves: a barrier keeps new writes out while it
 * waits for those that are in, and is gone when its range was dealt with.
 *
 * What waits was counted in the statistics of the disk: it goes on as a request to
 * array->rows, which has none.
 */
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "kraid.h"

static struct kraid_bucket *kraid_bucket(const struct kraid_gate *gate, u64 nr)
{
	return &gate->buckets[nr & (KRAID_NR_BUCKETS - 1)];
}

/* Buckets of a range: from the first to the last; a flush has that of its position. */
static u64 kraid_first_bucket(u64 pos)
{
	return pos >> KRAID_BUCKET_SHIFT;
}

static u64 kraid_last_bucket(u64 pos, u64 length)
{
	u64 first = kraid_first_bucket(pos);

	if (!length)
		return first;
	/* Once round is all of them. */
	return min((pos + length - 1) >> KRAID_BUCKET_SHIFT,
		   first + KRAID_NR_BUCKETS - 1);
}

static bool kraid_has_barrier(const struct kraid_gate *gate, u64 pos, u64 length)
{
	u64 nr, last = kraid_last_bucket(pos, length);

	for (nr = kraid_first_bucket(pos); nr <= last; nr++)
		if (atomic_read(&kraid_bucket(gate, nr)->barriers))
			return true;
	return false;
}

/* What stops a write, of KRAID_STOP_*; 0 for nothing. */
static unsigned long kraid_stops(const struct kraid_gate *gate,
				 enum kiobuf_op op, u64 pos, u64 length)
{
	unsigned long stop = READ_ONCE(gate->stop);

	/* A flush changes nothing. */
	if (op == KIOBUF_FLUSH)
		stop &= KRAID_STOP_SUSPEND | KRAID_STOP_BROKEN;
	if (stop & KRAID_STOP_BARRIER && !kraid_has_barrier(gate, pos, length))
		stop &= ~KRAID_STOP_BARRIER;
	return stop;
}

/**
 * kraid_park() - let a write wait
 * @array: the array, up
 * @queue: where to
 * @kb: write that has left all buckets
 *
 * Context: ->submit().
 * Return: what ->submit() is to answer.
 */
int kraid_park(struct kraid_array *array, struct kiobuf_queue *queue,
	       struct kiobuf *kb)
{
	enum kiobuf_op op = kb->op;
	u64 pos = kb->pos, length = kb->length;
	int ret;

	if (kb->flags & KIOBUF_NOWAIT)
		return -EAGAIN;
	/* Once it is queued it may end, and the array with it: see kraid_gate_exit(). */
	rcu_read_lock();
	kb->dev = &array->rows;
	ret = kiobuf_enqueue(queue, kb);
	if (!ret && queue == &array->gate.waiting &&
	    !kraid_stops(&array->gate, op, pos, length))
		kraid_gate_wake(array);
	rcu_read_unlock();
	return ret ?: KIOBUF_SUBMITTED;
}

static noinline int kraid_write_stopped(struct kraid_array *array,
					struct kiobuf *kb)
{
	struct kraid_gate *gate = &array->gate;
	unsigned long stop = kraid_stops(gate, kb->op, kb->pos, kb->length);

	if (!stop)
		return 1;
	kraid_write_leave(array, kb->pos, kb->length);
	if (stop & KRAID_STOP_BROKEN)
		return -EIO;
	if (stop & KRAID_STOP_CLEAN)
		kraid_meta_want_dirty(array);
	return kraid_park(array, &gate->waiting, kb);
}

/**
 * kraid_write_enter() - begin a write
 * @array: the array, up
 * @kb: write, flush, discard or zeroes, at a position of the array
 *
 * Context: ->submit().
 * Return: above 0 if it may go on, and kraid_write_leave() is owed; else what ->submit()
 * is to answer.
 */
int kraid_write_enter(struct kraid_array *array, struct kiobuf *kb)
{
	struct kraid_gate *gate = &array->gate;
	u64 nr, last = kraid_last_bucket(kb->pos, kb->length);

	for (nr = kraid_first_bucket(kb->pos); nr <= last; nr++)
		atomic_inc(&kraid_bucket(gate, nr)->writes);
	/* Pairs with kraid_gate_set(): we see what stops us, or it sees us. */
	smp_mb__after_atomic();
	if (unlikely(READ_ONCE(gate->stop)))
		return kraid_write_stopped(array, kb);
	if (unlikely(!READ_ONCE(gate->wrote)))
		WRITE_ONCE(gate->wrote, true);
	return 1;
}

/**
 * kraid_write_leave() - a write has no more I/O in flight
 * @array: the array
 * @pos: where it was
 * @length: its length
 *
 * Context: any; the array stays while the write has not ended.
 */
void kraid_write_leave(struct kraid_array *array, u64 pos, u64 length)
{
	struct kraid_gate *gate = &array->gate;
	u64 nr, last = kraid_last_bucket(pos, length);

	for (nr = kraid_first_bucket(pos); nr <= last; nr++)
		if (atomic_dec_and_test(&kraid_bucket(gate, nr)->writes) &&
		    unlikely(READ_ONCE(gate->stop)))
			wake_up_all(&gate->drained);
}

/**
 * kraid_gate_set() - something stops writes from now on, or does no more
 * @array: the array
 * @why: of KRAID_STOP_*
 * @on: it does
 *
 * Context: any.
 */
void kraid_gate_set(struct kraid_array *array, unsigned long why, bool on)
{
	struct kraid_gate *gate = &array->gate;
	unsigned long flags;

	spin_lock_irqsave(&array->lock, flags);
	WRITE_ONCE(gate->stop, on ? gate->stop | why : gate->stop & ~why);
	spin_unlock_irqrestore(&array->lock, flags);
	/* Pairs with kraid_write_enter(). */
	smp_mb();
	if (!on)
		kraid_gate_wake(array);
}

/* Lets all that waits look again. Context: any. */
void kraid_gate_wake(struct kraid_array *array)
{
	queue_work(array->wq, &array->gate.wake);
}

static void kraid_gate_run(struct work_struct *work)
{
	struct kraid_gate *gate = container_of(work, struct kraid_gate, wake);
	unsigned int noio = memalloc_noio_save();
	struct kiobuf *kb, *next;
	LIST_HEAD(list);

	/* Those that are stopped again come behind these. */
	while ((kb = kiobuf_dequeue(&gate->waiting)))
		list_add_tail(&kb->queue, &list);
	list_for_each_entry_safe(kb, next, &list, queue) {
		list_del_init(&kb->queue);
		kiobuf_submit(kb);
	}
	memalloc_noio_restore(noio);
}

/* ---- all of the array ---- */

static bool kraid_is_drained(const struct kraid_gate *gate)
{
	int i;

	for (i = 0; i < KRAID_NR_BUCKETS; i++)
		if (atomic_read(&gate->buckets[i].writes))
			return false;
	return true;
}

static void kraid_add_suspend(struct kraid_array *array, int by)
{
	struct kraid_gate *gate = &array->gate;
	bool last;

	spin_lock_irq(&array->lock);
	gate->nr_suspends += by;
	last = !gate->nr_suspends;
	spin_unlock_irq(&array->lock);
	kraid_gate_set(array, KRAID_STOP_SUSPEND, !last);
}

/**
 * kraid_break() - let no write in any more
 * @array: the array, up
 * @why: what the log says
 *
 * Superblocks go on to say that it was written to, so what may not be equal is known when
 * it comes up again. Context: any.
 */
void kraid_break(struct kraid_array *array, const char *why)
{
	if (READ_ONCE(array->gate.stop) & KRAID_STOP_BROKEN)
		return;
	pr_err("kraid: %s: %s, writes fail from now on\n", kraid_name(array),
	       why);
	kraid_gate_set(array, KRAID_STOP_BROKEN, true);
	kraid_gate_wake(array);
}

#define KRAID_DRAIN_TIMEOUT (30 * HZ)

/**
 * kraid_suspend() - hold new writes and wait until none is in flight
 * @array: the array, up and redundant
 *
 * For changes of legs; undone by kraid_resume(). Context: process, sleeps; under
 * meta.lock, so that there is one at a time.
 * Return: 0; -ETIMEDOUT, nothing then being held, if what lies below does not end
 * what it has.
 */
int kraid_suspend(struct kraid_array *array)
{
	struct kraid_gate *gate = &array->gate;

	kraid_add_suspend(array, 1);
	if (wait_event_timeout(gate->drained, kraid_is_drained(gate),
			       KRAID_DRAIN_TIMEOUT))
		return 0;
	kraid_resume(array);
	return -ETIMEDOUT;
}

void kraid_resume(struct kraid_array *array)
{
	kraid_add_suspend(array, -1);
}

/**
 * kraid_gate_close_if_idle() - stop writes until superblocks say that there are some
 * @array: the array
 *
 * Context: process; under meta.lock.
 * Return: true if it was done; false if writes are in flight.
 */
bool kraid_gate_close_if_idle(struct kraid_array *array)
{
	kraid_gate_set(array, KRAID_STOP_CLEAN, true);
	if (kraid_is_drained(&array->gate))
		return true;
	kraid_gate_set(array, KRAID_STOP_CLEAN, false);
	return false;
}

/* ---- a range ---- */

static void kraid_add_barrier(struct kraid_array *array, u64 pos, u64 length,
			      int by)
{
	struct kraid_gate *gate = &array->gate;
	u64 nr, last = kraid_last_bucket(pos, length);
	unsigned long flags;

	spin_lock_irqsave(&array->lock, flags);
	for (nr = kraid_first_bucket(pos); nr <= last; nr++) {
		atomic_add(by, &kraid_bucket(gate, nr)->barriers);
		gate->nr_barriers += by;
	}
	WRITE_ONCE(gate->stop, gate->nr_barriers ?
		   gate->stop | KRAID_STOP_BARRIER :
		   gate->stop & ~KRAID_STOP_BARRIER);
	spin_unlock_irqrestore(&array->lock, flags);
}

static bool kraid_range_is_drained(const struct kraid_gate *gate, u64 pos,
				   u64 length)
{
	u64 nr, last = kraid_last_bucket(pos, length);

	for (nr = kraid_first_bucket(pos); nr <= last; nr++)
		if (atomic_read(&kraid_bucket(gate, nr)->writes))
			return false;
	return true;
}

static bool kraid_never(struct kraid_array *array)
{
	return false;
}

/**
 * kraid_barrier_raise() - keep writes out of a range, and wait for those in it
 * @array: the array, up and redundant
 * @pos: of the array, in bytes
 * @length: bytes
 * @give_up: true when there is no use in waiting any more; NULL for never. Who makes it
 *	true wakes gate.drained.
 *
 * Ranges that share a bucket are kept free as well. Several may have a barrier there.
 * Context: process, sleeps.
 * Return: 0, and kraid_barrier_lower() is owed; or -EINTR.
 */
int kraid_barrier_raise(struct kraid_array *array, u64 pos, u64 length,
			bool (*give_up)(struct kraid_array *))
{
	struct kraid_gate *gate = &array->gate;

	give_up = give_up ?: kraid_never;
	kraid_add_barrier(array, pos, length, 1);
	/* Pairs with kraid_write_enter(). */
	smp_mb();
	wait_event(gate->drained, kraid_range_is_drained(gate, pos, length) ||
		   give_up(array));
	if (kraid_range_is_drained(gate, pos, length))
		return 0;
	kraid_barrier_lower(array, pos, length);
	return -EINTR;
}

void kraid_barrier_lower(struct kraid_array *array, u64 pos, u64 length)
{
	kraid_add_barrier(array, pos, length, -1);
	/* Pairs with kraid_park(): it sees us gone, or we find it. */
	smp_mb();
	kraid_gate_wake(array);
}

/* ---- life ---- */

int kraid_gate_init(struct kraid_array *array)
{
	struct kraid_gate *gate = &array->gate;

	gate->buckets = kvcalloc(KRAID_NR_BUCKETS, sizeof(*gate->buckets),
				 GFP_KERNEL);
	if (!gate->buckets)
		return -ENOMEM;
	gate->stop = 0;
	gate->nr_barriers = 0;
	gate->nr_suspends = 0;
	kiobuf_queue_init(&gate->waiting, NULL, NULL);
	init_waitqueue_head(&gate->drained);
	INIT_WORK(&gate->wake, kraid_gate_run);
	return 0;
}

/* No request is in flight, but who parked the last one may still be about to leave. */
void kraid_gate_exit(struct kraid_array *array)
{
	if (!array->gate.buckets)
		return;
	synchronize_rcu();
	cancel_work_sync(&array->gate.wake);
	kvfree(array->gate.buckets);
	array->gate.buckets = NULL;
}
