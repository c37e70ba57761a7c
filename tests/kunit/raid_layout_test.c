// SPDX-License-Identifier: GPL-2.0
/*
 * Layouts of raid/layout.c: values seen on legs of md, and what holds for all.
 */
#include "tests.h"

#include <linux/prandom.h>

#include "raid/layout.c"

#define MAX_LEGS	16
#define MAX_ROWS	64

/* Which chunks of the legs are taken */
static u8 taken[MAX_LEGS][MAX_ROWS];

/* False if it was taken already, or is none. */
static bool take(struct kraid_place place, u32 chunk)
{
	u64 row = div_u64(place.pos, chunk);

	if (place.leg >= MAX_LEGS || row >= MAX_ROWS || taken[place.leg][row])
		return false;
	taken[place.leg][row] = 1;
	return true;
}

static bool same_place(struct kraid_place a, struct kraid_place b)
{
	return a.leg == b.leg && a.pos == b.pos;
}

/* ---- level 0 ---- */

static struct raid0_map *map_of(const u64 *leg_bytes, u32 legs, u32 chunk,
				u32 layout)
{
	u64 bytes[MAX_LEGS];

	memcpy(bytes, leg_bytes, legs * sizeof(*bytes));
	return raid0_map_alloc(bytes, legs, chunk, layout);
}

static void raid0_places(struct kunit *test)
{
	static const struct {
		u64 pos;
		u32 legs, chunk, leg;
		u64 leg_pos;
	} cases[] = {
		{ 0, 3, 65536, 0, 0 },
		{ 65535, 3, 65536, 0, 65535 },
		{ 65536, 3, 65536, 1, 0 },
		{ 3 * 65536, 3, 65536, 0, 65536 },
		{ 24576, 2, 24576, 1, 0 },
		{ 24576 * 3 + 7, 2, 24576, 1, 24576 + 7 },
		{ 1ULL << 60, 2, 65536, 0, 1ULL << 59 },
	};
	static const u64 bytes[] = { 1ULL << 60, 1ULL << 60, 1ULL << 60 };
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct raid0_map *map = map_of(bytes, cases[i].legs,
					       cases[i].chunk, RAID0_ORIGINAL);
		struct kraid_place place;

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, map);
		place = raid0_place(map, cases[i].pos);
		KUNIT_EXPECT_EQ(test, map->nr_zones, 1);
		KUNIT_EXPECT_EQ(test, place.leg, cases[i].leg);
		KUNIT_EXPECT_EQ(test, place.pos, cases[i].leg_pos);
		KUNIT_EXPECT_EQ(test, raid0_unmap(map, place), cases[i].pos);
		raid0_map_free(map);
	}
}

/*
 * Read from the legs of arrays of md of Linux 6.1, whose chunks had been filled
 * with their numbers. A row of the table is a row of chunks, -1 where the leg
 * has ended.
 */
struct raid0_golden {
	u64	leg_chunks[4];
	s8	chunks[2][6][4];	/* by layout: original, alternate */
};

#define RAID0_GOLDEN_CHUNK	(512U << 10)

static const struct raid0_golden raid0_goldens[] = {
	{ { 2, 6, 4 }, { {
		{ 0, 1, 2 },
		{ 3, 4, 5 },
		{ -1, 6, 7 },
		{ -1, 8, 9 },
		{ -1, 10, -1 },
		{ -1, 11, -1 },
	}, {
		{ 0, 1, 2 },
		{ 3, 4, 5 },
		{ -1, 6, 7 },
		{ -1, 8, 9 },
		{ -1, 10, -1 },
		{ -1, 11, -1 },
	} } },
	{ { 4, 6, 2, 6 }, { {
		{ 0, 1, 2, 3 },
		{ 4, 5, 6, 7 },
		{ 9, 10, -1, 8 },
		{ 12, 13, -1, 11 },
		{ -1, 14, -1, 15 },
		{ -1, 16, -1, 17 },
	}, {
		{ 0, 1, 2, 3 },
		{ 4, 5, 6, 7 },
		{ 8, 9, -1, 10 },
		{ 11, 12, -1, 13 },
		{ -1, 14, -1, 15 },
		{ -1, 16, -1, 17 },
	} } },
};

