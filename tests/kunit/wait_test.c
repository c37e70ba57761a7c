// SPDX-License-Identifier: GPL-2.0
/* The end of a header: interceptors, callbacks, waiters; steps and compounds. */
#include "toy.h"

#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/kiobuf_wait.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#define RACES 1000000

/* What was called, in order, a letter each. */
static char calls[32];

static void called(char letter)
{
	size_t at = strlen(calls);

	if (at < sizeof(calls) - 1)
		calls[at] = letter;
}

static void forget_calls(void)
{
	memset(calls, 0, sizeof(calls));
}

static void plain_init(struct kiobuf *kb)
{
	kiobuf_init(kb, NULL, KIOBUF_DISCARD, 0, NULL, 4096);
}

/* ---- waiters ---- */

/* Somebody's structure with a function entry in it. */
struct owner {
	int			before;
	struct wait_queue_entry	entry;
	char			letter;
	int			verdict;
};

static int owner_wake(struct wait_queue_entry *entry, unsigned int mode,
		      int flags, void *key)
{
	struct owner *o = container_of(entry, struct owner, entry);

	list_del_init(&entry->entry);
	called(o->letter);
	return o->verdict;
}

static void owner_init(struct owner *o, char letter, int verdict)
{
	init_waitqueue_func_entry(&o->entry, owner_wake);
	INIT_LIST_HEAD(&o->entry.entry);
	o->letter = letter;
	o->verdict = verdict;
}

static void owners_init(struct owner *o, int nr)
{
	forget_calls();
	while (nr--)
		owner_init(&o[nr], 'a' + nr, 0);
}

static void function_entries(struct kunit *test)
{
	struct owner o[4];
	struct kiobuf kb;
	int i;

	plain_init(&kb);
	owners_init(o, 4);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_TRUE(test, kiobuf_add_waiter(&kb, &o[i].entry));
	KUNIT_EXPECT_TRUE(test, kiobuf_remove_waiter(&kb, &o[1].entry));
	KUNIT_EXPECT_FALSE(test, kiobuf_remove_waiter(&kb, &o[1].entry));
	KUNIT_EXPECT_EQ(test, strcmp(calls, ""), 0);
	kiobuf_endio(&kb, 4096, 0);
	KUNIT_EXPECT_EQ(test, strcmp(calls, "ac"), 0);
	KUNIT_EXPECT_FALSE(test, kiobuf_remove_waiter(&kb, &o[0].entry));
	KUNIT_EXPECT_FALSE(test, kiobuf_add_waiter(&kb, &o[3].entry));
	kiobuf_wake(&kb);
	KUNIT_EXPECT_EQ(test, strcmp(calls, "ac"), 0);
}

/* A negative answer ends the walk; the others are called by kiobuf_wake(). */
static void walk_is_ended(struct kunit *test)
{
	struct owner o[4];
	struct kiobuf kb;
	int i;

	plain_init(&kb);
	owners_init(o, 4);
	o[1].verdict = -1;
	o[2].verdict = -1;
	for (i = 0; i < 4; i++)
		kiobuf_add_waiter(&kb, &o[i].entry);
	kiobuf_endio(&kb, 4096, 0);
	KUNIT_EXPECT_EQ(test, strcmp(calls, "ab"), 0);
	KUNIT_EXPECT_TRUE(test, kiobuf_is_done(&kb));
	kiobuf_wake(&kb);
	KUNIT_EXPECT_EQ(test, strcmp(calls, "abc"), 0);
	kiobuf_wake(&kb);
	KUNIT_EXPECT_EQ(test, strcmp(calls, "abcd"), 0);
	kiobuf_wake(&kb);
	KUNIT_EXPECT_EQ(test, strcmp(calls, "abcd"), 0);
}

static void waits_with_timeout(struct kunit *test)
{
	unsigned long start = jiffies;
	struct kiobuf kb;

	plain_init(&kb);
	KUNIT_EXPECT_EQ(test, kiobuf_wait_timeout(&kb, 5), 0);
	KUNIT_EXPECT_TRUE(test, jiffies - start >= 5);
	KUNIT_EXPECT_FALSE(test, kiobuf_is_done(&kb));
	kiobuf_endio(&kb, 7, -EREMOTE);
	KUNIT_EXPECT_TRUE(test, kiobuf_wait_timeout(&kb, 5) >= 1);
	KUNIT_EXPECT_TRUE(test, kiobuf_wait_timeout(&kb, 0) >= 1);
	KUNIT_EXPECT_EQ(test, kb.error, -EREMOTE);
	KUNIT_EXPECT_EQ(test, kb.bytes, 7);
}

