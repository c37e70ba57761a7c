// SPDX-License-Identifier: GPL-2.0
/*
 * The kind `flakey`: faults on purpose, by rule. See Documentation/filter.rst.
 *
 * A request that meets no rule is passed on. What a rule does to one is decided once,
 * on its way down, and kept in a struct flakey_case, whose frame sees the request
 * again; so rules may come and go meanwhile. What waits, waits in its rule's queue,
 * where a cancel finds it.
 */
#include <linux/math.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "filter.h"
#include "flakey.h"

#define FLAKEY_CASE_RESERVE 16

/**
 * struct flakey_case - what is done to a request
 * @frame: lies on it
 * @flakey: whose reserve this goes back to
 * @action: what is done
 * @from: first byte of the window that it is done to
 * @to: end of the range, exclusive
 * @error: negative errno
 */
struct flakey_case {
	struct kiobuf_frame	frame;
	struct flakey		*flakey;
	enum flakey_action	action;
	u64			from;
	u64			to;
	int			error;
};

static struct flakey *flakey_of(struct kiobuf_dev *dev)
{
	return kfilter_of(dev)->data;
}

/* With a rescuer: what is delayed may be what frees memory. */
static struct workqueue_struct *flakey_wq(struct flakey *flakey)
{
	return flakey->filter->object.kd.dev.wq;
}

static void flakey_invert(u8 *bytes, size_t length)
{
	while (length--)
		*bytes++ ^= 0xff;
}

/* ---- on the way up ---- */

static enum kiobuf_climb flakey_endio(struct kiobuf *kb,
				      const struct kiobuf_frame *frame)
{
	struct flakey_case *c = container_of(frame, struct flakey_case, frame);

	if (c->action == FLAKEY_SHORT)
		kiobuf_fail(kb, c->from, c->error);
	else if (c->action == FLAKEY_CORRUPT && kb->op == KIOBUF_READ)
		kfilter_alter(kb, c->from, c->to, flakey_invert);
	mempool_free(c, &c->flakey->cases);
	return KIOBUF_CLIMB;
}

/* ---- on the way down ---- */

/* The first rule that is due, all those before it having counted the request. */
static struct flakey_rule *flakey_judge(struct flakey *flakey,
					const struct kiobuf *kb)
{
	struct flakey_rule *rule;

	lockdep_assert_held(&flakey->lock);
	list_for_each_entry(rule, &flakey->rules, list) {
		if (!flakey_meets(rule, kb))
			continue;
		rule->met++;
		if (!flakey_due(rule))
			continue;
		rule->acted++;
		return rule;
	}
	return NULL;
}

/* At least what was asked for: the jiffy that runs is not a whole one. */
static unsigned long flakey_delay(const struct flakey_rule *rule)
{
	return msecs_to_jiffies(rule->arg) + 1;
}

static int flakey_park(struct flakey_rule *rule, struct kiobuf *kb)
{
	int ret = kiobuf_enqueue(&rule->waiting, kb);

	if (!ret && rule->action == FLAKEY_DELAY)
		queue_delayed_work(flakey_wq(rule->flakey), &rule->timer,
				   flakey_delay(rule));
	return ret;
}

static void flakey_fill_case(struct flakey_case *c,
			     const struct flakey_rule *rule,
			     const struct kiobuf *kb)
{
	u64 end = kb->pos + kb->length;

	c->action = rule->action;
	if (rule->action == FLAKEY_SHORT) {
		c->from = rule->arg;
		c->to = round_up(rule->arg, rule->flakey->block);
		c->error = -EIO;
		return;
	}
	/* What lies below takes whole blocks only, and the request is of those. */
	c->from = round_down(max(rule->start, kb->pos) - kb->pos,
			     rule->flakey->block);
	c->to = round_up(min(rule->end, end) - kb->pos, rule->flakey->block);
	c->to = min(c->to, kb->length);
	c->error = -(int)rule->arg;
}

/* Is nothing of it carried out? */
static bool flakey_fails_whole(const struct flakey_case *c,
			       const struct kiobuf *kb)
{
	if (c->action == FLAKEY_SHORT)
		return !c->from;
	return c->action == FLAKEY_ERROR &&
	       (kb->op == KIOBUF_FLUSH || (!c->from && c->to == kb->length));
}

static bool flakey_splits(const struct flakey_case *c, const struct kiobuf *kb)
{
	if (c->action == FLAKEY_SHORT)
		return c->to < kb->length;
	return c->action == FLAKEY_ERROR || kb->op == KIOBUF_WRITE;
}

