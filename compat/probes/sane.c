// SPDX-License-Identifier: GPL-2.0
/* Compiles everywhere: shows that the headers are usable at all. */
#include <linux/module.h>
