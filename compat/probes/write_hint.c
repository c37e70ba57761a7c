// SPDX-License-Identifier: GPL-2.0
/* 6.9: bios carry a write hint again; 449813515d3e */
#include <linux/blk_types.h>

int probe(const struct bio *bio);
int probe(const struct bio *bio)
{
	return bio->bi_write_hint;
}
