// SPDX-License-Identifier: GPL-2.0
/*
 * Entering a file system from ->submit(), in a task that may be in the midst of
 * another file system, of memory reclaim, or of a bio of its own.
 */
#include <linux/bio.h>
#include <linux/sched/mm.h>
#include <linux/sched/task_stack.h>

#include "kloop.h"

/* Left for the file system and all below it: half of what a task has. */
#define KLOOP_STACK_NEEDED (THREAD_SIZE / 2)

static unsigned long kloop_stack_left(void)
{
	return (unsigned long)__builtin_frame_address(0) -
	       (unsigned long)end_of_stack(current);
}

/* What is on the list starts when we return: nobody may wait for it before. */
static bool kloop_owes_bios(void)
{
	const struct bio_list *list = current->bio_list;

	return list && !(bio_list_empty(&list[0]) && bio_list_empty(&list[1]));
}

/*
 * Can the file system be called from this task?
 *
 * Not by reclaim, which may hold the locks of the very file system; not in another's
 * transaction, which ours would take for its own; not while bios of this task wait
 * to be started; not on a stack half used. A task that already visits one has
 * PF_MEMALLOC_NOIO set, so the depth is one; so do our workers, whose carriers
 * hand over to workers of their own.
 */
bool kloop_may_enter(void)
{
	const unsigned int busy = PF_MEMALLOC | PF_MEMALLOC_NOFS |
				  PF_MEMALLOC_NOIO;

	return !(current->flags & busy) && !current->journal_info &&
	       !kloop_owes_bios() && kloop_stack_left() >= KLOOP_STACK_NEEDED;
}

/* What the file system submits is started at once, as from a system call. */
void kloop_enter(struct kloop_visit *visit)
{
	visit->noio = memalloc_noio_save();
	visit->bio_list = current->bio_list;
	current->bio_list = NULL;
}

void kloop_leave(const struct kloop_visit *visit)
{
	current->bio_list = visit->bio_list;
	memalloc_noio_restore(visit->noio);
}
