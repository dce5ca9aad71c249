/* tree_pick.c - which files a COPY names: wildcards, links, --parents */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "build/internal.h"

static void item_release(struct tree_item *item)
{
	free(item->path);
	free(item->name);
	dockerfile_ignore_free(item->include);
}

void tree_items_release(struct tree_items *list)
{
	while (list->nr)
		item_release(&list->v[--list->nr]);
	free(list->v);
	dockerfile_ignore_free(list->exclude);
	*list = (struct tree_items){ 0 };
}

static int missing(const char *path, struct error *err)
{
	return error_set(err, ERR_INPUT, "\"/%s\": not found", path);
}

static int stat_in(const struct build_tree *t, const char *path,
		   struct stat *st)
{
	cleanup_free char *dir = path_dir(path), *name = path_base(path);
	cleanup_close int fd =
		fs_open_in_root(t->fd, dir, O_PATH | O_DIRECTORY, 0);

	return fd < 0 ? -1 : fstatat(fd, name, st, AT_SYMLINK_NOFOLLOW);
}

/* Relative to the tree, "." for its top. */
static char *relative(const char *absolute)
{
	return xstrdup(absolute[1] ? absolute + 1 : ".");
}

/* --- wildcards --- */

/* The names in a directory that one part of a pattern matches. */
static int matching(int fd, const char *part, struct strvec *out,
		    struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	size_t i;

	if (!strpbrk(part, "*?[\\")) {
		struct stat st;

		if (!fstatat(fd, part, &st, AT_SYMLINK_NOFOLLOW))
			strvec_push(out, part);
		return 0;
	}
	if (tree_names(fcntl(fd, F_DUPFD_CLOEXEC, 0), &names, err) < 0)
		return -1;
	for (i = 0; i < names.nr; i++)
		if (dockerfile_glob(part, names.v[i]) == 1)
			strvec_push(out, names.v[i]);
	return 0;
}

/* All that `rest` matches below the directory `at`. Behind a wildcard no link
 * is entered: what it leads to has a path of its own. */
static int expand(int fd, const char *at, const char *rest,
		  struct strvec *out, struct error *err)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	size_t n = strcspn(rest, "/"), i;
	cleanup_free char *part = xstrndup(rest, n);
	cleanup_strvec struct strvec names = STRVEC_INIT;
	const char *tail = rest + n + (rest[n] == '/');

	if (matching(fd, part, &names, err) < 0)
		return -1;
	for (i = 0; i < names.nr; i++) {
		cleanup_free char *path = path_join(at, names.v[i]);
		cleanup_close int sub = -1;

		if (!*tail) {
			strvec_push(out, path);
			continue;
		}
		sub = openat(fd, names.v[i], flags);
		if (sub < 0 && (errno == ENOTDIR || errno == ELOOP ||
				errno == ENOENT))
			continue;
		if (sub < 0)
			return error_errno(err, "cannot open '%s'", path);
		if (expand(sub, path, tail, out, err) < 0)
			return -1;
	}
	return 0;
}

/* The length of the directories of a pattern before its first wildcard. */
static size_t plain_dirs(const char *pattern)
{
	size_t end = 0;

	for (;;) {
		size_t n = strcspn(pattern + end + 1, "/");
		cleanup_free char *part = xstrndup(pattern + end + 1, n);

		if (dockerfile_has_glob(part))
			return end;
		end += n + 1;
	}
}

/* The paths (absolute in the tree) that a cleaned absolute pattern means. */
static int resolve(const struct build_tree *t, const char *pattern,
		   struct strvec *out, struct error *err)
{
	cleanup_free char *dir = NULL, *real = NULL;
	size_t n;
	cleanup_close int fd = -1;

	if (!dockerfile_has_glob(pattern)) {
		strvec_push(out, pattern);
		return 0;
	}
	if (dockerfile_glob(pattern, "") < 0)
		return error_set(err, ERR_INPUT,
				 "syntax error in pattern \"%s\"", pattern);
	n = plain_dirs(pattern);
	dir = xstrndup(pattern, n);
	real = fs_real_in_root(t->fd, dir);
	fd = real ? fs_open_in_root(t->fd, real, O_RDONLY | O_DIRECTORY, 0)
		  : -1;
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
			       ? 0
			       : error_errno(err, "cannot open '%s'", dir);
	return expand(fd, real, pattern + n + 1, out, err);
}

/* --- what is left out --- */

static int note_any(void *arg, const struct tree_entry *e UNUSED,
		    struct error *err UNUSED)
{
	*(bool *)arg = true;
	return 0;
}

/* Does anything of `path` survive the ignore rules of the tree? */
static int survives(const struct build_tree *t, const char *path, bool *yes,
		    struct error *err)
{
	const struct build_tree plain = { .fd = t->fd, .ignore = t->ignore };
	bool enter;

	*yes = !t->ignore || !tree_ignored(t, path, &enter);
	if (*yes || !enter)
		return 0;
	return tree_walk(&plain, path, note_any, yes, err);
}

static int check_survives(const struct build_tree *t, const char *path,
			  struct error *err)
{
	bool yes;

	if (survives(t, path, &yes, err) < 0)
		return -1;
	if (yes)
		return 0;
	return error_set(err, ERR_INPUT,
			 "\"/%s\": not found (excluded by .dockerignore)",
			 path);
}

/* --- what is copied --- */

