// SPDX-License-Identifier: GPL-2.0
/*
 * Levels 1 and 10: every byte has copies on several legs.
 *
 * A read goes to one copy by remapping; a frame brings it back, and if it failed it is
 * served from other copies, unseen above: repair.c. A write is a clone per copy. A leg
 * that fails one is left out from then on, and the write is good if the last good copy
 * took it; it does not end before superblocks tell of the leg: meta.c.
 *
 * A request that crosses a chunk of level 10 is carved into rows, pieces that lie in one
 * chunk each. They are sent to array->rows, a device behind the disk with a pool of its
 * own, so that carving and mirroring never wait for each other's headers. So is a
 * request that brings no room for our frame: its clone has some.
 */
#include <linux/module.h>

#include "bitmap.h"
#include "kraid.h"

u32 kraid_nr_copies(const struct kraid_array *array)
{
	return array->geo.copies;
}

/* Where copy @n of the byte at @pos is. */
struct kraid_place kraid_copy(const struct kraid_array *array, u64 pos, u32 n)
{
	if (likely(!array->geo.chunk))
		return (struct kraid_place){ .leg = n, .pos = pos };
	return raid10_place(&array->geo, pos, n);
}

/* Bytes from @pos on that lie together in each copy. */
u64 kraid_span(const struct kraid_array *array, u64 pos)
{
	if (likely(!array->geo.chunk))
		return U64_MAX;
	return array->geo.chunk - (pos & (array->geo.chunk - 1));
}

/* ---- reads ---- */

static u64 mirror_distance(u64 a, u64 b)
{
	return a > b ? a - b : b - a;
}

/**
 * kraid_pick() - choose the copy to read
 * @array: the array
 * @pos: of the read, in bytes
 * @length: bytes, within kraid_span()
 * @tried: a bit for each copy that is not to be used
 *
 * The leg where a stream goes on; else one that was not read from in this tick; else the
 * one whose last read ended nearest, which spreads reads at random evenly. No count of
 * reads in flight is kept: two atomic operations on a line that all processors share
 * would cost a read more than all of this. What may differ between legs is read from the
 * first one always, so that two reads see the same. Context: any.
 * Return: the copy; -1 for none.
 */
int kraid_pick(const struct kraid_array *array, u64 pos, u64 length, u32 tried)
{
	bool equal = likely(pos + length <= READ_ONCE(array->sync.resynced));
	u64 distance, nearest = U64_MAX;
	unsigned long now = jiffies;
	u32 n, copies = array->geo.copies;
	int best = -1;

	for (n = 0; n < copies; n++) {
		struct kraid_place place = kraid_copy(array, pos, n);
		const struct kraid_leg *leg = &array->legs[place.leg];

		if (unlikely(tried & BIT(n) ||
			     !kraid_leg_readable(leg, place.pos + length)))
			continue;
		distance = mirror_distance(READ_ONCE(leg->next_pos), place.pos);
		if (!distance || unlikely(!equal))
			return n;
		if (READ_ONCE(leg->read_at) != now)
			distance = 1;
		if (distance < nearest) {
			nearest = distance;
			best = n;
		}
	}
	return best;
}

/* The same for level 1, all of whose legs can be read. */
static __always_inline u32 mirror_pick_any(const struct kraid_array *array,
					   u64 pos)
{
	const struct kraid_leg *leg = array->legs;
	u32 n = 0, best = 0, copies = array->geo.copies;
	u64 distance, nearest = U64_MAX;
	unsigned long now = jiffies;

	do {
		distance = mirror_distance(READ_ONCE(leg->next_pos), pos);
		if (!distance)
			return n;
		if (READ_ONCE(leg->read_at) != now)
			distance = 1;
		if (distance < nearest) {
			nearest = distance;
			best = n;
		}
		leg++;
	} while (++n < copies);
	return best;
}

static enum kiobuf_climb mirror_read_endio(struct kiobuf *kb,
					   const struct kiobuf_frame *frame);

