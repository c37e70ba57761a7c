// SPDX-License-Identifier: GPL-2.0
/*
 * Raw requests: made, submitted, waited for, ended, cancelled.
 *
 * Two hold a request: the I/O, until kraw_end_io() is done with it, and who waits for
 * it, if somebody does. A killed waiter leaves at once, once what can be cancelled was;
 * what the hardware has keeps its pages, and the device its file, until it has ended.
 */
#include <linux/aio.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "account.h"
#include "raw.h"

static struct kmem_cache *kraw_cache;

static enum req_op kraw_op(const struct kraw_req *req)
{
	if (req->kb.op == KIOBUF_FLUSH)
		return REQ_OP_FLUSH;
	return req->kb.op == KIOBUF_READ ? REQ_OP_READ : REQ_OP_WRITE;
}

/* ---- life ---- */

static void kraw_cancel_work(struct work_struct *work)
{
	struct kraw_req *req = container_of(work, struct kraw_req, cancel);

	kiobuf_cancel(&req->kb, -ECANCELED);
	kraw_req_put(req);
}

static void kraw_free_pages(struct kiobuf_vec *pages)
{
	u32 i;

	if (!pages)
		return;
	for (i = 0; i < pages->nr; i++)
		__free_page(pages->frags[i].bv_page);
	kiobuf_vec_put(pages);
}

static void kraw_req_free(struct kraw_req *req)
{
	if (req->orphan)
		kraw_file_put(req->file);
	kmem_cache_free(kraw_cache, req);
}

/* Its memory, where that may sleep. */
static void kraw_req_empty(struct kraw_req *req)
{
	kraw_mem_put(&req->mem);
	kraw_free_pages(req->pages);
	req->pages = NULL;
}

static void kraw_finish(struct kraw_req *req);

static void kraw_release_work(struct work_struct *work)
{
	struct kraw_req *req = container_of(work, struct kraw_req, release);

	if (refcount_read(&req->refs)) {
		kraw_finish(req);
		return;
	}
	kraw_req_empty(req);
	kraw_req_free(req);
}

/**
 * kraw_req_new() - make a request
 * @file: where it goes
 * @op: operation
 * @pos: on the device
 * @length: bytes
 *
 * Its memory is the caller's to add. Context: process, sleeps.
 * Return: the request, to be submitted or dropped; NULL without memory.
 */
struct kraw_req *kraw_req_new(struct kraw_file *file, enum kiobuf_op op,
			      u64 pos, u64 length)
{
	struct kraw_req *req = kmem_cache_alloc(kraw_cache, GFP_KERNEL);
	struct kraw_mem *mem;

	if (!req)
		return NULL;
	kiobuf_init(&req->kb, &file->kd->dev, op, pos, NULL, length);
	kiobuf_lend_frames(&req->kb, KRAW_FRAMES);
	req->file = file;
	req->ended = NULL;
	mem = &req->mem;
	mem->frags = mem->few;
	mem->nr = 0;
	mem->skip = 0;
	mem->user = NULL;
	req->pages = NULL;
	refcount_set(&req->refs, 1);
	req->retry = false;
	atomic_set(&req->again, 0);
	req->stay = false;
	req->orphan = false;
	req->hurt = false;
	INIT_LIST_HEAD(&req->list);
	INIT_HLIST_NODE(&req->by_id);
	req->is_cmd = false;
	INIT_WORK(&req->cancel, kraw_cancel_work);
	INIT_WORK(&req->release, kraw_release_work);
	return req;
}

/**
 * kraw_req_put() - drop a reference
 * @req: the request
 *
 * Context: any.
 */
void kraw_req_put(struct kraw_req *req)
{
	if (!refcount_dec_and_test(&req->refs))
		return;
	if (likely(!req->mem.nr && !req->pages))
		kraw_req_free(req);
	else
		queue_work(kraw_wq, &req->release);
}

/**
 * kraw_req_drop() - drop a reference, and the memory
 * @req: a request that has ended or was never submitted
 *
 * Context: process, sleeps.
 */
void kraw_req_drop(struct kraw_req *req)
{
	kraw_req_empty(req);
	kraw_req_put(req);
}

/* ---- the end ---- */

/**
 * kraw_result() - how a request did
 * @req: request that has ended
 *
 * Return: bytes up to the first that failed, or its errno if there are none; also if
 * all were moved, but not what was to follow, such as a flush.
 */
