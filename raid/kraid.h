/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to kraid.ko: arrays of legs.
 *
 * What a level does is its personality: a table of device operations and a few
 * words about its shape. Legs do not come or go while an array is up; their
 * states change, by kraid_leg_fail() only:
 *
 *	from		to		when
 *	(new)		in_sync		array comes up, the path was named
 *	(new)		missing		array comes up, `missing` was named
 *	in_sync		faulty		a write or flush failed there, or `fail`
 *					was told so; never the last good leg
 *	faulty		faulty		array goes down and up again
 *	faulty		(new)		legs are named anew
 *
 * array->lock guards states and counts; the data path reads a state without it:
 * a leg that has just failed gets at most the I/O that was on its way.
 */
#ifndef _KRAID_H
#define _KRAID_H

#include <linux/kblk.h>

#include "layout.h"

#define KRAID_MAX_LEGS		1024
#define KRAID_MAX_MIRRORS	16
#define KRAID_CHUNK_KIB		64

enum kraid_leg_state {
	KRAID_IN_SYNC,
	KRAID_FAULTY,
	KRAID_MISSING,
	KRAID_NR_LEG_STATES
};

/**
 * struct kraid_leg - a member of an array
 * @path: as the user named it, "missing" for none
 * @dev: where its headers go; NULL while down or missing
 * @lower: its claim; NULL likewise
 * @state: of use; see the table above
 * @errors: failed requests seen
 */
struct kraid_leg {
	char			*path;
	struct kiobuf_dev	*dev;
	struct kblk_lower	*lower;
	enum kraid_leg_state	state;
	atomic_t		errors;
};

struct kraid_array;

/**
 * struct kraid_personality - a level
 * @level: as md numbers it
 * @name: for people
 * @min_legs: fewest legs
 * @max_legs: most legs
 * @redundant: can do without a leg
 * @ops: the data path
 * @run: required. Legs are open: work out size and shape, say why not with
 *	kblk_refuse().
 * @stop: optional. Undo what @run did, which may have been nothing.
 */
struct kraid_personality {
	unsigned int			level;
	const char			*name;
	unsigned int			min_legs;
	unsigned int			max_legs;
	bool				redundant;
	const struct kiobuf_dev_ops	*ops;
	int (*run)(struct kraid_array *array, struct kblk_shape *shape);
	void (*stop)(struct kraid_array *array);
};

/**
 * struct kraid_array - an array
 * @object: its face
 * @personality: its level; NULL until one was named
 * @nr_legs: legs
 * @legs: them, in order
 * @zones: level 0: where chunks are, while the array is up
 * @leg_bytes: used on each leg; 0 where legs differ
 * @chunk: bytes
 * @layout: as md numbers it
 * @lock: guards leg states and @nr_in_sync; irq-safe
 * @nr_in_sync: legs in that state
 */
struct kraid_array {
	struct kblk_object		object;
	const struct kraid_personality	*personality;
	unsigned int			nr_legs;
	struct kraid_leg		*legs;
	struct raid0_map		*zones;
	u64				leg_bytes;
	u32				chunk;
	u32				layout;
	spinlock_t			lock;
	unsigned int			nr_in_sync;
};

static inline struct kraid_array *kraid_array_of(struct kblk_object *object)
{
	return container_of(object, struct kraid_array, object);
}

static inline struct kraid_array *kraid_of(struct kiobuf_dev *dev)
{
	return kraid_array_of(kblk_object_of_dev(dev));
}

static inline bool kraid_leg_usable(const struct kraid_leg *leg)
{
	return READ_ONCE(leg->state) == KRAID_IN_SYNC;
}

/* leg.c */
extern const char *const kraid_leg_state_names[KRAID_NR_LEG_STATES];
bool kraid_leg_fail(struct kraid_array *array, struct kraid_leg *leg);
bool kraid_read_error_is_legs(int error);

/* array.c */
const struct kraid_personality *kraid_personality_find(unsigned int level);
int kraid_enable(struct kblk_object *object);
void kraid_disable(struct kblk_object *object);
int kraid_set_legs(struct kraid_array *array, char *text);
void kraid_free_legs(struct kraid_array *array);

/* raid0.c, raid1.c */
extern const struct kraid_personality kraid0_personality;
extern const struct kraid_personality kraid1_personality;

/* configfs.c */
int kraid_configfs_init(void);
void kraid_configfs_exit(void);

#endif /* _KRAID_H */
