// SPDX-License-Identifier: GPL-2.0
/* Pure: where bytes of an array are on its legs; see layout.h. */
#include <linux/err.h>
#include <linux/gcd.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "layout.h"

/* ---- level 0: setup ---- */

struct raid0_row {
	u64	top;
	u32	nr_legs;
};

/*
 * The zone that begins at @bottom on the legs; without legs if there is none.
 */
static struct raid0_row raid0_next_row(const u64 *leg_bytes, u32 nr_legs,
				       u64 bottom)
{
	struct raid0_row row = { .top = U64_MAX };
	u32 i;

	for (i = 0; i < nr_legs; i++) {
		if (leg_bytes[i] <= bottom)
			continue;
		row.top = min(row.top, leg_bytes[i]);
		row.nr_legs++;
	}
	return row;
}

/* Counts shares too. */
static u32 raid0_count_zones(const u64 *leg_bytes, u32 nr_legs, u32 *shares)
{
	struct raid0_row row = { .top = 0 };
	u32 nr = 0;

	*shares = 0;
	for (;;) {
		row = raid0_next_row(leg_bytes, nr_legs, row.top);
		if (!row.nr_legs)
			return nr;
		*shares += row.nr_legs;
		nr++;
	}
}

/* @zone has what the one before it ends with. */
static void raid0_fill_zone(struct raid0_zone *zone, const u64 *leg_bytes,
			    u32 nr_legs, u32 chunk, u32 layout)
{
	struct raid0_row row = raid0_next_row(leg_bytes, nr_legs, zone->bottom);
	u32 i, n = 0;

	zone->top = row.top;
	zone->nr_legs = row.nr_legs;
	zone->end = zone->start + (row.top - zone->bottom) * row.nr_legs;
	if (layout == RAID0_ORIGINAL)
		div_u64_rem(div_u64(zone->start, chunk), row.nr_legs,
			    &zone->first);
	for (i = 0; i < nr_legs; i++)
		if (leg_bytes[i] > zone->bottom)
			zone->legs[n++] = i;
}

static void raid0_fill_zones(struct raid0_map *map, const u64 *leg_bytes,
			     u32 nr_legs, u32 layout)
{
	struct raid0_zone *zone = map->zones, *end = zone + map->nr_zones;

	zone->legs = (u16 *)end;
	for (;;) {
		raid0_fill_zone(zone, leg_bytes, nr_legs, map->chunk, layout);
		if (zone + 1 == end)
			return;
		zone[1].start = zone->end;
		zone[1].bottom = zone->top;
		zone[1].shares = zone->shares + zone->nr_legs;
		zone[1].legs = zone->legs + zone->nr_legs;
		zone++;
	}
}

/*
 * Rounds what legs hold down to chunks, and adds it up as md does: with a mask,
 * which hides some more if the chunk is no power of two. 0 if that is nothing
 * or too much.
 */
static u64 raid0_round_legs(u64 *leg_bytes, u32 nr_legs, u32 chunk)
{
	u64 mask = ~((u64)(chunk >> SECTOR_SHIFT) - 1) << SECTOR_SHIFT;
	u64 size = 0;
	u32 i, rest;

	for (i = 0; i < nr_legs; i++) {
		div_u64_rem(leg_bytes[i], chunk, &rest);
		leg_bytes[i] -= rest;
		if (!leg_bytes[i] || leg_bytes[i] > LLONG_MAX - size)
			return 0;
		size += leg_bytes[i] & mask;
	}
	return size;
}

/**
 * raid0_map_alloc() - lay out level 0
 * @leg_bytes: what each leg holds; rounded down to whole chunks here
 * @nr_legs: legs, at most 65,536
 * @chunk: bytes, a multiple of the sector
 * @layout: RAID0_ORIGINAL or RAID0_ALTERNATE
 *
 * Context: process, may sleep for memory.
 * Return: the map, for raid0_map_free(); ERR_PTR(-ENOSPC) if a leg holds no chunk, or
 * the array would have more than LLONG_MAX bytes; ERR_PTR(-ENOMEM).
 */
