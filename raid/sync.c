// SPDX-License-Identifier: GPL-2.0
/*
 * What makes legs equal: rebuild, resync after a crash, check and repair.
 *
 * A thread goes through the array, or for a rebuild through the leg, in order, a batch
 * of pieces at a time. Writes are kept out of a batch while it is read, compared and
 * written (gate.c), so what is compared does not change, and what is copied is new.
 *
 *	recover		a member that is rebuilding gets what other copies hold
 *	resync, repair	copies that differ from the first one are written over
 *	check		they are counted
 *
 * A copy that cannot be read is written over too, whatever the action. If no copy of a
 * piece can be read, the batch is done over in blocks, so that a bad block spoils no
 * more than itself.
 */
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>

#include "bitmap.h"
#include "kraid.h"
#include "stripe.h"
#include "trace.h"

#define SYNC_PIECE		SZ_64K
#define SYNC_BLOCK		SZ_4K
#define SYNC_MAX_PIECES		16
#define SYNC_CHECKPOINT		(10 * HZ)

const char *const kraid_action_names[KRAID_NR_ACTIONS] = {
	[KRAID_IDLE]	= "idle",
	[KRAID_CHECK]	= "check",
	[KRAID_REPAIR]	= "repair",
	[KRAID_RESYNC]	= "resync",
	[KRAID_RECOVER]	= "recover",
};

/**
 * struct sync_copy - a copy of a piece
 * @kb: I/O on it
 * @vec: its memory
 * @bytes: likewise
 * @leg: where it is
 * @used: there is such a copy
 * @bad: it could not be read
 * @write: it is written over
 */
struct sync_copy {
	struct kiobuf		kb;
	struct kiobuf_vec	*vec;
	void			*bytes;
	struct kraid_leg	*leg;
	bool			used;
	bool			bad;
	bool			write;
};

/**
 * struct sync_piece - a range of the array that lies together in each copy
 * @pos: in the array
 * @length: bytes
 * @leg_pos: in a rebuild: on the leg that is rebuilt
 * @copies: of it; in a rebuild the source is the first, the only one with memory in use
 */
struct sync_piece {
	u64			pos;
	u32			length;
	u64			leg_pos;
	struct sync_copy	*copies;
};

/**
 * struct kraid_sync_run - a batch
 * @target: member that is rebuilt, NULL in any other action
 * @next: where the next piece begins
 * @unit: longest piece
 * @careful_until: up to here in blocks
 * @told: how far superblocks say that it is
 * @told_at: when they were told, in jiffies
 * @nr: pieces in use
 * @max: pieces there are
 * @nr_copies: of each piece
 * @job: works on stripes, where there is parity: then there is one piece, without copies
 * @pieces: them
 */
struct kraid_sync_run {
	struct kraid_member	*target;
	u64			next;
	u32			unit;
	u64			careful_until;
	u64			told;
	unsigned long		told_at;
	u32			nr;
	u32			max;
	u32			nr_copies;
	struct stripe_job	job;
	struct sync_piece	pieces[SYNC_MAX_PIECES];
};

static bool sync_must_stop(struct kraid_array *array)
{
	return READ_ONCE(array->sync.stop) || kthread_should_stop();
}

/* ---- which pieces ---- */

static struct kraid_leg *sync_target_leg(struct kraid_array *array)
{
	const struct kraid_member *target = array->sync.run->target;

	return &array->legs[target->slot +
			    (target->twin ? array->nr_legs : 0)];
}

/* The byte of the array that a rebuild is at; U64_MAX if none is there. */
static u64 sync_source(const struct kraid_array *array, u64 leg_pos)
{
	struct kraid_place place = {
		.leg = array->sync.run->target->slot,
		.pos = leg_pos,
	};

	if (!array->geo.chunk)
		return leg_pos;
	return raid10_unmap(&array->geo, place);
}

static bool sync_is_needed(struct kraid_array *array, u64 pos)
{
	const struct kraid_sync_run *run = array->sync.run;

	if (!array->bitmap)
		return true;
	if (run->target)
		return !run->target->by_bitmap ||
		       kraid_bitmap_is_dirty(array, pos);
	return array->sync.action != KRAID_RESYNC || array->sync.whole ||
	       kraid_bitmap_is_needed(array, pos);
}

