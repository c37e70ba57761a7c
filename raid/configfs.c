// SPDX-License-Identifier: GPL-2.0
/* configfs: kiobuf/raid/NAME. No data path. */
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "kraid.h"
#include "parity_layout.h"
#include "superblock.h"

/* ---- what an array is to be ---- */

static ssize_t kraid_level_read(struct kblk_object *object, char *page)
{
	struct kraid_array *array = kraid_array_of(object);

	return array->personality ?
		sysfs_emit(page, "%u\n", array->personality->level) : 0;
}

static ssize_t kraid_level_write(struct kblk_object *object, const char *page,
				 size_t len)
{
	struct kraid_array *array = kraid_array_of(object);
	const struct kraid_personality *p;
	unsigned int level;
	int ret = kblk_want_down(object);

	if (ret)
		return ret;
	p = kstrtouint(page, 10, &level) ? NULL : kraid_personality_find(level);
	if (!p)
		return kblk_refuse(object, -EINVAL, "level takes 0, 1, 4, 5, 6 or 10.");
	if (p != array->personality)
		array->layout = p->layout;
	array->personality = p;
	return len;
}

static ssize_t kraid_legs_read(struct kblk_object *object, char *page)
{
	return kraid_show_legs(kraid_array_of(object), page);
}

static ssize_t kraid_legs_write(struct kblk_object *object, const char *page,
				size_t len)
{
	int ret = kblk_want_down(object) ?:
		  kraid_set_legs(kraid_array_of(object), page);

	return ret ?: len;
}

static ssize_t kraid_chunk_kib_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%u\n", kraid_array_of(object)->chunk >> 10);
}

#define KRAID_CHUNK_KIB_MAX (1U << 20)

static ssize_t kraid_chunk_kib_write(struct kblk_object *object,
				     const char *page, size_t len)
{
	struct kraid_array *array = kraid_array_of(object);
	int ret = kblk_want_down(object);
	unsigned int kib;

	if (ret)
		return ret;
	if (kstrtouint(page, 10, &kib) || !kib || kib % 4 ||
	    kib > KRAID_CHUNK_KIB_MAX)
		return kblk_refuse(object, -EINVAL,
				   "chunk_kib takes a multiple of 4 up to %u.",
				   KRAID_CHUNK_KIB_MAX);
	array->chunk = kib << 10;
	return len;
}

#define KRAID_LAYOUT_NAME 24

static ssize_t kraid_layout_read(struct kblk_object *object, char *page)
{
	struct kraid_array *array = kraid_array_of(object);
	char name[KRAID_LAYOUT_NAME];

	switch (array->personality ? array->personality->level : 1) {
	case 0:
		return sysfs_emit(page, "%s\n",
				  kraid0_layout_name(array->layout));
	case 5:
	case 6:
		return sysfs_emit(page, "%s\n",
				  kraid_parity_layout_name(array->personality->level,
							   array->layout));
	case 10:
		kraid10_layout_name(array->layout, name, sizeof(name));
		return sysfs_emit(page, "%s\n", name);
	}
	return 0;
}

static int kraid_parse_layout(struct kraid_array *array, const char *name)
{
	switch (array->personality->level) {
	case 0:
		if (!kraid0_layout_parse(name, &array->layout))
			return 0;
		return kblk_refuse(&array->object, -EINVAL,
				   "layout takes original or alternate at level 0.");
	case 5:
	case 6:
		if (!kraid_parity_layout_parse(array->personality->level, name,
					       &array->layout))
			return 0;
		return kblk_refuse(&array->object, -EINVAL,
				   "layout takes left-symmetric, right-asymmetric, parity-first and the like at level %u, by mdadm's names.",
				   array->personality->level);
	case 10:
		if (!kraid10_layout_parse(name, &array->layout))
			return 0;
		return kblk_refuse(&array->object, -EINVAL,
				   "layout takes n2, f2, o3 and the like at level 10: near, far or offset, and the number of copies.");
	}
	return kblk_refuse(&array->object, -EINVAL,
			   "layout takes nothing: %s has one only.",
			   array->personality->name);
}

