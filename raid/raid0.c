// SPDX-License-Identifier: GPL-2.0
/* Level 0: chunks in turn over the legs; see layout.h. */
#include <linux/module.h>
#include <linux/slab.h>

#include "kraid.h"

static void raid0_point_at(struct kiobuf *kb, const struct kraid_array *array,
			   struct kraid_place place)
{
	kb->dev = array->legs[place.leg].dev;
	kb->pos = place.pos + array->legs[place.leg].start;
}

static void raid0_point(struct kiobuf *kb, const struct kraid_array *array)
{
	raid0_point_at(kb, array, raid0_place(array->zones, kb->pos));
}

static int raid0_submit(struct kiobuf *kb)
{
	struct kraid_array *array = kraid_of(kb->dev);
	u32 left = raid0_left(array->zones, kb->pos);

	if (unlikely(kb->length > left || kb->op == KIOBUF_FLUSH))
		return KIOBUF_SPLIT;
	raid0_point(kb, array);
	return KIOBUF_REMAPPED;
}

/* Operations without data need not be cut up: a share is one range. */
static bool raid0_by_share(const struct kiobuf *kb)
{
	return !kiobuf_op_is_data(kb->op);
}

static struct kiobuf *raid0_clone(struct kiobuf *parent,
				  const struct kraid_array *array,
				  struct kraid_place place, u64 length)
{
	struct kiobuf *kb = kiobuf_mirror(parent, length);

	if (!IS_ERR(kb))
		raid0_point_at(kb, array, place);
	return kb;
}

static struct kiobuf *raid0_next_leg(struct kiobuf *parent,
				     const struct kraid_array *array)
{
	struct kraid_place place = { .leg = parent->carved };
	struct kiobuf *kb;

	if (place.leg == array->nr_legs)
		return NULL;
	kb = raid0_clone(parent, array, place, 0);
	if (!IS_ERR(kb))
		parent->carved++;
	return kb;
}

/* parent->carved and kb->private are numbers of shares. */
static struct kiobuf *raid0_next_share(struct kiobuf *parent,
				       const struct kraid_array *array)
{
	const struct raid0_map *map = array->zones;
	u32 n, end, first = raid0_shares(map, parent->pos, parent->length,
					 &end);
	struct kraid_place place;
	struct kiobuf *kb;
	u64 length = 0;

	for (n = max_t(u32, parent->carved, first); n < end; n++) {
		length = raid0_share(map, parent->pos, parent->length, n,
				     &place);
		if (length)
			break;
	}
	if (!length)
		return NULL;
	kb = raid0_clone(parent, array, place, length);
	if (IS_ERR(kb))
		return kb;
	kb->private = (void *)(uintptr_t)n;
	parent->carved = n + 1;
	return kb;
}

static struct kiobuf *raid0_next_child(struct kiobuf *parent)
{
	const struct kraid_array *array = kraid_of(parent->dev);
	const struct raid0_map *map = array->zones;
	struct kiobuf_stripes stripes;
	struct kiobuf *kb;

	if (parent->op == KIOBUF_FLUSH)
		return raid0_next_leg(parent, array);
	if (raid0_by_share(parent))
		return raid0_next_share(parent, array);
	if (raid0_gathers(map, parent->pos, parent->length, &stripes))
		kb = kiobuf_gather(parent, &stripes);
	else
		kb = kiobuf_carve(parent, raid0_left(map, parent->pos +
							  parent->carved));
	if (!IS_ERR_OR_NULL(kb))
		raid0_point(kb, array);
	return kb;
}

/* More pieces than this, and all from the first one on counts as failed. */
#define RAID0_MAX_PIECES 256

/* A share is scattered over the parent: tells the pieces of it that failed. */
static void raid0_fail_pieces(const struct raid0_map *map,
			      struct kiobuf *parent, struct kiobuf *child,
			      struct kraid_place place)
{
	u64 left = child->length - child->bytes;
	bool all = left / map->chunk > RAID0_MAX_PIECES;
	u64 pos, piece;

	if (!left) {
		kiobuf_fail(parent, 0, child->error);
		return;
	}
	place.pos += child->bytes;
	for (; left; left -= piece, place.pos += piece) {
		pos = raid0_unmap(map, place);
		piece = min_t(u64, left, raid0_left(map, pos));
		if (all) {
			kiobuf_fail(parent, pos - parent->pos, child->error);
			return;
		}
		kiobuf_fail_range(parent, pos - parent->pos, piece,
				  child->error);
	}
}

static void raid0_collate(struct kiobuf_dev *dev, struct kiobuf *parent,
			  struct kiobuf *child)
{
	const struct raid0_map *map = kraid_of(dev)->zones;
	struct kraid_place place;

	if (parent->op == KIOBUF_FLUSH) {
		kiobuf_fail(parent, 0, child->error);
	} else if (raid0_by_share(parent)) {
		raid0_share(map, parent->pos, parent->length,
			    (uintptr_t)child->private, &place);
		raid0_fail_pieces(map, parent, child, place);
	} else {
		kiobuf_collate_prefix(parent, child);
	}
}

static const struct kiobuf_dev_ops raid0_ops = {
	.submit		= raid0_submit,
	.next_child	= raid0_next_child,
	.collate	= raid0_collate,
};

static struct raid0_map *raid0_lay_out(const struct kraid_array *array)
{
	struct raid0_map *map;
	u64 *bytes;
	u32 i;

	bytes = kvcalloc(array->nr_legs, sizeof(*bytes), GFP_KERNEL);
	if (!bytes)
		return ERR_PTR(-ENOMEM);
	for (i = 0; i < array->nr_legs; i++)
		bytes[i] = array->legs[i].member->data_bytes;
	map = raid0_map_alloc(bytes, array->nr_legs, array->chunk,
			      array->layout);
	kvfree(bytes);
	return map;
}

static int raid0_run(struct kraid_array *array, struct kblk_shape *shape)
{
	struct raid0_map *map;

	if (array->nr_in_sync < array->nr_legs)
		return kblk_refuse(&array->object, -ENODEV,
				   "RAID-0 cannot do with %u of %u legs.",
				   array->nr_in_sync, array->nr_legs);
	map = raid0_lay_out(array);
	if (map == ERR_PTR(-ENOSPC))
		return kblk_refuse(&array->object, -ENOSPC,
				   "The legs are too small: each has to hold a chunk of %u bytes.",
				   array->chunk);
	if (IS_ERR(map))
		return PTR_ERR(map);
	array->zones = map;
	if (map->nr_zones > 1 && array->layout != RAID0_ORIGINAL &&
	    array->layout != RAID0_ALTERNATE)
		return kblk_refuse(&array->object, -EINVAL,
				   "The legs differ in size, and the superblocks do not say whether the layout is original or alternate.");
	shape->size = map->size;
	shape->io_min = array->chunk;
	shape->io_opt = kraid_io_opt(array->chunk, array->nr_legs);
	return 0;
}

static void raid0_stop(struct kraid_array *array)
{
	raid0_map_free(array->zones);
	array->zones = NULL;
}

const struct kraid_personality kraid0_personality = {
	.level		= 0,
	.name		= "RAID-0",
	.min_legs	= 2,
	.max_legs	= KRAID_MAX_LEGS,
	.chunked	= true,
	.layout		= RAID0_ALTERNATE,
	.ops		= &raid0_ops,
	.run		= raid0_run,
	.stop		= raid0_stop,
};
