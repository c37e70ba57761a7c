// SPDX-License-Identifier: GPL-2.0
/*
 * Layouts of levels 4, 5 and 6, and plans for stripes: values that md has, and what holds
 * for every layout, width, set of lost blocks and shape of a request.
 */
#include "tests.h"

#include "raid/parity_layout.c"
#include "raid/stripe_plan.c"

#define MAX_WIDTH	16
#define TEST_CHUNK	4096U

struct parity_level {
	u32	level;
	u32	layout;
};

/* All that there are */
static const struct parity_level parity_levels[] = {
	{ 4, 0 }, { 5, 0 }, { 5, 1 }, { 5, 2 }, { 5, 3 }, { 5, 4 }, { 5, 5 },
	{ 6, 0 }, { 6, 1 }, { 6, 2 }, { 6, 3 }, { 6, 4 }, { 6, 5 }, { 6, 8 },
	{ 6, 9 }, { 6, 10 }, { 6, 16 }, { 6, 17 }, { 6, 18 }, { 6, 19 },
	{ 6, 20 },
};

/* ---- layouts ---- */

/*
 * What each leg has in the first stripes, by md's rules; not yet read from legs of md.
 */
#define P (-1)
#define Q (-2)

struct parity_golden {
	u32	level;
	u32	layout;
	u32	legs;
	s8	chunks[5][5];
};

static const struct parity_golden parity_goldens[] = {
	{ 4, 0, 3, { { 0, 1, P }, { 2, 3, P }, { 4, 5, P }, { 6, 7, P } } },
	{ 5, 0, 4, { { 0, 1, 2, P }, { 3, 4, P, 5 }, { 6, P, 7, 8 },
		     { P, 9, 10, 11 }, { 12, 13, 14, P } } },
	{ 5, 1, 4, { { P, 0, 1, 2 }, { 3, P, 4, 5 }, { 6, 7, P, 8 },
		     { 9, 10, 11, P }, { P, 12, 13, 14 } } },
	{ 5, 2, 4, { { 0, 1, 2, P }, { 4, 5, P, 3 }, { 8, P, 6, 7 },
		     { P, 9, 10, 11 }, { 12, 13, 14, P } } },
	{ 5, 3, 4, { { P, 0, 1, 2 }, { 5, P, 3, 4 }, { 7, 8, P, 6 },
		     { 9, 10, 11, P }, { P, 12, 13, 14 } } },
	{ 5, 4, 3, { { P, 0, 1 }, { P, 2, 3 }, { P, 4, 5 } } },
	{ 5, 5, 3, { { 0, 1, P }, { 2, 3, P }, { 4, 5, P } } },
	{ 6, 0, 5, { { Q, 0, 1, 2, P }, { 3, 4, 5, P, Q }, { 6, 7, P, Q, 8 },
		     { 9, P, Q, 10, 11 }, { P, Q, 12, 13, 14 } } },
	{ 6, 1, 5, { { P, Q, 0, 1, 2 }, { 3, P, Q, 4, 5 }, { 6, 7, P, Q, 8 },
		     { 9, 10, 11, P, Q }, { Q, 12, 13, 14, P } } },
	{ 6, 2, 5, { { Q, 0, 1, 2, P }, { 3, 4, 5, P, Q }, { 7, 8, P, Q, 6 },
		     { 11, P, Q, 9, 10 }, { P, Q, 12, 13, 14 } } },
	{ 6, 3, 5, { { P, Q, 0, 1, 2 }, { 5, P, Q, 3, 4 }, { 7, 8, P, Q, 6 },
		     { 9, 10, 11, P, Q }, { Q, 12, 13, 14, P } } },
	{ 6, 4, 4, { { P, Q, 0, 1 }, { P, Q, 2, 3 } } },
	{ 6, 5, 4, { { 0, 1, P, Q }, { 2, 3, P, Q } } },
	{ 6, 8, 5, { { P, Q, 0, 1, 2 }, { 3, P, Q, 4, 5 }, { 6, 7, P, Q, 8 },
		     { 9, 10, 11, P, Q }, { Q, 12, 13, 14, P } } },
	{ 6, 9, 5, { { 0, 1, 2, P, Q }, { 3, 4, P, Q, 5 }, { 6, P, Q, 7, 8 },
		     { P, Q, 9, 10, 11 }, { Q, 12, 13, 14, P } } },
	{ 6, 10, 5, { { 0, 1, 2, Q, P }, { 4, 5, Q, P, 3 }, { 8, Q, P, 6, 7 },
		      { Q, P, 9, 10, 11 }, { P, 12, 13, 14, Q } } },
	{ 6, 16, 5, { { 0, 1, 2, P, Q }, { 3, 4, P, 5, Q }, { 6, P, 7, 8, Q },
		      { P, 9, 10, 11, Q }, { 12, 13, 14, P, Q } } },
	{ 6, 17, 5, { { P, 0, 1, 2, Q }, { 3, P, 4, 5, Q }, { 6, 7, P, 8, Q },
		      { 9, 10, 11, P, Q }, { P, 12, 13, 14, Q } } },
	{ 6, 18, 5, { { 0, 1, 2, P, Q }, { 4, 5, P, 3, Q }, { 8, P, 6, 7, Q },
		      { P, 9, 10, 11, Q }, { 12, 13, 14, P, Q } } },
	{ 6, 19, 5, { { P, 0, 1, 2, Q }, { 5, P, 3, 4, Q }, { 7, 8, P, 6, Q },
		      { 9, 10, 11, P, Q }, { P, 12, 13, 14, Q } } },
	{ 6, 20, 5, { { P, 0, 1, 2, Q }, { P, 3, 4, 5, Q } } },
};

