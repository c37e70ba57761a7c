// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots: the data path, and how a chunk gets its exception.
 *
 * snap->chunks holds for a chunk nothing, a struct snap_slot, or the number of the
 * chunk on the store with a bit that says that readers of the origin are awaited. It is
 * looked at without a lock.
 *
 * A read that goes to the origin is counted first, and looks again then; who sets an
 * exception looks at the count afterwards. So either the read sees the exception, or the
 * origin is not written before the read has ended.
 *
 * Slots bring the memory for a chunk along, so that copies need none.
 */
#include <linux/hash.h>
#include <linux/module.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "snapshot.h"

/* Memory for chunks in flight */
#define SNAP_MEMORY	SZ_1M
#define SNAP_MIN_SLOTS	4
#define SNAP_MAX_SLOTS	64

/**
 * struct snap_slot - a chunk that is to get an exception
 * @kb: reads and writes it
 * @frame: sees @over again
 * @list: by how far it is
 * @snap: whose
 * @chunk: of the origin
 * @new_chunk: of the store
 * @over: the write that overwrites all of it, NULL if it is copied
 * @turn: of who has submitted the read, and its end: the latter of them goes on
 * @error: what went wrong
 * @vec: memory of a chunk
 * @bytes: likewise
 */
struct snap_slot {
	struct kiobuf		kb;
	struct kiobuf_frame	frame;
	struct list_head	list;
	struct klvm_snapshot	*snap;
	u64			chunk;
	u64			new_chunk;
	struct kiobuf		*over;
	atomic_t		turn;
	int			error;
	struct kiobuf_vec	*vec;
	void			*bytes;
};

static struct klvm_snapshot *snap_of(struct kiobuf_dev *dev)
{
	return container_of(dev, struct klvm_snapshot, device.dev);
}

static bool snap_is_live(const struct klvm_snapshot *snap)
{
	return likely(READ_ONCE(snap->state) == SNAP_LIVE);
}

static u64 snap_chunk(const struct klvm_snapshot *snap, u64 pos)
{
	return pos >> snap->store.shift;
}

/* ---- entries of snap->chunks ---- */

static void *snap_entry(u64 new_chunk, bool draining)
{
	return xa_mk_value(new_chunk << 1 | draining);
}

static u64 snap_entry_chunk(void *entry)
{
	return xa_to_value(entry) >> 1;
}

/* The snapshot has the chunk, and no read of it is on the origin any more. */
static bool snap_entry_is_done(void *entry)
{
	return xa_is_value(entry) && !(xa_to_value(entry) & 1);
}

/* ---- slots ---- */

/* Something has changed that others may wait for. */
static void snap_kick(struct klvm_snapshot *snap)
{
	bool serving;

	/* Pairs with snap_run_serve(): it sees what has changed, or we see it. */
	smp_mb();
	serving = smp_load_acquire(&snap->serving); /* before held.nr */
	if (serving || READ_ONCE(snap->held.nr))
		queue_work(snap->wq, &snap->serve);
	klvm_origin_kick(snap->origin);
}

static struct snap_slot *snap_slot_get(struct klvm_snapshot *snap)
{
	struct snap_slot *slot;

	spin_lock_irq(&snap->lock);
	slot = list_first_entry_or_null(&snap->free, struct snap_slot, list);
	if (slot) {
		list_del_init(&slot->list);
		snap->nr_busy++;
	}
	spin_unlock_irq(&snap->lock);
	return slot;
}

static void snap_slot_put(struct klvm_snapshot *snap, struct snap_slot *slot)
{
	spin_lock_irq(&snap->lock);
	list_add(&slot->list, &snap->free);
	if (!--snap->nr_busy)
		wake_up_all(&snap->idle);
	spin_unlock_irq(&snap->lock);
}

static void snap_slot_pass(struct snap_slot *slot, struct list_head *list,
			   struct work_struct *work)
{
	struct klvm_snapshot *snap = slot->snap;
	unsigned long flags;

	spin_lock_irqsave(&snap->lock, flags);
	list_add_tail(&slot->list, list);
	queue_work(snap->wq, work);
	spin_unlock_irqrestore(&snap->lock, flags);
}

static struct snap_slot *snap_slot_take(struct klvm_snapshot *snap,
					struct list_head *list)
{
	struct snap_slot *slot;

