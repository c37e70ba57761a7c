// SPDX-License-Identifier: GPL-2.0
/*
 * The data path: a header's window of the shared vector is handed to the file as
 * an iov_iter, without a copy of the fragment list; from the submitter's task if the
 * file can take it without a wait, else from a worker.
 */
#include <linux/falloc.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "kloop.h"

#define KLOOP_CMD_RESERVE 16
/* Commands with the file system at a time. */
#define KLOOP_MAX_RUNNING 128

/**
 * struct kloop_cmd - a header on its way through the file
 * @element: of the pool; not used
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
	struct kiobuf		element;
	struct kiocb		iocb;
	struct work_struct	work;
	struct kloop_dev	*loop;
	struct kiobuf		*kb;
	u64			done;
	ssize_t			result;
	atomic_t		shares;
};

static void kloop_cmd_work(struct work_struct *work);

/* What waits for its turn can still be cancelled, so not all is handed on at once. */
static bool kloop_take_turn(struct kloop_dev *loop)
{
	return atomic_add_unless(&loop->running, 1, KLOOP_MAX_RUNNING);
}

static void kloop_end_turn(struct kloop_dev *loop)
{
	if (atomic_dec_return(&loop->running) == KLOOP_MAX_RUNNING - 1)
		queue_work(loop->object.kd.dev.wq, &loop->feeder);
}

static struct kloop_cmd *kloop_new_cmd(struct kloop_dev *loop,
				       struct kiobuf *kb, gfp_t gfp)
{
	struct kiobuf *element = kiobuf_pool_alloc(&loop->cmds, gfp);
	struct kloop_cmd *cmd;

	if (!element)
		return NULL;
	cmd = container_of(element, struct kloop_cmd, element);
	cmd->loop = loop;
	cmd->kb = kb;
	cmd->done = 0;
	return cmd;
}

/* The device may go once the header has ended: that comes last. */
static void kloop_end(struct kloop_cmd *cmd, u64 bytes, int error)
{
	struct kloop_dev *loop = cmd->loop;
	struct kiobuf *kb = cmd->kb;

	kiobuf_pool_free(&loop->cmds, &cmd->element);
	kloop_end_turn(loop);
	kiobuf_endio(kb, bytes, error);
}

static void kloop_hand_over(struct kloop_cmd *cmd)
{
	INIT_WORK(&cmd->work, kloop_cmd_work);
	queue_work(cmd->loop->wq, &cmd->work);
}

/* ---- data ---- */

/* May be another's errors than those of the file: a worker finds out. */
static bool kloop_is_soft(ssize_t ret)
{
	switch (ret) {
	case 0:
	case -EAGAIN:
	case -EINTR:
	case -ENOMEM:
	case -EOPNOTSUPP:
	case -ERESTARTSYS:
		return true;
	default:
		return false;
	}
}

/*
 * Adds a result. True if the command has come to its end, which is then reported;
 * false if the file took only part, or would have had to wait, and there is more to be
 * tried, so that the errno which stopped it is learnt.
 */
static bool kloop_settle(struct kloop_cmd *cmd, ssize_t ret)
{
	if (ret > 0)
		cmd->done += ret;
	if (ret > 0 && cmd->done < cmd->kb->length)
		return false;
	if (cmd->iocb.ki_flags & IOCB_NOWAIT && kloop_is_soft(ret))
		return false;
	kloop_end(cmd, cmd->done, ret < 0 ? ret : 0);
	return true;
}

/*
 * A frozen file system takes no writes, and counts on it that none is under way.
 * Left by whoever ends the call, so lockdep is told that this task has left.
 */
static bool kloop_start_write(const struct kloop_cmd *cmd)
{
	struct super_block *sb = file_inode(cmd->loop->file)->i_sb;

	if (!(cmd->iocb.ki_flags & IOCB_NOWAIT))
		sb_start_write(sb);
	else if (!sb_start_write_trylock(sb))
		return false;
	__sb_writers_release(sb, SB_FREEZE_WRITE);
	return true;
}

static void kloop_end_write(const struct kloop_cmd *cmd)
{
	struct super_block *sb = file_inode(cmd->loop->file)->i_sb;

	__sb_writers_acquired(sb, SB_FREEZE_WRITE);
	sb_end_write(sb);
}

