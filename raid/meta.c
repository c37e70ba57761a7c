// SPDX-License-Identifier: GPL-2.0
/*
 * Superblocks: when they are read and written, and what they say. Their format:
 * superblock.h; who of several is believed: judge.h.
 *
 * A write must not end before superblocks tell of a leg that failed it, or one that
 * comes back after a crash would be taken for good. Whoever fails a leg raises
 * meta.wanted; a write that ends later, by whatever leg, sees that it is not meta.told
 * yet, and is held until it is.
 *
 * Superblocks say whether writes may be under way ("dirty"). The first write after a
 * quiet time waits until they do, and after another quiet time they say that all legs
 * are equal ("clean"). An array that comes up dirty is resynced.
 *
 * What is in the cache of a leg is flushed before its superblock is written, so what it
 * says of that leg is true.
 */
#include <linux/module.h>
#include <linux/random.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uuid.h>

#include "bitmap.h"
#include "judge.h"
#include "kraid.h"
#include "superblock.h"
#include "trace.h"

#define META_QUIET	(HZ / 2)
#define META_POS	((u64)KRAID_SB_SECTOR << SECTOR_SHIFT)

/* Where we put data: what is before it leaves room for a large bitmap. */
#define META_DATA_START	(1024 * 1024)
#define META_MAX_DEV	384

/* ---- writing ---- */

static bool meta_is_clean(const struct kraid_array *array)
{
	return array->gate.stop & KRAID_STOP_CLEAN && !array->meta.dirty;
}

static u64 meta_resync_offset(const struct kraid_array *array)
{
	u64 resynced = array->sync.resynced;

	if (!array->personality->redundant)
		return U64_MAX;
	if (!meta_is_clean(array))
		return 0;
	return resynced == U64_MAX ? U64_MAX : resynced >> SECTOR_SHIFT;
}

static u16 meta_role(const struct kraid_member *member)
{
	if (member->state == KRAID_FAULTY)
		return KRAID_ROLE_FAULTY;
	return member->slot < 0 ? KRAID_ROLE_SPARE : member->slot;
}

/* What all superblocks have in common. */
static void meta_fill(struct kraid_array *array)
{
	struct kraid_sb *sb = array->meta.sb;
	struct kraid_member *member;
	u32 i;

	sb->utime = ktime_get_real_seconds();
	sb->events = ++array->meta.events;
	sb->resync_offset = meta_resync_offset(array);
	sb->size = array->leg_bytes >> SECTOR_SHIFT;
	sb->bitmap_offset = array->bitmap ? array->bitmap->offset : 0;
	/* As md does for numbers that nobody has. */
	for (i = 0; i < sb->max_dev; i++)
		sb->roles[i] = KRAID_ROLE_SPARE;
	/* A number may have been given away while its first owner was gone. */
	list_for_each_entry(member, &array->members, list)
		if (member->slot < 0)
			sb->roles[member->number] = meta_role(member);
	list_for_each_entry(member, &array->members, list)
		if (member->slot >= 0)
			sb->roles[member->number] = meta_role(member);
}

static u32 meta_features(const struct kraid_array *array,
			 const struct kraid_member *member)
{
	u32 features = 0;

	if (array->bitmap)
		features |= KRAID_SB_BITMAP_OFFSET;
	if (array->zones && array->zones->nr_zones > 1)
		features |= KRAID_SB_RAID0_LAYOUT;
	if (member->state == KRAID_REBUILDING)
		features |= KRAID_SB_RECOVERY_OFFSET;
	if (member->state == KRAID_REBUILDING && member->by_bitmap)
		features |= KRAID_SB_RECOVERY_BITMAP;
	if (member->twin)
		features |= KRAID_SB_REPLACEMENT;
	return features;
}

