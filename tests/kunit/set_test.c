// SPDX-License-Identifier: GPL-2.0
/* Several buffers as one I/O: sets, chunks, merges; large I/O; doing without. */
#include "toy.h"

#include <linux/blk_types.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/ioprio.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

/* One buffer with its header and vector. */
struct piece {
	struct kiobuf		kb;
	struct kiobuf_vec	*vec;
	u8			*data;
	int			ends;
};

static void piece_end_io(struct kiobuf *kb)
{
	container_of(kb, struct piece, kb)->ends++;
	kiobuf_done(kb);
}

static void pieces_free(struct piece *pieces, int nr)
{
	while (nr--) {
		kiobuf_vec_put(pieces[nr].vec);
		kfree(pieces[nr].data);
	}
	kvfree(pieces);
}

static bool piece_fill(struct piece *p, int seed, size_t length)
{
	/* Unaligned, so that it takes more than one fragment to mean it. */
	p->data = kmalloc(length + 3, GFP_KERNEL);
	p->vec = kiobuf_vec_alloc(2, GFP_KERNEL);
	if (!p->data || !p->vec)
		return false;
	memset(p->data, seed + 1, length + 3);
	return !kiobuf_vec_add_buffer(p->vec, p->data + 3, 100, GFP_KERNEL) &&
	       !kiobuf_vec_add_buffer(p->vec, p->data + 103, length - 100,
				      GFP_KERNEL);
}

static struct piece *pieces_new(int nr, size_t length)
{
	struct piece *pieces = kvcalloc(nr, sizeof(*pieces), GFP_KERNEL);
	int i;

	for (i = 0; pieces && i < nr; i++)
		if (!piece_fill(&pieces[i], i, length)) {
			pieces_free(pieces, nr);
			return NULL;
		}
	return pieces;
}

static bool all_are(const u8 *p, u8 byte, size_t length)
{
	return !memchr_inv(p, byte, length);
}

/* ---- sets ---- */

#define MEMBERS 100
#define LENGTH 512
#define APART 1536	/* from one member on the device to the next */

static void set_submit(struct kunit *test, struct kiobuf *set,
		       struct piece *pieces, int nr, struct toy *bottom)
{
	int i;

	kiobuf_init_set(set);
	for (i = 0; i < nr; i++) {
		struct kiobuf *kb = &pieces[i].kb;

		KUNIT_EXPECT_EQ(test, kiobuf_init_member(kb, set, &bottom->dev,
							 KIOBUF_WRITE, i * APART,
							 pieces[i].vec, LENGTH),
				0);
		kb->end_io = piece_end_io;
		kiobuf_submit(kb);
	}
	kiobuf_endio(set, set->length, 0);
}

/* Ends what the bottom keeps, in an order that is not that of the set. */
static int end_scrambled(struct toy *bottom, struct piece *pieces, int nr,
			 struct kiobuf *set)
{
	int i, at, bad = 0;

	while (kiobuf_dequeue(&bottom->held))
		;
	for (i = 0; i < nr; i++) {
		at = i * 37 % nr;
		bad += pieces[at].ends || kiobuf_is_done(&pieces[at].kb) ||
		       kiobuf_is_done(set);
		toy_end(&pieces[at].kb);
		bad += pieces[at].ends != 1 || !kiobuf_is_done(&pieces[at].kb);
	}
	return bad;
}

static void hundred_buffers(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/ram", MEMBERS * APART);
	struct piece *pieces = pieces_new(MEMBERS, LENGTH);
	struct kiobuf set;
	int i, bad = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pieces);
	bottom->hold = true;
	set_submit(test, &set, pieces, MEMBERS, bottom);
	KUNIT_EXPECT_EQ(test, bottom->held.nr, MEMBERS);
	KUNIT_EXPECT_EQ(test, end_scrambled(bottom, pieces, MEMBERS, &set), 0);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&set), 0);
	KUNIT_EXPECT_EQ(test, set.bytes, MEMBERS * LENGTH);
	for (i = 0; i < MEMBERS; i++) {
		u8 *at = bottom->ram + i * APART;

		bad += !all_are(at, i + 1, LENGTH);
		bad += !all_are(at + LENGTH, 0, APART - LENGTH);
		bad += kiobuf_wait(&pieces[i].kb) != 0;
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	pieces_free(pieces, MEMBERS);
	toy_free(bottom);
}