static void raid0_check_golden(struct kunit *test, const struct raid0_golden *g,
			       u32 legs, u32 layout)
{
	const s8 (*chunks)[4] = g->chunks[layout - RAID0_ORIGINAL];
	u64 bytes[4];
	struct raid0_map *map;
	u32 i;

	for (i = 0; i < legs; i++)
		bytes[i] = g->leg_chunks[i] * RAID0_GOLDEN_CHUNK;
	map = raid0_map_alloc(bytes, legs, RAID0_GOLDEN_CHUNK, layout);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, map);
	for (i = 0; i < 6 * legs; i++) {
		struct kraid_place place = {
			.leg = i % legs,
			.pos = i / legs * RAID0_GOLDEN_CHUNK,
		};
		s64 wanted = chunks[i / legs][i % legs];
		u64 pos = wanted * RAID0_GOLDEN_CHUNK;

		if (wanted < 0)
			pos = U64_MAX;
		else
			KUNIT_EXPECT_TRUE(test,
					  same_place(place,
						     raid0_place(map, pos)));
		KUNIT_EXPECT_EQ(test, raid0_unmap(map, place), pos);
	}
	raid0_map_free(map);
}

static void raid0_as_md(struct kunit *test)
{
	const struct raid0_golden *g = raid0_goldens;

	for (; g < raid0_goldens + ARRAY_SIZE(raid0_goldens); g++) {
		u32 legs = g->leg_chunks[3] ? 4 : 3;

		raid0_check_golden(test, g, legs, RAID0_ORIGINAL);
		raid0_check_golden(test, g, legs, RAID0_ALTERNATE);
	}
}

/* md adds legs up with a mask: sizes seen there, of legs of 3, 6 and 8 MiB. */
static void raid0_sizes(struct kunit *test)
{
	static const u64 bytes[] = { 3 << 20, 6 << 20, 8 << 20 };
	static const u64 full = 1ULL << 62;
	static const u64 many[] = { full, full, full };
	struct raid0_map *map;

	map = map_of(bytes, 3, 4096, RAID0_ALTERNATE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, map);
	KUNIT_EXPECT_EQ(test, map->size, 17825792);
	raid0_map_free(map);
	map = map_of(bytes, 3, 12288, RAID0_ALTERNATE);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, map);
	KUNIT_EXPECT_EQ(test, map->size, 17809408);
	raid0_map_free(map);
	map = map_of(bytes, 3, 4 << 20, RAID0_ALTERNATE);
	KUNIT_EXPECT_TRUE(test, map == ERR_PTR(-ENOSPC));
	map = map_of(many, 3, 4096, RAID0_ALTERNATE);
	KUNIT_EXPECT_TRUE(test, map == ERR_PTR(-ENOSPC));
}

/* Each chunk has a place of its own, and all but what md wastes is used. */
static void raid0_check_map(struct kunit *test, const struct raid0_map *map,
			    u64 leg_bytes)
{
	u64 pos, wasted = leg_bytes - map->size;
	struct kraid_place place;

	memset(taken, 0, sizeof(taken));
	for (pos = 0; pos < map->size; pos += map->chunk) {
		place = raid0_place(map, pos);
		KUNIT_EXPECT_TRUE(test, take(place, map->chunk));
		KUNIT_EXPECT_EQ(test, raid0_unmap(map, place), pos);
		KUNIT_EXPECT_EQ(test, raid0_left(map, pos), map->chunk);
		place.pos += 513;
		KUNIT_EXPECT_TRUE(test, same_place(raid0_place(map, pos + 513),
						   place));
		KUNIT_EXPECT_EQ(test, raid0_unmap(map, place), pos + 513);
		KUNIT_EXPECT_EQ(test, raid0_left(map, pos + 513),
				map->chunk - 513);
	}
	KUNIT_EXPECT_TRUE(test, !(map->shift && wasted));
	place.pos = leg_bytes;
	KUNIT_EXPECT_EQ(test, raid0_unmap(map, place), U64_MAX);
}

/* The share, if any, that a byte of the range is in */
static int raid0_share_of(const struct raid0_map *map, u64 pos, u64 length,
			  struct kraid_place place)
{
	struct kraid_place at;
	u32 n, end;
	u64 bytes;

	for (n = raid0_shares(map, pos, length, &end); n < end; n++) {
		bytes = raid0_share(map, pos, length, n, &at);
		if (place.leg == at.leg && place.pos - at.pos < bytes)
			return n;
	}
	return -1;
}

