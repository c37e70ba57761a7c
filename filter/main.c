// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "filter.h"

static int __init kfilter_module_init(void)
{
	int ret;

	ret = kfilter_register(&flakey_kind);
	if (ret)
		return ret;
	ret = kfilter_configfs_init();
	if (ret)
		kfilter_unregister(&flakey_kind);
	return ret;
}

static void __exit kfilter_module_exit(void)
{
	kfilter_configfs_exit();
	kfilter_unregister(&flakey_kind);
}

module_init(kfilter_module_init);
module_exit(kfilter_module_exit);

MODULE_DESCRIPTION("Filters on kiobufs: faults on purpose");
MODULE_LICENSE("GPL");
