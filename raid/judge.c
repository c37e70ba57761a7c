// SPDX-License-Identifier: GPL-2.0
/* Pure: who belongs to an array. The rules are in judge.h. */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/string.h>

#include "judge.h"

static bool judge_is_active(const struct kraid_sb *sb)
{
	return kraid_role_is_place(kraid_sb_own_role(sb));
}

/* Not yet left out. */
static bool judge_counts(const struct kraid_candidate *c)
{
	return c->verdict != KRAID_V_ABSENT && c->verdict != KRAID_V_FOREIGN &&
	       c->verdict != KRAID_V_TWICE;
}

static bool judge_may_lead(const struct kraid_candidate *c)
{
	return judge_counts(c) && judge_is_active(c->sb);
}

/* More events; of equals, one whose data are whole. */
static bool judge_fresher(const struct kraid_sb *a, const struct kraid_sb *b)
{
	if (a->events != b->events)
		return a->events > b->events;
	return kraid_sb_recovered(a) > kraid_sb_recovered(b);
}

static void judge_start(struct kraid_candidate *c, unsigned int nr,
			const u8 *uuid)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		c[i].role = KRAID_ROLE_SPARE;
		c[i].replacement = false;
		c[i].recovered = 0;
		c[i].verdict = KRAID_V_ABSENT;
		if (!c[i].sb)
			continue;
		if (!uuid)
			uuid = c[i].sb->set_uuid;
		c[i].verdict = memcmp(c[i].sb->set_uuid, uuid, KRAID_UUID) ?
			       KRAID_V_FOREIGN : KRAID_V_SPARE;
	}
}

/* Of two that are the same, or want the same, the fresher or first one stays. */
static void judge_pair_twice(struct kraid_candidate *a,
			     struct kraid_candidate *b)
{
	if (judge_fresher(b->sb, a->sb))
		swap(a, b);
	b->verdict = KRAID_V_TWICE;
	b->role = KRAID_ROLE_SPARE;
	b->recovered = 0;
}

static bool judge_same_device(const struct kraid_candidate *a,
			      const struct kraid_candidate *b)
{
	return judge_counts(a) && judge_counts(b) &&
	       !memcmp(a->sb->device_uuid, b->sb->device_uuid, KRAID_UUID);
}

static bool judge_same_place(const struct kraid_candidate *a,
			     const struct kraid_candidate *b)
{
	return a->verdict == KRAID_V_FRESH && b->verdict == KRAID_V_FRESH &&
	       a->role == b->role && a->replacement == b->replacement;
}

static void judge_twice(struct kraid_candidate *c, unsigned int nr,
			bool (*same)(const struct kraid_candidate *,
				     const struct kraid_candidate *))
{
	unsigned int i, k;

	for (i = 0; i < nr; i++)
		for (k = i + 1; k < nr; k++)
			if (same(&c[i], &c[k]))
				judge_pair_twice(&c[i], &c[k]);
}

static struct kraid_candidate *judge_freshest(struct kraid_candidate *c,
					      unsigned int nr)
{
	struct kraid_candidate *best = NULL;
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (judge_may_lead(&c[i]) &&
		    (!best || judge_fresher(c[i].sb, best->sb)))
			best = &c[i];
	return best;
}

/* A word for what differs. A grown array has grown without its old members. */
static const char *judge_difference(const struct kraid_sb *a,
				    const struct kraid_sb *b, bool recent)
{
	if (a->ctime != b->ctime)
		return "time of creation";
	if (a->level != b->level)
		return "level";
	if (a->layout != b->layout)
		return "layout";
	if (a->chunk != b->chunk)
		return "chunk";
	if (!recent)
		return NULL;
	if (a->raid_disks != b->raid_disks)
		return "number of members";
	if (a->size != b->size)
		return "size";
	return NULL;
}

static bool judge_is_recent(const struct kraid_sb *sb,
			    const struct kraid_sb *fresh)
{
	return sb->events >= fresh->events || fresh->events - sb->events == 1;
}

static int judge_match(const struct kraid_candidate *c,
		       const struct kraid_candidate *fresh, char *why,
		       size_t len)
{
	bool recent = judge_is_active(c->sb) &&
		       judge_is_recent(c->sb, fresh->sb);
	const char *what = judge_difference(c->sb, fresh->sb, recent);

	if (!what)
		return 0;
	return kraid_say(why, len, -EINVAL,
			 "The superblocks of %s and %s differ in the array's %s.",
			 fresh->name, c->name, what);
}

/* A device that has the same place in both tables. */
static bool judge_share_device(const struct kraid_sb *a,
			       const struct kraid_sb *b)
{
	u32 i, nr = min(a->max_dev, b->max_dev);

	for (i = 0; i < nr; i++)
		if (kraid_role_is_place(a->roles[i]) &&
		    a->roles[i] == b->roles[i])
			return true;
	return false;
}

