// SPDX-License-Identifier: GPL-2.0
/* Vectors: what they are made of, what they are turned into; claims. */
#include "toy.h"

#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/vmalloc.h>

static void fill(u8 *buffer, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		buffer[i] = i * 7 + (i >> 8);
}

/* Set up a window of @length bytes at @offset of a vector. */
static void window_of(struct kiobuf *kb, struct kiobuf_vec *vec, u64 offset,
		      u64 length)
{
	kiobuf_init(kb, NULL, KIOBUF_WRITE, 0, vec, length);
	while (offset >= vec->frags[kb->frag].bv_len)
		offset -= vec->frags[kb->frag++].bv_len;
	kb->skip = offset;
}

/* Do @length bytes at @offset of the vector read as @want? */
static bool reads_as(struct kiobuf_vec *vec, u64 offset, u64 length,
		     const void *want)
{
	void *got = kvzalloc(length, GFP_KERNEL | __GFP_NOFAIL);
	struct iov_iter iter;
	struct kiobuf kb;
	bool same;

	window_of(&kb, vec, offset, length);
	kiobuf_to_iter(&kb, &iter);
	same = iov_iter_count(&iter) == length &&
	       copy_from_iter(got, length, &iter) == length &&
	       !memcmp(got, want, length);
	kvfree(got);
	return same;
}

static bool same_frags(const struct kiobuf_vec *a, const struct kiobuf_vec *b)
{
	return a->nr == b->nr && a->length == b->length &&
	       !memcmp(a->frags, b->frags, a->nr * sizeof(*a->frags));
}

/* ---- from memory of the kernel ---- */

enum memory { KMALLOC, VMALLOC };

static const struct {
	enum memory	memory;
	size_t		size, offset, length;
	u32		nr;
} buffers[] = {
	{ KMALLOC, 512, 0, 512, 1 },
	{ KMALLOC, 512, 13, 200, 1 },
	{ KMALLOC, 512, 511, 1, 1 },
	{ KMALLOC, 65536, 1, 65000, 1 },
	{ VMALLOC, 3 * PAGE_SIZE, 0, 3 * PAGE_SIZE, 3 },
	{ VMALLOC, 3 * PAGE_SIZE, 100, 2 * PAGE_SIZE, 3 },
	{ VMALLOC, 2 * PAGE_SIZE, PAGE_SIZE - 1, 2, 2 },
	{ VMALLOC, PAGE_SIZE, PAGE_SIZE - 1, 1, 1 },
};

static void *buffer_new(enum memory memory, size_t size)
{
	return memory == VMALLOC ? vmalloc(size) : kmalloc(size, GFP_KERNEL);
}

static struct page *page_of(const void *p)
{
	return is_vmalloc_addr(p) ? vmalloc_to_page(p) : virt_to_page(p);
}

/* The memory itself is in the vector, byte by byte; nothing was copied. */
static bool names_memory(const struct kiobuf_vec *vec, const u8 *p)
{
	u32 i, at;

	for (i = 0; i < vec->nr; i++) {
		const struct bio_vec *bv = &vec->frags[i];

		for (at = bv->bv_offset; at < bv->bv_offset + bv->bv_len; at++, p++)
			if (bv->bv_page + at / PAGE_SIZE != page_of(p) ||
			    at % PAGE_SIZE != offset_in_page(p))
				return false;
	}
	return true;
}

static void one_buffer(struct kunit *test, int i)
{
	struct kiobuf_vec *vec = kiobuf_vec_alloc(1, GFP_KERNEL);
	u8 *p = buffer_new(buffers[i].memory, buffers[i].size);
	u8 *from = p + buffers[i].offset;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p);
	fill(p, buffers[i].size);
	KUNIT_EXPECT_EQ(test, kiobuf_vec_add_buffer(vec, from, buffers[i].length,
						    GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, vec->nr, buffers[i].nr);
	KUNIT_EXPECT_EQ(test, vec->length, buffers[i].length);
	KUNIT_EXPECT_TRUE(test, names_memory(vec, from));
	KUNIT_EXPECT_TRUE(test, reads_as(vec, 0, vec->length, from));
	/* What is written later is seen too. */
	memset(from, 0xa5, buffers[i].length);
	KUNIT_EXPECT_TRUE(test, reads_as(vec, vec->length / 2,
					 vec->length - vec->length / 2,
					 from + vec->length / 2));
	kiobuf_vec_put(vec);
	kvfree(p);
}

