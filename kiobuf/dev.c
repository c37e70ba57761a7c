// SPDX-License-Identifier: GPL-2.0
/* Devices: the registry of names, and the graph of what lies on what. */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"

#define KIOBUF_POOL_RESERVE 16

/* One edge. A device may lie on the same lower one only once. */
struct kiobuf_link {
	struct kiobuf_dev	*upper;
	struct kiobuf_dev	*lower;
	struct list_head	below;	/* of upper->lowers */
	struct list_head	above;	/* of lower->uppers */
	bool			apart;	/* see kiobuf_dev_link_apart() */
};

static DEFINE_MUTEX(kiobuf_dev_mutex);
static LIST_HEAD(kiobuf_devs);
static unsigned int kiobuf_dev_walk;

static struct kiobuf_dev *kiobuf_dev_find(const char *name)
{
	struct kiobuf_dev *dev;

	lockdep_assert_held(&kiobuf_dev_mutex);
	list_for_each_entry(dev, &kiobuf_devs, registry)
		if (!strcmp(dev->name, name))
			return dev;
	return NULL;
}

/*
 * A clone's header and one frame fill a slab object with what the pool adds, unless
 * there is room to be had behind them.
 */
struct kiobuf_clone {
	struct kiobuf		kb;
	struct kiobuf_frame	frame[1];
};

static void kiobuf_dev_init(struct kiobuf_dev *dev)
{
	INIT_LIST_HEAD(&dev->lowers);
	INIT_LIST_HEAD(&dev->uppers);
	INIT_LIST_HEAD(&dev->deferred);
	INIT_LIST_HEAD(&dev->retries);
	INIT_HLIST_HEAD(&dev->roots);
	INIT_LIST_HEAD(&dev->waiting);
	INIT_LIST_HEAD(&dev->ender.list);
	spin_lock_init(&dev->lock);
	spin_lock_init(&dev->roots_lock);
	spin_lock_init(&dev->ender.lock);
	INIT_DELAYED_WORK(&dev->work, kiobuf_run_deferred);
	INIT_WORK(&dev->ender.work, kiobuf_run_ends);
	dev->depth = 1;
	dev->height = 1;
}

/* Callbacks that sleep must not keep the worker that they may wait for. */
static int kiobuf_dev_set_up(struct kiobuf_dev *dev)
{
	const unsigned int wq_flags = WQ_MEM_RECLAIM | WQ_UNBOUND;
	int ret = -ENOMEM;

	kiobuf_dev_init(dev);
	dev->stats = alloc_percpu(struct kiobuf_dev_stats);
	if (!dev->stats)
		return ret;
	dev->wq = alloc_workqueue("kio_%s", wq_flags, 0, dev->name);
	if (!dev->wq)
		goto free_stats;
	dev->wq_end = alloc_workqueue("kio_end_%s", wq_flags, 0, dev->name);
	if (!dev->wq_end)
		goto free_wq;
	dev->pool.room = dev->room;
	ret = kiobuf_pool_init(&dev->pool,
			       sizeof(struct kiobuf_clone) + dev->room, 1,
			       KIOBUF_POOL_RESERVE);
	if (!ret)
		return 0;
	destroy_workqueue(dev->wq_end);
free_wq:
	destroy_workqueue(dev->wq);
free_stats:
	free_percpu(dev->stats);
	return ret;
}

static void kiobuf_dev_tear_down(struct kiobuf_dev *dev)
{
	cancel_delayed_work_sync(&dev->work);
	destroy_workqueue(dev->wq_end);
	destroy_workqueue(dev->wq);
	kiobuf_pool_exit(&dev->pool);
	free_percpu(dev->stats);
}

static int kiobuf_submit_down(struct kiobuf *kb)
{
	return READ_ONCE(kb->dev->shutdown) ?: -ESHUTDOWN;
}

