// SPDX-License-Identifier: GPL-2.0
/* What is done to the members of a live array: fail, remove, add, replace, grow. */
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "bitmap.h"
#include "kraid.h"

static int manage_check_up(struct kraid_array *array)
{
	struct kblk_object *object = &array->object;

	if (!object->enabled)
		return kblk_refuse(object, -ENODEV, "The array is down.");
	if (!array->personality->redundant)
		return kblk_refuse(object, -EOPNOTSUPP,
				   "%s has no redundancy: its legs cannot come and go.",
				   array->personality->name);
	return 0;
}

static struct kraid_member *manage_find(struct kraid_array *array,
					const char *path)
{
	struct kraid_member *member;

	list_for_each_entry(member, &array->members, list)
		if (!strcmp(path, member->path))
			return member;
	kblk_refuse(&array->object, -ENOENT, "%s is no leg of this array.",
		    path);
	return NULL;
}

int kraid_manage_fail(struct kraid_array *array, char *path)
{
	struct kraid_member *member;
	int ret;

	if (array->object.enabled && !array->personality->redundant)
		return kblk_refuse(&array->object, -EBUSY,
				   "%s cannot do without %s.",
				   array->personality->name, path);
	ret = manage_check_up(array);
	if (ret)
		return ret;
	mutex_lock(&array->meta.lock);
	member = manage_find(array, path);
	if (!member)
		ret = -ENOENT;
	else if (!kraid_member_fail(member))
		ret = kblk_refuse(&array->object, -EBUSY,
				  "%s is the last good leg that has some of the data.",
				  path);
	else
		kraid_meta_write(array);
	mutex_unlock(&array->meta.lock);
	if (!ret)
		kraid_sync_kick(array);
	return ret;
}

/*
 * With nothing being synced, and superblocks held: members are looked at by nobody else
 * meanwhile. No memory is to be had by writing to this array. Devices are claimed before
 * and let go after, since that takes a lock that comes before this one.
 */
static int manage_begin(struct kraid_array *array)
{
	int ret = manage_check_up(array);

	if (ret)
		return ret;
	kraid_sync_halt(array);
	mutex_lock(&array->meta.lock);
	array->meta.noio = memalloc_noio_save();
	return 0;
}

static void manage_end(struct kraid_array *array)
{
	memalloc_noio_restore(array->meta.noio);
	mutex_unlock(&array->meta.lock);
	kraid_sync_release(array);
}

/* No request is in flight. */
static int manage_take_out(struct kraid_array *array,
			   struct kraid_member *member)
{
	if (member->state != KRAID_FAULTY && member->state != KRAID_SPARE)
		return kblk_refuse(&array->object, -EBUSY,
				   "%s is in use: fail it first.",
				   member->path);
	spin_lock_irq(&array->lock);
	kraid_unplace_member(member);
	spin_unlock_irq(&array->lock);
	list_del(&member->list);
	kraid_meta_write(array);
	array->legs_changed = true;
	return 0;
}

static int manage_remove(struct kraid_array *array, const char *path,
			 struct kraid_member **member)
{
	int ret = manage_begin(array);

	if (ret)
		return ret;
	*member = manage_find(array, path);
	ret = *member ? manage_take_out(array, *member) : -ENOENT;
	manage_end(array);
	return ret;
}

/* What is in flight may be on its way to the member, or find that it failed there. */
int kraid_manage_remove(struct kraid_array *array, char *path)
{
	struct kblk_disk *kd = &array->object.kd;
	struct kraid_member *member;
	int ret = manage_check_up(array);

	if (ret)
		return ret;
	ret = kblk_disk_quiesce(kd);
	if (ret)
		return kblk_refuse(&array->object, ret,
				   "Requests of this array that are under way do not end.");
	ret = manage_remove(array, path, &member);
	kblk_disk_resume(kd);
	if (ret)
		return ret;
	kraid_member_close(member);
	kblk_disk_changed(kd);
	return 0;
}

/* ---- add ---- */

