// SPDX-License-Identifier: GPL-2.0
/* md's metadata, as bytes and as numbers; who belongs to an array; bitmaps. */
#include "tests.h"

#include <linux/slab.h>

#include "raid/superblock.c"
#include "raid/judge.c"
#include "raid/bitmap_sb.c"

/*
 * What `mdadm --create --metadata=1.2 --level=1 --raid-devices=2
 * --bitmap=internal` of mdadm 4.2 wrote onto the first of two disks of 64 MiB,
 * at 4096. After it come 0xff up to 512, then zeros.
 */
static const u8 golden[] = {
	0xfc, 0x4e, 0x2b, 0xa9, 0x01, 0x00, 0x00, 0x00,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x55, 0xdd, 0x2d, 0x60, 0xdb, 0x54, 0xf2, 0x78,
	0x4d, 0x51, 0x33, 0x0b, 0x87, 0x43, 0xc0, 0x2a,
	0x6b, 0x69, 0x6f, 0x3a, 0x67, 0x6f, 0x6c, 0x64,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x6f, 0x3b, 0x06, 0x6b, 0x00, 0x00, 0x00, 0x00,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0xf8, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
	0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0xf8, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0xa0, 0xdf, 0xba, 0xac, 0x5c, 0x81, 0x5b, 0x40,
	0xae, 0xb5, 0xc5, 0x3f, 0xfb, 0x6b, 0x59, 0xeb,
	0x00, 0x00, 0x08, 0x00, 0x10, 0x00, 0x00, 0x00,
	0x70, 0x3b, 0x06, 0x6b, 0x00, 0x00, 0x00, 0x00,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x01, 0xe1, 0x69, 0x45, 0x80, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x01, 0x00, 0xff, 0xff, 0xff, 0xff,
};

/* And its bitmap, 8 sectors further: 256 bytes, of which the rest are zeros. */
static const u8 golden_bitmap[] = {
	0x62, 0x69, 0x74, 0x6d, 0x04, 0x00, 0x00, 0x00,
	0x55, 0xdd, 0x2d, 0x60, 0xdb, 0x54, 0xf2, 0x78,
	0x4d, 0x51, 0x33, 0x0b, 0x87, 0x43, 0xc0, 0x2a,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0xf8, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x04,
	0x05, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

/* All that is too large for the stack. */
struct sb_bench {
	struct kraid_sb_disk	page;
	struct kraid_sb_disk	again;
	struct kraid_sb		sb;
	struct kraid_sb		back;
	char			why[160];
};

static void put_golden(struct kraid_sb_disk *page)
{
	memset(page, 0, sizeof(*page));
	memset(page, 0xff, 512);
	memcpy(page, golden, sizeof(golden));
}

static void sum_up(struct kraid_sb_disk *page)
{
	page->csum = cpu_to_le32(sb_csum(page, le32_to_cpu(page->max_dev)));
}

static int parse_at(struct sb_bench *b, struct kraid_sb *sb)
{
	b->why[0] = 0;
	return kraid_sb_parse(&b->page, KRAID_SB_SECTOR, sb, b->why,
			      sizeof(b->why));
}

/* ---- superblocks ---- */

static void sb_golden_fields(struct kunit *test, const struct kraid_sb *sb)
{
	KUNIT_EXPECT_EQ(test, sb->features, KRAID_SB_BITMAP_OFFSET);
	KUNIT_EXPECT_TRUE(test, !memcmp(sb->set_uuid, golden + 16, 16));
	KUNIT_EXPECT_TRUE(test, !strcmp(sb->name, "kio:gold"));
	KUNIT_EXPECT_EQ(test, sb->ctime, 0x6b063b6f);
	KUNIT_EXPECT_EQ(test, sb->level, 1);
	KUNIT_EXPECT_EQ(test, sb->layout, 0);
	KUNIT_EXPECT_EQ(test, sb->size, 129024);
	KUNIT_EXPECT_EQ(test, sb->chunk, 0);
	KUNIT_EXPECT_EQ(test, sb->raid_disks, 2);
	KUNIT_EXPECT_EQ(test, sb->bitmap_offset, 8);
	KUNIT_EXPECT_EQ(test, sb->data_offset, 2048);
	KUNIT_EXPECT_EQ(test, sb->data_size, 129024);
	KUNIT_EXPECT_EQ(test, sb->super_offset, 8);
	KUNIT_EXPECT_EQ(test, kraid_sb_recovered(sb), U64_MAX);
	KUNIT_EXPECT_EQ(test, sb->dev_number, 0);
	KUNIT_EXPECT_TRUE(test, !memcmp(sb->device_uuid, golden + 168, 16));
	KUNIT_EXPECT_EQ(test, sb->devflags, 0);
	KUNIT_EXPECT_EQ(test, sb->bblog_shift, 0);
	KUNIT_EXPECT_EQ(test, sb->bblog_size, 8);
	KUNIT_EXPECT_EQ(test, sb->bblog_offset, 16);
	KUNIT_EXPECT_EQ(test, sb->events, 1);
	KUNIT_EXPECT_EQ(test, sb->resync_offset, U64_MAX);
	KUNIT_EXPECT_EQ(test, sb->max_dev, 128);
	KUNIT_EXPECT_EQ(test, sb->roles[0], 0);
	KUNIT_EXPECT_EQ(test, sb->roles[1], 1);
	KUNIT_EXPECT_EQ(test, sb->roles[2], KRAID_ROLE_SPARE);
}

/* mdadm's bytes say what we think, and we write the very same. */
static void sb_golden(struct kunit *test)
{
	struct sb_bench *b = kzalloc(sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b);
	put_golden(&b->page);
	KUNIT_EXPECT_EQ(test, parse_at(b, &b->sb), 0);
	sb_golden_fields(test, &b->sb);
	memset(&b->again, 0x5a, sizeof(b->again));
	kraid_sb_build(&b->again, &b->sb);
	KUNIT_EXPECT_TRUE(test, !memcmp(&b->page, &b->again, KRAID_SB_BYTES));
	kfree(b);
}

static u64 next_random(u64 *seed)
{
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return *seed >> 16;
}

static u32 below(u64 *seed, u32 limit)
{
	return (u32)next_random(seed) % limit;
}

static void random_bytes(u64 *seed, void *to, size_t len)
{
	u8 *byte = to;

	while (len--)
		*byte++ = next_random(seed);
}

/* Anything that makes sense, as odd as it may be. */
static void random_sb(u64 *seed, struct kraid_sb *sb)
{
	static const s32 levels[] = { 0, 1, 4, 5, 6, 10 };
	u32 i;

	random_bytes(seed, sb, sizeof(*sb));
	sb->level = levels[below(seed, ARRAY_SIZE(levels))];
	sb->features &= KRAID_SB_RECOVERY_OFFSET | KRAID_SB_REPLACEMENT |
			KRAID_SB_BITMAP_OFFSET | KRAID_SB_BAD_BLOCKS;
	sb->layout = sb->level == 10 ? 0x102 : below(seed, 3);
	sb->raid_disks = 2 + below(seed, KRAID_SB_MAX_DEV - 2);
	sb->chunk = 8 << below(seed, 10);
	sb->data_offset = 64 + below(seed, 1 << 20);
	sb->data_size = 4096 + (next_random(seed) & 0xffffffffff);
	sb->size = 10 + below(seed, 4000);
	sb->super_offset = 8;
	sb->recovery_offset = below(seed, 4096);
	sb->bitmap_offset = 8 + below(seed, 20);
	sb->bblog_offset = 30;
	sb->bblog_size = 1 + below(seed, 8);
	sb->bblog_shift = below(seed, 64);
	sb->max_dev = 1 + below(seed, KRAID_SB_MAX_DEV);
	sb->dev_number = below(seed, sb->max_dev);
	for (i = 0; i < KRAID_SB_MAX_DEV; i++)
		sb->roles[i] = i < sb->max_dev && below(seed, 3) ?
			       below(seed, sb->raid_disks) : KRAID_ROLE_SPARE;
}

static bool same_sb(const struct kraid_sb *a, const struct kraid_sb *b)
{
	return a->features == b->features &&
	       !memcmp(a->set_uuid, b->set_uuid, sizeof(a->set_uuid)) &&
	       !memcmp(a->name, b->name, sizeof(a->name)) &&
	       a->ctime == b->ctime && a->level == b->level &&
	       a->layout == b->layout && a->size == b->size &&
	       a->chunk == b->chunk && a->raid_disks == b->raid_disks &&
	       a->bitmap_offset == b->bitmap_offset &&
	       a->data_offset == b->data_offset &&
	       a->data_size == b->data_size &&
	       a->super_offset == b->super_offset &&
	       a->recovery_offset == b->recovery_offset &&
	       a->dev_number == b->dev_number &&
	       a->corrected_reads == b->corrected_reads &&
	       !memcmp(a->device_uuid, b->device_uuid,
		       sizeof(a->device_uuid)) &&
	       a->devflags == b->devflags && a->bblog_shift == b->bblog_shift &&
	       a->bblog_size == b->bblog_size &&
	       a->bblog_offset == b->bblog_offset && a->utime == b->utime &&
	       a->events == b->events && a->resync_offset == b->resync_offset &&
	       a->max_dev == b->max_dev &&
	       !memcmp(a->roles, b->roles, sizeof(a->roles));
}

static void sb_round_trip(struct kunit *test)
{
	struct sb_bench *b = kzalloc(sizeof(*b), GFP_KERNEL);
	u64 seed = 1;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b);
	for (i = 0; i < 500; i++) {
		random_sb(&seed, &b->sb);
		kraid_sb_build(&b->page, &b->sb);
		KUNIT_EXPECT_EQ(test, parse_at(b, &b->back), 0);
		KUNIT_EXPECT_TRUE(test, !strcmp(b->why, ""));
		KUNIT_EXPECT_TRUE(test, same_sb(&b->sb, &b->back));
		kraid_sb_build(&b->again, &b->back);
		KUNIT_EXPECT_TRUE(test,
				  !memcmp(&b->page, &b->again, KRAID_SB_BYTES));
	}
	kfree(b);
}

