// SPDX-License-Identifier: GPL-2.0
/* Rules as text, and what they fit. Nothing here knows of requests under way. */
#include <linux/math64.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "flakey.h"

/* By enum kiobuf_op; behind them, all. */
static const char *const flakey_op_names[] = {
	[KIOBUF_READ]		= "read",
	[KIOBUF_WRITE]		= "write",
	[KIOBUF_FLUSH]		= "flush",
	[KIOBUF_DISCARD]	= "discard",
	[KIOBUF_WRITE_ZEROES]	= "zeroes",
	[KIOBUF_NR_OPS]		= "any",
};

#define FLAKEY_ALL_OPS ((1UL << KIOBUF_NR_OPS) - 1)
#define FLAKEY_DATA_OPS ((1UL << KIOBUF_READ) | (1UL << KIOBUF_WRITE))

struct flakey_action_form {
	const char	*name;
	unsigned long	ops;
	u64		max_arg;	/* 0: takes none */
	const char	*usage;
};

static const struct flakey_action_form flakey_actions[FLAKEY_NR_ACTIONS] = {
	[FLAKEY_ERROR] = { "error", FLAKEY_ALL_OPS, MAX_ERRNO, "an errno" },
	[FLAKEY_SHORT] = { "short", FLAKEY_ALL_OPS & ~(1UL << KIOBUF_FLUSH),
			   S64_MAX, "a number of bytes" },
	[FLAKEY_DELAY] = { "delay", FLAKEY_ALL_OPS, 3600 * MSEC_PER_SEC,
			   "milliseconds, an hour at most" },
	[FLAKEY_HOLD] = { "hold", FLAKEY_ALL_OPS },
	[FLAKEY_CORRUPT] = { "corrupt", FLAKEY_DATA_OPS },
};

static const struct {
	const char	*name;
	int		number;
} flakey_errnos[] = {
	{ "EIO", EIO }, { "ENOSPC", ENOSPC }, { "ETIMEDOUT", ETIMEDOUT },
	{ "EREMOTEIO", EREMOTEIO }, { "ENOLINK", ENOLINK }, { "EBADE", EBADE },
	{ "ENODATA", ENODATA }, { "EILSEQ", EILSEQ }, { "ENOMEM", ENOMEM },
	{ "EAGAIN", EAGAIN }, { "EOPNOTSUPP", EOPNOTSUPP },
	{ "EINVAL", EINVAL }, { "ENODEV", ENODEV }, { "ENXIO", ENXIO },
	{ "EROFS", EROFS }, { "EBUSY", EBUSY }, { "ECANCELED", ECANCELED },
	{ "EINTR", EINTR }, { "EACCES", EACCES }, { "EPERM", EPERM },
	{ "EFBIG", EFBIG }, { "EOVERFLOW", EOVERFLOW }, { "EDQUOT", EDQUOT },
	{ "EFAULT", EFAULT }, { "ESHUTDOWN", ESHUTDOWN },
	{ "ESTALE", ESTALE }, { "EBADMSG", EBADMSG }, { "EPROTO", EPROTO },
};

/* ---- what a rule fits ---- */

bool flakey_meets(const struct flakey_rule *rule, const struct kiobuf *kb)
{
	if (!(rule->ops & (1UL << kb->op)))
		return false;
	if (kb->op == KIOBUF_FLUSH)
		return true;
	if (rule->action == FLAKEY_SHORT && kb->length <= rule->arg)
		return false;
	return kb->pos < rule->end && rule->start < kb->pos + kb->length;
}

/* The request that meets it now is counted in rule->met. */
bool flakey_due(const struct flakey_rule *rule)
{
	u64 rest;

	div64_u64_rem(rule->met, rule->every, &rest);
	return !rest && (!rule->count || rule->acted < rule->count);
}

/* ---- from text ---- */

static int flakey_parse_op(struct kblk_object *object, char **text,
			   struct flakey_rule *rule)
{
	char *word = kblk_next_word(text);
	int op = match_string(flakey_op_names, ARRAY_SIZE(flakey_op_names),
			      word);

	if (op < 0)
		return kblk_refuse(object, -EINVAL,
				   "There is no operation '%.32s': it is read, write, flush, discard, zeroes or any.",
				   word);
	rule->ops = op == KIOBUF_NR_OPS ? FLAKEY_ALL_OPS : 1UL << op;
	return 0;
}

#define FLAKEY_MAX_SECTORS (S64_MAX >> SECTOR_SHIFT)

static int flakey_parse_range(struct kblk_object *object, char **text,
			      struct flakey_rule *rule)
{
	char *start = kblk_next_word(text), *length = kblk_next_word(text);
	u64 first, nr = 0;
	bool to_end = !strcmp(length, "-");

	if (kstrtou64(start, 10, &first) || first > FLAKEY_MAX_SECTORS)
		return kblk_refuse(object, -EINVAL,
				   "'%.32s' is no sector to start at.", start);
	if (!to_end && (kstrtou64(length, 10, &nr) || !nr ||
			nr > FLAKEY_MAX_SECTORS - first))
		return kblk_refuse(object, -EINVAL,
				   "'%.32s' is no length in sectors.", length);
	rule->start = first << SECTOR_SHIFT;
	rule->end = to_end ? U64_MAX : (first + nr) << SECTOR_SHIFT;
	return 0;
}

