// SPDX-License-Identifier: GPL-2.0
/*
 * The store of snapshots: values that dm-snapshot has, and what holds for all sizes
 * of a chunk.
 */
#include "tests.h"

#include "lvm/snap_format.c"

/* What dm-snapshot writes with `P 8`, up to the padding */
static const u8 snap_dm_header[] = {
	0x53, 0x6e, 0x41, 0x70, 1, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0,
};

static void snap_header(struct kunit *test)
{
	struct snap_disk_header header = {};
	u32 chunk = 77;

	KUNIT_EXPECT_EQ(test, snap_header_read(&header, &chunk),
			SNAP_HEADER_FRESH);
	snap_header_build(&header, 8, true);
	KUNIT_EXPECT_EQ(test, sizeof(header), sizeof(snap_dm_header));
	KUNIT_EXPECT_EQ(test, 0,
			memcmp(&header, snap_dm_header, sizeof(header)));
	KUNIT_EXPECT_EQ(test, snap_header_read(&header, &chunk),
			SNAP_HEADER_GOOD);
	KUNIT_EXPECT_EQ(test, chunk, 8U);
	snap_header_build(&header, 16, false);
	KUNIT_EXPECT_EQ(test, snap_header_read(&header, &chunk),
			SNAP_HEADER_INVALID);
	KUNIT_EXPECT_EQ(test, chunk, 16U);
	header.version = cpu_to_le32(2);
	KUNIT_EXPECT_EQ(test, snap_header_read(&header, &chunk),
			SNAP_HEADER_VERSION);
	header.magic = cpu_to_le32(SNAP_MAGIC + 1);
	KUNIT_EXPECT_EQ(test, snap_header_read(&header, &chunk),
			SNAP_HEADER_FOREIGN);
}

static void snap_areas(struct kunit *test)
{
	static const struct {
		u32 entries;
		u64 area, chunk;
	} cases[] = {
		{ 256, 0, 1 }, { 256, 1, 258 }, { 256, 2, 515 },
		{ 32, 0, 1 }, { 32, 3, 100 },
		{ 4096, 1ULL << 40, 1 + (4097ULL << 40) },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test, cases[i].chunk,
				snap_area_chunk(cases[i].entries,
						cases[i].area));
}

/* Each chunk but the header is an area or is handed out, once, in order. */
static void snap_order(struct kunit *test)
{
	static const u32 sizes[] = { 32, 256, 4096, 65536 };
	int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 entries = sizes[i];
		struct snap_layout layout = { entries, 4ULL * entries };
		u64 chunk, area = 0, data = SNAP_FIRST_DATA;

		for (chunk = 1; chunk < layout.nr_chunks; chunk++) {
			if (chunk == snap_area_chunk(entries, area)) {
				KUNIT_EXPECT_FALSE(test, snap_is_data(&layout,
								      chunk));
				area++;
				continue;
			}
			KUNIT_EXPECT_EQ(test, chunk, data);
			KUNIT_EXPECT_TRUE(test, snap_is_data(&layout, chunk));
			data = snap_next_data(entries, data);
		}
		KUNIT_EXPECT_FALSE(test, snap_is_data(&layout, 0));
		KUNIT_EXPECT_FALSE(test, snap_is_data(&layout, chunk + 5));
	}
}

/* Exceptions that a store of so many chunks holds */
static u64 snap_fill(const struct snap_layout *layout)
{
	u64 nr = 0, chunk = SNAP_FIRST_DATA;

	while (snap_has_room(layout, nr, chunk)) {
		chunk = snap_next_data(layout->entries, chunk);
		nr++;
	}
	return nr;
}

static void snap_room(struct kunit *test)
{
	static const struct {
		u64 nr_chunks, exceptions;
	} cases[] = {
		{ 1, 0 }, { 2, 0 }, { 3, 1 }, { 33, 31 },
		/* the 32nd fills area 0: not without area 1, in chunk 34 */
		{ 34, 31 }, { 35, 32 }, { 36, 33 }, { 67, 63 }, { 68, 64 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct snap_layout layout = { 32, cases[i].nr_chunks };

		KUNIT_EXPECT_EQ(test, cases[i].exceptions, snap_fill(&layout));
	}
}

static void snap_ends(struct kunit *test)
{
	static struct snap_disk_entry area[32];
	int i;

	memset(area, 0, sizeof(area));
	KUNIT_EXPECT_EQ(test, snap_count(area, 32), 0U);
	KUNIT_EXPECT_TRUE(test, snap_is_blank(area, 0, 32));
	area[1].new_chunk = cpu_to_le64(9);
	KUNIT_EXPECT_EQ(test, snap_count(area, 32), 0U);
	KUNIT_EXPECT_FALSE(test, snap_is_blank(area, 0, 32));
	area[0].new_chunk = cpu_to_le64(8);
	KUNIT_EXPECT_EQ(test, snap_count(area, 32), 2U);
	KUNIT_EXPECT_TRUE(test, snap_is_blank(area, 2, 32));
	area[31].old_chunk = cpu_to_le64(1);
	KUNIT_EXPECT_FALSE(test, snap_is_blank(area, 2, 32));
	for (i = 0; i < 32; i++)
		area[i].new_chunk = cpu_to_le64(i + 2);
	KUNIT_EXPECT_EQ(test, snap_count(area, 32), 32U);
	KUNIT_EXPECT_TRUE(test, snap_is_blank(area, 32, 32));
}

static struct kunit_case snap_cases[] = {
	KUNIT_CASE(snap_header),
	KUNIT_CASE(snap_areas),
	KUNIT_CASE(snap_order),
	KUNIT_CASE(snap_room),
	KUNIT_CASE(snap_ends),
	{}
};

struct kunit_suite kio_snap_format_suite = {
	.name		= "kio_snap_format",
	.test_cases	= snap_cases,
};
