// SPDX-License-Identifier: GPL-2.0
/* configfs: kiobuf/filter/NAME. No data path. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "filter.h"

static ssize_t kfilter_lower_read(struct kblk_object *object, char *page)
{
	struct kfilter *filter = kfilter_of_object(object);

	return filter->path ? sysfs_emit(page, "%s\n", filter->path) : 0;
}

static ssize_t kfilter_lower_write(struct kblk_object *object,
				   const char *page, size_t len)
{
	return kblk_set_path(object, page, "lower",
			     &kfilter_of_object(object)->path) ?: len;
}

static ssize_t kfilter_kind_read(struct kblk_object *object, char *page)
{
	struct kfilter *filter = kfilter_of_object(object);

	return filter->kind ? sysfs_emit(page, "%s\n", filter->kind->name) : 0;
}

static ssize_t kfilter_kind_write(struct kblk_object *object, const char *page,
				  size_t len)
{
	int ret = kblk_want_down(object);
	char name[64];

	if (ret)
		return ret;
	if (strscpy(name, page, sizeof(name)) < 0)
		return kblk_refuse(object, -EINVAL,
				   "There is no kind of filter of so long a name.");
	return kfilter_set_kind(kfilter_of_object(object), strim(name)) ?: len;
}

static int kfilter_lacks(struct kfilter *filter, const char *what)
{
	if (!filter->kind)
		return kblk_refuse(&filter->object, -EINVAL,
				   "The filter has no kind yet.");
	return kblk_refuse(&filter->object, -EOPNOTSUPP, "%s takes no %s.",
			   filter->kind->name, what);
}

static ssize_t kfilter_rules_read(struct kblk_object *object, char *page)
{
	struct kfilter *filter = kfilter_of_object(object);

	return filter->kind && filter->kind->show_rules ?
		filter->kind->show_rules(filter, page) : 0;
}

static ssize_t kfilter_rules_write(struct kblk_object *object,
				   const char *page, size_t len)
{
	struct kfilter *filter = kfilter_of_object(object);
	char *text;
	int ret;

	if (!filter->kind || !filter->kind->set_rules)
		return kfilter_lacks(filter, "rules");
	len = kblk_whole_lines(page, len);
	if (!len)
		return kblk_refuse(object, -EINVAL, "A line is too long.");
	text = kmemdup_nul(page, len, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	ret = filter->kind->set_rules(filter, text);
	kfree(text);
	return ret ?: len;
}

static ssize_t kfilter_state_read(struct kblk_object *object, char *page)
{
	struct kfilter *filter = kfilter_of_object(object);

	return filter->kind && filter->kind->show_state ?
		filter->kind->show_state(filter, page) : 0;
}

static ssize_t kfilter_create_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%d\n", kfilter_of_object(object)->create);
}

static ssize_t kfilter_create_write(struct kblk_object *object,
				    const char *page, size_t len)
{
	struct kfilter *filter = kfilter_of_object(object);
	int ret = kblk_want_down(object);
	bool on;

	if (ret)
		return ret;
	if (kstrtobool(page, &on))
		return kblk_refuse(object, -EINVAL, "create takes 0 or 1.");
	if (on && (!filter->kind || !filter->kind->has_metadata))
		return kfilter_lacks(filter, "create");
	filter->create = on;
	return len;
}

/* True if there was something to release from. */
static bool kfilter_let_go(struct kfilter *filter)
{
	bool can;

	mutex_lock(&filter->lock);
	can = filter->kind && filter->kind->release;
	if (can)
		filter->kind->release(filter);
	mutex_unlock(&filter->lock);
	return can;
}

static ssize_t kfilter_release_refuse(struct kblk_object *object,
				      const char *page, size_t len)
{
	if (!sysfs_streq(page, "all"))
		return kblk_refuse(object, -EINVAL, "release takes all.");
	return kfilter_lacks(kfilter_of_object(object), "release");
}

/* Who brings the device down, with the object's lock, may wait for what this lets go. */
static ssize_t kfilter_release_store(struct config_item *item,
				     const char *page, size_t len)
{
	struct kblk_object *object = kblk_object_of(item);

	if (sysfs_streq(page, "all") &&
	    kfilter_let_go(kfilter_of_object(object)))
		return len;
	return kblk_attr_store(item, page, len, kfilter_release_refuse);
}

KBLK_ATTR(kfilter_, lower);
KBLK_ATTR(kfilter_, kind);
KBLK_ATTR(kfilter_, rules);
KBLK_ATTR(kfilter_, create);
KBLK_ATTR_RO(kfilter_, state);
CONFIGFS_ATTR_WO(kfilter_, release);

static struct configfs_attribute *kfilter_attrs[] = {
	&kfilter_attr_lower,
	&kfilter_attr_kind,
	&kfilter_attr_rules,
	&kfilter_attr_create,
	&kfilter_attr_state,
	&kfilter_attr_release,
	NULL
};

static int kfilter_init(struct kblk_object *object)
{
	mutex_init(&kfilter_of_object(object)->lock);
	return 0;
}

static void kfilter_release(struct kblk_object *object)
{
	struct kfilter *filter = kfilter_of_object(object);

	kfilter_drop_kind(filter);
	kfree(filter->path);
}

static struct kblk_kind kfilter_object_kind = {
	.name		= "filter",
	.owner		= THIS_MODULE,
	.attrs		= kfilter_attrs,
	.ops		= &kfilter_ops,
	.object_size	= sizeof(struct kfilter),
	.init		= kfilter_init,
	.enable		= kfilter_enable,
	.disable	= kfilter_disable,
	.release	= kfilter_release,
};

int __init kfilter_configfs_init(void)
{
	return kblk_kind_register(&kfilter_object_kind);
}

void kfilter_configfs_exit(void)
{
	kblk_kind_unregister(&kfilter_object_kind);
}
