// SPDX-License-Identifier: GPL-2.0
/* Level 0: chunks in turn over all legs; md's layout. */
#include <linux/module.h>

#include "kraid.h"

static struct kraid_place raid0_place(const struct kraid_array *array, u64 pos)
{
	return raid0_map(pos, array->nr_legs, array->chunk,
			 array->chunk_shift);
}

static u32 raid0_in_chunk(const struct kraid_array *array, u64 pos)
{
	u32 rest;

	if (likely(array->chunk_shift))
		return pos & (array->chunk - 1);
	div_u64_rem(pos, array->chunk, &rest);
	return rest;
}

static void raid0_point(struct kiobuf *kb, const struct kraid_array *array)
{
	struct kraid_place place = raid0_place(array, kb->pos);

	kb->dev = array->legs[place.leg].dev;
	kb->pos = place.pos;
}

static int raid0_submit(struct kiobuf *kb)
{
	struct kraid_array *array = kraid_of(kb->dev);
	u32 left = array->chunk - raid0_in_chunk(array, kb->pos);

	if (unlikely(kb->length > left || kb->op == KIOBUF_FLUSH))
		return KIOBUF_SPLIT;
	raid0_point(kb, array);
	return KIOBUF_REMAPPED;
}

/* Operations without data need not be cut up: a leg's share is one range. */
static bool raid0_by_leg(const struct kiobuf *kb)
{
	return !kiobuf_op_is_data(kb->op);
}

static struct kiobuf *raid0_next_leg(struct kiobuf *parent,
				     const struct kraid_array *array)
{
	u32 leg = parent->carved, legs = array->nr_legs, chunk = array->chunk;
	u64 first, end;
	struct kiobuf *kb;

	do {
		if (leg == legs)
			return NULL;
		first = raid0_leg_bytes(parent->pos, leg, legs, chunk);
		end = raid0_leg_bytes(parent->pos + parent->length, leg, legs,
				      chunk);
	} while (first == end && parent->op != KIOBUF_FLUSH && ++leg);

	kb = kiobuf_mirror(parent, end - first);
	if (IS_ERR(kb))
		return kb;
	kb->dev = array->legs[leg].dev;
	kb->pos = first;
	kb->private = (void *)(uintptr_t)leg;
	parent->carved = leg + 1;
	return kb;
}

static struct kiobuf *raid0_next_child(struct kiobuf *parent)
{
	const struct kraid_array *array = kraid_of(parent->dev);
	u64 pos = parent->pos + parent->carved;
	struct kiobuf *kb;

	if (raid0_by_leg(parent))
		return raid0_next_leg(parent, array);
	kb = kiobuf_carve(parent, array->chunk - raid0_in_chunk(array, pos));
	if (!IS_ERR_OR_NULL(kb))
		raid0_point(kb, array);
	return kb;
}

/* A leg's share is scattered over the parent: find the byte that failed first. */
static void raid0_collate(struct kiobuf *parent, struct kiobuf *child)
{
	const struct kraid_array *array = kraid_of(parent->dev);
	struct kraid_place place;
	u64 pos;

	if (likely(!raid0_by_leg(parent))) {
		kiobuf_collate_prefix(parent, child);
		return;
	}
	if (!child->error)
		return;
	place.leg = (uintptr_t)child->private;
	place.pos = raid0_leg_bytes(parent->pos, place.leg, array->nr_legs,
				    array->chunk) + child->bytes;
	pos = parent->op == KIOBUF_FLUSH ? parent->pos :
	      raid0_unmap(place, array->nr_legs, array->chunk);
	kiobuf_fail(parent, pos - parent->pos, child->error);
}

static const struct kiobuf_dev_ops raid0_ops = {
	.submit		= raid0_submit,
	.next_child	= raid0_next_child,
	.collate	= raid0_collate,
};

static int raid0_run(struct kraid_array *array, struct kblk_shape *shape)
{
	struct kblk_object *object = &array->object;
	u64 bytes, rest;
	u32 i;

	for (i = 0; i < array->nr_legs; i++) {
		bytes = kblk_lower_size(array->legs[i].lower);
		div64_u64_rem(bytes, array->chunk, &rest);
		bytes -= rest;
		if (i && bytes != array->leg_bytes)
			return kblk_refuse(object, -EINVAL,
					   "Leg %s holds %llu bytes of whole chunks, %s holds %llu: level 0 wants legs of equal size.",
					   array->legs[i].path, bytes,
					   array->legs[0].path,
					   array->leg_bytes);
		array->leg_bytes = bytes;
	}
	shape->size = array->leg_bytes * array->nr_legs;
	shape->io_min = array->chunk;
	if ((u64)array->chunk * array->nr_legs <= U32_MAX)
		shape->io_opt = array->chunk * array->nr_legs;
	return 0;
}

const struct kraid_personality kraid0_personality = {
	.level		= 0,
	.name		= "RAID-0",
	.min_legs	= 2,
	.max_legs	= KRAID_MAX_LEGS,
	.ops		= &raid0_ops,
	.run		= raid0_run,
};