/* Called in any context, by the file system. */
static void kloop_complete(struct kiocb *iocb, long ret)
{
	struct kloop_cmd *cmd = container_of(iocb, struct kloop_cmd, iocb);

	if (cmd->kb->op == KIOBUF_WRITE)
		kloop_end_write(cmd);
	cmd->result = ret;
	if (atomic_dec_and_test(&cmd->shares) && !kloop_settle(cmd, ret))
		kloop_hand_over(cmd);
}

static bool kloop_may_go_direct(const struct kloop_cmd *cmd,
				const struct iov_iter *iter)
{
	struct kloop_dev *loop = cmd->loop;

	return loop->direct && !((iov_iter_alignment(iter) |
				  (loop->offset + cmd->kb->pos)) &
				 loop->dio_mask);
}

/* What is left of the window, and the call for it. */
static void kloop_prepare(struct kloop_cmd *cmd, struct iov_iter *iter,
			  int flags)
{
	struct kloop_dev *loop = cmd->loop;
	struct kiobuf *kb = cmd->kb;

	kiobuf_to_iter(kb, iter);
	if (unlikely(cmd->done))
		iov_iter_advance(iter, cmd->done);
	cmd->iocb = (struct kiocb) {
		.ki_filp	= loop->file,
		.ki_pos		= loop->offset + kb->pos + cmd->done,
		.ki_flags	= loop->file->f_iocb_flags | flags,
		.ki_ioprio	= kb->ioprio,
	};
	if (kb->flags & KIOBUF_FUA)
		cmd->iocb.ki_flags |= IOCB_DSYNC;
	if (kloop_may_go_direct(cmd, iter)) {
		cmd->iocb.ki_flags |= IOCB_DIRECT;
		cmd->iocb.ki_complete = kloop_complete;
	} else if (flags & IOCB_NOWAIT) {
		/* Only what is there: readahead may block for the mapping. */
		cmd->iocb.ki_flags |= IOCB_NOIO;
	}
}

static ssize_t kloop_write(struct kloop_cmd *cmd, struct iov_iter *iter)
{
	ssize_t ret;

	/* The page cache throttles who dirties it. */
	if (cmd->iocb.ki_flags & IOCB_NOIO || !kloop_start_write(cmd))
		return -EAGAIN;
	ret = cmd->loop->file->f_op->write_iter(&cmd->iocb, iter);
	if (ret != -EIOCBQUEUED)
		kloop_end_write(cmd);
	return ret;
}

/* A result, or -EIOCBQUEUED: then the command is no longer ours. */
static ssize_t kloop_call(struct kloop_cmd *cmd, int flags)
{
	struct iov_iter iter;
	ssize_t ret;

	kloop_prepare(cmd, &iter, flags);
	atomic_set(&cmd->shares, 2);
	ret = cmd->kb->op == KIOBUF_WRITE ? kloop_write(cmd, &iter) :
	      cmd->loop->file->f_op->read_iter(&cmd->iocb, &iter);
	if (ret != -EIOCBQUEUED)
		return ret;
	return atomic_dec_and_test(&cmd->shares) ? cmd->result : ret;
}

/* In a worker. */
static void kloop_do_data(struct kloop_cmd *cmd)
{
	ssize_t ret;

	do {
		ret = kloop_call(cmd, 0);
	} while (ret != -EIOCBQUEUED && !kloop_settle(cmd, ret));
}

/* Has it gone to the file? Else a worker has to take it. */
static bool kloop_try_here(struct kloop_dev *loop, struct kiobuf *kb)
{
	struct kloop_visit visit;
	struct kloop_cmd *cmd;
	ssize_t ret;

	if (!kloop_take_turn(loop))
		return false;
	cmd = kloop_new_cmd(loop, kb, GFP_NOWAIT);
	if (unlikely(!cmd)) {
		kloop_end_turn(loop);
		return false;
	}
	kloop_enter(&visit);
	ret = kloop_call(cmd, IOCB_NOWAIT);
	kloop_leave(&visit);
	if (ret != -EIOCBQUEUED && !kloop_settle(cmd, ret))
		kloop_hand_over(cmd);
	return true;
}