static void meta_fill_member(struct kraid_array *array,
			     const struct kraid_member *member)
{
	struct kraid_sb *sb = array->meta.sb;

	sb->features = meta_features(array, member);
	sb->data_offset = member->data_start >> SECTOR_SHIFT;
	sb->data_size = member->data_bytes >> SECTOR_SHIFT;
	sb->super_offset = KRAID_SB_SECTOR;
	sb->recovery_offset = member->state == KRAID_REBUILDING ?
			      member->recovered >> SECTOR_SHIFT : 0;
	sb->dev_number = member->number;
	sb->corrected_reads = atomic_read(&member->corrected);
	memcpy(sb->device_uuid, member->uuid, sizeof(sb->device_uuid));
	sb->devflags = member->sb_flags;
	sb->bblog_shift = member->bblog_shift;
	sb->bblog_size = member->bblog_size;
	sb->bblog_offset = member->bblog_offset;
}

static int meta_write_member(struct kraid_array *array,
			     struct kraid_member *member)
{
	struct kraid_meta *meta = &array->meta;
	int ret = 0;

	if (array->bitmap && member->slot >= 0)
		ret = kraid_bitmap_write_head(array, member);
	if (ret)
		return ret;
	meta_fill_member(array, member);
	kraid_sb_build(meta->page, meta->sb);
	return kblk_io(member->dev, KIOBUF_WRITE, META_POS, meta->vec,
		       KRAID_SB_BYTES, KIOBUF_FUA);
}

/* Counts what a member could not do. Returns -EIO if it cannot be left out for that. */
static int meta_blame(struct kraid_member *member)
{
	atomic_inc(&member->errors);
	return kraid_member_fail(member) ? 0 : -EIO;
}

/**
 * kraid_flush_members() - make durable what was written to all members
 * @array: the array
 *
 * A member that cannot do that fails. Context: process, sleeps; under meta.lock.
 * Return: 0; -EIO if one that is needed cannot.
 */
int kraid_flush_members(struct kraid_array *array)
{
	struct kraid_member *member;
	int ret = 0;

	list_for_each_entry(member, &array->members, list) {
		if (member->state == KRAID_FAULTY ||
		    !kblk_lower_is_volatile(member->lower))
			continue;
		if (kblk_io(member->dev, KIOBUF_FLUSH, 0, NULL, 0, 0))
			ret = meta_blame(member) ?: ret;
	}
	return ret;
}

/* Once round. Returns -EIO if some data has no leg any more that could be told. */
static int meta_write_once(struct kraid_array *array)
{
	struct kraid_member *member;
	int ret = kraid_flush_members(array);

	/* All caches before any superblock: one says of all that they are equal. */
	meta_fill(array);
	if (array->bitmap)
		kraid_bitmap_set_events(array, array->meta.events);
	trace_kraid_meta(array, array->meta.events, meta_is_clean(array));
	list_for_each_entry(member, &array->members, list) {
		if (member->state != KRAID_FAULTY &&
		    meta_write_member(array, member))
			ret = meta_blame(member) ?: ret;
	}
	if (array->bitmap && !ret)
		array->bitmap->unwritten = false;
	return ret;
}

/* Whoever was held until @told goes on; with @error if nobody could be told. */
static void meta_release(struct kraid_array *array, u64 told, int error)
{
	struct kiobuf *kb, *next;
	LIST_HEAD(list);

	spin_lock_irq(&array->lock);
	array->meta.told = told;
	if (told == array->meta.wanted)
		list_splice_init(&array->meta.held, &list);
	spin_unlock_irq(&array->lock);
	list_for_each_entry_safe(kb, next, &list, queue) {
		list_del_init(&kb->queue);
		if (error)
			kiobuf_fail(kb, 0, error);
		kiobuf_resume(kb);
	}
}

/**
 * kraid_meta_write() - have superblocks tell what is so
 * @array: the array
 *
 * Again if a leg fails that. Context: process, sleeps; under meta.lock.
 * Return: 0; -EIO if a leg that is needed could not be told: then writes fail from now on.
 */