static void golden_chunk(struct kunit *test, const struct parity_geo *geo,
			 struct kraid_place place, s8 wanted)
{
	struct parity_stripe stripe = parity_stripe(geo,
						    place.pos / TEST_CHUNK);
	struct kraid_place got;

	if (wanted < 0) {
		KUNIT_EXPECT_EQ(test, place.leg,
				wanted == P ? stripe.p : stripe.q);
		KUNIT_EXPECT_TRUE(test, parity_unmap(geo, place) == U64_MAX);
		return;
	}
	got = parity_place(geo, (u64)wanted * TEST_CHUNK + 7);
	KUNIT_EXPECT_EQ(test, got.leg, place.leg);
	KUNIT_EXPECT_EQ(test, got.pos, place.pos + 7);
	KUNIT_EXPECT_EQ(test, parity_unmap(geo, place),
			(u64)wanted * TEST_CHUNK);
}

static void parity_places(struct kunit *test)
{
	const struct parity_golden *g;
	struct kraid_place place;
	struct parity_geo geo;
	u32 i, rows;

	for (g = parity_goldens; g < parity_goldens + ARRAY_SIZE(parity_goldens);
	     g++) {
		KUNIT_EXPECT_EQ(test, parity_setup(&geo, g->level, g->legs,
						   g->layout, TEST_CHUNK,
						   1 << 20), 0);
		for (rows = 5; rows && !memchr_inv(g->chunks[rows - 1], 0, 5);)
			rows--;
		for (i = 0; i < rows * g->legs; i++) {
			place.leg = i % g->legs;
			place.pos = i / g->legs * TEST_CHUNK;
			golden_chunk(test, &geo, place,
				     g->chunks[i / g->legs][place.leg]);
		}
	}
}

#undef P
#undef Q

