/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to kraid.ko: work on stripes of levels 4, 5 and 6.
 *
 * Whoever works on a stripe holds its lock, and a job: memory for a window, a range of
 * columns of all blocks. What a request writes goes to the legs from its own memory.
 */
#ifndef _KRAID_STRIPE_H
#define _KRAID_STRIPE_H

#include <linux/semaphore.h>

#include "kraid.h"
#include "parity_layout.h"
#include "stripe_plan.h"

/*
 * Windows of all jobs, and of the one for repair.c, are what an idle array keeps: 56 KiB
 * a leg. A request that covers more of a block asks for a wide window, and does without
 * if it gets none. Wide ones are kept as long as they are used: 384 KiB a leg at most.
 */
#define STRIPE_NR_JOBS		6
#define STRIPE_WINDOW		SZ_8K
#define STRIPE_WIDE_WINDOW	SZ_64K
#define STRIPE_TRIM		(5 * HZ)

#define STRIPE_NR_LOCKS		64

/**
 * struct stripe_io - a request of our own
 * @kb: it
 * @leg: where it went
 * @block: of the stripe
 */
struct stripe_io {
	struct kiobuf		kb;
	struct kraid_leg	*leg;
	u32			block;
};

/**
 * struct stripe_memory - a window's worth for each block
 * @vec: the memory
 * @bytes: likewise; that of block n begins n windows in
 * @window: bytes for each block
 */
struct stripe_memory {
	struct kiobuf_vec	*vec;
	void			*bytes;
	u32			window;
};

/**
 * struct stripe_pool - wide windows that are not in use
 * @lock: guards the rest; irqs off
 * @used: one was taken since @trim looked
 * @nr: of @free
 * @free: they
 * @trim: gives them back when none was used for a while
 */
struct stripe_pool {
	spinlock_t		lock;
	bool			used;
	u32			nr;
	struct stripe_memory	free[STRIPE_NR_JOBS];
	struct delayed_work	trim;
};

/**
 * struct stripe_job - memory to work on a stripe
 * @work: goes on with a request, or takes one from parity->queue
 * @array: the array
 * @stripe: which one is worked on
 * @state: of it
 * @bad: blocks that could not be read, and should
 * @from: first column of the window
 * @length: columns of it
 * @kb: request whose data are written, NULL for none
 * @in: of it: its first byte in the data of the stripe
 * @own: memory that is always there
 * @memory: what is used, @own or longer
 * @spare: a page for what is new, if it cannot be used where it is
 * @fresh: blocks whose bytes are the request's, not those in @memory
 * @at: where in the request's memory their window begins
 * @next: likewise, where the parity of what follows is to be worked out yet
 * @ptrs: blocks, as raid6_pq wants them
 * @nr: of @ios in use
 * @ios: one for each leg, and for its twin
 * @end_io: of each; NULL for who waits
 * @pending: those that have not ended, and one for who submits them
 * @phase: of a write: what is to be done when they have; NULL when it is over
 * @done: called then
 * @steps: of a write, as planned
 * @step: the one it is at
 * @last: of them
 * @ret: of a write
 * @by_bitmap: it has set its bits
 * @torn: a stripe that a write of this job left in part as it was; U64_MAX for none.
 *	There is one at most, since the array takes no writes then
 */
struct stripe_job {
	struct work_struct	work;
	struct kraid_array	*array;
	struct parity_stripe	stripe;
	struct stripe_state	state;
	u64			bad;
	u32			from;
	u32			length;
	struct kiobuf		*kb;
	u64			in;
	struct stripe_memory	own;
	struct stripe_memory	memory;
	void			*spare;
	u64			fresh;
	struct bvec_iter	at[PARITY_MAX_LEGS];
	struct bvec_iter	next[PARITY_MAX_LEGS];
	void			*ptrs[PARITY_MAX_LEGS + 2];
	u32			nr;
	struct stripe_io	*ios;
	void			(*end_io)(struct kiobuf *kb);
	atomic_t		pending;
	bool			(*phase)(struct stripe_job *job);
	void			(*done)(struct stripe_job *job);
	struct stripe_step	steps[STRIPE_MAX_STEPS];
	const struct stripe_step *step;
	const struct stripe_step *last;
	int			ret;
	bool			by_bitmap;
	u64			torn;
};

/**
 * struct kraid_parity - levels 4, 5 and 6: what an array has besides
 * @geo: the layout
 * @queue: requests that wait for a job
 * @wq: for jobs; what runs there may wait for a stripe
 * @go: for writes that go on; what runs there waits for none
 * @pool: of windows
 * @busy: a bit for each job that has something to do
 * @locks: of stripes, by number
 * @jobs: they
 * @repair: a job for repair.c
 */
struct kraid_parity {
	struct parity_geo	geo;
	struct kiobuf_queue	queue;
	struct workqueue_struct	*wq;
	struct workqueue_struct	*go;
	struct stripe_pool	pool;
	unsigned long		busy;
	struct semaphore	locks[STRIPE_NR_LOCKS];
	struct stripe_job	jobs[STRIPE_NR_JOBS];
	struct stripe_job	repair;
};

/* stripe_math.c */
void stripe_recover(struct stripe_job *job);
void stripe_make_parity(struct stripe_job *job);
void stripe_modify_parity(struct stripe_job *job);

/* stripe_pool.c */
int stripe_memory_init(struct stripe_memory *memory, u32 blocks, u32 window,
		       gfp_t gfp);
void stripe_memory_exit(struct stripe_memory *memory);
void stripe_pool_init(struct stripe_pool *pool);
void stripe_pool_exit(struct stripe_pool *pool);
bool stripe_pool_get(struct stripe_pool *pool, struct stripe_memory *memory);
void stripe_pool_put(struct stripe_pool *pool, struct stripe_memory *memory);

/* stripe.c */
int stripe_job_init(struct stripe_job *job, struct kraid_array *array,
		    u32 blocks, u32 window);
void stripe_job_exit(struct stripe_job *job);
void stripe_begin(struct stripe_job *job, u64 nr);
bool stripe_try_begin(struct stripe_job *job, u64 nr);
bool stripe_widen(struct stripe_job *job, u32 length, bool alloc);
void stripe_end(struct stripe_job *job);
u64 stripe_lost(const struct stripe_job *job);
void stripe_look(struct stripe_job *job);
bool stripe_is_torn(const struct stripe_job *job);
void stripe_submit_reads(struct stripe_job *job, u64 blocks);
int stripe_check_reads(struct stripe_job *job);
int stripe_read(struct stripe_job *job, u64 blocks);
void stripe_submit_stores(struct stripe_job *job, u64 blocks, u16 flags);
int stripe_check_stores(struct stripe_job *job);
int stripe_store(struct stripe_job *job, u64 blocks);
int stripe_store_to(struct stripe_job *job, u32 block,
		    struct kraid_leg *leg);
int stripe_read_block(struct stripe_job *job, u32 block, u32 from, u32 length);

/* stripe_write.c */
void stripe_write(struct stripe_job *job, struct kiobuf *kb);
void stripe_write_run(struct stripe_job *job);

/* stripe_sync.c */
int stripe_sync(struct stripe_job *job, u64 pos, u32 length,
		struct kraid_leg *target, u32 slot, bool write,
		u64 *mismatches);

static inline void *stripe_bytes(const struct stripe_job *job, u32 block)
{
	return job->memory.bytes + (size_t)block * job->memory.window;
}

static inline struct parity_geo *stripe_geo(const struct stripe_job *job)
{
	return &job->array->parity->geo;
}

#endif /* _KRAID_STRIPE_H */