/* ---- the rest ---- */

static int kloop_fallocate(struct kloop_cmd *cmd, int mode)
{
	struct file *file = cmd->loop->file;
	int ret;

	if (!file->f_op->fallocate)
		return -EOPNOTSUPP;
	file_start_write(file);
	ret = file->f_op->fallocate(file, mode | FALLOC_FL_KEEP_SIZE,
				    cmd->loop->offset + cmd->kb->pos,
				    cmd->kb->length);
	file_end_write(file);
	return ret;
}

/* Of what lies in the device; the rest of the file is others' to flush. */
static int kloop_fsync(struct kloop_cmd *cmd, u64 pos, u64 length)
{
	u64 start = cmd->loop->offset + pos;

	return vfs_fsync_range(cmd->loop->file, start, start + length - 1, 1);
}

static int kloop_do_other(struct kloop_cmd *cmd)
{
	struct kiobuf *kb = cmd->kb;
	int ret;

	switch (kb->op) {
	case KIOBUF_FLUSH:
		return kloop_fsync(cmd, 0, kb->dev->size);
	case KIOBUF_DISCARD:
		ret = kloop_fallocate(cmd, FALLOC_FL_PUNCH_HOLE);
		return ret == -EOPNOTSUPP ? 0 : ret;	/* only a hint */
	case KIOBUF_WRITE_ZEROES:
		ret = kloop_fallocate(cmd, kb->flags & KIOBUF_NOUNMAP ?
				      FALLOC_FL_ZERO_RANGE :
				      FALLOC_FL_PUNCH_HOLE);
		if (!ret && kb->flags & KIOBUF_FUA)
			ret = kloop_fsync(cmd, kb->pos, kb->length);
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

static struct kiobuf *kloop_next(struct kloop_dev *loop)
{
	struct kiobuf *kb;

	if (!kloop_take_turn(loop))
		return NULL;
	kb = kiobuf_dequeue(&loop->queue);
	if (!kb)
		atomic_dec(&loop->running);
	return kb;
}

static void kloop_feed(struct work_struct *work)
{
	struct kloop_dev *loop = container_of(work, struct kloop_dev, feeder);
	struct kiobuf *kb;

	while ((kb = kloop_next(loop)))
		kloop_hand_over(kloop_new_cmd(loop, kb, GFP_NOIO));
}

/*
 * FUA waits for the disk. The file may not grow beyond what the writer's own files may,
 * but it is none of his.
 */
static bool kloop_may_write_here(const struct kloop_dev *loop,
				 const struct kiobuf *kb)
{
	return loop->direct && !(kb->flags & KIOBUF_FUA) &&
	       rlimit(RLIMIT_FSIZE) == RLIM_INFINITY;
}

/* All but data takes the file system's locks. */
static bool kloop_may_try_here(const struct kloop_dev *loop,
			       const struct kiobuf *kb)
{
	return loop->nowait &&
	       (kb->op == KIOBUF_READ ||
		(kb->op == KIOBUF_WRITE && kloop_may_write_here(loop, kb))) &&
	       kloop_may_enter();
}

static int kloop_submit(struct kiobuf *kb)
{
	struct kloop_dev *loop = kloop_of(kb->dev);

	if (kb->op != KIOBUF_READ && loop->read_only)
		return -EROFS;
	if (kloop_may_try_here(loop, kb) && kloop_try_here(loop, kb))
		return KIOBUF_SUBMITTED;
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
	int ret = kiobuf_pool_init(&loop->cmds, sizeof(struct kloop_cmd), 0,
				   KLOOP_CMD_RESERVE);

	if (ret)
		return ret;
	loop->wq = alloc_workqueue("kloop_%s", WQ_UNBOUND | WQ_MEM_RECLAIM, 0,
				   loop->object.kd.dev.name);
	if (!loop->wq) {
		kiobuf_pool_exit(&loop->cmds);
		return -ENOMEM;
	}
	return 0;
}

void kloop_io_stop(struct kloop_dev *loop)
{
	flush_work(&loop->feeder);
	destroy_workqueue(loop->wq);
	kiobuf_pool_exit(&loop->cmds);
}
