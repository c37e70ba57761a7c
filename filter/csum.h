/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to the kind `checksum`: a CRC32C a block, in an area at the end of the
 * device. The format, and why it survives a crash: Documentation/filter.rst.
 *
 * Everything about entries is under csum->lock. Only the worker changes them for
 * writes, one batch at a time, so while it looks at a read no write is under way.
 */
#ifndef _KFILTER_CSUM_H
#define _KFILTER_CSUM_H

#include <linux/bitmap.h>
#include <linux/completion.h>
#include <linux/kfilter.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#define CSUM_BLOCK		4096U
#define CSUM_ENTRIES		62		/* a sector of the area */
#define CSUM_SECTORS		(CSUM_BLOCK / SECTOR_SIZE)
#define CSUM_LEAF_BLOCKS	(CSUM_ENTRIES * CSUM_SECTORS)
#define CSUM_LEAF_BYTES		((u64)CSUM_LEAF_BLOCKS * CSUM_BLOCK)
#define CSUM_MAX_LEAVES		1024
#define CSUM_BATCH		32

struct csum_entry {
	__le32	old;
	__le32	new;
};

struct csum_sector {
	struct csum_entry	entries[CSUM_ENTRIES];
	__le64			unverified;
	__le32			number;
	__le32			crc;
};

static_assert(sizeof(struct csum_sector) == SECTOR_SIZE);

struct csum_header {
	u8	magic[8];
	__le64	data_blocks;
	__le64	area_blocks;
	u8	uuid[16];
	__le32	block_size;
	__le32	entries;
	__le32	clean;
	u8	zeroes[CSUM_BLOCK - 56];
	__le32	crc;
};

static_assert(sizeof(struct csum_header) == CSUM_BLOCK);

/**
 * struct csum_leaf - a block of the area in memory
 * @lru: link in csum->lru
 * @number: which block of the area
 * @sectors: what it holds
 * @vec: the same memory
 * @written: entries whose data was written, but may not be durable yet
 * @bad: sectors that are not to be believed
 * @dirty: differs from what is on the device
 * @pinned: part of a batch
 */
struct csum_leaf {
	struct list_head	lru;
	u32			number;
	struct csum_sector	*sectors;
	struct kiobuf_vec	*vec;
	DECLARE_BITMAP(written, CSUM_LEAF_BLOCKS);
	DECLARE_BITMAP(bad, CSUM_SECTORS);
	bool			dirty;
	bool			pinned;
};

/* A request of a batch; its frame holds it at its end, until the batch is done. */
struct csum_slot {
	struct kiobuf_frame	frame;
	struct csum		*csum;
	struct kiobuf		*kb;
	struct csum_leaf	*leaf;
	int			error;
};

/**
 * struct csum_counts - what was seen since the device came up
 * @verified: blocks read that fitted
 * @unverified: blocks read that nothing is known of
 * @mismatches: blocks that did not fit
 * @torn: blocks found half written after a crash, or a failed write
 */
struct csum_counts {
	u64	verified;
	u64	unverified;
	u64	mismatches;
	u64	torn;
};

/**
 * struct csum - filter->data
 * @filter: the filter
 * @blocks: of data
 * @leaves_on_disk: blocks of the area
 * @area: byte at which it begins
 * @header: byte at which the header is
 * @is_volatile: the device below has a cache to be flushed
 * @lock: guards the leaves, and the counters
 * @leaves: struct csum_leaf by number
 * @lru: the same, last used first
 * @nr: how many
 * @queue: requests for the worker
 * @next: taken from it, but for the next batch
 * @work: does batches
 * @later: settles when nothing has been written for a while
 * @wq: both run there, one at a time
 * @bounce: a block of memory for who looks twice
 * @bounce_vec: the same
 * @slots: the batch
 * @nr_slots: requests in it
 * @in_flight: of those, not ended
 * @done: the last has ended
 * @uuid: of the area
 * @counts: what was seen; guarded by @lock
 */
struct csum {
	struct kfilter		*filter;
	u64			blocks;
	u32			leaves_on_disk;
	u64			area;
	u64			header;
	bool			is_volatile;
	struct mutex		lock;
	struct xarray		leaves;
	struct list_head	lru;
	unsigned int		nr;
	struct kiobuf_queue	queue;
	struct kiobuf		*next;
	struct work_struct	work;
	struct delayed_work	later;
	struct workqueue_struct	*wq;
	u8			*bounce;
	struct kiobuf_vec	*bounce_vec;
	struct csum_slot	slots[CSUM_BATCH];
	unsigned int		nr_slots;
	atomic_t		in_flight;
	struct completion	done;
	u8			uuid[16];
	struct csum_counts	counts;
};

/* What is known of a block whose checksum is @crc. */
enum csum_verdict {
	CSUM_FITS,
	CSUM_UNVERIFIED,
	CSUM_TORN,		/* neither old nor new, of a write that was cut short */
	CSUM_BAD,
};

static inline u32 csum_leaf_of(u64 pos)
{
	return div64_u64(pos, CSUM_LEAF_BYTES);
}

/* area.c */
int csum_io(struct csum *csum, enum kiobuf_op op, u64 pos,
	    struct kiobuf_vec *vec, u64 length, u16 flags);
struct csum_leaf *csum_leaf_get(struct csum *csum, u32 number);
int csum_leaf_write(struct csum *csum, struct csum_leaf *leaf, u16 flags);
enum csum_verdict csum_judge(const struct csum_leaf *leaf, u64 block, u32 crc);
bool csum_leaf_is_bad(const struct csum_leaf *leaf, u64 block);
void csum_set(struct csum_leaf *leaf, u64 block, u32 crc);
void csum_forget(struct csum_leaf *leaf, u64 block);
void csum_accept(struct csum_leaf *leaf, u64 block, u32 crc);
void csum_adopt(struct csum_leaf *leaf, u64 block, u32 crc);
bool csum_is_unsettled(const struct csum_leaf *leaf, u64 block);
void csum_mark_written(struct csum_leaf *leaf, u64 block);
void csum_settle(struct csum *csum);
int csum_make_durable(struct csum *csum);
int csum_read_block(struct csum *csum, u64 block, u32 *crc);
int csum_write_back(struct csum *csum);
int csum_area_open(struct csum *csum, u64 size);
int csum_area_close(struct csum *csum);
void csum_area_free(struct csum *csum);
u32 csum_of(const void *bytes);

#endif /* _KFILTER_CSUM_H */
