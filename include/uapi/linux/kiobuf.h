/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The raw device /dev/kio/raw/NAME: what read(2), write(2), libaio and io_uring do
 * not already say.
 *
 * Results. A call moves bytes up to the first that failed and returns how many; if
 * there are none, it fails with the errno of that failure, exact. KIOBUF_RAW_FAILURE
 * tells more of the last request that failed: which ranges did, and with what.
 *
 * Commands of io_uring (IORING_OP_URING_CMD). sqe->cmd_op is a KIOBUF_RAW_CMD_*, and
 * the 16 bytes of sqe->cmd are a struct kiobuf_raw_cmd. cqe->res is what a call would
 * have returned.
 *
 * Reserved fields and unknown flags must be 0, else EINVAL. Sizes and positions are
 * bytes.
 */
#ifndef _UAPI_LINUX_KIOBUF_H
#define _UAPI_LINUX_KIOBUF_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct kiobuf_raw_range - bytes of a device that failed
 * @pos: of the first
 * @length: how many
 * @error: errno, positive
 * @reserved: 0
 */
struct kiobuf_raw_range {
	__u64	pos;
	__u64	length;
	__u32	error;
	__u32	reserved;
};

/* Ranges that are kept of one failure; if there were more, the first. */
#define KIOBUF_RAW_MAX_RANGES	128

enum kiobuf_raw_op {
	KIOBUF_RAW_READ,
	KIOBUF_RAW_WRITE,
	KIOBUF_RAW_FLUSH,
};

/**
 * struct kiobuf_raw_failure - the last request through this open file that failed
 * @ranges: in: address of an array of struct kiobuf_raw_range, 0 for none
 * @max_ranges: in: entries that it has
 * @nr_ranges: out: how many ranges failed, which may be more than @max_ranges and
 *	KIOBUF_RAW_MAX_RANGES; those that fit were written to @ranges, in ascending order
 * @failures: out: requests that have failed since the file was opened, cancelled ones
 *	included; 0: none has, and what follows is 0
 * @pos: out: where the request began
 * @length: out: how long it was, in whole blocks of the device
 * @bytes: out: how many were good from its beginning on
 * @error: out: errno of the first failure, positive
 * @op: out: enum kiobuf_raw_op
 */
struct kiobuf_raw_failure {
	__u64	ranges;
	__u32	max_ranges;
	__u32	nr_ranges;
	__u64	failures;
	__u64	pos;
	__u64	length;
	__u64	bytes;
	__u32	error;
	__u32	op;
};

#define KIOBUF_RAW_FAILURE	_IOWR(0xb7, 0x40, struct kiobuf_raw_failure)

/*
 * Cancels all that was begun through this open file by libaio or io_uring and has not
 * ended. Each ends as the rules above say, most with ECANCELED. Does not wait for that.
 */
#define KIOBUF_RAW_CANCEL_ALL	_IO(0xb7, 0x41)

/**
 * struct kiobuf_raw_io - a read or write to be done by a command
 * @buffer: address of the memory
 * @pos: on the device
 * @length: bytes
 * @flags: KIOBUF_RAW_IO_*
 * @reserved: 0
 *
 * Has to stay, as the memory has, until the command has ended.
 */
struct kiobuf_raw_io {
	__u64	buffer;
	__u64	pos;
	__u64	length;
	__u32	flags;
	__u32	reserved;
};

/* A write is durable before it ends. */
#define KIOBUF_RAW_IO_DSYNC	(1U << 0)

/**
 * struct kiobuf_raw_cmd - what is in sqe->cmd
 * @io: READ and WRITE: address of a struct kiobuf_raw_io; else 0
 * @id: READ and WRITE: a number of the caller's own choice to cancel it by, need not be
 *	unique. CANCEL: the number
 */
struct kiobuf_raw_cmd {
	__u64	io;
	__u64	id;
};

/*
 * CANCEL: cqe->res is how many commands of this open file with that number it was told to;
 * ENOENT if none was in flight. Each of them still ends by an entry of its own.
 */
#define KIOBUF_RAW_CMD_READ	_IOR(0xb7, 0x50, struct kiobuf_raw_cmd)
#define KIOBUF_RAW_CMD_WRITE	_IOW(0xb7, 0x51, struct kiobuf_raw_cmd)
#define KIOBUF_RAW_CMD_CANCEL	_IOW(0xb7, 0x52, struct kiobuf_raw_cmd)

#endif /* _UAPI_LINUX_KIOBUF_H */
