// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "object.h"
#include "raw.h"

static int __init kblk_module_init(void)
{
	int ret = kraw_init();

	if (ret)
		return ret;
	ret = kblk_object_init();
	if (ret)
		kraw_exit();
	return ret;
}

static void __exit kblk_module_exit(void)
{
	kblk_object_exit();
	kraw_exit();
}

module_init(kblk_module_init);
module_exit(kblk_module_exit);

MODULE_DESCRIPTION("Borders between kiobufs and the block layer");
MODULE_LICENSE("GPL");