	spin_lock_irq(&snap->lock);
	slot = list_first_entry_or_null(list, struct snap_slot, list);
	if (slot)
		list_del_init(&slot->list);
	spin_unlock_irq(&snap->lock);
	return slot;
}

/* The snapshot is lost: its worker says so in the store, then all may go on. */
static void snap_fail(struct klvm_snapshot *snap)
{
	if (cmpxchg(&snap->state, SNAP_LIVE, SNAP_FAILING) == SNAP_LIVE)
		queue_work(snap->wq, &snap->commit);
}

/* ---- copying ---- */

static void snap_written(struct kiobuf *kb)
{
	struct snap_slot *slot = container_of(kb, struct snap_slot, kb);

	slot->error = kb->error;
	snap_slot_pass(slot, &slot->snap->written, &slot->snap->commit);
}

/* The origin may end in the middle of a chunk, and of a block of the store. */
static u32 snap_pad_copy(struct snap_slot *slot)
{
	u32 length = slot->kb.length;
	u32 whole = round_up(length,
			     kblk_lower_block_size(slot->snap->store.lower));

	memset(slot->bytes + length, 0, whole - length);
	return whole;
}

/* The read has ended. Context: process, with memalloc_noio_save(). */
static void snap_write_copy(struct snap_slot *slot)
{
	struct klvm_snapshot *snap = slot->snap;

	if (slot->kb.error) {
		snap_written(&slot->kb);
		return;
	}
	kiobuf_reset(&slot->kb, snap->store.dev, KIOBUF_WRITE,
		     slot->new_chunk << snap->store.shift, slot->vec,
		     snap_pad_copy(slot));
	slot->kb.end_io = snap_written;
	kiobuf_submit(&slot->kb);
}

/* Ended before its submitter was back: that one goes on, which saves a worker. */
static void snap_read_end(struct kiobuf *kb)
{
	struct snap_slot *slot = container_of(kb, struct snap_slot, kb);

	if (atomic_dec_and_test(&slot->turn))
		snap_slot_pass(slot, &slot->snap->copied, &slot->snap->copy);
}

static void snap_start_copy(struct snap_slot *slot)
{
	struct klvm_snapshot *snap = slot->snap;
	u64 pos = slot->chunk << snap->store.shift;
	u64 length = min_t(u64, snap_chunk_bytes(&snap->store),
			   snap->origin_bytes - pos);

	kiobuf_reset(&slot->kb, snap->below, KIOBUF_READ, pos, slot->vec,
		     length);
	slot->kb.end_io = snap_read_end;
	atomic_set(&slot->turn, 2);
	kiobuf_submit(&slot->kb);
	if (atomic_dec_and_test(&slot->turn))
		snap_write_copy(slot);
}

static void snap_run_copy(struct work_struct *work)
{
	struct klvm_snapshot *snap = container_of(work, struct klvm_snapshot,
						  copy);
	unsigned int noio = memalloc_noio_save();
	struct snap_slot *slot;

	while ((slot = snap_slot_take(snap, &snap->copied)))
		snap_write_copy(slot);
	memalloc_noio_restore(noio);
}

/* ---- a write of a whole chunk: nothing to copy ---- */

static enum kiobuf_climb snap_over_endio(struct kiobuf *kb,
					 const struct kiobuf_frame *frame)
{
	struct snap_slot *slot = container_of(frame, struct snap_slot, frame);

	slot->error = kb->error;
	snap_slot_pass(slot, &slot->snap->written, &slot->snap->commit);
	return KIOBUF_HOLD;
}

static void snap_start_over(struct snap_slot *slot)
{
	struct klvm_snapshot *snap = slot->snap;
	struct kiobuf *kb = slot->over;

	slot->frame.endio = snap_over_endio;
	slot->frame.task = false;
	kiobuf_intercept(kb, &slot->frame);
	kb->dev = snap->store.dev;
	kb->pos = slot->new_chunk << snap->store.shift;
	kiobuf_submit(kb);
}

/* ---- beginning ---- */

static int snap_reserve(struct klvm_snapshot *snap, struct snap_slot *slot)
{
	int ret;

	spin_lock_irq(&snap->lock);
	ret = snap_store_reserve(&snap->store, &slot->new_chunk);
	spin_unlock_irq(&snap->lock);
	return ret;
}

