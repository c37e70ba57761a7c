// SPDX-License-Identifier: GPL-2.0
/*
 * Cancel: what waits is pulled, what is under way ends by itself, each header ends
 * once. Against a device that keeps all it gets until it is told to let some go.
 */
#include "toy.h"

#include <linux/kthread.h>
#include <linux/random.h>
#include <linux/slab.h>

#define PIECE 4096

#if IS_ENABLED(CONFIG_KASAN)
#define RACES 100000
#else
#define RACES 1000000
#endif

/* ---- devices ---- */

/* Keeps headers in a queue; what is let go on is sent to the one below. */
struct gate {
	struct kiobuf_dev	dev;
	struct kiobuf_queue	queue;
	struct kiobuf_dev	*lower;
	bool			veto;
	bool			cancels;	/* what comes, before it queues it */
	u64			border;
};

/* Ends what comes, or keeps one as hardware would, where no cancel can reach it. */
struct sink {
	struct kiobuf_dev	dev;
	struct kiobuf		*held;
	bool			hold;
	int			seen;
};

struct stack {
	struct gate	gate[3];
	struct sink	sink;
	int		nr;
};

static int gate_submit(struct kiobuf *kb)
{
	struct gate *gate = container_of(kb->dev, struct gate, dev);

	if (gate->border && kb->length > gate->border) {
		kb->flags |= gate->veto ? KIOBUF_FIRM : 0;
		return KIOBUF_SPLIT;
	}
	if (gate->cancels)
		kiobuf_cancel(kb, -EINTR);
	return kiobuf_enqueue(&gate->queue, kb);
}

static struct kiobuf *gate_next_child(struct kiobuf *parent)
{
	struct gate *gate = container_of(parent->dev, struct gate, dev);

	return kiobuf_carve(parent, gate->border);
}

static bool gate_cancel(struct kiobuf_dev *dev, struct kiobuf *kb)
{
	return kiobuf_unqueue(&container_of(dev, struct gate, dev)->queue, kb);
}

static int gate_let(struct gate *gate, int nr)
{
	struct kiobuf *kb;
	int i;

	for (i = 0; i < nr && (kb = kiobuf_dequeue(&gate->queue)); i++) {
		kb->dev = gate->lower;
		kiobuf_submit(kb);
	}
	return i;
}

static int sink_submit(struct kiobuf *kb)
{
	struct sink *sink = container_of(kb->dev, struct sink, dev);

	sink->seen++;
	if (sink->hold && !sink->held)
		sink->held = kb;
	else
		kiobuf_endio(kb, kb->length, 0);
	return KIOBUF_SUBMITTED;
}

static void sink_release(struct sink *sink)
{
	struct kiobuf *kb = sink->held;

	sink->held = NULL;
	kiobuf_endio(kb, kb->length, 0);
}

static const struct kiobuf_dev_ops gate_ops = {
	.submit		= gate_submit,
	.next_child	= gate_next_child,
	.cancel		= gate_cancel,
};

static const struct kiobuf_dev_ops sink_ops = { .submit = sink_submit };

static struct stack *stack_new(int gates)
{
	struct stack *s = kzalloc(sizeof(*s), GFP_KERNEL);
	char name[16];
	int i, ret;

	if (!s)
		return NULL;
	s->nr = gates;
	ret = kiobuf_dev_register(&s->sink.dev, "/sink", &sink_ops);
	for (i = 0; i < gates && !ret; i++) {
		snprintf(name, sizeof(name), "/gate%d", i);
		kiobuf_queue_init(&s->gate[i].queue, NULL, NULL);
		ret = kiobuf_dev_register(&s->gate[i].dev, name, &gate_ops);
	}
	for (i = 0; i < gates && !ret; i++) {
		s->gate[i].lower = i + 1 < gates ? &s->gate[i + 1].dev :
						   &s->sink.dev;
		ret = kiobuf_dev_link(&s->gate[i].dev, s->gate[i].lower);
	}
	return ret ? NULL : s;
}