/* How many of the bytes from @pos on have the same bit, which is all that is looked at. */
static u64 sync_by_bit(const struct kraid_array *array, u64 pos, u64 length)
{
	u64 bit;

	if (!array->bitmap)
		return length;
	bit = 1ULL << array->bitmap->shift;
	return min(length, bit - (pos & (bit - 1)));
}

/* Takes the next bytes as @piece; false if they need nothing. */
static bool sync_take(struct kraid_array *array, struct sync_piece *piece)
{
	struct kraid_sync_run *run = array->sync.run;
	u64 at = run->next, length = array->sync.end - at;

	length = min_t(u64, length, run->unit - (at & (run->unit - 1)));
	length = min(length, kraid_span(array, at));
	piece->leg_pos = at;
	piece->pos = run->target ? sync_source(array, at) : at;
	if (piece->pos != U64_MAX)
		length = sync_by_bit(array, piece->pos, length);
	piece->length = length;
	run->next += length;
	return piece->pos != U64_MAX && sync_is_needed(array, piece->pos);
}

static void sync_fill(struct kraid_array *array)
{
	struct kraid_sync_run *run = array->sync.run;

	run->nr = 0;
	run->unit = run->next < run->careful_until ? SYNC_BLOCK : SYNC_PIECE;
	while (run->nr < run->max && run->next < array->sync.end &&
	       !sync_must_stop(array)) {
		if (sync_take(array, &run->pieces[run->nr]))
			run->nr++;
		cond_resched();
	}
}

/* ---- barriers round a batch ---- */

static void sync_lower(struct kraid_array *array, u32 nr)
{
	struct kraid_sync_run *run = array->sync.run;
	u32 i;

	for (i = 0; i < nr; i++)
		kraid_barrier_lower(array, run->pieces[i].pos,
				    run->pieces[i].length);
}

static int sync_raise(struct kraid_array *array)
{
	struct kraid_sync_run *run = array->sync.run;
	u32 i;
	int ret;

	for (i = 0; i < run->nr; i++) {
		ret = kraid_barrier_raise(array, run->pieces[i].pos,
					  run->pieces[i].length,
					  sync_must_stop);
		if (ret) {
			sync_lower(array, i);
			return ret;
		}
	}
	return 0;
}

/* ---- I/O ---- */

static void sync_submit(struct sync_copy *copy, enum kiobuf_op op, u64 pos,
			struct kiobuf_vec *vec, u32 length)
{
	kiobuf_init(&copy->kb, copy->leg->dev, op, pos + copy->leg->start, vec,
		    length);
	kiobuf_submit(&copy->kb);
}

static void sync_read_copy(struct kraid_array *array, struct sync_piece *piece,
			   struct sync_copy *copy, u32 n)
{
	struct kraid_place place = kraid_copy(array, piece->pos, n);

	copy->leg = &array->legs[place.leg];
	copy->bad = false;
	copy->write = false;
	copy->used = kraid_leg_readable(copy->leg, place.pos + piece->length);
	if (copy->used)
		sync_submit(copy, KIOBUF_READ, place.pos, copy->vec,
			    piece->length);
}

static void sync_wait_read(struct sync_copy *copy)
{
	if (!copy->used || !kiobuf_wait(&copy->kb))
		return;
	copy->bad = true;
	atomic_inc(&copy->leg->member->errors);
}

/* All copies, but for a rebuild one will do, unless some are known to be bad. */
static void sync_read_piece(struct kraid_array *array, struct sync_piece *piece)
{
	struct kraid_sync_run *run = array->sync.run;
	bool one = run->target && run->unit > SYNC_BLOCK, found = false;
	u32 n;

	for (n = 0; n < run->nr_copies; n++) {
		struct sync_copy *copy = &piece->copies[n];

		copy->used = false;
		if (one && found)
			continue;
		sync_read_copy(array, piece, copy, n);
		found |= copy->used;
	}
}

