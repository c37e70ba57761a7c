// SPDX-License-Identifier: GPL-2.0
/*
 * The border upward: a bio becomes a root header, which borrows the bio's
 * fragments; the end of the root is the end of the bio.
 */
#include <linux/module.h>
#include <linux/sched/mm.h>

#include "account.h"
#include "block.h"
#include "raw.h"

#define KBLK_ROOT_RESERVE 32

DEFINE_MUTEX(kblk_graph_mutex);

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

#define KBLK_FLAGS (REQ_FUA | REQ_NOWAIT | REQ_NOUNMAP)

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

/* As kblk_enter(), but waits for the gate where that is allowed. */
static bool kblk_enter_wait(struct kblk_disk *kd, struct bio *bio,
			    unsigned long now)
{
	while (!kblk_enter(kd, bio->bi_bdev, now, bio_op(bio))) {
		if (bio->bi_opf & REQ_NOWAIT)
			return false;
		wait_event(kd->gate, !READ_ONCE(kd->frozen));
	}
	return true;
}

/* What the core counts for the disk, for a partition of it. */
static noinline void kblk_count_partition(struct bio *bio)
{
	struct disk_stats __percpu *stats = bio->bi_bdev->bd_stats;
	int group = op_stat_group(bio_op(bio));

	this_cpu_inc(stats->ios[group]);
	this_cpu_add(stats->sectors[group], bio_sectors(bio));
}

/*
 * Roots stay what they are between uses: they have no parent, nobody waits for them,
 * frames are gone at the end, and kblk_root_wipe() has removed what else may have
 * happened to them. So only what differs is set here.
 */
static __always_inline void kblk_root_init(struct kblk_root *root,
					   struct kblk_disk *kd,
					   struct bio *bio, enum kiobuf_op op)
{
	struct kiobuf *kb = &root->kb;

	root->kd = kd;
	root->bio = bio;
	root->bdev = bio->bi_bdev;
	root->lent = false;
	root->vec.frags = bio->bi_io_vec;
	kb->dev = &kd->dev;
	kb->pos = (u64)bio->bi_iter.bi_sector << SECTOR_SHIFT;
	kb->length = bio->bi_iter.bi_size;
	kb->bytes = bio->bi_iter.bi_size;
	kb->vec = kiobuf_op_is_data(op) ? &root->vec : NULL;
	kb->frag = bio->bi_iter.bi_idx;
	kb->skip = bio->bi_iter.bi_bvec_done;
	kb->hints = (__force u32)(bio->bi_opf & KBLK_HINTS);
	kb->flags = KIOBUF_TRACKED;
	kb->ioprio = bio->bi_ioprio;
	kb->op = op;
	kb->end_io = kblk_root_end_io;
}

/* Another I/O, which no cancel of the one before is for. */
static __always_inline void kblk_root_begin(struct kiobuf *kb, unsigned long now)
{
	kiobuf_slot(kb)->start = now;
	/* Who sees that it is another sees when it began: kiobuf_cancel_one(). */
	smp_store_release(&kb->mark, (kb->mark | KIOBUF_MARK_ERRNO) + 1);
}

/* What only an end that was not plain leaves behind. */
static void kblk_root_wipe(struct kiobuf *kb)
{
	kb->error = 0;
	kb->fate = 0;
	atomic_set(&kb->io_count, 1);
}

/*
 * A flush before data must have reached every leg before the data goes to any.
 * Where more than one lies below, the flush is a request of its own; the data
 * follows when it has ended.
 */
static void kblk_flushed_end_io(struct kiobuf *kb)
{
	struct kblk_root *root = container_of(kb, struct kblk_root, kb);
	struct kblk_disk *kd = root->kd;

	kb->error = kb->error ?: kiobuf_cancelled(kb);
	if (kb->error) {
		kblk_root_end_io(kb);
		return;
	}
	kblk_root_wipe(kb);
	kblk_root_init(root, kd, root->bio, kblk_op(root->bio));
	kb->flags |= kblk_flags(root->bio->bi_opf);
	kiobuf_defer(kb, &kd->dev);
}

