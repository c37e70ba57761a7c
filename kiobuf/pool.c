// SPDX-License-Identifier: GPL-2.0
/* Pools of headers: a mempool for progress, a small stack per CPU for speed. */
#include <linux/module.h>
#include <linux/slab.h>

#include "internal.h"

static void *kiobuf_pool_new(gfp_t gfp, void *data)
{
	struct kiobuf_pool *pool = data;
	struct kiobuf *kb = kzalloc(pool->size, gfp);

	if (kb)
		kiobuf_init_once(kb);
	return kb;
}

static void kiobuf_pool_delete(void *element, void *data)
{
	kfree(element);
}

/**
 * kiobuf_pool_init() - make a pool
 * @pool: the pool
 * @size: bytes of an element, which begins with a struct kiobuf; the rest is
 *	zeroed when an element is new and left alone afterwards
 * @reserve: elements set aside for progress without free memory
 *
 * Context: process, sleeps. Return: 0 or -ENOMEM.
 */
int kiobuf_pool_init(struct kiobuf_pool *pool, size_t size, int reserve)
{
	int ret;

	pool->size = size;
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
			kfree(kb);
		}
	}
	free_percpu(pool->cache);
	mempool_exit(&pool->reserve);
}
EXPORT_SYMBOL_GPL(kiobuf_pool_exit);
