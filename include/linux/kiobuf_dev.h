/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kiobuf devices: what takes kiobufs, and how devices stack
 *
 * A driver fills in struct kiobuf_dev_ops, embeds struct kiobuf_dev, and
 * registers it. Devices form a graph without cycles: a device is linked to each
 * device that it passes headers on to.
 *
 * A linear layer in full:
 *
 *	static int shift_submit(struct kiobuf *kb)
 *	{
 *		struct shift *s = container_of(kb->dev, struct shift, dev);
 *
 *		kb->dev = s->lower;
 *		kb->pos += s->start;
 *		return KIOBUF_REMAPPED;
 *	}
 *
 * A device that cuts a request at borders answers KIOBUF_SPLIT and hands out
 * one clone at a time:
 *
 *	static struct kiobuf *cut_next_child(struct kiobuf *parent)
 *	{
 *		struct kiobuf *kb = kiobuf_carve(parent, bytes_to_border(parent));
 *
 *		if (!IS_ERR_OR_NULL(kb))
 *			point_below(kb);	(sets kb->dev and kb->pos)
 *		return kb;
 *	}
 */
#ifndef _LINUX_KIOBUF_DEV_H
#define _LINUX_KIOBUF_DEV_H

#include <linux/kiobuf.h>
#include <linux/mempool.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct block_device;

/* What ->submit() may answer; anything negative fails the header with it. */
enum kiobuf_verdict {
	KIOBUF_SUBMITTED = 0,	/* taken: the device calls kiobuf_endio() */
	KIOBUF_REMAPPED = 1,	/* kb->dev and ->pos were set: go on there */
	KIOBUF_SPLIT = 2,	/* ask ->next_child() until it answers NULL */
};

/**
 * struct kiobuf_dev_ops - a kind of device
 * @submit: required. Takes a header whose ->dev is this device. May run with the
 *	bio list of the current task set (see submit_bio_noacct()), and must
 *	then sleep neither for memory nor for another request. Answers a kiobuf_verdict or
 *	a negative errno.
 * @next_child: required if @submit ever answers KIOBUF_SPLIT. Makes the next clone,
 *	with kiobuf_carve() or kiobuf_mirror(), and points it at a lower device.
 *	NULL: all are made. ERR_PTR(-EAGAIN) from those two: no header is free;
 *	the core asks again from a worker, until there is one. Any other
 *	ERR_PTR fails the rest of the parent. Everything it needs to know where
 *	it was is parent->carved. The parent itself: no more clones, it goes on to
 *	where kiobuf_go_on() has pointed it.
 * @collate: optional. A clone that @dev has made failed; merge its result into the
 *	parent, which may have gone on to another device. Without it the good prefix
 *	and the lowest failure are kept. Context: any, may run for several children of
 *	one parent at once.
 * @cancel: required if the device keeps headers waiting. Take @kb, which is marked as
 *	cancelled, off the queue of @dev if it waits there, and say whether it did: the
 *	core then ends it. kiobuf_unqueue() does that. @kb may have gone elsewhere, or
 *	have ended: don't look at kb->dev. Context: irqs off, under
 *	kb->wait.lock and those of its parents; may take the queue's lock, must
 *	end no header.
 */
struct kiobuf_dev_ops {
	int		(*submit)(struct kiobuf *kb);
	struct kiobuf *	(*next_child)(struct kiobuf *parent);
	void		(*collate)(struct kiobuf_dev *dev, struct kiobuf *parent,
				   struct kiobuf *child);
	bool		(*cancel)(struct kiobuf_dev *dev, struct kiobuf *kb);
};

/**
 * struct kiobuf_queue - headers that wait, in order, and can be cancelled
 * @lock: guards @list and @nr; irq-safe, nothing is taken under it
 * @list: the headers, by kb->queue
 * @nr: how many
 * @work: queued whenever a header comes in, NULL for none
 * @wq: where @work runs
 */
