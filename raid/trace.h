/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: events/kraid/{kraid_member,kraid_sync,kraid_meta} */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kraid

#if !defined(_KRAID_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _KRAID_TRACE_H

#include <linux/tracepoint.h>

#include "kraid.h"

#define kraid_show_state(state)				\
	__print_symbolic(state,				\
		{ KRAID_MISSING, "missing" },		\
		{ KRAID_IN_SYNC, "in_sync" },		\
		{ KRAID_REBUILDING, "rebuilding" },	\
		{ KRAID_SPARE, "spare" },		\
		{ KRAID_FAULTY, "faulty" })

#define kraid_show_action(action)			\
	__print_symbolic(action,			\
		{ KRAID_IDLE, "idle" },			\
		{ KRAID_CHECK, "check" },		\
		{ KRAID_REPAIR, "repair" },		\
		{ KRAID_RESYNC, "resync" },		\
		{ KRAID_RECOVER, "recover" })

TRACE_EVENT(kraid_member,
	TP_PROTO(const struct kraid_member *member, int to),
	TP_ARGS(member, to),
	TP_STRUCT__entry(
		__string(array, kraid_name(member->array))
		__string(path, member->path)
		__field(int, slot)
		__field(int, from)
		__field(int, to)
	),
	TP_fast_assign(
		kio_assign_str(array, kraid_name(member->array));
		kio_assign_str(path, member->path);
		__entry->slot = member->slot;
		__entry->from = member->state;
		__entry->to = to;
	),
	TP_printk("array=%s member=%s leg=%d %s -> %s", __get_str(array),
		  __get_str(path), __entry->slot,
		  kraid_show_state(__entry->from), kraid_show_state(__entry->to))
);

TRACE_EVENT(kraid_sync,
	TP_PROTO(const struct kraid_array *array, int to),
	TP_ARGS(array, to),
	TP_STRUCT__entry(
		__string(array, kraid_name(array))
		__field(int, from)
		__field(int, to)
		__field(u64, pos)
	),
	TP_fast_assign(
		kio_assign_str(array, kraid_name(array));
		__entry->from = array->sync.action;
		__entry->to = to;
		__entry->pos = array->sync.pos;
	),
	TP_printk("array=%s %s -> %s pos=%llu", __get_str(array),
		  kraid_show_action(__entry->from),
		  kraid_show_action(__entry->to), __entry->pos)
);

TRACE_EVENT(kraid_meta,
	TP_PROTO(const struct kraid_array *array, u64 events, bool clean),
	TP_ARGS(array, events, clean),
	TP_STRUCT__entry(
		__string(array, kraid_name(array))
		__field(u64, events)
		__field(bool, clean)
	),
	TP_fast_assign(
		kio_assign_str(array, kraid_name(array));
		__entry->events = events;
		__entry->clean = clean;
	),
	TP_printk("array=%s events=%llu %s", __get_str(array), __entry->events,
		  __entry->clean ? "clean" : "dirty")
);

#endif /* _KRAID_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
