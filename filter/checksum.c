// SPDX-License-Identifier: GPL-2.0
/*
 * The kind `checksum`: finds data that is not what was written.
 *
 * Reads go down as they are, and are looked at on their way up, in a task, before
 * anyone else sees them. All that changes data goes through one worker, in batches:
 * entries first, durable; then all the data of the batch; then the verdicts. A read
 * that does not fit, or failed, is done again by the worker, block by block, when no
 * write is under way: that result is the last word.
 */
#include <linux/crc32c.h>
#include <linux/highmem.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "csum.h"
#include "filter.h"

static u32 csum_of_zeroes;

static struct csum *csum_of_dev(struct kiobuf_dev *dev)
{
	return kfilter_of(dev)->data;
}

static u64 csum_first_block(const struct kiobuf *kb)
{
	return div_u64(kb->pos, CSUM_BLOCK);
}

static u64 csum_nr_blocks(const struct kiobuf *kb)
{
	return div_u64(kb->length, CSUM_BLOCK);
}

/* ---- bytes of a window ---- */

/* Cuts the next block off what is left of a window. */
static struct bvec_iter csum_cut(const struct kiobuf *kb, struct bvec_iter *left)
{
	struct bvec_iter block = *left;

	block.bi_size = CSUM_BLOCK;
	bvec_iter_advance(kb->vec->frags, left, CSUM_BLOCK);
	return block;
}

/* The checksum of the next block, wherever fragments end. */
static u32 csum_next(const struct kiobuf *kb, struct bvec_iter *left)
{
	struct bvec_iter iter, block = csum_cut(kb, left);
	struct bio_vec bv;
	u32 crc = ~0U;

	for_each_bvec(bv, kb->vec->frags, iter, block) {
		u8 *bytes = bvec_kmap_local(&bv);

		crc = crc32c(crc, bytes, bv.bv_len);
		kunmap_local(bytes);
	}
	return ~crc;
}

/* Fills the next block from @bytes. */
static void csum_put(const struct kiobuf *kb, struct bvec_iter *left,
		     const u8 *bytes)
{
	struct bvec_iter iter, block = csum_cut(kb, left);
	struct bio_vec bv;

	for_each_bvec(bv, kb->vec->frags, iter, block) {
		memcpy_to_bvec(&bv, bytes);
		bytes += bv.bv_len;
	}
}

/* ---- reads ---- */

static enum csum_verdict csum_look(struct csum *csum, u64 block, u32 crc)
{
	struct csum_leaf *leaf;

	lockdep_assert_held(&csum->lock);
	leaf = csum_leaf_get(csum, csum_leaf_of(block * CSUM_BLOCK));
	return IS_ERR(leaf) ? CSUM_BAD : csum_judge(leaf, block, crc);
}

/* Do all blocks fit, at the first look? */
static bool csum_fits(struct csum *csum, const struct kiobuf *kb)
{
	u64 i, block = csum_first_block(kb), nr = csum_nr_blocks(kb);
	struct bvec_iter iter = kiobuf_window(kb);
	enum csum_verdict verdict = CSUM_FITS;
	u64 unverified = 0;

	for (i = 0; i < nr && verdict <= CSUM_UNVERIFIED; i++) {
		u32 crc = csum_next(kb, &iter);

		mutex_lock(&csum->lock);
		verdict = csum_look(csum, block + i, crc);
		mutex_unlock(&csum->lock);
		unverified += verdict == CSUM_UNVERIFIED;
	}
	if (verdict > CSUM_UNVERIFIED)
		return false;
	mutex_lock(&csum->lock);
	csum->counts.verified += nr - unverified;
	csum->counts.unverified += unverified;
	mutex_unlock(&csum->lock);
	return true;
}

