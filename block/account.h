/* SPDX-License-Identifier: GPL-2.0 */
/*
 * diskstats of a request at our upper border: time, in flight, busy time. How
 * many requests and sectors passed is counted by the core, on every layer.
 *
 * The number in flight is also what a drain waits for, so it is raised in the
 * same section without preemption that looks at kd->frozen: after frozen was
 * set and synchronize_rcu() returned, it can only fall.
 */
#ifndef _KBLK_ACCOUNT_H
#define _KBLK_ACCOUNT_H

#include <linux/part_stat.h>

static inline unsigned int kblk_in_flight(struct block_device *part)
{
	int cpu, sum = 0;

	for_each_possible_cpu(cpu)
		sum += part_stat_local_read_cpu(part, in_flight[0], cpu) +
		       part_stat_local_read_cpu(part, in_flight[1], cpu);
	return max(sum, 0);
}

/* Busy time up to @now, at most once a jiffy. Without preemption. */
static inline void kblk_account_tick(struct block_device *part,
				     unsigned long now, bool end)
{
	unsigned long stamp = READ_ONCE(part->bd_stamp);

	if (likely(!time_after(now, stamp)))
		return;
	if (try_cmpxchg(&part->bd_stamp, &stamp, now) &&
	    (end || kblk_in_flight(part)))
		__part_stat_add(part, io_ticks, now - stamp);
}

static inline void kblk_account_start(struct block_device *part,
				      unsigned long now, bool write)
{
	kblk_account_tick(part, now, false);
	part_stat_local_inc(part, in_flight[write]);
}

static inline void kblk_account_end(struct block_device *part,
				    unsigned long start, int group, bool write)
{
	unsigned long now = READ_ONCE(jiffies);

	kblk_account_tick(part, now, true);
	if (now != start)
		__part_stat_add(part, nsecs[group],
				jiffies_to_nsecs(now - start));
	part_stat_local_dec(part, in_flight[write]);
}

#endif /* _KBLK_ACCOUNT_H */
