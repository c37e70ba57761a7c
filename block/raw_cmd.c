// SPDX-License-Identifier: GPL-2.0
/*
 * Commands of io_uring to the raw device: reads and writes that can be cancelled one
 * by one, by a number of the caller's. io_uring itself cancels no I/O that has begun.
 */
#include <linux/module.h>
#include <uring.h>

#include "raw.h"

static struct kraw_req **kraw_cmd_slot(struct io_uring_cmd *cmd)
{
	BUILD_BUG_ON(sizeof(struct kraw_req *) > sizeof(cmd->pdu));
	return (struct kraw_req **)cmd->pdu;
}

/* ---- the end ---- */

/* In the task that gave the command, where its request is let go of. */
static void kraw_cmd_tell(struct io_uring_cmd *cmd, unsigned int flags)
{
	struct kraw_req *req = *kraw_cmd_slot(cmd);
	ssize_t ret = kraw_result(req);

	io_uring_cmd_done(cmd, ret, 0, flags);
	/* Until then it may be asked to cancel it. */
	kraw_req_put(req);
}

static void kraw_cmd_ended(struct kraw_req *req, ssize_t ret)
{
	refcount_inc(&req->refs);
	io_uring_cmd_complete_in_task(req->context, kraw_cmd_tell);
}

/* ---- read and write ---- */

static int kraw_cmd_get_io(const struct kiobuf_raw_cmd *what,
			   struct kiobuf_raw_io *io, bool write)
{
	const u32 known = write ? KIOBUF_RAW_IO_DSYNC : 0;

	if (copy_from_user(io, u64_to_user_ptr(what->io), sizeof(*io)))
		return -EFAULT;
	if (io->flags & ~known || io->reserved || io->length > MAX_RW_COUNT ||
	    io->pos > S64_MAX)
		return -EINVAL;
	return 0;
}

/* A buffer registered with io_uring, or any. */
static int kraw_cmd_iter(struct io_uring_cmd *cmd,
			 const struct kiobuf_raw_io *io, bool write,
			 struct iov_iter *iter)
{
	int rw = write ? WRITE : READ;

	if (cmd->flags & IORING_URING_CMD_FIXED)
		return io_uring_cmd_import_fixed(io->buffer, io->length, rw,
						 iter, cmd);
	if (!access_ok(u64_to_user_ptr(io->buffer), io->length))
		return -EFAULT;
	iov_iter_ubuf(iter, rw, u64_to_user_ptr(io->buffer), io->length);
	return 0;
}

static int kraw_cmd_start(struct io_uring_cmd *cmd, struct kraw_req *req,
			  u64 id, unsigned int flags)
{
	int ret;

	req->ended = kraw_cmd_ended;
	req->context = cmd;
	req->id = id;
	req->is_cmd = true;
	ret = kraw_req_begin(req);
	if (ret)
		return ret;
	*kraw_cmd_slot(cmd) = req;
	kio_uring_mark_cancelable(cmd, flags);
	req->kb.flags &= ~KIOBUF_NOWAIT;
	return kraw_req_go(req) ?: -EIOCBQUEUED;
}

static int kraw_cmd_rw(struct io_uring_cmd *cmd,
		       const struct kiobuf_raw_cmd *what, bool write,
		       unsigned int flags)
{
	struct kraw_file *file = cmd->file->private_data;
	bool nowait = flags & IO_URING_F_NONBLOCK;
	struct kiobuf_raw_io io;
	struct iov_iter iter;
	struct kraw_req *req;
	ssize_t ret;
	u32 how;

	if (!(cmd->file->f_mode & (write ? FMODE_WRITE : FMODE_READ)))
		return -EBADF;
	ret = kraw_cmd_get_io(what, &io, write) ?:
	      kraw_cmd_iter(cmd, &io, write, &iter);
	if (ret)
		return ret;
	ret = kraw_check(file, &iter, io.pos, write);
	if (ret <= 0)
		return ret;
	ret = kraw_cache_sync(file, io.pos, ret, write, nowait);
	if (ret)
		return ret;
	how = (io.flags & KIOBUF_RAW_IO_DSYNC ? KIOBUF_FUA : 0) |
	      (nowait ? KIOBUF_NOWAIT : 0);
	if (!kraw_mem_fits(file, &iter, io.pos))
		return kraw_copy(file, &iter, io.pos, write, how);
	req = kraw_req_direct(file, &iter, io.pos, write, how);
	return IS_ERR(req) ? PTR_ERR(req) :
			     kraw_cmd_start(cmd, req, what->id, flags);
}

static int kraw_cmd_cancel(struct io_uring_cmd *cmd,
			   const struct kiobuf_raw_cmd *what)
{
	if (what->io)
		return -EINVAL;
	return kraw_cancel_id(cmd->file->private_data, what->id) ?: -ENOENT;
}

static int kraw_cmd_do(struct io_uring_cmd *cmd, unsigned int flags)
{
	struct kiobuf_raw_cmd what;

	memcpy(&what, kio_uring_cmd_data(cmd), sizeof(what));
	switch (cmd->cmd_op) {
	case KIOBUF_RAW_CMD_READ:
		return kraw_cmd_rw(cmd, &what, false, flags);
	case KIOBUF_RAW_CMD_WRITE:
		return kraw_cmd_rw(cmd, &what, true, flags);
	case KIOBUF_RAW_CMD_CANCEL:
		return kraw_cmd_cancel(cmd, &what);
	default:
		return -ENOTTY;
	}
}

/**
 * kraw_uring_cmd() - a command
 * @cmd: see <uapi/linux/kiobuf.h>
 * @flags: of io_uring
 *
 * Context: process; -EAGAIN where it must not sleep and would, and it is asked again where
 * it may.
 * Return: a negative errno, 0 if that is the result, or -EIOCBQUEUED.
 */
int kraw_uring_cmd(struct io_uring_cmd *cmd, unsigned int flags)
{
	int ret;

	if (kio_uring_is_cancel(flags)) {
		kraw_req_cancel_later(*kraw_cmd_slot(cmd));
		return 0;
	}
	ret = kraw_cmd_do(cmd, flags);
	if (ret <= 0)
		return ret;
	/* One of io_uring's workers would take a number of bytes for no answer. */
	io_uring_cmd_done(cmd, ret, 0, flags);
	return -EIOCBQUEUED;
}
