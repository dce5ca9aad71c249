/* pushed.c - from a name to what is pushed: store, layout, archive, record */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "cli/pushed.h"

void cli_pushed_release(struct cli_pushed *p)
{
	oci_platform_release(&p->platform);
	store_image_release(&p->image);
	build_archive_release(&p->archive);
	free(p->path);
	free(p->tag);
	build_manifest_release(&p->manifest);
	build_whole_release(&p->whole);
	base_close_fd(&p->dir);
	record_release(&p->record);
}

static int find(struct cli_pushed *p, const char *name, struct error *err)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_free char *full = NULL;
	int rc = store_get_image(p->store, name, &p->image, err);

	if (rc == 0 && oci_ref_parse(&ref, name, NULL) == 0) {
		full = oci_ref_format(&ref);
		rc = store_get_image(p->store, full, &p->image, err);
	}
	if (rc)
		return rc < 0 ? -1 : 0;
	error_set(err, ERR_INPUT, "no image '%s' in the store", name);
	return error_hint(err, "'devenv store ls' names those there are");
}

static int from_record(struct cli_pushed *p, const char *name,
		       struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct json *image;
	const char *id;

	if (fs_read_file(name, RECORD_MAX, &text, err) < 0)
		return -1;
	if (record_parse(&p->record, name, text.buf, text.len, err) < 0)
		return -1;
	image = record_get(&p->record, "image");
	id = json_get_str(image, "config_digest");
	if (!id)
		id = json_get_str(image, "reference");
	if (!id) {
		error_set(err, ERR_INPUT, "%s: the record names no image",
			  name);
		return error_hint(err, "make one with 'devenv build %s'",
				  name);
	}
	return find(p, id, err);
}

static int from_name(struct cli_pushed *p, const char *name, struct error *err)
{
	if (find(p, name, err) < 0)
		return -1;
	record_new(&p->record);
	cli_image_record(&p->record, p->store, &p->image);
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

static int from_file(struct cli_pushed *p, const char *name, struct error *err)
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
		return rc < 0 ? -1 : from_record(p, name, err);
	record_new(&p->record);
	if (build_archive_load(&p->archive, p->store, fd, p->tag,
			       p->all ? NULL : &p->platform, &p->manifest,
			       err) < 0)
		return error_wrap(err, "%s", name);
	p->layout = p->archive.dir;
	return 0;
}

static int from_layout(struct cli_pushed *p, struct error *err)
{
	record_new(&p->record);
	p->layout = p->path;
	if (p->all)
		return 0;
	return build_layout_load(p->path, p->tag, &p->platform, &p->manifest,
				 err);
}

/* "oci:DIR:TAG" and the like, as skopeo has them. */
static bool split_name(struct cli_pushed *p, const char *name)
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
	p->path = xstrndup(rest, n);
	p->tag = *tag ? xstrdup(tag + 1) : NULL;
	return rest != name;
}

int cli_pushed_find(struct cli_pushed *p, const char *name, struct error *err)
{
	bool explicit = split_name(p, name);
	cleanup_free char *mark = path_join(p->path, "oci-layout");

	if (str_starts(name, "oci:") || fs_is_file(mark))
		return from_layout(p, err);
	if (explicit || str_eq(name, "-") || fs_is_file(name))
		return from_file(p, p->path, err);
	return from_name(p, name, err);
}

/* Docker's archives know no index. */
static bool has_index(const struct cli_pushed *p)
{
	cleanup_free char *path = NULL;

	if (!p->layout || !p->archive.dir)
		return p->layout;
	path = path_join(p->layout, "index.json");
	return fs_is_file(path);
}

/* With --all-platforms: what the image is one of. */
static int find_whole(struct cli_pushed *p, struct error *err)
{
	if (has_index(p)) {
		p->dir = open(p->layout, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (p->dir < 0)
			return error_errno_code(err, ERR_INPUT,
						"cannot open '%s'", p->layout);
		if (build_whole_of_layout(&p->dir, p->tag, &p->whole, err) < 0)
			return error_wrap(err, "OCI layout '%s'", p->layout);
	} else if (!p->layout && p->image.index[0]) {
		return build_whole_of_image(p->store, &p->image, &p->whole,
					    err);
	}
	if (!p->whole.n || !p->whole.v[p->whole.n - 1].is_index)
		log_warn("this is one image, for one platform: no index of "
			 "several is known here");
	return 0;
}

int cli_pushed_prepare(struct cli_pushed *p, struct registry **r,
		       const struct registry_options *o, struct error *err)
{
	if (p->all && find_whole(p, err) < 0)
		return -1;
	if (p->layout || p->whole.n)
		return 0;
	return build_materialize(p->store, r, o, &p->image, &p->manifest, err);
}

static const struct build_document *root(const struct cli_pushed *p)
{
	return p->whole.n ? &p->whole.v[p->whole.n - 1] : NULL;
}

const char *cli_pushed_digest(const struct cli_pushed *p)
{
	return root(p) ? root(p)->desc.digest : p->manifest.digest;
}

/* What the registry gets: its bytes, and of what type they are. */
static const struct strbuf *body_of(const struct cli_pushed *p,
				    const char **type)
{
	const struct build_document *d = root(p);

	*type = d ? d->desc.media_type
		  : oci_manifest_media_type(&p->manifest.parsed);
	return d ? &d->body : &p->manifest.body;
}

void cli_pushed_subject(const struct cli_pushed *p,
			struct oci_descriptor *out)
{
	const char *type;
	const struct strbuf *body = body_of(p, &type);

	oci_descriptor_set(out, type, cli_pushed_digest(p), body->len);
}

int cli_pushed_send(struct cli_pushed *p, struct registry *r,
		    const struct oci_ref *to, struct error *err)
{
	build_note_uploads(p->store, r);
	if (p->whole.n)
		return build_push_whole(r, &p->whole, to, err);
	if (p->layout)
		return build_layout_push(p->layout, r, &p->manifest, to, err);
	return build_push(p->store, r, &p->image, &p->manifest, to, err);
}

int cli_pushed_tag(const struct cli_pushed *p, struct registry *r,
		   const struct oci_ref *to, struct error *err)
{
	const char *type;
	const struct strbuf *body = body_of(p, &type);

	return registry_push_manifest(r, to, type, body->buf, body->len, err);
}