/* ---- waiters that race with the end ---- */

struct add_race {
	struct kiobuf		kb;
	struct wait_queue_entry	entry;
	int			calls;
	bool			added;
	bool			bad;
};

static int adds;

static int add_race_wake(struct wait_queue_entry *entry, unsigned int mode,
			 int flags, void *key)
{
	struct add_race *r = container_of(entry, struct add_race, entry);

	list_del_init(&entry->entry);
	r->calls++;
	/* Who is woken sees the result. */
	r->bad |= r->kb.error != -EREMOTE;
	return 0;
}

static void add_race_set_up(void *item, int round)
{
	struct add_race *r = item;

	plain_init(&r->kb);
	init_waitqueue_func_entry(&r->entry, add_race_wake);
	r->calls = 0;
	r->bad = false;
}

static void add_race_add(void *item, int round)
{
	struct add_race *r = item;

	r->added = kiobuf_add_waiter(&r->kb, &r->entry);
	if (!r->added && r->kb.error != -EREMOTE)
		r->bad = true;
}

static void add_race_end(void *item, int round)
{
	struct add_race *r = item;

	kiobuf_endio(&r->kb, 0, -EREMOTE);
}

/* Called once if it was added, else never. */
static int add_race_check(void *item, int round)
{
	struct add_race *r = item;

	adds += r->added;
	return r->bad || r->calls != r->added;
}

static const struct kio_race add_race = {
	.size	= sizeof(struct add_race),
	.set_up	= add_race_set_up,
	.side	= { add_race_add, add_race_end },
	.check	= add_race_check,
};

static void no_wakeup_is_lost(struct kunit *test)
{
	const int rounds = kio_rounds(RACES);

	adds = 0;
	KUNIT_EXPECT_EQ(test, kio_race_run(&add_race, rounds), 0);
	pr_info("    # %d races, %d came in time\n", rounds, adds);
}

/* ---- interceptors ---- */

struct framed {
	struct kiobuf		kb;
	struct kiobuf_frame	frame[2];
};

static void framed_init(struct framed *io)
{
	forget_calls();
	plain_init(&io->kb);
	kiobuf_lend_frames(&io->kb, ARRAY_SIZE(io->frame));
}

static enum kiobuf_climb letter_endio(struct kiobuf *kb,
				      const struct kiobuf_frame *frame)
{
	called(kiobuf_is_done(kb) ? '!' : (char)frame->data);
	/* The position at the time of the push. */
	if (kb->pos != frame->data)
		called('?');
	return KIOBUF_CLIMB;
}

static void letter_intercept(struct kiobuf *kb, struct kiobuf_frame *frame,
			     char letter)
{
	kb->pos = letter;
	frame->endio = letter_endio;
	frame->data = letter;
	frame->task = false;
	kiobuf_intercept(kb, frame);
}

static bool letter_push(struct kiobuf *kb, char letter)
{
	kb->pos = letter;
	return kiobuf_push_frame(kb, letter_endio, letter);
}

static void letter_end_io(struct kiobuf *kb)
{
	called(kiobuf_is_done(kb) ? '!' : 'E');
	kiobuf_done(kb);
}

/* Both kinds, last pushed first; then end_io; then who waits. */
static void order_of_an_end(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/ram", 4096);
	struct kiobuf_frame own[2];
	struct framed io;
	struct owner o[2];

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	framed_init(&io);
	io.kb.dev = &bottom->dev;
	owners_init(o, 2);
	io.kb.end_io = letter_end_io;
	kiobuf_add_waiter(&io.kb, &o[0].entry);
	letter_intercept(&io.kb, &own[0], '1');
	KUNIT_EXPECT_TRUE(test, letter_push(&io.kb, '2'));
	letter_intercept(&io.kb, &own[1], '3');
	KUNIT_EXPECT_TRUE(test, letter_push(&io.kb, '4'));
	KUNIT_EXPECT_FALSE(test, letter_push(&io.kb, '5'));
	kiobuf_add_waiter(&io.kb, &o[1].entry);
	io.kb.pos = 0;
	io.kb.dev = NULL;
	kiobuf_endio(&io.kb, 4096, 0);
	KUNIT_EXPECT_EQ(test, strcmp(calls, "4321Eab"), 0);
	KUNIT_EXPECT_EQ(test, io.kb.spare, 2);
	KUNIT_EXPECT_PTR_EQ(test, io.kb.frames, NULL);
	KUNIT_EXPECT_PTR_EQ(test, io.kb.dev, &bottom->dev);
	toy_free(bottom);
}

