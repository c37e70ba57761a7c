/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kblk: the borders between kiobufs and the block layer, and the face that
 * every device of ours shows in configfs
 *
 * Above:   struct kblk_disk is a gendisk whose bios become root headers.
 * Below:   struct kblk_lower is a claimed block device that takes headers: a
 *	    foreign one through bios built on the shared vector, one of our own
 *	    directly, with no bio between.
 * Control: struct kblk_object is a directory KIND/NAME in configfs; a driver
 *	    embeds it, and gets `enable`, `error`, `size_bytes`, `stats`.
 */
#ifndef _LINUX_KBLK_H
#define _LINUX_KBLK_H

#include <linux/blkdev.h>
#include <linux/configfs.h>
#include <linux/kiobuf.h>
#include <linux/kiobuf_dev.h>
#include <linux/mutex.h>

struct kraw;

#define KBLK_NAME_MAX	27	/* what fits a disk_name behind "kio!" */
#define KBLK_ERROR_MAX	256

/**
 * struct kblk_disk - one of our devices as a block device
 * @dev: the device; its ->ops are the driver's. First: roots find us by it.
 * @disk: the gendisk, NULL while it is not up
 * @raw: its raw device, likewise
 * @roots: root headers, one per bio in flight
 * @frozen: new bios wait; written under kblk's mutex, see block/account.h
 * @dying: no more opens; guarded by disk->open_mutex
 * @gate: bios that wait for the end of @frozen
 * @lowers: struct kblk_lower of the devices below; guarded by the driver's lock
 * @only: device that everything goes to, NULL if there are several
 * @noio: what kblk_disk_resume() restores
 * @opened: somebody has opened the disk; cleared by whoever does not count those so far
 * @closed: optional. Nobody has the disk open any more. Under disk->open_mutex.
 * @event: sends the uevent of kblk_disk_changed()
 * @timeout: jiffies after which a request is cancelled, 0 for never
 * @expire: does so
 */
struct kblk_disk {
	struct kiobuf_dev	dev;
	struct gendisk		*disk;
	struct kraw		*raw;
	struct kiobuf_pool	roots;
	bool			frozen;
	bool			dying;
	wait_queue_head_t	gate;
	struct list_head	lowers;
	struct kiobuf_dev	*only;
	unsigned int		noio;
	bool			opened;
	void			(*closed)(struct kblk_disk *kd);
	struct work_struct	event;
	unsigned long		timeout;
	struct delayed_work	expire;
};

int kblk_disk_init(struct kblk_disk *kd, const char *name,
		   const struct kiobuf_dev_ops *ops);
void kblk_disk_exit(struct kblk_disk *kd);

/**
 * struct kblk_shape - what a driver says of its queue beyond what lies below
 * @size: bytes
 * @only: device that everything goes to, NULL if there are several
 * @lowers: devices below whose limits count, NULL for all that were got
 * @nr_lowers: entries of @lowers
 * @io_min: preferred unit in bytes, 0 to leave what the legs say
 * @io_opt: full stripe in bytes, 0 to leave what the legs say
 * @block_size: logical block in bytes, 0 to leave what the legs say
 * @read_only: refuse writes
 * @stable: pages must not change under a write
 * @write_cache: has a volatile cache of its own
 * @discard: bytes of its own discard unit, 0 to leave what the legs say
 * @no_discard: takes no discards and makes no zeroes, whatever the legs can
 * @partscan: look for partitions
 */
struct kblk_shape {
	u64			size;
	struct kiobuf_dev	*only;
	struct kblk_lower	**lowers;
	unsigned int		nr_lowers;
	unsigned int		io_min;
	unsigned int		io_opt;
	unsigned int		block_size;
	unsigned int		discard;
	bool			read_only;
	bool			stable;
	bool			write_cache;
	bool			no_discard;
	bool			partscan;
};

int kblk_disk_add(struct kblk_disk *kd, const struct kblk_shape *shape);
int kblk_disk_del(struct kblk_disk *kd);
int kblk_disk_reshape(struct kblk_disk *kd, const struct kblk_shape *shape);
int kblk_disk_quiesce(struct kblk_disk *kd);
void kblk_disk_resume(struct kblk_disk *kd);
void kblk_disk_changed(struct kblk_disk *kd);
struct kiobuf_dev *kblk_bdev_dev(struct block_device *bdev);

/*
 * struct kblk_lower - a claimed block device below one of ours
 * @dev: takes headers, when the device is a foreign one or a partition
 * @target: where to send headers: @dev, or one of our own devices
 * @bdev: the block device, claimed for @owner
 * @start: where in it the upper's data begins, in sectors; stacks the limits
 */
struct kblk_lower;

struct kblk_lower *kblk_lower_get(struct kblk_disk *kd, const char *path,
				  bool write);
struct kblk_lower *kblk_lower_get_as(struct kblk_disk *kd, const char *path,
				     bool write, void *holder);
void kblk_lower_put(struct kblk_lower *lower);
struct kiobuf_dev *kblk_lower_dev(const struct kblk_lower *lower);
struct block_device *kblk_lower_bdev(const struct kblk_lower *lower);
u64 kblk_lower_size(const struct kblk_lower *lower);
unsigned int kblk_lower_block_size(const struct kblk_lower *lower);
bool kblk_lower_is_volatile(const struct kblk_lower *lower);
void kblk_lower_set_start(struct kblk_lower *lower, u64 start);
unsigned int kblk_lower_users(const struct kblk_lower *lower);
int kblk_io(struct kiobuf_dev *dev, enum kiobuf_op op, u64 pos,
	    struct kiobuf_vec *vec, u64 length, u16 flags);
