// SPDX-License-Identifier: GPL-2.0
/*
 * Origins: block devices that there are snapshots of, and the target that writes to
 * one. The device is claimed for all who deal with it by the same holder, so that
 * nobody else can write there.
 *
 * A write waits until every snapshot has what it overwrites; see klvm_snap_prepare().
 */
#include <linux/module.h>
#include <linux/rculist.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "snapshot.h"

/* Larger writes are cut up, since one waits for all of its chunks. */
#define ORIGIN_WRITE_MAX SZ_1M

/**
 * struct klvm_origin - a block device with snapshots, or a target that writes to it
 * @list: in klvm_origins
 * @bdev: the device
 * @users: snapshots and targets; guarded by klvm_origins_lock
 * @lock: held by who adds and removes snapshots, and who looks at them and may sleep
 * @snapshots: changed under @lock, read with RCU
 * @targets: changed under klvm_origins_lock, read with RCU
 */
struct klvm_origin {
	struct list_head	list;
	struct block_device	*bdev;
	unsigned int		users;
	struct mutex		lock;
	struct list_head	snapshots;
	struct list_head	targets;
};

/**
 * struct origin_target - a line `snapshot-origin` of a table
 * @device: its face in the table
 * @below: the device
 * @origin: what there is of it
 * @kd: the volume
 * @list: in origin->targets
 * @fresh: writes that want to be looked at
 * @held: writes that wait for chunks to be copied
 * @work: looks at them
 * @wq: where that runs
 */
struct origin_target {
	struct klvm_device	device;
	struct kiobuf_dev	*below;
	struct klvm_origin	*origin;
	struct kblk_disk	*kd;
	struct list_head	list;
	struct kiobuf_queue	fresh;
	struct kiobuf_queue	held;
	struct work_struct	work;
	struct workqueue_struct	*wq;
};

/* Only its address counts: see kblk_lower_get_as(). */
char klvm_origin_holder;

static DEFINE_MUTEX(klvm_origins_lock);
static LIST_HEAD(klvm_origins);

/* ---- the registry ---- */

static struct klvm_origin *origin_new(struct block_device *bdev)
{
	struct klvm_origin *origin = kzalloc(sizeof(*origin), GFP_KERNEL);

	if (!origin)
		return NULL;
	origin->bdev = bdev;
	mutex_init(&origin->lock);
	INIT_LIST_HEAD(&origin->snapshots);
	INIT_LIST_HEAD(&origin->targets);
	list_add(&origin->list, &klvm_origins);
	return origin;
}

static struct klvm_origin *origin_get(struct block_device *bdev)
{
	struct klvm_origin *origin;

	lockdep_assert_held(&klvm_origins_lock);
	list_for_each_entry(origin, &klvm_origins, list)
		if (origin->bdev == bdev)
			goto found;
	origin = origin_new(bdev);
found:
	if (origin)
		origin->users++;
	return origin;
}

static void origin_put(struct klvm_origin *origin)
{
	lockdep_assert_held(&klvm_origins_lock);
	if (--origin->users)
		return;
	list_del(&origin->list);
	kfree(origin);
}

/* Has writes that wait look again. Context: any. */
void klvm_origin_kick(struct klvm_origin *origin)
{
	struct origin_target *target;

	rcu_read_lock();
	list_for_each_entry_rcu(target, &origin->targets, list)
		queue_work(target->wq, &target->work);
	rcu_read_unlock();
}

/* ---- snapshots come and go ---- */

static void origin_add(struct klvm_origin *origin, struct klvm_snapshot *snap)
{
	mutex_lock(&origin->lock);
	list_add_tail_rcu(&snap->list, &origin->snapshots);
	mutex_unlock(&origin->lock);
}

/*
 * Writes that are on their way have not looked at the snapshot: it begins after them,
 * and before those that follow.
 */
static int origin_add_live(struct klvm_origin *origin,
			   struct klvm_snapshot *snap, struct kblk_object *object,
			   struct kblk_disk *kd)
{
	int ret = kblk_disk_quiesce(kd);

	if (ret)
		return kblk_refuse(object, ret,
				   "I/O in flight on the origin did not end in time.");
	origin_add(origin, snap);
	kblk_disk_resume(kd);
	return 0;
}