#define FEW 5
#define MOST_RANGES 3

/* Bad bytes of the device, where member i is at i * APART; what the set says. */
static const struct {
	struct toy_bad		bad[TOY_BAD];
	u64			bytes;
	int			error;
	struct kiobuf_fault	ranges[MOST_RANGES];
} failures[] = {
	{ { }, FEW * LENGTH, 0, { } },
	{ { { 0, 1, -EIO } }, 0, -EIO, { { 0, LENGTH, -EIO } } },
	{ { { 4 * APART + 500, 1, -ENOSPC } }, 4 * LENGTH + 500, -ENOSPC,
	  { { 4 * LENGTH + 500, 12, -ENOSPC } } },
	/* between the members: nobody's */
	{ { { 2 * APART + LENGTH, 100, -EIO } }, FEW * LENGTH, 0, { } },
	/* two apart, the lower one counts */
	{ { { 3 * APART, 9, -EIO }, { APART + 7, 1, -EILSEQ } },
	  LENGTH + 7, -EILSEQ,
	  { { LENGTH + 7, LENGTH - 7, -EILSEQ },
	    { 3 * LENGTH, LENGTH, -EIO } } },
	/* two that touch: one range if the errno is the same, else two */
	{ { { APART, 1, -EIO }, { 2 * APART, 1, -EIO } }, LENGTH, -EIO,
	  { { LENGTH, 2 * LENGTH, -EIO } } },
	{ { { APART, 1, -EIO }, { 2 * APART, 1, -EREMOTE } }, LENGTH, -EIO,
	  { { LENGTH, LENGTH, -EIO }, { 2 * LENGTH, LENGTH, -EREMOTE } } },
};

struct ranges {
	struct kiobuf_fault	fault[MOST_RANGES + 1];
	int			nr;
};

static int take_range(const struct kiobuf_fault *fault, void *arg)
{
	struct ranges *r = arg;

	r->fault[r->nr] = *fault;
	return ++r->nr > MOST_RANGES;
}

static void ranges_end_io(struct kiobuf *set)
{
	kiobuf_walk_faults(set, take_range, set->private);
	kiobuf_done(set);
}

static bool ranges_are(const struct ranges *r, const struct kiobuf_fault *want)
{
	int i;

	for (i = 0; i < r->nr && r->nr <= MOST_RANGES; i++)
		if (r->fault[i].offset != want[i].offset ||
		    r->fault[i].length != want[i].length ||
		    r->fault[i].error != want[i].error)
			return false;
	return i == r->nr && (i == MOST_RANGES || !want[i].error);
}

static void one_failure(struct kunit *test, int i, struct toy *bottom)
{
	struct piece *pieces = pieces_new(FEW, LENGTH);
	struct ranges ranges = {};
	struct kiobuf set;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pieces);
	memcpy(bottom->bad, failures[i].bad, sizeof(bottom->bad));
	set_submit(test, &set, pieces, FEW, bottom);
	set.end_io = ranges_end_io;
	set.private = &ranges;
	KUNIT_EXPECT_EQ(test, end_scrambled(bottom, pieces, FEW, &set), 0);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&set), failures[i].error);
	KUNIT_EXPECT_EQ(test, set.bytes, failures[i].bytes);
	KUNIT_EXPECT_TRUE(test, ranges_are(&ranges, failures[i].ranges));
	pieces_free(pieces, FEW);
}

static void failing_members(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/ram", FEW * APART);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	bottom->hold = true;
	for (i = 0; i < ARRAY_SIZE(failures); i++)
		one_failure(test, i, bottom);
	toy_free(bottom);
}

struct note {
	struct wait_queue_entry	entry;
	int			calls;
};

static int note_wake(struct wait_queue_entry *entry, unsigned int mode,
		     int flags, void *key)
{
	list_del_init(&entry->entry);
	container_of(entry, struct note, entry)->calls++;
	return 0;
}