static void stack_free(struct stack *s)
{
	int i;

	for (i = 0; i < s->nr; i++)
		kiobuf_dev_unlink(&s->gate[i].dev, s->gate[i].lower);
	for (i = 0; i < s->nr; i++)
		kiobuf_dev_unregister(&s->gate[i].dev);
	kiobuf_dev_unregister(&s->sink.dev);
	kfree(s);
}

static struct kiobuf *submitted(struct kiobuf_dev *dev, u64 length)
{
	struct kiobuf *kb = kiobuf_alloc(GFP_KERNEL | __GFP_NOFAIL);

	kiobuf_reset(kb, dev, KIOBUF_DISCARD, 0, NULL, length);
	kiobuf_submit(kb);
	return kb;
}

/* ---- one at a time ---- */

static void expect_end(struct kunit *test, struct kiobuf *kb, u64 bytes,
		       int error)
{
	KUNIT_EXPECT_TRUE(test, kiobuf_is_done(kb));
	if (!kiobuf_is_done(kb))
		return;
	KUNIT_EXPECT_EQ(test, kiobuf_wait(kb), error);
	KUNIT_EXPECT_EQ(test, kb->bytes, bytes);
}

/* X1: the device below sees what was let go on, and nothing of the rest. */
static void queued_are_pulled(struct kunit *test)
{
	struct stack *s = stack_new(1);
	struct kiobuf *kb;
	int let;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->gate[0].border = PIECE;
	for (let = 0; let <= 16; let++) {
		s->sink.seen = 0;
		kb = submitted(&s->gate[0].dev, 16 * PIECE);
		KUNIT_EXPECT_EQ(test, gate_let(&s->gate[0], let), let);
		KUNIT_EXPECT_EQ(test, kiobuf_cancel(kb, -ECANCELED), 0);
		KUNIT_EXPECT_EQ(test, gate_let(&s->gate[0], 16), 0);
		KUNIT_EXPECT_EQ(test, s->sink.seen, let);
		expect_end(test, kb, let * PIECE, let < 16 ? -ECANCELED : 0);
		kiobuf_put(kb);
	}
	stack_free(s);
}

/* H1: what the hardware has is waited for, and the parent with it. */
static void started_is_waited_for(struct kunit *test)
{
	struct stack *s = stack_new(1);
	struct kiobuf *kb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->gate[0].border = PIECE;
	s->sink.hold = true;
	kb = submitted(&s->gate[0].dev, 4 * PIECE);
	gate_let(&s->gate[0], 2);
	KUNIT_EXPECT_EQ(test, kiobuf_cancel(kb, -ETIMEDOUT), 0);
	KUNIT_EXPECT_FALSE(test, kiobuf_is_done(kb));
	KUNIT_EXPECT_EQ(test, kiobuf_wait_timeout(kb, 2), 0);
	sink_release(&s->sink);
	expect_end(test, kb, 2 * PIECE, -ETIMEDOUT);
	kiobuf_put(kb);
	stack_free(s);
}

/* Cancelled after its end, and twice: nothing happens, the first errno stays. */
static void late_and_twice(struct kunit *test)
{
	struct stack *s = stack_new(1);
	struct kiobuf *kb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	kb = submitted(&s->gate[0].dev, PIECE);
	gate_let(&s->gate[0], 1);
	KUNIT_EXPECT_EQ(test, kiobuf_cancel(kb, -ECANCELED), 0);
	expect_end(test, kb, PIECE, 0);
	kiobuf_put(kb);

	kb = submitted(&s->gate[0].dev, PIECE);
	kiobuf_cancel(kb, -ETIMEDOUT);
	kiobuf_cancel(kb, -ECANCELED);
	expect_end(test, kb, 0, -ETIMEDOUT);
	kiobuf_put(kb);
	stack_free(s);
}

