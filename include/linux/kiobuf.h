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
 *	vector, never a fragment list of its own. A caller may embed a header
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
#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/tracepoint-defs.h>
#include <linux/types.h>
#include <linux/wait.h>

struct kiobuf;
struct kiobuf_dev;
struct kiobuf_pool;

/**
 * struct kiobuf_vec - fragments of memory, shared by all headers of one I/O
 * @frags: the fragments; (page, offset, length), an element may span several
 *	contiguous pages. Never written through this pointer.
 * @length: bytes in all fragments together
 * @nr: fragments in use
 * @max: fragments that fit, for kiobuf_vec_add()
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
/* kb->flags: the core's own */
#define KIOBUF_POOLED		(1U << 8)	/* clone from the parent device's pool */
#define KIOBUF_CARVED		(1U << 9)	/* kb->carved counts bytes */

/**
 * struct kiobuf_frame - what a 1:1 layer remembers on a header passing through
 * @dev: whose ->endio() is to be called on the way up
 * @pos: position on that device, put back before the call
 * @data: the device's own
 *
 * Frames are popped last-pushed first. A header has room for
 * KIOBUF_NR_FRAMES; a layer that finds none left takes a clone, which brings
 * room of its own.
 */
struct kiobuf_frame {
	struct kiobuf_dev	*dev;
	u64			pos;
	u32			data;
};

#define KIOBUF_NR_FRAMES	1

/**
 * struct kiobuf - header of one I/O
 * @vec: the shared fragments, NULL for operations without data
 * @dev: the device that is to take it, or has it
 * @pos: byte position on @dev
 * @length: bytes in the window
 * @offset: byte at which the window starts in the root's
 * @frag: fragment that holds that byte
 * @skip: bytes of that fragment before it
 * @op: enum kiobuf_op
 * @nr_frames: frames pushed
 * @ioprio: I/O priority, carried to the bottom
 * @flags: KIOBUF_*
 * @hints: REQ_* hint flags of <linux/blk_types.h> (REQ_META, REQ_RAHEAD ...),
 *	carried to the bottom; the core never looks
 * @error: errno of the failure at the lowest offset, 0 while there is none
 * @io_count: shares: the holder's own and one a child
 * @bytes: length of the good prefix: @length while nothing has failed
 * @carved: where a device that splits goes on: bytes, or a leg's number
 * @carve_frag: fragment at byte @carved of the window, see kiobuf_carve()
 * @carve_skip: bytes of that fragment before it
 * @parent: header that this one is a clone of
 * @end_io: last callback; owns the header from then on, and may free it. May run
 *	in hard irq context. NULL: kiobuf_done().
 * @private: the maker's own
 * @wait: waiters; its lock also guards @error, @bytes and @done
 * @queue: link for whoever holds the header
 * @active: submitted, or has been cloned
 * @done: the end was announced to waiters
 * @orphan: its owner has let go, free it at the end
 * @frame: see struct kiobuf_frame
 */
struct kiobuf {
	struct kiobuf_dev	*dev;
	u64			pos;
	u64			length;
	struct kiobuf_vec	*vec;
	u32			frag;
	u32			skip;
	u64			offset;
	u64			bytes;
	u32			hints;
	int			error;
	u32			flags;
	u16			ioprio;
	u8			op;
	u8			nr_frames;
	atomic_t		io_count;
	bool			active;
	bool			done;
	bool			orphan;
	struct kiobuf		*parent;
	void			(*end_io)(struct kiobuf *kb);
	void			*private;
	u64			carved;
	u32			carve_frag;
	u32			carve_skip;
	struct kiobuf_frame	frame[KIOBUF_NR_FRAMES];
	struct list_head	queue;
	wait_queue_head_t	wait;
};

#if !defined(CONFIG_DEBUG_SPINLOCK) && !defined(CONFIG_DEBUG_LOCK_ALLOC)
static_assert(sizeof(struct kiobuf) <= 192);
#endif

/* vec.c */
struct kiobuf_vec *kiobuf_vec_alloc(u32 max, gfp_t gfp);
int kiobuf_vec_add(struct kiobuf_vec *vec, struct page *page, u32 offset,
		   u32 length);
void kiobuf_vec_put(struct kiobuf_vec *vec);

static inline struct kiobuf_vec *kiobuf_vec_get(struct kiobuf_vec *vec)
{
	refcount_inc(&vec->refs);
	return vec;
}

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

/* window.c */
struct bvec_iter kiobuf_window(const struct kiobuf *kb);
void kiobuf_zero(struct kiobuf *kb);

/* submit.c */
void kiobuf_submit(struct kiobuf *kb);
void kiobuf_defer(struct kiobuf *kb, struct kiobuf_dev *owner);

/* complete.c */
void __kiobuf_endio(struct kiobuf *kb, u64 bytes, int error);
void kiobuf_done(struct kiobuf *kb);
void kiobuf_restart(struct kiobuf *kb);
void kiobuf_fail(struct kiobuf *kb, u64 bytes, int error);
void kiobuf_collate_prefix(struct kiobuf *parent, struct kiobuf *child);

/* wait.c */
int kiobuf_wait(struct kiobuf *kb);

static inline bool kiobuf_op_is_data(enum kiobuf_op op)
{
	return op <= KIOBUF_WRITE;
}

static inline bool kiobuf_op_is_write(enum kiobuf_op op)
{
	return op != KIOBUF_READ;
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
 * The window starts at the first byte of @vec; kb->flags, ->hints, ->end_io,
 * ->private are the caller's to set afterwards. For a header that is idle or has
 * ended. Context: any. The caller keeps its reference on @vec until the header
 * has ended.
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
	kb->nr_frames = 0;
	atomic_set(&kb->io_count, 1);
	kb->active = false;
	kb->done = false;
	kb->orphan = false;
	kb->parent = NULL;
	kb->end_io = NULL;
	kb->private = NULL;
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
 * The caller must not touch @kb afterwards. Context: any, hard irq too.
 */
static inline void kiobuf_endio(struct kiobuf *kb, u64 bytes, int error)
{
	/* By far the most: all of a root that nobody split, put in one place. */
	if (likely(!error && bytes == kb->length && !kb->parent &&
		   !kb->nr_frames && kb->end_io && !kb->error &&
		   atomic_read_acquire(&kb->io_count) == 1 &&
		   !tracepoint_enabled(endio)))
		kb->end_io(kb);
	else
		__kiobuf_endio(kb, bytes, error);
}

/**
 * kiobuf_push_frame() - ask to see a header again on its way up
 * @kb: header passing through; kb->pos is still the position on @dev
 * @dev: whose ->endio() is to be called
 * @data: handed to it
 *
 * Context: from ->submit() of @dev only, before kb->pos is changed.
 * Return: false if the header has no room; the device takes a clone then.
 */
static inline bool kiobuf_push_frame(struct kiobuf *kb, struct kiobuf_dev *dev,
				     u32 data)
{
	struct kiobuf_frame *frame;

	if (kb->nr_frames == KIOBUF_NR_FRAMES)
		return false;
	frame = &kb->frame[kb->nr_frames++];
	frame->dev = dev;
	frame->pos = kb->pos;
	frame->data = data;
	return true;
}

#endif /* _LINUX_KIOBUF_H */
