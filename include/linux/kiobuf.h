/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kiobuf: stackable I/O on clone headers
 *
 * Four nouns carry the whole model.
 *
 * Vector (struct kiobuf_vec): an array of (page, offset, length) fragments.
 *	Made once, read by every header below it, released once. Nobody writes
 *	to it after it was lent to a kiobuf.
 *
 * kiobuf (struct kiobuf): a header. A byte window on a vector, an operation, a
 *	position on a device, a parent, a count, a result. A clone is a header
 *	like any other: it has a parent and a narrower window on the same
 *	vector, without a fragment list of its own; that of kiobuf_gather() is the
 *	one exception. A caller may embed a header
 *	in its own structure.
 *
 * Device (struct kiobuf_dev, <linux/kiobuf_dev.h>): something that takes
 *	kiobufs. kiobuf_submit() is a loop round its ->submit(): a device passes
 *	the same header on to the device below (a remap), takes it, asks to be
 *	split into clones, or fails it. Stack use does not grow with depth.
 *
 * Completion: (bytes, errno), climbing from child to parent in a loop.
 *
 * The life of a header, with what may happen in each state:
 *
 *	state	   entered by			who owns the header
 *	idle	   kiobuf_init(), _init_clone()	its maker
 *	submitted  kiobuf_submit()		the device in kb->dev
 *	split	   ->submit() said KIOBUF_SPLIT	the submit loop, then its children
 *	held	   a frame's ->endio() said so	that frame's device
 *	ended	   last share dropped		kb->end_io, else its maker
 *
 * Count. io_count starts at 1: the share of whoever holds the header. Making a
 * clone adds one to the parent, ending the clone drops it. A device that splits
 * keeps the first share until the last clone is made, so the parent cannot end
 * when child 1 ends before child 2 exists. A header with a parent must be
 * submitted or ended (kiobuf_endio()), else the parent waits for ever. Since
 * every clone holds a share of its parent, the vector outlives all of them.
 *
 * Ranges. While end_io of a failed header runs, kiobuf_walk_faults() tells which
 * bytes of the window failed, and with what: more than the prefix says.
 *
 * Cancel. kiobuf_cancel() marks a tree, refuses it new clones and pulls what still
 * waits in some device's queue. What the hardware has is waited for: a header
 * ends when its last clone does, cancelled or not.
 *
 * Result. kb->bytes is the length of the error-free prefix, kb->error the errno
 * of the failure at the lowest offset, whatever the order of arrival; any
 * errno, not only those that a bio can hold. Of several failures at the same
 * offset a hard one outranks one worth a retry (-EAGAIN, -ENOMEM, -EINTR), then
 * the smaller errno wins, so that the answer never depends on timing.
 */
#ifndef _LINUX_KIOBUF_H
#define _LINUX_KIOBUF_H

#include <linux/atomic.h>
#include <linux/bvec.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/tracepoint-defs.h>
#include <linux/types.h>
#include <linux/wait.h>

struct iov_iter;
struct kiobuf;
struct kiobuf_dev;
struct kiobuf_faults;
struct kiobuf_frame;
struct kiobuf_pool;
struct kiobuf_queue;
struct scatterlist;

/**
 * struct kiobuf_vec - fragments of memory, shared by all headers of one I/O
 * @frags: the fragments; (page, offset, length), an element may span several
 *	contiguous pages. Never written through this pointer.
 * @length: bytes in all fragments together
 * @nr: fragments in use
 * @max: fragments that fit, for kiobuf_vec_add(); 0: @frags is somebody else's
 * @refs: references; headers hold none of their own, their root's is enough
 * @release: gives the memory back when the last reference goes
 */
struct kiobuf_vec {
	const struct bio_vec	*frags;
	u64			length;
	u32			nr;
	u32			max;
	refcount_t		refs;
	void			(*release)(struct kiobuf_vec *vec);
};

/* What is asked of the device. Only READ and WRITE have a vector. */
enum kiobuf_op {
	KIOBUF_READ,
	KIOBUF_WRITE,
	KIOBUF_FLUSH,		/* make all writes that ended durable; length 0 */
	KIOBUF_DISCARD,		/* the content no longer matters; a hint */
	KIOBUF_WRITE_ZEROES,
	KIOBUF_NR_OPS
};

