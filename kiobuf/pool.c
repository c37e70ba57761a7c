// SPDX-License-Identifier: GPL-2.0
/*
 * Pools of headers: a mempool for progress, a small stack per CPU for speed, and a
 * list of all elements, so that what is in flight can be found at no cost to it.
 */
#include <linux/module.h>
#include <linux/random.h>
#include <linux/slab.h>

#include "internal.h"

static void *kiobuf_pool_new(gfp_t gfp, void *data)
{
	struct kiobuf_pool *pool = data;
	struct kiobuf_slot *slot = kzalloc(sizeof(*slot) + pool->size, gfp);
	struct kiobuf *kb = (struct kiobuf *)(slot + 1);
	unsigned long flags;

	if (!slot)
		return NULL;
	kiobuf_init_once(kb);
	kb->spare = pool->frames;
	slot->pool = pool;
	/* Not the number that a request had in the same memory before. */
	kb->mark = get_random_u32() << KIOBUF_MARK_BITS;
	spin_lock_irqsave(&pool->lock, flags);
	list_add_tail(&slot->all, &pool->slots);
	spin_unlock_irqrestore(&pool->lock, flags);
	return kb;
}

static void kiobuf_pool_delete(void *element, void *data)
{
	struct kiobuf_pool *pool = data;
	struct kiobuf_slot *slot = kiobuf_slot(element);
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	list_del(&slot->all);
	spin_unlock_irqrestore(&pool->lock, flags);
	kfree(slot);
}

/**
 * kiobuf_pool_init() - make a pool
 * @pool: the pool
 * @size: bytes of an element, which begins with a struct kiobuf; the rest is
 *	zeroed when an element is new and left alone afterwards
 * @frames: frames that lie directly behind the header, part of @size
 * @reserve: elements set aside for progress without free memory
 *
 * Context: process, sleeps.
 * Return: 0 or -ENOMEM.
 */
int kiobuf_pool_init(struct kiobuf_pool *pool, size_t size, u8 frames,
		     int reserve)
{
	int ret;

	pool->size = size;
	pool->frames = frames;
	spin_lock_init(&pool->lock);
	INIT_LIST_HEAD(&pool->slots);
	pool->cache = alloc_percpu(struct kiobuf *);
	if (!pool->cache)
		return -ENOMEM;
	ret = mempool_init(&pool->reserve, reserve, kiobuf_pool_new,
			   kiobuf_pool_delete, pool);
	if (ret)
		free_percpu(pool->cache);
	return ret;
}
EXPORT_SYMBOL_GPL(kiobuf_pool_init);

/**
 * kiobuf_pool_exit() - free a pool
 * @pool: pool all of whose elements are back
 *
 * Context: process, sleeps.
 */
void kiobuf_pool_exit(struct kiobuf_pool *pool)
{
	struct kiobuf *kb, *next;
	int cpu;

	for_each_possible_cpu(cpu) {
		for (kb = *per_cpu_ptr(pool->cache, cpu); kb; kb = next) {
			next = kb->private;
			kiobuf_pool_delete(kb, pool);
		}
	}
	free_percpu(pool->cache);
	mempool_exit(&pool->reserve);
}
EXPORT_SYMBOL_GPL(kiobuf_pool_exit);

/**
 * kiobuf_dev_wait_room() - wait until a device has a header for a clone
 * @dev: device that a KIOBUF_NOWAIT header came back from with -EAGAIN
 *
 * Others may be faster; so submit again, and be ready for another -EAGAIN.
 * Context: process, sleeps; not with a header in hand that others wait for.
 */
void kiobuf_dev_wait_room(struct kiobuf_dev *dev)
{
	struct kiobuf *kb = kiobuf_pool_alloc(&dev->pool, GFP_NOIO);

	kiobuf_pool_free(&dev->pool, kb);
}
EXPORT_SYMBOL_GPL(kiobuf_dev_wait_room);
