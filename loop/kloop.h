/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to kloop.ko: files as devices.
 *
 * Data goes to the file system from the task that submits it, where that may be
 * entered (visit.c) and need not wait.
 *
 * All else waits on loop->queue, where it can be cancelled, until the feeder gives it a
 * command. Feeder and commands run on different workqueues: the feeder may
 * wait for a command to end.
 */
#ifndef _KLOOP_H
#define _KLOOP_H

#include <linux/fs.h>
#include <linux/kblk.h>

/**
 * enum kloop_direct - what the user said of direct I/O
 * @KLOOP_DIRECT_AUTO: nothing: where the file system allows it
 * @KLOOP_DIRECT_OFF: never
 * @KLOOP_DIRECT_ON: always, or the device does not come up
 */
enum kloop_direct {
	KLOOP_DIRECT_AUTO,
	KLOOP_DIRECT_OFF,
	KLOOP_DIRECT_ON,
};

/**
 * struct kloop_dev - a file as a device
 * @object: its face
 * @path: of the file
 * @offset: byte of the file where the device begins
 * @size_limit: most bytes of the device, 0 for all
 * @block_size: logical block in bytes as the user wants it, 0 for no wish
 * @direct_wish: what the user said
 * @read_only: refuse writes
 * @partscan: look for partitions
 * @file: open while up
 * @carrier: device of ours that the file's file system is on, NULL for none
 * @direct: requests go past the page cache
 * @dio_mask: alignment of direct I/O in memory and file, less 1
 * @nowait: the file can be asked not to wait
 * @queue: headers that wait for a command
 * @running: commands
 * @feeder: gives them one
 * @wq: runs commands
 * @cmds: their reserve
 */
struct kloop_dev {
	struct kblk_object	object;
	char			*path;
	u64			offset;
	u64			size_limit;
	unsigned int		block_size;
	enum kloop_direct	direct_wish;
	bool			read_only;
	bool			partscan;

	struct file		*file;
	struct kiobuf_dev	*carrier;
	bool			direct;
	unsigned int		dio_mask;
	bool			nowait;
	struct kiobuf_queue	queue;
	atomic_t		running;
	struct work_struct	feeder;
	struct workqueue_struct	*wq;
	struct kiobuf_pool	cmds;
};

static inline struct kloop_dev *kloop_of_object(struct kblk_object *object)
{
	return container_of(object, struct kloop_dev, object);
}

static inline struct kloop_dev *kloop_of(struct kiobuf_dev *dev)
{
	return kloop_of_object(kblk_object_of_dev(dev));
}

/* dev.c */
int kloop_enable(struct kblk_object *object);
void kloop_disable(struct kblk_object *object);
int kloop_switch_direct(struct kloop_dev *loop, bool on);

/* io.c */
extern const struct kiobuf_dev_ops kloop_ops;
int kloop_io_start(struct kloop_dev *loop);
void kloop_io_stop(struct kloop_dev *loop);
void kloop_io_init(struct kloop_dev *loop);

/**
 * struct kloop_visit - what a task is in the middle of while it visits a file system
 * @bio_list: bios that its caller will start later
 * @noio: for memalloc_noio_restore()
 */
struct kloop_visit {
	struct bio_list	*bio_list;
	unsigned int	noio;
};

/* visit.c */
bool kloop_may_enter(void);
void kloop_enter(struct kloop_visit *visit);
void kloop_leave(const struct kloop_visit *visit);

/* configfs.c */
int kloop_configfs_init(void);
void kloop_configfs_exit(void);

#endif /* _KLOOP_H */