ssize_t kraw_result(const struct kraw_req *req)
{
	const struct kiobuf *kb = &req->kb;

	if (likely(!kb->error))
		return kb->length;
	return kb->bytes && kb->bytes < kb->length ? kb->bytes : kb->error;
}

static int kraw_note_range(const struct kiobuf_fault *fault, void *arg)
{
	struct kraw_req *req = arg;
	struct kraw_file *file = req->file;
	u32 nr = file->failure.nr_ranges++;

	lockdep_assert_held(&file->lock);
	if (nr < KIOBUF_RAW_MAX_RANGES)
		file->ranges[nr] = (struct kiobuf_raw_range) {
			.pos	= req->pos + fault->offset,
			.length	= fault->length,
			.error	= -fault->error,
		};
	return 0;
}

static noinline void kraw_note_failure(struct kraw_req *req)
{
	static const u32 ops[KIOBUF_NR_OPS] = {
		[KIOBUF_WRITE]	= KIOBUF_RAW_WRITE,
		[KIOBUF_FLUSH]	= KIOBUF_RAW_FLUSH,
	};
	struct kraw_file *file = req->file;
	struct kiobuf_raw_failure *failure = &file->failure;
	struct kiobuf *kb = &req->kb;
	unsigned long flags;

	spin_lock_irqsave(&file->lock, flags);
	failure->failures++;
	failure->pos = req->pos;
	failure->length = kb->length;
	failure->bytes = kb->bytes;
	failure->error = -kb->error;
	failure->op = ops[kb->op];
	failure->nr_ranges = 0;
	kiobuf_walk_faults(kb, kraw_note_range, req);
	spin_unlock_irqrestore(&file->lock, flags);
}

static void kraw_unlist(struct kraw_req *req)
{
	struct kraw_file *file = req->file;
	unsigned long flags;

	spin_lock_irqsave(&file->lock, flags);
	list_del_init(&req->list);
	hash_del(&req->by_id);
	spin_unlock_irqrestore(&file->lock, flags);
}

/* The file may go once ->ended was called. */
static void kraw_finish(struct kraw_req *req)
{
	ssize_t ret = kraw_result(req);

	kraw_req_empty(req);
	req->ended(req, ret);
	kraw_req_put(req);
}

/* Would it have had to wait for something, and may not? No failure then. */
static bool kraw_would_wait(const struct kraw_req *req)
{
	return req->kb.flags & KIOBUF_NOWAIT && req->kb.error == -EAGAIN;
}

/* Did it end so before kraw_req_go() has returned? Then that tells of it. */
static bool kraw_is_back(struct kraw_req *req)
{
	return req->retry && kraw_would_wait(req) &&
	       !atomic_xchg(&req->again, 1);
}

static void kraw_end_io(struct kiobuf *kb)
{
	struct kraw_req *req = container_of(kb, struct kraw_req, kb);
	struct kblk_disk *kd = req->file->kd;

	if (unlikely(kb->error && !kraw_would_wait(req)))
		kraw_note_failure(req);
	/*
	 * Once it is counted out, the device that it went to may go: no cancel may
	 * look there any more. Who waits for it keeps that open.
	 */
	if (req->ended)
		kiobuf_done(kb);
	kblk_leave(kd, kd->dev.part, req->start, kraw_op(req));
	if (!req->ended) {
		kiobuf_done(kb);
		kraw_req_put(req);
		return;
	}
	kraw_unlist(req);
	if (unlikely(kraw_is_back(req)))
		return;
	if (likely(kraw_mem_is_quick(&req->mem))) {
		req->mem.write = false;
		kraw_finish(req);
	} else {
		queue_work(kraw_wq, &req->release);
	}
}

/* ---- submit ---- */

/* Counts it in; while the disk is frozen it waits for that to end. */
static int kraw_enter(struct kraw_req *req)
{
	struct kblk_disk *kd = req->file->kd;
	int ret;

	for (;;) {
		req->start = READ_ONCE(jiffies);
		if (likely(kblk_enter(kd, kd->dev.part, req->start,
				      kraw_op(req))))
			return 0;
		if (req->kb.flags & KIOBUF_NOWAIT)
			return -EAGAIN;
		ret = wait_event_killable(kd->gate, !READ_ONCE(kd->frozen));
		if (ret)
			return -EINTR;
	}
}

