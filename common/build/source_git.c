/* source_git.c - repositories that ADD and contexts name, kept as layers */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/date.h"
#include "base/fs.h"
#include "base/path.h"
#include "build/source.h"
#include "wrap/giturl.h"

/* May what is secret go where this file sends us? */
static bool may_have_credentials(const struct repo_options *access,
				 const char *remote)
{
	cleanup_giturl struct giturl own = { 0 }, other = { 0 };

	return access->url && !giturl_parse(&own, access->url, NULL) &&
	       !giturl_parse(&other, remote, NULL) &&
	       giturl_same_host(&own, &other);
}

static struct repo_options options(const struct build *b,
				   const struct build_remote *r)
{
	struct repo_options o = b->o->git;

	if (!may_have_credentials(&o, r->git.remote))
		o.username = o.password = o.key_path = o.key_base64 = NULL;
	o.url = r->git.remote;
	o.ref = r->git.ref;
	return o;
}

/* .git is of all the repository, not of a part of it. */
static bool keeps_git_dir(const struct build_remote *r)
{
	cleanup_free char *part =
		path_clean(r->git.subdir ? r->git.subdir : "/");

	return r->keep_git_dir && (str_eq(part, "/") || str_eq(part, "."));
}

/* .git says which branch of which repository it is. */
static void key_git_dir(const struct build_remote *r,
			const struct source_state *s, struct cache_key *k)
{
	cleanup_strbuf struct strbuf url = STRBUF_INIT;

	giturl_redact(r->git.remote, &url);
	cache_key_add(k, "url", url.buf);
	cache_key_add(k, "ref", s->ref ? s->ref : "");
}

static void key_checkout(const struct build_remote *r,
			 const struct source_state *s, struct cache_key *k)
{
	cache_key_add(k, "commit", s->commit);
	cache_key_add(k, "git-dir", keeps_git_dir(r) ? "1" : "0");
	if (keeps_git_dir(r))
		key_git_dir(r, s, k);
	cache_key_add(k, "submodules", r->git.submodules ? "1" : "0");
	cache_key_add(k, "mtime", r->git.mtime_commit ? "commit" : "");
}

void source_git_key(const struct build_remote *r,
		    const struct source_state *s, struct cache_key *k)
{
	key_checkout(r, s, k);
	cache_key_add(k, "subdir", r->git.subdir ? r->git.subdir : "");
}

static int check_commit(const struct build_remote *r, const char *commit,
			struct error *err)
{
	if (!r->checksum || str_starts(commit, r->checksum))
		return 0;
	return error_set(err, ERR_INPUT,
			 "%s: expected checksum to match %s, got %s", r->url,
			 r->checksum, commit);
}

int source_git_find(struct build *b, const struct build_remote *r,
		    struct source_state *s, struct error *err)
{
	const struct repo_options o = options(b, r);
	cleanup_repo_result struct repo_result got = { 0 };

	if (repo_look(&o, &got, err) < 0) {
		if (err && err->code == ERR_USAGE)
			err->code = ERR_INPUT; /* a file's word */
		return -1;
	}
	if (check_commit(r, got.commit, err) < 0)
		return -1;
	s->commit = steal_ptr(&got.commit);
	s->ref = steal_ptr(&got.ref);
	return 0;
}

/* --- a checkout as a layer --- */

struct tidying {
	const struct timespec *mtime; /* NULL: as it is */
	bool keep_git_dir;
};

static bool is_git_dir(const char *path)
{
	return str_eq(path, ".git") || str_starts(path, ".git/");
}

static mode_t mode_of(const struct stat *st)
{
	return S_ISDIR(st->st_mode) || st->st_mode & 0100 ? 0755 : 0644;
}

static int set_time(const struct tidying *t, const struct tree_entry *e,
		    struct error *err)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   *t->mtime };

	if (utimensat(e->dirfd, e->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot set the time of '%s'",
				   e->path);
	return 0;
}

/* Modes do not depend on our umask, and what points to a repository that is
 * not there goes. */
static int tidy_entry(void *arg, const struct tree_entry *e,
		      struct error *err)
{
	const struct tidying *t = arg;
	bool dir = S_ISDIR(e->st->st_mode);

