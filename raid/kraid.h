/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to kraid.ko: arrays of legs.
 *
 * A member (struct kraid_member) is a device that belongs to an array: its claim, its
 * superblock. A leg (struct kraid_leg) is a place in the array, as far as the data
 * path needs it; a member fills it, or nobody does. What a level does is its
 * personality: a table of device operations and a few words about its shape.
 *
 * States of a member, by kraid_set_state() only, which traces each edge. A leg has the
 * state of the member that fills it, and is missing if there is none.
 *
 *	from		to		when
 *	(new)		in_sync		array comes up with it
 *	(new)		rebuilding	array comes up, and it lacks a part
 *	(new)		spare		array comes up, or `add`, or `spare`
 *	spare		rebuilding	a leg is missing or faulty: the first spare that is
 *					large enough fills it
 *	rebuilding	in_sync		all of it was rebuilt
 *	rebuilding	spare		its rebuild could not be done: a source is bad
 *	in_sync		faulty		a write or flush failed there, too many reads did, or
 *					`fail` was told so; never the last good copy
 *	rebuilding	faulty		likewise
 *	spare		faulty		its superblock could not be written, or `fail`
 *	faulty		(gone)		`remove`, or the array goes down
 *
 * States of an array, in gate.stop, which a write looks at; see gate.c:
 *
 *	KRAID_STOP_CLEAN	superblocks say that all legs are equal: the first write has
 *				them rewritten first
 *	KRAID_STOP_SUSPEND	legs are being changed
 *	KRAID_STOP_BARRIER	some range is being synced or repaired
 *	KRAID_STOP_BROKEN	superblocks can be written nowhere, or a stripe was written in
 *				part: writes fail
 *
 * Locks: Documentation/locking.rst.
 */
#ifndef _KRAID_H
#define _KRAID_H

#include <linux/kblk.h>

#include "layout.h"

#define KRAID_MAX_LEGS		1024
#define KRAID_MAX_MIRRORS	16
#define KRAID_CHUNK_KIB		64
#define KRAID_SPEED_KIB_MAX	200000		/* md's, too */

enum kraid_state {
	KRAID_MISSING,
	KRAID_IN_SYNC,
	KRAID_REBUILDING,
	KRAID_SPARE,
	KRAID_FAULTY,
	KRAID_NR_STATES
};

struct kraid_array;
struct kraid_bitmap;
struct kraid_parity;
struct kraid_sb;

/**
 * struct kraid_member - a device of an array
 * @list: in array->members
 * @array: its array
 * @path: as the user named it
 * @lower: its claim; NULL while the array is down
 * @dev: where its headers go
 * @state: see the table above
 * @slot: the leg that it fills, -1 for none
 * @twin: it is to replace the member that fills that leg, and copies it
 * @by_bitmap: to be rebuilt where the bitmap says so only
 * @forced: it is out of date, and there because the user says so
 * @data_start: where data begins, in bytes
 * @data_bytes: room for data
 * @recovered: of one that is rebuilt: bytes from @data_start that are
 * @number: md's number of the device, which its superblock carries
 * @uuid: of the device
 * @sb_flags: md's devflags, carried on
 * @bblog_shift: where md keeps a list of bad blocks, carried on
 * @bblog_size: likewise
 * @bblog_offset: likewise
 * @events: of the superblock that was read
 * @errors: failed requests seen
 * @corrected: blocks rewritten after a failed read
 * @read_errors: failed reads of late, see kraid_count_read_error()
 * @read_error_hour: when @read_errors was last halved
 */
struct kraid_member {
	struct list_head	list;
	struct kraid_array	*array;
	char			*path;
	struct kblk_lower	*lower;
	struct kiobuf_dev	*dev;
	enum kraid_state	state;
	int			slot;
	bool			twin;
	bool			by_bitmap;
	bool			forced;
	u64			data_start;
	u64			data_bytes;
	u64			recovered;
	u32			number;
	u8			uuid[16];
	u8			sb_flags;
	u8			bblog_shift;
	u16			bblog_size;
	s32			bblog_offset;
	u64			events;
	atomic_t		errors;
	atomic_t		corrected;
	atomic_t		read_errors;
	unsigned long		read_error_hour;
};