static ssize_t kraid_layout_write(struct kblk_object *object, const char *page,
				  size_t len)
{
	struct kraid_array *array = kraid_array_of(object);
	int ret = kblk_want_down(object);
	char word[KRAID_LAYOUT_NAME];

	if (ret)
		return ret;
	if (!array->personality)
		return kblk_refuse(object, -EINVAL,
				   "The array has no level yet.");
	strscpy(word, page, sizeof(word));
	return kraid_parse_layout(array, strim(word)) ?: len;
}

static ssize_t kraid_metadata_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%s\n", kraid_array_of(object)->has_sb ?
			  "1.2" : "none");
}

static ssize_t kraid_metadata_write(struct kblk_object *object,
				    const char *page, size_t len)
{
	struct kraid_array *array = kraid_array_of(object);
	int ret = kblk_want_down(object);

	if (ret)
		return ret;
	if (!sysfs_streq(page, "none") && !sysfs_streq(page, "1.2"))
		return kblk_refuse(object, -EINVAL,
				   "metadata takes none or 1.2.");
	array->has_sb = sysfs_streq(page, "1.2");
	array->leg_bytes = 0;
	return len;
}

static ssize_t kraid_name_read(struct kblk_object *object, char *page)
{
	struct kraid_array *array = kraid_array_of(object);

	return array->name[0] ? sysfs_emit(page, "%s\n", array->name) : 0;
}

static ssize_t kraid_name_write(struct kblk_object *object, const char *page,
				size_t len)
{
	struct kraid_array *array = kraid_array_of(object);
	int ret = kblk_want_down(object);
	char name[sizeof(array->name) + 1];

	if (ret)
		return ret;
	if (strscpy(name, page, sizeof(name)) < 0 ||
	    strlen(strim(name)) >= sizeof(array->name))
		return kblk_refuse(object, -EINVAL,
				   "name takes at most %zu characters.",
				   sizeof(array->name) - 1);
	strscpy_pad(array->name, strim(name), sizeof(array->name));
	array->name_given = true;
	return len;
}

/* As mdadm prints it: four groups of eight digits. */
static ssize_t kraid_uuid_read(struct kblk_object *object, char *page)
{
	const u8 *u = kraid_array_of(object)->uuid;

	return sysfs_emit(page, "%*phN:%*phN:%*phN:%*phN\n", 4, u, 4, u + 4,
			  4, u + 8, 4, u + 12);
}

static int kraid_parse_uuid(const char *page, u8 *uuid)
{
	char digits[2 * KRAID_UUID + 1];
	size_t nr = 0;

	for (; *page && *page != '\n'; page++) {
		if (*page == ':' || *page == '-')
			continue;
		if (nr == 2 * KRAID_UUID)
			return -EINVAL;
		digits[nr++] = *page;
	}
	return nr == 2 * KRAID_UUID ? hex2bin(uuid, digits, KRAID_UUID) :
				      -EINVAL;
}

static ssize_t kraid_uuid_write(struct kblk_object *object, const char *page,
				size_t len)
{
	int ret = kblk_want_down(object);
	u8 uuid[KRAID_UUID];

	if (ret)
		return ret;
	if (kraid_parse_uuid(page, uuid))
		return kblk_refuse(object, -EINVAL,
				   "uuid takes 32 hexadecimal digits, with colons or dashes between them or not.");
	memcpy(kraid_array_of(object)->uuid, uuid, sizeof(uuid));
	kraid_array_of(object)->uuid_given = true;
	return len;
}

/* A flag that is 0 or 1, and can be changed while the array is down. */
#define KRAID_FLAG(_name)						\
static ssize_t kraid_##_name##_read(struct kblk_object *object,		\
				    char *page)				\
{									\
	return sysfs_emit(page, "%d\n", kraid_array_of(object)->_name);	\
}									\
static ssize_t kraid_##_name##_write(struct kblk_object *object,	\
				     const char *page, size_t len)	\
{									\
	return kraid_flag_write(object, page, #_name,			\
				&kraid_array_of(object)->_name) ?: len;	\
}

