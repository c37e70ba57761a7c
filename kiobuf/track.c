// SPDX-License-Identifier: GPL-2.0
/*
 * What is in flight: clones hang on their parent, roots on the device that they
 * were submitted to or in its pool.
 *
 * A clone on its parent's list is alive, and so is the parent: the clone takes itself
 * off, under the parent's lock, before it ends and drops its share. So a walk from
 * parent to clone that keeps each lock on the way sees a tree that stands still.
 */
#include <linux/module.h>
#include <linux/random.h>
#include <linux/siphash.h>

#include "internal.h"
#include "trace.h"

/* Tells lockdep that a walk takes the locks of a tree from the root down. */
static struct {
	struct lockdep_map dep_map;
} kiobuf_tree __maybe_unused;

static siphash_aligned_key_t kiobuf_id_key;

void __init kiobuf_track_init(void)
{
	static struct lock_class_key key;

	/* Without lockdep there is neither key nor map. */
	lockdep_init_map(&kiobuf_tree.dep_map, "kiobuf_tree", &key, 0);
	get_random_bytes(&kiobuf_id_key, sizeof(kiobuf_id_key));
}

/**
 * kiobuf_id() - the number that a header in flight is known by
 * @kb: the header
 *
 * As shown in `inflight`; another use of the same memory has another number.
 *
 * Context: any.
 * Return: the number, never 0.
 */
u64 kiobuf_id(const struct kiobuf *kb)
{
	u64 hash = siphash_1u64((uintptr_t)kb, &kiobuf_id_key);
	u64 use = READ_ONCE(kb->mark) >> KIOBUF_MARK_BITS;

	/* 32 bits that tell headers apart, 20 that tell uses of one apart */
	return (u64)(u32)(hash | 1) << (32 - KIOBUF_MARK_BITS) | use;
}
EXPORT_SYMBOL_GPL(kiobuf_id);

/* A root in a pool knows its start; the mark of any other is its first jiffy. */
unsigned long kiobuf_age(struct kiobuf *kb)
{
	const u32 uses = U32_MAX >> KIOBUF_MARK_BITS;

	if (!kb->parent && hlist_unhashed(&kb->sibling))
		return jiffies - kiobuf_slot(kb)->start;
	return ((u32)jiffies - (kb->mark >> KIOBUF_MARK_BITS)) & uses;
}

/* ---- roots ---- */

/* Parents that their makers cloned without submitting them, such as sets. */
static HLIST_HEAD(kiobuf_homeless);
static DEFINE_SPINLOCK(kiobuf_homeless_lock);

static spinlock_t *kiobuf_roots_lock(struct kiobuf_dev *home)
{
	return home ? &home->roots_lock : &kiobuf_homeless_lock;
}

static struct hlist_head *kiobuf_roots(struct kiobuf_dev *home)
{
	return home ? &home->roots : &kiobuf_homeless;
}

/* The home is written before the link can be seen. Two may clone it at once. */
void kiobuf_track(struct kiobuf *kb, struct kiobuf_dev *home)
{
	unsigned long flags;

	kb->home = home;
	kb->flags |= KIOBUF_TRACKED;
	spin_lock_irqsave(kiobuf_roots_lock(home), flags);
	if (hlist_unhashed(&kb->sibling))
		hlist_add_head(&kb->sibling, kiobuf_roots(home));
	spin_unlock_irqrestore(kiobuf_roots_lock(home), flags);
}

/*
 * A root comes in. True if its device holds roots: it goes on when that lets go, or has
 * ended.
 */
bool kiobuf_root_is_held(struct kiobuf *kb)
{
	struct kiobuf_dev *dev = kb->dev;
	bool may_wait = !(kb->flags & KIOBUF_NOWAIT);
	unsigned long flags;
	bool held;

	kb->home = dev;
	kb->flags |= KIOBUF_TRACKED;
	spin_lock_irqsave(&dev->roots_lock, flags);
	if (hlist_unhashed(&kb->sibling))
		hlist_add_head(&kb->sibling, &dev->roots);
	held = dev->held;
	if (unlikely(held) && may_wait) {
		list_add_tail(&kb->queue, &dev->waiting);
		dev->nr_waiting++;
	}
	spin_unlock_irqrestore(&dev->roots_lock, flags);
	if (unlikely(held) && !may_wait)
		kiobuf_endio(kb, 0, -EAGAIN);
	return held;
}

/**
 * kiobuf_dev_hold() - let roots that are submitted to a device wait
 * @dev: the device
 *
 * Those of its own pool, which are bios, go on: who calls this has stopped them. To be
 * called again until none is in flight, then kiobuf_dev_let_go(); from the uppermost
 * device down, since a root may wait for one further down.
 *
 * Context: process.
 * Return: true if none is in flight any more.
 */
bool kiobuf_dev_hold(struct kiobuf_dev *dev)
{
	struct hlist_node *node;
	unsigned int nr = 0;
	bool idle;

	spin_lock_irq(&dev->roots_lock);
	dev->held = true;
	hlist_for_each(node, &dev->roots)
		nr++;
	idle = nr == dev->nr_waiting;
	spin_unlock_irq(&dev->roots_lock);
	return idle;
}
EXPORT_SYMBOL_GPL(kiobuf_dev_hold);

/**
 * kiobuf_dev_let_go() - let roots go on that kiobuf_dev_hold() has let wait
 * @dev: the device, whether it holds any or not
 *
 * Context: process.
 */
