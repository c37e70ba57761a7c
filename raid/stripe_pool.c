// SPDX-License-Identifier: GPL-2.0
/*
 * Memory for windows: see stripe.h. Wide ones are kept from one request to the next, since
 * a kernel that clears what it allocates spends more on that than on the parity.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "stripe.h"

/**
 * stripe_memory_init() - allocate a window for each block
 * @memory: where to note it
 * @blocks: how many
 * @window: bytes of each
 * @gfp: how to allocate
 *
 * Context: as @gfp says.
 * Return: 0 or -ENOMEM; stripe_memory_exit() is owed for 0 only.
 */
int stripe_memory_init(struct stripe_memory *memory, u32 blocks, u32 window,
		       gfp_t gfp)
{
	size_t size = (size_t)blocks * window;

	memory->window = window;
	memory->bytes = kvmalloc(size, gfp);
	memory->vec = kiobuf_vec_alloc(DIV_ROUND_UP(size, PAGE_SIZE) + 1, gfp);
	if (memory->bytes && memory->vec &&
	    !kiobuf_vec_add_buffer(memory->vec, memory->bytes, size, gfp))
		return 0;
	stripe_memory_exit(memory);
	return -ENOMEM;
}

void stripe_memory_exit(struct stripe_memory *memory)
{
	kraid_buffer_free(memory->vec, memory->bytes);
	*memory = (struct stripe_memory){ };
}

static bool pool_pop(struct stripe_pool *pool, struct stripe_memory *memory)
{
	unsigned long flags;
	bool got;

	spin_lock_irqsave(&pool->lock, flags);
	got = pool->nr;
	if (got)
		*memory = pool->free[--pool->nr];
	spin_unlock_irqrestore(&pool->lock, flags);
	return got;
}

/* Context: any. Returns false if there is none. */
bool stripe_pool_get(struct stripe_pool *pool, struct stripe_memory *memory)
{
	WRITE_ONCE(pool->used, true);
	return pool_pop(pool, memory);
}

/* Context: any. There is a place for the window of each job. */
void stripe_pool_put(struct stripe_pool *pool, struct stripe_memory *memory)
{
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	pool->free[pool->nr++] = *memory;
	spin_unlock_irqrestore(&pool->lock, flags);
	queue_delayed_work(system_wq, &pool->trim, STRIPE_TRIM);
}

static void pool_empty(struct stripe_pool *pool)
{
	struct stripe_memory memory;

	while (pool_pop(pool, &memory))
		stripe_memory_exit(&memory);
}

static void pool_run_trim(struct work_struct *work)
{
	struct stripe_pool *pool = container_of(to_delayed_work(work),
						struct stripe_pool, trim);

	if (READ_ONCE(pool->used)) {
		WRITE_ONCE(pool->used, false);
		queue_delayed_work(system_wq, &pool->trim, STRIPE_TRIM);
	} else {
		pool_empty(pool);
	}
}

void stripe_pool_init(struct stripe_pool *pool)
{
	spin_lock_init(&pool->lock);
	INIT_DELAYED_WORK(&pool->trim, pool_run_trim);
}

/* Context: process, sleeps; no window is in use any more. */
void stripe_pool_exit(struct stripe_pool *pool)
{
	cancel_delayed_work_sync(&pool->trim);
	pool_empty(pool);
}
