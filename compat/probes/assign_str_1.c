// SPDX-License-Identifier: GPL-2.0
/* 6.10: __assign_str() takes the destination only; 2c92ca849fcc */
#include <linux/stringify.h>
#undef __assign_str
#include <trace/stages/stage6_event_callback.h>

#define PROBE(x) #x
/* With one parameter the expansion of a one-argument call is valid. */
const char probe[] = __stringify(__assign_str(dst));
