/* tree.c - walk a build context or a stage, by descriptors and in order */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/signals.h"
#include "build/internal.h"

#define DEPTH_MAX 1000 /* of directories below one another */

struct walk {
	const struct build_tree *tree;
	tree_visit visit;
	void *arg;
	struct strbuf path;  /* in the tree, for the ignore rules */
	size_t base;	     /* where the part given to `visit` begins */
};

/* A directory on the way down. */
struct frame {
	const struct frame *up;
	int dirfd; /* holds it */
	const char *name;
	const struct stat *st;
	size_t path_len;
	bool *shown; /* has `visit` seen it? */
	unsigned depth;
};

static int walk_dir(struct walk *w, const struct frame *f,
		    const struct dockerfile_ignore_dir *ig,
		    struct error *err);

static const char *shown_path(const struct walk *w)
{
	const char *p = w->path.buf + MIN(w->base, w->path.len);

	return *p == '/' ? p + 1 : p;
}

static int show(struct walk *w, int dirfd, const char *name,
		const struct stat *st, bool leave, struct error *err)
{
	struct tree_entry e = { dirfd, name, shown_path(w), st, leave };

	return w->visit(w->arg, &e, err);
}

/* Show the directories above that were held back as ignored. */
static int show_parents(struct walk *w, const struct frame *f,
			struct error *err)
{
	cleanup_free char *full = NULL;
	size_t len = w->path.len;
	int rc;

	if (!f || *f->shown)
		return 0;
	if (show_parents(w, f->up, err) < 0)
		return -1;
	*f->shown = true;
	full = xstrndup(w->path.buf, len);
	strbuf_setlen(&w->path, f->path_len);
	rc = show(w, f->dirfd, f->name, f->st, false, err);
	strbuf_reset(&w->path);
	strbuf_addstr(&w->path, full);
	return rc;
}

static int walk_entry(struct walk *w, const struct frame *up, int dirfd,
		      const char *name,
		      const struct dockerfile_ignore_dir *parent,
		      struct error *err)
{
	const struct dockerfile_ignore *ig = w->tree->ignore;
	struct dockerfile_ignore_dir sub = { 0 };
	struct stat st;
	bool out, shown = false;
	struct frame f = { up, dirfd, name, &st, w->path.len, &shown,
			   up ? up->depth + 1 : 0 };
	int rc = 0;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : error_errno(err, "cannot stat '%s'",
						     w->path.buf);
	out = ig && w->path.len &&
	      dockerfile_ignored(ig, w->path.buf, parent,
				 S_ISDIR(st.st_mode) ? &sub : NULL);
	if (!S_ISDIR(st.st_mode)) {
		if (out)
			return 0;
		if (show_parents(w, up, err) < 0)
			return -1;
		return show(w, dirfd, name, &st, false, err);
	}
	if (!out)
		rc = show_parents(w, &f, err);
	if (!rc && (!out || dockerfile_ignore_walk(ig, w->path.buf)))
		rc = walk_dir(w, &f, &sub, err);
	if (!rc && shown)
		rc = show(w, dirfd, name, &st, true, err);
	free(sub.matched);
	return rc;
}

static int read_names(int fd, struct strvec *names, struct error *err)
{
	DIR *dir = fdopendir(fd);
	struct dirent *e;

	if (!dir) {
		close(fd);
		return error_errno(err, "cannot read a directory");
	}
	errno = 0;
	while ((e = readdir(dir)))
		if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
			strvec_push(names, e->d_name);
	if (errno) {
		closedir(dir);
		return error_errno(err, "cannot read a directory");
	}
	closedir(dir);
	strvec_sort(names);
	return 0;
}

static int walk_dir(struct walk *w, const struct frame *f,
		    const struct dockerfile_ignore_dir *ig, struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_close int fd = openat(f->dirfd, f->name, flags);
	size_t i, len = w->path.len;

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", w->path.buf);
	if (f->depth > DEPTH_MAX)
		return error_set(err, ERR_INPUT,
				 "'%.60s...': more than %d directories deep",
				 w->path.buf, DEPTH_MAX);
	if (signals_check(err) < 0 ||
	    read_names(fcntl(fd, F_DUPFD_CLOEXEC, 0), &names, err) < 0)
		return -1;
	for (i = 0; i < names.nr; i++) {
		if (len)
			strbuf_addch(&w->path, '/');
		strbuf_addstr(&w->path, names.v[i]);
		if (walk_entry(w, f, fd, names.v[i], ig, err) < 0)
			return -1;
		strbuf_setlen(&w->path, len);
	}
	return 0;
}

/* Bring the ignore state down to the directory that holds `path`. */
static void ignore_state(const struct build_tree *t, const char *path,
			 struct dockerfile_ignore_dir *state)
{
	cleanup_free char *dir = path_dir(path);
	size_t i;

	if (!t->ignore || str_eq(dir, "."))
		return;
	for (i = 1; i <= strlen(dir); i++) {
		struct dockerfile_ignore_dir sub = { 0 };
		cleanup_free char *part = NULL;

		if (dir[i] && dir[i] != '/')
			continue;
		part = xstrndup(dir, i);
		dockerfile_ignored(t->ignore, part, state, &sub);
		free(state->matched);
		*state = sub;
	}
}

