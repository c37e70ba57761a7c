/* SPDX-License-Identifier: GPL-2.0 */
/*
 * diskstats of a request at our upper border: time, in flight, busy time. How
 * many requests and sectors passed is counted by the core, on every layer.
 *
 * The number in flight is also what a drain waits for. It is raised, kd->frozen is
 * looked at, and it is lowered again if that is set, all on one CPU with
 * preemption off. So after frozen was set and synchronize_rcu() returned,
 * whoever saw the gate open has raised it, and the sum over all CPUs, however
 * long it takes to read, is never below what is in flight.
 */
#ifndef _KBLK_ACCOUNT_H
#define _KBLK_ACCOUNT_H

#include <linux/kblk.h>
#include <linux/part_stat.h>

static inline unsigned int kblk_in_flight(struct block_device *part)
{
	int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += part_stat_local_read_cpu(part, in_flight[0], cpu) +
		       part_stat_local_read_cpu(part, in_flight[1], cpu);
	return max(sum, 0);
}

/* Is there busy time to add? Once a jiffy. */
static inline bool kblk_tick_due(struct block_device *part, unsigned long now)
{
	return unlikely(time_after(now, READ_ONCE(part->bd_stamp)));
}

static inline void kblk_account_tick(struct block_device *part,
				     unsigned long now, bool end)
{
	unsigned long stamp = READ_ONCE(part->bd_stamp);

	if (likely(!time_after(now, stamp)))
		return;
	if (try_cmpxchg(&part->bd_stamp, &stamp, now) &&
	    (end || kblk_in_flight(part)))
		this_cpu_add(part->bd_stats->io_ticks, now - stamp);
}

/* part_stat_local_inc() for one that may be preempted */
static inline void kblk_in_flight_add(struct block_device *part, bool write,
				      long n)
{
	this_cpu_add(part->bd_stats->in_flight[write].a.counter, n);
}

static inline void kblk_account_start(struct block_device *part,
				      unsigned long now, enum req_op op)
{
	kblk_account_tick(part, now, false);
	kblk_in_flight_add(part, op_is_write(op), 1);
}

static inline void kblk_account_end(struct block_device *part,
				    unsigned long start, enum req_op op)
{
	unsigned long now = READ_ONCE(jiffies);

	kblk_account_tick(part, now, true);
	if (unlikely(now != start))
		this_cpu_add(part->bd_stats->nsecs[op_stat_group(op)],
			     jiffies_to_nsecs(now - start));
	kblk_in_flight_add(part, op_is_write(op), -1);
}

/*
 * Counts a request out. The disk may go down at once, so this is the last that is
 * done with it: whoever waits for the drain looks by himself.
 */
static __always_inline void kblk_leave(struct kblk_disk *kd,
				       struct block_device *bdev,
				       unsigned long start, enum req_op op)
{
	if (unlikely(bdev != kd->dev.part))
		kblk_account_end(bdev, start, op);
	kblk_account_end(kd->dev.part, start, op);
}

/* Counts a request in. False while the disk is frozen: then nothing is counted. */
static inline bool kblk_enter(struct kblk_disk *kd, struct block_device *bdev,
			      unsigned long now, enum req_op op)
{
	bool open;

	preempt_disable();
	kblk_account_start(kd->dev.part, now, op);
	if (unlikely(bdev != kd->dev.part))
		kblk_account_start(bdev, now, op);
	open = likely(!READ_ONCE(kd->frozen));
	if (unlikely(!open))
		kblk_leave(kd, bdev, now, op);
	preempt_enable();
	return open;
}

#endif /* _KBLK_ACCOUNT_H */
