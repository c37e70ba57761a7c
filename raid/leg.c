// SPDX-License-Identifier: GPL-2.0
/* States of members and legs: one setter, and who may fail. */
#include <linux/module.h>
#include <linux/slab.h>

#include "kraid.h"
#include "trace.h"

const char *const kraid_state_names[KRAID_NR_STATES] = {
	[KRAID_MISSING]		= "missing",
	[KRAID_IN_SYNC]		= "in_sync",
	[KRAID_REBUILDING]	= "rebuilding",
	[KRAID_SPARE]		= "spare",
	[KRAID_FAULTY]		= "faulty",
};

static struct kraid_leg *kraid_leg_of(const struct kraid_member *member)
{
	struct kraid_array *array = member->array;

	if (member->slot < 0)
		return NULL;
	return &array->legs[member->slot +
			    (member->twin ? array->nr_legs : 0)];
}

/* Only the leg itself counts, not what is to replace it. */
static void kraid_count(struct kraid_member *member, int by)
{
	struct kraid_array *array = member->array;

	if (member->state != KRAID_IN_SYNC || member->slot < 0 || member->twin)
		return;
	/* Who sees the number sees who the legs are. */
	smp_store_release(&array->nr_in_sync, array->nr_in_sync + by);
}

/**
 * kraid_set_state() - the one that changes the state of a member, and of its leg
 * @member: the member
 * @state: from now on
 *
 * Context: any; under array->lock once the array is up.
 */
void kraid_set_state(struct kraid_member *member, enum kraid_state state)
{
	struct kraid_leg *leg = kraid_leg_of(member);

	trace_kraid_member(member, state);
	kraid_count(member, -1);
	member->state = state;
	kraid_count(member, 1);
	if (!leg)
		return;
	WRITE_ONCE(leg->recovered, member->recovered);
	/* Who sees the state sees where the leg is. */
	smp_store_release(&leg->state, state);
}

/**
 * kraid_place_member() - let a member fill a leg that nobody fills
 * @member: the member, which fills none
 * @slot: the leg
 * @twin: it is to replace who fills the leg, beside whom it stands
 * @state: of it, from then on
 *
 * Context: as kraid_set_state(); writes suspended.
 */
void kraid_place_member(struct kraid_member *member, int slot, bool twin,
			enum kraid_state state)
{
	struct kraid_leg *leg;

	member->slot = slot;
	member->twin = twin;
	leg = kraid_leg_of(member);
	leg->dev = member->dev;
	leg->start = member->data_start;
	leg->next_pos = 0;
	WRITE_ONCE(leg->member, member);
	member->array->nr_twins += twin;
	kraid_set_state(member, state);
}

/**
 * kraid_unplace_member() - take a member out of its leg
 * @member: faulty or down; no request of ours is on its way to it
 *
 * Context: as kraid_place_member().
 */
void kraid_unplace_member(struct kraid_member *member)
{
	struct kraid_leg *leg = kraid_leg_of(member);

	if (!leg)
		return;
	kraid_count(member, -1);
	member->array->nr_twins -= member->twin;
	member->slot = -1;
	member->twin = false;
	WRITE_ONCE(leg->member, NULL);
	WRITE_ONCE(leg->state, KRAID_MISSING);
}

/**
 * kraid_swap_twin() - let a twin fill the leg that it is to replace
 * @twin: it, a whole copy by now; who filled the leg is faulty from now on
 *
 * A read finds one of the two, and both hold the same.
 * Context: as kraid_place_member().
 */
void kraid_swap_twin(struct kraid_member *twin)
{
	struct kraid_array *array = twin->array;
	int slot = twin->slot;
	struct kraid_leg *leg = &array->legs[slot];
	struct kraid_member *old = leg->member;

	if (old) {
		kraid_count(old, -1);
		old->slot = -1;
		kraid_set_state(old, KRAID_FAULTY);
	}
	kraid_unplace_member(twin);
	kraid_place_member(twin, slot, false, KRAID_IN_SYNC);
}

/* How many legs lack, in whole or in part. */
u32 kraid_degraded(const struct kraid_array *array)
{
	return array->nr_legs - READ_ONCE(array->nr_in_sync);
}

static bool kraid_leg_counts(const struct kraid_array *array, u32 leg,
			     int without)
{
	return leg != without && array->legs[leg].state == KRAID_IN_SYNC;
}

/* Copies of a chunk lie on neighbours, the first of them a multiple of geo.near. */
static bool kraid_group_is_good(const struct kraid_array *array, u32 first,
				int without)
{
	u32 legs = array->nr_legs, i;

	for (i = 0; i < array->geo.copies; i++)
		if (kraid_leg_counts(array, (first + i) % legs, without))
			return true;
	return false;
}

