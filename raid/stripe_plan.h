/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a request to a stripe reads and writes. Pure: no I/O, no locks, no memory.
 *
 * A block is a chunk of the stripe: data by number, then P, then Q. A column is a byte
 * of each block at the same place: parity depends on its own column only. A write covers
 * up to three ranges of columns that differ in which data blocks it changes, such as
 * this one, from the middle of block 0 to the middle of block 2:
 *
 *	column	0	from	to	end
 *	block 0	.	.	w	w
 *	block 1	w	w	w	w
 *	block 2	w	w	.	.	(here: to < from)
 *
 * Each is a step of its own:
 *
 *	full		all data are written, or there is no parity to write: no reads
 *	modify		old data of what is written, and old parity, are read; parity
 *			changes by the difference
 *	reconstruct	the other data are read; parity is made anew
 *	recover		all that can be read is read, what is lost is made from it, then
 *			parity is made anew
 *
 * Whichever reads fewest, of those that can be done without what is lost.
 */
#ifndef _KRAID_STRIPE_PLAN_H
#define _KRAID_STRIPE_PLAN_H

#include <linux/types.h>

#define STRIPE_MAX_STEPS 3

enum stripe_way {
	STRIPE_FULL,
	STRIPE_MODIFY,
	STRIPE_RECONSTRUCT,
	STRIPE_RECOVER,
};

/**
 * struct stripe_state - a stripe, as far as a plan depends on it
 * @data: data blocks
 * @parity: parity blocks, 1 or 2
 * @chunk: bytes of a block
 * @lost: a bit for each block that cannot be read
 * @gone: those of @lost that cannot be written either
 * @stale: parity may be wrong: it is not modified if that can be helped
 * @anew: parity cannot be modified
 */
struct stripe_state {
	u32	data;
	u32	parity;
	u32	chunk;
	u64	lost;
	u64	gone;
	bool	stale;
	bool	anew;
};

/**
 * struct stripe_step - a range of columns, and what is done there
 * @from: first column
 * @to: behind the last one
 * @way: how
 * @write: data blocks that the request changes
 * @read: blocks that are read first
 * @store: blocks that are written then: data of the request, and parity
 */
struct stripe_step {
	u32		from;
	u32		to;
	enum stripe_way	way;
	u64		write;
	u64		read;
	u64		store;
};

int stripe_plan_write(const struct stripe_state *state, u64 from, u64 length,
		      struct stripe_step steps[STRIPE_MAX_STEPS]);
int stripe_plan_read(const struct stripe_state *state, u32 block, u64 *read);

static inline u64 stripe_data_mask(const struct stripe_state *state)
{
	return (1ULL << state->data) - 1;
}

static inline u64 stripe_parity_mask(const struct stripe_state *state)
{
	return ((1ULL << state->parity) - 1) << state->data;
}

#endif /* _KRAID_STRIPE_PLAN_H */