/* Shares add up to the range, and each byte of the range is in one. */
static void raid0_check_shares(struct kunit *test, const struct raid0_map *map,
			       u64 pos, u64 length)
{
	struct kraid_place place;
	u64 i, bytes, sum = 0;
	u32 n, end;

	for (n = raid0_shares(map, pos, length, &end); n < end; n++) {
		bytes = raid0_share(map, pos, length, n, &place);
		sum += bytes;
		if (bytes)
			KUNIT_EXPECT_TRUE(test, raid0_unmap(map, place) - pos <
						length);
	}
	KUNIT_EXPECT_EQ(test, sum, length);
	for (i = 0; i < length; i += 2048) {
		place = raid0_place(map, pos + i);
		KUNIT_EXPECT_TRUE(test, raid0_share_of(map, pos, length,
						       place) >= 0);
	}
}

static void raid0_check_random_shares(struct kunit *test,
				      const struct raid0_map *map,
				      struct rnd_state *rnd)
{
	u32 sectors = map->size >> SECTOR_SHIFT, begin, nr, i;

	for (i = 0; i < 4; i++) {
		begin = prandom_u32_state(rnd) % sectors;
		nr = 1 + prandom_u32_state(rnd) % (sectors - begin);
		raid0_check_shares(test, map, (u64)begin << SECTOR_SHIFT,
				   (u64)nr << SECTOR_SHIFT);
	}
}

/* Legs of 1 to 9 chunks, which end with part of a chunk. */
static void raid0_check_random(struct kunit *test, struct rnd_state *rnd,
			       u32 chunk, u32 layout)
{
	u32 legs = 2 + prandom_u32_state(rnd) % 7, i;
	u64 bytes[MAX_LEGS], sum = 0;
	struct raid0_map *map;

	for (i = 0; i < legs; i++)
		bytes[i] = (1 + prandom_u32_state(rnd) % 9) * chunk +
			   (prandom_u32_state(rnd) % 8) * 512;
	map = raid0_map_alloc(bytes, legs, chunk, layout);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, map);
	for (i = 0; i < legs; i++)
		sum += bytes[i];
	raid0_check_map(test, map, sum);
	raid0_check_random_shares(test, map, rnd);
	raid0_map_free(map);
}

static void raid0_random(struct kunit *test)
{
	static const u32 chunks[] = { 4096, 8192, 12288 };
	struct rnd_state rnd;
	u32 i;

	prandom_seed_state(&rnd, 1);
	for (i = 0; i < 120; i++)
		raid0_check_random(test, &rnd, chunks[i % 3],
				   i & 1 ? RAID0_ORIGINAL : RAID0_ALTERNATE);
}

/* ---- level 10 ---- */

/* As above; legs of 1 MiB, chunks of 128 KiB. */
struct raid10_golden {
	u32	legs, layout;
	u64	size;
	s8	chunks[8][5];
};

#define RAID10_GOLDEN_CHUNK	(128U << 10)