static struct kblk_disk *origin_disk(struct klvm_origin *origin)
{
	struct origin_target *target =
		list_first_entry_or_null(&origin->targets, struct origin_target,
					 list);

	return target && READ_ONCE(target->kd->disk) ? target->kd : NULL;
}

static int origin_join(struct klvm_origin *origin, struct klvm_snapshot *snap,
		       struct kblk_object *object)
{
	struct kblk_disk *kd = origin_disk(origin);

	if (kd && kd != &object->kd)
		return origin_add_live(origin, snap, object, kd);
	origin_add(origin, snap);
	kd = origin_disk(origin);
	if (kd && kd != &object->kd && !kblk_disk_quiesce(kd))
		kblk_disk_resume(kd);
	return 0;
}

/* Makes @snap one of the snapshots of a device. */
int klvm_origin_join(struct klvm_snapshot *snap, struct kblk_object *object,
		     struct kblk_lower *lower)
{
	struct klvm_origin *origin;
	int ret = -ENOMEM;

	mutex_lock(&klvm_origins_lock);
	origin = origin_get(kblk_lower_bdev(lower));
	if (origin) {
		ret = origin_join(origin, snap, object);
		if (ret)
			origin_put(origin);
		else
			snap->origin = origin;
	}
	mutex_unlock(&klvm_origins_lock);
	return ret;
}

/*
 * @snap, whose volume is down, is no snapshot any more. Copies under way are waited
 * for; writes of the origin that waited for them go on.
 */
void klvm_origin_leave(struct klvm_snapshot *snap)
{
	struct klvm_origin *origin = snap->origin;

	mutex_lock(&origin->lock);
	list_del_rcu(&snap->list);
	mutex_unlock(&origin->lock);
	synchronize_rcu();
	wait_event(snap->idle, !READ_ONCE(snap->nr_busy));
	flush_workqueue(snap->wq);
	klvm_origin_kick(origin);
	mutex_lock(&klvm_origins_lock);
	origin_put(origin);
	mutex_unlock(&klvm_origins_lock);
}

/* ---- the data path ---- */

static struct origin_target *target_of(struct kiobuf_dev *dev)
{
	return container_of(dev, struct origin_target, device.dev);
}

static bool origin_is_ready(const struct klvm_origin *origin,
			    const struct kiobuf *kb)
{
	struct klvm_snapshot *snap;
	bool ready = true;

	rcu_read_lock();
	list_for_each_entry_rcu(snap, &origin->snapshots, list) {
		ready = klvm_snap_is_ready(snap, kb->pos, kb->length);
		if (!ready)
			break;
	}
	rcu_read_unlock();
	return ready;
}

static int origin_submit(struct kiobuf *kb)
{
	struct origin_target *target = target_of(kb->dev);

	if (kb->op != KIOBUF_READ && kb->op != KIOBUF_FLUSH &&
	    !list_empty(&target->origin->snapshots)) {
		if (kb->length > ORIGIN_WRITE_MAX)
			return KIOBUF_SPLIT;
		if (!origin_is_ready(target->origin, kb))
			return kb->flags & KIOBUF_NOWAIT ? -EAGAIN :
			       kiobuf_enqueue(&target->fresh, kb);
	}
	kb->dev = target->below;
	return KIOBUF_REMAPPED;
}

static struct kiobuf *origin_next_child(struct kiobuf *parent)
{
	u64 pos = parent->pos + parent->carved;
	struct kiobuf *kb;

	if (parent->carved == parent->length)
		return NULL;
	kb = kiobuf_carve(parent, ORIGIN_WRITE_MAX -
				  (pos & (ORIGIN_WRITE_MAX - 1)));
	if (!IS_ERR_OR_NULL(kb)) {
		kb->pos = pos;
		kb->dev = parent->dev;
	}
	return kb;
}

static bool origin_cancel(struct kiobuf_dev *dev, struct kiobuf *kb)
{
	struct origin_target *target = target_of(dev);

	return kiobuf_unqueue(&target->fresh, kb) ||
	       kiobuf_unqueue(&target->held, kb);
}