	if (is_git_dir(e->path) || dir != e->leave)
		return 0;
	if (!t->keep_git_dir && S_ISREG(e->st->st_mode) &&
	    str_eq(e->name, ".git")) {
		if (unlinkat(e->dirfd, e->name, 0) < 0)
			return error_errno(err, "cannot remove '%s'", e->path);
		return 0;
	}
	if (!S_ISLNK(e->st->st_mode) &&
	    fchmodat(e->dirfd, e->name, mode_of(e->st), 0) < 0)
		return error_errno(err, "cannot set the mode of '%s'",
				   e->path);
	return t->mtime ? set_time(t, e, err) : 0;
}

static int tidy(const struct build_remote *r, const char *dir, int64_t when,
		struct error *err)
{
	const struct timespec at = { .tv_sec = (time_t)when };
	struct tidying t = { .mtime = r->git.mtime_commit ? &at : NULL,
			     .keep_git_dir = keeps_git_dir(r) };
	cleanup_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct build_tree tree = { .fd = fd };

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", dir);
	if (!t.keep_git_dir && fs_remove_tree(fd, ".git", err) < 0)
		return -1;
	return tree_walk(&tree, ".", tidy_entry, &t, err);
}

static int empty_dir(const char *dir, struct error *err)
{
	if (fs_remove_tree(AT_FDCWD, dir, err) < 0)
		return -1;
	return mkdir(dir, 0755) < 0 ? error_errno(err, "cannot create '%s'",
						  dir) : 0;
}

/* As little history as will do. The ref may have moved since we asked: then
 * the commit is found among all others. */
static int check_out(struct build *b, const struct build_remote *r,
		     struct source_state *s, const char *dir,
		     struct error *err)
{
	cleanup_repo_result struct repo_result got = { 0 };
	struct repo_options o = options(b, r);

	o.dir = dir;
	o.ref = s->ref ? s->ref : s->commit;
	o.depth = s->ref ? 1 : 0;
	o.single_branch = s->ref;
	o.submodules = r->git.submodules;
	o.want_time = true;
	if (repo_clone(&o, &got, err) < 0)
		return -1;
	if (!str_eq(got.commit, s->commit)) {
		repo_result_release(&got);
		o.ref = s->commit;
		o.depth = 0;
		o.single_branch = false;
		if (empty_dir(dir, err) < 0 || repo_clone(&o, &got, err) < 0)
			return -1;
	}
	s->time = got.time;
	return tidy(r, dir, got.time, err);
}

static int make_layer(struct build *b, const struct build_remote *r,
		      struct source_state *s, struct error *err)
{
	struct store *store = b->o->store;
	struct store_meta meta = { 0 };
	struct store_draft draft;
	char id[STORE_ID];

	if (store_draft_new(store, &draft, err) < 0)
		return -1;
	store_new_id(id);
	if (check_out(b, r, s, draft.fs, err) < 0 ||
	    store_draft_commit(store, &draft, &meta, id, err) < 0) {
		store_draft_drop(store, &draft);
		return -1;
	}
	memcpy(s->layer, id, STORE_ID);
	return 0;
}

int source_git_fetch(struct build *b, const struct build_remote *r,
		     struct source_state *s, struct error *err)
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	cleanup_cache_entry struct cache_entry entry = { 0 };
	char hex[CACHE_KEY];
	int rc;

	cache_key_begin(&k, "");
	cache_key_add(&k, "op", "checkout");
	key_checkout(r, s, &k);
	cache_key_finish(&k, hex);
	rc = cache_get(b->o->store, hex, &entry, NULL, err);
	if (rc < 0)
		return -1;
	if (rc) {
		memcpy(s->layer, entry.layer, STORE_ID);
		date_parse(entry.created, &s->time);
		return 0;
	}
	if (make_layer(b, r, s, err) < 0)
		return -1;
	memcpy(entry.layer, s->layer, STORE_ID);
	entry.created = date_format(s->time);
	return cache_put(b->o->store, hex, &k, &entry, err);
}
