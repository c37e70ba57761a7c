// SPDX-License-Identifier: GPL-2.0
/*
 * A filter: "scramble" turns every byte round by a secret. No cipher: what it shows is
 * how data is changed on its way down, in a copy, and on its way up, in place.
 */
#include <linux/kernel.h>
#include <linux/kfilter.h>
#include <linux/module.h>

#define SCRAMBLE_SECRET 0x5a

static void scramble(u8 *bytes, size_t length)
{
	while (length--)
		*bytes++ ^= SCRAMBLE_SECRET;
}

/* ---- up ---- */

static enum kiobuf_climb scramble_read_endio(struct kiobuf *kb,
					     const struct kiobuf_frame *frame)
{
	kfilter_alter(kb, 0, kb->length, scramble);
	return KIOBUF_CLIMB;
}

/* ---- down ---- */

static int scramble_submit(struct kiobuf *kb)
{
	struct kfilter *filter = kfilter_of(kb->dev);

	/* Below, zeroes are something else: whoever asks then writes them. */
	if (kb->op == KIOBUF_WRITE_ZEROES)
		return -EOPNOTSUPP;
	if (!kiobuf_op_is_data(kb->op))
		return kfilter_pass(kb, filter);
	if (kb->op == KIOBUF_READ && kiobuf_push_frame(kb, scramble_read_endio, 0))
		return kfilter_pass(kb, filter);
	return KIOBUF_SPLIT;
}

/* A write in copies; a read that had no room for a frame in a clone, which has. */
static struct kiobuf *scramble_next_child(struct kiobuf *parent)
{
	struct kfilter *filter = kfilter_of(parent->dev);
	struct kiobuf *kb;

	if (parent->op == KIOBUF_WRITE)
		kb = kfilter_carve_copy(parent, U64_MAX, scramble);
	else
		kb = kiobuf_carve(parent, U64_MAX);
	if (IS_ERR_OR_NULL(kb))
		return kb;
	if (kb->op == KIOBUF_READ)
		kiobuf_push_frame(kb, scramble_read_endio, 0);
	kb->dev = filter->lower;
	return kb;
}

static const struct kiobuf_dev_ops scramble_ops = {
	.submit		= scramble_submit,
	.next_child	= scramble_next_child,
};

static struct kfilter_kind scramble_kind = {
	.name	= "scramble",
	.owner	= THIS_MODULE,
	.ops	= &scramble_ops,
};

static int __init scramble_init(void)
{
	return kfilter_register(&scramble_kind);
}

static void __exit scramble_exit(void)
{
	kfilter_unregister(&scramble_kind);
}

module_init(scramble_init);
module_exit(scramble_exit);

MODULE_ALIAS("kfilter-scramble");
MODULE_DESCRIPTION("A sample filter: changes data on its way down and up");
MODULE_LICENSE("GPL");
