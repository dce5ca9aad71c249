/* store.c - devenv store: look at, check and clean the local store */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"
#include "cli/caches.h"
#include "cmd/store.h"

static const struct opt rows[] = {
	{ OPT_BOOL, 'n', "dry-run", NULL, OPT_NO_ENV,
	  "gc, verify --repair: only say what would be done",
	  offsetof(struct store_command, dry_run) },
	{ OPT_BOOL, 0, "repair", NULL, OPT_NO_ENV,
	  "verify: mend what is found, or remove it with what needs it",
	  offsetof(struct store_command, repair) },
	{ OPT_STR, 0, "keep-age", "AGE", OPT_NO_ENV,
	  "gc: first forget steps, and images without a name, that were not "
	  "used for so long (36h, 14d)",
	  offsetof(struct store_command, keep_age) },
	{ OPT_STR, 0, "keep-size", "SIZE", OPT_NO_ENV,
	  "gc: first forget those least recently used, while more than this "
	  "is kept (20GB)",
	  offsetof(struct store_command, keep_size) },
	{ OPT_STR, 0, "cache-repo", "CACHE", OPT_NO_ENV,
	  "gc: collect this cache, and not the store",
	  offsetof(struct store_command, cache_repo) },
	{ OPT_BOOL, 0, "cache-mounts", NULL, OPT_NO_ENV,
	  "gc: remove what steps keep with --mount=type=cache, too",
	  offsetof(struct store_command, mounts) },
	{ OPT_ENUM, 0, "format", "text|json", OPT_NO_ENV,
	  "ls, du, gc: form of the result",
	  offsetof(struct store_command, format) },
	{ OPT_BOOL, 0, "json", NULL, OPT_NO_ENV, "the same as --format=json",
	  offsetof(struct store_command, json) },
	{ OPT_END },
};

static int gc_cache(const struct store_command *o, struct error *err)
{
	const struct cli_cache c = {
		.place = o->cache_repo,
		.keep_age = o->keep_age,
		.keep_size = o->keep_size,
		.dry_run = o->dry_run,
		.json = store_wants_json(o),
	};
	struct registry_options access;

	cli_registry_options(&o->registry, &access);
	return cli_cache_collect(&c, &access, err);
}

static int gc(struct store *s, const struct store_command *o,
	      struct cmd_call *call UNUSED, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *j = json_new_object();
	struct store_gc_options limits = { .mounts = o->mounts,
					   .dry_run = o->dry_run };
	struct store_gc_result r;
	struct cli_keep keep;

	if (o->cache_repo)
		return gc_cache(o, err);
	if (cli_keep_parse(&keep, o->keep_age, o->keep_size, err) < 0)
		return -1;
	limits.max_age = keep.age;
	limits.keep_size = keep.size;
	if (store_gc(s, &limits, &r, err) < 0)
		return -1;
	json_set_int(j, "images", (int64_t)r.images);
	json_set_int(j, "layers", (int64_t)r.layers);
	json_set_int(j, "blobs", (int64_t)r.blobs);
	json_set_int(j, "cache", (int64_t)r.cache);
	json_set_int(j, "mounts", (int64_t)r.mounts);
	json_set_int(j, "contexts", (int64_t)r.contexts);
	json_set_int(j, "bytes", (int64_t)r.bytes);
	if (store_wants_json(o))
		return store_print_json(j, err);
	strbuf_addf(&out, "%s %zu layer%s, %zu blob%s, %zu image%s, "
		    "%zu step%s: ", o->dry_run ? "would remove" : "removed",
		    r.layers, units_s(r.layers), r.blobs, units_s(r.blobs),
		    r.images, units_s(r.images), r.cache, units_s(r.cache));
	strbuf_add_size(&out, r.bytes);
	strbuf_addch(&out, '\n');
	return cli_write(NULL, &out, err);
}

/* --- rm --- */

/* Images that are to go, all checked before the first one goes. */
struct removal {
	struct store *s;
	struct store_images images;
	struct env_info *envs;
	size_t n_envs;
	struct strvec names; /* as the store knows them */
};

static void removal_release(struct removal *r)
{
	store_images_release(&r->images);
	for (size_t i = 0; i < r->n_envs; i++)
		env_info_release(&r->envs[i]);
	free(r->envs);
	strvec_release(&r->names);
}

static bool has_layers(const struct env_info *env,
		       const struct store_image *image)
{
	if (!image->n_layers || env->layers.nr != image->n_layers)
		return false;
	for (size_t i = 0; i < image->n_layers; i++)
		if (!str_eq(env->layers.v[i], image->layers[i].id))
			return false;
	return true;
}

/* Without this name, is the image still there? */
static bool has_other_name(const struct removal *r,
			   const struct store_image *image, const char *name)
{
	for (size_t i = 0; i < r->images.nr; i++) {
		const struct store_image_use *u = &r->images.v[i];

		if (str_eq(u->image.config_digest, image->config_digest))
			return u->references.nr > 1 &&
			       strvec_has(&u->references, name);
	}
	return false;
}