static void kraw_submit(struct kraw_req *req)
{
	struct kiobuf *kb = &req->kb;

	kb->end_io = kraw_end_io;
	/* Devices move it on its way; a failure tells where it began. */
	req->pos = kb->pos;
	kiobuf_submit(kb);
}

/* A fatal signal has come. True if it has ended for all that. */
static bool kraw_give_up(struct kraw_req *req)
{
	kiobuf_cancel(&req->kb, -ECANCELED);
	if (req->stay)
		kiobuf_wait(&req->kb);
	if (kiobuf_is_done(&req->kb))
		return true;
	req->orphan = true;
	refcount_inc(&req->file->refs);
	return false;
}

/**
 * kraw_req_run() - submit a request and wait for its end
 * @req: the request, with its memory
 *
 * Killable: see the top of this file.
 *
 * Context: process, sleeps.
 * Return: 0 when it has ended, see kraw_result(), and the caller still has to
 * kraw_req_drop() it; or a negative errno, @req then being gone.
 */
int kraw_req_run(struct kraw_req *req)
{
	struct kiobuf *kb = &req->kb;
	int ret = kraw_enter(req);

	if (unlikely(ret)) {
		kraw_req_drop(req);
		return ret;
	}
	refcount_inc(&req->refs);
	kraw_submit(req);
	if (wait_event_killable(kb->wait, kiobuf_is_done(kb)) &&
	    !kraw_give_up(req)) {
		kraw_req_put(req);
		return -EINTR;
	}
	return 0;
}

/**
 * kraw_req_begin() - get ready a request that nobody waits for
 * @req: the request, with its memory, ->ended and ->context
 *
 * If this does not fail, kraw_req_go() has to follow. Context: process, sleeps.
 * Return: 0; -EAGAIN or -EINTR, @req then being gone.
 */
int kraw_req_begin(struct kraw_req *req)
{
	struct kraw_file *file = req->file;
	int ret = kraw_enter(req);

	if (unlikely(ret)) {
		kraw_req_drop(req);
		return ret;
	}
	kraw_mem_dirty(&req->mem);
	req->owner = current->files;
	spin_lock_irq(&file->lock);
	list_add_tail(&req->list, &file->requests);
	if (req->is_cmd)
		hash_add(file->commands, &req->by_id, req->id);
	spin_unlock_irq(&file->lock);
	return 0;
}

/**
 * kraw_req_go() - submit it
 * @req: from kraw_req_begin(); cancelled meanwhile or not
 *
 * ->ended is called, but for one case: with KIOBUF_NOWAIT and ->retry, where a layer
 * below would have had to wait.
 *
 * Context: process; sleeps unless KIOBUF_NOWAIT is set.
 * Return: 0; -EAGAIN in that case, @req then being gone.
 */
int kraw_req_go(struct kraw_req *req)
{
	if (likely(!req->retry)) {
		kraw_submit(req);
		return 0;
	}
	refcount_inc(&req->refs);
	kraw_submit(req);
	if (likely(!atomic_xchg(&req->again, 1))) {
		kraw_req_put(req);
		return 0;
	}
	/* Both shares are ours: see kraw_is_back(). */
	kraw_req_put(req);
	kraw_req_drop(req);
	return -EAGAIN;
}

/* ---- cancel ---- */

/**
 * kraw_req_cancel_later() - cancel a request from a context that may not do so itself
 * @req: request whose ->ended has not returned
 *
 * Context: any.
 */
void kraw_req_cancel_later(struct kraw_req *req)
{
	refcount_inc(&req->refs);
	if (!queue_work(kraw_wq, &req->cancel))
		kraw_req_put(req);
}

static bool kraw_is_meant(const struct kraw_req *req, fl_owner_t owner)
{
	return !req->hurt && (!owner || req->owner == owner);
}

/* The next one that is meant, with a reference; NULL at the end. */
static struct kraw_req *kraw_next_meant(struct kraw_file *file,
					fl_owner_t owner)
{
	struct kraw_req *req, *found = NULL;

	spin_lock_irq(&file->lock);
	list_for_each_entry(req, &file->requests, list) {
		if (!kraw_is_meant(req, owner))
			continue;
		req->hurt = true;
		refcount_inc(&req->refs);
		found = req;
		break;
	}
	spin_unlock_irq(&file->lock);
	return found;
}

/**
 * kraw_cancel_all() - cancel what was begun through a file
 * @file: the file
 * @owner: of the process that is meant, NULL for all
 *
 * Context: process; what is pulled ends here.
 */