/* kb->flags: set by the submitter, inherited by clones */
#define KIOBUF_FUA		(1U << 0)	/* durable before it ends */
#define KIOBUF_PREFLUSH		(1U << 1)	/* flush first; see KIOBUF_DEV_PREFLUSH */
#define KIOBUF_NOWAIT		(1U << 2)	/* -EAGAIN rather than sleep */
#define KIOBUF_NOUNMAP		(1U << 3)	/* WRITE_ZEROES keeps the blocks */
#define KIOBUF_INHERIT		(KIOBUF_FUA | KIOBUF_PREFLUSH | \
				 KIOBUF_NOWAIT | KIOBUF_NOUNMAP)
/* kb->flags: set by the submitter for this header alone */
#define KIOBUF_ANY		(1U << 4)	/* one clone of the maker's that succeeds
						 * will do; the others are cancelled.
						 * Reads: to buffers of their own, since
						 * one that was started still fills its
						 */
#define KIOBUF_COLLATE_OWN	(1U << 5)	/* end_io of each clone of the maker's
						 * merges its result: kiobuf_fail()
						 */
#define KIOBUF_END_IN_TASK	(1U << 6)	/* end_io may sleep */
/* kb->flags: the core's own */
#define KIOBUF_POOLED		(1U << 8)	/* clone from the parent device's pool */
#define KIOBUF_CARVED		(1U << 9)	/* kb->carved counts bytes */
#define KIOBUF_TRACKED		(1U << 10)	/* a root that is listed already */
#define KIOBUF_BY_DEV		(1U << 11)	/* its clones are of its device's making,
						 * which collates them
						 */
#define KIOBUF_GUARDED		(1U << 12)	/* all its frames are guards */
#define KIOBUF_APART		(1U << 13)	/* see kiobuf_go_on() */
/* kb->flags: set by a device on a header that it holds, before the first clone */
#define KIOBUF_FIRM		(1U << 14)	/* must not be cancelled in the middle, nor
						 * what is below it: mirrors and parity,
						 * where some clones done and others not
						 * would leave data inconsistent. Kept
						 * until its last clone has ended.
						 */
/* kb->flags: the core's own again */
#define KIOBUF_GATHERED		(1U << 15)	/* its bytes are scattered over the parent,
						 * its fragments are its own
						 */

/* kb->fate, guarded by kb->wait.lock */
#define KIOBUF_DONE		(1U << 0)	/* the end was announced to waiters */
#define KIOBUF_ORPHAN		(1U << 1)	/* its owner has let go: free it */
#define KIOBUF_WON		(1U << 2)	/* KIOBUF_ANY: one has succeeded */
#define KIOBUF_VAGUE		(1U << 3)	/* no memory to keep its failed ranges */
#define KIOBUF_PARENT		(1U << 4)	/* had clones, or failed by ranges */
#define KIOBUF_MERGE		(1U << 5)	/* its failed ranges are its parent's too */

/* kb->mark: errno that it was cancelled with, or 0, in the low bits; the rest tells
 * uses of the same header apart: the jiffy of its set-up, or a count.
 */
#define KIOBUF_MARK_BITS	12
#define KIOBUF_MARK_ERRNO	((1U << KIOBUF_MARK_BITS) - 1)

/* What a frame's endio may answer. */
enum kiobuf_climb {
	KIOBUF_CLIMB,		/* go on with the frame above */
	KIOBUF_HOLD,		/* the frame's owner keeps the header until
				 * kiobuf_resume(), or kiobuf_restart() and another
				 * kiobuf_defer() or kiobuf_endio()
				 */
};

/**
 * typedef kiobuf_endio_fn - looks at a header on its way up
 * @kb: the header, with kb->dev and ->pos as they were when the frame was pushed;
 *	kb->error and ->bytes are its result so far
 * @frame: the frame; pushed no more, so read it before pushing another
 *
 * Context: any, irq too, unless frame->task asks for a task.
 */
typedef enum kiobuf_climb (*kiobuf_endio_fn)(struct kiobuf *kb,
					     const struct kiobuf_frame *frame);

/**
 * struct kiobuf_frame - an interceptor on the way up
 * @next: pushed before this one, called after it
 * @endio: called when the header comes back
 * @dev: device that pushed it, NULL if none did
 * @pos: position on that device, put back before the call
 * @data: the pusher's own
 * @task: call @endio where it may sleep
 * @behind: lies behind the header; the core's own
 *
 * Frames are popped last-pushed first, all of them before the header ends, so no
 * waiter sees a result that an interceptor has not seen. They lie behind the
 * header (kb->spare of them), see kiobuf_push_frame(), or in the pusher's own
 * memory, see kiobuf_intercept().
 */
