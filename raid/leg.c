// SPDX-License-Identifier: GPL-2.0
/* States of legs: one setter, in any context. */
#include <linux/module.h>

#include "kraid.h"

const char *const kraid_leg_state_names[KRAID_NR_LEG_STATES] = {
	[KRAID_IN_SYNC]	= "in_sync",
	[KRAID_FAULTY]	= "faulty",
	[KRAID_MISSING]	= "missing",
};

/* May a read that failed so do better on another leg? */
bool kraid_read_error_is_legs(int error)
{
	return error != -EAGAIN && error != -ENOMEM && error != -EOPNOTSUPP &&
	       error != -EINVAL && error != -ECANCELED;
}

/*
 * Leaves a leg out from now on. Returns false, and does nothing, for the last
 * good one: its errors are the array's. Context: any.
 */
bool kraid_leg_fail(struct kraid_array *array, struct kraid_leg *leg)
{
	bool redundant = array->personality->redundant;
	unsigned long flags;
	bool failed = false, out;

	spin_lock_irqsave(&array->lock, flags);
	if (redundant && leg->state == KRAID_IN_SYNC && array->nr_in_sync > 1) {
		WRITE_ONCE(leg->state, KRAID_FAULTY);
		array->nr_in_sync--;
		failed = true;
	}
	out = leg->state != KRAID_IN_SYNC;
	spin_unlock_irqrestore(&array->lock, flags);

	if (failed) {
		pr_warn("kraid: %s: leg %s failed, %u of %u left\n",
			array->object.kd.dev.name, leg->path,
			array->nr_in_sync, array->nr_legs);
		kblk_disk_changed(&array->object.kd);
	}
	return out;
}
