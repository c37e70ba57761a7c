// SPDX-License-Identifier: GPL-2.0
/* Pure: layouts of levels 4, 5 and 6; the drawings are in parity_layout.h. */
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/string.h>

#include "parity_layout.h"

enum parity_turn { TURN_LEFT, TURN_RIGHT, TURN_FIRST, TURN_LAST };
enum parity_q { Q_NONE, Q_AFTER, Q_BEFORE, Q_END };

/**
 * struct parity_kind - a layout
 * @number: md's
 * @name: mdadm's
 * @turn: where P goes from stripe to stripe
 * @ahead: it is a stripe ahead
 * @symmetric: data begin behind parity, round the legs; else on the first leg
 * @q: where Q is
 * @ddf: slots are legs
 */
struct parity_kind {
	u32			number;
	const char		*name;
	enum parity_turn	turn;
	bool			ahead;
	bool			symmetric;
	enum parity_q		q;
	bool			ddf;
};

static const struct parity_kind parity_kind4 = {
	.number = PARITY_LAST, .turn = TURN_LAST,
};

static const struct parity_kind parity_kinds5[] = {
	{ 0, "left-asymmetric", TURN_LEFT },
	{ 1, "right-asymmetric", TURN_RIGHT },
	{ 2, "left-symmetric", TURN_LEFT, .symmetric = true },
	{ 3, "right-symmetric", TURN_RIGHT, .symmetric = true },
	{ 4, "parity-first", TURN_FIRST },
	{ 5, "parity-last", TURN_LAST },
};

static const struct parity_kind parity_kinds6[] = {
	{ 0, "left-asymmetric", TURN_LEFT, .q = Q_AFTER },
	{ 1, "right-asymmetric", TURN_RIGHT, .q = Q_AFTER },
	{ 2, "left-symmetric", TURN_LEFT, .symmetric = true, .q = Q_AFTER },
	{ 3, "right-symmetric", TURN_RIGHT, .symmetric = true, .q = Q_AFTER },
	{ 4, "parity-first", TURN_FIRST, .q = Q_AFTER },
	{ 5, "parity-last", TURN_LAST, .q = Q_AFTER },
	{ 8, "ddf-zero-restart", TURN_RIGHT, .q = Q_AFTER, .ddf = true },
	{ 9, "ddf-N-restart", TURN_LEFT, .ahead = true, .q = Q_AFTER,
	  .ddf = true },
	{ 10, "ddf-N-continue", TURN_LEFT, .symmetric = true, .q = Q_BEFORE,
	  .ddf = true },
	{ 16, "left-asymmetric-6", TURN_LEFT, .q = Q_END },
	{ 17, "right-asymmetric-6", TURN_RIGHT, .q = Q_END },
	{ 18, "left-symmetric-6", TURN_LEFT, .symmetric = true, .q = Q_END },
	{ 19, "right-symmetric-6", TURN_RIGHT, .symmetric = true, .q = Q_END },
	{ 20, "parity-first-6", TURN_FIRST, .q = Q_END },
};

static const struct parity_kind *parity_kinds(u32 level, u32 *nr)
{
	*nr = 0;
	switch (level) {
	case 5:
		*nr = ARRAY_SIZE(parity_kinds5);
		return parity_kinds5;
	case 6:
		*nr = ARRAY_SIZE(parity_kinds6);
		return parity_kinds6;
	}
	return NULL;
}

static const struct parity_kind *parity_find(u32 level, u32 layout)
{
	const struct parity_kind *kinds;
	u32 nr, i;

	/* md takes no notice of the number. */
	if (level == 4)
		return &parity_kind4;
	kinds = parity_kinds(level, &nr);
	for (i = 0; i < nr; i++)
		if (kinds[i].number == layout)
			return &kinds[i];
	return NULL;
}

/**
 * parity_setup() - lay out level 4, 5 or 6
 * @geo: filled in
 * @level: the level
 * @legs: how many
 * @layout: md's number; of no meaning on level 4
 * @chunk: bytes
 * @bytes: room on each leg
 *
 * Context: any.
 * Return: 0; -EINVAL if that is no layout, too few or too many legs, or the chunk is no
 * power of two of whole pages.
 */
int parity_setup(struct parity_geo *geo, u32 level, u32 legs, u32 layout,
		 u32 chunk, u64 bytes)
{
	u32 parity = level == 6 ? 2 : 1;

	memset(geo, 0, sizeof(*geo));
	geo->kind = parity_find(level, layout);
	if (!geo->kind || legs < 2 * parity || legs > PARITY_MAX_LEGS ||
	    chunk < 4096 || !is_power_of_2(chunk))
		return -EINVAL;
	geo->legs = legs;
	geo->parity = parity;
	geo->data = legs - parity;
	geo->chunk = chunk;
	geo->shift = ilog2(chunk);
	geo->leg_bytes = bytes & ~((u64)chunk - 1);
	geo->size = geo->leg_bytes * geo->data;
	return 0;
}

/* Legs that P goes round */
static u32 parity_round(const struct parity_geo *geo)
{
	return geo->kind->q == Q_END ? geo->legs - 1 : geo->legs;
}