struct kiobuf_frame {
	struct kiobuf_frame	*next;
	kiobuf_endio_fn		endio;
	struct kiobuf_dev	*dev;
	u64			pos;
	u32			data;
	bool			task;
	bool			behind;
};

/**
 * struct kiobuf - header of one I/O
 * @dev: the device that is to take it, or has it
 * @pos: byte position on @dev
 * @length: bytes in the window
 * @vec: the shared fragments, NULL for operations without data
 * @frag: fragment that holds the first byte of the window
 * @skip: bytes of that fragment before it
 * @offset: of a clone: byte of the parent's window at which its own starts
 * @home: of a root: device that it was submitted to, where it is listed; NULL for one
 *	whose maker cloned it without
 * @bytes: length of the good prefix: @length while nothing has failed
 * @hints: REQ_* hint flags of <linux/blk_types.h> (REQ_META, REQ_RAHEAD ...),
 *	carried to the bottom; the core never looks
 * @error: errno of the failure at the lowest offset, 0 while there is none
 * @flags: KIOBUF_*
 * @ioprio: I/O priority, carried to the bottom
 * @op: enum kiobuf_op
 * @spare: frames free behind the header
 * @active: submitted, or has been cloned
 * @fate: KIOBUF_DONE and others
 * @io_count: shares: the holder's own and one a child
 * @mark: errno of a cancel, and what tells uses apart, see KIOBUF_MARK_ERRNO
 * @parent: header that this one is a clone of
 * @end_io: last callback; owns the header from then on, and may free it. May run
 *	in hard irq context, unless KIOBUF_END_IN_TASK. NULL: kiobuf_done().
 * @private: the maker's own
 * @carved: where a device that splits goes on: bytes, or a leg's number
 * @on: the queue that it waits in, see struct kiobuf_queue
 * @faults: while end_io runs: see kiobuf_walk_faults()
 * @carve_frag: fragment at byte @carved of the window, see kiobuf_carve()
 * @carve_skip: bytes of that fragment before it
 * @queued: while it waits in a queue: the jiffy in which it came there
 * @frames: interceptors, last pushed first
 * @queue: link for whoever holds the header
 * @children: clones that have not ended; guarded by @wait.lock
 * @sibling: of a clone: link in parent->children; of a root: in home->roots
 * @wait: waiters; its lock also guards @error, @bytes and @fate
 */
struct kiobuf {
	struct kiobuf_dev	*dev;
	u64			pos;
	u64			length;
	struct kiobuf_vec	*vec;
	u32			frag;
	u32			skip;
	union {
		u64			offset;
		struct kiobuf_dev	*home;
	};
	u64			bytes;
	u32			hints;
	int			error;
	u16			flags;
	u16			ioprio;
	u8			op;
	u8			spare;
	bool			active;
	u8			fate;
	atomic_t		io_count;
	u32			mark;
	struct kiobuf		*parent;
	void			(*end_io)(struct kiobuf *kb);
	void			*private;
	union {
		u64			carved;
		struct kiobuf_queue	*on;
		struct kiobuf_faults	*faults;
	};
	union {
		struct {
			u32		carve_frag;
			u32		carve_skip;
		};
		unsigned long		queued;
	};
	struct kiobuf_frame	*frames;
	struct list_head	queue;
	struct hlist_head	children;
	struct hlist_node	sibling;
	wait_queue_head_t	wait;
};

#if !defined(CONFIG_DEBUG_SPINLOCK) && !defined(CONFIG_DEBUG_LOCK_ALLOC)
static_assert(sizeof(struct kiobuf) <= 192);
#endif

/* vec.c */
struct kiobuf_vec *kiobuf_vec_alloc(u32 max, gfp_t gfp);
int kiobuf_vec_grow(struct kiobuf_vec *vec, u32 max, gfp_t gfp);
int kiobuf_vec_add(struct kiobuf_vec *vec, struct page *page, u32 offset,
		   u32 length);
int kiobuf_vec_add_buffer(struct kiobuf_vec *vec, const void *buffer,
			  size_t length, gfp_t gfp);
