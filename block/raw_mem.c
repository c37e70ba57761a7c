// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of a raw request: pages of a process, pinned for as long as the device may
 * use them, or a table of pages that somebody else holds, as it is.
 */
#include <linux/mm.h>
#include <linux/sched/user.h>
#include <linux/slab.h>

#include "raw.h"

#define KRAW_PIN_BATCH 32

/**
 * kraw_mem_fits() - can the device use the memory of a request as it is?
 * @file: where it goes
 * @iter: all of its memory
 * @pos: on the device
 *
 * Return: true if these are whole blocks, in memory of the alignment that the device
 * asks for.
 */
bool kraw_mem_fits(const struct kraw_file *file, const struct iov_iter *iter,
		   u64 pos)
{
	if ((pos | iov_iter_count(iter)) & (kraw_block_size(file) - 1))
		return false;
	if (!user_backed_iter(iter) && !iov_iter_is_bvec(iter))
		return false;
	return !(iov_iter_alignment(iter) & bdev_dma_alignment(kraw_bdev(file)));
}

/* ---- the charge ---- */

static int kraw_charge(struct kraw_mem *mem, struct user_struct *user, long nr)
{
	long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (!user)
		return 0;
	if (atomic_long_add_return(nr, &user->locked_vm) > limit) {
		atomic_long_sub(nr, &user->locked_vm);
		return -ENOMEM;
	}
	mem->user = get_uid(user);
	return 0;
}

static void kraw_uncharge(struct kraw_mem *mem, long nr)
{
	if (!mem->user)
		return;
	atomic_long_sub(nr, &mem->user->locked_vm);
	free_uid(mem->user);
	mem->user = NULL;
}

/* ---- pins ---- */

static void kraw_unpin(struct kraw_mem *mem)
{
	while (mem->nr) {
		struct page *page = mem->frags[--mem->nr].bv_page;

		unpin_user_pages_dirty_lock(&page, 1, mem->write);
	}
}

/* Pins pages from @at on; returns how many bytes that are, or an errno. */
static ssize_t kraw_pin_some(struct kraw_mem *mem, unsigned long at,
			     size_t length)
{
	struct page *pages[KRAW_PIN_BATCH];
	unsigned int offset = offset_in_page(at);
	int nr = min_t(size_t, DIV_ROUND_UP(offset + length, PAGE_SIZE),
		       KRAW_PIN_BATCH);
	size_t done = 0;
	int i;

	nr = pin_user_pages_fast(at - offset, nr, mem->write ? FOLL_WRITE : 0,
				 pages);
	if (nr <= 0)
		return nr ?: -EFAULT;
	for (i = 0; i < nr; i++) {
		struct bio_vec *frag = &mem->frags[mem->nr++];

		frag->bv_page = pages[i];
		frag->bv_offset = offset;
		frag->bv_len = min_t(size_t, length - done, PAGE_SIZE - offset);
		done += frag->bv_len;
		offset = 0;
	}
	return done;
}

static int kraw_pin(struct kraw_mem *mem, struct iov_iter *iter)
{
	while (iov_iter_count(iter)) {
		size_t length;
		unsigned long at = kio_iter_segment(iter, &length);
		ssize_t done;

		if (!length) {
			/* To the next piece that is not empty. */
			iov_iter_advance(iter, 1);
			iov_iter_revert(iter, 1);
			continue;
		}
		done = kraw_pin_some(mem, at, length);
		if (done < 0)
			return done;
		iov_iter_advance(iter, done);
	}
	return 0;
}

static int kraw_get_user(struct kraw_mem *mem, struct kraw_file *file,
			 struct iov_iter *iter, bool write)
{
	int nr = iov_iter_npages(iter, INT_MAX);
	int ret;

	if (nr > KRAW_FEW)
		mem->frags = kvmalloc_array(nr, sizeof(*mem->frags),
					    GFP_KERNEL);
	if (!mem->frags)
		return -ENOMEM;
	mem->write = write;
	ret = kraw_charge(mem, file->user, nr);
	if (!ret)
		ret = kraw_pin(mem, iter);
	if (ret) {
		kraw_unpin(mem);
		kraw_uncharge(mem, nr);
		if (mem->frags != mem->few)
			kvfree(mem->frags);
		mem->frags = mem->few;
		return ret;
	}
	/* Fewer than were thought where pieces share a page. */
	if (mem->user)
		atomic_long_sub(nr - mem->nr, &mem->user->locked_vm);
	kiobuf_vec_lend(&mem->vec, mem->frags, mem->nr, NULL);
	return 0;
}

/**
 * kraw_mem_get() - take the memory of a request
 * @mem: zeroed, its @frags being @few
 * @file: who is charged for it
 * @iter: the memory, see kraw_mem_fits(); moved on behind it
 * @write: the device fills it
 *
 * A table of pages, such as a buffer registered with io_uring, is only borrowed: who asks
 * for the I/O keeps it until it has ended. Context: process, sleeps.
 * Return: 0, -EFAULT, or -ENOMEM, also where the user may not pin so much.
 */
int kraw_mem_get(struct kraw_mem *mem, struct kraw_file *file,
		 struct iov_iter *iter, bool write)
{
	if (!iov_iter_is_bvec(iter))
		return kraw_get_user(mem, file, iter, write);
	kiobuf_vec_lend(&mem->vec, iter->bvec, iter->nr_segs, NULL);
	mem->skip = iter->iov_offset;
	iov_iter_advance(iter, iov_iter_count(iter));
	return 0;
}

/**
 * kraw_mem_dirty() - say that pages will be filled, where that may sleep
 * @mem: memory of a request that nobody waits for
 *
 * So that kraw_mem_is_quick() as a rule when it has ended. Context: process, sleeps.
 */
void kraw_mem_dirty(struct kraw_mem *mem)
{
	unsigned int i;

	for (i = 0; mem->write && i < mem->nr; i++)
		set_page_dirty_lock(mem->frags[i].bv_page);
}

/**
 * kraw_mem_is_quick() - can it be let go of where nothing may sleep?
 * @mem: memory of a request that has ended
 *
 * Return: true if all pages are known to be dirty, so that @mem->write need not be kept;
 * false if one that was filled was cleaned meanwhile, and the file system behind it has
 * to be told again, or if the table lies in mapped memory.
 */
bool kraw_mem_is_quick(const struct kraw_mem *mem)
{
	unsigned int i;

	if (!mem->nr)
		return true;
	if (is_vmalloc_addr(mem->frags))
		return false;
	for (i = 0; mem->write && i < mem->nr; i++)
		if (!PageDirty(compound_head(mem->frags[i].bv_page)))
			return false;
	return true;
}

/**
 * kraw_mem_put() - let go of the memory
 * @mem: memory that no device uses; without any, nothing is done
 *
 * Context: process, sleeps; any if kraw_mem_is_quick().
 */
void kraw_mem_put(struct kraw_mem *mem)
{
	kraw_uncharge(mem, mem->nr);
	kraw_unpin(mem);
	if (mem->frags != mem->few)
		kvfree(mem->frags);
	mem->frags = mem->few;
}
