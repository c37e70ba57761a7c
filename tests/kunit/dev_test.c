// SPDX-License-Identifier: GPL-2.0
/* Devices: the graph, the way down, frames. */
#include "tests.h"

#include <linux/sched/task_stack.h>
#include <linux/slab.h>

/* A device that ends what it gets, passes it on, or cuts it up. */
struct toy {
	struct kiobuf_dev	dev;
	struct kiobuf_dev	*lower;
	u64			border;		/* cut here; 0: never */
	u64			fail_at;	/* bytes that are good */
	int			error;
	int			seen, ends, retries;
	u64			last_pos, last_length;
	unsigned long		stack;
};

static struct toy *toy_of(struct kiobuf_dev *dev)
{
	return container_of(dev, struct toy, dev);
}

static int leaf_submit(struct kiobuf *kb)
{
	struct toy *toy = toy_of(kb->dev);

	toy->seen++;
	toy->last_pos = kb->pos;
	toy->last_length = kb->length;
	toy->stack = (unsigned long)&toy;
	if (toy->error)
		kiobuf_endio(kb, toy->fail_at, toy->error);
	else
		kiobuf_endio(kb, kb->length, 0);
	return KIOBUF_SUBMITTED;
}

static int pass_submit(struct kiobuf *kb)
{
	struct toy *toy = toy_of(kb->dev);

	toy->seen++;
	if (toy->border && kb->pos % toy->border + kb->length > toy->border)
		return KIOBUF_SPLIT;
	kb->pos += 512;
	kb->dev = toy->lower;
	return KIOBUF_REMAPPED;
}

static struct kiobuf *pass_next_child(struct kiobuf *parent)
{
	struct toy *toy = toy_of(parent->dev);
	u64 pos = parent->pos + parent->carved;
	struct kiobuf *kb;

	kb = kiobuf_carve(parent, toy->border - pos % toy->border);
	if (IS_ERR_OR_NULL(kb))
		return kb;
	kb->pos += 512;
	kb->dev = toy->lower;
	return kb;
}

static enum kiobuf_climb retry_endio(struct kiobuf *kb,
				     const struct kiobuf_frame *frame);

/* Tries again once, by the worker, unseen above. */
static int retry_submit(struct kiobuf *kb)
{
	struct toy *toy = toy_of(kb->dev);

	toy->seen++;
	if (!kiobuf_push_frame(kb, retry_endio, 1))
		return -ENOBUFS;
	kb->pos += 512;
	kb->dev = toy->lower;
	return KIOBUF_REMAPPED;
}

static enum kiobuf_climb retry_endio(struct kiobuf *kb,
				     const struct kiobuf_frame *frame)
{
	struct toy *toy = toy_of(kb->dev);

	toy->ends++;
	if (!kb->error || toy->retries)
		return KIOBUF_CLIMB;
	toy->retries++;
	toy_of(toy->lower)->error = 0;
	kiobuf_restart(kb);
	kiobuf_defer(kb, &toy->dev);
	return KIOBUF_HOLD;
}

static int refuse_submit(struct kiobuf *kb)
{
	return -ENOMEDIUM;
}

static const struct kiobuf_dev_ops leaf_ops = { .submit = leaf_submit };
static const struct kiobuf_dev_ops refuse_ops = { .submit = refuse_submit };
static const struct kiobuf_dev_ops pass_ops = {
	.submit		= pass_submit,
	.next_child	= pass_next_child,
};
static const struct kiobuf_dev_ops retry_ops = { .submit = retry_submit };

static struct toy *toys_new(int nr, const struct kiobuf_dev_ops *ops)
{
	struct toy *toys = kvcalloc(nr, sizeof(*toys), GFP_KERNEL);
	char name[16];
	int i;

	if (!toys)
		return NULL;
	/* The last one is a leaf; each other passes to the next. */
	for (i = 0; i < nr; i++) {
		snprintf(name, sizeof(name), "/toy%d", i);
		if (i < nr - 1)
			toys[i].lower = &toys[i + 1].dev;
		if (kiobuf_dev_register(&toys[i].dev, name,
					i < nr - 1 ? ops : &leaf_ops))
			return NULL;
	}
	return toys;
}

static void toys_free(struct toy *toys, int nr)
{
	int i;

	for (i = 0; i < nr; i++)
		kiobuf_dev_unregister(&toys[i].dev);
	kvfree(toys);
}

static void submit_and_wait(struct kiobuf *kb, struct kiobuf_dev *dev, u64 pos,
			    u64 length)
{
	kiobuf_init(kb, dev, KIOBUF_DISCARD, pos, NULL, length);
	kiobuf_submit(kb);
	kiobuf_wait(kb);
}

static void graph(struct kunit *test)
{
	struct toy *t = toys_new(3, &pass_ops);
	static struct toy twin;	/* has work in it, not for a stack */

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	KUNIT_EXPECT_EQ(test, kiobuf_dev_register(&twin.dev, "/toy1",
						  &leaf_ops), -EEXIST);
	KUNIT_EXPECT_EQ(test, kiobuf_dev_link(&t[0].dev, &t[0].dev), -ELOOP);
	KUNIT_EXPECT_EQ(test, kiobuf_dev_link(&t[0].dev, &t[1].dev), 0);
	KUNIT_EXPECT_EQ(test, kiobuf_dev_link(&t[0].dev, &t[1].dev), -EEXIST);
	KUNIT_EXPECT_EQ(test, kiobuf_dev_link(&t[1].dev, &t[0].dev), -ELOOP);
	KUNIT_EXPECT_EQ(test, kiobuf_dev_link(&t[1].dev, &t[2].dev), 0);
	KUNIT_EXPECT_EQ(test, kiobuf_dev_link(&t[2].dev, &t[0].dev), -ELOOP);
	KUNIT_EXPECT_EQ(test, kiobuf_dev_link(&t[0].dev, &t[2].dev), 0);
	KUNIT_EXPECT_EQ(test, t[0].dev.depth, 3);
	kiobuf_dev_unlink(&t[1].dev, &t[2].dev);
	KUNIT_EXPECT_EQ(test, t[0].dev.depth, 2);
	kiobuf_dev_unlink(&t[0].dev, &t[2].dev);
	kiobuf_dev_unlink(&t[0].dev, &t[1].dev);
	KUNIT_EXPECT_EQ(test, t[0].dev.depth, 1);
	toys_free(t, 3);
}

