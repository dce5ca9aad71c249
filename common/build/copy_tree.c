/* copy_tree.c - copy files and trees into a root, by descriptors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/inodes.h"
#include "base/path.h"
#include "build/internal.h"

struct copying {
	struct copy_target *to;
	const struct build_tree *source;
	char *dest; /* absolute, in the root */
	int *dirs;  /* open directories of the destination, by depth */
	size_t n_dirs, alloc_dirs;
	struct inodes inodes; /* later names become links; paths in the root */
};

static void copying_release(struct copying *c)
{
	while (c->n_dirs)
		close(c->dirs[--c->n_dirs]);
	free(c->dirs);
	inodes_release(&c->inodes);
	free(c->dest);
}

static bool keep_xattr(const char *name)
{
	return !str_starts(name, "trusted.overlay.") &&
	       !str_starts(name, "user.overlay.") &&
	       !str_starts(name, "user.devenv.") &&
	       !str_starts(name, "security.selinux") &&
	       !str_starts(name, "system.");
}

/* Attributes the file system or our rights refuse are left out: only
 * security.capability changes what a program may do, and it is kept. */
static int copy_xattrs(int in, int out, const char *path, struct error *err)
{
	char names[XATTR_LIST_MAX], value[XATTR_SIZE_MAX];
	ssize_t n = flistxattr(in, names, sizeof(names));
	const char *name;

	if (n < 0 && errno != ENOTSUP)
		return error_errno(err, "cannot list the attributes of '%s'",
				   path);
	for (name = names; name < names + n; name += strlen(name) + 1) {
		ssize_t len;

		if (!keep_xattr(name))
			continue;
		len = fgetxattr(in, name, value, sizeof(value));
		if (len < 0 || !fsetxattr(out, name, value, (size_t)len, 0))
			continue;
		if (str_eq(name, "security.capability"))
			return error_errno(err,
					   "cannot set the capabilities of "
					   "'%s'", path);
	}
	return 0;
}

static void owner_of(const struct copying *c, const struct tree_entry *e,
		     uid_t *uid, gid_t *gid)
{
	*uid = 0;
	*gid = 0;
	if (c->to->chown) {
		*uid = c->to->uid;
		*gid = c->to->gid;
	} else if (c->source && c->source->keep_owners) {
		store_owner(c->to->store, e->dirfd, e->name, e->st,
			    c->to->from_meta, uid, gid);
	}
}

static int mode_of(const struct copying *c, const struct tree_entry *e,
		   unsigned *mode, struct error *err)
{
	*mode = e->st->st_mode & 07777;
	return c->to->chmod ? dockerfile_chmod(c->to->chmod, *mode,
					       S_ISDIR(e->st->st_mode), mode,
					       err)
			    : 0;
}