static struct owner late[2];

static enum kiobuf_climb adding_endio(struct kiobuf *kb,
				      const struct kiobuf_frame *frame)
{
	called(kiobuf_add_waiter(kb, &late[0].entry) ? 'x' : '!');
	return KIOBUF_CLIMB;
}

static void adding_end_io(struct kiobuf *kb)
{
	called(kiobuf_add_waiter(kb, &late[1].entry) ? 'y' : '!');
	letter_end_io(kb);
}

/* Added while the end is already under way: still called after all layers. */
static void late_waiters(struct kunit *test)
{
	struct kiobuf_frame own;
	struct framed io;
	struct owner o;

	framed_init(&io);
	owners_init(late, 2);
	owner_init(&o, 'c', 0);
	io.kb.end_io = adding_end_io;
	letter_intercept(&io.kb, &own, '1');
	KUNIT_EXPECT_TRUE(test, kiobuf_push_frame(&io.kb, adding_endio, 0));
	kiobuf_endio(&io.kb, 4096, 0);
	KUNIT_EXPECT_EQ(test, strcmp(calls, "x1yEab"), 0);
	KUNIT_EXPECT_FALSE(test, kiobuf_add_waiter(&io.kb, &o.entry));
}

static struct kiobuf *kept;

static enum kiobuf_climb holding_endio(struct kiobuf *kb,
				       const struct kiobuf_frame *frame)
{
	called('h');
	if (!kb->error)
		return KIOBUF_CLIMB;
	kept = kb;
	return KIOBUF_HOLD;
}

static const struct {
	int		again;		/* what comes of the second try */
	const char	*calls;
} holds[] = {
	{ 0, "hh1Ea" }, { -EREMOTE, "h1Ea" },
};

/* A frame keeps a header that failed; what is above sees only the last result. */
static void one_hold(struct kunit *test, int i)
{
	struct kiobuf_frame own;
	struct framed io;
	struct owner o;

	framed_init(&io);
	owners_init(&o, 1);
	io.kb.end_io = letter_end_io;
	kiobuf_add_waiter(&io.kb, &o.entry);
	letter_intercept(&io.kb, &own, '1');
	KUNIT_EXPECT_TRUE(test, kiobuf_push_frame(&io.kb, holding_endio, 0));
	kept = NULL;
	kiobuf_endio(&io.kb, 100, -EIO);
	KUNIT_EXPECT_PTR_EQ(test, kept, &io.kb);
	KUNIT_EXPECT_EQ(test, strcmp(calls, "h"), 0);
	KUNIT_EXPECT_EQ(test, kiobuf_wait_timeout(&io.kb, 2), 0);
	kiobuf_restart(&io.kb);
	if (!holds[i].again)	/* it wants to see the second try too */
		kiobuf_push_frame(&io.kb, holding_endio, 0);
	kiobuf_endio(&io.kb, holds[i].again ? 9 : 4096, holds[i].again);
	KUNIT_EXPECT_EQ(test, strcmp(calls, holds[i].calls), 0);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&io.kb), holds[i].again);
	KUNIT_EXPECT_EQ(test, io.kb.bytes, holds[i].again ? 9 : 4096);
	KUNIT_EXPECT_EQ(test, io.kb.spare, 2);
}

static void hold_and_resume(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(holds); i++)
		one_hold(test, i);
}

/* A clone that is held keeps its parent; a retry that succeeds is not seen there. */
static void held_clone(struct kunit *test)
{
	struct framed *io = kzalloc(sizeof(*io), GFP_KERNEL);
	struct kiobuf parent;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, io);
	forget_calls();
	plain_init(&parent);
	KUNIT_EXPECT_EQ(test, kiobuf_init_clone(&io->kb, &parent, 512, 512), 0);
	kiobuf_lend_frames(&io->kb, ARRAY_SIZE(io->frame));
	kiobuf_push_frame(&io->kb, holding_endio, 0);
	kiobuf_endio(&parent, 4096, 0);
	kiobuf_endio(&io->kb, 0, -EIO);
	KUNIT_EXPECT_FALSE(test, kiobuf_is_done(&parent));
	kiobuf_restart(&io->kb);
	kiobuf_endio(&io->kb, 512, 0);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&parent), 0);
	KUNIT_EXPECT_EQ(test, parent.bytes, 4096);
	kfree(io);
}