/* Every leg has one block, and every data block a slot. */
static void check_stripe(struct kunit *test, const struct parity_geo *geo,
			 u64 nr)
{
	struct parity_stripe stripe = parity_stripe(geo, nr);
	u64 legs = 0, slots = 0;
	u32 block, leg;

	for (block = 0; block < geo->legs; block++) {
		leg = parity_leg(geo, &stripe, block);
		if (leg >= geo->legs || legs & BIT_ULL(leg) ||
		    parity_block(geo, &stripe, leg) != block) {
			KUNIT_EXPECT_TRUE(test, false);
			return;
		}
		legs |= BIT_ULL(leg);
		if (geo->parity == 2 && block < geo->data)
			slots |= BIT_ULL(parity_slot(geo, &stripe, block));
	}
	if (geo->parity == 1)
		return;
	KUNIT_EXPECT_EQ(test, hweight64(slots), geo->data);
	KUNIT_EXPECT_TRUE(test, slots < BIT_ULL(parity_nr_slots(geo)));
}

static void parity_all_layouts(struct kunit *test)
{
	struct parity_geo geo;
	u32 i, legs;
	u64 nr;

	for (i = 0; i < ARRAY_SIZE(parity_levels); i++)
		for (legs = 4; legs <= PARITY_MAX_LEGS; legs++) {
			KUNIT_EXPECT_EQ(test,
					parity_setup(&geo, parity_levels[i].level,
						     legs,
						     parity_levels[i].layout,
						     TEST_CHUNK, 1ULL << 40), 0);
			for (nr = 0; nr < 2 * legs; nr++)
				check_stripe(test, &geo, nr);
			check_stripe(test, &geo, (1ULL << 40) / TEST_CHUNK);
		}
}

/* The slots that are not those of the blocks by number */
static void parity_slots(struct kunit *test)
{
	struct parity_stripe stripe;
	struct parity_geo geo;

	/* P Q in the middle: 0 1 P Q 2, so block 2 is the first behind Q. */
	parity_setup(&geo, 6, 5, 0, TEST_CHUNK, 1 << 20);
	stripe = parity_stripe(&geo, 2);
	KUNIT_EXPECT_EQ(test, parity_slot(&geo, &stripe, 2), 0);
	KUNIT_EXPECT_EQ(test, parity_slot(&geo, &stripe, 0), 1);
	KUNIT_EXPECT_EQ(test, parity_slot(&geo, &stripe, 1), 2);
	/* 0 P 1 2 Q: P on the way. */
	parity_setup(&geo, 6, 5, 16, TEST_CHUNK, 1 << 20);
	stripe = parity_stripe(&geo, 2);
	KUNIT_EXPECT_EQ(test, parity_slot(&geo, &stripe, 0), 0);
	KUNIT_EXPECT_EQ(test, parity_slot(&geo, &stripe, 2), 2);
	/* 3 P Q 4 5 of ddf: legs. */
	parity_setup(&geo, 6, 5, 8, TEST_CHUNK, 1 << 20);
	stripe = parity_stripe(&geo, 1);
	KUNIT_EXPECT_EQ(test, parity_slot(&geo, &stripe, 0), 0);
	KUNIT_EXPECT_EQ(test, parity_slot(&geo, &stripe, 1), 3);
}

static void parity_refusals(struct kunit *test)
{
	static const struct {
		u32 level, legs, layout, chunk;
	} cases[] = {
		{ 5, 1, 2, 4096 }, { 6, 3, 2, 4096 }, { 5, 33, 2, 4096 },
		{ 5, 3, 6, 4096 }, { 6, 4, 7, 4096 }, { 6, 4, 21, 4096 },
		{ 5, 3, 2, 2048 }, { 5, 3, 2, 12288 }, { 1, 3, 0, 4096 },
	};
	struct parity_geo geo;
	u32 i, layout;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ(test, parity_setup(&geo, cases[i].level,
						   cases[i].legs,
						   cases[i].layout,
						   cases[i].chunk, 1 << 20),
				-EINVAL);
	KUNIT_EXPECT_EQ(test, kraid_parity_layout_parse(5, "left-symmetric-6",
							&layout), -EINVAL);
	for (i = 1; i < ARRAY_SIZE(parity_levels); i++) {
		const struct parity_level *l = &parity_levels[i];

		KUNIT_EXPECT_EQ(test, kraid_parity_layout_parse(l->level,
			kraid_parity_layout_name(l->level, l->layout),
			&layout), 0);
		KUNIT_EXPECT_EQ(test, layout, l->layout);
	}
	KUNIT_EXPECT_EQ(test, parity_setup(&geo, 6, 5, 2, 65536, 1000000), 0);
	KUNIT_EXPECT_EQ(test, geo.leg_bytes, 15 * 65536);
	KUNIT_EXPECT_EQ(test, geo.size, 3 * 15 * 65536);
}

