/* eval_epoch.c - SOURCE_DATE_EPOCH: the time that new things may carry */
/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "build/eval.h"

#define CONTEXT "context"

static size_t find_stage(const struct build_eval *ev, const char *name)
{
	size_t i;

	for (i = ev->cuts.nr; i-- > 0;)
		if (ev->cuts.v[i].name &&
		    !strcasecmp(ev->cuts.v[i].name, name))
			return i;
	return SIZE_MAX;
}

int build_eval_set_epoch(struct build_eval *ev, const char **value,
			 struct error *err)
{
	const char *text = *value;
	uint64_t seconds;

	if (!text || !*text)
		return 0;
	if (str_to_u64(text, INT64_MAX, &seconds)) {
		ev->epoch = (int64_t)seconds;
		return 0;
	}
	if (!str_eq(text, CONTEXT) && find_stage(ev, text) == SIZE_MAX &&
	    !build_named_find(ev->named, text, &ev->platform))
		return error_set(err, ERR_USAGE,
				 "invalid SOURCE_DATE_EPOCH: %s", text);
	free(ev->epoch_from);
	ev->epoch_from = xstrdup(text);
	*value = NULL;
	return 0;
}

/* The only thing that a stage does: `r` takes over what it adds. */
static int only_source(struct build_eval *ev, size_t stage,
		       struct build_remote *r, struct error *err)
{
	size_t adds = 0;

	if (build_eval_begin(ev, stage, NULL, err) < 0)
		return -1;
	for (;;) {
		cleanup_build_step struct build_step step = { 0 };
		int rc = build_eval_next(ev, stage, &step, err);

		if (rc < 0)
			return -1;
		if (!rc)
			return adds == 1 && (r->url || r->is_git);
		if (step.node->kind == DF_ARG)
			continue;
		if (++adds > 1 || step.n_remotes != 1 ||
		    step.sources.nr + step.n_files != 1)
			return 0;
		*r = step.remotes[0];
		step.n_remotes = 0;
	}
}

static int stage_source(struct build_eval *ev, size_t stage, struct error *err)
{
	struct dockerfile_lint *lint = ev->lint;
	int rc = 0;

	/* What is found there is found when the stage is built. */
	ev->lint = NULL;
	if (ev->stages[stage].scratch)
		rc = only_source(ev, stage, &ev->epoch_remote, err);
	ev->lint = lint;
	if (rc)
		return rc < 0 ? -1 : 0;
	error_set(err, ERR_INPUT,
		  "%s:%u:1: SOURCE_DATE_EPOCH stage does not meet source-only "
		  "requirements", ev->df->name,
		  ev->df->nodes[ev->cuts.v[stage].from].start);
	return error_hint(err, "'%s' has to be FROM scratch with a single ADD "
			       "of a URL or a repository", ev->epoch_from);
}

int build_eval_epoch_from(struct build_eval *ev, const char **name,
			  const struct build_remote **source,
			  struct error *err)
{
	const struct build_named *named;
	size_t stage;

	*name = ev->epoch_from;
	*source = NULL;
	if (!*name || str_eq(*name, CONTEXT))
		return 0;
	named = build_named_find(ev->named, *name, &ev->platform);
	if (named) {
		if (named->kind == BUILD_NAMED_REMOTE)
			*source = &named->remote;
		return 0;
	}
	stage = find_stage(ev, *name);
	if (stage_source(ev, stage, err) < 0)
		return -1;
	*source = &ev->epoch_remote;
	return 0;
}

void build_eval_set_time(struct build_eval *ev, int64_t seconds)
{
	cleanup_free char *text = xstrfmt("%lld", (long long)seconds);

	ev->epoch = seconds;
	strvec_env_set(&ev->build_args, BUILD_EPOCH, text);
	ev->used[ev->build_args.nr - 1] = true;
}

/* As buildx does, so that a build in a larger one follows it. */
static void take_environment(struct build_eval *ev)
{
	const char *value = getenv(BUILD_EPOCH);

	if (value && *value && !strvec_env_get(&ev->build_args, BUILD_EPOCH))
		strvec_env_set(&ev->build_args, BUILD_EPOCH, value);
}

int build_eval_init_epoch(struct build_eval *ev, struct error *err)
{
	const char *value;

	ev->epoch = -1;
	take_environment(ev);
	value = strvec_env_get(&ev->build_args, BUILD_EPOCH);
	if (!value)
		return 0;
	if (build_eval_set_epoch(ev, &value, err) < 0)
		return -1;
	if (!value)
		strvec_env_unset(&ev->build_args, BUILD_EPOCH);
	return 0;
}

int64_t build_eval_epoch(const struct build_eval *ev)
{
	return ev->epoch;
}
