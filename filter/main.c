// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "filter.h"

static int __init kfilter_module_init(void)
{
	int ret;

	ret = kfilter_register(&flakey_kind);
	if (ret)
		return ret;
	ret = kfilter_register(&csum_kind);
	if (ret)
		goto unregister_flakey;
	ret = kfilter_configfs_init();
	if (ret)
		goto unregister_csum;
	return 0;

unregister_csum:
	kfilter_unregister(&csum_kind);
unregister_flakey:
	kfilter_unregister(&flakey_kind);
	return ret;
}

static void __exit kfilter_module_exit(void)
{
	kfilter_configfs_exit();
	kfilter_unregister(&csum_kind);
	kfilter_unregister(&flakey_kind);
}

module_init(kfilter_module_init);
module_exit(kfilter_module_exit);

MODULE_DESCRIPTION("Filters on kiobufs: faults on purpose, checksums");
MODULE_LICENSE("GPL");