/* ---- plans ---- */

struct plan_case {
	u32		data;
	u32		parity;
	u64		lost;
	u64		from;
	u64		length;
	int		nr;
	enum stripe_way	way;
	u64		read;
	u64		store;
};

#define K4 4096ULL

/* One step, of a chunk of 64 KiB, unless more are said. */
static const struct plan_case plan_cases[] = {
	/* whole, 3 legs: one other block is fewer than the old one and P */
	{ 2, 1, 0, 0, K4, 1, STRIPE_RECONSTRUCT, 0x2, 0x5 },
	{ 2, 1, 0, 0, 131072, 1, STRIPE_FULL, 0, 0x7 },
	{ 1, 1, 0, 0, K4, 1, STRIPE_FULL, 0, 0x3 },
	/* 5 legs: two old ones are fewer than three others */
	{ 4, 1, 0, 65536, K4, 1, STRIPE_MODIFY, 0x12, 0x12 },
	{ 4, 1, 0, 0, 3 * 65536, 1, STRIPE_RECONSTRUCT, 0x8, 0x17 },
	{ 4, 2, 0, 0, K4, 1, STRIPE_RECONSTRUCT, 0xe, 0x31 },
	{ 5, 2, 0, 0, K4, 1, STRIPE_MODIFY, 0x61, 0x61 },
	{ 3, 2, 0, 0, K4, 1, STRIPE_RECONSTRUCT, 0x6, 0x19 },
	/* without P nothing is read; without Q as level 5 */
	{ 4, 1, 0x10, 0, K4, 1, STRIPE_FULL, 0, 0x1 },
	{ 6, 2, 0x80, 0, K4, 1, STRIPE_MODIFY, 0x41, 0x41 },
	/* what is written is lost: the others; what is not: the old ones */
	{ 4, 1, 0x1, 0, K4, 1, STRIPE_RECONSTRUCT, 0xe, 0x10 },
	{ 2, 1, 0x2, 0, K4, 1, STRIPE_MODIFY, 0x5, 0x5 },
	/* one of each */
	{ 4, 2, 0x3, 0, K4, 1, STRIPE_RECOVER, 0x3c, 0x30 },
};

static void check_case(struct kunit *test, const struct plan_case *c)
{
	struct stripe_step steps[STRIPE_MAX_STEPS];
	struct stripe_state state = {
		.data = c->data, .parity = c->parity, .chunk = 65536,
		.lost = c->lost, .gone = c->lost,
	};
	int nr = stripe_plan_write(&state, c->from, c->length, steps);

	KUNIT_EXPECT_EQ(test, nr, c->nr);
	KUNIT_EXPECT_EQ(test, steps[0].way, c->way);
	KUNIT_EXPECT_EQ(test, steps[0].read, c->read);
	KUNIT_EXPECT_EQ(test, steps[0].store, c->store);
}

