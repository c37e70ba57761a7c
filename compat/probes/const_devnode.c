// SPDX-License-Identifier: GPL-2.0
/* 6.2: class->devnode() takes a constant device; ff62b8e6588f */
#include <linux/device/class.h>

static char *probe_devnode(const struct device *dev, umode_t *mode)
{
	return NULL;
}

struct class probe = { .devnode = probe_devnode };
