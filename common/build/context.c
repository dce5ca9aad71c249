/* context.c - what a build sees of its context */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "build/internal.h"

#define IGNORE_MAX (1u << 20)

/* 1: opened; 0: there is none; -1: it is there and cannot be read, and to go
 * on without it would copy what it keeps out. */
static int open_ignore(int context_fd, const char *name, int *fd,
		       struct error *err)
{
	const int flags = O_RDONLY | O_NONBLOCK; /* a pipe must not block */
	struct stat st;

	*fd = fs_open_in_root(context_fd, name, flags, 0);
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

int build_ignore(int context_fd, const char *dockerfile,
		 struct dockerfile_ignore **out, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *own = NULL;
	const char *name = ".dockerignore";
	cleanup_close int fd = -1;
	int rc = 0;

	if (dockerfile) {
		own = xstrfmt("%s.dockerignore", dockerfile);
		rc = open_ignore(context_fd, own, &fd, err);
	}
	if (rc > 0)
		name = own;
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
	if (build_ignore(fd, dockerfile, &ignore, err) < 0)
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