static void plan_table(struct kunit *test)
{
	struct stripe_step steps[STRIPE_MAX_STEPS];
	struct stripe_state state = { 4, 1, 65536 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(plan_cases); i++)
		check_case(test, &plan_cases[i]);
	/* Parity that may be wrong is made anew, if that can be done. */
	state.stale = true;
	KUNIT_EXPECT_EQ(test, stripe_plan_write(&state, 0, K4, steps), 1);
	KUNIT_EXPECT_EQ(test, steps[0].way, STRIPE_RECONSTRUCT);
	state.lost = 0x2;
	KUNIT_EXPECT_EQ(test, stripe_plan_write(&state, 0, K4, steps), 1);
	KUNIT_EXPECT_EQ(test, steps[0].way, STRIPE_MODIFY);
	/* Parity that cannot be modified */
	state.stale = false;
	state.anew = true;
	state.lost = 0;
	KUNIT_EXPECT_EQ(test, stripe_plan_write(&state, 0, K4, steps), 1);
	KUNIT_EXPECT_EQ(test, steps[0].way, STRIPE_RECONSTRUCT);
	state.lost = 0x2;
	KUNIT_EXPECT_EQ(test, stripe_plan_write(&state, 0, K4, steps), 1);
	KUNIT_EXPECT_EQ(test, steps[0].way, STRIPE_RECOVER);
	KUNIT_EXPECT_EQ(test, steps[0].read, 0x1d);
	/* The drawing of the header */
	state.anew = false;
	state.lost = 0;
	KUNIT_EXPECT_EQ(test, stripe_plan_write(&state, 40960, 3 * 65536 -
						40960 - 32768, steps), 3);
	KUNIT_EXPECT_EQ(test, steps[0].to, 32768);
	KUNIT_EXPECT_EQ(test, steps[0].write, 0x6);
	KUNIT_EXPECT_EQ(test, steps[1].to, 40960);
	KUNIT_EXPECT_EQ(test, steps[1].write, 0x2);
	KUNIT_EXPECT_EQ(test, steps[2].to, 65536);
	KUNIT_EXPECT_EQ(test, steps[2].write, 0x3);
	/* A leg that is rebuilt is written, though it cannot be read. */
	state.lost = 0x11;
	state.parity = 2;
	state.gone = 0;
	KUNIT_EXPECT_EQ(test, stripe_plan_write(&state, 0, K4, steps), 1);
	KUNIT_EXPECT_EQ(test, steps[0].way, STRIPE_RECONSTRUCT);
	KUNIT_EXPECT_EQ(test, steps[0].store, 0x31);
	/* More than parity makes up for */
	state.lost = 0x7;
	KUNIT_EXPECT_EQ(test, stripe_plan_write(&state, 0, K4, steps), -EIO);
}

/* Fewest blocks that a write of these can be done with; -1 if it cannot be done. */
static int fewest_reads(const struct stripe_state *s, u64 write)
{
	u64 data = stripe_data_mask(s), parity = stripe_parity_mask(s) & ~s->gone;
	u64 others = data & ~write, all = data | stripe_parity_mask(s);
	int best = -1;

	if (!parity || !others)
		return 0;
	if (!((write | parity) & s->lost))
		best = hweight64(write | parity);
	if (!(others & s->lost) && (best < 0 || hweight64(others) < best))
		best = hweight64(others);
	if (best < 0 && hweight64(s->lost & all) <= s->parity)
		best = hweight64(all & ~s->lost);
	return best;
}

/* One column, looked at from the outside */
static bool check_column(const struct stripe_state *s,
			 const struct stripe_step *steps, int nr, u64 from,
			 u64 end, u32 column)
{
	const struct stripe_step *step = NULL;
	u64 write = 0, at;
	u32 block;
	int i;

	for (block = 0; block < s->data; block++) {
		at = (u64)block * s->chunk + column;
		if (at >= from && at < end)
			write |= BIT_ULL(block);
	}
	for (i = 0; i < nr; i++)
		if (column >= steps[i].from && column < steps[i].to)
			step = &steps[i];
	if (!step)
		return !write;
	return step->write == write && !(step->read & s->lost) &&
	       step->store == ((write | stripe_parity_mask(s)) & ~s->gone) &&
	       hweight64(step->read) == fewest_reads(s, write);
}

