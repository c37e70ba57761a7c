// SPDX-License-Identifier: GPL-2.0
/* Toy devices and races, see toy.h. */
#include "toy.h"

#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

/* ---- devices ---- */

static void toy_note(struct toy *toy, const struct kiobuf *kb)
{
	struct toy_seen *seen = &toy->log[toy->seen];

	if (toy->seen++ >= TOY_LOG)
		return;
	seen->pos = kb->pos;
	seen->length = kb->length;
	seen->hints = kb->hints;
	seen->ioprio = kb->ioprio;
	seen->flags = kb->flags;
	seen->op = kb->op;
}

static const struct toy_bad *toy_first_bad(const struct toy *toy,
					   const struct kiobuf *kb)
{
	const struct toy_bad *bad, *first = NULL;

	for (bad = toy->bad; bad < toy->bad + TOY_BAD; bad++)
		if (bad->error && bad->pos < kb->pos + kb->length &&
		    bad->pos + bad->length > kb->pos &&
		    (!first || bad->pos < first->pos))
			first = bad;
	return first;
}

static void toy_move(struct toy *toy, struct kiobuf *kb, size_t bytes)
{
	struct iov_iter iter;
	size_t moved;

	kiobuf_to_iter(kb, &iter);
	if (kb->op == KIOBUF_READ)
		moved = copy_to_iter(toy->ram + kb->pos, bytes, &iter);
	else
		moved = copy_from_iter(toy->ram + kb->pos, bytes, &iter);
	WARN_ON(moved != bytes);
}

/* What a bottom has kept: moves the bytes, as far as they are good, and ends it. */
void toy_end(struct kiobuf *kb)
{
	struct toy *toy = toy_of(kb->dev);
	const struct toy_bad *bad = toy_first_bad(toy, kb);
	u64 good = bad ? max(bad->pos, kb->pos) - kb->pos : kb->length;

	if (kb->vec)
		toy_move(toy, kb, good);
	kiobuf_endio(kb, good, bad ? bad->error : 0);
}

/* The one that a bottom has kept longest; false if there is none. */
bool toy_end_next(struct toy *bottom)
{
	struct kiobuf *kb = kiobuf_dequeue(&bottom->held);

	if (kb)
		toy_end(kb);
	return kb;
}

static int toy_bottom_submit(struct kiobuf *kb)
{
	struct toy *toy = toy_of(kb->dev);

	toy_note(toy, kb);
	if (toy->hold)
		return kiobuf_enqueue(&toy->held, kb);
	toy_end(kb);
	return KIOBUF_SUBMITTED;
}

static int toy_cutter_submit(struct kiobuf *kb)
{
	struct toy *toy = toy_of(kb->dev);

	toy_note(toy, kb);
	if (toy->border && kb->pos % toy->border + kb->length > toy->border)
		return KIOBUF_SPLIT;
	kb->dev = toy->lower;
	return KIOBUF_REMAPPED;
}

static struct kiobuf *toy_cutter_next_child(struct kiobuf *parent)
{
	struct toy *toy = toy_of(parent->dev);
	u64 pos = parent->pos + parent->carved;
	struct kiobuf *kb;

	kb = kiobuf_carve(parent, toy->border - pos % toy->border);
	if (!IS_ERR_OR_NULL(kb))
		kb->dev = toy->lower;
	return kb;
}

static const struct kiobuf_dev_ops toy_bottom_ops = {
	.submit		= toy_bottom_submit,
};

static const struct kiobuf_dev_ops toy_cutter_ops = {
	.submit		= toy_cutter_submit,
	.next_child	= toy_cutter_next_child,
};

struct toy *toy_new(const char *name, const struct kiobuf_dev_ops *ops)
{
	struct toy *toy = kvzalloc(sizeof(*toy), GFP_KERNEL);

	if (!toy)
		return NULL;
	kiobuf_queue_init(&toy->held, NULL, NULL);
	if (!kiobuf_dev_register(&toy->dev, name, ops))
		return toy;
	kvfree(toy);
	return NULL;
}

struct toy *toy_bottom(const char *name, u64 size)
{
	struct toy *toy = toy_new(name, &toy_bottom_ops);

	if (!toy)
		return NULL;
	toy->dev.size = size;
	toy->ram = vzalloc(size);
	if (toy->ram)
		return toy;
	toy_free(toy);
	return NULL;
}

struct toy *toy_cutter(const char *name, struct toy *lower, u64 border)
{
	struct toy *toy = toy_new(name, &toy_cutter_ops);

	if (!toy)
		return NULL;
	toy->lower = &lower->dev;
	toy->border = border;
	return toy;
}