static void sync_read(struct kraid_array *array)
{
	struct kraid_sync_run *run = array->sync.run;
	u32 i, n;

	for (i = 0; i < run->nr; i++)
		sync_read_piece(array, &run->pieces[i]);
	for (i = 0; i < run->nr; i++)
		for (n = 0; n < run->nr_copies; n++)
			sync_wait_read(&run->pieces[i].copies[n]);
}

/* The copy that the others are to be like: the first that could be read. */
static struct sync_copy *sync_first(const struct kraid_sync_run *run,
				    const struct sync_piece *piece)
{
	u32 n;

	for (n = 0; n < run->nr_copies; n++)
		if (piece->copies[n].used && !piece->copies[n].bad)
			return &piece->copies[n];
	return NULL;
}

static bool sync_lacks_source(const struct kraid_sync_run *run)
{
	u32 i;

	for (i = 0; i < run->nr; i++)
		if (!sync_first(run, &run->pieces[i]))
			return true;
	return false;
}

static u32 sync_differing(const void *a, const void *b, u32 length)
{
	u32 i, sectors = 0;

	if (!memcmp(a, b, length))
		return 0;
	for (i = 0; i < length; i += SECTOR_SIZE)
		sectors += !!memcmp(a + i, b + i, SECTOR_SIZE);
	return sectors;
}

static void sync_compare(struct kraid_array *array, struct sync_piece *piece,
			 const struct sync_copy *first)
{
	struct kraid_sync *sync = &array->sync;
	struct sync_copy *copy;
	u32 n, sectors;

	for (n = 0; n < sync->run->nr_copies; n++) {
		copy = &piece->copies[n];
		if (!copy->used || copy == first)
			continue;
		sectors = copy->bad ? 0 : sync_differing(first->bytes,
							 copy->bytes,
							 piece->length);
		if (sync->action != KRAID_RESYNC)
			sync->mismatches += sectors;
		copy->write = copy->bad ||
			      (sectors && sync->action != KRAID_CHECK);
	}
}

static void sync_write_copies(struct kraid_array *array,
			      struct sync_piece *piece,
			      const struct sync_copy *first)
{
	struct sync_copy *copy;
	u32 n;

	for (n = 0; n < array->sync.run->nr_copies; n++) {
		copy = &piece->copies[n];
		if (copy->write)
			sync_submit(copy, KIOBUF_WRITE,
				    kraid_copy(array, piece->pos, n).pos,
				    first->vec, piece->length);
	}
}

static void sync_wait_write(struct kraid_array *array, struct sync_copy *copy)
{
	if (!copy->write)
		return;
	copy->write = false;
	if (kiobuf_wait(&copy->kb) ||
	    (copy->bad && kraid_count_read_error(copy->leg->member)))
		kraid_leg_fail(array, copy->leg);
	else if (copy->bad)
		atomic_inc(&copy->leg->member->corrected);
}

static void sync_wait_writes(struct kraid_array *array)
{
	struct kraid_sync_run *run = array->sync.run;
	u32 i, n;

	for (i = 0; i < run->nr; i++)
		for (n = 0; n < run->nr_copies; n++)
			sync_wait_write(array, &run->pieces[i].copies[n]);
}

/* Copies that differ, or could not be read. */
static void sync_equalise(struct kraid_array *array)
{
	struct kraid_sync_run *run = array->sync.run;
	struct sync_copy *first;
	u32 i;

	for (i = 0; i < run->nr; i++) {
		first = sync_first(run, &run->pieces[i]);
		if (!first)
			continue;
		sync_compare(array, &run->pieces[i], first);
		sync_write_copies(array, &run->pieces[i], first);
	}
	sync_wait_writes(array);
}

/* The copy that was the source is read no more: its header does for the write. */
static int sync_rebuild(struct kraid_array *array)
{
	struct kraid_sync_run *run = array->sync.run;
	struct kraid_leg *leg = sync_target_leg(array);
	struct sync_copy *first;
	int ret = 0;
	u32 i;

	for (i = 0; i < run->nr; i++) {
		first = sync_first(run, &run->pieces[i]);
		first->leg = leg;
		sync_submit(first, KIOBUF_WRITE, run->pieces[i].leg_pos,
			    first->vec, run->pieces[i].length);
	}
	for (i = 0; i < run->nr; i++)
		ret = kiobuf_wait(&sync_first(run, &run->pieces[i])->kb) ?: ret;
	if (ret)
		kraid_leg_fail(array, leg);
	return ret;
}

