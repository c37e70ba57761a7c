// SPDX-License-Identifier: GPL-2.0
/* Nodes of the raw device, open files, and what is asked of them beside I/O. */
#include <linux/capability.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/sched/user.h>
#include <linux/slab.h>
#include <linux/splice.h>

#include "raw.h"

#define KRAW_MINORS (MINORMASK + 1)

struct workqueue_struct *kraw_wq;
static dev_t kraw_first;
static DEFINE_IDA(kraw_minors);

KIO_DEVNODE(kraw_devnode)
{
	if (mode)
		*mode = 0600;
	return kasprintf(GFP_KERNEL, "kio/raw/%s", dev_name(dev));
}

static struct class kraw_class = {
	.name		= "kio_raw",
	.devnode	= kraw_devnode,
};

/* ---- open files ---- */

static void kraw_file_free(struct kraw_file *file)
{
	kio_bdev_close(&file->open);
	if (file->user)
		free_uid(file->user);
	put_device(&file->raw->dev);
	kfree(file);
}

static void kraw_file_work(struct work_struct *work)
{
	kraw_file_free(container_of(work, struct kraw_file, work));
}

/**
 * kraw_file_put() - drop a request's reference
 * @file: the file
 *
 * Context: any.
 */
void kraw_file_put(struct kraw_file *file)
{
	if (refcount_dec_and_test(&file->refs))
		queue_work(kraw_wq, &file->work);
}

/* As who opens the block device itself, exclusively or not. */
static int kraw_open_disk(struct kraw *raw, struct kraw_file *file,
			  const struct file *filp)
{
	void *holder = filp->f_flags & O_EXCL ? file : NULL;
	bool write = filp->f_mode & FMODE_WRITE;
	int ret;

	if (mutex_lock_interruptible(&raw->lock))
		return -EINTR;
	ret = raw->up ? kio_bdev_open_dev(&file->open, raw->disk, write,
					  holder) : -ENXIO;
	if (!ret) {
		file->kd = raw->kd;
		if (write && bdev_read_only(kraw_bdev(file))) {
			kio_bdev_close(&file->open);
			ret = -EROFS;
		}
	}
	mutex_unlock(&raw->lock);
	return ret;
}

static int kraw_open(struct inode *inode, struct file *filp)
{
	struct kraw *raw = container_of(inode->i_cdev, struct kraw, cdev);
	struct kraw_file *file = kzalloc(sizeof(*file), GFP_KERNEL);
	int ret;

	if (!file)
		return -ENOMEM;
	ret = kraw_open_disk(raw, file, filp);
	if (ret) {
		kfree(file);
		return ret;
	}
	get_device(&raw->dev);
	file->raw = raw;
	file->user = capable(CAP_IPC_LOCK) ? NULL : get_uid(current_user());
	refcount_set(&file->refs, 1);
	spin_lock_init(&file->lock);
	INIT_LIST_HEAD(&file->requests);
	hash_init(file->commands);
	INIT_WORK(&file->work, kraw_file_work);
	filp->private_data = file;
	/* It is never anything else. */
	filp->f_mode |= FMODE_CAN_ODIRECT;
	if (bdev_nowait(kraw_bdev(file)))
		filp->f_mode |= FMODE_NOWAIT;
	return 0;
}

/* What is in flight has the file open; but for what nobody waits for any more. */
static int kraw_release(struct inode *inode, struct file *filp)
{
	struct kraw_file *file = filp->private_data;

	if (refcount_dec_and_test(&file->refs))
		kraw_file_free(file);
	return 0;
}

/* A process that goes takes with it what it has begun. */
static int kraw_close(struct file *filp, fl_owner_t owner)
{
	if (current->flags & PF_EXITING)
		kraw_cancel_all(filp->private_data, owner);
	return 0;
}

