/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to kfilter.ko.
 *
 * Lock order, outermost first:
 *	object->lock		a filter's attributes
 *	filter->lock		its kind
 *	kfilter_kinds_mutex	the registered kinds
 */
#ifndef _KFILTER_FILTER_H
#define _KFILTER_FILTER_H

#include <linux/kfilter.h>

/* kind.c */
int kfilter_set_kind(struct kfilter *filter, const char *name);
void kfilter_drop_kind(struct kfilter *filter);

/* dev.c */
extern const struct kiobuf_dev_ops kfilter_ops;
int kfilter_enable(struct kblk_object *object);
void kfilter_disable(struct kblk_object *object);

/* configfs.c */
int kfilter_configfs_init(void);
void kfilter_configfs_exit(void);

/* the kinds that come with it */
extern struct kfilter_kind flakey_kind, csum_kind;

#endif /* _KFILTER_FILTER_H */
