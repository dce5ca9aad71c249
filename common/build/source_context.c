/* source_context.c - contexts that are fetched: repositories and archives */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/date.h"
#include "base/fs.h"
#include "base/path.h"
#include "build/source.h"

#define KEEP_GIT_DIR "BUILDKIT_CONTEXT_KEEP_GIT_DIR"

/* --- archives as layers --- */

static int extract(struct store *store, int fd, struct store_draft *draft,
		   struct error *err)
{
	cleanup_close int dest = open(draft->fs, O_RDONLY | O_DIRECTORY |
						  O_CLOEXEC);

	if (dest < 0)
		return error_errno(err, "cannot open '%s'", draft->fs);
	return store_extract_archive(store, fd, dest, false, 0, 0, err);
}

static int unpack(struct build *b, int fd, char id[STORE_ID],
		  struct error *err)
{
	struct store *store = b->o->store;
	struct store_meta meta = { 0 };
	struct store_draft draft;

	if (store_draft_new(store, &draft, err) < 0)
		return -1;
	store_new_id(id);
	if (extract(store, fd, &draft, err) == 0 &&
	    store_draft_commit(store, &draft, &meta, id, err) == 0)
		return 0;
	store_draft_drop(store, &draft);
	return -1;
}

/* What was unpacked once is known by the digest of the archive. */
static int unpack_once(struct build *b, int fd, const char *digest,
		       char id[STORE_ID], struct error *err)
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	cleanup_cache_entry struct cache_entry entry = { 0 };
	char hex[CACHE_KEY];
	int rc;

	cache_key_begin(&k, "");
	cache_key_add(&k, "op", "unpack");
	cache_key_add(&k, "content", digest);
	cache_key_finish(&k, hex);
	rc = cache_get(b->o->store, hex, &entry, NULL, err);
	if (rc < 0)
		return -1;
	if (rc) {
		memcpy(id, entry.layer, STORE_ID);
		return 0;
	}
	if (unpack(b, fd, id, err) < 0)
		return -1;
	memcpy(entry.layer, id, STORE_ID);
	entry.created = date_format(0);
	return cache_put(b->o->store, hex, &k, &entry, err);
}

/* --- the tree of a remote context --- */

/* A download that is an archive stands for what it holds. */
static int enter_archive(struct build *b, const struct build_remote *r,
			 struct source_view *view, struct error *err)
{
	cleanup_close int fd = fs_open_in_root(view->tree.fd, r->name,
					       O_RDONLY | O_NOFOLLOW, 0);
	cleanup_free char *dir = NULL;
	struct source_state *s;
	char id[STORE_ID];
	int is;

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", r->name);
	is = store_is_archive(fd, err);
	if (is <= 0)
		return is;
	if (source_remote_find(b, r, &s, err) < 0 ||
	    unpack_once(b, fd, s->digest, id, err) < 0)
		return error_wrap(err, "%s", r->url);
	dir = store_layer_fs(b->o->store, id);
	base_close_fd(&view->tree.fd);
	view->tree.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (view->tree.fd < 0)
		return error_errno(err, "cannot open '%s'", dir);
	return 0;
}

int source_context_open(struct build *b, const struct build_remote *r,
			struct source_view *view, struct error *err)
{
	if (source_remote_open(b, r, view, err) < 0)
		return -1;
	if (r->is_git || enter_archive(b, r, view, err) == 0)
		return 0;
	source_close(b, view);
	return -1;
}

/* --- the main context --- */

void build_context_release(struct build_context *c)
{
	free(c->dir);
	free(c->url);
	free(c->ref);
	free(c->commit);
}

/* Where a descriptor leads, links of the tree resolved. */
static int name_of(int fd, char **out, struct error *err)
{
	cleanup_free char *link = xstrfmt("/proc/self/fd/%d", fd);
	char path[PATH_MAX];
	ssize_t n = readlink(link, path, sizeof(path));

	if (n < 0 || (size_t)n == sizeof(path))
		return error_errno(err, "cannot find the context");
	*out = xstrndup(path, (size_t)n);
	return 0;
}

static int fetch(struct build *b, const struct build_remote *r,
		 struct build_context *c, struct error *err)
{
	struct source_view view;
	struct source_state *s;
	int rc;

	if (source_context_open(b, r, &view, err) < 0)
		return -1;
	rc = name_of(view.tree.fd, &c->dir, err);
	source_close(b, &view);
	if (rc < 0 || source_remote_find(b, r, &s, err) < 0)
		return -1;
	c->url = xstrdup(r->url);
	c->ref = xstrdup_null(s->ref);
	c->commit = xstrdup_null(s->commit);
	c->time = s->time;
	return 0;
}

int build_context_fetch(const struct build_options *o, const char *url,
			struct build_context *c, struct error *err)
{
	cleanup_build_remote struct build_remote r = { 0 };
	struct build b = { .o = o, .context_fd = -1, .scratch_lock = -1 };
	int rc;

	/* A file that is no archive is the Dockerfile itself. */
	r.name = xstrdup("Dockerfile");
	if (build_remote_parse(&r, url, err) < 0) {
		if (err)
			err->code = ERR_USAGE;
		return -1;
	}
	r.keep_git_dir = r.git.keep_git_dir == 1 ||
			 (o->args && str_is_true(strvec_env_get(o->args,
							    KEEP_GIT_DIR)));
	rc = fetch(&b, &r, c, err);
	source_release_all(&b);
	return rc;
}