int kraid_meta_write(struct kraid_array *array)
{
	u64 wanted;
	int ret = 0;

	lockdep_assert_held(&array->meta.lock);
	do {
		wanted = READ_ONCE(array->meta.wanted);
		if (array->has_sb)
			ret = meta_write_once(array);
	} while (!ret && wanted != READ_ONCE(array->meta.wanted));
	if (ret && array->gate.buckets)
		kraid_break(array, "superblocks cannot be written");
	/* What was wanted since has been kicked, and is told by the next. */
	meta_release(array, wanted, ret);
	return ret;
}

/* As kraid_meta_write(). Context: process, sleeps. */
void kraid_meta_tell(struct kraid_array *array)
{
	mutex_lock(&array->meta.lock);
	kraid_meta_write(array);
	mutex_unlock(&array->meta.lock);
}

/**
 * kraid_meta_hold() - keep a write from ending before superblocks were written
 * @array: the array
 * @kb: write, held by its frame
 *
 * Context: any.
 * Return: true if it is kept; false if that is not needed any more.
 */
bool kraid_meta_hold(struct kraid_array *array, struct kiobuf *kb)
{
	unsigned long flags;
	bool pending;

	spin_lock_irqsave(&array->lock, flags);
	pending = kraid_meta_pending(array);
	if (pending)
		list_add_tail(&kb->queue, &array->meta.held);
	spin_unlock_irqrestore(&array->lock, flags);
	return pending;
}

void kraid_meta_kick(struct kraid_array *array)
{
	queue_work(array->wq, &array->meta.work);
}

/* ---- clean and dirty ---- */

void kraid_meta_want_dirty(struct kraid_array *array)
{
	WRITE_ONCE(array->meta.dirty, true);
	kraid_meta_kick(array);
}

static void meta_watch(struct kraid_array *array)
{
	queue_delayed_work(array->wq, &array->meta.idle, META_QUIET);
}

static void meta_run(struct work_struct *work)
{
	struct kraid_array *array = container_of(work, struct kraid_array,
						 meta.work);
	unsigned int noio = memalloc_noio_save();
	bool failed, dirty;

	mutex_lock(&array->meta.lock);
	failed = kraid_meta_pending(array);
	dirty = READ_ONCE(array->meta.dirty) &&
		array->gate.stop & KRAID_STOP_CLEAN;
	if (failed || dirty)
		kraid_meta_write(array);
	if (dirty) {
		WRITE_ONCE(array->meta.dirty, false);
		kraid_gate_set(array, KRAID_STOP_CLEAN, false);
		meta_watch(array);
	} else if (!(array->gate.stop & KRAID_STOP_CLEAN)) {
		WRITE_ONCE(array->meta.dirty, false);
	}
	mutex_unlock(&array->meta.lock);
	if (failed)
		kraid_sync_kick(array);
	memalloc_noio_restore(noio);
}

static void meta_run_idle(struct work_struct *work)
{
	struct kraid_array *array = container_of(to_delayed_work(work),
						 struct kraid_array, meta.idle);
	unsigned int noio = memalloc_noio_save();
	bool quiet = !READ_ONCE(array->gate.wrote);

	mutex_lock(&array->meta.lock);
	WRITE_ONCE(array->gate.wrote, false);
	if (array->gate.stop & KRAID_STOP_BROKEN)
		quiet = false;
	if (quiet && kraid_gate_close_if_idle(array))
		kraid_meta_write(array);
	else
		meta_watch(array);
	mutex_unlock(&array->meta.lock);
	memalloc_noio_restore(noio);
}

/* ---- a new array ---- */

static u64 meta_whole_chunks(const struct kraid_array *array, u64 bytes)
{
	u32 unit = array->personality->chunked ? array->chunk : KRAID_SB_BYTES;
	u64 rest;

	div64_u64_rem(bytes, unit, &rest);
	return bytes - rest;
}

/* Bytes for data on a member; 0 if it is too small. */
u64 kraid_meta_room(const struct kraid_array *array,
		    const struct kraid_member *member)
{
	u64 bytes = kblk_lower_size(member->lower);

	if (bytes <= member->data_start)
		return 0;
	bytes -= member->data_start;
	return array->has_sb ? meta_whole_chunks(array, bytes) : bytes;
}

