// SPDX-License-Identifier: GPL-2.0
/* Devices below ours: claimed exclusively, linked, shown as slaves. */
#include <linux/module.h>
#include <linux/slab.h>

#include "block.h"

/**
 * kblk_lower_dev() - where to send headers
 * @lower: claimed device
 *
 * Return: a device of ours when the path named one, so that no bio is made
 * between our layers.
 */
struct kiobuf_dev *kblk_lower_dev(const struct kblk_lower *lower)
{
	return lower->dev.ops ? (struct kiobuf_dev *)&lower->dev :
		lower->target;
}
EXPORT_SYMBOL_GPL(kblk_lower_dev);

/**
 * kblk_lower_bdev() - the block device
 * @lower: claimed device
 *
 * To tell whether two claims are of the same device. Context: any.
 * Return: the device, which stays while @lower does.
 */
struct block_device *kblk_lower_bdev(const struct kblk_lower *lower)
{
	return lower->bdev;
}
EXPORT_SYMBOL_GPL(kblk_lower_bdev);

/**
 * kblk_lower_size() - bytes of a claimed device, now
 * @lower: claimed device
 *
 * Context: any.
 * Return: bytes.
 */
u64 kblk_lower_size(const struct kblk_lower *lower)
{
	return bdev_nr_bytes(lower->bdev);
}
EXPORT_SYMBOL_GPL(kblk_lower_size);

/**
 * kblk_lower_block_size() - bytes of a logical block of a claimed device
 * @lower: claimed device
 *
 * Context: any.
 * Return: bytes.
 */
unsigned int kblk_lower_block_size(const struct kblk_lower *lower)
{
	return bdev_logical_block_size(lower->bdev);
}
EXPORT_SYMBOL_GPL(kblk_lower_block_size);

/**
 * kblk_lower_is_volatile() - may a claimed device lose what it said was written?
 * @lower: claimed device
 *
 * Context: any.
 * Return: true if only a flush, or FUA, makes data durable there.
 */
bool kblk_lower_is_volatile(const struct kblk_lower *lower)
{
	return bdev_write_cache(lower->bdev);
}
EXPORT_SYMBOL_GPL(kblk_lower_is_volatile);

/**
 * kblk_lower_users() - how often a device was got
 * @lower: claimed device
 *
 * More than once means that a path, or two that lead to the same device, was
 * named again.
 *
 * Context: process.
 * Return: how often.
 */
unsigned int kblk_lower_users(const struct kblk_lower *lower)
{
	return lower->users;
}
EXPORT_SYMBOL_GPL(kblk_lower_users);

/**
 * kblk_lower_set_start() - say where the upper device's data begins
 * @lower: claimed device
 * @start: in bytes; alignment of the queue limits follows from it
 */
void kblk_lower_set_start(struct kblk_lower *lower, u64 start)
{
	lower->start = start;
}
EXPORT_SYMBOL_GPL(kblk_lower_set_start);

/* Shows it as a slave. Only once the upper disk is there. */
int kblk_lower_hold(struct kblk_lower *lower)
{
	int ret;

	if (lower->held)
		return 0;
	ret = bd_link_disk_holder(lower->bdev, lower->kd->disk);
	lower->held = !ret;
	return ret;
}

void kblk_lower_unhold(struct kblk_lower *lower)
{
	if (lower->held)
		bd_unlink_disk_holder(lower->bdev, lower->kd->disk);
	lower->held = false;
}

static struct kblk_lower *kblk_lower_find(struct kblk_disk *kd,
					  struct block_device *bdev)
{
	struct kblk_lower *lower;

	list_for_each_entry(lower, &kd->lowers, list)
		if (lower->bdev == bdev)
			return lower;
	return NULL;
}

static int kblk_lower_link(struct kblk_lower *lower)
{
	struct kblk_disk *kd = lower->kd;
	int ret;

	/* Not while a device below is quiesced: it would miss our border. */
	mutex_lock(&kblk_graph_mutex);
	ret = kiobuf_dev_link(&kd->dev, kblk_lower_dev(lower));
	mutex_unlock(&kblk_graph_mutex);
	if (ret || !kd->disk)
		return ret;
	ret = kblk_lower_hold(lower);
	if (ret)
		kiobuf_dev_unlink(&kd->dev, kblk_lower_dev(lower));
	return ret;
}

static int kblk_lower_init(struct kblk_lower *lower)
{
	int ret;

	if (bdev_is_zoned(lower->bdev))
		return -EOPNOTSUPP;
	ret = kblk_leaf_init(lower);
	if (ret)
		return ret;
	ret = kblk_lower_link(lower);
	if (ret)
		kblk_leaf_exit(lower);
	return ret;
}

static struct kblk_lower *kblk_lower_new(struct kblk_disk *kd,
					 struct kio_bdev *claim, bool write)
{
	struct kblk_lower *lower = kzalloc(sizeof(*lower), GFP_KERNEL);
	int ret;

