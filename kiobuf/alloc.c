// SPDX-License-Identifier: GPL-2.0
/* Headers: set up, allocate, let go. */
#include <linux/module.h>
#include <linux/slab.h>

#include "internal.h"

static struct kmem_cache *kiobuf_cache;

/**
 * kiobuf_init_once() - set up what a header keeps between uses
 * @kb: fresh memory
 *
 * Context: any.
 */
void kiobuf_init_once(struct kiobuf *kb)
{
	init_waitqueue_head(&kb->wait);
	INIT_LIST_HEAD(&kb->queue);
	INIT_HLIST_HEAD(&kb->children);
	INIT_HLIST_NODE(&kb->sibling);
	atomic_set(&kb->io_count, 1);
	kb->frames = NULL;
	kb->spare = 0;
}
EXPORT_SYMBOL_GPL(kiobuf_init_once);

/**
 * kiobuf_alloc() - allocate a header
 * @gfp: allocation flags
 *
 * The header wants kiobuf_reset(). Context: may sleep if @gfp allows.
 * Return: the header, to be dropped with kiobuf_put(); NULL without memory.
 */
struct kiobuf *kiobuf_alloc(gfp_t gfp)
{
	struct kiobuf *kb = kmem_cache_zalloc(kiobuf_cache, gfp);

	if (!kb)
		return NULL;
	kiobuf_init(kb, NULL, KIOBUF_READ, 0, NULL, 0);
	return kb;
}
EXPORT_SYMBOL_GPL(kiobuf_alloc);

void kiobuf_free(struct kiobuf *kb)
{
	kmem_cache_free(kiobuf_cache, kb);
}

/**
 * kiobuf_put() - let go of a header from kiobuf_alloc()
 * @kb: the header, idle, in flight or ended; NULL is ignored
 *
 * The caller must not look at it again. One in flight is freed when it ends, by
 * kiobuf_done(), which an end_io must come to; its vector must stay until then.
 * Context: any.
 */
void kiobuf_put(struct kiobuf *kb)
{
	unsigned long flags;
	bool idle;

	if (!kb)
		return;
	spin_lock_irqsave(&kb->wait.lock, flags);
	idle = kb->fate & KIOBUF_DONE || !kb->active;
	kb->fate |= KIOBUF_ORPHAN;
	spin_unlock_irqrestore(&kb->wait.lock, flags);
	if (idle)
		kiobuf_free(kb);
}
EXPORT_SYMBOL_GPL(kiobuf_put);

int __init kiobuf_alloc_init(void)
{
	kiobuf_cache = KMEM_CACHE(kiobuf, 0);
	return kiobuf_cache ? 0 : -ENOMEM;
}

void kiobuf_alloc_exit(void)
{
	kmem_cache_destroy(kiobuf_cache);
}