/**
 * struct kraid_leg - a place in an array, for the data path
 * @dev: where headers go
 * @start: where data begins there, in bytes
 * @recovered: bytes from there that can be read, while it is rebuilt
 * @state: of the member
 * @next_pos: where the last read ended, to follow a stream
 * @read_at: when it began, in jiffies
 * @member: who fills it, NULL if nobody does
 */
struct kraid_leg {
	struct kiobuf_dev	*dev;
	u64			start;
	u64			recovered;
	enum kraid_state	state;
	u64			next_pos;
	unsigned long		read_at;
	struct kraid_member	*member;
};

/**
 * struct kraid_personality - a level
 * @level: as md numbers it
 * @name: for people
 * @min_legs: fewest legs
 * @max_legs: most legs
 * @redundant: can do without a leg
 * @chunked: has chunks
 * @layout: md's number of the layout that is taken if none is named
 * @ops: the data path
 * @row_ops: that of array->rows, if it is redundant
 * @run: required. Members are there: work out size and shape, say why not with
 *	kblk_refuse(). Also on a live array, to grow it.
 * @stop: optional. Undo @run.
 */
struct kraid_personality {
	unsigned int			level;
	const char			*name;
	unsigned int			min_legs;
	unsigned int			max_legs;
	bool				redundant;
	bool				chunked;
	u32				layout;
	const struct kiobuf_dev_ops	*ops;
	const struct kiobuf_dev_ops	*row_ops;
	int (*run)(struct kraid_array *array, struct kblk_shape *shape);
	void (*stop)(struct kraid_array *array);
};

/* gate->stop */
#define KRAID_STOP_CLEAN	(1UL << 0)
#define KRAID_STOP_SUSPEND	(1UL << 1)
#define KRAID_STOP_BARRIER	(1UL << 2)
#define KRAID_STOP_BROKEN	(1UL << 3)

/*
 * Ranges of an array fall into buckets, by which writes and whoever syncs a range keep
 * out of each other's way. A power of two.
 */
#define KRAID_NR_BUCKETS	1024
#define KRAID_BUCKET_SHIFT	20

/**
 * struct kraid_bucket - ranges of an array that share a count
 * @writes: in flight to one of them
 * @barriers: somebody syncs one of them
 */
struct kraid_bucket {
	atomic_t	writes;
	atomic_t	barriers;
};

/**
 * struct kraid_gate - what lets writes in
 * @stop: KRAID_STOP_*; read by each write
 * @buckets: see there; NULL for a level that needs no gate
 * @nr_barriers: buckets that have one; guarded by array->lock
 * @nr_suspends: who has suspended writes; guarded by array->lock
 * @waiting: writes that may not go on now
 * @drained: woken when a bucket becomes empty while @stop says something
 * @wake: lets go what is in @waiting
 * @wrote: there was a write since the last look
 */
struct kraid_gate {
	unsigned long		stop;
	bool			wrote;
	struct kraid_bucket	*buckets;
	unsigned int		nr_barriers;
	unsigned int		nr_suspends;
	struct kiobuf_queue	waiting;
	wait_queue_head_t	drained;
	struct work_struct	wake;
};

/**
 * struct kraid_meta - what superblocks say, and when they do
 * @lock: mutex; guards array->members, the superblocks, and changes of legs
 * @wanted: changes that superblocks must tell of; raised under array->lock
 * @told: those that they tell of, @wanted of some time ago
 * @held: writes that must not end before superblocks were written; array->lock
 * @work: writes superblocks
 * @idle: looks whether the array can be called clean
 * @started: superblocks are the array's own by now
 * @dirty: a write waits for superblocks that do not say clean
 * @events: what superblocks say of how often they were written
 * @noio: of whoever changes members
 * @sb: what all superblocks have in common; NULL without metadata
 * @page: one superblock, as on disk
 * @vec: @page
 */
struct kraid_meta {
	struct mutex		lock;
	u64			wanted;
	u64			told;
	struct list_head	held;
	struct work_struct	work;
	struct delayed_work	idle;
	bool			started;
	bool			dirty;
	u64			events;
	unsigned int		noio;
	struct kraid_sb		*sb;
	void			*page;
	struct kiobuf_vec	*vec;
};

enum kraid_sync_action {
	KRAID_IDLE,
	KRAID_CHECK,
	KRAID_REPAIR,
	KRAID_RESYNC,
	KRAID_RECOVER,
	KRAID_NR_ACTIONS
};

