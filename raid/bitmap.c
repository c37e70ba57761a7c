// SPDX-License-Identifier: GPL-2.0
/* The write-intent bitmap: see bitmap.h; its format: bitmap_sb.h. */
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "bitmap.h"
#include "kraid.h"

#define BITMAP_PAGE	SZ_4K
#define BITMAP_POS	((KRAID_SB_SECTOR + KRAID_SB_SECTORS) * (u64)SECTOR_SIZE)

static atomic_t *bitmap_word(const struct kraid_array *array, u64 pos)
{
	return &array->bitmap->words[pos >> array->bitmap->shift];
}

static u64 bitmap_first(const struct kraid_bitmap *bitmap, u64 pos)
{
	return pos >> bitmap->shift;
}

/* One past the last chunk of a range that is not empty */
static u64 bitmap_end(const struct kraid_bitmap *bitmap, u64 pos, u64 length)
{
	return ((pos + length - 1) >> bitmap->shift) + 1;
}

/* The first chunk of a write, and one past the last: bits are of what is synced. */
static u64 bitmap_chunks(const struct kraid_array *array, u64 pos, u64 length,
			 u64 *end)
{
	if (unlikely(array->parity))
		pos = kraid_parity_span(array, pos, &length);
	*end = bitmap_end(array->bitmap, pos, length);
	return bitmap_first(array->bitmap, pos);
}

/* ---- writes ---- */

/* Counts a write in, if the bit is set on disk. */
static bool bitmap_count_in(atomic_t *word)
{
	int old = atomic_read(word);

	do {
		if (unlikely(!(old & KRAID_BIT_DIRTY)))
			return false;
	} while (unlikely(!atomic_try_cmpxchg(word, &old,
					      (old + 1) & ~KRAID_BIT_AGED)));
	return true;
}

static void bitmap_count_out(struct kraid_bitmap *bitmap, u64 nr, u64 end)
{
	for (; nr < end; nr++)
		atomic_dec(&bitmap->words[nr]);
}

/**
 * kraid_bitmap_start() - begin a write
 * @array: the array, which has a bitmap
 * @kb: write that was let in by kraid_write_enter(), of at least a byte
 *
 * Context: ->submit().
 * Return: above 0 if it may go on, and kraid_bitmap_end() is owed; else the write has
 * left the gate, and this is what ->submit() is to answer.
 */
int kraid_bitmap_start(struct kraid_array *array, struct kiobuf *kb)
{
	struct kraid_bitmap *bitmap = array->bitmap;
	u64 end, first = bitmap_chunks(array, kb->pos, kb->length, &end), nr;
	int ret;

	for (nr = first; nr < end; nr++)
		if (unlikely(!bitmap_count_in(&bitmap->words[nr])))
			break;
	if (likely(nr == end))
		return 1;
	bitmap_count_out(bitmap, first, nr);
	/* The bitmap stays from here on: see kraid_bitmap_free(). */
	rcu_read_lock();
	kraid_write_leave(array, kb->pos, kb->length);
	ret = kraid_park(array, &bitmap->waiting, kb);
	rcu_read_unlock();
	return ret;
}

/* Context: any. */
void kraid_bitmap_end(struct kraid_array *array, u64 pos, u64 length)
{
	u64 end, first = bitmap_chunks(array, pos, length, &end);

	bitmap_count_out(array->bitmap, first, end);
}

/* ---- on disk ---- */

static int bitmap_write_range(struct kraid_bitmap *bitmap,
			      struct kraid_member *member, u32 from, u32 length)
{
	u64 pos = ((s64)KRAID_SB_SECTOR + bitmap->offset) * SECTOR_SIZE + from;
	struct kiobuf_vec *vec = bitmap->vec;
	struct kiobuf whole, kb;
	int ret;

