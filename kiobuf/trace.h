/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints: events/kiobuf/{submit,clone,remap,endio,cancel} */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kiobuf

#if !defined(_KIOBUF_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _KIOBUF_TRACE_H

#include <linux/kiobuf.h>
#include <linux/kiobuf_dev.h>
#include <linux/tracepoint.h>

#define kiobuf_show_op(op)				\
	__print_symbolic(op,				\
		{ KIOBUF_READ, "read" },		\
		{ KIOBUF_WRITE, "write" },		\
		{ KIOBUF_FLUSH, "flush" },		\
		{ KIOBUF_DISCARD, "discard" },		\
		{ KIOBUF_WRITE_ZEROES, "zeroes" })

DECLARE_EVENT_CLASS(kiobuf_header,
	TP_PROTO(const struct kiobuf *kb),
	TP_ARGS(kb),
	TP_STRUCT__entry(
		__field(const void *, kb)
		__field(const void *, parent)
		__string(dev, kb->dev ? kb->dev->name : "-")
		__field(u8, op)
		__field(u64, pos)
		__field(u64, length)
		__field(u64, bytes)
		__field(int, error)
	),
	TP_fast_assign(
		__entry->kb = kb;
		__entry->parent = kb->parent;
		kio_assign_str(dev, kb->dev ? kb->dev->name : "-");
		__entry->op = kb->op;
		__entry->pos = kb->pos;
		__entry->length = kb->length;
		__entry->bytes = kb->bytes;
		__entry->error = kb->error;
	),
	TP_printk("kb=%p parent=%p dev=%s op=%s pos=%llu length=%llu bytes=%llu error=%d",
		  __entry->kb, __entry->parent, __get_str(dev),
		  kiobuf_show_op(__entry->op), __entry->pos, __entry->length,
		  __entry->bytes, __entry->error)
);

DEFINE_EVENT(kiobuf_header, submit,
	TP_PROTO(const struct kiobuf *kb), TP_ARGS(kb));
DEFINE_EVENT(kiobuf_header, clone,
	TP_PROTO(const struct kiobuf *kb), TP_ARGS(kb));
DEFINE_EVENT(kiobuf_header, endio,
	TP_PROTO(const struct kiobuf *kb), TP_ARGS(kb));
DEFINE_EVENT(kiobuf_header, cancel,
	TP_PROTO(const struct kiobuf *kb), TP_ARGS(kb));

TRACE_EVENT(remap,
	TP_PROTO(const struct kiobuf *kb, const struct kiobuf_dev *from),
	TP_ARGS(kb, from),
	TP_STRUCT__entry(
		__field(const void *, kb)
		__string(from, from->name)
		__string(dev, kb->dev->name)
		__field(u64, pos)
		__field(u64, length)
	),
	TP_fast_assign(
		__entry->kb = kb;
		kio_assign_str(from, from->name);
		kio_assign_str(dev, kb->dev->name);
		__entry->pos = kb->pos;
		__entry->length = kb->length;
	),
	TP_printk("kb=%p from=%s dev=%s pos=%llu length=%llu",
		  __entry->kb, __get_str(from), __get_str(dev), __entry->pos,
		  __entry->length)
);

#endif /* _KIOBUF_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