/* ---- a batch ---- */

/* -ENODATA: no copy of some block can be read. */
static int sync_work(struct kraid_array *array)
{
	struct kraid_sync_run *run = array->sync.run;

	sync_read(array);
	if (sync_lacks_source(run) && (run->unit > SYNC_BLOCK || run->target))
		return -ENODATA;
	if (run->target)
		return sync_rebuild(array);
	sync_equalise(array);
	return 0;
}

/* Where there is parity: a range of columns that lies in one chunk. */
static u32 sync_next_stripe(struct kraid_array *array)
{
	struct kraid_sync_run *run = array->sync.run;
	u64 at = run->next, length = array->sync.end - at;
	u32 unit = min(array->chunk, at < run->careful_until ? SYNC_BLOCK :
							       SYNC_PIECE);

	length = min_t(u64, length, unit - (at & (unit - 1)));
	length = sync_by_bit(array, at, length);
	run->nr = 0;
	run->next += length;
	if (!sync_is_needed(array, at))
		return 0;
	run->nr = 1;
	run->pieces[0].length = length;
	return length;
}

static int sync_stripe(struct kraid_array *array, u64 pos, u32 length)
{
	struct kraid_sync *sync = &array->sync;
	struct kraid_sync_run *run = sync->run;
	u64 mismatches = 0;
	int ret;

	mutex_lock(&array->repair.lock);
	ret = run->target ?
	      stripe_sync(&run->job, pos, length, sync_target_leg(array),
			  run->target->slot, true, &mismatches) :
	      stripe_sync(&run->job, pos, length, NULL, 0,
			  sync->action != KRAID_CHECK, &mismatches);
	mutex_unlock(&array->repair.lock);
	if (sync->action == KRAID_CHECK || sync->action == KRAID_REPAIR)
		sync->mismatches += mismatches;
	return ret;
}

static int sync_stripe_batch(struct kraid_array *array)
{
	struct kraid_sync_run *run = array->sync.run;
	u64 from = run->next;
	u32 length = sync_next_stripe(array);
	int ret = length ? sync_stripe(array, from, length) : 0;

	/* What is lost in a block stays, the rest is gone through. */
	if (ret == -ENODATA && !run->target && length <= SYNC_BLOCK)
		return 0;
	if (ret)
		run->next = from;
	if (ret == -ENODATA && length > SYNC_BLOCK) {
		run->careful_until = from + length;
		ret = 0;
	}
	return ret;
}

static int sync_batch(struct kraid_array *array)
{
	struct kraid_sync_run *run = array->sync.run;
	u64 from = run->next;
	int ret;

	sync_fill(array);
	mutex_lock(&array->repair.lock);
	ret = sync_raise(array);
	if (!ret) {
		ret = sync_work(array);
		sync_lower(array, run->nr);
	}
	mutex_unlock(&array->repair.lock);
	if (ret)
		run->next = from;
	if (ret == -ENODATA && run->unit > SYNC_BLOCK) {
		run->careful_until = from + run->max * SYNC_PIECE;
		ret = 0;
	}
	return ret;
}

/* ---- how far it is ---- */

static void sync_set_pos(struct kraid_array *array, u64 pos)
{
	struct kraid_sync *sync = &array->sync;
	struct kraid_member *target = sync->run->target;
	u64 old = sync->pos;

	WRITE_ONCE(sync->pos, pos);
	if (target) {
		spin_lock_irq(&array->lock);
		target->recovered = pos;
		WRITE_ONCE(sync_target_leg(array)->recovered, pos);
		spin_unlock_irq(&array->lock);
	} else if (sync->action == KRAID_RESYNC) {
		WRITE_ONCE(sync->resynced, pos);
		if (array->bitmap)
			kraid_bitmap_synced(array, old, pos);
	}
}

