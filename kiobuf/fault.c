// SPDX-License-Identifier: GPL-2.0
/*
 * Which bytes of a header failed, beyond the good prefix.
 *
 * Kept only for headers that had clones, and only once something has failed: then a
 * set of ranges hangs in the header's wait queue, as an entry that no wake-up is
 * for, since the header has no room of its own and most never need one. It is taken
 * off when the header ends. Without memory the set is vague: all from the first
 * failure on counts as bad.
 */
#include <linux/list_sort.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "internal.h"

/* One range, as it was reported. */
struct kiobuf_range {
	struct list_head	list;
	struct kiobuf_fault	fault;
};

struct kiobuf_faults {
	struct wait_queue_entry	entry;
	struct list_head	ranges;
};

static struct kmem_cache *kiobuf_range_cache;

#define KIOBUF_FAULT_GFP (GFP_ATOMIC | __GFP_NOWARN)

static int kiobuf_faults_wake(struct wait_queue_entry *entry, unsigned int mode,
			      int flags, void *key)
{
	return 0;
}

static struct kiobuf_faults *kiobuf_faults_new(void)
{
	struct kiobuf_faults *set = kmalloc(sizeof(*set), KIOBUF_FAULT_GFP);

	if (!set)
		return NULL;
	init_waitqueue_func_entry(&set->entry, kiobuf_faults_wake);
	INIT_LIST_HEAD(&set->ranges);
	return set;
}

static struct kiobuf_faults *kiobuf_faults_find(struct kiobuf *kb)
{
	struct wait_queue_entry *entry;

	lockdep_assert_held(&kb->wait.lock);
	list_for_each_entry(entry, &kb->wait.head, entry)
		if (entry->func == kiobuf_faults_wake)
			return container_of(entry, struct kiobuf_faults, entry);
	return NULL;
}

void kiobuf_fault_free(struct kiobuf_faults *set)
{
	struct kiobuf_range *range, *next;

	if (likely(!set))
		return;
	list_for_each_entry_safe(range, next, &set->ranges, list)
		kmem_cache_free(kiobuf_range_cache, range);
	kfree(set);
}

/* Takes the set off the header; NULL if there is none. */
struct kiobuf_faults *kiobuf_fault_take(struct kiobuf *kb)
{
	struct kiobuf_faults *set;
	unsigned long flags;

	if (!(READ_ONCE(kb->fate) & KIOBUF_PARENT))
		return NULL;
	spin_lock_irqsave(&kb->wait.lock, flags);
	set = kiobuf_faults_find(kb);
	if (set)
		__remove_wait_queue(&kb->wait, &set->entry);
	spin_unlock_irqrestore(&kb->wait.lock, flags);
	return set;
}

/* Hangs @ranges into the header; there they stay only if there was no memory. */
static void kiobuf_fault_splice(struct kiobuf *kb, struct list_head *ranges,
				bool vague)
{
	struct kiobuf_faults *set, *fresh = kiobuf_faults_new();
	unsigned long flags;

	spin_lock_irqsave(&kb->wait.lock, flags);
	set = kiobuf_faults_find(kb);
	if (!set && fresh) {
		set = fresh;
		fresh = NULL;
		__add_wait_queue(&kb->wait, &set->entry);
	}
	if (!set || vague)
		kb->fate |= KIOBUF_VAGUE;
	if (set)
		list_splice_tail_init(ranges, &set->ranges);
	spin_unlock_irqrestore(&kb->wait.lock, flags);
	kfree(fresh);
}

void kiobuf_fault_add(struct kiobuf *kb, u64 offset, u64 length, int error)
{
	struct kiobuf_range *range, *next;
	LIST_HEAD(ranges);

	if (!length)
		return;
	range = kmem_cache_alloc(kiobuf_range_cache, KIOBUF_FAULT_GFP);
	if (range) {
		range->fault.offset = offset;
		range->fault.length = length;
		range->fault.error = error;
		list_add(&range->list, &ranges);
	}
	kiobuf_fault_splice(kb, &ranges, !range);
	list_for_each_entry_safe(range, next, &ranges, list)
		kmem_cache_free(kiobuf_range_cache, range);
}

/**
 * kiobuf_fail_range() - record that a range failed, without ending the header
 * @kb: header that has not ended, and so far has not failed, or only by this
 * @offset: of the first byte that failed, in its window
 * @length: how many; the range lies in the window
 * @error: negative errno
 *
 * As kiobuf_fail(), for who knows that what lies behind the range is good. Told by
 * kiobuf_walk_faults(). For a frame's endio, or who holds the header for it.
 * Context: any.
 */