/* False if somebody else is at that chunk, or there is no room for it. */
static bool snap_slot_enter(struct klvm_snapshot *snap, struct snap_slot *slot,
			    u64 chunk)
{
	void *old = xa_cmpxchg(&snap->chunks, chunk, NULL, slot, GFP_NOIO);

	if (old) {
		if (xa_is_err(old))
			snap_fail(snap);
		return false;
	}
	if (!snap_reserve(snap, slot))
		return true;
	xa_erase(&snap->chunks, chunk);
	snap_fail(snap);
	return false;
}

/*
 * Has @chunk get an exception. @over is a write of all of it, or NULL. True if that was
 * taken; the caller looks again when it is kicked, whatever has come of it.
 * Context: process, with memalloc_noio_save().
 */
static bool snap_begin(struct klvm_snapshot *snap, u64 chunk,
		       struct kiobuf *over)
{
	struct snap_slot *slot = snap_slot_get(snap);

	if (!slot)
		return false;
	slot->chunk = chunk;
	slot->over = over;
	slot->error = 0;
	if (!snap_slot_enter(snap, slot, chunk)) {
		snap_slot_put(snap, slot);
		snap_kick(snap);
		return false;
	}
	if (over)
		snap_start_over(slot);
	else
		snap_start_copy(slot);
	return true;
}

/* ---- committing ---- */

static struct snap_readers *snap_readers(struct klvm_snapshot *snap, u64 chunk)
{
	return &snap->readers[hash_64(chunk, SNAP_BUCKET_BITS)];
}

static void snap_slot_finish(struct klvm_snapshot *snap, struct snap_slot *slot)
{
	xa_store(&snap->chunks, slot->chunk,
		 snap_entry(slot->new_chunk, false), GFP_NOIO);
	snap_slot_put(snap, slot);
}

/* Once reads that went to the origin have ended */
static void snap_drain(struct klvm_snapshot *snap)
{
	struct snap_slot *slot, *next;
	struct snap_readers *readers;

	list_for_each_entry_safe(slot, next, &snap->draining, list) {
		readers = snap_readers(snap, slot->chunk);
		if (atomic_read(&readers->nr))
			continue;
		WRITE_ONCE(readers->draining, readers->draining - 1);
		list_del_init(&slot->list);
		snap_slot_finish(snap, slot);
	}
}

/* The exception is durable. */
static void snap_slot_commit(struct klvm_snapshot *snap, struct snap_slot *slot)
{
	struct snap_readers *readers = snap_readers(snap, slot->chunk);

	WRITE_ONCE(readers->draining, readers->draining + 1);
	/* Replaces the slot: needs no memory. */
	xa_store(&snap->chunks, slot->chunk, snap_entry(slot->new_chunk, true),
		 GFP_NOIO);
	list_add_tail(&slot->list, &snap->draining);
	if (slot->over)
		kiobuf_resume(slot->over);
}

/* No exception comes of it. */
static void snap_slot_drop(struct klvm_snapshot *snap, struct snap_slot *slot)
{
	struct kiobuf *over = slot->over;

	xa_erase(&snap->chunks, slot->chunk);
	spin_lock_irq(&snap->lock);
	snap_store_unreserve(&snap->store);
	spin_unlock_irq(&snap->lock);
	snap_slot_put(snap, slot);
	if (!over)
		return;
	if (!snap_is_live(snap) && !over->error)
		kiobuf_fail(over, 0, -EIO);
	kiobuf_resume(over);
}

static void snap_store_slots(struct klvm_snapshot *snap,
			     struct list_head *slots)
{
	struct snap_slot *slot;
	int ret = snap_store_begin(&snap->store);

	list_for_each_entry(slot, slots, list)
		if (!ret && !slot->error)
			ret = snap_store_add(&snap->store, slot->chunk,
					     slot->new_chunk);
	if (!ret)
		ret = snap_store_commit(&snap->store);
	if (ret)
		snap_fail(snap);
}

static void snap_lose(struct klvm_snapshot *snap)
{
	int ret = snap_store_invalidate(&snap->store);

	pr_warn("klvm: snapshot %s is lost%s\n", snap->device.dev.name,
		ret ? ", and its store cannot be told" : "");
	WRITE_ONCE(snap->state, SNAP_INVALID);
}