/* In a task: entries may have to be read. */
static enum kiobuf_climb csum_read_endio(struct kiobuf *kb,
					 const struct kiobuf_frame *frame)
{
	struct csum *csum = csum_of_dev(kb->dev);
	int error;

	if (kb->error ? kb->error == -EAGAIN && kb->flags & KIOBUF_NOWAIT :
			csum_fits(csum, kb))
		return KIOBUF_CLIMB;
	error = kiobuf_enqueue(&csum->queue, kb);
	if (!error)
		return KIOBUF_HOLD;
	kiobuf_fail(kb, 0, error);
	return KIOBUF_CLIMB;
}

/* A block of a read, once more, into memory that nobody else has. */
static int csum_reread(struct csum *csum, u64 block)
{
	struct csum_leaf *leaf;
	u32 crc;
	int ret;

	ret = csum_read_block(csum, block, &crc);
	if (ret)
		return ret;
	leaf = csum_leaf_get(csum, csum_leaf_of(block * CSUM_BLOCK));
	if (IS_ERR(leaf))
		return PTR_ERR(leaf);
	switch (csum_judge(leaf, block, crc)) {
	case CSUM_FITS:
		csum->counts.verified++;
		return 0;
	case CSUM_UNVERIFIED:
		csum->counts.unverified++;
		return 0;
	case CSUM_TORN:
		csum->counts.torn++;
		csum_adopt(leaf, block, crc);
		mod_delayed_work(csum->wq, &csum->later, HZ);
		return 0;
	default:
		csum->counts.mismatches++;
		return -EILSEQ;
	}
}

/* The worker's: no write is under way. */
static void csum_read_again(struct csum *csum, struct kiobuf *kb)
{
	u64 i, block = csum_first_block(kb), nr = csum_nr_blocks(kb);
	struct bvec_iter iter = kiobuf_window(kb);
	int ret;

	kiobuf_restart(kb);
	mutex_lock(&csum->lock);
	for (i = 0; i < nr; i++) {
		ret = kiobuf_cancelled(kb) ?: csum_reread(csum, block + i);
		if (ret) {
			kiobuf_fail_range(kb, i * CSUM_BLOCK, CSUM_BLOCK, ret);
			csum_cut(kb, &iter);
		} else {
			csum_put(kb, &iter, csum->bounce);
		}
	}
	mutex_unlock(&csum->lock);
	kiobuf_resume(kb);
}

/* ---- a batch: entries ---- */

static u32 csum_wanted(const struct kiobuf *kb, struct bvec_iter *iter)
{
	return kb->op == KIOBUF_WRITE ? csum_next(kb, iter) : csum_of_zeroes;
}

static int csum_enter(struct csum_slot *slot)
{
	const struct kiobuf *kb = slot->kb;
	u64 block = csum_first_block(kb), end = block + csum_nr_blocks(kb);
	struct bvec_iter iter = kiobuf_window(kb);
	u64 at;

	for (at = block; at < end; at++)
		if (csum_leaf_is_bad(slot->leaf, at))
			return -EILSEQ;
	for (at = block; at < end; at++) {
		if (kb->op == KIOBUF_DISCARD)
			csum_forget(slot->leaf, at);
		else
			csum_set(slot->leaf, at, csum_wanted(kb, &iter));
	}
	slot->leaf->dirty = true;
	return 0;
}

static int csum_pin(struct csum *csum, struct csum_slot *slot)
{
	struct csum_leaf *leaf;

	if (slot->kb->op == KIOBUF_FLUSH)
		return 0;
	leaf = csum_leaf_get(csum, csum_leaf_of(slot->kb->pos));
	if (IS_ERR(leaf))
		return PTR_ERR(leaf);
	leaf->pinned = true;
	slot->leaf = leaf;
	return 0;
}

/* Is a block of it not yet known to be as it was last written? */
static bool csum_must_settle(const struct csum_slot *slot)
{
	u64 block = csum_first_block(slot->kb);
	u64 end = block + csum_nr_blocks(slot->kb);

	for (; slot->leaf && block < end; block++)
		if (csum_is_unsettled(slot->leaf, block))
			return true;
	return false;
}

