// SPDX-License-Identifier: GPL-2.0
/* Results: prefix and lowest failure, whatever the order of arrival; lifetimes. */
#include "tests.h"

#define NR 4
#define PIECE 4096

struct result {
	u64 bytes;
	int error;
};

static const struct {
	struct result	child[NR];
	struct result	want;
} tables[] = {
	/* all is well */
	{ { { PIECE, 0 }, { PIECE, 0 }, { PIECE, 0 }, { PIECE, 0 } },
	  { NR * PIECE, 0 } },
	/* first child fails, last one succeeds */
	{ { { 0, -EIO }, { PIECE, 0 }, { PIECE, 0 }, { PIECE, 0 } },
	  { 0, -EIO } },
	/* a child that gets half-way */
	{ { { PIECE, 0 }, { 100, -ENOSPC }, { PIECE, 0 }, { PIECE, 0 } },
	  { PIECE + 100, -ENOSPC } },
	/* two failures: the lowest offset counts */
	{ { { PIECE, 0 }, { PIECE, 0 }, { 7, -EDQUOT }, { 0, -EIO } },
	  { 2 * PIECE + 7, -EDQUOT } },
	/* an errno that no bio can hold */
	{ { { PIECE, 0 }, { PIECE, 0 }, { PIECE, 0 }, { 9, -ECANCELED } },
	  { 3 * PIECE + 9, -ECANCELED } },
	/* short without an errno is no success */
	{ { { PIECE, 0 }, { PIECE - 1, 0 }, { PIECE, 0 }, { PIECE, 0 } },
	  { 2 * PIECE - 1, -EIO } },
	/* an errno with all bytes moved is still one */
	{ { { PIECE, -ENOSPC }, { PIECE, 0 }, { PIECE, 0 }, { PIECE, 0 } },
	  { PIECE, -ENOSPC } },
};

static void one_order(struct kunit *test, int table, const int *order)
{
	static struct kiobuf parent, child[NR];	/* much for a stack */
	int i;

	kiobuf_init(&parent, NULL, KIOBUF_DISCARD, 0, NULL, NR * PIECE);
	for (i = 0; i < NR; i++)
		kiobuf_init_clone(&child[i], &parent, i * PIECE, PIECE);
	kiobuf_endio(&parent, NR * PIECE, 0);
	for (i = 0; i < NR; i++) {
		const struct result *r = &tables[table].child[order[i]];

		KUNIT_EXPECT_FALSE(test, kiobuf_is_done(&parent));
		kiobuf_endio(&child[order[i]], r->bytes, r->error);
	}
	KUNIT_EXPECT_TRUE(test, kiobuf_is_done(&parent));
	KUNIT_EXPECT_EQ(test, parent.bytes, tables[table].want.bytes);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&parent), tables[table].want.error);
}

/* All 24 orders of arrival must give the same answer. */
static void every_order(struct kunit *test)
{
	int table, a, b, c;

	for (table = 0; table < ARRAY_SIZE(tables); table++)
		for (a = 0; a < NR * NR * NR; a++) {
			int order[NR] = { a % NR, a / NR % NR, a / NR / NR };

			b = order[0] != order[1] && order[0] != order[2] &&
			    order[1] != order[2];
			c = 6 - order[0] - order[1] - order[2];
			if (!b)
				continue;
			order[3] = c;
			one_order(test, table, order);
		}
}

/* Clones that overlap fail at one offset: rank decides, not time. */
static void same_offset(struct kunit *test)
{
	static const struct {
		int a, b, want;
	} cases[] = {
		{ -EIO, -EAGAIN, -EIO }, { -EAGAIN, -EIO, -EIO },
		{ -ENOMEM, -ENOSPC, -ENOSPC }, { -ENOSPC, -ENOMEM, -ENOSPC },
		{ -EIO, -ENOSPC, -EIO }, { -ENOSPC, -EIO, -EIO },
		{ -EAGAIN, -ENOMEM, -EAGAIN },
	};
	struct kiobuf parent, child[2];
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		kiobuf_init(&parent, NULL, KIOBUF_FLUSH, 0, NULL, 0);
		kiobuf_init_clone(&child[0], &parent, 0, 0);
		kiobuf_init_clone(&child[1], &parent, 0, 0);
		kiobuf_endio(&parent, 0, 0);
		kiobuf_endio(&child[0], 0, cases[i].a);
		kiobuf_endio(&child[1], 0, cases[i].b);
		KUNIT_EXPECT_EQ(test, kiobuf_wait(&parent), cases[i].want);
	}
}

