// SPDX-License-Identifier: GPL-2.0
/* Gathered clones: which bytes they have, and what their results mean to the parent. */
#include "toy.h"

#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#define COLUMN (1 << 20)	/* bytes of the bottom that a column has */
#define COLUMNS 5
#define ROW 2			/* the first rows are not used */

struct striper {
	struct kiobuf_dev	dev;
	struct toy		*bottom;
	struct toy		*cutter;
	struct kiobuf_dev_ops	bottom_ops;
	struct kiobuf_stripes	stripes;
	int			cancel_at;	/* before this clone; 0: never */
	int			clones;
};

/* ---- arithmetic ---- */

struct shape {
	u32	chunk;
	u32	nr;
	u32	skip;
	u64	length;
};

static const struct shape shapes[] = {
	{ 4096, 1, 0, 16384 }, { 4096, 1, 512, 12288 },
	{ 4096, 2, 0, 16384 }, { 4096, 2, 3584, 9216 },
	{ 4096, 3, 0, 12288 }, { 4096, 3, 0, 12800 },
	{ 4096, 3, 512, 11776 }, { 4096, 3, 512, 12288 },
	{ 4096, 3, 1024, 65536 }, { 24576, 3, 20480, 131072 },
	{ 24576, 5, 0, 262144 }, { 512, 5, 0, 16384 },
	{ 1536, 5, 1024, 30720 }, { 4096, 5, 4095, 20482 },
	{ 4096, 2, 0, 1 }, { 4096, 3, 4095, 2 },
};

/* The bytes of column @n are those of the window whose chunk is its turn. */
static void check_comb(struct kunit *test, const struct shape *s,
		       const struct kiobuf_comb *comb, u32 n)
{
	u64 at, byte = 0, left, run = 0, got, bad = 0;

	for (at = 0; at < s->length; at++) {
		if ((at + s->skip) / s->chunk % s->nr != n) {
			bad += run != 0;
			run = 0;
			continue;
		}
		got = kiobuf_comb_at(comb, byte++, &left);
		bad += got != at || (run && left != run);
		run = left - 1;
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, byte, comb->length);
}

static void combs(struct kunit *test)
{
	struct kiobuf_stripes stripes;
	struct kiobuf_comb comb;
	const struct shape *s;
	u32 n;

	for (s = shapes; s < shapes + ARRAY_SIZE(shapes); s++)
		for (n = 0; n < s->nr; n++) {
			stripes = (struct kiobuf_stripes){ s->chunk, s->nr,
							   s->skip };
			kiobuf_comb_init(&comb, &stripes, s->length, n);
			check_comb(test, s, &comb, n);
		}
}

/* Sizes that 32 bits do not hold */
static void combs_large(struct kunit *test)
{
	static const struct kiobuf_stripes stripes = { 1U << 31, 3, 512 };
	struct kiobuf_comb comb;
	u64 left;

	kiobuf_comb_init(&comb, &stripes, 1ULL << 40, 1);
	KUNIT_EXPECT_EQ(test, comb.offset, (1ULL << 31) - 512);
	/* 170 rows are whole, and of the next one two chunks and the 512 bytes */
	KUNIT_EXPECT_EQ(test, comb.length, 171ULL << 31);
	KUNIT_EXPECT_EQ(test, kiobuf_comb_at(&comb, (100ULL << 31) + 7, &left),
			(301ULL << 31) - 512 + 7);
	KUNIT_EXPECT_EQ(test, left, (1ULL << 31) - 7);
	kiobuf_comb_init(&comb, &stripes, 1ULL << 40, 2);
	KUNIT_EXPECT_EQ(test, comb.length, (170ULL << 31) + 512);
}

/* ---- the rig ---- */

static struct striper *striper_of(struct kiobuf_dev *dev)
{
	return container_of(dev, struct striper, dev);
}

static u64 bottom_pos(const struct striper *s, u64 pos)
{
	u64 chunk = pos / s->stripes.chunk;

	return chunk % s->stripes.nr * COLUMN +
	       chunk / s->stripes.nr * s->stripes.chunk +
	       pos % s->stripes.chunk;
}

static int striper_submit(struct kiobuf *kb)
{
	struct striper *s = striper_of(kb->dev);

	s->clones = 0;
	s->stripes.skip = kb->pos % s->stripes.chunk;
	return KIOBUF_SPLIT;
}

