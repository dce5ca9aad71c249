/* layout.c - push an image of an OCI layout directory */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "build/internal.h"

#define REF_NAME "org.opencontainers.image.ref.name"
#define FULL_NAME "io.containerd.image.name"
#define BLOB_PATH (sizeof("blobs/sha256/") + DIGEST_HEX)

static void blob_path(char path[BLOB_PATH], const char *digest)
{
	snprintf(path, BLOB_PATH, "blobs/sha256/%s", digest_hex(digest));
}

static int read_blob(int dirfd, const char *digest, struct strbuf *out,
		     struct error *err)
{
	char path[BLOB_PATH], got[DIGEST_TEXT];

	blob_path(path, digest);
	if (fs_read_at(dirfd, path, OCI_MANIFEST_MAX, out, err) < 0)
		return -1;
	digest_bytes(out->buf, out->len, got);
	if (!str_eq(got, digest))
		return error_set(err, ERR_INPUT,
				 "%s does not match its digest", path);
	return 0;
}

/* The entries of index.json that a tag means; without one there must be no
 * choice to make but that of a platform. */
static int keep_tag(struct strbuf *index, const char *tag, struct error *err)
{
	cleanup_json struct json *j = json_parse("index.json", index->buf,
						 index->len, err);
	cleanup_strvec struct strvec names = STRVEC_INIT, seen = STRVEC_INIT;
	struct json *kept = json_new_array();
	const struct json *e;

	if (!j) {
		json_free(kept);
		return -1;
	}
	for (e = json_first(json_get(j, "manifests")); e; e = json_next(e)) {
		const struct json *notes = json_get(e, "annotations");
		const char *name = json_get_str(notes, REF_NAME);
		const char *full = json_get_str(notes, FULL_NAME);
		const char *digest = json_get_str(e, "digest");

		/* One image may have several names. */
		if (digest && strvec_has(&seen, digest))
			continue;
		if (name && !strvec_has(&names, name))
			strvec_push(&names, name);
		if (tag && !str_eq_null(name, tag) &&
		    !str_eq_null(full, tag) && !str_eq_null(digest, tag))
			continue;
		strvec_push(&seen, digest ? digest : "");
		json_push(kept, json_dup(e));
	}
	if (!json_len(kept) || (!tag && names.nr > 1)) {
		json_free(kept);
		error_set(err, ERR_INPUT, tag ? "no image has the tag '%s'"
					      : "there are several images%s",
			  tag ? tag : "");
		return error_hint(err, "name one with oci:DIR:TAG%s%s",
				  names.nr ? ", for example " : "",
				  names.nr ? names.v[0] : "");
	}
	json_set(j, "manifests", kept);
	strbuf_reset(index);
	json_write(index, j, false);
	return 0;
}

int build_layout_read(int dirfd, const char *tag,
		      const struct oci_platform *platform,
		      struct build_manifest *m, struct error *err)
{
	bool index = true;
	int depth;

	if (fs_read_at(dirfd, "index.json", OCI_MANIFEST_MAX, &m->body, err) <
		    0 ||
	    keep_tag(&m->body, tag, err) < 0)
		return -1;
	for (depth = 0; index; depth++) {
		cleanup_oci_descriptor struct oci_descriptor d = { 0 };

		if (depth == OCI_NESTING_MAX)
			return error_set(err, ERR_INPUT,
					 "indexes are nested deeper than %d",
					 OCI_NESTING_MAX);
		if (oci_index_choose(m->body.buf, m->body.len, platform, &d,
				     err) < 0)
			return -1;
		strbuf_reset(&m->body);
		if (read_blob(dirfd, d.digest, &m->body, err) < 0)
			return -1;
		memcpy(m->digest, d.digest, DIGEST_TEXT);
		index = oci_is_index(d.media_type, m->body.buf, m->body.len);
	}
	return oci_manifest_parse(&m->parsed, m->body.buf, m->body.len, err);
}

int build_layout_load(const char *dir, const char *tag,
		      const struct oci_platform *platform,
		      struct build_manifest *m, struct error *err)
{
	cleanup_close int dirfd = open(dir, O_RDONLY | O_DIRECTORY |
					    O_CLOEXEC);

	if (dirfd < 0)
		return error_errno_code(err, ERR_INPUT, "cannot open '%s'",
					dir);
	if (build_layout_read(dirfd, tag, platform, m, err) < 0)
		return error_wrap(err, "OCI layout '%s'", dir);
	return 0;
}

static int open_blob(void *arg, int *fd, struct error *err)
{
	const struct build_blob *b = arg;
	const int *dirfd = b->arg;
	char path[BLOB_PATH];

	blob_path(path, b->digest);
	*fd = openat(*dirfd, path,
		     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0)
		return error_errno_code(err, ERR_INPUT, "cannot open '%s'",
					path);
	return 0;
}

static int read_document(void *arg, const struct oci_descriptor *d,
			 struct strbuf *body, struct error *err)
{
	const int *dirfd = arg;

	return read_blob(*dirfd, d->digest, body, err);
}

/* One entry, as it is: several would need an index that nobody wrote. */
int build_whole_of_layout(int *dirfd, const char *tag, struct build_whole *w,
			  struct error *err)
{
	cleanup_oci_index struct oci_index entries = { 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_at(*dirfd, "index.json", OCI_MANIFEST_MAX, &text, err) <
		    0 ||
	    keep_tag(&text, tag, err) < 0 ||
	    oci_index_parse(&entries, text.buf, text.len, err) < 0)
		return -1;
	if (entries.n != 1)
		return error_set(err, ERR_INPUT,
				 "index.json has %zu manifests where one index "
				 "of them is needed", entries.n);
	w->open = open_blob;
	w->arg = dirfd;
	return build_whole_read(w, &entries.v[0].desc, read_document, dirfd,
				err);
}

int build_layout_push(const char *dir, struct registry *r,
		      const struct build_manifest *m,
		      const struct oci_ref *to, struct error *err)
{
	cleanup_close int dirfd = open(dir, O_RDONLY | O_DIRECTORY |
					    O_CLOEXEC);
	size_t n = m->parsed.n_layers + 1, i;
	cleanup_free struct registry_source *sources =
		xcalloc(n, sizeof(*sources));
	cleanup_free struct build_blob *blobs = xcalloc(n, sizeof(*blobs));

	if (dirfd < 0)
		return error_errno_code(err, ERR_INPUT, "cannot open '%s'",
					dir);
	for (i = 0; i < n; i++) {
		const struct oci_descriptor *d = &m->parsed.config;

		if (i < n - 1)
			d = &m->parsed.layers[i];
		blobs[i] = (struct build_blob){ &dirfd, d->digest };
		memcpy(sources[i].digest, d->digest, DIGEST_TEXT);
		sources[i].size = d->size;
		sources[i].open = open_blob;
		sources[i].arg = &blobs[i];
	}
	if (registry_push_blobs(r, to, sources, n, err) < 0)
		return -1;
	return registry_push_manifest(r, to,
				      oci_manifest_media_type(&m->parsed),
				      m->body.buf, m->body.len, err);
}