	kiobuf_init(&whole, member->dev, KIOBUF_WRITE, 0, vec, vec->length);
	ret = kiobuf_init_clone(&kb, &whole, from, length);
	if (WARN_ON_ONCE(ret))
		return ret;
	kb.pos = pos;
	kb.flags |= KIOBUF_FUA;
	kb.hints = (__force u32)(REQ_META | REQ_SYNC);
	kiobuf_submit(&kb);
	ret = kiobuf_wait(&kb);
	kiobuf_endio(&whole, whole.length, 0);
	kiobuf_wait(&whole);
	return ret;
}

static u32 bitmap_pages(const struct kraid_bitmap *bitmap)
{
	return DIV_ROUND_UP(bitmap->size, BITMAP_PAGE);
}

static int bitmap_write_page(struct kraid_bitmap *bitmap,
			     struct kraid_member *member, u32 page)
{
	u32 from = page * BITMAP_PAGE;

	return bitmap_write_range(bitmap, member, from,
			    min_t(u32, BITMAP_PAGE, bitmap->size - from));
}

static bool bitmap_is_kept_on(const struct kraid_member *member)
{
	return member->slot >= 0 && member->state != KRAID_FAULTY;
}

/* On a leg where it can't be written the leg fails; -EIO if that may not be. */
static int bitmap_write_member(struct kraid_bitmap *bitmap,
			       struct kraid_member *member)
{
	u32 page, pages = bitmap_pages(bitmap);
	int ret = 0;

	for_each_set_bit(page, bitmap->changed, pages)
		ret = ret ?: bitmap_write_page(bitmap, member, page);
	if (!ret)
		return 0;
	atomic_inc(&member->errors);
	return kraid_member_fail(member) ? 0 : -EIO;
}

static int bitmap_write_changed(struct kraid_bitmap *bitmap)
{
	struct kraid_array *array = bitmap->array;
	struct kraid_member *member;
	int ret = 0;

	lockdep_assert_held(&array->meta.lock);
	list_for_each_entry(member, &array->members, list)
		if (bitmap_is_kept_on(member))
			ret = bitmap_write_member(bitmap, member) ?: ret;
	bitmap_zero(bitmap->changed, bitmap_pages(bitmap));
	return ret;
}

/* The whole of it, to one that has just come. */
int kraid_bitmap_write_all(struct kraid_array *array,
			   struct kraid_member *member)
{
	struct kraid_bitmap *bitmap = array->bitmap;

	return bitmap_write_range(bitmap, member, 0, bitmap->size);
}

/* Its superblock, which tells the same events as the array's; all of it if need be. */
int kraid_bitmap_write_head(struct kraid_array *array,
			    struct kraid_member *member)
{
	if (array->bitmap->unwritten)
		return kraid_bitmap_write_all(array, member);
	return bitmap_write_page(array->bitmap, member, 0);
}

/* ---- bits ---- */

static void bitmap_put_bit(struct kraid_bitmap *bitmap, u64 nr, bool on)
{
	u64 at = kraid_bitmap_byte(nr);
	u8 *byte = (u8 *)bitmap->image + at;

	if (on)
		*byte |= kraid_bitmap_mask(nr);
	else
		*byte &= ~kraid_bitmap_mask(nr);
	set_bit(at / BITMAP_PAGE, bitmap->changed);
}

static void bitmap_mark_range(struct kraid_bitmap *bitmap,
			      const struct kiobuf *kb)
{
	u64 end, nr = bitmap_chunks(bitmap->array, kb->pos, kb->length, &end);

	for (; nr < end; nr++)
		if (!(atomic_read(&bitmap->words[nr]) & KRAID_BIT_DIRTY))
			bitmap_put_bit(bitmap, nr, true);
}

static void bitmap_let_range(struct kraid_bitmap *bitmap,
			     const struct kiobuf *kb)
{
	u64 end, nr = bitmap_chunks(bitmap->array, kb->pos, kb->length, &end);

	for (; nr < end; nr++)
		atomic_or(KRAID_BIT_DIRTY, &bitmap->words[nr]);
}

