/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the bytes of an array are on its legs: md's layouts (md(4)). Pure: no
 * I/O, no locks. Positions on a leg count from where its data begins.
 *
 * Level 0. Chunks go to the legs in turn, until the smallest leg is full: that
 * is zone 0. Zone 1 goes on, on the legs that have room left, until the next
 * one is full:
 *
 *	leg	a  b  c		a  b  c
 *	zone 0	0  1  2		0  1  2
 *	zone 1	   3  4		   4  3
 *		   5  6		   6  5
 *	zone 2	      7		      7
 *		alternate	original
 *
 * Whose turn is it first in a zone? In the layout `alternate` always the first
 * of its legs. In the layout `original` that depends on the chunk's number in
 * the array: chunk n is on the (n mod legs)th of them. With one zone the two
 * are the same.
 *
 * Level 10. A chunk has near * far copies. Near copies are beside each other,
 * on neighbouring legs; a far copy is @stride bytes further down, @near legs
 * on. The layout `offset` has the far copies of a row in the next rows:
 *
 *	leg	a  b  c		a  b  c		a  b  c		a  b  c  d
 *		0  0  1		0  1  2		0  1  2		0  0  1  1
 *		1  2  2		3  4  5		2  0  1		2  2  3  3
 *		3  3  4		2  0  1		3  4  5		1  1  0  0
 *		4  5  5		5  3  4		5  3  4		3  3  2  2
 *		n2		f2		o2		n2f2
 *
 * As many near copies as legs, and no far ones: that is level 1, which needs no
 * chunks.
 */
#ifndef _KRAID_LAYOUT_H
#define _KRAID_LAYOUT_H

#include <linux/compiler.h>
#include <linux/kiobuf_dev.h>
#include <linux/math64.h>
#include <linux/types.h>

/**
 * struct kraid_place - a byte on a leg
 * @leg: its number
 * @pos: bytes from where the leg's data begins
 */
struct kraid_place {
	u32	leg;
	u64	pos;
};

/* md's numbers */
#define RAID0_ORIGINAL		1
#define RAID0_ALTERNATE		2
#define RAID10_NEAR(copies)	((copies) | 1 << 8)
#define RAID10_OFFSET		(1 << 16)

/**
 * struct raid0_zone - rows that lie on the same legs
 * @start: first byte of the array in it
 * @end: first byte of the array behind it
 * @bottom: where it begins on its legs
 * @top: where it ends there
 * @nr_legs: its legs
 * @first: index in @legs of the leg whose turn is first
 * @shares: shares of the zones before it, see raid0_share()
 * @legs: numbers of its legs, in ascending order
 */
struct raid0_zone {
	u64	start;
	u64	end;
	u64	bottom;
	u64	top;
	u32	nr_legs;
	u32	first;
	u32	shares;
	u16	*legs;
};

/**
 * struct raid0_map - level 0: where the chunks are
 * @size: bytes of the array; less than the zones hold where md wastes some
 * @chunk: bytes
 * @shift: log2(@chunk), or 0 if that is no power of two
 * @nr_zones: at least 1
 * @zones: by ascending height
 */
struct raid0_map {
	u64			size;
	u32			chunk;
	u32			shift;
	u32			nr_zones;
	struct raid0_zone	zones[];
};

struct raid0_map *raid0_map_alloc(u64 *leg_bytes, u32 nr_legs, u32 chunk,
				  u32 layout);
void raid0_map_free(struct raid0_map *map);
struct kraid_place raid0_place(const struct raid0_map *map, u64 pos);
bool raid0_gathers(const struct raid0_map *map, u64 pos, u64 length,
		   struct kiobuf_stripes *stripes);
u64 raid0_unmap(const struct raid0_map *map, struct kraid_place place);
u32 raid0_shares(const struct raid0_map *map, u64 pos, u64 length, u32 *end);
u64 raid0_share(const struct raid0_map *map, u64 pos, u64 length, u32 n,
		struct kraid_place *place);

/* Bytes from @pos on that lie together: to the end of the chunk, at least 1. */
static inline u32 raid0_left(const struct raid0_map *map, u64 pos)
{
	u32 in_chunk = pos & (map->chunk - 1);

	if (unlikely(!map->shift))
		div_u64_rem(pos, map->chunk, &in_chunk);
	return map->chunk - in_chunk;
}

/**
 * struct raid10_geo - level 10: where the copies are
 * @legs: how many
 * @near: near copies
 * @far: far copies of each of those, itself included
 * @copies: @near * @far
 * @offset: far copies are in the next rows
 * @chunk: bytes, a power of two; 0 where whole legs are copies (level 1)
 * @shift: log2(@chunk)
 * @leg_bytes: used on each leg, md's dev_sectors
 * @stride: bytes on a leg from one far copy to the next
 * @size: bytes of the array
 * @cycle: bytes of the array that fill whole rows
 * @cycle_rows: bytes of a leg that those rows take, once per far copy, or
 *	for all of them if @offset
 */
struct raid10_geo {
	u32	legs;
	u32	near;
	u32	far;
	u32	copies;
	bool	offset;
	u32	chunk;
	u32	shift;
	u64	leg_bytes;
	u64	stride;
	u64	size;
	u64	cycle;
	u64	cycle_rows;
};

int raid10_setup(struct raid10_geo *geo, u32 legs, u32 layout, u32 chunk,
		 u64 bytes);
struct kraid_place raid10_place(const struct raid10_geo *geo, u64 pos,
				u32 copy);
u64 raid10_unmap(const struct raid10_geo *geo, struct kraid_place place);
u64 raid10_whole(const struct raid10_geo *geo, u64 *pos, u64 length);
u32 raid10_nr_shares(const struct raid10_geo *geo);
u64 raid10_share(const struct raid10_geo *geo, u64 pos, u64 length, u32 n,
		 struct kraid_place *place);

int kraid0_layout_parse(const char *text, u32 *layout);
const char *kraid0_layout_name(u32 layout);
int kraid10_layout_parse(const char *text, u32 *layout);
int kraid10_layout_name(u32 layout, char *text, size_t size);

#endif /* _KRAID_LAYOUT_H */
