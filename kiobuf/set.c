// SPDX-License-Identifier: GPL-2.0
/*
 * Sets: several buffers as one I/O. The set is a parent without a vector or device
 * of its own; its members are clones with windows of theirs, one behind the other.
 */
#include <linux/module.h>
#include <linux/overflow.h>

#include "internal.h"

/* Members may fail meanwhile. */
static void kiobuf_set_grow(struct kiobuf *set, u64 length)
{
	unsigned long flags;

	spin_lock_irqsave(&set->wait.lock, flags);
	set->length = length;
	if (!set->error)
		set->bytes = length;
	spin_unlock_irqrestore(&set->wait.lock, flags);
}

/**
 * kiobuf_init_set() - begin a set
 * @set: memory of its header
 *
 * Add members, submit each when and as you like, and when the last one was added
 * end the set's own share with kiobuf_endio(set, set->length, 0). It then ends after
 * the last member: set->bytes is the good prefix over all members in the order in
 * which they were added. It may have an end_io, be waited for, and be cancelled,
 * all like any header; so may each member. A set is not submitted.
 *
 * Context: any.
 */
void kiobuf_init_set(struct kiobuf *set)
{
	kiobuf_init(set, NULL, KIOBUF_READ, 0, NULL, 0);
	set->active = true;
}
EXPORT_SYMBOL_GPL(kiobuf_init_set);

/**
 * kiobuf_init_member() - add a buffer to a set
 * @kb: memory of its header
 * @set: from kiobuf_init_set(), its own share not ended; the caller adds one at a
 *	time
 * @dev: device to submit it to
 * @op: operation
 * @pos: byte position on @dev
 * @vec: fragments, NULL for an operation without data
 * @length: bytes
 *
 * Adds a share to @set, which the member drops when it ends: submit it or end it.
 * It is @length bytes of the set, from the end of the member before on. Its memory
 * must stay until it has ended: see kb->end_io.
 *
 * Context: any.
 * Return: 0; -EOVERFLOW if the set would be too long; the errno that the set was
 * cancelled with.
 */
int kiobuf_init_member(struct kiobuf *kb, struct kiobuf *set,
		       struct kiobuf_dev *dev, enum kiobuf_op op, u64 pos,
		       struct kiobuf_vec *vec, u64 length)
{
	u64 end;
	int ret;

	if (check_add_overflow(set->length, length, &end))
		return -EOVERFLOW;
	kiobuf_init(kb, dev, op, pos, vec, length);
	kb->offset = set->length;
	kb->parent = set;
	ret = kiobuf_link_clone(kb, set);
	if (ret) {
		kb->parent = NULL;
		return ret;
	}
	kiobuf_set_grow(set, end);
	return 0;
}
EXPORT_SYMBOL_GPL(kiobuf_init_member);
