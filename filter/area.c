// SPDX-License-Identifier: GPL-2.0
/* The area of checksums: its format, its blocks in memory, recovery. */
#include <linux/crc32c.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uuid.h>

#include "csum.h"

static const u8 csum_magic[8] = "kiocsum1";

/* CRC32C as in RFC 3720 */
u32 csum_of(const void *bytes)
{
	return ~crc32c(~0U, bytes, CSUM_BLOCK);
}

static __le32 csum_of_sector(const struct csum_sector *sector)
{
	return cpu_to_le32(~crc32c(~0U, sector,
				   offsetof(struct csum_sector, crc)));
}

/* Sends a request of our own down, and waits for it. */
int csum_io(struct csum *csum, enum kiobuf_op op, u64 pos,
	    struct kiobuf_vec *vec, u64 length, u16 flags)
{
	struct kiobuf kb;

	kiobuf_init(&kb, csum->filter->lower, op, pos, vec, length);
	kb.flags = flags;
	kb.hints = (__force u32)(REQ_META | REQ_SYNC);
	kiobuf_submit(&kb);
	return kiobuf_wait(&kb);
}

/* A device without a cache has nothing to flush. */
static int csum_flush(struct csum *csum)
{
	return csum->is_volatile ?
	       csum_io(csum, KIOBUF_FLUSH, 0, NULL, 0, 0) : 0;
}

/* To csum->bounce */
int csum_read_block(struct csum *csum, u64 block, u32 *crc)
{
	int ret = csum_io(csum, KIOBUF_READ, block * CSUM_BLOCK,
			  csum->bounce_vec, CSUM_BLOCK, 0);

	if (!ret)
		*crc = csum_of(csum->bounce);
	return ret;
}

/* ---- memory ---- */

static struct kiobuf_vec *csum_buffer(void **bytes, size_t size)
{
	struct kiobuf_vec *vec;
	int ret;

	*bytes = kvzalloc(size, GFP_NOIO);
	vec = kiobuf_vec_alloc(DIV_ROUND_UP(size, PAGE_SIZE) + 1, GFP_NOIO);
	ret = *bytes && vec ? kiobuf_vec_add_buffer(vec, *bytes, size,
						    GFP_NOIO) : -ENOMEM;
	if (!ret)
		return vec;
	if (vec)
		kiobuf_vec_put(vec);
	kvfree(*bytes);
	*bytes = NULL;
	return NULL;
}

static void csum_leaf_free(struct csum_leaf *leaf)
{
	if (leaf->vec)
		kiobuf_vec_put(leaf->vec);
	kvfree(leaf->sectors);
	kfree(leaf);
}

static struct csum_leaf *csum_leaf_new(u32 number)
{
	struct csum_leaf *leaf = kzalloc(sizeof(*leaf), GFP_NOIO);
	void *bytes;

	if (!leaf)
		return NULL;
	leaf->number = number;
	leaf->vec = csum_buffer(&bytes, CSUM_BLOCK);
	leaf->sectors = bytes;
	if (leaf->vec)
		return leaf;
	csum_leaf_free(leaf);
	return NULL;
}

static void csum_leaf_drop(struct csum *csum, struct csum_leaf *leaf)
{
	xa_erase(&csum->leaves, leaf->number);
	list_del(&leaf->lru);
	csum->nr--;
	csum_leaf_free(leaf);
}

/* A few at a time; what is not durable yet must stay. */
static void csum_drop_clean(struct csum *csum)
{
	struct csum_leaf *leaf, *prev;

	list_for_each_entry_safe_reverse(leaf, prev, &csum->lru, lru) {
		if (csum->nr <= CSUM_MAX_LEAVES - CSUM_BATCH)
			return;
		if (!leaf->dirty && !leaf->pinned &&
		    bitmap_empty(leaf->written, CSUM_LEAF_BLOCKS))
			csum_leaf_drop(csum, leaf);
	}
}

/* Makes room, if it can. */
static void csum_shrink(struct csum *csum)
{
	if (csum->nr < CSUM_MAX_LEAVES)
		return;
	csum_drop_clean(csum);
	if (csum->nr < CSUM_MAX_LEAVES)
		return;
	csum_write_back(csum);
	csum_drop_clean(csum);
}

/* ---- blocks of the area ---- */

