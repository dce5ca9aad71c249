/* context.c - what a build sees of its context */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "build/internal.h"

#define IGNORE_MAX (1u << 20)

/* 1: opened; 0: there is none; -1: it is there and cannot be read, and to go
 * on without it would copy what it keeps out. */
static int open_ignore(int dirfd, const char *name, int *fd,
		       struct error *err)
{
	const int flags = O_RDONLY | O_NONBLOCK; /* a pipe must not block */
	struct stat st;

	*fd = fs_open_in_root(dirfd, name, flags, 0);
	if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (*fd < 0)
		return error_errno_code(err, ERR_INPUT, "cannot open '%s'",
					name);
	if (fstat(*fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, ERR_INPUT, "'%s' is not a regular file",
				 name);
	return 1;
}

/* NAME.dockerignore, in the context or elsewhere: links lead no further than
 * the one, or the directory of the other. */
static int open_own(int context_fd, const char *below, const char *name,
		    int *fd, struct error *err)
{
	cleanup_free char *dir = path_dir(name), *base = path_base(name);
	cleanup_close int dirfd = -1;

	if (below)
		return open_ignore(context_fd, below, fd, err);
	dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return error_errno_code(err, ERR_INPUT, "cannot open '%s'",
					dir);
	return open_ignore(dirfd, base, fd, err);
}

int build_ignore(int context_fd, const char *context, const char *dockerfile,
		 struct dockerfile_ignore **out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *own = NULL;
	const char *name = ".dockerignore", *below;
	cleanup_close int fd = -1;
	int rc = 0;

	if (dockerfile) {
		own = xstrfmt("%s.dockerignore", dockerfile);
		below = path_below(own, context);
		rc = open_own(context_fd, below, own, &fd, err);
	}
	if (rc > 0)
		name = below ? below : own;
	else if (!rc)
		rc = open_ignore(context_fd, name, &fd, err);
	if (rc <= 0)
		return rc;
	if (fs_read_fd(fd, IGNORE_MAX, &text, err) < 0)
		return error_wrap(err, "%s", name);
	return dockerfile_ignore_parse(out, name, text.buf, text.len, err);
}

/* --- the view --- */

struct entry {
	char *path;
	struct json *json;
};

struct entries {
	struct entry *v;
	size_t nr, alloc;
};

static void entries_release(struct entries *list)
{
	while (list->nr) {
		struct entry *e = &list->v[--list->nr];

		json_free(e->json);
		free(e->path);
	}
	free(list->v);
}

static const char *type_name(mode_t mode)
{
	if (S_ISREG(mode))
		return "file";
	if (S_ISDIR(mode))
		return "dir";
	return S_ISLNK(mode) ? "link" : NULL;
}

static int set_target(struct json *j, const struct tree_entry *e,
		      struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(e->dirfd, e->name, target, sizeof(target));

	if (n < 0 || (size_t)n == sizeof(target))
		return error_errno(err, "cannot read link '%s'", e->path);
	target[n] = '\0';
	json_set_str(j, "target", target);
	return 0;
}

static int add_entry(void *arg, const struct tree_entry *e, struct error *err)
{
	const char *type = type_name(e->st->st_mode);
	struct entries *list = arg;
	struct json *j;
	char mode[8];

	if (e->leave || !*e->path)
		return 0;
	if (!type) {
		log_warn("'%s' is a socket, pipe or device: not shown",
			 e->path);
		return 0;
	}
	snprintf(mode, sizeof(mode), "%04o", (unsigned)e->st->st_mode & 07777);
	j = json_new_object();
	json_set_str(j, "path", e->path);
	json_set_str(j, "type", type);
	json_set_str(j, "mode", mode);
	if (S_ISREG(e->st->st_mode))
		json_set_int(j, "size", (int64_t)e->st->st_size);
	GROW(list->v, list->nr, list->alloc);
	list->v[list->nr++] = (struct entry){ xstrdup(e->path), j };
	return S_ISLNK(e->st->st_mode) ? set_target(j, e, err) : 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path,
		      ((const struct entry *)b)->path);
}

struct json *build_context_json(const char *dir, const char *dockerfile,
				struct error *err)
{
	CLEANUP(entries_release) struct entries list = { 0 };
	cleanup_close int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dockerfile_ignore *ignore = NULL;
	struct build_tree tree = { .fd = fd };
	struct json *out;
	size_t i;
	int rc;

	if (fd < 0) {
		error_errno_code(err, ERR_INPUT, "cannot open the context '%s'",
				 dir);
		return NULL;
	}
	if (build_ignore(fd, dir, dockerfile, &ignore, err) < 0)
		return NULL;
	tree.ignore = ignore;
	rc = tree_walk(&tree, ".", add_entry, &list, err);
	dockerfile_ignore_free(ignore);
	if (rc < 0)
		return NULL;
	if (list.nr)
		qsort(list.v, list.nr, sizeof(*list.v), by_path);
	out = json_new_array();
	for (i = 0; i < list.nr; i++)
		json_push(out, steal_ptr(&list.v[i].json));
	return out;
}