void kiobuf_vec_put(struct kiobuf_vec *vec);

static inline struct kiobuf_vec *kiobuf_vec_get(struct kiobuf_vec *vec)
{
	refcount_inc(&vec->refs);
	return vec;
}

/**
 * kiobuf_vec_reset() - empty a vector to fill it anew
 * @vec: vector from kiobuf_vec_alloc() that no header in flight uses
 *
 * Keeps the room that it has. Context: any.
 */
static inline void kiobuf_vec_reset(struct kiobuf_vec *vec)
{
	vec->nr = 0;
	vec->length = 0;
}

/* convert.c */
void kiobuf_vec_lend(struct kiobuf_vec *vec, const struct bio_vec *frags,
		     u32 nr, void (*release)(struct kiobuf_vec *vec));
int kiobuf_vec_add_bvecs(struct kiobuf_vec *vec, const struct bio_vec *frags,
			 u32 nr, gfp_t gfp);
int kiobuf_vec_add_sg(struct kiobuf_vec *vec, struct scatterlist *sg,
		      unsigned int nents, gfp_t gfp);
int kiobuf_vec_add_iter(struct kiobuf_vec *vec, const struct iov_iter *iter,
			gfp_t gfp);
int kiobuf_to_sg(const struct kiobuf *kb, struct scatterlist *sg,
		 unsigned int nents);
void kiobuf_to_iter(const struct kiobuf *kb, struct iov_iter *iter);
u32 kiobuf_nr_frags(const struct kiobuf *kb);

/* claim.c */
int kiobuf_vec_claim(struct kiobuf_vec *vec);
void kiobuf_vec_unclaim(struct kiobuf_vec *vec);

/* alloc.c */
struct kiobuf *kiobuf_alloc(gfp_t gfp);
void kiobuf_put(struct kiobuf *kb);
void kiobuf_init_once(struct kiobuf *kb);

/* clone.c */
int kiobuf_init_clone(struct kiobuf *kb, struct kiobuf *parent, u64 offset,
		      u64 length);
struct kiobuf *kiobuf_alloc_clone(struct kiobuf *parent, u64 offset,
				  u64 length, gfp_t gfp);
struct kiobuf *kiobuf_carve(struct kiobuf *parent, u64 length);
struct kiobuf *kiobuf_mirror(struct kiobuf *parent, u64 length);

/* set.c */
void kiobuf_init_set(struct kiobuf *set);
int kiobuf_init_member(struct kiobuf *kb, struct kiobuf *set,
		       struct kiobuf_dev *dev, enum kiobuf_op op, u64 pos,
		       struct kiobuf_vec *vec, u64 length);

/* window.c */
struct bvec_iter kiobuf_window(const struct kiobuf *kb);
void kiobuf_zero(struct kiobuf *kb);
void kiobuf_fill(struct kiobuf *kb, u64 offset, const void *bytes, u32 length);

/* submit.c */
void kiobuf_submit(struct kiobuf *kb);
void __kiobuf_submit(struct kiobuf *kb);
void kiobuf_defer(struct kiobuf *kb, struct kiobuf_dev *owner);

/* complete.c */
void __kiobuf_endio(struct kiobuf *kb, u64 bytes, int error);
void kiobuf_done(struct kiobuf *kb);
void kiobuf_restart(struct kiobuf *kb);
void kiobuf_resume(struct kiobuf *kb);
void kiobuf_fail(struct kiobuf *kb, u64 bytes, int error);
void kiobuf_collate_prefix(struct kiobuf *parent, struct kiobuf *child);

/**
 * struct kiobuf_fault - bytes that failed
 * @offset: of the first, in the window of the header that is looked at
 * @length: how many
 * @error: negative errno
 */
struct kiobuf_fault {
	u64	offset;
	u64	length;
	int	error;
};

typedef int (*kiobuf_fault_fn)(const struct kiobuf_fault *fault, void *arg);

/* fault.c */
void kiobuf_fail_range(struct kiobuf *kb, u64 offset, u64 length, int error);
int kiobuf_walk_faults(struct kiobuf *kb, kiobuf_fault_fn fn, void *arg);

/* cancel.c */
int kiobuf_cancel(struct kiobuf *kb, int error);

