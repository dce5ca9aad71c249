/* copy_tree.c - copy files and trees into a root, by descriptors */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/inodes.h"
#include "base/log.h"
#include "base/path.h"
#include "build/internal.h"
#include "build/recopy.h"

/* A directory of the destination on the way down. */
struct level {
	int fd;
	bool made; /* by this copy */
	struct recopy_dir re;
};

struct copying {
	struct copy_target *to;
	const struct build_tree *source;
	const char *dest; /* absolute, in the root */
	bool parents;	  /* directories that were there stay as they are */
	struct level *levels;
	size_t n_levels, alloc_levels;
	struct inodes inodes; /* files with several names, as put so far */
};

static void copying_release(struct copying *c)
{
	while (c->n_levels) {
		close(c->levels[--c->n_levels].fd);
		recopy_dir_release(&c->levels[c->n_levels].re);
	}
	free(c->levels);
	inodes_release(&c->inodes);
}

int copy_check_name(const char *path, struct error *err)
{
	const char *p = path;

	for (; p; p = strchr(p, '/')) {
		p += strspn(p, "/");
		if (!str_starts(p, ".wh."))
			continue;
		error_set(err, ERR_INPUT,
			  "'%s': in a layer, a name that begins with '.wh.' "
			  "removes another file", path);
		return error_hint(err, "rename it, or leave it out by "
				       ".dockerignore or --exclude");
	}
	return 0;
}

/* Stand-ins for what could not be made are kept among layers; a context has
 * no say in what is a device. */
bool copy_keeps_xattr(const struct build_tree *source, const char *name)
{
	return store_xattr_wanted(name) ||
	       (source->keep_owners && store_xattr_stand_in(name));
}

/* Attributes the file system or our rights refuse are left out: only
 * security.capability changes what a program may do, and it is kept. */