static const struct raid10_golden raid10_goldens[] = {
	{ 3, 0x102, 1572864, {
		{ 0, 0, 1 },
		{ 1, 2, 2 },
		{ 3, 3, 4 },
		{ 4, 5, 5 },
		{ 6, 6, 7 },
		{ 7, 8, 8 },
		{ 9, 9, 10 },
		{ 10, 11, 11 },
	} },
	{ 5, 0x103, 1703936, {
		{ 0, 0, 0, 1, 1 },
		{ 1, 2, 2, 2, 3 },
		{ 3, 3, 4, 4, 4 },
		{ 5, 5, 5, 6, 6 },
		{ 6, 7, 7, 7, 8 },
		{ 8, 8, 9, 9, 9 },
		{ 10, 10, 10, 11, 11 },
		{ 11, 12, 12, 12, -1 },
	} },
	{ 3, 0x201, 1572864, {
		{ 0, 1, 2 },
		{ 3, 4, 5 },
		{ 6, 7, 8 },
		{ 9, 10, 11 },
		{ 2, 0, 1 },
		{ 5, 3, 4 },
		{ 8, 6, 7 },
		{ 11, 9, 10 },
	} },
	{ 4, 0x301, 1048576, {
		{ 0, 1, 2, 3 },
		{ 4, 5, 6, 7 },
		{ 3, 0, 1, 2 },
		{ 7, 4, 5, 6 },
		{ 2, 3, 0, 1 },
		{ 6, 7, 4, 5 },
		{ -1, -1, -1, -1 },
		{ -1, -1, -1, -1 },
	} },
	{ 3, 0x10201, 1572864, {
		{ 0, 1, 2 },
		{ 2, 0, 1 },
		{ 3, 4, 5 },
		{ 5, 3, 4 },
		{ 6, 7, 8 },
		{ 8, 6, 7 },
		{ 9, 10, 11 },
		{ 11, 9, 10 },
	} },
	{ 5, 0x10301, 1310720, {
		{ 0, 1, 2, 3, 4 },
		{ 4, 0, 1, 2, 3 },
		{ 3, 4, 0, 1, 2 },
		{ 5, 6, 7, 8, 9 },
		{ 9, 5, 6, 7, 8 },
		{ 8, 9, 5, 6, 7 },
		{ -1, -1, -1, -1, -1 },
		{ -1, -1, -1, -1, -1 },
	} },
	{ 5, 0x202, 1310720, {
		{ 0, 0, 1, 1, 2 },
		{ 2, 3, 3, 4, 4 },
		{ 5, 5, 6, 6, 7 },
		{ 7, 8, 8, 9, 9 },
		{ 1, 2, 0, 0, 1 },
		{ 4, 4, 2, 3, 3 },
		{ 6, 7, 5, 5, 6 },
		{ 9, 9, 7, 8, 8 },
	} },
	{ 4, 0x202, 1048576, {
		{ 0, 0, 1, 1 },
		{ 2, 2, 3, 3 },
		{ 4, 4, 5, 5 },
		{ 6, 6, 7, 7 },
		{ 1, 1, 0, 0 },
		{ 3, 3, 2, 2 },
		{ 5, 5, 4, 4 },
		{ 7, 7, 6, 6 },
	} },
	{ 4, 0x10202, 1048576, {
		{ 0, 0, 1, 1 },
		{ 1, 1, 0, 0 },
		{ 2, 2, 3, 3 },
		{ 3, 3, 2, 2 },
		{ 4, 4, 5, 5 },
		{ 5, 5, 4, 4 },
		{ 6, 6, 7, 7 },
		{ 7, 7, 6, 6 },
	} },
};

static bool raid10_is_copy(const struct raid10_geo *geo, u64 pos,
			   struct kraid_place place)
{
	u32 copy;

	for (copy = 0; copy < geo->copies; copy++)
		if (same_place(raid10_place(geo, pos, copy), place))
			return true;
	return false;
}

static void raid10_check_golden(struct kunit *test,
				const struct raid10_golden *g)
{
	struct raid10_geo geo;
	u32 i;

	KUNIT_EXPECT_EQ(test, raid10_setup(&geo, g->legs, g->layout,
					   RAID10_GOLDEN_CHUNK, 1 << 20), 0);
	KUNIT_EXPECT_EQ(test, geo.size, g->size);
	for (i = 0; i < 8 * g->legs; i++) {
		struct kraid_place place = {
			.leg = i % g->legs,
			.pos = i / g->legs * RAID10_GOLDEN_CHUNK,
		};
		s64 wanted = g->chunks[i / g->legs][i % g->legs];
		u64 pos = wanted < 0 ? U64_MAX : wanted * RAID10_GOLDEN_CHUNK;

		KUNIT_EXPECT_EQ(test, raid10_unmap(&geo, place), pos);
		KUNIT_EXPECT_TRUE(test, wanted < 0 ||
				  raid10_is_copy(&geo, pos, place));
	}
}

static void raid10_as_md(struct kunit *test)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(raid10_goldens); i++)
		raid10_check_golden(test, &raid10_goldens[i]);
}

