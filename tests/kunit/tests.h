/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KIO_TESTS_H
#define _KIO_TESTS_H

#include "lite.h"

#include <linux/kiobuf.h>
#include <linux/kiobuf_dev.h>

extern struct kunit_suite kio_pure_suite;
extern struct kunit_suite kio_clone_suite;
extern struct kunit_suite kio_complete_suite;
extern struct kunit_suite kio_dev_suite;
extern struct kunit_suite kio_race_suite;
extern struct kunit_suite kio_tree_suite;
extern struct kunit_suite kio_cancel_suite;
extern struct kunit_suite kio_vec_suite;
extern struct kunit_suite kio_set_suite;
extern struct kunit_suite kio_wait_suite;
extern struct kunit_suite kio_scale_suite;
extern struct kunit_suite kio_filter_suite;
extern struct kunit_suite kio_raid_sb_suite;
extern struct kunit_suite kio_raid_layout_suite;
extern struct kunit_suite kio_raid_parity_suite;
extern struct kunit_suite kio_mirror_suite;
extern struct kunit_suite kio_gather_suite;
extern struct kunit_suite kio_snap_format_suite;

#endif /* _KIO_TESTS_H */
