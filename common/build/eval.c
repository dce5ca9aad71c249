/* eval.c - what a Dockerfile means, stage by stage */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/path.h"
#include "build/eval.h"

#define ENTRY_COST 32 /* bytes that a copied string costs beside its text */
#define DEFAULT_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void build_step_release(struct build_step *step)
{
	size_t i;

	free(step->text);
	free(step->created_by);
	free(step->cwd);
	free(step->user);
	strvec_release(&step->argv);
	strvec_release(&step->env);
	strvec_release(&step->proxy);
	free(step->script);
	free(step->script_name);
	for (i = 0; i < step->n_mounts; i++)
		build_mount_release(&step->mounts[i]);
	free(step->mounts);
	free(step->hostname);
	free(step->cache_ns);
	strvec_release(&step->sources);
	for (i = 0; i < step->n_remotes; i++)
		build_remote_release(&step->remotes[i]);
	free(step->remotes);
	free(step->dest);
	free(step->from);
	free(step->chown);
	free(step->chmod);
	strvec_release(&step->excludes);
	for (i = 0; i < step->n_files; i++) {
		free(step->files[i].name);
		free(step->files[i].content);
	}
	free(step->files);
	*step = (struct build_step){ 0 };
}

void eval_index_free(struct eval_index *ix)
{
	if (!ix)
		return;
	strindex_release(&ix->env);
	strindex_release(&ix->args);
	strindex_release(&ix->labels);
	free(ix);
}

static void release_triggers(struct build_stage *st)
{
	size_t i;

	for (i = 0; i < st->n_triggers; i++)
		dockerfile_release(&st->triggers[i]);
	free(st->triggers);
	st->triggers = NULL;
	st->n_triggers = 0;
}

static void release_stage(struct build_stage *st)
{
	free(st->label);
	free(st->image);
	oci_platform_release(&st->platform);
	free(st->deps);
	oci_config_release(&st->config);
	strvec_release(&st->args);
	eval_index_free(st->index);
	release_triggers(st);
}

void build_eval_free(struct build_eval *ev)
{
	size_t i;

	if (!ev)
		return;
	for (i = 0; i < ev->nr; i++)
		release_stage(&ev->stages[i]);
	free(ev->stages);
	dockerfile_stages_release(&ev->cuts);
	strvec_release(&ev->build_args);
	free(ev->used);
	strvec_release(&ev->globals);
	eval_index_free(ev->index);
	free(ev->by_name);
	strindex_release(&ev->told);
	oci_platform_release(&ev->platform);
	free(ev->epoch_from);
	build_remote_release(&ev->epoch_remote);
	free(ev);
}

void build_eval_free_ptr(struct build_eval **ev)
{
	build_eval_free(*ev);
	*ev = NULL;
}

static int init(struct build_eval *ev, const struct build_eval_options *o,
		struct error *err)
{
	size_t i;

	if (dockerfile_split(ev->df, &ev->cuts, err) < 0)
		return -1;
	if (dockerfile_target(&ev->cuts, o->target, &ev->target, err) < 0)
		return error_wrap(err, "%s", ev->df->name);
	ev->nr = ev->cuts.nr;
	ev->stages = xcalloc(ev->nr, sizeof(*ev->stages));
	for (i = 0; i < ev->nr; i++) {
		ev->stages[i].cut = &ev->cuts.v[i];
		ev->stages[i].base = SIZE_MAX;
	}
	oci_platform_copy(&ev->platform, o->platform);
	ev->index = xcalloc(1, sizeof(*ev->index));
	if (build_eval_init_args(ev, o, err) < 0 ||
	    build_eval_globals(ev, err) < 0)
		return -1;
	build_eval_lint_defaults(ev, o);
	return build_eval_resolve(ev, err);
}

static void note_syntax(struct build_eval *ev)
{
	const char *syntax = build_eval_given(ev, "BUILDKIT_SYNTAX");

	if (!syntax)
		syntax = strvec_env_get(&ev->df->directives, "syntax");
	if (syntax)
		log_debug("syntax=%s: the language is built in, no frontend "
			  "is fetched", syntax);
}

int build_eval_new(struct build_eval **out, const struct dockerfile *df,
		   const struct build_eval_options *o, struct error *err)
{
	cleanup_build_eval struct build_eval *ev = xcalloc(1, sizeof(*ev));

	ev->df = df;
	ev->named = o->named;
	ev->lint = o->lint;
	ev->check = o->check;
	ev->features = o->features;
	if (ev->lint)
		dockerfile_lint_text(ev->lint);
	if (init(ev, o, err) < 0)
		return -1;
	note_syntax(ev);
	if (build_eval_lint_verdict(ev, err) < 0)
		return -1;
	*out = steal_ptr(&ev);
	return 0;
}