void kiobuf_fail_range(struct kiobuf *kb, u64 offset, u64 length, int error)
{
	unsigned long flags;

	/* So that the ranges are looked for. */
	spin_lock_irqsave(&kb->wait.lock, flags);
	kb->fate |= KIOBUF_PARENT;
	spin_unlock_irqrestore(&kb->wait.lock, flags);
	kiobuf_fail_prefix(kb, offset, error);
	kiobuf_fault_add(kb, offset, length, error);
}
EXPORT_SYMBOL_GPL(kiobuf_fail_range);

/* Does the prefix say all that is known? So for what had no clones. */
bool kiobuf_fault_is_rest(const struct kiobuf *kb)
{
	return !(kb->fate & KIOBUF_PARENT) || kb->fate & KIOBUF_VAGUE;
}

/*
 * A clone has ended, and its end_io has run: what failed in it failed in the parent.
 * @set: its ranges, NULL if @rest is all that is known
 * @rest: in the parent's window, the clone's own from its first failure on
 * @offset: where the clone's window begins in the parent's
 */
void kiobuf_fault_merge(struct kiobuf *parent, struct kiobuf_faults *set,
			const struct kiobuf_fault *rest, u64 offset)
{
	struct kiobuf_range *range;

	if (!set) {
		kiobuf_fault_add(parent, rest->offset, rest->length,
				 rest->error);
		return;
	}
	list_for_each_entry(range, &set->ranges, list)
		range->fault.offset += offset;
	/* What there is no memory for stays, and goes with the set. */
	kiobuf_fault_splice(parent, &set->ranges, false);
}

/* ---- walking them ---- */

static int kiobuf_range_cmp(void *unused, const struct list_head *a,
			    const struct list_head *b)
{
	const struct kiobuf_fault *l =
		&list_entry(a, struct kiobuf_range, list)->fault;
	const struct kiobuf_fault *r =
		&list_entry(b, struct kiobuf_range, list)->fault;

	if (l->offset != r->offset)
		return l->offset > r->offset ? 1 : -1;
	if (l->error != r->error)
		return kiobuf_outranks(l->error, r->error) ? -1 : 1;
	return l->length < r->length ? 1 : -1;
}

/* What is told next: held back while more of the same may follow. */
struct kiobuf_teller {
	kiobuf_fault_fn		fn;
	void			*arg;
	struct kiobuf_fault	last;
};

static int kiobuf_tell(struct kiobuf_teller *t)
{
	return t->last.length ? t->fn(&t->last, t->arg) : 0;
}

/* Of two that overlap the one that begins first counts for what both hold. */
static int kiobuf_tell_range(struct kiobuf_teller *t,
			     const struct kiobuf_fault *fault)
{
	u64 told = t->last.offset + t->last.length;
	u64 end = fault->offset + fault->length;
	u64 start = max(fault->offset, told);
	int ret;

	if (end <= start)
		return 0;
	if (t->last.length && start == told && fault->error == t->last.error) {
		t->last.length += end - start;
		return 0;
	}
	ret = kiobuf_tell(t);
	t->last = (struct kiobuf_fault){ start, end - start, fault->error };
	return ret;
}

/**
 * kiobuf_walk_faults() - tell which bytes of a header failed
 * @kb: header in its end_io, or in its parent's ->collate() or its own end_io there
 * @fn: called for each range, in ascending order, without overlap; two that
 *	follow directly differ in errno. Anything but 0 ends the walk.
 * @arg: handed to @fn
 *
 * What no range names is good: read, or durable as far as a write is. The first
 * range begins at kb->bytes. An errno that came with all bytes has no range.
 * Without memory to keep them while they came in, one range is told, from kb->bytes to
 * the end. Context: as kb->end_io.
 * Return: what @fn returned last, 0 if nothing failed.
 */
int kiobuf_walk_faults(struct kiobuf *kb, kiobuf_fault_fn fn, void *arg)
{
	struct kiobuf_teller t = { .fn = fn, .arg = arg };
	struct kiobuf_range *range;
	int ret;

	if (!kb->error)
		return 0;
	/* Those of one that is done are gone: the prefix is left. */
	if (kiobuf_fault_is_rest(kb) || kb->fate & KIOBUF_DONE) {
		t.last.offset = kb->bytes;
		t.last.length = kb->length - kb->bytes;
		t.last.error = kb->error;
		return kiobuf_tell(&t);
	}
	if (!kb->faults)
		return 0;
	list_sort(NULL, &kb->faults->ranges, kiobuf_range_cmp);
	list_for_each_entry(range, &kb->faults->ranges, list) {
		ret = kiobuf_tell_range(&t, &range->fault);
		if (ret)
			return ret;
	}
	return kiobuf_tell(&t);
}
EXPORT_SYMBOL_GPL(kiobuf_walk_faults);

int __init kiobuf_fault_init(void)
{
	kiobuf_range_cache = KMEM_CACHE(kiobuf_range, 0);
	return kiobuf_range_cache ? 0 : -ENOMEM;
}

void kiobuf_fault_exit(void)
{
	kmem_cache_destroy(kiobuf_range_cache);
}
