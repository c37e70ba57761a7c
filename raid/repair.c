// SPDX-License-Identifier: GPL-2.0
/*
 * Reads that failed on a leg.
 *
 * Done over block by block, since bad blocks of several legs need not be at the same
 * place: each from the leg that was asked first, for most of its blocks are good, then
 * from the others. A block that a leg could not read and another could is written back
 * there and read again. A leg that cannot do that stays all the same: what it could not
 * read is not wrong, and what it can read may be wanted when another leg is bad too. But a
 * leg of which too many reads fail in a time is failed.
 *
 * Writes are kept out of a block meanwhile, so nothing old is written over anything new.
 */
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "kraid.h"

#define REPAIR_BLOCK SZ_4K

static int repair_io(const struct kraid_array *array,
		     const struct kraid_member *member, enum kiobuf_op op,
		     u64 pos, u32 length)
{
	return kblk_io(member->dev, op, pos + member->data_start,
		       array->repair.vec, length,
		       op == KIOBUF_WRITE ? KIOBUF_FUA : 0);
}

/* Where copy @n is; with parity there is one. */
static struct kraid_place repair_place(const struct kraid_array *array, u64 pos,
				       u32 n)
{
	return array->parity ? kraid_parity_place(array, pos) :
			       kraid_copy(array, pos, n);
}

/* Reads a copy; 1 if it may not be read. */
static int repair_read(struct kraid_array *array, u64 pos, u32 length, u32 n)
{
	struct kraid_place place = kraid_copy(array, pos, n);
	struct kraid_member *member;
	int ret;

	member = kraid_leg_look(&array->legs[place.leg], place.pos + length);
	if (!member)
		return 1;
	ret = repair_io(array, member, KIOBUF_READ, place.pos, length);
	if (ret)
		atomic_inc(&member->errors);
	return ret;
}

/* Writes back what another copy holds, and sees whether it can be read now. */
static void repair_rewrite(struct kraid_array *array, u64 pos, u32 length,
			   u32 n)
{
	struct kraid_place place = repair_place(array, pos, n);
	struct kraid_member *member;

	member = kraid_leg_look(&array->legs[place.leg], place.pos + length);
	if (member && !repair_io(array, member, KIOBUF_WRITE, place.pos, length) &&
	    !repair_io(array, member, KIOBUF_READ, place.pos, length))
		atomic_inc(&member->corrected);
}

/* The copy that is tried after @n - 1 others: @asked, then the rest in order. */
static u32 repair_nth(u32 asked, u32 n)
{
	if (!n)
		return asked;
	return n <= asked ? n - 1 : n;
}

/*
 * Leaves the block in memory. Returns the errno of the lowest copy that was tried if
 * none can be read. Sets the bits in @bad of those that could not, and another could.
 */
static int repair_block(struct kraid_array *array, u64 pos, u32 length,
			u32 asked, u32 *bad)
{
	u32 i, n, lost = 0, copies = kraid_nr_copies(array);
	int ret, error = -EIO;

	for (i = 0; i < copies; i++) {
		n = repair_nth(asked, i);
		ret = repair_read(array, pos, length, n);
		if (!ret)
			break;
		if (ret > 0)
			continue;
		if (!(lost & (BIT(n) - 1)))
			error = ret;
		lost |= BIT(n);
	}
	if (i == copies)
		return error;
	*bad |= lost;
	for (; lost; lost &= lost - 1)
		repair_rewrite(array, pos, length, __ffs(lost));
	return 0;
}

/* Likewise, where there is parity: the leg is the one copy. */
static int repair_by_parity(struct kraid_array *array, u64 pos, u32 length,
			    u32 *bad)
{
	int ret = kraid_parity_read(array, pos, length, array->repair.block);

	if (ret <= 0)
		return ret;
	*bad |= BIT(0);
	repair_rewrite(array, pos, length, 0);
	return 0;
}

static int repair_guarded(struct kraid_array *array, u64 pos, u32 length,
			  u32 asked, u32 *bad)
{
	int ret;

	mutex_lock(&array->repair.lock);
	kraid_barrier_raise(array, pos, length, NULL);
	ret = array->parity ? repair_by_parity(array, pos, length, bad) :
			      repair_block(array, pos, length, asked, bad);
	kraid_barrier_lower(array, pos, length);
	mutex_unlock(&array->repair.lock);
	return ret;
}

/* One read that failed is one, however many of its blocks did. */
static void repair_count(struct kraid_array *array, u64 pos, u32 bad)
{
	struct kraid_member *member;
	u32 leg;

	for (; bad; bad &= bad - 1) {
		leg = repair_place(array, pos, __ffs(bad)).leg;
		/* It stays while the read is in flight. */
		member = READ_ONCE(array->legs[leg].member);
		if (member && kraid_count_read_error(member))
			kraid_member_fail(member);
	}
}

static void repair_one(struct kraid_array *array, struct kiobuf *kb)
{
	u32 length, asked = kb->carved, bad = 0;
	u64 done = 0;
	int ret;

	kiobuf_restart(kb);
	for (; done < kb->length; done += length) {
		u64 pos = kb->pos + done;

		length = min_t(u64, kb->length - done,
			       REPAIR_BLOCK - (pos & (REPAIR_BLOCK - 1)));
		ret = kiobuf_cancelled(kb) ?:
		      repair_guarded(array, pos, length, asked, &bad);
		if (ret)
			kiobuf_fail_range(kb, done, length, ret);
		else
			kiobuf_fill(kb, done, array->repair.block, length);
	}
	repair_count(array, kb->pos, bad);
	kiobuf_resume(kb);
}

static struct kiobuf *repair_pop(struct kraid_array *array)
{
	struct kiobuf *kb;

	spin_lock_irq(&array->lock);
	kb = list_first_entry_or_null(&array->repair.list, struct kiobuf,
				      queue);
	if (kb)
		list_del_init(&kb->queue);
	spin_unlock_irq(&array->lock);
	return kb;
}

static void repair_run(struct work_struct *work)
{
	struct kraid_array *array = container_of(work, struct kraid_array,
						 repair.work);
	unsigned int noio = memalloc_noio_save();
	struct kiobuf *kb;

	while ((kb = repair_pop(array)))
		repair_one(array, kb);
	memalloc_noio_restore(noio);
}

/**
 * kraid_repair_read() - serve a read that failed on a leg from other copies
 * @array: the array
 * @kb: the read, within kraid_span(), held by its frame; it ends in the end
 * @copy: the one that was asked
 *
 * Context: any.
 */
void kraid_repair_read(struct kraid_array *array, struct kiobuf *kb, u32 copy)
{
	unsigned long flags;

	/* It is split no more, so there is room for a number. */
	kb->carved = copy;
	spin_lock_irqsave(&array->lock, flags);
	list_add_tail(&kb->queue, &array->repair.list);
	queue_work(array->wq, &array->repair.work);
	spin_unlock_irqrestore(&array->lock, flags);
}

int kraid_repair_init(struct kraid_array *array)
{
	struct kraid_repair *repair = &array->repair;

	mutex_init(&repair->lock);
	INIT_LIST_HEAD(&repair->list);
	INIT_WORK(&repair->work, repair_run);
	repair->vec = kraid_buffer(&repair->block, REPAIR_BLOCK);
	return repair->vec ? 0 : -ENOMEM;
}

void kraid_repair_exit(struct kraid_array *array)
{
	struct kraid_repair *repair = &array->repair;

	if (!repair->vec)
		return;
	cancel_work_sync(&repair->work);
	kraid_buffer_free(repair->vec, repair->block);
	repair->vec = NULL;
}