void kiobuf_dev_let_go(struct kiobuf_dev *dev)
{
	struct kiobuf *kb, *next;
	LIST_HEAD(list);

	spin_lock_irq(&dev->roots_lock);
	dev->held = false;
	dev->nr_waiting = 0;
	list_splice_init(&dev->waiting, &list);
	spin_unlock_irq(&dev->roots_lock);
	list_for_each_entry_safe(kb, next, &list, queue) {
		list_del_init(&kb->queue);
		kiobuf_defer(kb, dev);
	}
}
EXPORT_SYMBOL_GPL(kiobuf_dev_let_go);

void kiobuf_untrack(struct kiobuf *kb)
{
	struct kiobuf_dev *home = kb->home;
	unsigned long flags;

	spin_lock_irqsave(kiobuf_roots_lock(home), flags);
	hlist_del_init(&kb->sibling);
	spin_unlock_irqrestore(kiobuf_roots_lock(home), flags);
}

/* ---- walks ---- */

/* How many are held is more than sparse can follow: it is told of none. */
static void kiobuf_walk_lock(struct kiobuf *kb)
{
	spin_lock_nest_lock(&kb->wait.lock, &kiobuf_tree);
	__release(&kb->wait.lock);
}

static void kiobuf_walk_unlock(struct kiobuf *kb)
{
	__acquire(&kb->wait.lock);
	spin_unlock(&kb->wait.lock);
}

/*
 * The one after @kb where its clones are done with, NULL at the end. Locks below the
 * root's are let go on the way.
 */
static struct kiobuf *kiobuf_walk_over(struct kiobuf *kb, struct kiobuf *root,
				       int *depth)
{
	struct kiobuf *next = NULL;

	while (!next && kb != root) {
		struct kiobuf *parent = kb->parent;

		next = hlist_entry_safe(kb->sibling.next, struct kiobuf,
					sibling);
		kiobuf_walk_unlock(kb);
		kb = parent;
		if (!next)
			--*depth;
	}
	if (next)
		kiobuf_walk_lock(next);
	return next;
}

static void kiobuf_walk_leave(struct kiobuf *kb, struct kiobuf *root)
{
	for (; kb != root; kb = kb->parent)
		kiobuf_walk_unlock(kb);
}

/**
 * kiobuf_walk() - visit a header and all clones below it that have not ended
 * @root: header that will not go away: held by the caller, or found under the
 *	lock of the list that it is on
 * @fn: called for each, a parent before its clones; with depth 0 for @root. It runs
 *	with irqs off under kb->wait.lock of that header and those above it, and
 *	must end none of them.
 * @arg: handed to @fn
 *
 * The tree stands still meanwhile: no clone is made or ends. Stack use does not
 * depend on its depth. Context: any; not from a wait queue callback.
 */
void kiobuf_walk(struct kiobuf *root, kiobuf_walk_fn fn, void *arg)
{
	enum kiobuf_walk verdict;
	struct kiobuf *kb = root;
	unsigned long flags;
	int depth = 0;

	/* Lockdep wants the tree first, and wants it as its locks are: irqs off. */
	local_irq_save(flags);
	lock_map_acquire(&kiobuf_tree.dep_map);
	spin_lock_nest_lock(&root->wait.lock, &kiobuf_tree);
	do {
		verdict = fn(kb, depth, arg);
		if (verdict == KIOBUF_WALK_STOP) {
			kiobuf_walk_leave(kb, root);
			break;
		}
		if (verdict == KIOBUF_WALK_ON && !hlist_empty(&kb->children)) {
			kb = hlist_entry(kb->children.first, struct kiobuf,
					 sibling);
			kiobuf_walk_lock(kb);
			depth++;
		} else {
			kb = kiobuf_walk_over(kb, root, &depth);
		}
	} while (kb);
	spin_unlock(&root->wait.lock);
	lock_map_release(&kiobuf_tree.dep_map);
	local_irq_restore(flags);
}
EXPORT_SYMBOL_GPL(kiobuf_walk);

static void kiobuf_walk_pool(struct kiobuf_pool *pool, kiobuf_walk_fn fn,
			     void *arg)
{
	struct kiobuf_slot *slot;
	unsigned long flags;

	spin_lock_irqsave(&pool->lock, flags);
	list_for_each_entry(slot, &pool->slots, all) {
		struct kiobuf *kb = (struct kiobuf *)(slot + 1);

		if (READ_ONCE(kb->dev))
			kiobuf_walk(kb, fn, arg);
	}
	spin_unlock_irqrestore(&pool->lock, flags);
}

/**
 * kiobuf_dev_walk_roots() - kiobuf_walk() for every root submitted to a device
 * @dev: registered device; NULL for parents that were not submitted, such as sets
 * @fn: as in kiobuf_walk()
 * @arg: handed to @fn
 *
 * Roots that are bios may end, and be used anew, while @fn looks at them; their clones
 * cannot. Context: any.
 */
void kiobuf_dev_walk_roots(struct kiobuf_dev *dev, kiobuf_walk_fn fn, void *arg)
{
	struct kiobuf *kb;
	unsigned long flags;

	if (dev && dev->root_pool)
		kiobuf_walk_pool(dev->root_pool, fn, arg);
	spin_lock_irqsave(kiobuf_roots_lock(dev), flags);
	hlist_for_each_entry(kb, kiobuf_roots(dev), sibling)
		kiobuf_walk(kb, fn, arg);
	spin_unlock_irqrestore(kiobuf_roots_lock(dev), flags);
}
EXPORT_SYMBOL_GPL(kiobuf_dev_walk_roots);
