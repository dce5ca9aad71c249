/* eval_lint.c - the checks that need variables, stages or the context */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "base/path.h"
#include "build/eval.h"

/* --- names that are not set --- */

#define NAMES_MAX 128 /* among more no near one is looked for */

static void add_names(const struct strvec *list, struct strvec *out)
{
	size_t i;

	for (i = 0; i < list->nr && out->nr < NAMES_MAX; i++)
		strvec_push_own(out, xstrndup(list->v[i],
					      strcspn(list->v[i], "=")));
}

/* " (did you mean $NAME?)", or "". */
static char *suggest(const struct build_eval *ev, const struct build_stage *st,
		     const char *name)
{
	cleanup_strvec struct strvec known = STRVEC_INIT;
	const char *near;
	size_t i, k;

	if (st) {
		strvec_push(&known, "PATH");
		add_names(&st->args, &known);
		add_names(&st->config.env, &known);
	}
	for (i = 0; !st && i < ev->cuts.v[0].from; i++)
		for (k = 0; k < ev->df->nodes[i].n_pairs &&
			    known.nr < NAMES_MAX; k++)
			strvec_push(&known, ev->df->nodes[i].pairs[k].key);
	if (!st)
		add_names(&ev->globals, &known);
	near = known.nr ? str_nearest(name, (const char *const *)known.v) :
			  NULL;
	return near ? xstrfmt(" (did you mean %s%s?)", st ? "$" : "", near) :
		      xstrdup("");
}

/* Once in an instruction, however often it stands there. */
static bool is_new(struct build_eval *ev, const struct dockerfile_node *node,
		   const char *name)
{
	if (ev->told_at != node)
		strindex_release(&ev->told);
	ev->told_at = node;
	return ev->told.nr < DOCKERFILE_FINDINGS_MAX &&
	       strindex_add(&ev->told, name, strlen(name), 0);
}

void build_eval_unset(struct build_eval *ev, const struct build_stage *st,
		      const struct dockerfile_node *node, const char *name)
{
	enum dockerfile_rule rule = st ? RULE_UNDEFINED_VAR :
					 RULE_UNDEFINED_ARG_IN_FROM;
	cleanup_free char *near = NULL;
	size_t number;

	if (!ev->lint || (st ? st->in_trigger : node->kind != DF_FROM) ||
	    !is_new(ev, node, name) ||
	    !dockerfile_lint_wants(ev->lint, rule, node))
		return;
	/* Declared is enough, and a PATH is given to every image. */
	if (st ? str_eq(name, "PATH") ||
			 strindex_env_entry(&st->index->args, &st->args, name) :
		 strindex_get(&ev->index->args, name, strlen(name), &number))
		return;
	near = suggest(ev, st, name);
	if (st)
		dockerfile_lint_add(ev->lint, rule, node,
				    "Usage of undefined variable '$%s'%s",
				    name, near);
	else
		dockerfile_lint_add(ev->lint, rule, node,
				    "FROM argument '%s' is not declared%s",
				    name, near);
}

/* --- FROM without build arguments --- */

static void check_default(struct build_eval *plain,
			  const struct dockerfile_node *node,
			  struct dockerfile_lint *lint)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_free char *image = NULL;

	if (!strchr(node->args.v[0], '$'))
		return;
	image = build_eval_expand(plain, NULL, node, node->args.v[0], NULL);
	if (image && oci_ref_parse(&ref, image, NULL) < 0)
		dockerfile_lint_add(lint, RULE_INVALID_DEFAULT_ARG_IN_FROM,
				    node, "Default value for ARG %s results in "
				    "empty or invalid base image name",
				    node->args.v[0]);
}