/* The first member's waiter runs while the second is still on its way. */
static void early_notice(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/ram", 2 * APART);
	struct piece *pieces = pieces_new(2, LENGTH);
	struct note first = {}, whole = {};
	struct kiobuf set;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pieces);
	init_waitqueue_func_entry(&first.entry, note_wake);
	init_waitqueue_func_entry(&whole.entry, note_wake);
	bottom->hold = true;
	set_submit(test, &set, pieces, 2, bottom);
	KUNIT_EXPECT_TRUE(test, kiobuf_add_waiter(&pieces[0].kb, &first.entry));
	KUNIT_EXPECT_TRUE(test, kiobuf_add_waiter(&set, &whole.entry));
	KUNIT_EXPECT_TRUE(test, toy_end_next(bottom));
	KUNIT_EXPECT_EQ(test, first.calls, 1);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&pieces[0].kb), 0);
	KUNIT_EXPECT_EQ(test, bottom->held.nr, 1);
	KUNIT_EXPECT_FALSE(test, kiobuf_is_done(&pieces[1].kb));
	KUNIT_EXPECT_EQ(test, whole.calls, 0);
	KUNIT_EXPECT_TRUE(test, toy_end_next(bottom));
	KUNIT_EXPECT_EQ(test, whole.calls, 1);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&set), 0);
	pieces_free(pieces, 2);
	toy_free(bottom);
}

/* ---- pipelined chunks ---- */

#define CHUNKS 24
#define WINDOW 4
#define CHUNK 512

/* Ends all that is in flight, the youngest first. */
static int end_backwards(struct toy *bottom)
{
	struct kiobuf *kb[WINDOW];
	int nr = 0, n;

	while (nr < WINDOW && (kb[nr] = kiobuf_dequeue(&bottom->held)))
		nr++;
	for (n = nr; n--;)
		toy_end(kb[n]);
	return nr;
}

/* Reads a device in chunks, some ahead; they end in no order, but are used in order. */
static void pipelined(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/ram", CHUNKS * CHUNK);
	struct piece *pieces = pieces_new(CHUNKS, CHUNK);
	int sent = 0, used, most = 0, bad = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pieces);
	bottom->hold = true;
	for (used = 0; used < CHUNKS; used++) {
		struct kiobuf *kb = &pieces[used].kb;

		for (; sent < CHUNKS && sent < used + WINDOW; sent++) {
			memset(bottom->ram + sent * CHUNK, 200 - sent, CHUNK);
			kiobuf_init(&pieces[sent].kb, &bottom->dev, KIOBUF_READ,
				    sent * CHUNK, pieces[sent].vec, CHUNK);
			kiobuf_submit(&pieces[sent].kb);
		}
		if (!kiobuf_is_done(kb))
			most = max(most, end_backwards(bottom));
		bad += kiobuf_wait(kb) || kb->bytes != CHUNK;
		bad += !all_are(pieces[used].data + 3, 200 - used, CHUNK);
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_TRUE(test, most >= 2);
	KUNIT_EXPECT_EQ(test, bottom->seen, CHUNKS);
	pieces_free(pieces, CHUNKS);
	toy_free(bottom);
}

/* ---- merges ---- */

#define UPPERS 4
#define FIRST_POS 1024

static void uppers_init(struct piece *pieces, struct kiobuf_dev *dev,
			struct list_head *list)
{
	int i;

	INIT_LIST_HEAD(list);
	for (i = 0; i < UPPERS; i++) {
		struct kiobuf *kb = &pieces[i].kb;

		kiobuf_init(kb, dev, KIOBUF_WRITE, FIRST_POS + i * LENGTH,
			    pieces[i].vec, LENGTH);
		kb->end_io = piece_end_io;
		pieces[i].ends = 0;
		list_add_tail(&kb->queue, list);
	}
}

