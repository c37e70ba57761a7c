// SPDX-License-Identifier: GPL-2.0
/* Bringing an array up and down: legs, checks, the table of personalities. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "kraid.h"

static const struct kraid_personality *const kraid_personalities[] = {
	&kraid0_personality,
	&kraid1_personality,
};

const struct kraid_personality *kraid_personality_find(unsigned int level)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(kraid_personalities); i++)
		if (kraid_personalities[i]->level == level)
			return kraid_personalities[i];
	return NULL;
}

static void kraid_legs_free(struct kraid_leg *legs, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		kfree(legs[i].path);
	kvfree(legs);
}

void kraid_free_legs(struct kraid_array *array)
{
	kraid_legs_free(array->legs, array->nr_legs);
	array->legs = NULL;
	array->nr_legs = 0;
}

static u32 kraid_count_words(const char *text)
{
	u32 nr = 0;

	while (*(text = skip_spaces(text))) {
		text += strcspn(text, " \t\n");
		nr++;
	}
	return nr;
}

/* Cuts @text up; @nr legs fit. */
static int kraid_name_legs(struct kraid_leg *legs, u32 nr, char *text)
{
	char *word;
	u32 i = 0;

	while (i < nr && (word = strsep(&text, " \t\n"))) {
		if (!*word)
			continue;
		legs[i].path = kstrdup(word, GFP_KERNEL);
		if (!legs[i++].path)
			return -ENOMEM;
	}
	return 0;
}

/* Paths apart by white space, in order; @text is cut up on the way. */
int kraid_set_legs(struct kraid_array *array, char *text)
{
	u32 nr = kraid_count_words(text);
	struct kraid_leg *legs;
	int ret;

	if (!nr || nr > KRAID_MAX_LEGS)
		return kblk_refuse(&array->object, -EINVAL,
				   "legs takes 1 to %u paths.", KRAID_MAX_LEGS);
	legs = kvcalloc(nr, sizeof(*legs), GFP_KERNEL);
	if (!legs)
		return -ENOMEM;
	ret = kraid_name_legs(legs, nr, text);
	if (ret) {
		kraid_legs_free(legs, nr);
		return ret;
	}
	kraid_free_legs(array);
	array->legs = legs;
	array->nr_legs = nr;
	array->leg_bytes = 0;
	return 0;
}

static void kraid_close_legs(struct kraid_array *array)
{
	struct kraid_leg *leg;

	if (array->personality->stop)
		array->personality->stop(array);
	for (leg = array->legs; leg < array->legs + array->nr_legs; leg++) {
		kblk_lower_put(leg->lower);
		leg->lower = NULL;
		leg->dev = NULL;
	}
	array->nr_in_sync = 0;
}

static int kraid_open_leg(struct kraid_array *array, struct kraid_leg *leg)
{
	struct kblk_object *object = &array->object;
	u32 block;

	/* What it holds is old, and nothing else would remember that. */
	if (leg->state == KRAID_FAULTY)
		return 0;
	atomic_set(&leg->errors, 0);
	leg->state = KRAID_MISSING;
	if (!strcmp(leg->path, "missing"))
		return 0;
	leg->lower = kblk_object_lower(object, leg->path, true);
	if (IS_ERR(leg->lower)) {
		int ret = PTR_ERR(leg->lower);

		leg->lower = NULL;
		return ret;
	}
	if (kblk_lower_users(leg->lower) > 1)
		return kblk_refuse(object, -EEXIST,
				   "%s is named twice, or leads to the same device as another leg.",
				   leg->path);
	block = kblk_lower_block_size(leg->lower);
	if (array->chunk % block)
		return kblk_refuse(object, -EINVAL,
				   "The chunk of %u bytes is no multiple of the %u byte blocks of %s.",
				   array->chunk, block, leg->path);
	leg->dev = kblk_lower_dev(leg->lower);
	leg->state = KRAID_IN_SYNC;
	array->nr_in_sync++;
	return 0;
}

static int kraid_open_legs(struct kraid_array *array)
{
	const struct kraid_personality *p = array->personality;
	u32 i;
	int ret;

	for (i = 0; i < array->nr_legs; i++) {
		ret = kraid_open_leg(array, &array->legs[i]);
		if (ret)
			return ret;
	}
	if (array->nr_in_sync < (p->redundant ? 1 : array->nr_legs))
		return kblk_refuse(&array->object, -ENODEV,
				   "%s cannot do with %u of %u legs.", p->name,
				   array->nr_in_sync, array->nr_legs);
	return 0;
}

static int kraid_check(struct kraid_array *array)
{
	const struct kraid_personality *p = array->personality;

	if (!p)
		return kblk_refuse(&array->object, -EINVAL,
				   "The array has no level yet.");
	if (array->nr_legs < p->min_legs || array->nr_legs > p->max_legs)
		return kblk_refuse(&array->object, -EINVAL,
				   "%s takes %u to %u legs, not %u.", p->name,
				   p->min_legs, p->max_legs, array->nr_legs);
	return 0;
}

static int kraid_start(struct kraid_array *array)
{
	struct kblk_disk *kd = &array->object.kd;
	struct kblk_shape shape = { .partscan = true };
	int ret;

	ret = kraid_open_legs(array);
	if (ret)
		return ret;
	ret = array->personality->run(array, &shape);
	if (ret)
		return ret;
	if (!shape.size)
		return kblk_refuse(&array->object, -ENOSPC,
				   "The legs are too small.");
	kiobuf_dev_set_ops(&kd->dev, array->personality->ops);
	return kblk_disk_add(kd, &shape);
}

int kraid_enable(struct kblk_object *object)
{
	struct kraid_array *array = kraid_array_of(object);
	int ret;

	if (object->enabled)
		return 0;
	ret = kraid_check(array);
	if (ret)
		return ret;
	ret = kraid_start(array);
	if (ret)
		kraid_close_legs(array);
	return ret;
}

void kraid_disable(struct kblk_object *object)
{
	kraid_close_legs(kraid_array_of(object));
}