/* What superblocks say survives a crash: now and then they are told. */
static void sync_checkpoint(struct kraid_array *array)
{
	struct kraid_sync *sync = &array->sync;
	struct kraid_sync_run *run = sync->run;

	if (!run->target || !array->has_sb ||
	    (sync->pos - run->told < sync->end / 16 &&
	     time_before(jiffies, run->told_at + SYNC_CHECKPOINT)))
		return;
	run->told = sync->pos;
	run->told_at = jiffies;
	kraid_meta_tell(array);
}

/* Of the last batch: what was skipped costs nothing. */
static u64 sync_bytes(const struct kraid_sync_run *run)
{
	u64 bytes = 0;
	u32 i;

	for (i = 0; i < run->nr; i++)
		bytes += run->pieces[i].length;
	return bytes;
}

static void sync_throttle(struct kraid_array *array, unsigned long start,
			  u64 bytes)
{
	u32 max = READ_ONCE(array->sync.kib_max);
	unsigned long due;

	if (!max)
		return;
	due = start + div64_u64(bytes * HZ, max * 1024ULL);
	if (time_after(due, jiffies))
		wait_event_timeout(array->sync.wait, sync_must_stop(array),
				   due - jiffies);
}

static int sync_go(struct kraid_array *array)
{
	struct kraid_sync *sync = &array->sync;
	struct kraid_sync_run *run = sync->run;
	unsigned long start;
	int ret = 0;

	run->next = sync->pos;
	run->told = sync->pos;
	run->told_at = jiffies;
	run->careful_until = 0;
	while (!ret && run->next < sync->end && !sync_must_stop(array)) {
		start = jiffies;
		ret = array->parity ? sync_stripe_batch(array) :
				      sync_batch(array);
		if (ret)
			break;
		sync_set_pos(array, run->next);
		sync_checkpoint(array);
		sync_throttle(array, start, sync_bytes(run));
		cond_resched();
	}
	if (!ret && run->next < sync->end)
		ret = -EINTR;
	return ret;
}

/* ---- buffers ---- */

static void sync_free_pieces(struct kraid_sync_run *run)
{
	struct sync_copy *copy;
	u32 i, n;

	for (i = 0; i < run->max; i++) {
		for (n = 0; run->pieces[i].copies && n < run->nr_copies; n++) {
			copy = &run->pieces[i].copies[n];
			if (copy->vec)
				kraid_buffer_free(copy->vec, copy->bytes);
		}
		kvfree(run->pieces[i].copies);
	}
	stripe_job_exit(&run->job);
	kvfree(run);
}

static bool sync_alloc_piece(struct kraid_sync_run *run,
			     struct sync_piece *piece)
{
	u32 n;

	piece->copies = kvcalloc(run->nr_copies, sizeof(*piece->copies),
				 GFP_KERNEL);
	for (n = 0; piece->copies && n < run->nr_copies; n++) {
		piece->copies[n].vec = kraid_buffer(&piece->copies[n].bytes,
						    SYNC_PIECE);
		if (!piece->copies[n].vec)
			return false;
	}
	return piece->copies;
}

/* Taken when something is to be done, and given back after it. */
static struct kraid_sync_run *sync_alloc(struct kraid_array *array)
{
	struct kraid_sync_run *run = kvzalloc(sizeof(*run), GFP_KERNEL);
	u32 i;

	if (!run)
		return NULL;
	if (array->parity) {
		if (stripe_job_init(&run->job, array, array->nr_legs + 2,
				    SYNC_PIECE))
			goto fail;
		return run;
	}
	run->nr_copies = kraid_nr_copies(array);
	run->max = clamp_t(u32, 32 / run->nr_copies, 2, SYNC_MAX_PIECES);
	for (i = 0; i < run->max; i++)
		if (!sync_alloc_piece(run, &run->pieces[i]))
			goto fail;
	return run;
fail:
	sync_free_pieces(run);
	return NULL;
}

/* ---- what is to be done ---- */

static struct kraid_member *sync_find(struct kraid_array *array,
				      enum kraid_state state)
{
	struct kraid_member *member;

	list_for_each_entry(member, &array->members, list)
		if (member->state == state)
			return member;
	return NULL;
}

