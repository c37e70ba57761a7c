// SPDX-License-Identifier: GPL-2.0
/*
 * Sight: /sys/kernel/debug/kiobuf/DEV/{inflight,counters,latency}. Beside the devices:
 * `timing`, which turns the measuring of latencies on, and `inflight` for parents that
 * were not submitted to any device, such as sets.
 */
#include <linux/debugfs.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "internal.h"

static struct dentry *kiobuf_debug;

/* ---- inflight ---- */

static const char *const kiobuf_op_names[KIOBUF_NR_OPS] = {
	[KIOBUF_READ]		= "read",
	[KIOBUF_WRITE]		= "write",
	[KIOBUF_FLUSH]		= "flush",
	[KIOBUF_DISCARD]	= "discard",
	[KIOBUF_WRITE_ZEROES]	= "zeroes",
};

static const char *kiobuf_state(const struct kiobuf *kb)
{
	if (kiobuf_cancelled(kb))
		return "cancelled";
	if (!list_empty(&kb->queue))
		return "queued";
	return hlist_empty(&kb->children) ? "submitted" : "split";
}

/* Of what was cut off so far: all but what clones still have. */
static u64 kiobuf_bytes_done(const struct kiobuf *kb)
{
	const struct kiobuf *child;
	u64 done = kb->flags & KIOBUF_CARVED ? kb->carved : 0;

	hlist_for_each_entry(child, &kb->children, sibling)
		done -= min(done, child->length);
	return done;
}

static enum kiobuf_walk kiobuf_show(struct kiobuf *kb, int depth, void *arg)
{
	const struct kiobuf_dev *dev = READ_ONCE(kb->dev);
	struct seq_file *m = arg;

	seq_printf(m, "%*s%llx %s %llu %llu %llu %u %s %s\n", depth * 2, "",
		   kiobuf_id(kb), kiobuf_op_names[kb->op % KIOBUF_NR_OPS],
		   kb->pos >> SECTOR_SHIFT, kb->length, kiobuf_bytes_done(kb),
		   jiffies_to_usecs(kiobuf_age(kb)), kiobuf_state(kb),
		   dev ? dev->name : "-");
	return seq_has_overflowed(m) ? KIOBUF_WALK_STOP : KIOBUF_WALK_ON;
}

static int inflight_show(struct seq_file *m, void *unused)
{
	/* The name of a device that goes away must stay readable. */
	rcu_read_lock();
	kiobuf_dev_walk_roots(m->private, kiobuf_show, m);
	rcu_read_unlock();
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(inflight);

/* ---- counters and latency ---- */

static u64 kiobuf_stat_sum(const struct kiobuf_dev *dev, size_t offset)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += *(u64 *)((char *)per_cpu_ptr(dev->stats, cpu) + offset);
	return sum;
}

#define kiobuf_stat(dev, field) \
	kiobuf_stat_sum(dev, offsetof(struct kiobuf_dev_stats, field))

static int counters_show(struct seq_file *m, void *unused)
{
	struct kiobuf_dev *dev = m->private;

	seq_printf(m, "clones %llu\n", kiobuf_stat(dev, clones));
	seq_printf(m, "deferred %llu\n", kiobuf_stat(dev, deferred));
	seq_printf(m, "failed %llu\n", kiobuf_stat(dev, failed));
	seq_printf(m, "cancelled %llu\n", kiobuf_stat(dev, cancelled));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

/* Each line: from so many microseconds on, requests. */
static int latency_show(struct seq_file *m, void *unused)
{
	struct kiobuf_dev *dev = m->private;
	int i;

	for (i = 0; i < KIOBUF_NR_LATENCIES; i++)
		seq_printf(m, "%lu %llu\n", i ? 1UL << (i - 1) : 0,
			   kiobuf_stat_sum(dev, offsetof(struct kiobuf_dev_stats,
							 latency[i])));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(latency);

static ssize_t timing_read(struct file *file, char __user *buf, size_t len,
			   loff_t *pos)
{
	const char *state = static_key_enabled(&kiobuf_timing) ? "1\n" : "0\n";

	return simple_read_from_buffer(buf, len, pos, state, 2);
}

static ssize_t timing_write(struct file *file, const char __user *buf,
			    size_t len, loff_t *pos)
{
	bool on;
	int ret = kstrtobool_from_user(buf, len, &on);

	if (ret)
		return ret;
	if (on)
		static_branch_enable(&kiobuf_timing);
	else
		static_branch_disable(&kiobuf_timing);
	return len;
}

static const struct file_operations timing_fops = {
	.owner	= THIS_MODULE,
	.open	= simple_open,
	.read	= timing_read,
	.write	= timing_write,
	.llseek	= default_llseek,
};

/* ---- life ---- */

void kiobuf_debug_add(struct kiobuf_dev *dev)
{
	char name[KIOBUF_DEV_NAME_MAX];

	strscpy(name, dev->name, sizeof(name));
	strreplace(name, '/', '!');
	dev->debug = debugfs_create_dir(name, kiobuf_debug);
	debugfs_create_file("inflight", 0400, dev->debug, dev, &inflight_fops);
	debugfs_create_file("counters", 0400, dev->debug, dev, &counters_fops);
	debugfs_create_file("latency", 0400, dev->debug, dev, &latency_fops);
}

void kiobuf_debug_del(struct kiobuf_dev *dev)
{
	debugfs_remove_recursive(dev->debug);
}

void __init kiobuf_debug_init(void)
{
	kiobuf_debug = debugfs_create_dir("kiobuf", NULL);
	debugfs_create_file("inflight", 0400, kiobuf_debug, NULL,
			    &inflight_fops);
	debugfs_create_file("timing", 0600, kiobuf_debug, NULL, &timing_fops);
}

void kiobuf_debug_exit(void)
{
	debugfs_remove_recursive(kiobuf_debug);
}