static void kernel_buffers(struct kunit *test)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(buffers); i++)
		one_buffer(test, i);
}

/* Fragments of one page, in no order, and how many of them a window touches. */
static const struct {
	u32 offset, length;
} frags[] = {
	{ 7, 100 }, { 4000, 96 }, { 107, 1 }, { 2048, 512 }, { 1, 3 },
};

static const struct {
	u64 offset, length;
	u32 nr;
} touches[] = {
	{ 0, 712, 5 }, { 0, 100, 1 }, { 0, 101, 2 }, { 99, 1, 1 },
	{ 99, 2, 2 }, { 100, 96, 1 }, { 196, 1, 1 }, { 150, 48, 3 },
	{ 709, 3, 1 }, { 708, 2, 2 }, { 99, 612, 5 },
};

static void page_fragments(struct kunit *test)
{
	struct kiobuf_vec *vec = kiobuf_vec_alloc(ARRAY_SIZE(frags), GFP_KERNEL);
	struct page *page = alloc_page(GFP_KERNEL);
	static u8 want[PAGE_SIZE];
	struct kiobuf kb;
	u32 i, at = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, page);
	fill(page_address(page), PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(frags); i++) {
		KUNIT_EXPECT_EQ(test, kiobuf_vec_add(vec, page, frags[i].offset,
						     frags[i].length), 0);
		memcpy(want + at, page_address(page) + frags[i].offset,
		       frags[i].length);
		at += frags[i].length;
	}
	KUNIT_EXPECT_EQ(test, vec->length, at);
	for (i = 0; i < ARRAY_SIZE(touches); i++) {
		window_of(&kb, vec, touches[i].offset, touches[i].length);
		KUNIT_EXPECT_EQ(test, kiobuf_nr_frags(&kb), touches[i].nr);
		KUNIT_EXPECT_TRUE(test, reads_as(vec, touches[i].offset,
						 touches[i].length,
						 want + touches[i].offset));
	}
	kiobuf_vec_put(vec);
	__free_page(page);
}

/* ---- to and from what others use ---- */

#define PAGES 8

/* Sub-page, unaligned, whole and several pages: fragments of @pages. */
static struct kiobuf_vec *odd_vec(struct page *pages, u32 nr)
{
	struct kiobuf_vec *vec = kiobuf_vec_alloc(nr, GFP_KERNEL);
	u32 i;

	for (i = 0; vec && i < nr; i++) {
		u32 length = i % 7 == 6 ? 2 * PAGE_SIZE : 1 + i * 37 % 2000;

		if (kiobuf_vec_add(vec, pages + i % (PAGES - 3), i * 61 % 4096,
				   length)) {
			kiobuf_vec_put(vec);
			return NULL;
		}
	}
	return vec;
}

static struct page *odd_pages(void)
{
	struct page *pages = alloc_pages(GFP_KERNEL | __GFP_COMP,
					 get_order(PAGES * PAGE_SIZE));

	if (pages)
		fill(page_address(pages), PAGES * PAGE_SIZE);
	return pages;
}

/* A table of @nents entries from the vector, and a vector from that table. */
static void one_sg(struct kunit *test, struct kiobuf_vec *vec,
		   struct kiobuf_vec *back, unsigned int nents)
{
	struct sg_table table;
	struct kiobuf kb;

	KUNIT_EXPECT_EQ(test, sg_alloc_table(&table, nents, GFP_KERNEL), 0);
	window_of(&kb, vec, 0, vec->length);
	KUNIT_EXPECT_EQ(test, kiobuf_to_sg(&kb, table.sgl, nents), vec->nr);
	KUNIT_EXPECT_EQ(test, sg_nents(table.sgl), vec->nr);
	KUNIT_EXPECT_EQ(test, kiobuf_vec_add_sg(back, table.sgl, vec->nr,
						GFP_KERNEL), 0);
	KUNIT_EXPECT_TRUE(test, same_frags(vec, back));
	sg_free_table(&table);
}