/* Before it is submitted: it never gets there. No more clones either. */
static void no_new_children(struct kunit *test)
{
	struct stack *s = stack_new(1);
	struct kiobuf *kb, *clone;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	clone = kiobuf_alloc(GFP_KERNEL | __GFP_NOFAIL);
	kb = kiobuf_alloc(GFP_KERNEL | __GFP_NOFAIL);
	kiobuf_reset(kb, &s->gate[0].dev, KIOBUF_DISCARD, 0, NULL, PIECE);
	KUNIT_EXPECT_EQ(test, kiobuf_cancel(kb, -EINTR), 0);
	KUNIT_EXPECT_EQ(test, kiobuf_init_clone(clone, kb, 0, PIECE), -EINTR);
	KUNIT_EXPECT_PTR_EQ(test, kiobuf_alloc_clone(kb, 0, 1, GFP_KERNEL),
			    ERR_PTR(-EINTR));
	kiobuf_submit(kb);
	expect_end(test, kb, 0, -EINTR);
	KUNIT_EXPECT_EQ(test, gate_let(&s->gate[0], 1), 0);
	kiobuf_put(kb);
	kiobuf_put(clone);
	stack_free(s);
}

/* On its way into a queue, where nobody could find it: the queue turns it away. */
static void not_enqueued(struct kunit *test)
{
	struct stack *s = stack_new(1);
	struct kiobuf *kb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->gate[0].cancels = true;
	kb = submitted(&s->gate[0].dev, PIECE);
	KUNIT_EXPECT_EQ(test, s->gate[0].queue.nr, 0);
	expect_end(test, kb, 0, -EINTR);
	gate_let(&s->gate[0], 1);
	KUNIT_EXPECT_EQ(test, s->sink.seen, 0);
	kiobuf_put(kb);
	stack_free(s);
}

/* X3: three layers that split and queue, some at each. */
static void cascade(struct kunit *test)
{
	struct stack *s = stack_new(3);
	struct kiobuf *kb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->gate[0].border = 16 * PIECE;
	s->gate[1].border = 4 * PIECE;
	s->gate[2].border = PIECE;
	kb = submitted(&s->gate[0].dev, 64 * PIECE);
	gate_let(&s->gate[0], 2);		/* 2 x 4 wait at the next */
	gate_let(&s->gate[1], 3);		/* 3 x 4 wait at the last */
	gate_let(&s->gate[2], 5);
	KUNIT_EXPECT_EQ(test, s->gate[0].queue.nr, 2);
	KUNIT_EXPECT_EQ(test, s->gate[1].queue.nr, 5);
	KUNIT_EXPECT_EQ(test, s->gate[2].queue.nr, 7);
	KUNIT_EXPECT_EQ(test, kiobuf_cancel(kb, -ECANCELED), 0);
	KUNIT_EXPECT_EQ(test, s->gate[0].queue.nr, 0);
	KUNIT_EXPECT_EQ(test, s->gate[1].queue.nr, 0);
	KUNIT_EXPECT_EQ(test, s->gate[2].queue.nr, 0);
	expect_end(test, kb, 5 * PIECE, -ECANCELED);
	KUNIT_EXPECT_EQ(test, s->sink.seen, 5);
	kiobuf_put(kb);
	stack_free(s);
}

