// SPDX-License-Identifier: GPL-2.0
/* What filters need of the core, and the rules of `flakey`, which are pure. */
#include "tests.h"

#include "filter/rules.c"

/* ---- ranges that fail by hand ---- */

struct told {
	struct kiobuf_fault	fault[4];
	int			nr;
};

static int tell(const struct kiobuf_fault *fault, void *arg)
{
	struct told *told = arg;

	if (told->nr < ARRAY_SIZE(told->fault))
		told->fault[told->nr] = *fault;
	told->nr++;
	return 0;
}

static void told_end_io(struct kiobuf *kb)
{
	kiobuf_walk_faults(kb, tell, kb->private);
	kiobuf_done(kb);
}

static bool told_is(const struct told *told, int i, u64 offset, u64 length,
		    int error)
{
	return told->nr > i && told->fault[i].offset == offset &&
	       told->fault[i].length == length && told->fault[i].error == error;
}

/* Whatever the order in which they are recorded. */
static void fail_ranges(struct kunit *test)
{
	struct told told = {};
	struct kiobuf kb;

	kiobuf_init(&kb, NULL, KIOBUF_DISCARD, 0, NULL, 16384);
	kb.end_io = told_end_io;
	kb.private = &told;
	kiobuf_fail_range(&kb, 12288, 512, -EIO);
	kiobuf_fail_range(&kb, 4096, 4096, -EILSEQ);
	kiobuf_fail_range(&kb, 512, 1, -ENODATA);
	kiobuf_endio(&kb, kb.length, 0);
	KUNIT_EXPECT_TRUE(test, kiobuf_is_done(&kb));
	KUNIT_EXPECT_EQ(test, kb.bytes, 512);
	KUNIT_EXPECT_EQ(test, kb.error, -ENODATA);
	KUNIT_EXPECT_EQ(test, told.nr, 3);
	KUNIT_EXPECT_TRUE(test, told_is(&told, 0, 512, 1, -ENODATA));
	KUNIT_EXPECT_TRUE(test, told_is(&told, 1, 4096, 4096, -EILSEQ));
	KUNIT_EXPECT_TRUE(test, told_is(&told, 2, 12288, 512, -EIO));
}

/* ---- a queue that knows how long ---- */

static int nobody_submit(struct kiobuf *kb)
{
	return -EIO;
}

static const struct kiobuf_dev_ops nobody_ops = {
	.submit = nobody_submit,
};

static void ripe(struct kunit *test)
{
	static struct kiobuf_dev dev = { .ops = &nobody_ops };
	static struct kiobuf_queue q;
	static struct kiobuf kb[2];
	int i;

	kiobuf_queue_init(&q, NULL, NULL);
	for (i = 0; i < 2; i++) {
		kiobuf_init(&kb[i], &dev, KIOBUF_DISCARD, 0, NULL, 512);
		KUNIT_EXPECT_EQ(test, kiobuf_enqueue(&q, &kb[i]), 0);
	}
	kb[0].queued = jiffies - 100;
	kb[1].queued = jiffies;
	KUNIT_EXPECT_PTR_EQ(test, kiobuf_dequeue_ripe(&q, HZ * 1000), NULL);
	KUNIT_EXPECT_PTR_EQ(test, kiobuf_dequeue_ripe(&q, 100), &kb[0]);
	KUNIT_EXPECT_PTR_EQ(test, kiobuf_dequeue_ripe(&q, HZ * 1000), NULL);
	KUNIT_EXPECT_PTR_EQ(test, kiobuf_dequeue(&q), &kb[1]);
	KUNIT_EXPECT_EQ(test, q.nr, 0);
}

/* ---- rules ---- */

/* Only its lock and its error are used. */
static struct kblk_object rule_object = {
	.lock = __MUTEX_INITIALIZER(rule_object.lock),
};

static struct flakey_rule *parse(const char *text)
{
	struct flakey_rule *rule;
	char line[128];

	strscpy(line, text, sizeof(line));
	mutex_lock(&rule_object.lock);
	rule = flakey_parse_rule(&rule_object, line);
	mutex_unlock(&rule_object.lock);
	return rule;
}

/* What is printed can be written again. */
static void good_rules(struct kunit *test)
{
	static const char *const lines[][2] = {
		{ "read 0 8 error EIO", "read 0 8 error EIO\n" },
		{ " write\t8  16   error 28 ", "write 8 16 error ENOSPC\n" },
		{ "any 7 - error 999", "any 7 - error 999\n" },
		{ "flush 0 1 error EIO", "flush 0 1 error EIO\n" },
		{ "read 0 1 short 0", "read 0 1 short 0\n" },
		{ "discard 0 - delay 3600000", "discard 0 - delay 3600000\n" },
		{ "zeroes 1 2 hold every 3 count 4",
		  "zeroes 1 2 hold count 4 every 3\n" },
		{ "write 0 - corrupt every 1", "write 0 - corrupt\n" },
		{ "read 18014398509481982 1 hold",
		  "read 18014398509481982 1 hold\n" },
	};
	char line[128];
	int i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		struct flakey_rule *rule = parse(lines[i][0]);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rule);
		flakey_print_rule(rule, line, sizeof(line));
		KUNIT_EXPECT_EQ(test, strcmp(line, lines[i][1]), 0);
		kfree(rule);
	}
}

