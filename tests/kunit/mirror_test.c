// SPDX-License-Identifier: GPL-2.0
/* What a mirror is made with: going on with the parent, guards, firmness; and room. */
#include "toy.h"

#include <linux/slab.h>

#define LEGS 3
#define SIZE 4096

struct mirror {
	struct kiobuf_dev	dev;
	struct toy		*leg[LEGS];
	bool			forgive;	/* as long as one leg has it */
	atomic_t		failed;
	int			clones;
	int			own;
	int			guards;
	bool			guarded;
};

struct mirror_io {
	struct kiobuf		kb;
	struct kiobuf_frame	frame[2];
};

static struct mirror *mirror_of(struct kiobuf_dev *dev)
{
	return container_of(dev, struct mirror, dev);
}

static bool mirror_lost(struct mirror *m)
{
	return atomic_inc_return(&m->failed) == LEGS || !m->forgive;
}

static enum kiobuf_climb mirror_endio(struct kiobuf *kb,
				      const struct kiobuf_frame *frame)
{
	struct mirror *m = mirror_of(kb->dev);

	m->guards++;
	m->own = kiobuf_own_error(kb);
	if (m->own && mirror_lost(m))
		kiobuf_fail(kb, 0, m->own);
	return KIOBUF_CLIMB;
}

static int mirror_submit(struct kiobuf *kb)
{
	kb->flags |= KIOBUF_FIRM;
	mirror_of(kb->dev)->guarded = kiobuf_push_guard(kb, mirror_endio, 0);
	return KIOBUF_SPLIT;
}

static struct kiobuf *mirror_next_child(struct kiobuf *parent)
{
	struct mirror *m = mirror_of(parent->dev);
	u32 leg = parent->carved;
	struct kiobuf *kb;

	if (leg == LEGS)
		return NULL;
	if (leg == LEGS - 1 && m->guarded &&
	    kiobuf_go_on(parent, &m->leg[leg]->dev, parent->pos + leg))
		return parent;
	kb = kiobuf_mirror(parent, parent->length);
	if (IS_ERR(kb))
		return kb;
	m->clones++;
	kb->dev = &m->leg[leg]->dev;
	kb->pos += leg;
	parent->carved++;
	return kb;
}

static void mirror_collate(struct kiobuf_dev *dev, struct kiobuf *parent,
			   struct kiobuf *child)
{
	if (mirror_lost(mirror_of(dev)))
		kiobuf_collate_prefix(parent, child);
}

static const struct kiobuf_dev_ops mirror_ops = {
	.submit		= mirror_submit,
	.next_child	= mirror_next_child,
	.collate	= mirror_collate,
};

static struct mirror *mirror_new(u32 leaf)
{
	static const char *const names[LEGS] = { "/leg0", "/leg1", "/leg2" };
	struct mirror *m = kzalloc(sizeof(*m), GFP_KERNEL | __GFP_NOFAIL);
	int i;

	for (i = 0; i < LEGS; i++) {
		m->leg[i] = toy_bottom(names[i], 4 * SIZE);
		if (!m->leg[i])
			return NULL;
		m->leg[i]->dev.flags |= leaf;
		m->leg[i]->hold = true;
	}
	return kiobuf_dev_register(&m->dev, "/mirror", &mirror_ops) ? NULL : m;
}

static void mirror_free(struct mirror *m)
{
	int i;

	kiobuf_dev_unregister(&m->dev);
	for (i = 0; i < LEGS; i++)
		toy_free(m->leg[i]);
	kfree(m);
}

static void mirror_begin(struct mirror *m, struct mirror_io *io, u8 frames)
{
	m->clones = 0;
	m->guards = 0;
	m->own = 0;
	atomic_set(&m->failed, 0);
	kiobuf_init(&io->kb, &m->dev, KIOBUF_DISCARD, SIZE, NULL, SIZE);
	kiobuf_lend_frames(&io->kb, frames);
	kiobuf_submit(&io->kb);
}

