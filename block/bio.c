// SPDX-License-Identifier: GPL-2.0
/*
 * The border downward: a header becomes a bio on a foreign block device.
 *
 * A root that arrives whole goes on as the very bio it came as, only redirected.
 * Any other header gets a bio whose fragment table is the shared vector's own,
 * entered at the header's window; nothing is copied. The bio of a clone lies in the
 * room that the clone brings along, so that nothing is allocated either.
 */
#include <linux/module.h>
#include <linux/part_stat.h>

#include "block.h"

#define KBLK_BIO_RESERVE 16
/* A bio counts its bytes in 32 bits. */
#define KBLK_BIO_MAX KIOBUF_LEAF_MAX

static const enum req_op kblk_req_op[KIOBUF_NR_OPS] = {
	[KIOBUF_READ] = REQ_OP_READ,
	[KIOBUF_WRITE] = REQ_OP_WRITE,
	[KIOBUF_FLUSH] = REQ_OP_WRITE,
	[KIOBUF_DISCARD] = REQ_OP_DISCARD,
	[KIOBUF_WRITE_ZEROES] = REQ_OP_WRITE_ZEROES,
};

static int kblk_error(const struct bio *bio)
{
	return likely(!bio->bi_status) ? 0 : blk_status_to_errno(bio->bi_status);
}

static noinline blk_opf_t kblk_opf_rare(const struct kiobuf *kb)
{
	blk_opf_t opf = kblk_req_op[kb->op] | (__force blk_opf_t)kb->hints;

	if (kb->op == KIOBUF_FLUSH || kb->flags & KIOBUF_PREFLUSH)
		opf |= REQ_PREFLUSH;
	if (kb->flags & KIOBUF_FUA && kb->op != KIOBUF_FLUSH)
		opf |= REQ_FUA;
	if (kb->flags & KIOBUF_NOWAIT)
		opf |= REQ_NOWAIT;
	if (kb->flags & KIOBUF_NOUNMAP)
		opf |= REQ_NOUNMAP;
	return opf;
}

static blk_opf_t kblk_opf(const struct kiobuf *kb)
{
	if (unlikely(kb->flags & KIOBUF_INHERIT ||
		     !kiobuf_op_is_data(kb->op)))
		return kblk_opf_rare(kb);
	return (kb->op == KIOBUF_WRITE ? REQ_OP_WRITE : REQ_OP_READ) |
	       (__force blk_opf_t)kb->hints;
}

/*
 * The bio that the request came as, to inherit from. Not one that has gone below
 * itself: it may end meanwhile, and lose its control group.
 */
static struct bio *kblk_top_bio(struct kiobuf *kb)
{
	struct kblk_root *root;

	while (kb->parent)
		kb = kb->parent;
	root = container_of(kb, struct kblk_root, kb);
	return kblk_is_root(kb) && !root->lent ? root->bio : NULL;
}

static void kblk_bio_end_io(struct bio *bio)
{
	struct kiobuf *kb = bio->bi_private;
	int error = kblk_error(bio);

	bio_put(bio);
	kiobuf_endio(kb, error ? 0 : kb->length, error);
}

static struct bio *kblk_bio_alloc(struct kblk_lower *lower,
				  const struct kiobuf *kb)
{
	bool may_sleep = !current->bio_list && !(kb->flags & KIOBUF_NOWAIT);

	return bio_alloc_bioset(NULL, 0, 0, may_sleep ? GFP_NOIO : GFP_NOWAIT,
				&lower->bios);
}

/* Of a bio in the room of its header, which goes back to its pool with it */
static void kblk_room_end_io(struct bio *bio)
{
	struct kiobuf *kb = bio->bi_private;
	int error = kblk_error(bio);

	bio_uninit(bio);
	kiobuf_endio(kb, error ? 0 : kb->length, error);
}

/* In the header's own room if it has any, so that nothing is allocated. */
static struct bio *kblk_bio_new(struct kblk_lower *lower, struct kiobuf *kb)
{
	struct bio *bio = kiobuf_room(kb, sizeof(*bio));

	if (likely(bio)) {
		bio_init(bio, NULL, NULL, 0, kblk_opf(kb));
		bio->bi_end_io = kblk_room_end_io;
		return bio;
	}
	bio = kblk_bio_alloc(lower, kb);
	if (bio) {
		bio->bi_opf = kblk_opf(kb);
		bio->bi_end_io = kblk_bio_end_io;
	}
	return bio;
}