struct kiobuf_queue {
	spinlock_t		lock;
	struct list_head	list;
	unsigned int		nr;
	struct work_struct	*work;
	struct workqueue_struct	*wq;
};

void kiobuf_queue_init(struct kiobuf_queue *q, struct work_struct *work,
		       struct workqueue_struct *wq);
int kiobuf_enqueue(struct kiobuf_queue *q, struct kiobuf *kb);
struct kiobuf *kiobuf_dequeue(struct kiobuf_queue *q);
struct kiobuf *kiobuf_dequeue_ripe(struct kiobuf_queue *q, unsigned long age);
bool kiobuf_unqueue(struct kiobuf_queue *q, struct kiobuf *kb);

/**
 * struct kiobuf_pool - headers, or structures that begin with one
 * @reserve: elements kept for progress when memory is short
 * @cache: a stack of a few elements per CPU, for speed; it never starves the
 *	reserve, since it is only added to while that is whole: a sleeper in
 *	mempool_alloc() means that the reserve is in flight, and what is in
 *	flight comes back to the reserve
 * @size: bytes of an element
 * @room: of these, bytes behind header and frames: kiobuf_room()
 * @frames: frames behind the header in each
 * @lock: guards @slots; irq-safe
 * @slots: all elements, free or in flight
 *
 * Elements keep their lock and list heads initialised between uses.
 */
struct kiobuf_pool {
	mempool_t			reserve;
	struct kiobuf * __percpu	*cache;
	size_t				size;
	u16				room;
	u8				frames;
	spinlock_t			lock;
	struct list_head		slots;
};

/**
 * struct kiobuf_slot - what lies before the header of an element
 * @all: link in pool->slots
 * @pool: of a clone: where it came from, and so which device has made it
 * @start: of a root: jiffies when the I/O came, set by whoever takes it from a pool
 */
struct kiobuf_slot {
	struct list_head	all;
	union {
		struct kiobuf_pool	*pool;
		unsigned long		start;
	};
};

static inline struct kiobuf_slot *kiobuf_slot(struct kiobuf *kb)
{
	return (struct kiobuf_slot *)kb - 1;
}

/**
 * kiobuf_room() - memory that a clone brings along for whoever holds it
 * @kb: header that the caller holds
 * @size: bytes wanted
 *
 * The holder's until it passes the header on or ends it, so that a device at the
 * bottom needs no allocation of its own. What it holds at first is undefined.
 *
 * Context: any.
 * Return: the memory, NULL if the header has none or too little.
 */
static inline void *kiobuf_room(struct kiobuf *kb, size_t size)
{
	struct kiobuf_pool *pool;

	if (!(kb->flags & KIOBUF_POOLED))
		return NULL;
	pool = kiobuf_slot(kb)->pool;
	return size <= pool->room ? (void *)kb + pool->size - pool->room : NULL;
}

#define KIOBUF_POOL_CACHE_MAX 32

int kiobuf_pool_init(struct kiobuf_pool *pool, size_t size, u8 frames,
		     int reserve);
void kiobuf_pool_exit(struct kiobuf_pool *pool);

/*
 * The stack of a CPU is linked through kb->private, and kb->carved holds the height:
 * fields that mean nothing in a free header. Only a task on that CPU that cannot be
 * preempted pops, so the element on top cannot leave between the look and the
 * exchange; pushes come from irqs too, and are what the exchange guards against.
 */
static inline struct kiobuf *__kiobuf_pool_pop(struct kiobuf_pool *pool)
{
	struct kiobuf *kb;

	do {
		kb = this_cpu_read(*pool->cache);
	} while (kb && this_cpu_cmpxchg(*pool->cache, kb, kb->private) != kb);
	return kb;
}

static inline struct kiobuf *kiobuf_pool_pop(struct kiobuf_pool *pool)
{
	struct kiobuf *kb;

	preempt_disable();
	kb = __kiobuf_pool_pop(pool);
	preempt_enable();
	return kb;
}