/* Can it be a leg of this array as that is now? Says why not. */
int kraid_manage_fits(struct kraid_array *array, struct kraid_member *member)
{
	u32 have = kblk_lower_block_size(member->lower);
	u32 block = queue_logical_block_size(array->object.kd.disk->queue);

	if (member->data_bytes < array->leg_bytes)
		return kblk_refuse(&array->object, -ENOSPC,
				   "%s has room for %llu bytes of data, a leg has %llu.",
				   member->path, member->data_bytes,
				   array->leg_bytes);
	if (have > block)
		return kblk_refuse(&array->object, -EINVAL,
				   "%s has blocks of %u bytes, the array of %u.",
				   member->path, have, block);
	/* The disk would not tell those above to flush. */
	if (kblk_lower_is_volatile(member->lower) &&
	    !bdev_write_cache(array->object.kd.disk->part0))
		return kblk_refuse(&array->object, -EINVAL,
				   "%s has a volatile write cache, which the array, as it is up now, does not expect.",
				   member->path);
	return 0;
}

static int manage_let_in(struct kraid_array *array,
			 struct kraid_member *member, bool may_return)
{
	int ret = manage_begin(array);

	if (ret)
		return ret;
	ret = kraid_meta_admit(array, member, may_return);
	if (!ret) {
		list_add_tail(&member->list, &array->members);
		array->legs_changed = true;
		array->sync.frozen = false;
		kraid_meta_write(array);
	}
	manage_end(array);
	return ret;
}

static int manage_add(struct kraid_array *array, const char *path,
		      bool may_return)
{
	struct kraid_member *member;
	int ret = manage_check_up(array);

	if (ret)
		return ret;
	member = kraid_member_open(array, path);
	if (IS_ERR(member))
		return PTR_ERR(member);
	ret = manage_let_in(array, member, may_return);
	if (ret)
		kraid_member_close(member);
	else
		kblk_disk_changed(&array->object.kd);
	return ret;
}

/* A member that comes back takes its place, if it lacks only what the bitmap tells. */
int kraid_manage_add(struct kraid_array *array, char *path)
{
	return manage_add(array, path, true);
}

int kraid_manage_spare(struct kraid_array *array, char *path)
{
	return manage_add(array, path, false);
}

/* ---- replace ---- */

static int manage_place_twin(struct kraid_array *array,
			     struct kraid_member *member, int slot)
{
	int ret = array->bitmap ? kraid_bitmap_write_all(array, member) : 0;

	ret = ret ?: kraid_suspend(array);
	if (ret)
		return kblk_refuse(&array->object, ret,
				   "Writes that are under way do not end, or those to %s.",
				   member->path);
	spin_lock_irq(&array->lock);
	member->recovered = 0;
	kraid_place_member(member, slot, true, KRAID_REBUILDING);
	array->meta.wanted += array->has_sb;
	spin_unlock_irq(&array->lock);
	kraid_resume(array);
	kraid_meta_write(array);
	return 0;
}

static int manage_check_twin(struct kraid_array *array,
			     const struct kraid_member *old,
			     const struct kraid_member *by)
{
	struct kblk_object *object = &array->object;

	if (old->state != KRAID_IN_SYNC || old->twin)
		return kblk_refuse(object, -EINVAL,
				   "%s is not in sync: a spare takes its place by itself.",
				   old->path);
	if (array->legs[old->slot + array->nr_legs].member)
		return kblk_refuse(object, -EBUSY,
				   "%s is being replaced already.", old->path);
	if (by->state != KRAID_SPARE)
		return kblk_refuse(object, -EINVAL,
				   "%s is no spare: add it first.", by->path);
	return 0;
}

static int manage_replace(struct kraid_array *array, char *text)
{
	struct kraid_member *old, *by;

	old = manage_find(array, kblk_next_word(&text));
	by = old ? manage_find(array, kblk_next_word(&text)) : NULL;
	if (!by)
		return -ENOENT;
	return manage_check_twin(array, old, by) ?:
	       manage_place_twin(array, by, old->slot);
}

