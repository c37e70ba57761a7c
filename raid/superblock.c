// SPDX-License-Identifier: GPL-2.0
/*
 * Pure: md's superblock, to and from bytes.
 *
 * What md accepts is the measure (super_1_load() of drivers/md/md.c), and where
 * we refuse more it is said below.
 */
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/stdarg.h>
#include <linux/string.h>

#include "superblock.h"

#define SB_MAX_SECTORS	((u64)S64_MAX >> 9)
#define SB_MAX_CHUNK	(U32_MAX >> 9)
#define SB_MAX_BBLOG	8	/* md reads a page of it */

/* What kraid does, or leaves to the caller. */
#define SB_FEATURES	(KRAID_SB_BITMAP_OFFSET | KRAID_SB_RECOVERY_OFFSET | \
			 KRAID_SB_BAD_BLOCKS | KRAID_SB_REPLACEMENT | \
			 KRAID_SB_NEW_OFFSET | KRAID_SB_RECOVERY_BITMAP | \
			 KRAID_SB_RAID0_LAYOUT)

static const struct sb_feature {
	u32		bit;
	const char	*name;
} sb_features[] = {
	{ KRAID_SB_RESHAPE_ACTIVE, "a reshape" },
	{ KRAID_SB_RESHAPE_BACKWARDS, "a reshape backwards" },
	{ KRAID_SB_CLUSTERED, "a cluster" },
	{ KRAID_SB_JOURNAL, "a journal" },
	{ KRAID_SB_PPL, "a partial parity log" },
	{ KRAID_SB_MULTIPLE_PPLS, "several partial parity logs" },
};

/**
 * kraid_say() - put a sentence where the caller wants it
 * @why: the sentence
 * @len: room for it, with its end
 * @error: why, in a number
 * @fmt: as printf()
 *
 * Context: any.
 * Return: @error.
 */
int kraid_say(char *why, size_t len, int error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vscnprintf(why, len, fmt, args);
	va_end(args);
	return error;
}

/*
 * The sum of all words, that of the sum itself as 0, its upper half added to the
 * lower one. An odd number of roles leaves half a word.
 */
static u32 sb_csum(const struct kraid_sb_disk *disk, u32 max_dev)
{
	const __le32 *word = (const __le32 *)disk;
	u32 left = kraid_sb_size(max_dev);
	u64 sum = 0;

	for (; left >= sizeof(*word); left -= sizeof(*word))
		sum += le32_to_cpu(*word++);
	if (left)
		sum += le16_to_cpu(disk->roles[max_dev - 1]);
	sum -= le32_to_cpu(disk->csum);
	return lower_32_bits(sum) + upper_32_bits(sum);
}

static int sb_check_frame(const struct kraid_sb_disk *disk, u64 sector,
			  char *why, size_t len)
{
	u32 max_dev = le32_to_cpu(disk->max_dev);

	if (disk->magic != cpu_to_le32(KRAID_SB_MAGIC))
		return kraid_say(why, len, -ENODATA, "There is no superblock.");
	if (disk->major != cpu_to_le32(1))
		return kraid_say(why, len, -EINVAL,
				 "The superblock is of version %u, not 1.",
				 le32_to_cpu(disk->major));
	if (max_dev > KRAID_SB_MAX_DEV)
		return kraid_say(why, len, -EINVAL,
				 "The superblock says it has room for %u devices, more than the %u that fit.",
				 max_dev, KRAID_SB_MAX_DEV);
	if (le32_to_cpu(disk->csum) != sb_csum(disk, max_dev))
		return kraid_say(why, len, -EBADMSG,
				 "The superblock's checksum is wrong.");
	if (le64_to_cpu(disk->super_offset) != sector)
		return kraid_say(why, len, -EINVAL,
				 "The superblock says it lies at sector %llu, and was read at %llu.",
				 le64_to_cpu(disk->super_offset), sector);
	return 0;
}

static int sb_refuse_features(u32 bits, char *why, size_t len)
{
	char names[128] = "";
	size_t used = 0;
	int i;

	for (i = 0; i < ARRAY_SIZE(sb_features); i++) {
		if (!(bits & sb_features[i].bit))
			continue;
		used += scnprintf(names + used, sizeof(names) - used, "%s%s",
				  used ? ", " : "", sb_features[i].name);
		bits &= ~sb_features[i].bit;
	}
	if (bits)
		scnprintf(names + used, sizeof(names) - used, "%sfeatures 0x%x",
			  used ? ", " : "", bits);
	return kraid_say(why, len, -EOPNOTSUPP,
			 "The superblock asks for %s, which kraid does not know.",
			 names);
}