/* track.c */
enum kiobuf_walk {
	KIOBUF_WALK_ON,		/* go on with its clones */
	KIOBUF_WALK_OVER,	/* go on, but not with its clones */
	KIOBUF_WALK_STOP,
};

typedef enum kiobuf_walk (*kiobuf_walk_fn)(struct kiobuf *kb, int depth,
					   void *arg);

void kiobuf_walk(struct kiobuf *root, kiobuf_walk_fn fn, void *arg);
u64 kiobuf_id(const struct kiobuf *kb);

/* wait.c */
int kiobuf_wait(struct kiobuf *kb);
int kiobuf_wait_killable(struct kiobuf *kb);
long kiobuf_wait_timeout(struct kiobuf *kb, long timeout);
bool kiobuf_add_waiter(struct kiobuf *kb, struct wait_queue_entry *entry);
bool kiobuf_remove_waiter(struct kiobuf *kb, struct wait_queue_entry *entry);
void kiobuf_wake(struct kiobuf *kb);

static inline bool kiobuf_op_is_data(enum kiobuf_op op)
{
	return op <= KIOBUF_WRITE;
}

static inline bool kiobuf_op_is_write(enum kiobuf_op op)
{
	return op != KIOBUF_READ;
}

/**
 * kiobuf_is_done() - has the end been announced?
 * @kb: header that the caller has not let go of
 *
 * Context: any.
 * Return: true once every interceptor and the end_io have run.
 */
static inline bool kiobuf_is_done(const struct kiobuf *kb)
{
	/* Pairs with kiobuf_done(): who sees it sees the result. */
	return smp_load_acquire(&kb->fate) & KIOBUF_DONE;
}

/**
 * kiobuf_cancelled() - the errno that a header was cancelled with
 * @kb: header that the caller holds
 *
 * Devices look before they start something that may take long. What waits in a
 * struct kiobuf_queue need not look. Context: any.
 * Return: a negative errno; 0 if nobody has cancelled it.
 */
static inline int kiobuf_cancelled(const struct kiobuf *kb)
{
	return -(int)(READ_ONCE(kb->mark) & KIOBUF_MARK_ERRNO);
}

/**
 * kiobuf_reset() - give a header a window and an operation
 * @kb: header whose lock and lists are set up: kiobuf_init_once()
 * @dev: device to submit it to
 * @op: operation
 * @pos: byte position on @dev
 * @vec: fragments, NULL for an operation without data
 * @length: bytes
 *
 * The window starts at the first byte of @vec; kb->flags, ->hints, ->ioprio,
 * ->end_io, ->private are the caller's to set afterwards. For a header that is idle
 * or has ended. Context: any. The caller keeps its reference on @vec until the
 * header has ended.
 */
static inline void kiobuf_reset(struct kiobuf *kb, struct kiobuf_dev *dev,
				enum kiobuf_op op, u64 pos,
				struct kiobuf_vec *vec, u64 length)
{
	kb->dev = dev;
	kb->pos = pos;
	kb->length = length;
	kb->vec = vec;
	kb->frag = 0;
	kb->skip = 0;
	kb->offset = 0;
	kb->bytes = length;
	kb->hints = 0;
	kb->error = 0;
	kb->flags = 0;
	kb->ioprio = 0;
	kb->op = op;
	kb->active = false;
	kb->fate = 0;
	atomic_set(&kb->io_count, 1);
	kb->mark = (u32)READ_ONCE(jiffies) << KIOBUF_MARK_BITS;
	kb->parent = NULL;
	kb->end_io = NULL;
	kb->private = NULL;
	kb->carved = 0;
}

/**
 * kiobuf_init() - set up a header in caller's memory
 * @kb: memory of the header, as the caller likes to embed it
 * @dev: device to submit it to
 * @op: operation
 * @pos: byte position on @dev
 * @vec: fragments, NULL for an operation without data
 * @length: bytes
 *
 * As kiobuf_reset(), for memory that never held a header before.
 */
static inline void kiobuf_init(struct kiobuf *kb, struct kiobuf_dev *dev,
			       enum kiobuf_op op, u64 pos,
			       struct kiobuf_vec *vec, u64 length)
{
	kiobuf_init_once(kb);
	kiobuf_reset(kb, dev, op, pos, vec, length);
}

DECLARE_TRACEPOINT(endio);