/*
 * A copy that failed leaves the chunk without its old content once the origin is
 * written. A failed write of a whole chunk leaves the chunk as it was.
 */
static bool snap_has_lost(const struct list_head *slots)
{
	const struct snap_slot *slot;

	list_for_each_entry(slot, slots, list)
		if (slot->error && !slot->over)
			return true;
	return false;
}

static void snap_commit_slots(struct klvm_snapshot *snap,
			      struct list_head *slots)
{
	struct snap_slot *slot, *next;

	if (snap_has_lost(slots))
		snap_fail(snap);
	if (snap_is_live(snap) && !list_empty(slots))
		snap_store_slots(snap, slots);
	if (READ_ONCE(snap->state) == SNAP_FAILING)
		snap_lose(snap);
	list_for_each_entry_safe(slot, next, slots, list) {
		list_del_init(&slot->list);
		if (snap_is_live(snap) && !slot->error)
			snap_slot_commit(snap, slot);
		else
			snap_slot_drop(snap, slot);
	}
	/* Pairs with snap_read_origin(). */
	smp_mb();
	snap_drain(snap);
}

static void snap_run_commit(struct work_struct *work)
{
	struct klvm_snapshot *snap = container_of(work, struct klvm_snapshot,
						  commit);
	unsigned int noio = memalloc_noio_save();
	LIST_HEAD(slots);

	spin_lock_irq(&snap->lock);
	list_splice_tail_init(&snap->written, &slots);
	spin_unlock_irq(&snap->lock);
	snap_commit_slots(snap, &slots);
	snap_kick(snap);
	memalloc_noio_restore(noio);
}

/* ---- what the origin asks ---- */

/* The chunks of a range of the origin that the snapshot has, too */
static bool snap_range(const struct klvm_snapshot *snap, u64 pos, u64 length,
		       u64 *chunk, u64 *last)
{
	if (pos >= snap->size || !length)
		return false;
	*chunk = snap_chunk(snap, pos);
	*last = snap_chunk(snap, min(pos + length, snap->size) - 1);
	return true;
}

/*
 * May the origin be written there, as far as @snap goes?
 * Context: any, in a section of RCU or with origin->lock held.
 */
bool klvm_snap_is_ready(struct klvm_snapshot *snap, u64 pos, u64 length)
{
	int state = READ_ONCE(snap->state);
	u64 chunk, last;

	if (unlikely(state != SNAP_LIVE))
		return state == SNAP_INVALID;
	if (!snap_range(snap, pos, length, &chunk, &last))
		return true;
	for (; chunk <= last; chunk++)
		if (!snap_entry_is_done(xa_load(&snap->chunks, chunk)))
			return false;
	return true;
}

/*
 * As klvm_snap_is_ready(), and has chunks copied that are not. Whoever is told no is
 * kicked when something has changed.
 * Context: process, with origin->lock held and memalloc_noio_save().
 */
bool klvm_snap_prepare(struct klvm_snapshot *snap, u64 pos, u64 length)
{
	u64 chunk, last;

	if (klvm_snap_is_ready(snap, pos, length))
		return true;
	if (!snap_range(snap, pos, length, &chunk, &last))
		return false;
	for (; chunk <= last && snap_is_live(snap); chunk++)
		if (!xa_load(&snap->chunks, chunk) &&
		    !snap_begin(snap, chunk, NULL))
			break;
	return klvm_snap_is_ready(snap, pos, length);
}

/* ---- requests ---- */

static int snap_go_to_store(const struct klvm_snapshot *snap, struct kiobuf *kb,
			    void *entry)
{
	u64 mask = snap_chunk_bytes(&snap->store) - 1;

	kb->pos = (snap_entry_chunk(entry) << snap->store.shift) |
		  (kb->pos & mask);
	kb->dev = snap->store.dev;
	return KIOBUF_REMAPPED;
}

static void snap_reader_end(struct klvm_snapshot *snap,
			    struct snap_readers *readers)
{
	if (atomic_dec_and_test(&readers->nr) &&
	    unlikely(READ_ONCE(readers->draining)))
		queue_work(snap->wq, &snap->commit);
}