void kraw_cancel_all(struct kraw_file *file, fl_owner_t owner)
{
	struct kraw_req *req;

	while ((req = kraw_next_meant(file, owner))) {
		kiobuf_cancel(&req->kb, -ECANCELED);
		kraw_req_put(req);
	}
}

static struct kraw_req *kraw_next_of_id(struct kraw_file *file, u64 id)
{
	struct kraw_req *req;

	lockdep_assert_held(&file->lock);
	hash_for_each_possible(file->commands, req, by_id, id)
		if (req->id == id && !req->hurt)
			return req;
	return NULL;
}

/**
 * kraw_cancel_id() - cancel commands
 * @file: where they were given
 * @id: number that they were given with
 *
 * Context: process; what is pulled ends here.
 * Return: how many were told.
 */
unsigned int kraw_cancel_id(struct kraw_file *file, u64 id)
{
	struct kraw_req *req;
	unsigned int nr = 0;

	for (;; nr++) {
		spin_lock_irq(&file->lock);
		req = kraw_next_of_id(file, id);
		if (req) {
			req->hurt = true;
			refcount_inc(&req->refs);
		}
		spin_unlock_irq(&file->lock);
		if (!req)
			return nr;
		kiobuf_cancel(&req->kb, -ECANCELED);
		kraw_req_put(req);
	}
}

/* ---- read and write ---- */

/**
 * kraw_check() - may a call do what it wants?
 * @file: the file
 * @iter: its memory, cut to what lies on the device
 * @pos: on the device
 * @write: what it wants
 *
 * Context: any.
 * Return: bytes to be moved, 0 for nothing to be done, or a negative errno.
 */
ssize_t kraw_check(struct kraw_file *file, struct iov_iter *iter, loff_t pos,
		   bool write)
{
	struct block_device *bdev = kraw_bdev(file);
	loff_t size = bdev_nr_bytes(bdev);

	if (write && bdev_read_only(bdev))
		return -EPERM;
	if (!iov_iter_count(iter))
		return 0;
	if (pos < 0)
		return -EINVAL;
	if (pos >= size)
		return write ? -ENOSPC : 0;
	iov_iter_truncate(iter, size - pos);
	return iov_iter_count(iter);
}

/**
 * kraw_cache_sync() - let the block device's page cache not stand in the way
 * @file: the file
 * @pos: on the device
 * @length: bytes that are about to be read or written
 * @write: which of them
 * @nowait: rather fail than sleep
 *
 * What is dirty there is written first; before a write the pages are dropped too.
 *
 * Context: process, sleeps.
 * Return: 0, -EAGAIN, or what writing said.
 */
int kraw_cache_sync(struct kraw_file *file, u64 pos, u64 length, bool write,
		    bool nowait)
{
	struct address_space *mapping = kio_bdev_mapping(&file->open);
	u64 last = pos + length - 1;
	int ret;

	if (likely(!mapping->nrpages))
		return 0;
	if (nowait && filemap_range_has_page(mapping, pos, last))
		return -EAGAIN;
	ret = filemap_write_and_wait_range(mapping, pos, last);
	if (!ret && write)
		invalidate_inode_pages2_range(mapping, pos >> PAGE_SHIFT,
					      last >> PAGE_SHIFT);
	return ret;
}

/**
 * kraw_req_direct() - a request that moves data straight from or to its memory
 * @file: the file
 * @iter: the memory: kraw_mem_fits()
 * @pos: on the device
 * @write: a write
 * @flags: KIOBUF_FUA, KIOBUF_NOWAIT
 *
 * Context: process, sleeps.
 * Return: the request, or ERR_PTR.
 */
struct kraw_req *kraw_req_direct(struct kraw_file *file, struct iov_iter *iter,
				 u64 pos, bool write, u32 flags)
{
	size_t length = iov_iter_count(iter);
	struct kraw_req *req;
	int ret;

	req = kraw_req_new(file, write ? KIOBUF_WRITE : KIOBUF_READ, pos,
			   length);
	if (!req)
		return ERR_PTR(-ENOMEM);
	ret = kraw_mem_get(&req->mem, file, iter, !write);
	if (ret) {
		kraw_req_drop(req);
		return ERR_PTR(ret);
	}
	req->kb.vec = &req->mem.vec;
	req->kb.skip = req->mem.skip;
	req->kb.flags |= flags;
	if (write)
		req->kb.hints = (__force u32)(REQ_SYNC | REQ_IDLE);
	return req;
}