/* --exclude says what of a directory is left out, or that a file is. */
static bool excluded(const struct tree_items *list, const char *name,
		     mode_t type)
{
	const struct dockerfile_ignore_dir top = { NULL };

	return list->exclude && type != S_IFDIR &&
	       dockerfile_ignored(list->exclude, name, &top, NULL);
}

/* A file is called by the name it was given, wherever a link leads. */
static int add_item(const struct build_tree *t, const char *path,
		    struct tree_items *out, struct error *err)
{
	cleanup_free char *absolute = fs_real_in_root(t->fd, path);
	cleanup_free char *real = absolute ? relative(absolute) : NULL;
	cleanup_free char *name = path_base(path);
	struct stat st;
	mode_t type;

	if (!real || stat_in(t, real, &st) < 0)
		return missing(path + 1, err);
	if (check_survives(t, real, err) < 0)
		return -1;
	type = st.st_mode & S_IFMT;
	if (excluded(out, name, type))
		return 0;
	GROW(out->v, out->nr, out->alloc);
	out->v[out->nr++] = (struct tree_item){ .path = steal_ptr(&real),
						.name = steal_ptr(&name),
						.type = type,
						.exclude = out->exclude };
	return 0;
}

static int pick_plain(const struct build_tree *t, const char *pattern,
		      struct tree_items *out, struct error *err)
{
	cleanup_strvec struct strvec hits = STRVEC_INIT;
	bool yes, wild = dockerfile_has_glob(pattern);
	size_t i;

	if (resolve(t, pattern, &hits, err) < 0)
		return -1;
	for (i = 0; i < hits.nr; i++) {
		cleanup_free char *path = relative(hits.v[i]);

		if (survives(t, path, &yes, err) < 0)
			return -1;
		if (!yes && wild)
			continue;
		if (check_survives(t, path, err) < 0 ||
		    add_item(t, hits.v[i], out, err) < 0)
			return -1;
	}
	return 0;
}

/* A path without wildcards must be there. Below the pivot no link is entered,
 * so one on the way would mean that nothing is copied. */
static int check_required(const struct build_tree *t, const char *dir,
			  const char *below, struct error *err)
{
	cleanup_free char *path = path_join(dir, below);
	cleanup_free char *absolute = path_join("/", path);
	cleanup_free char *up = path_dir(absolute);
	cleanup_free char *real = fs_real_in_root(t->fd, up);
	struct stat st;

	if (real && !str_eq(real, up)) {
		error_set(err, ERR_INPUT,
			  "\"%s\": a directory on its way is a symbolic link",
			  absolute);
		return error_hint(err, "--parents keeps directories as they "
				       "are; name the path without the link, "
				       "or end the link with '/./'");
	}
	if (!real || stat_in(t, path, &st) < 0)
		return missing(path, err);
	return check_survives(t, path, err);
}

/* Give an item the rule of --parents. 1: it is no directory, which a wildcard
 * may well match; nothing of it is meant. */
static int set_below(const struct build_tree *t, struct tree_item *item,
		     const char *below, bool wild, struct error *err)
{
	if (item->type != S_IFDIR)
		return wild ? 1 : error_set(err, ERR_INPUT,
					    "\"/%s\" is not a directory",
					    item->path);
	if (!wild && check_required(t, item->path, below, err) < 0)
		return -1;
	return dockerfile_ignore_rest(&item->include, below, err);
}

/* `below` is kept with its directories, relative to each hit of `top`. */
static int pick_parents(const struct build_tree *t, const char *top,
			const char *below, struct tree_items *out,
			struct error *err)
{
	bool wild = dockerfile_has_glob(top) || dockerfile_has_glob(below);
	size_t i = out->nr, kept = i;

	if (dockerfile_glob(below, "") < 0)
		return error_set(err, ERR_INPUT,
				 "syntax error in pattern \"%s\"", below);
	if (pick_plain(t, top, out, err) < 0)
		return -1;
	for (; *below && i < out->nr; i++) {
		struct tree_item item = out->v[i];
		int rc = set_below(t, &item, below, wild, err);

		out->v[i] = (struct tree_item){ 0 };
		if (rc)
			item_release(&item);
		else
			out->v[kept++] = item;
		if (rc < 0)
			return -1;
	}
	if (*below)
		out->nr = kept;
	return 0;
}

static int pick(const struct build_tree *t, const struct build_step *step,
		const char *source, struct tree_items *out, struct error *err)
{
	const char *pivot = step->parents ? strstr(source, "/./") : NULL;
	cleanup_free char *top = NULL, *clean = NULL, *below = NULL;

	if (!step->parents) {
		clean = path_join("/", source);
		return pick_plain(t, clean, out, err);
	}
	if (pivot)
		top = xstrndup(source, (size_t)(pivot - source));
	clean = path_join("/", top ? top : "");
	below = path_join("/", pivot ? pivot + 3 : source);
	return pick_parents(t, clean, below + 1, out, err);
}

int tree_pick(const struct build_tree *t, const struct build_step *step,
	      struct tree_items *out, struct error *err)
{
	size_t i;

	if (step->excludes.nr &&
	    dockerfile_ignore_words(&out->exclude, &step->excludes, err) < 0)
		return -1;
	for (i = 0; i < step->sources.nr; i++)
		if (pick(t, step, step->sources.v[i], out, err) < 0)
			return -1;
	return 0;
}

int tree_pick_one(const struct build_tree *t, const char *path,
		  struct tree_items *out, struct error *err)
{
	cleanup_free char *clean = path_join("/", path);

	return add_item(t, clean, out, err);
}
