/* push.c - devenv push: an image of the store, a layout, an archive */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "build/build.h"
#include "cli/cli.h"
#include "cmd/cmd.h"

struct options {
	struct cli_registry registry;
	struct cli_platform platform;
};

static const struct cmd_table tables[] = {
	{ cli_platform_rows, offsetof(struct options, platform) },
	{ cli_registry_rows, offsetof(struct options, registry) },
	{ 0 },
};

/* What is pushed, and the record it is said in. */
struct work {
	struct store *store;
	struct registry *registry;
	struct registry_options options;
	struct oci_platform platform;
	struct store_image image;
	char *path, *tag; /* of a layout or archive */
	const char *layout; /* directory; NULL: the image is in the store */
	struct build_archive archive;
	struct build_manifest manifest;
	struct record record;
};

static void work_release(struct work *w)
{
	registry_free(w->registry);
	oci_platform_release(&w->platform);
	store_image_release(&w->image);
	build_archive_release(&w->archive);
	free(w->path);
	free(w->tag);
	build_manifest_release(&w->manifest);
	record_release(&w->record);
	store_close(w->store);
}

static int find(struct work *w, const char *name, struct error *err)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_free char *full = NULL;
	int rc = store_get_image(w->store, name, &w->image, err);

	if (rc == 0 && oci_ref_parse(&ref, name, NULL) == 0) {
		full = oci_ref_format(&ref);
		rc = store_get_image(w->store, full, &w->image, err);
	}
	if (rc)
		return rc < 0 ? -1 : 0;
	error_set(err, ERR_INPUT, "no image '%s' in the store", name);
	return error_hint(err, "'devenv store ls' names those there are");
}

static int from_record(struct work *w, const char *name, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct json *image;
	const char *id;

	if (fs_read_file(name, RECORD_MAX, &text, err) < 0)
		return -1;
	if (record_parse(&w->record, name, text.buf, text.len, err) < 0)
		return -1;
	image = record_get(&w->record, "image");
	id = json_get_str(image, "config_digest");
	if (!id)
		id = json_get_str(image, "reference");
	if (!id) {
		error_set(err, ERR_INPUT, "%s: the record names no image",
			  name);
		return error_hint(err, "make one with 'devenv build %s'",
				  name);
	}
	return find(w, id, err);
}

static int from_name(struct work *w, const char *name, struct error *err)
{
	if (find(w, name, err) < 0)
		return -1;
	record_new(&w->record);
	cli_image_record(&w->record, w->store, &w->image);
	return 0;
}

/* Is this file, or "-", a record? 1, 0, -1. */
static int is_record(const char *name, int fd, struct error *err)
{
	enum cli_input kind;
	char head[512];
	ssize_t n;

	if (str_eq(name, "-")) {
		if (cli_input_kind(&kind, err) < 0)
			return -1;
		return kind != INPUT_TAR;
	}
	n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return error_errno(err, "cannot read '%s'", name);
	return record_detect(head, (size_t)n);
}

static int from_file(struct work *w, const char *name, struct error *err)
{
	cleanup_close int file = -1;
	int rc, fd = STDIN_FILENO;

	if (!str_eq(name, "-"))
		fd = file = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_errno_code(err, ERR_INPUT, "cannot open '%s'",
					name);
	rc = is_record(name, fd, err);
	if (rc)
		return rc < 0 ? -1 : from_record(w, name, err);
	record_new(&w->record);
	if (build_archive_load(&w->archive, w->store, fd, w->tag,
			       &w->platform, &w->manifest, err) < 0)
		return error_wrap(err, "%s", name);
	w->layout = w->archive.dir;
	return 0;
}

static int from_layout(struct work *w, struct error *err)
{
	record_new(&w->record);
	w->layout = w->path;
	return build_layout_load(w->path, w->tag, &w->platform, &w->manifest,
				 err);
}

