// SPDX-License-Identifier: GPL-2.0
/* Bringing a file up as a device, and down. */
#include <linux/file.h>
#include <linux/module.h>

#include "kloop.h"

static const char *kloop_file_trouble(int error)
{
	switch (error) {
	case -ENOENT:
		return "there is no such file";
	case -EISDIR:
		return "it is a directory";
	case -EACCES:
	case -EPERM:
	case -EROFS:
		return "it cannot be opened for this; read_only may help";
	default:
		return NULL;
	}
}

static struct file *kloop_open(struct kloop_dev *loop)
{
	struct kblk_object *object = &loop->object;
	int flags = O_LARGEFILE | (loop->read_only ? O_RDONLY : O_RDWR);
	struct file *file;
	const char *why;

	if (!loop->path)
		return ERR_PTR(kblk_refuse(object, -EINVAL,
					   "No file was named yet."));
	/* A read of the device may not become a write of the file's inode. */
	file = filp_open(loop->path, flags | O_NOATIME, 0);
	if (!IS_ERR(file))
		return file;
	why = kloop_file_trouble(PTR_ERR(file));
	if (why)
		kblk_refuse(object, 0, "%s cannot be used: %s.", loop->path,
			    why);
	else
		kblk_refuse(object, 0, "%s cannot be opened: error %ld.",
			    loop->path, -PTR_ERR(file));
	return file;
}

static int kloop_check_file(struct kloop_dev *loop)
{
	struct kblk_object *object = &loop->object;
	struct inode *inode = file_inode(loop->file);

	if (S_ISBLK(inode->i_mode))
		return kblk_refuse(object, -EINVAL,
				   "%s is a block device: put a volume on it instead.",
				   loop->path);
	if (!S_ISREG(inode->i_mode))
		return kblk_refuse(object, -EINVAL,
				   "%s is not a regular file.", loop->path);
	if (IS_SWAPFILE(inode))
		return kblk_refuse(object, -ETXTBSY, "%s is in use as swap.",
				   loop->path);
	if (!loop->file->f_op->read_iter ||
	    (!loop->read_only && !loop->file->f_op->write_iter))
		return kblk_refuse(object, -EINVAL,
				   "The file system of %s has no vectored I/O.",
				   loop->path);
	return 0;
}

/* Bytes that direct I/O on the file must be aligned to, 0 if it cannot be had. */
static unsigned int kloop_dio_block(const struct kloop_dev *loop)
{
	struct block_device *carrier = file_inode(loop->file)->i_sb->s_bdev;
	unsigned int block = carrier ? bdev_logical_block_size(carrier) :
				       SECTOR_SIZE;

	if (!(loop->file->f_mode & FMODE_CAN_ODIRECT))
		return 0;
	if (loop->offset % block || (loop->block_size &&
				     loop->block_size < block))
		return 0;
	return block;
}

static int kloop_refuse_direct(struct kloop_dev *loop)
{
	return kblk_refuse(&loop->object, -EINVAL,
			   "Direct I/O cannot be had for %s at this offset and block size.",
			   loop->path);
}

static int kloop_choose_direct(struct kloop_dev *loop)
{
	unsigned int block = kloop_dio_block(loop);

	loop->direct = block && loop->direct_wish != KLOOP_DIRECT_OFF;
	loop->dio_mask = block ? block - 1 : 0;
	if (loop->direct || loop->direct_wish != KLOOP_DIRECT_ON)
		return 0;
	return kloop_refuse_direct(loop);
}

static unsigned int kloop_block(const struct kloop_dev *loop)
{
	unsigned int block = loop->block_size ?: SECTOR_SIZE;

	return loop->direct ? max(block, loop->dio_mask + 1) : block;
}

static int kloop_shape(struct kloop_dev *loop, unsigned int block,
		       struct kblk_shape *shape)
{
	struct inode *inode = file_inode(loop->file);
	u64 size = i_size_read(inode);

