// SPDX-License-Identifier: GPL-2.0
/* The staged table: lines of text become klvm_line, and are checked as a whole. */
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "klvm.h"

const char *const klvm_target_names[KLVM_NR_TARGETS] = {
	[KLVM_LINEAR]	= "linear",
	[KLVM_STRIPED]	= "striped",
	[KLVM_ZERO]	= "zero",
	[KLVM_ERROR]	= "error",
	[KLVM_ORIGIN]	= "snapshot-origin",
	[KLVM_SNAPSHOT]	= "snapshot",
};

#define KLVM_MAX_SECTORS (S64_MAX >> SECTOR_SHIFT)
#define KLVM_MAX_LINES (1U << 20)
#define KLVM_MAX_STRIPES U16_MAX
#define KLVM_MAX_CHUNK (U32_MAX >> SECTOR_SHIFT)

struct klvm_stage *klvm_stage_new(void)
{
	return kzalloc(sizeof(struct klvm_stage), GFP_KERNEL);
}

/* Back to @nr lines and @nr_paths paths, if there are more. */
void klvm_stage_trim(struct klvm_stage *stage, u32 nr, u32 nr_paths)
{
	const struct klvm_line *last;

	stage->nr = min(stage->nr, nr);
	last = stage->nr ? &stage->lines[stage->nr - 1] : NULL;
	stage->nr_parts = last ? last->part + last->nr_parts : 0;
	while (stage->nr_paths > nr_paths)
		kfree(stage->paths[--stage->nr_paths]);
}

void klvm_stage_free(struct klvm_stage *stage)
{
	if (!stage)
		return;
	klvm_stage_trim(stage, 0, 0);
	kvfree(stage->paths);
	kvfree(stage->parts);
	kvfree(stage->lines);
	kfree(stage);
}

/* Room for one more element; doubles, so that loading stays linear. */
static void *klvm_grow(void *old, u32 nr, u32 *max, size_t size)
{
	u32 want = max_t(u32, 16, *max * 2);
	void *new;

	if (nr < *max)
		return old;
	new = kvmalloc_array(want, size, GFP_KERNEL);
	if (!new)
		return NULL;
	if (nr)
		memcpy(new, old, nr * size);
	kvfree(old);
	*max = want;
	return new;
}

