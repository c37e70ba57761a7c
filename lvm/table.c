// SPDX-License-Identifier: GPL-2.0
/* From a staged table to one that maps: claims the devices, checks the ranges. */
#include <linux/bitmap.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "klvm.h"

static void klvm_table_free_devices(struct klvm_table *table)
{
	struct klvm_device *device, *next;

	list_for_each_entry_safe(device, next, &table->devices, list)
		device->ops->free(device);
}

void klvm_table_free(struct klvm_table *table)
{
	u32 i;

	if (!table)
		return;
	klvm_table_free_devices(table);
	for (i = 0; i < table->nr; i++)
		if (!table->segments[i].dev)
			kvfree(table->segments[i].stripes);
	klvm_drop_pieces(table);
	for (i = 0; i < table->nr_lowers; i++)
		kblk_lower_put(table->lowers[i]);
	klvm_stage_free(table->stage);
	bitmap_free(table->claimed);
	kvfree(table->lowers);
	kvfree(table->devs);
	kvfree(table->segments);
	kfree(table);
}

static struct klvm_table *klvm_table_alloc(const struct klvm_stage *stage)
{
	struct klvm_table *table = kzalloc(sizeof(*table), GFP_KERNEL);
	u32 paths = stage->nr_paths;

	if (!table)
		return NULL;
	INIT_LIST_HEAD(&table->devices);
	table->claimed = bitmap_zalloc(paths + 1, GFP_KERNEL);
	table->segments = kvcalloc(stage->nr + 1, sizeof(*table->segments),
				   GFP_KERNEL);
	table->devs = kvcalloc(paths + 1, sizeof(*table->devs), GFP_KERNEL);
	table->lowers = kvcalloc(paths + 1, sizeof(*table->lowers), GFP_KERNEL);
	if (table->claimed && table->segments && table->devs && table->lowers)
		return table;
	klvm_table_free(table);
	return NULL;
}

static void klvm_table_add_dev(struct klvm_table *table, struct kiobuf_dev *dev)
{
	u32 i;

	for (i = 0; i < table->nr_devs; i++)
		if (table->devs[i] == dev)
			return;
	table->devs[table->nr_devs++] = dev;
}

/* Marks the paths of origins, and then of what holds chunks, in table->claimed. */
static int klvm_mark(struct klvm_table *table, struct kblk_object *object,
		     const struct klvm_stage *stage, u32 i)
{
	const struct klvm_line *line = &stage->lines[i];

	if (!klvm_has_origin(line))
		return 0;
	if (line->target == KLVM_SNAPSHOT && line->path == line->cow)
		return kblk_refuse(object, -EINVAL,
				   "Line %u: the chunks of a snapshot cannot be kept on its origin.",
				   i + 1);
	__set_bit(line->path, table->claimed);
	return 0;
}

/*
 * An origin is shared with the volumes of its snapshots, a leg with those that are on other
 * pieces of it; what holds chunks is not shared. Each path gets its holder.
 */
static void *klvm_holder(const struct klvm_table *table,
			 struct kblk_object *object,
			 const struct klvm_stage *stage, u32 path)
{
	u32 i;

	if (test_bit(path, table->claimed))
		return &klvm_origin_holder;
	for (i = 0; i < stage->nr_parts; i++)
		if (stage->parts[i].path == path)
			return &klvm_leg_holder;
	return &object->kd;
}

static int klvm_table_claim(struct klvm_table *table,
			    struct kblk_object *object,
			    const struct klvm_stage *stage)
{
	struct kblk_lower *lower;
	int ret;
	u32 i;

	for (i = 0; i < stage->nr; i++) {
		ret = klvm_mark(table, object, stage, i);
		if (ret)
			return ret;
	}
	for (i = 0; i < stage->nr_paths; i++) {
		lower = kblk_object_lower_as(object, stage->paths[i], true,
					     klvm_holder(table, object, stage,
							 i));
		if (IS_ERR(lower))
			return PTR_ERR(lower);
		table->lowers[table->nr_lowers++] = lower;
		klvm_table_add_dev(table, kblk_lower_dev(lower));
	}
	/* From here on: what no linear piece may be on. */
	for (i = 0; i < stage->nr; i++)
		if (stage->lines[i].target == KLVM_SNAPSHOT)
			__set_bit(stage->lines[i].cow, table->claimed);
	return 0;
}