/* A layer that says no keeps all that is below it; others are pulled. */
static void vetoed(struct kunit *test)
{
	struct stack *s = stack_new(2);
	struct kiobuf *kb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->gate[0].border = 4 * PIECE;
	s->gate[1].border = PIECE;
	s->gate[1].veto = true;
	kb = submitted(&s->gate[0].dev, 16 * PIECE);
	gate_let(&s->gate[0], 2);
	KUNIT_EXPECT_EQ(test, kiobuf_cancel(kb, -ECANCELED), -EBUSY);
	KUNIT_EXPECT_EQ(test, s->gate[0].queue.nr, 0);
	KUNIT_EXPECT_EQ(test, s->gate[1].queue.nr, 8);
	KUNIT_EXPECT_FALSE(test, kiobuf_is_done(kb));
	KUNIT_EXPECT_EQ(test, gate_let(&s->gate[1], 16), 8);
	expect_end(test, kb, 8 * PIECE, -ECANCELED);
	kiobuf_put(kb);

	/* Nothing at all is cancelled where the top says no. */
	kb = submitted(&s->gate[1].dev, 4 * PIECE);
	KUNIT_EXPECT_EQ(test, kiobuf_cancel(kb, -ECANCELED), -EBUSY);
	KUNIT_EXPECT_EQ(test, gate_let(&s->gate[1], 16), 4);
	expect_end(test, kb, 4 * PIECE, 0);
	kiobuf_put(kb);
	stack_free(s);
}

static enum kiobuf_walk count_one(struct kiobuf *kb, int depth, void *arg)
{
	((int *)arg)[min(depth, 3)]++;
	return KIOBUF_WALK_ON;
}

/* T1: the walk meets each that has not ended, a parent before its clones. */
static void walk(struct kunit *test)
{
	struct stack *s = stack_new(2);
	int seen[4] = {}, roots[4] = {};
	struct kiobuf *kb, *other;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->gate[0].border = 4 * PIECE;
	s->gate[1].border = PIECE;
	kb = submitted(&s->gate[0].dev, 16 * PIECE);
	gate_let(&s->gate[0], 2);
	gate_let(&s->gate[1], 3);
	kiobuf_walk(kb, count_one, seen);
	KUNIT_EXPECT_EQ(test, seen[0], 1);
	KUNIT_EXPECT_EQ(test, seen[1], 4);
	KUNIT_EXPECT_EQ(test, seen[2], 5);
	KUNIT_EXPECT_EQ(test, seen[3], 0);

	other = submitted(&s->gate[0].dev, PIECE);
	kiobuf_dev_walk_roots(&s->gate[0].dev, count_one, roots);
	KUNIT_EXPECT_EQ(test, roots[0], 2);
	KUNIT_EXPECT_EQ(test, roots[1], 4);
	KUNIT_EXPECT_EQ(test, roots[2], 5);
	KUNIT_EXPECT_TRUE(test, kiobuf_id(kb) != kiobuf_id(other));
	KUNIT_EXPECT_EQ(test, kiobuf_dev_cancel(&s->gate[0].dev,
						kiobuf_id(other), -ECANCELED), 0);
	expect_end(test, other, 0, -ECANCELED);
	KUNIT_EXPECT_FALSE(test, kiobuf_is_done(kb));
	KUNIT_EXPECT_EQ(test, kiobuf_dev_cancel(&s->gate[0].dev,
						kiobuf_id(other), -ECANCELED),
			-ENOENT);
	KUNIT_EXPECT_EQ(test, kiobuf_dev_cancel(&s->gate[0].dev, 0,
						-ECANCELED), 0);
	expect_end(test, kb, 3 * PIECE, -ECANCELED);
	memset(roots, 0, sizeof(roots));
	kiobuf_dev_walk_roots(&s->gate[0].dev, count_one, roots);
	KUNIT_EXPECT_EQ(test, roots[0], 0);
	kiobuf_put(kb);
	kiobuf_put(other);
	stack_free(s);
}

static struct kiobuf *aged(struct kiobuf_dev *dev, u64 length, u32 jiffies)
{
	struct kiobuf *kb = submitted(dev, length);

	kb->mark -= jiffies << KIOBUF_MARK_BITS;
	return kb;
}

