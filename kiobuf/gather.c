// SPDX-License-Identifier: GPL-2.0
/*
 * Gathering: what lies together on a device below, but is scattered over the parent
 * piece by piece, as chunks of a stripe are, becomes one clone.
 *
 * It is the one kind of clone that has a fragment table of its own: those of its
 * pieces in the parent's table, one behind the other; none if there is no data. The
 * table and the comb are one allocation, which is never waited for: without it each
 * piece gets a clone of its own, for which the pool of the device has a reserve.
 */
#include <linux/module.h>
#include <linux/slab.h>

#include "internal.h"

/* Fragments in a table from the cache */
#define KIOBUF_GATHER_FEW 120
/* In one of its own, so that it is got in one piece; more are not gathered. */
#define KIOBUF_GATHER_MAX 2048

/* More pieces than this, and all from the first one on counts as failed. */
#define KIOBUF_GATHER_FAULTS 256

/* parent->carved: which comb comes next in the low bits, how many of its teeth are out */
#define KIOBUF_COMB_BITS 16
#define KIOBUF_COMB_MASK ((1ULL << KIOBUF_COMB_BITS) - 1)

/**
 * struct kiobuf_gathered - what a gathered clone has beside its header
 * @vec: lent over @frags; without any, the clone has none
 * @comb: where its bytes are in the parent
 * @frags: the table
 */
struct kiobuf_gathered {
	struct kiobuf_vec	vec;
	struct kiobuf_comb	comb;
	struct bio_vec		frags[];
};

static struct kmem_cache *kiobuf_gathered_cache;

/* ---- arithmetic ---- */

/**
 * kiobuf_comb_init() - the bytes of a window that go to one column
 * @comb: to be filled in
 * @stripes: how the window lies in the stripes
 * @length: bytes of the window
 * @n: which column, counted from that of the first byte; below @stripes->nr
 *
 * Combs of one window follow each other: that of @n begins before that of @n + 1.
 * Context: any.
 */
void kiobuf_comb_init(struct kiobuf_comb *comb,
		      const struct kiobuf_stripes *stripes, u64 length, u32 n)
{
	u64 pitch = (u64)stripes->chunk * stripes->nr;
	u64 before = (u64)stripes->chunk * n, rest;

	comb->tooth = stripes->chunk;
	comb->pitch = pitch;
	comb->skip = n ? 0 : stripes->skip;
	comb->offset = before + comb->skip - stripes->skip;
	/* Counted from where the chunk of the first byte begins. */
	length += stripes->skip;
	comb->length = div64_u64_rem(length, pitch, &rest) * stripes->chunk;
	if (rest > before)
		comb->length += min_t(u64, rest - before, stripes->chunk);
	comb->length -= min_t(u64, comb->length, comb->skip);
}
EXPORT_SYMBOL_GPL(kiobuf_comb_init);

/**
 * kiobuf_comb_at() - where a byte is in the window
 * @comb: the comb
 * @byte: of it, below comb->length
 * @left: bytes that lie together from there on, those behind the comb not counted
 *
 * Context: any.
 * Return: its offset in the window.
 */
u64 kiobuf_comb_at(const struct kiobuf_comb *comb, u64 byte, u64 *left)
{
	u32 in_tooth;
	u64 tooth = div_u64_rem(byte + comb->skip, comb->tooth, &in_tooth);

	*left = min_t(u64, comb->tooth - in_tooth, comb->length - byte);
	return comb->offset - comb->skip + tooth * comb->pitch + in_tooth;
}
EXPORT_SYMBOL_GPL(kiobuf_comb_at);

/* What is left of a comb behind its first @teeth; @comb->length 0 if that was all. */
static void kiobuf_comb_advance(struct kiobuf_comb *comb, u64 teeth)
{
	u64 bytes;

	if (!teeth)
		return;
	bytes = min(teeth * comb->tooth - comb->skip, comb->length);
	comb->offset += teeth * comb->pitch - comb->skip;
	comb->length -= bytes;
	comb->skip = 0;
}

