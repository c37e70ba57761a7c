/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which members belong to an array, by their superblocks alone. Pure.
 *
 * The freshest member, of those that have a place by their own table, is the one
 * with the most events. Its table holds. md and mdadm do not let spares be it
 * either (super_1_load(), Assemble.c): md leaves them alone when the array
 * becomes dirty or clean.
 *
 *	the freshest says	the member itself	verdict
 *	a place			the same place		fresh, or stale
 *	a place			spare			spare
 *	spare, nothing		spare			spare
 *	another place		a place			kicked
 *	spare, nothing		a place			kicked: it was removed
 *	faulty			anything		kicked
 *	anything		faulty			kicked
 *
 * md forgets who is absent when it writes, so most members that were away are
 * kicked, not stale.
 *
 * Fresh is who lacks one event at most: superblocks are written one after the
 * other, and a crash may come between. A lack of two means that the array went on
 * without it. md and mdadm have the same limit; md looks into the freshest table
 * since 6.8, for a member that failed in the very last event.
 *
 * Split brain is two members that each went on without the other. Whoever goes
 * on with a device writes it into its table. So if some device has a place in
 * both tables, and it is the same, then it was with one of them last, and what
 * the other has is the past of that one: no split. If there is none, the array is
 * refused. So it is, at worst needlessly, if every member was exchanged since one
 * left; the user then does not name that one. mdadm leaves out a member that
 * says the freshest has failed, and goes on: who was right it cannot know. Equal
 * events with different tables are a split brain as well.
 */
#ifndef _KRAID_JUDGE_H
#define _KRAID_JUDGE_H

#include "superblock.h"

enum kraid_verdict {
	KRAID_V_ABSENT,		/* there is no superblock */
	KRAID_V_FRESH,		/* has a place, and its data are good */
	KRAID_V_SPARE,		/* has no place */
	KRAID_V_STALE,		/* has its place still, but its data are old */
	KRAID_V_KICKED,		/* has lost its place */
	KRAID_V_FOREIGN,		/* is of another array */
	KRAID_V_TWICE,		/* is, or claims to be, what a fresher one is */
	KRAID_V_NR_VERDICTS
};

/**
 * struct kraid_candidate - a device that may be a member
 * @sb: its superblock, as kraid_sb_parse() gave it; NULL for none
 * @name: for people
 * @verdict: of kraid_judge()
 * @role: its place, or the one it had if it was kicked; else KRAID_ROLE_SPARE
 * @replacement: it is to replace who has that place; both may be fresh
 * @recovered: sectors that are good, if it is fresh; U64_MAX for all
 *
 * One that is stale, or was kicked and had a place, can come back to it by the
 * bitmap, if @sb->events are not less than the bitmap's events_cleared and
 * nobody else is there.
 */
struct kraid_candidate {
	const struct kraid_sb	*sb;
	const char		*name;
	enum kraid_verdict	verdict;
	u16			role;
	bool			replacement;
	u64			recovered;
};

int kraid_judge(struct kraid_candidate *candidates, unsigned int nr,
		const u8 *uuid, char *why, size_t len);

#endif /* _KRAID_JUDGE_H */