/**
 * kiobuf_pool_alloc() - take an element
 * @pool: the pool
 * @gfp: GFP_NOWAIT, or GFP_NOIO where the caller holds no element that others
 *	wait for and no bio of its own is queued on current->bio_list
 *
 * The header in it wants kiobuf_reset() or kiobuf_init_clone().
 * Context: process; sleeps until one is free unless @gfp forbids it.
 * Return: the element; NULL only with GFP_NOWAIT.
 */
static inline struct kiobuf *kiobuf_pool_alloc(struct kiobuf_pool *pool,
					       gfp_t gfp)
{
	struct kiobuf *kb = kiobuf_pool_pop(pool);

	return likely(kb) ? kb : mempool_alloc(&pool->reserve, gfp);
}

/*
 * False where the element must go to the reserve, or the stack is high enough: then
 * the header is as it was, but for those two fields.
 */
static inline bool kiobuf_pool_push(struct kiobuf_pool *pool, struct kiobuf *kb)
{
	bool pushed = false;
	struct kiobuf *top;

	/* Unlocked as in mempool_free(): who empties it will see what we do. */
	if (unlikely(READ_ONCE(pool->reserve.curr_nr) < pool->reserve.min_nr))
		return false;
	preempt_disable();
	do {
		top = this_cpu_read(*pool->cache);
		kb->private = top;
		kb->dev = NULL;		/* says that it is not in flight */
		kb->carved = top ? top->carved + 1 : 1;
		if (unlikely(kb->carved > KIOBUF_POOL_CACHE_MAX))
			break;
		pushed = this_cpu_cmpxchg(*pool->cache, top, kb) == top;
	} while (unlikely(!pushed));
	preempt_enable();
	return pushed;
}

/**
 * kiobuf_pool_free() - give an element back
 * @pool: where it came from
 * @kb: the element
 *
 * Context: any.
 */
static inline void kiobuf_pool_free(struct kiobuf_pool *pool,
				    struct kiobuf *kb)
{
	if (unlikely(!kiobuf_pool_push(pool, kb))) {
		kb->dev = NULL;
		mempool_free(kb, &pool->reserve);
	}
}

/* dev->flags */
#define KIOBUF_DEV_PREFLUSH	(1U << 0)	/* takes data with KIOBUF_PREFLUSH:
						 * one cache below, flushed whole
						 */
#define KIOBUF_DEV_DISK		(1U << 1)	/* part of a struct kblk_disk */
#define KIOBUF_DEV_LEAF		(1U << 2)	/* splits and queues no header up to
						 * KIOBUF_LEAF_MAX bytes, and
						 * reports all of it or nothing
						 */
#define KIOBUF_LEAF_MAX		(1ULL << 31)

#define KIOBUF_DEV_NAME_MAX	40
#define KIOBUF_DEV_MAX_DEPTH	32
#define KIOBUF_NR_LATENCIES	24

/**
 * struct kiobuf_dev_stats - counters of a device, one set per CPU
 * @clones: made by it
 * @deferred: headers left to its worker, for want of memory mostly
 * @failed: results with an error that it reported
 * @cancelled: headers pulled from its queue
 * @latency: requests by the time they took, while timing is on: bucket 0 is below
 *	1 us, bucket n from 2^(n-1) us on; the last holds all that took longer
 */
struct kiobuf_dev_stats {
	u64	clones;
	u64	deferred;
	u64	failed;
	u64	cancelled;
	u64	latency[KIOBUF_NR_LATENCIES];
};

/**
 * struct kiobuf_ender - ends headers in a task
 * @lock: guards @list; irq-safe
 * @list: headers whose shares are all dropped
 * @work: goes on with them
 */
struct kiobuf_ender {
	spinlock_t		lock;
	struct list_head	list;
	struct work_struct	work;
};