/* For its control group it is told of the device once, by one of two ways. */
static void kblk_bio_set_dev(struct bio *bio, struct block_device *bdev,
			     struct bio *top)
{
	if (unlikely(!top)) {
		bio_set_dev(bio, bdev);
		return;
	}
	bio->bi_bdev = bdev;
	bio_clone_blkg_association(bio, top);
	kio_bio_copy_hint(bio, top);
}

static struct bio *kblk_bio_build(struct kblk_lower *lower, struct kiobuf *kb)
{
	struct bio *bio = kblk_bio_new(lower, kb);

	if (unlikely(!bio))
		return NULL;
	if (kb->vec) {
		/* Shared, never written: what every cloned bio does. */
		bio->bi_io_vec = (struct bio_vec *)kb->vec->frags;
		bio_set_flag(bio, BIO_CLONED);
		bio->bi_iter.bi_idx = kb->frag;
		bio->bi_iter.bi_bvec_done = kb->skip;
	}
	bio->bi_iter.bi_sector = kb->pos >> SECTOR_SHIFT;
	bio->bi_iter.bi_size = kb->length;
	bio->bi_ioprio = kb->ioprio;
	bio->bi_private = kb;
	kblk_bio_set_dev(bio, lower->bdev, kblk_top_bio(kb));
	return bio;
}

/* ---- the leaf device ---- */

/* All that cannot go on as the bio that it came as. */
static noinline int kblk_leaf_build(struct kblk_lower *lower, struct kiobuf *kb)
{
	struct bio *bio;

	if (unlikely((kb->pos | kb->length) & (SECTOR_SIZE - 1)))
		return -EINVAL;
	if (unlikely(kb->length > KBLK_BIO_MAX))
		return KIOBUF_SPLIT;
	if (kb->op == KIOBUF_DISCARD && !bdev_max_discard_sectors(lower->bdev)) {
		/* A hint that nobody below can use is no error. */
		kiobuf_endio(kb, kb->length, 0);
		return KIOBUF_SUBMITTED;
	}
	bio = kblk_bio_build(lower, kb);
	if (unlikely(!bio && kb->flags & KIOBUF_NOWAIT))
		return -EAGAIN;
	if (likely(bio))
		submit_bio_noacct(bio);
	else
		kiobuf_defer(kb, &lower->dev);
	return KIOBUF_SUBMITTED;
}

/* Has a mirror taken upon itself what the bio would still refuse? */
static bool kblk_is_bound(const struct kblk_root *root)
{
	return unlikely(root->kb.flags & KIOBUF_APART) &&
	       root->bio->bi_opf & REQ_NOWAIT;
}

static int kblk_leaf_submit(struct kiobuf *kb)
{
	struct kblk_lower *lower = container_of(kb->dev, struct kblk_lower,
						dev);
	struct kblk_root *root = container_of(kb, struct kblk_root, kb);

	/* A chained bio ends when its chain does: it cannot tell how we fared. */
	if (unlikely(!kblk_is_root(kb) || root->lent ||
		     kb->op == KIOBUF_DISCARD ||
		     bio_flagged(root->bio, BIO_CHAIN) || kblk_is_bound(root)))
		return kblk_leaf_build(lower, kb);
	submit_bio_noacct(kblk_bio_lend(root, lower->bdev));
	return KIOBUF_SUBMITTED;
}

static struct kiobuf *kblk_leaf_next_child(struct kiobuf *parent)
{
	return kiobuf_carve(parent, KBLK_BIO_MAX);
}

static const struct kiobuf_dev_ops kblk_leaf_ops = {
	.submit		= kblk_leaf_submit,
	.next_child	= kblk_leaf_next_child,
};

/* A partition of one of our own disks: a linear layer. */
static int kblk_partition_submit(struct kiobuf *kb)
{
	struct kblk_lower *lower = container_of(kb->dev, struct kblk_lower,
						dev);

	kb->dev = lower->target;
	kb->pos += get_start_sect(lower->bdev) << SECTOR_SHIFT;
	return KIOBUF_REMAPPED;
}

static const struct kiobuf_dev_ops kblk_partition_ops = {
	.submit		= kblk_partition_submit,
};

/*
 * Can data come with a flush? Only where all of it goes to one device that can.
 * Told from below upwards, when a device is made or its lowers have changed.
 */