static bool check_plan(const struct stripe_state *s, u64 from, u64 length)
{
	struct stripe_step steps[STRIPE_MAX_STEPS];
	int nr = stripe_plan_write(s, from, length, steps);
	u32 column;

	if (nr <= 0)
		return false;
	for (column = 0; column < s->chunk; column += s->chunk / 4)
		if (!check_column(s, steps, nr, from, from + length, column))
			return false;
	return true;
}

/* All shapes, in quarters of a chunk */
static void check_shapes(struct kunit *test, const struct stripe_state *s)
{
	u32 quarter = s->chunk / 4, from, length;

	for (from = 0; from < 4 * s->data; from++)
		for (length = 1; from + length <= 4 * s->data; length++)
			if (!check_plan(s, from * quarter, length * quarter)) {
				KUNIT_EXPECT_EQ(test, from, length);
				KUNIT_EXPECT_EQ(test, s->lost, s->data);
				return;
			}
}

/* What it takes to read each block */
static void check_reads(struct kunit *test, const struct stripe_state *s)
{
	u64 data = stripe_data_mask(s), read;
	u32 block, lost = hweight64(s->lost & data);

	for (block = 0; block < s->data; block++) {
		KUNIT_EXPECT_EQ(test, stripe_plan_read(s, block, &read), 0);
		KUNIT_EXPECT_EQ(test, read & s->lost, 0);
		if (!(s->lost & BIT_ULL(block)))
			KUNIT_EXPECT_EQ(test, read, BIT_ULL(block));
		else
			KUNIT_EXPECT_EQ(test, hweight64(read), s->data);
		if (s->lost & BIT_ULL(block) && lost == 1 &&
		    !(s->lost & BIT_ULL(s->data)))
			KUNIT_EXPECT_TRUE(test, read & BIT_ULL(s->data));
	}
}

static void check_width(struct kunit *test, u32 data, u32 parity)
{
	struct stripe_state s = { .data = data, .parity = parity,
				  .chunk = 65536 };
	u32 a, b, legs = data + parity;

	for (a = 0; a <= legs; a++)
		for (b = a; b <= (parity == 2 ? legs : a); b++) {
			/* The one past the last stands for none. */
			s.lost = (BIT_ULL(a) | BIT_ULL(b)) & (BIT_ULL(legs) - 1);
			s.gone = s.lost;
			check_shapes(test, &s);
			check_reads(test, &s);
			if (a < b) {
				s.gone &= s.gone - 1;
				check_shapes(test, &s);
			}
		}
}

static void plan_all_shapes(struct kunit *test)
{
	u32 legs;

	for (legs = 2; legs <= MAX_WIDTH; legs++) {
		check_width(test, legs - 1, 1);
		if (legs >= 4)
			check_width(test, legs - 2, 2);
	}
}

static void plan_too_many_lost(struct kunit *test)
{
	struct stripe_state s = { .data = 3, .parity = 1, .chunk = 65536,
				  .lost = 0x9, .gone = 0x9 };
	u64 read;

	KUNIT_EXPECT_EQ(test, stripe_plan_read(&s, 0, &read), -EIO);
	KUNIT_EXPECT_EQ(test, stripe_plan_read(&s, 1, &read), 0);
	s.parity = 2;
	s.lost = 0x19;
	KUNIT_EXPECT_EQ(test, stripe_plan_read(&s, 0, &read), -EIO);
}

static struct kunit_case parity_cases[] = {
	KUNIT_CASE(parity_places),
	KUNIT_CASE(parity_all_layouts),
	KUNIT_CASE(parity_slots),
	KUNIT_CASE(parity_refusals),
	KUNIT_CASE(plan_table),
	KUNIT_CASE(plan_all_shapes),
	KUNIT_CASE(plan_too_many_lost),
	{}
};

struct kunit_suite kio_raid_parity_suite = {
	.name		= "kio_raid_parity",
	.test_cases	= parity_cases,
};