static void count_end_io(struct kiobuf *kb)
{
	(*(int *)kb->private)++;
}

/* Child 1 ends before child 2 is made: the submitter's share holds. */
static void early_end(struct kunit *test)
{
	struct kiobuf parent, child;
	int ends = 0, i;

	kiobuf_init(&parent, NULL, KIOBUF_DISCARD, 0, NULL, 16 * PIECE);
	parent.end_io = count_end_io;
	parent.private = &ends;
	for (i = 0; i < 16; i++) {
		kiobuf_init_clone(&child, &parent, i * PIECE, PIECE);
		kiobuf_endio(&child, PIECE, 0);
		KUNIT_EXPECT_EQ(test, ends, 0);
	}
	kiobuf_endio(&parent, 16 * PIECE, 0);
	KUNIT_EXPECT_EQ(test, ends, 1);
}

/* The caller lets go of the parent first; the last child ends it. */
static void parent_put_first(struct kunit *test)
{
	struct kiobuf *parent = kiobuf_alloc(GFP_KERNEL);
	struct kiobuf child;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, parent);
	kiobuf_reset(parent, NULL, KIOBUF_DISCARD, 0, NULL, PIECE);
	kiobuf_init_clone(&child, parent, 0, PIECE);
	kiobuf_endio(parent, PIECE, 0);
	kiobuf_put(parent);
	KUNIT_EXPECT_EQ(test, parent->length, PIECE);
	kiobuf_endio(&child, PIECE, 0);
}

static void put_when_idle(struct kunit *test)
{
	struct kiobuf *kb = kiobuf_alloc(GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kb);
	kiobuf_put(kb);
	kb = kiobuf_alloc(GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kb);
	kiobuf_reset(kb, NULL, KIOBUF_DISCARD, 0, NULL, PIECE);
	kiobuf_put(kb);
	kiobuf_put(NULL);
}

#define DEPTH 1000

/* An end at the bottom of a chain climbs without using the stack. */
static void deep_chain(struct kunit *test)
{
	struct kiobuf *kb = kvcalloc(DEPTH, sizeof(*kb), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kb);
	kiobuf_init(&kb[0], NULL, KIOBUF_DISCARD, 0, NULL, PIECE);
	for (i = 1; i < DEPTH; i++) {
		kiobuf_init_clone(&kb[i], &kb[i - 1], 1, kb[i - 1].length - 1);
		kiobuf_endio(&kb[i - 1], kb[i - 1].length, 0);
	}
	kiobuf_endio(&kb[DEPTH - 1], 5, -ENOLINK);
	for (i = 0; i < DEPTH; i++) {
		KUNIT_EXPECT_TRUE(test, kiobuf_is_done(&kb[i]));
		KUNIT_EXPECT_EQ(test, kb[i].bytes, DEPTH - 1 - i + 5);
		KUNIT_EXPECT_EQ(test, kb[i].error, -ENOLINK);
	}
	kvfree(kb);
}

static struct kunit_case complete_cases[] = {
	KUNIT_CASE(every_order),
	KUNIT_CASE(same_offset),
	KUNIT_CASE(early_end),
	KUNIT_CASE(parent_put_first),
	KUNIT_CASE(put_when_idle),
	KUNIT_CASE(deep_chain),
	{}
};

struct kunit_suite kio_complete_suite = {
	.name		= "kio_complete",
	.test_cases	= complete_cases,
};
