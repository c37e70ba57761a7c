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

static int klvm_check_block(struct kblk_object *object, u32 nr,
			    const struct klvm_line *line, u32 block)
{
	if (!((line->start | line->length | line->offset) & (block - 1)))
		return 0;
	return kblk_refuse(object, -EINVAL,
			   "Line %u: all numbers must be multiples of %u sectors, the largest block below.",
			   nr, block);
}

static int klvm_check_range(struct kblk_object *object, u32 nr,
			    const struct klvm_line *line, const char *path,
			    struct kblk_lower *lower)
{
	u64 size = kblk_lower_size(lower) >> SECTOR_SHIFT;

	if (line->offset > size || line->length > size - line->offset)
		return kblk_refuse(object, -ENOSPC,
				   "Line %u: sectors %llu to %llu do not fit %s, which has %llu.",
				   nr, line->offset,
				   line->offset + line->length, path, size);
	return 0;
}

static int klvm_map_line(struct klvm_table *table, struct kblk_object *object,
			 const struct klvm_stage *stage, u32 i)
{
	const struct klvm_line *line = &stage->lines[i];
	struct klvm_segment *segment = &table->segments[i];
	struct kblk_lower *lower;

	segment->start = line->start << SECTOR_SHIFT;
	if (line->target == KLVM_LINEAR) {
		lower = table->lowers[line->path];
		segment->dev = kblk_lower_dev(lower);
		segment->pos = line->offset << SECTOR_SHIFT;
		kblk_lower_set_start(lower, segment->pos);
		return klvm_check_range(object, i + 1, line,
					stage->paths[line->path], lower);
	}
	segment->dev = line->target == KLVM_ZERO ? &klvm_zero_dev :
						   &klvm_error_dev;
	return 0;
}

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
		ret = klvm_check_block(object, i + 1, &stage->lines[i], block);
		if (!ret)
			ret = klvm_map_line(table, object, stage, i);
	}
	if (ret) {
		klvm_table_free(table);
		return ERR_PTR(ret);
	}
	table->nr = stage->nr;
	table->segments[table->nr].start = (last->start + last->length)
					   << SECTOR_SHIFT;
	table->only = klvm_only(table);
	table->stage = stage;
	return table;
}