static void bitmap_clear_later(struct kraid_bitmap *bitmap)
{
	queue_delayed_work(bitmap->array->wq, &bitmap->clear,
			   bitmap->sb.daemon_sleep * HZ);
}

static int bitmap_set_all(struct kraid_bitmap *bitmap, struct list_head *list)
{
	struct kiobuf *kb;
	int ret;

	list_for_each_entry(kb, list, queue)
		bitmap_mark_range(bitmap, kb);
	ret = bitmap_write_changed(bitmap);
	if (ret)
		return ret;
	list_for_each_entry(kb, list, queue)
		bitmap_let_range(bitmap, kb);
	bitmap_clear_later(bitmap);
	return 0;
}

static void bitmap_run_set(struct work_struct *work)
{
	struct kraid_bitmap *bitmap = container_of(work, struct kraid_bitmap,
						   set);
	struct kraid_array *array = bitmap->array;
	unsigned int noio = memalloc_noio_save();
	struct kiobuf *kb, *next;
	LIST_HEAD(list);
	int ret = 0;

	while ((kb = kiobuf_dequeue(&bitmap->waiting)))
		list_add_tail(&kb->queue, &list);
	mutex_lock(&array->meta.lock);
	if (array->bitmap == bitmap)
		ret = bitmap_set_all(bitmap, &list);
	mutex_unlock(&array->meta.lock);
	list_for_each_entry_safe(kb, next, &list, queue) {
		list_del_init(&kb->queue);
		if (ret)
			kiobuf_endio(kb, 0, ret);
		else
			kiobuf_submit(kb);
	}
	memalloc_noio_restore(noio);
}

/* Returns true if the bit is set still. */
static bool bitmap_clear_one(struct kraid_bitmap *bitmap, u32 nr)
{
	atomic_t *word = &bitmap->words[nr];
	int old = atomic_read(word);

	if (!(old & KRAID_BIT_DIRTY))
		return false;
	if (old == (int)KRAID_BIT_DIRTY) {
		atomic_cmpxchg(word, old, old | KRAID_BIT_AGED);
	} else if (old == (int)(KRAID_BIT_DIRTY | KRAID_BIT_AGED) &&
		   atomic_cmpxchg(word, old, 0) == old) {
		bitmap_put_bit(bitmap, nr, false);
		return false;
	}
	return true;
}

/*
 * Clears what no write was made to for a while. The word goes first, so a write that
 * comes meanwhile has the bit set again, and waits for that behind us. Returns true if
 * some are left.
 */
static bool bitmap_clear_some(struct kraid_bitmap *bitmap)
{
	struct kraid_array *array = bitmap->array;
	bool left = false;
	u32 nr;

	/* A leg that is away will want to know what was written. */
	if (kraid_degraded(array) || kraid_meta_pending(array))
		return true;
	bitmap->sb.events_cleared = array->meta.events;
	kraid_bitmap_set_events(array, array->meta.events);
	for (nr = 0; nr < bitmap->nr; nr++)
		left |= bitmap_clear_one(bitmap, nr);
	/* What those bits stood for must be on the legs before they say it is. */
	if (!kraid_flush_members(array))
		bitmap_write_changed(bitmap);
	return left;
}

static void bitmap_run_clear(struct work_struct *work)
{
	struct kraid_bitmap *bitmap = container_of(to_delayed_work(work),
						   struct kraid_bitmap, clear);
	struct kraid_array *array = bitmap->array;
	unsigned int noio = memalloc_noio_save();
	bool left = false;

	mutex_lock(&array->meta.lock);
	if (array->bitmap == bitmap)
		left = bitmap_clear_some(bitmap);
	mutex_unlock(&array->meta.lock);
	if (left)
		bitmap_clear_later(bitmap);
	memalloc_noio_restore(noio);
}