static bool kiobuf_comb_is_piece(const struct kiobuf_comb *comb)
{
	return comb->length <= comb->tooth - comb->skip;
}

/* ---- the table ---- */

/* A place in a table: @at is where the fragment begins in the window. */
struct kiobuf_place {
	const struct bio_vec	*frag;
	s64			at;
};

static struct kiobuf_place kiobuf_place_first(const struct kiobuf *kb)
{
	return (struct kiobuf_place){
		.frag	= kb->vec->frags + kb->frag,
		.at	= -(s64)kb->skip,
	};
}

static __always_inline void kiobuf_place_seek(struct kiobuf_place *place,
					      s64 to)
{
	while (place->at + place->frag->bv_len <= to)
		place->at += place->frag++->bv_len;
}

/* Fragments that the comb's pieces touch. */
static u32 kiobuf_comb_count(const struct kiobuf *kb,
			     const struct kiobuf_comb *comb)
{
	struct kiobuf_place place = kiobuf_place_first(kb);
	const struct bio_vec *first;
	u64 byte, piece, at;
	u32 nr = 0;

	for (byte = 0; byte < comb->length; byte += piece) {
		at = kiobuf_comb_at(comb, byte, &piece);
		kiobuf_place_seek(&place, at);
		first = place.frag;
		kiobuf_place_seek(&place, at + piece - 1);
		nr += place.frag - first + 1;
	}
	return nr;
}

/* Returns where the next piece goes, NULL if there is no room before @end. */
static struct bio_vec *kiobuf_copy_piece(struct bio_vec *to,
					 const struct bio_vec *end,
					 struct kiobuf_place *place, s64 at,
					 s64 piece)
{
	u32 skip;

	kiobuf_place_seek(place, at);
	skip = at - place->at;
	for (piece += skip; to < end; to++, place->frag++) {
		*to = *place->frag;
		to->bv_offset += skip;
		to->bv_len -= skip;
		skip = 0;
		if (piece <= place->frag->bv_len) {
			to->bv_len -= place->frag->bv_len - piece;
			return to + 1;
		}
		piece -= place->frag->bv_len;
		place->at += place->frag->bv_len;
	}
	return NULL;
}

/* Returns how many fragments there are, 0 if they are more than @max. */
static u32 kiobuf_comb_copy(const struct kiobuf *kb,
			    const struct kiobuf_comb *comb,
			    struct bio_vec *frags, u32 max)
{
	struct kiobuf_place place = kiobuf_place_first(kb);
	struct bio_vec *to = frags;
	u64 byte, piece, at;

	for (byte = 0; to && byte < comb->length; byte += piece) {
		at = kiobuf_comb_at(comb, byte, &piece);
		to = kiobuf_copy_piece(to, frags + max, &place, at, piece);
	}
	return to ? to - frags : 0;
}

static void kiobuf_gathered_free(struct kiobuf_gathered *g)
{
	if (likely(g->vec.nr <= KIOBUF_GATHER_FEW))
		kmem_cache_free(kiobuf_gathered_cache, g);
	else
		kfree(g);
}

/* Without memory, or with too many fragments: NULL. */
static noinline struct kiobuf_gathered *
kiobuf_gathered_many(const struct kiobuf *parent,
		     const struct kiobuf_comb *comb)
{
	u32 nr = kiobuf_comb_count(parent, comb);
	struct kiobuf_gathered *g;

	if (nr > KIOBUF_GATHER_MAX)
		return NULL;
	g = kmalloc(struct_size(g, frags, nr), GFP_NOWAIT | __GFP_NOWARN);
	if (g)
		g->vec.nr = kiobuf_comb_copy(parent, comb, g->frags, nr);
	return g;
}