static int csum_settle_first(struct csum *csum)
{
	unsigned int i;

	for (i = 0; i < csum->nr_slots; i++)
		if (csum_must_settle(&csum->slots[i]))
			return csum_make_durable(csum);
	return 0;
}

/* Each leaf once; a slot whose leaf failed fails with it. */
static void csum_write_leaves(struct csum *csum)
{
	struct csum_slot *slot, *other;
	struct csum_slot *end = csum->slots + csum->nr_slots;
	int ret;

	for (slot = csum->slots; slot < end; slot++) {
		if (slot->error || !slot->leaf || !slot->leaf->dirty)
			continue;
		ret = csum_leaf_write(csum, slot->leaf, KIOBUF_FUA);
		for (other = slot; ret && other < end; other++)
			if (other->leaf == slot->leaf)
				other->error = other->error ?: ret;
	}
}

static void csum_enter_all(struct csum *csum)
{
	struct csum_slot *slot, *end = csum->slots + csum->nr_slots;
	int ret;

	for (slot = csum->slots; slot < end; slot++)
		slot->error = kiobuf_cancelled(slot->kb) ?:
			      csum_pin(csum, slot);
	ret = csum_settle_first(csum);
	for (slot = csum->slots; slot < end; slot++) {
		slot->error = slot->error ?: ret;
		if (!slot->error && slot->leaf)
			slot->error = csum_enter(slot);
	}
	csum_write_leaves(csum);
}

/* ---- a batch: data ---- */

static enum kiobuf_climb csum_slot_endio(struct kiobuf *kb,
					 const struct kiobuf_frame *frame)
{
	struct csum *csum = container_of(frame, struct csum_slot, frame)->csum;

	if (atomic_dec_and_test(&csum->in_flight))
		complete(&csum->done);
	return KIOBUF_HOLD;
}

static void csum_send(struct csum *csum, struct csum_slot *slot)
{
	struct kiobuf *kb = slot->kb;

	slot->frame.endio = csum_slot_endio;
	slot->frame.task = false;
	kiobuf_intercept(kb, &slot->frame);
	atomic_inc(&csum->in_flight);
	kb->dev = csum->filter->lower;
	kiobuf_submit(kb);
}

/* One share is ours until all are sent. */
static void csum_send_all(struct csum *csum)
{
	unsigned int i;

	reinit_completion(&csum->done);
	atomic_set(&csum->in_flight, 1);
	for (i = 0; i < csum->nr_slots; i++)
		if (!csum->slots[i].error)
			csum_send(csum, &csum->slots[i]);
	if (!atomic_dec_and_test(&csum->in_flight))
		wait_for_completion_io(&csum->done);
}

/* ---- a batch: its end ---- */

static void csum_conclude(struct csum *csum, struct csum_slot *slot)
{
	struct kiobuf *kb = slot->kb;
	u64 block = csum_first_block(kb), end = block + csum_nr_blocks(kb);
	bool discard = kb->op == KIOBUF_DISCARD;

	if (slot->error || kb->error)
		return;
	if (kb->op == KIOBUF_FLUSH)
		csum_settle(csum);
	for (; slot->leaf && !discard && block < end; block++)
		csum_mark_written(slot->leaf, block);
}

/* It may be gone as soon as it is let go. */
static void csum_end(struct csum_slot *slot)
{
	struct kiobuf *kb = slot->kb;

	if (slot->error)
		kiobuf_endio(kb, 0, slot->error);
	else
		kiobuf_resume(kb);
}

static void csum_run_batch(struct csum *csum)
{
	unsigned int i;

	mutex_lock(&csum->lock);
	csum_enter_all(csum);
	mutex_unlock(&csum->lock);
	csum_send_all(csum);
	mutex_lock(&csum->lock);
	for (i = 0; i < csum->nr_slots; i++)
		csum_conclude(csum, &csum->slots[i]);
	if (!csum->is_volatile)
		csum_settle(csum);
	for (i = 0; i < csum->nr_slots; i++)
		if (csum->slots[i].leaf)
			csum->slots[i].leaf->pinned = false;
	mutex_unlock(&csum->lock);
	mod_delayed_work(csum->wq, &csum->later, HZ);
	for (i = 0; i < csum->nr_slots; i++)
		csum_end(&csum->slots[i]);
}