/* ---- nobody reads what is not decrypted ---- */

#define PLAIN 0x11
#define CIPHER 0xee

struct crypt_race {
	struct framed		io;
	struct kiobuf_frame	own;
	struct wait_queue_entry	entry;
	u8			data[64];
	int			reads;
	bool			bad;
};

static enum kiobuf_climb decrypt(struct kiobuf *kb,
				 const struct kiobuf_frame *frame)
{
	struct crypt_race *r = container_of(kb, struct crypt_race, io.kb);

	r->bad |= kiobuf_is_done(kb);
	memset(r->data, PLAIN, sizeof(r->data));
	return KIOBUF_CLIMB;
}

static void crypt_read(struct crypt_race *r)
{
	r->reads++;
	if (memchr_inv(r->data, PLAIN, sizeof(r->data)))
		r->bad = true;
}

static int crypt_wake(struct wait_queue_entry *entry, unsigned int mode,
		      int flags, void *key)
{
	struct crypt_race *r = container_of(entry, struct crypt_race, entry);

	list_del_init(&entry->entry);
	crypt_read(r);
	return 0;
}

static void crypt_set_up(void *item, int round)
{
	struct crypt_race *r = item;

	plain_init(&r->io.kb);
	kiobuf_lend_frames(&r->io.kb, ARRAY_SIZE(r->io.frame));
	init_waitqueue_func_entry(&r->entry, crypt_wake);
	memset(r->data, CIPHER, sizeof(r->data));
	r->reads = 0;
	r->bad = false;
	r->own.endio = decrypt;
	r->own.task = false;
	if (round % 2)
		kiobuf_intercept(&r->io.kb, &r->own);
	else
		kiobuf_push_frame(&r->io.kb, decrypt, 0);
}

/* Waits by a function, by looking, by sleeping. */
static void crypt_wait(void *item, int round)
{
	struct crypt_race *r = item;

	if (round / 2 % 2 && kiobuf_add_waiter(&r->io.kb, &r->entry))
		return;
	if (round % 1024 == 0)
		kiobuf_wait(&r->io.kb);
	while (!kiobuf_is_done(&r->io.kb))
		cond_resched();
	crypt_read(r);
}

static void crypt_end(void *item, int round)
{
	struct crypt_race *r = item;

	kiobuf_endio(&r->io.kb, 4096, 0);
}

static int crypt_check(void *item, int round)
{
	struct crypt_race *r = item;

	return r->bad || r->reads != 1;
}

static const struct kio_race crypt_race = {
	.size	= sizeof(struct crypt_race),
	.set_up	= crypt_set_up,
	.side	= { crypt_wait, crypt_end },
	.check	= crypt_check,
};

static void no_ciphertext_is_seen(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, kio_race_run(&crypt_race, kio_rounds(RACES)), 0);
}

/* ---- in irq, or in a task ---- */

enum place { IN_TASK, IN_IRQ, LOCKED };

struct placed {
	struct framed		io;
	struct irq_work		work;
	bool			frame_in_task, end_in_task;	/* what is asked */
	char			frame_saw, end_saw;
};

/* t: a task that may sleep, i: hard irq, -: neither */
static char where(bool may_sleep)
{
	if (in_hardirq())
		return 'i';
	if (!in_task() || irqs_disabled())
		return '-';
	if (may_sleep)
		usleep_range(1000, 2000);
	return 't';
}

static enum kiobuf_climb placed_endio(struct kiobuf *kb,
				      const struct kiobuf_frame *frame)
{
	struct placed *p = container_of(kb, struct placed, io.kb);

	p->frame_saw = where(p->frame_in_task);
	return KIOBUF_CLIMB;
}

static void placed_end_io(struct kiobuf *kb)
{
	struct placed *p = container_of(kb, struct placed, io.kb);

	p->end_saw = where(p->end_in_task);
	kiobuf_done(kb);
}

static void end_in_irq(struct irq_work *work)
{
	struct placed *p = container_of(work, struct placed, work);

	kiobuf_endio(&p->io.kb, 4096, 0);
}