	if (!lower)
		return ERR_PTR(-ENOMEM);
	lower->kd = kd;
	lower->claim = *claim;
	lower->bdev = claim->bdev;
	lower->write = write;
	lower->users = 1;
	ret = kblk_lower_init(lower);
	if (ret) {
		kfree(lower);
		return ERR_PTR(ret);
	}
	list_add_tail(&lower->list, &kd->lowers);
	return lower;
}

/**
 * kblk_lower_get() - claim a block device to lie below one of ours
 * @kd: the upper device
 * @path: of a block device
 * @write: writes will be sent to it
 *
 * A device is claimed once however often it is got. It cannot be mounted, opened
 * exclusively, or put below another device meanwhile.
 *
 * Context: process, sleeps; the driver's lock guards @kd->lowers.
 * Return: the device, or ERR_PTR: what opening said (-ENOENT, -ENOTBLK, -EBUSY,
 * -EACCES for writing to a read-only one ...), -ELOOP when it lies on @kd,
 * -EMLINK when the stack would become too deep, -EOPNOTSUPP for a zoned one.
 */
struct kblk_lower *kblk_lower_get(struct kblk_disk *kd, const char *path,
				  bool write)
{
	return kblk_lower_get_as(kd, path, write, kd);
}
EXPORT_SYMBOL_GPL(kblk_lower_get);

/**
 * kblk_lower_get_as() - claim a block device that others of a holder may have too
 * @kd: the upper device
 * @path: of a block device
 * @write: writes will be sent to it
 * @holder: whom it is claimed for: @kd for itself alone, or an address in the driver
 *	that several of its devices use
 *
 * Those who share a device see to it that they do not get in each other's way.
 * Whoever claims it for another holder is refused.
 *
 * Context: as kblk_lower_get().
 * Return: as kblk_lower_get().
 */
struct kblk_lower *kblk_lower_get_as(struct kblk_disk *kd, const char *path,
				     bool write, void *holder)
{
	struct kblk_lower *lower;
	struct kio_bdev claim;
	int ret = kio_bdev_open(&claim, path, write, holder);

	if (ret)
		return ERR_PTR(ret);
	lower = kblk_lower_find(kd, claim.bdev);
	if (lower) {
		lower->users++;
		kio_bdev_close(&claim);
		return lower;
	}
	lower = kblk_lower_new(kd, &claim, write);
	if (IS_ERR(lower))
		kio_bdev_close(&claim);
	return lower;
}
EXPORT_SYMBOL_GPL(kblk_lower_get_as);

/**
 * kblk_lower_put() - let go of a device below
 * @lower: from kblk_lower_get(), with no I/O of ours in flight; NULL is ignored
 *
 * Context: process, sleeps; the driver's lock guards the list of lowers.
 */
void kblk_lower_put(struct kblk_lower *lower)
{
	if (!lower || --lower->users)
		return;
	list_del(&lower->list);
	kblk_lower_unhold(lower);
	kiobuf_dev_unlink(&lower->kd->dev, kblk_lower_dev(lower));
	kblk_leaf_exit(lower);
	kio_bdev_close(&lower->claim);
	kfree(lower);
}
EXPORT_SYMBOL_GPL(kblk_lower_put);

/**
 * kblk_carrier_link() - tell that a device lies on another by way of a file system
 * @kd: device that is a file
 * @bdev: device of the file system, open until kblk_carrier_unlink(); NULL for one that
 *	has none
 *
 * So that @kd can't be put below it: who lies on what is not seen through a file system.
 *
 * Context: process, sleeps.
 * Return: the device, for kblk_carrier_unlink(); NULL if it is none of ours;
 * ERR_PTR(-ELOOP) when it lies on @kd, otherwise as kiobuf_dev_link().
 */
struct kiobuf_dev *kblk_carrier_link(struct kblk_disk *kd,
				     struct block_device *bdev)
{
	struct kblk_disk *carrier = bdev ? kblk_disk_of_bdev(bdev) : NULL;
	int ret;

	if (!carrier)
		return NULL;
	ret = kiobuf_dev_link_apart(&kd->dev, &carrier->dev);
	return ret ? ERR_PTR(ret) : &carrier->dev;
}
EXPORT_SYMBOL_GPL(kblk_carrier_link);

/**
 * kblk_carrier_unlink() - undo kblk_carrier_link()
 * @kd: the device
 * @carrier: what that returned, NULL is ignored
 *
 * Context: process, sleeps.
 */
void kblk_carrier_unlink(struct kblk_disk *kd, struct kiobuf_dev *carrier)
{
	if (carrier)
		kiobuf_dev_unlink(&kd->dev, carrier);
}
EXPORT_SYMBOL_GPL(kblk_carrier_unlink);