/**
 * struct kraid_sync - what makes legs equal
 * @task: does it
 * @wait: where @task sleeps, and who waits for it to stop
 * @action: what it does now
 * @wish: what it was told to do next: KRAID_CHECK or KRAID_REPAIR
 * @frozen: what is needed is not begun by itself
 * @stop: what is done now is to end early
 * @whole: a resync that was asked for, whatever the bitmap says
 * @kicked: there may be something to do
 * @busy: @task does something
 * @holds: as long as it is not 0 nothing is begun; guarded by the object's lock
 * @target: member that is rebuilt, in KRAID_RECOVER
 * @pos: how far it is, in bytes: of kraid_size(), or of a leg in a rebuild
 * @end: how far it goes
 * @mismatches: sectors that differed in the last check or repair
 * @kib_max: speed limit in KiB per second, 0 for none
 * @resynced: bytes of kraid_size() from 0 on that are equal on all legs that are in sync,
 *	or whose parity is right; U64_MAX for all
 * @run: the buffers, and what is in flight
 */
struct kraid_sync {
	struct task_struct	*task;
	wait_queue_head_t	wait;
	enum kraid_sync_action	action;
	enum kraid_sync_action	wish;
	bool			frozen;
	bool			stop;
	bool			whole;
	bool			kicked;
	bool			busy;
	unsigned int		holds;
	struct kraid_member	*target;
	u64			pos;
	u64			end;
	u64			mismatches;
	u32			kib_max;
	u64			resynced;
	struct kraid_sync_run	*run;
};

/**
 * struct kraid_repair - reads that failed on a leg, to be served from another
 * @lock: keeps this and a sync from copying the same range both ways
 * @list: they; guarded by array->lock
 * @work: serves them
 * @block: a block's worth of memory
 * @vec: @block
 */
struct kraid_repair {
	struct mutex		lock;
	struct list_head	list;
	struct work_struct	work;
	void			*block;
	struct kiobuf_vec	*vec;
};

/**
 * struct kraid_array - an array
 * @object: its face
 * @rows: takes what must not be counted again, and what has no room for a frame: see
 *	mirror.c; registered while the array is up, if it is redundant
 * @personality: its level; NULL until one was named
 * @legs_text: paths as written to `legs`, each with a zero byte behind it
 * @nr_words: paths in @legs_text
 * @nr_legs: places
 * @legs: they; @nr_legs more behind them, where the twins are, if it is redundant
 * @nr_twins: twins there are; guarded by @lock
 * @members: all members; guarded by meta.lock
 * @geo: levels 1 and 10: which copies there are, and where
 * @zones: level 0: where chunks are
 * @parity: levels 4, 5 and 6: where data and parity are, and all else they need
 * @leg_bytes: used on each leg; 0 if legs differ
 * @chunk: bytes
 * @layout: as md numbers it
 * @bitmap_chunk: bytes for each bit of a bitmap that is made; 0 to choose
 * @create: superblocks are to be written anew
 * @force: come up with what is there, even if something may be lost
 * @assume_clean: legs are equal already
 * @has_sb: it has superblocks
 * @wants_bitmap: it is to have a bitmap
 * @has_rows: @rows is registered
 * @legs_changed: members have come or gone since @legs_text was written
 * @uuid_given: @uuid is the user's wish, not what superblocks say
 * @name_given: likewise
 * @stale: without superblocks: those of @legs_text that have failed
 * @lock: guards member and leg states, counts; irq-safe
 * @nr_in_sync: legs in that state
 * @wq: for all works
 * @gate: what lets writes in
 * @meta: superblocks
 * @bitmap: which ranges may differ between legs; NULL for none
 * @sync: what makes legs equal
 * @repair: what serves failed reads
 * @name: the array's in its superblocks
 * @uuid: likewise
 */
struct kraid_array {
	struct kblk_object		object;
	struct kiobuf_dev		rows;
	const struct kraid_personality	*personality;
	char				*legs_text;
	u32				nr_words;
	u32				nr_legs;
	struct kraid_leg		*legs;
	u32				nr_twins;
	struct list_head		members;
	struct raid10_geo		geo;
	struct raid0_map		*zones;
	struct kraid_parity		*parity;
	u64				leg_bytes;
	u32				chunk;
	u32				layout;
	u32				bitmap_chunk;
	bool				create;
	bool				force;
	bool				assume_clean;
	bool				has_sb;
	bool				wants_bitmap;
	bool				has_rows;
	bool				legs_changed;
	bool				uuid_given;
	bool				name_given;
	DECLARE_BITMAP(stale, KRAID_MAX_LEGS);
	spinlock_t			lock;
	u32				nr_in_sync;
	struct workqueue_struct		*wq;
	struct kraid_gate		gate;
	struct kraid_meta		meta;
	struct kraid_bitmap		*bitmap;
	struct kraid_sync		sync;
	struct kraid_repair		repair;
	char				name[33];
	u8				uuid[16];
};