/* "oci:DIR:TAG" and the like, as skopeo has them. */
static bool split_name(struct work *w, const char *name)
{
	static const char *const kinds[] = { "oci:", "oci-archive:",
					     "docker-archive:" };
	const char *rest = NULL, *tag;
	size_t i, n;

	for (i = 0; i < ARRAY_SIZE(kinds) && !rest; i++)
		rest = str_skip(name, kinds[i]);
	if (!rest)
		rest = name;
	n = rest == name ? strlen(rest) : strcspn(rest, ":");
	tag = rest + n;
	w->path = xstrndup(rest, n);
	w->tag = *tag ? xstrdup(tag + 1) : NULL;
	return rest != name;
}

static int load(struct work *w, const char *name, struct error *err)
{
	bool explicit = split_name(w, name);
	cleanup_free char *mark = path_join(w->path, "oci-layout");

	if (str_starts(name, "oci:") || fs_is_file(mark))
		return from_layout(w, err);
	if (explicit || str_eq(name, "-") || fs_is_file(name))
		return from_file(w, w->path, err);
	return from_name(w, name, err);
}

static int push_one(struct work *w, const struct oci_ref *to,
		    struct error *err)
{
	if (w->layout)
		return build_layout_push(w->layout, w->registry, &w->manifest,
					 to, err);
	return build_push(w->store, w->registry, &w->image, &w->manifest, to,
			  err);
}

static int push_all(struct work *w, const struct oci_ref *refs, size_t n,
		    struct error *err)
{
	struct json *pushed;
	size_t i;

	if (registry_new(&w->registry, &w->options, err) < 0)
		return -1;
	if (!w->layout &&
	    build_materialize(w->store, &w->registry, &w->options, &w->image,
			      &w->manifest, err) < 0)
		return -1;
	pushed = json_new_array();
	record_set(&w->record, "pushed", pushed);
	for (i = 0; i < n; i++) {
		cleanup_free char *name = oci_ref_format(&refs[i]);
		struct json *one;

		if (push_one(w, &refs[i], err) < 0)
			return -1;
		one = json_push(pushed, json_new_object());
		json_set_str(one, "reference", name);
		json_set_str(one, "digest", w->manifest.digest);
	}
	if (record_get(&w->record, "image"))
		json_set_str(record_get(&w->record, "image"), "digest",
			     w->manifest.digest);
	return cli_record_write(&w->record, err);
}

/* All references are read before anything is sent. */
static int parse_refs(const struct cmd_call *call, struct oci_ref *refs,
		      struct error *err)
{
	size_t i;

	for (i = 1; i < call->args.nr; i++) {
		const char *name = call->args.v[i];

		if (oci_ref_parse(&refs[i - 1], name, err) < 0)
			return -1;
		if (refs[i - 1].digest)
			return error_set(err, ERR_USAGE,
					 "'%s': what is pushed decides the "
					 "digest; name a tag",
					 name);
	}
	return 0;
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	CLEANUP(work_release) struct work w = {
		.archive = BUILD_ARCHIVE_INIT,
		.manifest = BUILD_MANIFEST_INIT,
		.record = RECORD_INIT,
	};
	cleanup_free struct oci_ref *refs = NULL;
	size_t n = call->args.nr, i;
	int rc;

	if (cmd_words(call, 2, SIZE_MAX, err) < 0)
		return -1;
	refs = xcalloc(n, sizeof(*refs));
	cli_registry_options(&o->registry, &w.options);
	rc = parse_refs(call, refs, err);
	if (!rc)
		rc = cli_platform_get(&o->platform, &w.platform, err);
	if (!rc)
		rc = cli_open_store(call->globals->store, RUNTIME_AUTO,
				    &w.store, NULL, err);
	if (!rc)
		rc = load(&w, call->args.v[0], err);
	if (!rc)
		rc = push_all(&w, refs, n - 1, err);
	for (i = 0; i < n; i++)
		oci_ref_release(&refs[i]);
	return rc;
}

const struct cmd cmd_push = {
	.name = "push",
	.summary = "Send an image of the store to a registry.",
	.usage = "push [OPTION...] IMAGE|RECORD|LAYOUT|ARCHIVE|- REF...",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