/**
 * struct kiobuf_dev - a device that takes kiobufs
 * @submit: ops->submit, or what refuses all once it was shut down
 * @ops: the kind
 * @part: block device whose diskstats count what passes, NULL for none
 * @pool: clones made by this device
 * @size: bytes
 * @flags: KIOBUF_DEV_*
 * @room: bytes of kiobuf_room() in each clone that it makes; set before it is registered
 * @name: unique among registered devices
 * @depth: layers below it, itself included; guarded by the registry's mutex
 * @height: layers above it, itself included; guarded likewise
 * @mark: last walk that met it; guarded by the registry's mutex
 * @registry: all devices; guarded by the registry's mutex
 * @lowers: struct kiobuf_link of the devices below; guarded by the same
 * @uppers: links from devices above; guarded by the same
 * @roots: headers without a parent that were submitted here, other than bios
 * @roots_lock: guards @roots, @held and what waits for it; irq-safe
 * @held: roots that come wait, by kiobuf_dev_hold()
 * @nr_waiting: those of @roots that do
 * @waiting: them, in order
 * @root_pool: further roots, those of bios; NULL if there are none
 * @shutdown: errno that new headers get, 0 while it is up
 * @emptied: kiobuf_dev_shutdown() of it, or of one above, takes what waits here
 * @stats: counters
 * @debug: its directory in debugfs
 * @ender: ends headers in a task, on @wq_end
 * @wq_end: for end_io that may sleep
 * @lock: guards @deferred and @retries
 * @deferred: headers in the middle of a split, to be carried on by @work
 * @retries: headers to be submitted again by @work
 * @work: runs on @wq
 * @wq: has its own rescuer, so that no device waits for another's worker
 */
struct kiobuf_dev {
	int				(*submit)(struct kiobuf *kb);
	const struct kiobuf_dev_ops	*ops;
	struct block_device		*part;
	u64				size;
	u32				flags;
	u16				room;
	struct kiobuf_pool		pool;
	char				name[KIOBUF_DEV_NAME_MAX];

	int				depth;
	int				height;
	unsigned int			mark;
	struct list_head		registry;
	struct list_head		lowers;
	struct list_head		uppers;

	struct hlist_head		roots;
	spinlock_t			roots_lock;
	bool				held;
	unsigned int			nr_waiting;
	struct list_head		waiting;
	struct kiobuf_pool		*root_pool;
	int				shutdown;
	bool				emptied;
	struct kiobuf_dev_stats __percpu *stats;
	struct dentry			*debug;
	struct kiobuf_ender		ender;
	struct workqueue_struct		*wq_end;

	spinlock_t			lock;
	struct list_head		deferred;
	struct list_head		retries;
	struct delayed_work		work;
	struct workqueue_struct		*wq;
};

int kiobuf_dev_register(struct kiobuf_dev *dev, const char *name,
			const struct kiobuf_dev_ops *ops);
void kiobuf_dev_unregister(struct kiobuf_dev *dev);
void kiobuf_dev_set_ops(struct kiobuf_dev *dev,
			const struct kiobuf_dev_ops *ops);
int kiobuf_dev_link(struct kiobuf_dev *upper, struct kiobuf_dev *lower);
int kiobuf_dev_link_apart(struct kiobuf_dev *upper, struct kiobuf_dev *lower);
void kiobuf_dev_unlink(struct kiobuf_dev *upper, struct kiobuf_dev *lower);

typedef int (*kiobuf_visit_fn)(struct kiobuf_dev *dev, void *arg);

int kiobuf_dev_walk_up(struct kiobuf_dev *dev, kiobuf_visit_fn fn,
		       void *arg);
bool kiobuf_dev_hold(struct kiobuf_dev *dev);
void kiobuf_dev_let_go(struct kiobuf_dev *dev);

