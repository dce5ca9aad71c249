/* eval_graph.c - bases of stages, what they need, cycles */
/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "build/eval.h"

static const struct dockerfile_node *from_node(const struct build_eval *ev,
					       size_t stage)
{
	return &ev->df->nodes[ev->stages[stage].cut->from];
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct build_eval *ev = arg;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int order = strcasecmp(ev->cuts.v[x].name, ev->cuts.v[y].name);

	return order ? order : x < y ? -1 : 1;
}

/* Thousands of steps may each name one of thousands of stages. */
static void sort_names(struct build_eval *ev)
{
	size_t i;

	ev->by_name = xcalloc(ev->nr, sizeof(*ev->by_name));
	for (i = 0; i < ev->nr; i++)
		if (ev->cuts.v[i].name)
			ev->by_name[ev->n_named++] = i;
	qsort_r(ev->by_name, ev->n_named, sizeof(*ev->by_name), compare, ev);
}

/* The last stage of that name before `end`, or SIZE_MAX. */
static size_t find_name(const struct build_eval *ev, size_t end,
			const char *name)
{
	size_t low = 0, high = ev->n_named;

	/* Behind all that are smaller, or the same and before `end`. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		size_t stage = ev->by_name[middle];
		int order = strcasecmp(ev->cuts.v[stage].name, name);

		if (order < 0 || (!order && stage < end))
			low = middle + 1;
		else
			high = middle;
	}
	if (low && !strcasecmp(ev->cuts.v[ev->by_name[low - 1]].name, name))
		return ev->by_name[low - 1];
	return SIZE_MAX;
}

/* Checks take a file for any build arguments: what none were given for is
 * one of their findings and no error. */
static bool is_open(const struct build_eval *ev, const char *word)
{
	return ev->check && strchr(word, '$');
}

static int set_stage_platform(struct build_eval *ev, size_t index,
			      struct error *err)
{
	const struct dockerfile_node *node = from_node(ev, index);
	const char *flag = dockerfile_flag(node, "platform", 0);
	struct build_stage *st = &ev->stages[index];
	cleanup_error struct error inner = ERROR_INIT;
	cleanup_free char *text = NULL;

	if (flag) {
		text = build_eval_expand(ev, NULL, node, flag, err);
		if (!text)
			return -1;
	}
	if (!flag || (!*text && is_open(ev, flag))) {
		oci_platform_copy(&st->platform,
				  st->base == SIZE_MAX ?
					  &ev->platform :
					  &ev->stages[st->base].platform);
		return 0;
	}
	if (!*text)
		return build_eval_fail(ev, NULL, node, err,
				       "empty platform value from expression "
				       "%s", flag);
	if (oci_platform_parse(&st->platform, text, &inner) < 0)
		return build_eval_fail(ev, NULL, node, err,
				       "failed to parse platform %s: %s", text,
				       inner.msg);
	return 0;
}

/* A context of the stage's own name stands for the stage, one of its base's
 * name for that. */
static void set_named(const struct build_eval *ev, struct build_stage *st)
{
	if (st->cut->name)
		st->named = build_named_find(ev->named, st->cut->name,
					     &st->platform);
	st->replaced = st->named;
	if (st->replaced) {
		st->base = SIZE_MAX;
		st->scratch = false;
	} else if (st->base == SIZE_MAX && !st->scratch) {
		st->named = build_named_find(ev->named, st->image,
					     &st->platform);
	}
	if (st->named && (build_named_is_tree(st->named) ||
			  str_eq(st->named->value, "scratch")))
		st->scratch = true;
}

/* Can it be an image, where it is nothing else? */
static int check_image(const struct build_eval *ev, size_t index,
		       struct error *err)
{
	const struct dockerfile_node *node = from_node(ev, index);
	const struct build_stage *st = &ev->stages[index];
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_error struct error why = ERROR_INIT;

	if (st->base != SIZE_MAX || st->scratch || st->named ||
	    is_open(ev, node->args.v[0]) ||
	    oci_ref_parse(&ref, st->image, &why) == 0)
		return 0;
	return build_eval_fail(ev, NULL, node, err,
			       "failed to parse stage name \"%s\": %s",
			       st->image, why.msg);
}

static int set_base(struct build_eval *ev, size_t index, struct error *err)
{
	const struct dockerfile_node *node = from_node(ev, index);
	struct build_stage *st = &ev->stages[index];

	st->label = st->cut->name ? xstrdup(st->cut->name) :
				    xstrfmt("stage-%zu", index);
	st->image = build_eval_expand(ev, NULL, node, node->args.v[0], err);
	if (!st->image)
		return -1;
	if (!*st->image && !is_open(ev, node->args.v[0]))
		return build_eval_fail(ev, NULL, node, err,
				       "base name (%s) should not be blank",
				       node->args.v[0]);
	st->base = find_name(ev, index, st->image);
	st->scratch = st->base == SIZE_MAX && str_eq(st->image, "scratch");
	if (set_stage_platform(ev, index, err) < 0)
		return -1;
	set_named(ev, st);
	return check_image(ev, index, err);
}

/* Files of a context that stands for a stage are read where they are. */
static struct build_from from_stage(const struct build_eval *ev, size_t index)
{
	const struct build_stage *st = &ev->stages[index];

	if (st->replaced && build_named_is_tree(st->named))
		return (struct build_from){ SIZE_MAX, st->cut->name };
	return (struct build_from){ index, NULL };
}

int build_eval_from(const struct build_eval *ev, size_t at,
		    const struct dockerfile_node *node, const char *from,
		    struct build_from *out, struct error *err)
{
	const struct build_stage *st = &ev->stages[at];
	uint64_t number;
	size_t stage;

	if (str_to_u64(from, UINT32_MAX, &number)) {
		if (number >= ev->nr)
			return build_eval_fail(ev, st, node, err,
					       "invalid stage index %s", from);
		*out = from_stage(ev, (size_t)number);
		return 0;
	}
	stage = find_name(ev, at, from);
	if (stage == SIZE_MAX)
		stage = find_name(ev, ev->nr, from);
	if (stage == SIZE_MAX)
		*out = (struct build_from){ SIZE_MAX, from };
	else
		*out = from_stage(ev, stage);
	return 0;
}

static void add_dep(struct build_stage *st, size_t stage)
{
	size_t i;

	for (i = 0; i < st->n_deps; i++)
		if (st->deps[i] == stage)
			return;
	GROW(st->deps, st->n_deps, st->alloc_deps);
	st->deps[st->n_deps++] = stage;
}

static int add_from(struct build_eval *ev, size_t at,
		    const struct dockerfile_node *node, const char *from,
		    struct error *err)
{
	struct build_from means = BUILD_FROM_CONTEXT;

	if (build_eval_from(ev, at, node, from, &means, err) < 0)
		return -1;
	if (means.stage != SIZE_MAX)
		add_dep(&ev->stages[at], means.stage);
	return 0;
}

int build_eval_add_deps(struct build_eval *ev, size_t at,
			const struct dockerfile_node *node, struct error *err)
{
	const char *value;
	size_t i;

	if (node->kind == DF_COPY) {
		value = dockerfile_flag(node, "from", 0);
		return value && *value ? add_from(ev, at, node, value, err) :
					 0;
	}
	if (node->kind != DF_RUN)
		return 0;
	for (i = 0; (value = dockerfile_flag(node, "mount", i)); i++) {
		cleanup_free char *from = dockerfile_mount_from(value);

		if (from && *from && add_from(ev, at, node, from, err) < 0)
			return -1;
	}
	return 0;
}

/* Its base, its instructions, and the triggers its base stage left it. */
static int set_deps(struct build_eval *ev, size_t index, struct error *err)
{
	struct build_stage *st = &ev->stages[index];
	size_t i;

	if (st->replaced)
		return 0;
	for (i = st->cut->first; i < st->cut->end; i++)
		if (build_eval_add_deps(ev, index, &ev->df->nodes[i], err) < 0)
			return -1;
	if (st->base == SIZE_MAX)
		return 0;
	add_dep(st, st->base);
	for (i = ev->cuts.v[st->base].first; i < ev->cuts.v[st->base].end;
	     i++) {
		const struct dockerfile_node *node = &ev->df->nodes[i];

		if (node->onbuild && build_eval_add_deps(ev, index,
							 node->onbuild,
							 err) < 0)
			return -1;
	}
	return 0;
}

#define CYCLE_SHOWN 8 /* stages of a cycle that are named */

struct walk {
	size_t stage, next; /* dependency to look at next */
};

/* "a needs b, which needs a": from the last step of a walk back to `first`. */
static void describe_cycle(const struct build_eval *ev,
			   const struct walk *stack, size_t depth,
			   size_t first, struct strbuf *out)
{
	size_t at = 0, i;

	while (stack[at].stage != first)
		at++;
	strbuf_addf(out, "'%s'", ev->stages[first].label);
	for (i = at + 1; i < depth && i < at + CYCLE_SHOWN; i++)
		strbuf_addf(out, " needs '%s', which",
			    ev->stages[stack[i].stage].label);
	strbuf_addf(out, " needs %s'%s'", i < depth ? "others, down to " : "",
		    ev->stages[first].label);
}

/* Is there a cycle among the stages that `start` leads to? Without
 * recursion: a file may have tens of thousands of stages. */
static bool has_cycle(const struct build_eval *ev, size_t start,
		      uint8_t *state, struct walk *stack, struct strbuf *told)
{
	enum { NEW, OPEN, DONE };
	size_t depth = 0;

	if (state[start] != NEW)
		return false;
	stack[depth++] = (struct walk){ start, 0 };
	state[start] = OPEN;
	while (depth) {
		struct walk *w = &stack[depth - 1];
		const struct build_stage *st = &ev->stages[w->stage];
		size_t dep;

		if (w->next == st->n_deps) {
			state[w->stage] = DONE;
			depth--;
			continue;
		}
		dep = st->deps[w->next++];
		if (state[dep] == OPEN) {
			describe_cycle(ev, stack, depth, dep, told);
			return true;
		}
		if (state[dep] == NEW) {
			state[dep] = OPEN;
			stack[depth++] = (struct walk){ dep, 0 };
		}
	}
	return false;
}

static int check_cycles(struct build_eval *ev, struct error *err)
{
	cleanup_free uint8_t *state = xcalloc(ev->nr, 1);
	cleanup_free struct walk *stack = xcalloc(ev->nr, sizeof(*stack));
	cleanup_strbuf struct strbuf told = STRBUF_INIT;
	size_t i;

	for (i = 0; i < ev->nr; i++) {
		if (!has_cycle(ev, i, state, stack, &told))
			continue;
		build_eval_fail(ev, NULL, from_node(ev, i), err,
				"circular dependency detected on stage: %s",
				ev->stages[i].label);
		return error_hint(err, "%s; take one of these out", told.buf);
	}
	return 0;
}

/* The instruction of `stage` that needs files of `dep`. */
static const struct dockerfile_node *user_of(const struct build_eval *ev,
					     size_t stage, size_t dep)
{
	const struct dockerfile_stage *cut = ev->stages[stage].cut;
	struct build_from means = BUILD_FROM_CONTEXT;
	size_t i;

	for (i = cut->first; i < cut->end; i++) {
		const struct dockerfile_node *node = &ev->df->nodes[i];
		const char *from;

		if (node->kind != DF_COPY)
			continue;
		from = dockerfile_flag(node, "from", 0);
		if (from && *from &&
		    build_eval_from(ev, stage, node, from, &means, NULL) == 0 &&
		    means.stage == dep)
			return node;
	}
	return from_node(ev, stage);
}

static int wrong_order(const struct build_eval *ev, size_t stage, size_t dep,
		       struct error *err)
{
	const struct build_stage *st = &ev->stages[stage];

	build_eval_fail(ev, NULL, user_of(ev, stage, dep), err,
			"cannot copy from stage \"%s\", it needs to be defined "
			"before current stage \"%s\"",
			ev->stages[dep].label, st->label);
	return error_hint(err, "move the lines of '%s' before line %u",
			  ev->stages[dep].label,
			  from_node(ev, stage)->start);
}

static int check_order(struct build_eval *ev, struct error *err)
{
	size_t i, k;

	for (i = 0; i < ev->nr; i++) {
		const struct build_stage *st = &ev->stages[i];

		for (k = 0; k < st->n_deps; k++)
			if (st->deps[k] >= i)
				return wrong_order(ev, i, st->deps[k], err);
	}
	return 0;
}

bool build_eval_fill(const struct build_eval *ev, struct build_stage *st,
		     struct build_step *step)
{
	const struct dockerfile_node *node = &ev->df->nodes[st->cut->from];

	if (st->filled || !st->named || !build_named_is_tree(st->named))
		return false;
	st->filled = true;
	*step = (struct build_step){
		.op = BUILD_COPY,
		.line = node->start,
		.node = node,
		.from = xstrdup(st->replaced ? st->cut->name : st->image),
		.from_stage = SIZE_MAX,
		.cwd = xstrdup("/"),
		.user = xstrdup(""),
		.dest = xstrdup("/"),
		.dest_is_dir = true,
		.created_by = xstrdup("COPY . / # buildkit"),
	};
	step->text = xstrfmt("FROM %s", step->from);
	strvec_push(&step->sources, ".");
	return true;
}

void build_eval_mark(struct build_eval *ev, size_t stage)
{
	size_t i, k;

	/* What a stage needs stands before it: one pass upwards is enough. */
	ev->stages[stage].needed = true;
	for (i = stage + 1; i-- > 0;) {
		const struct build_stage *st = &ev->stages[i];

		for (k = 0; st->needed && k < st->n_deps; k++)
			ev->stages[st->deps[k]].needed = true;
	}
}

int build_eval_resolve(struct build_eval *ev, struct error *err)
{
	size_t i;

	sort_names(ev);
	for (i = 0; i < ev->nr; i++)
		if (set_base(ev, i, err) < 0)
			return -1;
	for (i = 0; i < ev->nr; i++)
		if (set_deps(ev, i, err) < 0)
			return -1;
	if (check_cycles(ev, err) < 0 || check_order(ev, err) < 0)
		return -1;
	build_eval_mark(ev, ev->target);
	return 0;
}
