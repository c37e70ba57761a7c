// SPDX-License-Identifier: GPL-2.0
/*
 * Random trees against a model: bytes, errno and failed ranges of the root, for any
 * order in which its clones end, on one CPU and on two.
 *
 * The model knows nothing of trees. It has a list of failures in bytes of the root,
 * one for each header that reported one, and colours the bytes one by one:
 *   - a byte has the errno of the failure that begins lowest of those that hold it;
 *   - of two that begin alike a hard errno outranks -EAGAIN, -ENOMEM, -EINTR, then
 *     the one nearer to 0 (-EIO before -ENOSPC) wins;
 *   - the good prefix ends where the lowest failure begins, with its errno.
 */
#include "toy.h"

#include <linux/completion.h>
#include <linux/minmax.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/slab.h>

#define MAX_NODES	640
#define MAX_DEPTH	8
#define MAX_FANOUT	64
#define MAX_LENGTH	2048

#define FIXED_SEEDS	16
#define TREES_A_SEED	(10000 / (FIXED_SEEDS + 1) + 1)

struct failure {
	u32 from;
	u32 to;
	int error;
};

struct node {
	struct kiobuf	kb;
	u32		from;		/* byte of the root */
	u32		length;
	int		depth;
	bool		split;
	u32		good;		/* what it reports */
	int		error;
};

struct tree {
	struct node	node[MAX_NODES];
	u16		order[MAX_NODES];
	int		nr;
	struct rnd_state random;

	/* What the root said */
	int		ends;
	u64		bytes;
	int		error;
	struct failure	told[MAX_LENGTH];
	int		nr_told;
	struct completion done;

	/* What it should have said */
	struct failure	failed[MAX_NODES];
	int		nr_failed;
	struct failure	want[MAX_LENGTH];
	int		nr_want;
	u64		want_bytes;
	int		want_error;
};

static u32 pick(struct tree *tree, u32 below)
{
	return prandom_u32_state(&tree->random) % below;
}

/* ---- the model ---- */

static bool soft(int error)
{
	return error == -EAGAIN || error == -ENOMEM || error == -EINTR;
}

static bool beats(const struct failure *a, const struct failure *b)
{
	if (a->from != b->from)
		return a->from < b->from;
	if (soft(a->error) != soft(b->error))
		return soft(b->error);
	return a->error > b->error;
}

static const struct failure *failure_at(const struct tree *tree, u32 byte)
{
	const struct failure *best = NULL;
	int i;

	for (i = 0; i < tree->nr_failed; i++) {
		const struct failure *f = &tree->failed[i];

		if (f->from <= byte && byte < f->to && (!best || beats(f, best)))
			best = f;
	}
	return best;
}

static void model_ranges(struct tree *tree, u32 length)
{
	struct failure *last = NULL;
	u32 byte;

	tree->nr_want = 0;
	for (byte = 0; byte < length; byte++) {
		const struct failure *f = failure_at(tree, byte);

		if (!f)
			continue;
		if (last && last->to == byte && last->error == f->error) {
			last->to++;
			continue;
		}
		last = &tree->want[tree->nr_want++];
		*last = (struct failure){ byte, byte + 1, f->error };
	}
}

static void model(struct tree *tree)
{
	const u32 length = tree->node[0].length;
	const struct failure *lowest = NULL;
	int i;

	for (i = 0; i < tree->nr_failed; i++)
		if (!lowest || beats(&tree->failed[i], lowest))
			lowest = &tree->failed[i];
	tree->want_bytes = lowest ? lowest->from : length;
	tree->want_error = lowest ? lowest->error : 0;
	model_ranges(tree, length);
}

/* ---- making a tree ---- */

static void add_node(struct tree *tree, struct node *parent, u32 offset,
		     u32 length)
{
	struct node *node = &tree->node[tree->nr++];

	kiobuf_init_clone(&node->kb, &parent->kb, offset, length);
	node->kb.end_io = NULL;
	node->from = parent->from + offset;
	node->length = length;
	node->depth = parent->depth + 1;
	node->split = false;
}