bool kraid_bitmap_is_dirty(const struct kraid_array *array, u64 pos)
{
	return atomic_read(bitmap_word(array, pos)) & KRAID_BIT_DIRTY;
}

bool kraid_bitmap_is_needed(const struct kraid_array *array, u64 pos)
{
	return atomic_read(bitmap_word(array, pos)) & KRAID_BIT_NEEDED;
}

/*
 * Sets all bits, before any write. They are on disk before there is one: the first one
 * waits for superblocks, which take the bitmap along.
 */
void kraid_bitmap_need_all(struct kraid_array *array)
{
	struct kraid_bitmap *bitmap = array->bitmap;
	u32 flags = KRAID_BIT_DIRTY, nr;

	if (array->sync.resynced != U64_MAX)
		flags |= KRAID_BIT_NEEDED;
	for (nr = 0; nr < bitmap->nr; nr++)
		atomic_or(flags, &bitmap->words[nr]);
	memset(bitmap->image + KRAID_BITMAP_HEADER, 0xff,
	       bitmap->size - KRAID_BITMAP_HEADER);
	bitmap->unwritten = true;
}

/* The resync has come from @from to @to: chunks that end there are equal. */
void kraid_bitmap_synced(struct kraid_array *array, u64 from, u64 to)
{
	struct kraid_bitmap *bitmap = array->bitmap;
	u64 nr = bitmap_first(bitmap, from), end = bitmap_first(bitmap, to);

	if (to >= kraid_size(array))
		end = bitmap->nr;
	for (; nr < end; nr++)
		atomic_andnot(KRAID_BIT_NEEDED, &bitmap->words[nr]);
	bitmap_clear_later(bitmap);
}

/* ---- life ---- */

static void bitmap_destroy(struct kraid_bitmap *bitmap)
{
	if (bitmap->vec)
		kraid_buffer_free(bitmap->vec, bitmap->image);
	kvfree(bitmap->words);
	kvfree(bitmap->changed);
	kfree(bitmap);
}

/* As md: bits are of the array in level 10, of a leg in all others. */
static u64 bitmap_covers(const struct kraid_array *array)
{
	return kraid_size(array) >> SECTOR_SHIFT;
}

static bool bitmap_make_parts(struct kraid_bitmap *bitmap)
{
	bitmap->words = kvcalloc(bitmap->nr, sizeof(*bitmap->words),
				 GFP_KERNEL);
	bitmap->vec = kraid_buffer(&bitmap->image, bitmap->size);
	bitmap->changed = kvcalloc(BITS_TO_LONGS(bitmap_pages(bitmap)),
				   sizeof(long), GFP_KERNEL);
	return bitmap->words && bitmap->vec && bitmap->changed;
}

static struct kraid_bitmap *bitmap_make(struct kraid_array *array, u64 sectors,
					u32 chunk, s32 offset)
{
	struct kraid_bitmap *bitmap = kzalloc(sizeof(*bitmap), GFP_KERNEL);
	u32 block = kraid_block_size(array);

	if (!bitmap)
		return NULL;
	memcpy(bitmap->sb.uuid, array->uuid, sizeof(bitmap->sb.uuid));
	bitmap->sb.sync_size = sectors;
	bitmap->sb.chunk = chunk;
	bitmap->sb.daemon_sleep = KRAID_BITMAP_SLEEP;
	bitmap->array = array;
	bitmap->shift = ilog2(chunk);
	bitmap->offset = offset;
	bitmap->nr = kraid_bitmap_bits(sectors, chunk);
	bitmap->size = round_up(kraid_bitmap_room(sectors, chunk), block);
	INIT_WORK(&bitmap->set, bitmap_run_set);
	INIT_DELAYED_WORK(&bitmap->clear, bitmap_run_clear);
	kiobuf_queue_init(&bitmap->waiting, &bitmap->set, array->wq);
	if (bitmap_make_parts(bitmap))
		return bitmap;
	bitmap_destroy(bitmap);
	return NULL;
}

