// SPDX-License-Identifier: GPL-2.0
/* Pure: which segment holds a byte. */
#include "klvm.h"

/*
 * @segments: sorted by start; @nr of them, then one that starts at the end
 * @pos: byte before that end
 * Returns the index of the segment that holds @pos; halves the choice each time.
 */
u32 klvm_find(const struct klvm_segment *segments, u32 nr, u64 pos)
{
	u32 low = 0, high = nr;

	while (high - low > 1) {
		u32 mid = low + (high - low) / 2;

		if (segments[mid].start <= pos)
			low = mid;
		else
			high = mid;
	}
	return low;
}
