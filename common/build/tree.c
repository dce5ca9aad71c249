/* tree.c - walk a build context or a stage, by descriptors and in order */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "base/signals.h"
#include "build/internal.h"

#define DEPTH_MAX 1000 /* of directories below one another */

#define RULES_MAX 3

/* Some rules, and where the paths begin that they speak of. */
struct rules {
	const struct dockerfile_ignore *list;
	size_t base;
};

/* What all rules know of the directory above. */
struct state {
	struct dockerfile_ignore_dir of[RULES_MAX];
};

struct walk {
	const struct build_tree *tree;
	tree_visit visit;
	void *arg;
	struct strbuf path;  /* in the tree */
	size_t base;	     /* where the part given to `visit` begins */
	struct rules rules[RULES_MAX];
	size_t n_rules;
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
		    const struct state *state, struct error *err);

static const char *path_from(const struct walk *w, size_t base)
{
	const char *p = w->path.buf + MIN(base, w->path.len);

	return *p == '/' ? p + 1 : p;
}

static void state_release(struct state *s)
{
	size_t i;

	for (i = 0; i < RULES_MAX; i++)
		free(s->of[i].matched);
}

static void add_rules(struct walk *w, const struct dockerfile_ignore *list,
		      size_t base)
{
	if (list)
		w->rules[w->n_rules++] = (struct rules){ list, base };
}

/* Is the path left out by any rules? `enter`: something below it may not be.
 * `sub` is for a directory only. */
static bool left_out(const struct walk *w, const struct state *above,
		     struct state *sub, bool *enter)
{
	bool out = false;
	size_t i;

	*enter = true;
	for (i = 0; i < w->n_rules; i++) {
		const struct rules *r = &w->rules[i];
		const char *path = path_from(w, r->base);

		if (!*path || !dockerfile_ignored(r->list, path, &above->of[i],
						  sub ? &sub->of[i] : NULL))
			continue;
		out = true;
		*enter &= dockerfile_ignore_walk(r->list, path);
	}
	return out;
}

static int show(struct walk *w, int dirfd, const char *name,
		const struct stat *st, bool leave, struct error *err)
{
	struct tree_entry e = { dirfd, name, path_from(w, w->base), st, leave };

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
		      const char *name, const struct state *above,
		      struct error *err)
{
	CLEANUP(state_release) struct state sub = { 0 };
	struct stat st;
	bool out, enter, shown = false;
	struct frame f = { up, dirfd, name, &st, w->path.len, &shown,
			   up ? up->depth + 1 : 0 };
	int rc = 0;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0
				       : error_errno(err, "cannot stat '%s'",
						     w->path.buf);
	out = left_out(w, above, S_ISDIR(st.st_mode) ? &sub : NULL, &enter);
	if (!S_ISDIR(st.st_mode)) {
		if (out)
			return 0;
		if (show_parents(w, up, err) < 0)
			return -1;
		return show(w, dirfd, name, &st, false, err);
	}
	if (!out)
		rc = show_parents(w, &f, err);
	if (!rc && enter)
		rc = walk_dir(w, &f, &sub, err);
	if (!rc && shown)
		rc = show(w, dirfd, name, &st, true, err);
	return rc;
}

int tree_names(int fd, struct strvec *names, struct error *err)
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
		    const struct state *state, struct error *err)
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
	    tree_names(fcntl(fd, F_DUPFD_CLOEXEC, 0), &names, err) < 0)
		return -1;
	for (i = 0; i < names.nr; i++) {
		if (len)
			strbuf_addch(&w->path, '/');
		strbuf_addstr(&w->path, names.v[i]);
		if (walk_entry(w, f, fd, names.v[i], state, err) < 0)
			return -1;
		strbuf_setlen(&w->path, len);
	}
	return 0;
}

/* Bring the state of the tree's own rules down to the directory that holds
 * the path; the other rules begin below it. */
static void enter_state(const struct walk *w, struct state *state)
{
	struct dockerfile_ignore_dir *d = &state->of[0];
	const char *path = w->path.buf, *slash = path;

	if (!w->tree->ignore)
		return;
	while ((slash = strchr(slash, '/'))) {
		cleanup_free char *dir = xstrndup(path,
						  (size_t)(slash++ - path));
		struct dockerfile_ignore_dir sub = { 0 };

		dockerfile_ignored(w->tree->ignore, dir, d, &sub);
		free(d->matched);
		*d = sub;
	}
}

static void walk_init(struct walk *w, const char *path)
{
	w->path = (struct strbuf)STRBUF_INIT;
	if (!str_eq(path, "."))
		strbuf_addstr(&w->path, path);
	w->base = w->path.len;
	add_rules(w, w->tree->ignore, 0);
}

static int walk_from(struct walk *w, const char *path, struct error *err)
{
	CLEANUP(state_release) struct state state = { 0 };
	cleanup_free char *dir = path_dir(path), *name = path_base(path);
	cleanup_close int fd =
		fs_open_in_root(w->tree->fd, dir, O_PATH | O_DIRECTORY, 0);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", dir);
	enter_state(w, &state);
	return walk_entry(w, NULL, fd, name, &state, err);
}

int tree_walk(const struct build_tree *t, const char *path, tree_visit visit,
	      void *arg, struct error *err)
{
	struct walk w = { .tree = t, .visit = visit, .arg = arg };
	int rc;

	walk_init(&w, path);
	rc = walk_from(&w, path, err);
	strbuf_release(&w.path);
	return rc;
}

int tree_walk_item(const struct build_tree *t, const struct tree_item *item,
		   tree_visit visit, void *arg, struct error *err)
{
	struct walk w = { .tree = t, .visit = visit, .arg = arg };
	int rc;

	walk_init(&w, item->path);
	add_rules(&w, item->include, w.base);
	add_rules(&w, item->exclude, w.base);
	rc = walk_from(&w, item->path, err);
	strbuf_release(&w.path);
	return rc;
}

bool tree_ignored(const struct build_tree *t, const char *path, bool *enter)
{
	struct walk w = { .tree = t };
	CLEANUP(state_release) struct state state = { 0 };
	bool out;

	walk_init(&w, path);
	enter_state(&w, &state);
	out = left_out(&w, &state, NULL, enter);
	strbuf_release(&w.path);
	return out;
}