int tree_walk(const struct build_tree *t, const char *path, tree_visit visit,
	      void *arg, struct error *err)
{
	struct walk w = { t, visit, arg, STRBUF_INIT, strlen(path) };
	struct dockerfile_ignore_dir state = { 0 };
	cleanup_free char *dir = path_dir(path), *name = path_base(path);
	cleanup_close int fd =
		fs_open_in_root(t->fd, dir, O_PATH | O_DIRECTORY, 0);
	int rc;

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", dir);
	ignore_state(t, path, &state);
	if (!str_eq(path, "."))
		strbuf_addstr(&w.path, path);
	else
		w.base = 0;
	rc = walk_entry(&w, NULL, fd, name, &state, err);
	free(state.matched);
	strbuf_release(&w.path);
	return rc;
}

#define LINKS_MAX 40 /* as the kernel's own limit */

char *tree_follow(const struct build_tree *t, const char *path,
		  struct stat *st)
{
	char *at = xstrdup(path);
	int i;

	for (i = 0; i < LINKS_MAX; i++) {
		cleanup_free char *dir = path_dir(at), *name = path_base(at);
		cleanup_free char *next = NULL, *rooted = NULL;
		cleanup_close int fd =
			fs_open_in_root(t->fd, dir, O_PATH | O_DIRECTORY, 0);
		char target[PATH_MAX];
		ssize_t n;

		if (fd < 0 || fstatat(fd, name, st, AT_SYMLINK_NOFOLLOW) < 0)
			break;
		if (!S_ISLNK(st->st_mode))
			return at;
		n = readlinkat(fd, name, target, sizeof(target) - 1);
		if (n < 0)
			break;
		target[n] = '\0';
		rooted = path_join("/", dir);
		next = path_resolve(rooted, target);
		free(at);
		at = next[1] ? xstrdup(next + 1) : xstrdup(".");
	}
	if (i == LINKS_MAX)
		errno = ELOOP;
	free(at);
	return NULL;
}

/* --- wildcards --- */

/* `a\*b` without its backslashes. */
static char *unescape(const char *part)
{
	struct strbuf sb = STRBUF_INIT;

	for (; *part; part++) {
		if (*part == '\\' && part[1])
			part++;
		strbuf_addch(&sb, *part);
	}
	return strbuf_detach(&sb);
}

static int expand(const struct build_tree *t, const char *prefix,
		  const char *rest, struct strvec *out, struct error *err)
{
	size_t n = strcspn(rest, "/"), i;
	cleanup_free char *part = xstrndup(rest, n);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	const char *tail = rest + n + (rest[n] == '/');
	int fd;

	if (!n) {
		strvec_push(out, prefix);
		return 0;
	}
	fd = fs_open_in_root(t->fd, prefix, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR
			       ? 0
			       : error_errno(err, "cannot open '%s'", prefix);
	if (read_names(fd, &names, err) < 0)
		return -1;
	for (i = 0; i < names.nr; i++) {
		cleanup_free char *plain = unescape(part), *next = NULL;
		bool hit = dockerfile_has_glob(part)
				   ? dockerfile_glob(part, names.v[i]) == 1
				   : str_eq(plain, names.v[i]);

		if (!hit)
			continue;
		next = path_join(str_eq(prefix, ".") ? "" : prefix,
				 names.v[i]);
		if (expand(t, next, tail, out, err) < 0)
			return -1;
	}
	return 0;
}

/* Does anything of `path` survive the ignore rules? */
static int note_any(void *arg, const struct tree_entry *e UNUSED,
		    struct error *err UNUSED)
{
	*(bool *)arg = true;
	return 0;
}

static int survives(const struct build_tree *t, const char *path, bool *yes,
		    struct error *err)
{
	struct dockerfile_ignore_dir state = { 0 };

	*yes = true;
	if (!t->ignore || str_eq(path, "."))
		return 0;
	ignore_state(t, path, &state);
	*yes = !dockerfile_ignored(t->ignore, path, &state, NULL);
	free(state.matched);
	if (*yes || !dockerfile_ignore_walk(t->ignore, path))
		return 0;
	return tree_walk(t, path, note_any, yes, err);
}

static int missing(const char *source, struct error *err)
{
	return error_set(err, ERR_INPUT, "\"/%s\": not found", source);
}

int tree_sources(const struct build_tree *t, const char *source,
		 struct strvec *out, struct error *err)
{
	cleanup_free char *rooted = path_join("/", source);
	cleanup_strvec struct strvec hits = STRVEC_INIT;
	const char *path = rooted[1] ? rooted + 1 : ".";
	bool glob = dockerfile_has_glob(path), yes;
	struct stat st;
	size_t i;

	if (glob) {
		if (dockerfile_glob(path, "") < 0)
			return error_set(err, ERR_INPUT,
					 "syntax error in pattern \"%s\"",
					 source);
		if (expand(t, ".", path, &hits, err) < 0)
			return -1;
	} else {
		cleanup_free char *real = tree_follow(t, path, &st);

		if (!real)
			return missing(path, err);
		strvec_push(&hits, path);
	}
	for (i = 0; i < hits.nr; i++) {
		if (survives(t, hits.v[i], &yes, err) < 0)
			return -1;
		if (yes)
			strvec_push(out, hits.v[i]);
		else if (!glob)
			return error_set(err, ERR_INPUT,
					 "\"/%s\": not found (excluded by "
					 ".dockerignore)", path);
	}
	return 0;
}