/* ---- a batch: what belongs to it ---- */

static bool csum_overlaps(const struct csum *csum, const struct kiobuf *kb)
{
	unsigned int i;

	for (i = 0; i < csum->nr_slots; i++) {
		const struct kiobuf *other = csum->slots[i].kb;

		if (kb->pos < other->pos + other->length &&
		    other->pos < kb->pos + kb->length)
			return true;
	}
	return false;
}

/* A flush and a read that is done again stand alone. */
static bool csum_fits_batch(const struct csum *csum, const struct kiobuf *kb)
{
	bool alone = kb->op == KIOBUF_FLUSH || kb->op == KIOBUF_READ;

	if (!csum->nr_slots)
		return true;
	return !alone && csum->nr_slots < CSUM_BATCH &&
	       csum->slots[0].kb->op != KIOBUF_FLUSH && !csum_overlaps(csum, kb);
}

static struct kiobuf *csum_take(struct csum *csum)
{
	struct kiobuf *kb = csum->next;

	csum->next = NULL;
	return kb ?: kiobuf_dequeue(&csum->queue);
}

static void csum_work(struct work_struct *work)
{
	struct csum *csum = container_of(work, struct csum, work);
	unsigned int noio = memalloc_noio_save();
	struct kiobuf *kb;

	do {
		csum->nr_slots = 0;
		while ((kb = csum_take(csum)) && csum_fits_batch(csum, kb) &&
		       kb->op != KIOBUF_READ)
			csum->slots[csum->nr_slots++] = (struct csum_slot){
				.csum = csum, .kb = kb };
		if (kb && kb->op == KIOBUF_READ && !csum->nr_slots)
			csum_read_again(csum, kb);
		else
			csum->next = kb;
		if (csum->nr_slots)
			csum_run_batch(csum);
	} while (kb);
	memalloc_noio_restore(noio);
}

/* Nothing was written for a while: the area can say what is durable. */
static void csum_later(struct work_struct *work)
{
	struct csum *csum = container_of(to_delayed_work(work), struct csum,
					 later);
	unsigned int noio = memalloc_noio_save();

	mutex_lock(&csum->lock);
	csum_write_back(csum);
	mutex_unlock(&csum->lock);
	memalloc_noio_restore(noio);
}

/* ---- the way down ---- */

static bool csum_watch(struct kiobuf *kb, struct kfilter *filter)
{
	if (!kiobuf_push_frame(kb, csum_read_endio, 0))
		return false;
	kb->frames->task = true;
	kb->dev = filter->lower;
	return true;
}

static int csum_submit(struct kiobuf *kb)
{
	struct kfilter *filter = kfilter_of(kb->dev);
	struct csum *csum = filter->data;

	if ((kb->pos | kb->length) & (CSUM_BLOCK - 1))
		return -EINVAL;
	if (kb->op == KIOBUF_READ)
		return csum_watch(kb, filter) ? KIOBUF_REMAPPED : KIOBUF_SPLIT;
	/* Entries may have to be read. */
	if (kb->flags & KIOBUF_NOWAIT)
		return -EAGAIN;
	if (kb->length && csum_leaf_of(kb->pos) !=
			  csum_leaf_of(kb->pos + kb->length - 1))
		return KIOBUF_SPLIT;
	return kiobuf_enqueue(&csum->queue, kb);
}

/* To the end of what one leaf speaks of. */
static struct kiobuf *csum_carve_leaf(struct kiobuf *parent)
{
	u64 pos = parent->pos + parent->carved;
	u64 border = (csum_leaf_of(pos) + 1) * CSUM_LEAF_BYTES;

	return kiobuf_carve(parent, border - pos);
}

/* They wait for the worker, all of them: none is for the loop to take down. */
static struct kiobuf *csum_queue_children(struct kiobuf *parent)
{
	struct csum *csum = csum_of_dev(parent->dev);
	struct kiobuf *kb;
	int error;

