// SPDX-License-Identifier: GPL-2.0
/*
 * The border upward: a bio becomes a root header, which borrows the bio's
 * fragments; the end of the root is the end of the bio.
 */
#include <linux/module.h>

#include "account.h"
#include "block.h"

#define KBLK_ROOT_RESERVE 32

static enum kiobuf_op kblk_op(const struct bio *bio)
{
	switch (bio_op(bio)) {
	case REQ_OP_READ:
		return KIOBUF_READ;
	case REQ_OP_WRITE:
		return KIOBUF_WRITE;
	case REQ_OP_DISCARD:
		return KIOBUF_DISCARD;
	case REQ_OP_WRITE_ZEROES:
		return KIOBUF_WRITE_ZEROES;
	default:
		return KIOBUF_NR_OPS;
	}
}

static u32 kblk_flags(blk_opf_t opf)
{
	u32 flags = 0;

	if (opf & REQ_FUA)
		flags |= KIOBUF_FUA;
	if (opf & REQ_NOWAIT)
		flags |= KIOBUF_NOWAIT;
	if (opf & REQ_NOUNMAP)
		flags |= KIOBUF_NOUNMAP;
	return flags;
}

/* Hints that go to the bottom as they are; see kb->hints. */
#define KBLK_HINTS (REQ_SYNC | REQ_META | REQ_PRIO | REQ_IDLE | REQ_RAHEAD | \
		    REQ_BACKGROUND | REQ_FAILFAST_MASK | REQ_SWAP)

/* ---- the way in ---- */

/* False while the disk is frozen: then nothing has been counted. */
static bool kblk_enter(struct kblk_disk *kd, struct block_device *bdev,
		       unsigned long now, bool write)
{
	struct block_device *whole = kd->dev.part;
	bool open;

	part_stat_lock();
	open = !READ_ONCE(kd->frozen);
	if (likely(open)) {
		kblk_account_start(whole, now, write);
		if (unlikely(bdev != whole))
			kblk_account_start(bdev, now, write);
	}
	part_stat_unlock();
	return open;
}

static void kblk_leave(struct kblk_disk *kd, struct block_device *bdev,
		       unsigned long start, enum req_op op)
{
	struct block_device *whole = kd->dev.part;
	bool write = op_is_write(op);
	int group = op_stat_group(op);

	part_stat_lock();
	kblk_account_end(whole, start, group, write);
	if (unlikely(bdev != whole))
		kblk_account_end(bdev, start, group, write);
	part_stat_unlock();
	if (unlikely(READ_ONCE(kd->frozen)))
		wake_up_all(&kd->gate);
}

static void kblk_wait_thaw(struct kblk_disk *kd)
{
	wait_event(kd->gate, !READ_ONCE(kd->frozen));
}

/* What the core counts for the disk, for a partition of it. */
static void kblk_count_partition(struct bio *bio)
{
	int group = op_stat_group(bio_op(bio));

	part_stat_lock();
	__part_stat_add(bio->bi_bdev, ios[group], 1);
	__part_stat_add(bio->bi_bdev, sectors[group], bio_sectors(bio));
	part_stat_unlock();
}

static void kblk_root_init(struct kblk_root *root, struct kblk_disk *kd,
			   struct bio *bio, enum kiobuf_op op)
{
	struct kiobuf *kb = &root->kb;

	root->bio = bio;
	root->bdev = bio->bi_bdev;
	root->lent = false;
	root->vec.frags = bio->bi_io_vec;
	kiobuf_reset(kb, &kd->dev, op,
		     (u64)bio->bi_iter.bi_sector << SECTOR_SHIFT,
		     kiobuf_op_is_data(op) ? &root->vec : NULL,
		     bio->bi_iter.bi_size);
	kb->frag = bio->bi_iter.bi_idx;
	kb->skip = bio->bi_iter.bi_bvec_done;
	kb->flags = kblk_flags(bio->bi_opf);
	kb->hints = (__force u32)(bio->bi_opf & KBLK_HINTS);
	kb->ioprio = bio->bi_ioprio;
	kb->end_io = kblk_root_end_io;
}

/*
 * A flush before data must have reached every leg before the data goes to any.
 * Where more than one lies below, the flush is a request of its own; the data
 * follows when it has ended.
 */
static void kblk_flushed_end_io(struct kiobuf *kb)
{
	struct kblk_root *root = container_of(kb, struct kblk_root, kb);
	struct bio *bio = root->bio;
	struct kblk_disk *kd = root->bdev->bd_disk->private_data;

	if (kb->error) {
		kblk_root_end_io(kb);
		return;
	}
	kblk_root_init(root, kd, bio, kblk_op(bio));
	kiobuf_defer(kb, &kd->dev);
}