static struct kiobuf *striper_next_child(struct kiobuf *parent)
{
	struct striper *s = striper_of(parent->dev);
	struct kiobuf *kb;

	if (s->cancel_at && s->clones == s->cancel_at)
		kiobuf_cancel(parent, -ECANCELED);
	kb = kiobuf_gather(parent, &s->stripes);
	if (IS_ERR_OR_NULL(kb))
		return kb;
	s->clones++;
	kb->pos = bottom_pos(s, kb->pos);
	kb->dev = &s->cutter->dev;
	return kb;
}

static const struct kiobuf_dev_ops striper_ops = {
	.submit		= striper_submit,
	.next_child	= striper_next_child,
};

static bool bottom_cancel(struct kiobuf_dev *dev, struct kiobuf *kb)
{
	return kiobuf_unqueue(&toy_of(dev)->held, kb);
}

static void striper_free(struct striper *s)
{
	if (s->dev.ops)
		kiobuf_dev_unregister(&s->dev);
	if (s->cutter)
		toy_free(s->cutter);
	if (s->bottom)
		toy_free(s->bottom);
	kfree(s);
}

static struct striper *striper_new(void)
{
	struct striper *s = kzalloc(sizeof(*s), GFP_KERNEL | __GFP_NOFAIL);

	s->bottom = toy_bottom("/bottom", COLUMNS * COLUMN);
	if (s->bottom)
		s->cutter = toy_cutter("/cutter", s->bottom, 0);
	if (s->cutter && !kiobuf_dev_register(&s->dev, "/striper",
					      &striper_ops)) {
		s->bottom_ops = *s->bottom->dev.ops;
		s->bottom_ops.cancel = bottom_cancel;
		kiobuf_dev_set_ops(&s->bottom->dev, &s->bottom_ops);
		return s;
	}
	striper_free(s);
	return NULL;
}

/* An I/O on a buffer in fragments of @cut bytes, each somewhere in its page. */
struct gather_io {
	struct kiobuf		root;
	struct kiobuf		kb;
	struct kiobuf_vec	*vec;
	u8			*data;
	int			*errors;	/* of each byte, as told */
	size_t			length;
};

static void io_free(struct gather_io *io)
{
	kiobuf_vec_put(io->vec);
	vfree(io->data);
	vfree(io->errors);
}

static bool io_new(struct gather_io *io, size_t length, u32 cut)
{
	size_t at;
	int ret = 0;

	*io = (struct gather_io){ .length = length };
	io->data = vzalloc(length);
	io->errors = vzalloc(array_size(length, sizeof(*io->errors)));
	io->vec = kiobuf_vec_alloc(length / cut + 1, GFP_KERNEL);
	if (io->data && io->errors && io->vec) {
		for (at = 0; at < length && !ret; at += cut)
			ret = kiobuf_vec_add_buffer(io->vec, io->data + at,
						    min_t(size_t, cut,
							  length - at),
						    GFP_KERNEL);
		if (!ret)
			return true;
	}
	io_free(io);
	return false;
}

static int io_fault(const struct kiobuf_fault *fault, void *arg)
{
	struct gather_io *io = arg;
	u64 i;

	for (i = 0; i < fault->length; i++)
		io->errors[fault->offset + i] = fault->error;
	return 0;
}

static void io_end(struct kiobuf *kb)
{
	struct gather_io *io = container_of(kb, struct gather_io, kb);

	memset(io->errors, 0, io->length * sizeof(*io->errors));
	kiobuf_walk_faults(kb, io_fault, io);
	kiobuf_done(kb);
}

static void io_submit(struct gather_io *io, struct striper *s,
		      enum kiobuf_op op, u64 pos)
{
	s->bottom->seen = 0;
	kiobuf_init(&io->kb, &s->dev, op, pos,
		    kiobuf_op_is_data(op) ? io->vec : NULL, io->length);
	io->kb.end_io = io_end;
	kiobuf_submit(&io->kb);
}

/* ---- data ---- */

static u8 pattern(u64 i)
{
	return i * 7 + (i >> 8) * 3 + 1;
}

static u64 wrong_bytes(const struct striper *s, const struct gather_io *io,
		       u64 pos)
{
	u64 i, wrong = 0;

	for (i = 0; i < io->length; i++)
		wrong += s->bottom->ram[bottom_pos(s, pos + i)] != io->data[i];
	return wrong;
}

