// SPDX-License-Identifier: GPL-2.0
/* The kinds of filters there are. */
#include <linux/kmod.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "filter.h"

static LIST_HEAD(kfilter_kinds);
static DEFINE_MUTEX(kfilter_kinds_mutex);

static struct kfilter_kind *kfilter_find(const char *name)
{
	struct kfilter_kind *kind;

	list_for_each_entry(kind, &kfilter_kinds, list)
		if (!strcmp(kind->name, name))
			return kind;
	return NULL;
}

/**
 * kfilter_register() - add a kind of filter
 * @kind: the kind; stays until kfilter_unregister()
 *
 * A module that says MODULE_ALIAS("kfilter-NAME") is loaded when its kind is first
 * asked for. Context: process, sleeps.
 * Return: 0, or -EEXIST if there is one of that name.
 */
int kfilter_register(struct kfilter_kind *kind)
{
	int ret = 0;

	mutex_lock(&kfilter_kinds_mutex);
	if (kfilter_find(kind->name))
		ret = -EEXIST;
	else
		list_add_tail(&kind->list, &kfilter_kinds);
	mutex_unlock(&kfilter_kinds_mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(kfilter_register);

/**
 * kfilter_unregister() - take a kind of filter away
 * @kind: kind without filters: they pin its module
 *
 * Context: process, sleeps.
 */
void kfilter_unregister(struct kfilter_kind *kind)
{
	mutex_lock(&kfilter_kinds_mutex);
	list_del(&kind->list);
	mutex_unlock(&kfilter_kinds_mutex);
}
EXPORT_SYMBOL_GPL(kfilter_unregister);

/* Pinned, so that it can't go; NULL if there is none. */
static const struct kfilter_kind *kfilter_get_known(const char *name)
{
	struct kfilter_kind *kind;

	mutex_lock(&kfilter_kinds_mutex);
	kind = kfilter_find(name);
	if (kind && !try_module_get(kind->owner))
		kind = NULL;
	mutex_unlock(&kfilter_kinds_mutex);
	return kind;
}

static const struct kfilter_kind *kfilter_get(const char *name)
{
	const struct kfilter_kind *kind = kfilter_get_known(name);

	if (kind || request_module("kfilter-%s", name))
		return kind;
	return kfilter_get_known(name);
}

/* The filter is down. */
void kfilter_drop_kind(struct kfilter *filter)
{
	const struct kfilter_kind *kind = filter->kind;

	if (!kind)
		return;
	if (kind->exit)
		kind->exit(filter);
	kvfree(filter->data);
	filter->data = NULL;
	filter->kind = NULL;
	module_put(kind->owner);
}

/* As for @filter, but in memory of its own: what is there stays until this is well. */
static int kfilter_init_kind(struct kfilter *filter,
			     const struct kfilter_kind *kind)
{
	void *old = filter->data, *fresh;
	int ret;

	fresh = kvzalloc(max_t(size_t, kind->data_size, 1), GFP_KERNEL);
	if (!fresh)
		return -ENOMEM;
	mutex_lock(&filter->lock);
	filter->data = fresh;
	ret = kind->init ? kind->init(filter) : 0;
	filter->data = old;
	if (!ret) {
		kfilter_drop_kind(filter);
		filter->data = fresh;
		filter->kind = kind;
	}
	mutex_unlock(&filter->lock);
	if (ret)
		kvfree(fresh);
	return ret;
}

int kfilter_set_kind(struct kfilter *filter, const char *name)
{
	const struct kfilter_kind *kind = kfilter_get(name);
	int ret;

	if (!kind)
		return kblk_refuse(&filter->object, -EINVAL,
				   "There is no kind of filter '%.32s'.", name);
	ret = kfilter_init_kind(filter, kind);
	if (ret)
		module_put(kind->owner);
	else if (!kind->has_metadata)
		filter->create = false;
	return ret;
}