static int kraid_flag_write(struct kblk_object *object, const char *page,
			    const char *name, bool *flag)
{
	int ret = kblk_want_down(object);

	if (ret)
		return ret;
	if (kstrtobool(page, flag))
		return kblk_refuse(object, -EINVAL, "%s takes 0 or 1.", name);
	return 0;
}

KRAID_FLAG(create)
KRAID_FLAG(force)
KRAID_FLAG(assume_clean)

static ssize_t kraid_bitmap_read(struct kblk_object *object, char *page)
{
	struct kraid_array *array = kraid_array_of(object);
	bool has = object->enabled ? !!array->bitmap : array->wants_bitmap;

	return sysfs_emit(page, "%s\n", has ? "internal" : "none");
}

static ssize_t kraid_bitmap_write(struct kblk_object *object, const char *page,
				  size_t len)
{
	struct kraid_array *array = kraid_array_of(object);
	bool wants = sysfs_streq(page, "internal");
	int ret = 0;

	if (!wants && !sysfs_streq(page, "none"))
		return kblk_refuse(object, -EINVAL,
				   "bitmap takes none or internal.");
	if (object->enabled)
		ret = kraid_manage_bitmap(array, wants);
	else
		array->wants_bitmap = wants;
	return ret ?: len;
}

/* Of the bitmap that is made next. */
static ssize_t kraid_bitmap_chunk_kib_read(struct kblk_object *object,
					   char *page)
{
	return sysfs_emit(page, "%u\n",
			  kraid_array_of(object)->bitmap_chunk >> 10);
}

static ssize_t kraid_bitmap_chunk_kib_write(struct kblk_object *object,
					    const char *page, size_t len)
{
	unsigned int kib;

	if (kstrtouint(page, 10, &kib) ||
	    (kib && (kib < 4 || kib > KRAID_CHUNK_KIB_MAX ||
		     !is_power_of_2(kib))))
		return kblk_refuse(object, -EINVAL,
				   "bitmap_chunk_kib takes a power of two from 4 to %u, or 0.",
				   KRAID_CHUNK_KIB_MAX);
	kraid_array_of(object)->bitmap_chunk = kib << 10;
	return len;
}

/* ---- what it is like ---- */

static ssize_t kraid_degraded_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%u\n", object->enabled ?
			  kraid_degraded(kraid_array_of(object)) : 0);
}

static ssize_t kraid_events_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%llu\n", kraid_array_of(object)->meta.events);
}

static ssize_t kraid_emit_member(const struct kraid_member *member,
				 char *page, ssize_t len)
{
	return sysfs_emit_at(page, len, " %s %s %d\n", member->path,
			     kraid_state_names[member->state],
			     atomic_read(&member->errors));
}

static ssize_t kraid_emit_legs(const struct kraid_array *array, char *page)
{
	const char *absent = kraid_state_names[KRAID_MISSING];
	const struct kraid_member *member;
	ssize_t len = 0;
	u32 i;

	for (i = 0; i < array->nr_legs; i++) {
		member = array->legs[i].member;
		len += sysfs_emit_at(page, len, "%u", i);
		len += member ? kraid_emit_member(member, page, len) :
				sysfs_emit_at(page, len, " %s %s 0\n", absent,
					      absent);
	}
	return len;
}

/* Legs in order, then who fills none; a twin as the leg that it is to replace. */
static ssize_t kraid_leg_state_read(struct kblk_object *object, char *page)
{
	struct kraid_array *array = kraid_array_of(object);
	const struct kraid_member *member;
	ssize_t len;

	if (!object->enabled)
		return 0;
	mutex_lock(&array->meta.lock);
	len = kraid_emit_legs(array, page);
	list_for_each_entry(member, &array->members, list) {
		if (member->slot >= 0 && !member->twin)
			continue;
		len += member->twin ?
			sysfs_emit_at(page, len, "%d", member->slot) :
			sysfs_emit_at(page, len, "-");
		len += kraid_emit_member(member, page, len);
	}
	mutex_unlock(&array->meta.lock);
	return len;
}

