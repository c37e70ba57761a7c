// SPDX-License-Identifier: GPL-2.0
/* 6.4: the segments of an iterator are had by iter_iov(); de4f5fed3f23 */
#include <linux/uio.h>

const void *probe(const struct iov_iter *iter);
const void *probe(const struct iov_iter *iter)
{
	return iter_iov(iter)->iov_base;
}