/* Not counted first: that takes as long as the copy. */
static struct kiobuf_gathered *
kiobuf_gathered_few(const struct kiobuf *parent, const struct kiobuf_comb *comb)
{
	struct kiobuf_gathered *g;

	g = kmem_cache_alloc(kiobuf_gathered_cache, GFP_NOWAIT | __GFP_NOWARN);
	if (!g)
		return NULL;
	g->vec.nr = parent->vec ? kiobuf_comb_copy(parent, comb, g->frags,
						   KIOBUF_GATHER_FEW) : 0;
	if (likely(g->vec.nr || !parent->vec))
		return g;
	kmem_cache_free(kiobuf_gathered_cache, g);
	return kiobuf_gathered_many(parent, comb);
}

static struct kiobuf_gathered *
kiobuf_gathered_new(const struct kiobuf *parent, const struct kiobuf_comb *comb)
{
	struct kiobuf_gathered *g = kiobuf_gathered_few(parent, comb);

	if (!g)
		return NULL;
	g->comb = *comb;
	g->vec.frags = g->frags;
	g->vec.length = comb->length;
	g->vec.max = 0;
	g->vec.release = NULL;
	refcount_set(&g->vec.refs, 1);
	return g;
}

static struct kiobuf_gathered *kiobuf_gathered_of(const struct kiobuf *kb)
{
	return kb->private;
}

/* ---- the way down ---- */

static void kiobuf_gathered_end_io(struct kiobuf *kb)
{
	kiobuf_gathered_free(kiobuf_gathered_of(kb));
	kiobuf_pool_free(kiobuf_slot(kb)->pool, kb);
}

static struct kiobuf *kiobuf_gather_whole(struct kiobuf *parent,
					  const struct kiobuf_comb *comb)
{
	struct kiobuf_gathered *g = kiobuf_gathered_new(parent, comb);
	struct kiobuf *kb;

	if (!g)
		return NULL;
	kb = kiobuf_mirror(parent, comb->length);
	if (IS_ERR(kb)) {
		kiobuf_gathered_free(g);
		return kb;
	}
	if (kb->vec)
		kb->vec = &g->vec;
	kb->frag = 0;
	kb->skip = 0;
	kb->private = g;
	kb->offset = comb->offset;
	kb->pos += comb->offset;
	kb->flags |= KIOBUF_GATHERED;
	kb->end_io = kiobuf_gathered_end_io;
	return kb;
}

static struct kiobuf *kiobuf_gather_comb(struct kiobuf *parent,
					 const struct kiobuf_comb *comb)
{
	struct kiobuf *kb = NULL;
	u64 piece;

	if (!kiobuf_comb_is_piece(comb))
		kb = kiobuf_gather_whole(parent, comb);
	if (kb)
		return kb;
	kiobuf_comb_at(comb, 0, &piece);
	return kiobuf_alloc_clone(parent, comb->offset, piece, GFP_NOWAIT);
}

/* The comb that @n names, what is out already taken off. */
static void kiobuf_comb_next(struct kiobuf_comb *comb,
			     const struct kiobuf *parent,
			     const struct kiobuf_stripes *stripes, u64 n)
{
	kiobuf_comb_init(comb, stripes, parent->length, n & KIOBUF_COMB_MASK);
	kiobuf_comb_advance(comb, n >> KIOBUF_COMB_BITS);
}

static void kiobuf_fail_comb(struct kiobuf *kb, const struct kiobuf_comb *comb,
			     u64 byte, u64 length, int error);

/* All that is not out yet, exactly. */
static void kiobuf_gather_fail(struct kiobuf *parent,
			       const struct kiobuf_stripes *stripes, int error)
{
	u64 n = parent->carved;
	struct kiobuf_comb comb;

	for (; n < stripes->nr || n >> KIOBUF_COMB_BITS;
	     n = (n & KIOBUF_COMB_MASK) + 1) {
		kiobuf_comb_next(&comb, parent, stripes, n);
		kiobuf_fail_comb(parent, &comb, 0, comb.length, error);
	}
}

