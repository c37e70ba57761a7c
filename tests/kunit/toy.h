/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What several suites share: toy devices, and two threads that race.
 *
 *	toy_cutter()	cuts what crosses a border, passes all on to the device below
 *	toy_bottom()	memory, with bad ranges; may keep what it gets until told
 */
#ifndef _KIO_TOY_H
#define _KIO_TOY_H

#include "tests.h"

#define TOY_LOG 40
#define TOY_BAD 3

/* Bytes @pos to @pos + @length of a bottom fail with @error; none if that is 0. */
struct toy_bad {
	u64	pos;
	u64	length;
	int	error;
};

/* What a toy saw of a header. */
struct toy_seen {
	u64	pos;
	u64	length;
	u32	hints;
	u16	ioprio;
	u16	flags;
	u8	op;
};

struct toy {
	struct kiobuf_dev	dev;
	struct kiobuf_dev	*lower;
	u64			border;		/* cut here; 0: never */
	u8			*ram;
	struct toy_bad		bad[TOY_BAD];
	bool			hold;
	struct kiobuf_queue	held;
	int			seen;
	struct toy_seen		log[TOY_LOG];
};

static inline struct toy *toy_of(struct kiobuf_dev *dev)
{
	return container_of(dev, struct toy, dev);
}

struct toy *toy_bottom(const char *name, u64 size);
struct toy *toy_cutter(const char *name, struct toy *lower, u64 border);
struct toy *toy_new(const char *name, const struct kiobuf_dev_ops *ops);
void toy_free(struct toy *toy);
void toy_end(struct kiobuf *kb);
bool toy_end_next(struct toy *bottom);

/* How often a race is run: a debug kernel is slow, one processor has few races. */
static inline int kio_rounds(int rounds)
{
	return IS_ENABLED(CONFIG_KASAN) || num_online_cpus() < 2 ?
		rounds / 50 : rounds;
}

/*
 * A race is run on many items of @size bytes, zeroed at first: all are set up, then two
 * threads, on processors of their own, go through them side by side, then all are
 * checked; and so on. What check() says is summed up.
 */
struct kio_race {
	void	(*set_up)(void *item, int round);
	void	(*side[2])(void *item, int round);
	int	(*check)(void *item, int round);
	size_t	size;
};

int kio_race_run(const struct kio_race *race, int rounds);

/* A thread that takes a turn whenever it is asked to, at the same time as the asker. */
struct kio_partner {
	void			(*turn)(void *arg);
	void			*arg;
	struct task_struct	*task;
	atomic_t		asked;
	atomic_t		done;
};

bool kio_partner_start(struct kio_partner *partner, void (*turn)(void *arg),
		       void *arg);
void kio_partner_ask(struct kio_partner *partner);
void kio_partner_wait(struct kio_partner *partner);
void kio_partner_stop(struct kio_partner *partner);

#endif /* _KIO_TOY_H */