/* Worked out by hand: which words count, half a word, and one carry. */
static void sb_sums(struct kunit *test)
{
	struct sb_bench *b = kzalloc(sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b);
	KUNIT_EXPECT_EQ(test, kraid_sb_size(0), 256);
	KUNIT_EXPECT_EQ(test, kraid_sb_size(KRAID_SB_MAX_DEV), KRAID_SB_BYTES);
	b->page.roles[0] = cpu_to_le16(0x1234);
	b->page.roles[1] = cpu_to_le16(0x0001);
	b->page.roles[2] = cpu_to_le16(0x1000);
	b->page.csum = cpu_to_le32(0xdeadbeef);
	KUNIT_EXPECT_EQ(test, sb_csum(&b->page, 0), 0);
	KUNIT_EXPECT_EQ(test, sb_csum(&b->page, 1), 0x1234);
	KUNIT_EXPECT_EQ(test, sb_csum(&b->page, 2), 0x11234);
	KUNIT_EXPECT_EQ(test, sb_csum(&b->page, 3), 0x12234);
	b->page.magic = cpu_to_le32(0xffffffff);
	KUNIT_EXPECT_EQ(test, sb_csum(&b->page, 1), 0x1234);
	put_golden(&b->page);
	KUNIT_EXPECT_EQ(test, sb_csum(&b->page, 128), 0x4569e101);
	kfree(b);
}

#define AT(field)	offsetof(struct kraid_sb_disk, field), \
			sizeof_field(struct kraid_sb_disk, field)