/* The superblock in the image follows the array's. */
void kraid_bitmap_set_events(struct kraid_array *array, u64 events)
{
	struct kraid_bitmap *bitmap = array->bitmap;

	bitmap->sb.events = events;
	bitmap->sb.state = 0;
	kraid_bitmap_sb_build(bitmap->image, &bitmap->sb);
	set_bit(0, bitmap->changed);
}

/* Bytes for a bitmap between our superblock and the data of any member */
static u64 bitmap_room(const struct kraid_array *array)
{
	const struct kraid_member *member;
	u64 start = U64_MAX;

	list_for_each_entry(member, &array->members, list)
		start = min(start, member->data_start);
	return start - BITMAP_POS;
}

/* Bytes that a bit is to stand for; 0 if there is no room. */
static u32 bitmap_new_chunk(const struct kraid_array *array)
{
	u64 sectors = bitmap_covers(array), room = bitmap_room(array);

	if (!array->bitmap_chunk)
		return kraid_bitmap_pick_chunk(sectors, room);
	return kraid_bitmap_room(sectors, array->bitmap_chunk) <= room ?
	       array->bitmap_chunk : 0;
}

/**
 * kraid_bitmap_create() - give an array a new bitmap
 * @array: the array; no write is in flight
 *
 * Says that all may differ if it does. Superblocks are for the caller to write.
 * Context: process, sleeps; under meta.lock.
 * Return: 0 or a negative errno.
 */
int kraid_bitmap_create(struct kraid_array *array)
{
	u64 sectors = bitmap_covers(array);
	u32 chunk = bitmap_new_chunk(array);
	struct kraid_bitmap *bitmap;
	struct kraid_member *member;

	if (!chunk)
		return kblk_refuse(&array->object, -ENOSPC,
				   "There is no room for a bitmap before the data.");
	bitmap = bitmap_make(array, sectors, chunk, KRAID_SB_SECTORS);
	if (!bitmap)
		return -ENOMEM;
	bitmap->sb.events_cleared = array->meta.events;
	array->bitmap = bitmap;
	kraid_bitmap_set_events(array, array->meta.events);
	if (array->sync.resynced != U64_MAX)
		kraid_bitmap_need_all(array);
	list_for_each_entry(member, &array->members, list)
		if (bitmap_is_kept_on(member) &&
		    kraid_bitmap_write_all(array, member))
			kraid_member_fail(member);
	return 0;
}

static void bitmap_take_bits(struct kraid_array *array)
{
	struct kraid_bitmap *bitmap = array->bitmap;
	u32 flags = KRAID_BIT_DIRTY, nr;
	const u8 *bytes = bitmap->image;

	if (array->sync.resynced != U64_MAX)
		flags |= KRAID_BIT_NEEDED;
	for (nr = 0; nr < bitmap->nr; nr++)
		if (bytes[kraid_bitmap_byte(nr)] & kraid_bitmap_mask(nr))
			atomic_set(&bitmap->words[nr], flags);
}

static int bitmap_read_range(struct kraid_member *member, s32 offset,
			     struct kiobuf_vec *vec, u32 length)
{
	u64 pos = ((s64)KRAID_SB_SECTOR + offset) * SECTOR_SIZE;

	return kblk_io(member->dev, KIOBUF_READ, pos, vec, length, 0);
}

/* Has a leg been away for longer than the bitmap tells of? Only by `force`. */
static bool bitmap_is_too_young(const struct kraid_bitmap *bitmap)
{
	const struct kraid_member *member;

	list_for_each_entry(member, &bitmap->array->members, list)
		if (member->state == KRAID_IN_SYNC &&
		    member->events < bitmap->sb.events_cleared)
			return true;
	return false;
}

/* Only its superblock, to see how large it is. */
static int bitmap_read_head(struct kraid_array *array,
			    struct kraid_member *member, s32 offset,
			    struct kraid_bitmap_sb *sb)
{
	char why[KBLK_ERROR_MAX];
	int ret = bitmap_read_range(member, offset, array->meta.vec, BITMAP_PAGE);

