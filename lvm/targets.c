// SPDX-License-Identifier: GPL-2.0
/* Targets as devices: zero and error, shared by all volumes; those of a table. */
#include <linux/bvec.h>
#include <linux/highmem.h>
#include <linux/module.h>

#include "klvm.h"

struct kiobuf_dev klvm_zero_dev, klvm_error_dev;

/* Reads give zeroes; writes are taken and forgotten. */
static int klvm_zero_submit(struct kiobuf *kb)
{
	if (kb->op == KIOBUF_READ)
		kiobuf_zero(kb);
	kiobuf_endio(kb, kb->length, 0);
	return KIOBUF_SUBMITTED;
}

static int klvm_error_submit(struct kiobuf *kb)
{
	return -EIO;
}

static const struct kiobuf_dev_ops klvm_zero_ops = {
	.submit = klvm_zero_submit,
};

static const struct kiobuf_dev_ops klvm_error_ops = {
	.submit = klvm_error_submit,
};

/* ---- targets of a table ---- */

/* Registers the device of a target, zeroed but for what is its own, below the volume. */
int klvm_device_add(struct klvm_device *device, struct kblk_object *object,
		    const struct kiobuf_dev_ops *dev_ops,
		    const struct klvm_device_ops *ops)
{
	static atomic_t last = ATOMIC_INIT(0);
	char name[KIOBUF_DEV_NAME_MAX];
	int ret;

	/* A volume may have two for a while, when it swaps its table. */
	snprintf(name, sizeof(name), "/%.*s:%u", KBLK_NAME_MAX,
		 object->kd.dev.name, atomic_inc_return(&last));
	INIT_LIST_HEAD(&device->list);
	device->ops = ops;
	device->upper = &object->kd.dev;
	device->dev.room = sizeof(struct bio);
	ret = kiobuf_dev_register(&device->dev, name, dev_ops);
	if (ret)
		return ret;
	ret = kiobuf_dev_link(device->upper, &device->dev);
	if (ret)
		kiobuf_dev_unregister(&device->dev);
	return ret;
}

void klvm_device_del(struct klvm_device *device)
{
	list_del(&device->list);
	kiobuf_dev_unlink(device->upper, &device->dev);
	kiobuf_dev_unregister(&device->dev);
}

/* ---- life ---- */

int __init klvm_targets_init(void)
{
	int ret;

	ret = kiobuf_dev_register(&klvm_zero_dev, "/zero", &klvm_zero_ops);
	if (ret)
		return ret;
	ret = kiobuf_dev_register(&klvm_error_dev, "/error", &klvm_error_ops);
	if (ret)
		kiobuf_dev_unregister(&klvm_zero_dev);
	return ret;
}

void klvm_targets_exit(void)
{
	kiobuf_dev_unregister(&klvm_error_dev);
	kiobuf_dev_unregister(&klvm_zero_dev);
}