static void kblk_init_preflush(struct kblk_root *root, struct kblk_disk *kd)
{
	struct kiobuf *kb = &root->kb;
	struct bio *bio = root->bio;

	if (bio->bi_iter.bi_size && (kd->dev.flags & KIOBUF_DEV_PREFLUSH)) {
		kb->flags |= KIOBUF_PREFLUSH;
		return;
	}
	kb->op = KIOBUF_FLUSH;
	kb->vec = NULL;
	if (!bio->bi_iter.bi_size)
		return;
	bio->bi_opf &= ~REQ_PREFLUSH;
	kb->flags &= KIOBUF_NOWAIT;
	kb->length = 0;
	kb->bytes = 0;
	kb->end_io = kblk_flushed_end_io;
}

static void kblk_submit_bio(struct bio *bio)
{
	struct kblk_disk *kd = bio->bi_bdev->bd_disk->private_data;
	bool nowait = bio->bi_opf & REQ_NOWAIT;
	unsigned long now = READ_ONCE(jiffies);
	enum kiobuf_op op = kblk_op(bio);
	struct kblk_root *root;
	struct kiobuf *kb;

	if (unlikely(op == KIOBUF_NR_OPS)) {
		bio->bi_status = BLK_STS_NOTSUPP;
		bio_endio(bio);
		return;
	}
	while (unlikely(!kblk_enter(kd, bio->bi_bdev, now, op_is_write(bio_op(bio))))) {
		if (nowait) {
			bio_wouldblock_error(bio);
			return;
		}
		kblk_wait_thaw(kd);
	}

	/*
	 * Waiting here is safe although current->bio_list may be set: what we
	 * sent below for earlier bios of this task was started before this
	 * bio was taken from the list, so the reserve comes back.
	 */
	kb = kiobuf_pool_alloc(&kd->roots, nowait ? GFP_NOWAIT : GFP_NOIO);
	if (unlikely(!kb)) {
		kblk_leave(kd, bio->bi_bdev, now, bio_op(bio));
		bio_wouldblock_error(bio);
		return;
	}
	root = container_of(kb, struct kblk_root, kb);
	kblk_root_init(root, kd, bio, op);
	root->start = now;
	if (unlikely(bio->bi_opf & REQ_PREFLUSH))
		kblk_init_preflush(root, kd);
	if (unlikely(bio->bi_bdev != kd->dev.part))
		kblk_count_partition(bio);
	kiobuf_submit(kb);
}

/* ---- the way out ---- */

/*
 * A bio is all or nothing: any error in the tree is an error of the bio, however
 * many bytes are good. A bio that went below itself was ended there already as
 * far as the block layer goes: only its own callback is left to call.
 */
void kblk_root_end_io(struct kiobuf *kb)
{
	struct kblk_root *root = container_of(kb, struct kblk_root, kb);
	struct kblk_disk *kd = root->bdev->bd_disk->private_data;
	struct bio *bio = root->bio;
	bool lent = root->lent;

	bio->bi_status = unlikely(kb->error) ? errno_to_blk_status(kb->error) :
			 BLK_STS_OK;
	kblk_leave(kd, root->bdev, root->start, bio_op(bio));
	kiobuf_pool_free(&kd->roots, kb);
	if (likely(lent))
		bio->bi_end_io(bio);
	else
		bio_endio(bio);
}

/* ---- life of the gendisk ---- */

KIO_DISK_OPEN(kblk_disk_open)
{
	struct kblk_disk *kd = disk->private_data;

	lockdep_assert_held(&disk->open_mutex);
	return kd->dying ? -ENXIO : 0;
}

const struct block_device_operations kblk_fops = {
	.owner		= THIS_MODULE,
	.submit_bio	= kblk_submit_bio,
	.open		= kblk_disk_open,
};

/**
 * kblk_disk_init() - set up a device that is not a disk yet
 * @kd: zeroed
 * @name: of the device; unique over all kinds
 * @ops: its kind
 *
 * Context: process, sleeps. Return: as kiobuf_dev_register().
 */
int kblk_disk_init(struct kblk_disk *kd, const char *name,
		   const struct kiobuf_dev_ops *ops)
{
	int ret;

	INIT_LIST_HEAD(&kd->lowers);
	init_waitqueue_head(&kd->gate);
	ret = kiobuf_pool_init(&kd->roots, sizeof(struct kblk_root),
			       KBLK_ROOT_RESERVE);
	if (ret)
		return ret;
	kd->dev.flags = KIOBUF_DEV_DISK;
	ret = kiobuf_dev_register(&kd->dev, name, ops);
	if (ret)
		kiobuf_pool_exit(&kd->roots);
	return ret;
}
EXPORT_SYMBOL_GPL(kblk_disk_init);