static const struct sb_refusal {
	u32		offset;
	u32		size;
	u64		value;
	int		error;
	const char	*why;
} sb_refusals[] = {
	{ AT(magic), 0xa92b4efd, -ENODATA, "There is no superblock." },
	{ AT(major), 0, -EINVAL, "The superblock is of version 0, not 1." },
	{ AT(max_dev), 1921, -EINVAL,
	  "The superblock says it has room for 1921 devices, more than the 1920 that fit." },
	{ AT(super_offset), 0, -EINVAL,
	  "The superblock says it lies at sector 0, and was read at 8." },
	{ AT(pad0), 1, -EOPNOTSUPP,
	  "The superblock uses bytes that had no meaning when kraid was written." },
	{ 255, 1, 1, -EOPNOTSUPP,
	  "The superblock uses bytes that had no meaning when kraid was written." },
	{ AT(feature_map), 4, -EOPNOTSUPP,
	  "The superblock asks for a reshape, which kraid does not know." },
	{ AT(feature_map), 32, -EOPNOTSUPP,
	  "The superblock asks for a reshape backwards, which kraid does not know." },
	{ AT(feature_map), 256, -EOPNOTSUPP,
	  "The superblock asks for a cluster, which kraid does not know." },
	{ AT(feature_map), 512, -EOPNOTSUPP,
	  "The superblock asks for a journal, which kraid does not know." },
	{ AT(feature_map), 1024, -EOPNOTSUPP,
	  "The superblock asks for a partial parity log, which kraid does not know." },
	{ AT(feature_map), 2048, -EOPNOTSUPP,
	  "The superblock asks for several partial parity logs, which kraid does not know." },
	{ AT(feature_map), 0x8000e001, -EOPNOTSUPP,
	  "The superblock asks for features 0x8000e000, which kraid does not know." },
	{ AT(feature_map), 0xffffffff, -EOPNOTSUPP,
	  "The superblock asks for a reshape, a reshape backwards, a cluster, a journal, a partial parity log, several partial parity logs, features 0xffffe000, which kraid does not know." },
	{ AT(level), (u32)-1, -EINVAL,
	  "The superblock has level -1, which kraid does not know." },
	{ AT(level), 7, -EINVAL,
	  "The superblock has level 7, which kraid does not know." },
	{ AT(raid_disks), 0, -EINVAL,
	  "The superblock says the array has 0 members." },
	{ AT(raid_disks), 1921, -EINVAL,
	  "The superblock says the array has 1921 members." },
	{ AT(level), 10, -EINVAL,
	  "The superblock has layout 0x0, which level 10 does not have." },
	{ AT(level), 5, -EINVAL,
	  "The superblock has a chunk of 0 sectors, which level 5 cannot have." },
	{ AT(level), 0, -EINVAL,
	  "The superblock has a chunk of 0 sectors, which level 0 cannot have." },
	{ AT(chunk), 1 << 23, -EINVAL,
	  "The superblock has a chunk of 8388608 sectors, which level 1 cannot have." },
	{ AT(feature_map), 4096, -EINVAL,
	  "The superblock has a layout of level 0 for level 1." },
	{ AT(data_size), 9, -EINVAL,
	  "The superblock says data are 9 sectors from sector 2048 on." },
	{ AT(data_size), U64_MAX, -EINVAL,
	  "The superblock says data are 18446744073709551615 sectors from sector 2048 on." },
	{ AT(data_offset), 1ULL << 54, -EINVAL,
	  "The superblock says data are 129024 sectors from sector 18014398509481984 on." },
	{ AT(data_offset), 15, -EINVAL,
	  "The superblock says data begin at sector 15, where it lies itself." },
	{ AT(size), 0, -EINVAL,
	  "The superblock says the array uses 0 sectors of a member that has 129024." },
	{ AT(size), 129025, -EINVAL,
	  "The superblock says the array uses 129025 sectors of a member that has 129024." },
	{ AT(bitmap_offset), 2, -EINVAL,
	  "The superblock has its bitmap 2 sectors from itself, where there is no room." },
	{ AT(bitmap_offset), (u32)-9, -EINVAL,
	  "The superblock has its bitmap -9 sectors from itself, where there is no room." },
	{ AT(bitmap_offset), 2040, -EINVAL,
	  "The superblock has its bitmap 2040 sectors from itself, where there is no room." },
	{ AT(dev_number), 128, -EINVAL,
	  "The superblock says it is number 128 of 128 devices." },
	{ 256, 2, 2, -EINVAL, "The superblock gives device 0 role 2 of 2." },
	{ 510, 2, 0xfffc, -EINVAL,
	  "The superblock gives device 127 role 65532 of 2." },
};

static void put_value(struct kraid_sb_disk *page, u32 offset, u32 size,
		      u64 value)
{
	u8 *byte = (u8 *)page + offset;

	for (; size; size--, value >>= 8)
		*byte++ = value;
}

static void expect_refusal(struct kunit *test, struct sb_bench *b,
			   const struct sb_refusal *r)
{
	KUNIT_EXPECT_EQ(test, parse_at(b, &b->sb), r->error);
	if (strncmp(b->why, r->why, sizeof(b->why) - 1))
		pr_info("    # \"%s\" is not \"%s\"\n", b->why, r->why);
	KUNIT_EXPECT_TRUE(test, !strncmp(b->why, r->why, sizeof(b->why) - 1));
}

static void sb_refuses(struct kunit *test)
{
	struct sb_bench *b = kzalloc(sizeof(*b), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b);
	for (i = 0; i < ARRAY_SIZE(sb_refusals); i++) {
		const struct sb_refusal *r = &sb_refusals[i];

		put_golden(&b->page);
		put_value(&b->page, r->offset, r->size, r->value);
		if (le32_to_cpu(b->page.max_dev) <= KRAID_SB_MAX_DEV)
			sum_up(&b->page);
		expect_refusal(test, b, r);
	}
	kfree(b);
}

/* Every byte that md sums up matters, and none after them. */
static void sb_notices(struct kunit *test)
{
	struct sb_bench *b = kzalloc(sizeof(*b), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b);
	put_golden(&b->page);
	for (i = 8; i < KRAID_SB_BYTES; i++) {
		int expect = i < 512 ? -EBADMSG : 0;

		if (i >= 220 && i < 224)	/* max_dev */
			continue;
		((u8 *)&b->page)[i] ^= 1;
		KUNIT_EXPECT_EQ(test, parse_at(b, &b->sb), expect);
		((u8 *)&b->page)[i] ^= 1;
	}
	kfree(b);
}