/* @text: two paths, of the member to be replaced and of a spare; cut up on the way */
int kraid_manage_replace(struct kraid_array *array, char *text)
{
	int ret = manage_begin(array);

	if (ret)
		return ret;
	ret = manage_replace(array, text);
	manage_end(array);
	return ret;
}

/* ---- grow ---- */

/* What members have room for now. */
static void manage_measure(struct kraid_array *array)
{
	struct kraid_member *member;

	list_for_each_entry(member, &array->members, list)
		if (member->lower && member->state != KRAID_FAULTY)
			member->data_bytes = max(member->data_bytes,
						 kraid_meta_room(array, member));
}

/* Nothing is in flight. Leaves all as it was unless there is more room. */
static int manage_reshape(struct kraid_array *array)
{
	struct kblk_disk *kd = &array->object.kd;
	u64 size = kd->dev.size, leg_bytes = array->leg_bytes;
	u64 synced = kraid_size(array);
	struct kblk_shape shape = { };
	int ret;

	array->leg_bytes = 0;
	ret = array->personality->run(array, &shape);
	if (!ret && shape.size > size)
		ret = kblk_disk_reshape(kd, &shape);
	if (!ret && kd->dev.size > size) {
		/* Without superblocks nobody could say how far it was. */
		if (array->sync.resynced == U64_MAX && array->has_sb)
			WRITE_ONCE(array->sync.resynced, synced);
		return 0;
	}
	array->leg_bytes = leg_bytes;
	array->personality->run(array, &shape);
	return ret;
}

/* Near and offset copies stay where they are when legs grow. */
static int manage_may_grow(struct kraid_array *array)
{
	if (array->geo.far > 1 && !array->geo.offset)
		return kblk_refuse(&array->object, -EOPNOTSUPP,
				   "An array of far copies cannot grow.");
	if (array->bitmap)
		return kblk_refuse(&array->object, -EBUSY,
				   "Write none to bitmap before the array grows.");
	return 0;
}

/* Takes the room that legs have got since the array came up. Its object is locked. */
int kraid_manage_grow(struct kraid_array *array)
{
	struct kblk_disk *kd = &array->object.kd;
	u64 size = kd->dev.size;
	int ret;

	if (!array->personality->redundant)
		return 0;
	ret = manage_may_grow(array) ?: kblk_disk_quiesce(kd);
	if (ret)
		return ret;
	ret = manage_begin(array);
	if (!ret) {
		manage_measure(array);
		ret = manage_reshape(array);
		kraid_meta_write(array);
		manage_end(array);
	}
	kblk_disk_resume(kd);
	if (kd->dev.size > size)
		kblk_disk_changed(kd);
	return ret;
}

/* ---- bitmap ---- */

/* Under meta.lock. @old: what is to be freed when that is not held any more */
static int manage_swap_bitmap(struct kraid_array *array, bool wants,
			      struct kraid_bitmap **old)
{
	int ret = kraid_suspend(array);

	if (ret)
		return kblk_refuse(&array->object, ret,
				   "Writes that are under way do not end.");
	if (wants)
		ret = kraid_bitmap_create(array);
	else
		*old = kraid_bitmap_detach(array);
	/* No write goes on before superblocks tell of it. */
	ret = ret ?: kraid_meta_write(array);
	kraid_resume(array);
	return ret;
}

/* Gives a live array a bitmap, or takes it away. Its object is locked. */
int kraid_manage_bitmap(struct kraid_array *array, bool wants)
{
	struct kraid_bitmap *old = NULL;
	int ret;

	if (!array->has_sb && wants)
		return kblk_refuse(&array->object, -EINVAL,
				   "An array without superblocks has no room for a bitmap.");
	if (wants == !!array->bitmap)
		return 0;
	ret = manage_begin(array);
	if (ret)
		return ret;
	ret = manage_swap_bitmap(array, wants, &old);
	manage_end(array);
	kraid_bitmap_free(old);
	return ret;
}