static void end_at(struct placed *p, enum place place)
{
	static DEFINE_SPINLOCK(lock);

	switch (place) {
	case IN_TASK:
		kiobuf_endio(&p->io.kb, 4096, 0);
		break;
	case IN_IRQ:
		irq_work_queue(&p->work);
		irq_work_sync(&p->work);
		break;
	case LOCKED:
		spin_lock_irq(&lock);
		kiobuf_endio(&p->io.kb, 4096, 0);
		spin_unlock_irq(&lock);
		break;
	}
}

static const struct {
	enum place	place;
	bool		frame_in_task, end_in_task;
	char		frame_saw, end_saw;
} places[] = {
	{ IN_IRQ, false, false, 'i', 'i' },
	{ IN_IRQ, false, true, 'i', 't' },
	{ IN_IRQ, true, false, 't', 't' },
	{ IN_IRQ, true, true, 't', 't' },
	{ LOCKED, false, false, '-', '-' },
	{ LOCKED, false, true, '-', 't' },
	{ LOCKED, true, true, 't', 't' },
	{ IN_TASK, false, false, 't', 't' },
	{ IN_TASK, true, true, 't', 't' },
};

static void one_place(struct kunit *test, int i, struct placed *p,
		      struct kiobuf_dev *dev)
{
	plain_init(&p->io.kb);
	p->io.kb.dev = dev;
	p->io.kb.end_io = placed_end_io;
	p->frame_in_task = places[i].frame_in_task;
	p->end_in_task = places[i].end_in_task;
	if (p->end_in_task)
		p->io.kb.flags = KIOBUF_END_IN_TASK;
	kiobuf_lend_frames(&p->io.kb, ARRAY_SIZE(p->io.frame));
	kiobuf_push_frame(&p->io.kb, placed_endio, 0);
	p->io.kb.frames->task = p->frame_in_task;
	p->frame_saw = 0;
	p->end_saw = 0;
	p->work = IRQ_WORK_INIT_HARD(end_in_irq);
	end_at(p, places[i].place);
	kiobuf_wait(&p->io.kb);
	KUNIT_EXPECT_EQ(test, p->frame_saw, places[i].frame_saw);
	KUNIT_EXPECT_EQ(test, p->end_saw, places[i].end_saw);
}

static void irq_or_task(struct kunit *test)
{
	struct placed *p = kzalloc(sizeof(*p), GFP_KERNEL);
	struct toy *bottom = toy_bottom("/ram", 4096);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		one_place(test, i, p, NULL);
		one_place(test, i, p, &bottom->dev);
	}
	toy_free(bottom);
	kfree(p);
}

/* ---- steps ---- */

/* One machine: three levels deep, with an I/O between any two steps. */
struct machine {
	struct kiobuf_steps	steps;
	struct kiobuf		kb;
	struct toy		*bottom;
	unsigned int		deepest;
	char			log[16];
	struct completion	done;
};

static struct machine *machine_of(struct kiobuf_steps *steps)
{
	return container_of(steps, struct machine, steps);
}

static void machine_note(struct machine *m, char letter)
{
	m->log[strlen(m->log)] = letter;
	m->deepest = max(m->deepest, m->steps.depth);
}

/* The next step waits for an I/O; this one does not. */
static void machine_io(struct machine *m)
{
	kiobuf_init(&m->kb, &m->bottom->dev, KIOBUF_DISCARD, 0, NULL, 512);
	kiobuf_submit(&m->kb);
	kiobuf_steps_wait(&m->steps, &m->kb);
}

static void step_up_1(struct kiobuf_steps *steps)
{
	machine_note(machine_of(steps), 'A');
	complete(&machine_of(steps)->done);
}

static void step_up_2(struct kiobuf_steps *steps)
{
	machine_note(machine_of(steps), 'B');
	machine_io(machine_of(steps));
}

static void step_up_3(struct kiobuf_steps *steps)
{
	machine_note(machine_of(steps), 'C');
	kiobuf_steps_go(steps);
}

static void step_down_3(struct kiobuf_steps *steps)
{
	kiobuf_steps_push(steps, step_up_3);
	machine_note(machine_of(steps), 'c');
	machine_io(machine_of(steps));
}

static void step_down_2(struct kiobuf_steps *steps)
{
	kiobuf_steps_push(steps, step_up_2);
	kiobuf_steps_push(steps, step_down_3);
	machine_note(machine_of(steps), 'b');
	machine_io(machine_of(steps));
}