/**
 * kiobuf_gather() - clone what the next column gets of a header that is being split
 * @parent: as handed to ->next_child(), with a length
 * @stripes: how it lies in the stripes; the same each time
 *
 * All its chunks in that column, which lie together there, are one clone, at the
 * position of the first of them on the parent's device: kb->pos, which is to be mapped.
 * Where memory is short, it is only that first chunk, and the next call goes on behind
 * it. For requests that have more than one chunk in some column: others are cheaper
 * with kiobuf_carve().
 *
 * Its result is mapped back by kiobuf_collate_prefix(), which is the default.
 * Context: ->next_child().
 * Return: the clone; NULL when nothing is left, or all that is left has failed, with
 * what the parent was cancelled with perhaps; ERR_PTR(-EAGAIN) without a header, to be
 * handed to the core as it is.
 */
struct kiobuf *kiobuf_gather(struct kiobuf *parent,
			     const struct kiobuf_stripes *stripes)
{
	u64 n = parent->carved & KIOBUF_COMB_MASK;
	struct kiobuf_comb comb;
	struct kiobuf *kb;

	if (n == stripes->nr)
		return NULL;
	kiobuf_comb_next(&comb, parent, stripes, parent->carved);
	kb = kiobuf_gather_comb(parent, &comb);
	if (IS_ERR(kb)) {
		if (kb == ERR_PTR(-EAGAIN) && !(parent->flags & KIOBUF_NOWAIT))
			return kb;
		kiobuf_gather_fail(parent, stripes, PTR_ERR(kb));
		return NULL;
	}
	if (likely(kb->length == comb.length))
		parent->carved = n + 1;
	else
		parent->carved += 1ULL << KIOBUF_COMB_BITS;
	return kb;
}
EXPORT_SYMBOL_GPL(kiobuf_gather);

/* ---- the way up ---- */

/* @length bytes of a comb from @byte on failed: so much of each piece did. */
static void kiobuf_fail_comb(struct kiobuf *kb, const struct kiobuf_comb *comb,
			     u64 byte, u64 length, int error)
{
	u64 end = byte + length, piece, at;

	if (length / comb->tooth > KIOBUF_GATHER_FAULTS) {
		at = kiobuf_comb_at(comb, byte, &piece);
		kiobuf_fail(kb, at, error);
		return;
	}
	for (; byte < end; byte += piece) {
		at = kiobuf_comb_at(comb, byte, &piece);
		piece = min(piece, end - byte);
		kiobuf_fail_range(kb, at, piece, error);
	}
}

static int kiobuf_collate_fault(const struct kiobuf_fault *fault, void *arg)
{
	struct kiobuf *child = arg;

	kiobuf_fail_comb(child->parent, &kiobuf_gathered_of(child)->comb,
			 fault->offset, fault->length, fault->error);
	return 0;
}

/* kiobuf_collate_prefix() for a gathered clone. */
void kiobuf_collate_gathered(struct kiobuf *parent, struct kiobuf *child)
{
	const struct kiobuf_comb *comb = &kiobuf_gathered_of(child)->comb;
	u64 left;

	kiobuf_walk_faults(child, kiobuf_collate_fault, child);
	/* An errno that came with all bytes lies behind the last. */
	if (child->bytes == child->length)
		kiobuf_fail_prefix(parent,
				   kiobuf_comb_at(comb, child->length - 1,
						  &left) + 1, child->error);
}

/* That there is one keeps the memory from being zeroed each time. */
static void kiobuf_gathered_construct(void *unused)
{
}

int __init kiobuf_gather_init(void)
{
	struct kiobuf_gathered *g;

	kiobuf_gathered_cache =
		kmem_cache_create("kiobuf_gathered",
				  struct_size(g, frags, KIOBUF_GATHER_FEW), 0,
				  0, kiobuf_gathered_construct);
	return kiobuf_gathered_cache ? 0 : -ENOMEM;
}

void kiobuf_gather_exit(void)
{
	kmem_cache_destroy(kiobuf_gathered_cache);
}