static void csum_leaf_check(struct csum_leaf *leaf)
{
	u32 i;

	for (i = 0; i < CSUM_SECTORS; i++) {
		const struct csum_sector *sector = &leaf->sectors[i];

		if (sector->crc != csum_of_sector(sector) ||
		    le32_to_cpu(sector->number) !=
		    leaf->number * CSUM_SECTORS + i)
			__set_bit(i, leaf->bad);
	}
}

static int csum_leaf_load(struct csum *csum, struct csum_leaf *leaf)
{
	int ret;

	ret = csum_io(csum, KIOBUF_READ,
		      csum->area + (u64)leaf->number * CSUM_BLOCK, leaf->vec,
		      CSUM_BLOCK, 0);
	if (ret)
		return ret;
	csum_leaf_check(leaf);
	return xa_err(xa_store(&csum->leaves, leaf->number, leaf, GFP_NOIO));
}

/* Reads it, unless it is in memory. ERR_PTR if that fails. */
struct csum_leaf *csum_leaf_get(struct csum *csum, u32 number)
{
	struct csum_leaf *leaf = xa_load(&csum->leaves, number);
	int ret;

	lockdep_assert_held(&csum->lock);
	if (leaf) {
		list_move(&leaf->lru, &csum->lru);
		return leaf;
	}
	csum_shrink(csum);
	leaf = csum_leaf_new(number);
	if (!leaf)
		return ERR_PTR(-ENOMEM);
	ret = csum_leaf_load(csum, leaf);
	if (ret) {
		csum_leaf_free(leaf);
		return ERR_PTR(ret);
	}
	list_add(&leaf->lru, &csum->lru);
	csum->nr++;
	return leaf;
}

/* A sector that is bad stays so: its sum is left as it is. */
int csum_leaf_write(struct csum *csum, struct csum_leaf *leaf, u16 flags)
{
	int ret;
	u32 i;

	for (i = 0; i < CSUM_SECTORS; i++)
		if (!test_bit(i, leaf->bad))
			leaf->sectors[i].crc = csum_of_sector(&leaf->sectors[i]);
	ret = csum_io(csum, KIOBUF_WRITE,
		      csum->area + (u64)leaf->number * CSUM_BLOCK, leaf->vec,
		      CSUM_BLOCK, flags);
	leaf->dirty = ret;
	return ret;
}

/* ---- entries ---- */

/* Where a block is spoken of: sector and entry of its leaf. */
struct csum_place {
	u32	sector;
	u32	entry;
	u32	index;
};

static struct csum_place csum_place(const struct csum_leaf *leaf, u64 block)
{
	u32 index = block - (u64)leaf->number * CSUM_LEAF_BLOCKS;

	return (struct csum_place){ index / CSUM_ENTRIES, index % CSUM_ENTRIES,
				    index };
}

bool csum_leaf_is_bad(const struct csum_leaf *leaf, u64 block)
{
	return test_bit(csum_place(leaf, block).sector, leaf->bad);
}

static bool csum_sector_knows(const struct csum_sector *sector, u32 entry)
{
	return !(le64_to_cpu(sector->unverified) & BIT_ULL(entry));
}

static void csum_sector_learn(struct csum_sector *sector, u32 entry, bool known)
{
	u64 bit = BIT_ULL(entry), mask = le64_to_cpu(sector->unverified);

	sector->unverified = cpu_to_le64(known ? mask & ~bit : mask | bit);
}

enum csum_verdict csum_judge(const struct csum_leaf *leaf, u64 block, u32 crc)
{
	struct csum_place at = csum_place(leaf, block);
	const struct csum_sector *sector = &leaf->sectors[at.sector];
	const struct csum_entry *entry = &sector->entries[at.entry];
	bool is_new = le32_to_cpu(entry->new) == crc;

	if (test_bit(at.sector, leaf->bad))
		return CSUM_BAD;
	if (test_bit(at.index, leaf->written))
		return is_new ? CSUM_FITS : CSUM_BAD;
	if (!csum_sector_knows(sector, at.entry))
		return CSUM_UNVERIFIED;
	if (is_new || le32_to_cpu(entry->old) == crc)
		return CSUM_FITS;
	return entry->old == entry->new ? CSUM_BAD : CSUM_TORN;
}

/* May its data be other than what the entry on the device says by one sum? */
bool csum_is_unsettled(const struct csum_leaf *leaf, u64 block)
{
	return test_bit(csum_place(leaf, block).index, leaf->written);
}