static int flakey_act(struct flakey_case *c, struct kiobuf *kb)
{
	struct flakey *flakey = c->flakey;
	int error = c->error;

	if (flakey_fails_whole(c, kb)) {
		mempool_free(c, &flakey->cases);
		return error;
	}
	c->frame.endio = flakey_endio;
	c->frame.task = false;
	kiobuf_intercept(kb, &c->frame);
	return flakey_splits(c, kb) ? KIOBUF_SPLIT :
				      kfilter_pass(kb, flakey->filter);
}

static bool flakey_meets_any(struct flakey *flakey, const struct kiobuf *kb)
{
	struct flakey_rule *rule;

	lockdep_assert_held(&flakey->lock);
	list_for_each_entry(rule, &flakey->rules, list)
		if (flakey_meets(rule, kb))
			return true;
	return false;
}

/* Without memory to remember it by: nothing has been counted yet. */
static int flakey_starve(struct flakey *flakey, struct kiobuf *kb)
{
	int ret;

	if (kb->flags & KIOBUF_NOWAIT)
		return -EAGAIN;
	ret = kiobuf_enqueue(&flakey->starved, kb);
	if (!ret)
		queue_delayed_work(flakey_wq(flakey), &flakey->retry, 1);
	return ret;
}

static void flakey_retry(struct work_struct *work)
{
	struct flakey *flakey = container_of(to_delayed_work(work),
					     struct flakey, retry);
	struct kiobuf *kb;

	while ((kb = kiobuf_dequeue_ripe(&flakey->starved, 1)))
		kiobuf_defer(kb, kb->dev);
	if (READ_ONCE(flakey->starved.nr))
		mod_delayed_work(flakey_wq(flakey), &flakey->retry, 1);
}

/* What a rule made of a request, by what is left to be done with it. */
enum flakey_lot {
	FLAKEY_PASSES,
	FLAKEY_WAITS,		/* or not, with an errno */
	FLAKEY_SUFFERS,
};

static enum flakey_lot flakey_decide(struct flakey *flakey, struct kiobuf *kb,
				     struct flakey_case **c, int *ret)
{
	struct flakey_rule *rule;

	lockdep_assert_held(&flakey->lock);
	if (!flakey_meets_any(flakey, kb))
		return FLAKEY_PASSES;
	*c = mempool_alloc(&flakey->cases, GFP_NOWAIT | __GFP_NOWARN);
	if (!*c) {
		*ret = flakey_starve(flakey, kb);
		return FLAKEY_WAITS;
	}
	(*c)->flakey = flakey;
	rule = flakey_judge(flakey, kb);
	if (!rule)
		return FLAKEY_PASSES;
	if (rule->action == FLAKEY_HOLD || rule->action == FLAKEY_DELAY) {
		*ret = flakey_park(rule, kb);
		return FLAKEY_WAITS;
	}
	flakey_fill_case(*c, rule, kb);
	return FLAKEY_SUFFERS;
}

static noinline int flakey_submit_ruled(struct kiobuf *kb,
					struct flakey *flakey)
{
	struct flakey_case *c = NULL;
	enum flakey_lot lot;
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&flakey->lock, flags);
	lot = flakey_decide(flakey, kb, &c, &ret);
	spin_unlock_irqrestore(&flakey->lock, flags);

	if (lot == FLAKEY_SUFFERS)
		return flakey_act(c, kb);
	if (c)
		mempool_free(c, &flakey->cases);
	return lot == FLAKEY_WAITS ? ret : kfilter_pass(kb, flakey->filter);
}

static int flakey_submit(struct kiobuf *kb)
{
	struct kfilter *filter = kfilter_of(kb->dev);
	struct flakey *flakey = filter->data;

	if (unlikely(READ_ONCE(flakey->armed)))
		return flakey_submit_ruled(kb, flakey);
	return kfilter_pass(kb, filter);
}

/* Up to the range, the range, what is behind it. */
static struct kiobuf *flakey_carve(struct kiobuf *parent,
				   const struct flakey_case *c)
{
	u64 at = parent->carved;

	if (c->action == FLAKEY_SHORT)
		return at < c->to ? kiobuf_carve(parent, c->to - at) : NULL;
	if (at < c->from)
		return kiobuf_carve(parent, c->from - at);
	if (at >= c->to)
		return kiobuf_carve(parent, U64_MAX);
	if (c->action == FLAKEY_CORRUPT)
		return kfilter_carve_copy(parent, c->to - at, flakey_invert);
	return kiobuf_carve(parent, c->to - at);
}

