// SPDX-License-Identifier: GPL-2.0
/* Arithmetic without I/O: segment lookup, and pieces of devices. */
#include "tests.h"

#include "lvm/map.c"
#include "lvm/pieces.c"

static void find_segment(struct kunit *test)
{
	struct klvm_segment segments[] = {
		{ .start = 0 }, { .start = 512 }, { .start = 4096 },
		{ .start = 8192 }, { .start = 1ULL << 62 },
	};
	static const struct {
		u64 pos;
		u32 segment;
	} cases[] = {
		{ 0, 0 }, { 511, 0 }, { 512, 1 }, { 4095, 1 }, { 4096, 2 },
		{ 8191, 2 }, { 8192, 3 }, { (1ULL << 62) - 1, 3 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test, klvm_find(segments, 4, cases[i].pos),
				cases[i].segment);
	KUNIT_EXPECT_EQ(test, klvm_find(segments, 1, 511), 0);
}

/* Devices are told apart by their addresses only. */
#define PIECE_DEV(_n) ((struct block_device *)(long)(_n))

/* {device, start, length}, up to one of no length */
static struct klvm_pieces *pieces_make(const u64 (*of)[3])
{
	struct klvm_pieces *pieces = klvm_pieces_new(8);

	if (!pieces)
		return NULL;
	for (; (*of)[2]; of++)
		klvm_pieces_add(pieces, PIECE_DEV((*of)[0]), (*of)[1], (*of)[2]);
	klvm_pieces_sort(pieces);
	return pieces;
}

static void join_pieces(struct kunit *test)
{
	static const u64 given[][3] = {
		{ 2, 8, 8 }, { 1, 100, 10 }, { 2, 0, 8 }, { 1, 90, 5 },
		{ 1, 80, 100 }, { 2, 17, 1 }, { 1, 181, 1 }, {},
	};
	static const struct klvm_piece wanted[] = {
		{ PIECE_DEV(1), 80, 180 }, { PIECE_DEV(1), 181, 182 },
		{ PIECE_DEV(2), 0, 16 }, { PIECE_DEV(2), 17, 18 },
	};
	static const u64 none[][3] = { {} };
	struct klvm_pieces *pieces = pieces_make(given);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pieces);
	KUNIT_EXPECT_EQ(test, pieces->nr, (u32)ARRAY_SIZE(wanted));
	KUNIT_EXPECT_EQ(test, 0, memcmp(pieces->piece, wanted, sizeof(wanted)));
	kvfree(pieces);
	pieces = pieces_make(none);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pieces);
	KUNIT_EXPECT_EQ(test, pieces->nr, 0U);
	kvfree(pieces);
}

static void pieces_that_meet(struct kunit *test)
{
	static const struct {
		u64 a[3][3], b[4][3];
		s64 at;	/* start of the piece of b, -1 if they do not meet */
	} cases[] = {
		{ { { 1, 0, 8 } }, { { 1, 8, 8 } }, -1 },
		{ { { 1, 0, 9 } }, { { 1, 8, 8 } }, 8 },
		{ { { 1, 15, 1 } }, { { 1, 8, 8 } }, 8 },
		{ { { 1, 16, 1 } }, { { 1, 8, 8 } }, -1 },
		{ { { 1, 0, 99 } }, { { 1, 8, 8 } }, 8 },
		{ { { 1, 9, 1 } }, { { 1, 8, 8 } }, 8 },
		{ { { 1, 8, 8 } }, { { 2, 8, 8 } }, -1 },
		{ { { 2, 8, 8 } }, { { 1, 8, 8 } }, -1 },
		{ { { 1, 0, 8 }, { 3, 0, 8 } }, { { 2, 0, 8 }, { 3, 4, 8 } }, 4 },
		{ { { 1, 8, 8 }, { 1, 24, 8 } },
		  { { 1, 0, 8 }, { 1, 16, 8 }, { 1, 32, 8 } }, -1 },
		{ { { 1, 8, 8 }, { 1, 24, 8 } },
		  { { 1, 0, 8 }, { 1, 16, 8 }, { 1, 31, 8 } }, 31 },
		{ { {} }, { { 1, 0, 8 } }, -1 },
		{ { { 1, 0, 8 } }, { {} }, -1 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct klvm_pieces *a = pieces_make(cases[i].a);
		struct klvm_pieces *b = pieces_make(cases[i].b);
		const struct klvm_piece *met;

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, a);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b);
		met = klvm_pieces_meet(a, b);
		KUNIT_EXPECT_EQ(test, met ? (s64)met->start : -1, cases[i].at);
		KUNIT_EXPECT_EQ(test, !klvm_pieces_meet(b, a), !met);
		kvfree(a);
		kvfree(b);
	}
}

static struct kunit_case pure_cases[] = {
	KUNIT_CASE(find_segment),
	KUNIT_CASE(join_pieces),
	KUNIT_CASE(pieces_that_meet),
	{}
};

struct kunit_suite kio_pure_suite = {
	.name		= "kio_pure",
	.test_cases	= pure_cases,
};
