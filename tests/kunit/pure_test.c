// SPDX-License-Identifier: GPL-2.0
/* Arithmetic without I/O: segment lookup. */
#include "tests.h"

#include "lvm/map.c"

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

static struct kunit_case pure_cases[] = {
	KUNIT_CASE(find_segment),
	{}
};

struct kunit_suite kio_pure_suite = {
	.name		= "kio_pure",
	.test_cases	= pure_cases,
};
