// SPDX-License-Identifier: GPL-2.0
/*
 * A driver: "mem", a device in memory that serves one piece at a time.
 *
 * What is longer than a piece is cut at borders of 64 KiB. Pieces wait in a queue,
 * from which a worker takes them, each after a delay; until then a cancel can pull
 * them out again.
 */
#include <linux/delay.h>
#include <linux/kiobuf.h>
#include <linux/kiobuf_dev.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "kiobuf_mem.h"

#define MEM_PIECE SZ_64K

static unsigned int size_mib = 16;
module_param(size_mib, uint, 0444);
MODULE_PARM_DESC(size_mib, "Size of the device in MiB");

static unsigned int delay_ms;
module_param(delay_ms, uint, 0644);
MODULE_PARM_DESC(delay_ms, "How long each piece waits before it is served");

/* There is one device, so nothing has to be found by kb->dev. */
static struct {
	struct kiobuf_dev	dev;
	struct kiobuf_queue	queue;
	struct work_struct	work;
	struct workqueue_struct	*wq;
	u8			*bytes;
} mem;

/* ---- serving ---- */

static void mem_copy(struct kiobuf *kb, u8 *at)
{
	struct bvec_iter iter;
	struct bio_vec bv;

	for_each_bvec(bv, kb->vec->frags, iter, kiobuf_window(kb)) {
		if (kb->op == KIOBUF_READ)
			memcpy_to_bvec(&bv, at);
		else
			memcpy_from_bvec(at, &bv);
		at += bv.bv_len;
	}
}

/* @kb is ours alone: it was taken off the queue. */
static void mem_serve(struct kiobuf *kb)
{
	u8 *at = mem.bytes + kb->pos;

	if (kiobuf_op_is_data(kb->op))
		mem_copy(kb, at);
	else
		memset(at, 0, kb->length);
	kiobuf_endio(kb, kb->length, 0);
}

static void mem_work(struct work_struct *work)
{
	struct kiobuf *kb;

	do {
		if (delay_ms)
			msleep(delay_ms);
		kb = kiobuf_dequeue(&mem.queue);
		if (kb)
			mem_serve(kb);
	} while (kb);
}

/* ---- what the core calls ---- */

static u64 mem_bytes_to_border(u64 pos)
{
	return MEM_PIECE - (pos & (MEM_PIECE - 1));
}

static bool mem_is_inside(const struct kiobuf *kb)
{
	u64 end;

	return !check_add_overflow(kb->pos, kb->length, &end) &&
	       end <= mem.dev.size;
}

static int mem_submit(struct kiobuf *kb)
{
	if (!mem_is_inside(kb))
		return -EINVAL;
	if (kb->length > mem_bytes_to_border(kb->pos))
		return KIOBUF_SPLIT;
	/* 0 is KIOBUF_SUBMITTED; an errno fails the header. */
	return kiobuf_enqueue(&mem.queue, kb);
}

/* The clone is for this device again: it comes to mem_submit(), and fits. */
static struct kiobuf *mem_next_child(struct kiobuf *parent)
{
	u64 pos = parent->pos + parent->carved;

	return kiobuf_carve(parent, mem_bytes_to_border(pos));
}

static bool mem_cancel(struct kiobuf_dev *dev, struct kiobuf *kb)
{
	return kiobuf_unqueue(&mem.queue, kb);
}

static const struct kiobuf_dev_ops mem_ops = {
	.submit		= mem_submit,
	.next_child	= mem_next_child,
	.cancel		= mem_cancel,
};

/* ---- life ---- */

/**
 * kiobuf_mem_dev() - the device that this module makes
 *
 * Context: any.
 * Return: the device, to submit to or to link another above. A module that calls this
 *	depends on ours, so the device stays at least as long as the caller.
 */
struct kiobuf_dev *kiobuf_mem_dev(void)
{
	return &mem.dev;
}
EXPORT_SYMBOL_GPL(kiobuf_mem_dev);

static int __init mem_module_init(void)
{
	int ret = -ENOMEM;

	mem.dev.size = (u64)size_mib * SZ_1M;
	mem.bytes = vzalloc(mem.dev.size);
	if (!mem.bytes)
		return ret;
	mem.wq = alloc_ordered_workqueue("kiobuf_mem", WQ_MEM_RECLAIM);
	if (!mem.wq)
		goto free_bytes;
	INIT_WORK(&mem.work, mem_work);
	kiobuf_queue_init(&mem.queue, &mem.work, mem.wq);
	ret = kiobuf_dev_register(&mem.dev, "mem", &mem_ops);
	if (ret)
		goto destroy_wq;
	return 0;

destroy_wq:
	destroy_workqueue(mem.wq);
free_bytes:
	vfree(mem.bytes);
	return ret;
}

static void __exit mem_module_exit(void)
{
	kiobuf_dev_unregister(&mem.dev);
	destroy_workqueue(mem.wq);
	vfree(mem.bytes);
}

module_init(mem_module_init);
module_exit(mem_module_exit);

MODULE_DESCRIPTION("Sample: a kiobuf device in memory");
MODULE_LICENSE("GPL");
