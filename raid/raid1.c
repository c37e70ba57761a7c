// SPDX-License-Identifier: GPL-2.0
/*
 * Level 1: every leg holds all of it.
 *
 * A read goes to one leg by remapping; a frame brings it back, and if it failed
 * it is sent to another leg, unseen above. A write is a clone per leg; a leg that
 * fails one is left out from then on, and the write is good if the last good leg
 * took it.
 */
#include <linux/module.h>

#include "kraid.h"

/* Neighbouring reads stay on one leg, others spread, without shared state. */
#define RAID1_REGION_SHIFT 20

/* What a frame remembers: the leg in use, and those tried before. */
#define RAID1_LEG(data)		((data) >> 16)
#define RAID1_TRIED(data)	((data) & 0xffff)
#define RAID1_DATA(leg, tried)	((leg) << 16 | (tried))

/* A usable leg that is not in @tried, -1 if there is none. */
static int raid1_pick(const struct kraid_array *array, u64 pos, u32 tried)
{
	u32 nr = array->nr_legs, i;
	u32 leg = (u32)(pos >> RAID1_REGION_SHIFT) % nr;

	for (i = 0; i < nr; i++) {
		if (likely(kraid_leg_usable(&array->legs[leg]) &&
			   !(tried & BIT(leg))))
			return leg;
		if (++leg == nr)
			leg = 0;
	}
	return -1;
}

static enum kiobuf_climb raid1_endio(struct kiobuf *kb,
				     const struct kiobuf_frame *frame);

static bool raid1_point_read(struct kraid_array *array, struct kiobuf *kb,
			     u32 leg, u32 tried)
{
	if (unlikely(!kiobuf_push_frame(kb, raid1_endio,
					RAID1_DATA(leg, tried))))
		return false;
	kb->dev = array->legs[leg].dev;
	return true;
}

static int raid1_submit(struct kiobuf *kb)
{
	struct kraid_array *array = kraid_of(kb->dev);
	int leg;

	if (kb->op != KIOBUF_READ) {
		/* Once one leg has it, all must get it: no way back. */
		kb->flags &= ~KIOBUF_NOWAIT;
		return KIOBUF_SPLIT;
	}
	leg = raid1_pick(array, kb->pos, 0);
	if (unlikely(leg < 0))
		return -EIO;
	return likely(raid1_point_read(array, kb, leg, 0)) ? KIOBUF_REMAPPED :
							     KIOBUF_SPLIT;
}

/* A read that has no room for our frame: a clone brings room of its own. */
static struct kiobuf *raid1_next_read(struct kiobuf *parent,
				      struct kraid_array *array)
{
	struct kiobuf *kb;
	int leg;

	if (parent->carved)
		return NULL;
	leg = raid1_pick(array, parent->pos, 0);
	if (leg < 0)
		return ERR_PTR(-EIO);
	kb = kiobuf_mirror(parent, parent->length);
	if (IS_ERR(kb))
		return kb;
	parent->carved = 1;
	raid1_point_read(array, kb, leg, 0);
	return kb;
}

static struct kiobuf *raid1_next_child(struct kiobuf *parent)
{
	struct kraid_array *array = kraid_of(parent->dev);
	struct kiobuf *kb;
	u32 leg;

	if (parent->op == KIOBUF_READ)
		return raid1_next_read(parent, array);
	for (leg = parent->carved; leg < array->nr_legs; leg++)
		if (kraid_leg_usable(&array->legs[leg]))
			break;
	if (leg == array->nr_legs)
		return NULL;
	kb = kiobuf_mirror(parent, parent->length);
	if (IS_ERR(kb))
		return kb;
	kb->dev = array->legs[leg].dev;
	kb->private = (void *)(uintptr_t)leg;
	parent->carved = leg + 1;
	return kb;
}

/* A write or flush that failed: legs differ unless this one is left out. */
static void raid1_collate_write(struct kraid_array *array,
				struct kiobuf *parent, struct kiobuf *child)
{
	struct kraid_leg *leg = &array->legs[(uintptr_t)child->private];

	atomic_inc(&leg->errors);
	if (!kraid_leg_fail(array, leg))
		kiobuf_collate_prefix(parent, child);
}

/*
 * A leg that failed is out before the parent can end, so that nobody reads there
 * what was acknowledged elsewhere. The error is the array's own only where no
 * other leg is left. A discard is a hint, and its failure is nobody's; one of
 * zeroes lets the block layer write them itself.
 */
static void raid1_collate(struct kiobuf *parent, struct kiobuf *child)
{
	if (likely(!child->error))
		return;
	switch (parent->op) {
	case KIOBUF_WRITE:
	case KIOBUF_FLUSH:
		raid1_collate_write(kraid_of(parent->dev), parent, child);
		break;
	case KIOBUF_WRITE_ZEROES:
		kiobuf_fail(parent, 0, -EOPNOTSUPP);
		break;
	case KIOBUF_READ:
		kiobuf_collate_prefix(parent, child);
		break;
	}
}

static enum kiobuf_climb raid1_endio(struct kiobuf *kb,
				     const struct kiobuf_frame *frame)
{
	struct kraid_array *array = kraid_of(kb->dev);
	u32 data = frame->data;
	u32 tried = RAID1_TRIED(data) | BIT(RAID1_LEG(data));
	int leg;

	if (likely(!kb->error))
		return KIOBUF_CLIMB;
	if (!kraid_read_error_is_legs(kb->error) || kiobuf_cancelled(kb))
		return KIOBUF_CLIMB;
	atomic_inc(&array->legs[RAID1_LEG(data)].errors);
	leg = raid1_pick(array, kb->pos, tried);
	if (leg < 0)
		return KIOBUF_CLIMB;
	kiobuf_restart(kb);
	raid1_point_read(array, kb, leg, tried);
	kiobuf_defer(kb, &array->object.kd.dev);
	return KIOBUF_HOLD;
}

/* Some legs with the new data, some with the old: all of a write or none of it. */
static bool raid1_veto(struct kiobuf_dev *dev, const struct kiobuf *kb)
{
	return kb->op != KIOBUF_READ;
}

static const struct kiobuf_dev_ops raid1_ops = {
	.submit		= raid1_submit,
	.next_child	= raid1_next_child,
	.collate	= raid1_collate,
	.veto		= raid1_veto,
};

static int raid1_run(struct kraid_array *array, struct kblk_shape *shape)
{
	u64 bytes = U64_MAX;
	u32 block = SECTOR_SIZE;
	struct kraid_leg *leg;

	for (leg = array->legs; leg < array->legs + array->nr_legs; leg++) {
		if (!leg->lower)
			continue;
		bytes = min(bytes, kblk_lower_size(leg->lower));
		block = max(block, kblk_lower_block_size(leg->lower));
	}
	/* A leg that is left out now counted when the array was made. */
	if (array->leg_bytes)
		bytes = min(bytes, array->leg_bytes);
	array->leg_bytes = round_down(bytes, block);
	shape->size = array->leg_bytes;
	shape->stable = true;
	return 0;
}

const struct kraid_personality kraid1_personality = {
	.level		= 1,
	.name		= "RAID-1",
	.min_legs	= 2,
	.max_legs	= KRAID_MAX_MIRRORS,
	.redundant	= true,
	.ops		= &raid1_ops,
	.run		= raid1_run,
};
