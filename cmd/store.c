/* store.c - devenv store: look at, check and clean the local store */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"
#include "cli/cli.h"
#include "cmd/cmd.h"

struct options {
	bool dry_run;
	bool json, mounts;
	char *keep_age, *keep_size;
};

static const struct opt rows[] = {
	{ OPT_BOOL, 'n', "dry-run", NULL, OPT_NO_ENV,
	  "gc: only say what would go", offsetof(struct options, dry_run) },
	{ OPT_STR, 0, "keep-age", "AGE", OPT_NO_ENV,
	  "gc: first forget steps, and images without a name, that were not "
	  "used for so long (36h, 14d)", offsetof(struct options, keep_age) },
	{ OPT_STR, 0, "keep-size", "SIZE", OPT_NO_ENV,
	  "gc: first forget those least recently used, while more than this "
	  "is kept (20GB)", offsetof(struct options, keep_size) },
	{ OPT_BOOL, 0, "cache-mounts", NULL, OPT_NO_ENV,
	  "gc: remove what steps keep with --mount=type=cache, too",
	  offsetof(struct options, mounts) },
	{ OPT_BOOL, 0, "json", NULL, OPT_NO_ENV,
	  "ls, du, gc: print JSON", offsetof(struct options, json) },
	{ OPT_END },
};

static int print_json(const struct json *j, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	json_write(&out, j, true);
	return cli_write(NULL, &out, err);
}

static uint64_t image_size(struct store *s, const struct store_image *i)
{
	uint64_t size = 0;

	for (size_t k = 0; k < i->n_layers; k++) {
		struct store_meta meta;

		if (i->layers[k].desc.size)
			size += i->layers[k].desc.size;
		else if (store_has_layer(s, i->layers[k].id) &&
			 store_get_meta(s, i->layers[k].id, &meta, NULL) == 0)
			size += meta.blob_size ? meta.blob_size : meta.size;
	}
	return size;
}

static struct json *image_json(struct store *s, const char *name,
			       const struct store_image *i)
{
	struct json *j = json_new_object();

	json_set_str(j, "reference", name);
	json_set_str(j, "config_digest", i->config_digest);
	json_set_str(j, "digest", *i->manifest ? i->manifest : NULL);
	json_set_int(j, "layers", (int64_t)i->n_layers);
	json_set_int(j, "size", (int64_t)image_size(s, i));
	return j;
}

static int list(struct store *s, const struct options *o,
		struct cmd_call *call UNUSED, struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *all = json_new_array();

	if (store_list_images(s, &names, err) < 0)
		return -1;
	for (size_t k = 0; k < names.nr; k++) {
		cleanup_store_image struct store_image i = { .n_layers = 0 };
		int found = store_get_image(s, names.v[k], &i, err);

		if (found < 0)
			return -1;
		if (!found)
			continue; /* removed since */
		json_push(all, image_json(s, names.v[k], &i));
		strbuf_addf(&out, "%.12s  ", *i.config_digest
				? digest_hex(i.config_digest) : "-");
		strbuf_add_size(&out, image_size(s, &i));
		strbuf_addf(&out, "  %s\n", names.v[k]);
	}
	return o->json ? print_json(all, err) : cli_write(NULL, &out, err);
}

static int usage(struct store *s, const struct options *o,
		 struct cmd_call *call UNUSED, struct error *err)
{
	static const char *const parts[] = { "blobs", "layers", "images",
					     "cache", "context", "mounts",
					     "run", "tmp", "." };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *all = json_new_object();

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const char *name = str_eq(parts[i], ".") ? "total" : parts[i];
		uint64_t bytes, files;

		if (store_disk_usage(s, parts[i], &bytes, &files, err) < 0)
			return -1;
		json_set_int(all, name, (int64_t)bytes);
		strbuf_addf(&out, "%-8s %8llu files  ", name,
			    (unsigned long long)files);
		strbuf_add_size(&out, bytes);
		strbuf_addch(&out, '\n');
	}
	return o->json ? print_json(all, err) : cli_write(NULL, &out, err);
}

static int gc(struct store *s, const struct options *o,
	      struct cmd_call *call UNUSED, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_json struct json *j = json_new_object();
	struct store_gc_options limits = { .mounts = o->mounts,
					   .dry_run = o->dry_run };
	struct store_gc_result r;

	if ((o->keep_age &&
	     units_age(o->keep_age, &limits.max_age, err) < 0) ||
	    (o->keep_size &&
	     units_size(o->keep_size, &limits.keep_size, err) < 0) ||
	    store_gc(s, &limits, &r, err) < 0)
		return -1;
	json_set_int(j, "images", (int64_t)r.images);
	json_set_int(j, "layers", (int64_t)r.layers);
	json_set_int(j, "blobs", (int64_t)r.blobs);
	json_set_int(j, "cache", (int64_t)r.cache);
	json_set_int(j, "mounts", (int64_t)r.mounts);
	json_set_int(j, "bytes", (int64_t)r.bytes);
	if (o->json)
		return print_json(j, err);
	strbuf_addf(&out, "%s %zu layers, %zu blobs, %zu images, %zu steps: ",
		    o->dry_run ? "would remove" : "removed", r.layers, r.blobs,
		    r.images, r.cache);
	strbuf_add_size(&out, r.bytes);
	strbuf_addch(&out, '\n');
	return cli_write(NULL, &out, err);
}

/* A name as people write it, or an id. */
static int remove_image(struct store *s, const char *name, struct error *err)
{
	cleanup_store_image struct store_image i = { .n_layers = 0 };
	cleanup_oci_ref struct oci_ref ref = { .host = NULL };
	cleanup_free char *full = NULL;
	int found = store_get_image(s, name, &i, err);

	if (found < 0)
		return -1;
	if (found)
		return store_remove_image(s, name, err);
	if (oci_ref_parse(&ref, name, err) < 0)
		return -1;
	full = oci_ref_format(&ref);
	return store_remove_image(s, full, err);
}

static int remove_images(struct store *s, const struct options *o UNUSED,
			 struct cmd_call *call, struct error *err)
{
	if (call->args.nr < 2)
		return error_set(err, ERR_USAGE, "store rm needs an image");
	for (size_t i = 1; i < call->args.nr; i++) {
		if (remove_image(s, call->args.v[i], err) < 0)
			return -1;
	}
	return 0;
}

static void add_finding(void *arg, const char *text)
{
	strbuf_addf(arg, "%s\n", text);
}

static int verify(struct store *s, const struct options *o UNUSED,
		  struct cmd_call *call, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	int n = store_verify(s, add_finding, &out, err);

	if (n < 0 || cli_write(NULL, &out, err) < 0)
		return -1;
	call->status = n ? ERR_NO : 0;
	return 0;
}

static int path(struct store *s, const struct options *o UNUSED,
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
	int (*run)(struct store *s, const struct options *o,
		   struct cmd_call *call, struct error *err);
} verbs[] = {
	{ "ls", false, false, list },	 { "du", false, true, usage },
	{ "gc", false, true, gc },	 { "rm", true, false, remove_images },
	{ "verify", false, true, verify }, { "path", false, false, path },
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

static const struct cmd_table tables[] = { { rows, 0 }, { NULL, 0 } };

const struct cmd cmd_store = {
	.name = "store",
	.summary = "Look at, check and clean the local store.",
	.usage = "store ls [--json]\n"
		 "store du [--json]\n"
		 "store gc [-n] [--keep-age AGE] [--keep-size SIZE]\n"
		 "         [--cache-mounts] [--json]\n"
		 "store rm IMAGE...\n"
		 "store verify\n"
		 "store path",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
