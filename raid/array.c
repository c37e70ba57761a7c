// SPDX-License-Identifier: GPL-2.0
/* Bringing an array up and down: members, checks, the table of personalities. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "bitmap.h"
#include "kraid.h"

static const struct kraid_personality *const kraid_personalities[] = {
	&kraid0_personality,
	&kraid1_personality,
	&kraid4_personality,
	&kraid5_personality,
	&kraid6_personality,
	&kraid10_personality,
};

const struct kraid_personality *kraid_personality_find(unsigned int level)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kraid_personalities); i++)
		if (kraid_personalities[i]->level == level)
			return kraid_personalities[i];
	return NULL;
}

/* A full stripe, where that is a size that a queue can tell. */
unsigned int kraid_io_opt(u32 chunk, u32 legs)
{
	u64 bytes = (u64)chunk * legs;

	return bytes <= U32_MAX ? bytes : 0;
}

/* ---- members ---- */

static struct kraid_member *kraid_member_new(struct kraid_array *array,
					     const char *path)
{
	struct kraid_member *member = kzalloc(sizeof(*member), GFP_KERNEL);

	if (!member)
		return NULL;
	member->array = array;
	member->slot = -1;
	member->state = KRAID_SPARE;
	member->read_error_hour = jiffies;
	member->path = kstrdup(path, GFP_KERNEL);
	if (member->path)
		return member;
	kfree(member);
	return NULL;
}

static int kraid_member_claim(struct kraid_member *member)
{
	struct kraid_array *array = member->array;
	struct kblk_object *object = &array->object;
	struct kblk_lower *lower = kblk_object_lower(object, member->path, true);

	if (IS_ERR(lower))
		return PTR_ERR(lower);
	member->lower = lower;
	if (kblk_lower_users(lower) > 1)
		return kblk_refuse(object, -EEXIST,
				   "%s is named twice, or leads to the same device as another leg.",
				   member->path);
	member->dev = kblk_lower_dev(lower);
	member->data_bytes = kblk_lower_size(lower);
	return 0;
}

/**
 * kraid_member_open() - claim a device, to be a member of an array
 * @array: the array, its object locked
 * @path: of the device
 *
 * Context: process, sleeps; says why not with kblk_refuse().
 * Return: the member, which is in no list yet, or an ERR_PTR.
 */
struct kraid_member *kraid_member_open(struct kraid_array *array,
				       const char *path)
{
	struct kraid_member *member = kraid_member_new(array, path);
	int ret;

	if (!member)
		return ERR_PTR(-ENOMEM);
	ret = kraid_member_claim(member);
	if (!ret)
		return member;
	kraid_member_close(member);
	return ERR_PTR(ret);
}

/* It is in no list, and fills no leg. */
void kraid_member_close(struct kraid_member *member)
{
	kblk_lower_put(member->lower);
	kfree(member->path);
	kfree(member);
}

/* The largest logical block of all members, in bytes */
u32 kraid_block_size(const struct kraid_array *array)
{
	const struct kraid_member *member;
	u32 block = SECTOR_SIZE;

	list_for_each_entry(member, &array->members, list)
		if (member->lower)
			block = max(block, kblk_lower_block_size(member->lower));
	return block;
}

/* Whole blocks of all legs must fit chunks. */
int kraid_check_block(struct kraid_array *array, struct kraid_member *member)
{
	u32 block = kblk_lower_block_size(member->lower);

	if (!array->personality->chunked || array->chunk % block == 0)
		return 0;
	return kblk_refuse(&array->object, -EINVAL,
			   "The chunk of %u bytes is no multiple of the %u byte blocks of %s.",
			   array->chunk, block, member->path);
}

static void kraid_close_members(struct kraid_array *array)
{
	struct kraid_member *member, *next;

	list_for_each_entry_safe(member, next, &array->members, list) {
		list_del(&member->list);
		kraid_member_close(member);
	}
}

/* Without superblocks nobody else would remember that a leg is old. */
static void kraid_keep_stale(struct kraid_array *array)
{
	const struct kraid_member *member;

	if (array->has_sb || !array->legs)
		return;
	list_for_each_entry(member, &array->members, list)
		if (member->slot >= 0 && member->state == KRAID_FAULTY)
			set_bit(member->slot, array->stale);
}

