/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to kraid.ko: the write-intent bitmap of an array, in md's internal form.
 *
 * A bit stands for a chunk of the array. It is set on all legs before a write to its
 * chunk begins, and cleared some time after the last one has ended on all of them. So
 * after a crash only chunks whose bit is set can differ, and a leg that comes back lacks
 * only what was written meanwhile.
 */
#ifndef _KRAID_BITMAP_H
#define _KRAID_BITMAP_H

#include <linux/kiobuf_dev.h>
#include <linux/workqueue.h>

#include "bitmap_sb.h"

struct kraid_array;
struct kraid_member;
struct kraid_sb;

/* A word for each chunk: writes in flight, and these. */
#define KRAID_BIT_DIRTY		(1U << 31)	/* set on all legs */
#define KRAID_BIT_NEEDED	(1U << 30)	/* legs may differ: to be resynced */
#define KRAID_BIT_AGED		(1U << 29)	/* no write since the last look */
#define KRAID_BIT_WRITES	(KRAID_BIT_AGED - 1)

/**
 * struct kraid_bitmap - the bitmap of an array
 * @array: its array
 * @shift: log2 of a chunk, in bytes
 * @nr: chunks
 * @words: a word for each, see above
 * @image: as on disk, its superblock in front; guarded by meta.lock
 * @vec: @image
 * @size: bytes of it, whole sectors
 * @offset: where it is on each leg, in sectors behind the superblock
 * @changed: a bit for each page of @image that is to be written; guarded by meta.lock
 * @unwritten: none of @image but its superblock may be on disk; guarded by meta.lock
 * @sb: its superblock, with what md put there: how soon to clear a bit, and more. A leg
 *	with fewer events than events_cleared cannot be made good by the bitmap alone.
 *	Guarded by meta.lock
 * @waiting: writes that wait for their bits
 * @set: sets bits
 * @clear: clears them
 */
struct kraid_bitmap {
	struct kraid_array	*array;
	u32			shift;
	u32			nr;
	atomic_t		*words;
	void			*image;
	struct kiobuf_vec	*vec;
	u32			size;
	s32			offset;
	unsigned long		*changed;
	bool			unwritten;
	struct kraid_bitmap_sb	sb;
	struct kiobuf_queue	waiting;
	struct work_struct	set;
	struct delayed_work	clear;
};

int kraid_bitmap_start(struct kraid_array *array, struct kiobuf *kb);
void kraid_bitmap_end(struct kraid_array *array, u64 pos, u64 length);

int kraid_bitmap_create(struct kraid_array *array);
int kraid_bitmap_load(struct kraid_array *array, struct kraid_member *member,
		      s32 offset);
void kraid_bitmap_quiet(struct kraid_array *array);
struct kraid_bitmap *kraid_bitmap_detach(struct kraid_array *array);
void kraid_bitmap_free(struct kraid_bitmap *bitmap);
int kraid_bitmap_write_all(struct kraid_array *array,
			   struct kraid_member *member);
void kraid_bitmap_set_events(struct kraid_array *array, u64 events);
int kraid_bitmap_write_head(struct kraid_array *array,
			    struct kraid_member *member);
bool kraid_bitmap_is_dirty(const struct kraid_array *array, u64 pos);
bool kraid_bitmap_is_needed(const struct kraid_array *array, u64 pos);
void kraid_bitmap_need_all(struct kraid_array *array);
void kraid_bitmap_synced(struct kraid_array *array, u64 from, u64 to);

#endif /* _KRAID_BITMAP_H */
