/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Format of dm-snapshot's store: pure, no I/O.
 *
 *	chunk	0	1	2 ..		E + 1	E + 2	E + 3 ..
 *		header	area 0	its data	its data	area 1	its data
 *
 * An area is a chunk of E exceptions, followed by the E chunks that these may be
 * about. Exceptions are valid up to the first whose new chunk is 0, which no data has.
 * When an area is full the next one goes on, so that one must be there.
 */
#ifndef _KLVM_SNAP_FORMAT_H
#define _KLVM_SNAP_FORMAT_H

#include <linux/types.h>

#define SNAP_MAGIC	0x70416e53U	/* "SnAp" */
#define SNAP_VERSION	1U
#define SNAP_FIRST_DATA	2ULL

struct snap_disk_header {
	__le32	magic;
	__le32	valid;
	__le32	version;
	__le32	chunk_sectors;
};

struct snap_disk_entry {
	__le64	old_chunk;
	__le64	new_chunk;
};

/**
 * struct snap_layout - where things are
 * @entries: exceptions of an area
 * @nr_chunks: whole chunks of the device
 */
struct snap_layout {
	u32	entries;
	u64	nr_chunks;
};

/* What a header may be */
enum snap_header_state {
	SNAP_HEADER_FRESH,	/* no store yet: begins with zeroes */
	SNAP_HEADER_GOOD,
	SNAP_HEADER_INVALID,	/* a store that is lost */
	SNAP_HEADER_FOREIGN,	/* something else */
	SNAP_HEADER_VERSION,	/* of a version that we do not know */
};

enum snap_header_state snap_header_read(const struct snap_disk_header *header,
					u32 *chunk_sectors);
void snap_header_build(struct snap_disk_header *header, u32 chunk_sectors,
		       bool valid);

u64 snap_area_chunk(u32 entries, u64 area);
bool snap_is_data(const struct snap_layout *layout, u64 chunk);
u64 snap_next_data(u32 entries, u64 chunk);
bool snap_has_room(const struct snap_layout *layout, u64 exception, u64 chunk);
u32 snap_count(const struct snap_disk_entry *area, u32 entries);
bool snap_is_blank(const struct snap_disk_entry *area, u32 from, u32 entries);

#endif /* _KLVM_SNAP_FORMAT_H */
