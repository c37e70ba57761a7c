/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of KUnit that our suites use, for kernels built without it, as
 * Debian's are: the same suites run on both. Cases run when the module is loaded;
 * loading fails if one of them does.
 */
#ifndef _KIO_KUNIT_LITE_H
#define _KIO_KUNIT_LITE_H

#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_KUNIT)

#include <kunit/test.h>

#else

#include <linux/module.h>

struct kunit {
	bool failed;
};

struct kunit_case {
	void		(*run_case)(struct kunit *test);
	const char	*name;
};

struct kunit_suite {
	const char		*name;
	struct kunit_case	*test_cases;
};

#define KUNIT_CASE(fn) { .run_case = fn, .name = #fn }

#define KUNIT_EXPECT_TRUE(test, condition) do {				\
	if (!(condition)) {						\
		pr_info("    # %s:%d: not so: %s\n", __FILE__, __LINE__, \
			#condition);					\
		(test)->failed = true;					\
	}								\
} while (0)

#define KUNIT_EXPECT_FALSE(test, condition) \
	KUNIT_EXPECT_TRUE(test, !(condition))

#define KUNIT_EXPECT_EQ(test, left, right) do {				\
	long long _left = (long long)(left);				\
	long long _right = (long long)(right);				\
									\
	if (_left != _right) {						\
		pr_info("    # %s:%d: %s is %lld, %s is %lld\n",	\
			__FILE__, __LINE__, #left, _left, #right, _right); \
		(test)->failed = true;					\
	}								\
} while (0)

#define KUNIT_EXPECT_PTR_EQ(test, left, right) \
	KUNIT_EXPECT_TRUE(test, (left) == (right))

#define KUNIT_ASSERT_NOT_ERR_OR_NULL(test, ptr) do {			\
	if (IS_ERR_OR_NULL(ptr)) {					\
		pr_info("    # %s:%d: no %s\n", __FILE__, __LINE__, #ptr); \
		(test)->failed = true;					\
		return;							\
	}								\
} while (0)

static inline int kunit_lite_run(struct kunit_suite *suite)
{
	struct kunit_case *c;
	int nr = 0, failed = 0;

	pr_info("    # Subtest: %s\n", suite->name);
	for (c = suite->test_cases; c->run_case; c++) {
		struct kunit test = {};

		c->run_case(&test);
		pr_info("    %s %d %s\n", test.failed ? "not ok" : "ok", ++nr,
			c->name);
		failed += test.failed;
	}
	return failed;
}

#define kunit_test_suites(...)						\
static struct kunit_suite *kunit_lite_suites[] = { __VA_ARGS__ };	\
static int __init kunit_lite_init(void)					\
{									\
	int i, failed = 0;						\
									\
	for (i = 0; i < ARRAY_SIZE(kunit_lite_suites); i++)		\
		failed += kunit_lite_run(kunit_lite_suites[i]);		\
	return failed ? -EINVAL : 0;					\
}									\
static void __exit kunit_lite_exit(void)				\
{									\
}									\
module_init(kunit_lite_init);						\
module_exit(kunit_lite_exit)

#endif /* CONFIG_KUNIT */

#endif /* _KIO_KUNIT_LITE_H */