/* X4: who is old goes, who is not stays, and when he will be is told. */
static void expire(struct kunit *test)
{
	const unsigned long limit = 50000;
	struct stack *s = stack_new(2);
	struct kiobuf *old, *young;
	unsigned long next;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	old = aged(&s->gate[0].dev, PIECE, 100000);
	young = aged(&s->gate[0].dev, PIECE, 0);
	next = kiobuf_dev_expire(&s->gate[0].dev, limit, -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, next > limit / 2 && next <= limit);
	expect_end(test, old, 0, -ETIMEDOUT);
	KUNIT_EXPECT_FALSE(test, kiobuf_is_done(young));
	kiobuf_put(old);

	old = aged(&s->gate[0].dev, PIECE, 30000);
	next = kiobuf_dev_expire(&s->gate[0].dev, limit, -ETIMEDOUT);
	KUNIT_EXPECT_TRUE(test, next <= limit - 30000);
	KUNIT_EXPECT_EQ(test, s->gate[0].queue.nr, 2);
	gate_let(&s->gate[0], 2);
	gate_let(&s->gate[1], 2);
	expect_end(test, young, PIECE, 0);
	expect_end(test, old, PIECE, 0);
	kiobuf_put(young);
	kiobuf_put(old);
	KUNIT_EXPECT_EQ(test, kiobuf_dev_expire(&s->gate[0].dev, limit,
						-ETIMEDOUT), limit);

	s->gate[0].border = PIECE;
	s->gate[0].veto = true;
	old = aged(&s->gate[0].dev, 4 * PIECE, 100000);
	KUNIT_EXPECT_EQ(test, kiobuf_dev_expire(&s->gate[0].dev, limit,
						-ETIMEDOUT), 0);
	gate_let(&s->gate[0], 4);
	gate_let(&s->gate[1], 4);
	expect_end(test, old, 4 * PIECE, 0);
	kiobuf_put(old);
	stack_free(s);
}

/* X5: all that is out ends, new ones are refused, until it is up again. */
static void shutdown(struct kunit *test)
{
	struct stack *s = stack_new(2);
	struct kiobuf *above, *here;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->gate[0].border = 4 * PIECE;
	s->gate[1].border = PIECE;
	above = submitted(&s->gate[0].dev, 16 * PIECE);
	gate_let(&s->gate[0], 2);
	gate_let(&s->gate[1], 3);
	here = submitted(&s->gate[1].dev, PIECE);
	kiobuf_dev_shutdown(&s->gate[1].dev, -ESHUTDOWN);
	expect_end(test, here, 0, -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, s->gate[1].queue.nr, 0);
	KUNIT_EXPECT_EQ(test, s->gate[0].queue.nr, 2);
	KUNIT_EXPECT_FALSE(test, kiobuf_is_done(above));
	gate_let(&s->gate[0], 2);
	expect_end(test, above, 3 * PIECE, -ESHUTDOWN);
	KUNIT_EXPECT_EQ(test, s->sink.seen, 3);
	kiobuf_put(here);
	kiobuf_put(above);

	kiobuf_dev_set_ops(&s->gate[1].dev, &gate_ops);
	here = submitted(&s->gate[1].dev, PIECE);
	gate_let(&s->gate[1], 1);
	expect_end(test, here, PIECE, 0);
	kiobuf_put(here);
	stack_free(s);
}

/* What lies below and only below goes with it. */
static void shutdown_above_queue(struct kunit *test)
{
	struct stack *s = stack_new(2);
	struct kiobuf *kb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	kb = submitted(&s->gate[0].dev, PIECE);
	gate_let(&s->gate[0], 1);
	KUNIT_EXPECT_EQ(test, s->gate[1].queue.nr, 1);
	kiobuf_dev_shutdown(&s->gate[0].dev, -ENODEV);
	KUNIT_EXPECT_EQ(test, s->gate[1].queue.nr, 0);
	expect_end(test, kb, 0, -ENODEV);
	kiobuf_put(kb);
	stack_free(s);
}