static const struct kiobuf_dev_ops origin_ops = {
	.submit		= origin_submit,
	.next_child	= origin_next_child,
	.cancel		= origin_cancel,
};

/* All begin to copy before the first is waited for. */
static bool origin_prepare(struct klvm_origin *origin, const struct kiobuf *kb)
{
	struct klvm_snapshot *snap;
	bool ready = true;

	mutex_lock(&origin->lock);
	list_for_each_entry(snap, &origin->snapshots, list)
		ready &= klvm_snap_prepare(snap, kb->pos, kb->length);
	mutex_unlock(&origin->lock);
	return ready;
}

static void origin_serve(struct origin_target *target, struct kiobuf *kb)
{
	int error = kiobuf_cancelled(kb);

	if (!error && origin_prepare(target->origin, kb)) {
		kb->dev = target->below;
		kiobuf_submit(kb);
		return;
	}
	error = error ?: kiobuf_enqueue(&target->held, kb);
	if (error)
		kiobuf_endio(kb, 0, error);
}

static void origin_run(struct work_struct *work)
{
	struct origin_target *target = container_of(work, struct origin_target,
						    work);
	unsigned int noio = memalloc_noio_save();
	struct kiobuf *kb, *next;
	LIST_HEAD(list);

	while ((kb = kiobuf_dequeue(&target->held) ?:
		     kiobuf_dequeue(&target->fresh)))
		list_add_tail(&kb->queue, &list);
	list_for_each_entry_safe(kb, next, &list, queue) {
		list_del_init(&kb->queue);
		origin_serve(target, kb);
	}
	memalloc_noio_restore(noio);
}

/* ---- life ---- */

static void origin_target_free(struct klvm_device *device)
{
	struct origin_target *target = container_of(device,
						    struct origin_target,
						    device);

	if (target->origin) {
		mutex_lock(&klvm_origins_lock);
		list_del_rcu(&target->list);
		synchronize_rcu();
		origin_put(target->origin);
		mutex_unlock(&klvm_origins_lock);
	}
	if (target->wq)
		destroy_workqueue(target->wq);
	klvm_device_del(device);
	kfree(target);
}

static const struct klvm_device_ops origin_device_ops = {
	.free	= origin_target_free,
};

/* One volume at a time writes to a device; it may swap its table. */
static int origin_attach(struct origin_target *target,
			 struct kblk_object *object, struct block_device *bdev)
{
	struct klvm_origin *origin = origin_get(bdev);
	struct origin_target *other;

	if (!origin)
		return -ENOMEM;
	other = list_first_entry_or_null(&origin->targets, struct origin_target,
					 list);
	if (other && other->kd != target->kd) {
		origin_put(origin);
		return kblk_refuse(object, -EBUSY,
				   "The origin belongs to another volume.");
	}
	target->origin = origin;
	list_add_tail_rcu(&target->list, &origin->targets);
	return 0;
}

/* The target for a line of a table of @object, on @lower. */
struct klvm_device *klvm_origin_new(struct kblk_object *object,
				    struct kblk_lower *lower)
{
	struct origin_target *target = kzalloc(sizeof(*target), GFP_KERNEL);
	int ret;

	if (!target)
		return ERR_PTR(-ENOMEM);
	target->below = kblk_lower_dev(lower);
	target->kd = &object->kd;
	INIT_WORK(&target->work, origin_run);
	ret = klvm_device_add(&target->device, object, &origin_ops,
			      &origin_device_ops);
	if (ret) {
		kfree(target);
		return ERR_PTR(ret);
	}
	ret = -ENOMEM;
	target->wq = alloc_workqueue("klvm_origin_%s",
				     WQ_MEM_RECLAIM | WQ_UNBOUND, 0,
				     object->kd.dev.name);
	kiobuf_queue_init(&target->fresh, &target->work, target->wq);
	kiobuf_queue_init(&target->held, NULL, NULL);
	if (target->wq) {
		mutex_lock(&klvm_origins_lock);
		ret = origin_attach(target, object, kblk_lower_bdev(lower));
		mutex_unlock(&klvm_origins_lock);
	}
	if (ret) {
		origin_target_free(&target->device);
		return ERR_PTR(ret);
	}
	return &target->device;
}
