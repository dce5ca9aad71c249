/* build.c - the stages a target needs, step by step */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/build.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "build/internal.h"


void build_result_release(struct build_result *r)
{
	size_t i;

	store_image_release(&r->image);
	for (i = 0; i < r->n_steps; i++)
		free(r->steps[i].text);
	free(r->steps);
}

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static struct build_step_report *report(struct build *b, size_t stage,
					const struct build_step *step)
{
	struct build_result *r = b->result;
	struct build_step_report *s;

	GROW(r->steps, r->n_steps, r->alloc_steps);
	s = &r->steps[r->n_steps++];
	*s = (struct build_step_report){ .stage = stage,
					 .line = step->line,
					 .text = xstrdup(step->text) };
	return s;
}

/* "[2/3 name:12]": stage of stages, its name, line of the instruction. */
static void announce(struct build *b, size_t stage,
		     const struct build_step *step, const char *state)
{
	struct build_base base;
	const char *line_end = strchr(step->text, '\n');
	int n = line_end ? (int)(line_end - step->text)
			 : (int)strlen(step->text);

	build_eval_base(b->ev, stage, &base);
	log_info("[%s%s%zu:%u] %s%.*s%s", base.name ? base.name : "",
		 base.name ? " " : "stage ", stage, step->line, state, n,
		 step->text, line_end ? " ..." : "");
}

static int execute(struct build *b, struct build_stage *st,
		   const struct build_step *step, struct cache_key *k,
		   struct build_step_report *rep, struct error *err)
{
	struct cache_entry entry = { .created = b->now };
	struct store_draft draft;
	struct store_meta meta = { 0 };

	if (store_draft_new(b->o->store, &draft, err) < 0)
		return -1;
	if (step_execute(b, st, step, &draft, err) < 0) {
		store_draft_drop(b->o->store, &draft);
		return -1;
	}
	store_new_id(entry.layer);
	if (store_draft_commit(b->o->store, &draft, &meta, entry.layer, err) <
	    0) {
		store_draft_drop(b->o->store, &draft);
		return -1;
	}
	memcpy(rep->layer, entry.layer, STORE_ID);
	stage_add(b, st, step, entry.layer, rep->key, b->now);
	return cache_put(b->o->store, rep->key, k, &entry, err);
}

static int layer_step(struct build *b, size_t stage,
		      const struct build_step *step, struct error *err)
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	cleanup_cache_entry struct cache_entry hit = { 0 };
	struct build_stage *st = &b->stages[stage];
	struct build_step_report *rep = report(b, stage, step);
	double start = seconds();
	const char *reason = "the cache was not asked";
	int rc = 0;

	if (step_key(b, st, step, &k, rep->key, err) < 0)
		return -1;
	if (!b->o->no_cache)
		rc = cache_get(b->o->store, rep->key, &hit, &reason, err);
	if (rc < 0)
		return -1;
	if (rc) {
		announce(b, stage, step, "CACHED ");
		rep->cached = true;
		memcpy(rep->layer, hit.layer, STORE_ID);
		b->result->cached++;
		stage_add(b, st, step, hit.layer, rep->key, hit.created);
		return 0;
	}
	announce(b, stage, step, "");
	log_debug("key %.12s: %s", rep->key, reason);
	b->result->executed++;
	rc = execute(b, st, step, &k, rep, err);
	rep->seconds = seconds() - start;
	return rc;
}

static int run_step(struct build *b, size_t stage,
		    const struct build_step *step, struct error *err)
{
	int rc = signals_check(err);

	if (rc < 0)
		return -1;
	if (step->op == BUILD_META) {
		report(b, stage, step);
		stage_add(b, &b->stages[stage], step, NULL, NULL, NULL);
		return 0;
	}
	rc = layer_step(b, stage, step, err);
	if (rc < 0 && err && (err->code == ERR_INPUT || err->code == ERR_STEP ||
			      err->code == ERR_NETWORK ||
			      err->code == ERR_REFUSED))
		step_fail(b, step, err);
	return rc;
}

/* The evaluated configuration, with the history kept here. */
static void adopt_config(struct build_stage *st, const struct oci_config *ev)
{
	struct oci_config *old = &st->image.config;
	struct oci_config merged = { 0 };
	struct oci_config evaluated;

	oci_config_copy(&merged, ev);
	evaluated = merged;
	merged.history = old->history;
	merged.n_history = old->n_history;
	merged.alloc_history = old->alloc_history;
	old->history = evaluated.history;
	old->n_history = evaluated.n_history;
	old->alloc_history = evaluated.alloc_history;
	oci_config_release(old);
	*old = merged;
}