static inline struct kraid_array *kraid_array_of(struct kblk_object *object)
{
	return container_of(object, struct kraid_array, object);
}

/* By the device that a header was sent to: the disk, or array->rows */
static inline struct kraid_array *kraid_of(const struct kiobuf_dev *dev)
{
	if (likely(dev->flags & KIOBUF_DEV_DISK))
		return container_of(dev, struct kraid_array, object.kd.dev);
	return container_of(dev, struct kraid_array, rows);
}

/* Bytes that are synced: of the array; of a leg at level 1, and where there is parity */
static inline u64 kraid_size(const struct kraid_array *array)
{
	return array->geo.chunk ? array->geo.size : array->leg_bytes;
}

static inline const char *kraid_name(const struct kraid_array *array)
{
	return array->object.kd.dev.name;
}

/* Can @length bytes from @pos of the leg on be read? */
static inline bool kraid_leg_readable(const struct kraid_leg *leg, u64 end)
{
	/* Pairs with kraid_set_state(): what else is read of the leg goes with it. */
	enum kraid_state state = smp_load_acquire(&leg->state);

	return likely(state == KRAID_IN_SYNC) ||
	       (state == KRAID_REBUILDING && end <= READ_ONCE(leg->recovered));
}

/*
 * Who fills a leg, if it may be read up to @end; NULL if not. Who fills a leg anew lets
 * all go by that have seen the old state: kraid_leg_settle().
 */
static inline struct kraid_member *kraid_leg_look(const struct kraid_leg *leg,
						  u64 end)
{
	struct kraid_member *member;
	bool readable;

	preempt_disable();
	readable = kraid_leg_readable(leg, end);
	member = READ_ONCE(leg->member);
	preempt_enable();
	return likely(readable) ? member : NULL;
}

/* Between kraid_unplace_member() and the next kraid_place_member(). Sleeps. */
static inline void kraid_leg_settle(void)
{
	synchronize_rcu();
}

static inline bool kraid_leg_writable(const struct kraid_leg *leg)
{
	enum kraid_state state = READ_ONCE(leg->state);

	return state == KRAID_IN_SYNC || state == KRAID_REBUILDING;
}

/* leg.c */
extern const char *const kraid_state_names[KRAID_NR_STATES];
void kraid_set_state(struct kraid_member *member, enum kraid_state state);
void kraid_place_member(struct kraid_member *member, int slot, bool twin,
			enum kraid_state state);
void kraid_unplace_member(struct kraid_member *member);
void kraid_swap_twin(struct kraid_member *twin);
bool kraid_leg_fail(struct kraid_array *array, struct kraid_leg *leg);
bool kraid_member_fail(struct kraid_member *member);
bool kraid_enough(const struct kraid_array *array, int without);
bool kraid_read_error_is_legs(const struct kiobuf *kb);
bool kraid_count_read_error(struct kraid_member *member);
u32 kraid_degraded(const struct kraid_array *array);
struct kiobuf_vec *kraid_buffer(void **bytes, size_t size);
void kraid_buffer_free(struct kiobuf_vec *vec, void *bytes);

/* gate.c */
int kraid_gate_init(struct kraid_array *array);
void kraid_gate_exit(struct kraid_array *array);
int kraid_write_enter(struct kraid_array *array, struct kiobuf *kb);
void kraid_write_leave(struct kraid_array *array, u64 pos, u64 length);
int kraid_park(struct kraid_array *array, struct kiobuf_queue *queue,
	       struct kiobuf *kb);
int kraid_suspend(struct kraid_array *array);
void kraid_resume(struct kraid_array *array);
int kraid_barrier_raise(struct kraid_array *array, u64 pos, u64 length,
			bool (*give_up)(struct kraid_array *));