static void step_down_1(struct kiobuf_steps *steps)
{
	kiobuf_steps_push(steps, step_up_1);
	kiobuf_steps_push(steps, step_down_2);
	machine_note(machine_of(steps), 'a');
	machine_io(machine_of(steps));
}

static void machine_start(struct machine *m, struct workqueue_struct *wq,
			  struct toy *bottom)
{
	kiobuf_steps_init(&m->steps, wq);
	init_completion(&m->done);
	m->bottom = bottom;
	m->deepest = 0;
	memset(m->log, 0, sizeof(m->log));
	kiobuf_steps_push(&m->steps, step_down_1);
	kiobuf_steps_go(&m->steps);
}

static void machine_ran(struct kunit *test, struct machine *m)
{
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&m->done, 20 * HZ));
	KUNIT_EXPECT_EQ(test, strcmp(m->log, "abcCBA"), 0);
	KUNIT_EXPECT_TRUE(test, m->deepest >= 3);
	KUNIT_EXPECT_EQ(test, m->steps.depth, 0);
}

struct probe {
	struct work_struct	work;
	struct completion	ran;
};

static void probe_run(struct work_struct *work)
{
	complete(&container_of(work, struct probe, work)->ran);
}

/* The only thread that steps have is free for others. */
static bool thread_is_free(struct workqueue_struct *wq)
{
	struct probe probe;
	bool ran;

	INIT_WORK_ONSTACK(&probe.work, probe_run);
	init_completion(&probe.ran);
	queue_work(wq, &probe.work);
	ran = wait_for_completion_timeout(&probe.ran, 20 * HZ);
	cancel_work_sync(&probe.work);
	destroy_work_on_stack(&probe.work);
	return ran;
}

static void run_held(struct kunit *test, struct machine *m, struct toy *bottom,
		     struct workqueue_struct *wq)
{
	int io;

	bottom->hold = true;
	machine_start(&m[0], wq, bottom);
	machine_start(&m[1], wq, bottom);
	/* Four I/Os of each; both are under way at any time. */
	for (io = 0; io < 4; io++) {
		KUNIT_EXPECT_TRUE(test, thread_is_free(wq));
		KUNIT_EXPECT_EQ(test, bottom->held.nr, 2);
		toy_end_next(bottom);
		toy_end_next(bottom);
		flush_workqueue(wq);
	}
	bottom->hold = false;
	machine_ran(test, &m[0]);
	machine_ran(test, &m[1]);
}

static void steps_and_io(struct kunit *test)
{
	struct workqueue_struct *wq = alloc_ordered_workqueue("kio_steps", 0);
	struct machine *m = kcalloc(2, sizeof(*m), GFP_KERNEL);
	struct toy *bottom = toy_bottom("/ram", 4096);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, wq);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, m);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	run_held(test, m, bottom, wq);
	/* And where each I/O has ended before it can be waited for. */
	machine_start(&m[0], wq, bottom);
	machine_ran(test, &m[0]);
	flush_workqueue(wq);
	destroy_workqueue(wq);
	toy_free(bottom);
	kfree(m);
}

static void steps_are_bounded(struct kunit *test)
{
	struct kiobuf_steps *steps = kzalloc(sizeof(*steps), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, steps);
	kiobuf_steps_init(steps, system_wq);
	for (i = 0; i < KIOBUF_STEPS_MAX; i++)
		KUNIT_EXPECT_EQ(test, kiobuf_steps_push(steps, step_up_1), 0);
	KUNIT_EXPECT_EQ(test, kiobuf_steps_push(steps, step_up_1), -ENOSPC);
	kfree(steps);
}

/* ---- compounds ---- */

#define MOST 5

/* Of @nr headers and events in turn @need must happen, @before of them have. */
static const struct {
	int nr, need, before;
} compounds[] = {
	{ 1, 1, 0 }, { 1, 1, 1 }, { 2, 1, 0 }, { 2, 2, 0 }, { 3, 2, 1 },
	{ 5, 1, 0 }, { 5, 5, 0 }, { 5, 5, 4 }, { 5, 5, 5 }, { 5, 1, 2 },
	{ 5, 3, 2 },
};

struct crowd {
	struct kiobuf_compound	all;
	struct kiobuf_member	on[MOST];
	struct kiobuf		kb[MOST];
	struct kiobuf_event	event[MOST];
};