/* What takes two fields to be wrong, or right. */
static const struct sb_pair {
	u32	features;
	s32	level;
	u32	layout;
	u32	chunk;
	u32	raid_disks;
	u64	size;
	int	error;
} sb_pairs[] = {
	{ 0, 0, 0, 24, 2, 0, 0 },
	{ KRAID_SB_RAID0_LAYOUT, 0, 2, 1, 3, 0, 0 },
	{ 0, 0, 3, 8, 2, 0, -EINVAL },
	{ 0, 1, 7, 0, 2, 10, 0 },
	{ 0, 4, 0, 8, 3, 10, 0 },
	{ 0, 5, 5, 128, 3, 10, 0 },
	{ 0, 5, 6, 128, 3, 10, -EINVAL },
	{ 0, 5, 2, 24, 3, 10, -EINVAL },
	{ 0, 5, 2, 4, 3, 10, -EINVAL },
	{ 0, 6, 10, 128, 4, 10, 0 },
	{ 0, 6, 20, 128, 4, 10, 0 },
	{ 0, 6, 7, 128, 4, 10, -EINVAL },
	{ 0, 6, 11, 128, 4, 10, -EINVAL },
	{ 0, 6, 21, 128, 4, 10, -EINVAL },
	{ 0, 10, 0x102, 128, 2, 10, 0 },
	{ 0, 10, 0x10201, 128, 2, 10, 0 },
	{ 0, 10, 0x40201, 128, 4, 10, 0 },
	{ 0, 10, 0x60201, 128, 4, 10, -EINVAL },
	{ 0, 10, 0x103, 128, 2, 10, -EINVAL },
	{ KRAID_SB_NEW_OFFSET, 1, 0, 0, 2, 10, 0 },
	{ KRAID_SB_RECOVERY_OFFSET | KRAID_SB_RECOVERY_BITMAP |
	  KRAID_SB_REPLACEMENT | KRAID_SB_BITMAP_OFFSET, 1, 0, 0, 2, 10, 0 },
};

static void sb_shapes(struct kunit *test)
{
	struct sb_bench *b = kzalloc(sizeof(*b), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b);
	for (i = 0; i < ARRAY_SIZE(sb_pairs); i++) {
		put_golden(&b->page);
		b->page.feature_map = cpu_to_le32(sb_pairs[i].features);
		b->page.level = cpu_to_le32(sb_pairs[i].level);
		b->page.layout = cpu_to_le32(sb_pairs[i].layout);
		b->page.chunk = cpu_to_le32(sb_pairs[i].chunk);
		b->page.raid_disks = cpu_to_le32(sb_pairs[i].raid_disks);
		b->page.size = cpu_to_le64(sb_pairs[i].size);
		sum_up(&b->page);
		KUNIT_EXPECT_EQ(test, parse_at(b, &b->sb), sb_pairs[i].error);
		if (sb_pairs[i].error)
			continue;
		KUNIT_EXPECT_EQ(test, b->sb.features, sb_pairs[i].features &
						      ~KRAID_SB_NEW_OFFSET);
	}
	kfree(b);
}

static const struct sb_log {
	u16	size;
	u8	shift;
	s32	offset;
	int	error;
} sb_logs[] = {
	{ 8, 0, 16, 0 }, { 0, 0, 16, -EINVAL }, { 9, 0, 16, -EINVAL },
	{ 8, 64, 16, -EINVAL }, { 8, 0, 0, -EINVAL }, { 8, 0, 7, -EINVAL },
	{ 8, 0, -8, 0 }, { 8, 0, -7, -EINVAL }, { 8, 0, 2032, 0 },
	{ 8, 0, 2033, -EINVAL }, { 8, 0, 2040 + 129024, 0 },
};

/* The log of bad blocks, and how far a rebuild has come. */
static void sb_places(struct kunit *test)
{
	struct sb_bench *b = kzalloc(sizeof(*b), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b);
	for (i = 0; i < ARRAY_SIZE(sb_logs); i++) {
		put_golden(&b->page);
		b->page.feature_map = cpu_to_le32(KRAID_SB_BAD_BLOCKS);
		b->page.bblog_size = cpu_to_le16(sb_logs[i].size);
		b->page.bblog_shift = sb_logs[i].shift;
		b->page.bblog_offset = cpu_to_le32(sb_logs[i].offset);
		sum_up(&b->page);
		KUNIT_EXPECT_EQ(test, parse_at(b, &b->sb), sb_logs[i].error);
	}
	put_golden(&b->page);
	b->page.feature_map = cpu_to_le32(KRAID_SB_RECOVERY_OFFSET);
	b->page.recovery_offset = cpu_to_le64(129024);
	sum_up(&b->page);
	KUNIT_EXPECT_EQ(test, parse_at(b, &b->sb), 0);
	KUNIT_EXPECT_EQ(test, kraid_sb_recovered(&b->sb), 129024);
	b->page.recovery_offset = cpu_to_le64(129025);
	sum_up(&b->page);
	KUNIT_EXPECT_EQ(test, parse_at(b, &b->sb), -EINVAL);
	kfree(b);
}

/* ---- who belongs to an array ---- */

#define F	KRAID_ROLE_FAULTY
#define S	KRAID_ROLE_SPARE
#define REPL	(KRAID_SB_REPLACEMENT | KRAID_SB_RECOVERY_OFFSET)
#define MEMBERS	5

/* A member: its events, its number, and its table for numbers 0 to 4. */
struct judge_member {
	u64			events;		/* 0: there is no superblock */
	u32			number;
	u16			table[5];
	enum kraid_verdict	verdict;
	u16			role;
	u32			features;
	u8			set;
	u8			device;		/* 0: one of its own */
};

