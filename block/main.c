// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "object.h"

static int __init kblk_module_init(void)
{
	return kblk_object_init();
}

static void __exit kblk_module_exit(void)
{
	kblk_object_exit();
}

module_init(kblk_module_init);
module_exit(kblk_module_exit);

MODULE_DESCRIPTION("Borders between kiobufs and the block layer");
MODULE_LICENSE("GPL");