size_t build_eval_target(const struct build_eval *ev)
{
	return ev->target;
}

size_t build_eval_count(const struct build_eval *ev)
{
	return ev->nr;
}

void build_eval_base(const struct build_eval *ev, size_t stage,
		     struct build_base *out)
{
	const struct build_stage *st = &ev->stages[stage];

	*out = (struct build_base){
		.kind = st->base != SIZE_MAX ? BASE_STAGE :
			st->scratch	     ? BASE_SCRATCH :
					       BASE_IMAGE,
		.stage = st->base,
		.image = st->named ? st->named->value : st->image,
		.named = st->named,
		.name = st->cut->name,
		.platform = &st->platform,
		.line = ev->df->nodes[st->cut->from].start,
	};
}

bool build_eval_needed(const struct build_eval *ev, size_t stage)
{
	return ev->stages[stage].needed;
}

struct oci_config *build_eval_config(struct build_eval *ev, size_t stage)
{
	return &ev->stages[stage].config;
}

static bool is_declared(const struct build_eval *ev, const char *entry)
{
	size_t n = strcspn(entry, "="), i, k;

	for (i = 0; i < ev->df->n_nodes; i++) {
		const struct dockerfile_node *node = &ev->df->nodes[i];

		for (k = 0; node->kind == DF_ARG && k < node->n_pairs; k++)
			if (strlen(node->pairs[k].key) == n &&
			    !memcmp(node->pairs[k].key, entry, n))
				return true;
	}
	return false;
}

void build_eval_unused(const struct build_eval *ev, struct strvec *out)
{
	size_t i;

	for (i = 0; i < ev->build_args.nr; i++) {
		const char *entry = ev->build_args.v[i];

		if (!ev->used[i] && !is_declared(ev, entry))
			strvec_push_own(out, xstrndup(entry,
						      strcspn(entry, "=")));
	}
}

/* Triggers of the base run right after FROM and are gone then. */
static int take_triggers(struct build_eval *ev, size_t index,
			 struct error *err)
{
	struct build_stage *st = &ev->stages[index];
	struct strvec texts = st->config.onbuild;
	size_t i;
	int r = 0;

	st->config.onbuild = (struct strvec)STRVEC_INIT;
	st->triggers = xcalloc(texts.nr + 1, sizeof(*st->triggers));
	for (i = 0; !r && i < texts.nr; i++) {
		struct dockerfile *df = &st->triggers[st->n_triggers++];
		enum dockerfile_kind kind;

		r = dockerfile_parse_trigger(df, texts.v[i], err);
		if (!r)
			r = dockerfile_check(df, &df->nodes[0], err);
		kind = r ? DF_UNKNOWN : df->nodes[0].kind;
		if (kind == DF_FROM || kind == DF_ONBUILD ||
		    kind == DF_MAINTAINER)
			r = error_set(err, ERR_INPUT,
				      "%s isn't allowed as an ONBUILD trigger",
				      df->nodes[0].keyword);
		if (r)
			build_eval_place(ev, NULL,
					 &ev->df->nodes[st->cut->from], err);
	}
	strvec_release(&texts);
	return r;
}

/* What the triggers copy from must be built as well. */
static int need_triggers(struct build_eval *ev, size_t index,
			 struct error *err)
{
	struct build_stage *st = &ev->stages[index];
	size_t i;

	st->in_trigger = true;
	for (i = 0; i < st->n_triggers; i++)
		if (build_eval_add_deps(ev, index, &st->triggers[i].nodes[0],
					err) < 0)
			return -1;
	for (i = 0; i < st->n_deps; i++)
		if (st->deps[i] >= index)
			return build_eval_fail(
				ev, st, NULL, err,
				"cannot copy from stage \"%s\", it needs to be "
				"defined before current stage \"%s\"",
				ev->stages[st->deps[i]].label, st->label);
	st->in_trigger = false;
	if (st->needed && st->n_triggers)
		build_eval_mark(ev, index);
	return 0;
}