/* md writes zeros where nothing is defined yet: other bytes are a feature. */
static int sb_check_features(const struct kraid_sb_disk *disk, char *why,
			     size_t len)
{
	u32 bits = le32_to_cpu(disk->feature_map) & ~SB_FEATURES;

	if (bits)
		return sb_refuse_features(bits, why, len);
	if (disk->pad0 || memchr_inv(disk->pad3, 0, sizeof(disk->pad3)))
		return kraid_say(why, len, -EOPNOTSUPP,
				 "The superblock uses bytes that had no meaning when kraid was written.");
	return 0;
}

static void sb_load_roles(const struct kraid_sb_disk *disk, struct kraid_sb *sb)
{
	int i;

	for (i = 0; i < KRAID_SB_MAX_DEV; i++)
		sb->roles[i] = i < sb->max_dev ? le16_to_cpu(disk->roles[i]) :
						 KRAID_ROLE_SPARE;
}

static void sb_load_array(const struct kraid_sb_disk *disk, struct kraid_sb *sb)
{
	memcpy(sb->set_uuid, disk->set_uuid, sizeof(sb->set_uuid));
	memcpy(sb->name, disk->set_name, sizeof(sb->name));
	sb->ctime = le64_to_cpu(disk->ctime);
	sb->level = (s32)le32_to_cpu(disk->level);
	sb->layout = le32_to_cpu(disk->layout);
	sb->size = le64_to_cpu(disk->size);
	sb->chunk = le32_to_cpu(disk->chunk);
	sb->raid_disks = le32_to_cpu(disk->raid_disks);
	sb->bitmap_offset = (s32)le32_to_cpu(disk->bitmap_offset);
	sb->utime = le64_to_cpu(disk->utime);
	sb->events = le64_to_cpu(disk->events);
	sb->resync_offset = le64_to_cpu(disk->resync_offset);
	sb->max_dev = le32_to_cpu(disk->max_dev);
	sb_load_roles(disk, sb);
}

/* Without a reshape, md takes no notice of new_offset and its bit. */
static void sb_load_member(const struct kraid_sb_disk *disk,
			   struct kraid_sb *sb)
{
	sb->features = le32_to_cpu(disk->feature_map) & ~KRAID_SB_NEW_OFFSET;
	sb->data_offset = le64_to_cpu(disk->data_offset);
	sb->data_size = le64_to_cpu(disk->data_size);
	sb->super_offset = le64_to_cpu(disk->super_offset);
	sb->recovery_offset = le64_to_cpu(disk->recovery_offset);
	sb->dev_number = le32_to_cpu(disk->dev_number);
	sb->corrected_reads = le32_to_cpu(disk->corrected_reads);
	memcpy(sb->device_uuid, disk->device_uuid, sizeof(sb->device_uuid));
	sb->devflags = disk->devflags;
	sb->bblog_shift = disk->bblog_shift;
	sb->bblog_size = le16_to_cpu(disk->bblog_size);
	sb->bblog_offset = (s32)le32_to_cpu(disk->bblog_offset);
}

/* Bits 0-7 near copies, 8-15 far ones, 16 offset, above two kinds of far sets. */
static bool sb_layout10_known(u32 layout, u32 raid_disks)
{
	u32 copies = (layout & 0xff) * ((layout >> 8) & 0xff);

	return copies && copies <= raid_disks && layout >> 17 <= 2;
}

/* Levels 1 and 4 have one layout, and md takes no notice of the number. */
static bool sb_layout_known(const struct kraid_sb *sb)
{
	u32 layout = sb->layout;

	switch (sb->level) {
	case 0:
		return layout <= 2;
	case 5:
		return layout <= 5;
	case 6:
		return layout <= 5 || (layout >= 8 && layout <= 10) ||
		       (layout >= 16 && layout <= 20);
	case 10:
		return sb_layout10_known(layout, sb->raid_disks);
	default:
		return true;
	}
}

static bool sb_level_known(s32 level)
{
	return level == 0 || level == 1 || (level >= 4 && level <= 6) ||
	       level == 10;
}

/* Parity and level 10 want whole pages, a power of two of them. */
static bool sb_chunk_fits(const struct kraid_sb *sb)
{
	if (sb->chunk > SB_MAX_CHUNK)
		return false;
	if (sb->level == 1)
		return true;
	if (sb->level == 0)
		return sb->chunk;
	return is_power_of_2(sb->chunk) && sb->chunk >= 8;
}