struct raid0_map *raid0_map_alloc(u64 *leg_bytes, u32 nr_legs, u32 chunk,
				  u32 layout)
{
	u64 size = raid0_round_legs(leg_bytes, nr_legs, chunk);
	struct raid0_map *map;
	u32 nr_zones, shares;

	if (!size)
		return ERR_PTR(-ENOSPC);
	nr_zones = raid0_count_zones(leg_bytes, nr_legs, &shares);
	map = kvzalloc(struct_size(map, zones, nr_zones) +
		       array_size(shares, sizeof(u16)), GFP_KERNEL);
	if (!map)
		return ERR_PTR(-ENOMEM);
	map->size = size;
	map->chunk = chunk;
	map->shift = is_power_of_2(chunk) ? ilog2(chunk) : 0;
	map->nr_zones = nr_zones;
	raid0_fill_zones(map, leg_bytes, nr_legs, layout);
	return map;
}

/* Takes NULL too. */
void raid0_map_free(struct raid0_map *map)
{
	kvfree(map);
}

/* ---- level 0: from the array to the legs ---- */

/* Which chunk of the array, and where in it */
static u64 raid0_chunk(const struct raid0_map *map, u64 pos, u32 *in_chunk)
{
	if (unlikely(!map->shift))
		return div_u64_rem(pos, map->chunk, in_chunk);
	*in_chunk = pos & (map->chunk - 1);
	return pos >> map->shift;
}

/* The zone of a byte; the last one for what lies behind it. */
static const struct raid0_zone *raid0_zone_at(const struct raid0_map *map,
					      u64 pos)
{
	u32 low = 0, high = map->nr_zones - 1, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (pos < map->zones[middle].end)
			high = middle;
		else
			low = middle + 1;
	}
	return &map->zones[low];
}

/* The leg that comes @turn turns after the first of a row. */
static u32 raid0_nth(const struct raid0_zone *zone, u32 turn)
{
	u32 i = turn + zone->first;

	return i < zone->nr_legs ? i : i - zone->nr_legs;
}

/* Its reverse */
static u32 raid0_turn(const struct raid0_zone *zone, u32 i)
{
	return i >= zone->first ? i - zone->first :
	       i + zone->nr_legs - zone->first;
}

static struct kraid_place raid0_place_beyond(const struct raid0_map *map,
					     u64 pos)
{
	const struct raid0_zone *zone = raid0_zone_at(map, pos);
	struct kraid_place place;
	u32 in_chunk, turn;
	u64 row;

	row = raid0_chunk(map, pos - zone->start, &in_chunk);
	row = div_u64_rem(row, zone->nr_legs, &turn);
	place.leg = zone->legs[raid0_nth(zone, turn)];
	place.pos = zone->bottom + row * map->chunk + in_chunk;
	return place;
}

/**
 * raid0_place() - find a byte of the array
 * @map: the layout
 * @pos: the byte, below map->size
 *
 * In zone 0, often the only one, a leg's number is its turn.
 *
 * Return: where it is.
 */
struct kraid_place raid0_place(const struct raid0_map *map, u64 pos)
{
	const struct raid0_zone *zone = map->zones;
	struct kraid_place place;
	u32 in_chunk;
	u64 row;

	if (unlikely(pos >= zone->end))
		return raid0_place_beyond(map, pos);
	row = raid0_chunk(map, pos, &in_chunk);
	row = div_u64_rem(row, zone->nr_legs, &place.leg);
	place.pos = row * map->chunk + in_chunk;
	return place;
}

/**
 * raid0_gathers() - has a range more than one chunk on some leg?
 * @map: the layout
 * @pos: first byte of the range
 * @length: its bytes
 * @stripes: how it lies on the legs, if so
 *
 * A range that lies in several zones is said to have none.
 *
 * Return: true if so.
 */
bool raid0_gathers(const struct raid0_map *map, u64 pos, u64 length,
		   struct kiobuf_stripes *stripes)
{
	const struct raid0_zone *zone = raid0_zone_at(map, pos);

	stripes->chunk = map->chunk;
	stripes->nr = zone->nr_legs;
	raid0_chunk(map, pos - zone->start, &stripes->skip);
	return pos + length <= zone->end && kiobuf_may_gather(stripes, length);
}

/* ---- level 0: from the legs to the array ---- */

/* The zone of a byte of a leg; the last one for what lies above it. */
static const struct raid0_zone *raid0_zone_of(const struct raid0_map *map,
					      u64 leg_pos)
{
	u32 low = 0, high = map->nr_zones - 1, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (leg_pos < map->zones[middle].top)
			high = middle;
		else
			low = middle + 1;
	}
	return &map->zones[low];
}