void kraid_barrier_lower(struct kraid_array *array, u64 pos, u64 length);
bool kraid_gate_close_if_idle(struct kraid_array *array);
void kraid_gate_set(struct kraid_array *array, unsigned long why, bool on);
void kraid_break(struct kraid_array *array, const char *why);
void kraid_gate_wake(struct kraid_array *array);

/* meta.c */
void kraid_meta_init(struct kraid_array *array);
int kraid_meta_start(struct kraid_array *array);
bool kraid_meta_hold(struct kraid_array *array, struct kiobuf *kb);
int kraid_meta_write(struct kraid_array *array);
int kraid_flush_members(struct kraid_array *array);
void kraid_meta_tell(struct kraid_array *array);
void kraid_meta_kick(struct kraid_array *array);
void kraid_meta_want_dirty(struct kraid_array *array);
int kraid_meta_assemble(struct kraid_array *array);
int kraid_meta_create(struct kraid_array *array);
int kraid_meta_admit(struct kraid_array *array, struct kraid_member *member,
		     bool may_return);
u64 kraid_meta_room(const struct kraid_array *array,
		    const struct kraid_member *member);
void kraid_meta_stop(struct kraid_array *array);

static inline bool kraid_meta_pending(const struct kraid_array *array)
{
	return READ_ONCE(array->meta.wanted) != READ_ONCE(array->meta.told);
}

/* sync.c */
extern const char *const kraid_action_names[KRAID_NR_ACTIONS];
int kraid_sync_init(struct kraid_array *array);
void kraid_sync_exit(struct kraid_array *array);
void kraid_sync_kick(struct kraid_array *array);
void kraid_sync_halt(struct kraid_array *array);
void kraid_sync_release(struct kraid_array *array);
enum kraid_sync_action kraid_sync_action(struct kraid_array *array);
int kraid_sync_wish(struct kraid_array *array, enum kraid_sync_action action);

/* mirror.c */
struct kraid_place kraid_copy(const struct kraid_array *array, u64 pos, u32 n);
u32 kraid_nr_copies(const struct kraid_array *array);
u64 kraid_span(const struct kraid_array *array, u64 pos);
int kraid_pick(const struct kraid_array *array, u64 pos, u64 length, u32 tried);

/* parity.c, stripe_sync.c */
u64 kraid_parity_span(const struct kraid_array *array, u64 pos, u64 *length);
struct kraid_place kraid_parity_place(const struct kraid_array *array, u64 pos);
int kraid_parity_read(struct kraid_array *array, u64 pos, u32 length,
		      void *bytes);

/* repair.c */
int kraid_repair_init(struct kraid_array *array);
void kraid_repair_exit(struct kraid_array *array);
void kraid_repair_read(struct kraid_array *array, struct kiobuf *kb, u32 copy);

/* array.c */
const struct kraid_personality *kraid_personality_find(unsigned int level);
unsigned int kraid_io_opt(u32 chunk, u32 legs);
int kraid_enable(struct kblk_object *object);
void kraid_disable(struct kblk_object *object);
struct kraid_member *kraid_member_open(struct kraid_array *array,
				       const char *path);
void kraid_member_close(struct kraid_member *member);
u32 kraid_block_size(const struct kraid_array *array);
int kraid_check_block(struct kraid_array *array, struct kraid_member *member);
int kraid_alloc_legs(struct kraid_array *array);
int kraid_set_legs(struct kraid_array *array, const char *text);
ssize_t kraid_show_legs(const struct kraid_array *array, char *page);

/* manage.c: what is done to a live array */
int kraid_manage_fail(struct kraid_array *array, char *path);
int kraid_manage_remove(struct kraid_array *array, char *path);
int kraid_manage_add(struct kraid_array *array, char *path);
int kraid_manage_replace(struct kraid_array *array, char *text);
int kraid_manage_spare(struct kraid_array *array, char *path);
int kraid_manage_bitmap(struct kraid_array *array, bool wants);
int kraid_manage_grow(struct kraid_array *array);
int kraid_manage_fits(struct kraid_array *array, struct kraid_member *member);

extern const struct kraid_personality kraid0_personality;
extern const struct kraid_personality kraid1_personality;
extern const struct kraid_personality kraid4_personality;
extern const struct kraid_personality kraid5_personality;
extern const struct kraid_personality kraid6_personality;
extern const struct kraid_personality kraid10_personality;

/* configfs.c */
int kraid_configfs_init(void);
void kraid_configfs_exit(void);

#endif /* _KRAID_H */