static ssize_t kraid_array_state_read(struct kblk_object *object, char *page)
{
	struct kraid_array *array = kraid_array_of(object);
	const char *state = "active";

	if (!object->enabled)
		state = "down";
	else if (array->gate.stop & KRAID_STOP_BROKEN)
		state = "broken";
	else if (array->gate.stop & KRAID_STOP_CLEAN)
		state = "clean";
	return sysfs_emit(page, "%s\n", state);
}

/* ---- what is done to members ---- */

static ssize_t kraid_write_path(struct kblk_object *object, const char *page,
				size_t len,
				int (*act)(struct kraid_array *, char *))
{
	char *path = kstrndup(page, len, GFP_KERNEL);
	int ret;

	if (!path)
		return -ENOMEM;
	ret = act(kraid_array_of(object), strim(path));
	kfree(path);
	return ret ?: len;
}

#define KRAID_ACT(_name, _act)						\
static ssize_t kraid_##_name##_write(struct kblk_object *object,	\
				     const char *page, size_t len)	\
{									\
	return kraid_write_path(object, page, len, _act);		\
}

KRAID_ACT(fail, kraid_manage_fail)
KRAID_ACT(remove, kraid_manage_remove)
KRAID_ACT(add, kraid_manage_add)
KRAID_ACT(spare, kraid_manage_spare)
KRAID_ACT(replace, kraid_manage_replace)

/* ---- sync ---- */

static ssize_t kraid_sync_action_read(struct kblk_object *object, char *page)
{
	struct kraid_array *array = kraid_array_of(object);
	enum kraid_sync_action action = KRAID_IDLE;

	if (object->enabled && array->personality->redundant)
		action = kraid_sync_action(array);
	return sysfs_emit(page, "%s\n", kraid_action_names[action]);
}

static int kraid_want_redundant(struct kraid_array *array)
{
	if (!array->object.enabled)
		return kblk_refuse(&array->object, -ENODEV,
				   "The array is down.");
	if (!array->personality->redundant)
		return kblk_refuse(&array->object, -EOPNOTSUPP,
				   "%s has no copies.",
				   array->personality->name);
	return 0;
}

static ssize_t kraid_sync_action_write(struct kblk_object *object,
				       const char *page, size_t len)
{
	struct kraid_array *array = kraid_array_of(object);
	int action = sysfs_match_string(kraid_action_names, page);
	int ret;

	if (action < 0)
		return kblk_refuse(object, -EINVAL,
				   "sync_action takes idle, check, repair, resync or recover.");
	ret = kraid_want_redundant(array);
	if (ret)
		return ret;
	ret = kraid_sync_wish(array, action);
	if (ret)
		return kblk_refuse(object, ret,
				   "%s is under way: write idle to stop it.",
				   kraid_action_names[kraid_sync_action(array)]);
	return len;
}

static ssize_t kraid_sync_completed_read(struct kblk_object *object,
					 char *page)
{
	struct kraid_array *array = kraid_array_of(object);

	if (!object->enabled || READ_ONCE(array->sync.action) == KRAID_IDLE)
		return sysfs_emit(page, "none\n");
	return sysfs_emit(page, "%llu / %llu\n",
			  READ_ONCE(array->sync.pos) >> SECTOR_SHIFT,
			  READ_ONCE(array->sync.end) >> SECTOR_SHIFT);
}

static ssize_t kraid_mismatch_sectors_read(struct kblk_object *object,
					   char *page)
{
	return sysfs_emit(page, "%llu\n",
			  READ_ONCE(kraid_array_of(object)->sync.mismatches));
}

static ssize_t kraid_sync_speed_kib_max_read(struct kblk_object *object,
					     char *page)
{
	return sysfs_emit(page, "%u\n", kraid_array_of(object)->sync.kib_max);
}

