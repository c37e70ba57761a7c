// SPDX-License-Identifier: GPL-2.0
/*
 * The store of a snapshot on its device. Durable in this order: the data, then the
 * exceptions that lead to it. An area that becomes full has a blank one behind it
 * before that is to be seen.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "snapshot.h"

#define SNAP_CHUNK_MAX SZ_1M

/* ---- I/O ---- */

static int store_io(struct snap_store *store, enum kiobuf_op op, u64 pos,
		    const void *bytes, u32 length, u16 flags)
{
	int ret;

	kiobuf_vec_reset(store->vec);
	ret = kiobuf_vec_add_buffer(store->vec, bytes, length, GFP_NOIO);
	return ret ?: kblk_io(store->dev, op, pos, store->vec, length, flags);
}

static int store_flush(struct snap_store *store)
{
	if (!kblk_lower_is_volatile(store->lower))
		return 0;
	return kblk_io(store->dev, KIOBUF_FLUSH, 0, NULL, 0, 0);
}

static u64 store_area_pos(const struct snap_store *store, u64 area)
{
	return snap_area_chunk(store->layout.entries, area) << store->shift;
}

static u64 store_area_of(const struct snap_store *store, u64 exception)
{
	return div_u64(exception, store->layout.entries);
}

static u32 store_index(const struct snap_store *store, u64 exception)
{
	u32 index;

	div_u64_rem(exception, store->layout.entries, &index);
	return index;
}

static int store_write_blank(struct snap_store *store, u64 area)
{
	return kblk_io(store->dev, KIOBUF_WRITE, store_area_pos(store, area),
		       store->blank, snap_chunk_bytes(store), 0);
}

static int store_write_header(struct snap_store *store, bool valid)
{
	memset(store->area, 0, snap_chunk_bytes(store));
	snap_header_build((void *)store->area,
			  snap_chunk_bytes(store) >> SECTOR_SHIFT, valid);
	return store_io(store, KIOBUF_WRITE, 0, store->area,
			snap_chunk_bytes(store), KIOBUF_FUA);
}

/* ---- life ---- */

static int store_check_chunk(struct kblk_object *object,
			     const struct snap_store *store, u32 sectors)
{
	u32 block = kblk_lower_block_size(store->lower) >> SECTOR_SHIFT;

	if (is_power_of_2(sectors) && sectors >= block &&
	    sectors <= SNAP_CHUNK_MAX >> SECTOR_SHIFT)
		return 0;
	return kblk_refuse(object, -EINVAL,
			   "A chunk must be a power of two from %u to %u sectors, not %u.",
			   block, SNAP_CHUNK_MAX >> SECTOR_SHIFT, sectors);
}

static struct kiobuf_vec *store_blank(u32 length)
{
	struct kiobuf_vec *vec;
	u32 piece;

	vec = kiobuf_vec_alloc(DIV_ROUND_UP(length, PAGE_SIZE), GFP_KERNEL);
	for (; vec && length; length -= piece) {
		piece = min_t(u32, length, PAGE_SIZE);
		kiobuf_vec_add(vec, ZERO_PAGE(0), 0, piece);
	}
	return vec;
}

static void store_free(struct snap_store *store)
{
	if (store->vec)
		kiobuf_vec_put(store->vec);
	if (store->blank)
		kiobuf_vec_put(store->blank);
	kvfree(store->area);
	store->vec = NULL;
	store->blank = NULL;
	store->area = NULL;
}

/* Memory for chunks of that size, in place of what there was. */
static int store_set_chunk(struct snap_store *store, u32 sectors)
{
	u32 bytes = sectors << SECTOR_SHIFT;

	store_free(store);
	store->shift = ilog2(bytes);
	store->unit = max(kblk_lower_block_size(store->lower),
			  min_t(u32, bytes, PAGE_SIZE));
	store->layout.nr_chunks = kblk_lower_size(store->lower) >> store->shift;
	if (!store->persistent)
		return 0;
	store->layout.entries = bytes / sizeof(*store->area);
	store->area = kvzalloc(bytes, GFP_KERNEL);
	store->vec = kiobuf_vec_alloc(DIV_ROUND_UP(bytes, PAGE_SIZE) + 1,
				      GFP_KERNEL);
	store->blank = store_blank(bytes);
	return store->area && store->vec && store->blank ? 0 : -ENOMEM;
}