/**
 * kiobuf_dev_set_ops() - say what kind of device it is
 * @dev: registered device without I/O in flight
 * @ops: its kind
 *
 * Also brings it up again after kiobuf_dev_shutdown(). Context: process.
 */
void kiobuf_dev_set_ops(struct kiobuf_dev *dev,
			const struct kiobuf_dev_ops *ops)
{
	dev->ops = ops;
	WRITE_ONCE(dev->submit, ops->submit);
	WRITE_ONCE(dev->shutdown, 0);
}
EXPORT_SYMBOL_GPL(kiobuf_dev_set_ops);

/**
 * kiobuf_dev_register() - make a device known
 * @dev: zeroed device; @dev->size, ->part and ->flags may be set now or later,
 *	->room only now
 * @name: unique name
 * @ops: its kind
 *
 * Context: process, sleeps.
 * Return: 0, -EEXIST if the name is taken, -ENAMETOOLONG, -ENOMEM.
 */
int kiobuf_dev_register(struct kiobuf_dev *dev, const char *name,
			const struct kiobuf_dev_ops *ops)
{
	int ret;

	if (strscpy(dev->name, name, sizeof(dev->name)) < 0)
		return -ENAMETOOLONG;
	ret = kiobuf_dev_set_up(dev);
	if (ret)
		return ret;
	kiobuf_dev_set_ops(dev, ops);

	mutex_lock(&kiobuf_dev_mutex);
	if (kiobuf_dev_find(name))
		ret = -EEXIST;
	else
		list_add_tail(&dev->registry, &kiobuf_devs);
	mutex_unlock(&kiobuf_dev_mutex);
	if (ret)
		kiobuf_dev_tear_down(dev);
	else
		kiobuf_debug_add(dev);
	return ret;
}
EXPORT_SYMBOL_GPL(kiobuf_dev_register);

/**
 * kiobuf_dev_unregister() - forget a device
 * @dev: device with no I/O in flight, not linked to any other
 *
 * Context: process, sleeps.
 */
void kiobuf_dev_unregister(struct kiobuf_dev *dev)
{
	kiobuf_debug_del(dev);
	mutex_lock(&kiobuf_dev_mutex);
	WARN_ON(!list_empty(&dev->lowers) || !list_empty(&dev->uppers));
	list_del(&dev->registry);
	mutex_unlock(&kiobuf_dev_mutex);
	/* A walk with irqs off may still look at it: a stale kb->dev. */
	synchronize_rcu();
	kiobuf_dev_tear_down(dev);
}
EXPORT_SYMBOL_GPL(kiobuf_dev_unregister);

/*
 * Is @goal at or below @from? Recursion is bounded by KIOBUF_DEV_MAX_DEPTH, and
 * marks make it visit a device once however many paths lead there.
 */
static bool kiobuf_dev_reaches(struct kiobuf_dev *from, struct kiobuf_dev *goal)
{
	struct kiobuf_link *link;

	if (from == goal)
		return true;
	if (from->mark == kiobuf_dev_walk)
		return false;
	from->mark = kiobuf_dev_walk;
	list_for_each_entry(link, &from->lowers, below)
		if (kiobuf_dev_reaches(link->lower, goal))
			return true;
	return false;
}

/* After an edge below @dev has changed. */
static void kiobuf_dev_update_depth(struct kiobuf_dev *dev)
{
	struct kiobuf_link *link;
	int depth = 1;

	list_for_each_entry(link, &dev->lowers, below)
		depth = max(depth, link->lower->depth + 1);
	if (depth == dev->depth)
		return;
	dev->depth = depth;
	list_for_each_entry(link, &dev->uppers, above)
		kiobuf_dev_update_depth(link->upper);
}

/* After an edge above @dev has changed. */
static void kiobuf_dev_update_height(struct kiobuf_dev *dev)
{
	struct kiobuf_link *link;
	int height = 1;

	list_for_each_entry(link, &dev->uppers, above)
		height = max(height, link->upper->height + 1);
	if (height == dev->height)
		return;
	dev->height = height;
	list_for_each_entry(link, &dev->lowers, below)
		kiobuf_dev_update_height(link->lower);
}

