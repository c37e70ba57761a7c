/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where data and parity lie on the legs of levels 4, 5 and 6: md's layouts (md(4)).
 * Pure: no I/O, no locks.
 *
 * A stripe is a row of chunks, one on each leg, at the same place. One of them is
 * parity P, on level 6 another is Q; the others are data. Level 5 on four legs:
 *
 *	leg	a  b  c  d	a  b  c  d	a  b  c  d	a  b  c  d
 *		0  1  2  P	0  1  2  P	P  0  1  2	P  0  1  2
 *		3  4  P  5	4  5  P  3	3  P  4  5	5  P  3  4
 *		6  P  7  8	8  P  6  7	6  7  P  8	7  8  P  6
 *		P  9 10 11	P  9 10 11	9 10 11  P	9 10 11  P
 *		left-		left-		right-		right-
 *		asymmetric	symmetric	asymmetric	symmetric
 *
 * Level 4 is level 5 with P always last. On level 6 Q follows P, round the legs; in
 * ddf-N-continue it comes before; in those that end in -6 it is always last, and the
 * rest is as on level 5.
 *
 * Q is the sum of g^n * data over GF(2^8), where n is the slot of a chunk. Slots count
 * data from behind Q on, round the legs; in the layouts of ddf the slot is the number of
 * the leg, and those of P and Q stay empty.
 */
#ifndef _KRAID_PARITY_LAYOUT_H
#define _KRAID_PARITY_LAYOUT_H

#include <linux/types.h>

#include "layout.h"

#define PARITY_MAX_LEGS		32
#define PARITY_NO_LEG		U32_MAX

/* md's numbers that are needed by name */
#define PARITY_LEFT_SYMMETRIC	2
#define PARITY_LAST		5

struct parity_kind;

/**
 * struct parity_geo - levels 4, 5 and 6: where data and parity are
 * @legs: how many
 * @parity: parity chunks in a stripe, 1 or 2
 * @data: data chunks in a stripe
 * @chunk: bytes, a power of two
 * @shift: log2(@chunk)
 * @leg_bytes: used on each leg, md's dev_sectors
 * @size: bytes of the array
 * @kind: the layout
 */
struct parity_geo {
	u32				legs;
	u32				parity;
	u32				data;
	u32				chunk;
	u32				shift;
	u64				leg_bytes;
	u64				size;
	const struct parity_kind	*kind;
};

/**
 * struct parity_stripe - who is who in a stripe
 * @nr: its number: stripe @nr begins @nr chunks into each leg
 * @p: leg that has P
 * @q: leg that has Q, PARITY_NO_LEG for none
 */
struct parity_stripe {
	u64	nr;
	u32	p;
	u32	q;
};

int parity_setup(struct parity_geo *geo, u32 level, u32 legs, u32 layout,
		 u32 chunk, u64 bytes);
struct parity_stripe parity_stripe(const struct parity_geo *geo, u64 nr);
u32 parity_leg(const struct parity_geo *geo, const struct parity_stripe *stripe,
	       u32 block);
u32 parity_block(const struct parity_geo *geo,
		 const struct parity_stripe *stripe, u32 leg);
u32 parity_slot(const struct parity_geo *geo,
		const struct parity_stripe *stripe, u32 block);
u32 parity_nr_slots(const struct parity_geo *geo);
struct kraid_place parity_place(const struct parity_geo *geo, u64 pos);
u64 parity_unmap(const struct parity_geo *geo, struct kraid_place place);

/* Number of the stripe that holds the byte of the array at @pos; @in: where in it */
static inline u64 parity_stripe_of(const struct parity_geo *geo, u64 pos,
				   u64 *in)
{
	u64 chunk = pos >> geo->shift, nr;
	u32 block;

	nr = div_u64_rem(chunk, geo->data, &block);
	*in = ((u64)block << geo->shift) + (pos & (geo->chunk - 1));
	return nr;
}

int kraid_parity_layout_parse(u32 level, const char *text, u32 *layout);
const char *kraid_parity_layout_name(u32 level, u32 layout);

#endif /* _KRAID_PARITY_LAYOUT_H */