/* The header comes last: with it, what the area holds counts. */
static int store_create(struct kblk_object *object, struct snap_store *store)
{
	int ret;

	if (!snap_has_room(&store->layout, 0, SNAP_FIRST_DATA))
		return kblk_refuse(object, -ENOSPC,
				   "The device for the snapshot's chunks has no room for one.");
	ret = store_write_blank(store, 0) ?: store_flush(store) ?:
	      store_write_header(store, true);
	memset(store->area, 0, snap_chunk_bytes(store));
	return ret;
}

static int store_load_area(struct kblk_object *object, struct snap_store *store,
			   u32 nr, snap_exception_fn fn, void *arg)
{
	int ret = 0;
	u32 i;

	for (i = 0; !ret && i < nr; i++) {
		u64 old_chunk = le64_to_cpu(store->area[i].old_chunk);
		u64 new_chunk = le64_to_cpu(store->area[i].new_chunk);

		if (!snap_is_data(&store->layout, new_chunk))
			return kblk_refuse(object, -EINVAL,
					   "The store of the snapshot is damaged: chunk %llu is said to be in chunk %llu.",
					   old_chunk, new_chunk);
		if (new_chunk >= store->next)
			store->next = snap_next_data(store->layout.entries,
						     new_chunk);
		ret = fn(old_chunk, new_chunk, arg);
	}
	return ret;
}

/* What a torn write has left behind the end must not come back. */
static int store_end_area(struct snap_store *store, u64 pos, u32 nr)
{
	u32 entries = store->layout.entries;

	if (snap_is_blank(store->area, nr, entries))
		return 0;
	memset(store->area + nr, 0, (entries - nr) * sizeof(*store->area));
	return store_io(store, KIOBUF_WRITE, pos, store->area,
			snap_chunk_bytes(store), KIOBUF_FUA);
}

static int store_load(struct kblk_object *object, struct snap_store *store,
		      snap_exception_fn fn, void *arg)
{
	u32 nr, entries = store->layout.entries;
	u64 area;
	int ret;

	for (area = 0;; area++) {
		u64 pos = store_area_pos(store, area);

		if (pos >> store->shift >= store->layout.nr_chunks)
			return kblk_refuse(object, -EINVAL,
					   "The store of the snapshot goes on beyond the end of its device.");
		ret = store_io(store, KIOBUF_READ, pos, store->area,
			       snap_chunk_bytes(store), 0);
		if (ret)
			return ret;
		nr = snap_count(store->area, entries);
		ret = store_load_area(object, store, nr, fn, arg);
		if (ret)
			return ret;
		store->nr += nr;
		if (nr < entries)
			break;
		cond_resched();
	}
	store->dirty = store->nr;
	store->nr_given = store->nr;
	return store_end_area(store, store_area_pos(store, area), nr);
}

/* As dm does, the size of a chunk is what the store says, if there is one. */
static int store_open_found(struct kblk_object *object,
			    struct snap_store *store, u32 sectors,
			    snap_exception_fn fn, void *arg)
{
	int ret = store_check_chunk(object, store, sectors);

	if (!ret && sectors != snap_chunk_bytes(store) >> SECTOR_SHIFT)
		ret = store_set_chunk(store, sectors);
	return ret ?: store_load(object, store, fn, arg);
}

