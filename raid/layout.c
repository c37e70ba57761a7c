// SPDX-License-Identifier: GPL-2.0
/*
 * Pure: where bytes of an array are on its legs. md's layouts (md(4)); legs of
 * equal size, data from the first byte on.
 */
#include <linux/math64.h>

#include "kraid.h"

/* Chunks go to the legs in turn. @shift: log2(@chunk), 0 if there is none. */
struct kraid_place raid0_map(u64 pos, u32 legs, u32 chunk, u32 shift)
{
	struct kraid_place place;
	u64 nr, row;
	u32 in_chunk;

	if (likely(shift)) {
		nr = pos >> shift;
		in_chunk = pos & (chunk - 1);
	} else {
		nr = div_u64_rem(pos, chunk, &in_chunk);
	}
	row = div_u64_rem(nr, legs, &place.leg);
	place.pos = row * chunk + in_chunk;
	return place;
}

/* The byte of the array that is at @place. */
u64 raid0_unmap(struct kraid_place place, u32 legs, u32 chunk)
{
	u32 in_chunk;
	u64 row = div_u64_rem(place.pos, chunk, &in_chunk);

	return (row * legs + place.leg) * chunk + in_chunk;
}

/* How many of the first @length bytes of the array are on @leg. */
u64 raid0_leg_bytes(u64 length, u32 leg, u32 legs, u32 chunk)
{
	u64 stripe = (u64)legs * chunk;
	u64 rows = div64_u64(length, stripe);
	u64 rest = length - rows * stripe;
	u64 before = (u64)leg * chunk;

	if (rest <= before)
		return rows * chunk;
	return rows * chunk + min_t(u64, rest - before, chunk);
}
