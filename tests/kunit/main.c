// SPDX-License-Identifier: GPL-2.0
#include "tests.h"

#include <linux/module.h>

kunit_test_suites(&kio_pure_suite, &kio_raid_layout_suite,
		  &kio_raid_parity_suite, &kio_raid_sb_suite,
		  &kio_clone_suite, &kio_complete_suite, &kio_dev_suite,
		  &kio_mirror_suite, &kio_gather_suite, &kio_race_suite,
		  &kio_tree_suite, &kio_cancel_suite, &kio_vec_suite, &kio_set_suite,
		  &kio_wait_suite, &kio_scale_suite, &kio_filter_suite,
		  &kio_snap_format_suite);

MODULE_DESCRIPTION("Tests of the kiobuf core");
MODULE_LICENSE("GPL");
