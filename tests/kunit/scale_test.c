// SPDX-License-Identifier: GPL-2.0
/*
 * What does not grow: memory of a clone with its window, the stack with depth and
 * fan-out. What grows no faster than the work: time.
 */
#include "toy.h"

#include <linux/ktime.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/tracepoint.h>

#define FRAGS	1024
#define BORDER	4096
#define FANOUT	1024

/* ---- allocations, as the slab tells of them ---- */

static const char *const alloc_events[] = { "kmalloc", "kmem_cache_alloc" };
static struct tracepoint *alloc_points[ARRAY_SIZE(alloc_events)];
static struct task_struct *alloc_task;
static int allocs;

/* The arguments of the event are not looked at; they differ between kernels. */
static void count_alloc(void *data)
{
	if (current == alloc_task)
		allocs++;
}

static void find_point(struct tracepoint *tp, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(alloc_events); i++)
		if (!strcmp(tp->name, alloc_events[i]))
			alloc_points[i] = tp;
}

static bool count_begin(void)
{
	int i, found = 0;

	for_each_kernel_tracepoint(find_point, NULL);
	alloc_task = current;
	for (i = 0; i < ARRAY_SIZE(alloc_events); i++)
		found += alloc_points[i] &&
			 !tracepoint_probe_register(alloc_points[i],
						    count_alloc, NULL);
	return found == ARRAY_SIZE(alloc_events);
}

static void count_end(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(alloc_events); i++)
		if (alloc_points[i])
			tracepoint_probe_unregister(alloc_points[i],
						    count_alloc, NULL);
	tracepoint_synchronize_unregister();
}

/* Allocations and instructions (under -icount) of making clones of @length. */
static int clone_many(struct kunit *test, struct kiobuf *parent, u64 length,
		      s64 *ns)
{
	struct kiobuf *clone;
	ktime_t start;
	int i, before;

	/* The first one may have to come from the slab. */
	clone = kiobuf_alloc_clone(parent, 0, length, GFP_KERNEL);
	kiobuf_endio(clone, length, 0);
	before = allocs;
	start = ktime_get();
	for (i = 0; i < 1000; i++) {
		clone = kiobuf_alloc_clone(parent, 0, length, GFP_NOWAIT);
		KUNIT_EXPECT_PTR_EQ(test, clone->vec, parent->vec);
		kiobuf_endio(clone, length, 0);
	}
	*ns = ktime_to_ns(ktime_sub(ktime_get(), start)) / 1000;
	return allocs - before;
}

/* C1: nothing is allocated or copied for the fragments, whatever the window. */
static void clone_allocates_nothing(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/bottom", PAGE_SIZE);
	struct kiobuf_vec *vec = kiobuf_vec_alloc(FRAGS, GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);
	static struct kiobuf parent, embedded;
	s64 small, large;
	void *canary;
	int i, before;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, page);
	for (i = 0; i < FRAGS; i++)
		kiobuf_vec_add(vec, page, 0, PAGE_SIZE);
	kiobuf_init(&parent, &bottom->dev, KIOBUF_WRITE, 0, vec, vec->length);

	KUNIT_EXPECT_TRUE(test, count_begin());
	before = allocs;
	canary = kmalloc(64, GFP_KERNEL);
	KUNIT_EXPECT_TRUE(test, allocs > before);	/* it does count */
	kfree(canary);
	KUNIT_EXPECT_EQ(test, clone_many(test, &parent, PAGE_SIZE, &small), 0);
	KUNIT_EXPECT_EQ(test, clone_many(test, &parent, vec->length, &large), 0);
	before = allocs;
	KUNIT_EXPECT_EQ(test, kiobuf_init_clone(&embedded, &parent, 0,
						vec->length), 0);
	KUNIT_EXPECT_EQ(test, allocs, before);
	kiobuf_endio(&embedded, vec->length, 0);
	count_end();
	pr_info("    # a clone of 4 KiB takes %lld ns, one of 4 MiB %lld ns\n",
		small, large);
	kiobuf_endio(&parent, vec->length, 0);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&parent), 0);
	kiobuf_vec_put(vec);
	__free_page(page);
	toy_free(bottom);
}

/* ---- fan-out and depth ---- */

static unsigned long lowest_stack;
static int leaf_seen;

static int leaf_submit(struct kiobuf *kb)
{
	leaf_seen++;
	lowest_stack = min(lowest_stack, (unsigned long)&kb);
	kiobuf_endio(kb, kb->length, 0);
	return KIOBUF_SUBMITTED;
}

static const struct kiobuf_dev_ops leaf_ops = { .submit = leaf_submit };

/* Stack below the caller's frame; time goes to *@ns. */
static long submit_wide(struct kunit *test, struct kiobuf_dev *dev, int fanout,
			s64 *ns)
{
	struct kiobuf *kb = kiobuf_alloc(GFP_KERNEL);
	ktime_t start;

	if (!kb)
		return -1;
	lowest_stack = ULONG_MAX;
	leaf_seen = 0;
	kiobuf_reset(kb, dev, KIOBUF_DISCARD, 0, NULL, (u64)fanout * BORDER);
	start = ktime_get();
	kiobuf_submit(kb);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(kb), 0);
	*ns = ktime_to_ns(ktime_sub(ktime_get(), start));
	KUNIT_EXPECT_EQ(test, leaf_seen, fanout);
	kiobuf_put(kb);
	return (unsigned long)&kb - lowest_stack;
}

/* D15: a request cut in 1,024, above 30 more layers that each cut it too. */
static void wide_and_deep(struct kunit *test)
{
	struct toy *leaf = toy_new("/leaf", &leaf_ops);
	struct toy *layer[KIOBUF_DEV_MAX_DEPTH - 1] = {};
	s64 narrow, half, wide;
	long one, all;
	char name[16];
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, leaf);
	for (i = 0; i < ARRAY_SIZE(layer); i++) {
		snprintf(name, sizeof(name), "/layer%d", i);
		layer[i] = toy_cutter(name, i ? layer[i - 1] : leaf, BORDER);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, layer[i]);
	}
	submit_wide(test, &layer[0]->dev, FANOUT, &narrow);	/* warm up */
	one = submit_wide(test, &layer[0]->dev, 1, &narrow);
	all = submit_wide(test, &layer[0]->dev, FANOUT / 2, &half);
	KUNIT_EXPECT_TRUE(test, all - one < 256);
	all = submit_wide(test, &layer[0]->dev, FANOUT, &wide);
	KUNIT_EXPECT_TRUE(test, all - one < 256);
	pr_info("    # fan-out 1: %ld bytes of stack; 1024: %ld; time of 512 %lld ns, of 1024 %lld ns\n",
		one, all, half, wide);
	i = ARRAY_SIZE(layer) - 1;
	all = submit_wide(test, &layer[i]->dev, FANOUT, &wide);
	KUNIT_EXPECT_TRUE(test, all - one < 512);
	pr_info("    # depth 32, fan-out 1024: %ld bytes of stack, %lld ns\n",
		all, wide);
	for (; i >= 0; i--)
		toy_free(layer[i]);
	toy_free(leaf);
}

static struct kunit_case scale_cases[] = {
	KUNIT_CASE(clone_allocates_nothing),
	KUNIT_CASE(wide_and_deep),
	{}
};

struct kunit_suite kio_scale_suite = {
	.name		= "kio_scale",
	.test_cases	= scale_cases,
};