static void write_and_read(struct kunit *test, struct striper *s,
			   const struct shape *shape, u32 cut)
{
	u64 row = (u64)shape->chunk * shape->nr * ROW, i;
	struct gather_io io;

	s->stripes.chunk = shape->chunk;
	s->stripes.nr = shape->nr;
	if (!io_new(&io, shape->length, cut)) {
		KUNIT_EXPECT_TRUE(test, false);
		return;
	}
	for (i = 0; i < io.length; i++)
		io.data[i] = pattern(i);
	memset(s->bottom->ram, 0, COLUMNS * COLUMN);
	io_submit(&io, s, KIOBUF_WRITE, row + shape->skip);
	KUNIT_EXPECT_EQ(test, io.kb.error, 0);
	KUNIT_EXPECT_EQ(test, io.kb.bytes, io.length);
	KUNIT_EXPECT_EQ(test, s->bottom->seen, shape->nr);
	KUNIT_EXPECT_EQ(test, wrong_bytes(s, &io, row + shape->skip), 0);
	memset(io.data, 0, io.length);
	io_submit(&io, s, KIOBUF_READ, row + shape->skip);
	KUNIT_EXPECT_EQ(test, s->bottom->seen, shape->nr);
	KUNIT_EXPECT_EQ(test, wrong_bytes(s, &io, row + shape->skip), 0);
	KUNIT_EXPECT_TRUE(test, io.data[io.length - 1] ==
				pattern(io.length - 1));
	io_free(&io);
}

static void data(struct kunit *test)
{
	static const u32 cuts[] = { 4096, 65536, 512, 1000, 4097 };
	struct striper *s = striper_new();
	const struct shape *shape;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	for (shape = shapes; shape < shapes + ARRAY_SIZE(shapes); shape++)
		for (i = 0; i < ARRAY_SIZE(cuts); i++)
			if (shape->skip + shape->length >
			    shape->chunk * shape->nr)
				write_and_read(test, s, shape, cuts[i]);
	striper_free(s);
}

/* A window that begins within a fragment of a vector, and ends in another */
static void data_of_clone(struct kunit *test)
{
	struct striper *s = striper_new();
	struct gather_io io;
	u64 i, wrong = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->stripes.chunk = 4096;
	s->stripes.nr = 3;
	KUNIT_EXPECT_TRUE(test, io_new(&io, 65536, 3000));
	for (i = 0; i < io.length; i++)
		io.data[i] = pattern(i);
	kiobuf_init(&io.root, &s->dev, KIOBUF_WRITE, 0, io.vec, io.length);
	KUNIT_EXPECT_EQ(test, kiobuf_init_clone(&io.kb, &io.root, 7000, 40960),
			0);
	kiobuf_submit(&io.kb);
	KUNIT_EXPECT_TRUE(test, kiobuf_is_done(&io.kb));
	kiobuf_endio(&io.root, io.length, 0);
	KUNIT_EXPECT_EQ(test, io.root.bytes, io.length);
	for (i = 7000; i < 7000 + 40960; i++)
		wrong += s->bottom->ram[bottom_pos(s, i)] != io.data[i];
	KUNIT_EXPECT_EQ(test, wrong, 0);
	io_free(&io);
	striper_free(s);
}

/* More fragments than the common table has */
static void large_table(struct kunit *test)
{
	static const struct shape shape = { 4096, 3, 512, 786432 };
	struct striper *s = striper_new();

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	write_and_read(test, s, &shape, 512);
	write_and_read(test, s, &shape, 2048);
	striper_free(s);
}

/* Too many fragments for a table, as if there was no memory: a clone each chunk. */
static void without_table(struct kunit *test)
{
	const struct shape shape = { 262144, 3, 4096, 9 * 262144 };
	struct striper *s = striper_new();
	struct gather_io io;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->stripes.chunk = shape.chunk;
	s->stripes.nr = shape.nr;
	KUNIT_EXPECT_TRUE(test, io_new(&io, shape.length, 128));
	get_random_bytes(io.data, io.length);
	io_submit(&io, s, KIOBUF_WRITE, shape.skip);
	KUNIT_EXPECT_EQ(test, io.kb.error, 0);
	KUNIT_EXPECT_EQ(test, s->bottom->seen, 10);
	KUNIT_EXPECT_EQ(test, wrong_bytes(s, &io, shape.skip), 0);
	io_free(&io);
	striper_free(s);
}

/* ---- results ---- */