/* Beyond 128 entries the table is chained. */
static void sg_round_trip(struct kunit *test)
{
	static const u32 sizes[] = { 1, 7, 127, 128, 129, 500 };
	struct page *pages = odd_pages();
	struct kiobuf_vec *vec, *back;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		vec = odd_vec(pages, sizes[i]);
		back = kiobuf_vec_alloc(1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, back);
		one_sg(test, vec, back, sizes[i]);
		kiobuf_vec_reset(back);
		one_sg(test, vec, back, sizes[i] + 3);
		kiobuf_vec_put(back);
		kiobuf_vec_put(vec);
	}
	__free_pages(pages, get_order(PAGES * PAGE_SIZE));
}

/* A window that begins and ends inside of fragments. */
static void sg_window(struct kunit *test)
{
	struct page *pages = odd_pages();
	struct scatterlist sg[3];
	struct kiobuf_vec *vec;
	struct kiobuf kb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	vec = odd_vec(pages, 4);	/* of 1, 38, 75 and 112 bytes */
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
	window_of(&kb, vec, 11, 28 + 75 + 40);
	sg_init_table(sg, 3);
	KUNIT_EXPECT_EQ(test, kiobuf_to_sg(&kb, sg, 2), -ENOSPC);
	sg_init_table(sg, 3);
	KUNIT_EXPECT_EQ(test, kiobuf_to_sg(&kb, sg, 3), 3);
	KUNIT_EXPECT_PTR_EQ(test, sg_page(&sg[0]), vec->frags[1].bv_page);
	KUNIT_EXPECT_EQ(test, sg[0].offset, vec->frags[1].bv_offset + 10);
	KUNIT_EXPECT_EQ(test, sg[0].length, 28);
	KUNIT_EXPECT_EQ(test, sg[1].length, 75);
	KUNIT_EXPECT_EQ(test, sg[2].offset, vec->frags[3].bv_offset);
	KUNIT_EXPECT_EQ(test, sg[2].length, 40);
	KUNIT_EXPECT_TRUE(test, sg_is_last(&sg[2]));
	kb.length = 0;
	KUNIT_EXPECT_EQ(test, kiobuf_to_sg(&kb, sg, 3), 0);
	kiobuf_vec_put(vec);
	__free_pages(pages, get_order(PAGES * PAGE_SIZE));
}

static void bvec_round_trip(struct kunit *test)
{
	struct page *pages = odd_pages();
	struct kiobuf_vec *vec, *back = kiobuf_vec_alloc(1, GFP_KERNEL);
	struct iov_iter iter;
	struct kiobuf kb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, back);
	vec = odd_vec(pages, 40);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
	KUNIT_EXPECT_EQ(test, kiobuf_vec_add_bvecs(back, vec->frags, vec->nr,
						   GFP_KERNEL), 0);
	KUNIT_EXPECT_TRUE(test, same_frags(vec, back));
	window_of(&kb, vec, 0, vec->length);
	kiobuf_to_iter(&kb, &iter);
	KUNIT_EXPECT_PTR_EQ(test, iter.bvec, vec->frags);
	kiobuf_vec_reset(back);
	KUNIT_EXPECT_EQ(test, kiobuf_vec_add_iter(back, &iter, GFP_KERNEL), 0);
	KUNIT_EXPECT_TRUE(test, same_frags(vec, back));
	KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), vec->length);
	kiobuf_vec_put(back);
	kiobuf_vec_put(vec);
	__free_pages(pages, get_order(PAGES * PAGE_SIZE));
}

/* Iterators that begin and end inside of fragments. */
static const struct {
	u64 skip, length;
} iters[] = {
	{ 0, 1 }, { 0, 226 }, { 1, 225 }, { 3, 36 }, { 39, 75 }, { 100, 50 },
	{ 225, 1 },
};