/* One I/O at the device, and an end for each upper. */
static void merge_neighbours(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/ram", 8192);
	struct piece *pieces = pieces_new(UPPERS, LENGTH);
	struct kiobuf *kb;
	LIST_HEAD(list);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pieces);
	bottom->hold = true;
	uppers_init(pieces, &bottom->dev, &list);
	kb = kiobuf_merge(&list, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kb);
	KUNIT_EXPECT_TRUE(test, list_empty(&list));
	kiobuf_submit(kb);
	KUNIT_EXPECT_EQ(test, bottom->seen, 1);
	KUNIT_EXPECT_EQ(test, bottom->log[0].pos, FIRST_POS);
	KUNIT_EXPECT_EQ(test, bottom->log[0].length, UPPERS * LENGTH);
	KUNIT_EXPECT_EQ(test, pieces[0].ends, 0);
	KUNIT_EXPECT_TRUE(test, toy_end_next(bottom));
	for (i = 0; i < UPPERS; i++) {
		KUNIT_EXPECT_EQ(test, pieces[i].ends, 1);
		KUNIT_EXPECT_EQ(test, kiobuf_wait(&pieces[i].kb), 0);
		KUNIT_EXPECT_EQ(test, pieces[i].kb.bytes, LENGTH);
		KUNIT_EXPECT_TRUE(test, all_are(bottom->ram + FIRST_POS +
						i * LENGTH, i + 1, LENGTH));
	}
	pieces_free(pieces, UPPERS);
	toy_free(bottom);
}

/* Windows in the middle of vectors, put together. */
static void merge_windows(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/ram", 8192);
	struct piece *pieces = pieces_new(2, 1024);
	struct kiobuf *kb;
	LIST_HEAD(list);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pieces);
	for (i = 0; i < 2; i++) {
		memset(pieces[i].data + 3 + 60, 0x77 + i, 512);
		kb = &pieces[i].kb;
		kiobuf_init(kb, &bottom->dev, KIOBUF_WRITE, i * 512,
			    pieces[i].vec, 512);
		kb->skip = 60;	/* of the first fragment's 100 bytes */
		list_add_tail(&kb->queue, &list);
	}
	kb = kiobuf_merge(&list, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kb);
	KUNIT_EXPECT_EQ(test, kiobuf_nr_frags(kb), 4);
	kiobuf_submit(kb);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&pieces[1].kb), 0);
	KUNIT_EXPECT_TRUE(test, all_are(bottom->ram, 0x77, 512));
	KUNIT_EXPECT_TRUE(test, all_are(bottom->ram + 512, 0x78, 512));
	pieces_free(pieces, 2);
	toy_free(bottom);
}

/*
 * Faults at the bottom, what each upper gets. Uppers are LENGTH bytes each, from
 * FIRST_POS on; @border is where a device in between cuts, 0: nowhere.
 */
static const struct {
	u64		border;
	struct toy_bad	bad[TOY_BAD];
	struct {
		u64 bytes;
		int error;
	} want[UPPERS];
} merges[] = {
	{ 0, { }, { { 512 }, { 512 }, { 512 }, { 512 } } },
	/* in one piece, all from the first bad byte on fails */
	{ 0, { { 1024, 1, -EIO } },
	  { { 0, -EIO }, { 0, -EIO }, { 0, -EIO }, { 0, -EIO } } },
	{ 0, { { 1024 + 511, 1, -ENOLINK } },
	  { { 511, -ENOLINK }, { 0, -ENOLINK }, { 0, -ENOLINK },
	    { 0, -ENOLINK } } },
	{ 0, { { 1024 + 512, 1, -EIO } },
	  { { 512 }, { 0, -EIO }, { 0, -EIO }, { 0, -EIO } } },
	{ 0, { { 1024 + 1500, 9, -EIO } },
	  { { 512 }, { 512 }, { 476, -EIO }, { 0, -EIO } } },
	{ 0, { { 1024 + 2047, 1, -EIO } },
	  { { 512 }, { 512 }, { 512 }, { 511, -EIO } } },
	/* split at the uppers' own borders: who was hit, and nobody else */
	{ 512, { }, { { 512 }, { 512 }, { 512 }, { 512 } } },
	{ 512, { { 1024, 1, -EIO } },
	  { { 0, -EIO }, { 512 }, { 512 }, { 512 } } },
	{ 512, { { 1024 + 600, 1, -ENOLINK }, { 1024 + 1600, 9, -EIO } },
	  { { 512 }, { 88, -ENOLINK }, { 512 }, { 64, -EIO } } },
	{ 512, { { 1024 + 500, 20, -EIO } },
	  { { 500, -EIO }, { 0, -EIO }, { 512 }, { 512 } } },
	/* pieces smaller than an upper, and across two of them */
	{ 128, { { 1024 + 512 + 130, 1, -EIO } },
	  { { 512 }, { 130, -EIO }, { 512 }, { 512 } } },
	{ 768, { }, { { 512 }, { 512 }, { 512 }, { 512 } } },
	{ 768, { { 1024 + 600, 1, -EIO } },
	  { { 512 }, { 88, -EIO }, { 0, -EIO }, { 512 } } },
	{ 768, { { 1024 + 511, 1, -EREMOTE }, { 1024 + 1280, 1, -EIO } },
	  { { 511, -EREMOTE }, { 512 }, { 256, -EIO }, { 0, -EIO } } },
};

