/* collect.c - what a step changed in plain files, as a layer */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/inodes.h"
#include "base/path.h"
#include "build/chroot.h"
#include "build/internal.h"
#include "build/snapshot.h"

struct collecting {
	const struct store *s;
	int from, to; /* the tree; the layer */
	struct inodes inodes;
	struct strvec dirs; /* made in the layer, parents first */
};

/* A file's directory on both sides. */
struct place {
	int from, to;
	char *name;
};

static void place_release(struct place *p)
{
	base_close_fd(&p->from);
	base_close_fd(&p->to);
	free(p->name);
}
#define cleanup_place CLEANUP(place_release)

static int find_place(const struct collecting *c, const char *path,
		      struct place *p, struct error *err)
{
	cleanup_free char *dir = path_dir(path);

	p->name = path_base(path);
	p->from = fs_open_in_root(c->from, dir, O_PATH | O_DIRECTORY, 0);
	p->to = fs_open_in_root(c->to, dir, O_PATH | O_DIRECTORY, 0);
	if (p->from < 0 || p->to < 0)
		return error_errno(err, "cannot open the directory of '%s'",
				   path);
	return 0;
}

/* As an overlay copies up the directories of a file that changes. */
static int make_dir(struct collecting *c, const char *path, struct error *err)
{
	if (mkdirat(c->to, path, 0700) == 0) {
		strvec_push(&c->dirs, path);
		return 0;
	}
	if (errno == EEXIST)
		return 0;
	if (errno != ENOENT)
		return error_errno(err, "cannot make '%s'", path);
	return 1;
}

static int make_parents(struct collecting *c, const char *path,
			struct error *err)
{
	cleanup_free char *dir = path_dir(path);
	int rc;

	if (str_eq(dir, "."))
		return 0;
	rc = make_dir(c, dir, err);
	if (rc <= 0)
		return rc;
	if (make_parents(c, dir, err) < 0)
		return -1;
	return make_dir(c, dir, err) == 0 ? 0 : -1;
}

static int copy_xattrs(int from, int to, const char *name, struct error *err)
{
	cleanup_free char *in = xstrfmt("/proc/self/fd/%d/%s", from, name);
	cleanup_free char *out = xstrfmt("/proc/self/fd/%d/%s", to, name);
	char names[XATTR_LIST_MAX], value[XATTR_SIZE_MAX];
	ssize_t n = llistxattr(in, names, sizeof(names));
	const char *x;

	if (n < 0 && errno != EOPNOTSUPP)
		return error_errno(err, "cannot list the attributes of '%s'",
				   name);
	for (x = names; x < names + n; x += strlen(x) + 1) {
		ssize_t len;

		if (!store_keeps_xattr(x))
			continue;
		len = lgetxattr(in, x, value, sizeof(value));
		if (len < 0 || lsetxattr(out, x, value, (size_t)len, 0) < 0)
			return error_errno(err, "cannot copy %s of '%s'", x,
					   name);
	}
	return 0;
}

/* Owner first: chown takes capabilities and set-id bits away. */
static int finish(const struct place *p, struct error *err)
{
	struct timespec times[2];
	struct stat st;

	if (fstatat(p->from, p->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchownat(p->to, p->name, st.st_uid, st.st_gid,
		     AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot set the owner of '%s'",
				   p->name);
	if ((S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) &&
	    copy_xattrs(p->from, p->to, p->name, err) < 0)
		return -1;
	times[0] = times[1] = st.st_mtim;
	if ((!S_ISLNK(st.st_mode) &&
	     fchmodat(p->to, p->name, st.st_mode & 07777, 0) < 0) ||
	    utimensat(p->to, p->name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot set mode and time of '%s'",
				   p->name);
	return 0;
}

static int copy_data(const struct place *p, uint64_t size, struct error *err)
{
	cleanup_close int in = openat(p->from, p->name,
				      O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	cleanup_close int out = openat(p->to, p->name,
				       O_WRONLY | O_CREAT | O_EXCL |
					       O_NOFOLLOW | O_CLOEXEC, 0600);

	if (in < 0 || out < 0)
		return error_errno(err, "cannot copy '%s'", p->name);
	return fs_copy_data(in, out, size, err);
}

static int copy_link(const struct place *p, struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(p->from, p->name, target, sizeof(target) - 1);

	if (n < 0)
		return error_errno(err, "cannot read the link '%s'", p->name);
	target[n] = '\0';
	if (symlinkat(target, p->to, p->name) < 0)
		return error_errno(err, "cannot make the link '%s'", p->name);
	return 0;
}

static int copy_new(const struct place *p, const struct snapshot_file *f,
		    struct error *err)
{
	int rc;

	if (S_ISREG(f->mode))
		rc = copy_data(p, f->size, err);
	else if (S_ISLNK(f->mode))
		rc = copy_link(p, err);
	else if (mknodat(p->to, p->name, f->mode & (S_IFMT | 0600),
			 f->dev) < 0)
		rc = error_errno(err, "cannot make '%s'", p->name);
	else
		rc = 0;
	return rc < 0 ? -1 : finish(p, err);
}

static int copy_file(struct collecting *c, const char *path,
		     const struct snapshot_file *f, struct error *err)
{
	cleanup_place struct place p = { -1, -1, NULL };
	const struct stat id = { .st_ino = f->ino };
	const char *first = NULL;

	if (find_place(c, path, &p, err) < 0)
		return -1;
	if (f->links > 1)
		first = inodes_first(&c->inodes, &id, path);
	if (!first)
		return copy_new(&p, f, err);
	if (linkat(c->to, first, p.to, p.name, 0) < 0)
		return error_errno(err, "cannot link '%s'", path);
	return 0;
}

static int change(void *arg, enum snapshot_change what, const char *path,
		  const struct snapshot_file *f, struct error *err)
{
	struct collecting *c = arg;
	cleanup_place struct place p = { -1, -1, NULL };

	if (make_parents(c, path, err) < 0)
		return -1;
	if (what == SNAPSHOT_GONE) {
		if (find_place(c, path, &p, err) < 0)
			return -1;
		return store_put_whiteout(c->s, p.to, p.name, err);
	}
	if (!S_ISDIR(f->mode))
		return copy_file(c, path, f, err);
	if (make_dir(c, path, err) < 0)
		return -1;
	if (what != SNAPSHOT_FRESH)
		return 0;
	return store_put_opaque(c->s, c->to, path, err);
}

/* Last, as files made in a directory change its time. */
static int finish_dirs(struct collecting *c, struct error *err)
{
	size_t i = c->dirs.nr;

	while (i--) {
		cleanup_place struct place p = { -1, -1, NULL };

		if (find_place(c, c->dirs.v[i], &p, err) < 0 ||
		    finish(&p, err) < 0)
			return -1;
	}
	return 0;
}

int collect_changes(const struct store *s, const struct snapshot *before,
		    const struct snapshot *after, int from, int to,
		    struct error *err)
{
	struct collecting c = { .s = s, .from = from, .to = to };
	int rc = snapshot_compare(before, after, change, &c, err);

	if (rc == 0)
		rc = finish_dirs(&c, err);
	inodes_release(&c.inodes);
	strvec_release(&c.dirs);
	return rc;
}
