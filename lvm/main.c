// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "klvm.h"

static int __init klvm_module_init(void)
{
	int ret;

	ret = klvm_targets_init();
	if (ret)
		return ret;
	ret = klvm_configfs_init();
	if (ret)
		klvm_targets_exit();
	return ret;
}

static void __exit klvm_module_exit(void)
{
	klvm_configfs_exit();
	klvm_targets_exit();
}

module_init(klvm_module_init);
module_exit(klvm_module_exit);

MODULE_DESCRIPTION("Volumes of segments on kiobufs");
MODULE_LICENSE("GPL");
