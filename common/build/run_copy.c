/* run_copy.c - binds where nothing can be mounted: copies, while a step runs */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "build/run.h"

/*
 * What a directory would be seen of at its target is a copy anyway, as writes
 * must not reach it: it is moved there, and removed before anybody looks at
 * what the step has changed.
 */
struct run_copy {
	char *target; /* absolute, links resolved */
	char *parent; /* the nearest directory above that was there */
	struct timespec times[2]; /* of that */
};

bool run_copy_can(struct build *b, const struct build_mount *mount)
{
	return mount->m.type == DF_MOUNT_BIND &&
	       mount->from.stage == SIZE_MAX && !source_stage(b, &mount->from);
}

static bool is_there(int rootfd, const char *path)
{
	int fd = fs_open_in_root(rootfd, path, O_PATH | O_NOFOLLOW, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* Directories above it may have to be made: in which one. */
static int find_parent(struct run_copy *c, int rootfd, struct error *err)
{
	cleanup_free char *at = path_dir(c->target);
	cleanup_close int fd = -1;
	struct stat st;

	while (!is_there(rootfd, at)) {
		char *up = path_dir(at);

		free(at);
		at = up;
	}
	fd = fs_open_in_root(rootfd, at, O_PATH | O_DIRECTORY, 0);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open '%s'", at);
	c->times[0] = st.st_atim;
	c->times[1] = st.st_mtim;
	c->parent = steal_ptr(&at);
	return 0;
}

static int move_in(struct build *b, const struct run_copy *c, int rootfd,
		   const struct runtime_mount *m, struct error *err)
{
	cleanup_free char *from =
		m->below ? path_join(m->source, m->below) : xstrdup(m->source);
	cleanup_free char *dir = path_dir(c->target);
	cleanup_free char *base = path_base(c->target);
	cleanup_close int at =
		store_mkdir_in_root(b->o->store, rootfd, dir, 0755, 0, 0, err);

	if (at < 0)
		return -1;
	if (renameat(AT_FDCWD, from, at, base) < 0)
		return error_errno(err, "cannot move a copy to '%s'",
				   c->target);
	return 0;
}

static int put(struct run_mounts *r, int rootfd, const struct runtime_mount *m,
	       struct error *err)
{
	struct run_copy *c = &r->copies[r->n_copies++];

	c->target = fs_real_in_root(rootfd, m->target);
	if (!c->target)
		return error_errno(err, "cannot resolve '%s'", m->target);
	if (is_there(rootfd, c->target))
		return error_set(err, ERR_HOST,
				 "'%s' is there already: "
				 "without the right to mount nothing can be "
				 "seen in its place",
				 m->target);
	if (find_parent(c, rootfd, err) < 0)
		return -1;
	return move_in(r->b, c, rootfd, m, err);
}

int run_copies_put(struct run_mounts *r, const char *root, struct error *err)
{
	r->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->root < 0)
		return error_errno(err, "cannot open '%s'", root);
	r->copies = xcalloc(r->nr + 1, sizeof(*r->copies));
	while (r->n_copies < r->nr)
		if (put(r, r->root, &r->v[r->n_copies], err) < 0)
			return -1;
	return 0;
}

/* The name of `path` below its directory, which is opened; no link that the
 * step left leads out of the root. */
static char *open_above(int rootfd, const char *path, int *fd)
{
	cleanup_free char *dir = path_dir(path);

	*fd = fs_open_in_root(rootfd, dir, O_RDONLY | O_DIRECTORY, 0);
	return path_base(path);
}

/* Directories that were made go when nothing else is in them. */
static void remove_made(const struct run_copy *c, int rootfd)
{
	cleanup_free char *dir = path_dir(c->target);

	while (!str_eq(dir, c->parent)) {
		cleanup_close int at = -1;
		cleanup_free char *base = open_above(rootfd, dir, &at);
		char *up = path_dir(dir);

		if (at < 0 || unlinkat(at, base, AT_REMOVEDIR) < 0) {
			free(up);
			return;
		}
		free(dir);
		dir = up;
	}
}

static void take_away(const struct run_copy *c, int rootfd)
{
	cleanup_close int at = -1, parent = -1;
	cleanup_free char *base = NULL;

	if (!c->parent)
		return;
	base = open_above(rootfd, c->target, &at);
	if (at < 0 || fs_remove_tree(at, base, NULL) < 0)
		log_debug("cannot remove '%s'", c->target);
	remove_made(c, rootfd);
	parent = fs_open_in_root(rootfd, c->parent, O_RDONLY | O_DIRECTORY, 0);
	if (parent < 0 || futimens(parent, c->times) < 0)
		log_debug("cannot set the times of '%s'", c->parent);
}

void run_copies_take(struct run_mounts *r)
{
	while (r->n_copies) {
		struct run_copy *c = &r->copies[--r->n_copies];

		take_away(c, r->root);
		free(c->target);
		free(c->parent);
	}
	free(r->copies);
	base_close_fd(&r->root);
}
