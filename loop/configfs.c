// SPDX-License-Identifier: GPL-2.0
/* configfs: kiobuf/loop/NAME. No data path. */
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "kloop.h"

static ssize_t kloop_file_read(struct kblk_object *object, char *page)
{
	struct kloop_dev *loop = kloop_of_object(object);

	return loop->path ? sysfs_emit(page, "%s\n", loop->path) : 0;
}

static ssize_t kloop_file_write(struct kblk_object *object, const char *page,
				size_t len)
{
	return kblk_set_path(object, page, "file",
			     &kloop_of_object(object)->path) ?: len;
}

static int kloop_parse_bytes(struct kblk_object *object, const char *page,
			     const char *name, u64 *bytes)
{
	int ret = kblk_want_down(object);
	u64 value;

	if (ret)
		return ret;
	if (kstrtou64(page, 10, &value) || value > S64_MAX ||
	    value % SECTOR_SIZE)
		return kblk_refuse(object, -EINVAL,
				   "%s takes a multiple of 512 bytes.", name);
	*bytes = value;
	return 0;
}

static ssize_t kloop_offset_bytes_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%llu\n", kloop_of_object(object)->offset);
}

static ssize_t kloop_offset_bytes_write(struct kblk_object *object,
					const char *page, size_t len)
{
	return kloop_parse_bytes(object, page, "offset_bytes",
				 &kloop_of_object(object)->offset) ?: len;
}

static ssize_t kloop_size_limit_bytes_read(struct kblk_object *object,
					   char *page)
{
	return sysfs_emit(page, "%llu\n", kloop_of_object(object)->size_limit);
}

static ssize_t kloop_size_limit_bytes_write(struct kblk_object *object,
					    const char *page, size_t len)
{
	return kloop_parse_bytes(object, page, "size_limit_bytes",
				 &kloop_of_object(object)->size_limit) ?: len;
}

static ssize_t kloop_block_size_read(struct kblk_object *object, char *page)
{
	struct kloop_dev *loop = kloop_of_object(object);

	return sysfs_emit(page, "%u\n", object->enabled ?
			  queue_logical_block_size(object->kd.disk->queue) :
			  loop->block_size);
}

static ssize_t kloop_block_size_write(struct kblk_object *object,
				      const char *page, size_t len)
{
	int ret = kblk_want_down(object);
	unsigned int size;

	if (ret)
		return ret;
	if (kstrtouint(page, 10, &size) ||
	    (size && (!is_power_of_2(size) || size < SECTOR_SIZE ||
		      size > PAGE_SIZE)))
		return kblk_refuse(object, -EINVAL,
				   "block_size takes a power of two from 512 to %lu, or 0.",
				   PAGE_SIZE);
	kloop_of_object(object)->block_size = size;
	return len;
}

static ssize_t kloop_direct_io_read(struct kblk_object *object, char *page)
{
	struct kloop_dev *loop = kloop_of_object(object);

	return sysfs_emit(page, "%d\n", object->enabled ? loop->direct :
			  loop->direct_wish == KLOOP_DIRECT_ON);
}

static int kloop_parse_bool(struct kblk_object *object, const char *page,
			    const char *name, bool *value)
{
	int ret = kblk_want_down(object);

	if (ret)
		return ret;
	if (kstrtobool(page, value))
		return kblk_refuse(object, -EINVAL, "%s takes 0 or 1.", name);
	return 0;
}

static ssize_t kloop_direct_io_write(struct kblk_object *object,
				     const char *page, size_t len)
{
	struct kloop_dev *loop = kloop_of_object(object);
	bool on;
	int ret;

	if (kstrtobool(page, &on))
		return kblk_refuse(object, -EINVAL, "direct_io takes 0 or 1.");
	ret = object->enabled ? kloop_switch_direct(loop, on) : 0;
	if (ret)
		return ret;
	loop->direct_wish = on ? KLOOP_DIRECT_ON : KLOOP_DIRECT_OFF;
	return len;
}

static ssize_t kloop_read_only_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%d\n", kloop_of_object(object)->read_only);
}

static ssize_t kloop_read_only_write(struct kblk_object *object,
				     const char *page, size_t len)
{
	return kloop_parse_bool(object, page, "read_only",
				&kloop_of_object(object)->read_only) ?: len;
}

static ssize_t kloop_partscan_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%d\n", kloop_of_object(object)->partscan);
}

static ssize_t kloop_partscan_write(struct kblk_object *object,
				    const char *page, size_t len)
{
	return kloop_parse_bool(object, page, "partscan",
				&kloop_of_object(object)->partscan) ?: len;
}

static ssize_t kloop_autoclear_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%d\n", object->autoclear);
}

static ssize_t kloop_autoclear_write(struct kblk_object *object,
				     const char *page, size_t len)
{
	bool on;

	if (kstrtobool(page, &on))
		return kblk_refuse(object, -EINVAL, "autoclear takes 0 or 1.");
	WRITE_ONCE(object->autoclear, on);
	return len;
}

KBLK_ATTR(kloop_, file);
KBLK_ATTR(kloop_, offset_bytes);
KBLK_ATTR(kloop_, size_limit_bytes);
KBLK_ATTR(kloop_, block_size);
KBLK_ATTR(kloop_, direct_io);
KBLK_ATTR(kloop_, read_only);
KBLK_ATTR(kloop_, partscan);
KBLK_ATTR(kloop_, autoclear);

static struct configfs_attribute *kloop_attrs[] = {
	&kloop_attr_file,
	&kloop_attr_offset_bytes,
	&kloop_attr_size_limit_bytes,
	&kloop_attr_block_size,
	&kloop_attr_direct_io,
	&kloop_attr_read_only,
	&kloop_attr_partscan,
	&kloop_attr_autoclear,
	NULL
};

static int kloop_init(struct kblk_object *object)
{
	kloop_io_init(kloop_of_object(object));
	return 0;
}

static void kloop_release(struct kblk_object *object)
{
	kfree(kloop_of_object(object)->path);
}

static struct kblk_kind kloop_kind = {
	.name		= "loop",
	.owner		= THIS_MODULE,
	.attrs		= kloop_attrs,
	.ops		= &kloop_ops,
	.object_size	= sizeof(struct kloop_dev),
	.init		= kloop_init,
	.enable		= kloop_enable,
	.disable	= kloop_disable,
	.release	= kloop_release,
};

int __init kloop_configfs_init(void)
{
	return kblk_kind_register(&kloop_kind);
}

void kloop_configfs_exit(void)
{
	kblk_kind_unregister(&kloop_kind);
}