/* Sends a read to a leg where copy @n is, at @pos of it. */
static __always_inline void mirror_aim(struct kiobuf *kb, struct kraid_leg *leg,
				       const struct kraid_member *member,
				       u64 pos, u32 data)
{
	unsigned long now = jiffies;

	kiobuf_push_guard(kb, mirror_read_endio, data);
	WRITE_ONCE(leg->next_pos, pos + kb->length);
	if (READ_ONCE(leg->read_at) != now)
		WRITE_ONCE(leg->read_at, now);
	kb->dev = member->dev;
	kb->pos = pos + member->data_start;
}

/* False if the leg has just failed: then nothing was done. */
static bool mirror_point_read(struct kraid_array *array, struct kiobuf *kb,
			      u32 n)
{
	struct kraid_place place = kraid_copy(array, kb->pos, n);
	struct kraid_leg *leg = &array->legs[place.leg];
	const struct kraid_member *member;

	member = kraid_leg_look(leg, place.pos + kb->length);
	if (unlikely(!member))
		return false;
	mirror_aim(kb, leg, member, place.pos, place.leg << 8 | n);
	return true;
}

static int mirror_submit_read(struct kraid_array *array, struct kiobuf *kb)
{
	int n;

	if (unlikely(!kb->spare || kb->length > kraid_span(array, kb->pos)))
		return KIOBUF_SPLIT;
	do {
		n = kraid_pick(array, kb->pos, kb->length, 0);
		if (unlikely(n < 0))
			return -EIO;
	} while (unlikely(!mirror_point_read(array, kb, n)));
	return KIOBUF_REMAPPED;
}

/* A guard: a read that went well does not come here. */
static enum kiobuf_climb mirror_read_endio(struct kiobuf *kb,
					   const struct kiobuf_frame *frame)
{
	struct kraid_array *array = kraid_of(kb->dev);
	struct kraid_member *member;

	if (!kb->error || !kraid_read_error_is_legs(kb))
		return KIOBUF_CLIMB;
	/* Members stay while a read is in flight: see kraid_manage_remove(). */
	member = READ_ONCE(array->legs[frame->data >> 8].member);
	if (member)
		atomic_inc(&member->errors);
	if (kiobuf_cancelled(kb) ||
	    kraid_pick(array, kb->pos, kb->length, BIT(frame->data & 0xff)) < 0)
		return KIOBUF_CLIMB;
	kraid_repair_read(array, kb, frame->data & 0xff);
	return KIOBUF_HOLD;
}

/* ---- writes, and what else changes legs ---- */

/*
 * All copies have ended. What the request did on the leg that it went on to itself comes
 * first, since a leg that fails must be known before the end: see meta.c.
 */
static enum kiobuf_climb mirror_write_endio(struct kiobuf *kb,
					    const struct kiobuf_frame *frame)
{
	struct kraid_array *array = kraid_of(kb->dev);
	int error = kiobuf_own_error(kb);

	if (unlikely(error) &&
	    !kraid_leg_fail(array, &array->legs[frame->data]))
		kiobuf_fail(kb, 0, error);
	if (array->bitmap && kb->op != KIOBUF_FLUSH)
		kraid_bitmap_end(array, kb->pos, kb->length);
	kraid_write_leave(array, kb->pos, kb->length);
	if (unlikely(kraid_meta_pending(array)) && kraid_meta_hold(array, kb))
		return KIOBUF_HOLD;
	return KIOBUF_CLIMB;
}

/* Has our frame, so it is one row, or needs not be cut into rows. */
static bool mirror_is_row(const struct kiobuf *parent,
			  const struct kiobuf_dev *dev)
{
	const struct kiobuf_frame *frame = parent->frames;

	return frame && frame->endio == mirror_write_endio && frame->dev == dev;
}

