/* build.c - one build: prepare, plan, run, and what comes out */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/build.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/date.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "build/history.h"
#include "build/references.h"
#include "build/share.h"
#include "build/stage.h"

#define JOBS_MIN 4

void build_result_release(struct build_result *r)
{
	size_t i;

	store_image_release(&r->image);
	for (i = 0; i < r->n_steps; i++) {
		free(r->steps[i].text);
		free(r->steps[i].label);
		free(r->steps[i].created);
		free(r->steps[i].expires);
		strvec_release(&r->steps[i].parts);
		strvec_release(&r->steps[i].reasons);
	}
	free(r->steps);
	json_free(r->dependencies);
}

/* Steps often wait for the network or a disk: a few run at once on the
 * smallest machine, too. */
size_t build_jobs(const struct build *b)
{
	cpu_set_t cpus;

	if (b->o->jobs)
		return b->o->jobs;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return JOBS_MIN;
	return (size_t)MAX(CPU_COUNT(&cpus), JOBS_MIN);
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
	if (build_ignore(b->context_fd, dir, b->o->dockerfile, &b->ignore,
			 err) < 0)
		return -1;
	return store_stat_cache_open(b->o->store, dir, &b->stat_cache, err);
}

/* Everything that is refused is told at once, and before any request. What is
 * wrong with the file is told when it is read in earnest. */
static int ask_first(struct build *b, const struct build_eval_options *eo,
		     struct error *err)
{
	cleanup_build_references struct build_references list = { 0 };

	if (build_references_find(&list, &b->df, eo, NULL) < 0)
		log_debug("what is wrong with %s is told later", b->o->name);
	return build_references_ask(&list, b->o->name, err);
}

int build_prepare(struct build *b, struct error *err)
{
	const struct build_options *o = b->o;
	cleanup_oci_platform struct oci_platform host = { 0 };
	struct build_eval_options eo = { .build_args = o->args,
					 .target = o->target,
					 .platform = &o->platform,
					 .build_platform = &host,
					 .named = o->named,
					 .features = o->features };

	oci_platform_host(&host);
	if (dockerfile_parse(&b->df, o->name, o->text, o->text_len, err) < 0)
		return -1;
	if (build_lint_begin(&b->lint, &b->df, o->args, err) < 0)
		return -1;
	lint_warn(&b->lint);
	if (gate_strict() && ask_first(b, &eo, err) < 0)
		return -1;
	eo.lint = &b->lint;
	if (build_eval_new(&b->ev, &b->df, &eo, err) < 0)
		return -1;
	b->n_stages = build_eval_count(b->ev);
	b->stages = xcalloc(b->n_stages, sizeof(*b->stages));
	b->scratch = store_scratch(o->store, &b->scratch_lock, err);
	if (!b->scratch)
		return -1;
	b->trees = path_join(b->scratch, "trees");
	if (source_epoch(b, err) < 0)
		return -1;
	b->epoch = build_eval_epoch(b->ev);
	b->now = date_format(time(NULL));
	if (open_context(b, err) < 0)
		return -1;
	build_eval_ignore(b->ev, b->ignore);
	return 0;
}

void build_release(struct build *b)
{
	size_t i;

	for (i = 0; i < b->n_stages; i++)
		stage_release(&b->stages[i]);
	free(b->stages);
	free(b->made.v);
	source_release_all(b);
	resolve_release(b);
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
	free(b->trees);
	free(b->now);
	registry_free(b->registry);
	registry_free(b->share);
	strvec_release(&b->dead);
}

void build_set_labels(const struct build *b, struct oci_config *c)
{
	const struct strvec *labels = b->o->labels;
	size_t i;

	build_put_metadata(b->o->metadata, c);
	for (i = 0; labels && i < labels->nr; i++) {
		cleanup_free char *key =
			xstrndup(labels->v[i], strcspn(labels->v[i], "="));
		const char *value = labels->v[i] + strlen(key);

		strvec_env_set(&c->labels, key, *value ? value + 1 : "");
	}
	oci_platform_normalise(&c->platform);
}

/* An image that somebody else has built, or another commit, is the same but
 * for what its manifest tells of this build. */
static void annotate(struct build *b, const struct build_stage *st)
{
	struct store_image *image = &b->result->image;
	struct json *own = dependencies_annotations(b, st);
	bool same = own && image->annotations
			    ? json_equal(own, image->annotations)
			    : own == image->annotations;

	json_free(image->annotations);
	image->annotations = own;
	if (!same)
		image->manifest[0] = '\0';
}

static void finish(struct build *b, size_t target)
{
	struct store_image *image = &b->result->image;
	struct build_stage *st = &b->stages[target];

	b->result->base_layers = st->base_layers;
	b->result->epoch = b->epoch;
	b->result->dependencies = dependencies_json(b);
	if (b->known) {
		annotate(b, st);
		return;
	}
	build_copy_image(image, &st->image);
	free(steal_ptr(&image->reference));
	build_set_labels(b, &image->config);
	history_finish(&image->config, st->base_history, b->epoch);
	/* another image than its base, even when only text differs */
	image->config_digest[0] = '\0';
	image->manifest[0] = '\0';
	annotate(b, st);
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

enum { RUN_DONE, RUN_ALONE, RUN_AGAIN };

static int run_all(struct build *b, struct error *err)
{
	if (build_prepare(b, err) < 0 || plan_all(b, err) < 0)
		return -1;
	if (b->again)
		return RUN_AGAIN;
	if (!b->known && schedule_run(b, err) < 0)
		return -1;
	warn_unused(b);
	finish(b, build_eval_target(b->ev));
	return share_publish(b, err);
}

/* Why it is done once more: what a step cache promised may be gone from its
 * registry, and forgotten, those steps run as if nobody had promised anything.
 * Or the cache taught the store another chain of layers. */
static int run_once(const struct build_options *o, struct build_result *result,
		    struct error *err)
{
	struct build b = { .o = o,
			   .context_fd = -1,
			   .scratch_lock = -1,
			   .started = clock_seconds(),
			   .result = result };
	cleanup_error struct error why = ERROR_INIT;
	int rc = run_all(&b, &why);

	if (rc < 0 && b.lost) {
		log_warn("what a step cache promised is not to be had, so it "
			 "is made again: %s", why.msg);
		rc = share_forget(&b, err) < 0 ? -1 : RUN_ALONE;
	} else if (rc < 0) {
		error_move(err, &why);
	}
	result->seconds = clock_seconds() - b.started;
	build_release(&b);
	return rc;
}

int build_run(const struct build_options *o, struct build_result *result,
	      struct error *err)
{
	struct build_options alone = *o;
	int rc = run_once(o, result, err), tries;

	/* Other builds may learn the same promise meanwhile. */
	alone.cache_from = NULL;
	for (tries = 0; rc > RUN_DONE && tries < 3; tries++) {
		alone.cache_renew = rc == RUN_ALONE;
		build_result_release(result);
		*result = (struct build_result){ 0 };
		rc = run_once(&alone, result, err);
	}
	if (rc > 0)
		return error_set(err, ERR_NETWORK,
				 "layers of cached steps are not to be had");
	return rc;
}
