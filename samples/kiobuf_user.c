// SPDX-License-Identifier: GPL-2.0
/*
 * A user: puts a layer of its own on the device of kiobuf_mem, and shows through it
 * what a kernel caller can do. All runs when the module is loaded; each case logs a
 * line, and loading fails if a case does.
 *
 *	user	a linear layer that fails two blocks
 *	 |
 *	mem	kiobuf_mem
 */
#include <linux/completion.h>
#include <linux/kiobuf.h>
#include <linux/kiobuf_dev.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>

#include "kiobuf_mem.h"

#define USER_BLOCK	SZ_64K
#define USER_BYTES	SZ_1M		/* of each buffer */
#define USER_START	SZ_64K		/* where on mem the layer begins */
#define USER_BAD	SZ_1M		/* four blocks, of which two are bad */
#define USER_MIN	(USER_START + USER_BAD + 4 * USER_BLOCK)

/* ---- a layer ---- */

/* The second and the fourth of the blocks; neither errno fits in a bio. */
static const struct {
	u64	pos;
	int	error;
} user_bad[] = {
	{ USER_BAD + 1 * USER_BLOCK, -EUCLEAN },
	{ USER_BAD + 3 * USER_BLOCK, -ENOKEY },
};

static struct kiobuf_dev user_dev;

/* Fails what touches a bad block, and passes all else on as it is. */
static int user_submit(struct kiobuf *kb)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(user_bad); i++)
		if (user_bad[i].pos < kb->pos + kb->length &&
		    kb->pos < user_bad[i].pos + USER_BLOCK)
			return user_bad[i].error;
	kb->dev = kiobuf_mem_dev();
	kb->pos += USER_START;
	return KIOBUF_REMAPPED;
}

static const struct kiobuf_dev_ops user_ops = {
	.submit	= user_submit,
};

/* ---- buffers ---- */

struct user_buffer {
	u8			*bytes;
	struct kiobuf_vec	*vec;
};

static struct user_buffer user_out, user_in;

/* A vector from a buffer: the fragments are pages of it, nothing is copied. */
static int user_buffer_make(struct user_buffer *buf, size_t length)
{
	int ret;

	buf->bytes = vzalloc(length);
	buf->vec = kiobuf_vec_alloc(1, GFP_KERNEL);
	if (!buf->bytes || !buf->vec)
		return -ENOMEM;
	/* It makes room as it needs. */
	ret = kiobuf_vec_add_buffer(buf->vec, buf->bytes, length, GFP_KERNEL);
	return ret;
}

/* All headers on the vector have ended. */
static void user_buffer_free(struct user_buffer *buf)
{
	kiobuf_vec_put(buf->vec);
	vfree(buf->bytes);
}

static bool user_holds(const u8 *bytes, u8 value, size_t length)
{
	return !memchr_inv(bytes, value, length);
}

/* 0, or -EINVAL and a line that says what was wanted */
#define user_want(condition) user_judge(condition, #condition)

static int user_judge(bool so, const char *wanted)
{
	if (so)
		return 0;
	pr_info("# wanted: %s\n", wanted);
	return -EINVAL;
}

/* ---- submit and wait ---- */

static int user_transfer(enum kiobuf_op op, u64 pos, struct kiobuf_vec *vec,
			 u64 length)
{
	struct kiobuf kb;

	kiobuf_init(&kb, &user_dev, op, pos, vec, length);
	kiobuf_submit(&kb);
	/* It may have ended already; either way the header is ours again. */
	return kiobuf_wait(&kb);
}

static int user_submit_and_wait(void)
{
	const u64 length = 2 * USER_BLOCK;
	int ret;

	memset(user_out.bytes, 0x5a, length);
	memset(user_in.bytes, 0, length);
	ret = user_transfer(KIOBUF_WRITE, 0, user_out.vec, length);
	if (!ret)
		ret = user_transfer(KIOBUF_READ, 0, user_in.vec, length);
	return ret ?: user_want(user_holds(user_in.bytes, 0x5a, length));
}

/* ---- clones, an exact result, and which bytes failed ---- */

struct user_split {
	struct kiobuf		kb;
	struct kiobuf		clone[4];
	struct kiobuf_fault	faults[4];
	int			nr_faults;
};

static int user_note_fault(const struct kiobuf_fault *fault, void *arg)
{
	struct user_split *split = arg;

	if (split->nr_faults == ARRAY_SIZE(split->faults))
		return -ENOSPC;
	split->faults[split->nr_faults++] = *fault;
	return 0;
}

/* Ranges can be walked in here only. Those who wait are told last. */
static void user_split_end_io(struct kiobuf *kb)
{
	struct user_split *split = container_of(kb, struct user_split, kb);

	kiobuf_walk_faults(kb, user_note_fault, split);
	kiobuf_done(kb);
}