static void iter_windows(struct kunit *test)
{
	struct kiobuf_vec *vec, *back = kiobuf_vec_alloc(1, GFP_KERNEL);
	struct page *pages = odd_pages();
	static u8 want[226];
	struct iov_iter iter;
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, back);
	vec = odd_vec(pages, 4);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
	iov_iter_bvec(&iter, WRITE, vec->frags, vec->nr, sizeof(want));
	KUNIT_EXPECT_EQ(test, copy_from_iter(want, sizeof(want), &iter), 226);
	for (i = 0; i < ARRAY_SIZE(iters); i++) {
		iov_iter_bvec(&iter, WRITE, vec->frags, vec->nr, vec->length);
		iov_iter_advance(&iter, iters[i].skip);
		iov_iter_truncate(&iter, iters[i].length);
		kiobuf_vec_reset(back);
		KUNIT_EXPECT_EQ(test, kiobuf_vec_add_iter(back, &iter,
							  GFP_KERNEL), 0);
		KUNIT_EXPECT_EQ(test, back->length, iters[i].length);
		KUNIT_EXPECT_TRUE(test, reads_as(back, 0, iters[i].length,
						 want + iters[i].skip));
		KUNIT_EXPECT_EQ(test, iov_iter_count(&iter), iters[i].length);
	}
	kiobuf_vec_put(back);
	kiobuf_vec_put(vec);
	__free_pages(pages, get_order(PAGES * PAGE_SIZE));
}

/* Memory of the kernel, of both kinds, with an empty segment in between. */
static void kvec_iter(struct kunit *test)
{
	struct kiobuf_vec *vec = kiobuf_vec_alloc(1, GFP_KERNEL);
	u8 *linear = kmalloc(1000, GFP_KERNEL);
	u8 *mapped = vmalloc(3 * PAGE_SIZE);
	struct kvec kv[3] = {
		{ linear + 3, 900 }, { linear, 0 },
		{ mapped + 5, 2 * PAGE_SIZE },
	};
	struct iov_iter iter;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, linear);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapped);
	fill(linear, 1000);
	fill(mapped, 3 * PAGE_SIZE);
	iov_iter_kvec(&iter, WRITE, kv, 3, 900 + 2 * PAGE_SIZE);
	iov_iter_advance(&iter, 17);
	iov_iter_truncate(&iter, 883 + PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, kiobuf_vec_add_iter(vec, &iter, GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, vec->nr, 3);
	KUNIT_EXPECT_EQ(test, vec->length, 883 + PAGE_SIZE);
	KUNIT_EXPECT_PTR_EQ(test, vec->frags[0].bv_page, virt_to_page(linear));
	KUNIT_EXPECT_PTR_EQ(test, vec->frags[1].bv_page, page_of(mapped));
	KUNIT_EXPECT_TRUE(test, reads_as(vec, 0, 883, linear + 20));
	KUNIT_EXPECT_TRUE(test, reads_as(vec, 883, PAGE_SIZE, mapped + 5));
	kiobuf_vec_put(vec);
	kfree(linear);
	vfree(mapped);
}

/* To the memory, for a read. */
static void iter_destination(struct kunit *test)
{
	struct kiobuf_vec *vec = kiobuf_vec_alloc(1, GFP_KERNEL);
	u8 *mapped = vzalloc(2 * PAGE_SIZE);
	struct iov_iter iter;
	struct kiobuf kb;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, mapped);
	kiobuf_vec_add_buffer(vec, mapped, 2 * PAGE_SIZE, GFP_KERNEL);
	window_of(&kb, vec, PAGE_SIZE - 3, 6);
	kb.op = KIOBUF_READ;
	kiobuf_to_iter(&kb, &iter);
	KUNIT_EXPECT_EQ(test, iov_iter_rw(&iter), READ);
	KUNIT_EXPECT_EQ(test, copy_to_iter("abcdefgh", 8, &iter), 6);
	KUNIT_EXPECT_TRUE(test, !memcmp(mapped + PAGE_SIZE - 4, "\0abcdef\0",
					8));
	kb.op = KIOBUF_WRITE;
	kiobuf_to_iter(&kb, &iter);
	KUNIT_EXPECT_EQ(test, iov_iter_rw(&iter), WRITE);
	kiobuf_zero(&kb);
	KUNIT_EXPECT_PTR_EQ(test, memchr_inv(mapped, 0, 2 * PAGE_SIZE), NULL);
	kiobuf_vec_put(vec);
	vfree(mapped);
}

/* ---- errors ---- */

static int add_empty(struct kiobuf_vec *vec)
{
	return kiobuf_vec_add(vec, virt_to_page(vec), 0, 0);
}

static int add_wrapping(struct kiobuf_vec *vec)
{
	return kiobuf_vec_add(vec, virt_to_page(vec), 2, U32_MAX - 1);
}

static int add_to_full(struct kiobuf_vec *vec)
{
	return kiobuf_vec_add(vec, virt_to_page(vec), 0, 1);
}