/* What must not stop half-way does not, even so. */
static void shutdown_vetoed(struct kunit *test)
{
	struct stack *s = stack_new(1);
	struct kiobuf *kb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->gate[0].border = PIECE;
	s->gate[0].veto = true;
	kb = submitted(&s->gate[0].dev, 4 * PIECE);
	kiobuf_dev_shutdown(&s->gate[0].dev, -ENODEV);
	KUNIT_EXPECT_EQ(test, s->gate[0].queue.nr, 4);
	KUNIT_EXPECT_EQ(test, gate_let(&s->gate[0], 4), 4);
	expect_end(test, kb, 4 * PIECE, 0);
	kiobuf_put(kb);
	stack_free(s);
}

/* P10: the first that succeeds will do; the others are pulled. */
static void any(struct kunit *test)
{
	static const struct {
		int	good, bad;	/* let go on, and failed before */
		int	error, seen;
	} cases[] = {
		{ 1, 0, 0, 1 }, { 1, 2, 0, 1 }, { 0, 4, -EIO, 0 },
		{ 2, 1, 0, 1 },
	};
	struct kiobuf *parent, *child;
	struct stack *s = stack_new(1);
	int i, n;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		s->sink.seen = 0;
		parent = kiobuf_alloc(GFP_KERNEL | __GFP_NOFAIL);
		kiobuf_reset(parent, &s->gate[0].dev, KIOBUF_DISCARD, 0, NULL,
			     PIECE);
		parent->flags = KIOBUF_ANY;
		for (n = 0; n < 4; n++) {
			child = kiobuf_alloc_clone(parent, 0, PIECE, GFP_KERNEL);
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, child);
			kiobuf_submit(child);
		}
		for (n = 0; n < cases[i].bad; n++)
			kiobuf_endio(kiobuf_dequeue(&s->gate[0].queue), 0, -EIO);
		gate_let(&s->gate[0], cases[i].good);
		KUNIT_EXPECT_FALSE(test, kiobuf_is_done(parent));
		kiobuf_endio(parent, PIECE, 0);
		expect_end(test, parent, cases[i].error ? 0 : PIECE,
			   cases[i].error);
		KUNIT_EXPECT_EQ(test, s->sink.seen, cases[i].seen);
		KUNIT_EXPECT_EQ(test, s->gate[0].queue.nr, 0);
		kiobuf_put(parent);
	}
	stack_free(s);
}

static void majority_end_io(struct kiobuf *kb)
{
	*(int *)kb->private += kb->error ? 1 : 0;
	if (*(int *)kb->private >= 2)
		kiobuf_fail(kb->parent, 0, -EILSEQ);
}

/* Three clones that get @bytes each, so many of them with an errno. */
static void majority(struct kunit *test, u64 bytes, int failed, u64 want_bytes,
		     int want_error)
{
	static struct kiobuf parent, child[3];
	int i, bad = 0;

	kiobuf_init(&parent, NULL, KIOBUF_DISCARD, 0, NULL, PIECE);
	parent.flags = KIOBUF_COLLATE_OWN;
	for (i = 0; i < 3; i++) {
		kiobuf_init_clone(&child[i], &parent, 0, PIECE);
		child[i].end_io = majority_end_io;
		child[i].private = &bad;
	}
	kiobuf_endio(&parent, PIECE, 0);
	for (i = 0; i < 3; i++)
		kiobuf_endio(&child[i], bytes, i < failed ? -EIO : 0);
	expect_end(test, &parent, want_bytes, want_error);
}

/* P10: any rule that end_io of the clones may think of. */
static void own_collation(struct kunit *test)
{
	int failed;

	for (failed = 0; failed <= 3; failed++) {
		/* Short without an errno is a failure too. */
		majority(test, 0, failed, 0, -EILSEQ);
		majority(test, PIECE, failed, failed < 2 ? PIECE : 0,
			 failed < 2 ? 0 : -EILSEQ);
	}
}

/* ---- races, on two CPUs ---- */

#define BATCH 8

/* One side lets go on what waits, the other cancels it. */
struct fight {
	struct stack	*s;
	struct kiobuf	parent;
	struct kiobuf	child[BATCH];
	atomic_t	ends[BATCH];
};