/* What was lost meanwhile may have been written on the origin meanwhile. */
static enum kiobuf_climb snap_read_endio(struct kiobuf *kb,
					 const struct kiobuf_frame *frame)
{
	struct klvm_snapshot *snap = snap_of(frame->dev);

	if (!snap_is_live(snap) && !kb->error)
		kiobuf_fail(kb, 0, -EIO);
	snap_reader_end(snap, &snap->readers[frame->data]);
	return KIOBUF_CLIMB;
}

static int snap_park(struct klvm_snapshot *snap, struct kiobuf *kb)
{
	if (kb->flags & KIOBUF_NOWAIT)
		return -EAGAIN;
	return kiobuf_enqueue(&snap->fresh, kb);
}

static int snap_read_origin(struct klvm_snapshot *snap, struct kiobuf *kb,
			    u64 chunk)
{
	struct snap_readers *readers = snap_readers(snap, chunk);
	u32 nr = readers - snap->readers;
	void *entry;

	atomic_inc(&readers->nr);
	/* Pairs with snap_commit_slots(). */
	smp_mb__after_atomic();
	entry = xa_load(&snap->chunks, chunk);
	if (unlikely(xa_is_value(entry))) {
		snap_reader_end(snap, readers);
		return snap_go_to_store(snap, kb, entry);
	}
	/* Others in the bucket must come to an end. */
	if (unlikely(READ_ONCE(readers->draining))) {
		snap_reader_end(snap, readers);
		return snap_park(snap, kb);
	}
	if (unlikely(!kiobuf_push_frame(kb, snap_read_endio, nr))) {
		snap_reader_end(snap, readers);
		return KIOBUF_SPLIT;
	}
	kb->dev = snap->below;
	return KIOBUF_REMAPPED;
}

static int snap_submit(struct kiobuf *kb)
{
	struct klvm_snapshot *snap = snap_of(kb->dev);
	u64 mask = snap_chunk_bytes(&snap->store) - 1;
	u64 chunk = snap_chunk(snap, kb->pos);
	void *entry;

	if (!snap_is_live(snap))
		return -EIO;
	if (unlikely(kb->op == KIOBUF_FLUSH)) {
		kb->dev = snap->store.dev;
		return KIOBUF_REMAPPED;
	}
	if (unlikely(kb->op == KIOBUF_DISCARD)) {
		kiobuf_endio(kb, kb->length, 0);
		return KIOBUF_SUBMITTED;
	}
	if ((kb->pos & mask) + kb->length > mask + 1)
		return KIOBUF_SPLIT;
	entry = xa_load(&snap->chunks, chunk);
	if (xa_is_value(entry))
		return snap_go_to_store(snap, kb, entry);
	if (kb->op == KIOBUF_READ)
		return snap_read_origin(snap, kb, chunk);
	return snap_park(snap, kb);
}

/* Also of what lies in one chunk, for the frame that a clone has. */
static struct kiobuf *snap_next_child(struct kiobuf *parent)
{
	struct klvm_snapshot *snap = snap_of(parent->dev);
	u64 pos = parent->pos + parent->carved;
	u32 bytes = snap_chunk_bytes(&snap->store);
	struct kiobuf *kb;

	if (parent->carved == parent->length)
		return NULL;
	kb = kiobuf_carve(parent, bytes - (pos & (bytes - 1)));
	if (!IS_ERR_OR_NULL(kb)) {
		kb->pos = pos;
		kb->dev = parent->dev;
	}
	return kb;
}

static bool snap_cancel(struct kiobuf_dev *dev, struct kiobuf *kb)
{
	struct klvm_snapshot *snap = snap_of(dev);

	return kiobuf_unqueue(&snap->fresh, kb) ||
	       kiobuf_unqueue(&snap->held, kb);
}

static const struct kiobuf_dev_ops snap_ops = {
	.submit		= snap_submit,
	.next_child	= snap_next_child,
	.cancel		= snap_cancel,
};

/* ---- requests that wait ---- */

static bool snap_is_whole(const struct klvm_snapshot *snap,
			  const struct kiobuf *kb)
{
	return kb->length == snap_chunk_bytes(&snap->store);
}

static bool snap_must_wait(struct klvm_snapshot *snap, struct kiobuf *kb)
{
	u64 chunk = snap_chunk(snap, kb->pos);
	void *entry = xa_load(&snap->chunks, chunk);

	if (xa_is_value(entry))
		return false;
	if (kb->op == KIOBUF_READ)
		return READ_ONCE(snap_readers(snap, chunk)->draining);
	return true;
}

