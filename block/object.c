// SPDX-License-Identifier: GPL-2.0
/*
 * configfs: a folder per kind, a directory per device, and what every device
 * has: enable, error, size_bytes, stats. Nothing here touches the data path.
 */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/part_stat.h>
#include <linux/slab.h>

#include "block.h"
#include "object.h"

/* The core tells ages of up to 2^20 jiffies. */
#define KBLK_TIMEOUT_MAX 600000

/**
 * kblk_refuse() - say why a write to an object is refused
 * @object: the object, locked
 * @error: negative errno
 * @fmt: one sentence, without a newline
 *
 * Return: @error.
 */
int kblk_refuse(struct kblk_object *object, int error, const char *fmt, ...)
{
	va_list args;

	lockdep_assert_held(&object->lock);
	va_start(args, fmt);
	vsnprintf(object->error, sizeof(object->error), fmt, args);
	va_end(args);
	return error;
}
EXPORT_SYMBOL_GPL(kblk_refuse);

/**
 * kblk_want_down() - refuse what can be changed only while a device is down
 * @object: the object, locked
 *
 * Return: 0, or -EBUSY while it is up.
 */
int kblk_want_down(struct kblk_object *object)
{
	if (!object->enabled)
		return 0;
	return kblk_refuse(object, -EBUSY,
			   "%s is up: this can be changed only while it is down.",
			   object->kd.dev.name);
}
EXPORT_SYMBOL_GPL(kblk_want_down);

/**
 * kblk_set_path() - take a path that was written to an attribute
 * @object: the object, locked; must be down
 * @page: text, up to the end of the line
 * @name: of the attribute, for the refusal
 * @path: in memory of its own, replaced by the new one
 *
 * Context: process, sleeps.
 * Return: 0; -EBUSY while the object is up; -EINVAL unless the path is absolute, since
 * nobody's working folder is meant; -ENOMEM. @path is then as it was.
 */
