/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All that differs between kernels, forced into every unit. Code elsewhere is
 * written for the newest kernel; kio_probes.h says what this one has.
 */
#ifndef _KIO_COMPAT_H
#define _KIO_COMPAT_H

#include "kio_probes.h"

#include <linux/blkdev.h>
#include <linux/fs.h>
#include <linux/timer.h>
#include <linux/uio.h>
#include <linux/version.h>

/* __assign_str() in tracepoints */
#ifdef KIO_HAVE_ASSIGN_STR_1
#define kio_assign_str(dst, src) __assign_str(dst)
#else
#define kio_assign_str(dst, src) __assign_str(dst, src)
#endif

static inline void kio_timer_delete_sync(struct timer_list *timer)
{
#ifdef KIO_HAVE_TIMER_DELETE
	timer_delete_sync(timer);
#else
	del_timer_sync(timer);
#endif
}

static inline void kio_bio_copy_hint(struct bio *to, const struct bio *from)
{
#ifdef KIO_HAVE_WRITE_HINT
	to->bi_write_hint = from->bi_write_hint;
#endif
}

/**
 * struct kio_bdev - a lower block device that is claimed
 * @bdev: the device
 * @handle: what the kernel wants back to release it
 */
struct kio_bdev {
	struct block_device	*bdev;
	void			*handle;
};

#ifdef KIO_HAVE_BDEV_FILE

#define KIO_DISK_OPEN(name) \
	static int name(struct gendisk *disk, blk_mode_t mode)

#define KIO_DISK_RELEASE(name) \
	static void name(struct gendisk *disk)

static inline int kio_bdev_open(struct kio_bdev *b, const char *path,
				bool write, void *holder)
{
	blk_mode_t mode = BLK_OPEN_READ | (write ? BLK_OPEN_WRITE : 0);
	struct file *file = bdev_file_open_by_path(path, mode, holder, NULL);

	if (IS_ERR(file))
		return PTR_ERR(file);
	b->bdev = file_bdev(file);
	b->handle = file;
	return 0;
}

/* @holder: NULL for one among others */
static inline int kio_bdev_open_dev(struct kio_bdev *b, dev_t dev, bool write,
				    void *holder)
{
	blk_mode_t mode = BLK_OPEN_READ | (write ? BLK_OPEN_WRITE : 0);
	struct file *file = bdev_file_open_by_dev(dev, mode, holder, NULL);

	if (IS_ERR(file))
		return PTR_ERR(file);
	b->bdev = file_bdev(file);
	b->handle = file;
	return 0;
}

static inline void kio_bdev_close(struct kio_bdev *b)
{
	bdev_fput(b->handle);
}

static inline struct address_space *kio_bdev_mapping(const struct kio_bdev *b)
{
	return b->bdev->bd_mapping;
}

#else