/*
 * All of it in units of 512 bytes.
 * What breaks on the bottom, below a cutter at @border (0: none). The bottom reports a
 * prefix of each header, so what follows in the same header is bad too.
 */
struct result_case {
	u64		border;
	struct toy_bad	bad[TOY_BAD];
};

#define AT(column, pos) ((u64)(column) * COLUMN + (pos))

static const struct result_case results[] = {
	{ 0, { } },
	{ 0, { { AT(0, 0), 512, -EIO } } },
	{ 0, { { AT(1, 4096 + 512), 512, -ENOSPC } } },
	{ 0, { { AT(2, 16384), 1 << 19, -ETIMEDOUT } } },
	{ 0, { { AT(2, 0), 4096, -EIO }, { AT(0, 8192), 512, -ENODATA } } },
	{ 0, { { AT(0, 8192), 512, -ENODATA }, { AT(1, 8192), 512, -EIO },
	       { AT(2, 8192), 512, -ENOSPC } } },
	{ 8192, { { AT(0, 0), 512, -EIO } } },
	{ 8192, { { AT(1, 6144), 4096, -EIO } } },
	{ 6144, { { AT(1, 6144), 512, -EIO }, { AT(1, 0), 512, -EILSEQ },
		  { AT(2, 5632), 1024, -ENOSPC } } },
	{ 512, { { AT(0, 4096), 512, -EIO }, { AT(1, 4608), 1024, -EILSEQ },
		 { AT(2, 9216), 2048, -ENOSPC } } },
};

/* Columns end in these orders. */
static const int orders[][3] = { { 0, 1, 2 }, { 2, 1, 0 }, { 1, 2, 0 } };

static int bad_at(const struct result_case *c, u64 pos)
{
	int i;

	for (i = 0; i < TOY_BAD; i++)
		if (c->bad[i].error && pos >= c->bad[i].pos &&
		    pos - c->bad[i].pos < c->bad[i].length)
			return c->bad[i].error;
	return 0;
}

/* The errno of a byte: that of the first bad one before it in the same header. */
static int error_at(const struct striper *s, const struct result_case *c,
		    u64 first, u64 pos)
{
	u64 below = bottom_pos(s, pos), column = below / COLUMN;
	u64 from = c->border ? rounddown(below, c->border) : 0;
	int error = 0;

	from = max3(from, column * COLUMN, first);
	for (; from <= below && !error; from += 512)
		error = bad_at(c, from);
	return error;
}

/* Where the header that holds @pos begins on the bottom. */
static u64 first_below(const struct striper *s, u64 start, u64 pos)
{
	u64 p;

	for (p = start; p < pos; p += 512)
		if (bottom_pos(s, p) / COLUMN == bottom_pos(s, pos) / COLUMN)
			return bottom_pos(s, p);
	return bottom_pos(s, pos);
}

static void check_result(struct kunit *test, const struct striper *s,
			 const struct result_case *c, struct gather_io *io,
			 u64 pos)
{
	u64 i, good = io->length, wrong = 0;
	int error = 0;

	for (i = 0; i < io->length; i += 512) {
		int want = error_at(s, c, first_below(s, pos, pos + i),
				    pos + i);

		wrong += io->errors[i] != want || io->errors[i + 511] != want;
		if (want && !error) {
			error = want;
			good = i;
		}
	}
	KUNIT_EXPECT_EQ(test, wrong, 0);
	KUNIT_EXPECT_EQ(test, io->kb.error, error);
	KUNIT_EXPECT_EQ(test, io->kb.bytes, good);
}

static int end_in_order(struct toy *bottom, const int *order)
{
	struct kiobuf *held[3];
	int nr = 0, i;

	while (nr < 3 && (held[nr] = kiobuf_dequeue(&bottom->held)))
		nr++;
	for (i = 0; nr == 3 && i < nr; i++)
		toy_end(held[order[i]]);
	return nr;
}

static void result_run(struct kunit *test, struct striper *s,
		       const struct result_case *c, const int *order,
		       enum kiobuf_op op, u64 pos)
{
	struct gather_io io;

	if (!io_new(&io, 49152, 4096)) {
		KUNIT_EXPECT_TRUE(test, false);
		return;
	}
	memcpy(s->bottom->bad, c->bad, sizeof(c->bad));
	s->cutter->border = c->border;
	s->bottom->hold = !c->border;
	io_submit(&io, s, op, pos);
	if (!c->border)
		KUNIT_EXPECT_EQ(test, end_in_order(s->bottom, order), 3);
	KUNIT_EXPECT_TRUE(test, kiobuf_is_done(&io.kb));
	check_result(test, s, c, &io, pos);
	io_free(&io);
}

