/* layout_remove.c - a cache in a directory: removing, beside who writes */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/layout.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/strindex.h"

/* --- index.json --- */

/* Was it put there again since it was listed? */
static bool is_fresh(int dirfd, const struct cache_item *item)
{
	char path[LAYOUT_BLOB];
	struct stat st;

	layout_blob_path(path, item->digest);
	return fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       st.st_mtim.tv_sec > item->used;
}

static bool is_dropped(int dirfd, const struct json *descriptor,
		       const struct cache_list *list,
		       const struct strindex *dropped)
{
	const char *digest, *tag = layout_tag(descriptor, &digest);
	const struct cache_item *item;
	size_t i;

	if (!tag || !strindex_get(dropped, tag, strlen(tag), &i))
		return false;
	item = &list->v[i];
	if (!*item->digest) /* there was none to read */
		return layout_blob_size(dirfd, digest) < 0;
	return str_eq(item->digest, digest) && !is_fresh(dirfd, item);
}

/* The index without what is dropped. */
static struct json *remaining(int dirfd, const struct cache_list *list,
			      struct error *err)
{
	cleanup_strindex struct strindex dropped = { 0 };
	cleanup_json struct json *index = layout_read_index(dirfd, err);
	struct json *kept;
	const struct json *m;
	size_t i;

	if (!index)
		return NULL;
	for (i = 0; i < list->nr; i++)
		if (list->v[i].dropped)
			strindex_add(&dropped, list->v[i].tag,
				     strlen(list->v[i].tag), i);
	kept = json_new_array();
	for (m = layout_first(index); m; m = json_next(m))
		if (!is_dropped(dirfd, m, list, &dropped))
			json_push(kept, json_dup(m));
	json_set(index, "manifests", kept);
	return steal_ptr(&index);
}

/* --- blobs --- */

/* What the index reaches, by the hexadecimal digits of digests. */
struct kept {
	struct strindex live, walked;
	struct strvec todo; /* manifests and indexes, each once */
};

static void kept_release(struct kept *r)
{
	strindex_release(&r->live);
	strindex_release(&r->walked);
	strvec_release(&r->todo);
}

static void keep(struct kept *r, const struct json *descriptor, bool manifest)
{
	const char *digest = json_get_str(descriptor, "digest");

	if (!digest || !digest_valid(digest))
		return;
	strindex_add(&r->live, digest_hex(digest), DIGEST_HEX, 0);
	if (manifest &&
	    strindex_add(&r->walked, digest_hex(digest), DIGEST_HEX, 0))
		strvec_push(&r->todo, digest);
}

static void keep_each(struct kept *r, const struct json *list, bool manifest)
{
	const struct json *d;

	for (d = json_first(list); d; d = json_next(d))
		keep(r, d, manifest);
}

/* What others have there need not be of a kind that we know. */
static void keep_members(struct kept *r, int dirfd, const char *digest)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;

	if (!layout_read_manifest(dirfd, digest, &text))
		return;
	j = json_parse("manifest", text.buf, text.len, NULL);
	keep(r, json_get(j, "config"), false);
	keep_each(r, json_get(j, "layers"), false);
	keep_each(r, json_get(j, "blobs"), false);
	keep_each(r, json_get(j, "manifests"), true);
}

/* However deep indexes are in indexes: what others put there stays whole. */
static void keep_all(struct kept *r, int dirfd, const struct json *index)
{
	const struct json *m;
	size_t i;

	for (m = layout_first(index); m; m = json_next(m))
		keep(r, m, true);
	for (i = 0; i < r->todo.nr; i++)
		keep_members(r, dirfd, r->todo.v[i]);
}

static int remove_blob(int dir, const char *name, bool dry_run,
		       struct cache_gc_result *result, struct error *err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    !S_ISREG(st.st_mode))
		return 0;
	if (!dry_run && unlinkat(dir, name, 0) < 0)
		return error_errno(err, "cannot remove blob '%s'", name);
	result->blobs++;
	result->bytes += (uint64_t)st.st_size;
	return 0;
}

/* A link instead would have files removed that are no blobs of this cache. */
static int open_blobs(int dirfd)
{
	const int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	cleanup_close int blobs = openat(dirfd, "blobs", how);

	return blobs < 0 ? -1 : openat(blobs, "sha256", how);
}

static bool is_blob_name(const char *name)
{
	return strlen(name) == DIGEST_HEX &&
	       strspn(name, "0123456789abcdef") == DIGEST_HEX;
}

static int sweep(int dirfd, const struct json *index, bool dry_run,
		 struct cache_gc_result *result, struct error *err)
{
	CLEANUP(kept_release) struct kept r = { .todo = STRVEC_INIT };
	int fd = open_blobs(dirfd);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	size_t unused;
	int rc = 0;

	if (!dir) {
		base_close_fd(&fd);
		return error_errno(err, "cannot read 'blobs/sha256'");
	}
	keep_all(&r, dirfd, index);
	while (!rc && (e = readdir(dir)))
		if (is_blob_name(e->d_name) &&
		    !strindex_get(&r.live, e->d_name, DIGEST_HEX, &unused))
			rc = remove_blob(fd, e->d_name, dry_run,
					 result, err);
	closedir(dir);
	return rc;
}

int layout_remove(struct cache_place *p, const struct cache_list *list,
		  bool dry_run, struct cache_gc_result *result,
		  struct error *err)
{
	cleanup_close int dirfd = layout_open(p, err);
	cleanup_close int lock = -1, index_lock = -1;
	cleanup_json struct json *index = NULL;

	if (dirfd < 0)
		return -1;
	/* Nobody is between putting a blob and naming it. */
	if (!dry_run) {
		lock = layout_lock(dirfd, "lock", LOCK_EX, err);
		if (lock < 0)
			return -1;
		index_lock = layout_lock(dirfd, "index.lock", LOCK_EX, err);
		if (index_lock < 0)
			return -1;
	}
	index = remaining(dirfd, list, err);
	if (!index)
		return -1;
	if (!dry_run && result->entries &&
	    layout_write_index(dirfd, index, err) < 0)
		return -1;
	return sweep(dirfd, index, dry_run, result, err);
}