/* One behind the other, some of them empty. */
static void carve(struct tree *tree, struct node *parent, int fanout)
{
	u32 at = 0, length;

	while (fanout--) {
		length = fanout ? pick(tree, 2 * (parent->length - at) /
				       (fanout + 1) + 1) : parent->length - at;
		length = min(length, parent->length - at);
		add_node(tree, parent, at, length);
		at += length;
	}
}

/* Over each other. */
static void overlap(struct tree *tree, struct node *parent, int fanout)
{
	u32 at;

	while (fanout--) {
		at = pick(tree, parent->length + 1);
		add_node(tree, parent, at, pick(tree, parent->length - at + 1));
	}
}

static void grow(struct tree *tree, int most)
{
	int fanout, tries;
	struct node *node;

	for (tries = 0; tries < most; tries++) {
		node = &tree->node[pick(tree, tree->nr)];
		if (node->split || node->depth == MAX_DEPTH)
			continue;
		fanout = 1 + pick(tree, pick(tree, 8) ? 5 : MAX_FANOUT);
		if (tree->nr + fanout > most)
			continue;
		node->split = true;
		if (pick(tree, 6))
			carve(tree, node, fanout);
		else
			overlap(tree, node, fanout);
	}
}

static void add_failure(struct tree *tree, struct node *node)
{
	struct failure *f;

	if (!node->error)
		return;
	f = &tree->failed[tree->nr_failed++];
	f->from = node->from + node->good;
	f->to = node->from + node->length;
	f->error = node->error;
}

static void set_faults(struct tree *tree)
{
	static const int errors[] = {
		-EIO, -EAGAIN, -ENOSPC, -ECANCELED, -EILSEQ, -ENOMEM, -EDQUOT
	};
	const u32 rarity = 1 + pick(tree, 12);
	struct node *node;
	int i;

	tree->nr_failed = 0;
	for (i = 0; i < tree->nr; i++) {
		node = &tree->node[i];
		node->good = node->length;
		node->error = 0;
		/* One that was split fails by itself when it runs out of headers. */
		if (pick(tree, node->split ? 8 * rarity : rarity))
			continue;
		node->good = pick(tree, node->length + 1);
		node->error = errors[pick(tree, ARRAY_SIZE(errors))];
		add_failure(tree, node);
	}
}

static void shuffle(struct tree *tree)
{
	int i, other;

	for (i = 0; i < tree->nr; i++)
		tree->order[i] = i;
	for (i = tree->nr - 1; i > 0; i--) {
		other = pick(tree, i + 1);
		swap(tree->order[i], tree->order[other]);
	}
}

/* ---- the run ---- */

static int take_fault(const struct kiobuf_fault *fault, void *arg)
{
	struct tree *tree = arg;

	if (tree->nr_told == MAX_LENGTH)
		return -ENOSPC;
	tree->told[tree->nr_told++] = (struct failure){
		fault->offset, fault->offset + fault->length, fault->error
	};
	return 0;
}

static void root_end_io(struct kiobuf *kb)
{
	struct tree *tree = kb->private;

	tree->ends++;
	tree->bytes = kb->bytes;
	tree->error = kb->error;
	kiobuf_walk_faults(kb, take_fault, tree);
	complete(&tree->done);
}

static void end_some(struct tree *tree, int first, int step)
{
	struct node *node;
	int i;

	for (i = first; i < tree->nr; i += step) {
		node = &tree->node[tree->order[i]];
		kiobuf_endio(&node->kb, node->good, node->error);
	}
}