/* Each clone is one block. The first may have ended before the second is made. */
static int user_submit_clones(struct user_split *split)
{
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(split->clone) && !ret; i++) {
		ret = kiobuf_init_clone(&split->clone[i], &split->kb,
					i * USER_BLOCK, USER_BLOCK);
		if (!ret)
			kiobuf_submit(&split->clone[i]);
	}
	/* Our own share, without which the parent would have ended too early. */
	kiobuf_endio(&split->kb, split->kb.length, 0);
	return ret;
}

static bool user_fault_is(const struct kiobuf_fault *fault, u64 offset,
			  int error)
{
	return fault->offset == offset && fault->length == USER_BLOCK &&
	       fault->error == error;
}

static int user_check_split(const struct user_split *split)
{
	return user_want(split->kb.bytes == USER_BLOCK) ?:
	       user_want(split->kb.error == -EUCLEAN) ?:
	       user_want(split->nr_faults == 2) ?:
	       user_want(user_fault_is(&split->faults[0], USER_BLOCK,
				       -EUCLEAN)) ?:
	       user_want(user_fault_is(&split->faults[1], 3 * USER_BLOCK,
				       -ENOKEY));
}

static int user_split_over_clones(void)
{
	struct user_split *split = kzalloc(sizeof(*split), GFP_KERNEL);
	int ret;

	if (!split)
		return -ENOMEM;
	kiobuf_init(&split->kb, &user_dev, KIOBUF_WRITE, USER_BAD,
		    user_out.vec, 4 * USER_BLOCK);
	split->kb.end_io = user_split_end_io;
	ret = user_submit_clones(split);
	/* The clones have ended before their parent, so all can be freed. */
	kiobuf_wait(&split->kb);
	ret = ret ?: user_check_split(split);
	kfree(split);
	return ret;
}

/* ---- a callback in place of a thread that sleeps ---- */

struct user_job {
	struct kiobuf		kb;
	struct wait_queue_entry	entry;
	struct completion	done;
	u64			bytes;
};

/* Called at the end, under kb->wait.lock: does little, and takes itself off. */
static int user_job_wake(struct wait_queue_entry *entry, unsigned int mode,
			 int flags, void *key)
{
	struct user_job *job = container_of(entry, struct user_job, entry);

	list_del_init(&entry->entry);
	job->bytes = job->kb.bytes;
	complete(&job->done);
	return 0;
}

static int user_wait_with_callback(void)
{
	struct user_job *job = kzalloc(sizeof(*job), GFP_KERNEL);
	int ret;

	if (!job)
		return -ENOMEM;
	init_completion(&job->done);
	init_waitqueue_func_entry(&job->entry, user_job_wake);
	kiobuf_init(&job->kb, &user_dev, KIOBUF_READ, 0, user_in.vec, SZ_4K);
	kiobuf_submit(&job->kb);
	/* false: it has ended already, and nobody will call. */
	if (!kiobuf_add_waiter(&job->kb, &job->entry))
		user_job_wake(&job->entry, 0, 0, NULL);
	wait_for_completion(&job->done);
	/* Who called us still holds the lock: wait until it lets go. */
	ret = kiobuf_wait(&job->kb);
	ret = ret ?: user_want(job->bytes == SZ_4K);
	kfree(job);
	return ret;
}

/* ---- several buffers as one I/O ---- */

/* The third goes to a bad block. */
static const struct {
	u64	pos;
	u64	length;
	int	error;
} user_members[] = {
	{ 7 * USER_BLOCK,		SZ_4K,	0 },
	{ 3 * USER_BLOCK + 512,		SZ_8K,	0 },
	{ USER_BAD + USER_BLOCK,	512,	-EUCLEAN },
	{ 5 * USER_BLOCK,		512,	0 },
};

static int user_submit_members(struct kiobuf *set, struct kiobuf *members)
{
	int i, ret = 0;

	for (i = 0; i < ARRAY_SIZE(user_members) && !ret; i++) {
		ret = kiobuf_init_member(&members[i], set, &user_dev,
					 KIOBUF_WRITE, user_members[i].pos,
					 user_out.vec, user_members[i].length);
		if (!ret)
			kiobuf_submit(&members[i]);
	}
	/* No more come. */
	kiobuf_endio(set, set->length, 0);
	return ret;
}

/* The set's good bytes end where its third member begins. */
static int user_check_set(struct kiobuf *set, struct kiobuf *members)
{
	int i, ret;

	ret = user_want(set->length == SZ_4K + SZ_8K + 512 + 512) ?:
	      user_want(set->bytes == SZ_4K + SZ_8K) ?:
	      user_want(set->error == -EUCLEAN);
	for (i = 0; i < ARRAY_SIZE(user_members) && !ret; i++)
		ret = user_want(members[i].error == user_members[i].error);
	return ret;
}