static int add_empty_buffer(struct kiobuf_vec *vec)
{
	return kiobuf_vec_add_buffer(vec, vec, 0, GFP_KERNEL);
}

static int add_no_buffer(struct kiobuf_vec *vec)
{
	return kiobuf_vec_add_buffer(vec, NULL, 1, GFP_KERNEL);
}

static int add_user_buffer(struct kiobuf_vec *vec)
{
	return kiobuf_vec_add_buffer(vec, (void *)(16 * PAGE_SIZE), 512,
				     GFP_KERNEL);
}

/* Runs out of its memory, into the gap behind it. */
static int add_beyond_vmalloc(struct kiobuf_vec *vec)
{
	void *mapped = vmalloc(PAGE_SIZE);
	int ret = kiobuf_vec_add_buffer(vec, mapped, PAGE_SIZE + 1, GFP_KERNEL);

	vfree(mapped);
	return ret;
}

static int add_empty_bvec(struct kiobuf_vec *vec)
{
	struct bio_vec bv[2] = { { virt_to_page(vec), 512, 0 } };

	return kiobuf_vec_add_bvecs(vec, bv, 2, GFP_KERNEL);
}

static int add_empty_sg(struct kiobuf_vec *vec)
{
	struct scatterlist sg[3];

	sg_init_table(sg, 3);
	sg_set_buf(&sg[0], vec, 32);
	sg_set_page(&sg[1], virt_to_page(vec), 0, 0);
	sg_set_buf(&sg[2], vec, 32);
	return kiobuf_vec_add_sg(vec, sg, 3, GFP_KERNEL);
}

static int add_user_kvec(struct kiobuf_vec *vec)
{
	struct kvec kv[2] = { { vec, 32 }, { (void *)(16 * PAGE_SIZE), 32 } };
	struct iov_iter iter;

	iov_iter_kvec(&iter, WRITE, kv, 2, 64);
	return kiobuf_vec_add_iter(vec, &iter, GFP_KERNEL);
}

static int add_wrapping_iter(struct kiobuf_vec *vec)
{
	struct bio_vec bv = { virt_to_page(vec), U32_MAX - 4096, 8192 };
	struct iov_iter iter;

	iov_iter_bvec(&iter, WRITE, &bv, 1, U32_MAX - 4096);
	return kiobuf_vec_add_iter(vec, &iter, GFP_KERNEL);
}

static int add_user_iter(struct kiobuf_vec *vec)
{
	struct iov_iter iter;

	iov_iter_ubuf(&iter, WRITE, (void __user *)(16 * PAGE_SIZE), 512);
	return kiobuf_vec_add_iter(vec, &iter, GFP_KERNEL);
}

static int add_discard_iter(struct kiobuf_vec *vec)
{
	struct iov_iter iter;

	iov_iter_discard(&iter, READ, 512);
	return kiobuf_vec_add_iter(vec, &iter, GFP_KERNEL);
}

#define BEFORE 64	/* bytes that an error must leave in the vector */

static const struct {
	int	(*add)(struct kiobuf_vec *vec);
	int	want;
	u32	room;
} errors[] = {
	{ add_empty, -EINVAL, 2 },
	{ add_wrapping, -EINVAL, 2 },
	{ add_to_full, -ENOSPC, 1 },
	{ add_empty_buffer, -EINVAL, 1 },
	{ add_no_buffer, -EINVAL, 1 },
	{ add_user_buffer, -EINVAL, 1 },
	{ add_beyond_vmalloc, -EINVAL, 1 },
	{ add_empty_bvec, -EINVAL, 1 },
	{ add_empty_sg, -EINVAL, 1 },
	{ add_user_kvec, -EINVAL, 1 },
	{ add_wrapping_iter, -EINVAL, 1 },
	{ add_user_iter, -EOPNOTSUPP, 1 },
	{ add_discard_iter, -EOPNOTSUPP, 1 },
};

static void errors_change_nothing(struct kunit *test)
{
	struct kiobuf_vec *vec;
	u8 *buffer = kmalloc(BEFORE, GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, buffer);
	fill(buffer, BEFORE);
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		vec = kiobuf_vec_alloc(errors[i].room, GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
		kiobuf_vec_add(vec, virt_to_page(buffer), offset_in_page(buffer),
			       BEFORE);
		KUNIT_EXPECT_EQ(test, errors[i].add(vec), errors[i].want);
		KUNIT_EXPECT_EQ(test, vec->nr, 1);
		KUNIT_EXPECT_TRUE(test, vec->length == BEFORE &&
				  reads_as(vec, 0, BEFORE, buffer));
		kiobuf_vec_put(vec);
	}
	kfree(buffer);
}