static loff_t kraw_llseek(struct file *filp, loff_t offset, int whence)
{
	struct kraw_file *file = filp->private_data;

	return fixed_size_llseek(filp, offset, whence,
				 bdev_nr_bytes(kraw_bdev(file)));
}

static ssize_t kraw_read_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	return kraw_rw(iocb, iter, false);
}

static ssize_t kraw_write_iter(struct kiocb *iocb, struct iov_iter *iter)
{
	return kraw_rw(iocb, iter, true);
}

static int kraw_fsync(struct file *filp, loff_t start, loff_t end, int datasync)
{
	return kraw_flush(filp->private_data);
}

/* ---- ioctls ---- */

/* Returns how many ranges were copied to @ranges, which has room for that many. */
static u32 kraw_copy_failure(struct kraw_file *file,
			     struct kiobuf_raw_failure *failure,
			     struct kiobuf_raw_range *ranges, u32 max)
{
	u32 nr;

	spin_lock_irq(&file->lock);
	nr = min(file->failure.nr_ranges, max);
	memcpy(ranges, file->ranges, nr * sizeof(*ranges));
	*failure = file->failure;
	spin_unlock_irq(&file->lock);
	return nr;
}

static int kraw_tell_failure(struct kraw_file *file,
			     struct kiobuf_raw_failure __user *user)
{
	struct kiobuf_raw_failure asked, failure;
	struct kiobuf_raw_range *ranges;
	int ret = 0;
	u32 nr;

	if (copy_from_user(&asked, user, sizeof(asked)))
		return -EFAULT;
	if (asked.max_ranges && !asked.ranges)
		return -EINVAL;
	nr = min_t(u32, asked.max_ranges, KIOBUF_RAW_MAX_RANGES);
	ranges = kcalloc(KIOBUF_RAW_MAX_RANGES, sizeof(*ranges), GFP_KERNEL);
	if (!ranges)
		return -ENOMEM;
	nr = kraw_copy_failure(file, &failure, ranges, nr);
	failure.ranges = asked.ranges;
	failure.max_ranges = asked.max_ranges;
	if (copy_to_user(u64_to_user_ptr(asked.ranges), ranges,
			 nr * sizeof(*ranges)) ||
	    copy_to_user(user, &failure, sizeof(failure)))
		ret = -EFAULT;
	kfree(ranges);
	return ret;
}

/* Those of block devices that only tell, with the types that they have there. */
static long kraw_size_ioctl(struct block_device *bdev, unsigned int cmd,
			    void __user *user)
{
	switch (cmd) {
	case BLKGETSIZE64:
		return put_user((u64)bdev_nr_bytes(bdev), (u64 __user *)user);
	case BLKGETSIZE:
		if (bdev_nr_sectors(bdev) > ULONG_MAX)
			return -EFBIG;
		return put_user((unsigned long)bdev_nr_sectors(bdev),
				(unsigned long __user *)user);
	case BLKSSZGET:
		return put_user((int)bdev_logical_block_size(bdev),
				(int __user *)user);
	case BLKPBSZGET:
		return put_user((unsigned int)bdev_physical_block_size(bdev),
				(unsigned int __user *)user);
	case BLKIOMIN:
		return put_user((unsigned int)bdev_io_min(bdev),
				(unsigned int __user *)user);
	case BLKIOOPT:
		return put_user((unsigned int)bdev_io_opt(bdev),
				(unsigned int __user *)user);
	case BLKALIGNOFF:
		return put_user(bdev_alignment_offset(bdev),
				(int __user *)user);
	case BLKROGET:
		return put_user((int)bdev_read_only(bdev), (int __user *)user);
	default:
		return -ENOTTY;
	}
}

static long kraw_ioctl(struct file *filp, unsigned int cmd, unsigned long arg)
{
	struct kraw_file *file = filp->private_data;

	switch (cmd) {
	case KIOBUF_RAW_FAILURE:
		return kraw_tell_failure(file, (void __user *)arg);
	case KIOBUF_RAW_CANCEL_ALL:
		kraw_cancel_all(file, NULL);
		return 0;
	default:
		return kraw_size_ioctl(kraw_bdev(file), cmd,
				       (void __user *)arg);
	}
}