static struct kiobuf_link *kiobuf_link_find(struct kiobuf_dev *upper,
					    struct kiobuf_dev *lower)
{
	struct kiobuf_link *link;

	list_for_each_entry(link, &upper->lowers, below)
		if (link->lower == lower)
			return link;
	return NULL;
}

static int kiobuf_link_check(struct kiobuf_dev *upper, struct kiobuf_dev *lower)
{
	kiobuf_dev_walk++;
	if (kiobuf_dev_reaches(lower, upper))
		return -ELOOP;
	if (kiobuf_link_find(upper, lower))
		return -EEXIST;
	if (lower->depth + upper->height > KIOBUF_DEV_MAX_DEPTH)
		return -EMLINK;
	return 0;
}

static int kiobuf_link_add(struct kiobuf_dev *upper, struct kiobuf_dev *lower,
			   bool apart)
{
	struct kiobuf_link *link = kmalloc(sizeof(*link), GFP_KERNEL);
	int ret;

	if (!link)
		return -ENOMEM;
	link->upper = upper;
	link->lower = lower;
	link->apart = apart;

	mutex_lock(&kiobuf_dev_mutex);
	ret = kiobuf_link_check(upper, lower);
	if (!ret) {
		list_add_tail(&link->below, &upper->lowers);
		list_add_tail(&link->above, &lower->uppers);
		kiobuf_dev_update_depth(upper);
		kiobuf_dev_update_height(lower);
	}
	mutex_unlock(&kiobuf_dev_mutex);
	if (ret)
		kfree(link);
	return ret;
}

/**
 * kiobuf_dev_link() - put one device on another
 * @upper: registered device that will pass headers on
 * @lower: registered device that will take them
 *
 * Context: process, sleeps.
 * Return: 0; -ELOOP if @lower is @upper or lies on it; -EEXIST if they are linked
 * already; -EMLINK if the stack would be deeper than KIOBUF_DEV_MAX_DEPTH;
 * -ENOMEM.
 */
int kiobuf_dev_link(struct kiobuf_dev *upper, struct kiobuf_dev *lower)
{
	return kiobuf_link_add(upper, lower, false);
}
EXPORT_SYMBOL_GPL(kiobuf_dev_link);

/**
 * kiobuf_dev_link_apart() - tell that one device lies on another by way of something else
 * @upper: registered device that passes no headers to @lower
 * @lower: registered device that takes what comes of them, such as that of a file
 *	system with the file that @upper is
 *
 * Only so that cycles are found: neither kiobuf_dev_walk_up() nor a shutdown passes.
 * Undone by kiobuf_dev_unlink(). Context: process, sleeps.
 * Return: as kiobuf_dev_link().
 */
int kiobuf_dev_link_apart(struct kiobuf_dev *upper, struct kiobuf_dev *lower)
{
	return kiobuf_link_add(upper, lower, true);
}
EXPORT_SYMBOL_GPL(kiobuf_dev_link_apart);

/**
 * kiobuf_dev_unlink() - take one device off another
 * @upper: device that passes no more headers to @lower
 * @lower: the other
 *
 * Context: process, sleeps.
 */
void kiobuf_dev_unlink(struct kiobuf_dev *upper, struct kiobuf_dev *lower)
{
	struct kiobuf_link *link;

	mutex_lock(&kiobuf_dev_mutex);
	link = kiobuf_link_find(upper, lower);
	if (!WARN_ON(!link)) {
		list_del(&link->below);
		list_del(&link->above);
		kiobuf_dev_update_depth(upper);
		kiobuf_dev_update_height(lower);
	}
	mutex_unlock(&kiobuf_dev_mutex);
	kfree(link);
}
EXPORT_SYMBOL_GPL(kiobuf_dev_unlink);

