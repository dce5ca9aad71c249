/* build.c - what a configuration says about the image to build */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "base/path.h"
#include "devcontainer/feature.h"
#include "devcontainer/internal.h"
#include "devcontainer/run.h"

void devcontainer_build_release(struct devcontainer_build *b)
{
	free(b->dockerfile);
	free(b->context);
	free(b->text);
	free(b->target);
	free(b->platform);
	strvec_release(&b->args);
	strvec_release(&b->cache_from);
	json_free(b->features);
	json_free(b->options);
	strvec_release(&b->warnings);
	*b = (struct devcontainer_build)DEVCONTAINER_BUILD_INIT;
}

struct builder {
	struct devcontainer_build *b;
	const struct devcontainer *dc;
	const struct json *config;
	const struct devcontainer_scope *scope;
	struct error *err;
};

static int fail_at(struct builder *bd, const char *outer, const char *inner,
		   const char *path)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;

	if (outer)
		strvec_push(&keys, outer);
	strvec_push(&keys, inner);
	devcontainer_fail(bd->dc, &keys, false, bd->err,
			  "'%s' is outside of '%s'", path,
			  bd->scope->mount_root);
	return error_hint(bd->err,
			  "files of a build must lie in the repository");
}

/* A path relative to the configuration file, kept inside the repository. */
static int resolve(struct builder *bd, const char *outer, const char *inner,
		   const char *path, char **out)
{
	cleanup_free char *dir = path_dir(bd->scope->config_file);
	cleanup_free char *full = path_resolve(dir, path);

	if (!path_within(full, bd->scope->mount_root))
		return fail_at(bd, outer, inner, path);
	*out = steal_ptr(&full);
	return 0;
}

static int set_files(struct builder *bd)
{
	const struct json *build = json_get(bd->config, "build");
	const char *legacy = json_get_str(bd->config, "dockerFile");
	const char *outer = legacy ? NULL : "build";
	const char *file, *context;

	file = legacy ? legacy : json_get_str(build, "dockerfile");
	if (!file)
		return 0;
	context = json_get_str(legacy ? bd->config : build, "context");
	if (resolve(bd, outer, legacy ? "dockerFile" : "dockerfile", file,
		    &bd->b->dockerfile) < 0)
		return -1;
	if (context && *context)
		return resolve(bd, outer, "context", context, &bd->b->context);
	/* The tools take the Dockerfile's folder, not the specification's
	 * "." (the configuration's folder). */
	bd->b->context = path_dir(bd->b->dockerfile);
	return 0;
}

static void set_args(struct builder *bd)
{
	const struct json *build = json_get(bd->config, "build");
	const struct json *m = json_first(json_get(build, "args"));

	for (; m; m = json_next(m))
		strvec_env_set(&bd->b->args, json_key(m), json_str(m));
	bd->b->target = xstrdup_null(json_get_str(build, "target"));
	json_get_strings(json_get(build, "cacheFrom"), &bd->b->cache_from);
}

static void note_at(struct builder *bd, const struct strvec *path,
		    const char *text)
{
	cleanup_error struct error at = ERROR_INIT;

	devcontainer_fail(bd->dc, path, false, &at, "%s", text);
	strvec_push(&bd->b->warnings, at.msg);
}

static void note_option(void *arg, size_t i, const char *text)
{
	struct builder *bd = arg;
	static const char *const keys[] = { "build", "options", NULL };
	cleanup_strvec struct strvec path = STRVEC_INIT;

	strvec_push_all(&path, keys);
	strvec_pushf(&path, "%zu", i);
	note_at(bd, &path, text);
}

/* Whoever fills a cache decides what later builds of anybody get from it. */
static void note_cache(struct builder *bd)
{
	static const char *const keys[] = { "build", "cacheFrom", NULL };
	cleanup_strvec struct strvec path = STRVEC_INIT;

	strvec_push_all(&path, keys);
	if (bd->b->cache_from.nr)
		note_at(bd, &path,
			"'cacheFrom' is not acted on; --cache-from reads a "
			"step cache that you trust");
}

/* A name that can be none is told where it stands, before anything is
 * fetched. */
