/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Waiting for more than one thing, and going on without a thread
 *
 * Event:    something that happens once: a timer, a doorbell, anything that is no I/O.
 * Compound: an event that happens when so many of its members have: headers, events,
 *	     other compounds. Any of them, or all.
 * Steps:    functions on a stack, run one after the other by a worker, each when a
 *	     header has ended; no thread sleeps in between.
 *
 * All of it is built of wait queue entries with a function, which a caller may
 * use directly: kiobuf_add_waiter().
 *
 *	struct kiobuf_compound any;
 *	struct kiobuf_alarm alarm;
 *	struct kiobuf_member on[3];
 *
 *	kiobuf_compound_init(&any, 1);			(any of three)
 *	kiobuf_alarm_start(&alarm, 5 * HZ);
 *	kiobuf_compound_add(&any, &on[0], kb);
 *	kiobuf_compound_add(&any, &on[1], other);
 *	kiobuf_compound_add_event(&any, &on[2], &alarm.event);
 *	kiobuf_event_wait(&any.event);
 *	if (!on[0].happened && !on[1].happened)
 *		kiobuf_cancel(kb, -ETIMEDOUT);
 *	kiobuf_compound_exit(&any);
 *	kiobuf_alarm_stop(&alarm);
 */
#ifndef _LINUX_KIOBUF_WAIT_H
#define _LINUX_KIOBUF_WAIT_H

#include <linux/kiobuf.h>
#include <linux/timer.h>

/**
 * struct kiobuf_event - something that happens once
 * @wait: who waits for it
 * @happened: it has; guarded by @wait.lock
 * @depth: how many compounds lie below it
 */
struct kiobuf_event {
	wait_queue_head_t	wait;
	bool			happened;
	u8			depth;
};

#define KIOBUF_EVENT_MAX_DEPTH 7

/**
 * struct kiobuf_alarm - an event that happens at a time
 * @event: the event
 * @timer: makes it happen
 */
struct kiobuf_alarm {
	struct kiobuf_event	event;
	struct timer_list	timer;
};

/**
 * struct kiobuf_compound - an event made of others
 * @event: happens when @missing comes to 0
 * @missing: how many of the members have yet to happen
 * @members: struct kiobuf_member of all; the caller adds and removes them
 */
struct kiobuf_compound {
	struct kiobuf_event	event;
	atomic_t		missing;
	struct list_head	members;
};

/**
 * struct kiobuf_member - what ties a compound to one of its members
 * @entry: in the member's wait queue
 * @head: that queue
 * @list: in compound->members
 * @compound: whose it is
 * @happened: the member has
 */
struct kiobuf_member {
	struct wait_queue_entry	entry;
	wait_queue_head_t	*head;
	struct list_head	list;
	struct kiobuf_compound	*compound;
	bool			happened;
};

/* event.c */
void kiobuf_event_init(struct kiobuf_event *event);
void kiobuf_event_happen(struct kiobuf_event *event);
void kiobuf_event_wait(struct kiobuf_event *event);
void kiobuf_alarm_start(struct kiobuf_alarm *alarm, unsigned long timeout);
void kiobuf_alarm_stop(struct kiobuf_alarm *alarm);
void kiobuf_compound_init(struct kiobuf_compound *compound, int need);
void kiobuf_compound_add(struct kiobuf_compound *compound,
			 struct kiobuf_member *member, struct kiobuf *kb);
int kiobuf_compound_add_event(struct kiobuf_compound *compound,
			      struct kiobuf_member *member,
			      struct kiobuf_event *event);
void kiobuf_compound_exit(struct kiobuf_compound *compound);

struct kiobuf_steps;

typedef void (*kiobuf_step_fn)(struct kiobuf_steps *steps);

#define KIOBUF_STEPS_MAX 8

/**
 * struct kiobuf_steps - what is left to be done, on top of I/O
 * @work: runs the next step
 * @wq: where
 * @entry: in the wait queue of @kb
 * @kb: header that the next step waits for, NULL for none
 * @depth: steps on the stack
 * @stack: they
 *
 * The caller embeds it, and finds his structure again by container_of(). One
 * step runs at a time.
 */
struct kiobuf_steps {
	struct work_struct	work;
	struct workqueue_struct	*wq;
	struct wait_queue_entry	entry;
	struct kiobuf		*kb;
	unsigned int		depth;
	kiobuf_step_fn		stack[KIOBUF_STEPS_MAX];
};

/* steps.c */
void kiobuf_steps_init(struct kiobuf_steps *steps, struct workqueue_struct *wq);
int kiobuf_steps_push(struct kiobuf_steps *steps, kiobuf_step_fn fn);
void kiobuf_steps_go(struct kiobuf_steps *steps);
void kiobuf_steps_wait(struct kiobuf_steps *steps, struct kiobuf *kb);

#endif /* _LINUX_KIOBUF_WAIT_H */