	while (!IS_ERR_OR_NULL(kb = csum_carve_leaf(parent))) {
		error = kiobuf_enqueue(&csum->queue, kb);
		if (error)
			kiobuf_endio(kb, 0, error);
	}
	return kb;
}

/* Of a read one clone, which has room for a frame. */
static struct kiobuf *csum_next_child(struct kiobuf *parent)
{
	struct kfilter *filter = kfilter_of(parent->dev);
	struct kiobuf *kb;

	if (parent->op != KIOBUF_READ)
		return csum_queue_children(parent);
	kb = kiobuf_carve(parent, U64_MAX);
	if (!IS_ERR_OR_NULL(kb) && WARN_ON_ONCE(!csum_watch(kb, filter)))
		kb->dev = filter->lower;
	return kb;
}

static bool csum_cancel(struct kiobuf_dev *dev, struct kiobuf *kb)
{
	return kiobuf_unqueue(&csum_of_dev(dev)->queue, kb);
}

static const struct kiobuf_dev_ops csum_ops = {
	.submit		= csum_submit,
	.next_child	= csum_next_child,
	.cancel		= csum_cancel,
};

/* ---- life ---- */

static int csum_init(struct kfilter *filter)
{
	struct csum *csum = filter->data;

	csum->filter = filter;
	csum->wq = alloc_ordered_workqueue("kcsum_%s", WQ_MEM_RECLAIM,
					   filter->object.kd.dev.name);
	if (!csum->wq)
		return -ENOMEM;
	mutex_init(&csum->lock);
	xa_init(&csum->leaves);
	INIT_LIST_HEAD(&csum->lru);
	INIT_WORK(&csum->work, csum_work);
	INIT_DELAYED_WORK(&csum->later, csum_later);
	kiobuf_queue_init(&csum->queue, &csum->work, csum->wq);
	init_completion(&csum->done);
	return 0;
}

static void csum_exit(struct kfilter *filter)
{
	struct csum *csum = filter->data;

	destroy_workqueue(csum->wq);
}

static int csum_start(struct kfilter *filter, struct kblk_shape *shape)
{
	struct csum *csum = filter->data;
	struct csum_counts before = csum->counts;
	int ret;

	csum->counts = (struct csum_counts){};
	csum->is_volatile = kblk_lower_is_volatile(filter->claim);
	ret = csum_area_open(csum, shape->size);
	if (ret) {
		csum->counts = before;
		return ret;
	}
	csum_of_zeroes = csum_of(page_address(ZERO_PAGE(0)));
	shape->size = csum->blocks * CSUM_BLOCK;
	shape->block_size = CSUM_BLOCK;
	shape->stable = true;
	return 0;
}

static void csum_stop(struct kfilter *filter)
{
	struct csum *csum = filter->data;

	flush_work(&csum->work);
	cancel_delayed_work_sync(&csum->later);
	if (csum_area_close(csum))
		pr_warn("kfilter: %s: its checksums could not be written; the next start recovers\n",
			filter->object.kd.dev.name);
	csum_area_free(csum);
}

static ssize_t csum_show_state(struct kfilter *filter, char *page)
{
	struct csum *csum = filter->data;
	ssize_t len;

	mutex_lock(&csum->lock);
	len = sysfs_emit(page, "verified %llu\nunverified %llu\nmismatches %llu\ntorn %llu\n",
			 csum->counts.verified, csum->counts.unverified, csum->counts.mismatches,
			 csum->counts.torn);
	mutex_unlock(&csum->lock);
	return len;
}

struct kfilter_kind csum_kind = {
	.name		= "checksum",
	.owner		= THIS_MODULE,
	.ops		= &csum_ops,
	.data_size	= sizeof(struct csum),
	.has_metadata	= true,
	.init		= csum_init,
	.exit		= csum_exit,
	.start		= csum_start,
	.stop		= csum_stop,
	.show_state	= csum_show_state,
};
