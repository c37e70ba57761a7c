// SPDX-License-Identifier: GPL-2.0
/* configfs: kiobuf/raid/NAME. No data path. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "kraid.h"

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
		return kblk_refuse(object, -EINVAL, "level takes 0 or 1.");
	array->personality = p;
	return len;
}

static ssize_t kraid_legs_read(struct kblk_object *object, char *page)
{
	struct kraid_array *array = kraid_array_of(object);
	ssize_t len = 0;
	u32 i;

	for (i = 0; i < array->nr_legs; i++)
		len += sysfs_emit_at(page, len, "%s\n", array->legs[i].path);
	return len;
}

static ssize_t kraid_legs_write(struct kblk_object *object, const char *page,
				size_t len)
{
	struct kraid_array *array = kraid_array_of(object);
	int ret = kblk_want_down(object);
	char *text;

	if (ret)
		return ret;
	text = kmemdup_nul(page, len, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	ret = kraid_set_legs(array, text);
	kfree(text);
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

static ssize_t kraid_layout_read(struct kblk_object *object, char *page)
{
	struct kraid_array *array = kraid_array_of(object);

	return sysfs_emit(page, "%s\n", kraid0_layout_name(array->layout));
}

static ssize_t kraid_layout_write(struct kblk_object *object, const char *page,
				  size_t len)
{
	struct kraid_array *array = kraid_array_of(object);
	int ret = kblk_want_down(object);

	if (ret)
		return ret;
	if (kraid0_layout_parse(page, &array->layout))
		return kblk_refuse(object, -EINVAL,
				   "layout takes original or alternate.");
	return len;
}

static ssize_t kraid_metadata_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "none\n");
}

static ssize_t kraid_metadata_write(struct kblk_object *object,
				    const char *page, size_t len)
{
	int ret = kblk_want_down(object);

	if (ret)
		return ret;
	if (!sysfs_streq(page, "none"))
		return kblk_refuse(object, -EINVAL, "metadata takes none.");
	return len;
}

static ssize_t kraid_degraded_read(struct kblk_object *object, char *page)
{
	struct kraid_array *array = kraid_array_of(object);

	return sysfs_emit(page, "%u\n", object->enabled ?
			  array->nr_legs - READ_ONCE(array->nr_in_sync) : 0);
}

static ssize_t kraid_leg_state_read(struct kblk_object *object, char *page)
{
	struct kraid_array *array = kraid_array_of(object);
	ssize_t len = 0;
	u32 i;

	if (!object->enabled)
		return 0;
	for (i = 0; i < array->nr_legs; i++) {
		const struct kraid_leg *leg = &array->legs[i];

		len += sysfs_emit_at(page, len, "%u %s %s %d\n", i, leg->path,
				     kraid_leg_state_names[leg->state],
				     atomic_read(&leg->errors));
	}
	return len;
}

static struct kraid_leg *kraid_find_leg(struct kraid_array *array,
					const char *path)
{
	u32 i;

	for (i = 0; i < array->nr_legs; i++)
		if (sysfs_streq(path, array->legs[i].path) &&
		    array->legs[i].lower)
			return &array->legs[i];
	return NULL;
}

static ssize_t kraid_fail_write(struct kblk_object *object, const char *page,
				size_t len)
{
	struct kraid_array *array = kraid_array_of(object);
	struct kraid_leg *leg;

	if (!object->enabled)
		return kblk_refuse(object, -ENODEV, "The array is down.");
	leg = kraid_find_leg(array, page);
	if (!leg)
		return kblk_refuse(object, -ENOENT,
				   "%.*s is no leg of this array.",
				   (int)strcspn(page, "\n"), page);
	if (!array->personality->redundant)
		return kblk_refuse(object, -EBUSY, "%s cannot do without %s.",
				   array->personality->name, leg->path);
	if (!kraid_leg_fail(array, leg))
		return kblk_refuse(object, -EBUSY,
				   "%s is the last good leg.", leg->path);
	return len;
}

KBLK_ATTR(kraid_, level);
KBLK_ATTR(kraid_, legs);
KBLK_ATTR(kraid_, chunk_kib);
KBLK_ATTR(kraid_, layout);
KBLK_ATTR(kraid_, metadata);
KBLK_ATTR_RO(kraid_, degraded);
KBLK_ATTR_RO(kraid_, leg_state);
KBLK_ATTR_WO(kraid_, fail);

static struct configfs_attribute *kraid_attrs[] = {
	&kraid_attr_level,
	&kraid_attr_legs,
	&kraid_attr_chunk_kib,
	&kraid_attr_layout,
	&kraid_attr_metadata,
	&kraid_attr_degraded,
	&kraid_attr_leg_state,
	&kraid_attr_fail,
	NULL
};

static int kraid_init(struct kblk_object *object)
{
	struct kraid_array *array = kraid_array_of(object);

	spin_lock_init(&array->lock);
	array->chunk = KRAID_CHUNK_KIB << 10;
	array->layout = RAID0_ALTERNATE;
	return 0;
}

static void kraid_release(struct kblk_object *object)
{
	kraid_free_legs(kraid_array_of(object));
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