static int copy_xattrs(const struct copying *c, int in, int out,
		       const char *path, struct error *err)
{
	char names[XATTR_LIST_MAX], value[XATTR_SIZE_MAX];
	ssize_t n = flistxattr(in, names, sizeof(names));
	const char *name;

	if (n < 0 && errno != ENOTSUP)
		return error_errno(err, "cannot list the attributes of '%s'",
				   path);
	for (name = names; name < names + n; name += strlen(name) + 1) {
		ssize_t len;

		if (!copy_keeps_xattr(c->source, name))
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

/* The file may have become a pipe, which would never end. */
static int open_source(const struct tree_entry *e, struct stat *st,
		       struct error *err)
{
	cleanup_close int fd = openat(e->dirfd, e->name,
				      O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
					      O_CLOEXEC);

	if (fd < 0 || fstat(fd, st) < 0)
		return error_errno(err, "cannot open '%s'", e->name);
	if (!S_ISREG(st->st_mode))
		return error_set(err, ERR_INPUT,
				 "'%s' changed while it was copied", e->name);
	return steal_fd(&fd);
}

/* The directory that a file is put into, where its files may come from an
 * earlier layer; or NULL. */
static const struct recopy_dir *recopied_dir(const struct copying *c)
{
	return c->to->recopy && c->n_levels ? &c->levels[c->n_levels - 1].re
					    : NULL;
}

/* As recopy_take; -1 on error. */
static int take(struct copying *c, const struct tree_entry *e, int *data,
		struct error *err)
{
	const struct recopy_dir *dir = recopied_dir(c);
	struct recopy_want want = { .e = e };

	if (!dir || !dir->path)
		return 0;
	if (mode_of(c, e, &want.mode, err) < 0)
		return -1;
	owner_of(c, e, &want.uid, &want.gid);
	return recopy_take(c->to->recopy, dir, &want, data);
}

static int put_regular(struct copying *c, const struct tree_entry *e,
		       int dirfd, const char *name, struct error *err)
{
	const struct recopy_dir *dir = recopied_dir(c);
	cleanup_close int data = -1, in = -1, out = -1;
	int taken = take(c, e, &data, err);
	struct stat st = { 0 };

	if (taken)
		return taken < 0 ? -1 : 0;
	in = open_source(e, &st, err);
	if (in < 0)
		return -1;
	out = open_new(dirfd, name, e->st->st_mode & 0777);
	if (out < 0 && errno == EISDIR)
		return error_set(err, ERR_INPUT,
				 "cannot copy the file '%s' onto a directory",
				 e->path);
	if (out < 0)
		return error_errno(err, "cannot create '%s'", name);
	if (fs_copy_data(data < 0 ? in : data, out, (uint64_t)st.st_size,
			 err) < 0)
		return error_wrap(err, "%s", e->name);
	/* The owner comes first: chown takes capabilities away. */
	if (finish_file(c, out, dirfd, name, e, err) < 0 ||
	    copy_xattrs(c, in, out, name, err) < 0)
		return -1;
	if (dir)
		recopy_note(c->to->recopy, dir, e, in);
	return 0;
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

static int make_special(const struct store *s, const struct tree_entry *e,
			int dirfd, const char *name)
{
	mode_t mode = e->st->st_mode;
	int made;

	if (!S_ISCHR(mode) && !S_ISBLK(mode))
		return mknodat(dirfd, name, mode, 0);
	made = store_put_device(s, dirfd, name, mode, e->st->st_rdev);
	if (made > 0)
		log_warn("'%s': devices cannot be made here; kept as an empty "
			 "file", e->name);
	return made < 0 ? -1 : 0;
}

static int put_special(const struct store *s, const struct tree_entry *e,
		       int dirfd, const char *name, struct error *err)
{
	if (S_ISCHR(e->st->st_mode) && !e->st->st_rdev)
		return error_set(err, ERR_INPUT,
				 "'%s': in a layer, the character device 0:0 "
				 "removes a file", e->name);
	if (!make_special(s, e, dirfd, name))
		return 0;
	if (errno == EEXIST && !unlinkat(dirfd, name, 0) &&
	    !make_special(s, e, dirfd, name))
		return 0;
	return error_errno(err, "cannot create the special file '%s'", name);
}

/* A name under which the file was put before, unless another file has taken
 * its place since, by way of a link in the destination. */
static const char *first_name(struct copying *c, const struct tree_entry *e,
			      const char *path)
{
	const char *before = inodes_first(&c->inodes, e->st, path);
	cleanup_close int fd = before ? fs_open_in_root(c->to->rootfd, before,
							O_PATH | O_NOFOLLOW, 0)
				      : -1;
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size != e->st->st_size ||
	    st.st_mtim.tv_sec != e->st->st_mtim.tv_sec ||
	    st.st_mtim.tv_nsec != e->st->st_mtim.tv_nsec)
		return NULL;
	return before;
}

/* 1: made as a link to an earlier name; 0: to be copied. */
static int put_hard_link(struct copying *c, const struct tree_entry *e,
			 int dirfd, const char *name, struct error *err)
{
	cleanup_free char *path = path_join(c->dest, e->path);
	cleanup_free char *dir = NULL, *base = NULL;
	cleanup_close int first = -1;
	const char *before = first_name(c, e, path);

	if (!before || str_eq(before, path))
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

	if (copy_check_name(name, err) < 0)
		return -1;
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
		rc = put_special(c->to->store, e, dirfd, name, err);
	return rc < 0 ? -1 : finish(c, dirfd, name, e, err);
}

/* Enter the destination's directory of this name, making it if need be; a
 * link to a directory inside the root serves as well. */
static void enter_recopied(struct copying *c, const struct tree_entry *e,
			   struct level *l)
{
	struct stat st;

	if (*e->path ? l->made : c->to->fresh)
		recopy_enter(c->to->recopy, l->fd, &l->re);
	else if (*e->path && fstatat(c->levels[c->n_levels - 1].fd, e->name,
				     &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		 S_ISLNK(st.st_mode))
		recopy_spoil(c->to->recopy);
}

static int enter(struct copying *c, const struct tree_entry *e,
		 struct error *err)
{
	cleanup_free char *path = path_join(c->dest, e->path);
	struct level l = { .made = true, .re = RECOPY_DIR_INIT };

	if (*e->path && copy_check_name(e->name, err) < 0)
		return -1;
	if (!*e->path ||
	    mkdirat(c->levels[c->n_levels - 1].fd, e->name, 0700) < 0) {
		if (*e->path && errno != EEXIST)
			return error_errno(err, "cannot create '%s'", path);
		l.made = false;
	}
	l.fd = fs_open_in_root(c->to->rootfd, path, O_RDONLY | O_DIRECTORY, 0);
	if (l.fd < 0 && errno == ENOTDIR)
		return error_set(err, ERR_INPUT,
				 "cannot copy the directory '%s' onto the "
				 "file '%s'", e->path, path);
	if (l.fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	if (c->to->recopy)
		enter_recopied(c, e, &l);
	GROW(c->levels, c->n_levels, c->alloc_levels);
	c->levels[c->n_levels++] = l;
	return 0;
}

static int leave(struct copying *c, const struct tree_entry *e,
		 struct error *err)
{
	struct level *l = &c->levels[--c->n_levels];
	cleanup_close int fd = l->fd;
	cleanup_close int in = -1;

	recopy_dir_release(&l->re);
	/* Where the copy begins, and the directories that --parents finds,
	 * keep their own metadata. */
	if (!*e->path || (c->parents && !l->made))
		return 0;
	in = openat(e->dirfd, e->name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (in < 0)
		return error_errno(err, "cannot open '%s'", e->path);
	if (copy_xattrs(c, in, fd, e->path, err) < 0)
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
	return put(c, e, c->levels[c->n_levels - 1].fd, e->name, err);
}

int copy_dir_to(struct copy_target *to, const struct build_tree *source,
		const struct tree_item *item, const char *dest,
		struct error *err)
{
	struct copying c = { .to = to,
			     .source = source,
			     .dest = dest,
			     .parents = item->include != NULL };
	int rc = tree_walk_item(source, item, visit, &c, err);

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

	if (S_ISDIR(e->st->st_mode))
		return error_set(err, ERR_INPUT,
				 "'%s' changed while it was copied", e->name);
	return put(s->c, e, s->dirfd, s->name, err);
}

int copy_file_to(struct copy_target *to, const struct build_tree *source,
		 const struct tree_item *item, const char *dest,
		 struct error *err)
{
	struct copying c = { .to = to, .source = source, .dest = dest };
	cleanup_free char *dir = path_dir(dest), *name = path_base(dest);
	cleanup_close int dirfd =
		fs_open_in_root(to->rootfd, dir, O_RDONLY | O_DIRECTORY, 0);
	struct single s = { &c, dirfd, name };
	int rc;

	if (dirfd < 0)
		return error_errno(err, "cannot open '%s'", dir);
	rc = tree_walk_item(source, item, visit_single, &s, err);
	copying_release(&c);
	return rc;
}
