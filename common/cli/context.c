/* context.c - walk a context as a build sees it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "dockerfile/dockerfile.h"

#define IGNORE_MAX (1 << 20) /* bytes of an ignore file */
#define DEPTH_MAX 512	     /* open directories at a time */

struct entry {
	char *path;
	struct json *json;
};

struct walk {
	struct dockerfile_ignore *ignore;
	struct entry *v;
	size_t nr, alloc;
	unsigned depth;
	struct error *err;
};

static int walk_dir(struct walk *w, int fd, const char *dir,
		    const struct dockerfile_ignore_dir *state);

static const char *type_name(mode_t mode)
{
	if (S_ISREG(mode))
		return "file";
	if (S_ISDIR(mode))
		return "dir";
	return S_ISLNK(mode) ? "link" : NULL;
}

static int add_entry(struct walk *w, int dirfd, const char *path,
		     const char *name, const struct stat *st)
{
	char target[PATH_MAX];
	char mode[8];
	struct json *j;

	snprintf(mode, sizeof(mode), "%04o", (unsigned)st->st_mode & 07777);
	j = json_new_object();
	json_set_str(j, "path", path);
	json_set_str(j, "type", type_name(st->st_mode));
	json_set_str(j, "mode", mode);
	if (S_ISREG(st->st_mode))
		json_set_int(j, "size", (int64_t)st->st_size);
	GROW(w->v, w->nr, w->alloc);
	w->v[w->nr++] = (struct entry){ xstrdup(path), j };
	if (S_ISLNK(st->st_mode)) {
		ssize_t n = readlinkat(dirfd, name, target, sizeof(target));

		if (n < 0 || (size_t)n == sizeof(target))
			return error_errno(w->err, "cannot read link '%s'",
					   path);
		target[n] = '\0';
		json_set_str(j, "target", target);
	}
	return 0;
}

static int walk_subdir(struct walk *w, int dirfd, const char *path,
		       const char *name,
		       const struct dockerfile_ignore_dir *state)
{
	int r;
	int fd = openat(dirfd, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_errno(w->err, "cannot open '%s'", path);
	if (w->depth == DEPTH_MAX) {
		close(fd);
		return error_set(w->err, ERR_INPUT,
				 "'%s' is too deeply nested", path);
	}
	w->depth++;
	r = walk_dir(w, fd, path, state);
	w->depth--;
	return r;
}

static int visit(struct walk *w, int dirfd, const char *path,
		 const char *name, const struct dockerfile_ignore_dir *parent)
{
	struct dockerfile_ignore_dir sub = { NULL };
	size_t before = w->nr;
	struct stat st;
	bool ignored;
	int r = 0;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(w->err, "cannot stat '%s'", path);
	ignored = dockerfile_ignored(w->ignore, path, parent,
				     S_ISDIR(st.st_mode) ? &sub : NULL);
	if (!type_name(st.st_mode)) {
		if (!ignored)
			log_warn("'%s' is a socket, pipe or device; builds "
				 "do not see it",
				 path);
		return 0;
	}
	if (S_ISDIR(st.st_mode) &&
	    (!ignored || dockerfile_ignore_walk(w->ignore, path)))
		r = walk_subdir(w, dirfd, path, name, &sub);
	/* An ignored directory is there when something below it is. */
	if (r == 0 && (!ignored || w->nr > before))
		r = add_entry(w, dirfd, path, name, &st);
	free(sub.matched);
	return r;
}

/* Takes `fd`. */
static int walk_dir(struct walk *w, int fd, const char *dir,
		    const struct dockerfile_ignore_dir *state)
{
	const struct dirent *e;
	DIR *d = fdopendir(fd);
	int r = 0;

	if (!d) {
		close(fd);
		return error_errno(w->err, "cannot read '%s'", dir);
	}
	while (r == 0 && (errno = 0, e = readdir(d))) {
		cleanup_free char *path = NULL;

		if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
			continue;
		path = xstrfmt("%s%s%s", dir, *dir ? "/" : "", e->d_name);
		r = visit(w, dirfd(d), path, e->d_name, state);
	}
	if (r == 0 && errno)
		r = error_errno(w->err, "cannot read '%s'", dir);
	closedir(d);
	return r;
}

static int try_ignore_file(const char *path, struct strbuf *text, bool *found,
			   struct error *err)
{
	struct error why = ERROR_INIT;

	*found = fs_read_regular(path, IGNORE_MAX, text, &why) == 0;
	if (*found || why.sys == ENOENT) {
		error_release(&why);
		return 0;
	}
	return error_move(err, &why);
}

static int read_ignore(struct walk *w, const char *dir,
		       const char *dockerfile)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *own =
		dockerfile ? xstrfmt("%s.dockerignore", dockerfile) : NULL;
	cleanup_free char *common = path_join(dir, ".dockerignore");
	const char *name = own ? own : common;
	bool found = false;

	if (own && try_ignore_file(own, &text, &found, w->err) < 0)
		return -1;
	if (!found) {
		name = common;
		if (try_ignore_file(common, &text, &found, w->err) < 0)
			return -1;
	}
	return dockerfile_ignore_parse(&w->ignore, name,
				       found ? text.buf : NULL, text.len,
				       w->err);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path,
		      ((const struct entry *)b)->path);
}

static struct json *take_sorted(struct walk *w)
{
	struct json *list = json_new_array();

	if (w->nr)
		qsort(w->v, w->nr, sizeof(*w->v), by_path);
	for (size_t i = 0; i < w->nr; i++)
		json_push(list, steal_ptr(&w->v[i].json));
	return list;
}

struct json *cli_context_json(const char *dir, const char *dockerfile,
			      struct error *err)
{
	struct dockerfile_ignore_dir top = { NULL };
	struct walk w = { .err = err };
	struct json *out = NULL;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		error_errno_code(err, ERR_INPUT, "cannot open context '%s'",
				 dir);
		return NULL;
	}
	if (read_ignore(&w, dir, dockerfile) < 0)
		close(fd);
	else if (walk_dir(&w, fd, "", &top) == 0)
		out = take_sorted(&w);
	for (size_t i = 0; i < w.nr; i++) {
		json_free(w.v[i].json);
		free(w.v[i].path);
	}
	free(w.v);
	dockerfile_ignore_free(w.ignore);
	return out;
}
