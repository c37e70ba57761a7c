// SPDX-License-Identifier: GPL-2.0
/* 6.11: what queues can do are feature flags of the limits; 1122c0c1cc71 */
#include <linux/blkdev.h>

blk_features_t probe(const struct queue_limits *lim);
blk_features_t probe(const struct queue_limits *lim)
{
	return lim->features & BLK_FEAT_STABLE_WRITES;
}
