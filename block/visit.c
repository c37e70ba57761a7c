// SPDX-License-Identifier: GPL-2.0
/*
 * I/O from within ->submit() that is started at once.
 *
 * The block layer starts what a driver submits from its ->submit_bio() when that returns,
 * so that stacks of drivers do not nest. A driver that has to see the end of its I/O to go
 * on would have to hand over to a worker each time. Instead it may visit what is below:
 * then I/O is started as if a system call had submitted it, and if it ends meanwhile the
 * driver goes on in the same task.
 */
#include <linux/bio.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sched/task_stack.h>

#include <linux/kblk.h>

/* Left for all that is visited: half of what a task has. */
#define VISIT_STACK (THREAD_SIZE / 2)

static unsigned long visit_stack_left(void)
{
	return (unsigned long)__builtin_frame_address(0) -
	       (unsigned long)end_of_stack(current);
}

/* What is on the list starts when we return: nobody may wait for it before. */
static bool visit_owes_bios(void)
{
	const struct bio_list *list = current->bio_list;

	return list && !(bio_list_empty(&list[0]) && bio_list_empty(&list[1]));
}

/**
 * kblk_visit_begin() - have I/O started at once
 * @visit: what this task is in the middle of
 *
 * Visits nest as long as there is stack. What is allocated meanwhile is with GFP_NOIO.
 * Context: process, ->submit().
 * Return: false if that cannot be, since bios of this task wait to be started or there is
 * too little stack: hand over to a worker. Else kblk_visit_end() is owed.
 */
bool kblk_visit_begin(struct kblk_visit *visit)
{
	if (visit_owes_bios() || visit_stack_left() < VISIT_STACK)
		return false;
	visit->noio = memalloc_noio_save();
	visit->bio_list = current->bio_list;
	current->bio_list = NULL;
	return true;
}
EXPORT_SYMBOL_GPL(kblk_visit_begin);

/**
 * kblk_visit_end() - go on as before
 * @visit: as kblk_visit_begin() left it
 *
 * Context: as kblk_visit_begin(), in the same task.
 */
void kblk_visit_end(const struct kblk_visit *visit)
{
	current->bio_list = visit->bio_list;
	memalloc_noio_restore(visit->noio);
}
EXPORT_SYMBOL_GPL(kblk_visit_end);
