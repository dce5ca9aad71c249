/* fs_remove.c - remove a tree by descriptors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"

/* Overlay's work directories have no permission bits: give them to us. */
static int open_dir(int dirfd, const char *name)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags);

	if (fd < 0 && errno == EACCES && !fchmodat(dirfd, name, 0700, 0))
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

/*
 * Depth is what a hostile tree can choose, so the walk keeps its own stack of
 * open directories instead of recursing; ".." is never used to go back.
 */
struct level {
	DIR *dir;
	char *name; /* in the level above */
};

static int push(struct level **stack, size_t *nr, size_t *alloc, int parent,
		const char *name)
{
	int fd = open_dir(parent, name);
	DIR *dir;

	if (fd < 0)
		return -1;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -1;
	}
	GROW(*stack, *nr, *alloc);
	(*stack)[*nr] = (struct level){ dir, xstrdup(name) };
	(*nr)++;
	return 0;
}

static bool is_dots(const char *name)
{
	return str_eq(name, ".") || str_eq(name, "..");
}

/* One entry of the top level: 0 go on, -1 failed. */
static int remove_entry(struct level **stack, size_t *nr, size_t *alloc,
			const struct dirent *e)
{
	int fd = dirfd((*stack)[*nr - 1].dir);

	if (is_dots(e->d_name))
		return 0;
	if (e->d_type != DT_DIR) {
		if (!unlink_at(fd, e->d_name, 0))
			return 0;
		if (errno != EISDIR)
			return -1;
	}
	return push(stack, nr, alloc, fd, e->d_name);
}

static int remove_children(int dirfd_top, struct level **stack, size_t *nr,
			   size_t *alloc)
{
	while (*nr) {
		struct level top = (*stack)[*nr - 1];
		struct dirent *e = readdir(top.dir);
		int parent = *nr > 1 ? dirfd((*stack)[*nr - 2].dir)
				     : dirfd_top;

		if (e) {
			if (remove_entry(stack, nr, alloc, e) < 0)
				return -1;
			continue;
		}
		(*nr)--;
		closedir(top.dir);
		if (unlink_at(parent, top.name, AT_REMOVEDIR) < 0 &&
		    errno != ENOTEMPTY) {
			free(top.name);
			return -1;
		}
		free(top.name);
	}
	return 0;
}

int fs_remove_tree(int dirfd_top, const char *name, struct error *err)
{
	struct level *stack = NULL;
	size_t nr = 0, alloc = 0;
	int rc = 0;

	if (!unlink_at(dirfd_top, name, 0))
		return 0;
	if ((errno != EISDIR && errno != EPERM) ||
	    push(&stack, &nr, &alloc, dirfd_top, name) < 0 ||
	    remove_children(dirfd_top, &stack, &nr, &alloc) < 0)
		rc = error_errno(err, "cannot remove '%s'", name);
	while (nr--) {
		closedir(stack[nr].dir);
		free(stack[nr].name);
	}
	free(stack);
	return rc;
}