static const struct file_operations kraw_fops = {
	.owner		= THIS_MODULE,
	.open		= kraw_open,
	.flush		= kraw_close,
	.release	= kraw_release,
	.llseek		= kraw_llseek,
	.read_iter	= kraw_read_iter,
	.write_iter	= kraw_write_iter,
	.fsync		= kraw_fsync,
	.splice_read	= kio_splice_read,
	.splice_write	= iter_file_splice_write,
	.unlocked_ioctl	= kraw_ioctl,
	.uring_cmd	= kraw_uring_cmd,
};

/* ---- nodes ---- */

static void kraw_dev_release(struct device *dev)
{
	struct kraw *raw = container_of(dev, struct kraw, dev);

	ida_free(&kraw_minors, MINOR(dev->devt));
	mutex_destroy(&raw->lock);
	mutex_destroy(&raw->edges);
	kfree(raw);
}

/**
 * kraw_add() - make the raw device of a disk
 * @kd: disk that is up
 *
 * Context: process, sleeps.
 * Return: 0 or a negative errno.
 */
int kraw_add(struct kblk_disk *kd)
{
	struct kraw *raw = kzalloc(sizeof(*raw), GFP_KERNEL);
	int minor, ret;

	if (!raw)
		return -ENOMEM;
	minor = ida_alloc_max(&kraw_minors, KRAW_MINORS - 1, GFP_KERNEL);
	if (minor < 0) {
		kfree(raw);
		return minor;
	}
	raw->kd = kd;
	raw->disk = disk_devt(kd->disk);
	raw->up = true;
	mutex_init(&raw->lock);
	mutex_init(&raw->edges);
	device_initialize(&raw->dev);
	raw->dev.class = &kraw_class;
	raw->dev.devt = MKDEV(MAJOR(kraw_first), minor);
	raw->dev.release = kraw_dev_release;
	cdev_init(&raw->cdev, &kraw_fops);
	raw->cdev.owner = THIS_MODULE;
	ret = dev_set_name(&raw->dev, "%s", kd->dev.name);
	if (!ret)
		ret = cdev_device_add(&raw->cdev, &raw->dev);
	if (ret)
		put_device(&raw->dev);
	else
		kd->raw = raw;
	return ret;
}

/**
 * kraw_del() - take the raw device down
 * @kd: disk that nobody has open, and nobody will open any more
 *
 * Context: process, sleeps.
 */
void kraw_del(struct kblk_disk *kd)
{
	struct kraw *raw = kd->raw;

	if (!raw)
		return;
	kd->raw = NULL;
	mutex_lock(&raw->lock);
	raw->up = false;
	mutex_unlock(&raw->lock);
	cdev_device_del(&raw->cdev, &raw->dev);
	put_device(&raw->dev);
}

int __init kraw_init(void)
{
	int ret = kraw_cache_init();

	if (ret)
		return ret;
	ret = -ENOMEM;
	kraw_wq = alloc_workqueue("kio_raw", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!kraw_wq)
		goto exit_cache;
	ret = class_register(&kraw_class);
	if (ret)
		goto destroy_wq;
	ret = alloc_chrdev_region(&kraw_first, 0, KRAW_MINORS, "kio_raw");
	if (ret)
		goto unregister_class;
	return 0;

unregister_class:
	class_unregister(&kraw_class);
destroy_wq:
	destroy_workqueue(kraw_wq);
exit_cache:
	kraw_cache_exit();
	return ret;
}

void kraw_exit(void)
{
	unregister_chrdev_region(kraw_first, KRAW_MINORS);
	class_unregister(&kraw_class);
	destroy_workqueue(kraw_wq);
	kraw_cache_exit();
	ida_destroy(&kraw_minors);
}
