// SPDX-License-Identifier: GPL-2.0
/* configfs: kiobuf/lvm/NAME/table. No data path. */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "klvm.h"

static ssize_t klvm_table_read(struct kblk_object *object, char *page)
{
	struct klvm_volume *volume = klvm_volume_of(object);

	return klvm_stage_print(volume->table ? volume->table->stage :
						volume->stage, page);
}

static int klvm_table_clear(struct klvm_volume *volume)
{
	struct klvm_stage *fresh = klvm_stage_new();

	if (!fresh)
		return -ENOMEM;
	klvm_stage_free(volume->stage);
	volume->stage = fresh;
	return 0;
}

static int klvm_table_take(struct kblk_object *object, char *text)
{
	struct klvm_volume *volume = klvm_volume_of(object);

	if (!strcmp(text, "clear"))
		return klvm_table_clear(volume);
	return klvm_stage_add(object, volume->stage, text);
}

/* A write with a bad line adds none. */
static int klvm_take_lines(struct kblk_object *object, char *text, size_t len)
{
	struct klvm_volume *volume = klvm_volume_of(object);
	u32 nr = volume->stage->nr, nr_paths = volume->stage->nr_paths;
	char *line, *end;
	int ret;

	for (line = text; line < text + len; line = end + 1) {
		end = memchr(line, '\n', text + len - line) ?: text + len;
		*end = '\0';
		ret = klvm_table_take(object, line);
		if (ret) {
			klvm_stage_trim(volume->stage, nr, nr_paths);
			return ret;
		}
		if (!volume->stage->nr) {	/* was cleared */
			nr = 0;
			nr_paths = 0;
		}
	}
	return 0;
}

static ssize_t klvm_table_write(struct kblk_object *object, const char *page,
				size_t len)
{
	char *text;
	int ret;

	len = kblk_whole_lines(page, len);
	if (!len)
		return kblk_refuse(object, -EINVAL, "A line is too long.");
	text = kmemdup_nul(page, len, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	ret = klvm_take_lines(object, text, len);
	kfree(text);
	return ret ?: len;
}

KBLK_ATTR(klvm_, table);

static ssize_t klvm_status_read(struct kblk_object *object, char *page)
{
	struct klvm_volume *volume = klvm_volume_of(object);

	return volume->table ? klvm_table_status(volume->table, page) : 0;
}

KBLK_ATTR_RO(klvm_, status);

static ssize_t klvm_uuid_read(struct kblk_object *object, char *page)
{
	return sysfs_emit(page, "%s\n", klvm_volume_of(object)->uuid);
}

static bool klvm_is_uuid(const char *text, size_t len)
{
	while (len && isascii(text[len - 1]) && isgraph(text[len - 1]))
		len--;
	return !len;
}

/* Means nothing to the volume: whoever made it knows it by that again. */
static ssize_t klvm_uuid_write(struct kblk_object *object, const char *page,
			       size_t len)
{
	size_t given = strcspn(page, "\n");
	int ret = kblk_want_down(object);

	if (ret)
		return ret;
	if (given > KLVM_UUID_MAX || !klvm_is_uuid(page, given))
		return kblk_refuse(object, -EINVAL,
				   "uuid takes one word of at most %d ASCII characters.",
				   KLVM_UUID_MAX);
	strscpy(klvm_volume_of(object)->uuid, page, given + 1);
	return len;
}

KBLK_ATTR(klvm_, uuid);

static struct configfs_attribute *klvm_attrs[] = {
	&klvm_attr_table,
	&klvm_attr_status,
	&klvm_attr_uuid,
	NULL
};

static int klvm_init(struct kblk_object *object)
{
	struct klvm_volume *volume = klvm_volume_of(object);

	volume->stage = klvm_stage_new();
	return volume->stage ? 0 : -ENOMEM;
}

static void klvm_release(struct kblk_object *object)
{
	klvm_stage_free(klvm_volume_of(object)->stage);
}

static struct kblk_kind klvm_kind = {
	.name		= "lvm",
	.owner		= THIS_MODULE,
	.attrs		= klvm_attrs,
	.ops		= &klvm_ops,
	.object_size	= sizeof(struct klvm_volume),
	.init		= klvm_init,
	.enable		= klvm_enable,
	.disable	= klvm_disable,
	.release	= klvm_release,
};

int __init klvm_configfs_init(void)
{
	return kblk_kind_register(&klvm_kind);
}

void klvm_configfs_exit(void)
{
	kblk_kind_unregister(&klvm_kind);
}