static bool flakey_is_bad(const struct flakey_case *c, const struct kiobuf *kb)
{
	return c->action == FLAKEY_ERROR && kb->offset == c->from &&
	       c->from < c->to;
}

static struct kiobuf *flakey_next_child(struct kiobuf *parent)
{
	/* Pushed when the split was asked for, and nothing after it. */
	const struct flakey_case *c = container_of(parent->frames,
						   struct flakey_case, frame);
	struct kiobuf *kb;

	for (;;) {
		kb = flakey_carve(parent, c);
		if (IS_ERR_OR_NULL(kb))
			return kb;
		if (!flakey_is_bad(c, kb))
			break;
		kiobuf_endio(kb, 0, c->error);
	}
	kb->dev = c->flakey->filter->lower;
	return kb;
}

/* ---- waiting ---- */

/* The device's worker takes it on, so that none of it runs on our stack. */
static void flakey_go_on(struct flakey *flakey, struct kiobuf *kb)
{
	struct kiobuf_dev *dev = kb->dev;

	kb->dev = flakey->filter->lower;
	kiobuf_defer(kb, dev);
}

static void flakey_let_go(struct flakey_rule *rule)
{
	struct kiobuf *kb;

	while ((kb = kiobuf_dequeue(&rule->waiting)))
		flakey_go_on(rule->flakey, kb);
}

static void flakey_tick(struct work_struct *work)
{
	struct flakey_rule *rule = container_of(to_delayed_work(work),
						struct flakey_rule, timer);
	struct kiobuf *kb;

	while ((kb = kiobuf_dequeue_ripe(&rule->waiting, flakey_delay(rule))))
		flakey_go_on(rule->flakey, kb);
	/* Somebody may have asked for later, for one that came after those here. */
	if (READ_ONCE(rule->waiting.nr))
		mod_delayed_work(flakey_wq(rule->flakey), &rule->timer, 1);
}

/* No rule goes while we look: it would be another's, or none's. */
static bool flakey_cancel(struct kiobuf_dev *dev, struct kiobuf *kb)
{
	struct flakey *flakey = flakey_of(dev);
	struct flakey_rule *rule;
	unsigned long flags;
	bool found;

	spin_lock_irqsave(&flakey->lock, flags);
	found = kiobuf_unqueue(&flakey->starved, kb);
	list_for_each_entry(rule, &flakey->rules, list) {
		if (found)
			break;
		found = kiobuf_unqueue(&rule->waiting, kb);
	}
	spin_unlock_irqrestore(&flakey->lock, flags);
	return found;
}

static const struct kiobuf_dev_ops flakey_ops = {
	.submit		= flakey_submit,
	.next_child	= flakey_next_child,
	.cancel		= flakey_cancel,
};

/* ---- rules ---- */

/* Nothing meets them any more. */
static void flakey_free_rules(struct list_head *rules)
{
	struct flakey_rule *rule, *next;

	list_for_each_entry_safe(rule, next, rules, list) {
		cancel_delayed_work_sync(&rule->timer);
		flakey_let_go(rule);
		kfree(rule);
	}
	INIT_LIST_HEAD(rules);
}

static int flakey_take_line(struct flakey *flakey, char *line,
			    struct list_head *fresh, bool *clear)
{
	struct flakey_rule *rule;

	line = strim(line);
	if (!*line || *line == '#')
		return 0;
	if (!strcmp(line, "clear")) {
		flakey_free_rules(fresh);
		*clear = true;
		return 0;
	}
	rule = flakey_parse_rule(&flakey->filter->object, line);
	if (IS_ERR(rule))
		return PTR_ERR(rule);
	rule->flakey = flakey;
	kiobuf_queue_init(&rule->waiting, NULL, NULL);
	INIT_DELAYED_WORK(&rule->timer, flakey_tick);
	list_add_tail(&rule->list, fresh);
	return 0;
}

static void flakey_swap_rules(struct flakey *flakey, struct list_head *fresh,
			      bool clear, unsigned int nr)
{
	LIST_HEAD(gone);

	spin_lock_irq(&flakey->lock);
	if (clear)
		list_splice_init(&flakey->rules, &gone);
	list_splice_tail_init(fresh, &flakey->rules);
	flakey->nr = nr;
	if (flakey->filter->object.enabled)
		WRITE_ONCE(flakey->armed, nr);
	spin_unlock_irq(&flakey->lock);
	flakey_free_rules(&gone);
}

