// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#define CREATE_TRACE_POINTS
#include "trace.h"

static int __init kraid_module_init(void)
{
	return kraid_configfs_init();
}

static void __exit kraid_module_exit(void)
{
	kraid_configfs_exit();
}

module_init(kraid_module_init);
module_exit(kraid_module_exit);

MODULE_DESCRIPTION("RAID on kiobufs");
MODULE_LICENSE("GPL");