static void start_config(struct build_eval *ev, struct build_stage *st,
			 const struct oci_config *base)
{
	oci_config_release(&st->config);
	st->config = (struct oci_config){ 0 };
	if (base) {
		oci_config_copy(&st->config, base);
	} else if (st->scratch) {
		oci_config_scratch(&st->config, &st->platform);
		return;
	} else {
		oci_platform_copy(&st->config.platform, &st->platform);
		return;
	}
	free(st->config.created);
	st->config.created = NULL;
	if (!ev->view && !strvec_env_get(&st->config.env, "PATH"))
		strvec_env_set(&st->config.env, "PATH", DEFAULT_PATH);
}

static size_t text_size(const struct strvec *list)
{
	size_t i, n = 0;

	for (i = 0; i < list->nr; i++)
		n += strlen(list->v[i]) + ENTRY_COST;
	return n;
}

/* A stage has its own copy of what the stage before it has set. */
static int charge_base(struct build_eval *ev, const struct build_stage *st,
		       const struct build_stage *base, struct error *err)
{
	size_t n = text_size(&base->args) + text_size(&base->config.env) +
		   text_size(&base->config.labels);

	return build_eval_charge(ev, NULL, &ev->df->nodes[st->cut->from], n,
				 err);
}

int build_eval_begin(struct build_eval *ev, size_t stage,
		     const struct oci_config *base, struct error *err)
{
	struct build_stage *st = &ev->stages[stage];

	start_config(ev, st, base);
	build_eval_lint_base(ev, st, base);
	strvec_release(&st->args);
	eval_index_free(st->index);
	st->index = xcalloc(1, sizeof(*st->index));
	release_triggers(st);
	st->cmd_set = st->workdir_set = false;
	st->next_trigger = 0;
	st->next_node = st->replaced ? st->cut->end : st->cut->first;
	st->filled = false;
	if (st->base != SIZE_MAX) {
		if (charge_base(ev, st, &ev->stages[st->base], err) < 0)
			return -1;
		strvec_copy(&st->args, &ev->stages[st->base].args);
		st->cmd_set = ev->stages[st->base].cmd_set;
		st->workdir_set = ev->stages[st->base].workdir_set;
	}
	/* Those of what stands for a stage are for the stages on top of it. */
	if (st->replaced)
		return 0;
	if (take_triggers(ev, stage, err) < 0)
		return -1;
	return need_triggers(ev, stage, err);
}

static const struct dockerfile_node *next_node(struct build_eval *ev,
					       struct build_stage *st)
{
	st->in_trigger = st->next_trigger < st->n_triggers;
	if (st->in_trigger)
		return &st->triggers[st->next_trigger++].nodes[0];
	if (st->next_node < st->cut->end)
		return &ev->df->nodes[st->next_node++];
	return NULL;
}

static void begin_step(const struct build_eval *ev,
		       const struct build_stage *st,
		       const struct dockerfile_node *node,
		       struct build_step *step)
{
	const char *dir = st->config.workdir;

	*step = (struct build_step){
		.line = st->in_trigger ?
			ev->df->nodes[st->cut->from].start : node->start,
		.node = node,
		.onbuild = st->in_trigger,
		.from_stage = SIZE_MAX,
		/* An image may carry a relative one: it starts at "/". */
		.cwd = path_resolve("/", dir ? dir : ""),
		.user = xstrdup(st->config.user ? st->config.user : ""),
	};
}

static int evaluate(struct build_eval *ev, struct build_stage *st,
		    const struct dockerfile_node *node,
		    struct build_step *step, struct error *err)
{
	cleanup_strbuf struct strbuf history = STRBUF_INIT;

	if (node->kind == DF_RUN || node->kind == DF_COPY ||
	    node->kind == DF_ADD || node->kind == DF_WORKDIR)
		return build_eval_step(ev, st, node, step, err);
	if (build_eval_meta(ev, st, node, &history, err) < 0 ||
	    build_eval_charge(ev, st, node, history.len, err) < 0)
		return -1;
	if (node->kind == DF_ONBUILD) {
		step->text = xstrdup(node->text);
		return 0;
	}
	step->created_by = strbuf_detach(&history);
	step->text = xstrdup(step->created_by);
	return 0;
}

int build_eval_next(struct build_eval *ev, size_t stage,
		    struct build_step *step, struct error *err)
{
	struct build_stage *st = &ev->stages[stage];
	const struct dockerfile_node *node;

	if (build_eval_fill(ev, st, step))
		return 1;
	node = next_node(ev, st);
	if (!node)
		return 0;
	begin_step(ev, st, node, step);
	if (evaluate(ev, st, node, step, err) == 0) {
		build_eval_lint_step(ev, st, node, step);
		if (build_eval_lint_verdict(ev, err) == 0)
			return 1;
	}
	build_step_release(step);
	return -1;
}