/* Bytes from @good on fail on a leg, which has moved the position by its number. */
static void mirror_break(struct mirror *m, int leg, u64 good, int error)
{
	m->leg[leg]->bad[0] = (struct toy_bad){ SIZE + leg + good, SIZE, error };
}

static void mirror_end(struct kunit *test, struct mirror *m,
		       struct mirror_io *io, const int *order)
{
	int i;

	for (i = 0; i < LEGS; i++) {
		KUNIT_EXPECT_FALSE(test, kiobuf_is_done(&io->kb));
		KUNIT_EXPECT_TRUE(test, toy_end_next(m->leg[order[i]]));
	}
	KUNIT_EXPECT_TRUE(test, kiobuf_is_done(&io->kb));
	KUNIT_EXPECT_PTR_EQ(test, io->kb.dev, &m->dev);
	KUNIT_EXPECT_EQ(test, io->kb.pos, SIZE);
	KUNIT_EXPECT_PTR_EQ(test, io->kb.frames, NULL);
}

static const int mirror_orders[][LEGS] = {
	{ 0, 1, 2 }, { 2, 0, 1 }, { 1, 2, 0 },
};

/* What each leg does, and what comes of it. */
struct mirror_case {
	int	error[LEGS];
	u64	good[LEGS];
	bool	forgive;
	int	want;
	u64	bytes;
};

static const struct mirror_case mirror_cases[] = {
	{ .bytes = SIZE },
	{ { -EIO, 0, 0 }, { 512, 0, 0 }, false, -EIO, 512 },
	{ { 0, 0, -EIO }, { 0, 0, 0 }, false, -EIO, 0 },
	{ { 0, -ENOSPC, -EIO }, { 0, 512, 0 }, false, -EIO, 0 },
	{ { -EIO, 0, 0 }, { 512, 0, 0 }, true, 0, SIZE },
	{ { 0, 0, -EIO }, { 0, 0, 0 }, true, 0, SIZE },
	{ { 0, -EIO, -EIO }, { 0, 512, 0 }, true, 0, SIZE },
	{ { -EIO, -EIO, -EIO }, { 0, 0, 0 }, true, -EIO, 0 },
};

static void mirror_run(struct kunit *test, struct mirror *m,
		       const struct mirror_case *c, const int *order,
		       u8 frames)
{
	struct mirror_io io;
	int leg;

	m->forgive = c->forgive;
	for (leg = 0; leg < LEGS; leg++)
		mirror_break(m, leg, c->good[leg], c->error[leg]);
	mirror_begin(m, &io, frames);
	mirror_end(test, m, &io, order);
	KUNIT_EXPECT_EQ(test, io.kb.error, c->want);
	KUNIT_EXPECT_EQ(test, io.kb.bytes, c->bytes);
	KUNIT_EXPECT_EQ(test, io.kb.spare, frames);
	KUNIT_EXPECT_EQ(test, m->own, m->clones < LEGS ? c->error[2] : 0);
}

static void mirror_run_all(struct kunit *test, u32 leaf, u8 frames, int clones)
{
	struct mirror *m = mirror_new(leaf);
	int i, n;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, m);
	for (i = 0; i < ARRAY_SIZE(mirror_cases); i++) {
		for (n = 0; n < ARRAY_SIZE(mirror_orders); n++) {
			mirror_run(test, m, &mirror_cases[i], mirror_orders[n],
				   frames);
			KUNIT_EXPECT_EQ(test, m->clones, clones);
		}
	}
	mirror_free(m);
}

/* The last leg gets the parent itself: its failure is told from those of clones. */
static void went_on(struct kunit *test)
{
	mirror_run_all(test, KIOBUF_DEV_LEAF, 1, LEGS - 1);
}

/* A clone for each leg where that cannot be. */
static void all_clones(struct kunit *test)
{
	mirror_run_all(test, KIOBUF_DEV_LEAF, 0, LEGS);
	mirror_run_all(test, 0, 1, LEGS);
}

