/* SPDX-License-Identifier: GPL-2.0 */
/*
 * md's superblock, version 1.x, as bytes and as numbers. Pure: no I/O, no
 * locks, no memory of its own.
 *
 * Version 1.2, which new arrays get, lies 4096 bytes into a member. We read and
 * write 4096 bytes, of which md counts 256 and two for each device it has room
 * for. What we write is all ours: struct kraid_sb has every field that md or
 * mdadm would miss. Places and lengths are sectors of 512 bytes, as on disk.
 *
 * A device has a number, for good, and at a time a role: its place in the array.
 * Every member has the whole table of roles by numbers, as its last write knew
 * it.
 */
#ifndef _KRAID_SUPERBLOCK_H
#define _KRAID_SUPERBLOCK_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/limits.h>
#include <linux/stddef.h>
#include <linux/types.h>

#define KRAID_SB_MAGIC		0xa92b4efc
#define KRAID_SB_BYTES		4096
#define KRAID_SB_SECTORS	(KRAID_SB_BYTES / 512)
#define KRAID_SB_SECTOR		8	/* where version 1.2 lies */
#define KRAID_SB_MAX_DEV	((KRAID_SB_BYTES - 256) / 2)
#define KRAID_SB_NAME		32
#define KRAID_UUID		16

/* Features. The first four say something of one member only. */
#define KRAID_SB_RECOVERY_OFFSET	BIT(1)
#define KRAID_SB_BAD_BLOCKS		BIT(3)
#define KRAID_SB_REPLACEMENT		BIT(4)
#define KRAID_SB_RECOVERY_BITMAP	BIT(7)

#define KRAID_SB_BITMAP_OFFSET		BIT(0)
#define KRAID_SB_RESHAPE_ACTIVE		BIT(2)
#define KRAID_SB_RESHAPE_BACKWARDS	BIT(5)
#define KRAID_SB_NEW_OFFSET		BIT(6)
#define KRAID_SB_CLUSTERED		BIT(8)
#define KRAID_SB_JOURNAL		BIT(9)
#define KRAID_SB_PPL			BIT(10)
#define KRAID_SB_MULTIPLE_PPLS		BIT(11)
#define KRAID_SB_RAID0_LAYOUT		BIT(12)

/* devflags */
#define KRAID_SB_WRITE_MOSTLY		BIT(0)
#define KRAID_SB_FAIL_FAST		BIT(1)

/*
 * Roles below KRAID_ROLE_END are places in the array. md writes `spare` also for
 * numbers that nobody has, such as that of a member that failed and was removed.
 */
#define KRAID_ROLE_END			0xff00
#define KRAID_ROLE_JOURNAL		0xfffd
#define KRAID_ROLE_FAULTY		0xfffe
#define KRAID_ROLE_SPARE		0xffff

/* On disk. */
struct kraid_sb_disk {
	__le32	magic;
	__le32	major;
	__le32	feature_map;
	__le32	pad0;
	u8	set_uuid[KRAID_UUID];
	char	set_name[KRAID_SB_NAME];
	__le64	ctime;
	__le32	level;
	__le32	layout;
	__le64	size;
	__le32	chunk;
	__le32	raid_disks;
	__le32	bitmap_offset;
	__le32	new_level;
	__le64	reshape_position;
	__le32	delta_disks;
	__le32	new_layout;
	__le32	new_chunk;
	__le32	new_offset;
	__le64	data_offset;
	__le64	data_size;
	__le64	super_offset;
	__le64	recovery_offset;
	__le32	dev_number;
	__le32	corrected_reads;
	u8	device_uuid[KRAID_UUID];
	u8	devflags;
	u8	bblog_shift;
	__le16	bblog_size;
	__le32	bblog_offset;
	__le64	utime;
	__le64	events;
	__le64	resync_offset;
	__le32	csum;
	__le32	max_dev;
	u8	pad3[32];
	__le16	roles[KRAID_SB_MAX_DEV];
} __packed __aligned(8);