static void kraw_kiocb_ended(struct kraw_req *req, ssize_t ret)
{
	struct kiocb *iocb = req->context;

	if (ret > 0)
		iocb->ki_pos += ret;
	iocb->ki_complete(iocb, ret);
}

/* Under a lock of aio that the end of the request takes too. */
static int kraw_kiocb_cancel(struct kiocb *iocb)
{
	kraw_req_cancel_later(iocb->private);
	return 0;
}

static ssize_t kraw_rw_async(struct kiocb *iocb, struct kraw_req *req)
{
	int ret;

	req->ended = kraw_kiocb_ended;
	req->context = iocb;
	ret = kraw_req_begin(req);
	if (ret)
		return ret;
	iocb->private = req;
	/* From here on aio may want it cancelled, until it was told of its end. */
	if (iocb->ki_flags & IOCB_AIO_RW)
		kiocb_set_cancel_fn(iocb, kraw_kiocb_cancel);
	else
		req->retry = iocb->ki_flags & IOCB_NOWAIT;
	return kraw_req_go(req) ?: -EIOCBQUEUED;
}

static ssize_t kraw_rw_sync(struct kraw_req *req)
{
	ssize_t ret = kraw_req_run(req);

	if (unlikely(ret))
		return ret;
	ret = kraw_result(req);
	kraw_req_drop(req);
	return ret;
}

static u32 kraw_flags(const struct kiocb *iocb, bool write)
{
	return (write && iocb->ki_flags & IOCB_DSYNC ? KIOBUF_FUA : 0) |
	       (iocb->ki_flags & IOCB_NOWAIT ? KIOBUF_NOWAIT : 0);
}

static ssize_t kraw_move(struct kiocb *iocb, struct iov_iter *iter, bool write)
{
	struct kraw_file *file = iocb->ki_filp->private_data;
	u32 flags = kraw_flags(iocb, write);
	/* Pages of a splice go with who waits, and he may be killed before the end. */
	bool lent = is_sync_kiocb(iocb) && iov_iter_is_bvec(iter);
	struct kraw_req *req;

	if (unlikely(lent || !kraw_mem_fits(file, iter, iocb->ki_pos)))
		return kraw_copy(file, iter, iocb->ki_pos, write, flags);
	req = kraw_req_direct(file, iter, iocb->ki_pos, write, flags);
	if (IS_ERR(req))
		return PTR_ERR(req);
	req->kb.ioprio = iocb->ki_ioprio;
	return is_sync_kiocb(iocb) ? kraw_rw_sync(req) :
				     kraw_rw_async(iocb, req);
}

/**
 * kraw_rw() - read or write
 * @iocb: how and where
 * @iter: the memory
 * @write: which of them
 *
 * Context: process, sleeps.
 * Return: bytes moved, a negative errno, or -EIOCBQUEUED.
 */
ssize_t kraw_rw(struct kiocb *iocb, struct iov_iter *iter, bool write)
{
	struct kraw_file *file = iocb->ki_filp->private_data;
	loff_t pos = iocb->ki_pos;
	ssize_t ret = kraw_check(file, iter, pos, write);
	size_t length = ret;

	if (ret <= 0)
		return ret;
	/* Nothing here can be polled for. */
	if (iocb->ki_flags & IOCB_HIPRI)
		return -EOPNOTSUPP;
	ret = kraw_cache_sync(file, pos, length, write,
			      iocb->ki_flags & IOCB_NOWAIT);
	if (ret)
		return ret;
	ret = kraw_move(iocb, iter, write);
	if (ret <= 0)
		return ret;
	if (write)
		kraw_cache_sync(file, pos, length, write, false);
	iocb->ki_pos = pos + ret;
	return ret;
}

/**
 * kraw_flush() - make all that was written durable
 * @file: the file
 *
 * Context: process, sleeps.
 * Return: 0 or a negative errno.
 */
int kraw_flush(struct kraw_file *file)
{
	struct kraw_req *req = kraw_req_new(file, KIOBUF_FLUSH, 0, 0);

	return req ? kraw_rw_sync(req) : -ENOMEM;
}

int __init kraw_cache_init(void)
{
	kraw_cache = KMEM_CACHE(kraw_req, SLAB_HWCACHE_ALIGN);
	return kraw_cache ? 0 : -ENOMEM;
}

void kraw_cache_exit(void)
{
	kmem_cache_destroy(kraw_cache);
}