/* ---- growth and reuse ---- */

#define REUSES 100000
#define ROOM 64

/* Returns what went wrong in one use of @kb and @vec with @nr fragments. */
static int one_use(struct kiobuf *kb, struct kiobuf_vec *vec,
		   const struct bio_vec *table, u32 nr)
{
	int bad;

	kiobuf_vec_reset(vec);
	bad = !!kiobuf_vec_add_bvecs(vec, table, nr, GFP_KERNEL);
	kiobuf_reset(kb, NULL, KIOBUF_WRITE, 0, vec, vec->length);
	kiobuf_endio(kb, kb->length, 0);
	return bad + (vec->nr != nr || vec->length != nr * 48 ||
		      kiobuf_nr_frags(kb) != nr || kiobuf_wait(kb));
}

static void table_fill(struct bio_vec *table, int nr)
{
	while (nr--)
		table[nr] = (struct bio_vec){ ZERO_PAGE(0), 48,
					      (nr * 48) % 4048 };
}

static void grow_and_reuse(struct kunit *test)
{
	struct kiobuf_vec *vec = kiobuf_vec_alloc(ROOM, GFP_KERNEL);
	struct kiobuf *kb = kiobuf_alloc(GFP_KERNEL);
	const int rounds = kio_rounds(REUSES);
	static struct bio_vec table[2 * ROOM];
	const struct bio_vec *at;
	int i, bad = 0, moved = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, kb);
	table_fill(table, 2 * ROOM);
	at = vec->frags;
	for (i = 0; i < rounds; i++) {
		bad += one_use(kb, vec, table, 1 + (u64)i * ROOM / rounds);
		moved += vec->frags != at;
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	KUNIT_EXPECT_EQ(test, moved, 0);
	/* Once more than fits; what is there stays, and it fits from then on. */
	KUNIT_EXPECT_EQ(test, kiobuf_vec_add_bvecs(vec, table + ROOM, ROOM,
						   GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, memcmp(vec->frags, table, sizeof(table)), 0);
	at = vec->frags;
	KUNIT_EXPECT_EQ(test, one_use(kb, vec, table, 2 * ROOM), 0);
	KUNIT_EXPECT_EQ(test, kiobuf_vec_grow(vec, ROOM, GFP_KERNEL), 0);
	KUNIT_EXPECT_PTR_EQ(test, vec->frags, at);
	kiobuf_vec_put(vec);
	kiobuf_put(kb);
}

static int releases;

static void count_release(struct kiobuf_vec *vec)
{
	releases++;
}

/* Somebody else's table: used in place, given back once. */
static void lent_table(struct kunit *test)
{
	static struct bio_vec table[3];
	struct kiobuf_vec vec;

	releases = 0;
	table_fill(table, 3);
	kiobuf_vec_lend(&vec, table, 3, count_release);
	KUNIT_EXPECT_PTR_EQ(test, vec.frags, &table[0]);
	KUNIT_EXPECT_EQ(test, vec.length, 3 * 48);
	KUNIT_EXPECT_EQ(test, kiobuf_vec_add(&vec, table[0].bv_page, 0, 1),
			-ENOSPC);
	kiobuf_vec_get(&vec);
	kiobuf_vec_put(&vec);
	KUNIT_EXPECT_EQ(test, releases, 0);
	kiobuf_vec_put(&vec);
	KUNIT_EXPECT_EQ(test, releases, 1);
	kiobuf_vec_put(NULL);
}

/* ---- claims ---- */

/* Which page each fragment is of: 0 to 2 are single, 3 and 4 one of two pages. */
static const struct {
	struct {
		int page;
		u32 offset, length;
	} frag[4];
	int	busy;		/* locked by somebody else, -1: none */
	int	want;
} claims[] = {
	{ { { 0, 0, 4096 }, { 1, 5, 7 }, { 2, 0, 1 } }, -1, 0 },
	{ { { 3, 0, 8192 }, { 1, 0, 512 } }, -1, 0 },
	{ { { 4, 0, 4096 }, { 1, 0, 512 } }, -1, 0 },
	/* the same page twice */
	{ { { 0, 0, 512 }, { 1, 0, 512 }, { 0, 512, 512 } }, -1, -EINVAL },
	{ { { 0, 0, 512 }, { 0, 0, 512 } }, -1, -EINVAL },
	{ { { 2, 0, 8 }, { 3, 0, 512 }, { 4, 0, 512 } }, -1, -EINVAL },
	/* longer than its page */
	{ { { 1, 0, 512 }, { 0, 4000, 97 } }, -1, -EINVAL },
	{ { { 1, 0, 512 }, { 4, 0, 4097 } }, -1, -EINVAL },
	/* somebody has it */
	{ { { 0, 0, 512 }, { 1, 0, 512 }, { 2, 0, 512 } }, 0, -EAGAIN },
	{ { { 0, 0, 512 }, { 1, 0, 512 }, { 2, 0, 512 } }, 1, -EAGAIN },
	{ { { 0, 0, 512 }, { 1, 0, 512 }, { 2, 0, 512 } }, 2, -EAGAIN },
	{ { { 0, 0, 512 }, { 4, 0, 512 } }, 3, -EAGAIN },
};

static void claim_vec(struct kiobuf_vec *vec, int i, struct page **pages)
{
	int f;

	kiobuf_vec_reset(vec);
	for (f = 0; f < 4 && claims[i].frag[f].length; f++)
		kiobuf_vec_add(vec, pages[claims[i].frag[f].page],
			       claims[i].frag[f].offset,
			       claims[i].frag[f].length);
}

static int nr_locked(struct page **pages)
{
	return !!PageLocked(pages[0]) + !!PageLocked(pages[1]) +
	       !!PageLocked(pages[2]) + !!PageLocked(pages[3]);
}

static void one_claim(struct kunit *test, int i, struct kiobuf_vec *vec,
		      struct page **pages)
{
	const int busy = claims[i].busy;

	claim_vec(vec, i, pages);
	if (busy >= 0)
		lock_page(pages[busy]);
	KUNIT_EXPECT_EQ(test, kiobuf_vec_claim(vec), claims[i].want);
	if (!claims[i].want) {
		KUNIT_EXPECT_EQ(test, nr_locked(pages), vec->nr);
		KUNIT_EXPECT_EQ(test, kiobuf_vec_claim(vec), -EAGAIN);
		KUNIT_EXPECT_EQ(test, nr_locked(pages), vec->nr);
		kiobuf_vec_unclaim(vec);
	}
	KUNIT_EXPECT_EQ(test, nr_locked(pages), busy >= 0);
	if (busy >= 0)
		unlock_page(pages[busy]);
	KUNIT_EXPECT_EQ(test, nr_locked(pages), 0);
}

static bool claim_pages(struct page **pages)
{
	pages[0] = alloc_page(GFP_KERNEL);
	pages[1] = alloc_page(GFP_KERNEL);
	pages[2] = alloc_page(GFP_KERNEL);
	pages[3] = alloc_pages(GFP_KERNEL | __GFP_COMP, 1);
	pages[4] = pages[3] + 1;
	return pages[0] && pages[1] && pages[2] && pages[3];
}

static void free_claim_pages(struct page **pages)
{
	__free_page(pages[0]);
	__free_page(pages[1]);
	__free_page(pages[2]);
	__free_pages(pages[3], 1);
}

static void claim_table(struct kunit *test)
{
	struct kiobuf_vec *vec = kiobuf_vec_alloc(4, GFP_KERNEL);
	struct page *pages[5];
	int i;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
	KUNIT_EXPECT_TRUE(test, claim_pages(pages));
	for (i = 0; i < ARRAY_SIZE(claims); i++)
		one_claim(test, i, vec, pages);
	kiobuf_vec_put(vec);
	free_claim_pages(pages);
}

/* Two who want the same pages, the one in the other's reverse order. */
static struct {
	struct kiobuf_vec	*vec[2];
	atomic_t		owner;
	int			got[2];
} rivals;

/* What one try of each came to. */
struct tries {
	int	bad[2];
};

static void rivals_claim(struct tries *t, int side)
{
	int ret = kiobuf_vec_claim(rivals.vec[side]);

	t->bad[side] = ret && ret != -EAGAIN;
	if (ret)
		return;
	rivals.got[side]++;
	t->bad[side] = atomic_inc_return(&rivals.owner) != 1;
	atomic_dec(&rivals.owner);
	kiobuf_vec_unclaim(rivals.vec[side]);
}

static void first_rival(void *item, int round)
{
	rivals_claim(item, 0);
}

static void second_rival(void *item, int round)
{
	rivals_claim(item, 1);
}

static void rivals_set_up(void *item, int round)
{
}

/* Nobody holds anything in the end. */
static int rivals_check(void *item, int round)
{
	struct tries *t = item;

	if (kiobuf_vec_claim(rivals.vec[round % 2]))
		return 1;
	kiobuf_vec_unclaim(rivals.vec[round % 2]);
	return t->bad[0] + t->bad[1];
}

static const struct kio_race rivals_race = {
	.size	= sizeof(struct tries),
	.set_up	= rivals_set_up,
	.side	= { first_rival, second_rival },
	.check	= rivals_check,
};

static void two_claimers(struct kunit *test)
{
	struct page *pages[5];
	int i;

	memset(&rivals, 0, sizeof(rivals));
	rivals.vec[0] = kiobuf_vec_alloc(3, GFP_KERNEL);
	rivals.vec[1] = kiobuf_vec_alloc(3, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rivals.vec[0]);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rivals.vec[1]);
	KUNIT_EXPECT_TRUE(test, claim_pages(pages));
	for (i = 0; i < 3; i++) {
		kiobuf_vec_add(rivals.vec[0], pages[i], 0, PAGE_SIZE);
		kiobuf_vec_add(rivals.vec[1], pages[2 - i], 0, PAGE_SIZE);
	}
	KUNIT_EXPECT_EQ(test, kio_race_run(&rivals_race, kio_rounds(200000)),
			0);
	KUNIT_EXPECT_TRUE(test, rivals.got[0] && rivals.got[1]);
	kiobuf_vec_put(rivals.vec[0]);
	kiobuf_vec_put(rivals.vec[1]);
	free_claim_pages(pages);
}