/* A leg that nobody fills, or one that failed; -1 if all is well. */
static int sync_open_slot(const struct kraid_array *array)
{
	enum kraid_state state;
	u32 i;

	for (i = 0; i < array->nr_legs; i++) {
		state = array->legs[i].state;
		if (state == KRAID_MISSING || state == KRAID_FAULTY)
			return i;
	}
	return -1;
}

static struct kraid_member *sync_find_spare(struct kraid_array *array)
{
	struct kraid_member *member;

	list_for_each_entry(member, &array->members, list)
		if (member->state == KRAID_SPARE &&
		    member->data_bytes >= array->leg_bytes)
			return member;
	return NULL;
}

/* Under meta.lock, writes suspended. */
static void sync_fill_slot(struct kraid_array *array, int slot,
			   struct kraid_member *spare)
{
	struct kraid_member *old = array->legs[slot].member;

	spin_lock_irq(&array->lock);
	if (old)
		kraid_unplace_member(old);
	spin_unlock_irq(&array->lock);
	kraid_leg_settle();
	spin_lock_irq(&array->lock);
	spare->recovered = 0;
	kraid_place_member(spare, slot, false, KRAID_REBUILDING);
	array->meta.wanted += array->has_sb;
	spin_unlock_irq(&array->lock);
}

/* The first spare takes the place of what is missing. */
static void sync_take_spares(struct kraid_array *array)
{
	struct kraid_member *spare;
	int slot;

	lockdep_assert_held(&array->meta.lock);
	while ((slot = sync_open_slot(array)) >= 0 &&
	       (spare = sync_find_spare(array))) {
		if (array->bitmap && kraid_bitmap_write_all(array, spare)) {
			kraid_member_fail(spare);
			continue;
		}
		if (kraid_suspend(array))
			return;
		sync_fill_slot(array, slot, spare);
		kraid_resume(array);
		pr_info("kraid: %s: %s is to fill leg %d\n", kraid_name(array),
			spare->path, slot);
		kraid_meta_write(array);
		kblk_disk_changed(&array->object.kd);
	}
}

/* Sets sync.action, and the target of a rebuild. */
static void sync_choose(struct kraid_array *array)
{
	struct kraid_sync *sync = &array->sync;
	enum kraid_sync_action action = KRAID_IDLE;
	struct kraid_member *target = NULL;

	mutex_lock(&array->meta.lock);
	if (!sync->frozen)
		sync_take_spares(array);
	target = sync_find(array, KRAID_REBUILDING);
	if (target && !sync->frozen)
		action = KRAID_RECOVER;
	else if (sync->resynced != U64_MAX && !sync->frozen)
		action = KRAID_RESYNC;
	else
		action = sync->wish;
	if (action == sync->wish)
		sync->wish = KRAID_IDLE;
	if (action == KRAID_RECOVER) {
		sync->pos = target->recovered;
		sync->end = array->leg_bytes;
	} else {
		sync->pos = action == KRAID_RESYNC ? sync->resynced : 0;
		sync->end = kraid_size(array);
		target = NULL;
	}
	if (action == KRAID_CHECK || action == KRAID_REPAIR)
		sync->mismatches = 0;
	sync->target = target;
	trace_kraid_sync(array, action);
	WRITE_ONCE(sync->action, action);
	mutex_unlock(&array->meta.lock);
}

/* Under meta.lock: what is done, or will be as soon as the thread looks. */
static enum kraid_sync_action sync_due(struct kraid_array *array)
{
	struct kraid_sync *sync = &array->sync;

	if (sync->action != KRAID_IDLE || sync->frozen)
		return sync->action ?: sync->wish;
	if (sync_find(array, KRAID_REBUILDING) ||
	    (sync_open_slot(array) >= 0 && sync_find_spare(array)))
		return KRAID_RECOVER;
	return sync->resynced != U64_MAX ? KRAID_RESYNC : sync->wish;
}

/**
 * kraid_sync_action() - what is done, or is about to begin
 * @array: the array, up and redundant
 *
 * Who asks for something, and then waits for `idle`, must not find it before it began.
 *
 * Context: process, sleeps.
 * Return: KRAID_IDLE if there is nothing.
 */
enum kraid_sync_action kraid_sync_action(struct kraid_array *array)
{
	enum kraid_sync_action action;