static void fight_end_io(struct kiobuf *kb)
{
	atomic_inc((atomic_t *)kb->private);
}

static void fight_set_up(struct fight *fight)
{
	int i;

	kiobuf_init(&fight->parent, &fight->s->gate[0].dev, KIOBUF_DISCARD, 0,
		    NULL, BATCH * PIECE);
	for (i = 0; i < BATCH; i++) {
		atomic_set(&fight->ends[i], 0);
		kiobuf_init_clone(&fight->child[i], &fight->parent, i * PIECE,
				  PIECE);
		fight->child[i].end_io = fight_end_io;
		fight->child[i].private = &fight->ends[i];
		kiobuf_submit(&fight->child[i]);
	}
	kiobuf_endio(&fight->parent, BATCH * PIECE, 0);
}

static void fight_cancel(void *arg)
{
	struct fight *fight = arg;

	kiobuf_cancel(&fight->parent, -ECANCELED);
}

/* Nonzero if a child did not end once, or the parent tells it wrong. */
static int fight_check(struct fight *fight, int *cancelled)
{
	int i, bad = 0, good = -1;

	for (i = 0; i < BATCH; i++) {
		bad += atomic_read(&fight->ends[i]) != 1;
		*cancelled += fight->child[i].error == -ECANCELED;
		if (good < 0 && fight->child[i].error)
			good = i;
	}
	bad += kiobuf_wait(&fight->parent) != (good < 0 ? 0 : -ECANCELED);
	bad += fight->parent.bytes != (good < 0 ? BATCH : good) * PIECE;
	return bad;
}

static void run_fight(struct kunit *test, void (*one)(void *arg),
		      void (*other)(void *arg))
{
	struct fight *fight = kzalloc(sizeof(*fight), GFP_KERNEL);
	int round, bad = 0, cancelled = 0;
	struct kio_partner partner;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fight);
	fight->s = stack_new(1);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, fight->s);
	KUNIT_EXPECT_TRUE(test, kio_partner_start(&partner, other, fight));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, partner.task);
	for (round = 1; round <= RACES / BATCH; round++) {
		fight->s->sink.seen = 0;
		fight_set_up(fight);
		kio_partner_ask(&partner);
		one(fight);
		kio_partner_wait(&partner);
		bad += fight_check(fight, &cancelled);
	}
	kio_partner_stop(&partner);
	pr_info("    # %d races, %d cancelled\n", RACES, cancelled);
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_TRUE(test, cancelled > 0);
	KUNIT_EXPECT_TRUE(test, cancelled < RACES);
	stack_free(fight->s);
	kfree(fight);
}

static void fight_let(void *arg)
{
	struct fight *fight = arg;

	gate_let(&fight->s->gate[0], BATCH);
}

/* X2: exactly one of cancel and completion has each child. */
static void cancel_or_complete(struct kunit *test)
{
	run_fight(test, fight_let, fight_cancel);
}

/* Two cancels, with completions between them. */
static void fight_cancel_and_let(void *arg)
{
	struct fight *fight = arg;

	gate_let(&fight->s->gate[0], 1 + get_random_u32() % 3);
	fight_cancel(fight);
}

static void cancel_twice(struct kunit *test)
{
	run_fight(test, fight_cancel_and_let, fight_cancel);
}

/* One side makes clones as fast as it can, the other cancels. */
static void cancel_parent(void *arg)
{
	kiobuf_cancel(arg, -ECANCELED);
}

/* Returns what was wrong. */
static int breed(struct kiobuf *parent)
{
	struct kiobuf clone;
	int made, ret = 0;

	for (made = 0; made < 64; made++) {
		ret = kiobuf_init_clone(&clone, parent, made * PIECE, PIECE);
		if (ret)
			break;
		kiobuf_endio(&clone, PIECE, 0);
	}
	kiobuf_endio(parent, made * PIECE, ret);
	if (ret && ret != -ECANCELED)
		return 1;
	return kiobuf_wait(parent) != ret || parent->bytes != made * PIECE;
}