void build_eval_lint_defaults(const struct build_eval *ev,
			      const struct build_eval_options *o)
{
	cleanup_build_eval struct build_eval *plain = NULL;
	struct build_eval_options defaults = *o;
	size_t i;

	if (!ev->lint)
		return;
	plain = xcalloc(1, sizeof(*plain));
	plain->df = ev->df;
	plain->index = xcalloc(1, sizeof(*plain->index));
	defaults.build_args = NULL;
	/* What is wrong here is told of by the build itself. */
	if (dockerfile_split(ev->df, &plain->cuts, NULL) < 0 ||
	    build_eval_init_args(plain, &defaults, NULL) < 0 ||
	    build_eval_globals(plain, NULL) < 0)
		return;
	for (i = 0; i < plain->cuts.nr; i++)
		check_default(plain, &ev->df->nodes[plain->cuts.v[i].from],
			      ev->lint);
}

/* --- instructions, after they were evaluated --- */

static void check_port(struct dockerfile_lint *l,
		       const struct dockerfile_node *node, const char *port)
{
	const char *slash = strchr(port, '/'), *c;
	size_t n = slash ? (size_t)(slash - port) : strlen(port);

	for (c = slash; c && *c; c++) {
		if (!isupper((unsigned char)*c))
			continue;
		dockerfile_lint_add(l, RULE_EXPOSE_PROTO_CASING, node,
				    "Defined protocol '%s' in EXPOSE "
				    "instruction should be lowercase", port);
		break;
	}
	if (memchr(port, ':', n))
		dockerfile_lint_add(l, RULE_EXPOSE_INVALID_FORMAT, node,
				    "EXPOSE instruction should not define an "
				    "IP address or host-port mapping, found "
				    "'%s'", port);
}

static void check_expose(struct build_eval *ev, const struct build_stage *st,
			 const struct dockerfile_node *node)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	size_t i;

	for (i = 0; i < node->args.nr; i++)
		if (build_eval_expand_words(ev, st, node, node->args.v[i],
					    &words, NULL) < 0)
			return;
	for (i = 0; i < words.nr; i++)
		check_port(ev->lint, node, words.v[i]);
}

/* Only the first one of a stage, and what it continues, can be at fault. */
static void check_workdir(struct build_eval *ev, struct build_stage *st,
			  const struct dockerfile_node *node)
{
	cleanup_free char *path = NULL;

	if (!st->workdir_set)
		path = build_eval_expand(ev, st, node, node->args.v[0], NULL);
	if (path && *path != '/')
		dockerfile_lint_add(ev->lint, RULE_WORKDIR_RELATIVE_PATH, node,
				    "Relative workdir \"%s\" can have "
				    "unexpected results if the base image "
				    "changes", path);
	st->workdir_set = true;
}

/* Is it, or a directory it lies in, left out of the context? */
static bool is_left_out(const struct dockerfile_ignore *ig, const char *path)
{
	struct dockerfile_ignore_dir dir = { NULL }, sub;
	cleanup_free char *part = xstrdup(path);
	char *slash = part;
	bool out = false;

	while (*slash && !out) {
		char kept;

		slash += strcspn(slash + 1, "/") + 1;
		kept = *slash;
		*slash = '\0';
		out = dockerfile_ignored(ig, part, &dir, &sub);
		free(dir.matched);
		dir = sub;
		*slash = kept;
	}
	free(dir.matched);
	return out;
}

static void check_sources(struct build_eval *ev,
			  const struct dockerfile_node *node,
			  const struct build_step *step)
{
	const struct dockerfile_ignore *ig = ev->ignore;
	size_t i;

	if (!ig || dockerfile_ignore_excepts(ig) || step->from)
		return;
	for (i = 0; i < step->sources.nr; i++) {
		const char *source = step->sources.v[i];
		cleanup_free char *path = path_resolve("/", source);

		if (dockerfile_is_git(source) || dockerfile_is_url(source) ||
		    !path[1] || !is_left_out(ig, path + 1))
			continue;
		dockerfile_lint_add(ev->lint, RULE_COPY_IGNORED_FILE, node,
				    "Attempting to %s file \"%s\" that is "
				    "excluded by .dockerignore",
				    step->add ? "Add" : "Copy", path + 1);
	}
}

static void check_command(struct build_eval *ev, const struct build_stage *st,
			  const struct dockerfile_node *node)
{
	cleanup_free char *name = dockerfile_written(node);

	if (node->form != DF_FORM_EXEC && !st->config.shell.nr)
		dockerfile_lint_add(ev->lint, RULE_JSON_ARGS_RECOMMENDED, node,
				    "JSON arguments recommended for %s to "
				    "prevent unintended behavior related to OS "
				    "signals", name);
}