static int mirror_submit_write(struct kraid_array *array, struct kiobuf *kb)
{
	int ret;

	if (unlikely(!kb->spare || (kb->op != KIOBUF_DISCARD &&
				    kb->length > kraid_span(array, kb->pos))))
		return KIOBUF_SPLIT;
	ret = kraid_write_enter(array, kb);
	if (likely(ret > 0) && array->bitmap && kb->op != KIOBUF_FLUSH)
		ret = kraid_bitmap_start(array, kb);
	if (unlikely(ret <= 0))
		return ret;
	kiobuf_push_frame(kb, mirror_write_endio, 0);
	/* Once one leg has it, all must get it: no way back. */
	kb->flags &= ~KIOBUF_NOWAIT;
	kb->flags |= KIOBUF_FIRM;
	return KIOBUF_SPLIT;
}

static int mirror_submit(struct kiobuf *kb)
{
	struct kraid_array *array = kraid_of(kb->dev);

	return likely(kb->op == KIOBUF_READ) ? mirror_submit_read(array, kb) :
					       mirror_submit_write(array, kb);
}

/*
 * The disk of level 1: by far the most reads come when any leg will do. Who fills a leg
 * anew lets go by who has seen that: see kraid_leg_look().
 */
static int raid1_submit(struct kiobuf *kb)
{
	struct kraid_array *array =
		container_of(kb->dev, struct kraid_array, object.kd.dev);
	const struct kraid_member *member = NULL;
	u64 pos = kb->pos;
	u32 n = 0;

	if (kb->op != KIOBUF_READ || unlikely(!kb->spare))
		return mirror_submit(kb);
	preempt_disable();
	/* Pairs with kraid_count(). */
	if (likely(smp_load_acquire(&array->nr_in_sync) == array->nr_legs &&
		   pos + kb->length <= READ_ONCE(array->sync.resynced))) {
		n = mirror_pick_any(array, pos);
		member = READ_ONCE(array->legs[n].member);
	}
	preempt_enable();
	if (unlikely(!member))
		return mirror_submit(kb);
	mirror_aim(kb, &array->legs[n], member, pos, n << 8 | n);
	return KIOBUF_REMAPPED;
}

/* Cuts the next row off. */
static struct kiobuf *mirror_next_row(struct kiobuf *parent,
				      struct kraid_array *array)
{
	struct kiobuf *kb;

	if (parent->length && parent->op != KIOBUF_DISCARD) {
		u64 pos = parent->pos + parent->carved;

		kb = kiobuf_carve(parent, kraid_span(array, pos));
	} else if (!parent->carved) {
		kb = kiobuf_mirror(parent, parent->length);
		if (!IS_ERR(kb))
			parent->carved = 1;
	} else {
		return NULL;
	}
	if (!IS_ERR_OR_NULL(kb))
		kb->dev = &array->rows;
	return kb;
}

/* What a request does on one leg. */
struct mirror_share {
	u32	leg;
	u64	pos;
	u64	length;
};

/* Legs, or twins behind them, that a request has a share of: numbers to go through. */
static u32 mirror_nr_shares(const struct kraid_array *array,
			    const struct kiobuf *kb)
{
	if (kb->op == KIOBUF_FLUSH)
		return array->nr_legs;
	if (unlikely(kb->op == KIOBUF_DISCARD && array->geo.chunk))
		return raid10_nr_shares(&array->geo);
	return array->geo.copies;
}

static struct mirror_share mirror_share(const struct kraid_array *array,
					const struct kiobuf *kb, u32 n)
{
	struct mirror_share share = { .leg = n, .length = kb->length };
	struct kraid_place place;

	if (kb->op == KIOBUF_FLUSH)
		return share;
	if (unlikely(kb->op == KIOBUF_DISCARD && array->geo.chunk)) {
		share.length = raid10_share(&array->geo, kb->pos, kb->length,
					    n, &place);
	} else {
		place = kraid_copy(array, kb->pos, n);
	}
	share.leg = place.leg;
	share.pos = place.pos;
	return share;
}

static struct kiobuf *mirror_clone(struct kiobuf *parent,
				   struct kraid_array *array,
				   const struct mirror_share *share, u32 leg)
{
	struct kiobuf *kb = kiobuf_mirror(parent, share->length);

	if (IS_ERR(kb))
		return kb;
	kb->dev = array->legs[leg].dev;
	kb->pos = share->pos + array->legs[leg].start;
	kb->private = (void *)(uintptr_t)leg;
	return kb;
}

