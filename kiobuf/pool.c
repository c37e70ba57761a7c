// SPDX-License-Identifier: GPL-2.0
/*
 * Pools of headers: a mempool for progress, a small stack per CPU for speed.
 *
 * The stack never starves the mempool: an element goes to a stack only while
 * the reserve is whole. A sleeper in mempool_alloc() therefore means that the
 * reserve is in flight, and what is in flight comes back to the reserve.
 */
#include <linux/module.h>
#include <linux/percpu.h>
#include <linux/slab.h>

#include "internal.h"

#define KIOBUF_CACHE_MAX 31

struct kiobuf_pool_cache {
	unsigned int	nr;
	struct kiobuf	*kb[KIOBUF_CACHE_MAX];
};

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
	pool->cache = alloc_percpu(struct kiobuf_pool_cache);
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
	int cpu;

	for_each_possible_cpu(cpu) {
		struct kiobuf_pool_cache *cache = per_cpu_ptr(pool->cache, cpu);

		while (cache->nr)
			kfree(cache->kb[--cache->nr]);
	}
	free_percpu(pool->cache);
	mempool_exit(&pool->reserve);
}
EXPORT_SYMBOL_GPL(kiobuf_pool_exit);

/**
 * kiobuf_pool_alloc() - take an element
 * @pool: the pool
 * @gfp: GFP_NOWAIT, or GFP_NOIO where the caller holds no element that others
 *	wait for and no bio of its own is queued on current->bio_list
 *
 * The header in it wants kiobuf_reset() or kiobuf_init_clone().
 * Context: any with GFP_NOWAIT; process with GFP_NOIO, sleeps until one is free.
 * Return: the element; NULL only with GFP_NOWAIT.
 */
struct kiobuf *kiobuf_pool_alloc(struct kiobuf_pool *pool, gfp_t gfp)
{
	struct kiobuf_pool_cache *cache;
	struct kiobuf *kb = NULL;
	unsigned long flags;

	local_irq_save(flags);
	cache = this_cpu_ptr(pool->cache);
	if (likely(cache->nr))
		kb = cache->kb[--cache->nr];
	local_irq_restore(flags);

	return likely(kb) ? kb : mempool_alloc(&pool->reserve, gfp);
}
EXPORT_SYMBOL_GPL(kiobuf_pool_alloc);

/**
 * kiobuf_pool_free() - give an element back
 * @pool: where it came from
 * @kb: the element
 *
 * Context: any.
 */
void kiobuf_pool_free(struct kiobuf_pool *pool, struct kiobuf *kb)
{
	struct kiobuf_pool_cache *cache;
	unsigned long flags;

	/* Unlocked read as in mempool_free(): whoever empties it will see us. */
	if (likely(READ_ONCE(pool->reserve.curr_nr) >= pool->reserve.min_nr)) {
		local_irq_save(flags);
		cache = this_cpu_ptr(pool->cache);
		if (likely(cache->nr < KIOBUF_CACHE_MAX)) {
			cache->kb[cache->nr++] = kb;
			kb = NULL;
		}
		local_irq_restore(flags);
	}
	if (unlikely(kb))
		mempool_free(kb, &pool->reserve);
}
EXPORT_SYMBOL_GPL(kiobuf_pool_free);