/* Under array->lock, or not up yet. */
static bool kraid_enough_parity(const struct kraid_array *array, int without)
{
	u32 i, lost = 0;

	for (i = 0; i < array->nr_legs; i++)
		lost += !kraid_leg_counts(array, i, without);
	return lost <= (array->personality->level == 6 ? 2 : 1);
}

/**
 * kraid_enough() - would all data be there?
 * @array: the array, redundant, its geometry known
 * @without: a leg that is not counted, -1 for none
 *
 * Context: any; under array->lock once the array is up.
 * Return: true if each byte has a copy on a leg that is in sync, or can be worked out.
 */
bool kraid_enough(const struct kraid_array *array, int without)
{
	u32 first = 0;

	if (array->parity)
		return kraid_enough_parity(array, without);
	do {
		if (!kraid_group_is_good(array, first, without))
			return false;
		first = (first + array->geo.near) % array->nr_legs;
	} while (first);
	return true;
}

/* May a read that failed do better on another leg? Not if that is how it was cancelled. */
bool kraid_read_error_is_legs(const struct kiobuf *kb)
{
	int error = kb->error;

	return error != -EAGAIN && error != -ENOMEM && error != -EOPNOTSUPP &&
	       error != -EINVAL && error != -ECANCELED &&
	       error != kiobuf_cancelled(kb);
}

static bool kraid_may_fail(const struct kraid_member *member)
{
	const struct kraid_array *array = member->array;

	if (!array->personality->redundant)
		return false;
	return member->state != KRAID_IN_SYNC || member->twin ||
	       kraid_enough(array, member->slot);
}

/**
 * kraid_member_fail() - leave a member out from now on
 * @member: the member
 *
 * Superblocks are written by a worker; until they are, no write ends: see
 * kraid_meta_hold(). Context: any.
 * Return: true if it is out, now or before. False for the last good copy of some data:
 * its errors are the array's.
 */
bool kraid_member_fail(struct kraid_member *member)
{
	struct kraid_array *array = member->array;
	bool failed = false, out;
	unsigned long flags;

	spin_lock_irqsave(&array->lock, flags);
	out = member->state == KRAID_FAULTY;
	if (!out && kraid_may_fail(member)) {
		kraid_set_state(member, KRAID_FAULTY);
		array->meta.wanted++;
		failed = true;
	}
	spin_unlock_irqrestore(&array->lock, flags);
	if (failed) {
		pr_warn("kraid: %s: %s failed, %u of %u legs are in sync\n",
			kraid_name(array), member->path, array->nr_in_sync,
			array->nr_legs);
		kraid_meta_kick(array);
		kblk_disk_changed(&array->object.kd);
	}
	return out || failed;
}

/* As kraid_member_fail(), for whoever fills the leg. */
bool kraid_leg_fail(struct kraid_array *array, struct kraid_leg *leg)
{
	struct kraid_member *member = READ_ONCE(leg->member);

	/* Somebody was faster. */
	if (!member)
		return true;
	atomic_inc(&member->errors);
	return kraid_member_fail(member);
}

/* md allows 20 in an hour, halved with each hour that passes (md(4)). */
#define KRAID_MAX_READ_ERRORS 20

/**
 * kraid_count_read_error() - a block could not be read, but can be rewritten
 * @member: where it failed
 *
 * Context: process, one at a time.
 * Return: true if that was one too many of late.
 */
bool kraid_count_read_error(struct kraid_member *member)
{
	unsigned long hours = (jiffies - member->read_error_hour) / (3600 * HZ);
	int recent = atomic_read(&member->read_errors);

	if (hours) {
		member->read_error_hour = jiffies;
		recent = hours < 31 ? recent >> hours : 0;
	}
	atomic_set(&member->read_errors, ++recent);
	return recent > KRAID_MAX_READ_ERRORS;
}

/* ---- I/O of our own ---- */

/**
 * kraid_buffer() - memory for I/O of our own
 * @bytes: where it begins
 * @size: of it
 *
 * Context: process, sleeps.
 * Return: a vector over it, for kraid_buffer_free(); NULL without memory.
 */
struct kiobuf_vec *kraid_buffer(void **bytes, size_t size)
{
	struct kiobuf_vec *vec;

	*bytes = kvzalloc(size, GFP_KERNEL);
	vec = kiobuf_vec_alloc(DIV_ROUND_UP(size, PAGE_SIZE) + 1, GFP_KERNEL);
	if (*bytes && vec &&
	    !kiobuf_vec_add_buffer(vec, *bytes, size, GFP_KERNEL))
		return vec;
	kraid_buffer_free(vec, *bytes);
	*bytes = NULL;
	return NULL;
}

void kraid_buffer_free(struct kiobuf_vec *vec, void *bytes)
{
	if (vec)
		kiobuf_vec_put(vec);
	kvfree(bytes);
}
