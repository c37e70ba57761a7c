// SPDX-License-Identifier: GPL-2.0
/*
 * How long requests take at each layer. Off by default, and then one no-op a layer:
 * when it is on, every layer pushes a frame with the time.
 */
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "internal.h"

DEFINE_STATIC_KEY_FALSE(kiobuf_timing);

struct kiobuf_timer {
	struct kiobuf_frame	frame;
	ktime_t			start;
};

static struct kmem_cache *kiobuf_timer_cache;

static unsigned int kiobuf_latency_bucket(s64 us)
{
	if (us < 1)
		return 0;
	return min(ilog2(us) + 1, KIOBUF_NR_LATENCIES - 1);
}

static enum kiobuf_climb kiobuf_timer_endio(struct kiobuf *kb,
					    const struct kiobuf_frame *frame)
{
	struct kiobuf_timer *timer = container_of(frame, struct kiobuf_timer,
						  frame);
	s64 us = ktime_us_delta(ktime_get(), timer->start);

	kiobuf_stat_inc(kb->dev, latency[kiobuf_latency_bucket(us)]);
	kmem_cache_free(kiobuf_timer_cache, timer);
	return KIOBUF_CLIMB;
}

/* At the door of kb->dev. What there is no memory for is not timed. */
void kiobuf_time(struct kiobuf *kb)
{
	struct kiobuf_timer *timer = kmem_cache_alloc(kiobuf_timer_cache,
						      GFP_NOWAIT | __GFP_NOWARN);

	if (!timer)
		return;
	timer->start = ktime_get();
	timer->frame.endio = kiobuf_timer_endio;
	timer->frame.task = false;
	kiobuf_intercept(kb, &timer->frame);
}

int __init kiobuf_timing_init(void)
{
	kiobuf_timer_cache = KMEM_CACHE(kiobuf_timer, 0);
	return kiobuf_timer_cache ? 0 : -ENOMEM;
}

void kiobuf_timing_exit(void)
{
	kmem_cache_destroy(kiobuf_timer_cache);
}