static noinline void kblk_init_preflush(struct kblk_root *root)
{
	struct kiobuf *kb = &root->kb;
	struct bio *bio = root->bio;

	if (bio->bi_iter.bi_size &&
	    (root->kd->dev.flags & KIOBUF_DEV_PREFLUSH)) {
		kb->flags |= KIOBUF_PREFLUSH;
		return;
	}
	kb->op = KIOBUF_FLUSH;
	kb->vec = NULL;
	if (!bio->bi_iter.bi_size)
		return;
	bio->bi_opf &= ~REQ_PREFLUSH;
	kb->flags &= KIOBUF_NOWAIT | KIOBUF_TRACKED;
	kb->length = 0;
	kb->bytes = 0;
	kb->end_io = kblk_flushed_end_io;
}

static void kblk_refuse_bio(struct bio *bio, blk_status_t status)
{
	if (status == BLK_STS_AGAIN)
		bio_set_flag(bio, BIO_QUIET);
	bio->bi_status = status;
	bio_endio(bio);
}

/*
 * Waiting here is safe although current->bio_list may be set: what we sent below
 * for earlier bios of this task was started before this bio was taken from the
 * list, so the reserve comes back.
 */
static struct kiobuf *kblk_root_alloc(struct kblk_disk *kd, struct bio *bio)
{
	return kiobuf_pool_alloc(&kd->roots, bio->bi_opf & REQ_NOWAIT ?
				 GFP_NOWAIT : GFP_NOIO);
}

/* Any bio at any time. The request has been counted in unless @entered is false. */
static noinline void kblk_submit_any(struct bio *bio, unsigned long now,
				     bool entered)
{
	struct block_device *bdev = bio->bi_bdev;
	struct kblk_disk *kd = bdev->bd_disk->private_data;
	enum kiobuf_op op = kblk_op(bio);
	struct kblk_root *root;
	struct kiobuf *kb;

	if (!entered && !kblk_enter_wait(kd, bio, now)) {
		kblk_refuse_bio(bio, BLK_STS_AGAIN);
		return;
	}
	kb = op == KIOBUF_NR_OPS ? NULL : kblk_root_alloc(kd, bio);
	if (!kb) {
		kblk_leave(kd, bdev, now, bio_op(bio));
		kblk_refuse_bio(bio, op == KIOBUF_NR_OPS ? BLK_STS_NOTSUPP :
							   BLK_STS_AGAIN);
		return;
	}
	root = container_of(kb, struct kblk_root, kb);
	kblk_root_init(root, kd, bio, op);
	kb->flags |= kblk_flags(bio->bi_opf);
	kblk_root_begin(kb, now);
	if (bio->bi_opf & REQ_PREFLUSH)
		kblk_init_preflush(root);
	if (bdev != kd->dev.part)
		kblk_count_partition(bio);
	__kiobuf_submit(kb);
}

/* Neither plain read nor plain write, or flags that need a look. */
static bool kblk_is_rare(blk_opf_t opf)
{
	const u32 rare = (__force u32)(REQ_OP_MASK | REQ_PREFLUSH | KBLK_FLAGS);

	return ((__force u32)opf & rare) > (__force u32)REQ_OP_WRITE;
}

/*
 * The common case, with nothing to keep across a call: a plain read or write of
 * the whole disk, no busy time to add, the gate open, a header at hand.
 */
static void kblk_submit_bio(struct bio *bio)
{
	struct block_device *bdev = bio->bi_bdev;
	struct kblk_disk *kd = bdev->bd_disk->private_data;
	unsigned long now = READ_ONCE(jiffies);
	bool write = op_is_write(bio->bi_opf);
	struct kblk_root *root;
	struct kiobuf *kb;

	if (unlikely(kblk_is_rare(bio->bi_opf) || bdev != kd->dev.part ||
		     kblk_tick_due(bdev, now))) {
		kblk_submit_any(bio, now, false);
		return;
	}
	preempt_disable();
	kblk_in_flight_add(bdev, write, 1);
	if (unlikely(READ_ONCE(kd->frozen))) {
		kblk_in_flight_add(bdev, write, -1);
		preempt_enable();
		kblk_submit_any(bio, now, false);
		return;
	}
	kb = __kiobuf_pool_pop(&kd->roots);
	preempt_enable();
	if (unlikely(!kb)) {
		kblk_submit_any(bio, now, true);
		return;
	}
	root = container_of(kb, struct kblk_root, kb);
	kblk_root_init(root, kd, bio, write ? KIOBUF_WRITE : KIOBUF_READ);
	kblk_root_begin(kb, now);
	__kiobuf_submit(kb);
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
	struct kblk_disk *kd = root->kd;
	struct bio *bio = root->bio;
	struct block_device *bdev;
	bool lent = root->lent;
	unsigned long start;

	/* A bio chained to this one may have left an error of its own there. */
	if (kb->error)
		bio->bi_status = errno_to_blk_status(kb->error);
	bdev = root->bdev;
	start = kiobuf_slot(kb)->start;
	kblk_root_wipe(kb);
	kiobuf_pool_free(&kd->roots, kb);
	kblk_leave(kd, bdev, start, bio_op(bio));
	if (lent)
		bio->bi_end_io(bio);
	else
		bio_endio(bio);
}