static void cancel_or_clone(struct kunit *test)
{
	struct kiobuf *parent = kzalloc(sizeof(*parent), GFP_KERNEL);
	struct kio_partner partner;
	int round, bad = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, parent);
	KUNIT_EXPECT_TRUE(test, kio_partner_start(&partner, cancel_parent,
						  parent));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, partner.task);
	for (round = 1; round <= RACES / 64; round++) {
		kiobuf_init(parent, NULL, KIOBUF_DISCARD, 0, NULL, 64 * PIECE);
		kio_partner_ask(&partner);
		bad += breed(parent);
		kio_partner_wait(&partner);
	}
	kio_partner_stop(&partner);
	KUNIT_EXPECT_EQ(test, bad, 0);
	kfree(parent);
}

/* Walks while trees come and go: it must find trees, and only whole headers. */
struct walker {
	struct stack	*s;
	int		seen[4];
	int		odd;
};

/* A tree is never seen in part: 4 pieces below the root, 4 below each of those. */
static enum kiobuf_walk check_one(struct kiobuf *kb, int depth, void *arg)
{
	static const u64 lengths[] = { 16 * PIECE, 4 * PIECE, PIECE };
	struct walker *w = arg;

	w->seen[min(depth, 3)]++;
	if (depth > 2 || kb->length != lengths[depth] ||
	    kb->op != KIOBUF_DISCARD || kb->pos % kb->length)
		w->odd++;
	return KIOBUF_WALK_ON;
}

static int walk_thread(void *arg)
{
	struct walker *w = arg;

	while (!kthread_should_stop()) {
		kiobuf_dev_walk_roots(&w->s->gate[0].dev, check_one, w);
		cond_resched();
	}
	return 0;
}

static void walk_under_load(struct kunit *test)
{
	struct stack *s = stack_new(2);
	struct walker w = { .s = s };
	struct task_struct *task;
	struct kiobuf *kb;
	int i, bad = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->gate[0].border = 4 * PIECE;
	s->gate[1].border = PIECE;
	task = kthread_run(walk_thread, &w, "kio_walk");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	for (i = 0; i < RACES / 200; i++) {
		kb = submitted(&s->gate[0].dev, 16 * PIECE);
		gate_let(&s->gate[0], 16);
		gate_let(&s->gate[1], 16);
		bad += kiobuf_wait(kb) != 0;
		kiobuf_put(kb);
	}
	kthread_stop(task);
	pr_info("    # seen: %d roots, %d and %d clones\n", w.seen[0],
		w.seen[1], w.seen[2]);
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, w.odd, 0);
	KUNIT_EXPECT_TRUE(test, w.seen[1] && w.seen[2]);
	stack_free(s);
}

static struct kunit_case cancel_cases[] = {
	KUNIT_CASE(queued_are_pulled),
	KUNIT_CASE(started_is_waited_for),
	KUNIT_CASE(late_and_twice),
	KUNIT_CASE(no_new_children),
	KUNIT_CASE(not_enqueued),
	KUNIT_CASE(cascade),
	KUNIT_CASE(vetoed),
	KUNIT_CASE(walk),
	KUNIT_CASE(expire),
	KUNIT_CASE(shutdown),
	KUNIT_CASE(shutdown_above_queue),
	KUNIT_CASE(shutdown_vetoed),
	KUNIT_CASE(any),
	KUNIT_CASE(own_collation),
	KUNIT_CASE(cancel_or_complete),
	KUNIT_CASE(cancel_twice),
	KUNIT_CASE(cancel_or_clone),
	KUNIT_CASE(walk_under_load),
	{}
};

struct kunit_suite kio_cancel_suite = {
	.name		= "kio_cancel",
	.test_cases	= cancel_cases,
};
