/* fs_remove.c - remove a tree by descriptors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"

/* Depth is what a hostile tree can choose: neither the call stack nor the
 * number of open files may follow it. */
#define MAX_OPEN 32
/* Others may add names while a directory is emptied; nobody does for long. */
#define MAX_PASSES 8

struct level {
	DIR *dir;
	char *name; /* in the level above */
	int passes;
};

/* The directories from the root of the tree down to where the walk is; ".."
 * is never used to go back. */
struct walk {
	int parent; /* of the first level */
	struct level *levels;
	size_t nr, alloc;
	unsigned long moved; /* directories moved up so far */
};

static int level_fd(const struct walk *w, size_t i)
{
	return dirfd(w->levels[i].dir);
}

/* Overlay's work directories have no permission bits: give them to us. */
static int allow(int dirfd, const char *name)
{
	return fchmodat(dirfd, name, 0700, AT_SYMLINK_NOFOLLOW);
}

static int open_dir(int dirfd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags);

	if (fd < 0 && errno == EACCES && !allow(dirfd, name))
		fd = openat(dirfd, name, flags);
	return fd;
}

static int unlink_at(int dirfd, const char *name, int flags)
{
	if (!unlinkat(dirfd, name, flags) || errno == ENOENT)
		return 0;
	if (errno != EACCES)
		return -1;
	/* The directory holding the name lacks write permission. */
	if (fchmod(dirfd, 0700) < 0)
		return -1;
	return unlinkat(dirfd, name, flags);
}

static int push(struct walk *w, int parent, const char *name)
{
	int fd = open_dir(parent, name);
	DIR *dir;

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -1;
	}
	GROW(w->levels, w->nr, w->alloc);
	w->levels[w->nr++] = (struct level){ .dir = dir,
					     .name = xstrdup(name) };
	return 0;
}

static void pop(struct walk *w)
{
	struct level *last = &w->levels[--w->nr];

	closedir(last->dir);
	free(last->name);
}

/* To where nothing is kept: a file or full directory of that name is in the
 * way, an empty directory may be replaced. */
static int rename_up(struct walk *w, int from, const char *name)
{
	char to[32];

	do {
		snprintf(to, sizeof(to), ".deep-%lu", w->moved++);
		if (!renameat(from, name, level_fd(w, 0), to))
			return 0;
	} while (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR);
	return -1;
}

/* 0 moved (or gone), 1 the file system cannot, -1 failed. */
static int move_up(struct walk *w, int from, const char *name)
{
	int rc = rename_up(w, from, name);

	/* The other parent is written in the directory itself. */
	if (rc < 0 && errno == EACCES && !fchmod(from, 0700) &&
	    !fchmod(level_fd(w, 0), 0700) && !allow(from, name))
		rc = rename_up(w, from, name);
	if (!rc || errno == ENOENT) {
		w->levels[0].passes = 0;
		return 0;
	}
	return errno == EXDEV ? 1 : -1;
}

static bool is_dots(const char *name)
{
	return str_eq(name, ".") || str_eq(name, "..");
}

static int remove_entry(struct walk *w, const struct dirent *e)
{
	int rc = 1, fd = level_fd(w, w->nr - 1);

	if (is_dots(e->d_name))
		return 0;
	if (e->d_type != DT_DIR) {
		if (!unlink_at(fd, e->d_name, 0))
			return 0;
		if (errno != EISDIR)
			return -1;
	}
	if (w->nr >= MAX_OPEN)
		rc = move_up(w, fd, e->d_name);
	return rc == 1 ? push(w, fd, e->d_name) : rc;
}

/* The last level has been read to its end. */
static int leave(struct walk *w)
{
	struct level *last = &w->levels[w->nr - 1];
	int parent = w->nr > 1 ? level_fd(w, w->nr - 2) : w->parent;

	if (!unlink_at(parent, last->name, AT_REMOVEDIR)) {
		pop(w);
		return 0;
	}
	if ((errno != ENOTEMPTY && errno != EEXIST) ||
	    ++last->passes > MAX_PASSES)
		return -1;
	rewinddir(last->dir);
	return 0;
}

static int remove_levels(struct walk *w)
{
	while (w->nr) {
		struct dirent *e;

		errno = 0;
		e = readdir(w->levels[w->nr - 1].dir);
		if (!e && errno)
			return -1;
		if ((e ? remove_entry(w, e) : leave(w)) < 0)
			return -1;
	}
	return 0;
}

int fs_remove_tree(int dirfd_top, const char *name, struct error *err)
{
	struct walk w = { .parent = dirfd_top };
	int rc = 0;

	if (!unlink_at(dirfd_top, name, 0))
		return 0;
	if ((errno != EISDIR && errno != EPERM) ||
	    push(&w, dirfd_top, name) < 0 || remove_levels(&w) < 0)
		rc = error_errno(err, "cannot remove '%s'", name);
	while (w.nr)
		pop(&w);
	free(w.levels);
	return rc;
}