#define KIO_DISK_OPEN(name) \
	static int name##_bdev(struct gendisk *disk); \
	static int name(struct block_device *bdev, fmode_t mode) \
	{ return name##_bdev(bdev->bd_disk); } \
	static int name##_bdev(struct gendisk *disk)

#define KIO_DISK_RELEASE(name) \
	static void name##_disk(struct gendisk *disk); \
	static void name(struct gendisk *disk, fmode_t mode) \
	{ name##_disk(disk); } \
	static void name##_disk(struct gendisk *disk)

static inline int kio_bdev_open(struct kio_bdev *b, const char *path,
				bool write, void *holder)
{
	fmode_t mode = FMODE_READ | FMODE_EXCL | (write ? FMODE_WRITE : 0);
	struct block_device *bdev = blkdev_get_by_path(path, mode, holder);

	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	b->bdev = bdev;
	b->handle = (__force void *)(__force unsigned long)mode;
	return 0;
}

/* @holder: NULL for one among others */
static inline int kio_bdev_open_dev(struct kio_bdev *b, dev_t dev, bool write,
				    void *holder)
{
	fmode_t mode = FMODE_READ | (write ? FMODE_WRITE : 0) |
		       (holder ? FMODE_EXCL : 0);
	struct block_device *bdev = blkdev_get_by_dev(dev, mode, holder);

	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	b->bdev = bdev;
	b->handle = (__force void *)(__force unsigned long)mode;
	return 0;
}

static inline struct address_space *kio_bdev_mapping(const struct kio_bdev *b)
{
	return b->bdev->bd_inode->i_mapping;
}

static inline void kio_bdev_close(struct kio_bdev *b)
{
	blkdev_put(b->bdev, (__force fmode_t)(unsigned long)b->handle);
}

#endif /* KIO_HAVE_BDEV_FILE */

#ifdef KIO_HAVE_CONST_DEVNODE
#define KIO_DEVNODE(name) \
	static char *name(const struct device *dev, umode_t *mode)
#else
#define KIO_DEVNODE(name) static char *name(struct device *dev, umode_t *mode)
#endif

#ifdef KIO_HAVE_COPY_SPLICE
#define kio_splice_read copy_splice_read
#else
#define kio_splice_read generic_file_splice_read
#endif

/* The piece of user memory that an iterator stands at, of which some is left. */
static inline unsigned long kio_iter_segment(const struct iov_iter *iter,
					     size_t *length)
{
	const struct iovec *iov;

	if (iter_is_ubuf(iter)) {
		*length = iov_iter_count(iter);
		return (unsigned long)iter->ubuf + iter->iov_offset;
	}
#ifdef KIO_HAVE_ITER_IOV
	iov = iter_iov(iter);
#else
	iov = iter->iov;
#endif
	*length = min(iov->iov_len - iter->iov_offset, iov_iter_count(iter));
	return (unsigned long)iov->iov_base + iter->iov_offset;
}

/**
 * struct kio_limits - queue limits, with what a queue can do beside them
 * @lim: the limits
 * @features: BLK_FEAT_*, where @lim has none
 */
#ifdef KIO_HAVE_LIMIT_FEATURES

struct kio_limits {
	struct queue_limits	lim;
};

static inline bool kio_limits_has(const struct kio_limits *l, blk_features_t f)
{
	return l->lim.features & f;
}

static inline void kio_limits_set(struct kio_limits *l, blk_features_t f)
{
	l->lim.features |= f;
}

static inline void kio_limits_init(struct kio_limits *l)
{
	blk_set_stacking_limits(&l->lim);
	l->lim.features |= BLK_FEAT_NOWAIT | BLK_FEAT_IO_STAT;
	/* Left at its maximum where nothing lies below, and then refused. */
	l->lim.max_zone_append_sectors = 0;
}

static inline void kio_limits_stack(struct kio_limits *l,
				    struct block_device *bdev, sector_t start)
{
	queue_limits_stack_bdev(&l->lim, bdev, start, "kiobuf");
}

static inline struct gendisk *kio_alloc_disk(struct kio_limits *l)
{
	/* A stack never polls: what came back would be a lower queue's. */
	l->lim.features &= ~BLK_FEAT_POLL;
	return blk_alloc_disk(&l->lim, NUMA_NO_NODE);
}

/* The queue is frozen by the caller's own gate: nothing is in flight. */
static inline int kio_disk_set_limits(struct gendisk *disk,
				      struct kio_limits *l)
{
	return queue_limits_set(disk->queue, &l->lim);
}

#else

#define BLK_FEAT_WRITE_CACHE	(1U << 0)
#define BLK_FEAT_FUA		(1U << 1)
#define BLK_FEAT_ROTATIONAL	(1U << 2)
#define BLK_FEAT_STABLE_WRITES	(1U << 5)
#define BLK_FEAT_NOWAIT		(1U << 7)

struct kio_limits {
	struct queue_limits	lim;
	unsigned int		features;
};

static inline bool kio_limits_has(const struct kio_limits *l, unsigned int f)
{
	return l->features & f;
}

static inline void kio_limits_set(struct kio_limits *l, unsigned int f)
{
	l->features |= f;
}

static inline void kio_limits_init(struct kio_limits *l)
{
	blk_set_stacking_limits(&l->lim);
	l->features = BLK_FEAT_NOWAIT;
}

static inline void kio_limits_stack(struct kio_limits *l,
				    struct block_device *bdev, sector_t start)
{
	struct request_queue *q = bdev_get_queue(bdev);

	if (blk_stack_limits(&l->lim, &q->limits,
			     get_start_sect(bdev) + start) < 0)
		pr_notice("kiobuf: %pg is misaligned\n", bdev);
	if (bdev_write_cache(bdev))
		l->features |= BLK_FEAT_WRITE_CACHE;
	if (bdev_fua(bdev))
		l->features |= BLK_FEAT_FUA;
	if (!blk_queue_nonrot(q))
		l->features |= BLK_FEAT_ROTATIONAL;
	if (blk_queue_stable_writes(q))
		l->features |= BLK_FEAT_STABLE_WRITES;
	if (!bdev_nowait(bdev))
		l->features &= ~BLK_FEAT_NOWAIT;
}

static inline void kio_queue_flag(struct request_queue *q, unsigned int flag,
				  bool on)
{
	if (on)
		blk_queue_flag_set(flag, q);
	else
		blk_queue_flag_clear(flag, q);
}

static inline int kio_disk_set_limits(struct gendisk *disk,
				      struct kio_limits *l)
{
	struct request_queue *q = disk->queue;

	q->limits = l->lim;
	blk_queue_write_cache(q, kio_limits_has(l, BLK_FEAT_WRITE_CACHE),
			      kio_limits_has(l, BLK_FEAT_FUA));
	kio_queue_flag(q, QUEUE_FLAG_NONROT,
		       !kio_limits_has(l, BLK_FEAT_ROTATIONAL));
	kio_queue_flag(q, QUEUE_FLAG_STABLE_WRITES,
		       kio_limits_has(l, BLK_FEAT_STABLE_WRITES));
	kio_queue_flag(q, QUEUE_FLAG_NOWAIT,
		       kio_limits_has(l, BLK_FEAT_NOWAIT));
	disk_update_readahead(disk);
	return 0;
}

static inline struct gendisk *kio_alloc_disk(struct kio_limits *l)
{
	struct gendisk *disk = blk_alloc_disk(NUMA_NO_NODE);

	if (!disk)
		return ERR_PTR(-ENOMEM);
	kio_disk_set_limits(disk, l);
	blk_queue_flag_set(QUEUE_FLAG_IO_STAT, disk->queue);
	return disk;
}

#endif /* KIO_HAVE_LIMIT_FEATURES */

#endif /* _KIO_COMPAT_H */
