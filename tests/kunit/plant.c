// SPDX-License-Identifier: GPL-2.0
/*
 * Mistakes on purpose, to see that the debug kernel finds them: only built with
 * KIO_PLANT=y, run by tests/qemu/planted. Loading it with bug=NAME makes the
 * mistake; loading itself succeeds.
 */
#include <linux/kiobuf.h>
#include <linux/kiobuf_dev.h>
#include <linux/module.h>
#include <linux/slab.h>

static char *bug = "";
module_param(bug, charp, 0);
MODULE_PARM_DESC(bug, "leak, double, inversion or late");

/* A header that nobody puts. */
static void plant_leak(void)
{
	struct kiobuf *kb = kiobuf_alloc(GFP_KERNEL);

	if (kb)
		kiobuf_reset(kb, NULL, KIOBUF_DISCARD, 0, NULL, 512);
}

/* Ended twice. */
static void plant_double(void)
{
	struct kiobuf *kb = kiobuf_alloc(GFP_KERNEL);

	if (!kb)
		return;
	kiobuf_reset(kb, NULL, KIOBUF_DISCARD, 0, NULL, 512);
	kiobuf_endio(kb, 512, 0);
	kiobuf_endio(kb, 512, 0);
	kiobuf_put(kb);
}

/* Looked at after it was let go. */
static void plant_late(void)
{
	struct kiobuf *kb = kiobuf_alloc(GFP_KERNEL);

	if (!kb)
		return;
	kiobuf_put(kb);
	pr_info("%d\n", READ_ONCE(kb->error));
}

static struct kiobuf_queue plant_queue;

static bool plant_cancel(struct kiobuf_dev *dev, struct kiobuf *kb)
{
	return kiobuf_unqueue(&plant_queue, kb);
}

static int plant_submit(struct kiobuf *kb)
{
	return kiobuf_enqueue(&plant_queue, kb);
}

static const struct kiobuf_dev_ops plant_ops = {
	.submit	= plant_submit,
	.cancel	= plant_cancel,
};

/*
 * A cancel takes the queue's lock under that of the header; a driver that fails
 * headers with its queue locked takes them the other way round.
 */
static void plant_inversion(void)
{
	static struct kiobuf_dev dev;
	static struct kiobuf kb;

	kiobuf_queue_init(&plant_queue, NULL, NULL);
	if (kiobuf_dev_register(&dev, "/plant", &plant_ops))
		return;
	kiobuf_init(&kb, &dev, KIOBUF_DISCARD, 0, NULL, 512);
	kiobuf_submit(&kb);
	kiobuf_cancel(&kb, -ECANCELED);
	kiobuf_wait(&kb);

	kiobuf_reset(&kb, &dev, KIOBUF_DISCARD, 0, NULL, 512);
	spin_lock_irq(&plant_queue.lock);
	kiobuf_endio(&kb, 0, -EIO);
	spin_unlock_irq(&plant_queue.lock);
	kiobuf_dev_unregister(&dev);
}

static int __init plant_init(void)
{
	static const struct {
		const char *name;
		void (*plant)(void);
	} bugs[] = {
		{ "leak", plant_leak },
		{ "double", plant_double },
		{ "late", plant_late },
		{ "inversion", plant_inversion },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(bugs); i++) {
		if (strcmp(bug, bugs[i].name))
			continue;
		bugs[i].plant();
		return 0;
	}
	return -EINVAL;
}

static void __exit plant_exit(void)
{
}

module_init(plant_init);
module_exit(plant_exit);

MODULE_DESCRIPTION("Mistakes on purpose");
MODULE_LICENSE("GPL");