static void one_merge(struct kunit *test, int i, struct toy *top,
		      struct toy *bottom)
{
	struct piece *pieces = pieces_new(UPPERS, LENGTH);
	struct kiobuf *kb;
	LIST_HEAD(list);
	int u;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pieces);
	top->border = merges[i].border;
	top->seen = 0;
	bottom->seen = 0;
	memcpy(bottom->bad, merges[i].bad, sizeof(bottom->bad));
	uppers_init(pieces, &top->dev, &list);
	kb = kiobuf_merge(&list, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kb);
	kiobuf_submit(kb);
	KUNIT_EXPECT_EQ(test, top->seen, 1);
	KUNIT_EXPECT_EQ(test, bottom->seen > 1, merges[i].border != 0);
	for (u = 0; u < UPPERS; u++) {
		KUNIT_EXPECT_EQ(test, pieces[u].ends, 1);
		KUNIT_EXPECT_EQ(test, pieces[u].kb.error,
				merges[i].want[u].error);
		KUNIT_EXPECT_EQ(test, pieces[u].kb.bytes,
				merges[i].want[u].bytes);
		KUNIT_EXPECT_TRUE(test, all_are(bottom->ram + FIRST_POS +
						u * LENGTH, u + 1,
						merges[i].want[u].bytes));
	}
	pieces_free(pieces, UPPERS);
}

static void merge_faults(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/ram", 8192), *top;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	top = toy_cutter("/cut", bottom, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, top);
	for (i = 0; i < ARRAY_SIZE(merges); i++) {
		memset(bottom->ram, 0, bottom->dev.size);
		one_merge(test, i, top, bottom);
	}
	toy_free(top);
	toy_free(bottom);
}

static void spoil_gap(struct kiobuf *kb)
{
	kb->pos += 512;
}

static void spoil_overlap(struct kiobuf *kb)
{
	kb->pos -= 1;
}

static void spoil_dev(struct kiobuf *kb)
{
	kb->dev = NULL;
}

static void spoil_op(struct kiobuf *kb)
{
	kb->op = KIOBUF_READ;
}

static void spoil_hints(struct kiobuf *kb)
{
	kb->hints = (__force u32)REQ_META;
}

static void spoil_ioprio(struct kiobuf *kb)
{
	kb->ioprio = 1;
}

static void spoil_flags(struct kiobuf *kb)
{
	kb->flags = KIOBUF_FUA;
}

static void spoil_vec(struct kiobuf *kb)
{
	kb->vec = NULL;
}

static void (*const spoilers[])(struct kiobuf *kb) = {
	spoil_gap, spoil_overlap, spoil_dev, spoil_op, spoil_hints,
	spoil_ioprio, spoil_flags, spoil_vec,
};

static bool list_is_whole(struct list_head *list, struct piece *pieces)
{
	struct kiobuf *kb;
	int i = 0;

	list_for_each_entry(kb, list, queue)
		if (i == UPPERS || kb != &pieces[i++].kb)
			return false;
	return i == UPPERS;
}

