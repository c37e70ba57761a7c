// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "internal.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Looked at in line by kiobuf_endio() */
EXPORT_TRACEPOINT_SYMBOL_GPL(endio);

static int __init kiobuf_module_init(void)
{
	int ret;

	kiobuf_track_init();
	ret = kiobuf_alloc_init();
	if (ret)
		return ret;
	ret = kiobuf_gather_init();
	if (ret)
		goto free_alloc;
	ret = kiobuf_fault_init();
	if (ret)
		goto free_gather;
	ret = kiobuf_timing_init();
	if (ret)
		goto free_fault;
	ret = kiobuf_ender_init();
	if (ret)
		goto free_timing;
	kiobuf_debug_init();
	return 0;

free_timing:
	kiobuf_timing_exit();
free_fault:
	kiobuf_fault_exit();
free_gather:
	kiobuf_gather_exit();
free_alloc:
	kiobuf_alloc_exit();
	return ret;
}

static void __exit kiobuf_module_exit(void)
{
	kiobuf_debug_exit();
	kiobuf_ender_exit();
	kiobuf_timing_exit();
	kiobuf_fault_exit();
	kiobuf_gather_exit();
	kiobuf_alloc_exit();
}

module_init(kiobuf_module_init);
module_exit(kiobuf_module_exit);

MODULE_DESCRIPTION("Stackable I/O on clone headers");
MODULE_LICENSE("GPL");