	mutex_lock(&array->meta.lock);
	action = sync_due(array);
	mutex_unlock(&array->meta.lock);
	return action;
}

/* ---- what is done when it has ended ---- */

/* A twin takes the place of the member that it is a copy of now. */
static void sync_replace(struct kraid_array *array, struct kraid_member *twin)
{
	if (kraid_suspend(array))
		return;
	spin_lock_irq(&array->lock);
	kraid_swap_twin(twin);
	spin_unlock_irq(&array->lock);
	kraid_resume(array);
}

static void sync_rebuilt(struct kraid_array *array, struct kraid_member *member)
{
	member->by_bitmap = false;
	member->recovered = array->leg_bytes;
	if (member->twin) {
		sync_replace(array, member);
		return;
	}
	spin_lock_irq(&array->lock);
	if (member->state == KRAID_REBUILDING)
		kraid_set_state(member, KRAID_IN_SYNC);
	spin_unlock_irq(&array->lock);
}

/* Some block can be read nowhere, so no whole copy can be made. */
static void sync_give_up(struct kraid_array *array, struct kraid_member *member)
{
	pr_warn("kraid: %s: %s cannot be rebuilt: data at %llu of it can be read nowhere\n",
		kraid_name(array), member->path, array->sync.pos);
	array->sync.frozen = true;
	if (kraid_suspend(array))
		return;
	spin_lock_irq(&array->lock);
	if (member->state == KRAID_REBUILDING) {
		kraid_unplace_member(member);
		kraid_set_state(member, KRAID_SPARE);
	}
	spin_unlock_irq(&array->lock);
	kraid_resume(array);
}

/* Also what was done before the array was down for a while. */
static void sync_resynced(struct kraid_array *array)
{
	array->sync.whole = false;
	WRITE_ONCE(array->sync.resynced, U64_MAX);
	if (array->bitmap)
		kraid_bitmap_synced(array, 0, kraid_size(array));
}

static void sync_ended(struct kraid_array *array, int error)
{
	struct kraid_sync *sync = &array->sync;
	struct kraid_member *target = sync->target;

	mutex_lock(&array->meta.lock);
	if (target && !error)
		sync_rebuilt(array, target);
	else if (target && error == -ENODATA)
		sync_give_up(array, target);
	else if (sync->action == KRAID_RESYNC && !error)
		sync_resynced(array);
	if (sync->action != KRAID_CHECK && sync->action != KRAID_REPAIR)
		kraid_meta_write(array);
	sync->target = NULL;
	trace_kraid_sync(array, KRAID_IDLE);
	WRITE_ONCE(sync->action, KRAID_IDLE);
	mutex_unlock(&array->meta.lock);
	kblk_disk_changed(&array->object.kd);
	wake_up_all(&sync->wait);
}

static void sync_do(struct kraid_array *array)
{
	struct kraid_sync *sync = &array->sync;
	int ret = -ENOMEM;

	sync->run = sync_alloc(array);
	if (sync->run) {
		sync->run->target = sync->target;
		pr_info("kraid: %s: %s from %llu of %llu bytes\n",
			kraid_name(array), kraid_action_names[sync->action],
			sync->pos, sync->end);
		kblk_disk_changed(&array->object.kd);
		ret = sync_go(array);
		sync_free_pieces(sync->run);
		sync->run = NULL;
	}
	pr_info("kraid: %s: %s ended at %llu: %d\n", kraid_name(array),
		kraid_action_names[sync->action], sync->pos, ret);
	/* Memory may be there later; a leg that failed makes another choice. */
	if (ret == -ENOMEM)
		sync->frozen = true;
	sync_ended(array, ret);
}

/* ---- the thread ---- */

static bool sync_is_called(struct kraid_sync *sync)
{
	return kthread_should_stop() ||
	       (READ_ONCE(sync->kicked) && !READ_ONCE(sync->holds));
}