static int meta_lay_out(struct kraid_array *array, struct kraid_member *member)
{
	member->data_start = META_DATA_START;
	member->data_bytes = kraid_meta_room(array, member);
	generate_random_uuid(member->uuid);
	if (member->data_bytes)
		return 0;
	return kblk_refuse(&array->object, -ENOSPC,
			   "%s is too small: it has no room for a chunk behind the superblock.",
			   member->path);
}

static int meta_alloc(struct kraid_array *array)
{
	struct kraid_meta *meta = &array->meta;

	meta->sb = kvzalloc(sizeof(*meta->sb), GFP_KERNEL);
	meta->vec = kraid_buffer(&meta->page, KRAID_SB_BYTES);
	return meta->sb && meta->vec ? 0 : -ENOMEM;
}

static bool meta_has_uuid(const struct kraid_array *array)
{
	return memchr_inv(array->uuid, 0, sizeof(array->uuid));
}

static void meta_fill_new(struct kraid_array *array)
{
	struct kraid_sb *sb = array->meta.sb;

	if (!meta_has_uuid(array))
		generate_random_uuid(array->uuid);
	memcpy(sb->set_uuid, array->uuid, sizeof(sb->set_uuid));
	strscpy_pad(sb->name, array->name[0] ? array->name : kraid_name(array),
		    sizeof(sb->name));
	sb->ctime = ktime_get_real_seconds();
	sb->level = array->personality->level;
	sb->layout = array->layout;
	sb->chunk = array->personality->chunked ?
		    array->chunk >> SECTOR_SHIFT : 0;
	sb->raid_disks = array->nr_legs;
	sb->max_dev = max_t(u32, META_MAX_DEV, array->nr_legs);
	array->meta.events = 0;
}

/**
 * kraid_meta_create() - lay out a new array on its members
 * @array: the array, its members placed; superblocks are written by kraid_meta_start()
 *
 * Context: process, sleeps; says why not with kblk_refuse().
 * Return: 0 or a negative errno.
 */
int kraid_meta_create(struct kraid_array *array)
{
	struct kraid_member *member;
	int ret = meta_alloc(array);

	list_for_each_entry(member, &array->members, list)
		ret = ret ?: meta_lay_out(array, member);
	if (ret)
		return ret;
	/* Legs know where data is by now. */
	list_for_each_entry(member, &array->members, list)
		array->legs[member->slot].start = member->data_start;
	meta_fill_new(array);
	if (array->personality->redundant && !array->assume_clean)
		array->sync.resynced = 0;
	return 0;
}

/* ---- an array that is there ---- */

/* Reads and understands the superblock of a member. */
static int meta_read(struct kraid_array *array, struct kraid_member *member,
		     struct kraid_sb *sb)
{
	struct kblk_object *object = &array->object;
	char why[KBLK_ERROR_MAX];
	int ret;

	if (kblk_lower_size(member->lower) < META_POS + KRAID_SB_BYTES)
		return kblk_refuse(object, -ENODATA,
				   "%s is too small to hold a superblock.",
				   member->path);
	ret = kblk_io(member->dev, KIOBUF_READ, META_POS, array->meta.vec,
		      KRAID_SB_BYTES, 0);
	if (ret)
		return kblk_refuse(object, ret,
				   "The superblock of %s cannot be read: error %d.",
				   member->path, -ret);
	ret = kraid_sb_parse(array->meta.page, KRAID_SB_SECTOR, sb, why,
			     sizeof(why));
	if (ret)
		kblk_refuse(object, ret, "%s: %s", member->path, why);
	return ret;
}