/*
 * The block is about to be written. Where neither sum is sure, what a crash leaves
 * could be a third: nothing is known of it then.
 */
void csum_set(struct csum_leaf *leaf, u64 block, u32 crc)
{
	struct csum_place at = csum_place(leaf, block);
	struct csum_sector *sector = &leaf->sectors[at.sector];
	struct csum_entry *entry = &sector->entries[at.entry];

	if (entry->old != entry->new)
		csum_sector_learn(sector, at.entry, false);
	entry->new = cpu_to_le32(crc);
	__clear_bit(at.index, leaf->written);
}

/* Its content no longer matters. */
void csum_forget(struct csum_leaf *leaf, u64 block)
{
	struct csum_place at = csum_place(leaf, block);

	csum_sector_learn(&leaf->sectors[at.sector], at.entry, false);
	__clear_bit(at.index, leaf->written);
}

/* What is there now is what it is to be. */
void csum_accept(struct csum_leaf *leaf, u64 block, u32 crc)
{
	struct csum_place at = csum_place(leaf, block);
	struct csum_sector *sector = &leaf->sectors[at.sector];

	sector->entries[at.entry].old = cpu_to_le32(crc);
	sector->entries[at.entry].new = cpu_to_le32(crc);
	csum_sector_learn(sector, at.entry, true);
	leaf->dirty = true;
}

/* As if it had been written now: it counts until something is durable. */
void csum_adopt(struct csum_leaf *leaf, u64 block, u32 crc)
{
	struct csum_place at = csum_place(leaf, block);

	leaf->sectors[at.sector].entries[at.entry].new = cpu_to_le32(crc);
	leaf->dirty = true;
	csum_mark_written(leaf, block);
}

void csum_mark_written(struct csum_leaf *leaf, u64 block)
{
	__set_bit(csum_place(leaf, block).index, leaf->written);
}

static void csum_settle_leaf(struct csum_leaf *leaf)
{
	u32 index;

	for_each_set_bit(index, leaf->written, CSUM_LEAF_BLOCKS) {
		u64 block = (u64)leaf->number * CSUM_LEAF_BLOCKS + index;
		struct csum_place at = csum_place(leaf, block);

		csum_accept(leaf, block, le32_to_cpu(leaf->sectors[at.sector]
						     .entries[at.entry].new));
	}
	bitmap_zero(leaf->written, CSUM_LEAF_BLOCKS);
}

/* All that was written is durable. */
void csum_settle(struct csum *csum)
{
	struct csum_leaf *leaf;

	lockdep_assert_held(&csum->lock);
	list_for_each_entry(leaf, &csum->lru, lru)
		csum_settle_leaf(leaf);
}

/* Of what is written now nothing can be lost any more. */
int csum_make_durable(struct csum *csum)
{
	int ret = csum_flush(csum);

	if (!ret)
		csum_settle(csum);
	return ret;
}

/* Makes durable what was written, and then says so in the area. */
int csum_write_back(struct csum *csum)
{
	struct csum_leaf *leaf;
	int ret = csum_make_durable(csum);

	lockdep_assert_held(&csum->lock);
	list_for_each_entry(leaf, &csum->lru, lru)
		if (leaf->dirty && !leaf->pinned)
			ret = csum_leaf_write(csum, leaf, 0) ?: ret;
	return ret;
}

/* ---- the header ---- */

static int csum_header_write(struct csum *csum, bool clean)
{
	struct csum_header *header = (void *)csum->bounce;

	memset(header, 0, sizeof(*header));
	memcpy(header->magic, csum_magic, sizeof(csum_magic));
	memcpy(header->uuid, csum->uuid, sizeof(csum->uuid));
	header->data_blocks = cpu_to_le64(csum->blocks);
	header->area_blocks = cpu_to_le64(csum->leaves_on_disk);
	header->block_size = cpu_to_le32(CSUM_BLOCK);
	header->entries = cpu_to_le32(CSUM_ENTRIES);
	header->clean = cpu_to_le32(clean);
	header->crc = cpu_to_le32(~crc32c(~0U, header,
					  offsetof(struct csum_header, crc)));
	return csum_io(csum, KIOBUF_WRITE, csum->header, csum->bounce_vec,
		       CSUM_BLOCK, KIOBUF_FUA);
}

