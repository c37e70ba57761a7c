// SPDX-License-Identifier: GPL-2.0
/* Arithmetic without I/O: segment lookup, RAID-0 layout. */
#include "tests.h"

#include "lvm/map.c"
#include "raid/layout.c"

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

static void raid0_places(struct kunit *test)
{
	static const struct {
		u64 pos;
		u32 legs, chunk, shift, leg;
		u64 leg_pos;
	} cases[] = {
		{ 0, 3, 65536, 16, 0, 0 },
		{ 65535, 3, 65536, 16, 0, 65535 },
		{ 65536, 3, 65536, 16, 1, 0 },
		{ 3 * 65536, 3, 65536, 16, 0, 65536 },
		{ 24576, 2, 24576, 0, 1, 0 },
		{ 24576 * 3 + 7, 2, 24576, 0, 1, 24576 + 7 },
		{ 1ULL << 60, 2, 65536, 16, 0, 1ULL << 59 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct kraid_place place = raid0_map(cases[i].pos,
						     cases[i].legs,
						     cases[i].chunk,
						     cases[i].shift);

		KUNIT_EXPECT_EQ(test, place.leg, cases[i].leg);
		KUNIT_EXPECT_EQ(test, place.pos, cases[i].leg_pos);
		KUNIT_EXPECT_EQ(test, raid0_unmap(place, cases[i].legs,
						  cases[i].chunk),
				cases[i].pos);
	}
}

/* The shares of all legs must be what walking chunk by chunk gives. */
static void raid0_shares(struct kunit *test)
{
	const u32 legs = 3, chunk = 4096;
	u64 length, share[3] = {};
	u32 leg;

	for (length = 0; length < 20 * chunk; length += 512) {
		for (leg = 0; leg < legs; leg++)
			KUNIT_EXPECT_EQ(test,
					raid0_leg_bytes(length, leg, legs,
							chunk),
					share[leg]);
		share[raid0_map(length, legs, chunk, 12).leg] += 512;
	}
}

static struct kunit_case pure_cases[] = {
	KUNIT_CASE(find_segment),
	KUNIT_CASE(raid0_places),
	KUNIT_CASE(raid0_shares),
	{}
};

struct kunit_suite kio_pure_suite = {
	.name		= "kio_pure",
	.test_cases	= pure_cases,
};
