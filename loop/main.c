// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "kloop.h"

static int __init kloop_module_init(void)
{
	return kloop_configfs_init();
}

static void __exit kloop_module_exit(void)
{
	kloop_configfs_exit();
}

module_init(kloop_module_init);
module_exit(kloop_module_exit);

MODULE_DESCRIPTION("Files as devices on kiobufs");
MODULE_LICENSE("GPL");