/* Requests come in blocks of the largest leg: no segment may cut one up. */
u32 klvm_block(const struct klvm_table *table)
{
	u32 block = SECTOR_SIZE, i;

	for (i = 0; i < table->nr_lowers; i++)
		block = max(block, kblk_lower_block_size(table->lowers[i]));
	return block;
}

static int klvm_check_block(struct kblk_object *object,
			    const struct klvm_stage *stage, u32 i, u32 block)
{
	const struct klvm_line *line = &stage->lines[i];
	const struct klvm_part *part = stage->parts + line->part;
	/* What is wrong with the chunk of a snapshot, its store says. */
	u64 all = line->start | line->length |
		  (line->target == KLVM_STRIPED ? line->chunk : 0);
	u32 n;

	for (n = 0; n < line->nr_parts; n++)
		all |= part[n].offset;
	if (!(all & (block - 1)))
		return 0;
	return kblk_refuse(object, -EINVAL,
			   "Line %u: all numbers must be multiples of %u sectors, the largest block below.",
			   i + 1, block);
}

/* @length: sectors that the line has on the part */
static int klvm_check_range(struct kblk_object *object, u32 nr,
			    const struct klvm_part *part, u64 length,
			    const char *path, struct kblk_lower *lower)
{
	u64 size = kblk_lower_size(lower) >> SECTOR_SHIFT;

	if (part->offset > size || length > size - part->offset)
		return kblk_refuse(object, -ENOSPC,
				   "Line %u: sectors %llu to %llu do not fit %s, which has %llu.",
				   nr, part->offset, part->offset + length,
				   path, size);
	return 0;
}

/* Where part @n of line @i is. */
static int klvm_map_part(struct klvm_table *table, struct kblk_object *object,
			 const struct klvm_stage *stage, u32 i, u32 n,
			 struct klvm_leg *leg)
{
	const struct klvm_line *line = &stage->lines[i];
	const struct klvm_part *part = &stage->parts[line->part + n];
	struct kblk_lower *lower = table->lowers[part->path];

	if (test_bit(part->path, table->claimed))
		return kblk_refuse(object, -EBUSY,
				   "Line %u: %s belongs to a snapshot.", i + 1,
				   stage->paths[part->path]);
	leg->dev = kblk_lower_dev(lower);
	leg->pos = part->offset << SECTOR_SHIFT;
	kblk_lower_set_start(lower, leg->pos);
	return klvm_check_range(object, i + 1, part,
				div_u64(line->length, line->nr_parts),
				stage->paths[part->path], lower);
}

static int klvm_map_linear(struct klvm_table *table, struct kblk_object *object,
			   const struct klvm_stage *stage, u32 i)
{
	struct klvm_segment *segment = &table->segments[i];
	struct klvm_leg leg;
	int ret = klvm_map_part(table, object, stage, i, 0, &leg);

	segment->dev = leg.dev;
	segment->pos = leg.pos;
	return ret;
}

static int klvm_map_striped(struct klvm_table *table,
			    struct kblk_object *object,
			    const struct klvm_stage *stage, u32 i)
{
	const struct klvm_line *line = &stage->lines[i];
	struct klvm_stripes *stripes;
	int ret = 0;
	u32 n;

	stripes = klvm_stripes_new(line->chunk << SECTOR_SHIFT, line->nr_parts);
	table->segments[i].stripes = stripes;
	if (!stripes)
		return -ENOMEM;
	for (n = 0; !ret && n < line->nr_parts; n++)
		ret = klvm_map_part(table, object, stage, i, n,
				    &stripes->legs[n]);
	return ret;
}