/* What superblocks said may be otherwise when the array comes up again. */
static void kraid_forget_read(struct kraid_array *array)
{
	if (!array->has_sb)
		return;
	array->leg_bytes = 0;
	if (!array->uuid_given)
		memset(array->uuid, 0, sizeof(array->uuid));
	if (!array->name_given)
		memset(array->name, 0, sizeof(array->name));
}

/*
 * Members have come and gone: those that are left are the legs from now on. With
 * superblocks those that failed too, since they say that of themselves.
 */
static const char *kraid_leg_path(const struct kraid_array *array, u32 leg)
{
	const struct kraid_member *member = array->legs[leg].member;

	return member ? member->path : "missing";
}

static size_t kraid_put_path(char *to, const char *path)
{
	return strlen(strcpy(to, path)) + 1;
}

static void kraid_rename_legs(struct kraid_array *array)
{
	const struct kraid_member *member;
	size_t size = 0, at = 0;
	u32 i, nr = 0;
	char *text;

	list_for_each_entry(member, &array->members, list)
		size += strlen(member->path) + 1;
	text = kvzalloc(size + array->nr_legs * sizeof("missing") + 1,
			GFP_KERNEL | __GFP_NOFAIL);
	for (i = 0; i < array->nr_legs; i++, nr++)
		at += kraid_put_path(text + at, kraid_leg_path(array, i));
	list_for_each_entry(member, &array->members, list) {
		if (!array->has_sb || (member->slot >= 0 && !member->twin))
			continue;
		at += kraid_put_path(text + at, member->path);
		nr++;
	}
	kvfree(array->legs_text);
	array->legs_text = text;
	array->nr_words = nr;
	array->legs_changed = false;
	bitmap_zero(array->stale, KRAID_MAX_LEGS);
}

static const char *kraid_next_path(const char *path)
{
	return path + strlen(path) + 1;
}

static int kraid_open_word(struct kraid_array *array, const char *path, u32 nr)
{
	struct kraid_member *member;

	if (!strcmp(path, "missing"))
		return 0;
	if (!array->has_sb && test_bit(nr, array->stale)) {
		member = kraid_member_new(array, path);
		if (!member)
			return -ENOMEM;
		member->state = KRAID_FAULTY;
	} else {
		member = kraid_member_open(array, path);
		if (IS_ERR(member))
			return PTR_ERR(member);
	}
	member->number = nr;
	list_add_tail(&member->list, &array->members);
	return 0;
}

static int kraid_open_words(struct kraid_array *array)
{
	const char *path = array->legs_text;
	u32 i;
	int ret;

	for (i = 0; i < array->nr_words; i++) {
		ret = kraid_open_word(array, path, i);
		if (ret)
			return ret;
		path = kraid_next_path(path);
	}
	return 0;
}

/* ---- up ---- */

/* By superblocks, which say what it is */
static bool kraid_is_assembled(const struct kraid_array *array)
{
	return array->has_sb && !array->create;
}

static int kraid_check(struct kraid_array *array)
{
	const struct kraid_personality *p = array->personality;

	if (!p)
		return kblk_refuse(&array->object, -EINVAL,
				   "The array has no level yet.");
	if (array->nr_words < p->min_legs || array->nr_words > p->max_legs)
		return kblk_refuse(&array->object, -EINVAL,
				   "%s takes %u to %u legs, not %u.", p->name,
				   p->min_legs, p->max_legs, array->nr_words);
	return 0;
}

/* Legs, and as many places for twins. */
int kraid_alloc_legs(struct kraid_array *array)
{
	u32 nr = array->nr_legs;

	array->nr_in_sync = 0;
	array->nr_twins = 0;
	array->legs = kvcalloc(array->personality->redundant ? 2 * nr : nr,
			       sizeof(*array->legs), GFP_KERNEL);
	return array->legs ? 0 : -ENOMEM;
}

/* Legs are as they were named. */
static int kraid_place_by_name(struct kraid_array *array)
{
	struct kraid_member *member;
	int ret;

	array->nr_legs = array->nr_words;
	ret = kraid_alloc_legs(array);
	if (ret)
		return ret;
	list_for_each_entry(member, &array->members, list) {
		ret = member->lower ? kraid_check_block(array, member) : 0;
		if (ret)
			return ret;
		kraid_place_member(member, member->number, false,
				   member->lower ? KRAID_IN_SYNC :
						   KRAID_FAULTY);
	}
	return 0;
}