static ssize_t kraid_sync_speed_kib_max_write(struct kblk_object *object,
					      const char *page, size_t len)
{
	struct kraid_array *array = kraid_array_of(object);
	u32 kib;

	if (kstrtou32(page, 10, &kib))
		return kblk_refuse(object, -EINVAL,
				   "sync_speed_kib_max takes KiB per second, 0 for no limit.");
	WRITE_ONCE(array->sync.kib_max, kib);
	return len;
}

KBLK_ATTR(kraid_, level);
KBLK_ATTR(kraid_, legs);
KBLK_ATTR(kraid_, chunk_kib);
KBLK_ATTR(kraid_, layout);
KBLK_ATTR(kraid_, metadata);
KBLK_ATTR(kraid_, name);
KBLK_ATTR(kraid_, uuid);
KBLK_ATTR(kraid_, create);
KBLK_ATTR(kraid_, force);
KBLK_ATTR(kraid_, assume_clean);
KBLK_ATTR(kraid_, bitmap);
KBLK_ATTR(kraid_, bitmap_chunk_kib);
KBLK_ATTR_RO(kraid_, degraded);
KBLK_ATTR_RO(kraid_, events);
KBLK_ATTR_RO(kraid_, leg_state);
KBLK_ATTR_RO(kraid_, array_state);
KBLK_ATTR_WO(kraid_, fail);
KBLK_ATTR_WO(kraid_, remove);
KBLK_ATTR_WO(kraid_, add);
KBLK_ATTR_WO(kraid_, spare);
KBLK_ATTR_WO(kraid_, replace);
KBLK_ATTR(kraid_, sync_action);
KBLK_ATTR_RO(kraid_, sync_completed);
KBLK_ATTR_RO(kraid_, mismatch_sectors);
KBLK_ATTR(kraid_, sync_speed_kib_max);

static struct configfs_attribute *kraid_attrs[] = {
	&kraid_attr_level,
	&kraid_attr_legs,
	&kraid_attr_chunk_kib,
	&kraid_attr_layout,
	&kraid_attr_metadata,
	&kraid_attr_name,
	&kraid_attr_uuid,
	&kraid_attr_create,
	&kraid_attr_force,
	&kraid_attr_assume_clean,
	&kraid_attr_bitmap,
	&kraid_attr_bitmap_chunk_kib,
	&kraid_attr_degraded,
	&kraid_attr_events,
	&kraid_attr_leg_state,
	&kraid_attr_array_state,
	&kraid_attr_fail,
	&kraid_attr_remove,
	&kraid_attr_add,
	&kraid_attr_spare,
	&kraid_attr_replace,
	&kraid_attr_sync_action,
	&kraid_attr_sync_completed,
	&kraid_attr_mismatch_sectors,
	&kraid_attr_sync_speed_kib_max,
	NULL
};

static int kraid_init(struct kblk_object *object)
{
	struct kraid_array *array = kraid_array_of(object);

	spin_lock_init(&array->lock);
	INIT_LIST_HEAD(&array->members);
	kraid_meta_init(array);
	init_waitqueue_head(&array->sync.wait);
	array->sync.kib_max = KRAID_SPEED_KIB_MAX;
	array->chunk = KRAID_CHUNK_KIB << 10;
	return 0;
}

static void kraid_release(struct kblk_object *object)
{
	kvfree(kraid_array_of(object)->legs_text);
}

static struct kblk_kind kraid_kind = {
	.name		= "raid",
	.owner		= THIS_MODULE,
	.attrs		= kraid_attrs,
	.ops		= NULL,
	.object_size	= sizeof(struct kraid_array),
	.init		= kraid_init,
	.enable		= kraid_enable,
	.disable	= kraid_disable,
	.release	= kraid_release,
};

int __init kraid_configfs_init(void)
{
	kraid_kind.ops = kraid0_personality.ops;
	return kblk_kind_register(&kraid_kind);
}

void kraid_configfs_exit(void)
{
	kblk_kind_unregister(&kraid_kind);
}