static int klvm_stage_path(struct klvm_stage *stage, const char *path, u32 *at)
{
	char **paths;
	char *copy;
	u32 i;

	/* Backwards: a table names the same few devices over and over. */
	for (i = stage->nr_paths; i-- > 0;)
		if (!strcmp(stage->paths[i], path)) {
			*at = i;
			return 0;
		}
	paths = klvm_grow(stage->paths, stage->nr_paths, &stage->max_paths,
			  sizeof(*paths));
	if (!paths)
		return -ENOMEM;
	stage->paths = paths;
	copy = kstrdup(path, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	*at = stage->nr_paths;
	stage->paths[stage->nr_paths++] = copy;
	return 0;
}

static bool klvm_number(char **text, u64 *number, u64 most)
{
	char *word = kblk_next_word(text);

	return !kstrtou64(word, 10, number) && *number <= most;
}

static bool klvm_sectors(char **text, u64 *sectors)
{
	return klvm_number(text, sectors, KLVM_MAX_SECTORS);
}

static int klvm_stage_part(struct klvm_stage *stage, const char *path,
			   u64 offset)
{
	struct klvm_part *parts = klvm_grow(stage->parts, stage->nr_parts,
					    &stage->max_parts, sizeof(*parts));
	struct klvm_part part = { .offset = offset };
	int ret;

	if (!parts)
		return -ENOMEM;
	stage->parts = parts;
	ret = klvm_stage_path(stage, path, &part.path);
	if (!ret)
		parts[stage->nr_parts++] = part;
	return ret;
}

static int klvm_parse_target(struct kblk_object *object, const char *word,
			     struct klvm_line *line, u32 nr)
{
	int target = match_string(klvm_target_names, KLVM_NR_TARGETS, word);

	if (target < 0)
		return kblk_refuse(object, -EINVAL,
				   "Line %u: there is no target '%.32s'.", nr,
				   word);
	line->target = target;
	return 0;
}

/* DEVICE OFFSET; -EINVAL if that is not what comes. */
static int klvm_parse_part(struct klvm_stage *stage, char **text)
{
	char *path = kblk_next_word(text);
	u64 offset;

	if (!*path || !klvm_sectors(text, &offset))
		return -EINVAL;
	return klvm_stage_part(stage, path, offset);
}

static int klvm_parse_linear(struct kblk_object *object,
			     struct klvm_stage *stage, char **text,
			     struct klvm_line *line, u32 nr)
{
	int ret = klvm_parse_part(stage, text);

	line->nr_parts = 1;
	if (ret == -EINVAL)
		return kblk_refuse(object, ret,
				   "Line %u: linear takes DEVICE OFFSET, the offset in sectors.",
				   nr);
	return ret;
}

static int klvm_parse_striped(struct kblk_object *object,
			      struct klvm_stage *stage, char **text,
			      struct klvm_line *line, u32 nr)
{
	u64 stripes, chunk;
	int ret = 0;

	if (!klvm_number(text, &stripes, KLVM_MAX_STRIPES) || !stripes ||
	    !klvm_number(text, &chunk, KLVM_MAX_CHUNK) || !chunk)
		return kblk_refuse(object, -EINVAL,
				   "Line %u: striped takes NUMBER CHUNK, at most %u legs and %u sectors, and DEVICE OFFSET for each leg.",
				   nr, KLVM_MAX_STRIPES, KLVM_MAX_CHUNK);
	line->chunk = chunk;
	while (!ret && line->nr_parts < stripes) {
		ret = klvm_parse_part(stage, text);
		line->nr_parts++;
	}
	if (ret == -EINVAL)
		return kblk_refuse(object, ret,
				   "Line %u: striped wants DEVICE OFFSET for each of %llu legs, the offset in sectors; leg %u has none.",
				   nr, stripes, line->nr_parts);
	return ret;
}

static int klvm_parse_origin(struct kblk_object *object,
			     struct klvm_stage *stage, char **text,
			     struct klvm_line *line, u32 nr)
{
	char *path = kblk_next_word(text);

	if (!*path || line->start)
		return kblk_refuse(object, -EINVAL,
				   "Line %u: snapshot-origin takes ORIGIN, and starts at sector 0.",
				   nr);
	return klvm_stage_path(stage, path, &line->path);
}

static bool klvm_persistence(const char *word, bool *persistent)
{
	*persistent = !strcmp(word, "P");
	return *persistent || !strcmp(word, "N");
}

static int klvm_parse_snapshot(struct kblk_object *object,
			       struct klvm_stage *stage, char **text,
			       struct klvm_line *line, u32 nr)
{
	char *origin = kblk_next_word(text);
	char *cow = kblk_next_word(text);
	int ret;

	if (!*cow || line->start ||
	    !klvm_persistence(kblk_next_word(text), &line->persistent) ||
	    kstrtou32(kblk_next_word(text), 10, &line->chunk))
		return kblk_refuse(object, -EINVAL,
				   "Line %u: snapshot takes ORIGIN COW P|N CHUNK, the chunk in sectors, and starts at sector 0.",
				   nr);
	ret = klvm_stage_path(stage, origin, &line->path);
	return ret ?: klvm_stage_path(stage, cow, &line->cow);
}

static int klvm_parse_args(struct kblk_object *object, struct klvm_stage *stage,
			   char **text, struct klvm_line *line, u32 nr)
{
	line->part = stage->nr_parts;
	switch (line->target) {
	case KLVM_LINEAR:
		return klvm_parse_linear(object, stage, text, line, nr);
	case KLVM_STRIPED:
		return klvm_parse_striped(object, stage, text, line, nr);
	case KLVM_ORIGIN:
		return klvm_parse_origin(object, stage, text, line, nr);
	case KLVM_SNAPSHOT:
		return klvm_parse_snapshot(object, stage, text, line, nr);
	default:
		return 0;
	}
}

static int klvm_parse_line(struct kblk_object *object, struct klvm_stage *stage,
			   char *text, struct klvm_line *line)
{
	u32 nr = stage->nr + 1;
	char *word;
	int ret;

	if (!klvm_sectors(&text, &line->start) ||
	    !klvm_sectors(&text, &line->length) || !line->length)
		return kblk_refuse(object, -EINVAL,
				   "Line %u: START LENGTH TARGET are wanted, in sectors, the length not 0.",
				   nr);
	word = kblk_next_word(&text);
	ret = klvm_parse_target(object, word, line, nr) ?:
	      klvm_parse_args(object, stage, &text, line, nr);
	if (ret)
		return ret;
	word = kblk_next_word(&text);
	if (*word)
		return kblk_refuse(object, -EINVAL,
				   "Line %u: '%.32s' is one word too many.", nr,
				   word);
	return 0;
}

static int klvm_stage_line(struct kblk_object *object, struct klvm_stage *stage,
			   char *text)
{
	struct klvm_line line = {};
	struct klvm_line *lines;
	int ret;

	if (stage->nr == KLVM_MAX_LINES)
		return kblk_refuse(object, -E2BIG,
				   "A table has at most %u lines.",
				   KLVM_MAX_LINES);
	ret = klvm_parse_line(object, stage, text, &line);
	if (ret)
		return ret;
	lines = klvm_grow(stage->lines, stage->nr, &stage->max, sizeof(line));
	if (!lines)
		return -ENOMEM;
	stage->lines = lines;
	lines[stage->nr++] = line;
	return 0;
}

/*
 * Appends a line. @text is cut up on the way; an empty line and one that begins
 * with # say nothing. A refused line is not added, but its paths may be.
 */
int klvm_stage_add(struct kblk_object *object, struct klvm_stage *stage,
		   char *text)
{
	u32 nr_parts = stage->nr_parts;
	int ret;

	text = strim(text);
	if (!*text || *text == '#')
		return 0;
	ret = klvm_stage_line(object, stage, text);
	if (ret)
		stage->nr_parts = nr_parts;
	return ret;
}

/* Whole rows, as device-mapper wants it too. */
static int klvm_check_rows(struct kblk_object *object, u32 nr,
			   const struct klvm_line *line)
{
	u64 row = (u64)line->chunk * line->nr_parts, rest;

	if (line->target != KLVM_STRIPED)
		return 0;
	div64_u64_rem(line->length, row, &rest);
	if (!rest)
		return 0;
	return kblk_refuse(object, -EINVAL,
			   "Line %u: %llu sectors are no multiple of %llu, which a chunk on each of %u legs makes.",
			   nr, line->length, row, line->nr_parts);
}

/* Do the lines cover a volume from sector 0 on, each byte once? */
int klvm_stage_check(struct kblk_object *object, struct klvm_stage *stage)
{
	u64 end = 0;
	int ret;
	u32 i;

	if (!stage->nr)
		return kblk_refuse(object, -EINVAL, "The table is empty.");
	for (i = 0; i < stage->nr; i++) {
		const struct klvm_line *line = &stage->lines[i];

		if (line->start != end)
			return kblk_refuse(object, -EINVAL,
					   "Line %u starts at sector %llu, but the line before ends at %llu: there is %s.",
					   i + 1, line->start, end,
					   line->start > end ? "a gap" :
							       "an overlap");
		end += line->length;
		if (end > KLVM_MAX_SECTORS)
			return kblk_refuse(object, -EFBIG,
					   "Line %u ends beyond the largest volume.",
					   i + 1);
		ret = klvm_check_rows(object, i + 1, line);
		if (ret)
			return ret;
	}
	return 0;
}

/* Counts what it would take, if there were room. */
static __printf(4, 5) void line_add(char *buf, size_t max, size_t *len,
				    const char *format, ...)
{
	size_t at = min(*len, max);
	va_list args;

	va_start(args, format);
	*len += vsnprintf(buf + at, max - at, format, args);
	va_end(args);
}

/* As snprintf(): what it would take, if there were room. */
static size_t klvm_line_print(const struct klvm_stage *stage,
			      const struct klvm_line *line, char *buf,
			      size_t max)
{
	size_t len = 0;
	u32 i;

	line_add(buf, max, &len, "%llu %llu %s", line->start, line->length,
		 klvm_target_names[line->target]);
	if (line->target == KLVM_STRIPED)
		line_add(buf, max, &len, " %u %u", line->nr_parts, line->chunk);
	for (i = line->part; i < line->part + line->nr_parts; i++)
		line_add(buf, max, &len, " %s %llu",
			 stage->paths[stage->parts[i].path],
			 stage->parts[i].offset);
	if (klvm_has_origin(line))
		line_add(buf, max, &len, " %s", stage->paths[line->path]);
	if (line->target == KLVM_SNAPSHOT)
		line_add(buf, max, &len, " %s %c %u", stage->paths[line->cow],
			 line->persistent ? 'P' : 'N', line->chunk);
	line_add(buf, max, &len, "\n");
	return len;
}

/* Prints the lines that fit a page, and says so when there are more. */
ssize_t klvm_stage_print(const struct klvm_stage *stage, char *page)
{
	const size_t room = PAGE_SIZE - sizeof("# 4294967295 more lines\n");
	size_t len = 0;
	u32 i;

	for (i = 0; i < stage->nr; i++) {
		size_t n = klvm_line_print(stage, &stage->lines[i],
					   page + len, room - len);

		if (n >= room - len)
			break;
		len += n;
	}
	if (i < stage->nr)
		len += sysfs_emit_at(page, len, "# %u more lines\n",
				     stage->nr - i);
	return len;
}
