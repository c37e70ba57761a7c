// SPDX-License-Identifier: GPL-2.0
/* 6.7: commands of io_uring hold their entry, and can be cancelled; 528ce6781726 */
#include <linux/io_uring/cmd.h>

const void *probe(struct io_uring_cmd *cmd);
const void *probe(struct io_uring_cmd *cmd)
{
	io_uring_cmd_mark_cancelable(cmd, 0);
	return io_uring_sqe_cmd(cmd->sqe);
}