static void bad_rules(struct kunit *test)
{
	static const char *const lines[] = {
		"", "read", "read 0", "read 0 8", "reed 0 8 hold",
		"read -1 8 hold", "read x 8 hold", "read 0 0 hold",
		"read 0 x hold", "read 18014398509481983 1 hold",
		"read 99999999999999999999 1 hold", "read 0 8 fail",
		"read 0 8 error", "read 0 8 error 0", "read 0 8 error 4096",
		"read 0 8 error ENOTHING", "read 0 8 short",
		"read 0 8 short -1", "read 0 8 delay 3600001",
		"read 0 8 hold 3", "read 0 8 hold count", "read 0 8 hold count 0",
		"read 0 8 hold every 0", "read 0 8 hold count 1 count 2",
		"flush 0 - corrupt", "discard 0 - corrupt", "flush 0 - short 1",
		"read 0 8 hold every 1 every 2",
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		struct flakey_rule *rule = parse(lines[i]);

		KUNIT_EXPECT_EQ(test, PTR_ERR_OR_ZERO(rule), -EINVAL);
		KUNIT_EXPECT_TRUE(test, rule_object.error[0] != 0);
		rule_object.error[0] = '\0';
		if (!IS_ERR(rule))
			kfree(rule);
	}
}

static void rules_meet(struct kunit *test)
{
	static const struct {
		const char	*rule;
		enum kiobuf_op	op;
		u64		sector, length;
		bool		meets;
	} cases[] = {
		{ "read 8 8 hold", KIOBUF_READ, 0, 8, false },
		{ "read 8 8 hold", KIOBUF_READ, 0, 9, true },
		{ "read 8 8 hold", KIOBUF_READ, 15, 1, true },
		{ "read 8 8 hold", KIOBUF_READ, 16, 1, false },
		{ "read 8 - hold", KIOBUF_READ, 1ULL << 50, 1, true },
		{ "read 8 8 hold", KIOBUF_WRITE, 8, 8, false },
		{ "any 8 8 hold", KIOBUF_DISCARD, 8, 8, true },
		{ "any 8 8 hold", KIOBUF_FLUSH, 0, 0, true },
		{ "read 8 8 hold", KIOBUF_FLUSH, 0, 0, false },
		{ "any 8 8 corrupt", KIOBUF_FLUSH, 0, 0, false },
		{ "any 8 8 corrupt", KIOBUF_WRITE, 8, 1, true },
		{ "any 8 8 corrupt", KIOBUF_WRITE_ZEROES, 8, 1, false },
		{ "any 0 8 short 512", KIOBUF_WRITE, 0, 1, false },
		{ "any 0 8 short 511", KIOBUF_WRITE, 0, 1, true },
	};
	struct kiobuf kb = {};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct flakey_rule *rule = parse(cases[i].rule);

		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, rule);
		kb.op = cases[i].op;
		kb.pos = cases[i].sector << SECTOR_SHIFT;
		kb.length = cases[i].length << SECTOR_SHIFT;
		KUNIT_EXPECT_EQ(test, flakey_meets(rule, &kb), cases[i].meets);
		kfree(rule);
	}
}

static void rules_due(struct kunit *test)
{
	static const struct {
		u64	met, acted, every, count;
		bool	due;
	} cases[] = {
		{ 1, 0, 1, 0, true }, { 9, 8, 1, 0, true },
		{ 1, 0, 3, 0, false }, { 3, 0, 3, 0, true },
		{ 4, 1, 3, 0, false }, { 6, 1, 3, 2, true },
		{ 9, 2, 3, 2, false }, { 2, 1, 1, 1, false },
	};
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct flakey_rule rule = {
			.met = cases[i].met, .acted = cases[i].acted,
			.every = cases[i].every, .count = cases[i].count,
		};

		KUNIT_EXPECT_EQ(test, flakey_due(&rule), cases[i].due);
	}
}

static struct kunit_case filter_cases[] = {
	KUNIT_CASE(fail_ranges),
	KUNIT_CASE(ripe),
	KUNIT_CASE(good_rules),
	KUNIT_CASE(bad_rules),
	KUNIT_CASE(rules_meet),
	KUNIT_CASE(rules_due),
	{}
};

struct kunit_suite kio_filter_suite = {
	.name		= "kio_filter",
	.test_cases	= filter_cases,
};