static void snap_hold(struct klvm_snapshot *snap, struct kiobuf *kb)
{
	int error = kiobuf_enqueue(&snap->held, kb);

	if (error)
		kiobuf_endio(kb, 0, error);
}

static void snap_serve(struct klvm_snapshot *snap, struct kiobuf *kb)
{
	u64 chunk = snap_chunk(snap, kb->pos);
	bool whole = snap_is_whole(snap, kb);

	if (!snap_is_live(snap) || !snap_must_wait(snap, kb)) {
		kiobuf_submit(kb);
		return;
	}
	if (kb->op != KIOBUF_READ && !xa_load(&snap->chunks, chunk) &&
	    snap_begin(snap, chunk, whole ? kb : NULL) && whole)
		return;
	snap_hold(snap, kb);
}

static void snap_run_serve(struct work_struct *work)
{
	struct klvm_snapshot *snap = container_of(work, struct klvm_snapshot,
						  serve);
	unsigned int noio = memalloc_noio_save();
	struct kiobuf *kb, *next;
	LIST_HEAD(list);

	WRITE_ONCE(snap->serving, true);
	/* Pairs with snap_kick(). */
	smp_mb();
	while ((kb = kiobuf_dequeue(&snap->held) ?:
		     kiobuf_dequeue(&snap->fresh)))
		list_add_tail(&kb->queue, &list);
	list_for_each_entry_safe(kb, next, &list, queue) {
		list_del_init(&kb->queue);
		snap_serve(snap, kb);
	}
	/* What was held is to be seen by who sees this. */
	smp_store_release(&snap->serving, false);
	memalloc_noio_restore(noio);
}

/* ---- life ---- */

static int snap_add_exception(u64 old_chunk, u64 new_chunk, void *arg)
{
	struct klvm_snapshot *snap = arg;

	if (old_chunk > ULONG_MAX)
		return -EFBIG;
	return xa_err(xa_store(&snap->chunks, old_chunk,
			       snap_entry(new_chunk, false), GFP_KERNEL));
}

static int snap_slot_init(struct klvm_snapshot *snap, struct snap_slot *slot)
{
	u32 bytes = snap_chunk_bytes(&snap->store);

	kiobuf_init_once(&slot->kb);
	slot->snap = snap;
	slot->bytes = kvmalloc(bytes, GFP_KERNEL);
	slot->vec = kiobuf_vec_alloc(DIV_ROUND_UP(bytes, PAGE_SIZE) + 1,
				     GFP_KERNEL);
	if (!slot->bytes || !slot->vec)
		return -ENOMEM;
	list_add_tail(&slot->list, &snap->free);
	return kiobuf_vec_add_buffer(slot->vec, slot->bytes, bytes, GFP_KERNEL);
}

static int snap_slots_init(struct klvm_snapshot *snap)
{
	u32 i, nr = clamp_t(u32, SNAP_MEMORY >> snap->store.shift,
			    SNAP_MIN_SLOTS, SNAP_MAX_SLOTS);
	int ret = 0;

	snap->slots = kvcalloc(nr, sizeof(*snap->slots), GFP_KERNEL);
	if (!snap->slots)
		return -ENOMEM;
	snap->nr_slots = nr;
	for (i = 0; !ret && i < nr; i++)
		ret = snap_slot_init(snap, &snap->slots[i]);
	return ret;
}

static void snap_slots_free(struct klvm_snapshot *snap)
{
	u32 i;

	for (i = 0; i < snap->nr_slots; i++) {
		if (snap->slots[i].vec)
			kiobuf_vec_put(snap->slots[i].vec);
		kvfree(snap->slots[i].bytes);
	}
	kvfree(snap->slots);
}

static void snap_init(struct klvm_snapshot *snap)
{
	xa_init(&snap->chunks);
	spin_lock_init(&snap->lock);
	INIT_LIST_HEAD(&snap->free);
	INIT_LIST_HEAD(&snap->copied);
	INIT_LIST_HEAD(&snap->written);
	INIT_LIST_HEAD(&snap->draining);
	init_waitqueue_head(&snap->idle);
	INIT_WORK(&snap->serve, snap_run_serve);
	INIT_WORK(&snap->copy, snap_run_copy);
	INIT_WORK(&snap->commit, snap_run_commit);
}