/* ---- the bio itself, lent to a device below ---- */

static noinline void kblk_lent_end_any(struct kblk_root *root)
{
	int error = blk_status_to_errno(root->bio->bi_status);

	/* The header's from now on: a retry may yet succeed. */
	root->bio->bi_status = BLK_STS_OK;
	kiobuf_endio(&root->kb, error ? 0 : root->kb.length, error);
}

/*
 * Guards have nothing to look at in a header that is good, and whose clones, if it had
 * any, have all ended well: then it is as it was before they came. Of one frame the call
 * is made here; more are for the climb. KIOBUF_HOLD if the header is not to be given
 * back yet.
 */
static __always_inline enum kiobuf_climb kblk_pop_frame(struct kiobuf *kb)
{
	struct kiobuf_frame *frame = kb->frames;

	kb->frames = NULL;
	kb->spare = KBLK_ROOT_FRAMES;
	if (kb->flags & KIOBUF_GUARDED)
		return KIOBUF_CLIMB;
	kb->dev = frame->dev;
	kb->pos = frame->pos;
	return frame->endio(kb, frame);
}

static __always_inline bool kblk_may_pop(const struct kiobuf *kb)
{
	const struct kiobuf_frame *frame = kb->frames;

	return atomic_read_acquire(&kb->io_count) == 1 && !kb->error &&
	       (kb->flags & KIOBUF_GUARDED ||
		(!frame->next && !frame->task && frame->behind));
}

/* A lent bio that is back without an error, of a header that has frames. */
static noinline void kblk_lent_end_framed(struct kblk_root *root)
{
	struct kblk_disk *kd = root->kd;
	struct kiobuf *kb = &root->kb;
	struct bio *bio = root->bio;

	if (likely(kblk_may_pop(kb))) {
		if (unlikely(kblk_pop_frame(kb) == KIOBUF_HOLD))
			return;
		if (likely(!kb->error)) {
			kb->fate = 0;
			if (likely(kiobuf_pool_push(&kd->roots, kb))) {
				kblk_in_flight_add(kd->dev.part,
						   op_is_write(bio->bi_opf), -1);
				bio->bi_end_io(bio);
				return;
			}
		}
	}
	kblk_lent_end_any(root);
}

/*
 * By far the most that has frames: guards, of a header that was never cloned, so that
 * none of its frames has anything to look at.
 */
static __always_inline bool kblk_drop_guards(struct kiobuf *kb)
{
	if (!(kb->flags & KIOBUF_GUARDED) || unlikely(kb->fate | kb->error))
		return false;
	kb->frames = NULL;
	kb->spare = KBLK_ROOT_FRAMES;
	return true;
}

/*
 * The end of a header that was lent whole is that of the bio, unless clones of it are
 * still below, and then there is a frame. As on the way in, the common case keeps
 * nothing across a call.
 */
