/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Private to kiobuf.ko.
 *
 * Locks. Nothing is taken under the first two; kiobuf_dev_walk_up() calls back under
 * the last.
 *	kb->wait.lock		kb->error, ->bytes, ->done, ->orphan; irq-safe
 *	dev->lock		dev->deferred, ->retries; irq-safe
 *	kiobuf_dev_mutex	the graph of devices; process context
 */
#ifndef _KIOBUF_INTERNAL_H
#define _KIOBUF_INTERNAL_H

#include <linux/kiobuf.h>
#include <linux/kiobuf_dev.h>

int kiobuf_alloc_init(void);
void kiobuf_alloc_exit(void);

void kiobuf_free(struct kiobuf *kb);
void kiobuf_run_deferred(struct work_struct *work);

#endif /* _KIOBUF_INTERNAL_H */