/* Blocks that md found to be bad and we would read all the same. */
static int meta_check_bad_blocks(struct kraid_array *array,
				 const struct kraid_member *member)
{
	u64 pos = META_POS + ((s64)member->bblog_offset << SECTOR_SHIFT);
	u32 length = min_t(u32, member->bblog_size << SECTOR_SHIFT,
			   KRAID_SB_BYTES);
	int ret;

	if (!length)
		return 0;
	ret = kblk_io(member->dev, KIOBUF_READ, pos, array->meta.vec, length,
		      0);
	if (!ret && memchr_inv(array->meta.page, 0xff, length))
		ret = kblk_refuse(&array->object, -EOPNOTSUPP,
				  "%s has a list of bad blocks, which kraid does not keep.",
				  member->path);
	return ret;
}

/* What a superblock says of its member. */
static int meta_take_member(struct kraid_array *array,
			    struct kraid_member *member,
			    const struct kraid_sb *sb)
{
	u64 size = kblk_lower_size(member->lower) >> SECTOR_SHIFT;

	member->number = sb->dev_number;
	member->data_start = sb->data_offset << SECTOR_SHIFT;
	member->data_bytes = sb->data_size << SECTOR_SHIFT;
	memcpy(member->uuid, sb->device_uuid, sizeof(member->uuid));
	member->sb_flags = sb->devflags;
	member->bblog_shift = sb->bblog_shift;
	member->bblog_size = sb->bblog_size;
	member->bblog_offset = sb->bblog_offset;
	member->events = sb->events;
	atomic_set(&member->corrected, sb->corrected_reads);
	if (sb->data_offset > size || sb->data_size > size - sb->data_offset)
		return kblk_refuse(&array->object, -ENOSPC,
				   "%s is smaller than its superblock says.",
				   member->path);
	return sb->features & KRAID_SB_BAD_BLOCKS ?
	       meta_check_bad_blocks(array, member) : 0;
}

/* What it says of the array. */
static int meta_take_array(struct kraid_array *array, const struct kraid_sb *sb)
{
	*array->meta.sb = *sb;
	array->personality = kraid_personality_find(sb->level);
	if (!array->personality)
		return kblk_refuse(&array->object, -EOPNOTSUPP,
				   "The array has level %d, which kraid does not know.",
				   sb->level);
	array->layout = sb->layout;
	if (sb->chunk)
		array->chunk = sb->chunk << SECTOR_SHIFT;
	array->nr_legs = sb->raid_disks;
	array->leg_bytes = sb->size << SECTOR_SHIFT;
	array->meta.events = sb->events;
	memcpy(array->uuid, sb->set_uuid, sizeof(array->uuid));
	strscpy_pad(array->name, sb->name, sizeof(array->name));
	if (array->personality->redundant && sb->resync_offset != U64_MAX)
		array->sync.resynced = sb->resync_offset << SECTOR_SHIFT;
	if (array->nr_legs < array->personality->min_legs ||
	    array->nr_legs > array->personality->max_legs)
		return kblk_refuse(&array->object, -EOPNOTSUPP,
				   "%s of %u legs is more, or less, than kraid can.",
				   array->personality->name, array->nr_legs);
	return kraid_alloc_legs(array);
}

static void meta_place_fresh(struct kraid_array *array,
			     struct kraid_member *member,
			     const struct kraid_candidate *c)
{
	bool whole = c->recovered == U64_MAX;

	member->recovered = whole ? array->leg_bytes :
			    c->recovered << SECTOR_SHIFT;
	member->by_bitmap = c->sb->features & KRAID_SB_RECOVERY_BITMAP;
	kraid_place_member(member, c->role, c->replacement,
			   whole && !c->replacement ? KRAID_IN_SYNC :
						      KRAID_REBUILDING);
}

/* A leg that is out of date, because the user says so: then all are made equal. */
static bool meta_place_stale(struct kraid_array *array,
			     struct kraid_member *member,
			     const struct kraid_candidate *c)
{
	bool redundant = array->personality->redundant;

	if (!array->force || c->role >= array->nr_legs ||
	    array->legs[c->role].member)
		return false;
	/* What others have is newer: it is copied, unless it turns out that none has it. */
	member->forced = true;
	member->recovered = redundant ? 0 : array->leg_bytes;
	kraid_place_member(member, c->role, false,
			   redundant ? KRAID_REBUILDING : KRAID_IN_SYNC);
	return true;
}

