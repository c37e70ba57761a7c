// SPDX-License-Identifier: GPL-2.0
/* Steps on top of I/O, without a thread that sleeps: see <linux/kiobuf_wait.h>. */
#include <linux/kiobuf_wait.h>
#include <linux/module.h>

#include "internal.h"

static void kiobuf_steps_run(struct work_struct *work)
{
	struct kiobuf_steps *steps = container_of(work, struct kiobuf_steps,
						  work);

	/* Who ended the header lets go of it: the step may free it. */
	if (steps->kb)
		kiobuf_wait(steps->kb);
	steps->kb = NULL;
	if (!WARN_ON(!steps->depth))
		steps->stack[--steps->depth](steps);
}

static int kiobuf_steps_wake(struct wait_queue_entry *entry, unsigned int mode,
			     int flags, void *key)
{
	struct kiobuf_steps *steps = container_of(entry, struct kiobuf_steps,
						  entry);

	list_del_init(&entry->entry);
	queue_work(steps->wq, &steps->work);
	return 0;
}

/**
 * kiobuf_steps_init() - set up an empty stack
 * @steps: memory of the steps
 * @wq: where they run; with WQ_MEM_RECLAIM if anything waits for them to free memory
 *
 * Context: any.
 */
void kiobuf_steps_init(struct kiobuf_steps *steps, struct workqueue_struct *wq)
{
	INIT_WORK(&steps->work, kiobuf_steps_run);
	init_waitqueue_func_entry(&steps->entry, kiobuf_steps_wake);
	steps->wq = wq;
	steps->kb = NULL;
	steps->depth = 0;
}
EXPORT_SYMBOL_GPL(kiobuf_steps_init);

/**
 * kiobuf_steps_push() - say what is to be done next
 * @steps: the steps; none is running, or it is the running one that calls
 * @fn: the step; last pushed, first run
 *
 * Context: any.
 * Return: 0, or -ENOSPC when there is no room on the stack.
 */
int kiobuf_steps_push(struct kiobuf_steps *steps, kiobuf_step_fn fn)
{
	if (steps->depth == KIOBUF_STEPS_MAX)
		return -ENOSPC;
	steps->stack[steps->depth++] = fn;
	return 0;
}
EXPORT_SYMBOL_GPL(kiobuf_steps_push);

/**
 * kiobuf_steps_go() - run the step on top
 * @steps: the steps; the caller is done with them
 *
 * Context: any.
 */
void kiobuf_steps_go(struct kiobuf_steps *steps)
{
	queue_work(steps->wq, &steps->work);
}
EXPORT_SYMBOL_GPL(kiobuf_steps_go);

/**
 * kiobuf_steps_wait() - run the step on top when a header has ended
 * @steps: the steps; the caller is done with them
 * @kb: header as for kiobuf_wait(); the step may free it
 *
 * Nobody sleeps. Context: any.
 */
void kiobuf_steps_wait(struct kiobuf_steps *steps, struct kiobuf *kb)
{
	steps->kb = kb;
	if (!kiobuf_add_waiter(kb, &steps->entry))
		queue_work(steps->wq, &steps->work);
}
EXPORT_SYMBOL_GPL(kiobuf_steps_wait);