/* No neighbours: -EINVAL, and the list as it was. */
static void merge_refusals(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/ram", 8192);
	struct piece *pieces = pieces_new(UPPERS, LENGTH);
	struct kiobuf *kb;
	LIST_HEAD(list);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pieces);
	KUNIT_EXPECT_EQ(test, PTR_ERR(kiobuf_merge(&list, GFP_KERNEL)),
			-EINVAL);
	for (i = 0; i < UPPERS * ARRAY_SIZE(spoilers); i++) {
		uppers_init(pieces, &bottom->dev, &list);
		spoilers[i / UPPERS](&pieces[i % UPPERS].kb);
		kb = kiobuf_merge(&list, GFP_KERNEL);
		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(kb), -EINVAL);
		KUNIT_EXPECT_TRUE(test, list_is_whole(&list, pieces));
	}
	KUNIT_EXPECT_EQ(test, bottom->seen, 0);
	pieces_free(pieces, UPPERS);
	toy_free(bottom);
}

/* ---- what clones carry down ---- */

#define SOME_HINTS ((__force u32)(REQ_RAHEAD | REQ_META))
#define SOME_PRIO IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 3)

static void hints_arrive(struct kunit *test, struct toy *bottom, int pieces)
{
	int i;

	KUNIT_EXPECT_EQ(test, bottom->seen, pieces);
	for (i = 0; i < min(bottom->seen, TOY_LOG); i++) {
		KUNIT_EXPECT_EQ(test, bottom->log[i].hints, SOME_HINTS);
		KUNIT_EXPECT_EQ(test, bottom->log[i].ioprio, SOME_PRIO);
		KUNIT_EXPECT_EQ(test, bottom->log[i].flags & KIOBUF_INHERIT,
				KIOBUF_FUA | KIOBUF_NOUNMAP);
		KUNIT_EXPECT_EQ(test, bottom->log[i].op, KIOBUF_WRITE_ZEROES);
	}
	bottom->seen = 0;
}

static void hinted(struct kiobuf *kb, struct toy *top, u64 pos, u64 length)
{
	kiobuf_init(kb, &top->dev, KIOBUF_WRITE_ZEROES, pos, NULL, length);
	kb->hints = SOME_HINTS;
	kb->ioprio = SOME_PRIO;
	kb->flags = KIOBUF_FUA | KIOBUF_NOUNMAP;
}

/* Through clones of clones, alone and merged. */
static void hints_go_down(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/ram", 16384), *low, *top;
	struct kiobuf kb[2], *merged;
	LIST_HEAD(list);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	low = toy_cutter("/low", bottom, 512);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, low);
	top = toy_cutter("/top", low, 2048);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, top);
	hinted(&kb[0], top, 1024, 8192);
	kiobuf_submit(&kb[0]);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&kb[0]), 0);
	hints_arrive(test, bottom, 16);
	hinted(&kb[0], top, 1024, 2048);
	hinted(&kb[1], top, 3072, 1024);
	list_add_tail(&kb[0].queue, &list);
	list_add_tail(&kb[1].queue, &list);
	merged = kiobuf_merge(&list, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, merged);
	kiobuf_submit(merged);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&kb[0]), 0);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&kb[1]), 0);
	hints_arrive(test, bottom, 6);
	toy_free(top);
	toy_free(low);
	toy_free(bottom);
}

/* ---- large I/O ---- */

#define LARGE_RAM (5 << 20)

/* @nr fragments of @length bytes at @offset, of pages of @order. */
static const struct {
	u32 nr, order, offset, length;
	u64 border;
} larges[] = {
	{ 300, 2, 700, 28 * 512, 0 },
	{ 300, 2, 1, 28 * 512, 65536 },
	{ 1024, 0, 0, 4096, 0 },
	{ 1400, 0, 101, 6 * 512, 65536 },
	{ 1400, 0, 512, 6 * 512, 4096 },
};

static u8 large_byte(u32 frag)
{
	return frag * 7 + (frag >> 8) + 1;
}

static u8 *large_frag(struct kiobuf_vec *vec, u32 i)
{
	return page_address(vec->frags[i].bv_page) + vec->frags[i].bv_offset;
}

static void large_free(struct kiobuf_vec *vec, u32 order)
{
	while (vec->nr)
		__free_pages(vec->frags[--vec->nr].bv_page, order);
	kiobuf_vec_put(vec);
}

