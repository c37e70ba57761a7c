// SPDX-License-Identifier: GPL-2.0
/* The target striped: chunks to legs in turn, as device-mapper lays them out. */
#include <linux/lcm.h>
#include <linux/log2.h>
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "klvm.h"

/* Without legs yet; NULL without memory. */
struct klvm_stripes *klvm_stripes_new(u32 chunk, u32 nr)
{
	struct klvm_stripes *stripes;

	stripes = kvzalloc(struct_size(stripes, legs, nr), GFP_KERNEL);
	if (!stripes)
		return NULL;
	stripes->chunk = chunk;
	stripes->shift = is_power_of_2(chunk) ? ilog2(chunk) : 0;
	stripes->nr = nr;
	return stripes;
}

/* Which chunk, and where in it */
static u64 klvm_chunk(const struct klvm_stripes *stripes, u64 pos,
		      u32 *in_chunk)
{
	if (unlikely(!stripes->shift))
		return div_u64_rem(pos, stripes->chunk, in_chunk);
	*in_chunk = pos & (stripes->chunk - 1);
	return pos >> stripes->shift;
}

static void klvm_striped_point_at(struct kiobuf *kb,
				  const struct klvm_stripes *stripes,
				  u64 chunk, u32 in_chunk)
{
	const struct klvm_leg *leg;
	u32 turn;
	u64 row = div_u64_rem(chunk, stripes->nr, &turn);

	leg = &stripes->legs[turn];
	kb->pos = leg->pos + row * stripes->chunk + in_chunk;
	kb->dev = leg->dev;
}

static void klvm_striped_point(struct kiobuf *kb,
			       const struct klvm_segment *segment)
{
	u32 in_chunk;
	u64 chunk = klvm_chunk(segment->stripes, kb->pos - segment->start,
			       &in_chunk);

	klvm_striped_point_at(kb, segment->stripes, chunk, in_chunk);
}

/* @kb lies in @segment. */
int klvm_striped_submit(struct kiobuf *kb, const struct klvm_segment *segment)
{
	const struct klvm_stripes *stripes = segment->stripes;
	u32 in_chunk;
	u64 chunk = klvm_chunk(stripes, kb->pos - segment->start, &in_chunk);

	if (unlikely(kb->length > stripes->chunk - in_chunk))
		return KIOBUF_SPLIT;
	klvm_striped_point_at(kb, stripes, chunk, in_chunk);
	return KIOBUF_REMAPPED;
}

/* The next bytes of @parent, which lie in @segment: as far as the chunk goes. */
struct kiobuf *klvm_striped_carve(struct kiobuf *parent,
				  const struct klvm_segment *segment)
{
	u64 pos = parent->pos + parent->carved - segment->start;
	struct kiobuf *kb;
	u32 in_chunk;

	klvm_chunk(segment->stripes, pos, &in_chunk);
	kb = kiobuf_carve(parent, segment->stripes->chunk - in_chunk);
	if (!IS_ERR_OR_NULL(kb))
		klvm_striped_point(kb, segment);
	return kb;
}

/* The next clone of @parent, all of which lies in @segment. */
struct kiobuf *klvm_striped_next(struct kiobuf *parent,
				 const struct klvm_segment *segment)
{
	struct kiobuf_stripes stripes = {
		.chunk	= segment->stripes->chunk,
		.nr	= segment->stripes->nr,
	};
	struct kiobuf *kb;

	klvm_chunk(segment->stripes, parent->pos - segment->start,
		   &stripes.skip);
	if (!kiobuf_may_gather(&stripes, parent->length))
		return klvm_striped_carve(parent, segment);
	kb = kiobuf_gather(parent, &stripes);
	if (!IS_ERR_OR_NULL(kb))
		klvm_striped_point(kb, segment);
	return kb;
}

/* Adds what a striped segment likes best: chunks, and whole rows of them. */
void klvm_striped_shape(struct kblk_shape *shape,
			const struct klvm_stripes *stripes)
{
	u64 row = (u64)stripes->chunk * stripes->nr;

	shape->io_min = max(shape->io_min, stripes->chunk);
	if (row <= U32_MAX)
		shape->io_opt = lcm_not_zero(row, shape->io_opt);
}