static int check_feature(struct builder *bd, const char *id,
			 const struct devcontainer_feature_place *place)
{
	cleanup_devcontainer_feature_ref struct devcontainer_feature_ref ref = {
		0
	};
	cleanup_error struct error why = ERROR_INIT;
	cleanup_strvec struct strvec path = STRVEC_INIT;

	if (devcontainer_feature_ref_parse(&ref, id, place, &why) == 0)
		return 0;
	strvec_push(&path, "features");
	strvec_push(&path, id);
	devcontainer_fail(bd->dc, &path, true, bd->err, "%s", why.msg);
	return why.hint ? error_hint(bd->err, "%s", why.hint) : -1;
}

static int set_features(struct builder *bd)
{
	const struct json *m = json_first(json_get(bd->config, "features"));
	cleanup_devcontainer_feature_place
		struct devcontainer_feature_place place = { 0 };

	if (!m)
		return 0;
	devcontainer_feature_place_of(&place, bd->scope->config_file);
	bd->b->features = json_new_array();
	for (; m; m = json_next(m)) {
		struct json *f = json_push(bd->b->features, json_new_object());
		cleanup_strvec struct strvec path = STRVEC_INIT;
		cleanup_free char *where = NULL;

		if (check_feature(bd, json_key(m), &place) < 0)
			return -1;
		strvec_push(&path, "features");
		strvec_push(&path, json_key(m));
		where = devcontainer_position(bd->dc, &path);
		json_set_str(f, "id", json_key(m));
		json_set(f, "options", json_dup(m));
		json_set_str(f, "where", where);
	}
	return 0;
}

/* Without compose files there are none. */
static void note_services(struct builder *bd)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (!json_get(bd->config, "runServices") ||
	    json_get(bd->config, "dockerComposeFile"))
		return;
	devcontainer_where(bd->dc, "runServices", &text);
	strbuf_addstr(&text, "'runServices' is not acted on");
	strvec_push(&bd->b->warnings, text.buf);
}

/* What the runner leaves out, at the element it is about. */
static void note_run(struct builder *bd)
{
	cleanup_devcontainer_run struct devcontainer_run r =
		DEVCONTAINER_RUN_INIT;

	devcontainer_run_get(&r, bd->config);
	for (size_t i = 0; i < r.n_notes; i++) {
		const struct devcontainer_note *n = &r.notes[i];
		cleanup_strvec struct strvec path = STRVEC_INIT;

		strvec_push(&path, n->property);
		if (n->index != SIZE_MAX)
			strvec_pushf(&path, "%zu", n->index);
		note_at(bd, &path, n->text);
	}
}

static int set_image(struct builder *bd, const char *fallback)
{
	const char *image = json_get_str(bd->config, "image");
	struct strvec top = STRVEC_INIT;

	/* Of compose files the caller knows more. */
	if (json_get(bd->config, "dockerComposeFile") || bd->b->dockerfile)
		return 0;
	if (!image || !*image)
		image = fallback;
	if (!image)
		return devcontainer_fail(bd->dc, &top, false, bd->err,
					 "neither image, build.dockerfile nor "
					 "dockerComposeFile is given");
	if (image[strcspn(image, " \t\r\n\\`\"'$")]) {
		cleanup_strvec struct strvec path = STRVEC_INIT;

		strvec_push(&path, "image");
		return devcontainer_fail(bd->dc, &path, false, bd->err,
					 "'%s' is not an image name", image);
	}
	bd->b->text = xstrfmt("FROM %s\n", image);
	return 0;
}

int devcontainer_build_get(struct devcontainer_build *b,
			   const struct devcontainer *dc,
			   const struct json *config,
			   const struct devcontainer_scope *scope,
			   const char *fallback, struct error *err)
{
	cleanup_devcontainer_build struct devcontainer_build got =
		DEVCONTAINER_BUILD_INIT;
	struct builder bd = { &got, dc, config, scope, err };

	if (!json_get(config, "dockerComposeFile") && set_files(&bd) < 0)
		return -1;
	if (set_image(&bd, fallback) < 0)
		return -1;
	set_args(&bd);
	note_cache(&bd);
	devcontainer_build_options(&got,
				   json_get(json_get(config, "build"),
					    "options"),
				   note_option, &bd);
	if (set_features(&bd) < 0)
		return -1;
	note_services(&bd);
	note_run(&bd);
	*b = got;
	got = (struct devcontainer_build)DEVCONTAINER_BUILD_INIT;
	return 0;
}