static int kraid_place(struct kraid_array *array)
{
	int ret;

	array->sync.resynced = U64_MAX;
	if (kraid_is_assembled(array))
		return kraid_meta_assemble(array);
	ret = kraid_place_by_name(array);
	return ret ?: array->has_sb ? kraid_meta_create(array) : 0;
}

/* Where nobody has what is newer, a leg that is out of date is taken as it is. */
static void kraid_take_forced(struct kraid_array *array)
{
	struct kraid_member *member;

	list_for_each_entry(member, &array->members, list) {
		if (!member->forced || kraid_enough(array, -1))
			continue;
		member->recovered = array->leg_bytes;
		kraid_set_state(member, KRAID_IN_SYNC);
		array->sync.resynced = 0;
	}
}

/* What a missing leg had is worked out by parity, which may be wrong then. */
static int kraid_check_dirty(struct kraid_array *array)
{
	if (!array->parity || !kraid_is_assembled(array) || array->force ||
	    !kraid_degraded(array) || array->sync.resynced == U64_MAX)
		return 0;
	return kblk_refuse(&array->object, -EUCLEAN,
			   "The array is degraded, and was not shut down cleanly or resynced: what is missing may not be what it was. Write 1 to force to bring it up all the same.");
}

/* The geometry that this looks at is known by now. */
static int kraid_check_legs(struct kraid_array *array)
{
	if (!array->personality->redundant)
		return 0;
	kraid_take_forced(array);
	if (kraid_enough(array, -1))
		return kraid_check_dirty(array);
	return kblk_refuse(&array->object, -ENODEV,
			   "%s cannot do with %u of %u legs.",
			   array->personality->name, array->nr_in_sync,
			   array->nr_legs);
}

static int kraid_run(struct kraid_array *array, struct kblk_shape *shape)
{
	struct kraid_member *member;
	int ret;

	list_for_each_entry(member, &array->members, list)
		if (member->lower)
			kblk_lower_set_start(member->lower, member->data_start);
	ret = array->personality->run(array, shape);
	if (ret)
		return ret;
	if (!shape->size)
		return kblk_refuse(&array->object, -ENOSPC,
				   "The legs are too small.");
	return kraid_check_legs(array);
}

static int kraid_register_rows(struct kraid_array *array)
{
	char name[KIOBUF_DEV_NAME_MAX];
	int ret;

	snprintf(name, sizeof(name), "%.*s:rows", KBLK_NAME_MAX,
		 kraid_name(array));
	array->rows.room = array->object.kd.dev.room;
	ret = kiobuf_dev_register(&array->rows, name,
				  array->personality->row_ops);
	if (!ret)
		array->has_rows = true;
	return ret;
}

static int kraid_start_redundant(struct kraid_array *array)
{
	return kraid_gate_init(array) ?: kraid_repair_init(array) ?:
	       kraid_register_rows(array);
}

static int kraid_start(struct kraid_array *array)
{
	struct kblk_disk *kd = &array->object.kd;
	struct kblk_shape shape = { .partscan = true };
	bool redundant;
	int ret;

	array->wq = alloc_workqueue("kraid_%s", WQ_MEM_RECLAIM | WQ_UNBOUND, 0,
				    kraid_name(array));
	if (!array->wq)
		return -ENOMEM;
	ret = kraid_open_words(array) ?: kraid_place(array) ?:
	      kraid_run(array, &shape);
	if (ret)
		return ret;
	redundant = array->personality->redundant;
	ret = redundant ? kraid_start_redundant(array) : 0;
	ret = ret ?: kraid_meta_start(array);
	if (ret)
		return ret;
	kiobuf_dev_set_ops(&kd->dev, array->personality->ops);
	ret = redundant ? kraid_sync_init(array) : 0;
	ret = ret ?: kblk_disk_add(kd, &shape);
	if (!ret && redundant)
		kraid_sync_kick(array);
	return ret;
}