/* NULL for @why: not refused, and the freshest is @freshest. */
static const struct judge_case {
	const char		*name;
	struct judge_member	m[MEMBERS];
	int			freshest;
	const char		*why;
} judge_cases[] = {
	{ "both whole", {
		{ 7, 0, { 0, 1, S, S, S }, KRAID_V_FRESH, 0 },
		{ 7, 1, { 0, 1, S, S, S }, KRAID_V_FRESH, 1 } }, 0 },
	{ "one is absent", {
		{ 0 },
		{ 7, 1, { S, 1, S, S, S }, KRAID_V_FRESH, 1 } }, 1 },
	{ "behind by one", {
		{ 6, 0, { 0, 1, S, S, S }, KRAID_V_FRESH, 0 },
		{ 7, 1, { 0, 1, S, S, S }, KRAID_V_FRESH, 1 } }, 1 },
	{ "behind by two", {
		{ 5, 0, { 0, 1, S, S, S }, KRAID_V_STALE, 0 },
		{ 7, 1, { 0, 1, S, S, S }, KRAID_V_FRESH, 1 } }, 1 },
	{ "failed in the last event", {
		{ 6, 0, { 0, 1, S, S, S }, KRAID_V_KICKED, 0 },
		{ 7, 1, { F, 1, S, S, S }, KRAID_V_FRESH, 1 } }, 1 },
	{ "failed and removed", {
		{ 5, 0, { 0, 1, S, S, S }, KRAID_V_KICKED, 0 },
		{ 9, 1, { S, 1, S, S, S }, KRAID_V_FRESH, 1 } }, 1 },
	{ "as mdadm --add, --fail leave it", {
		{ 22, 0, { 0, F, 1, S, S }, KRAID_V_FRESH, 0 },
		{ 3, 1, { 0, 1, S, S, S }, KRAID_V_KICKED, 1 },
		{ 22, 2, { 0, F, 1, S, S }, KRAID_V_FRESH, 1 } }, 0 },
	{ "the same without the member both knew", {
		{ 3, 1, { 0, 1, S, S, S }, KRAID_V_KICKED, 1 },
		{ 22, 2, { 0, F, 1, S, S }, KRAID_V_FRESH, 1 } }, 1 },
	{ "its number has another place", {
		{ 7, 0, { 0, 1, S, S, S }, KRAID_V_FRESH, 0 },
		{ 4, 1, { 0, 2, S, S, S }, KRAID_V_KICKED, 2 },
		{ 4, 2, { 0, S, 1, S, S }, KRAID_V_KICKED, 1 } }, 0 },
	{ "says itself that it is faulty", {
		{ 7, 0, { 0, 1, S, S, S }, KRAID_V_FRESH, 0 },
		{ 7, 1, { 0, F, S, S, S }, KRAID_V_KICKED, S } }, 0 },
	{ "spares of any age", {
		{ 7, 0, { 0, 1, S, S, S }, KRAID_V_FRESH, 0 },
		{ 7, 1, { 0, 1, S, S, S }, KRAID_V_FRESH, 1 },
		{ 2, 2, { 0, 1, S, S, S }, KRAID_V_SPARE, S },
		{ 9, 3, { 0, 1, S, S, S }, KRAID_V_SPARE, S },
		{ 7, 4, { 0, 1, S, S, S }, KRAID_V_SPARE, S } }, 0 },
	{ "a spare that got a place, and does not know", {
		{ 7, 0, { 0, S, 1, S, S }, KRAID_V_FRESH, 0 },
		{ 6, 2, { 0, S, S, S, S }, KRAID_V_SPARE, S } }, 0 },
	{ "a spare that failed", {
		{ 7, 0, { 0, S, F, S, S }, KRAID_V_FRESH, 0 },
		{ 6, 2, { 0, S, S, S, S }, KRAID_V_KICKED, S } }, 0 },
	{ "spares only", {
		{ 7, 2, { 0, 1, S, S, S } },
		{ 7, 3, { 0, 1, S, S, S } } }, -ENODATA,
	  "None of the members has a place in the array." },
	{ "nothing at all", { { 0 } }, -ENODATA,
	  "None of the members has a place in the array." },
	{ "of another array", {
		{ 7, 0, { 0, 1, S, S, S }, KRAID_V_FRESH, 0 },
		{ 99, 1, { 0, 1, S, S, S }, KRAID_V_FOREIGN, S, .set = 1 } }, 0 },
	{ "rebuilding", {
		{ 7, 0, { 0, 1, S, S, S }, KRAID_V_FRESH, 0,
		  KRAID_SB_RECOVERY_OFFSET },
		{ 7, 1, { 0, 1, S, S, S }, KRAID_V_FRESH, 1 } }, 1 },
	{ "a replacement", {
		{ 7, 0, { 0, 1, 1, S, S }, KRAID_V_FRESH, 0 },
		{ 7, 2, { 0, 1, 1, S, S }, KRAID_V_FRESH, 1, REPL },
		{ 7, 1, { 0, 1, 1, S, S }, KRAID_V_FRESH, 1 } }, 0 },
	{ "two replacements", {
		{ 7, 0, { 0, 1, 1, 1, S }, KRAID_V_FRESH, 0 },
		{ 6, 2, { 0, 1, 1, 1, S }, KRAID_V_TWICE, S, REPL },
		{ 7, 3, { 0, 1, 1, 1, S }, KRAID_V_FRESH, 1, REPL },
		{ 7, 1, { 0, 1, 1, 1, S }, KRAID_V_FRESH, 1 } }, 0 },
	{ "a place claimed twice", {
		{ 7, 0, { 0, 1, 1, S, S }, KRAID_V_FRESH, 0 },
		{ 6, 1, { 0, 1, 1, S, S }, KRAID_V_TWICE, S },
		{ 7, 2, { 0, 1, 1, S, S }, KRAID_V_FRESH, 1 } }, 0 },
	{ "the same device twice", {
		{ 6, 0, { 0, 1, S, S, S }, KRAID_V_TWICE, S, .device = 9 },
		{ 7, 0, { 0, 1, S, S, S }, KRAID_V_FRESH, 0, .device = 9 },
		{ 7, 1, { 0, 1, S, S, S }, KRAID_V_FRESH, 1 },
		{ 7, 1, { 0, 1, S, S, S }, KRAID_V_TWICE, S, .device = 102 } },
	  1 },
	{ "an old copy is no party to a split", {
		{ 7, 0, { 0, S, S, S, S }, KRAID_V_FRESH, 0, .device = 9 },
		{ 5, 0, { 0, 1, S, S, S }, KRAID_V_TWICE, S, .device = 9 } }, 0 },
	{ "split, events differ", {
		{ 90, 0, { 0, F, S, S, S } },
		{ 50, 1, { F, 1, S, S, S } } }, -EUCLEAN,
	  "Split brain: disk0 and disk1 went on without each other, to events 90 and 50; leave one out." },
	{ "split, both restarted, equal events", {
		{ 9, 0, { 0, S, S, S, S } },
		{ 9, 1, { S, 1, S, S, S } } }, -EUCLEAN,
	  "Split brain: disk0 and disk1 went on without each other, to events 9 and 9; leave one out." },
	{ "split, both got a new member of the same number", {
		{ 8, 0, { 0, S, 1, S, S } },
		{ 9, 1, { S, 1, 0, S, S } } }, -EUCLEAN,
	  "Split brain: disk1 and disk0 went on without each other, to events 9 and 8; leave one out." },
	{ "split, one against two", {
		{ 9, 1, { F, 1, 2, S, S } },
		{ 9, 2, { F, 1, 2, S, S } },
		{ 4, 0, { 0, F, F, S, S } } }, -EUCLEAN,
	  "Split brain: disk0 and disk2 went on without each other, to events 9 and 4; leave one out." },
	{ "equal events, different tables", {
		{ 9, 0, { 0, 1, F, S, S } },
		{ 9, 1, { 0, 1, F, S, S } },
		{ 9, 2, { 0, F, 2, S, S } } }, -EUCLEAN,
	  "Split brain: disk0 and disk2 both have event 9, and disagree about who belongs to the array; leave one out." },
	{ "no split: two that were each with a third", {
		{ 20, 2, { 0, S, 2, S, S }, KRAID_V_FRESH, 2 },
		{ 10, 1, { 0, 1, F, S, S }, KRAID_V_KICKED, 1 } }, 0 },
	{ "two devices got one number, and one says the freshest is not there", {
		{ 9, 0, { 0, S, S, 2, S }, KRAID_V_FRESH, 0 },
		{ 8, 3, { S, 1, S, 2, S }, KRAID_V_KICKED, 2 } }, 0 },
};

