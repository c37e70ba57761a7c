/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to klvm.ko: volumes made of segments.
 *
 * A segment is a linear piece of a device, or of several in turn (`striped`). Targets
 * that are no device below (`zero`, `error`, `snapshot`, `snapshot-origin`) are devices
 * of this module, so that mapping knows two cases.
 *
 * volume->table is replaced only while the volume is quiesced: whoever has a
 * header of the volume in hand may read it without a lock.
 */
#ifndef _KLVM_H
#define _KLVM_H

#include <linux/kblk.h>

/**
 * struct klvm_leg - where a column of stripes is
 * @dev: the device
 * @pos: where the column begins on it
 */
struct klvm_leg {
	u64			pos;
	struct kiobuf_dev	*dev;
};

/**
 * struct klvm_stripes - chunks that go to legs in turn
 * @chunk: bytes
 * @shift: log2(@chunk), or 0 if that is no power of two
 * @nr: legs
 * @legs: them
 */
struct klvm_stripes {
	u32		chunk;
	u32		shift;
	u32		nr;
	struct klvm_leg	legs[];
};

/**
 * struct klvm_segment - a piece of a volume
 * @start: first byte in the volume
 * @dev: the device that holds it, NULL for a striped one
 * @pos: where @start is on @dev
 * @stripes: of a striped one
 *
 * It ends where the next one starts; a table has one more segment, without a
 * device, that starts at the end of the volume.
 */
struct klvm_segment {
	u64			start;
	union {
		u64			pos;
		struct klvm_stripes	*stripes;
	};
	struct kiobuf_dev	*dev;
};

struct klvm_device;

/**
 * struct klvm_device_ops - a kind of target that is a device of its own
 * @status: optional. Prints what `status` says behind the target's name, beginning with a
 *	space.
 * @free: takes it off what lies below, and frees it; its volume is down or goes by
 *	another table
 */
struct klvm_device_ops {
	int	(*status)(struct klvm_device *device, char *buf, size_t max);
	void	(*free)(struct klvm_device *device);
};

/**
 * struct klvm_device - a target of a table that is a device of its own
 * @dev: the device
 * @ops: the kind
 * @upper: the volume
 * @list: in table->devices
 * @line: of the table, from 0 on
 */
struct klvm_device {
	struct kiobuf_dev		dev;
	const struct klvm_device_ops	*ops;
	struct kiobuf_dev		*upper;
	struct list_head		list;
	u32				line;
};

/**
 * struct klvm_piece - a piece of a device
 * @bdev: the device
 * @start: its first sector
 * @end: the sector behind it
 */
struct klvm_piece {
	struct block_device	*bdev;
	u64			start;
	u64			end;
};

/**
 * struct klvm_pieces - all that a table has of its legs
 * @list: all of these; empty while it is not there
 * @owner: the volume
 * @nr: pieces
 * @piece: them
 */
struct klvm_pieces {
	struct list_head		list;
	const struct kblk_object	*owner;
	u32				nr;
	struct klvm_piece		piece[];
};

/**
 * struct klvm_table - what a volume is made of
 * @nr: segments, not counting the one that marks the end
 * @segments: sorted, without gaps
 * @nr_devs: devices in @devs
 * @devs: each lower device once, to flush them all
 * @only: device that all segments are on, NULL if there is none
 * @lowers: what is claimed, in the order of the lines' paths
 * @nr_lowers: entries of @lowers
 * @devices: targets that are devices of their own, by line
 * @claimed: paths that are an origin, or hold a snapshot's chunks, by number
 * @stage: the lines that it was made of
 * @pieces: of devices, that no other volume has
 */
struct klvm_table {
	u32			nr;
	u32			nr_devs;
	u32			nr_lowers;
	struct klvm_segment	*segments;
	struct kiobuf_dev	**devs;
	struct kiobuf_dev	*only;
	struct kblk_lower	**lowers;
	struct list_head	devices;
	unsigned long		*claimed;
	struct klvm_stage	*stage;
	struct klvm_pieces	*pieces;
};

enum klvm_target {
	KLVM_LINEAR,
	KLVM_STRIPED,
	KLVM_ZERO,
	KLVM_ERROR,
	KLVM_ORIGIN,
	KLVM_SNAPSHOT,
	KLVM_NR_TARGETS
};

/**
 * struct klvm_line - a line of a table, parsed; all in 512-byte sectors
 * @start: in the volume
 * @length: of the piece
 * @target: what it is
 * @nr_parts: devices that it is on: 1 if linear, 0 if it is neither that nor striped
 * @part: index of the first of them
 * @chunk: striped, or of a snapshot
 * @path: index of the origin's path, for a snapshot and its origin
 * @cow: index of the path of the device for a snapshot's chunks
 * @persistent: of a snapshot
 */
