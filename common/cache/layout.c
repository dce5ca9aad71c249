/* layout.c - a cache in a directory: reading */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/strindex.h"

void layout_blob_path(char path[LAYOUT_BLOB], const char *digest)
{
	snprintf(path, LAYOUT_BLOB, "blobs/sha256/%s", digest_hex(digest));
}

static bool stat_blob(int dirfd, const char *digest, struct stat *st)
{
	char path[LAYOUT_BLOB];

	layout_blob_path(path, digest);
	return fstatat(dirfd, path, st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st->st_mode);
}

int64_t layout_blob_size(int dirfd, const char *digest)
{
	struct stat st;

	return stat_blob(dirfd, digest, &st) ? (int64_t)st.st_size : -1;
}

int layout_open(const struct cache_place *p, struct error *err)
{
	int fd = open(p->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? error_errno(err, "cannot open '%s'", p->dir) : fd;
}

struct json *layout_read_index(int dirfd, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;
	struct json *j = NULL;

	if (fs_read_at(dirfd, "index.json", LAYOUT_INDEX_MAX, &text, &why) ==
	    0)
		j = json_parse("index.json", text.buf, text.len, &why);
	else if (why.sys == ENOENT)
		return json_new_object();
	if (j && json_kind(j) != JSON_OBJECT) {
		json_free(steal_ptr(&j));
		error_set(&why, ERR_INPUT, "index.json holds no object");
	}
	if (!j)
		error_move(err, &why);
	return j;
}

struct json *layout_first(const struct json *index)
{
	return json_first(json_get(index, "manifests"));
}

const char *layout_tag(const struct json *descriptor, const char **digest)
{
	const struct json *notes = json_get(descriptor, "annotations");

	*digest = json_get_str(descriptor, "digest");
	if (!*digest || !digest_valid(*digest))
		return NULL;
	return json_get_str(notes, LAYOUT_REF_NAME);
}

bool layout_read_manifest(int dirfd, const char *digest, struct strbuf *out)
{
	char path[LAYOUT_BLOB], found[DIGEST_TEXT];

	layout_blob_path(path, digest);
	if (fs_read_at(dirfd, path, OCI_MANIFEST_MAX, out, NULL) < 0)
		return false;
	digest_bytes(out->buf, out->len, found);
	return str_eq(found, digest);
}

/* --- looking up --- */

static bool has_blob(int dirfd, const struct oci_descriptor *d)
{
	return layout_blob_size(dirfd, d->digest) == (int64_t)d->size;
}

/* Are all blobs there that it needs? What an index names is looked at by who
 * reads that. */
static bool is_whole(int dirfd, const struct registry_manifest *m)
{
	cleanup_oci_manifest struct oci_manifest parsed = { 0 };
	size_t i;

	if (oci_is_index(m->media_type, m->body.buf, m->body.len))
		return true;
	if (oci_manifest_parse(&parsed, m->body.buf, m->body.len, NULL) < 0 ||
	    !has_blob(dirfd, &parsed.config))
		return false;
	for (i = 0; i < parsed.n_layers; i++)
		if (!has_blob(dirfd, &parsed.layers[i]))
			return false;
	return true;
}

static bool read_document(int dirfd, const struct json *descriptor,
			  struct cache_document *d)
{
	const char *digest = json_get_str(descriptor, "digest");
	const char *type = json_get_str(descriptor, "mediaType");
	struct stat st;

	if (!stat_blob(dirfd, digest, &st) ||
	    !layout_read_manifest(dirfd, digest, &d->m.body))
		return false;
	memcpy(d->m.digest, digest, DIGEST_TEXT);
	d->m.media_type = xstrdup_null(type);
	d->used = st.st_mtim.tv_sec;
	return is_whole(dirfd, &d->m);
}

static void take(const struct cache_place *p, int dirfd,
		 const struct json *descriptor, struct cache_document *d)
{
	d->there = read_document(dirfd, descriptor, d);
	if (!d->there && !p->lists)
		log_warn("%s: %.18s... is not used: it is damaged, or not "
			 "all there", p->name, d->tag);
}

/* A tag may be there twice when others wrote it: the last one counts. */
static void find(const struct json *index, struct cache_document *list,
		 size_t n, const struct json **found)
{
	cleanup_strindex struct strindex wanted = { 0 };
	const struct json *m;
	const char *tag, *digest;
	size_t i;

	for (i = 0; i < n; i++)
		strindex_add(&wanted, list[i].tag, strlen(list[i].tag), i);
	for (m = layout_first(index); m; m = json_next(m)) {
		tag = layout_tag(m, &digest);
		if (tag && strindex_get(&wanted, tag, strlen(tag), &i))
			found[i] = m;
	}
}

static int look_up(struct cache_place *p, struct cache_document *list,
		   size_t n, struct error *err)
{
	cleanup_free const struct json **found = xcalloc(n, sizeof(*found));
	cleanup_error struct error why = ERROR_INIT;
	cleanup_close int dirfd = layout_open(p, &why);
	cleanup_json struct json *index = NULL;
	size_t i;

	if (dirfd < 0)
		return why.sys == ENOENT ? 0 : error_move(err, &why);
	index = layout_read_index(dirfd, err);
	if (!index)
		return -1;
	find(index, list, n, found);
	for (i = 0; i < n; i++)
		if (found[i])
			take(p, dirfd, found[i], &list[i]);
	return 0;
}

/* --- fetching --- */

static int copy(int fd, const struct registry_blob *b, struct digest *sum,
		struct error *err)
{
	uint64_t left = b->desc.size;
	char buf[1 << 16];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read a blob");
		if ((uint64_t)n > left)
			return error_set(err, ERR_INPUT, "it is too large");
		left -= (uint64_t)n;
		digest_update(sum, buf, (size_t)n);
		if (b->sink.write(b->sink.arg, buf, (size_t)n, err) < 0)
			return -1;
	}
	return 0;
}