static int klvm_map_device(struct klvm_table *table, struct kblk_object *object,
			   const struct klvm_stage *stage, u32 i)
{
	const struct klvm_line *line = &stage->lines[i];
	const struct klvm_part whole = { .path = line->path };
	struct kblk_lower *origin = table->lowers[line->path];
	struct klvm_device *device;
	int ret;

	ret = klvm_check_range(object, i + 1, &whole, line->length,
			       stage->paths[line->path], origin);
	if (ret)
		return ret;
	device = line->target == KLVM_ORIGIN ?
		 klvm_origin_new(object, origin) :
		 klvm_snapshot_new(object, line, origin,
				   table->lowers[line->cow]);
	if (IS_ERR(device))
		return PTR_ERR(device);
	device->line = i;
	list_add_tail(&device->list, &table->devices);
	table->segments[i].dev = &device->dev;
	return 0;
}

static int klvm_map_line(struct klvm_table *table, struct kblk_object *object,
			 const struct klvm_stage *stage, u32 i)
{
	const struct klvm_line *line = &stage->lines[i];

	table->nr = i + 1;
	table->segments[i].start = line->start << SECTOR_SHIFT;
	switch (line->target) {
	case KLVM_LINEAR:
		return klvm_map_linear(table, object, stage, i);
	case KLVM_STRIPED:
		return klvm_map_striped(table, object, stage, i);
	case KLVM_ORIGIN:
	case KLVM_SNAPSHOT:
		return klvm_map_device(table, object, stage, i);
	case KLVM_ZERO:
		table->segments[i].dev = &klvm_zero_dev;
		return 0;
	default:
		table->segments[i].dev = &klvm_error_dev;
		return 0;
	}
}

/* Of a striped segment there is none. */
static struct kiobuf_dev *klvm_only(const struct klvm_table *table)
{
	struct kiobuf_dev *only = table->segments[0].dev;
	u32 i;

	for (i = 1; i < table->nr; i++)
		if (table->segments[i].dev != only)
			return NULL;
	return only;
}

/*
 * Makes a table of @stage, which it takes over on success. On failure the object
 * says why, and nothing is claimed that was not before.
 */
struct klvm_table *klvm_table_new(struct kblk_object *object,
				  struct klvm_stage *stage)
{
	const struct klvm_line *last = &stage->lines[stage->nr - 1];
	struct klvm_table *table = klvm_table_alloc(stage);
	u32 block, i;
	int ret;

	if (!table)
		return ERR_PTR(-ENOMEM);
	ret = klvm_table_claim(table, object, stage);
	block = klvm_block(table) >> SECTOR_SHIFT;
	for (i = 0; !ret && i < stage->nr; i++) {
		ret = klvm_check_block(object, stage, i, block);
		if (!ret)
			ret = klvm_map_line(table, object, stage, i);
	}
	if (!ret)
		ret = klvm_claim_pieces(table, object, stage);
	if (ret) {
		klvm_table_free(table);
		return ERR_PTR(ret);
	}
	table->segments[table->nr].start = (last->start + last->length)
					   << SECTOR_SHIFT;
	table->only = klvm_only(table);
	table->stage = stage;
	return table;
}

static int klvm_line_status(const struct klvm_line *line,
			    struct klvm_device *device, char *buf, size_t max)
{
	int len = scnprintf(buf, max, "%llu %llu %s", line->start, line->length,
			    klvm_target_names[line->target]);

	if (device && device->ops->status)
		len += device->ops->status(device, buf + len, max - len);
	return len + scnprintf(buf + len, max - len, "\n");
}

/* As dmsetup's status: prints the lines that fit a page. */
ssize_t klvm_table_status(struct klvm_table *table, char *page)
{
	const size_t line_max = 128;
	struct klvm_device *device;
	size_t len = 0;
	u32 i;

	device = list_first_entry_or_null(&table->devices, struct klvm_device,
					  list);
	for (i = 0; i < table->nr && len < PAGE_SIZE - line_max; i++) {
		bool is_device = device && device->line == i;

		len += klvm_line_status(&table->stage->lines[i],
					is_device ? device : NULL, page + len,
					PAGE_SIZE - len);
		if (!is_device)
			continue;
		device = list_next_entry(device, list);
		if (list_entry_is_head(device, &table->devices, list))
			device = NULL;
	}
	return len;
}