void kblk_lent_end_io(struct bio *bio)
{
	struct kblk_root *root = bio->bi_private;
	struct kblk_disk *kd = root->kd;
	struct block_device *bdev = root->bdev;
	unsigned long now = READ_ONCE(jiffies);

	bio->bi_bdev = bdev;
	bio->bi_end_io = root->end_io;
	bio->bi_private = root->private;
	if (unlikely(bio->bi_status || bdev != kd->dev.part ||
		     now != kiobuf_slot(&root->kb)->start ||
		     kblk_tick_due(bdev, now) || tracepoint_enabled(endio))) {
		kblk_lent_end_any(root);
		return;
	}
	if (root->kb.frames && !kblk_drop_guards(&root->kb)) {
		kblk_lent_end_framed(root);
		return;
	}
	if (unlikely(!kiobuf_pool_push(&kd->roots, &root->kb))) {
		kblk_lent_end_any(root);
		return;
	}
	kblk_in_flight_add(bdev, op_is_write(bio->bi_opf), -1);
	bio->bi_end_io(bio);
}

/* ---- life of the gendisk ---- */

/**
 * kblk_bdev_dev() - the device behind a block device
 * @bdev: block device that the caller keeps open
 *
 * For who wants exact results, cancel or no bio at all: a file system, a target. Headers
 * that are sent there pass no border: they are not counted in the disk's
 * statistics of time, and neither a new table of a volume nor its end waits for
 * them, so the caller must see to that.
 *
 * Context: any.
 * Return: the device, NULL unless @bdev is a whole disk of ours.
 */
struct kiobuf_dev *kblk_bdev_dev(struct block_device *bdev)
{
	struct kblk_disk *kd = kblk_disk_of_bdev(bdev);

	return kd && !bdev_is_partition(bdev) ? &kd->dev : NULL;
}
EXPORT_SYMBOL_GPL(kblk_bdev_dev);

/* NULL for a device without a border of its own, such as a partition */
static struct kblk_disk *kblk_disk_of_dev(struct kiobuf_dev *dev)
{
	return dev->flags & KIOBUF_DEV_DISK && dev->part ?
		container_of(dev, struct kblk_disk, dev) : NULL;
}

KIO_DISK_OPEN(kblk_disk_open)
{
	struct kblk_disk *kd = disk->private_data;

	lockdep_assert_held(&disk->open_mutex);
	if (kd->dying)
		return -ENXIO;
	WRITE_ONCE(kd->opened, true);
	return 0;
}

KIO_DISK_RELEASE(kblk_disk_release)
{
	struct kblk_disk *kd = disk->private_data;

	lockdep_assert_held(&disk->open_mutex);
	if (kd->closed && READ_ONCE(kd->opened) && !disk_openers(disk))
		kd->closed(kd);
}

const struct block_device_operations kblk_fops = {
	.owner		= THIS_MODULE,
	.submit_bio	= kblk_submit_bio,
	.open		= kblk_disk_open,
	.release	= kblk_disk_release,
};

static void kblk_event_work(struct work_struct *work)
{
	struct kblk_disk *kd = container_of(work, struct kblk_disk, event);
	struct gendisk *disk = READ_ONCE(kd->disk);

	/* It goes once we have ended: see kblk_disk_unmake(). */
	if (disk)
		kobject_uevent(&disk_to_dev(disk)->kobj, KOBJ_CHANGE);
}

/**
 * kblk_disk_changed() - tell user space that the state of a device has changed
 * @kd: device; nothing is told while it is down
 *
 * Context: any.
 */
void kblk_disk_changed(struct kblk_disk *kd)
{
	schedule_work(&kd->event);
}
EXPORT_SYMBOL_GPL(kblk_disk_changed);

/**
 * kblk_disk_init() - set up a device that is not a disk yet
 * @kd: zeroed
 * @name: of the device; unique over all kinds
 * @ops: its kind
 *
 * Context: process, sleeps.
 * Return: as kiobuf_dev_register().
 */
int kblk_disk_init(struct kblk_disk *kd, const char *name,
		   const struct kiobuf_dev_ops *ops)
{
	int ret;

	INIT_LIST_HEAD(&kd->lowers);
	init_waitqueue_head(&kd->gate);
	INIT_WORK(&kd->event, kblk_event_work);
	kblk_timeout_init(kd);
	ret = kiobuf_pool_init(&kd->roots, sizeof(struct kblk_root),
			       KBLK_ROOT_FRAMES, KBLK_ROOT_RESERVE);
	if (ret)
		return ret;
	kd->dev.flags = KIOBUF_DEV_DISK;
	kd->dev.room = sizeof(struct bio);
	kd->dev.root_pool = &kd->roots;
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
	cancel_work_sync(&kd->event);
	kiobuf_dev_unregister(&kd->dev);
	kiobuf_pool_exit(&kd->roots);
}
EXPORT_SYMBOL_GPL(kblk_disk_exit);