static struct kiobuf_vec *large_vec(int i)
{
	struct kiobuf_vec *vec = kiobuf_vec_alloc(larges[i].nr, GFP_KERNEL);
	struct page *page;

	while (vec && vec->nr < larges[i].nr) {
		page = alloc_pages(GFP_KERNEL | __GFP_COMP, larges[i].order);
		if (!page) {
			large_free(vec, larges[i].order);
			return NULL;
		}
		memset(page_address(page), 0,
		       PAGE_SIZE << larges[i].order);
		kiobuf_vec_add(vec, page, larges[i].offset, larges[i].length);
		memset(large_frag(vec, vec->nr - 1), large_byte(vec->nr - 1),
		       larges[i].length);
	}
	return vec;
}

static int ends;

static void count_end(struct kiobuf *kb)
{
	ends++;
	kiobuf_done(kb);
}

static void large_submit(struct kunit *test, struct toy *top,
			 enum kiobuf_op op, struct kiobuf_vec *vec)
{
	struct kiobuf kb;

	ends = 0;
	kiobuf_init(&kb, &top->dev, op, 1024, vec, vec->length);
	kb.end_io = count_end;
	kiobuf_submit(&kb);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&kb), 0);
	KUNIT_EXPECT_EQ(test, kb.bytes, vec->length);
	KUNIT_EXPECT_EQ(test, ends, 1);
}

static void one_large(struct kunit *test, int i, struct toy *top,
		      struct toy *bottom)
{
	struct kiobuf_vec *vec = large_vec(i);
	u32 f, bad = 0, length = larges[i].length;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
	KUNIT_EXPECT_TRUE(test, vec->length >= 4 << 20);
	top->border = larges[i].border;
	memset(bottom->ram, 0, LARGE_RAM);
	large_submit(test, top, KIOBUF_WRITE, vec);
	for (f = 0; f < vec->nr; f++) {
		bad += !all_are(bottom->ram + 1024 + f * length, large_byte(f),
				length);
		memset(large_frag(vec, f), 0, length);
	}
	bad += !all_are(bottom->ram, 0, 1024);
	bad += !all_are(bottom->ram + 1024 + vec->length, 0, 512);
	large_submit(test, top, KIOBUF_READ, vec);
	for (f = 0; f < vec->nr; f++)
		bad += !all_are(large_frag(vec, f), large_byte(f), length);
	KUNIT_EXPECT_EQ(test, bad, 0);
	large_free(vec, larges[i].order);
}

static void large_io(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/ram", LARGE_RAM), *top;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	top = toy_cutter("/cut", bottom, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, top);
	for (i = 0; i < ARRAY_SIZE(larges); i++)
		one_large(test, i, top, bottom);
	toy_free(top);
	toy_free(bottom);
}

/* ---- without a header to be had ---- */

static void *no_memory(gfp_t gfp, void *data)
{
	return NULL;
}

/* Takes all headers that a device has, linked by kb->queue. */
static int take_headers(struct toy *toy, struct list_head *taken)
{
	struct kiobuf *kb;
	int nr = 0;

	toy->dev.pool.reserve.alloc = no_memory;
	while ((kb = kiobuf_pool_alloc(&toy->dev.pool, GFP_NOWAIT))) {
		list_add(&kb->queue, taken);
		nr++;
	}
	return nr;
}

static int give_headers(struct toy *toy, struct list_head *taken, int nr)
{
	struct kiobuf *kb;
	int given = 0;

	while (given < nr && !list_empty(taken)) {
		kb = list_first_entry(taken, struct kiobuf, queue);
		list_del_init(&kb->queue);
		kiobuf_pool_free(&toy->dev.pool, kb);
		given++;
	}
	return given;
}

static void submit_nowait(struct kiobuf *kb, struct toy *top, int flags)
{
	kiobuf_init(kb, &top->dev, KIOBUF_DISCARD, 0, NULL, 2048);
	kb->flags = flags;
	kiobuf_submit(kb);
}

static void nowait_is_refused(struct kunit *test, struct toy *top,
			      struct toy *bottom, struct list_head *taken)
{
	struct kiobuf kb;