static int csum_header_check(struct csum *csum,
			     const struct csum_header *header)
{
	struct kblk_object *object = &csum->filter->object;
	const char *path = csum->filter->path;

	if (memcmp(header->magic, csum_magic, sizeof(csum_magic)))
		return kblk_refuse(object, -EINVAL,
				   "%s has no checksums: write 1 to create to make them.",
				   path);
	if (le32_to_cpu(header->crc) !=
	    ~crc32c(~0U, header, offsetof(struct csum_header, crc)))
		return kblk_refuse(object, -EILSEQ,
				   "The header at the end of %s is damaged.",
				   path);
	if (le64_to_cpu(header->data_blocks) != csum->blocks ||
	    le64_to_cpu(header->area_blocks) != csum->leaves_on_disk ||
	    le32_to_cpu(header->block_size) != CSUM_BLOCK ||
	    le32_to_cpu(header->entries) != CSUM_ENTRIES)
		return kblk_refuse(object, -EINVAL,
				   "The checksums of %s were made for a device of another size or form.",
				   path);
	return 0;
}

/* ---- making it ---- */

#define CSUM_CREATE_LEAVES 64

static void csum_fill_fresh(struct csum_sector *sectors, u32 first)
{
	u32 i;

	for (i = 0; i < CSUM_CREATE_LEAVES * CSUM_SECTORS; i++) {
		memset(&sectors[i], 0, sizeof(sectors[i]));
		sectors[i].unverified = cpu_to_le64(BIT_ULL(CSUM_ENTRIES) - 1);
		sectors[i].number = cpu_to_le32(first * CSUM_SECTORS + i);
		sectors[i].crc = csum_of_sector(&sectors[i]);
	}
}

static int csum_create_leaves(struct csum *csum)
{
	size_t size = CSUM_CREATE_LEAVES * CSUM_BLOCK;
	u32 at, nr;
	struct kiobuf_vec *vec;
	void *bytes;
	int ret = 0;

	vec = csum_buffer(&bytes, size);
	if (!vec)
		return -ENOMEM;
	for (at = 0; !ret && at < csum->leaves_on_disk; at += nr) {
		nr = min_t(u32, csum->leaves_on_disk - at, CSUM_CREATE_LEAVES);
		csum_fill_fresh(bytes, at);
		ret = csum_io(csum, KIOBUF_WRITE,
			      csum->area + (u64)at * CSUM_BLOCK, vec,
			      (u64)nr * CSUM_BLOCK, 0);
	}
	kiobuf_vec_put(vec);
	kvfree(bytes);
	return ret;
}

/* The old header goes first, so that a half-made area is never taken for one. */
static int csum_create(struct csum *csum)
{
	int ret;

	memset(csum->bounce, 0, CSUM_BLOCK);
	ret = csum_io(csum, KIOBUF_WRITE, csum->header, csum->bounce_vec,
		      CSUM_BLOCK, KIOBUF_FUA);
	ret = ret ?: csum_create_leaves(csum);
	if (!ret)
		ret = csum_io(csum, KIOBUF_FLUSH, 0, NULL, 0, 0);
	if (ret)
		return ret;
	generate_random_uuid(csum->uuid);
	return csum_header_write(csum, false);
}

/* ---- recovery ---- */

/* Settles a block that was being written when all stopped. */
static int csum_recover_block(struct csum *csum, struct csum_leaf *leaf,
			      u64 block)
{
	u32 crc;
	int ret;

	ret = csum_read_block(csum, block, &crc);
	if (ret)
		return ret;
	if (csum_judge(leaf, block, crc) == CSUM_TORN)
		csum->counts.torn++;
	csum_accept(leaf, block, crc);
	return 0;
}

static bool csum_is_open(const struct csum_leaf *leaf, u64 block)
{
	struct csum_place at = csum_place(leaf, block);
	const struct csum_sector *sector = &leaf->sectors[at.sector];
	const struct csum_entry *entry = &sector->entries[at.entry];

	return !test_bit(at.sector, leaf->bad) && entry->old != entry->new &&
	       csum_sector_knows(sector, at.entry);
}

