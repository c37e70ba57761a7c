// SPDX-License-Identifier: GPL-2.0
/* Bringing a filter up and down. */
#include <linux/module.h>

#include "filter.h"

static int kfilter_submit(struct kiobuf *kb)
{
	return kfilter_pass(kb, kfilter_of(kb->dev));
}

/* Until there is a kind. */
const struct kiobuf_dev_ops kfilter_ops = {
	.submit = kfilter_submit,
};

static void kfilter_close(struct kfilter *filter)
{
	kblk_lower_put(filter->claim);
	filter->claim = NULL;
	filter->lower = NULL;
}

static int kfilter_open(struct kfilter *filter)
{
	struct kblk_object *object = &filter->object;

	if (!filter->kind)
		return kblk_refuse(object, -EINVAL,
				   "The filter has no kind yet.");
	if (!filter->path)
		return kblk_refuse(object, -EINVAL,
				   "The filter has no lower device yet.");
	filter->claim = kblk_object_lower(object, filter->path, true);
	if (IS_ERR(filter->claim)) {
		int ret = PTR_ERR(filter->claim);

		filter->claim = NULL;
		return ret;
	}
	filter->lower = kblk_lower_dev(filter->claim);
	return 0;
}

static int kfilter_start(struct kfilter *filter, struct kblk_shape *shape)
{
	struct kblk_object *object = &filter->object;

	if (!shape->size)
		return kblk_refuse(object, -ENOSPC, "%s is empty.",
				   filter->path);
	kiobuf_dev_set_ops(&object->kd.dev, filter->kind->ops);
	return kblk_disk_add(&object->kd, shape);
}

int kfilter_enable(struct kblk_object *object)
{
	struct kfilter *filter = kfilter_of_object(object);
	struct kblk_shape shape = { .partscan = true };
	int ret;

	if (object->enabled)
		return 0;
	ret = kfilter_open(filter);
	if (ret)
		return ret;
	/* No ->only: a flush before data is to be seen as what it is. */
	shape.size = kblk_lower_size(filter->claim);
	ret = filter->kind->start ? filter->kind->start(filter, &shape) : 0;
	if (ret)
		goto close;
	ret = kfilter_start(filter, &shape);
	if (ret)
		goto stop;
	filter->create = false;
	if (filter->kind->ready)
		filter->kind->ready(filter);
	return 0;

stop:
	if (filter->kind->stop)
		filter->kind->stop(filter);
close:
	kfilter_close(filter);
	return ret;
}

void kfilter_disable(struct kblk_object *object)
{
	struct kfilter *filter = kfilter_of_object(object);

	if (filter->kind->stop)
		filter->kind->stop(filter);
	kfilter_close(filter);
}
