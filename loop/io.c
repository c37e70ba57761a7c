// SPDX-License-Identifier: GPL-2.0
/*
 * The data path: a header's window of the shared vector is handed to the file as
 * an iov_iter, without a copy of the fragment list.
 */
#include <linux/falloc.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "kloop.h"

#define KLOOP_CMD_RESERVE 16
/* Commands with the file system at a time. */
#define KLOOP_MAX_RUNNING 128

/**
 * struct kloop_cmd - a header on its way through the file
 * @iocb: what the file system gets
 * @work: runs it, or what is left of it
 * @loop: the device
 * @kb: the header
 * @done: bytes that the file has taken or given
 * @result: of the call under way, once its completion was called
 * @shares: of the call: the file system looks at the iocb until it returns, even if
 *	the completion comes before
 */
struct kloop_cmd {
	struct kiocb		iocb;
	struct work_struct	work;
	struct kloop_dev	*loop;
	struct kiobuf		*kb;
	u64			done;
	ssize_t			result;
	atomic_t		shares;
};

/* The device may go once the header has ended: that comes last. */
static void kloop_end(struct kloop_cmd *cmd, u64 bytes, int error)
{
	struct kloop_dev *loop = cmd->loop;
	struct kiobuf *kb = cmd->kb;

	mempool_free(cmd, &loop->cmds);
	if (atomic_dec_return(&loop->running) == KLOOP_MAX_RUNNING - 1)
		queue_work(loop->object.kd.dev.wq, &loop->feeder);
	kiobuf_endio(kb, bytes, error);
}

/* ---- data ---- */

/* What is left of the window. */
static void kloop_iter(const struct kloop_cmd *cmd, struct iov_iter *iter)
{
	kiobuf_to_iter(cmd->kb, iter);
	iov_iter_advance(iter, cmd->done);
}

static ssize_t kloop_call(struct kloop_cmd *cmd)
{
	struct kloop_dev *loop = cmd->loop;
	struct kiobuf *kb = cmd->kb;
	struct iov_iter iter;

	kloop_iter(cmd, &iter);
	cmd->iocb.ki_pos = loop->offset + kb->pos + cmd->done;
	if (kb->op == KIOBUF_WRITE)
		return loop->file->f_op->write_iter(&cmd->iocb, &iter);
	return loop->file->f_op->read_iter(&cmd->iocb, &iter);
}

/*
 * Adds a result. True if the command has come to its end, which is then reported;
 * false if the file took only part and there is more to be tried, so that the
 * errno which stopped it is learnt.
 */
static bool kloop_settle(struct kloop_cmd *cmd, ssize_t ret)
{
	if (ret > 0)
		cmd->done += ret;
	if (ret > 0 && cmd->done < cmd->kb->length)
		return false;
	kloop_end(cmd, cmd->done, ret < 0 ? ret : 0);
	return true;
}

/* Called in any context, by the file system. */
static void kloop_complete(struct kiocb *iocb, long ret)
{
	struct kloop_cmd *cmd = container_of(iocb, struct kloop_cmd, iocb);

	cmd->result = ret;
	if (atomic_dec_and_test(&cmd->shares) && !kloop_settle(cmd, ret))
		queue_work(cmd->loop->wq, &cmd->work);
}

static bool kloop_may_go_direct(const struct kloop_cmd *cmd)
{
	struct kloop_dev *loop = cmd->loop;
	struct iov_iter iter;

	if (!loop->direct)
		return false;
	kloop_iter(cmd, &iter);
	return !((iov_iter_alignment(&iter) | (loop->offset + cmd->kb->pos)) &
		 loop->dio_mask);
}

static void kloop_init_iocb(struct kloop_cmd *cmd)
{
	init_sync_kiocb(&cmd->iocb, cmd->loop->file);
	cmd->iocb.ki_ioprio = cmd->kb->ioprio;
	if (cmd->kb->flags & KIOBUF_FUA)
		cmd->iocb.ki_flags |= IOCB_DSYNC;
	if (!kloop_may_go_direct(cmd))
		return;
	cmd->iocb.ki_flags |= IOCB_DIRECT;
	cmd->iocb.ki_complete = kloop_complete;
}

static void kloop_do_data(struct kloop_cmd *cmd)
{
	ssize_t ret;

	do {
		kloop_init_iocb(cmd);
		atomic_set(&cmd->shares, 2);
		ret = kloop_call(cmd);
		if (ret == -EIOCBQUEUED) {
			if (!atomic_dec_and_test(&cmd->shares))
				return;
			ret = cmd->result;
		}
	} while (!kloop_settle(cmd, ret));
}

/* ---- the rest ---- */

