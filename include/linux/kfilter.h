/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kfilter: layers on one device that see every request down and every result up
 *
 * A kind of filter is a struct kfilter_kind in a module of its own, registered under
 * a name that users write into `kind`. kfilter.ko does the rest: configfs, the
 * device below, the block device. Documentation/filter.rst has one in full.
 *
 * The data path of a kind is a struct kiobuf_dev_ops. What shall go on as it is:
 *
 *	return kfilter_pass(kb, filter);
 *
 * A result is looked at by a frame, see kiobuf_push_frame(); a request is taken
 * apart by KIOBUF_SPLIT, see <linux/kiobuf_dev.h>; data is altered on its way down in
 * a copy, see kfilter_carve_copy().
 */
#ifndef _LINUX_KFILTER_H
#define _LINUX_KFILTER_H

#include <linux/kblk.h>
#include <linux/mutex.h>

struct kfilter_kind;

/**
 * struct kfilter - a filter device
 * @object: its face
 * @lower: where requests go on, while it is up
 * @data: the kind's own, @kind->data_size bytes; NULL while there is no kind
 * @lock: guards @kind and @data against @kind->release(), inside of @object.lock
 * @kind: what it does; guarded by @object.lock, and changed under @lock
 * @path: of the device below; guarded by @object.lock
 * @claim: the device below, while it is up
 * @create: the next start makes fresh metadata; guarded by @object.lock
 */
struct kfilter {
	struct kblk_object		object;
	struct kiobuf_dev		*lower;
	void				*data;
	struct mutex			lock;
	const struct kfilter_kind	*kind;
	char				*path;
	struct kblk_lower		*claim;
	bool				create;
};

/**
 * struct kfilter_kind - what a filter does
 * @name: as users write it
 * @owner: its module; pinned by each filter of the kind
 * @ops: of the devices
 * @data_size: bytes of filter->data, which are zeroed
 * @has_metadata: `create` means something
 * @init: optional. filter->data was made. 0 or an errno. This and all below under
 *	object.lock; may sleep.
 * @exit: optional. filter->data goes; the device is down.
 * @start: optional. The device below is claimed, and is to come up. @shape is that of the
 *	device below, to be altered. Says why not with kblk_refuse().
 * @ready: optional. The device is up, and what came with that, such as the look for
 *	partitions, has been done.
 * @stop: optional. The device is down, nothing is in flight.
 * @set_rules: optional. Takes what was written to `rules`, whole lines, as text to be
 *	cut up. Up or down. Says why not with kblk_refuse(), nothing then being changed.
 * @show_rules: optional. Prints them.
 * @show_state: optional. Prints what it has seen.
 * @release: optional. Lets go on what waits. Not under object.lock: who holds that
 *	may wait for what waits.
 * @list: kfilter's own
 */
struct kfilter_kind {
	const char			*name;
	struct module			*owner;
	const struct kiobuf_dev_ops	*ops;
	size_t				data_size;
	bool				has_metadata;
	int	(*init)(struct kfilter *filter);
	void	(*exit)(struct kfilter *filter);
	int	(*start)(struct kfilter *filter, struct kblk_shape *shape);
	void	(*ready)(struct kfilter *filter);
	void	(*stop)(struct kfilter *filter);
	int	(*set_rules)(struct kfilter *filter, char *text);
	ssize_t	(*show_rules)(struct kfilter *filter, char *page);
	ssize_t	(*show_state)(struct kfilter *filter, char *page);
	void	(*release)(struct kfilter *filter);
	struct list_head		list;
};

int kfilter_register(struct kfilter_kind *kind);
void kfilter_unregister(struct kfilter_kind *kind);

struct kiobuf *kfilter_carve_copy(struct kiobuf *parent, u64 length,
				  void (*alter)(u8 *bytes, size_t length));
void kfilter_alter(struct kiobuf *kb, u64 from, u64 to,
		   void (*alter)(u8 *bytes, size_t length));

static inline struct kfilter *kfilter_of_object(struct kblk_object *object)
{
	return container_of(object, struct kfilter, object);
}

static inline struct kfilter *kfilter_of(struct kiobuf_dev *dev)
{
	return kfilter_of_object(kblk_object_of_dev(dev));
}

/**
 * kfilter_pass() - send a header on to the device below
 * @kb: header in ->submit()
 * @filter: its device
 *
 * Context: ->submit().
 * Return: KIOBUF_REMAPPED, for ->submit() to return.
 */
static inline int kfilter_pass(struct kiobuf *kb, const struct kfilter *filter)
{
	kb->dev = filter->lower;
	return KIOBUF_REMAPPED;
}

#endif /* _LINUX_KFILTER_H */