/*
 * The next share from number @n on that some leg gets: legs first, then twins. Returns
 * the number, and the leg in @leg; @end if there are no more.
 */
static u32 mirror_next_share(const struct kraid_array *array,
			     const struct kiobuf *parent, u32 n, u32 end,
			     struct mirror_share *share, u32 *leg)
{
	u32 nr = mirror_nr_shares(array, parent);

	for (; n < end; n++) {
		*share = mirror_share(array, parent, n < nr ? n : n - nr);
		*leg = share->leg + (n < nr ? 0 : array->nr_legs);
		if (kraid_leg_writable(&array->legs[*leg]) &&
		    (share->length || !parent->length))
			break;
	}
	return n;
}

/* The last leg gets the request itself, where that can be done. */
static bool mirror_go_on(struct kiobuf *parent, struct kraid_array *array,
			 u32 leg, u64 pos)
{
	if (parent->op != KIOBUF_WRITE ||
	    !kiobuf_go_on(parent, array->legs[leg].dev,
			  pos + array->legs[leg].start))
		return false;
	parent->frames->data = leg;
	return true;
}

/* Shares that not every leg gets. */
static noinline struct kiobuf *mirror_next_any(struct kiobuf *parent,
					       struct kraid_array *array)
{
	u32 end = mirror_nr_shares(array, parent), n, next, leg, unused;
	struct mirror_share share, rest;
	struct kiobuf *kb;

	if (array->nr_twins)
		end *= 2;
	n = mirror_next_share(array, parent, parent->carved, end, &share, &leg);
	if (n >= end) {
		/* Nobody has it, unless it is too small a discard to matter. */
		return parent->carved || parent->op == KIOBUF_DISCARD ? NULL :
		       ERR_PTR(-EIO);
	}
	next = mirror_next_share(array, parent, n + 1, end, &rest, &unused);
	if (next == end && mirror_go_on(parent, array, leg, share.pos))
		return parent;
	kb = mirror_clone(parent, array, &share, leg);
	if (!IS_ERR(kb))
		parent->carved = next;
	return kb;
}

/* By far the most: a write to legs that are all in sync. */
static struct kiobuf *mirror_next_copy(struct kiobuf *parent,
				       struct kraid_array *array)
{
	u32 n = parent->carved, last = array->geo.copies - 1;
	struct kraid_place place;
	struct kiobuf *kb;

	if (unlikely(parent->op != KIOBUF_WRITE || n > last ||
		     READ_ONCE(array->nr_in_sync) != array->nr_legs ||
		     READ_ONCE(array->nr_twins)))
		return mirror_next_any(parent, array);
	place = kraid_copy(array, parent->pos, n);
	if (n == last && mirror_go_on(parent, array, place.leg, place.pos))
		return parent;
	kb = kiobuf_mirror(parent, parent->length);
	if (IS_ERR(kb))
		return kb;
	kb->dev = array->legs[place.leg].dev;
	kb->pos = place.pos + array->legs[place.leg].start;
	kb->private = (void *)(uintptr_t)place.leg;
	parent->carved = n + 1;
	return kb;
}

static struct kiobuf *mirror_next_child(struct kiobuf *parent)
{
	struct kraid_array *array = kraid_of(parent->dev);

	return likely(mirror_is_row(parent, parent->dev)) ?
	       mirror_next_copy(parent, array) : mirror_next_row(parent, array);
}

/* A write or flush that failed: legs differ unless this one is left out. */
static void mirror_collate_write(struct kraid_array *array,
				 struct kiobuf *parent, struct kiobuf *child)
{
	struct kraid_leg *leg = &array->legs[(uintptr_t)child->private];

	if (!kraid_leg_fail(array, leg))
		kiobuf_collate_prefix(parent, child);
}

/*
 * A leg that failed is out before the parent can end, so that nobody reads there what
 * was acknowledged elsewhere. The error is the array's own only where no other copy is
 * left. A discard is a hint, and its failure is nobody's; zeroes that a leg does not know
 * how to make are written by the block layer.
 */
