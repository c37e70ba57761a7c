// SPDX-License-Identifier: GPL-2.0
/*
 * Legs are claimed for all volumes by the same holder, so that several can be on one
 * device. No two are on the same piece of it: that is seen to here.
 */
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "klvm.h"

char klvm_leg_holder;

/* Those of all tables: of live ones, and of those that are to become live. */
static LIST_HEAD(klvm_all_pieces);
static DEFINE_MUTEX(klvm_pieces_lock);

static struct klvm_pieces *klvm_pieces_of(const struct klvm_table *table,
					  const struct klvm_stage *stage)
{
	struct klvm_pieces *pieces = klvm_pieces_new(stage->nr_parts);
	u32 i, n;

	if (!pieces)
		return NULL;
	for (i = 0; i < stage->nr; i++) {
		const struct klvm_line *line = &stage->lines[i];
		const struct klvm_part *part = &stage->parts[line->part];

		for (n = 0; n < line->nr_parts; n++, part++)
			klvm_pieces_add(pieces,
					kblk_lower_bdev(table->lowers[part->path]),
					part->offset,
					div_u64(line->length, line->nr_parts));
	}
	klvm_pieces_sort(pieces);
	return pieces;
}

/* The pieces of another volume that are also among @mine, and in @piece one of them */
static const struct klvm_pieces *
klvm_pieces_rival(const struct klvm_pieces *mine,
		  const struct klvm_piece **piece)
{
	const struct klvm_pieces *other;

	list_for_each_entry(other, &klvm_all_pieces, list) {
		if (other->owner == mine->owner)
			continue;
		*piece = klvm_pieces_meet(mine, other);
		if (*piece)
			return other;
	}
	return NULL;
}

/*
 * Sees to it that nobody else gets the pieces of @table, whose legs are claimed and whose
 * lines fit them; its volume may have them already. -EBUSY if another one does.
 */
int klvm_claim_pieces(struct klvm_table *table, struct kblk_object *object,
		      const struct klvm_stage *stage)
{
	struct klvm_pieces *pieces = klvm_pieces_of(table, stage);
	const struct klvm_pieces *rival;
	const struct klvm_piece *piece;
	int ret = 0;

	if (!pieces)
		return -ENOMEM;
	pieces->owner = object;
	mutex_lock(&klvm_pieces_lock);
	rival = klvm_pieces_rival(pieces, &piece);
	if (rival)
		ret = kblk_refuse(object, -EBUSY,
				  "Sectors %llu to %llu of %pg are in use by volume %s.",
				  piece->start, piece->end, piece->bdev,
				  rival->owner->kd.dev.name);
	else
		list_add_tail(&pieces->list, &klvm_all_pieces);
	mutex_unlock(&klvm_pieces_lock);
	table->pieces = pieces;
	return ret;
}

void klvm_drop_pieces(struct klvm_table *table)
{
	if (!table->pieces)
		return;
	mutex_lock(&klvm_pieces_lock);
	list_del(&table->pieces->list);
	mutex_unlock(&klvm_pieces_lock);
	kvfree(table->pieces);
}