int kblk_set_path(struct kblk_object *object, const char *page,
		  const char *name, char **path)
{
	int ret = kblk_want_down(object);
	char *copy;

	if (ret)
		return ret;
	if (page[0] != '/')
		return kblk_refuse(object, -EINVAL,
				   "%s takes an absolute path.", name);
	copy = kstrndup(page, strcspn(page, "\n"), GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	kfree(*path);
	*path = copy;
	return 0;
}
EXPORT_SYMBOL_GPL(kblk_set_path);

/* configfs hands over at most this much of one write. */
#define KBLK_WRITE_MAX 4095

/**
 * kblk_whole_lines() - how much of a write is to be taken
 * @page: text of lines
 * @len: its length
 *
 * A line that is cut at the end of a long write is left for the next one, by a short
 * count; a shorter write may end without a newline. Context: any.
 * Return: bytes; 0 if not even one line is whole.
 */
size_t kblk_whole_lines(const char *page, size_t len)
{
	if (len >= KBLK_WRITE_MAX)
		while (len && page[len - 1] != '\n')
			len--;
	return len;
}
EXPORT_SYMBOL_GPL(kblk_whole_lines);

/**
 * kblk_next_word() - cut the next word off a line
 * @text: the line, moved on to what follows the word
 *
 * Context: any.
 * Return: the word, "" at the end of the line.
 */
char *kblk_next_word(char **text)
{
	char *word = skip_spaces(*text);

	*text = word + strcspn(word, " \t\r\v\f");
	if (**text)
		*(*text)++ = '\0';
	return word;
}
EXPORT_SYMBOL_GPL(kblk_next_word);

static const char *kblk_lower_trouble(int error)
{
	switch (error) {
	case -ENOENT:
	case -ENODEV:
	case -ENXIO:
		return "there is no such device";
	case -ENOTBLK:
		return "it is not a block device";
	case -EBUSY:
		return "it is in use";
	case -EACCES:
	case -EROFS:
	case -EPERM:
		return "it is read-only";
	case -ELOOP:
		return "the device would lie on itself";
	case -EMLINK:
		return "the stack would be deeper than 32 layers";
	case -EOPNOTSUPP:
		return "zoned devices are not supported";
	default:
		return NULL;
	}
}

/**
 * kblk_object_lower() - kblk_lower_get() that says why not
 * @object: the object, locked
 * @path: of a block device
 * @write: writes will be sent to it
 *
 * Context: process, sleeps.
 * Return: as kblk_lower_get().
 */
struct kblk_lower *kblk_object_lower(struct kblk_object *object,
				     const char *path, bool write)
{
	return kblk_object_lower_as(object, path, write, &object->kd);
}
EXPORT_SYMBOL_GPL(kblk_object_lower);

/**
 * kblk_object_lower_as() - kblk_lower_get_as() that says why not
 * @object: the object, locked
 * @path: of a block device
 * @write: writes will be sent to it
 * @holder: whom it is claimed for
 *
 * Context: process, sleeps.
 * Return: as kblk_lower_get_as().
 */
struct kblk_lower *kblk_object_lower_as(struct kblk_object *object,
					const char *path, bool write,
					void *holder)
{
	struct kblk_lower *lower = kblk_lower_get_as(&object->kd, path, write,
						     holder);
	const char *why;

	if (!IS_ERR(lower))
		return lower;
	why = kblk_lower_trouble(PTR_ERR(lower));
	if (why)
		kblk_refuse(object, 0, "%s cannot be used: %s.", path, why);
	else
		kblk_refuse(object, 0, "%s cannot be opened: error %ld.", path,
			    -PTR_ERR(lower));
	return lower;
}
EXPORT_SYMBOL_GPL(kblk_object_lower_as);

/**
 * kblk_attr_show() - read an attribute under the object's lock
 * @item: the object's
 * @page: where to print
 * @show: prints, and returns the length
 *
 * Context: process, sleeps.
 * Return: what @show returned.
 */
ssize_t kblk_attr_show(struct config_item *item, char *page,
		       ssize_t (*show)(struct kblk_object *, char *))
{
	struct kblk_object *object = kblk_object_of(item);
	ssize_t ret;

	mutex_lock(&object->lock);
	ret = show(object, page);
	mutex_unlock(&object->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(kblk_attr_show);

/**
 * kblk_attr_store() - write an attribute under the object's lock
 * @item: the object's
 * @page: text, followed by a zero byte
 * @len: its length
 * @store: takes it, and returns the length or what kblk_refuse() said
 *
 * `error` is emptied first, so that it speaks of the last write only. A refusal
 * for which @store found no words gets some.
 *
 * Context: process, sleeps.
 * Return: what @store returned.
 */
ssize_t kblk_attr_store(struct config_item *item, const char *page, size_t len,
			ssize_t (*store)(struct kblk_object *, const char *,
					 size_t))
{
	struct kblk_object *object = kblk_object_of(item);
	ssize_t ret;

	mutex_lock(&object->lock);
	object->error[0] = '\0';
	ret = store(object, page, len);
	if (ret < 0 && !object->error[0])
		kblk_refuse(object, ret, "The write was refused: error %zd.",
			    -ret);
	mutex_unlock(&object->lock);
	return ret;
}
EXPORT_SYMBOL_GPL(kblk_attr_store);

/* ---- the common attributes ---- */

static ssize_t kblk_enable_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%d\n", object->enabled);
}

static struct configfs_subsystem kblk_subsystem;

/* While it is up, a device keeps its directory and its driver. */
static int kblk_object_pin(struct kblk_object *object)
{
	int ret;

	ret = configfs_depend_item_unlocked(&kblk_subsystem,
					    &object->group.cg_item);
	if (!ret)
		__module_get(object->kind->owner);
	return ret;
}

static void kblk_object_unpin(struct kblk_object *object)
{
	module_put(object->kind->owner);
	configfs_undepend_item(&object->group.cg_item);
}

static int kblk_object_up(struct kblk_object *object)
{
	int ret;

	if (object->enabled)
		return object->kind->enable(object);
	WRITE_ONCE(object->closed, false);
	ret = kblk_object_pin(object);
	if (ret)
		return ret;
	ret = object->kind->enable(object);
	if (ret) {
		kblk_object_unpin(object);
		return ret;
	}
	/* The close of what adding the disk has opened may be still to come. */
	WRITE_ONCE(object->kd.opened, false);
	WRITE_ONCE(object->enabled, true);
	return 0;
}

static int kblk_object_try_down(struct kblk_object *object)
{
	int ret;

	if (!object->enabled)
		return 0;
	ret = kblk_disk_del(&object->kd);
	if (ret)
		return ret;
	WRITE_ONCE(object->enabled, false);
	if (object->kind->disable)
		object->kind->disable(object);
	kblk_object_unpin(object);
	return 0;
}

static int kblk_object_down(struct kblk_object *object)
{
	int ret = kblk_object_try_down(object);

	if (ret)
		kblk_refuse(object, ret,
			    "%s is in use: close, unmount or remove what lies on it first.",
			    object->kd.dev.name);
	return ret;
}

/* If it is open again, the last to close it will come here too. */
static void kblk_clear_work(struct work_struct *work)
{
	struct kblk_object *object = container_of(work, struct kblk_object,
						  clear);

	mutex_lock(&object->lock);
	if (object->closed && object->autoclear)
		kblk_object_try_down(object);
	mutex_unlock(&object->lock);
}

static void kblk_object_closed(struct kblk_disk *kd)
{
	struct kblk_object *object = container_of(kd, struct kblk_object, kd);

	if (!READ_ONCE(object->autoclear) || !READ_ONCE(object->enabled))
		return;
	WRITE_ONCE(object->closed, true);
	schedule_work(&object->clear);
}

static ssize_t kblk_enable_write(struct kblk_object *object, const char *page,
				 size_t len)
{
	bool on;
	int ret;

	if (kstrtobool(page, &on))
		return kblk_refuse(object, -EINVAL, "enable takes 0 or 1.");
	ret = on ? kblk_object_up(object) : kblk_object_down(object);
	return ret ?: len;
}

static ssize_t kblk_error_read(struct kblk_object *object, char *page)
{
	return object->error[0] ? sysfs_emit(page, "%s\n", object->error) : 0;
}

static ssize_t kblk_size_bytes_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%llu\n",
			  object->enabled ? object->kd.dev.size : 0);
}