int kblk_update_preflush(struct kiobuf_dev *dev, void *arg)
{
	struct kiobuf_dev *only;

	if (dev->flags & KIOBUF_DEV_DISK)
		only = container_of(dev, struct kblk_disk, dev)->only;
	else if (dev->ops == &kblk_partition_ops)
		only = container_of(dev, struct kblk_lower, dev)->target;
	else
		return 0;
	if (only && only->flags & KIOBUF_DEV_PREFLUSH)
		dev->flags |= KIOBUF_DEV_PREFLUSH;
	else
		dev->flags &= ~KIOBUF_DEV_PREFLUSH;
	return 0;
}

static int kblk_foreign_init(struct kblk_lower *lower, const char *name)
{
	int ret = bioset_init(&lower->bios, KBLK_BIO_RESERVE, 0, 0);

	if (ret)
		return ret;
	lower->dev.flags = KIOBUF_DEV_PREFLUSH | KIOBUF_DEV_LEAF;
	ret = kiobuf_dev_register(&lower->dev, name, &kblk_leaf_ops);
	if (ret)
		bioset_exit(&lower->bios);
	return ret;
}

static int kblk_partition_init(struct kblk_lower *lower, const char *name,
			       struct kblk_disk *whole)
{
	int ret;

	lower->dev.part = lower->bdev;
	lower->target = &whole->dev;
	ret = kiobuf_dev_register(&lower->dev, name, &kblk_partition_ops);
	if (ret)
		return ret;
	ret = kiobuf_dev_link(&lower->dev, &whole->dev);
	if (ret)
		kiobuf_dev_unregister(&lower->dev);
	else
		kblk_update_preflush(&lower->dev, NULL);
	return ret;
}

/* A partition of one of ours, or a foreign device; -EEXIST if the name is taken. */
static int kblk_leaf_make(struct kblk_lower *lower, const char *name,
			  struct kblk_disk *own)
{
	lower->target = &lower->dev;
	return own ? kblk_partition_init(lower, name, own) :
		     kblk_foreign_init(lower, name);
}

/*
 * Makes what headers for this claim are sent to: nothing for a whole disk of ours,
 * which takes them itself. Names of foreign devices begin with a slash, which
 * no name of ours may hold; a device that several claim has several names.
 */
int kblk_leaf_init(struct kblk_lower *lower)
{
	struct kblk_disk *own = kblk_disk_of_bdev(lower->bdev);
	static atomic_t last = ATOMIC_INIT(0);
	char name[KIOBUF_DEV_NAME_MAX];
	int ret;

	lower->dev.size = bdev_nr_bytes(lower->bdev);
	if (own && !bdev_is_partition(lower->bdev)) {
		lower->target = &own->dev;
		return 0;
	}
	snprintf(name, sizeof(name), "/%pg", lower->bdev);
	ret = kblk_leaf_make(lower, name, own);
	if (ret != -EEXIST)
		return ret;
	snprintf(name, sizeof(name), "/%pg:%u", lower->bdev,
		 atomic_inc_return(&last));
	return kblk_leaf_make(lower, name, own);
}

void kblk_leaf_exit(struct kblk_lower *lower)
{
	if (lower->target == &lower->dev) {
		kiobuf_dev_unregister(&lower->dev);
		bioset_exit(&lower->bios);
	} else if (lower->dev.ops) {
		kiobuf_dev_unlink(&lower->dev, lower->target);
		kiobuf_dev_unregister(&lower->dev);
	}
}

/* ---- I/O of our own ---- */

/**
 * kblk_io() - send a driver's own request to a device, and wait for it
 * @dev: where to
 * @op: operation
 * @pos: byte there
 * @vec: memory, from its first byte on; remains the caller's
 * @length: bytes
 * @flags: KIOBUF_FUA and the like
 *
 * It counts as metadata. Context: process, sleeps.
 * Return: 0 or the errno that it ended with.
 */
int kblk_io(struct kiobuf_dev *dev, enum kiobuf_op op, u64 pos,
	    struct kiobuf_vec *vec, u64 length, u16 flags)
{
	struct kiobuf kb;

	kiobuf_init(&kb, dev, op, pos, vec, length);
	kb.flags = flags;
	kb.hints = (__force u32)(REQ_META | REQ_SYNC);
	kiobuf_submit(&kb);
	return kiobuf_wait(&kb);
}
EXPORT_SYMBOL_GPL(kblk_io);
