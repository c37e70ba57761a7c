// SPDX-License-Identifier: GPL-2.0
/* Pure: which pieces of devices a table is on, and whether two tables share any. */
#include <linux/slab.h>
#include <linux/sort.h>

#include "klvm.h"

/* Without any yet, of at most @max; NULL without memory. */
struct klvm_pieces *klvm_pieces_new(u32 max)
{
	struct klvm_pieces *pieces;

	pieces = kvzalloc(struct_size(pieces, piece, max), GFP_KERNEL);
	if (pieces)
		INIT_LIST_HEAD(&pieces->list);
	return pieces;
}

void klvm_pieces_add(struct klvm_pieces *pieces, struct block_device *bdev,
		     u64 start, u64 length)
{
	pieces->piece[pieces->nr++] = (struct klvm_piece) {
		.bdev	= bdev,
		.start	= start,
		.end	= start + length,
	};
}

static int klvm_piece_order(const void *a, const void *b)
{
	const struct klvm_piece *x = a, *y = b;

	if (x->bdev != y->bdev)
		return x->bdev < y->bdev ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return 0;
}

/* Puts them in order, those that touch or overlap together as one. */
void klvm_pieces_sort(struct klvm_pieces *pieces)
{
	struct klvm_piece *last = pieces->piece;
	u32 i;

	if (!pieces->nr)
		return;
	sort(pieces->piece, pieces->nr, sizeof(*last), klvm_piece_order, NULL);
	for (i = 1; i < pieces->nr; i++) {
		const struct klvm_piece *piece = &pieces->piece[i];

		if (piece->bdev == last->bdev && piece->start <= last->end)
			last->end = max(last->end, piece->end);
		else
			*++last = *piece;
	}
	pieces->nr = last + 1 - pieces->piece;
}

static bool klvm_piece_is_before(const struct klvm_piece *a,
				 const struct klvm_piece *b)
{
	return a->bdev == b->bdev ? a->end <= b->start : a->bdev < b->bdev;
}

/* The first piece of @b that @a has some of too, both sorted; NULL if there is none. */
const struct klvm_piece *klvm_pieces_meet(const struct klvm_pieces *a,
					  const struct klvm_pieces *b)
{
	u32 i = 0, n = 0;

	while (i < a->nr && n < b->nr) {
		if (klvm_piece_is_before(&a->piece[i], &b->piece[n]))
			i++;
		else if (klvm_piece_is_before(&b->piece[n], &a->piece[i]))
			n++;
		else
			return &b->piece[n];
	}
	return NULL;
}
