// SPDX-License-Identifier: GPL-2.0
#include <linux/module.h>

#include "internal.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Looked at in line by kiobuf_endio() */
EXPORT_TRACEPOINT_SYMBOL_GPL(endio);

static int __init kiobuf_module_init(void)
{
	return kiobuf_alloc_init();
}

static void __exit kiobuf_module_exit(void)
{
	kiobuf_alloc_exit();
}

module_init(kiobuf_module_init);
module_exit(kiobuf_module_exit);

MODULE_DESCRIPTION("Stackable I/O on clone headers");
MODULE_LICENSE("GPL");