/* All who are without a place are alike. */
static bool judge_same_table(const struct kraid_sb *a, const struct kraid_sb *b)
{
	u32 i, nr = max(a->max_dev, b->max_dev);

	for (i = 0; i < nr; i++) {
		u16 x = kraid_sb_role(a, i), y = kraid_sb_role(b, i);

		if (x != y && (kraid_role_is_place(x) || kraid_role_is_place(y)))
			return false;
	}
	return true;
}

static int judge_split(const struct kraid_candidate *c,
		       const struct kraid_candidate *fresh, char *why,
		       size_t len)
{
	if (!judge_is_active(c->sb))
		return 0;
	if (!judge_share_device(c->sb, fresh->sb))
		return kraid_say(why, len, -EUCLEAN,
				 "Split brain: %s and %s went on without each other, to events %llu and %llu; leave one out.",
				 fresh->name, c->name, fresh->sb->events,
				 c->sb->events);
	if (c->sb->events == fresh->sb->events &&
	    !judge_same_table(c->sb, fresh->sb))
		return kraid_say(why, len, -EUCLEAN,
				 "Split brain: %s and %s both have event %llu, and disagree about who belongs to the array; leave one out.",
				 fresh->name, c->name, c->sb->events);
	return 0;
}

static int judge_refuse(const struct kraid_candidate *c, unsigned int nr,
			const struct kraid_candidate *fresh, char *why,
			size_t len)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr && !ret; i++)
		if (judge_counts(&c[i]))
			ret = judge_match(&c[i], fresh, why, len) ?:
			      judge_split(&c[i], fresh, why, len);
	return ret;
}

/*
 * Says the freshest has not its place, though that one has been whole for a
 * while. As in mdadm, and never with members of one history: two devices got
 * the same number in two of them.
 */
static bool judge_denies(const struct kraid_sb *sb,
			 const struct kraid_sb *fresh)
{
	return kraid_sb_recovered(fresh) == U64_MAX &&
	       kraid_sb_role(sb, fresh->dev_number) != kraid_sb_own_role(fresh);
}

static enum kraid_verdict judge_one(const struct kraid_sb *sb,
				    const struct kraid_sb *fresh)
{
	u16 told = kraid_sb_role(fresh, sb->dev_number);
	u16 own = kraid_sb_own_role(sb);

	if (told == KRAID_ROLE_FAULTY || own == KRAID_ROLE_FAULTY)
		return KRAID_V_KICKED;
	if (own == KRAID_ROLE_SPARE)
		return KRAID_V_SPARE;
	if (told != own)
		return KRAID_V_KICKED;
	if (!judge_is_recent(sb, fresh))
		return KRAID_V_STALE;
	return judge_denies(sb, fresh) ? KRAID_V_KICKED : KRAID_V_FRESH;
}

static void judge_member(struct kraid_candidate *c,
			 const struct kraid_sb *fresh)
{
	c->verdict = judge_one(c->sb, fresh);
	c->replacement = c->sb->features & KRAID_SB_REPLACEMENT;
	if (judge_is_active(c->sb))
		c->role = kraid_sb_own_role(c->sb);
	if (c->verdict == KRAID_V_FRESH)
		c->recovered = kraid_sb_recovered(c->sb);
}

/**
 * kraid_judge() - say who belongs to an array
 * @candidates: what was found; a verdict is put into each
 * @nr: of them
 * @uuid: of the array; NULL: that of the first candidate that has one
 * @why: one sentence after an error
 * @len: room for it
 *
 * After an error the verdicts are of no use. Whether there are enough members
 * its caller decides. Two with the same place, one of them a replacement, may
 * both be fresh.
 *
 * Context: any.
 * Return: the index of the freshest; -ENODATA: no candidate has a place;
 * -EUCLEAN: split brain; -EINVAL: members do not fit together.
 */
int kraid_judge(struct kraid_candidate *candidates, unsigned int nr,
		const u8 *uuid, char *why, size_t len)
{
	struct kraid_candidate *fresh;
	unsigned int i;
	int ret;

	judge_start(candidates, nr, uuid);
	judge_twice(candidates, nr, judge_same_device);
	fresh = judge_freshest(candidates, nr);
	if (!fresh)
		return kraid_say(why, len, -ENODATA,
				 "None of the members has a place in the array.");
	ret = judge_refuse(candidates, nr, fresh, why, len);
	if (ret)
		return ret;
	for (i = 0; i < nr; i++)
		if (judge_counts(&candidates[i]))
			judge_member(&candidates[i], fresh->sb);
	judge_twice(candidates, nr, judge_same_place);
	return fresh - candidates;
}