static int flakey_set_rules(struct kfilter *filter, char *text)
{
	struct flakey *flakey = filter->data;
	bool clear = false;
	LIST_HEAD(fresh);
	size_t nr;
	char *line;
	int ret = 0;

	while (!ret && (line = strsep(&text, "\n")))
		ret = flakey_take_line(flakey, line, &fresh, &clear);
	nr = list_count_nodes(&fresh) + (clear ? 0 : flakey->nr);
	if (!ret && nr > FLAKEY_MAX_RULES)
		ret = kblk_refuse(&filter->object, -ENOSPC,
				  "There would be %zu rules: %d is the most.",
				  nr, FLAKEY_MAX_RULES);
	if (ret)
		flakey_free_rules(&fresh);
	else
		flakey_swap_rules(flakey, &fresh, clear, nr);
	return ret;
}

/* object.lock keeps the list as it is; only the numbers change. */
static ssize_t flakey_show_rules(struct kfilter *filter, char *page)
{
	struct flakey *flakey = filter->data;
	struct flakey_rule *rule;
	unsigned int left = flakey->nr;
	ssize_t len = 0;
	char line[160];

	list_for_each_entry(rule, &flakey->rules, list) {
		flakey_print_rule(rule, line, sizeof(line));
		if (len + strlen(line) > PAGE_SIZE - 32)
			return len + sysfs_emit_at(page, len,
						   "# %u more rules\n", left);
		len += sysfs_emit_at(page, len, "%s", line);
		left--;
	}
	return len;
}

static ssize_t flakey_show_state(struct kfilter *filter, char *page)
{
	struct flakey *flakey = filter->data;
	struct flakey_rule *rule;
	unsigned int i = 0;
	ssize_t len = 0;

	spin_lock_irq(&flakey->lock);
	list_for_each_entry(rule, &flakey->rules, list) {
		if (len > PAGE_SIZE - 96) {
			len += sysfs_emit_at(page, len, "# %u more rules\n",
					     flakey->nr - i);
			break;
		}
		len += sysfs_emit_at(page, len, "%u %llu %llu %u\n", i++,
				     rule->met, rule->acted,
				     READ_ONCE(rule->waiting.nr));
	}
	spin_unlock_irq(&flakey->lock);
	return len;
}

static void flakey_release(struct kfilter *filter)
{
	struct flakey *flakey = filter->data;
	struct flakey_rule *rule;

	spin_lock_irq(&flakey->lock);
	list_for_each_entry(rule, &flakey->rules, list)
		flakey_let_go(rule);
	spin_unlock_irq(&flakey->lock);
}

/* ---- life ---- */

static int flakey_init(struct kfilter *filter)
{
	struct flakey *flakey = filter->data;

	flakey->filter = filter;
	spin_lock_init(&flakey->lock);
	INIT_LIST_HEAD(&flakey->rules);
	kiobuf_queue_init(&flakey->starved, NULL, NULL);
	INIT_DELAYED_WORK(&flakey->retry, flakey_retry);
	return mempool_init_kmalloc_pool(&flakey->cases, FLAKEY_CASE_RESERVE,
					 sizeof(struct flakey_case));
}

static void flakey_exit(struct kfilter *filter)
{
	struct flakey *flakey = filter->data;

	flakey_free_rules(&flakey->rules);
	cancel_delayed_work_sync(&flakey->retry);
	mempool_exit(&flakey->cases);
}

static int flakey_start(struct kfilter *filter, struct kblk_shape *shape)
{
	struct flakey *flakey = filter->data;

	flakey->block = kblk_lower_block_size(filter->claim);
	return 0;
}

static void flakey_ready(struct kfilter *filter)
{
	struct flakey *flakey = filter->data;

	WRITE_ONCE(flakey->armed, flakey->nr);
}

static void flakey_stop(struct kfilter *filter)
{
	struct flakey *flakey = filter->data;

	WRITE_ONCE(flakey->armed, 0);
}

struct kfilter_kind flakey_kind = {
	.name		= "flakey",
	.owner		= THIS_MODULE,
	.ops		= &flakey_ops,
	.data_size	= sizeof(struct flakey),
	.init		= flakey_init,
	.exit		= flakey_exit,
	.start		= flakey_start,
	.ready		= flakey_ready,
	.stop		= flakey_stop,
	.set_rules	= flakey_set_rules,
	.show_rules	= flakey_show_rules,
	.show_state	= flakey_show_state,
	.release	= flakey_release,
};