/* Which of the zone's legs it is; nr_legs if it is none of them. */
static u32 raid0_index_of(const struct raid0_zone *zone, u32 leg)
{
	u32 low = 0, high = zone->nr_legs, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (zone->legs[middle] < leg)
			low = middle + 1;
		else
			high = middle;
	}
	return low < zone->nr_legs && zone->legs[low] == leg ? low :
	       zone->nr_legs;
}

/**
 * raid0_unmap() - find what a byte of a leg is
 * @map: the layout
 * @place: the byte
 *
 * Return: the byte of the array; U64_MAX if it is none.
 */
u64 raid0_unmap(const struct raid0_map *map, struct kraid_place place)
{
	const struct raid0_zone *zone = raid0_zone_of(map, place.pos);
	u32 i = raid0_index_of(zone, place.leg), in_chunk;
	u64 nr, pos;

	if (i == zone->nr_legs || place.pos >= zone->top)
		return U64_MAX;
	nr = raid0_chunk(map, place.pos - zone->bottom, &in_chunk);
	nr = nr * zone->nr_legs + raid0_turn(zone, i);
	pos = zone->start + nr * map->chunk + in_chunk;
	return pos < map->size ? pos : U64_MAX;
}

/* ---- level 0: operations without data ---- */

/**
 * raid0_shares() - number the shares of a range
 * @map: the layout
 * @pos: where it begins in the array
 * @length: its bytes, at least 1
 * @end: set to one more than the last number
 *
 * A share is what a zone of a leg has of a range, a range itself. They are
 * numbered by zone, and by leg therein; some of those numbered may be empty.
 *
 * Return: the first number.
 */
u32 raid0_shares(const struct raid0_map *map, u64 pos, u64 length, u32 *end)
{
	const struct raid0_zone *last = raid0_zone_at(map, pos + length - 1);

	*end = last->shares + last->nr_legs;
	return raid0_zone_at(map, pos)->shares;
}

static const struct raid0_zone *raid0_zone_of_share(const struct raid0_map *map,
						    u32 n)
{
	u32 low = 0, high = map->nr_zones - 1, middle;

	while (low < high) {
		middle = (low + high) / 2;
		if (n < map->zones[middle + 1].shares)
			high = middle;
		else
			low = middle + 1;
	}
	return &map->zones[low];
}

/* How far the array's bytes before @pos reach on the zone's leg @turn */
static u64 raid0_reach(const struct raid0_map *map,
		       const struct raid0_zone *zone, u32 turn, u64 pos)
{
	u64 length = clamp(pos, zone->start, zone->end) - zone->start;
	u64 stripe = (u64)zone->nr_legs * map->chunk;
	u64 rows = div64_u64(length, stripe);
	u64 rest = length - rows * stripe;
	u64 before = (u64)turn * map->chunk;
	u64 reach = zone->bottom + rows * map->chunk;

	return rest <= before ? reach :
	       reach + min_t(u64, rest - before, map->chunk);
}

/**
 * raid0_share() - the share that a leg has of a range
 * @map: the layout
 * @pos: where the range begins in the array
 * @length: its bytes
 * @n: number of the share, see raid0_shares()
 * @place: set to where it begins
 *
 * Its bytes ascend in the array as they do on the leg.
 *
 * Return: its bytes, 0 if it is empty.
 */
u64 raid0_share(const struct raid0_map *map, u64 pos, u64 length, u32 n,
		struct kraid_place *place)
{
	const struct raid0_zone *zone = raid0_zone_of_share(map, n);
	u32 i = n - zone->shares, turn = raid0_turn(zone, i);

	place->leg = zone->legs[i];
	place->pos = raid0_reach(map, zone, turn, pos);
	return raid0_reach(map, zone, turn, pos + length) - place->pos;
}

/* ---- level 10 ---- */

/*
 * Near copies that are wrapped into the next row would meet far copies there:
 * with such a layout md overwrites its own data.
 */
static bool raid10_overlaps(const struct raid10_geo *geo)
{
	return geo->offset && geo->far > 1 && geo->legs % geo->near;
}

static bool raid10_is_sane(const struct raid10_geo *geo, u32 layout)
{
	return !(layout >> 17) && is_power_of_2(geo->chunk) &&
	       geo->copies > 1 && geo->copies <= geo->legs &&
	       !raid10_overlaps(geo);
}