static int finish(struct copying *c, int dirfd, const char *name,
		  const struct tree_entry *e, struct error *err)
{
	struct timespec times[2] = { e->st->st_mtim, e->st->st_mtim };
	unsigned mode;
	uid_t uid;
	gid_t gid;

	owner_of(c, e, &uid, &gid);
	if (store_set_owner(c->to->store, dirfd, name, uid, gid, err) < 0)
		return -1;
	if (!S_ISLNK(e->st->st_mode)) {
		if (mode_of(c, e, &mode, err) < 0)
			return -1;
		/* after the owner: chown clears setuid */
		if (fchmodat(dirfd, name, mode, 0) < 0)
			return error_errno(err, "cannot set the mode of '%s'",
					   name);
	}
	if (utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot set the times of '%s'", name);
	return 0;
}

/* The same for a regular file that is open. Contexts have many of them, and
 * most were created with the right owner and mode. */
static int finish_file(struct copying *c, int fd, int dirfd, const char *name,
		       const struct tree_entry *e, struct error *err)
{
	struct timespec times[2] = { e->st->st_mtim, e->st->st_mtim };
	unsigned mode;
	struct stat now;
	uid_t uid;
	gid_t gid;
	bool same;

	if (mode_of(c, e, &mode, err) < 0)
		return -1;
	if (fstat(fd, &now) < 0)
		return error_errno(err, "cannot examine '%s'", name);
	owner_of(c, e, &uid, &gid);
	same = !c->to->single_id && now.st_uid == uid && now.st_gid == gid;
	if (!same &&
	    store_set_owner(c->to->store, dirfd, name, uid, gid, err) < 0)
		return -1;
	/* after the owner: chown clears setuid */
	if ((!same || (now.st_mode & 07777) != mode) && fchmod(fd, mode) < 0)
		return error_errno(err, "cannot set the mode of '%s'", name);
	if (futimens(fd, times) < 0)
		return error_errno(err, "cannot set the times of '%s'", name);
	return 0;
}

int copy_finish(struct copy_target *to, int dirfd, const char *name,
		const struct tree_entry *from, struct error *err)
{
	struct copying c = { .to = to };

	return finish(&c, dirfd, name, from, err);
}

/* Create, replacing what is there and is no directory. */
static int open_new(int dirfd, const char *name, mode_t mode)
{
	const int flags =
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(dirfd, name, flags, mode);

	if (fd < 0 && errno == EEXIST && !unlinkat(dirfd, name, 0))
		fd = openat(dirfd, name, flags, mode);
	return fd;
}

static int put_regular(struct copying *c, const struct tree_entry *e,
		       int dirfd, const char *name, struct error *err)
{
	cleanup_close int in = openat(e->dirfd, e->name,
				      O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int out = -1;

	if (in < 0)
		return error_errno(err, "cannot open '%s'", e->name);
	out = open_new(dirfd, name, e->st->st_mode & 0777);
	if (out < 0 && errno == EISDIR)
		return error_set(err, ERR_INPUT,
				 "cannot copy the file '%s' onto a directory",
				 e->path);
	if (out < 0)
		return error_errno(err, "cannot create '%s'", name);
	if (fs_copy_data(in, out, (uint64_t)e->st->st_size, err) < 0)
		return error_wrap(err, "%s", e->name);
	/* The owner comes first: chown takes capabilities away. */
	if (finish_file(c, out, dirfd, name, e, err) < 0)
		return -1;
	return copy_xattrs(in, out, name, err);
}

static int put_link(const struct tree_entry *e, int dirfd, const char *name,
		    struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(e->dirfd, e->name, target,
			       sizeof(target) - 1);

	if (n < 0)
		return error_errno(err, "cannot read the link '%s'", e->name);
	target[n] = '\0';
	if (!symlinkat(target, dirfd, name))
		return 0;
	if (errno == EEXIST && !unlinkat(dirfd, name, 0) &&
	    !symlinkat(target, dirfd, name))
		return 0;
	return error_errno(err, "cannot create the link '%s'", name);
}

static int put_special(const struct tree_entry *e, int dirfd,
		       const char *name, struct error *err)
{
	if (!mknodat(dirfd, name, e->st->st_mode, e->st->st_rdev))
		return 0;
	if (errno == EEXIST && !unlinkat(dirfd, name, 0) &&
	    !mknodat(dirfd, name, e->st->st_mode, e->st->st_rdev))
		return 0;
	return error_errno(err, "cannot create the special file '%s'", name);
}

/* 1: made as a link to an earlier name; 0: to be copied. */
static int put_hard_link(struct copying *c, const struct tree_entry *e,
			 int dirfd, const char *name, struct error *err)
{
	cleanup_free char *path = path_join(c->dest, e->path);
	cleanup_free char *dir = NULL, *base = NULL;
	cleanup_close int first = -1;
	const char *before = inodes_first(&c->inodes, e->st, path);

	if (!before)
		return 0;
	dir = path_dir(before);
	base = path_base(before);
	first = fs_open_in_root(c->to->rootfd, dir, O_PATH | O_DIRECTORY, 0);
	if (first < 0)
		return error_errno(err, "cannot open '%s'", dir);
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return error_errno(err, "cannot replace '%s'", path);
	if (linkat(first, base, dirfd, name, 0) < 0)
		return error_errno(err, "cannot link '%s'", path);
	return 1;
}

static int put(struct copying *c, const struct tree_entry *e, int dirfd,
	       const char *name, struct error *err)
{
	mode_t type = e->st->st_mode & S_IFMT;
	int rc;

	if (type == S_IFREG && e->st->st_nlink > 1) {
		rc = put_hard_link(c, e, dirfd, name, err);
		if (rc)
			return rc < 0 ? -1 : 0;
	}
	if (type == S_IFREG)
		return put_regular(c, e, dirfd, name, err);
	if (type == S_IFLNK)
		rc = put_link(e, dirfd, name, err);
	else
		rc = put_special(e, dirfd, name, err);
	return rc < 0 ? -1 : finish(c, dirfd, name, e, err);
}

/* Enter the destination's directory of this name, making it if need be; a
 * link to a directory inside the root serves as well. */
static int enter(struct copying *c, const struct tree_entry *e,
		 struct error *err)
{
	cleanup_free char *path = path_join(c->dest, e->path);
	int fd;

	if (*e->path &&
	    mkdirat(c->dirs[c->n_dirs - 1], e->name, 0700) < 0 &&
	    errno != EEXIST)
		return error_errno(err, "cannot create '%s'", path);
	fd = fs_open_in_root(c->to->rootfd, path, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 && errno == ENOTDIR)
		return error_set(err, ERR_INPUT,
				 "cannot copy the directory '%s' onto the "
				 "file '%s'", e->path, path);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	GROW(c->dirs, c->n_dirs, c->alloc_dirs);
	c->dirs[c->n_dirs++] = fd;
	return 0;
}

static int leave(struct copying *c, const struct tree_entry *e,
		 struct error *err)
{
	cleanup_close int fd = c->dirs[--c->n_dirs];
	cleanup_close int in = -1;

	if (!*e->path)
		return 0; /* the destination keeps its own metadata */
	in = openat(e->dirfd, e->name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0)
		return error_errno(err, "cannot open '%s'", e->path);
	if (copy_xattrs(in, fd, e->path, err) < 0)
		return -1;
	return finish(c, fd, ".", e, err);
}

static int visit(void *arg, const struct tree_entry *e, struct error *err)
{
	struct copying *c = arg;

	if (e->leave)
		return leave(c, e, err);
	if (S_ISDIR(e->st->st_mode))
		return enter(c, e, err);
	return put(c, e, c->dirs[c->n_dirs - 1], e->name, err);
}

int copy_dir_to(struct copy_target *to, const struct build_tree *source,
		const char *path, const char *dest, struct error *err)
{
	struct copying c = { .to = to, .source = source };
	int rc;

	c.dest = xstrdup(dest);
	rc = tree_walk(source, path, visit, &c, err);
	copying_release(&c);
	return rc;
}

struct single {
	struct copying *c;
	int dirfd;
	const char *name;
};

static int visit_single(void *arg, const struct tree_entry *e,
			struct error *err)
{
	struct single *s = arg;

	return put(s->c, e, s->dirfd, s->name, err);
}

int copy_file_to(struct copy_target *to, const struct build_tree *source,
		 const char *path, const char *dest, struct error *err)
{
	struct copying c = { .to = to, .source = source };
	cleanup_free char *dir = path_dir(dest), *name = path_base(dest);
	cleanup_close int dirfd =
		fs_open_in_root(to->rootfd, dir, O_RDONLY | O_DIRECTORY, 0);
	struct single s = { &c, dirfd, name };
	struct build_tree plain = *source;
	int rc;

	if (dirfd < 0)
		return error_errno(err, "cannot open '%s'", dir);
	/* Reached through a link, the file counts though its own name may be
	 * ignored. */
	plain.ignore = NULL;
	c.dest = xstrdup(dest);
	rc = tree_walk(&plain, path, visit_single, &s, err);
	copying_release(&c);
	return rc;
}