static void make(struct tree *tree)
{
	struct node *root = &tree->node[0];

	root->from = 0;
	root->length = pick(tree, MAX_LENGTH + 1);
	root->depth = 0;
	root->split = false;
	kiobuf_init(&root->kb, NULL, KIOBUF_DISCARD, 0, NULL, root->length);
	root->kb.end_io = root_end_io;
	root->kb.private = tree;
	tree->nr = 1;
	tree->ends = 0;
	tree->nr_told = 0;
	reinit_completion(&tree->done);
	grow(tree, pick(tree, 64) ? 2 + pick(tree, 64) : MAX_NODES);
	set_faults(tree);
	shuffle(tree);
}

static bool agrees(const struct tree *tree)
{
	return tree->ends == 1 && tree->bytes == tree->want_bytes &&
	       tree->error == tree->want_error &&
	       tree->nr_told == tree->nr_want &&
	       !memcmp(tree->told, tree->want,
		       tree->nr_want * sizeof(*tree->want));
}

static void tell(const struct tree *tree, u64 seed, int nr)
{
	int i;

	pr_info("    # seed %#llx, tree %d of %d nodes: %d ends, bytes %llu not %llu, error %d not %d\n",
		seed, nr, tree->nr, tree->ends, tree->bytes, tree->want_bytes,
		tree->error, tree->want_error);
	for (i = 0; i < max(tree->nr_told, tree->nr_want) && i < 8; i++)
		pr_info("    # range %d: [%u, %u) %d, not [%u, %u) %d\n", i,
			tree->told[i].from, tree->told[i].to,
			tree->told[i].error, tree->want[i].from,
			tree->want[i].to, tree->want[i].error);
}

static struct tree *tree_new(void)
{
	struct tree *tree = kvzalloc(sizeof(*tree), GFP_KERNEL);

	if (tree)
		init_completion(&tree->done);
	return tree;
}

static int run_seed(struct tree *tree, u64 seed, int trees,
		    void (*end)(struct tree *tree))
{
	int i, bad = 0;

	prandom_seed_state(&tree->random, seed);
	for (i = 0; i < trees; i++) {
		make(tree);
		model(tree);
		end(tree);
		wait_for_completion(&tree->done);
		if (agrees(tree))
			continue;
		if (!bad++)
			tell(tree, seed, i);
	}
	return bad;
}

static void end_all(struct tree *tree)
{
	end_some(tree, 0, 1);
}

static void random_trees(struct kunit *test)
{
	const u64 fresh = get_random_u64();
	struct tree *tree = tree_new();
	int i, bad = 0;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tree);
	for (i = 0; i < FIXED_SEEDS; i++)
		bad += run_seed(tree, 1 + i, TREES_A_SEED, end_all);
	pr_info("    # %d trees; fresh seed %#llx\n",
		(FIXED_SEEDS + 1) * TREES_A_SEED, fresh);
	bad += run_seed(tree, fresh, TREES_A_SEED, end_all);
	KUNIT_EXPECT_EQ(test, bad, 0);
	kvfree(tree);
}

/* ---- two CPUs end one tree ---- */

static struct kio_partner partner;

static void end_odd(void *arg)
{
	end_some(arg, 1, 2);
}

static void end_on_both(struct tree *tree)
{
	kio_partner_ask(&partner);
	end_some(tree, 0, 2);
	kio_partner_wait(&partner);
}

static void random_trees_on_two(struct kunit *test)
{
	struct tree *tree = tree_new();

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, tree);
	KUNIT_EXPECT_TRUE(test, kio_partner_start(&partner, end_odd, tree));
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, partner.task);
	KUNIT_EXPECT_EQ(test, run_seed(tree, get_random_u64(), TREES_A_SEED,
				       end_on_both), 0);
	kio_partner_stop(&partner);
	kvfree(tree);
}

static struct kunit_case tree_cases[] = {
	KUNIT_CASE(random_trees),
	KUNIT_CASE(random_trees_on_two),
	{}
};

struct kunit_suite kio_tree_suite = {
	.name		= "kio_tree",
	.test_cases	= tree_cases,
};