/* Undoes kraid_start(), however far that came. The disk is gone. */
static void kraid_stop(struct kraid_array *array)
{
	struct kraid_member *member;
	struct kraid_bitmap *bitmap;

	kraid_sync_exit(array);
	kraid_bitmap_quiet(array);
	kraid_meta_stop(array);
	mutex_lock(&array->meta.lock);
	bitmap = kraid_bitmap_detach(array);
	mutex_unlock(&array->meta.lock);
	kraid_bitmap_free(bitmap);
	kraid_repair_exit(array);
	if (array->has_rows)
		kiobuf_dev_unregister(&array->rows);
	array->has_rows = false;
	kraid_gate_exit(array);
	if (array->wq)
		destroy_workqueue(array->wq);
	array->wq = NULL;
	if (array->personality && array->personality->stop)
		array->personality->stop(array);
	if (array->legs_changed)
		kraid_rename_legs(array);
	kraid_keep_stale(array);
	list_for_each_entry(member, &array->members, list)
		if (array->legs)
			kraid_unplace_member(member);
	kraid_close_members(array);
	kraid_forget_read(array);
	kvfree(array->legs);
	array->legs = NULL;
	array->nr_legs = 0;
}

/* What a start may learn from superblocks, or make up */
struct kraid_said {
	const struct kraid_personality	*personality;
	u32				layout;
	u32				chunk;
	u64				leg_bytes;
	char				name[sizeof_field(struct kraid_array, name)];
	u8				uuid[sizeof_field(struct kraid_array, uuid)];
};

static void kraid_keep_said(const struct kraid_array *array,
			    struct kraid_said *said)
{
	said->personality = array->personality;
	said->layout = array->layout;
	said->chunk = array->chunk;
	said->leg_bytes = array->leg_bytes;
	memcpy(said->name, array->name, sizeof(said->name));
	memcpy(said->uuid, array->uuid, sizeof(said->uuid));
}

static void kraid_restore_said(struct kraid_array *array,
			       const struct kraid_said *said)
{
	array->personality = said->personality;
	array->layout = said->layout;
	array->chunk = said->chunk;
	array->leg_bytes = said->leg_bytes;
	memcpy(array->name, said->name, sizeof(array->name));
	memcpy(array->uuid, said->uuid, sizeof(array->uuid));
}

int kraid_enable(struct kblk_object *object)
{
	struct kraid_array *array = kraid_array_of(object);
	struct kraid_said said;
	int ret;

	if (object->enabled)
		return kraid_manage_grow(array);
	kraid_keep_said(array, &said);
	ret = kraid_is_assembled(array) ? 0 : kraid_check(array);
	ret = ret ?: kraid_start(array);
	if (ret) {
		kraid_stop(array);
		kraid_restore_said(array, &said);
	} else {
		array->create = false;
	}
	return ret;
}

void kraid_disable(struct kblk_object *object)
{
	kraid_stop(kraid_array_of(object));
}

/* ---- the names of legs ---- */

static u32 kraid_count_words(const char *text)
{
	u32 nr = 0;

	while (*(text = skip_spaces(text))) {
		text += strcspn(text, " \t\n");
		nr++;
	}
	return nr;
}

/* Paths apart by white space, in order. */
int kraid_set_legs(struct kraid_array *array, const char *text)
{
	u32 nr = kraid_count_words(text);
	char *words, *to;
	size_t len;

	if (!nr || nr > KRAID_MAX_LEGS)
		return kblk_refuse(&array->object, -EINVAL,
				   "legs takes 1 to %u paths.", KRAID_MAX_LEGS);
	words = kvzalloc(strlen(text) + 2, GFP_KERNEL);
	if (!words)
		return -ENOMEM;
	for (to = words; *(text = skip_spaces(text)); text += len) {
		len = strcspn(text, " \t\n");
		memcpy(to, text, len);
		to += len + 1;
	}
	kvfree(array->legs_text);
	array->legs_text = words;
	array->nr_words = nr;
	array->leg_bytes = 0;
	array->legs_changed = false;
	bitmap_zero(array->stale, KRAID_MAX_LEGS);
	return 0;
}

ssize_t kraid_show_legs(const struct kraid_array *array, char *page)
{
	const char *path = array->legs_text;
	ssize_t len = 0;
	u32 i;

	for (i = 0; i < array->nr_words; i++) {
		len += sysfs_emit_at(page, len, "%s\n", path);
		path = kraid_next_path(path);
	}
	return len;
}