static ssize_t kblk_timeout_ms_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%u\n", object->timeout_ms);
}

static ssize_t kblk_timeout_ms_write(struct kblk_object *object,
				     const char *page, size_t len)
{
	unsigned int ms;

	if (kstrtouint(page, 10, &ms) || ms > KBLK_TIMEOUT_MAX)
		return kblk_refuse(object, -EINVAL,
				   "timeout_ms takes 0 for none, or up to %u milliseconds.",
				   KBLK_TIMEOUT_MAX);
	object->timeout_ms = ms;
	kblk_timeout_set(&object->kd, ms);
	return len;
}

static ssize_t kblk_stats_read(struct kblk_object *object, char *page)
{
	static const char *const names[] = { "read", "write", "discard",
					     "flush" };
	struct block_device *part = object->kd.dev.part;
	ssize_t len = 0;
	int i;

	if (!object->enabled)
		return 0;
	for (i = 0; i < ARRAY_SIZE(names); i++)
		len += sysfs_emit_at(page, len, "%s_ios %lu\n%s_sectors %lu\n",
				     names[i], part_stat_read(part, ios[i]),
				     names[i],
				     part_stat_read(part, sectors[i]));
	return len;
}

static int kblk_cancel(struct kblk_object *object, const char *page)
{
	u64 id = 0;

	if (!sysfs_streq(page, "all") && (kstrtou64(page, 16, &id) || !id))
		return -EINVAL;
	return kiobuf_dev_cancel(&object->kd.dev, id, -ECANCELED);
}

static int kblk_refuse_cancel(struct kblk_object *object, int error)
{
	switch (error) {
	case -EINVAL:
		return kblk_refuse(object, error,
				   "cancel takes the number of a request, as in inflight, or all.");
	case -ENOENT:
		return kblk_refuse(object, error,
				   "No such request of %s is in flight.",
				   object->kd.dev.name);
	default:
		return kblk_refuse(object, error,
				   "A write that some legs may have already cannot be cancelled: it goes on to its end.");
	}
}

/*
 * Not under the object's lock: whoever has it may wait for the very I/O that is to
 * be cancelled.
 */
static ssize_t kblk_cancel_store(struct config_item *item, const char *page,
				 size_t len)
{
	struct kblk_object *object = kblk_object_of(item);
	int ret = kblk_cancel(object, page);

	if (ret) {
		mutex_lock(&object->lock);
		kblk_refuse_cancel(object, ret);
		mutex_unlock(&object->lock);
	} else if (mutex_trylock(&object->lock)) {
		object->error[0] = '\0';
		mutex_unlock(&object->lock);
	}
	return ret ?: len;
}

KBLK_ATTR(kblk_, enable);
KBLK_ATTR_RO(kblk_, error);
KBLK_ATTR_RO(kblk_, size_bytes);
KBLK_ATTR(kblk_, timeout_ms);
KBLK_ATTR_RO(kblk_, stats);
CONFIGFS_ATTR_WO(kblk_, cancel);

static struct configfs_attribute *kblk_common_attrs[] = {
	&kblk_attr_enable,
	&kblk_attr_error,
	&kblk_attr_size_bytes,
	&kblk_attr_timeout_ms,
	&kblk_attr_stats,
	&kblk_attr_cancel,
	NULL
};

/* ---- life of an object ---- */

static struct kblk_kind *kblk_kind_of(struct config_group *folder)
{
	return container_of(folder, struct kblk_kind, folder);
}

static bool kblk_name_ok(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > KBLK_NAME_MAX || !strcmp(name, "raw") ||
	    !strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (; *name; name++)
		if (!isascii(*name) || !(isalnum(*name) || strchr("_.+-", *name)))
			return false;
	return true;
}