static int sb_check_array(const struct kraid_sb *sb, char *why, size_t len)
{
	if (!sb_level_known(sb->level))
		return kraid_say(why, len, -EINVAL,
				 "The superblock has level %d, which kraid does not know.",
				 sb->level);
	if (!sb->raid_disks || sb->raid_disks > KRAID_SB_MAX_DEV)
		return kraid_say(why, len, -EINVAL,
				 "The superblock says the array has %u members.",
				 sb->raid_disks);
	if (!sb_layout_known(sb))
		return kraid_say(why, len, -EINVAL,
				 "The superblock has layout 0x%x, which level %d does not have.",
				 sb->layout, sb->level);
	if ((sb->features & KRAID_SB_RAID0_LAYOUT) && sb->level != 0)
		return kraid_say(why, len, -EINVAL,
				 "The superblock has a layout of level 0 for level %d.",
				 sb->level);
	if (!sb_chunk_fits(sb))
		return kraid_say(why, len, -EINVAL,
				 "The superblock has a chunk of %u sectors, which level %d cannot have.",
				 sb->chunk, sb->level);
	return 0;
}

static bool sb_meets(s64 start, u64 sectors, u64 other, u64 other_sectors)
{
	return start < (s64)(other + other_sectors) &&
	       (s64)other < start + (s64)sectors;
}

/*
 * What lies @offset from the superblock on must not be in the data, nor in the
 * 4096 bytes: md reads and writes less, and a bitmap may begin 1 KiB after the
 * superblock if the kernel placed it. Such an array we cannot write.
 */
static bool sb_offset_fits(const struct kraid_sb *sb, s32 offset, u32 sectors)
{
	s64 start = (s64)sb->super_offset + offset;

	return start >= 0 &&
	       !sb_meets(start, sectors, sb->super_offset, KRAID_SB_SECTORS) &&
	       !sb_meets(start, sectors, sb->data_offset, sb->data_size);
}

static int sb_check_data(const struct kraid_sb *sb, char *why, size_t len)
{
	if (sb->data_offset > SB_MAX_SECTORS || sb->data_size < 10 ||
	    sb->data_size > SB_MAX_SECTORS - sb->data_offset)
		return kraid_say(why, len, -EINVAL,
				 "The superblock says data are %llu sectors from sector %llu on.",
				 sb->data_size, sb->data_offset);
	if (sb_meets(sb->super_offset, KRAID_SB_SECTORS, sb->data_offset,
		     sb->data_size))
		return kraid_say(why, len, -EINVAL,
				 "The superblock says data begin at sector %llu, where it lies itself.",
				 sb->data_offset);
	if (sb->size > sb->data_size || (!sb->size && sb->level != 0))
		return kraid_say(why, len, -EINVAL,
				 "The superblock says the array uses %llu sectors of a member that has %llu.",
				 sb->size, sb->data_size);
	if ((sb->features & KRAID_SB_RECOVERY_OFFSET) &&
	    sb->recovery_offset > sb->data_size)
		return kraid_say(why, len, -EINVAL,
				 "The superblock says %llu sectors are rebuilt of a member that has %llu.",
				 sb->recovery_offset, sb->data_size);
	return 0;
}

static int sb_check_logs(const struct kraid_sb *sb, char *why, size_t len)
{
	if ((sb->features & KRAID_SB_BITMAP_OFFSET) &&
	    !sb_offset_fits(sb, sb->bitmap_offset, 1))
		return kraid_say(why, len, -EINVAL,
				 "The superblock has its bitmap %d sectors from itself, where there is no room.",
				 sb->bitmap_offset);
	if (!(sb->features & KRAID_SB_BAD_BLOCKS))
		return 0;
	if (!sb->bblog_size || sb->bblog_size > SB_MAX_BBLOG ||
	    sb->bblog_shift >= 64)
		return kraid_say(why, len, -EINVAL,
				 "The superblock has a log of bad blocks of %u sectors, in units of 2^%u.",
				 sb->bblog_size, sb->bblog_shift);
	if (!sb_offset_fits(sb, sb->bblog_offset, sb->bblog_size))
		return kraid_say(why, len, -EINVAL,
				 "The superblock has its log of bad blocks %d sectors from itself, where there is no room.",
				 sb->bblog_offset);
	return 0;
}