static void snap_free(struct klvm_device *device)
{
	struct klvm_snapshot *snap = container_of(device, struct klvm_snapshot,
						  device);

	if (snap->origin) {
		klvm_origin_leave(snap);
		destroy_workqueue(snap->wq);
	}
	klvm_device_del(device);
	snap_slots_free(snap);
	snap_store_close(&snap->store);
	xa_destroy(&snap->chunks);
	kfree(snap);
}

static int snap_status(struct klvm_device *device, char *buf, size_t max)
{
	struct klvm_snapshot *snap = container_of(device, struct klvm_snapshot,
						  device);
	struct snap_store *store = &snap->store;
	u64 used, metadata = 0;

	if (!snap_is_live(snap))
		return scnprintf(buf, max, " Invalid");
	spin_lock_irq(&snap->lock);
	used = store->next;
	spin_unlock_irq(&snap->lock);
	if (store->persistent)
		metadata = div_u64(READ_ONCE(store->nr),
				   store->layout.entries) + 2;
	return scnprintf(buf, max, " %llu/%llu %llu",
			 used << store->shift >> SECTOR_SHIFT,
			 kblk_lower_size(store->lower) >> SECTOR_SHIFT,
			 metadata << store->shift >> SECTOR_SHIFT);
}

static const struct klvm_device_ops snap_device_ops = {
	.status	= snap_status,
	.free	= snap_free,
};

static int snap_check(struct kblk_object *object, const struct klvm_line *line,
		      struct kblk_lower *origin, struct kblk_lower *cow)
{
	u32 block = kblk_lower_block_size(origin) >> SECTOR_SHIFT;

	if (kblk_lower_users(cow) > 1)
		return kblk_refuse(object, -EBUSY,
				   "The device for the snapshot's chunks is in use by this volume already: take it down first.");
	if (line->chunk % block)
		return kblk_refuse(object, -EINVAL,
				   "A chunk must be a multiple of %u sectors, the origin's block.",
				   block);
	return 0;
}

static int snap_set_up(struct klvm_snapshot *snap, struct kblk_object *object,
		       const struct klvm_line *line, struct kblk_lower *origin,
		       struct kblk_lower *cow)
{
	int ret;

	snap->below = kblk_lower_dev(origin);
	snap->origin_bytes = kblk_lower_size(origin);
	snap->size = line->length << SECTOR_SHIFT;
	ret = snap_check(object, line, origin, cow) ?:
	      snap_store_open(object, &snap->store, cow, line,
			      snap_add_exception, snap) ?:
	      snap_slots_init(snap);
	if (ret)
		return ret;
	if (!snap->store.valid)
		snap->state = SNAP_INVALID;
	snap->wq = alloc_workqueue("klvm_snap_%s", WQ_MEM_RECLAIM | WQ_UNBOUND,
				   0, object->kd.dev.name);
	if (!snap->wq)
		return -ENOMEM;
	kiobuf_queue_init(&snap->fresh, &snap->serve, snap->wq);
	kiobuf_queue_init(&snap->held, NULL, NULL);
	ret = klvm_origin_join(snap, object, origin);
	if (ret)
		destroy_workqueue(snap->wq);
	return ret;
}

/*
 * A snapshot for @line of a table of @object. It is the origin's from then on: what is
 * written there is copied.
 */
struct klvm_device *klvm_snapshot_new(struct kblk_object *object,
				      const struct klvm_line *line,
				      struct kblk_lower *origin,
				      struct kblk_lower *cow)
{
	struct klvm_snapshot *snap = kzalloc(sizeof(*snap), GFP_KERNEL);
	int ret;

	if (!snap)
		return ERR_PTR(-ENOMEM);
	snap_init(snap);
	ret = klvm_device_add(&snap->device, object, &snap_ops,
			      &snap_device_ops);
	if (ret) {
		kfree(snap);
		return ERR_PTR(ret);
	}
	ret = snap_set_up(snap, object, line, origin, cow);
	if (ret) {
		snap_free(&snap->device);
		return ERR_PTR(ret);
	}
	return &snap->device;
}
