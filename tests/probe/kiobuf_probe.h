/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/kiobuf_probe, for tests only: sends a request to one of our devices as a kernel
 * caller would, and tells its exact result, which no block device can.
 *
 * An open file is one request at a time: submit, then reap. A file that is closed
 * before cancels its request and waits for its end.
 */
#ifndef _KIOBUF_PROBE_H
#define _KIOBUF_PROBE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define KIOBUF_PROBE_MAX_BYTES	(16U << 20)
#define KIOBUF_PROBE_MAX_FAULTS	4096U

enum kiobuf_probe_op {
	KIOBUF_PROBE_READ,
	KIOBUF_PROBE_WRITE,
	KIOBUF_PROBE_FLUSH,
	KIOBUF_PROBE_DISCARD,
	KIOBUF_PROBE_ZEROES,
};

#define KIOBUF_PROBE_FUA	(1U << 0)	/* of struct kiobuf_probe_io */

#define KIOBUF_PROBE_NOWAIT	(1U << 0)	/* of struct kiobuf_probe_result */

/**
 * struct kiobuf_probe_io - a request
 * @fd: a disk of ours, open for writing unless @op is a read
 * @op: enum kiobuf_probe_op
 * @flags: KIOBUF_PROBE_FUA
 * @unit: bytes that every fragment of memory is a multiple of and begins at:
 *	512, 1024, 2048 or 4096
 * @pos: byte on the device, in whole blocks
 * @length: bytes, in whole blocks; 0 for a flush, and only there
 * @buffer: address of the data of a write. Of a read too: what the memory holds before
 *	it is read into.
 * @seed: how the memory is cut into fragments; 0: whole pages
 */
struct kiobuf_probe_io {
	__s32	fd;
	__u32	op;
	__u32	flags;
	__u32	unit;
	__u64	pos;
	__u64	length;
	__u64	buffer;
	__u64	seed;
};

/**
 * struct kiobuf_probe_fault - bytes that failed
 * @offset: of the first, from the start of the request
 * @length: how many
 * @error: negative errno
 * @pad: 0
 */
struct kiobuf_probe_fault {
	__u64	offset;
	__u64	length;
	__s32	error;
	__u32	pad;
};

/**
 * struct kiobuf_probe_result - what came of it
 * @flags: in: KIOBUF_PROBE_NOWAIT
 * @max_faults: in: room at @faults
 * @faults: in: address of so many struct kiobuf_probe_fault
 * @buffer: in: address that the data of a read goes to
 * @bytes: length of the good prefix
 * @error: 0 or a negative errno
 * @nr_faults: failed ranges, also those that there is no room for
 */
struct kiobuf_probe_result {
	__u32	flags;
	__u32	max_faults;
	__u64	faults;
	__u64	buffer;
	__u64	bytes;
	__s32	error;
	__u32	nr_faults;
};

/*
 * SUBMIT	EBUSY while the file has a request that was not reaped, EBADF, ENOTBLK if the
 *		file is no disk of ours, EPERM if it is not open for what @op does,
 *		EINVAL, ENOMEM, EFAULT
 * REAP		ENOENT without a request, EAGAIN with NOWAIT before its end, EINVAL,
 *		EFAULT
 */
#define KIOBUF_PROBE_SUBMIT	_IOW('K', 0xb0, struct kiobuf_probe_io)
#define KIOBUF_PROBE_REAP	_IOWR('K', 0xb1, struct kiobuf_probe_result)

#endif /* _KIOBUF_PROBE_H */