/* Nothing is merged that has gone another way: it is shown, as faulty. */
static int meta_place(struct kraid_array *array, struct kraid_member *member,
		      const struct kraid_candidate *c)
{
	static const char *const why[KRAID_V_NR_VERDICTS] = {
		[KRAID_V_STALE]	= "the array went on without it",
		[KRAID_V_KICKED]	= "it has lost its place in the array",
		[KRAID_V_FOREIGN]	= "it is of another array",
		[KRAID_V_TWICE]	= "another device has the same place",
	};

	switch (c->verdict) {
	case KRAID_V_FRESH:
		if (c->replacement && !array->personality->redundant)
			return kblk_refuse(&array->object, -EOPNOTSUPP,
					   "%s is to replace a leg of %s, which has no copies.",
					   member->path,
					   array->personality->name);
		meta_place_fresh(array, member, c);
		return kraid_check_block(array, member);
	case KRAID_V_SPARE:
		member->state = KRAID_SPARE;
		return 0;
	case KRAID_V_STALE:
	case KRAID_V_KICKED:
		if (meta_place_stale(array, member, c))
			return kraid_check_block(array, member);
		pr_warn("kraid: %s: %s is left out: %s\n", kraid_name(array),
			member->path, why[c->verdict]);
		member->state = KRAID_FAULTY;
		return 0;
	default:
		return kblk_refuse(&array->object, -EINVAL,
				   "%s cannot be used: %s.", member->path,
				   why[c->verdict] ?: "it has no superblock");
	}
}

/* Superblocks of all members, in their order. */
static int meta_read_all(struct kraid_array *array, struct kraid_sb *sbs,
			 struct kraid_candidate *candidates)
{
	struct kraid_member *member;
	u32 i = 0;
	int ret;

	list_for_each_entry(member, &array->members, list) {
		ret = meta_read(array, member, &sbs[i]) ?:
		      meta_take_member(array, member, &sbs[i]);
		if (ret)
			return ret;
		candidates[i].sb = &sbs[i];
		candidates[i].name = member->path;
		i++;
	}
	return 0;
}

static int meta_judge(struct kraid_array *array,
		      struct kraid_candidate *candidates, u32 nr)
{
	struct kraid_member *member;
	char why[KBLK_ERROR_MAX];
	int ret, best;

	best = kraid_judge(candidates, nr,
			   meta_has_uuid(array) ? array->uuid : NULL, why,
			   sizeof(why));
	if (best < 0)
		return kblk_refuse(&array->object, best, "%s", why);
	ret = meta_take_array(array, candidates[best].sb);
	list_for_each_entry(member, &array->members, list)
		ret = ret ?: meta_place(array, member, candidates++);
	return ret;
}

/* The freshest of those that have a leg; its bitmap is the one to go by. */
static int meta_load_bitmap(struct kraid_array *array)
{
	const struct kraid_sb *sb = array->meta.sb;
	struct kraid_member *member;

	if (!(sb->features & KRAID_SB_BITMAP_OFFSET))
		return 0;
	list_for_each_entry(member, &array->members, list)
		if (member->number == sb->dev_number && member->slot >= 0)
			return kraid_bitmap_load(array, member,
						 sb->bitmap_offset);
	return -ENODEV;
}

/**
 * kraid_meta_assemble() - find out what array it is by the superblocks of its members
 * @array: the array, its members open
 *
 * Nothing is written. Context: process, sleeps; says why not with kblk_refuse().
 * Return: 0 or a negative errno.
 */