static void mirror_collate(struct kiobuf_dev *dev, struct kiobuf *parent,
			   struct kiobuf *child)
{
	if (!mirror_is_row(parent, dev)) {
		kiobuf_collate_prefix(parent, child);
		return;
	}
	switch (parent->op) {
	case KIOBUF_WRITE:
	case KIOBUF_FLUSH:
		mirror_collate_write(kraid_of(dev), parent, child);
		break;
	case KIOBUF_WRITE_ZEROES:
		if (child->error == -EOPNOTSUPP)
			kiobuf_fail(parent, 0, -EOPNOTSUPP);
		else
			mirror_collate_write(kraid_of(dev), parent, child);
		break;
	}
}

static const struct kiobuf_dev_ops raid1_ops = {
	.submit		= raid1_submit,
	.next_child	= mirror_next_child,
	.collate	= mirror_collate,
};

static const struct kiobuf_dev_ops mirror_ops = {
	.submit		= mirror_submit,
	.next_child	= mirror_next_child,
	.collate	= mirror_collate,
};

static bool mirror_row_cancel(struct kiobuf_dev *dev, struct kiobuf *kb)
{
	struct kraid_array *array = kraid_of(dev);
	/* It stays, since irqs are off: see kraid_bitmap_free(). */
	struct kraid_bitmap *bitmap = READ_ONCE(array->bitmap);

	return kiobuf_unqueue(&array->gate.waiting, kb) ||
	       (bitmap && kiobuf_unqueue(&bitmap->waiting, kb));
}

static const struct kiobuf_dev_ops mirror_row_ops = {
	.submit		= mirror_submit,
	.next_child	= mirror_next_child,
	.collate	= mirror_collate,
	.cancel		= mirror_row_cancel,
};

/* ---- shape ---- */

static u64 mirror_smallest(const struct kraid_array *array)
{
	const struct kraid_member *member;
	u64 bytes = U64_MAX;

	list_for_each_entry(member, &array->members, list)
		if (member->slot >= 0 && member->lower)
			bytes = min(bytes, member->data_bytes);
	return bytes;
}

static int raid1_run(struct kraid_array *array, struct kblk_shape *shape)
{
	u64 bytes = mirror_smallest(array);

	array->geo = (struct raid10_geo){
		.legs = array->nr_legs,
		.near = array->nr_legs,
		.far = 1,
		.copies = array->nr_legs,
	};
	/* A leg that is left out now counted when the array was made. */
	if (array->leg_bytes)
		bytes = array->leg_bytes;
	array->leg_bytes = round_down(bytes, kraid_block_size(array));
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
	.row_ops	= &mirror_row_ops,
	.run		= raid1_run,
};

static int raid10_run(struct kraid_array *array, struct kblk_shape *shape)
{
	u64 bytes = mirror_smallest(array);
	int ret;

	if (array->leg_bytes)
		bytes = array->leg_bytes;
	ret = raid10_setup(&array->geo, array->nr_legs, array->layout,
			   array->chunk, bytes);
	if (ret || array->geo.copies > KRAID_MAX_MIRRORS)
		return kblk_refuse(&array->object, -EINVAL,
				   "Layout 0x%x does not go with %u legs and a chunk of %u KiB.",
				   array->layout, array->nr_legs,
				   array->chunk >> 10);
	array->leg_bytes = array->geo.leg_bytes;
	shape->size = array->geo.size;
	shape->io_min = array->chunk;
	shape->io_opt = kraid_io_opt(array->chunk,
				     array->nr_legs / array->geo.near);
	shape->stable = true;
	return 0;
}

const struct kraid_personality kraid10_personality = {
	.level		= 10,
	.name		= "RAID-10",
	.min_legs	= 2,
	.max_legs	= KRAID_MAX_LEGS,
	.redundant	= true,
	.chunked	= true,
	.layout		= RAID10_NEAR(2),
	.ops		= &mirror_ops,
	.row_ops	= &mirror_row_ops,
	.run		= raid10_run,
};
