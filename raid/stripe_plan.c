// SPDX-License-Identifier: GPL-2.0
/* Pure: plans for a stripe; what they mean is in stripe_plan.h. */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/minmax.h>

#include "stripe_plan.h"

/* Blocks @first to @last */
static u64 plan_range(u32 first, u32 last)
{
	return (2ULL << last) - (1ULL << first);
}

/* Data that a write of [@from, @end) of the stripe changes in one column */
static u64 plan_written(const struct stripe_state *state, u64 from, u64 end,
			u32 column)
{
	u32 first = from / state->chunk, last = (end - 1) / state->chunk;

	/* That column of the first block comes before, that of the last one behind. */
	first += (u64)first * state->chunk + column < from;
	last -= (u64)last * state->chunk + column >= end;
	return first > last || last == U32_MAX ? 0 : plan_range(first, last);
}

static u32 plan_count(u64 blocks)
{
	return hweight64(blocks);
}

/* Can all that is lost be made from what is not? */
static bool plan_is_enough(const struct stripe_state *state)
{
	u64 all = stripe_data_mask(state) | stripe_parity_mask(state);

	return plan_count(state->lost & all) <= state->parity;
}

static bool plan_may_modify(const struct stripe_state *state, u64 write,
			    u64 parity)
{
	return !state->anew && !((write | parity) & state->lost);
}

/* Parity that is wrong would stay so; what is lost can be made of P, and both anew. */
static bool plan_must_recover(const struct stripe_state *state)
{
	return state->stale && state->lost &&
	       plan_count(state->lost) < state->parity;
}

static int plan_choose(const struct stripe_state *state,
		       struct stripe_step *step)
{
	u64 parity = stripe_parity_mask(state) & ~state->gone;
	u64 others = stripe_data_mask(state) & ~step->write;
	bool may_modify = plan_may_modify(state, step->write, parity);
	bool may_reconstruct = !(others & state->lost);

	step->store = (step->write & ~state->gone) | parity;
	step->read = 0;
	step->way = STRIPE_FULL;
	if (!parity || !others)
		return 0;
	if (may_reconstruct &&
	    (!may_modify || state->stale ||
	     plan_count(others) <= plan_count(step->write | parity))) {
		step->way = STRIPE_RECONSTRUCT;
		step->read = others;
		return 0;
	}
	if (may_modify && !plan_must_recover(state)) {
		step->way = STRIPE_MODIFY;
		step->read = step->write | parity;
		return 0;
	}
	step->way = STRIPE_RECOVER;
	step->read = (stripe_data_mask(state) | stripe_parity_mask(state)) &
		     ~state->lost;
	return plan_is_enough(state) ? 0 : -EIO;
}

/**
 * stripe_plan_write() - how to write to a stripe
 * @state: the stripe
 * @from: first byte of its data that is written
 * @length: bytes, at least 1
 * @steps: filled in, by ascending columns
 *
 * Context: any.
 * Return: steps there are; -EIO if more is lost than parity makes up for.
 */
int stripe_plan_write(const struct stripe_state *state, u64 from, u64 length,
		      struct stripe_step steps[STRIPE_MAX_STEPS])
{
	u64 end = from + length;
	u32 a = from & (state->chunk - 1), b = end & (state->chunk - 1);
	u32 cuts[] = { 0, min(a, b), max(a, b), state->chunk };
	struct stripe_step *step = steps;
	int i, ret;

	for (i = 0; i < STRIPE_MAX_STEPS; i++) {
		u64 write;

		if (cuts[i] == cuts[i + 1])
			continue;
		write = plan_written(state, from, end, cuts[i]);
		if (!write)
			continue;
		step->from = cuts[i];
		step->to = cuts[i + 1];
		step->write = write;
		ret = plan_choose(state, step);
		if (ret)
			return ret;
		step++;
	}
	return step - steps;
}

/**
 * stripe_plan_read() - how to read a data block of a stripe
 * @state: the stripe
 * @block: which
 * @read: blocks to be read: itself, or those that it is made from
 *
 * Context: any.
 * Return: 0; -EIO if more is lost than parity makes up for.
 */
int stripe_plan_read(const struct stripe_state *state, u32 block, u64 *read)
{
	u64 data = stripe_data_mask(state), left;
	u32 lost = plan_count(state->lost & data);

	*read = 1ULL << block;
	if (!(state->lost & *read))
		return 0;
	if (!plan_is_enough(state))
		return -EIO;
	/* P before Q, which takes more to work out. */
	*read = data & ~state->lost;
	for (left = stripe_parity_mask(state) & ~state->lost; lost; lost--) {
		*read |= left & -left;
		left &= left - 1;
	}
	return 0;
}