static int sync_thread(void *arg)
{
	struct kraid_array *array = arg;
	struct kraid_sync *sync = &array->sync;

	memalloc_noio_save();
	while (!kthread_should_stop()) {
		wait_event_idle(sync->wait, sync_is_called(sync));
		if (kthread_should_stop())
			break;
		WRITE_ONCE(sync->kicked, false);
		WRITE_ONCE(sync->busy, true);
		/* Pairs with kraid_sync_halt(): one of us sees the other. */
		smp_mb();
		while (!sync_must_stop(array) && !READ_ONCE(sync->holds)) {
			sync_choose(array);
			if (sync->action == KRAID_IDLE)
				break;
			sync_do(array);
		}
		WRITE_ONCE(sync->stop, false);
		WRITE_ONCE(sync->busy, false);
		wake_up_all(&sync->wait);
	}
	return 0;
}

/* Has it look for something to do. Context: any. */
void kraid_sync_kick(struct kraid_array *array)
{
	WRITE_ONCE(array->sync.kicked, true);
	wake_up_all(&array->sync.wait);
}

static void sync_stop(struct kraid_array *array)
{
	WRITE_ONCE(array->sync.stop, true);
	wake_up_all(&array->sync.wait);
	wake_up_all(&array->gate.drained);
}

/**
 * kraid_sync_halt() - nothing is synced until kraid_sync_release()
 * @array: the array, up and redundant, its object locked
 *
 * Context: process, sleeps; not under meta.lock.
 */
void kraid_sync_halt(struct kraid_array *array)
{
	struct kraid_sync *sync = &array->sync;

	WRITE_ONCE(sync->holds, sync->holds + 1);
	/* Pairs with sync_thread(). */
	smp_mb();
	if (READ_ONCE(sync->busy))
		sync_stop(array);
	wait_event(sync->wait, !READ_ONCE(sync->busy));
}

void kraid_sync_release(struct kraid_array *array)
{
	WRITE_ONCE(array->sync.holds, array->sync.holds - 1);
	WRITE_ONCE(array->sync.stop, false);
	kraid_sync_kick(array);
}

/**
 * kraid_sync_wish() - what a user wants done
 * @array: the array, up and redundant, its object locked
 * @action: KRAID_IDLE to stop what is done, and begin nothing by itself
 *
 * Context: process, sleeps.
 * Return: 0; -EBUSY if something else is done already; -EINVAL if there is nothing
 * to resync, or to recover.
 */
int kraid_sync_wish(struct kraid_array *array, enum kraid_sync_action action)
{
	struct kraid_sync *sync = &array->sync;
	enum kraid_sync_action due;

	if (action == KRAID_IDLE) {
		kraid_sync_halt(array);
		mutex_lock(&array->meta.lock);
		sync->frozen = true;
		/* Of what was asked for and has not begun */
		sync->wish = KRAID_IDLE;
		mutex_unlock(&array->meta.lock);
		kraid_sync_release(array);
		return 0;
	}
	mutex_lock(&array->meta.lock);
	due = sync_due(array);
	if (due != KRAID_IDLE && (due != action || READ_ONCE(sync->busy))) {
		mutex_unlock(&array->meta.lock);
		return -EBUSY;
	}
	if (action == KRAID_RESYNC && sync->resynced == U64_MAX) {
		sync->whole = true;
		sync->resynced = 0;
	}
	if (action == KRAID_CHECK || action == KRAID_REPAIR)
		sync->wish = action;
	else
		sync->frozen = false;
	mutex_unlock(&array->meta.lock);
	kraid_sync_kick(array);
	return 0;
}

int kraid_sync_init(struct kraid_array *array)
{
	struct kraid_sync *sync = &array->sync;
	struct task_struct *task;

	sync->frozen = false;
	sync->stop = false;
	sync->kicked = false;
	sync->whole = false;
	sync->holds = 0;
	sync->wish = KRAID_IDLE;
	sync->action = KRAID_IDLE;
	sync->mismatches = 0;
	task = kthread_run(sync_thread, array, "kraid/%s", kraid_name(array));
	if (IS_ERR(task))
		return PTR_ERR(task);
	sync->task = task;
	return 0;
}

void kraid_sync_exit(struct kraid_array *array)
{
	if (!array->sync.task)
		return;
	sync_stop(array);
	kthread_stop(array->sync.task);
	array->sync.task = NULL;
}