static u32 parity_p(const struct parity_geo *geo, u64 nr)
{
	const struct parity_kind *kind = geo->kind;
	u32 round = parity_round(geo), at;

	div_u64_rem(nr + kind->ahead, round, &at);
	switch (kind->turn) {
	case TURN_LEFT:
		return round - 1 - at;
	case TURN_RIGHT:
		return at;
	case TURN_FIRST:
		return 0;
	default:
		return geo->data;
	}
}

static u32 parity_q(const struct parity_geo *geo, u32 p)
{
	switch (geo->kind->q) {
	case Q_AFTER:
		return p + 1 < geo->legs ? p + 1 : 0;
	case Q_BEFORE:
		return p ? p - 1 : geo->legs - 1;
	case Q_END:
		return geo->legs - 1;
	default:
		return PARITY_NO_LEG;
	}
}

/* Context: any. Return: who is who in stripe @nr. */
struct parity_stripe parity_stripe(const struct parity_geo *geo, u64 nr)
{
	struct parity_stripe stripe = { .nr = nr };

	stripe.p = parity_p(geo, nr);
	stripe.q = parity_q(geo, stripe.p);
	return stripe;
}

/* Where data begin in a symmetric layout */
static u32 parity_first(const struct parity_geo *geo,
			const struct parity_stripe *stripe)
{
	u32 after = geo->kind->q == Q_AFTER ? stripe->q : stripe->p;

	return after + 1;
}

/**
 * parity_leg() - the leg of a block
 * @geo: the layout
 * @stripe: the stripe
 * @block: data block, in the order of the array; geo->data for P, one more for Q
 *
 * Context: any.
 * Return: the leg.
 */
u32 parity_leg(const struct parity_geo *geo, const struct parity_stripe *stripe,
	       u32 block)
{
	u32 round = parity_round(geo), leg = block;

	if (block >= geo->data)
		return block == geo->data ? stripe->p : stripe->q;
	if (geo->kind->symmetric) {
		leg += parity_first(geo, stripe);
		while (leg >= round)
			leg -= round;
		return leg;
	}
	/* PARITY_NO_LEG is the largest. */
	leg += leg >= min(stripe->p, stripe->q);
	leg += leg >= max(stripe->p, stripe->q);
	return leg;
}

/* The block that a leg has: the reverse of parity_leg(). */
u32 parity_block(const struct parity_geo *geo,
		 const struct parity_stripe *stripe, u32 leg)
{
	u32 round = parity_round(geo);

	if (leg == stripe->p)
		return geo->data;
	if (leg == stripe->q)
		return geo->data + 1;
	if (geo->kind->symmetric)
		return (leg + 2 * round - parity_first(geo, stripe)) % round;
	return leg - (leg > stripe->p) -
	       (stripe->q != PARITY_NO_LEG && leg > stripe->q);
}

/* Slots of the syndrome, those of P and Q behind them not counted */
u32 parity_nr_slots(const struct parity_geo *geo)
{
	return geo->kind->ddf ? geo->legs : geo->data;
}

/**
 * parity_slot() - the exponent of a data block in Q
 * @geo: layout of level 6
 * @stripe: the stripe
 * @block: data block
 *
 * Context: any.
 * Return: below parity_nr_slots().
 */
u32 parity_slot(const struct parity_geo *geo,
		const struct parity_stripe *stripe, u32 block)
{
	u32 leg = parity_leg(geo, stripe, block), slot;

	if (geo->kind->ddf)
		return leg;
	/* Counted from behind Q on; P may be on the way. */
	slot = (leg + geo->legs - stripe->q - 1) % geo->legs;
	return slot - (slot > (stripe->p + geo->legs - stripe->q - 1) %
			      geo->legs);
}

/* Where the byte of the array at @pos is. */
struct kraid_place parity_place(const struct parity_geo *geo, u64 pos)
{
	u64 in, nr = parity_stripe_of(geo, pos, &in);
	struct parity_stripe stripe = parity_stripe(geo, nr);

	return (struct kraid_place){
		.leg = parity_leg(geo, &stripe, in >> geo->shift),
		.pos = (nr << geo->shift) + (in & (geo->chunk - 1)),
	};
}

/* The byte of the array that is there; U64_MAX if that is parity. */
u64 parity_unmap(const struct parity_geo *geo, struct kraid_place place)
{
	struct parity_stripe stripe = parity_stripe(geo,
						    place.pos >> geo->shift);
	u32 block = parity_block(geo, &stripe, place.leg);

	if (block >= geo->data)
		return U64_MAX;
	return ((stripe.nr * geo->data + block) << geo->shift) +
	       (place.pos & (geo->chunk - 1));
}

/* @text: mdadm's name. Return: 0, -EINVAL if the level has no such layout. */
int kraid_parity_layout_parse(u32 level, const char *text, u32 *layout)
{
	const struct parity_kind *kinds;
	u32 nr, i;

	kinds = parity_kinds(level, &nr);
	for (i = 0; i < nr; i++) {
		if (strcmp(kinds[i].name, text))
			continue;
		*layout = kinds[i].number;
		return 0;
	}
	return -EINVAL;
}

/* Empty for level 4, which has one only. */
const char *kraid_parity_layout_name(u32 level, u32 layout)
{
	const struct parity_kind *kind = parity_find(level, layout);

	return kind && kind->name ? kind->name : "";
}