int kraid_meta_assemble(struct kraid_array *array)
{
	struct kraid_candidate *candidates;
	struct kraid_member *member;
	struct kraid_sb *sbs;
	u32 nr = 0;
	int ret;

	list_for_each_entry(member, &array->members, list)
		nr++;
	if (!nr)
		return kblk_refuse(&array->object, -EINVAL,
				   "No leg is there to read a superblock from.");
	candidates = kvcalloc(nr, sizeof(*candidates), GFP_KERNEL);
	sbs = kvcalloc(nr, sizeof(*sbs), GFP_KERNEL);
	ret = candidates && sbs ? meta_alloc(array) : -ENOMEM;
	ret = ret ?: meta_read_all(array, sbs, candidates);
	ret = ret ?: meta_judge(array, candidates, nr);
	kvfree(sbs);
	kvfree(candidates);
	return ret;
}

/* ---- a member that comes ---- */

static u32 meta_free_number(const struct kraid_array *array)
{
	/* Without superblocks the first ones are those of `legs`. */
	u32 number = array->has_sb ? 0 : array->nr_words;
	const struct kraid_member *member;
	bool used;

	do {
		used = false;
		list_for_each_entry(member, &array->members, list)
			used |= member->number == number;
	} while (used && ++number);
	return number;
}

/* Data of all members begin at the same place, if there is room. */
static int meta_admit_new(struct kraid_array *array, struct kraid_member *member)
{
	struct kraid_member *other = list_first_entry(&array->members,
						      struct kraid_member, list);

	member->number = meta_free_number(array);
	member->state = KRAID_SPARE;
	if (!array->has_sb)
		return kraid_manage_fits(array, member);
	if (member->number >= array->meta.sb->max_dev)
		return kblk_refuse(&array->object, -ENOSPC,
				   "The superblock has no room for another member.");
	member->data_start = other->data_start ?: META_DATA_START;
	member->data_bytes = kraid_meta_room(array, member);
	generate_random_uuid(member->uuid);
	return kraid_manage_fits(array, member);
}

static struct kraid_member *meta_find(struct kraid_array *array, u32 number)
{
	struct kraid_member *member;

	list_for_each_entry(member, &array->members, list)
		if (member->number == number)
			return member;
	return NULL;
}

/* Was one of those that are in sync now with it last? If not, it went another way. */
static bool meta_was_with_us(const struct kraid_array *array,
			     const struct kraid_sb *sb)
{
	const struct kraid_member *member;

	list_for_each_entry(member, &array->members, list)
		if (member->state == KRAID_IN_SYNC &&
		    kraid_sb_role(sb, member->number) == member->slot)
			return true;
	return false;
}

/* Does it lack only what the bitmap knows? */
static bool meta_may_return(struct kraid_array *array,
			    const struct kraid_sb *sb)
{
	u16 role = kraid_sb_own_role(sb);

	return array->bitmap && kraid_role_is_place(role) &&
	       role < array->nr_legs && !array->legs[role].member &&
	       !memcmp(sb->set_uuid, array->uuid, sizeof(array->uuid)) &&
	       sb->events >= array->bitmap->sb.events_cleared &&
	       sb->events <= array->meta.events && meta_was_with_us(array, sb) &&
	       kraid_sb_recovered(sb) == U64_MAX &&
	       !meta_find(array, sb->dev_number);
}

static int meta_return(struct kraid_array *array, struct kraid_member *member,
		       const struct kraid_sb *sb)
{
	int ret = meta_take_member(array, member, sb);

	/* Bits change under meta.lock only, so what is written now holds when it comes. */
	ret = ret ?: kraid_manage_fits(array, member) ?:
	      kraid_bitmap_write_all(array, member);
	if (ret)
		return ret;
	ret = kraid_suspend(array);
	if (ret)
		return kblk_refuse(&array->object, ret,
				   "Writes that are under way do not end.");
	kraid_leg_settle();
	spin_lock_irq(&array->lock);
	member->by_bitmap = true;
	member->recovered = 0;
	kraid_place_member(member, kraid_sb_own_role(sb), false,
			   KRAID_REBUILDING);
	spin_unlock_irq(&array->lock);
	kraid_resume(array);
	return 0;
}