	shape->block_size = block;
	size = size > loop->offset ? size - loop->offset : 0;
	if (loop->size_limit)
		size = min(size, loop->size_limit);
	shape->size = size - size % shape->block_size;
	if (!shape->size)
		return kblk_refuse(&loop->object, -ENOSPC,
				   "%s holds no whole block at this offset.",
				   loop->path);
	shape->read_only = loop->read_only;
	shape->partscan = loop->partscan;
	shape->write_cache = !loop->read_only;
	shape->discard = max_t(u32, i_blocksize(inode), shape->block_size);
	return 0;
}

/* Whose file system the file is on may not come to lie on us. */
static int kloop_link_carrier(struct kloop_dev *loop)
{
	struct super_block *sb = file_inode(loop->file)->i_sb;
	struct kiobuf_dev *carrier = kblk_carrier_link(&loop->object.kd,
						       sb->s_bdev);

	if (IS_ERR(carrier))
		return kblk_refuse(&loop->object, PTR_ERR(carrier),
				   "%s cannot lie on top of %pg: error %ld.",
				   loop->path, sb->s_bdev, -PTR_ERR(carrier));
	loop->carrier = carrier;
	return 0;
}

static void kloop_let_go(struct kloop_dev *loop)
{
	kblk_carrier_unlink(&loop->object.kd, loop->carrier);
	loop->carrier = NULL;
	fput(loop->file);
	loop->file = NULL;
}

static int kloop_start(struct kloop_dev *loop)
{
	struct kblk_shape shape = {};
	int ret = kloop_check_file(loop) ?: kloop_link_carrier(loop);

	if (!ret)
		ret = kloop_choose_direct(loop);
	if (!ret)
		ret = kloop_shape(loop, kloop_block(loop), &shape);
	if (!ret)
		ret = kloop_io_start(loop);
	if (ret)
		return ret;
	ret = kblk_disk_add(&loop->object.kd, &shape);
	if (ret)
		kloop_io_stop(loop);
	return ret;
}

static int kloop_quiesce(struct kloop_dev *loop)
{
	int ret = kblk_disk_quiesce(&loop->object.kd);

	if (ret)
		kblk_refuse(&loop->object, ret,
			    "I/O in flight did not end in time; all stays as it was.");
	return ret;
}

/* Follows the size of the file. Blocks stay what they are. */
static int kloop_resize(struct kloop_dev *loop)
{
	struct kblk_disk *kd = &loop->object.kd;
	struct kblk_shape shape = {};
	int ret;

	ret = kloop_shape(loop, queue_logical_block_size(kd->disk->queue),
			  &shape);
	if (ret || shape.size == kd->dev.size)
		return ret;
	ret = kloop_quiesce(loop);
	if (ret)
		return ret;
	ret = kblk_disk_reshape(kd, &shape);
	kblk_disk_resume(kd);
	return ret;
}

/**
 * kloop_switch_direct() - go past the page cache from now on, or through it
 * @loop: device that is up
 * @on: past it
 *
 * Its blocks stay what they are. Under object->lock.
 * Return: 0, -EINVAL if direct I/O cannot be had, -ETIMEDOUT as kblk_disk_quiesce().
 */
int kloop_switch_direct(struct kloop_dev *loop, bool on)
{
	struct kblk_disk *kd = &loop->object.kd;
	unsigned int block = kloop_dio_block(loop);
	int ret;

	if (on && (!block ||
		   block > queue_logical_block_size(kd->disk->queue)))
		return kloop_refuse_direct(loop);
	ret = kloop_quiesce(loop);
	if (ret)
		return ret;
	loop->direct = on;
	kblk_disk_resume(kd);
	return 0;
}

int kloop_enable(struct kblk_object *object)
{
	struct kloop_dev *loop = kloop_of_object(object);
	struct file *file;
	int ret;

	if (object->enabled)
		return kloop_resize(loop);
	file = kloop_open(loop);
	if (IS_ERR(file))
		return PTR_ERR(file);
	loop->file = file;
	loop->nowait = file->f_mode & FMODE_NOWAIT;
	ret = kloop_start(loop);
	if (ret)
		kloop_let_go(loop);
	return ret;
}

void kloop_disable(struct kblk_object *object)
{
	struct kloop_dev *loop = kloop_of_object(object);

	kloop_io_stop(loop);
	kloop_let_go(loop);
}
