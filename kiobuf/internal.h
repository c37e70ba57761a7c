/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to kiobuf.ko.
 *
 * Locks, outermost first; those after the mutex are irq-safe.
 *	kiobuf_dev_mutex	the graph of devices; process context
 *	dev->roots_lock		dev->roots, ->held, ->waiting
 *	pool->lock		pool->slots
 *	kb->wait.lock		kb->error, ->bytes, ->fate, ->children; a parent's before
 *				its clone's, in kiobuf_walk() only
 *	queue->lock		a queue that ->cancel pulls from
 *	dev->lock		dev->deferred, ->retries
 *	ender->lock		ender->list
 */
#ifndef _KIOBUF_INTERNAL_H
#define _KIOBUF_INTERNAL_H

#include <linux/kiobuf.h>
#include <linux/kiobuf_dev.h>

/* alloc.c */
int kiobuf_alloc_init(void);
void kiobuf_alloc_exit(void);
void kiobuf_free(struct kiobuf *kb);

/* submit.c */
void kiobuf_run_deferred(struct work_struct *work);

/* complete.c */
int kiobuf_ender_init(void);
void kiobuf_ender_exit(void);
void kiobuf_run_ends(struct work_struct *work);
bool kiobuf_outranks(int a, int b);
void kiobuf_fail_prefix(struct kiobuf *kb, u64 bytes, int error);

/* convert.c */
int kiobuf_vec_settle(struct kiobuf_vec *vec, u32 nr, u64 length, int ret);
int kiobuf_vec_add_slices(struct kiobuf_vec *vec, const struct bio_vec *frag,
			  u32 skip, u64 left);

/* fault.c */
int kiobuf_fault_init(void);
void kiobuf_fault_exit(void);
void kiobuf_fault_add(struct kiobuf *kb, u64 offset, u64 length, int error);
void kiobuf_fault_merge(struct kiobuf *parent, struct kiobuf_faults *set,
			const struct kiobuf_fault *rest, u64 offset);
bool kiobuf_fault_is_rest(const struct kiobuf *kb);
struct kiobuf_faults *kiobuf_fault_take(struct kiobuf *kb);
void kiobuf_fault_free(struct kiobuf_faults *faults);

/* gather.c */
int kiobuf_gather_init(void);
void kiobuf_gather_exit(void);
void kiobuf_collate_gathered(struct kiobuf *parent, struct kiobuf *child);

/* cancel.c */
void kiobuf_cancel_clones(struct kiobuf *parent, int error);
enum kiobuf_walk kiobuf_pull_emptied(struct kiobuf *kb, int depth, void *arg);
void kiobuf_end_pulled(struct list_head *pulled, int error);
int kiobuf_check_errno(int error, int instead);

/* track.c */
unsigned long kiobuf_age(struct kiobuf *kb);
void kiobuf_track_init(void);
void kiobuf_track(struct kiobuf *kb, struct kiobuf_dev *home);
bool kiobuf_root_is_held(struct kiobuf *kb);
void kiobuf_untrack(struct kiobuf *kb);

/* Adds a share of @parent. A parent that was cancelled gets no more clones. */
static __always_inline int kiobuf_link_clone(struct kiobuf *kb,
					     struct kiobuf *parent)
{
	unsigned long flags;
	int error;

	kb->parent = parent;
	spin_lock_irqsave(&parent->wait.lock, flags);
	error = kiobuf_cancelled(parent);
	if (likely(!error)) {
		/* A failure from before the first clone has no range. */
		if (unlikely(parent->error && !(parent->fate & KIOBUF_PARENT)))
			parent->fate |= KIOBUF_VAGUE;
		parent->fate |= KIOBUF_PARENT;
		parent->active = true;
		hlist_add_head(&kb->sibling, &parent->children);
		atomic_inc(&parent->io_count);
	}
	spin_unlock_irqrestore(&parent->wait.lock, flags);
	if (unlikely(!error && !parent->parent &&
		     !(parent->flags & KIOBUF_TRACKED)))
		kiobuf_track(parent, NULL);
	return error;
}

static __always_inline void kiobuf_unlink_clone(struct kiobuf *kb,
						struct kiobuf *parent)
{
	unsigned long flags;

	spin_lock_irqsave(&parent->wait.lock, flags);
	hlist_del_init(&kb->sibling);
	spin_unlock_irqrestore(&parent->wait.lock, flags);
}

/* timing.c */
DECLARE_STATIC_KEY_FALSE(kiobuf_timing);
int kiobuf_timing_init(void);
void kiobuf_timing_exit(void);
void kiobuf_time(struct kiobuf *kb);

/* debugfs.c */
void kiobuf_debug_init(void);
void kiobuf_debug_exit(void);
void kiobuf_debug_add(struct kiobuf_dev *dev);
void kiobuf_debug_del(struct kiobuf_dev *dev);

#define kiobuf_stat_inc(dev, field) this_cpu_inc((dev)->stats->field)

#endif /* _KIOBUF_INTERNAL_H */