struct kiobuf_dev *kblk_carrier_link(struct kblk_disk *kd,
				     struct block_device *bdev);
void kblk_carrier_unlink(struct kblk_disk *kd, struct kiobuf_dev *carrier);

/**
 * struct kblk_visit - what a task is in the middle of while it visits what is below
 * @bio_list: bios that its caller will start later
 * @noio: for memalloc_noio_restore()
 */
struct kblk_visit {
	struct bio_list	*bio_list;
	unsigned int	noio;
};

bool kblk_visit_begin(struct kblk_visit *visit);
void kblk_visit_end(const struct kblk_visit *visit);

struct kblk_kind;

/**
 * struct kblk_object - a directory KIND/NAME in configfs
 * @group: the directory
 * @kind: what it is
 * @lock: held across every read and write of an attribute
 * @enabled: the disk is up; guarded by @lock
 * @error: why the last write was refused; guarded by @lock
 * @timeout_ms: after which a request is cancelled, 0 for none; guarded by @lock
 * @autoclear: take it down when nobody has it open any more; written under @lock
 * @closed: that has come to pass since it is up
 * @clear: takes it down
 * @kd: the device
 */
struct kblk_object {
	struct config_group	group;
	const struct kblk_kind	*kind;
	struct mutex		lock;
	bool			enabled;
	char			error[KBLK_ERROR_MAX];
	unsigned int		timeout_ms;
	bool			autoclear;
	bool			closed;
	struct work_struct	clear;
	struct kblk_disk	kd;
};

/**
 * struct kblk_kind - a folder of objects, made by a driver
 * @name: of the folder
 * @owner: the driver; pinned by each object
 * @attrs: attributes beyond the common ones, NULL at the end
 * @ops: of the devices
 * @object_size: of the driver's structure, whose first member is the object
 * @init: optional. A zeroed object was made; fill in defaults. 0 or an errno.
 * @enable: bring it up, ending in kblk_disk_add(); on a live object commit what
 *	was staged. Says why not with kblk_refuse(). Under object->lock.
 * @disable: optional. The disk is gone; release what lies below. Under
 *	object->lock.
 * @release: optional. Free what @init and the attributes made.
 * @type: filled in by kblk_kind_register()
 * @folder_type: filled in by kblk_kind_register()
 * @folder: filled in by kblk_kind_register()
 */
struct kblk_kind {
	const char			*name;
	struct module			*owner;
	struct configfs_attribute	**attrs;
	const struct kiobuf_dev_ops	*ops;
	size_t				object_size;
	int	(*init)(struct kblk_object *object);
	int	(*enable)(struct kblk_object *object);
	void	(*disable)(struct kblk_object *object);
	void	(*release)(struct kblk_object *object);
	struct config_item_type		type;
	struct config_item_type		folder_type;
	struct config_group		folder;
};

int kblk_kind_register(struct kblk_kind *kind);
void kblk_kind_unregister(struct kblk_kind *kind);

__printf(3, 4)
int kblk_refuse(struct kblk_object *object, int error, const char *fmt, ...);
int kblk_want_down(struct kblk_object *object);
struct kblk_lower *kblk_object_lower(struct kblk_object *object,
				     const char *path, bool write);
struct kblk_lower *kblk_object_lower_as(struct kblk_object *object,
					const char *path, bool write,
					void *holder);
int kblk_set_path(struct kblk_object *object, const char *page,
		  const char *name, char **path);
size_t kblk_whole_lines(const char *page, size_t len);
char *kblk_next_word(char **text);
ssize_t kblk_attr_show(struct config_item *item, char *page,
		       ssize_t (*show)(struct kblk_object *, char *));
ssize_t kblk_attr_store(struct config_item *item, const char *page, size_t len,
			ssize_t (*store)(struct kblk_object *, const char *,
					 size_t));

static inline struct kblk_object *kblk_object_of(struct config_item *item)
{
	return container_of(to_config_group(item), struct kblk_object, group);
}

static inline struct kblk_object *kblk_object_of_dev(struct kiobuf_dev *dev)
{
	return container_of(dev, struct kblk_object, kd.dev);
}

/*
 * Attribute _name from _pfx##_name##_read(object, page) and
 * _pfx##_name##_write(object, page, len); _pfx ends in an underscore.
 */
#define KBLK_ATTR_SHOW(_pfx, _name)					\
static ssize_t _pfx##_name##_show(struct config_item *item, char *page)	\
{									\
	return kblk_attr_show(item, page, _pfx##_name##_read);		\
}

#define KBLK_ATTR_STORE(_pfx, _name)					\
static ssize_t _pfx##_name##_store(struct config_item *item,		\
				   const char *page, size_t len)	\
{									\
	return kblk_attr_store(item, page, len, _pfx##_name##_write);	\
}

#define KBLK_ATTR(_pfx, _name)						\
	KBLK_ATTR_SHOW(_pfx, _name)					\
	KBLK_ATTR_STORE(_pfx, _name)					\
	CONFIGFS_ATTR(_pfx, _name)
#define KBLK_ATTR_RO(_pfx, _name)					\
	KBLK_ATTR_SHOW(_pfx, _name)					\
	CONFIGFS_ATTR_RO(_pfx, _name)
#define KBLK_ATTR_WO(_pfx, _name)					\
	KBLK_ATTR_STORE(_pfx, _name)					\
	CONFIGFS_ATTR_WO(_pfx, _name)

#endif /* _LINUX_KBLK_H */