static void raid10_check_copies(struct kunit *test,
				const struct raid10_geo *geo, u64 pos)
{
	struct kraid_place place;
	u32 legs = 0, copy;

	for (copy = 0; copy < geo->copies; copy++) {
		place = raid10_place(geo, pos, copy);
		legs |= 1U << place.leg;
		KUNIT_EXPECT_TRUE(test, place.leg < geo->legs);
		KUNIT_EXPECT_TRUE(test, place.pos + geo->chunk <=
					geo->leg_bytes);
		KUNIT_EXPECT_TRUE(test, take(place, geo->chunk));
		KUNIT_EXPECT_EQ(test, raid10_unmap(geo, place), pos);
		place.pos += 513;
		KUNIT_EXPECT_EQ(test, raid10_unmap(geo, place), pos + 513);
		KUNIT_EXPECT_TRUE(test, same_place(raid10_place(geo, pos + 513,
								copy), place));
	}
	KUNIT_EXPECT_EQ(test, hweight32(legs), geo->copies);
}

/* What no chunk was put into is none. */
static void raid10_check_rest(struct kunit *test, const struct raid10_geo *geo,
			      u64 bytes)
{
	struct kraid_place place;

	for (place.leg = 0; place.leg < geo->legs; place.leg++)
		for (place.pos = 0; place.pos < bytes; place.pos += geo->chunk)
			KUNIT_EXPECT_EQ(test, raid10_unmap(geo, place) !=
					      U64_MAX,
					taken[place.leg][place.pos >>
							 geo->shift]);
}

/* Shares are as large as the range's copies, which are all in them. */
static void raid10_check_shares(struct kunit *test,
				const struct raid10_geo *geo, u64 begin,
				u64 length)
{
	u64 pos = begin, whole = raid10_whole(geo, &pos, length), sum = 0, at;
	u32 n, nr = raid10_nr_shares(geo);
	struct kraid_place place;
	u64 bytes;

	if (whole)
		KUNIT_EXPECT_TRUE(test, pos >= begin &&
				  pos + whole <= begin + length);
	for (n = 0; n < nr; n++) {
		bytes = raid10_share(geo, begin, length, n, &place);
		sum += bytes;
		KUNIT_EXPECT_EQ(test, place.leg, n % geo->legs);
		for (; bytes; bytes -= geo->chunk, place.pos += geo->chunk) {
			at = raid10_unmap(geo, place);
			KUNIT_EXPECT_TRUE(test, at - pos < whole);
		}
	}
	KUNIT_EXPECT_EQ(test, sum, whole * geo->copies);
	/* Less than a cycle is lost at each end. */
	KUNIT_EXPECT_TRUE(test, length - whole < 2 * geo->cycle);
}

static void raid10_check(struct kunit *test, u32 legs, u32 layout, u32 chunk,
			 u64 bytes)
{
	struct raid10_geo geo;
	u64 pos;

	KUNIT_EXPECT_EQ(test, raid10_setup(&geo, legs, layout, chunk, bytes),
			0);
	KUNIT_EXPECT_TRUE(test, geo.leg_bytes <= bytes);
	memset(taken, 0, sizeof(taken));
	for (pos = 0; pos < geo.size; pos += chunk)
		raid10_check_copies(test, &geo, pos);
	raid10_check_rest(test, &geo, bytes & ~(chunk - 1ULL));
	raid10_check_shares(test, &geo, 0, geo.size);
	raid10_check_shares(test, &geo, chunk / 2, geo.size / 2);
	raid10_check_shares(test, &geo, geo.size / 3, geo.size / 3);
}

static void raid10_check_legs(struct kunit *test, u32 legs, u32 layout)
{
	u32 rows;

	for (rows = 3; rows < 24; rows += 4) {
		raid10_check(test, legs, layout, 4096, rows * 4096);
		raid10_check(test, legs, layout, 65536, rows * 65536 + 512);
	}
}

static void raid10_check_near(struct kunit *test, u32 legs, u32 near)
{
	u32 far, layout;

	for (far = 1; near * far <= legs; far++) {
		layout = near | far << 8;
		if (near * far == 1)
			continue;
		raid10_check_legs(test, legs, layout);
		if (legs % near == 0)
			raid10_check_legs(test, legs, layout | RAID10_OFFSET);
	}
}

static void raid10_all(struct kunit *test)
{
	u32 legs, near;

	for (legs = 2; legs <= MAX_LEGS; legs++)
		for (near = 1; near <= legs; near++)
			raid10_check_near(test, legs, near);
}