#undef F
#undef S

static const char *const judge_names[MEMBERS] = {
	"disk0", "disk1", "disk2", "disk3", "disk4",
};

static void judge_fill(struct kraid_sb *sb, const struct judge_member *m)
{
	int i;

	memset(sb, 0, sizeof(*sb));
	sb->level = 1;
	sb->raid_disks = 2;
	sb->events = m->events;
	sb->dev_number = m->number;
	sb->features = m->features;
	sb->set_uuid[3] = m->set;
	sb->device_uuid[3] = m->device ?: 101 + m->number;
	sb->max_dev = ARRAY_SIZE(m->table);
	for (i = 0; i < ARRAY_SIZE(m->table); i++)
		sb->roles[i] = m->table[i];
	/* The freshest may know of more numbers than others. */
	if (!(m->number & 1))
		sb->max_dev = 128;
	for (; i < 128; i++)
		sb->roles[i] = KRAID_ROLE_SPARE;
}

static void judge_expect(struct kunit *test, const struct judge_member *m,
			 const struct kraid_candidate *c)
{
	bool rebuilding = m->features & KRAID_SB_RECOVERY_OFFSET;
	bool fresh = m->verdict == KRAID_V_FRESH;

	KUNIT_EXPECT_EQ(test, c->verdict, m->verdict);
	KUNIT_EXPECT_EQ(test, c->role, m->events ? m->role : KRAID_ROLE_SPARE);
	KUNIT_EXPECT_EQ(test, c->recovered,
			fresh && !rebuilding ? U64_MAX : 0);
	if (fresh)
		KUNIT_EXPECT_EQ(test, c->replacement,
				!!(m->features & KRAID_SB_REPLACEMENT));
}

static void judge_case_run(struct kunit *test, const struct judge_case *jc,
			   struct kraid_sb *sbs)
{
	struct kraid_candidate c[MEMBERS] = {};
	char why[160] = "";
	int i, ret;

	for (i = 0; i < MEMBERS; i++) {
		c[i].name = judge_names[i];
		judge_fill(&sbs[i], &jc->m[i]);
		if (jc->m[i].events)
			c[i].sb = &sbs[i];
	}
	ret = kraid_judge(c, MEMBERS, NULL, why, sizeof(why));
	if (ret != jc->freshest || strcmp(why, jc->why ?: ""))
		pr_info("    # %s: %d \"%s\"\n", jc->name, ret, why);
	KUNIT_EXPECT_EQ(test, ret, jc->freshest);
	KUNIT_EXPECT_TRUE(test, !strcmp(why, jc->why ?: ""));
	for (i = 0; i < MEMBERS && ret >= 0; i++)
		judge_expect(test, &jc->m[i], &c[i]);
}

static void judge_members(struct kunit *test)
{
	struct kraid_sb *sbs = kcalloc(MEMBERS, sizeof(*sbs), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sbs);
	for (i = 0; i < ARRAY_SIZE(judge_cases); i++)
		judge_case_run(test, &judge_cases[i], sbs);
	kfree(sbs);
}

#define SB(field)	offsetof(struct kraid_sb, field)

/* Bytes of the second member's superblock that are not as the first one's. */
static const struct {
	size_t		offset;
	u64		events;
	const char	*why;
} judge_differences[] = {
	{ SB(ctime), 2, "The superblocks of disk0 and disk1 differ in the array's time of creation." },
	{ SB(level), 2, "The superblocks of disk0 and disk1 differ in the array's level." },
	{ SB(layout), 2, "The superblocks of disk0 and disk1 differ in the array's layout." },
	{ SB(chunk), 2, "The superblocks of disk0 and disk1 differ in the array's chunk." },
	{ SB(raid_disks), 6, "The superblocks of disk0 and disk1 differ in the array's number of members." },
	{ SB(size), 6, "The superblocks of disk0 and disk1 differ in the array's size." },
	{ SB(raid_disks), 5, "" },
	{ SB(size), 5, "" },
};