/**
 * kraid_meta_admit() - make a device a member of a live array
 * @array: the array, up and redundant
 * @member: of kraid_member_open(), in no list yet
 * @may_return: if it was a member that lacks only what the bitmap tells, it gets its
 *	leg back; else it becomes a spare
 *
 * Context: process, sleeps; under meta.lock.
 * Return: 0 or a negative errno.
 */
int kraid_meta_admit(struct kraid_array *array, struct kraid_member *member,
		     bool may_return)
{
	struct kraid_sb *sb;
	int ret = -ENODATA;

	if (!array->has_sb || !may_return)
		return meta_admit_new(array, member);
	sb = kvzalloc(sizeof(*sb), GFP_KERNEL);
	if (!sb)
		return -ENOMEM;
	if (!meta_read(array, member, sb) && meta_may_return(array, sb))
		ret = meta_return(array, member, sb);
	kvfree(sb);
	if (ret == -ENODATA) {
		array->object.error[0] = '\0';
		ret = meta_admit_new(array, member);
	}
	return ret;
}

/* ---- up and down ---- */

void kraid_meta_init(struct kraid_array *array)
{
	struct kraid_meta *meta = &array->meta;

	mutex_init(&meta->lock);
	INIT_LIST_HEAD(&meta->held);
	INIT_WORK(&meta->work, meta_run);
	INIT_DELAYED_WORK(&meta->idle, meta_run_idle);
}

static int meta_start_bitmap(struct kraid_array *array)
{
	if (!array->has_sb || !array->personality->redundant)
		return 0;
	if (!array->create)
		return meta_load_bitmap(array);
	return array->wants_bitmap ? kraid_bitmap_create(array) : 0;
}

static int meta_write_new(struct kraid_array *array)
{
	u32 legs = array->nr_in_sync;
	int ret;

	if (!array->has_sb || !array->create)
		return 0;
	ret = kraid_meta_write(array);
	/* Nothing was lost yet: better no array than one with a leg less. */
	if (ret || array->nr_in_sync < legs)
		return kblk_refuse(&array->object, -EIO,
				   "A superblock could not be written.");
	return 0;
}

/**
 * kraid_meta_start() - the array is about to come up
 * @array: the array; its size and shape are known
 *
 * Writes superblocks of a new one. Context: process, sleeps; says why not with
 * kblk_refuse().
 * Return: 0 or a negative errno.
 */
int kraid_meta_start(struct kraid_array *array)
{
	int ret;

	/* The first write has them say that there are some. */
	if (array->has_sb && array->personality->redundant)
		kraid_gate_set(array, KRAID_STOP_CLEAN, true);
	mutex_lock(&array->meta.lock);
	ret = meta_start_bitmap(array) ?: meta_write_new(array);
	mutex_unlock(&array->meta.lock);
	array->meta.started = !ret;
	return ret;
}

static bool meta_must_tell(const struct kraid_array *array)
{
	unsigned long stop = array->gate.stop;

	return !(stop & KRAID_STOP_BROKEN) &&
	       (!(stop & KRAID_STOP_CLEAN) || kraid_meta_pending(array));
}

/* Nothing is in flight: superblocks say so, and what is in caches is durable. */
void kraid_meta_stop(struct kraid_array *array)
{
	struct kraid_meta *meta = &array->meta;

	if (array->wq) {
		cancel_work_sync(&meta->work);
		cancel_delayed_work_sync(&meta->idle);
	}
	mutex_lock(&meta->lock);
	meta->dirty = false;
	if (meta->started && array->gate.buckets && meta_must_tell(array)) {
		kraid_gate_set(array, KRAID_STOP_CLEAN, true);
		kraid_meta_write(array);
	}
	meta->told = meta->wanted;
	meta->started = false;
	mutex_unlock(&meta->lock);
	kvfree(meta->sb);
	meta->sb = NULL;
	if (meta->vec)
		kraid_buffer_free(meta->vec, meta->page);
	meta->vec = NULL;
}