/* A block that cannot be read stays open: whoever reads it will hear of it. */
static int csum_recover_leaf(struct csum *csum, u32 number)
{
	u64 block = (u64)number * CSUM_LEAF_BLOCKS;
	u64 end = min(block + CSUM_LEAF_BLOCKS, csum->blocks);
	struct csum_leaf *leaf = csum_leaf_get(csum, number);

	/* Bad to whoever needs it, but not to all the rest. */
	if (IS_ERR(leaf))
		return PTR_ERR(leaf) == -ENOMEM ? -ENOMEM : 0;
	for (; block < end; block++)
		if (csum_is_open(leaf, block))
			csum_recover_block(csum, leaf, block);
	return leaf->dirty ? csum_leaf_write(csum, leaf, 0) : 0;
}

/* What is read here must not be lost after it was called settled. */
static int csum_recover(struct csum *csum)
{
	int ret = csum_flush(csum);
	u32 i;

	for (i = 0; !ret && i < csum->leaves_on_disk; i++)
		ret = csum_recover_leaf(csum, i);
	if (csum->counts.torn)
		pr_info("kfilter: %s: %llu torn blocks were taken as they are\n",
			csum->filter->object.kd.dev.name, csum->counts.torn);
	return ret;
}

static int csum_find(struct csum *csum)
{
	const struct csum_header *header = (void *)csum->bounce;
	bool clean;
	int ret;

	ret = csum_io(csum, KIOBUF_READ, csum->header, csum->bounce_vec,
		      CSUM_BLOCK, 0);
	ret = ret ?: csum_header_check(csum, header);
	if (ret)
		return ret;
	memcpy(csum->uuid, header->uuid, sizeof(csum->uuid));
	clean = header->clean;
	ret = clean ? 0 : csum_recover(csum);
	return ret ?: csum_header_write(csum, false);
}

/* ---- life ---- */

static int csum_measure(struct csum *csum, u64 size)
{
	u64 all = size / CSUM_BLOCK, leaves;

	if (all < 3)
		return kblk_refuse(&csum->filter->object, -ENOSPC,
				   "%s is too small to hold checksums.",
				   csum->filter->path);
	leaves = div_u64(all - 1 + CSUM_LEAF_BLOCKS, CSUM_LEAF_BLOCKS + 1);
	csum->blocks = all - 1 - leaves;
	leaves = div_u64(csum->blocks + CSUM_LEAF_BLOCKS - 1,
			 CSUM_LEAF_BLOCKS);
	if (leaves > U32_MAX / CSUM_SECTORS)
		return kblk_refuse(&csum->filter->object, -EFBIG,
				   "%s is too large.", csum->filter->path);
	csum->leaves_on_disk = leaves;
	csum->header = (all - 1) * CSUM_BLOCK;
	csum->area = csum->header - leaves * CSUM_BLOCK;
	return 0;
}

static int csum_open(struct csum *csum)
{
	struct kfilter *filter = csum->filter;
	void *bytes;
	int ret;

	csum->bounce_vec = csum_buffer(&bytes, CSUM_BLOCK);
	csum->bounce = bytes;
	if (!csum->bounce_vec)
		return -ENOMEM;
	mutex_lock(&csum->lock);
	ret = filter->create ? csum_create(csum) : csum_find(csum);
	mutex_unlock(&csum->lock);
	if (ret && !filter->object.error[0])
		kblk_refuse(&filter->object, ret,
			    "The checksums of %s cannot be read or written: error %d.",
			    filter->path, -ret);
	return ret;
}

int csum_area_open(struct csum *csum, u64 size)
{
	int ret = csum_measure(csum, size);

	ret = ret ?: csum_open(csum);
	if (ret)
		csum_area_free(csum);
	return ret;
}

/* Nothing is in flight. */
int csum_area_close(struct csum *csum)
{
	int ret;

	mutex_lock(&csum->lock);
	ret = csum_write_back(csum);
	ret = ret ?: csum_flush(csum);
	if (!ret)
		ret = csum_header_write(csum, true);
	mutex_unlock(&csum->lock);
	return ret;
}

void csum_area_free(struct csum *csum)
{
	struct csum_leaf *leaf, *next;

	list_for_each_entry_safe(leaf, next, &csum->lru, lru)
		csum_leaf_drop(csum, leaf);
	if (csum->bounce_vec)
		kiobuf_vec_put(csum->bounce_vec);
	csum->bounce_vec = NULL;
	kvfree(csum->bounce);
	csum->bounce = NULL;
}
