/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to klvm.ko: snapshots, their stores, and what they are snapshots of.
 *
 * A chunk of a snapshot is where its exception says, or else on the origin. Before
 * the origin's chunk is first written, it is copied:
 *
 *	nothing		the chunk is on the origin
 *	slot		it is being copied, or written whole; reads go to the origin
 *	draining	the exception is durable, the snapshot goes by it; reads that had gone
 *			to the origin before are still there, so writes to it wait
 *	done
 *
 * All that waits is looked at again whenever a chunk gets on, a slot becomes free, or
 * the snapshot is lost.
 */
#ifndef _KLVM_SNAPSHOT_H
#define _KLVM_SNAPSHOT_H

#include <linux/xarray.h>

#include "klvm.h"
#include "snap_format.h"

/**
 * struct snap_store - where the exceptions of a snapshot are
 * @lower: the device, claimed
 * @dev: where to send headers
 * @persistent: it outlives the snapshot
 * @valid: as it was opened
 * @shift: of the size of a chunk in bytes
 * @unit: bytes, least that is written of an area
 * @layout: of the device; @layout.entries is 0 without metadata
 * @next: chunk that is handed out next
 * @nr_given: exceptions that have room
 * @nr: exceptions that are in the store
 * @dirty: first of them that is not on the device
 * @area: the area that @nr is in
 * @vec: to send pieces of it
 * @blank: a chunk of zeroes
 */
struct snap_store {
	struct kblk_lower	*lower;
	struct kiobuf_dev	*dev;
	bool			persistent;
	bool			valid;
	u32			shift;
	u32			unit;
	struct snap_layout	layout;
	u64			next;
	u64			nr_given;
	u64			nr;
	u64			dirty;
	struct snap_disk_entry	*area;
	struct kiobuf_vec	*vec;
	struct kiobuf_vec	*blank;
};

static inline u32 snap_chunk_bytes(const struct snap_store *store)
{
	return 1U << store->shift;
}

typedef int (*snap_exception_fn)(u64 old_chunk, u64 new_chunk, void *arg);

/* snap_store.c */
int snap_store_open(struct kblk_object *object, struct snap_store *store,
		    struct kblk_lower *lower, const struct klvm_line *line,
		    snap_exception_fn fn, void *arg);
void snap_store_close(struct snap_store *store);
int snap_store_reserve(struct snap_store *store, u64 *new_chunk);
void snap_store_unreserve(struct snap_store *store);
int snap_store_begin(struct snap_store *store);
int snap_store_add(struct snap_store *store, u64 old_chunk, u64 new_chunk);
int snap_store_commit(struct snap_store *store);
int snap_store_invalidate(struct snap_store *store);

enum snap_state {
	SNAP_LIVE,
	SNAP_FAILING,	/* reads and writes fail; the store does not say so yet, and
			 * the origin's writes wait
			 */
	SNAP_INVALID,
};

struct snap_readers {
	atomic_t	nr;
	u32		draining;
};

#define SNAP_BUCKET_BITS 6

/**
 * struct klvm_snapshot - a target that is a snapshot
 * @device: its face in the table
 * @below: the origin
 * @origin_bytes: its size
 * @size: of the snapshot
 * @origin: all snapshots of it
 * @list: in origin->snapshots
 * @state: changed by its worker only, but for the step to SNAP_FAILING
 * @chunks: by number: a slot, or where it is; see snapshot.c
 * @store: the exceptions; @store.next and @store.nr_given under @lock, the rest is the
 *	worker's
 * @lock: guards what follows; irq-safe
 * @free: slots
 * @copied: slots that were read, and are to be written
 * @written: slots that are to be committed
 * @nr_busy: slots that are not free
 * @idle: @nr_busy has become 0
 * @draining: committed slots whose readers are awaited; @commit's own
 * @slots: all of them
 * @nr_slots: how many
 * @readers: reads that went to the origin, by chunk
 * @fresh: requests that want to be looked at
 * @held: requests that wait for a chunk
 * @serving: @serve is at it; read without
 * @serve: looks at what waits
 * @copy: writes what was read
 * @commit: commits what was written
 * @wq: where these run
 */
struct klvm_snapshot {
	struct klvm_device	device;
	struct kiobuf_dev	*below;
	u64			origin_bytes;
	u64			size;
	struct klvm_origin	*origin;
	struct list_head	list;
	int			state;
	struct xarray		chunks;
	struct snap_store	store;

	spinlock_t		lock;
	struct list_head	free;
	struct list_head	copied;
	struct list_head	written;
	u32			nr_busy;
	wait_queue_head_t	idle;
	struct list_head	draining;
	struct snap_slot	*slots;
	u32			nr_slots;
	struct snap_readers	readers[1 << SNAP_BUCKET_BITS];

	struct kiobuf_queue	fresh;
	struct kiobuf_queue	held;
	bool			serving;
	struct work_struct	serve;
	struct work_struct	copy;
	struct work_struct	commit;
	struct workqueue_struct	*wq;
};

/* snapshot.c */
bool klvm_snap_is_ready(struct klvm_snapshot *snap, u64 pos, u64 length);
bool klvm_snap_prepare(struct klvm_snapshot *snap, u64 pos, u64 length);

/* origin.c */
int klvm_origin_join(struct klvm_snapshot *snap, struct kblk_object *object,
		     struct kblk_lower *lower);
void klvm_origin_leave(struct klvm_snapshot *snap);
void klvm_origin_kick(struct klvm_origin *origin);

#endif /* _KLVM_SNAPSHOT_H */
