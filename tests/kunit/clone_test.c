// SPDX-License-Identifier: GPL-2.0
/* Vectors, headers in all kinds of memory, and windows of clones. */
#include "tests.h"

#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>

/* Fragments as odd as they come: sub-page, unaligned, two in one page. */
static const struct {
	u32 page, offset, length;
} shape[] = {
	{ 0, 100, 300 }, { 0, 1000, 512 }, { 1, 0, 4096 }, { 2, 4095, 1 },
	{ 3, 7, 2000 },
};

#define NR_PAGES 4
#define VEC_BYTES (300 + 512 + 4096 + 1 + 2000)

struct fixture {
	struct page		*pages[NR_PAGES];
	struct kiobuf_vec	*vec;
};

static void teardown(struct fixture *f)
{
	int i;

	kiobuf_vec_put(f->vec);
	for (i = 0; i < NR_PAGES; i++)
		if (f->pages[i])
			__free_page(f->pages[i]);
}

/* Byte n of the vector holds a value that n tells. */
static u8 value(u64 n)
{
	return n * 7 + (n >> 8);
}

static int setup(struct fixture *f)
{
	u64 n = 0;
	int i, j;

	memset(f, 0, sizeof(*f));
	for (i = 0; i < NR_PAGES; i++) {
		f->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!f->pages[i])
			return -ENOMEM;
	}
	f->vec = kiobuf_vec_alloc(ARRAY_SIZE(shape), GFP_KERNEL);
	if (!f->vec)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(shape); i++) {
		u8 *bytes = page_address(f->pages[shape[i].page]);

		for (j = 0; j < shape[i].length; j++)
			bytes[shape[i].offset + j] = value(n++);
		kiobuf_vec_add(f->vec, f->pages[shape[i].page],
			       shape[i].offset, shape[i].length);
	}
	return 0;
}

/* Does the window hold just the bytes from @first on? */
static bool window_is(struct kiobuf *kb, u64 first)
{
	struct bvec_iter iter;
	struct bio_vec bv;
	u64 n = first;
	u32 i;

	for_each_bvec(bv, kb->vec->frags, iter, kiobuf_window(kb)) {
		u8 *bytes = page_address(bv.bv_page) + bv.bv_offset;

		for (i = 0; i < bv.bv_len; i++)
			if (bytes[i] != value(n++))
				return false;
	}
	return n == first + kb->length;
}

static void vec_bounds(struct kunit *test)
{
	struct fixture f;
	int ret = setup(&f);

	KUNIT_EXPECT_EQ(test, ret, 0);
	if (!ret) {
		KUNIT_EXPECT_EQ(test, f.vec->length, VEC_BYTES);
		KUNIT_EXPECT_EQ(test, kiobuf_vec_add(f.vec, f.pages[0], 0, 1),
				-ENOSPC);
		KUNIT_EXPECT_EQ(test, kiobuf_vec_add(f.vec, f.pages[0], 0, 0),
				-EINVAL);
		KUNIT_EXPECT_EQ(test, kiobuf_vec_add(f.vec, f.pages[0],
						     U32_MAX, 2), -EINVAL);
	}
	teardown(&f);
}

static void window_refusals(struct kunit *test)
{
	static const struct {
		u64 offset, length;
		int ret;
	} cases[] = {
		{ 0, 1000, 0 }, { 999, 1, 0 }, { 1000, 0, 0 },
		{ 1000, 1, -EINVAL }, { 0, 1001, -EINVAL },
		{ U64_MAX, 1, -EINVAL }, { U64_MAX, 2, -EINVAL },
		{ 1, U64_MAX, -EINVAL }, { 500, U64_MAX - 100, -EINVAL },
	};
	struct kiobuf parent, kb;
	int i;

	kiobuf_init(&parent, NULL, KIOBUF_DISCARD, 0, NULL, 1000);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		int ret = kiobuf_init_clone(&kb, &parent, cases[i].offset,
					    cases[i].length);

		KUNIT_EXPECT_EQ(test, ret, cases[i].ret);
		KUNIT_EXPECT_EQ(test, atomic_read(&parent.io_count),
				ret ? 1 : 2);
		if (!ret)
			kiobuf_endio(&kb, kb.length, 0);
	}
	kiobuf_endio(&parent, 1000, 0);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&parent), 0);
}