static void kblk_stack_lowers(struct kblk_disk *kd, struct kio_limits *l,
			      const struct kblk_shape *shape)
{
	struct kblk_lower *lower;
	unsigned int i;

	for (i = 0; i < shape->nr_lowers; i++)
		kio_limits_stack(l, shape->lowers[i]->bdev,
				 shape->lowers[i]->start >> SECTOR_SHIFT);
	if (shape->lowers)
		return;
	list_for_each_entry(lower, &kd->lowers, list)
		kio_limits_stack(l, lower->bdev, lower->start >> SECTOR_SHIFT);
}

/* A discard of any size is carved; what a leg can't do it ignores. */
static void kblk_shape_limits(struct kblk_disk *kd, struct kio_limits *l,
			      const struct kblk_shape *shape)
{
	struct queue_limits *lim = &l->lim;

	kio_limits_init(l);
	kblk_stack_lowers(kd, l, shape);
	if (list_empty(&kd->lowers)) {
		lim->max_hw_discard_sectors = UINT_MAX >> SECTOR_SHIFT;
		lim->discard_granularity = lim->logical_block_size;
	}
	if (shape->block_size) {
		lim->logical_block_size = shape->block_size;
		lim->physical_block_size = max(lim->physical_block_size,
					       shape->block_size);
		lim->io_min = max(lim->io_min, shape->block_size);
		/* Or requests would be cut within a block. */
		lim->max_write_zeroes_sectors =
			round_down(lim->max_write_zeroes_sectors,
				   shape->block_size >> SECTOR_SHIFT);
		if (lim->discard_granularity)
			lim->discard_granularity =
				max(lim->discard_granularity,
				    shape->block_size);
	}
	if (shape->discard) {
		lim->max_hw_discard_sectors = UINT_MAX >> SECTOR_SHIFT;
		lim->discard_granularity = shape->discard;
	}
	if (shape->no_discard) {
		lim->max_hw_discard_sectors = 0;
		lim->discard_granularity = 0;
		lim->max_write_zeroes_sectors = 0;
	}
	lim->max_discard_sectors = lim->max_hw_discard_sectors;
	lim->max_secure_erase_sectors = 0;
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

static void kblk_set_shape(struct kblk_disk *kd, const struct kblk_shape *shape)
{
	kd->dev.size = shape->size;
	kd->only = shape->only;
	set_capacity_and_notify(kd->disk, shape->size >> SECTOR_SHIFT);
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

/* Sleeps a little, if that much is left of the time. */
static bool kblk_pause(long *left)
{
	long pause = max(HZ / 250, 1);

	if (*left < pause)
		return false;
	schedule_timeout_uninterruptible(pause);
	if (*left != MAX_SCHEDULE_TIMEOUT)
		*left -= pause;
	return true;
}

/*
 * Waits until nothing is in flight. By looking, since the end of a request must
 * not touch the disk after it was counted out. Returns what is left of @timeout.
 */
static long kblk_wait_drained(struct kblk_disk *kd, long timeout)
{
	while (kblk_in_flight(kd->dev.part))
		if (!kblk_pause(&timeout))
			return 0;
	return timeout;
}

/* A device below must not quiesce while our border comes or goes. */
static void kblk_publish(struct kblk_disk *kd, struct gendisk *disk,
			 const struct kblk_shape *shape)
{
	mutex_lock(&kblk_graph_mutex);
	WRITE_ONCE(kd->disk, disk);
	kd->dev.part = disk ? disk->part0 : NULL;
	if (disk)
		kblk_set_shape(kd, shape);
	else
		kd->only = NULL;
	kblk_update_preflush(&kd->dev, NULL);
	mutex_unlock(&kblk_graph_mutex);
}

/*
 * After del_gendisk() no bio comes in; what is on its way, if only by read-ahead,
 * is waited for.
 */
static void kblk_disk_unmake(struct kblk_disk *kd)
{
	struct gendisk *disk = kd->disk;

	kraw_del(kd);
	kblk_lowers_unhold(kd);
	del_gendisk(disk);
	kblk_wait_drained(kd, MAX_SCHEDULE_TIMEOUT);
	kblk_timeout_stop(kd);
	kblk_publish(kd, NULL, NULL);
	/* What is queued from here on, by whoever works on the device, finds no disk. */
	cancel_work_sync(&kd->event);
	put_disk(disk);
}

/**
 * kblk_disk_add() - make a device a block device
 * @kd: device whose lowers are all there, ready to take headers
 * @shape: what its queue is like
 *
 * The nodes are /dev/kio/NAME and /dev/kio/raw/NAME. Context: process, sleeps; reads
 * the partition table.
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
	kblk_publish(kd, disk, shape);
	kblk_timeout_start(kd);

	ret = add_disk(disk);
	if (ret) {
		kblk_timeout_stop(kd);
		kblk_publish(kd, NULL, NULL);
		cancel_work_sync(&kd->event);
		put_disk(disk);
		return ret;
	}
	ret = kblk_lowers_hold(kd);
	if (!ret)
		ret = kraw_add(kd);
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

	kblk_disk_unmake(kd);
	return 0;
}
EXPORT_SYMBOL_GPL(kblk_disk_del);

/* ---- quiesce ---- */

#define KBLK_DRAIN_TIMEOUT (30 * HZ)

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

	kiobuf_dev_let_go(dev);
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
	*left = kblk_wait_drained(kd, *left);
	return *left ? 0 : -ETIMEDOUT;
}

/* How far the holding of roots is */
struct kblk_hold {
	int	depth;
	long	left;
};

static int kblk_hold_roots(struct kiobuf_dev *dev, void *arg)
{
	struct kblk_hold *hold = arg;

	if (dev->depth != hold->depth)
		return 0;
	while (!kiobuf_dev_hold(dev))
		if (!kblk_pause(&hold->left))
			return -ETIMEDOUT;
	return 0;
}

/*
 * What a device above sends down by itself passes no border: the copy of a chunk whose
 * origin lies elsewhere, a resync. From the top down, since such a request may make others
 * below.
 */
static int kblk_hold_all(struct kblk_disk *kd, long left)
{
	struct kblk_hold hold = { .depth = KIOBUF_DEV_MAX_DEPTH, .left = left };
	int ret = 0;

	for (; !ret && hold.depth >= kd->dev.depth; hold.depth--)
		ret = kiobuf_dev_walk_up(&kd->dev, kblk_hold_roots, &hold);
	return ret;
}

/**
 * kblk_disk_quiesce() - hold new I/O and wait until none is in flight
 * @kd: device that is up
 *
 * Requests from outside pass the border of the disk that they were sent to, this one or
 * one that lies on it. New bios sleep at the border, or get -EAGAIN if they may not.
 * When none is in flight any more, those that devices above make by themselves are
 * held too. Undone by kblk_disk_resume(), which the caller
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
	/* Reclaim might write to this very device, and sleep at the gate. */
	kd->noio = memalloc_noio_save();
	kiobuf_dev_walk_up(&kd->dev, kblk_freeze, NULL);
	synchronize_rcu();
	ret = kiobuf_dev_walk_up(&kd->dev, kblk_drain, &left) ?:
	      kblk_hold_all(kd, left);
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
	kiobuf_dev_walk_up(&kd->dev, kblk_thaw, NULL);
	memalloc_noio_restore(kd->noio);
	mutex_unlock(&kblk_graph_mutex);
}
EXPORT_SYMBOL_GPL(kblk_disk_resume);

/**
 * kblk_disk_reshape() - change size and limits of a live device
 * @kd: device that is quiesced
 * @shape: what its queue is like now
 *
 * Context: process, sleeps.
 * Return: 0 or a negative errno.
 */
int kblk_disk_reshape(struct kblk_disk *kd, const struct kblk_shape *shape)
{
	struct kio_limits limits;
	int ret;

	kblk_shape_limits(kd, &limits, shape);
	ret = kio_disk_set_limits(kd->disk, &limits);
	if (ret)
		return ret;
	kblk_set_shape(kd, shape);
	kiobuf_dev_walk_up(&kd->dev, kblk_update_preflush, NULL);
	return 0;
}
EXPORT_SYMBOL_GPL(kblk_disk_reshape);