static void judge_differ(struct kunit *test)
{
	static const struct judge_member a = { 7, 0, { 0, 1 } };
	static const struct judge_member b = { 7, 1, { 0, 1 } };
	struct kraid_sb *sbs = kcalloc(2, sizeof(*sbs), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sbs);
	for (i = 0; i < ARRAY_SIZE(judge_differences); i++) {
		const char *expect = judge_differences[i].why;
		struct kraid_candidate c[] = {
			{ .sb = &sbs[0], .name = "disk0" },
			{ .sb = &sbs[1], .name = "disk1" },
		};
		char why[160] = "";

		judge_fill(&sbs[0], &a);
		judge_fill(&sbs[1], &b);
		sbs[1].events = judge_differences[i].events;
		((u8 *)&sbs[1])[judge_differences[i].offset] ^= 0x10;
		KUNIT_EXPECT_EQ(test, kraid_judge(c, 2, NULL, why, sizeof(why)),
				*expect ? -EINVAL : 0);
		KUNIT_EXPECT_TRUE(test, !strcmp(why, expect));
	}
	kfree(sbs);
}

/* The array may be named; then it does not matter who comes first. */
static void judge_by_uuid(struct kunit *test)
{
	static const struct judge_member a = { 9, 0, { 0, 1 }, .set = 1 };
	static const struct judge_member b = { 7, 1, { 0, 1 }, .set = 2 };
	struct kraid_sb *sbs = kcalloc(2, sizeof(*sbs), GFP_KERNEL);
	struct kraid_candidate c[2] = {
		{ .name = "disk0" }, { .name = "disk1" },
	};
	char why[160];

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sbs);
	judge_fill(&sbs[0], &a);
	judge_fill(&sbs[1], &b);
	c[0].sb = &sbs[0];
	c[1].sb = &sbs[1];
	KUNIT_EXPECT_EQ(test, kraid_judge(c, 2, sbs[1].set_uuid, why,
					  sizeof(why)), 1);
	KUNIT_EXPECT_EQ(test, c[0].verdict, KRAID_V_FOREIGN);
	KUNIT_EXPECT_EQ(test, c[1].verdict, KRAID_V_FRESH);
	kfree(sbs);
}

/* ---- bitmaps ---- */

static void put_golden_bitmap(struct kraid_bitmap_disk *disk)
{
	memset(disk, 0, sizeof(*disk));
	memcpy(disk, golden_bitmap, sizeof(golden_bitmap));
}

static void bitmap_golden(struct kunit *test)
{
	/* Not on a stack that KASAN makes large. */
	static struct kraid_bitmap_disk disk, again;
	static struct kraid_bitmap_sb sb;
	static char why[160];

	put_golden_bitmap(&disk);
	KUNIT_EXPECT_EQ(test, kraid_bitmap_sb_parse(&disk, &sb, why,
						    sizeof(why)), 0);
	KUNIT_EXPECT_TRUE(test, !memcmp(sb.uuid, golden + 16, KRAID_UUID));
	KUNIT_EXPECT_EQ(test, sb.events, 1);
	KUNIT_EXPECT_EQ(test, sb.events_cleared, 0);
	KUNIT_EXPECT_EQ(test, sb.sync_size, 129024);
	KUNIT_EXPECT_EQ(test, sb.state, 0);
	KUNIT_EXPECT_EQ(test, sb.chunk, KRAID_BITMAP_CHUNK);
	KUNIT_EXPECT_EQ(test, sb.daemon_sleep, KRAID_BITMAP_SLEEP);
	KUNIT_EXPECT_EQ(test, sb.write_behind, 0);
	KUNIT_EXPECT_EQ(test, sb.sectors_reserved, 0);
	memset(&again, 0x5a, sizeof(again));
	kraid_bitmap_sb_build(&again, &sb);
	KUNIT_EXPECT_TRUE(test, !memcmp(&disk, &again, sizeof(disk)));
}

static void bitmap_round_trip(struct kunit *test)
{
	struct kraid_bitmap_disk disk;
	struct kraid_bitmap_sb sb, back;
	u64 seed = 2;
	char why[160];
	int i;

	memset(&back, 0, sizeof(back));
	for (i = 0; i < 500; i++) {
		random_bytes(&seed, &sb, sizeof(sb));
		sb.sync_size = 1 + (sb.sync_size & 0xffffff);
		sb.state &= KRAID_BITMAP_STALE | KRAID_BITMAP_WRITE_ERROR;
		sb.chunk = 512 << below(&seed, 23);
		sb.daemon_sleep = 1 + below(&seed, 86400);
		sb.write_behind &= 16383;
		sb.sectors_reserved |= 1 << 16;
		kraid_bitmap_sb_build(&disk, &sb);
		KUNIT_EXPECT_EQ(test, kraid_bitmap_sb_parse(&disk, &back, why,
							    sizeof(why)), 0);
		KUNIT_EXPECT_TRUE(test, !memcmp(&sb, &back, offsetofend(
					struct kraid_bitmap_sb,
					sectors_reserved)));
	}
}

#define BM(field)	offsetof(struct kraid_bitmap_disk, field), \
			sizeof_field(struct kraid_bitmap_disk, field)