static int sb_check_roles(const struct kraid_sb *sb, char *why, size_t len)
{
	u32 i;

	if (sb->dev_number >= sb->max_dev)
		return kraid_say(why, len, -EINVAL,
				 "The superblock says it is number %u of %u devices.",
				 sb->dev_number, sb->max_dev);
	for (i = 0; i < sb->max_dev; i++)
		if (sb->roles[i] >= sb->raid_disks &&
		    sb->roles[i] < KRAID_ROLE_JOURNAL)
			return kraid_say(why, len, -EINVAL,
					 "The superblock gives device %u role %u of %u.",
					 i, sb->roles[i], sb->raid_disks);
	return 0;
}

/**
 * kraid_sb_parse() - read a superblock
 * @page: KRAID_SB_BYTES, aligned to 8
 * @sector: where they were read
 * @sb: what they say; of no use after an error
 * @why: one sentence after an error
 * @len: room for it
 *
 * Whether a member has as many sectors as it says, its caller looks up.
 *
 * Context: any.
 * Return: 0; -ENODATA: no superblock there; -EBADMSG: the checksum is wrong;
 * -EOPNOTSUPP: it asks for what we do not do; -EINVAL: it makes no sense.
 */
int kraid_sb_parse(const void *page, u64 sector, struct kraid_sb *sb,
		   char *why, size_t len)
{
	const struct kraid_sb_disk *disk = page;

	int ret = sb_check_frame(disk, sector, why, len) ?:
		  sb_check_features(disk, why, len);

	if (ret)
		return ret;
	sb_load_array(disk, sb);
	sb_load_member(disk, sb);
	return sb_check_array(sb, why, len) ?: sb_check_data(sb, why, len) ?:
	       sb_check_logs(sb, why, len) ?: sb_check_roles(sb, why, len);
}

static void sb_store_array(struct kraid_sb_disk *disk,
			   const struct kraid_sb *sb)
{
	int i;

	memcpy(disk->set_uuid, sb->set_uuid, sizeof(disk->set_uuid));
	memcpy(disk->set_name, sb->name, sizeof(disk->set_name));
	disk->ctime = cpu_to_le64(sb->ctime);
	disk->level = cpu_to_le32(sb->level);
	disk->layout = cpu_to_le32(sb->layout);
	disk->size = cpu_to_le64(sb->size);
	disk->chunk = cpu_to_le32(sb->chunk);
	disk->raid_disks = cpu_to_le32(sb->raid_disks);
	disk->bitmap_offset = cpu_to_le32(sb->bitmap_offset);
	disk->utime = cpu_to_le64(sb->utime);
	disk->events = cpu_to_le64(sb->events);
	disk->resync_offset = cpu_to_le64(sb->resync_offset);
	disk->max_dev = cpu_to_le32(sb->max_dev);
	for (i = 0; i < sb->max_dev; i++)
		disk->roles[i] = cpu_to_le16(sb->roles[i]);
}

static void sb_store_member(struct kraid_sb_disk *disk,
			    const struct kraid_sb *sb)
{
	disk->feature_map = cpu_to_le32(sb->features);
	disk->data_offset = cpu_to_le64(sb->data_offset);
	disk->data_size = cpu_to_le64(sb->data_size);
	disk->super_offset = cpu_to_le64(sb->super_offset);
	disk->recovery_offset = cpu_to_le64(sb->recovery_offset);
	disk->dev_number = cpu_to_le32(sb->dev_number);
	disk->corrected_reads = cpu_to_le32(sb->corrected_reads);
	memcpy(disk->device_uuid, sb->device_uuid, sizeof(disk->device_uuid));
	disk->devflags = sb->devflags;
	disk->bblog_shift = sb->bblog_shift;
	disk->bblog_size = cpu_to_le16(sb->bblog_size);
	disk->bblog_offset = cpu_to_le32(sb->bblog_offset);
}

/**
 * kraid_sb_build() - write a superblock
 * @page: KRAID_SB_BYTES, aligned to 8; all of them are written
 * @sb: what they are to say; @sb->max_dev at most KRAID_SB_MAX_DEV
 *
 * Context: any.
 */
void kraid_sb_build(void *page, const struct kraid_sb *sb)
{
	struct kraid_sb_disk *disk = page;

	memset(disk, 0, sizeof(*disk));
	disk->magic = cpu_to_le32(KRAID_SB_MAGIC);
	disk->major = cpu_to_le32(1);
	sb_store_array(disk, sb);
	sb_store_member(disk, sb);
	disk->csum = cpu_to_le32(sb_csum(disk, sb->max_dev));
}
