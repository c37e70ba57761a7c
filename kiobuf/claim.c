// SPDX-License-Identifier: GPL-2.0
/*
 * Claiming the pages of a vector: what lock_kiovec() was for. Whoever has them keeps
 * others who ask the same way out, and the page cache from giving them away.
 */
#include <linux/module.h>
#include <linux/pagemap.h>

#include "internal.h"

/* The head is what is locked; a fragment may reach over several pages of it. */
static struct page *kiobuf_frag_head(const struct bio_vec *frag)
{
	return compound_head(frag->bv_page);
}

static bool kiobuf_claimed_before(const struct kiobuf_vec *vec, u32 nr,
				  const struct page *head)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (kiobuf_frag_head(&vec->frags[i]) == head)
			return true;
	return false;
}

static void kiobuf_unclaim(struct kiobuf_vec *vec, u32 nr)
{
	while (nr--)
		unlock_page(kiobuf_frag_head(&vec->frags[nr]));
}

/**
 * kiobuf_vec_claim() - lock every page of a vector
 * @vec: vector whose fragments each lie within a page, a compound one counting as one
 *
 * All or none. Nothing is waited for, so two vectors that share pages cannot
 * deadlock. Context: process.
 * Return: 0; -EINVAL if the same page is in it twice, or a fragment is longer than its
 * page; -EAGAIN if somebody else has a page locked.
 */
int kiobuf_vec_claim(struct kiobuf_vec *vec)
{
	struct page *head;
	int ret = 0;
	u32 i;

	for (i = 0; i < vec->nr && !ret; i++) {
		const struct bio_vec *frag = &vec->frags[i];

		head = kiobuf_frag_head(frag);
		if ((u64)page_to_pfn(frag->bv_page) * PAGE_SIZE +
		    frag->bv_offset + frag->bv_len >
		    (page_to_pfn(head) + compound_nr(head)) * (u64)PAGE_SIZE)
			ret = -EINVAL;
		else if (!trylock_page(head))
			ret = kiobuf_claimed_before(vec, i, head) ? -EINVAL :
								    -EAGAIN;
	}
	if (ret)
		kiobuf_unclaim(vec, i - 1);
	return ret;
}
EXPORT_SYMBOL_GPL(kiobuf_vec_claim);

/**
 * kiobuf_vec_unclaim() - unlock every page of a vector
 * @vec: vector that kiobuf_vec_claim() has locked
 *
 * Context: any.
 */
void kiobuf_vec_unclaim(struct kiobuf_vec *vec)
{
	kiobuf_unclaim(vec, vec->nr);
}
EXPORT_SYMBOL_GPL(kiobuf_vec_unclaim);
