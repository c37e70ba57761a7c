/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The raw device: /dev/kio/raw/NAME, a character device beside each disk.
 *
 * raw.c	nodes, open files, what is asked of them
 * raw_io.c	requests: made, submitted, waited for, ended, cancelled
 * raw_mem.c	the memory of a request
 * raw_copy.c	requests that are no whole blocks, or whose memory the device cannot use
 * raw_cmd.c	commands of io_uring
 *
 * An open file holds the block device open, so what is said of a disk that is in use
 * holds for the raw device too: it cannot be taken down.
 *
 * Lock order, outermost first:
 *	raw->lock	raw->up, across opening the disk: disk->open_mutex
 *	raw->edges	who changes part of a block
 *	file->lock	irq-safe; the list of requests, the last failure
 */
#ifndef _KBLK_RAW_H
#define _KBLK_RAW_H

#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/uio.h>
#include <uapi/linux/kiobuf.h>

#include "block.h"

#define KRAW_FEW	4
#define KRAW_FRAMES	2
#define KRAW_HASH_BITS	8

/**
 * struct kraw - a node
 * @dev: its place in sysfs; frees this
 * @cdev: its operations
 * @kd: the disk, while @up
 * @disk: number of the disk, likewise
 * @lock: guards @up
 * @up: may be opened
 * @edges: held while part of a block is read, changed and written back
 */
struct kraw {
	struct device	dev;
	struct cdev	cdev;
	struct kblk_disk *kd;
	dev_t		disk;
	struct mutex	lock;
	bool		up;
	struct mutex	edges;
};

/**
 * struct kraw_file - an open file; outlives it while a request of a killed process does
 * @raw: its node
 * @kd: the disk, which stays up
 * @open: keeps it so
 * @user: whose pinned memory is charged, NULL if nobody's
 * @refs: the open file, and requests that nobody waits for
 * @work: closes it where that may sleep
 * @lock: guards what follows; irq-safe
 * @requests: struct kraw_req that have not ended
 * @commands: those of them that have a number
 * @failure: the last one that failed
 * @ranges: the first of its ranges
 */
struct kraw_file {
	struct kraw		*raw;
	struct kblk_disk	*kd;
	struct kio_bdev		open;
	struct user_struct	*user;
	refcount_t		refs;
	struct work_struct	work;
	spinlock_t		lock;
	struct list_head	requests;
	DECLARE_HASHTABLE(commands, KRAW_HASH_BITS);
	struct kiobuf_raw_failure failure;
	struct kiobuf_raw_range	ranges[KIOBUF_RAW_MAX_RANGES];
};

/**
 * struct kraw_mem - memory of a request
 * @vec: what the device sees
 * @frags: its table, @few or one of its own
 * @nr: pages that are pinned, each a fragment of @frags
 * @skip: bytes of the first fragment before the memory
 * @write: the device fills it
 * @user: who is charged for @nr pages, NULL if nobody
 * @few: fragments of a small request
 */
struct kraw_mem {
	struct kiobuf_vec	vec;
	struct bio_vec		*frags;
	unsigned int		nr;
	unsigned int		skip;
	bool			write;
	struct user_struct	*user;
	struct bio_vec		few[KRAW_FEW];
};

/**
 * struct kraw_req - a request
 * @kb: its header
 * @frames: behind it, for layers that want to see it again
 * @file: where it came from
 * @ended: told of the result, once, where it may not sleep; NULL: somebody waits
 * @context: of @ended: the kiocb or the command
 * @mem: its memory
 * @pages: kernel pages in place of it, NULL for none
 * @pos: where it began; @kb's own moves
 * @id: of a command
 * @start: jiffies when it was counted in
 * @owner: files of the process that began it
 * @refs: the I/O, and who waits or cancels
 * @retry: who began it does so again if it would have to wait: see kraw_req_go()
 * @again: first that sees that, the end or kraw_req_go()
 * @stay: its waiter stays until it has ended, killed or not
 * @orphan: its waiter was killed: it has a reference on @file
 * @hurt: it is being cancelled
 * @is_cmd: has an @id
 * @list: in file->requests
 * @by_id: in file->commands
 * @cancel: cancels it
 * @release: frees it where that may sleep
 */
struct kraw_req {
	struct kiobuf		kb;
	struct kiobuf_frame	frames[KRAW_FRAMES];
	struct kraw_file	*file;
	void			(*ended)(struct kraw_req *req, ssize_t ret);
	void			*context;
	struct kraw_mem		mem;
	struct kiobuf_vec	*pages;
	u64			pos;
	u64			id;
	unsigned long		start;
	fl_owner_t		owner;
	refcount_t		refs;
	bool			retry;
	atomic_t		again;
	bool			stay;
	bool			orphan;
	bool			hurt;
	bool			is_cmd;
	struct list_head	list;
	struct hlist_node	by_id;
	struct work_struct	cancel;
	struct work_struct	release;
};

/* raw.c */
int kraw_init(void);
void kraw_exit(void);
int kraw_add(struct kblk_disk *kd);
void kraw_del(struct kblk_disk *kd);
void kraw_file_put(struct kraw_file *file);

extern struct workqueue_struct *kraw_wq;

static inline struct block_device *kraw_bdev(const struct kraw_file *file)
{
	return file->open.bdev;
}

static inline unsigned int kraw_block_size(const struct kraw_file *file)
{
	return bdev_logical_block_size(kraw_bdev(file));
}

/* raw_mem.c */
bool kraw_mem_fits(const struct kraw_file *file, const struct iov_iter *iter,
		   u64 pos);
int kraw_mem_get(struct kraw_mem *mem, struct kraw_file *file,
		 struct iov_iter *iter, bool write);
void kraw_mem_dirty(struct kraw_mem *mem);
bool kraw_mem_is_quick(const struct kraw_mem *mem);
void kraw_mem_put(struct kraw_mem *mem);

/* raw_io.c */
int kraw_cache_init(void);
void kraw_cache_exit(void);
struct kraw_req *kraw_req_new(struct kraw_file *file, enum kiobuf_op op,
			      u64 pos, u64 length);
void kraw_req_put(struct kraw_req *req);
int kraw_req_run(struct kraw_req *req);
int kraw_req_begin(struct kraw_req *req);
int kraw_req_go(struct kraw_req *req);
ssize_t kraw_result(const struct kraw_req *req);
void kraw_req_drop(struct kraw_req *req);
void kraw_req_cancel_later(struct kraw_req *req);
void kraw_cancel_all(struct kraw_file *file, fl_owner_t owner);
unsigned int kraw_cancel_id(struct kraw_file *file, u64 id);
struct kraw_req *kraw_req_direct(struct kraw_file *file, struct iov_iter *iter,
				 u64 pos, bool write, u32 flags);
ssize_t kraw_check(struct kraw_file *file, struct iov_iter *iter, loff_t pos,
		   bool write);
int kraw_cache_sync(struct kraw_file *file, u64 pos, u64 length, bool write,
		    bool nowait);
ssize_t kraw_rw(struct kiocb *iocb, struct iov_iter *iter, bool write);
int kraw_flush(struct kraw_file *file);

/* raw_copy.c */
ssize_t kraw_copy(struct kraw_file *file, struct iov_iter *iter, u64 pos,
		  bool write, u32 flags);

/* raw_cmd.c */
int kraw_uring_cmd(struct io_uring_cmd *cmd, unsigned int flags);

#endif /* _KBLK_RAW_H */