static int check_unused(const struct removal *r, const char *name,
			const struct store_image *image, struct error *err)
{
	const bool stays = has_other_name(r, image, name);

	for (size_t i = 0; i < r->n_envs; i++) {
		const struct env_info *env = &r->envs[i];

		if (!str_eq_null(env->image, name) &&
		    (stays || !has_layers(env, image)))
			continue;
		error_set(err, ERR_REFUSED,
			  "the image '%s' is used by the environment '%s'",
			  name, env->name);
		return error_hint(err, "'devenv rm %s' removes that first",
				  env->name);
	}
	return 0;
}

/* A name as people write it, or an id. */
static int plan_removal(struct removal *r, const char *word, struct error *err)
{
	cleanup_store_image struct store_image i = { .n_layers = 0 };
	cleanup_oci_ref struct oci_ref ref = { .host = NULL };
	cleanup_free char *full = xstrdup(word);
	int found = store_get_image(r->s, word, &i, err);

	if (found < 0)
		return -1;
	if (!found) {
		if (oci_ref_parse(&ref, word, err) < 0)
			return -1;
		free(full);
		full = oci_ref_format(&ref);
		found = store_get_image(r->s, full, &i, err);
	}
	if (found < 0)
		return -1;
	if (!found)
		return error_set(err, ERR_NO, "there is no image '%s'", full);
	if (i.base)
		return error_set(err, ERR_REFUSED,
				 "the image '%s' is in the "
				 "base store '%s', which is never changed",
				 full, i.base);
	if (check_unused(r, full, &i, err) < 0)
		return -1;
	strvec_push(&r->names, full);
	return 0;
}

static int remove_planned(struct removal *r, struct error *err)
{
	for (size_t i = 0; i < r->names.nr; i++) {
		cleanup_error struct error why = ERROR_INIT;

		/* One may have gone with its id. */
		if (store_remove_image(r->s, r->names.v[i], &why) < 0 &&
		    why.code != ERR_NO)
			return error_move(err, &why);
	}
	return 0;
}

static int remove_images(struct store *s, const struct store_command *o UNUSED,
			 struct cmd_call *call, struct error *err)
{
	CLEANUP(removal_release) struct removal r = { .s = s };

	if (call->args.nr < 2)
		return error_set(err, ERR_USAGE, "store rm needs an image");
	if (store_images(s, &r.images, err) < 0 ||
	    env_list(s, &r.envs, &r.n_envs, err) < 0)
		return -1;
	for (size_t i = 1; i < call->args.nr; i++)
		if (plan_removal(&r, call->args.v[i], err) < 0)
			return -1;
	return remove_planned(&r, err);
}

static int path(struct store *s, const struct store_command *o UNUSED,
		struct cmd_call *call UNUSED, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "%s\n", store_path(s));
	return cli_write(NULL, &out, err);
}

static const struct verb {
	const char *name;
	bool words;  /* takes more */
	bool layers; /* looks into them */
	int (*run)(struct store *s, const struct store_command *o,
		   struct cmd_call *call, struct error *err);
} verbs[] = {
	{ "ls", false, false, store_show_list },
	{ "du", false, true, store_show_usage },
	{ "gc", false, true, gc },
	{ "rm", true, false, remove_images },
	{ "verify", false, true, store_do_verify },
	{ "path", false, false, path },
};

/* Files of layers may belong to ids that are ours in a namespace only. */
static int open_store(const struct cmd_call *call, bool layers,
		      struct store **s, struct error *err)
{
	return layers ? cli_open_store(call->globals->store, RUNTIME_AUTO, s,
				       NULL, err)
		      : cli_read_store(call->globals->store, s, err);
}

static int run(struct cmd_call *call, struct error *err)
{
	const char *word = call->args.nr ? call->args.v[0] : "";
	cleanup_store struct store *s = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!str_eq(word, verbs[i].name))
			continue;
		if (!verbs[i].words && cmd_words(call, 1, 1, err) < 0)
			return -1;
		if (open_store(call, verbs[i].layers, &s, err) < 0)
			return -1;
		return verbs[i].run(s, call->options, call, err);
	}
	if (*word)
		error_set(err, ERR_USAGE, "unknown store command '%s'", word);
	else
		error_set(err, ERR_USAGE, "store needs a command");
	return error_hint(err, "use ls, du, gc, rm, verify or path");
}

static const struct cmd_table tables[] = {
	{ rows, 0 },
	{ cli_registry_rows, offsetof(struct store_command, registry) },
	{ NULL, 0 },
};

const struct cmd cmd_store = {
	.name = "store",
	.summary = "Look at, check and clean the local store.",
	.usage = "store ls [--format=text|json]\n"
		 "store du [--format=text|json]\n"
		 "store gc [-n] [--keep-age AGE] [--keep-size SIZE]\n"
		 "         [--cache-mounts] [--cache-repo CACHE]\n"
		 "         [--format=text|json]\n"
		 "store rm IMAGE...\n"
		 "store verify [--repair [-n]]\n"
		 "store path",
	.tables = tables,
	.size = sizeof(struct store_command),
	.run = run,
};
