// SPDX-License-Identifier: GPL-2.0
/* For tests: exact results of requests to our devices, see kiobuf_probe.h. */
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/kblk.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "kiobuf_probe.h"

/*
 * struct probe - an open file
 * @lock: guards all but what the end of @kb writes
 * @kb: the request
 * @vec: its memory, each fragment a page of its own
 * @disk: keeps the device up; NULL without a request
 * @faults: failed ranges, written while @kb ends
 * @nr_faults: how many there were
 */
struct probe {
	struct mutex			lock;
	struct kiobuf			kb;
	struct kiobuf_vec		*vec;
	struct file			*disk;
	struct kiobuf_probe_fault	*faults;
	u32				nr_faults;
};

static const enum kiobuf_op probe_ops[] = {
	[KIOBUF_PROBE_READ] = KIOBUF_READ,
	[KIOBUF_PROBE_WRITE] = KIOBUF_WRITE,
	[KIOBUF_PROBE_FLUSH] = KIOBUF_FLUSH,
	[KIOBUF_PROBE_DISCARD] = KIOBUF_DISCARD,
	[KIOBUF_PROBE_ZEROES] = KIOBUF_WRITE_ZEROES,
};

/* ---- memory ---- */

static void probe_free_memory(struct probe *p)
{
	u32 i;

	for (i = 0; p->vec && i < p->vec->nr; i++)
		__free_page(p->vec->frags[i].bv_page);
	kiobuf_vec_put(p->vec);
	p->vec = NULL;
}

/* One more page of the vector, with up to @left bytes anywhere in it. */
static int probe_add_page(struct probe *p, u64 left, u32 unit,
			  struct rnd_state *random)
{
	u32 units = PAGE_SIZE / unit, skip = 0, most = units;
	struct page *page;
	int ret;

	if (random) {
		skip = prandom_u32_state(random) % units;
		most = 1 + prandom_u32_state(random) % (units - skip);
	}
	page = alloc_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	ret = kiobuf_vec_grow(p->vec, p->vec->nr + 1, GFP_KERNEL);
	if (!ret)
		ret = kiobuf_vec_add(p->vec, page, skip * unit,
				     min_t(u64, left, (u64)most * unit));
	if (ret)
		__free_page(page);
	return ret;
}

static int probe_alloc_memory(struct probe *p, const struct kiobuf_probe_io *io)
{
	struct rnd_state random;
	int ret = 0;

	prandom_seed_state(&random, io->seed);
	p->vec = kiobuf_vec_alloc(DIV_ROUND_UP(io->length, PAGE_SIZE),
				  GFP_KERNEL);
	if (!p->vec)
		return -ENOMEM;
	while (!ret && p->vec->length < io->length)
		ret = probe_add_page(p, io->length - p->vec->length, io->unit,
				     io->seed ? &random : NULL);
	return ret;
}

static int probe_copy_frag(const struct bio_vec *bv, void __user *user, bool in)
{
	void *at = page_address(bv->bv_page) + bv->bv_offset;
	unsigned long left = in ? copy_from_user(at, user, bv->bv_len) :
				  copy_to_user(user, at, bv->bv_len);

	return left ? -EFAULT : 0;
}

static int probe_copy(struct probe *p, u64 buffer, bool in)
{
	u8 __user *user = u64_to_user_ptr(buffer);
	int ret = 0;
	u32 i;

	for (i = 0; i < p->vec->nr && !ret; i++) {
		ret = probe_copy_frag(&p->vec->frags[i], user, in);
		user += p->vec->frags[i].bv_len;
	}
	return ret;
}

static int probe_get_memory(struct probe *p, const struct kiobuf_probe_io *io)
{
	if (!kiobuf_op_is_data(probe_ops[io->op]))
		return 0;
	return probe_alloc_memory(p, io) ?: probe_copy(p, io->buffer, true);
}

/* ---- the end ---- */

static int probe_note_fault(const struct kiobuf_fault *fault, void *arg)
{
	struct probe *p = arg;

	if (p->nr_faults < KIOBUF_PROBE_MAX_FAULTS)
		p->faults[p->nr_faults] = (struct kiobuf_probe_fault) {
			.offset = fault->offset,
			.length = fault->length,
			.error = fault->error,
		};
	p->nr_faults++;
	return 0;
}

static void probe_end_io(struct kiobuf *kb)
{
	struct probe *p = container_of(kb, struct probe, kb);

	kiobuf_walk_faults(kb, probe_note_fault, p);
	kiobuf_done(kb);
}

/* The request has ended, or was never submitted. */
static void probe_clear(struct probe *p)
{
	probe_free_memory(p);
	if (p->disk)
		fput(p->disk);
	p->disk = NULL;
}

/* ---- submit ---- */

static int probe_check(const struct kiobuf_probe_io *io)
{
	if (io->op >= ARRAY_SIZE(probe_ops) || io->flags & ~KIOBUF_PROBE_FUA ||
	    (io->flags && io->op != KIOBUF_PROBE_WRITE) ||
	    !is_power_of_2(io->unit) || io->unit < SECTOR_SIZE ||
	    io->unit > PAGE_SIZE || io->length > KIOBUF_PROBE_MAX_BYTES)
		return -EINVAL;
	return !io->length == (io->op == KIOBUF_PROBE_FLUSH) ? 0 : -EINVAL;
}

static int probe_check_range(const struct kiobuf_probe_io *io,
			     struct block_device *bdev)
{
	u64 size = bdev_nr_bytes(bdev);