/* How many chunks there are, and from that how many a leg needs. */
static int raid10_measure(struct raid10_geo *geo, u64 bytes)
{
	u64 chunks = div_u64(bytes >> geo->shift, geo->far) * geo->legs;
	u64 used;

	chunks = div_u64(chunks, geo->near);
	if (chunks > LLONG_MAX >> geo->shift)
		return -EFBIG;
	used = div_u64(chunks * geo->copies + geo->legs - 1, geo->legs);
	geo->size = chunks << geo->shift;
	geo->leg_bytes = used << geo->shift;
	geo->stride = geo->offset ? geo->chunk :
		      div_u64(used, geo->far) << geo->shift;
	return 0;
}

static void raid10_find_cycle(struct raid10_geo *geo)
{
	u32 common = gcd(geo->legs, geo->near);

	geo->cycle = (u64)(geo->legs / common) << geo->shift;
	geo->cycle_rows = (u64)(geo->near / common) << geo->shift;
	if (geo->offset)
		geo->cycle_rows *= geo->far;
}

/**
 * raid10_setup() - lay out level 10
 * @geo: to be filled in
 * @legs: how many, at most 1,024
 * @layout: md's number: near | far << 8 | offset << 16
 * @chunk: bytes
 * @bytes: what the smallest leg holds
 *
 * Return: 0; -EINVAL if the layout has no copies or more than there are legs,
 * is not supported (md's far sets), is one with which md overwrites its own
 * data, or @chunk is no power of two: then only the numbers of legs and copies
 * are set; -EFBIG if the array would have more than LLONG_MAX bytes. geo->size
 * is 0 if legs are too small.
 */
int raid10_setup(struct raid10_geo *geo, u32 legs, u32 layout, u32 chunk,
		 u64 bytes)
{
	*geo = (struct raid10_geo){
		.legs = legs,
		.near = layout & 0xff,
		.far = layout >> 8 & 0xff,
		.offset = layout & RAID10_OFFSET,
		.chunk = chunk,
	};
	geo->copies = geo->near * geo->far;
	if (!raid10_is_sane(geo, layout))
		return -EINVAL;
	geo->shift = ilog2(chunk);
	raid10_find_cycle(geo);
	return raid10_measure(geo, bytes);
}

/**
 * raid10_place() - find a copy of a byte
 * @geo: the layout
 * @pos: the byte of the array
 * @copy: which, below geo->copies. md's order: copy n * far + f is the
 *	far copy f of the near copy n.
 *
 * Return: where it is.
 */
struct kraid_place raid10_place(const struct raid10_geo *geo, u64 pos, u32 copy)
{
	u32 near = copy / geo->far, far = copy % geo->far;
	struct kraid_place place;
	u64 row = (pos >> geo->shift) * geo->near + near;

	row = div_u64_rem(row, geo->legs, &place.leg);
	if (geo->offset)
		row *= geo->far;
	/* Legs are at least copies, so this is less than a round. */
	place.leg += far * geo->near;
	if (place.leg >= geo->legs)
		place.leg -= geo->legs;
	place.pos = (row << geo->shift) + (pos & (geo->chunk - 1)) +
		    far * geo->stride;
	return place;
}

/*
 * Which far copy a row of a leg belongs to; @row becomes that of the first
 * copy.
 */
static u32 raid10_far_of(const struct raid10_geo *geo, u64 *row)
{
	u64 stride = geo->stride >> geo->shift;
	u32 far;

	if (geo->offset) {
		*row = div_u64_rem(*row, geo->far, &far);
		return far;
	}
	far = div64_u64(*row, stride);
	*row -= far * stride;
	return far;
}

/**
 * raid10_unmap() - find what a byte of a leg is
 * @geo: the layout
 * @place: the byte
 *
 * Return: the byte of the array; U64_MAX if it is none.
 */
u64 raid10_unmap(const struct raid10_geo *geo, struct kraid_place place)
{
	u64 row = place.pos >> geo->shift, pos;
	u32 leg = place.leg, far;

	if (place.pos >= geo->leg_bytes)
		return U64_MAX;
	far = raid10_far_of(geo, &row) * geo->near;
	leg = leg >= far ? leg - far : leg + geo->legs - far;
	pos = div_u64(row * geo->legs + leg, geo->near) << geo->shift;
	if (pos >= geo->size)
		return U64_MAX;
	return pos + (place.pos & (geo->chunk - 1));
}