static int store_open_disk(struct kblk_object *object, struct snap_store *store,
			   snap_exception_fn fn, void *arg)
{
	u32 block = kblk_lower_block_size(store->lower), sectors = 0;
	int ret;

	store->next = SNAP_FIRST_DATA;
	ret = store_io(store, KIOBUF_READ, 0, store->area, block, 0);
	if (ret)
		return ret;
	switch (snap_header_read((void *)store->area, &sectors)) {
	case SNAP_HEADER_FRESH:
		return store_create(object, store);
	case SNAP_HEADER_GOOD:
		return store_open_found(object, store, sectors, fn, arg);
	case SNAP_HEADER_INVALID:
		store->valid = false;
		return store_check_chunk(object, store, sectors);
	case SNAP_HEADER_VERSION:
		return kblk_refuse(object, -EINVAL,
				   "The store of the snapshot has an unknown version.");
	default:
		return kblk_refuse(object, -EINVAL,
				   "The device for the snapshot's chunks holds something else: zero its first sector to have a new store made.");
	}
}

/*
 * Opens the store on @lower, or makes one if it begins with zeroes; tells @fn of each
 * exception. @line says what it is to be.
 */
int snap_store_open(struct kblk_object *object, struct snap_store *store,
		    struct kblk_lower *lower, const struct klvm_line *line,
		    snap_exception_fn fn, void *arg)
{
	int ret;

	store->lower = lower;
	store->dev = kblk_lower_dev(lower);
	store->persistent = line->persistent;
	store->valid = true;
	ret = store_check_chunk(object, store, line->chunk) ?:
	      store_set_chunk(store, line->chunk);
	if (!ret && store->persistent)
		ret = store_open_disk(object, store, fn, arg);
	return ret;
}

void snap_store_close(struct snap_store *store)
{
	store_free(store);
}

/* ---- exceptions ---- */

/* Hands out a chunk, under the snapshot's lock; -ENOSPC if there is none. */
int snap_store_reserve(struct snap_store *store, u64 *new_chunk)
{
	u32 entries = store->layout.entries;

	if (store->persistent ?
	    !snap_has_room(&store->layout, store->nr_given, store->next) :
	    store->next >= store->layout.nr_chunks)
		return -ENOSPC;
	*new_chunk = store->next;
	store->next = store->persistent ? snap_next_data(entries, store->next) :
					  store->next + 1;
	store->nr_given++;
	return 0;
}

/* No exception will come of it; the chunk is lost. Under the snapshot's lock. */
void snap_store_unreserve(struct snap_store *store)
{
	store->nr_given--;
}

/* Before snap_store_add(): makes durable what the exceptions will lead to. */
int snap_store_begin(struct snap_store *store)
{
	return store->persistent ? store_flush(store) : 0;
}

static int store_write_dirty(struct snap_store *store)
{
	u64 area = store_area_of(store, store->dirty);
	u32 from = store_index(store, store->dirty) * sizeof(*store->area);
	u32 to = store_index(store, store->nr - 1) * sizeof(*store->area);

	from = round_down(from, store->unit);
	to = round_down(to, store->unit) + store->unit;
	store->dirty = store->nr;
	return store_io(store, KIOBUF_WRITE, store_area_pos(store, area) + from,
			(void *)store->area + from, to - from, KIOBUF_FUA);
}

static int store_finish_area(struct snap_store *store)
{
	int ret;

	ret = store_write_blank(store, store_area_of(store, store->nr)) ?:
	      store_flush(store) ?: store_write_dirty(store);
	memset(store->area, 0, snap_chunk_bytes(store));
	return ret;
}

int snap_store_add(struct snap_store *store, u64 old_chunk, u64 new_chunk)
{
	struct snap_disk_entry *entry;

	if (!store->persistent) {
		store->nr++;
		return 0;
	}
	entry = &store->area[store_index(store, store->nr)];
	entry->old_chunk = cpu_to_le64(old_chunk);
	entry->new_chunk = cpu_to_le64(new_chunk);
	store->nr++;
	return store_index(store, store->nr) ? 0 : store_finish_area(store);
}

/* Makes durable what was added. */
int snap_store_commit(struct snap_store *store)
{
	if (!store->persistent || store->dirty == store->nr)
		return 0;
	return store_write_dirty(store);
}

/* Nothing is added to it any more. */
int snap_store_invalidate(struct snap_store *store)
{
	return store->persistent ? store_write_header(store, false) : 0;
}