static int kloop_fallocate(struct kloop_cmd *cmd, int mode)
{
	struct file *file = cmd->loop->file;

	if (!file->f_op->fallocate)
		return -EOPNOTSUPP;
	return file->f_op->fallocate(file, mode | FALLOC_FL_KEEP_SIZE,
				     cmd->loop->offset + cmd->kb->pos,
				     cmd->kb->length);
}

static int kloop_do_other(struct kloop_cmd *cmd)
{
	struct kiobuf *kb = cmd->kb;
	int ret;

	switch (kb->op) {
	case KIOBUF_FLUSH:
		return vfs_fsync(cmd->loop->file, 1);
	case KIOBUF_DISCARD:
		ret = kloop_fallocate(cmd, FALLOC_FL_PUNCH_HOLE);
		return ret == -EOPNOTSUPP ? 0 : ret;	/* only a hint */
	case KIOBUF_WRITE_ZEROES:
		ret = kloop_fallocate(cmd, kb->flags & KIOBUF_NOUNMAP ?
				      FALLOC_FL_ZERO_RANGE :
				      FALLOC_FL_PUNCH_HOLE);
		if (!ret && kb->flags & KIOBUF_FUA)
			ret = vfs_fsync(cmd->loop->file, 1);
		return ret;
	default:
		return -EOPNOTSUPP;
	}
}

static void kloop_cmd_work(struct work_struct *work)
{
	struct kloop_cmd *cmd = container_of(work, struct kloop_cmd, work);
	unsigned int noio = memalloc_noio_save();
	int ret = kiobuf_cancelled(cmd->kb);

	/* Written-back pages are what cleans our carrier: don't be throttled. */
	current->flags |= PF_LOCAL_THROTTLE;
	if (ret) {
		kloop_end(cmd, cmd->done, ret);
	} else if (kiobuf_op_is_data(cmd->kb->op)) {
		kloop_do_data(cmd);
	} else {
		ret = kloop_do_other(cmd);
		kloop_end(cmd, ret ? 0 : cmd->kb->length, ret);
	}
	current->flags &= ~PF_LOCAL_THROTTLE;
	memalloc_noio_restore(noio);
}

/* ---- the queue ---- */

/* What waits for its turn can still be cancelled, so not all is handed on at once. */
static struct kiobuf *kloop_next(struct kloop_dev *loop)
{
	if (atomic_read(&loop->running) >= KLOOP_MAX_RUNNING)
		return NULL;
	return kiobuf_dequeue(&loop->queue);
}

static void kloop_feed(struct work_struct *work)
{
	struct kloop_dev *loop = container_of(work, struct kloop_dev, feeder);
	struct kloop_cmd *cmd;
	struct kiobuf *kb;

	while ((kb = kloop_next(loop))) {
		atomic_inc(&loop->running);
		cmd = mempool_alloc(&loop->cmds, GFP_NOIO);
		cmd->loop = loop;
		cmd->kb = kb;
		cmd->done = 0;
		INIT_WORK(&cmd->work, kloop_cmd_work);
		queue_work(loop->wq, &cmd->work);
	}
}

static int kloop_submit(struct kiobuf *kb)
{
	struct kloop_dev *loop = kloop_of(kb->dev);

	if (kb->op != KIOBUF_READ && loop->read_only)
		return -EROFS;
	return kiobuf_enqueue(&loop->queue, kb);
}

static bool kloop_cancel(struct kiobuf_dev *dev, struct kiobuf *kb)
{
	return kiobuf_unqueue(&kloop_of(dev)->queue, kb);
}

const struct kiobuf_dev_ops kloop_ops = {
	.submit	= kloop_submit,
	.cancel	= kloop_cancel,
};

void kloop_io_init(struct kloop_dev *loop)
{
	INIT_WORK(&loop->feeder, kloop_feed);
	kiobuf_queue_init(&loop->queue, &loop->feeder,
			  loop->object.kd.dev.wq);
}

int kloop_io_start(struct kloop_dev *loop)
{
	int ret = mempool_init_kmalloc_pool(&loop->cmds, KLOOP_CMD_RESERVE,
					    sizeof(struct kloop_cmd));

	if (ret)
		return ret;
	loop->wq = alloc_workqueue("kloop_%s", WQ_UNBOUND | WQ_MEM_RECLAIM, 0,
				   loop->object.kd.dev.name);
	if (!loop->wq) {
		mempool_exit(&loop->cmds);
		return -ENOMEM;
	}
	return 0;
}

void kloop_io_stop(struct kloop_dev *loop)
{
	flush_work(&loop->feeder);
	destroy_workqueue(loop->wq);
	mempool_exit(&loop->cmds);
}
