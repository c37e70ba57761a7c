// SPDX-License-Identifier: GPL-2.0
/* Targets with nothing below: zero and error, shared by all volumes. */
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