/**
 * kiobuf_go_on() - send a header that was split down itself, in place of a last clone
 * @kb: as handed to ->next_child(), which answers @kb if this is true; its last frame is
 *	one that the caller has pushed
 * @dev: where to
 * @pos: position there
 *
 * The frame sees @kb again when it and all its clones have ended. What it did on @dev is
 * kiobuf_own_error(), kept apart from the failures of its clones, which are collated
 * as ever: kiobuf_fail(kb, 0, own) makes it one more.
 *
 * For mirrors: it saves a clone, and where the request is a bio this goes down itself.
 * Only to a leaf, since a device that splits @kb again would mix its clones with ours.
 *
 * Context: ->next_child().
 * Return: false if it cannot be done, and a clone has to be made.
 */
static inline bool kiobuf_go_on(struct kiobuf *kb, struct kiobuf_dev *dev,
				u64 pos)
{
	if (!(dev->flags & KIOBUF_DEV_LEAF) || kb->length > KIOBUF_LEAF_MAX)
		return false;
	kb->flags |= KIOBUF_APART;
	kb->carved = 0;
	kb->dev = dev;
	kb->pos = pos;
	return true;
}

/**
 * kiobuf_own_error() - how a header did where kiobuf_go_on() has sent it
 * @kb: header in the frame that was pushed before
 *
 * Context: that frame's endio.
 * Return: a negative errno, 0 if all of it went well, or it did not go on.
 */
static inline int kiobuf_own_error(const struct kiobuf *kb)
{
	return kb->flags & KIOBUF_APART ? -(int)kb->carved : 0;
}

/**
 * struct kiobuf_stripes - chunks that go to columns in turn
 * @chunk: bytes
 * @nr: columns, at most 65,535
 * @skip: bytes of the first chunk that lie before the window
 */
struct kiobuf_stripes {
	u32	chunk;
	u32	nr;
	u32	skip;
};

/**
 * struct kiobuf_comb - bytes of a window, piece by piece, that lie together elsewhere
 * @offset: where the first piece begins in the window
 * @length: bytes in all pieces
 * @pitch: from where a piece begins to where the next one does
 * @tooth: bytes of a piece, but for the last, and @skip
 * @skip: bytes that the first piece lacks at its beginning
 *
 * Three columns, chunks of 4, and the comb of the first column::
 *
 *	window	|..aaaabbbbccccaaaabbbbccccaaa.|
 *	comb	|  aaaa        aaaa        aaa |
 */
struct kiobuf_comb {
	u64	offset;
	u64	length;
	u64	pitch;
	u32	tooth;
	u32	skip;
};

/* gather.c */
void kiobuf_comb_init(struct kiobuf_comb *comb,
		      const struct kiobuf_stripes *stripes, u64 length, u32 n);
u64 kiobuf_comb_at(const struct kiobuf_comb *comb, u64 byte, u64 *left);
struct kiobuf *kiobuf_gather(struct kiobuf *parent,
			     const struct kiobuf_stripes *stripes);

/**
 * kiobuf_may_gather() - has a window more than one chunk in some column?
 * @stripes: how it lies in the stripes
 * @length: its bytes
 *
 * Return: true if so, and kiobuf_gather() makes fewer clones than kiobuf_carve().
 */
static inline bool kiobuf_may_gather(const struct kiobuf_stripes *stripes,
				     u64 length)
{
	return length > (u64)stripes->chunk * stripes->nr - stripes->skip;
}

/* cancel.c */
int kiobuf_dev_cancel(struct kiobuf_dev *dev, u64 id, int error);
unsigned long kiobuf_dev_expire(struct kiobuf_dev *dev, unsigned long age,
				int error);
void kiobuf_dev_shutdown(struct kiobuf_dev *dev, int error);

/* track.c */
void kiobuf_dev_walk_roots(struct kiobuf_dev *dev, kiobuf_walk_fn fn,
			   void *arg);

/* pool.c */
void kiobuf_dev_wait_room(struct kiobuf_dev *dev);

/* merge.c */
struct kiobuf *kiobuf_merge(struct list_head *uppers, gfp_t gfp);

#endif /* _LINUX_KIOBUF_DEV_H */
