/* places.c - where a change means another build */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "base/watch.h"
#include "cli/features.h"
#include "cli/places.h"

static void forget(struct cli_places *w)
{
	free(steal_ptr(&w->context));
	free(steal_ptr(&w->dockerfile));
	free(steal_ptr(&w->config));
	strvec_release(&w->named);
	strvec_release(&w->features);
	dockerfile_ignore_free(w->ignore);
	w->ignore = NULL;
}

void cli_places_release(struct cli_places *w)
{
	forget(w);
	watch_free(w->watch);
	w->watch = NULL;
}

/* A directory that is left out, by name or by the ignore rules, is not
 * looked into. */
static bool is_source(void *arg, const char *path)
{
	const struct cli_places *w = arg;
	const char *below = w->context ? path_below(path, w->context) : NULL;
	cleanup_free char *name = path_base(path);
	struct dockerfile_ignore_dir state = { 0 };
	bool out = false;
	size_t i;

	if (str_eq(name, ".git"))
		return false;
	if (!w->ignore || !below || !*below)
		return true;
	for (i = 1; i <= strlen(below) && !out; i++) {
		struct dockerfile_ignore_dir sub = { 0 };
		cleanup_free char *part = NULL;

		if (below[i] && below[i] != '/')
			continue;
		part = xstrndup(below, i);
		out = dockerfile_ignored(w->ignore, part, &state, &sub) &&
		      !dockerfile_ignore_walk(w->ignore, part);
		free(state.matched);
		state = sub;
	}
	free(state.matched);
	return !out;
}

static bool is_relevant(void *arg, const char *path)
{
	const struct cli_places *w = arg;
	size_t i;

	if (w->dockerfile && str_eq(path, w->dockerfile))
		return true;
	if (str_ends(path, ".dockerignore"))
		return true;
	if (w->config && str_eq(path, w->config))
		return true;
	for (i = 0; i < w->features.nr; i++)
		if (path_within(path, w->features.v[i]))
			return true;
	for (i = 0; i < w->named.nr; i++)
		if (path_within(path, w->named.v[i]))
			return is_source(arg, path);
	return w->context && path_within(path, w->context) &&
	       is_source(arg, path);
}

/* Directories that --build-context names. */
static void read_named(struct cli_places *w, const struct cli_build_options *b)
{
	cleanup_build_named struct build_named_list list = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	size_t i;

	/* What is wrong with them the build says. */
	if (cli_build_contexts(b, &list, &err) < 0)
		return;
	for (i = 0; i < list.nr; i++)
		if (list.v[i].kind == BUILD_NAMED_DIR)
			strvec_push(&w->named, list.v[i].value);
}

static int read_ignore(struct cli_places *w, const struct record_plan *plan,
		       struct error *err)
{
	cleanup_close int fd = open(w->context, O_PATH | O_DIRECTORY |
							O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", w->context);
	return build_ignore(fd, w->context, plan->dockerfile, &w->ignore, err);
}

/* Places by the newest plan. A plan that is wrong just now leaves those of
 * the last one, plus the directory that was named. */
static void read_places(struct cli_places *w, const struct strvec *words,
			const struct cli_project_options *o)
{
	cleanup_cli_round struct cli_round r = {
		.project = CLI_PROJECT_INIT, .plan = RECORD_PLAN_INIT
	};
	cleanup_error struct error err = ERROR_INIT;
	const struct cli_project *p = &r.project;

	if (cli_project_find(&r.project, words, o, &err) < 0)
		return;
	if (cli_project_plan(p, o, &r.plan, &err) < 0)
		error_release(&err);
	forget(w);
	w->context = xstrdup(r.plan.context ? r.plan.context : p->dir);
	w->dockerfile = xstrdup_null(r.plan.dockerfile);
	w->config = xstrdup_null(p->file);
	cli_features_dirs(&r.plan, &w->features);
	if (read_ignore(w, &r.plan, &err) < 0)
		log_warn("%s", err.msg);
}

int cli_places_watch(struct cli_places *w, const struct strvec *words,
		     const struct cli_project_options *o,
		     const struct cli_build_options *b, struct error *err)
{
	const char *files[2];
	size_t i;

	read_places(w, words, o);
	strvec_release(&w->named);
	read_named(w, b);
	watch_free(w->watch);
	w->watch = NULL;
	if (watch_new(&w->watch, err) < 0)
		return -1;
	if (!w->context)
		w->context = path_absolute(".");
	if (watch_add(w->watch, w->context, true, is_source, w, err) < 0)
		return -1;
	for (i = 0; i < w->named.nr; i++)
		if (watch_add(w->watch, w->named.v[i], true, is_source, w,
			      err) < 0)
			return -1;
	for (i = 0; i < w->features.nr; i++)
		if (watch_add(w->watch, w->features.v[i], true, NULL, NULL,
			      err) < 0)
			return -1;
	files[0] = w->dockerfile;
	files[1] = w->config;
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		cleanup_free char *dir = files[i] ? path_dir(files[i]) : NULL;

		if (dir && watch_add(w->watch, dir, false, NULL, NULL, err) <
				   0)
			return -1;
	}
	return 0;
}

int cli_places_fd(const struct cli_places *w)
{
	return watch_fd(w->watch);
}

bool cli_places_changed(struct cli_places *w)
{
	return watch_read(w->watch, is_relevant, w);
}
