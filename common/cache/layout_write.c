/* layout_write.c - a cache in a directory: writing, beside others who do */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/strindex.h"

/* --- files that appear when they are complete --- */

struct temp {
	int dirfd, fd;
	char name[sizeof("tmp/") + 32]; /* "": it has its place, or is gone */
};

static int temp_begin(struct temp *t, int dirfd, struct error *err)
{
	t->dirfd = dirfd;
	if (mkdirat(dirfd, "tmp", 0755) < 0 && errno != EEXIST)
		return error_errno(err, "cannot create 'tmp'");
	memcpy(t->name, "tmp/", sizeof("tmp/"));
	random_hex(t->name + strlen("tmp/"), 16);
	t->fd = openat(dirfd, t->name,
		       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (t->fd >= 0)
		return 0;
	error_errno(err, "cannot create '%s'", t->name);
	t->name[0] = '\0';
	return -1;
}

static int temp_end(struct temp *t, const char *path, struct error *err)
{
	if (fsync(t->fd) < 0)
		return error_errno(err, "cannot sync '%s'", path);
	if (renameat(t->dirfd, t->name, t->dirfd, path) < 0)
		return error_errno(err, "cannot make '%s'", path);
	t->name[0] = '\0';
	return 0;
}

static void temp_release(struct temp *t)
{
	if (t->name[0] && unlinkat(t->dirfd, t->name, 0) < 0)
		log_debug("'%s' stays", t->name);
	base_close_fd(&t->fd);
}
#define cleanup_temp CLEANUP(temp_release)

static int write_file(int dirfd, const char *path, const void *data, size_t n,
		      struct error *err)
{
	cleanup_temp struct temp t = { .fd = -1 };

	if (temp_begin(&t, dirfd, err) < 0 ||
	    fs_write_all(t.fd, data, n, err) < 0)
		return -1;
	return temp_end(&t, path, err);
}

/* --- locks --- */

static int wait_for(int fd, const char *name, int how, struct error *err)
{
	log_info("waiting for another devenv that works on the cache");
	while (flock(fd, how) < 0) {
		if (errno != EINTR)
			return error_errno(err, "cannot lock '%s'", name);
		if (signals_check(err) < 0)
			return -1;
	}
	return 0;
}

int layout_lock(int dirfd, const char *name, int how, struct error *err)
{
	cleanup_close int fd = openat(dirfd, name,
				      O_RDWR | O_CREAT | O_NOFOLLOW |
					      O_CLOEXEC, 0644);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", name);
	if (flock(fd, how | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK || how & LOCK_NB)
			return error_errno(err, "cannot lock '%s'", name);
		if (wait_for(fd, name, how, err) < 0)
			return -1;
	}
	return steal_fd(&fd);
}

/* Nobody else writes: what is in tmp/ was left by those who died. */
static void sweep(int dirfd)
{
	if (fs_remove_tree(dirfd, "tmp", NULL) < 0)
		log_debug("cannot remove what others left of a cache");
}

/* From here on nothing that is put there is removed. */
static int share_lock(int dirfd, struct error *err)
{
	cleanup_close int lock = layout_lock(dirfd, "lock",
					     LOCK_EX | LOCK_NB, NULL);

	if (lock >= 0) {
		sweep(dirfd);
		base_close_fd(&lock);
	}
	return layout_lock(dirfd, "lock", LOCK_SH, err);
}

/* --- blobs --- */

/* Its bytes are what the digest says, or nobody gets to see them. */
static int copy(int from, const struct registry_source *s, int to,
		struct error *err)
{
	CLEANUP(digest_release) struct digest sum;
	char buf[1 << 16], found[DIGEST_TEXT];
	ssize_t n;

	digest_init(&sum, true);
	while ((n = read(from, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read blob %s",
					   s->digest);
		digest_update(&sum, buf, (size_t)n);
		if (fs_write_all(to, buf, (size_t)n, err) < 0)
			return -1;
	}
	digest_final_text(&sum, found);
	if (!str_eq(found, s->digest))
		return error_set(err, ERR_SYSTEM, "blob %s is damaged",
				 s->digest);
	return 0;
}

static int put_blob(int dirfd, struct registry_source *s, struct error *err)
{
	cleanup_temp struct temp t = { .fd = -1 };
	cleanup_close int from = -1;
	char path[LAYOUT_BLOB];

	s->how = BLOB_EXISTED;
	if (layout_blob_size(dirfd, s->digest) == (int64_t)s->size)
		return 0;
	s->how = BLOB_MISSING;
	if (!s->open)
		return 0;
	layout_blob_path(path, s->digest);
	if (s->open(s->arg, &from, err) < 0 ||
	    temp_begin(&t, dirfd, err) < 0 ||
	    copy(from, s, t.fd, err) < 0 || temp_end(&t, path, err) < 0)
		return -1;
	s->how = BLOB_UPLOADED;
	return 0;
}

static int put_manifest(int dirfd, const struct cache_deposit *d,
			char digest[DIGEST_TEXT], struct error *err)
{
	char path[LAYOUT_BLOB];

	digest_bytes(d->body.buf, d->body.len, digest);
	layout_blob_path(path, digest);
	/* Written anew even where it is there: that is a use. */
	return write_file(dirfd, path, d->body.buf, d->body.len, err);
}

/* --- index.json --- */

static struct json *descriptor_of(const struct cache_deposit *d,
				  const char *digest)
{
	struct json *j = json_new_object();
	struct json *notes = json_set(j, "annotations", json_new_object());

	json_set_str(j, "mediaType", d->media_type);
	json_set_str(j, "digest", digest);
	json_set_int(j, "size", (int64_t)d->body.len);
	json_set_str(notes, LAYOUT_REF_NAME, d->tag);
	return j;
}

/* All of it but what has one of these tags. */
static struct json *without(const struct json *index,
			    const struct strindex *tags)
{
	struct json *kept = json_new_array();
	const struct json *m;
	const char *digest;
	size_t i;

	for (m = layout_first(index); m; m = json_next(m)) {
		const char *tag = layout_tag(m, &digest);

		if (!tag || !strindex_get(tags, tag, strlen(tag), &i))
			json_push(kept, json_dup(m));
	}
	return kept;
}

int layout_write_index(int dirfd, struct json *index, struct error *err)
{
	static const char version[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	json_set_int(index, "schemaVersion", 2);
	json_write(&text, index, false);
	if (faccessat(dirfd, "oci-layout", F_OK, 0) < 0 &&
	    write_file(dirfd, "oci-layout", version, strlen(version), err) < 0)
		return -1;
	return write_file(dirfd, "index.json", text.buf, text.len, err);
}

static int put_tags(int dirfd, const struct cache_deposit *list, size_t n,
		    char (*digests)[DIGEST_TEXT], struct error *err)
{
	cleanup_close int lock = layout_lock(dirfd, "index.lock", LOCK_EX, err);
	cleanup_strindex struct strindex tags = { 0 };
	cleanup_json struct json *index = NULL;
	struct json *manifests;
	size_t i;

	if (lock < 0)
		return -1;
	index = layout_read_index(dirfd, err);
	if (!index)
		return -1;
	for (i = 0; i < n; i++)
		strindex_add(&tags, list[i].tag, strlen(list[i].tag), i);
	manifests = without(index, &tags);
	for (i = 0; i < n; i++)
		json_push(manifests, descriptor_of(&list[i], digests[i]));
	json_set(index, "manifests", manifests);
	return layout_write_index(dirfd, index, err);
}

static int put_all(int dirfd, struct registry_source *blobs, size_t n_blobs,
		   const struct cache_deposit *list, size_t n,
		   struct error *err)
{
	cleanup_free char (*digests)[DIGEST_TEXT] =
		xcalloc(n + 1, sizeof(*digests));
	cleanup_close int lock = share_lock(dirfd, err);
	size_t i;

	if (lock < 0 ||
	    fs_mkdir_p_at(dirfd, "blobs/sha256", 0755, err) < 0)
		return -1;
	for (i = 0; i < n_blobs; i++)
		if (put_blob(dirfd, &blobs[i], err) < 0)
			return -1;
	for (i = 0; i < n; i++)
		if (put_manifest(dirfd, &list[i], digests[i], err) < 0)
			return -1;
	return n ? put_tags(dirfd, list, n, digests, err) : 0;
}

int layout_put(struct cache_place *p, struct registry_source *blobs,
	       size_t n_blobs, const struct cache_deposit *list, size_t n,
	       struct error *err)
{
	cleanup_close int dirfd = -1;

	if (fs_mkdir_p(p->dir, 0755, err) < 0)
		return -1;
	dirfd = layout_open(p, err);
	if (dirfd < 0)
		return -1;
	return put_all(dirfd, blobs, n_blobs, list, n, err);
}