/**
 * raid10_whole() - the part of a range that fills whole rows of all legs
 * @geo: the layout
 * @pos: where the range begins in the array; moved to where that part does
 * @length: its bytes
 *
 * Return: bytes of that part, 0 if there is none.
 */
u64 raid10_whole(const struct raid10_geo *geo, u64 *pos, u64 length)
{
	u64 begin = div64_u64(*pos + geo->cycle - 1, geo->cycle);
	u64 end = div64_u64(*pos + length, geo->cycle);

	*pos = begin * geo->cycle;
	return end > begin ? (end - begin) * geo->cycle : 0;
}

/*
 * Shares of a range: one per leg and far copy, or per leg if those lie
 * together.
 */
u32 raid10_nr_shares(const struct raid10_geo *geo)
{
	return geo->offset ? geo->legs : geo->legs * geo->far;
}

/**
 * raid10_share() - what a leg has of the whole rows of a range
 * @geo: the layout
 * @pos: where the range begins in the array
 * @length: its bytes; rounded as by raid10_whole()
 * @n: which share, below raid10_nr_shares(); those of far copy f have the
 *	numbers from f * legs on
 * @place: set to where it begins
 *
 * Return: its bytes, 0 if there are none; as many for each @n.
 */
u64 raid10_share(const struct raid10_geo *geo, u64 pos, u64 length, u32 n,
		 struct kraid_place *place)
{
	u32 far = n / geo->legs;

	length = raid10_whole(geo, &pos, length);
	place->leg = n % geo->legs;
	place->pos = div64_u64(pos, geo->cycle) * geo->cycle_rows +
		     far * geo->stride;
	return div64_u64(length, geo->cycle) * geo->cycle_rows;
}

/* ---- names, those of mdadm ---- */

static const char *const raid0_names[] = {
	[RAID0_ORIGINAL] = "original",
	[RAID0_ALTERNATE] = "alternate",
};

/**
 * kraid0_layout_parse() - the number of a layout of level 0
 * @text: `original` or `alternate`; nothing means the latter, as with mdadm
 * @layout: set to it
 *
 * Return: 0 or -EINVAL.
 */
int kraid0_layout_parse(const char *text, u32 *layout)
{
	u32 i;

	if (sysfs_streq(text, "")) {
		*layout = RAID0_ALTERNATE;
		return 0;
	}
	for (i = RAID0_ORIGINAL; i < ARRAY_SIZE(raid0_names); i++) {
		if (!sysfs_streq(text, raid0_names[i]))
			continue;
		*layout = i;
		return 0;
	}
	return -EINVAL;
}

/* NULL for a number without a name */
const char *kraid0_layout_name(u32 layout)
{
	return layout < ARRAY_SIZE(raid0_names) ? raid0_names[layout] : NULL;
}

/**
 * kraid10_layout_parse() - the number of a layout of level 10
 * @text: `n2`, `f2`, `o3` ...: near, far or offset, and how many copies;
 *	both, as in `n2f2`, which mdadm has no name for; nothing means `n2`, as
 *	with mdadm
 * @layout: set to it
 *
 * Return: 0 or -EINVAL.
 */
int kraid10_layout_parse(const char *text, u32 *layout)
{
	u32 near = 1, far = 1, offset = 0;
	char kind[2];
	int used;

	if (sysfs_streq(text, "")) {
		*layout = RAID10_NEAR(2);
		return 0;
	}
	if (sscanf(text, "%1[n]%3u%n", kind, &near, &used) == 2)
		text += used;
	if (sscanf(text, "%1[fo]%3u%n", kind, &far, &used) == 2) {
		text += used;
		offset = kind[0] == 'o' ? RAID10_OFFSET : 0;
	}
	if (!sysfs_streq(text, "") || !near || near > 255 || !far ||
	    far > 255 || near * far < 2)
		return -EINVAL;
	*layout = near | far << 8 | offset;
	return 0;
}

/* Writes the name, as kraid10_layout_parse() reads it; returns its length. */
int kraid10_layout_name(u32 layout, char *text, size_t size)
{
	u32 near = layout & 0xff, far = layout >> 8 & 0xff;
	char kind = layout & RAID10_OFFSET ? 'o' : 'f';

	if (far == 1)
		return scnprintf(text, size, "n%u", near);
	if (near == 1)
		return scnprintf(text, size, "%c%u", kind, far);
	return scnprintf(text, size, "n%u%c%u", near, kind, far);
}