/* ---- speed ---- */

#define FAST_FRAGS 1024
#define FAST_ROUNDS 200

/* Only told: what is slow depends on the machine. */
static void sg_speed(struct kunit *test)
{
	struct page *pages = odd_pages();
	struct sg_table table;
	struct kiobuf_vec *vec;
	struct kiobuf kb;
	u64 start, ns = U64_MAX;
	int i, bad = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, pages);
	vec = odd_vec(pages, FAST_FRAGS);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, vec);
	KUNIT_EXPECT_EQ(test, sg_alloc_table(&table, FAST_FRAGS, GFP_KERNEL), 0);
	window_of(&kb, vec, 0, vec->length);
	for (i = 0; i < FAST_ROUNDS; i++) {
		start = ktime_get_ns();
		bad += kiobuf_to_sg(&kb, table.sgl, FAST_FRAGS) != FAST_FRAGS;
		ns = min(ns, ktime_get_ns() - start);
	}
	KUNIT_EXPECT_EQ(test, bad, 0);
	pr_info("    # kiobuf_to_sg(): %llu ns per 100 fragments\n",
		div_u64(ns * 100, FAST_FRAGS));
	sg_free_table(&table);
	kiobuf_vec_put(vec);
	__free_pages(pages, get_order(PAGES * PAGE_SIZE));
}

static struct kunit_case vec_cases[] = {
	KUNIT_CASE(kernel_buffers),
	KUNIT_CASE(page_fragments),
	KUNIT_CASE(sg_round_trip),
	KUNIT_CASE(sg_window),
	KUNIT_CASE(bvec_round_trip),
	KUNIT_CASE(iter_windows),
	KUNIT_CASE(kvec_iter),
	KUNIT_CASE(iter_destination),
	KUNIT_CASE(errors_change_nothing),
	KUNIT_CASE(grow_and_reuse),
	KUNIT_CASE(lent_table),
	KUNIT_CASE(claim_table),
	KUNIT_CASE(two_claimers),
	KUNIT_CASE(sg_speed),
	{}
};

struct kunit_suite kio_vec_suite = {
	.name		= "kio_vec",
	.test_cases	= vec_cases,
};
