/* SPDX-License-Identifier: GPL-2.0 */
/*
 * md's write intent bitmap: its superblock, and where its bits are. Pure.
 *
 * 256 bytes, then a bit for each chunk of the synced range, little-endian: chunk
 * n is bit n % 8 of byte 256 + n / 8. Bits beyond the last chunk may be set, as
 * mdadm leaves them; they mean nothing. Bits do not depend on the size of pages.
 *
 * Version 4 only. 3 had bits in the order of the host that wrote it, which it does
 * not tell; 5 is for clusters, 6 keeps other things than bits.
 */
#ifndef _KRAID_BITMAP_SB_H
#define _KRAID_BITMAP_SB_H

#include <linux/log2.h>

#include "superblock.h"

#define KRAID_BITMAP_MAGIC	0x6d746962
#define KRAID_BITMAP_VERSION	4
#define KRAID_BITMAP_HEADER	256
#define KRAID_BITMAP_CHUNK	(64U << 20)	/* what mdadm begins with */
#define KRAID_BITMAP_MAX_CHUNK	(1U << 31)
#define KRAID_BITMAP_SLEEP	5
#define KRAID_BITMAP_MAX_BEHIND	16383

/* state: md numbers the bits, 1, 2 and 15. */
#define KRAID_BITMAP_STALE		BIT(1)
#define KRAID_BITMAP_WRITE_ERROR	BIT(2)
#define KRAID_BITMAP_HOSTENDIAN		BIT(15)

/* On disk. */
struct kraid_bitmap_disk {
	__le32	magic;
	__le32	version;
	u8	uuid[KRAID_UUID];
	__le64	events;
	__le64	events_cleared;
	__le64	sync_size;
	__le32	state;
	__le32	chunk;
	__le32	daemon_sleep;
	__le32	write_behind;
	__le32	sectors_reserved;
	__le32	nodes;
	u8	cluster_name[64];
	u8	pad[120];
} __packed __aligned(8);

static_assert(offsetof(struct kraid_bitmap_disk, events) == 24);
static_assert(offsetof(struct kraid_bitmap_disk, sync_size) == 40);
static_assert(offsetof(struct kraid_bitmap_disk, chunk) == 52);
static_assert(offsetof(struct kraid_bitmap_disk, nodes) == 68);
static_assert(offsetof(struct kraid_bitmap_disk, pad) == 136);
static_assert(sizeof(struct kraid_bitmap_disk) == KRAID_BITMAP_HEADER);

/**
 * struct kraid_bitmap_sb - a bitmap's superblock as numbers
 * @uuid: of the array
 * @events: of the array at the last write; less than the array's: the bitmap
 *	was not kept, and everything is dirty
 * @events_cleared: of the array, when a bit was last cleared: a member that has
 *	fewer cannot come back by the bitmap
 * @sync_size: sectors it is for
 * @state: KRAID_BITMAP_STALE and others
 * @chunk: bytes a bit is for, a power of two
 * @daemon_sleep: seconds until a bit is cleared
 * @write_behind: writes a write-mostly member may be behind
 * @sectors_reserved: room for the bitmap; 0: not told
 */
struct kraid_bitmap_sb {
	u8	uuid[KRAID_UUID];
	u64	events;
	u64	events_cleared;
	u64	sync_size;
	u32	state;
	u32	chunk;
	u32	daemon_sleep;
	u32	write_behind;
	u32	sectors_reserved;
};

int kraid_bitmap_sb_parse(const void *bytes, struct kraid_bitmap_sb *sb,
			  char *why, size_t len);
void kraid_bitmap_sb_build(void *bytes, const struct kraid_bitmap_sb *sb);

u64 kraid_bitmap_bits(u64 sync_size, u32 chunk);
u64 kraid_bitmap_room(u64 sync_size, u32 chunk);
u32 kraid_bitmap_pick_chunk(u64 sync_size, u64 room);

/* The byte that has @bit, from the bitmap's begin on. */
static inline u64 kraid_bitmap_byte(u64 bit)
{
	return KRAID_BITMAP_HEADER + (bit >> 3);
}

static inline u8 kraid_bitmap_mask(u64 bit)
{
	return 1 << (bit & 7);
}

/* The bit for a byte of the synced range. @chunk is a power of two. */
static inline u64 kraid_bitmap_bit(u64 pos, u32 chunk)
{
	return pos >> ilog2(chunk);
}

#endif /* _KRAID_BITMAP_SB_H */