/**
 * kiobuf_endio() - report a result and drop the holder's share
 * @kb: header whose share the caller holds
 * @bytes: length of the good prefix of the window
 * @error: 0 or a negative errno; for one that is not, -EIO is taken when @bytes
 *	falls short of the window
 *
 * Called once by the device that took the header, or by its maker who never
 * submitted it. When the last child is done too, the header ends: the frames
 * are called, then the result goes to the parent, then the owner has it.
 * The caller must not touch @kb afterwards, but for its maker, who may wait for it.
 *
 * Context: any, hard irq too; not under a lock that a device's ->cancel() takes,
 * such as that of a queue.
 */
static inline void kiobuf_endio(struct kiobuf *kb, u64 bytes, int error)
{
	/* By far the most: all of a root that nobody split, put in one place. */
	if (likely(!error && bytes == kb->length &&
		   hlist_unhashed(&kb->sibling) &&
		   !kb->frames && kb->end_io &&
		   !(kb->flags & KIOBUF_END_IN_TASK) &&
		   atomic_read_acquire(&kb->io_count) == 1 &&
		   /* a clone may have failed until then */
		   !kb->error && !tracepoint_enabled(endio)))
		kb->end_io(kb);
	else
		__kiobuf_endio(kb, bytes, error);
}

/**
 * kiobuf_lend_frames() - tell of frames behind a header
 * @kb: idle header
 * @nr: frames that lie directly behind it in the caller's structure
 *
 * After kiobuf_init() or kiobuf_init_clone(); kiobuf_reset() leaves it. Without any, a
 * layer that needs a frame makes a clone. Context: any.
 */
static inline void kiobuf_lend_frames(struct kiobuf *kb, u8 nr)
{
	kb->spare = nr;
}

/**
 * kiobuf_intercept() - see a header again on its way up
 * @kb: header that the caller holds, not yet ended; kb->dev and ->pos are what
 *	@frame->endio is to see
 * @frame: in the caller's memory until it was called; ->endio, ->data and ->task
 *	are set
 *
 * Context: any; by the maker before kiobuf_submit(), by a device in ->submit().
 */
static inline void kiobuf_intercept(struct kiobuf *kb,
				    struct kiobuf_frame *frame)
{
	frame->dev = kb->dev;
	frame->pos = kb->pos;
	frame->next = kb->frames;
	frame->behind = false;
	kb->frames = frame;
	kb->flags &= ~KIOBUF_GUARDED;
}

/* A frame from behind the header, NULL if none is free. */
static inline struct kiobuf_frame *__kiobuf_push(struct kiobuf *kb,
						 kiobuf_endio_fn endio,
						 u32 data)
{
	struct kiobuf_frame *frame;

	if (unlikely(!kb->spare))
		return NULL;
	frame = (struct kiobuf_frame *)(kb + 1) + --kb->spare;
	frame->next = kb->frames;
	frame->endio = endio;
	frame->dev = kb->dev;
	frame->pos = kb->pos;
	frame->data = data;
	frame->task = false;
	frame->behind = true;
	kb->frames = frame;
	return frame;
}

/**
 * kiobuf_push_frame() - as kiobuf_intercept(), with a frame from behind the header
 * @kb: header passing through; kb->dev and ->pos are still the caller's
 * @endio: to be called on the way up
 * @data: kept in frame->data
 *
 * Context: from ->submit() or a frame's endio, before kb->dev and ->pos change.
 * Return: false if the header has no room; the device takes a clone then.
 */
static inline bool kiobuf_push_frame(struct kiobuf *kb, kiobuf_endio_fn endio,
				     u32 data)
{
	kb->flags &= ~KIOBUF_GUARDED;
	return __kiobuf_push(kb, endio, data);
}

/**
 * kiobuf_push_guard() - as kiobuf_push_frame(), for who looks at failures only
 * @kb: likewise
 * @endio: called if the header has failed, perhaps if it has not: then it must answer
 *	KIOBUF_CLIMB, and its pusher must not need the call
 * @data: likewise
 *
 * Costs less on the way up. Context: as kiobuf_push_frame().
 * Return: likewise.
 */
static inline bool kiobuf_push_guard(struct kiobuf *kb, kiobuf_endio_fn endio,
				     u32 data)
{
	if (likely(!kb->frames))
		kb->flags |= KIOBUF_GUARDED;
	return __kiobuf_push(kb, endio, data);
}

#endif /* _LINUX_KIOBUF_H */