/**
 * kblk_disk_exit() - undo kblk_disk_init()
 * @kd: device that is down, and has no lowers
 *
 * Context: process, sleeps.
 */
void kblk_disk_exit(struct kblk_disk *kd)
{
	kiobuf_dev_unregister(&kd->dev);
	kiobuf_pool_exit(&kd->roots);
}
EXPORT_SYMBOL_GPL(kblk_disk_exit);

/* A discard of any size is carved; what a leg can't do it ignores. */
static void kblk_shape_limits(struct kblk_disk *kd, struct kio_limits *l,
			      const struct kblk_shape *shape)
{
	struct queue_limits *lim = &l->lim;
	struct kblk_lower *lower;

	kio_limits_init(l);
	list_for_each_entry(lower, &kd->lowers, list)
		kio_limits_stack(l, lower->bdev, lower->start >> SECTOR_SHIFT);
	if (list_empty(&kd->lowers)) {
		lim->max_hw_discard_sectors = UINT_MAX >> SECTOR_SHIFT;
		lim->discard_granularity = lim->logical_block_size;
	}
	if (shape->block_size) {
		lim->logical_block_size = shape->block_size;
		lim->physical_block_size = max(lim->physical_block_size,
					       shape->block_size);
		lim->io_min = max(lim->io_min, shape->block_size);
	}
	if (shape->discard) {
		lim->max_hw_discard_sectors = UINT_MAX >> SECTOR_SHIFT;
		lim->discard_granularity = shape->discard;
	}
	lim->max_discard_sectors = lim->max_hw_discard_sectors;
	if (shape->io_min)
		lim->io_min = max(shape->io_min, lim->physical_block_size);
	if (shape->io_opt)
		lim->io_opt = shape->io_opt;
	if (shape->stable)
		kio_limits_set(l, BLK_FEAT_STABLE_WRITES);
	if (shape->write_cache)
		kio_limits_set(l, BLK_FEAT_WRITE_CACHE);
	/* FUA is passed down or emulated by whoever lacks it. */
	if (kio_limits_has(l, BLK_FEAT_WRITE_CACHE))
		kio_limits_set(l, BLK_FEAT_FUA);
}

static void kblk_set_size(struct kblk_disk *kd, u64 size)
{
	kd->dev.size = size;
	set_capacity_and_notify(kd->disk, size >> SECTOR_SHIFT);
}

static void kblk_lowers_unhold(struct kblk_disk *kd)
{
	struct kblk_lower *lower;

	list_for_each_entry(lower, &kd->lowers, list)
		kblk_lower_unhold(lower);
}

static int kblk_lowers_hold(struct kblk_disk *kd)
{
	struct kblk_lower *lower;
	int ret;

	list_for_each_entry(lower, &kd->lowers, list) {
		ret = kblk_lower_hold(lower);
		if (ret)
			return ret;
	}
	return 0;
}

static void kblk_disk_unmake(struct kblk_disk *kd)
{
	kblk_lowers_unhold(kd);
	del_gendisk(kd->disk);
	kd->dev.part = NULL;
	put_disk(kd->disk);
	kd->disk = NULL;
}

/**
 * kblk_disk_add() - make a device a block device
 * @kd: device whose lowers are all there, ready to take headers
 * @shape: what its queue is like
 *
 * The node is /dev/kio/NAME. Context: process, sleeps; reads the partition table.
 * Return: 0 or a negative errno, the device then being down as before.
 */
int kblk_disk_add(struct kblk_disk *kd, const struct kblk_shape *shape)
{
	struct kio_limits limits;
	struct gendisk *disk;
	int ret;

	kblk_shape_limits(kd, &limits, shape);
	disk = kio_alloc_disk(&limits);
	if (IS_ERR(disk))
		return PTR_ERR(disk);
	snprintf(disk->disk_name, sizeof(disk->disk_name), "kio!%.*s", KBLK_NAME_MAX,
		 kd->dev.name);
	disk->fops = &kblk_fops;
	disk->private_data = kd;
	if (!shape->partscan)
		disk->flags |= GENHD_FL_NO_PART;
	set_disk_ro(disk, shape->read_only);
	kd->dying = false;
	kd->disk = disk;
	kd->dev.part = disk->part0;
	kblk_set_size(kd, shape->size);

	ret = add_disk(disk);
	if (ret) {
		kd->dev.part = NULL;
		kd->disk = NULL;
		put_disk(disk);
		return ret;
	}
	ret = kblk_lowers_hold(kd);
	if (ret)
		kblk_disk_unmake(kd);
	return ret;
}
EXPORT_SYMBOL_GPL(kblk_disk_add);

