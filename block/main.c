// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "block.h"
#include "object.h"
#include "raw.h"

static int __init kblk_module_init(void)
{
	int ret = kblk_timeouts_init();

	if (ret)
		return ret;
	ret = kraw_init();
	if (ret)
		goto exit_timeouts;
	ret = kblk_object_init();
	if (ret)
		goto exit_raw;
	return 0;

exit_raw:
	kraw_exit();
exit_timeouts:
	kblk_timeouts_exit();
	return ret;
}

static void __exit kblk_module_exit(void)
{
	kblk_object_exit();
	kraw_exit();
	kblk_timeouts_exit();
}

module_init(kblk_module_init);
module_exit(kblk_module_exit);

MODULE_DESCRIPTION("Borders between kiobufs and the block layer");
MODULE_LICENSE("GPL");