void toy_free(struct toy *toy)
{
	kiobuf_dev_unregister(&toy->dev);
	vfree(toy->ram);
	kvfree(toy);
}

/* ---- races ---- */

#define ITEMS 250

struct kio_racers {
	const struct kio_race	*race;
	void			*items;
	int			rounds;
	int			bad;
	atomic_t		met[2];
	int			at[2];
	struct completion	done[2];
};

static void racers_meet(struct kio_racers *r, int side)
{
	int here = atomic_inc_return(&r->met[side]);

	while (atomic_read_acquire(&r->met[!side]) < here)
		cond_resched();
}

/*
 * Waits for the other, but not for long: its processor may be a guest's, and not run.
 * Every pair of delays comes up, so that a race is won and lost.
 */
static void racers_near(struct kio_racers *r, int side, int round)
{
	int turns = (side ? round / 8 : round) % 8;
	int tries = 100;

	WRITE_ONCE(r->at[side], round);
	while (READ_ONCE(r->at[!side]) < round && tries--)
		cpu_relax();
	while (turns--)
		cpu_relax();
}

static void racers_batch(struct kio_racers *r, int side, int first)
{
	const struct kio_race *race = r->race;
	int i;

	for (i = 0; i < ITEMS && !side; i++)
		race->set_up(r->items + i * race->size, first + i);
	racers_meet(r, side);
	for (i = 0; i < ITEMS; i++) {
		racers_near(r, side, first + i);
		race->side[side](r->items + i * race->size, first + i);
	}
	racers_meet(r, side);
	for (i = 0; i < ITEMS && !side; i++)
		r->bad += race->check(r->items + i * race->size, first + i);
}

static void racers_run(struct kio_racers *r, int side)
{
	int round;

	for (round = 0; round < r->rounds; round += ITEMS)
		racers_batch(r, side, round);
	kthread_complete_and_exit(&r->done[side], 0);
}

static int racer_first(void *arg)
{
	racers_run(arg, 0);
	return 0;
}

static int racer_second(void *arg)
{
	racers_run(arg, 1);
	return 0;
}

static void racers_start(struct task_struct *first, struct task_struct *second)
{
	int cpu = cpumask_first(cpu_online_mask);
	int next = cpumask_next(cpu, cpu_online_mask);

	kthread_bind(first, cpu);
	kthread_bind(second, next < nr_cpu_ids ? next : cpu);
	wake_up_process(first);
	wake_up_process(second);
}

/* Wakes up now and then, which is not to be taken for a hang. */
static void racers_wait(struct completion *done)
{
	while (!wait_for_completion_timeout(done, 10 * HZ))
		;
}

static int racers_go(struct kio_racers *r)
{
	struct task_struct *first, *second;

	first = kthread_create(racer_first, r, "kio_racer0");
	if (IS_ERR(first))
		return PTR_ERR(first);
	second = kthread_create(racer_second, r, "kio_racer1");
	if (IS_ERR(second)) {
		kthread_stop(first);
		return PTR_ERR(second);
	}
	racers_start(first, second);
	racers_wait(&r->done[0]);
	racers_wait(&r->done[1]);
	return r->bad;
}

int kio_race_run(const struct kio_race *race, int rounds)
{
	struct kio_racers r = { .race = race, .rounds = rounds };
	int ret = -ENOMEM;

	init_completion(&r.done[0]);
	init_completion(&r.done[1]);
	r.items = kvcalloc(ITEMS, race->size, GFP_KERNEL);
	if (r.items)
		ret = racers_go(&r);
	kvfree(r.items);
	return ret;
}

/* ---- a partner ---- */

static int partner_thread(void *arg)
{
	struct kio_partner *partner = arg;
	int turns = 0;

	while (!kthread_should_stop()) {
		if (atomic_read_acquire(&partner->asked) == turns) {
			cond_resched();
			continue;
		}
		partner->turn(partner->arg);
		atomic_set_release(&partner->done, ++turns);
	}
	return 0;
}

bool kio_partner_start(struct kio_partner *partner, void (*turn)(void *arg),
		       void *arg)
{
	partner->turn = turn;
	partner->arg = arg;
	atomic_set(&partner->asked, 0);
	atomic_set(&partner->done, 0);
	partner->task = kthread_run(partner_thread, partner, "kio_partner");
	return !IS_ERR(partner->task);
}

void kio_partner_ask(struct kio_partner *partner)
{
	atomic_inc_return_release(&partner->asked);
}

void kio_partner_wait(struct kio_partner *partner)
{
	while (atomic_read_acquire(&partner->done) !=
	       atomic_read(&partner->asked))
		cond_resched();
}

void kio_partner_stop(struct kio_partner *partner)
{
	kthread_stop(partner->task);
}