	submit_nowait(&kb, top, KIOBUF_NOWAIT);
	KUNIT_EXPECT_TRUE(test, kiobuf_is_done(&kb));
	KUNIT_EXPECT_EQ(test, kb.error, -EAGAIN);
	KUNIT_EXPECT_EQ(test, kb.bytes, 0);
	KUNIT_EXPECT_EQ(test, bottom->seen, 0);
	/* Room for one clone of four, which stays below. */
	bottom->hold = true;
	give_headers(top, taken, 1);
	submit_nowait(&kb, top, KIOBUF_NOWAIT);
	KUNIT_EXPECT_EQ(test, bottom->held.nr, 1);
	KUNIT_EXPECT_FALSE(test, kiobuf_is_done(&kb));
	toy_end_next(bottom);
	KUNIT_EXPECT_TRUE(test, kiobuf_is_done(&kb));
	KUNIT_EXPECT_EQ(test, kb.error, -EAGAIN);
	KUNIT_EXPECT_EQ(test, kb.bytes, 512);
	bottom->hold = false;
	KUNIT_EXPECT_EQ(test, take_headers(top, taken), 1);
}

struct room_waiter {
	struct toy		*toy;
	struct completion	started;
	struct completion	done;
};

static int wait_for_room(void *arg)
{
	struct room_waiter *w = arg;

	complete(&w->started);
	kiobuf_dev_wait_room(&w->toy->dev);
	kthread_complete_and_exit(&w->done, 0);
}

static void room_is_waited_for(struct kunit *test, struct toy *top,
			       struct list_head *taken)
{
	struct room_waiter w = { .toy = top };
	struct task_struct *task;
	struct kiobuf kb;

	init_completion(&w.started);
	init_completion(&w.done);
	task = kthread_run(wait_for_room, &w, "kio_room");
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, task);
	wait_for_completion(&w.started);
	msleep(100);
	KUNIT_EXPECT_FALSE(test, completion_done(&w.done));
	give_headers(top, taken, 1);
	/* mempool_alloc() looks again by itself, but only after five seconds */
	KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&w.done, 4 * HZ));
	submit_nowait(&kb, top, KIOBUF_NOWAIT);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&kb), 0);
	KUNIT_EXPECT_EQ(test, take_headers(top, taken), 1);
}

/* Who may wait is carried on by a worker. */
static void others_are_patient(struct kunit *test, struct toy *top,
			       struct list_head *taken)
{
	struct kiobuf kb;

	submit_nowait(&kb, top, 0);
	KUNIT_EXPECT_EQ(test, kiobuf_wait_timeout(&kb, HZ / 10), 0);
	give_headers(top, taken, 1);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&kb), 0);
	KUNIT_EXPECT_EQ(test, kb.bytes, 2048);
}

static void no_headers(struct kunit *test)
{
	struct toy *bottom = toy_bottom("/ram", 8192), *top;
	mempool_alloc_t *alloc;
	LIST_HEAD(taken);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, bottom);
	top = toy_cutter("/cut", bottom, 512);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, top);
	alloc = top->dev.pool.reserve.alloc;
	KUNIT_EXPECT_TRUE(test, take_headers(top, &taken) > 0);
	nowait_is_refused(test, top, bottom, &taken);
	room_is_waited_for(test, top, &taken);
	others_are_patient(test, top, &taken);
	top->dev.pool.reserve.alloc = alloc;
	give_headers(top, &taken, INT_MAX);
	toy_free(top);
	toy_free(bottom);
}

static struct kunit_case set_cases[] = {
	KUNIT_CASE(hundred_buffers),
	KUNIT_CASE(failing_members),
	KUNIT_CASE(early_notice),
	KUNIT_CASE(pipelined),
	KUNIT_CASE(merge_neighbours),
	KUNIT_CASE(merge_windows),
	KUNIT_CASE(merge_faults),
	KUNIT_CASE(merge_refusals),
	KUNIT_CASE(hints_go_down),
	KUNIT_CASE(large_io),
	KUNIT_CASE(no_headers),
	{}
};

struct kunit_suite kio_set_suite = {
	.name		= "kio_set",
	.test_cases	= set_cases,
};