static int pull_blob(int dirfd, const struct registry_blob *b,
		     struct error *err)
{
	CLEANUP(digest_release) struct digest sum;
	char path[LAYOUT_BLOB], found[DIGEST_TEXT];
	cleanup_close int fd = -1;
	struct stat st;

	digest_init(&sum, true);
	layout_blob_path(path, b->desc.digest);
	fd = openat(dirfd, path,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno_code(err, ERR_INPUT, "cannot open '%s'",
					path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERR_INPUT, "'%s' is no file", path);
	if (copy(fd, b, &sum, err) < 0)
		return error_wrap(err, "%s", path);
	digest_final_text(&sum, found);
	if (str_eq(found, b->desc.digest))
		return b->done ? b->done(b->sink.arg, err) : 0;
	/* Nobody is to be promised it again, and who has it puts it back. */
	if (unlinkat(dirfd, path, 0) < 0)
		log_debug("the damaged '%s' stays", path);
	return error_set(err, ERR_INPUT, "'%s' does not match its digest",
			 path);
}

static int pull(struct cache_place *p, struct registry_blob *blobs, size_t n,
		struct error *err)
{
	cleanup_close int dirfd = layout_open(p, err);
	size_t i;

	if (dirfd < 0)
		return -1;
	for (i = 0; i < n; i++)
		if (pull_blob(dirfd, &blobs[i], err) < 0)
			return error_wrap(err, "%s", p->name);
	return 0;
}

static int renew(struct cache_place *p, const struct cache_document *list,
		 size_t n, struct error *err)
{
	cleanup_close int dirfd = layout_open(p, err);
	char path[LAYOUT_BLOB];
	size_t i;

	if (dirfd < 0)
		return -1;
	for (i = 0; i < n; i++) {
		layout_blob_path(path, list[i].m.digest);
		if (utimensat(dirfd, path, NULL, AT_SYMLINK_NOFOLLOW) < 0)
			return error_errno(err, "cannot touch '%s'", path);
	}
	return 0;
}

static int tags(struct cache_place *p, struct strvec *out, struct error *err)
{
	cleanup_close int dirfd = layout_open(p, err);
	cleanup_strindex struct strindex seen = { 0 };
	cleanup_json struct json *index = NULL;
	const char *tag, *digest;
	const struct json *m;

	if (dirfd < 0)
		return error_hint(err, "a build with --cache-to makes it");
	index = layout_read_index(dirfd, err);
	if (!index)
		return -1;
	for (m = layout_first(index); m; m = json_next(m)) {
		tag = layout_tag(m, &digest);
		if (!tag || !strindex_add(&seen, tag, strlen(tag), 0))
			continue;
		if (out->nr == CACHE_TAGS_MAX)
			return error_set(err, ERR_INPUT,
					 "%s: more than %d tags", p->name,
					 CACHE_TAGS_MAX);
		strvec_push(out, tag);
	}
	return 0;
}

const struct cache_form cache_form_layout = {
	.look_up = look_up,
	.pull = pull,
	.put = layout_put,
	.renew = renew,
	.tags = tags,
	.remove = layout_remove,
};