/* Uppermost last; recursion is bounded by KIOBUF_DEV_MAX_DEPTH. */
static int kiobuf_dev_visit(struct kiobuf_dev *dev, kiobuf_visit_fn fn,
			    void *arg)
{
	struct kiobuf_link *link;
	int ret;

	if (dev->mark == kiobuf_dev_walk)
		return 0;
	dev->mark = kiobuf_dev_walk;
	ret = fn(dev, arg);
	list_for_each_entry(link, &dev->uppers, above) {
		if (ret)
			break;
		if (!link->apart)
			ret = kiobuf_dev_visit(link->upper, fn, arg);
	}
	return ret;
}

/**
 * kiobuf_dev_walk_up() - visit a device and all that lie on it, once each
 * @dev: device to begin with
 * @fn: called for each; anything but 0 ends the walk. May sleep, must not change
 *	the graph.
 * @arg: handed to @fn
 *
 * Context: process, sleeps.
 * Return: what @fn returned last.
 */
int kiobuf_dev_walk_up(struct kiobuf_dev *dev, kiobuf_visit_fn fn,
		       void *arg)
{
	int ret;

	mutex_lock(&kiobuf_dev_mutex);
	kiobuf_dev_walk++;
	ret = kiobuf_dev_visit(dev, fn, arg);
	mutex_unlock(&kiobuf_dev_mutex);
	return ret;
}
EXPORT_SYMBOL_GPL(kiobuf_dev_walk_up);

/* ---- shutdown ---- */

/*
 * Empties @dev, and the devices below it that nothing else lies on: all that is there
 * has come through @dev. Recursion is bounded by KIOBUF_DEV_MAX_DEPTH.
 */
static void kiobuf_dev_empty(struct kiobuf_dev *dev)
{
	struct kiobuf_link *link, *above;
	bool own;

	WRITE_ONCE(dev->emptied, true);
	list_for_each_entry(link, &dev->lowers, below) {
		own = !link->apart;
		list_for_each_entry(above, &link->lower->uppers, above)
			own &= above->upper->emptied;
		if (own)
			kiobuf_dev_empty(link->lower);
	}
}

/**
 * kiobuf_dev_shutdown() - take a device out of service at once
 * @dev: registered device
 * @error: what all I/O ends with from now on: -ESHUTDOWN, -EIO, -ENODEV ...
 *
 * New headers are refused, and those that it has split get no more clones. What waits in
 * its queue, or in that of a device below that only lies below this one, ends; what
 * the hardware has ends when that lets go of it. Nothing is waited for. To a
 * device above this is a failure like any other: a mirror goes on with another leg.
 * kiobuf_dev_set_ops() brings it up again.
 *
 * Context: process, sleeps; end_io of what was pulled is called.
 */
void kiobuf_dev_shutdown(struct kiobuf_dev *dev, int error)
{
	struct kiobuf_dev *other;
	LIST_HEAD(pulled);

	error = kiobuf_check_errno(error, -ESHUTDOWN);
	mutex_lock(&kiobuf_dev_mutex);
	WRITE_ONCE(dev->shutdown, error);
	WRITE_ONCE(dev->submit, kiobuf_submit_down);
	/* Pairs with kiobuf_enqueue(): what we do not see there sees us. */
	smp_mb();
	kiobuf_dev_empty(dev);
	list_for_each_entry(other, &kiobuf_devs, registry)
		kiobuf_dev_walk_roots(other, kiobuf_pull_emptied, &pulled);
	kiobuf_dev_walk_roots(NULL, kiobuf_pull_emptied, &pulled);
	list_for_each_entry(other, &kiobuf_devs, registry)
		WRITE_ONCE(other->emptied, false);
	mutex_unlock(&kiobuf_dev_mutex);
	kiobuf_end_pulled(&pulled, error);
}
EXPORT_SYMBOL_GPL(kiobuf_dev_shutdown);