static void crowd_happen(struct crowd *c, int i)
{
	if (i % 2)
		kiobuf_event_happen(&c->event[i]);
	else
		kiobuf_endio(&c->kb[i], 0, -EIO);	/* a failure counts too */
}

static void crowd_add(struct kunit *test, struct crowd *c, int i)
{
	if (i % 2)
		KUNIT_EXPECT_EQ(test, kiobuf_compound_add_event(&c->all,
								&c->on[i],
								&c->event[i]),
				0);
	else
		kiobuf_compound_add(&c->all, &c->on[i], &c->kb[i]);
}

static void one_compound(struct kunit *test, int t, struct crowd *c)
{
	const int nr = compounds[t].nr, need = compounds[t].need;
	int i, j;

	kiobuf_compound_init(&c->all, need);
	for (i = 0; i < nr; i++) {
		plain_init(&c->kb[i]);
		kiobuf_event_init(&c->event[i]);
		if (i < compounds[t].before)
			crowd_happen(c, i);
	}
	for (i = 0; i < nr; i++)
		crowd_add(test, c, i);
	for (i = compounds[t].before; i <= nr; i++) {
		KUNIT_EXPECT_EQ(test, c->all.event.happened, i >= need);
		for (j = 0; j < nr; j++)
			KUNIT_EXPECT_EQ(test, c->on[j].happened, j < i);
		if (i < nr)
			crowd_happen(c, i);
	}
	kiobuf_event_wait(&c->all.event);
	kiobuf_compound_exit(&c->all);
	KUNIT_EXPECT_TRUE(test, list_empty(&c->all.members));
}

static void any_and_all(struct kunit *test)
{
	struct crowd *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int t;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	for (t = 0; t < ARRAY_SIZE(compounds); t++)
		one_compound(test, t, c);
	kfree(c);
}

/* An event happens once: again is no second member that happened. */
static void event_happens_once(struct kunit *test)
{
	struct crowd *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, c);
	kiobuf_compound_init(&c->all, 2);
	for (i = 0; i < 2; i++) {
		kiobuf_event_init(&c->event[i]);
		kiobuf_compound_add_event(&c->all, &c->on[i], &c->event[i]);
	}
	kiobuf_event_happen(&c->event[0]);
	kiobuf_event_happen(&c->event[0]);
	KUNIT_EXPECT_FALSE(test, c->all.event.happened);
	kiobuf_event_happen(&c->event[1]);
	KUNIT_EXPECT_TRUE(test, c->all.event.happened);
	kiobuf_compound_exit(&c->all);
	kfree(c);
}

/* Any of (a header, an alarm); who has not happened is left as it was. */
struct deadline {
	struct kiobuf_compound	any;
	struct kiobuf_member	on[2];
	struct kiobuf_alarm	alarm;
	struct kiobuf		kb;
};

static void deadline_start(struct deadline *d, unsigned long timeout)
{
	plain_init(&d->kb);
	kiobuf_compound_init(&d->any, 1);
	kiobuf_alarm_start(&d->alarm, timeout);
	kiobuf_compound_add(&d->any, &d->on[0], &d->kb);
	kiobuf_compound_add_event(&d->any, &d->on[1], &d->alarm.event);
}

/* Lets go of all; what was tied to the members may be anything from now on. */
static void deadline_exit(struct deadline *d)
{
	kiobuf_compound_exit(&d->any);
	memset(d->on, 0x6b, sizeof(d->on));
	memset(&d->any, 0x6b, sizeof(d->any));
}

static void alarm_rings(struct kunit *test)
{
	struct deadline *d = kzalloc(sizeof(*d), GFP_KERNEL);
	unsigned long start = jiffies;
	struct owner o;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, d);
	deadline_start(d, 5);
	kiobuf_event_wait(&d->any.event);
	KUNIT_EXPECT_TRUE(test, jiffies - start >= 5);
	KUNIT_EXPECT_TRUE(test, d->on[1].happened);
	KUNIT_EXPECT_FALSE(test, d->on[0].happened);
	deadline_exit(d);
	kiobuf_alarm_stop(&d->alarm);
	/* The header can be waited for as before. */
	owners_init(&o, 1);
	KUNIT_EXPECT_TRUE(test, kiobuf_add_waiter(&d->kb, &o.entry));
	kiobuf_endio(&d->kb, 4096, 0);
	KUNIT_EXPECT_EQ(test, strcmp(calls, "a"), 0);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&d->kb), 0);
	kfree(d);
}

