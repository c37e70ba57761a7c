// SPDX-License-Identifier: GPL-2.0
/* Pure: the arithmetic of dm-snapshot's store. */
#include <asm/byteorder.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "snap_format.h"

enum snap_header_state snap_header_read(const struct snap_disk_header *header,
					u32 *chunk_sectors)
{
	if (!header->magic)
		return SNAP_HEADER_FRESH;
	if (le32_to_cpu(header->magic) != SNAP_MAGIC)
		return SNAP_HEADER_FOREIGN;
	if (le32_to_cpu(header->version) != SNAP_VERSION)
		return SNAP_HEADER_VERSION;
	*chunk_sectors = le32_to_cpu(header->chunk_sectors);
	return header->valid ? SNAP_HEADER_GOOD : SNAP_HEADER_INVALID;
}

void snap_header_build(struct snap_disk_header *header, u32 chunk_sectors,
		       bool valid)
{
	header->magic = cpu_to_le32(SNAP_MAGIC);
	header->valid = cpu_to_le32(valid);
	header->version = cpu_to_le32(SNAP_VERSION);
	header->chunk_sectors = cpu_to_le32(chunk_sectors);
}

/* The chunk that holds the exceptions of an area */
u64 snap_area_chunk(u32 entries, u64 area)
{
	return 1 + area * (entries + 1);
}

static bool snap_is_area(u32 entries, u64 chunk)
{
	u32 rest;

	div_u64_rem(chunk, entries + 1, &rest);
	return rest == 1;
}

/* May an exception lead there? */
bool snap_is_data(const struct snap_layout *layout, u64 chunk)
{
	return chunk >= SNAP_FIRST_DATA && chunk < layout->nr_chunks &&
	       !snap_is_area(layout->entries, chunk);
}

/* The data chunk behind @chunk: they are handed out in this order. */
u64 snap_next_data(u32 entries, u64 chunk)
{
	return chunk + 1 + snap_is_area(entries, chunk + 1);
}

/*
 * Is there room for one more, the @exception'th from 0 on, in @chunk? One that fills
 * its area needs the next area too, which whoever reads the store goes on to.
 */
bool snap_has_room(const struct snap_layout *layout, u64 exception, u64 chunk)
{
	u64 area = div_u64(exception + 1, layout->entries);

	return chunk < layout->nr_chunks &&
	       snap_area_chunk(layout->entries, area) < layout->nr_chunks;
}

/* Exceptions in an area */
u32 snap_count(const struct snap_disk_entry *area, u32 entries)
{
	u32 i;

	for (i = 0; i < entries && area[i].new_chunk; i++)
		;
	return i;
}

/* Is there nothing behind the end, that a new exception would bring back? */
bool snap_is_blank(const struct snap_disk_entry *area, u32 from, u32 entries)
{
	return from == entries ||
	       !memchr_inv(area + from, 0, (entries - from) * sizeof(*area));
}