	if ((io->pos | io->length) & (bdev_logical_block_size(bdev) - 1))
		return -EINVAL;
	return io->pos <= size && io->length <= size - io->pos ? 0 : -EINVAL;
}

/* Takes the file that keeps the device up. */
static struct kiobuf_dev *probe_open(struct probe *p,
				     const struct kiobuf_probe_io *io)
{
	struct kiobuf_dev *dev;
	struct inode *inode;
	int ret;

	p->disk = fget(io->fd);
	if (!p->disk)
		return ERR_PTR(-EBADF);
	inode = p->disk->f_mapping->host;
	if (!S_ISBLK(inode->i_mode))
		return ERR_PTR(-ENOTBLK);
	dev = kblk_bdev_dev(I_BDEV(inode));
	if (!dev)
		return ERR_PTR(-ENOTBLK);
	if (!(p->disk->f_mode & (io->op == KIOBUF_PROBE_READ ? FMODE_READ :
							       FMODE_WRITE)))
		return ERR_PTR(-EPERM);
	ret = probe_check_range(io, I_BDEV(inode));
	return ret ? ERR_PTR(ret) : dev;
}

static int probe_start(struct probe *p, const struct kiobuf_probe_io *io)
{
	struct kiobuf_dev *dev = probe_open(p, io);
	int ret;

	if (IS_ERR(dev))
		return PTR_ERR(dev);
	ret = probe_get_memory(p, io);
	if (ret)
		return ret;
	p->nr_faults = 0;
	kiobuf_init(&p->kb, dev, probe_ops[io->op], io->pos, p->vec, io->length);
	p->kb.end_io = probe_end_io;
	if (io->flags & KIOBUF_PROBE_FUA)
		p->kb.flags |= KIOBUF_FUA;
	kiobuf_submit(&p->kb);
	return 0;
}

static int probe_submit(struct probe *p, void __user *arg)
{
	struct kiobuf_probe_io io;
	int ret;

	if (copy_from_user(&io, arg, sizeof(io)))
		return -EFAULT;
	if (p->disk)
		return -EBUSY;
	ret = probe_check(&io) ?: probe_start(p, &io);
	if (ret)
		probe_clear(p);
	return ret;
}

/* ---- reap ---- */

/* A fatal signal cancels it, so it always comes to an end. */
static int probe_wait(struct probe *p, bool nowait)
{
	if (nowait && !kiobuf_is_done(&p->kb))
		return -EAGAIN;
	kiobuf_wait_killable(&p->kb);
	return 0;
}

static int probe_tell(struct probe *p, struct kiobuf_probe_result *result)
{
	u32 nr = min3(p->nr_faults, result->max_faults, KIOBUF_PROBE_MAX_FAULTS);

	result->bytes = p->kb.bytes;
	result->error = p->kb.error;
	result->nr_faults = p->nr_faults;
	if (nr && copy_to_user(u64_to_user_ptr(result->faults), p->faults,
			       nr * sizeof(*p->faults)))
		return -EFAULT;
	return p->kb.op == KIOBUF_READ ? probe_copy(p, result->buffer, false) :
					 0;
}

static int probe_reap(struct probe *p, void __user *arg)
{
	struct kiobuf_probe_result result;
	int ret;

	if (copy_from_user(&result, arg, sizeof(result)))
		return -EFAULT;
	if (result.flags & ~KIOBUF_PROBE_NOWAIT)
		return -EINVAL;
	if (!p->disk)
		return -ENOENT;
	ret = probe_wait(p, result.flags & KIOBUF_PROBE_NOWAIT) ?:
	      probe_tell(p, &result);
	if (!ret && copy_to_user(arg, &result, sizeof(result)))
		ret = -EFAULT;
	if (!ret)
		probe_clear(p);
	return ret;
}

/* ---- the file ---- */

static long probe_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct probe *p = file->private_data;
	void __user *user = (void __user *)arg;
	long ret = -ENOTTY;

	mutex_lock(&p->lock);
	if (cmd == KIOBUF_PROBE_SUBMIT)
		ret = probe_submit(p, user);
	else if (cmd == KIOBUF_PROBE_REAP)
		ret = probe_reap(p, user);
	mutex_unlock(&p->lock);
	return ret;
}

static int probe_file_open(struct inode *inode, struct file *file)
{
	struct probe *p = kzalloc(sizeof(*p), GFP_KERNEL);

	if (!p)
		return -ENOMEM;
	p->faults = vmalloc(array_size(KIOBUF_PROBE_MAX_FAULTS,
				       sizeof(*p->faults)));
	if (!p->faults) {
		kfree(p);
		return -ENOMEM;
	}
	mutex_init(&p->lock);
	file->private_data = p;
	return nonseekable_open(inode, file);
}

static int probe_file_release(struct inode *inode, struct file *file)
{
	struct probe *p = file->private_data;

	if (p->disk) {
		kiobuf_cancel(&p->kb, -ECANCELED);
		kiobuf_wait(&p->kb);
	}
	probe_clear(p);
	vfree(p->faults);
	kfree(p);
	return 0;
}

static const struct file_operations probe_fops = {
	.owner		= THIS_MODULE,
	.open		= probe_file_open,
	.release	= probe_file_release,
	.unlocked_ioctl	= probe_ioctl,
};

static struct miscdevice probe_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "kiobuf_probe",
	.fops	= &probe_fops,
	.mode	= 0600,
};

module_misc_device(probe_device);

MODULE_DESCRIPTION("For tests: exact results of requests to kiobuf devices");
MODULE_LICENSE("GPL");