static void depth_limit(struct kunit *test)
{
	const int nr = KIOBUF_DEV_MAX_DEPTH + 1;
	struct toy *t = toys_new(nr, &pass_ops);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	for (i = nr - 2; i >= 1; i--)
		KUNIT_EXPECT_EQ(test, kiobuf_dev_link(&t[i].dev, &t[i + 1].dev),
				0);
	KUNIT_EXPECT_EQ(test, kiobuf_dev_link(&t[0].dev, &t[1].dev), -EMLINK);
	for (i = 1; i < nr - 1; i++)
		kiobuf_dev_unlink(&t[i].dev, &t[i + 1].dev);
	toys_free(t, nr);
}

/* Stack use at the leaf must not depend on how many layers are above it. */
static void flat_stack(struct kunit *test)
{
	const int nr = 32;
	struct toy *t = toys_new(nr, &pass_ops);
	unsigned long deep, shallow;
	struct kiobuf kb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	submit_and_wait(&kb, &t[0].dev, 0, 4096);
	deep = t[nr - 1].stack;
	KUNIT_EXPECT_EQ(test, t[nr - 1].last_pos, (nr - 1) * 512);
	submit_and_wait(&kb, &t[nr - 2].dev, 0, 4096);
	shallow = t[nr - 1].stack;
	KUNIT_EXPECT_EQ(test, deep, shallow);
	KUNIT_EXPECT_EQ(test, kb.bytes, 4096);
	toys_free(t, nr);
}

/* Eight layers that all split: each byte arrives once, the stack stays flat. */
static void split_tree(struct kunit *test)
{
	const int nr = 9;
	struct toy *t = toys_new(nr, &pass_ops);
	struct kiobuf kb;
	unsigned long stack;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	submit_and_wait(&kb, &t[0].dev, 0, 512);
	stack = t[nr - 1].stack;
	for (i = 0; i < nr - 1; i++)
		t[i].border = 65536 >> i;
	t[nr - 1].seen = 0;
	submit_and_wait(&kb, &t[0].dev, 512, 1 << 20);
	KUNIT_EXPECT_EQ(test, kb.error, 0);
	KUNIT_EXPECT_EQ(test, kb.bytes, 1 << 20);
	KUNIT_EXPECT_TRUE(test, t[nr - 1].seen >= 2048);
	KUNIT_EXPECT_TRUE(test, stack - t[nr - 1].stack < 512);
	toys_free(t, nr);
}

static void split_failure(struct kunit *test)
{
	struct toy *t = toys_new(2, &pass_ops);
	struct kiobuf kb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	t[0].border = 4096;
	t[1].error = -ENOLINK;
	t[1].fail_at = 100;
	submit_and_wait(&kb, &t[0].dev, 1024, 32768);
	KUNIT_EXPECT_EQ(test, kb.error, -ENOLINK);
	KUNIT_EXPECT_EQ(test, kb.bytes, 100);
	kiobuf_dev_set_ops(&t[1].dev, &refuse_ops);
	submit_and_wait(&kb, &t[0].dev, 1024, 32768);
	KUNIT_EXPECT_EQ(test, kb.error, -ENOMEDIUM);
	KUNIT_EXPECT_EQ(test, kb.bytes, 0);
	toys_free(t, 2);
}

static void held_and_retried(struct kunit *test)
{
	struct toy *t = toys_new(2, &retry_ops);
	struct {
		struct kiobuf		kb;
		struct kiobuf_frame	frame[1];
	} io;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, t);
	t[1].error = -EIO;
	kiobuf_init(&io.kb, &t[0].dev, KIOBUF_DISCARD, 8192, NULL, 4096);
	kiobuf_lend_frames(&io.kb, ARRAY_SIZE(io.frame));
	kiobuf_submit(&io.kb);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&io.kb), 0);
	KUNIT_EXPECT_EQ(test, io.kb.bytes, 4096);
	KUNIT_EXPECT_EQ(test, io.kb.spare, 1);
	KUNIT_EXPECT_EQ(test, t[0].retries, 1);
	KUNIT_EXPECT_EQ(test, t[0].ends, 2);
	KUNIT_EXPECT_EQ(test, t[1].seen, 2);
	KUNIT_EXPECT_EQ(test, t[1].last_pos, 8192 + 512);
	toys_free(t, 2);
}

static struct kunit_case dev_cases[] = {
	KUNIT_CASE(graph),
	KUNIT_CASE(depth_limit),
	KUNIT_CASE(flat_stack),
	KUNIT_CASE(split_tree),
	KUNIT_CASE(split_failure),
	KUNIT_CASE(held_and_retried),
	{}
};

struct kunit_suite kio_dev_suite = {
	.name		= "kio_dev",
	.test_cases	= dev_cases,
};