static int run_stage(struct build *b, size_t i, struct error *err)
{
	size_t j;
	int rc;

	if (stage_begin(b, i, err) < 0)
		return -1;
	/* A trigger of the base image may copy from a stage that nothing else
	 * needs. */
	for (j = 0; j < i; j++)
		if (build_eval_needed(b->ev, j) && !b->stages[j].begun &&
		    run_stage(b, j, err) < 0)
			return -1;
	for (;;) {
		cleanup_build_step struct build_step step = { 0 };

		rc = build_eval_next(b->ev, i, &step, err);
		if (rc <= 0)
			break;
		if (run_step(b, i, &step, err) < 0)
			return -1;
	}
	if (!rc)
		adopt_config(&b->stages[i], build_eval_config(b->ev, i));
	return rc;
}

static int open_context(struct build *b, struct error *err)
{
	const char *dir = b->o->context;

	if (!dir)
		return 0;
	b->context_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (b->context_fd < 0)
		return error_errno_code(err, ERR_INPUT,
					"cannot open the context '%s'", dir);
	if (build_ignore(b->context_fd, b->o->dockerfile, &b->ignore, err) < 0)
		return -1;
	return store_stat_cache_open(b->o->store, dir, &b->stat_cache, err);
}

static int prepare(struct build *b, struct error *err)
{
	const struct build_options *o = b->o;
	cleanup_oci_platform struct oci_platform host = { 0 };
	struct build_eval_options eo = { .build_args = o->args,
					 .target = o->target,
					 .platform = &o->platform,
					 .build_platform = &host,
					 .named = o->named };

	oci_platform_host(&host);
	if (dockerfile_parse(&b->df, o->name, o->text, o->text_len, err) < 0)
		return -1;
	if (build_lint_begin(&b->lint, &b->df, o->args, err) < 0)
		return -1;
	lint_warn(&b->lint);
	eo.lint = &b->lint;
	if (build_eval_new(&b->ev, &b->df, &eo, err) < 0)
		return -1;
	b->n_stages = build_eval_count(b->ev);
	b->stages = xcalloc(b->n_stages, sizeof(*b->stages));
	b->scratch = store_scratch(o->store, &b->scratch_lock, err);
	if (!b->scratch)
		return -1;
	b->epoch = build_eval_epoch(b->ev);
	b->now = history_time(time(NULL));
	if (open_context(b, err) < 0)
		return -1;
	build_eval_ignore(b->ev, b->ignore);
	return 0;
}

static void release(struct build *b)
{
	size_t i;

	for (i = 0; i < b->n_stages; i++)
		stage_release(&b->stages[i]);
	free(b->stages);
	source_release_all(b);
	build_eval_free(b->ev);
	dockerfile_lint_release(&b->lint);
	dockerfile_release(&b->df);
	dockerfile_ignore_free(b->ignore);
	store_stat_cache_close(b->stat_cache);
	base_close_fd(&b->context_fd);
	if (b->scratch)
		store_scratch_drop(b->o->store, b->scratch,
				   b->scratch_lock);
	free(b->scratch);
	free(b->now);
	registry_free(b->registry);
}

static void finish(struct build *b, size_t target)
{
	struct store_image *image = &b->result->image;
	struct build_stage *st = &b->stages[target];
	const struct strvec *labels = b->o->labels;
	size_t i;

	build_copy_image(image, &st->image);
	free(steal_ptr(&image->reference));
	for (i = 0; labels && i < labels->nr; i++) {
		cleanup_free char *key =
			xstrndup(labels->v[i], strcspn(labels->v[i], "="));
		const char *value = labels->v[i] + strlen(key);

		strvec_env_set(&image->config.labels, key,
			       *value ? value + 1 : "");
	}
	b->result->base_layers = st->base_layers;
	b->result->epoch = b->epoch;
	oci_platform_normalise(&image->config.platform);
	history_finish(&image->config, st->base_history, b->epoch);
	/* another image than its base, even when only text differs */
	image->config_digest[0] = '\0';
	image->manifest[0] = '\0';
}

static void warn_unused(struct build *b)
{
	cleanup_strvec struct strvec unused = STRVEC_INIT;
	size_t i;

	build_eval_unused(b->ev, &unused);
	for (i = 0; i < unused.nr; i++)
		log_warn("the build argument %s is not used by any ARG",
			 unused.v[i]);
}

static int run_all(struct build *b, struct error *err)
{
	size_t target, i;

	if (prepare(b, err) < 0)
		return -1;
	target = build_eval_target(b->ev);
	for (i = 0; i <= target; i++)
		if (build_eval_needed(b->ev, i) && run_stage(b, i, err) < 0)
			return -1;
	warn_unused(b);
	finish(b, target);
	return 0;
}

int build_run(const struct build_options *o, struct build_result *result,
	      struct error *err)
{
	struct build b = { .o = o,
			   .context_fd = -1,
			   .scratch_lock = -1,
			   .result = result };
	int rc = run_all(&b, err);

	release(&b);
	return rc;
}