static const struct sb_refusal bitmap_refusals[] = {
	{ BM(magic), 0, -ENODATA, "There is no bitmap." },
	{ BM(version), 3, -EOPNOTSUPP,
	  "The bitmap is of version 3, kraid knows 4 only." },
	{ BM(version), 5, -EOPNOTSUPP,
	  "The bitmap is of version 5, kraid knows 4 only." },
	{ BM(nodes), 4, -EOPNOTSUPP,
	  "The bitmap is for a cluster of 4 nodes, which kraid does not know." },
	{ BM(state), 1 << 15, -EOPNOTSUPP,
	  "The bitmap has its bits in the order of some host, which kraid does not know." },
	{ BM(chunk), 256, -EINVAL, "The bitmap has a chunk of 256 bytes." },
	{ BM(chunk), 0, -EINVAL, "The bitmap has a chunk of 0 bytes." },
	{ BM(chunk), 65537, -EINVAL, "The bitmap has a chunk of 65537 bytes." },
	{ BM(sync_size), 0, -EINVAL, "The bitmap is for 0 sectors." },
	{ BM(sync_size), 1ULL << 54, -EINVAL,
	  "The bitmap is for 18014398509481984 sectors." },
	{ BM(daemon_sleep), 0, -EINVAL,
	  "The bitmap says to clear bits after 0 seconds." },
	{ BM(daemon_sleep), 86401, -EINVAL,
	  "The bitmap says to clear bits after 86401 seconds." },
	{ BM(write_behind), 16384, -EINVAL,
	  "The bitmap lets 16384 writes be behind, more than 16383." },
};

static void expect_bitmap_refusal(struct kunit *test,
				  struct kraid_bitmap_disk *disk, int error,
				  const char *expect)
{
	struct kraid_bitmap_sb sb;
	char why[160] = "";

	KUNIT_EXPECT_EQ(test, kraid_bitmap_sb_parse(disk, &sb, why,
						    sizeof(why)), error);
	if (strcmp(why, expect))
		pr_info("    # \"%s\" is not \"%s\"\n", why, expect);
	KUNIT_EXPECT_TRUE(test, !strcmp(why, expect));
}

static void bitmap_refuses(struct kunit *test)
{
	struct kraid_bitmap_disk disk;
	int i;

	for (i = 0; i < ARRAY_SIZE(bitmap_refusals); i++) {
		const struct sb_refusal *r = &bitmap_refusals[i];

		put_golden_bitmap(&disk);
		put_value((void *)&disk, r->offset, r->size, r->value);
		expect_bitmap_refusal(test, &disk, r->error, r->why);
	}
	/* 2,048 bits are 256 bytes and fill a sector; one more does not. */
	put_golden_bitmap(&disk);
	disk.chunk = cpu_to_le32(512);
	disk.sectors_reserved = cpu_to_le32(1);
	disk.sync_size = cpu_to_le64(2048);
	expect_bitmap_refusal(test, &disk, 0, "");
	disk.sync_size = cpu_to_le64(2049);
	expect_bitmap_refusal(test, &disk, -EINVAL,
			      "The bitmap does not fit into the 1 sectors it has.");
}

static void bitmap_bits(struct kunit *test)
{
	static const struct {
		u64 sync_size;
		u32 chunk;
		u64 bits, room;
	} cases[] = {
		{ 1, 512, 1, 257 }, { 8, 512, 8, 257 }, { 9, 512, 9, 258 },
		{ 128, 65536, 1, 257 }, { 129, 65536, 2, 257 },
		{ 129024, 64 << 20, 1, 257 }, { 131073, 64 << 20, 2, 257 },
		{ 1ULL << 32, 64 << 20, 32768, 4352 },
		{ (1ULL << 54) - 1, 1U << 31, 1ULL << 32, (1 << 29) + 256 },
		{ (1ULL << 54) - 1, 512, (1ULL << 54) - 1,
		  (1ULL << 51) + 256 },
	};
	static const struct {
		u64 bit, byte;
		u8 mask;
	} places[] = {
		{ 0, 256, 1 }, { 7, 256, 128 }, { 8, 257, 1 },
		{ 30719, 4095, 128 }, { 30720, 4096, 1 },
		{ (1ULL << 40) + 3, (1ULL << 37) + 256, 8 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 size = cases[i].sync_size;
		u32 chunk = cases[i].chunk;

		KUNIT_EXPECT_EQ(test, kraid_bitmap_bits(size, chunk),
				cases[i].bits);
		KUNIT_EXPECT_EQ(test, kraid_bitmap_room(size, chunk),
				cases[i].room);
		KUNIT_EXPECT_EQ(test, kraid_bitmap_bit((size << 9) - 1, chunk),
				cases[i].bits - 1);
	}
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		KUNIT_EXPECT_EQ(test, kraid_bitmap_byte(places[i].bit),
				places[i].byte);
		KUNIT_EXPECT_EQ(test, kraid_bitmap_mask(places[i].bit),
				places[i].mask);
	}
}

static void bitmap_chunks(struct kunit *test)
{
	static const struct {
		u64 sync_size, room;
		u32 chunk;
	} cases[] = {
		{ 129024, 4096, 64 << 20 },
		{ 1, 257, 64 << 20 },
		{ 1, 256, 0 },
		/* 30,720 bits fit into 4 KiB: 1.875 TiB */
		{ 30720ULL << 17, 4096, 64 << 20 },
		{ (30720ULL << 17) + 1, 4096, 128 << 20 },
		{ 30720ULL << 22, 4096, 1U << 31 },
		{ (30720ULL << 22) + 1, 4096, 0 },
		{ (1ULL << 54) - 1, (1 << 29) + 256, 1U << 31 },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test,
				kraid_bitmap_pick_chunk(cases[i].sync_size,
							cases[i].room),
				cases[i].chunk);
}

static struct kunit_case raid_sb_cases[] = {
	KUNIT_CASE(sb_golden),
	KUNIT_CASE(sb_round_trip),
	KUNIT_CASE(sb_sums),
	KUNIT_CASE(sb_refuses),
	KUNIT_CASE(sb_notices),
	KUNIT_CASE(sb_shapes),
	KUNIT_CASE(sb_places),
	KUNIT_CASE(judge_members),
	KUNIT_CASE(judge_differ),
	KUNIT_CASE(judge_by_uuid),
	KUNIT_CASE(bitmap_golden),
	KUNIT_CASE(bitmap_round_trip),
	KUNIT_CASE(bitmap_refuses),
	KUNIT_CASE(bitmap_bits),
	KUNIT_CASE(bitmap_chunks),
	{}
};

struct kunit_suite kio_raid_sb_suite = {
	.name		= "kio_raid_sb",
	.test_cases	= raid_sb_cases,
};