static void alarm_is_stopped(struct kunit *test)
{
	struct deadline *d = kzalloc(sizeof(*d), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, d);
	deadline_start(d, 1000 * HZ);
	kiobuf_endio(&d->kb, 4096, 0);
	kiobuf_event_wait(&d->any.event);
	KUNIT_EXPECT_TRUE(test, d->on[0].happened);
	KUNIT_EXPECT_FALSE(test, d->on[1].happened);
	deadline_exit(d);
	kiobuf_alarm_stop(&d->alarm);
	KUNIT_EXPECT_FALSE(test, d->alarm.event.happened);
	/* One that nobody waits for any more still rings. */
	deadline_start(d, 5);
	deadline_exit(d);
	kiobuf_event_wait(&d->alarm.event);
	kiobuf_alarm_stop(&d->alarm);
	kiobuf_endio(&d->kb, 4096, 0);
	kfree(d);
}

/* All of (any of (header, alarm), event), many times nested. */
struct nest {
	struct deadline		d;
	struct kiobuf_compound	outer[KIOBUF_EVENT_MAX_DEPTH];
	struct kiobuf_member	on[KIOBUF_EVENT_MAX_DEPTH][2];
	struct kiobuf_event	event[KIOBUF_EVENT_MAX_DEPTH];
};

/* Level i is all of level i - 1 and an event; the innermost is the deadline. */
static int nest_add(struct nest *n, int i)
{
	struct kiobuf_event *inner = i ? &n->outer[i - 1].event :
					 &n->d.any.event;
	int ret;

	kiobuf_compound_init(&n->outer[i], 2);
	kiobuf_event_init(&n->event[i]);
	ret = kiobuf_compound_add_event(&n->outer[i], &n->on[i][0], inner);
	if (!ret)
		kiobuf_compound_add_event(&n->outer[i], &n->on[i][1],
					  &n->event[i]);
	return ret;
}

static void nested_compounds(struct kunit *test)
{
	struct nest *n = kzalloc(sizeof(*n), GFP_KERNEL);
	const int last = KIOBUF_EVENT_MAX_DEPTH - 2;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, n);
	deadline_start(&n->d, 2);
	for (i = 0; i <= last; i++)
		KUNIT_EXPECT_EQ(test, nest_add(n, i), 0);
	KUNIT_EXPECT_EQ(test, nest_add(n, last + 1), -EMLINK);
	for (i = last; i > 0; i--)
		kiobuf_event_happen(&n->event[i]);
	kiobuf_event_wait(&n->d.any.event);
	for (i = 0; i <= last; i++)
		KUNIT_EXPECT_FALSE(test, n->outer[i].event.happened);
	/* The last thing that lacks makes all of them happen. */
	kiobuf_event_happen(&n->event[0]);
	for (i = 0; i <= last; i++)
		KUNIT_EXPECT_TRUE(test, n->outer[i].event.happened);
	kiobuf_event_wait(&n->outer[last].event);
	for (i = last; i >= 0; i--)
		kiobuf_compound_exit(&n->outer[i]);
	deadline_exit(&n->d);
	kiobuf_alarm_stop(&n->d.alarm);
	kiobuf_endio(&n->d.kb, 4096, 0);
	kfree(n);
}

static struct kunit_case wait_cases[] = {
	KUNIT_CASE(function_entries),
	KUNIT_CASE(walk_is_ended),
	KUNIT_CASE(waits_with_timeout),
	KUNIT_CASE(no_wakeup_is_lost),
	KUNIT_CASE(order_of_an_end),
	KUNIT_CASE(late_waiters),
	KUNIT_CASE(hold_and_resume),
	KUNIT_CASE(held_clone),
	KUNIT_CASE(no_ciphertext_is_seen),
	KUNIT_CASE(irq_or_task),
	KUNIT_CASE(steps_and_io),
	KUNIT_CASE(steps_are_bounded),
	KUNIT_CASE(any_and_all),
	KUNIT_CASE(event_happens_once),
	KUNIT_CASE(alarm_rings),
	KUNIT_CASE(alarm_is_stopped),
	KUNIT_CASE(nested_compounds),
	{}
};

struct kunit_suite kio_wait_suite = {
	.name		= "kio_wait",
	.test_cases	= wait_cases,
};
