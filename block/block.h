/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to kblk.ko.
 *
 * Lock order, outermost first:
 *	object->lock		a driver's object, its lowers list
 *	kblk_graph_mutex	what lies on what, and kd->frozen
 *	disk->open_mutex	kd->dying
 */
#ifndef _KBLK_BLOCK_H
#define _KBLK_BLOCK_H

#include <linux/bio.h>
#include <linux/kblk.h>

#define KBLK_ROOT_FRAMES 2

/**
 * struct kblk_root - the header of a bio that came to one of our disks; when, is in
 *	its struct kiobuf_slot
 * @kb: the header
 * @frames: behind it, for layers that want to see it again
 * @vec: lends the bio's own fragments
 * @kd: the disk it came to
 * @bio: the bio, ours until kb ends
 * @end_io: the bio's, kept while the bio itself is below: kblk_bio_lend()
 * @private: likewise
 * @bdev: what the bio was sent to: the disk or a partition of it
 * @lent: the bio itself went below
 */
struct kblk_root {
	struct kiobuf		kb;
	struct kiobuf_frame	frames[KBLK_ROOT_FRAMES];
	struct kiobuf_vec	vec;
	struct kblk_disk	*kd;
	struct bio		*bio;
	bio_end_io_t		*end_io;
	void			*private;
	struct block_device	*bdev;
	bool			lent;
};

struct kblk_lower {
	struct kiobuf_dev	dev;
	struct kiobuf_dev	*target;
	struct block_device	*bdev;
	struct kio_bdev		claim;
	struct kblk_disk	*kd;
	struct list_head	list;
	unsigned int		users;
	u64			start;
	bool			write;
	bool			held;
	struct bio_set		bios;
};

extern struct mutex kblk_graph_mutex;
extern const struct block_device_operations kblk_fops;

/* Only compared with: tells a root from any other header. */
void kblk_root_end_io(struct kiobuf *kb);

static inline bool kblk_is_root(const struct kiobuf *kb)
{
	return kb->end_io == kblk_root_end_io;
}

/* Ends a bio that has gone below itself. */
void kblk_lent_end_io(struct bio *bio);

/*
 * Points the root's own bio at a foreign device, to be submitted there.
 * Only once: bio_endio() below takes off the bio what a second trip would need
 * (control group, integrity), so a retry is built anew.
 */
static inline struct bio *kblk_bio_lend(struct kblk_root *root,
					struct block_device *bdev)
{
	struct bio *bio = root->bio;

	root->lent = true;
	root->end_io = bio->bi_end_io;
	root->private = bio->bi_private;
	bio->bi_end_io = kblk_lent_end_io;
	bio->bi_private = root;
	bio->bi_iter.bi_sector = root->kb.pos >> SECTOR_SHIFT;
	bio_set_dev(bio, bdev);
	return bio;
}

static inline struct kblk_disk *kblk_disk_of_bdev(struct block_device *bdev)
{
	return bdev->bd_disk->fops == &kblk_fops ?
		bdev->bd_disk->private_data : NULL;
}

int kblk_update_preflush(struct kiobuf_dev *dev, void *arg);
int kblk_leaf_init(struct kblk_lower *lower);
void kblk_leaf_exit(struct kblk_lower *lower);

/* timeout.c */
int kblk_timeouts_init(void);
void kblk_timeouts_exit(void);
void kblk_timeout_init(struct kblk_disk *kd);
void kblk_timeout_start(struct kblk_disk *kd);
void kblk_timeout_stop(struct kblk_disk *kd);
void kblk_timeout_set(struct kblk_disk *kd, unsigned int ms);

int kblk_lower_hold(struct kblk_lower *lower);
void kblk_lower_unhold(struct kblk_lower *lower);

#endif /* _KBLK_BLOCK_H */