struct klvm_line {
	u64			start;
	u64			length;
	enum klvm_target	target;
	u32			nr_parts;
	u32			part;
	u32			chunk;
	u32			path;
	u32			cow;
	bool			persistent;
};

/* Deals with a device that there are snapshots of. */
static inline bool klvm_has_origin(const struct klvm_line *line)
{
	return line->target == KLVM_ORIGIN || line->target == KLVM_SNAPSHOT;
}

/**
 * struct klvm_part - a device that a line names
 * @offset: where the line's piece begins on it, in sectors
 * @path: index of its path
 */
struct klvm_part {
	u64	offset;
	u32	path;
};

/**
 * struct klvm_stage - lines that wait for commit, and that the live table is from
 * @nr: lines
 * @max: lines that fit
 * @lines: them
 * @nr_parts: parts
 * @max_parts: parts that fit
 * @parts: those of all lines, in their order
 * @nr_paths: paths
 * @max_paths: paths that fit
 * @paths: each path once
 */
struct klvm_stage {
	u32			nr;
	u32			max;
	struct klvm_line	*lines;
	u32			nr_parts;
	u32			max_parts;
	struct klvm_part	*parts;
	u32			nr_paths;
	u32			max_paths;
	char			**paths;
};

/* As long as device-mapper's may be */
#define KLVM_UUID_MAX 128

struct klvm_volume {
	struct kblk_object	object;
	struct klvm_stage	*stage;
	struct klvm_table	*table;
	char			uuid[KLVM_UUID_MAX + 1];
};

static inline struct klvm_volume *klvm_volume_of(struct kblk_object *object)
{
	return container_of(object, struct klvm_volume, object);
}

/* map.c */
u32 klvm_find(const struct klvm_segment *segments, u32 nr, u64 pos);

/* striped.c */
struct klvm_stripes *klvm_stripes_new(u32 chunk, u32 nr);
int klvm_striped_submit(struct kiobuf *kb, const struct klvm_segment *segment);
struct kiobuf *klvm_striped_next(struct kiobuf *parent,
				 const struct klvm_segment *segment);
struct kiobuf *klvm_striped_carve(struct kiobuf *parent,
				  const struct klvm_segment *segment);
void klvm_striped_shape(struct kblk_shape *shape,
			const struct klvm_stripes *stripes);

/* stage.c */
extern const char *const klvm_target_names[KLVM_NR_TARGETS];
struct klvm_stage *klvm_stage_new(void);
void klvm_stage_free(struct klvm_stage *stage);
void klvm_stage_trim(struct klvm_stage *stage, u32 nr, u32 nr_paths);
int klvm_stage_add(struct kblk_object *object, struct klvm_stage *stage,
		   char *text);
int klvm_stage_check(struct kblk_object *object, struct klvm_stage *stage);
ssize_t klvm_stage_print(const struct klvm_stage *stage, char *page);

/* pieces.c */
struct klvm_pieces *klvm_pieces_new(u32 max);
void klvm_pieces_add(struct klvm_pieces *pieces, struct block_device *bdev,
		     u64 start, u64 length);
void klvm_pieces_sort(struct klvm_pieces *pieces);
const struct klvm_piece *klvm_pieces_meet(const struct klvm_pieces *a,
					  const struct klvm_pieces *b);

/* claim.c */
extern char klvm_leg_holder;
int klvm_claim_pieces(struct klvm_table *table, struct kblk_object *object,
		      const struct klvm_stage *stage);
void klvm_drop_pieces(struct klvm_table *table);

/* table.c */
struct klvm_table *klvm_table_new(struct kblk_object *object,
				  struct klvm_stage *stage);
void klvm_table_free(struct klvm_table *table);
u32 klvm_block(const struct klvm_table *table);
ssize_t klvm_table_status(struct klvm_table *table, char *page);

/* targets.c */
extern struct kiobuf_dev klvm_zero_dev, klvm_error_dev;
int klvm_targets_init(void);
void klvm_targets_exit(void);
int klvm_device_add(struct klvm_device *device, struct kblk_object *object,
		    const struct kiobuf_dev_ops *dev_ops,
		    const struct klvm_device_ops *ops);
void klvm_device_del(struct klvm_device *device);

/* snapshot.c, origin.c */
extern char klvm_origin_holder;
struct klvm_device *klvm_snapshot_new(struct kblk_object *object,
				      const struct klvm_line *line,
				      struct kblk_lower *origin,
				      struct kblk_lower *cow);
struct klvm_device *klvm_origin_new(struct kblk_object *object,
				    struct kblk_lower *lower);

/* volume.c */
extern const struct kiobuf_dev_ops klvm_ops;
int klvm_enable(struct kblk_object *object);
void klvm_disable(struct kblk_object *object);

/* configfs.c */
int klvm_configfs_init(void);
void klvm_configfs_exit(void);

#endif /* _KLVM_H */
