// SPDX-License-Identifier: GPL-2.0
/* The data path of a volume, and bringing a table to life. */
#include <linux/module.h>

#include "klvm.h"

static struct klvm_volume *klvm_of(struct kiobuf_dev *dev)
{
	return klvm_volume_of(kblk_object_of_dev(dev));
}

static void klvm_point(struct kiobuf *kb, const struct klvm_segment *segment)
{
	kb->pos += segment->pos - segment->start;
	kb->dev = segment->dev;
}

static __always_inline int klvm_remap(struct kiobuf *kb,
				      const struct klvm_segment *segment)
{
	if (unlikely(!segment->dev))
		return klvm_striped_submit(kb, segment);
	klvm_point(kb, segment);
	return KIOBUF_REMAPPED;
}

/* Everything that was written must become durable, wherever it went. */
static int klvm_flush(struct kiobuf *kb, const struct klvm_table *table)
{
	if (table->nr_devs > 1)
		return KIOBUF_SPLIT;
	if (!table->nr_devs) {
		kiobuf_endio(kb, 0, 0);
		return KIOBUF_SUBMITTED;
	}
	kb->dev = table->devs[0];
	return KIOBUF_REMAPPED;
}

static noinline int klvm_submit_any(struct kiobuf *kb,
				    const struct klvm_table *table)
{
	const struct klvm_segment *segment = table->segments;

	if (kb->op == KIOBUF_FLUSH)
		return klvm_flush(kb, table);
	segment += klvm_find(segment, table->nr, kb->pos);
	/* The volume may have shrunk since the block layer looked at the end. */
	if (kb->pos > segment[1].start)
		return -EIO;
	if (kb->length > segment[1].start - kb->pos)
		return KIOBUF_SPLIT;
	return klvm_remap(kb, segment);
}

static int klvm_submit(struct kiobuf *kb)
{
	const struct klvm_table *table = klvm_of(kb->dev)->table;

	/* One segment holds all that can be asked for, and needs no search. */
	if (table->nr > 1 || unlikely(kb->op == KIOBUF_FLUSH ||
				      kb->pos + kb->length >
					      table->segments[1].start))
		return klvm_submit_any(kb, table);
	return klvm_remap(kb, table->segments);
}

static struct kiobuf *klvm_next_flush(struct kiobuf *parent,
				      const struct klvm_table *table)
{
	struct kiobuf *kb;

	if (parent->carved == table->nr_devs)
		return NULL;
	kb = kiobuf_mirror(parent, parent->length);
	if (!IS_ERR(kb))
		kb->dev = table->devs[parent->carved++];
	return kb;
}

/* What lies in several segments: the part in the next one, if that is linear. */
static struct kiobuf *klvm_next_part(struct kiobuf *parent,
				     const struct klvm_table *table)
{
	u64 pos = parent->pos + parent->carved;
	const struct klvm_segment *segment;
	struct kiobuf *kb;

	if (parent->carved == parent->length)
		return NULL;
	segment = &table->segments[klvm_find(table->segments, table->nr, pos)];
	if (unlikely(pos >= segment[1].start))
		return ERR_PTR(-EIO);	/* as in klvm_submit_any() */
	if (!segment->dev)
		return klvm_striped_carve(parent, segment);
	kb = kiobuf_carve(parent, segment[1].start - pos);
	if (!IS_ERR_OR_NULL(kb))
		klvm_point(kb, segment);
	return kb;
}

static struct kiobuf *klvm_next_child(struct kiobuf *parent)
{
	const struct klvm_table *table = klvm_of(parent->dev)->table;
	const struct klvm_segment *segment = table->segments;

	if (parent->op == KIOBUF_FLUSH)
		return klvm_next_flush(parent, table);
	segment += klvm_find(segment, table->nr, parent->pos);
	if (!segment->dev && parent->pos + parent->length <= segment[1].start)
		return klvm_striped_next(parent, segment);
	return klvm_next_part(parent, table);
}

const struct kiobuf_dev_ops klvm_ops = {
	.submit		= klvm_submit,
	.next_child	= klvm_next_child,
};

static struct kblk_shape klvm_shape(const struct klvm_table *table)
{
	struct kblk_shape shape = {
		.size = table->segments[table->nr].start,
		.only = table->only,
		.lowers = table->lowers,
		.nr_lowers = table->nr_lowers,
		.partscan = true,
	};
	u32 i;

	for (i = 0; i < table->nr; i++)
		if (!table->segments[i].dev)
			klvm_striped_shape(&shape, table->segments[i].stripes);
	return shape;
}

/*
 * On a live volume: nothing is in flight while the tables change places, and the
 * old one comes back if the new one's limits are refused.
 */
static int klvm_swap(struct klvm_volume *volume, struct klvm_table *table)
{
	struct kblk_object *object = &volume->object;
	struct kblk_shape shape = klvm_shape(table);
	struct klvm_table *old = volume->table;
	int ret;

	if (klvm_block(table) > queue_logical_block_size(object->kd.disk->queue))
		return kblk_refuse(object, -EINVAL,
				   "Blocks would grow to %u bytes: take the volume down first.",
				   klvm_block(table));
	ret = kblk_disk_quiesce(&object->kd);
	if (ret)
		return kblk_refuse(object, ret,
				   "I/O in flight did not end in time; the old table stays.");
	volume->table = table;
	ret = kblk_disk_reshape(&object->kd, &shape);
	if (ret)
		volume->table = old;
	kblk_disk_resume(&object->kd);
	if (ret)
		return kblk_refuse(object, ret,
				   "The new table's queue limits were refused; the old table stays.");
	klvm_table_free(old);
	return 0;
}

static int klvm_start(struct klvm_volume *volume, struct klvm_table *table)
{
	struct kblk_shape shape = klvm_shape(table);
	int ret;

	volume->table = table;
	ret = kblk_disk_add(&volume->object.kd, &shape);
	if (ret)
		volume->table = NULL;
	return ret;
}

/* Commits the staged table; it stays staged if it is refused. */
int klvm_enable(struct kblk_object *object)
{
	struct klvm_volume *volume = klvm_volume_of(object);
	struct klvm_stage *fresh;
	struct klvm_table *table;
	int ret;

	if (volume->table && !volume->stage->nr)
		return 0;
	ret = klvm_stage_check(object, volume->stage);
	if (ret)
		return ret;
	fresh = klvm_stage_new();
	if (!fresh)
		return -ENOMEM;
	table = klvm_table_new(object, volume->stage);
	if (IS_ERR(table)) {
		klvm_stage_free(fresh);
		return PTR_ERR(table);
	}
	ret = volume->table ? klvm_swap(volume, table) :
			      klvm_start(volume, table);
	if (ret) {
		table->stage = NULL;	/* still the volume's */
		klvm_table_free(table);
		klvm_stage_free(fresh);
		return ret;
	}
	volume->stage = fresh;
	return 0;
}

/* The table goes back to the stage, so that it can be enabled again. */
void klvm_disable(struct kblk_object *object)
{
	struct klvm_volume *volume = klvm_volume_of(object);
	struct klvm_table *table = volume->table;

	if (!volume->stage->nr)
		swap(volume->stage, table->stage);
	volume->table = NULL;
	klvm_table_free(table);
}
