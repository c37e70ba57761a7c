// SPDX-License-Identifier: GPL-2.0
/* From a staged table to one that maps: claims the devices, checks the ranges. */
#include <linux/module.h>
#include <linux/slab.h>

#include "klvm.h"

void klvm_table_free(struct klvm_table *table)
{
	u32 i;

	if (!table)
		return;
	for (i = 0; i < table->nr; i++)
		if (!table->segments[i].dev)
			kvfree(table->segments[i].stripes);
	for (i = 0; i < table->nr_lowers; i++)
		kblk_lower_put(table->lowers[i]);
	klvm_stage_free(table->stage);
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
	table->segments = kvcalloc(stage->nr + 1, sizeof(*table->segments),
				   GFP_KERNEL);
	table->devs = kvcalloc(paths + 1, sizeof(*table->devs), GFP_KERNEL);
	table->lowers = kvcalloc(paths + 1, sizeof(*table->lowers), GFP_KERNEL);
	if (table->segments && table->devs && table->lowers)
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

static int klvm_table_claim(struct klvm_table *table,
			    struct kblk_object *object,
			    const struct klvm_stage *stage)
{
	struct kblk_lower *lower;
	u32 i;

	for (i = 0; i < stage->nr_paths; i++) {
		lower = kblk_object_lower(object, stage->paths[i], true);
		if (IS_ERR(lower))
			return PTR_ERR(lower);
		table->lowers[table->nr_lowers++] = lower;
		klvm_table_add_dev(table, kblk_lower_dev(lower));
	}
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
	u64 all = line->start | line->length | line->chunk;
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