	if (ret)
		return kblk_refuse(&array->object, ret,
				   "The bitmap of %s cannot be read: error %d.",
				   member->path, -ret);
	ret = kraid_bitmap_sb_parse(array->meta.page, sb, why, sizeof(why));
	if (ret)
		return kblk_refuse(&array->object, ret, "%s: %s", member->path,
				   why);
	if (sb->sync_size == bitmap_covers(array) &&
	    !memcmp(sb->uuid, array->uuid, sizeof(sb->uuid)))
		return 0;
	return kblk_refuse(&array->object, -EINVAL,
			   "%s: the bitmap is of another array, or of one of another size.",
			   member->path);
}

/* It lies behind the superblock, and before the data of each member. */
static int bitmap_check_room(struct kraid_array *array)
{
	const struct kraid_bitmap *bitmap = array->bitmap;
	const struct kraid_member *member;
	u64 end = ((s64)KRAID_SB_SECTOR + bitmap->offset) * SECTOR_SIZE +
		  bitmap->size;

	list_for_each_entry(member, &array->members, list)
		if (bitmap->offset < KRAID_SB_SECTORS ||
		    end > member->data_start)
			return kblk_refuse(&array->object, -EINVAL,
					   "%s: the bitmap does not lie between superblock and data.",
					   member->path);
	return 0;
}

/**
 * kraid_bitmap_load() - read the bitmap of an array
 * @array: the array, before it is up
 * @member: where to
 * @offset: in sectors behind the superblock
 *
 * Context: process, sleeps; under meta.lock; says why not with kblk_refuse().
 * Return: 0 or a negative errno.
 */
int kraid_bitmap_load(struct kraid_array *array, struct kraid_member *member,
		      s32 offset)
{
	struct kraid_bitmap_sb sb;
	int ret = bitmap_read_head(array, member, offset, &sb);

	if (ret)
		return ret;
	array->bitmap = bitmap_make(array, sb.sync_size, sb.chunk, offset);
	if (!array->bitmap)
		return -ENOMEM;
	ret = bitmap_check_room(array);
	if (ret)
		return ret;
	array->bitmap->sb = sb;
	ret = bitmap_read_range(member, offset, array->bitmap->vec,
				array->bitmap->size);
	if (ret)
		return ret;
	bitmap_take_bits(array);
	/* It was not kept when the array was written to last. */
	if (sb.events + 1 < array->meta.events ||
	    sb.state & KRAID_BITMAP_STALE ||
	    bitmap_is_too_young(array->bitmap))
		kraid_bitmap_need_all(array);
	bitmap_clear_later(array->bitmap);
	return 0;
}

/* No bit is cleared from now on: the array goes down. Not under meta.lock. */
void kraid_bitmap_quiet(struct kraid_array *array)
{
	if (array->bitmap)
		cancel_delayed_work_sync(&array->bitmap->clear);
}

/**
 * kraid_bitmap_detach() - take the bitmap off its array
 * @array: the array; no write is in flight, but some may wait for their bits
 *
 * Context: under meta.lock once the array is up.
 * Return: the bitmap, for kraid_bitmap_free(); NULL if there was none.
 */
struct kraid_bitmap *kraid_bitmap_detach(struct kraid_array *array)
{
	struct kraid_bitmap *bitmap = array->bitmap;

	WRITE_ONCE(array->bitmap, NULL);
	return bitmap;
}

/* Context: process, sleeps; not under meta.lock. */
void kraid_bitmap_free(struct kraid_bitmap *bitmap)
{
	if (!bitmap)
		return;
	/* Who parks a write, or pulls one, may have found it still. */
	synchronize_rcu();
	flush_work(&bitmap->set);
	cancel_delayed_work_sync(&bitmap->clear);
	bitmap_destroy(bitmap);
}