static int user_set_of_buffers(void)
{
	struct kiobuf *kbs = kcalloc(1 + ARRAY_SIZE(user_members),
				     sizeof(*kbs), GFP_KERNEL);
	int ret;

	if (!kbs)
		return -ENOMEM;
	kiobuf_init_set(&kbs[0]);
	ret = user_submit_members(&kbs[0], &kbs[1]);
	kiobuf_wait(&kbs[0]);
	ret = ret ?: user_check_set(&kbs[0], &kbs[1]);
	kfree(kbs);
	return ret;
}

/* ---- cancel ---- */

/*
 * Runs in the worker of mem, which serves one piece at a time: so of all the rest
 * nothing is served meanwhile. Our clone still has its share of the parent.
 */
static void user_cancel_rest(struct kiobuf *kb)
{
	kiobuf_cancel(kb->parent, -ECANCELED);
	kiobuf_done(kb);
}

/* The first block, and the rest, which mem cuts into as many clones as it likes. */
static int user_write_and_cancel(struct kiobuf *kb, struct kiobuf *first,
				 struct kiobuf *rest)
{
	int ret;

	kiobuf_init(kb, &user_dev, KIOBUF_WRITE, 0, user_out.vec, USER_BYTES);
	ret = kiobuf_init_clone(first, kb, 0, USER_BLOCK);
	if (!ret) {
		first->end_io = user_cancel_rest;
		ret = kiobuf_init_clone(rest, kb, USER_BLOCK,
					USER_BYTES - USER_BLOCK);
		kiobuf_submit(first);
		if (!ret)
			kiobuf_submit(rest);
	}
	kiobuf_endio(kb, kb->length, 0);
	kiobuf_wait(kb);
	return ret ?: user_want(kb->error == -ECANCELED) ?:
	       user_want(kb->bytes == USER_BLOCK);
}

static int user_cancel_queued(void)
{
	struct kiobuf *kbs = kcalloc(3, sizeof(*kbs), GFP_KERNEL);
	int ret;

	if (!kbs)
		return -ENOMEM;
	memset(user_out.bytes, 0x11, USER_BYTES);
	ret = user_transfer(KIOBUF_WRITE, 0, user_out.vec, USER_BYTES);
	memset(user_out.bytes, 0x22, USER_BYTES);
	ret = ret ?: user_write_and_cancel(&kbs[0], &kbs[1], &kbs[2]);
	ret = ret ?: user_transfer(KIOBUF_READ, 0, user_in.vec, USER_BYTES);
	kfree(kbs);
	/* New to the byte that the result named, old from there on. */
	return ret ?:
	       user_want(user_holds(user_in.bytes, 0x22, USER_BLOCK)) ?:
	       user_want(user_holds(user_in.bytes + USER_BLOCK, 0x11,
				    USER_BYTES - USER_BLOCK));
}

/* ---- all of them ---- */

static const struct {
	const char	*name;
	int		(*run)(void);
} user_cases[] = {
	{ "submit and wait",	user_submit_and_wait },
	{ "split over clones",	user_split_over_clones },
	{ "wait with callback",	user_wait_with_callback },
	{ "set of buffers",	user_set_of_buffers },
	{ "cancel queued I/O",	user_cancel_queued },
};

static int user_run_cases(void)
{
	int i, ret, failed = 0;

	for (i = 0; i < ARRAY_SIZE(user_cases); i++) {
		ret = user_cases[i].run();
		pr_info("%s %d %s\n", ret ? "not ok" : "ok", i + 1,
			user_cases[i].name);
		failed = failed ?: ret;
	}
	return failed;
}

static int user_make_buffers(void)
{
	return user_buffer_make(&user_out, USER_BYTES) ?:
	       user_buffer_make(&user_in, USER_BYTES);
}

static void user_free_buffers(void)
{
	user_buffer_free(&user_out);
	user_buffer_free(&user_in);
}

/* A layer is linked to what it passes headers on to, so that a cycle is refused. */
static int user_stack(void)
{
	struct kiobuf_dev *lower = kiobuf_mem_dev();
	int ret;

	if (lower->size < USER_MIN)
		return -ENOSPC;
	user_dev.size = lower->size - USER_START;
	ret = kiobuf_dev_register(&user_dev, "user", &user_ops);
	if (ret)
		return ret;
	ret = kiobuf_dev_link(&user_dev, lower);
	if (ret)
		kiobuf_dev_unregister(&user_dev);
	return ret;
}

static void user_unstack(void)
{
	kiobuf_dev_unlink(&user_dev, kiobuf_mem_dev());
	kiobuf_dev_unregister(&user_dev);
}

static int __init user_module_init(void)
{
	int ret;

	ret = user_make_buffers() ?: user_stack();
	if (ret)
		goto free_buffers;
	ret = user_run_cases();
	if (!ret)
		return 0;
	user_unstack();
free_buffers:
	user_free_buffers();
	return ret;
}

static void __exit user_module_exit(void)
{
	user_unstack();
	user_free_buffers();
}

module_init(user_module_init);
module_exit(user_module_exit);

MODULE_DESCRIPTION("Sample: a user of the kiobuf API");
MODULE_LICENSE("GPL");