void build_eval_lint_step(struct build_eval *ev, struct build_stage *st,
			  const struct dockerfile_node *node,
			  const struct build_step *step)
{
	if (!ev->lint || st->in_trigger)
		return;
	switch (node->kind) {
	case DF_ADD:
	case DF_COPY:
		check_sources(ev, node, step);
		break;
	case DF_CMD:
	case DF_ENTRYPOINT:
		check_command(ev, st, node);
		break;
	case DF_EXPOSE:
		check_expose(ev, st, node);
		break;
	case DF_WORKDIR:
		check_workdir(ev, st, node);
		break;
	default:
		break;
	}
}

void build_eval_lint_base(const struct build_eval *ev,
			  const struct build_stage *st,
			  const struct oci_config *base)
{
	const struct oci_platform *have = base ? &base->platform : NULL;
	cleanup_free char *wanted = NULL;
	cleanup_free char *found = NULL;

	if (!ev->lint || !have || !have->os || !have->arch ||
	    st->base != SIZE_MAX ||
	    (str_eq(have->os, st->platform.os) &&
	     str_eq(have->arch, st->platform.arch)))
		return;
	wanted = oci_platform_format(&st->platform);
	found = oci_platform_format(have);
	dockerfile_lint_add(ev->lint, RULE_INVALID_BASE_IMAGE_PLATFORM,
			    &ev->df->nodes[st->cut->from],
			    "Base image %s was pulled with platform \"%s\", "
			    "expected \"%s\" for current build", st->image,
			    found, wanted);
}

/* --- all stages --- */

void build_eval_ignore(struct build_eval *ev,
		       const struct dockerfile_ignore *ignore)
{
	ev->ignore = ignore;
}

static int lint_stage(struct build_eval *ev, size_t stage,
		      const struct oci_config *base, struct error *err)
{
	const struct build_stage *st = &ev->stages[stage];
	int r = 1;

	if (st->base != SIZE_MAX)
		base = &ev->stages[st->base].config;
	if (build_eval_begin(ev, stage, base, err) < 0)
		return -1;
	while (r > 0) {
		cleanup_build_step struct build_step step = { 0 };

		r = build_eval_next(ev, stage, &step, err);
	}
	return r;
}

int build_lint(const struct dockerfile *df, const struct build_eval_options *o,
	       const struct dockerfile_ignore *ignore,
	       build_base_config *config, void *arg, struct error *err)
{
	cleanup_build_eval struct build_eval *ev = NULL;
	size_t i;

	if (build_eval_new(&ev, df, o, err) < 0)
		return -1;
	ev->view = true;
	build_eval_ignore(ev, ignore);
	for (i = 0; i < ev->nr; i++) {
		struct build_base base;

		build_eval_base(ev, i, &base);
		if (lint_stage(ev, i, base.kind == BASE_IMAGE ?
			       config(arg, &base) : NULL, err) < 0)
			return -1;
	}
	return 0;
}

/* "A, B": the names of the rules that were broken. */
static void add_rules(const struct dockerfile_lint *l, struct strbuf *out)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	size_t i;

	for (i = 0; i < l->nr; i++)
		if (!strvec_has(&names, l->v[i].rule))
			strvec_push(&names, l->v[i].rule);
	strvec_sort(&names);
	for (i = 0; i < names.nr; i++)
		strbuf_addf(out, "%s%s", i ? ", " : "", names.v[i]);
}

int build_eval_lint_verdict(const struct build_eval *ev, struct error *err)
{
	const struct dockerfile_lint *l = ev->lint;
	cleanup_strbuf struct strbuf rules = STRBUF_INIT;

	if (!l || !l->error || !l->nr || ev->check)
		return 0;
	add_rules(l, &rules);
	return error_set(err, ERR_INPUT,
			 "%s:%u:1: lint violation found for rules: %s",
			 ev->df->name, l->v[0].line, rules.buf);
}