static void raid10_refused(struct kunit *test)
{
	static const struct {
		u32 legs, layout, chunk;
		u64 bytes;
		int error;
	} cases[] = {
		{ 4, 0x102, 65536, 1 << 20, 0 },
		{ 4, 0x101, 65536, 1 << 20, -EINVAL },
		{ 4, 0x002, 65536, 1 << 20, -EINVAL },
		{ 4, 0x200, 65536, 1 << 20, -EINVAL },
		{ 2, 0x103, 65536, 1 << 20, -EINVAL },
		{ 3, 0x202, 65536, 1 << 20, -EINVAL },
		{ 4, 0x20201, 65536, 1 << 20, -EINVAL },
		{ 4, 0x80102, 65536, 1 << 20, -EINVAL },
		{ 4, 0x102, 12288, 1 << 20, -EINVAL },
		{ 5, 0x10202, 65536, 1 << 20, -EINVAL },
		{ 4, 0x10202, 65536, 1 << 20, 0 },
		{ 3, 0x10102, 65536, 1 << 20, 0 },
		{ 2, 0x102, 4096, LLONG_MAX, 0 },
		{ 4, 0x102, 4096, LLONG_MAX, -EFBIG },
		{ 1024, 0x102, 4096, LLONG_MAX, -EFBIG },
	};
	struct raid10_geo geo;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test, raid10_setup(&geo, cases[i].legs,
						   cases[i].layout,
						   cases[i].chunk,
						   cases[i].bytes),
				cases[i].error);
	raid10_setup(&geo, 2, 0x102, 65536, 65535);
	KUNIT_EXPECT_EQ(test, geo.size, 0);
}

/* ---- names ---- */

static void layout_names(struct kunit *test)
{
	static const struct {
		const char *text;
		int error;
		u32 layout;
	} cases[] = {
		{ "", 0, 0x102 }, { "\n", 0, 0x102 }, { "n2", 0, 0x102 },
		{ "n2\n", 0, 0x102 }, { "f2", 0, 0x201 }, { "o3", 0, 0x10301 },
		{ "n16", 0, 0x110 }, { "n2f2", 0, 0x202 },
		{ "n2o2\n", 0, 0x10202 }, { "n255", 0, 0x1ff },
		{ "n256", -EINVAL }, { "n1", -EINVAL }, { "f1", -EINVAL },
		{ "n0f2", -EINVAL }, { "n", -EINVAL }, { "x2", -EINVAL },
		{ "n2x", -EINVAL }, { "f2n2", -EINVAL }, { "2", -EINVAL },
		{ "n1000", -EINVAL }, { "f-2", -EINVAL },
	};
	char name[16];
	u32 i, layout;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int error = kraid10_layout_parse(cases[i].text, &layout);

		KUNIT_EXPECT_EQ(test, error, cases[i].error);
		if (error)
			continue;
		KUNIT_EXPECT_EQ(test, layout, cases[i].layout);
		kraid10_layout_name(layout, name, sizeof(name));
		KUNIT_EXPECT_EQ(test, kraid10_layout_parse(name, &layout), 0);
		KUNIT_EXPECT_EQ(test, layout, cases[i].layout);
	}
	KUNIT_EXPECT_EQ(test, kraid0_layout_parse("", &layout), 0);
	KUNIT_EXPECT_EQ(test, layout, RAID0_ALTERNATE);
	KUNIT_EXPECT_EQ(test, kraid0_layout_parse("original\n", &layout), 0);
	KUNIT_EXPECT_EQ(test, layout, RAID0_ORIGINAL);
	KUNIT_EXPECT_EQ(test, kraid0_layout_parse("n2", &layout), -EINVAL);
	KUNIT_EXPECT_TRUE(test, !kraid0_layout_name(0));
	KUNIT_EXPECT_TRUE(test, sysfs_streq(kraid0_layout_name(2),
					    "alternate"));
}

static struct kunit_case raid_layout_cases[] = {
	KUNIT_CASE(raid0_places),
	KUNIT_CASE(raid0_as_md),
	KUNIT_CASE(raid0_sizes),
	KUNIT_CASE(raid0_random),
	KUNIT_CASE(raid10_as_md),
	KUNIT_CASE(raid10_all),
	KUNIT_CASE(raid10_refused),
	KUNIT_CASE(layout_names),
	{}
};

struct kunit_suite kio_raid_layout_suite = {
	.name		= "kio_raid_layout",
	.test_cases	= raid_layout_cases,
};
