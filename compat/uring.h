/* SPDX-License-Identifier: GPL-2.0 */
/* Commands of io_uring: where their data is, and how they are cancelled at exit. */
#ifndef _KIO_COMPAT_URING_H
#define _KIO_COMPAT_URING_H

#ifdef KIO_HAVE_URING_SQE

#include <linux/io_uring/cmd.h>

static inline const void *kio_uring_cmd_data(const struct io_uring_cmd *cmd)
{
	return io_uring_sqe_cmd(cmd->sqe);
}

static inline void kio_uring_mark_cancelable(struct io_uring_cmd *cmd,
					     unsigned int flags)
{
	io_uring_cmd_mark_cancelable(cmd, flags);
}

static inline bool kio_uring_is_cancel(unsigned int flags)
{
	return flags & IO_URING_F_CANCEL;
}

#else

#include <linux/io_uring.h>

static inline const void *kio_uring_cmd_data(const struct io_uring_cmd *cmd)
{
	return cmd->cmd;
}

static inline void kio_uring_mark_cancelable(struct io_uring_cmd *cmd,
					     unsigned int flags)
{
}

static inline bool kio_uring_is_cancel(unsigned int flags)
{
	return false;
}

#endif

#endif /* _KIO_COMPAT_URING_H */
