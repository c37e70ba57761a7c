// SPDX-License-Identifier: GPL-2.0
/* Pure: md's bitmap superblock, to and from bytes, and where bits are. */
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/string.h>

#include "bitmap_sb.h"

/* md takes what its ticks can count. A day is plenty. */
#define BITMAP_MAX_SLEEP	(24 * 60 * 60)

static int bitmap_check_kind(const struct kraid_bitmap_disk *disk, char *why,
			     size_t len)
{
	if (disk->magic != cpu_to_le32(KRAID_BITMAP_MAGIC))
		return kraid_say(why, len, -ENODATA, "There is no bitmap.");
	if (disk->version != cpu_to_le32(KRAID_BITMAP_VERSION))
		return kraid_say(why, len, -EOPNOTSUPP,
				 "The bitmap is of version %u, kraid knows %u only.",
				 le32_to_cpu(disk->version),
				 KRAID_BITMAP_VERSION);
	if (disk->nodes)
		return kraid_say(why, len, -EOPNOTSUPP,
				 "The bitmap is for a cluster of %u nodes, which kraid does not know.",
				 le32_to_cpu(disk->nodes));
	if (disk->state & cpu_to_le32(KRAID_BITMAP_HOSTENDIAN))
		return kraid_say(why, len, -EOPNOTSUPP,
				 "The bitmap has its bits in the order of some host, which kraid does not know.");
	return 0;
}

static int bitmap_check(const struct kraid_bitmap_sb *sb, char *why, size_t len)
{
	if (sb->chunk < 512 || !is_power_of_2(sb->chunk))
		return kraid_say(why, len, -EINVAL,
				 "The bitmap has a chunk of %u bytes.",
				 sb->chunk);
	if (!sb->sync_size || sb->sync_size > (u64)S64_MAX >> 9)
		return kraid_say(why, len, -EINVAL,
				 "The bitmap is for %llu sectors.",
				 sb->sync_size);
	if (!sb->daemon_sleep || sb->daemon_sleep > BITMAP_MAX_SLEEP)
		return kraid_say(why, len, -EINVAL,
				 "The bitmap says to clear bits after %u seconds.",
				 sb->daemon_sleep);
	if (sb->write_behind > KRAID_BITMAP_MAX_BEHIND)
		return kraid_say(why, len, -EINVAL,
				 "The bitmap lets %u writes be behind, more than %u.",
				 sb->write_behind, KRAID_BITMAP_MAX_BEHIND);
	if (sb->sectors_reserved &&
	    kraid_bitmap_room(sb->sync_size, sb->chunk) >
	    (u64)sb->sectors_reserved << 9)
		return kraid_say(why, len, -EINVAL,
				 "The bitmap does not fit into the %u sectors it has.",
				 sb->sectors_reserved);
	return 0;
}

/**
 * kraid_bitmap_sb_parse() - read a bitmap's superblock
 * @bytes: KRAID_BITMAP_HEADER, aligned to 8
 * @sb: what they say; of no use after an error
 * @why: one sentence after an error
 * @len: room for it
 *
 * That the bitmap is this array's and as new as it, its caller looks up.
 *
 * Context: any.
 * Return: 0; -ENODATA: no bitmap there; -EOPNOTSUPP: of a kind we do not know;
 * -EINVAL: it makes no sense.
 */
int kraid_bitmap_sb_parse(const void *bytes, struct kraid_bitmap_sb *sb,
			  char *why, size_t len)
{
	const struct kraid_bitmap_disk *disk = bytes;
	int ret = bitmap_check_kind(disk, why, len);

	if (ret)
		return ret;
	memcpy(sb->uuid, disk->uuid, sizeof(sb->uuid));
	sb->events = le64_to_cpu(disk->events);
	sb->events_cleared = le64_to_cpu(disk->events_cleared);
	sb->sync_size = le64_to_cpu(disk->sync_size);
	sb->state = le32_to_cpu(disk->state);
	sb->chunk = le32_to_cpu(disk->chunk);
	sb->daemon_sleep = le32_to_cpu(disk->daemon_sleep);
	sb->write_behind = le32_to_cpu(disk->write_behind);
	sb->sectors_reserved = le32_to_cpu(disk->sectors_reserved);
	return bitmap_check(sb, why, len);
}

/**
 * kraid_bitmap_sb_build() - write a bitmap's superblock
 * @bytes: KRAID_BITMAP_HEADER, aligned to 8; all of them are written
 * @sb: what they are to say
 *
 * Context: any.
 */
void kraid_bitmap_sb_build(void *bytes, const struct kraid_bitmap_sb *sb)
{
	struct kraid_bitmap_disk *disk = bytes;

	memset(disk, 0, sizeof(*disk));
	disk->magic = cpu_to_le32(KRAID_BITMAP_MAGIC);
	disk->version = cpu_to_le32(KRAID_BITMAP_VERSION);
	memcpy(disk->uuid, sb->uuid, sizeof(disk->uuid));
	disk->events = cpu_to_le64(sb->events);
	disk->events_cleared = cpu_to_le64(sb->events_cleared);
	disk->sync_size = cpu_to_le64(sb->sync_size);
	disk->state = cpu_to_le32(sb->state);
	disk->chunk = cpu_to_le32(sb->chunk);
	disk->daemon_sleep = cpu_to_le32(sb->daemon_sleep);
	disk->write_behind = cpu_to_le32(sb->write_behind);
	disk->sectors_reserved = cpu_to_le32(sb->sectors_reserved);
}

/**
 * kraid_bitmap_bits() - how many bits mean something
 * @sync_size: sectors the bitmap is for
 * @chunk: bytes a bit is for: a power of two, 512 at least
 *
 * Context: any.
 * Return: bits, the last of them for less than a chunk perhaps.
 */
u64 kraid_bitmap_bits(u64 sync_size, u32 chunk)
{
	unsigned int shift = ilog2(chunk) - 9;
	u64 rest = sync_size & ((1ULL << shift) - 1);

	return (sync_size >> shift) + !!rest;
}

/**
 * kraid_bitmap_room() - bytes a bitmap takes, its superblock too
 * @sync_size: sectors the bitmap is for
 * @chunk: as for kraid_bitmap_bits()
 *
 * Context: any.
 * Return: bytes.
 */
u64 kraid_bitmap_room(u64 sync_size, u32 chunk)
{
	u64 bits = kraid_bitmap_bits(sync_size, chunk);

	return KRAID_BITMAP_HEADER + (bits >> 3) + !!(bits & 7);
}

/**
 * kraid_bitmap_pick_chunk() - the chunk for a bitmap that has to fit
 * @sync_size: sectors the bitmap is for
 * @room: bytes there are for it
 *
 * As mdadm picks it: 64 MiB, or the least that fits.
 *
 * Context: any.
 * Return: bytes; 0: no chunk is large enough.
 */
u32 kraid_bitmap_pick_chunk(u64 sync_size, u64 room)
{
	u32 chunk = KRAID_BITMAP_CHUNK;

	while (kraid_bitmap_room(sync_size, chunk) > room) {
		if (chunk == KRAID_BITMAP_MAX_CHUNK)
			return 0;
		chunk <<= 1;
	}
	return chunk;
}