/* All legs or none, also when the parent is on one of them. */
static void firm(struct kunit *test)
{
	struct mirror *m = mirror_new(KIOBUF_DEV_LEAF);
	struct mirror_io io;
	int leg;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, m);
	mirror_begin(m, &io, 1);
	for (leg = LEGS - 1; leg >= 0; leg--) {
		KUNIT_EXPECT_EQ(test, kiobuf_cancel(&io.kb, -ECANCELED),
				-EBUSY);
		KUNIT_EXPECT_TRUE(test, toy_end_next(m->leg[leg]));
	}
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&io.kb), 0);
	KUNIT_EXPECT_EQ(test, io.kb.bytes, SIZE);
	mirror_free(m);
}

static enum kiobuf_climb count_endio(struct kiobuf *kb,
				     const struct kiobuf_frame *frame)
{
	++*(int *)kb->private;
	return KIOBUF_CLIMB;
}

/* A guard may be left out of a success, a frame pushed before or after it may not. */
static void guards(struct kunit *test)
{
	static const struct { bool guard[2]; int error, want; } cases[] = {
		{ { true, true }, 0, 0 }, { { true, true }, -EIO, 2 },
		{ { true, false }, 0, 2 }, { { false, true }, 0, 2 },
		{ { false, true }, -EIO, 2 },
	};
	struct mirror_io io;
	int i, n, seen;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		seen = 0;
		kiobuf_init(&io.kb, NULL, KIOBUF_DISCARD, 0, NULL, SIZE);
		kiobuf_lend_frames(&io.kb, 2);
		io.kb.private = &seen;
		for (n = 0; n < 2; n++)
			KUNIT_EXPECT_TRUE(test, cases[i].guard[n] ?
				kiobuf_push_guard(&io.kb, count_endio, 0) :
				kiobuf_push_frame(&io.kb, count_endio, 0));
		KUNIT_EXPECT_FALSE(test, kiobuf_push_guard(&io.kb, count_endio,
							   0));
		kiobuf_endio(&io.kb, SIZE, cases[i].error);
		KUNIT_EXPECT_TRUE(test, kiobuf_is_done(&io.kb));
		KUNIT_EXPECT_EQ(test, seen, cases[i].want);
		KUNIT_EXPECT_EQ(test, io.kb.spare, 2);
	}
}

/* Behind header and frames, of the size that the device has asked for. */
static void room(struct kunit *test)
{
	struct toy *toy = kzalloc(sizeof(*toy), GFP_KERNEL | __GFP_NOFAIL);
	static const struct kiobuf_dev_ops ops = { .submit = mirror_submit };
	struct mirror_io io;
	struct kiobuf *kb;
	void *at;

	toy->dev.room = 64;
	KUNIT_EXPECT_EQ(test, kiobuf_dev_register(&toy->dev, "/roomy", &ops),
			0);
	kiobuf_init(&io.kb, &toy->dev, KIOBUF_DISCARD, 0, NULL, SIZE);
	KUNIT_EXPECT_PTR_EQ(test, kiobuf_room(&io.kb, 1), NULL);
	kb = kiobuf_alloc_clone(&io.kb, 0, SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kb);
	at = kiobuf_room(kb, 64);
	KUNIT_EXPECT_TRUE(test, at >= (void *)(kb + 1) +
				sizeof(struct kiobuf_frame) * kb->spare);
	KUNIT_EXPECT_PTR_EQ(test, kiobuf_room(kb, 65), NULL);
	memset(at, 0xff, 64);
	kiobuf_endio(kb, SIZE, 0);
	kiobuf_endio(&io.kb, SIZE, 0);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&io.kb), 0);
	kiobuf_dev_unregister(&toy->dev);
	kfree(toy);
}

static struct kunit_case mirror_test_cases[] = {
	KUNIT_CASE(went_on),
	KUNIT_CASE(all_clones),
	KUNIT_CASE(firm),
	KUNIT_CASE(guards),
	KUNIT_CASE(room),
	{}
};

struct kunit_suite kio_mirror_suite = {
	.name		= "kio_mirror",
	.test_cases	= mirror_test_cases,
};