static void result_mapping(struct kunit *test)
{
	struct striper *s = striper_new();
	int i, n;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->stripes.chunk = 4096;
	s->stripes.nr = 3;
	for (i = 0; i < ARRAY_SIZE(results); i++)
		for (n = 0; n < ARRAY_SIZE(orders); n++) {
			result_run(test, s, &results[i], orders[n],
				   KIOBUF_READ, 0);
			result_run(test, s, &results[i], orders[n],
				   KIOBUF_DISCARD, 5632);
		}
	striper_free(s);
}

/* An errno that comes with all bytes of a column lies behind its last one. */
static void error_with_all(struct kunit *test)
{
	struct striper *s = striper_new();
	struct gather_io io;
	struct kiobuf *kb;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->stripes.chunk = 4096;
	s->stripes.nr = 3;
	s->bottom->hold = true;
	KUNIT_EXPECT_TRUE(test, io_new(&io, 7 * 4096, 4096));
	io_submit(&io, s, KIOBUF_READ, 0);
	for (i = 0; i < 3; i++) {
		kb = kiobuf_dequeue(&s->bottom->held);
		KUNIT_EXPECT_TRUE(test, kb);
		kiobuf_endio(kb, kb->length, i == 1 ? -EIO : 0);
	}
	KUNIT_EXPECT_EQ(test, io.kb.error, -EIO);
	KUNIT_EXPECT_EQ(test, io.kb.bytes, 5 * 4096);
	for (i = 0; i < io.length; i++)
		if (io.errors[i])
			break;
	KUNIT_EXPECT_EQ(test, i, io.length);
	io_free(&io);
	striper_free(s);
}

/* The columns that were out before the cancel are good, no other byte is. */
static void cancel_between(struct kunit *test)
{
	struct striper *s = striper_new();
	struct gather_io io;
	u64 i, wrong = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->stripes.chunk = 4096;
	s->stripes.nr = 3;
	s->cancel_at = 1;
	KUNIT_EXPECT_TRUE(test, io_new(&io, 49152, 4096));
	io_submit(&io, s, KIOBUF_READ, 512);
	KUNIT_EXPECT_EQ(test, io.kb.error, -ECANCELED);
	KUNIT_EXPECT_EQ(test, io.kb.bytes, 3584);
	for (i = 0; i < io.length; i++)
		wrong += io.errors[i] !=
			 ((512 + i) / 4096 % 3 ? -ECANCELED : 0);
	KUNIT_EXPECT_EQ(test, wrong, 0);
	io_free(&io);
	striper_free(s);
}

static void cancel_held(struct kunit *test)
{
	struct striper *s = striper_new();
	struct gather_io io;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s);
	s->stripes.chunk = 4096;
	s->stripes.nr = 3;
	s->bottom->hold = true;
	KUNIT_EXPECT_TRUE(test, io_new(&io, 49152, 4096));
	io_submit(&io, s, KIOBUF_READ, 0);
	KUNIT_EXPECT_TRUE(test, toy_end_next(s->bottom));
	KUNIT_EXPECT_EQ(test, kiobuf_cancel(&io.kb, -EINTR), 0);
	KUNIT_EXPECT_TRUE(test, kiobuf_is_done(&io.kb));
	KUNIT_EXPECT_EQ(test, io.kb.error, -EINTR);
	KUNIT_EXPECT_EQ(test, io.kb.bytes, 4096);
	KUNIT_EXPECT_EQ(test, io.errors[3 * 4096], 0);
	KUNIT_EXPECT_EQ(test, io.errors[4 * 4096], -EINTR);
	io_free(&io);
	striper_free(s);
}

static struct kunit_case gather_cases[] = {
	KUNIT_CASE(combs),
	KUNIT_CASE(combs_large),
	KUNIT_CASE(data),
	KUNIT_CASE(data_of_clone),
	KUNIT_CASE(large_table),
	KUNIT_CASE(without_table),
	KUNIT_CASE(result_mapping),
	KUNIT_CASE(error_with_all),
	KUNIT_CASE(cancel_between),
	KUNIT_CASE(cancel_held),
	{}
};

struct kunit_suite kio_gather_suite = {
	.name = "kio_gather",
	.test_cases = gather_cases,
};