/**
 * kblk_disk_del() - take the block device down
 * @kd: device that is up
 *
 * Context: process, sleeps.
 * Return: 0, or -EBUSY while it is open, mounted or part of another device.
 */
int kblk_disk_del(struct kblk_disk *kd)
{
	struct gendisk *disk = kd->disk;
	bool busy;

	mutex_lock(&disk->open_mutex);
	busy = disk_openers(disk) > 0;
	kd->dying = !busy;
	mutex_unlock(&disk->open_mutex);
	if (busy)
		return -EBUSY;

	/* Nobody has it open; what read-ahead left in flight is waited for. */
	WRITE_ONCE(kd->frozen, true);
	synchronize_rcu();
	wait_event(kd->gate, !kblk_in_flight(kd->dev.part));
	WRITE_ONCE(kd->frozen, false);
	kblk_disk_unmake(kd);
	return 0;
}
EXPORT_SYMBOL_GPL(kblk_disk_del);

/* ---- quiesce ---- */

DEFINE_MUTEX(kblk_graph_mutex);

#define KBLK_DRAIN_TIMEOUT (30 * HZ)

/* NULL for a device without a border of its own, such as a partition */
static struct kblk_disk *kblk_disk_of_dev(struct kiobuf_dev *dev)
{
	return dev->flags & KIOBUF_DEV_DISK && dev->part ?
		container_of(dev, struct kblk_disk, dev) : NULL;
}

static int kblk_freeze(struct kiobuf_dev *dev, void *arg)
{
	struct kblk_disk *kd = kblk_disk_of_dev(dev);

	if (kd)
		WRITE_ONCE(kd->frozen, true);
	return 0;
}

static int kblk_thaw(struct kiobuf_dev *dev, void *arg)
{
	struct kblk_disk *kd = kblk_disk_of_dev(dev);

	if (!kd)
		return 0;
	WRITE_ONCE(kd->frozen, false);
	wake_up_all(&kd->gate);
	return 0;
}

static int kblk_drain(struct kiobuf_dev *dev, void *arg)
{
	struct kblk_disk *kd = kblk_disk_of_dev(dev);
	long *left = arg;

	if (!kd)
		return 0;
	*left = wait_event_timeout(kd->gate, !kblk_in_flight(kd->dev.part),
				   *left);
	return *left ? 0 : -ETIMEDOUT;
}

/**
 * kblk_disk_quiesce() - hold new I/O and wait until none is in flight
 * @kd: device that is up
 *
 * Every request passes the border of the disk that it was sent to, this one or
 * one that lies on it, so holding those holds all. New bios sleep at the border,
 * or get -EAGAIN if they may not. Undone by kblk_disk_resume(), which the caller
 * must come to by itself: nothing of user space in between.
 *
 * Context: process, sleeps; takes kblk_graph_mutex until kblk_disk_resume().
 * Return: 0, or -ETIMEDOUT if I/O does not end in time, nothing then being held.
 */
int kblk_disk_quiesce(struct kblk_disk *kd)
{
	long left = KBLK_DRAIN_TIMEOUT;
	int ret;

	mutex_lock(&kblk_graph_mutex);
	kiobuf_dev_for_each_upper(&kd->dev, kblk_freeze, NULL);
	synchronize_rcu();
	ret = kiobuf_dev_for_each_upper(&kd->dev, kblk_drain, &left);
	if (ret)
		kblk_disk_resume(kd);
	return ret;
}
EXPORT_SYMBOL_GPL(kblk_disk_quiesce);

/**
 * kblk_disk_resume() - let I/O go on
 * @kd: device that kblk_disk_quiesce() has stopped
 *
 * Context: process.
 */
void kblk_disk_resume(struct kblk_disk *kd)
{
	kiobuf_dev_for_each_upper(&kd->dev, kblk_thaw, NULL);
	mutex_unlock(&kblk_graph_mutex);
}
EXPORT_SYMBOL_GPL(kblk_disk_resume);

/**
 * kblk_disk_reshape() - change size and limits of a live device
 * @kd: device that is quiesced
 * @shape: what its queue is like now
 *
 * Context: process, sleeps. Return: 0 or a negative errno.
 */
int kblk_disk_reshape(struct kblk_disk *kd, const struct kblk_shape *shape)
{
	struct kio_limits limits;
	int ret;

	kblk_shape_limits(kd, &limits, shape);
	ret = kio_disk_set_limits(kd->disk, &limits);
	if (ret)
		return ret;
	kblk_set_size(kd, shape->size);
	return 0;
}
EXPORT_SYMBOL_GPL(kblk_disk_reshape);
