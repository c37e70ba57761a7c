/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to the kind `flakey`: faults by rule.
 *
 * Fields of a rule, by what guards them:
 *	C	set before the rule can be met, constant from then on
 *	L	flakey->lock, irq-safe; outside of the queues' own
 */
#ifndef _KFILTER_FLAKEY_H
#define _KFILTER_FLAKEY_H

#include <linux/kfilter.h>
#include <linux/mempool.h>
#include <linux/workqueue.h>

#define FLAKEY_MAX_RULES 1024

enum flakey_action {
	FLAKEY_ERROR,
	FLAKEY_SHORT,
	FLAKEY_DELAY,
	FLAKEY_HOLD,
	FLAKEY_CORRUPT,
	FLAKEY_NR_ACTIONS
};

struct flakey;

/**
 * struct flakey_rule - C: what to do to which requests
 * @list: L: in flakey->rules
 * @flakey: C: whose rule it is
 * @ops: C: a bit for each enum kiobuf_op
 * @action: C: what happens
 * @start: C: first byte
 * @end: C: end of the range, U64_MAX for that of the device
 * @arg: C: errno, bytes or milliseconds
 * @count: C: acts at most so often, 0 for no limit
 * @every: C: acts on each so manieth request that meets it
 * @met: L: requests that met it
 * @acted: L: those that it acted on
 * @waiting: requests delayed or held
 * @timer: passes on what was delayed long enough
 */
struct flakey_rule {
	struct list_head	list;
	struct flakey		*flakey;
	unsigned long		ops;
	enum flakey_action	action;
	u64			start;
	u64			end;
	u64			arg;
	u64			count;
	u64			every;
	u64			met;
	u64			acted;
	struct kiobuf_queue	waiting;
	struct delayed_work	timer;
};

/**
 * struct flakey - filter->data
 * @filter: the filter
 * @lock: guards @rules, and what the rules count
 * @rules: in the order in which they are looked at
 * @nr: of them; guarded by the filter's object.lock
 * @armed: as @nr while the device is up, else 0; read without the lock by requests
 *	that meet none. What comes with bringing it up must not be held: who could
 *	let it go waits for it.
 * @cases: reserve of struct flakey_case
 * @starved: requests for which there is no case
 * @retry: submits them again
 * @block: logical block of the device below, in bytes
 */
struct flakey {
	struct kfilter		*filter;
	spinlock_t		lock;
	struct list_head	rules;
	unsigned int		nr;
	unsigned int		armed;
	mempool_t		cases;
	struct kiobuf_queue	starved;
	struct delayed_work	retry;
	unsigned int		block;
};

/* rules.c: text, and pure decisions */
struct flakey_rule *flakey_parse_rule(struct kblk_object *object, char *line);
int flakey_print_rule(const struct flakey_rule *rule, char *line, size_t size);
bool flakey_meets(const struct flakey_rule *rule, const struct kiobuf *kb);
bool flakey_due(const struct flakey_rule *rule);

#endif /* _KFILTER_FLAKEY_H */