static struct config_group *kblk_make_group(struct config_group *folder,
					    const char *name)
{
	struct kblk_kind *kind = kblk_kind_of(folder);
	struct kblk_object *object;
	int ret;

	if (!kblk_name_ok(name))
		return ERR_PTR(-EINVAL);
	object = kvzalloc(kind->object_size, GFP_KERNEL);
	if (!object)
		return ERR_PTR(-ENOMEM);
	object->kind = kind;
	mutex_init(&object->lock);
	INIT_WORK(&object->clear, kblk_clear_work);
	object->kd.closed = kblk_object_closed;
	ret = kblk_disk_init(&object->kd, name, kind->ops);
	if (ret)
		goto free_object;
	ret = kind->init ? kind->init(object) : 0;
	if (ret)
		goto exit_disk;
	config_group_init_type_name(&object->group, name, &kind->type);
	return &object->group;

exit_disk:
	kblk_disk_exit(&object->kd);
free_object:
	kvfree(object);
	return ERR_PTR(ret);
}

/*
 * A device that is up refuses rmdir, see kblk_object_pin(). Only one that came up
 * while rmdir was under way can be met here: if it is in use it stays, pinned
 * and without its directory, rather than vanish below its user.
 */
static void kblk_drop_item(struct config_group *folder,
			   struct config_item *item)
{
	struct kblk_object *object = kblk_object_of(item);
	int ret;

	mutex_lock(&object->lock);
	ret = kblk_object_down(object);
	mutex_unlock(&object->lock);
	if (ret)
		pr_warn("kiobuf: %s was removed while in use, and stays up\n",
			object->kd.dev.name);
	else
		config_item_put(item);
}

static void kblk_release(struct config_item *item)
{
	struct kblk_object *object = kblk_object_of(item);

	cancel_work_sync(&object->clear);
	if (object->kind->release)
		object->kind->release(object);
	kblk_disk_exit(&object->kd);
	kvfree(object);
}

static struct configfs_item_operations kblk_object_ops = {
	.release	= kblk_release,
};

static struct configfs_group_operations kblk_folder_ops = {
	.make_group	= kblk_make_group,
	.drop_item	= kblk_drop_item,
};

/* ---- the folders ---- */

static const struct config_item_type kblk_subsystem_type = {
	.ct_owner	= THIS_MODULE,
};

static struct configfs_subsystem kblk_subsystem = {
	.su_group = {
		.cg_item = {
			.ci_namebuf	= "kiobuf",
			.ci_type	= &kblk_subsystem_type,
		},
	},
};

static struct configfs_attribute **kblk_join_attrs(struct kblk_kind *kind)
{
	size_t nr = 0, common = ARRAY_SIZE(kblk_common_attrs) - 1;
	struct configfs_attribute **attrs;

	while (kind->attrs[nr])
		nr++;
	attrs = kcalloc(common + nr + 1, sizeof(*attrs), GFP_KERNEL);
	if (!attrs)
		return NULL;
	memcpy(attrs, kblk_common_attrs, common * sizeof(*attrs));
	memcpy(attrs + common, kind->attrs, nr * sizeof(*attrs));
	return attrs;
}

/**
 * kblk_kind_register() - make a folder for a kind of device
 * @kind: the kind; stays until kblk_kind_unregister()
 *
 * Context: process, sleeps.
 * Return: 0 or a negative errno.
 */
int kblk_kind_register(struct kblk_kind *kind)
{
	int ret;

	kind->type.ct_owner = kind->owner;
	kind->type.ct_item_ops = &kblk_object_ops;
	kind->type.ct_attrs = kblk_join_attrs(kind);
	if (!kind->type.ct_attrs)
		return -ENOMEM;
	kind->folder_type.ct_owner = kind->owner;
	kind->folder_type.ct_group_ops = &kblk_folder_ops;
	config_group_init_type_name(&kind->folder, kind->name,
				    &kind->folder_type);
	ret = configfs_register_group(&kblk_subsystem.su_group, &kind->folder);
	if (ret)
		kfree(kind->type.ct_attrs);
	return ret;
}
EXPORT_SYMBOL_GPL(kblk_kind_register);

/**
 * kblk_kind_unregister() - take a kind's folder away
 * @kind: kind without objects: they pin its module
 *
 * Context: process, sleeps.
 */
void kblk_kind_unregister(struct kblk_kind *kind)
{
	configfs_unregister_group(&kind->folder);
	kfree(kind->type.ct_attrs);
}
EXPORT_SYMBOL_GPL(kblk_kind_unregister);

int __init kblk_object_init(void)
{
	config_group_init(&kblk_subsystem.su_group);
	mutex_init(&kblk_subsystem.su_mutex);
	return configfs_register_subsystem(&kblk_subsystem);
}

void kblk_object_exit(void)
{
	configfs_unregister_subsystem(&kblk_subsystem);
}
