// SPDX-License-Identifier: GPL-2.0
/* Events, and compounds of them: see <linux/kiobuf_wait.h>. */
#include <linux/kiobuf_wait.h>
#include <linux/module.h>
#include <linux/sched.h>

#include "internal.h"

/**
 * kiobuf_event_init() - set up an event that has not happened
 * @event: memory of the event
 *
 * Context: any.
 */
void kiobuf_event_init(struct kiobuf_event *event)
{
	init_waitqueue_head(&event->wait);
	event->happened = false;
	event->depth = 0;
}
EXPORT_SYMBOL_GPL(kiobuf_event_init);

/**
 * kiobuf_event_happen() - it has happened
 * @event: the event; a second time is no time
 *
 * Context: any, irq too; from a wait queue function also.
 */
void kiobuf_event_happen(struct kiobuf_event *event)
{
	unsigned long flags;

	/* What a compound waits for is always of less depth than itself. */
	spin_lock_irqsave_nested(&event->wait.lock, flags, event->depth);
	/* Pairs with kiobuf_event_wait(). */
	smp_store_release(&event->happened, true);
	wake_up_all_locked(&event->wait);
	spin_unlock_irqrestore(&event->wait.lock, flags);
}
EXPORT_SYMBOL_GPL(kiobuf_event_happen);

/**
 * kiobuf_event_wait() - sleep until an event has happened
 * @event: the event, which the caller may free afterwards
 *
 * Context: process, sleeps.
 */
void kiobuf_event_wait(struct kiobuf_event *event)
{
	/* Pairs with kiobuf_event_happen(). */
	wait_event(event->wait, smp_load_acquire(&event->happened));
	/* Who made it happen has let go of it once we have had the lock. */
	spin_lock_irq(&event->wait.lock);
	spin_unlock_irq(&event->wait.lock);
}
EXPORT_SYMBOL_GPL(kiobuf_event_wait);

static void kiobuf_alarm_ring(struct timer_list *timer)
{
	struct kiobuf_alarm *alarm = container_of(timer, struct kiobuf_alarm,
						  timer);

	kiobuf_event_happen(&alarm->event);
}

/**
 * kiobuf_alarm_start() - have an event happen after a time
 * @alarm: memory of the alarm
 * @timeout: jiffies
 *
 * To be stopped by kiobuf_alarm_stop(), whether it has happened or not.
 * Context: any.
 */
void kiobuf_alarm_start(struct kiobuf_alarm *alarm, unsigned long timeout)
{
	kiobuf_event_init(&alarm->event);
	timer_setup(&alarm->timer, kiobuf_alarm_ring, 0);
	mod_timer(&alarm->timer, jiffies + timeout);
}
EXPORT_SYMBOL_GPL(kiobuf_alarm_start);

/**
 * kiobuf_alarm_stop() - it will not happen any more, if it has not yet
 * @alarm: alarm that was started, and is no member of a compound any more
 *
 * Context: process, sleeps.
 */
void kiobuf_alarm_stop(struct kiobuf_alarm *alarm)
{
	kio_timer_delete_sync(&alarm->timer);
}
EXPORT_SYMBOL_GPL(kiobuf_alarm_stop);

/* ---- compounds ---- */

/**
 * kiobuf_compound_init() - set up a compound without members
 * @compound: memory of the compound
 * @need: how many members must happen: 1 for any, their number for all;
 *	with 0 it has happened
 *
 * Context: any.
 */
void kiobuf_compound_init(struct kiobuf_compound *compound, int need)
{
	kiobuf_event_init(&compound->event);
	compound->event.happened = need <= 0;
	atomic_set(&compound->missing, need);
	INIT_LIST_HEAD(&compound->members);
}
EXPORT_SYMBOL_GPL(kiobuf_compound_init);

static void kiobuf_member_happen(struct kiobuf_member *member)
{
	struct kiobuf_compound *compound = member->compound;

	WRITE_ONCE(member->happened, true);
	/* More than it needs may happen: only one step leads to 0. */
	if (atomic_dec_and_test(&compound->missing))
		kiobuf_event_happen(&compound->event);
}

static int kiobuf_member_wake(struct wait_queue_entry *entry, unsigned int mode,
			      int flags, void *key)
{
	struct kiobuf_member *member = container_of(entry, struct kiobuf_member,
						    entry);

	list_del_init(&entry->entry);
	kiobuf_member_happen(member);
	return 0;
}

static void kiobuf_member_init(struct kiobuf_member *member,
			       struct kiobuf_compound *compound,
			       wait_queue_head_t *head)
{
	init_waitqueue_func_entry(&member->entry, kiobuf_member_wake);
	INIT_LIST_HEAD(&member->entry.entry);
	member->head = head;
	member->compound = compound;
	member->happened = false;
	list_add_tail(&member->list, &compound->members);
}

/**
 * kiobuf_compound_add() - make the end of a header a member
 * @compound: the compound
 * @member: in the caller's memory until kiobuf_compound_exit()
 * @kb: header as for kiobuf_wait(), which stays until then
 *
 * One that has ended already counts at once. Context: any.
 */
void kiobuf_compound_add(struct kiobuf_compound *compound,
			 struct kiobuf_member *member, struct kiobuf *kb)
{
	kiobuf_member_init(member, compound, &kb->wait);
	if (!kiobuf_add_waiter(kb, &member->entry))
		kiobuf_member_happen(member);
}
EXPORT_SYMBOL_GPL(kiobuf_compound_add);

/**
 * kiobuf_compound_add_event() - make an event a member
 * @compound: the compound; before it is itself made a member of another
 * @member: in the caller's memory until kiobuf_compound_exit()
 * @event: stays until then; of a compound: &other->event
 *
 * One that has happened already counts at once. Context: any.
 * Return: 0, or -EMLINK if compounds would lie too deep in each other.
 */
int kiobuf_compound_add_event(struct kiobuf_compound *compound,
			      struct kiobuf_member *member,
			      struct kiobuf_event *event)
{
	unsigned long flags;
	bool happened;

	if (event->depth == KIOBUF_EVENT_MAX_DEPTH)
		return -EMLINK;
	compound->event.depth = max_t(u8, compound->event.depth,
				      event->depth + 1);
	kiobuf_member_init(member, compound, &event->wait);
	spin_lock_irqsave(&event->wait.lock, flags);
	happened = event->happened;
	if (!happened)
		__add_wait_queue_entry_tail(&event->wait, &member->entry);
	spin_unlock_irqrestore(&event->wait.lock, flags);
	if (happened)
		kiobuf_member_happen(member);
	return 0;
}
EXPORT_SYMBOL_GPL(kiobuf_compound_add_event);

/**
 * kiobuf_compound_exit() - let go of all members
 * @compound: compound that nobody waits for any more
 *
 * Afterwards nothing of it is touched; members that have not happened go on without
 * it. Context: any.
 */
void kiobuf_compound_exit(struct kiobuf_compound *compound)
{
	struct kiobuf_member *member, *next;
	unsigned long flags;

	list_for_each_entry_safe(member, next, &compound->members, list) {
		/* Having had the lock, its function has run or will not. */
		spin_lock_irqsave(&member->head->lock, flags);
		list_del_init(&member->entry.entry);
		spin_unlock_irqrestore(&member->head->lock, flags);
		list_del_init(&member->list);
	}
}
EXPORT_SYMBOL_GPL(kiobuf_compound_exit);