static_assert(offsetof(struct kraid_sb_disk, set_uuid) == 16);
static_assert(offsetof(struct kraid_sb_disk, ctime) == 64);
static_assert(offsetof(struct kraid_sb_disk, chunk) == 88);
static_assert(offsetof(struct kraid_sb_disk, bitmap_offset) == 96);
static_assert(offsetof(struct kraid_sb_disk, reshape_position) == 104);
static_assert(offsetof(struct kraid_sb_disk, new_offset) == 124);
static_assert(offsetof(struct kraid_sb_disk, data_offset) == 128);
static_assert(offsetof(struct kraid_sb_disk, recovery_offset) == 152);
static_assert(offsetof(struct kraid_sb_disk, device_uuid) == 168);
static_assert(offsetof(struct kraid_sb_disk, bblog_offset) == 188);
static_assert(offsetof(struct kraid_sb_disk, events) == 200);
static_assert(offsetof(struct kraid_sb_disk, csum) == 216);
static_assert(offsetof(struct kraid_sb_disk, pad3) == 224);
static_assert(offsetof(struct kraid_sb_disk, roles) == 256);
static_assert(sizeof(struct kraid_sb_disk) == KRAID_SB_BYTES);

/**
 * struct kraid_sb - a superblock as numbers
 * @features: KRAID_SB_*
 * @set_uuid: of the array
 * @name: of the array, without an end if it is long
 * @ctime: when the array was made: seconds, and microseconds from bit 40 on
 * @level: as md numbers it
 * @layout: of that level
 * @size: used of each member; 0 for level 0: all of it
 * @chunk: sectors; 0 if the level has none
 * @raid_disks: roles there are
 * @bitmap_offset: of the bitmap, from the superblock on
 * @data_offset: where data begin
 * @data_size: what there is for data
 * @super_offset: where the superblock lies
 * @recovery_offset: with KRAID_SB_RECOVERY_OFFSET, data before are good
 * @dev_number: this member's
 * @corrected_reads: errors that were mended
 * @device_uuid: this member's
 * @devflags: KRAID_SB_WRITE_MOSTLY, KRAID_SB_FAIL_FAST
 * @bblog_shift: unit of the bad block log: 2^this sectors
 * @bblog_size: sectors the log has
 * @bblog_offset: of the log, from the superblock on; 0: there is none
 * @utime: of the last write, as @ctime
 * @events: counts changes of the array
 * @resync_offset: data before are the same everywhere; U64_MAX: all
 * @max_dev: numbers there is room for
 * @roles: by number; those from @max_dev on mean nothing
 *
 * Too large for the stack: kvmalloc() it.
 */
struct kraid_sb {
	u32	features;
	u8	set_uuid[KRAID_UUID];
	char	name[KRAID_SB_NAME];
	u64	ctime;
	s32	level;
	u32	layout;
	u64	size;
	u32	chunk;
	u32	raid_disks;
	s32	bitmap_offset;
	u64	data_offset;
	u64	data_size;
	u64	super_offset;
	u64	recovery_offset;
	u32	dev_number;
	u32	corrected_reads;
	u8	device_uuid[KRAID_UUID];
	u8	devflags;
	u8	bblog_shift;
	u16	bblog_size;
	s32	bblog_offset;
	u64	utime;
	u64	events;
	u64	resync_offset;
	u32	max_dev;
	u16	roles[KRAID_SB_MAX_DEV];
};

/* Bytes that md reads, writes and sums up. */
static inline u32 kraid_sb_size(u32 max_dev)
{
	return 256 + 2 * max_dev;
}

static inline bool kraid_role_is_place(u16 role)
{
	return role < KRAID_ROLE_END;
}

/* What @sb says of the member with that number. */
static inline u16 kraid_sb_role(const struct kraid_sb *sb, u32 number)
{
	return number < sb->max_dev ? sb->roles[number] : KRAID_ROLE_SPARE;
}

static inline u16 kraid_sb_own_role(const struct kraid_sb *sb)
{
	return kraid_sb_role(sb, sb->dev_number);
}

/* Sectors of this member that are good, U64_MAX for all. */
static inline u64 kraid_sb_recovered(const struct kraid_sb *sb)
{
	if (sb->features & KRAID_SB_RECOVERY_OFFSET)
		return sb->recovery_offset;
	return U64_MAX;
}

int kraid_sb_parse(const void *page, u64 sector, struct kraid_sb *sb,
		   char *why, size_t len);
void kraid_sb_build(void *page, const struct kraid_sb *sb);

__printf(4, 5)
int kraid_say(char *why, size_t len, int error, const char *fmt, ...);

#endif /* _KRAID_SUPERBLOCK_H */