/* Every window of every length, byte by byte, two levels deep. */
static void window_bytes(struct kunit *test)
{
	static struct kiobuf parent, child, grandchild;	/* much for a stack */
	struct fixture f;
	u64 offset, length;
	bool good = true;
	int ret = setup(&f);

	KUNIT_EXPECT_EQ(test, ret, 0);
	if (ret)
		goto out;
	kiobuf_init(&parent, NULL, KIOBUF_WRITE, 1 << 20, f.vec, VEC_BYTES);
	for (offset = 0; offset < VEC_BYTES; offset += 97) {
		for (length = 1; offset + length <= VEC_BYTES; length += 331) {
			kiobuf_init_clone(&child, &parent, offset, length);
			kiobuf_init_clone(&grandchild, &child, length / 2,
					  length - length / 2);
			good &= window_is(&child, offset);
			good &= window_is(&grandchild, offset + length / 2);
			good &= grandchild.pos == (1 << 20) + offset +
						  length / 2;
			good &= grandchild.vec == f.vec;
			kiobuf_endio(&grandchild, grandchild.length, 0);
			kiobuf_endio(&child, child.length, 0);
		}
	}
	KUNIT_EXPECT_TRUE(test, good);
	kiobuf_endio(&parent, VEC_BYTES, 0);
	KUNIT_EXPECT_EQ(test, kiobuf_wait(&parent), 0);
	KUNIT_EXPECT_EQ(test, parent.bytes, VEC_BYTES);
out:
	teardown(&f);
}

struct owner {
	u32		before;
	struct kiobuf	kb;
	u32		ended;
};

static void owner_end_io(struct kiobuf *kb)
{
	container_of(kb, struct owner, kb)->ended++;
}

static void embedded_clone(struct kunit *test)
{
	struct owner owner = { .before = 1 };
	struct kiobuf parent;

	kiobuf_init(&parent, NULL, KIOBUF_DISCARD, 0, NULL, 4096);
	kiobuf_init_clone(&owner.kb, &parent, 0, 4096);
	owner.kb.end_io = owner_end_io;
	kiobuf_endio(&owner.kb, 4096, 0);
	KUNIT_EXPECT_EQ(test, owner.ended, 1);
	KUNIT_EXPECT_FALSE(test, kiobuf_is_done(&parent));
	kiobuf_endio(&parent, 4096, 0);
	KUNIT_EXPECT_TRUE(test, kiobuf_is_done(&parent));
	KUNIT_EXPECT_EQ(test, owner.ended, 1);
}

static void header_size(struct kunit *test)
{
	/* A plain spinlock is four bytes, and four bytes are lost behind it. */
	const size_t debugging = sizeof(wait_queue_head_t) -
				 sizeof(struct list_head) - 8;
	const size_t size = sizeof(struct kiobuf) - debugging;

	pr_info("    # sizeof(struct kiobuf) = %zu\n", size);
	if (debugging)
		pr_info("    # and %zu bytes of lock debugging\n", debugging);
	KUNIT_EXPECT_TRUE(test, size <= 192);
}

static struct kunit_case clone_cases[] = {
	KUNIT_CASE(vec_bounds),
	KUNIT_CASE(window_refusals),
	KUNIT_CASE(window_bytes),
	KUNIT_CASE(embedded_clone),
	KUNIT_CASE(header_size),
	{}
};

struct kunit_suite kio_clone_suite = {
	.name		= "kio_clone",
	.test_cases	= clone_cases,
};