static bool flakey_parse_errno(const char *word, u64 *number)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(flakey_errnos); i++) {
		if (strcmp(word, flakey_errnos[i].name))
			continue;
		*number = flakey_errnos[i].number;
		return true;
	}
	return !kstrtou64(word, 10, number) && *number;
}

static int flakey_parse_arg(struct kblk_object *object, char **text,
			    struct flakey_rule *rule)
{
	const struct flakey_action_form *form = &flakey_actions[rule->action];
	char *word;
	bool ok;

	if (!form->max_arg)
		return 0;
	word = kblk_next_word(text);
	ok = rule->action == FLAKEY_ERROR ?
	     flakey_parse_errno(word, &rule->arg) :
	     !kstrtou64(word, 10, &rule->arg);
	if (!ok || rule->arg > form->max_arg)
		return kblk_refuse(object, -EINVAL,
				   "%s takes %s, not '%.32s'.", form->name,
				   form->usage, word);
	return 0;
}

static int flakey_parse_action(struct kblk_object *object, char **text,
			       struct flakey_rule *rule)
{
	const struct flakey_action_form *form;
	char *word = kblk_next_word(text);
	int i;

	for (i = 0; i < FLAKEY_NR_ACTIONS; i++)
		if (!strcmp(word, flakey_actions[i].name))
			break;
	if (i == FLAKEY_NR_ACTIONS)
		return kblk_refuse(object, -EINVAL,
				   "There is no action '%.32s': it is error, short, delay, hold or corrupt.",
				   word);
	form = &flakey_actions[i];
	rule->action = i;
	if (!(rule->ops & form->ops))
		return kblk_refuse(object, -EINVAL,
				   "%s does not go with that operation.",
				   form->name);
	rule->ops &= form->ops;
	return flakey_parse_arg(object, text, rule);
}

/* `count N` and `every N`, each at most once, in any order */
static int flakey_parse_limits(struct kblk_object *object, char **text,
			       struct flakey_rule *rule)
{
	char *word, *value;

	while (*(word = kblk_next_word(text))) {
		u64 *limit = !strcmp(word, "count") ? &rule->count :
			     !strcmp(word, "every") ? &rule->every : NULL;

		if (!limit || *limit)
			return kblk_refuse(object, -EINVAL,
					   "'%.32s' cannot stand here: count N or every N may, once.",
					   word);
		value = kblk_next_word(text);
		if (kstrtou64(value, 10, limit) || !*limit)
			return kblk_refuse(object, -EINVAL,
					   "%s takes a number from 1 on, not '%.32s'.",
					   word, value);
	}
	rule->every = rule->every ?: 1;
	return 0;
}

static int flakey_parse(struct kblk_object *object, char *line,
			struct flakey_rule *rule)
{
	return flakey_parse_op(object, &line, rule) ?:
	       flakey_parse_range(object, &line, rule) ?:
	       flakey_parse_action(object, &line, rule) ?:
	       flakey_parse_limits(object, &line, rule);
}

/* ERR_PTR, and a sentence in @object, if @line is none. It is cut up. */
struct flakey_rule *flakey_parse_rule(struct kblk_object *object, char *line)
{
	struct flakey_rule *rule = kzalloc(sizeof(*rule), GFP_KERNEL);
	int ret;

	if (!rule)
		return ERR_PTR(-ENOMEM);
	ret = flakey_parse(object, line, rule);
	if (ret) {
		kfree(rule);
		return ERR_PTR(ret);
	}
	return rule;
}

/* ---- to text ---- */

static const char *flakey_op_name(unsigned long ops)
{
	return flakey_op_names[is_power_of_2(ops) ? __ffs(ops) :
						    KIOBUF_NR_OPS];
}

static int flakey_print_arg(const struct flakey_rule *rule, char *line,
			    size_t size)
{
	int i;

	if (!flakey_actions[rule->action].max_arg)
		return 0;
	if (rule->action == FLAKEY_ERROR)
		for (i = 0; i < ARRAY_SIZE(flakey_errnos); i++)
			if (flakey_errnos[i].number == rule->arg)
				return scnprintf(line, size, " %s",
						 flakey_errnos[i].name);
	return scnprintf(line, size, " %llu", rule->arg);
}

/* As it can be written again, with a newline; returns the length. */
int flakey_print_rule(const struct flakey_rule *rule, char *line, size_t size)
{
	int len;

	len = scnprintf(line, size, "%s %llu ", flakey_op_name(rule->ops),
			rule->start >> SECTOR_SHIFT);
	len += rule->end == U64_MAX ?
	       scnprintf(line + len, size - len, "-") :
	       scnprintf(line + len, size - len, "%llu",
			 (rule->end - rule->start) >> SECTOR_SHIFT);
	len += scnprintf(line + len, size - len, " %s",
			 flakey_actions[rule->action].name);
	len += flakey_print_arg(rule, line + len, size - len);
	if (rule->count)
		len += scnprintf(line + len, size - len, " count %llu",
				 rule->count);
	if (rule->every > 1)
		len += scnprintf(line + len, size - len, " every %llu",
				 rule->every);
	return len + scnprintf(line + len, size - len, "\n");
}
