// SPDX-License-Identifier: GPL-2.0
/* Ends that race: with each other, with a waiter that frees at once. */
#include "tests.h"

#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/slab.h>

#define ROUNDS 20000
#define LIVES (IS_ENABLED(CONFIG_KASAN) ? 100000 : 1000000)

/* Two threads meet at each round, then each ends one child. */
struct duel {
	struct kiobuf	parent;
	struct kiobuf	child[2];
	atomic_t	ready;
	atomic_t	round;
	int		ends;
	struct completion done;
};

static void duel_end_io(struct kiobuf *kb)
{
	((struct duel *)kb->private)->ends++;
}

static int duel_thread(void *arg)
{
	struct duel *duel = arg;
	int round;

	for (round = 1; round <= ROUNDS; round++) {
		while (atomic_read_acquire(&duel->round) != round)
			cond_resched();
		kiobuf_endio(&duel->child[1], 0, -EIO);
		atomic_inc(&duel->ready);
	}
	complete(&duel->done);
	return 0;
}

static void duel_set_up(struct duel *duel)
{
	kiobuf_init(&duel->parent, NULL, KIOBUF_DISCARD, 0, NULL, 8192);
	duel->parent.end_io = duel_end_io;
	duel->parent.private = duel;
	kiobuf_init_clone(&duel->child[0], &duel->parent, 0, 4096);
	kiobuf_init_clone(&duel->child[1], &duel->parent, 4096, 4096);
	kiobuf_endio(&duel->parent, 8192, 0);
}

static void two_ends(struct kunit *test)
{
	struct duel *duel = kzalloc(sizeof(*duel), GFP_KERNEL);
	struct task_struct *task;
	int round, bad = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, duel);
	init_completion(&duel->done);
	task = kthread_run(duel_thread, duel, "kio_duel");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	for (round = 1; round <= ROUNDS; round++) {
		duel_set_up(duel);
		atomic_set_release(&duel->round, round);
		kiobuf_endio(&duel->child[0], 4096, 0);
		while (atomic_read_acquire(&duel->ready) != round)
			cond_resched();
		bad += duel->ends != round || duel->parent.bytes != 4096 ||
		       duel->parent.error != -EIO;
	}
	wait_for_completion(&duel->done);
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, duel->ends, ROUNDS);
	kfree(duel);
}

static struct kiobuf *handed_over;

static int ender_thread(void *arg)
{
	struct completion *done = arg;
	struct kiobuf *kb;
	int round;

	for (round = 0; round < ROUNDS; round++) {
		while (!(kb = xchg(&handed_over, NULL)))
			cond_resched();
		kiobuf_endio(kb, kb->length, 0);
	}
	complete(done);
	return 0;
}

/* The waiter frees the header as soon as it wakes, under the ender's nose. */
static void free_on_wake(struct kunit *test)
{
	DECLARE_COMPLETION_ONSTACK(done);
	struct task_struct *task;
	struct kiobuf *kb;
	int round, bad = 0;

	task = kthread_run(ender_thread, &done, "kio_ender");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	for (round = 0; round < ROUNDS; round++) {
		kb = kmalloc(sizeof(*kb), GFP_KERNEL | __GFP_NOFAIL);
		kiobuf_init(kb, NULL, KIOBUF_DISCARD, 0, NULL, 4096);
		xchg(&handed_over, kb);
		bad += kiobuf_wait(kb) != 0;
		memset(kb, 0x6b, sizeof(*kb));
		kfree(kb);
	}
	wait_for_completion(&done);
	KUNIT_EXPECT_EQ(test, bad, 0);
}

/* Many objects through their life; kmemleak has the last word. */
static void many_lives(struct kunit *test)
{
	struct kiobuf *kb;
	int i;

	for (i = 0; i < LIVES; i++) {
		kb = kiobuf_alloc(GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kb);
		kiobuf_reset(kb, NULL, KIOBUF_DISCARD, 0, NULL, i);
		kiobuf_endio(kb, i, 0);
		kiobuf_put(kb);
	}
}

static struct kunit_case race_cases[] = {
	KUNIT_CASE(two_ends),
	KUNIT_CASE(free_on_wake),
	KUNIT_CASE(many_lives),
	{}
};

struct kunit_suite kio_race_suite = {
	.name		= "kio_race",
	.test_cases	= race_cases,
};
