/* place.c - make the files of a tar below a directory, and nowhere else */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DIRECTORIES_MAX 1000000
#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"

struct place_dir {
	size_t path; /* offset in `names` */
	mode_t mode;
	struct timespec mtime;
};

struct place {
	struct place_options o;
	int root;
	bool setgid;	     /* new files do not get our group */
	mode_t umask;
	uint64_t bytes;	     /* sizes of files so far */
	struct strbuf name;  /* clean path of the entry */
	const char *base;    /* its last part */
	struct strbuf parent; /* clean path that `parent_fd` is */
	int parent_fd;	     /* -1: none */
	struct place_dir *dirs;
	size_t n_dirs, alloc_dirs;
	struct strbuf names; /* paths of dirs, NUL-terminated */
	bool warned_parent, warned_device;
};

struct place *place_new(const struct place_options *o, int root)
{
	struct place *p = xcalloc(1, sizeof(*p));
	struct stat st;

	p->o = *o;
	p->root = root;
	p->parent_fd = -1;
	p->name = p->parent = p->names = (struct strbuf)STRBUF_INIT;
	p->setgid = fstat(root, &st) < 0 || (st.st_mode & S_ISGID) ||
		    st.st_gid != getegid();
	p->umask = umask(022);
	umask(p->umask);
	return p;
}

void place_free(struct place *p)
{
	if (!p)
		return;
	strbuf_release(&p->name);
	strbuf_release(&p->parent);
	strbuf_release(&p->names);
	base_close_fd(&p->parent_fd);
	free(p->dirs);
	free(p);
}

void place_free_ptr(struct place **p)
{
	place_free(*p);
}

/* "/a/./b/../c/" is "a/c"; ".." at the top vanishes, as in a chroot. */
static void clean(struct strbuf *out, const char *path)
{
	strbuf_reset(out);
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 2 && !memcmp(path, "..", 2)) {
			char *slash = strrchr(out->buf, '/');

			strbuf_setlen(out, slash ? (size_t)(slash - out->buf)
						 : 0);
		} else if (n && !(n == 1 && *path == '.')) {
			if (out->len)
				strbuf_addch(out, '/');
			strbuf_add(out, path, n);
		}
		path += n;
		path += strspn(path, "/");
	}
}

static void forget_parent(struct place *p)
{
	base_close_fd(&p->parent_fd);
}

static int make_parent(struct place *p, const char *path, struct error *err)
{
	/* An id that chown leaves alone, where only one is ours. */
	uid_t uid = p->o.s->o.single_id ? (uid_t)-1 : 0;
	cleanup_error struct error why = ERROR_INIT;
	int fd;

	if (p->o.layer && !p->warned_parent)
		log_warn("layer lists '%s' without its directory; "
			 "made 0755 root", p->name.buf);
	p->warned_parent = true;
	fd = fs_mkdir_in_root(p->root, path, 0755, uid, uid, &why);
	if (fd >= 0)
		return fd;
	if (why.sys != EEXIST && why.sys != ENOTDIR && why.sys != ELOOP)
		return error_move(err, &why);
	return error_set(err, ERR_INPUT,
			 "'%s': its directory is a link out of the archive or "
			 "no directory", p->name.buf);
}

/* The directory that the entry is in: by openat2 inside the root, so that a
 * link planted by an earlier entry leads nowhere else. */
static int enter_parent(struct place *p, const char *path, size_t n,
			struct error *err)
{
	if (p->parent_fd >= 0 && p->parent.len == n &&
	    !memcmp(p->parent.buf, path, n))
		return 0;
	forget_parent(p);
	strbuf_reset(&p->parent);
	strbuf_add(&p->parent, path, n);
	p->parent_fd = fs_open_in_root(p->root, n ? p->parent.buf : ".",
				       O_PATH | O_DIRECTORY, 0);
	if (p->parent_fd < 0 && errno == ENOENT)
		p->parent_fd = make_parent(p, p->parent.buf, err);
	else if (p->parent_fd < 0)
		return error_errno_code(err, ERR_INPUT,
					"'%s': cannot enter its directory",
					p->name.buf);
	return p->parent_fd < 0 ? -1 : 0;
}

/* Clean `path`, split it, and be in its directory. */
static int locate(struct place *p, const char *path, struct error *err)
{
	const char *slash, *hidden;

	clean(&p->name, path);
	slash = strrchr(p->name.buf, '/');
	p->base = slash ? slash + 1 : p->name.buf;
	hidden = strstr(p->name.buf, "/" WHITEOUT);
	if (p->o.layer && slash && (str_starts(p->name.buf, WHITEOUT) ||
				    (hidden && hidden < slash)))
		return error_set(err, ERR_INPUT,
				 "'%s': a whiteout is no directory",
				 p->name.buf);
	return enter_parent(p, p->name.buf,
			    slash ? (size_t)(slash - p->name.buf) : 0, err);
}

static int fail(struct place *p, const char *what, struct error *err)
{
	return error_errno(err, "cannot %s '%s'", what, p->name.buf);
}

static const char *opaque_name(const struct place *p)
{
	return p->o.s->o.user_xattr ? "user.overlay.opaque"
				    : "trusted.overlay.opaque";
}

static int set_opaque(struct place *p, const char *name, struct error *err)
{
	if (store_put_xattr(p->parent_fd, name, opaque_name(p), "y", 1) < 0)
		return fail(p, "mark as opaque", err);
	return 0;
}

/* A whiteout hides what is below this layer, never what this layer brings,
 * wherever it stands in the tar (image-spec layer.md). */
static int whiteout(struct place *p, struct error *err)
{
	const char *name = p->base + strlen(WHITEOUT);
	struct stat st;

	if (str_eq(p->base, OPAQUE)) {
		if (p->parent.len)
			return set_opaque(p, "", err);
		return error_set(err, ERR_INPUT,
				 "an opaque root directory is not supported");
	}
	if (str_starts(name, WHITEOUT))
		return 0; /* AUFS' own files */
	if (!*name || str_eq(name, ".") || str_eq(name, ".."))
		return error_set(err, ERR_INPUT, "'%s' hides no file",
				 p->name.buf);
	if (mknodat(p->parent_fd, name, S_IFCHR, makedev(0, 0)) == 0)
		return 0;
	if (errno != EEXIST ||
	    fstatat(p->parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(p, "make whiteout", err);
	return S_ISDIR(st.st_mode) ? set_opaque(p, name, err) : 0;
}

/* Make room for an entry that is not a directory; the last one wins. */
static int remove_old(struct place *p, struct error *err)
{
	if (unlinkat(p->parent_fd, p->base, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return fail(p, "replace", err);
	if (fs_remove_tree(p->parent_fd, p->base, err) < 0)
		return -1;
	return 0;
}

static int set_owner(struct place *p, const struct tar_entry *e,
		     struct error *err)
{
	const struct store_options *o = &p->o.s->o;

	if (p->o.owners && o->single_id) {
		if (p->o.layer && e->uid == p->o.uid && e->gid == p->o.gid)
			return 0;
		return store_set_owner(p->o.s, p->parent_fd, p->base, e->uid,
				       e->gid, err);
	}
	if (!p->setgid && e->uid == geteuid() && e->gid == getegid())
		return 0;
	if (fchownat(p->parent_fd, p->base, e->uid, e->gid,
		     AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0)
		return 0;
	if (!p->o.owners && (errno == EPERM || errno == EINVAL))
		return 0;
	error_errno(err, "cannot give '%s' to %u:%u", p->name.buf,
		    (unsigned)e->uid, (unsigned)e->gid);
	return error_hint(err, "the id may not be mapped here; see devenv "
			       "doctor");
}

static int set_xattr(struct place *p, const struct tar_entry *e,
		     const struct tar_xattr *x, struct error *err)
{
	cleanup_free char *parked = NULL;

	if (!store_xattr_wanted(x->name)) {
		log_debug("'%s': attribute %s is left out", p->name.buf,
			  x->name);
		return 0;
	}
	if (store_put_xattr(p->parent_fd, p->base, x->name, x->value,
			    x->size) == 0 || errno == EOPNOTSUPP)
		return 0;
	if (errno != EPERM)
		return fail(p, "set an attribute of", err);
	/* Files of other types cannot carry user attributes. */
	if (!S_ISREG(e->mode) && !S_ISDIR(e->mode))
		return 0;
	parked = xstrfmt(PARKED_XATTR "%s", x->name);
	if (store_put_xattr(p->parent_fd, p->base, parked, x->value,
			    x->size) < 0)
		return fail(p, "keep an attribute of", err);
	return 0;
}

/* Owner first: chown takes capabilities and set-id bits away. */
static int set_owner_xattrs(struct place *p, const struct tar_entry *e,
			    struct error *err)
{
	if (set_owner(p, e, err) < 0)
		return -1;
	for (size_t i = 0; i < e->n_xattrs; i++) {
		if (set_xattr(p, e, &e->xattrs[i], err) < 0)
			return -1;
	}
	return 0;
}

static int set_time(struct place *p, const struct tar_entry *e,
		    struct error *err)
{
	struct timespec t[2] = { { e->mtime, e->mtime_ns },
				 { e->mtime, e->mtime_ns } };

	if (utimensat(p->parent_fd, p->base, t, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(p, "set the time of", err);
	return 0;
}

static void note_dir(struct place *p, const struct tar_entry *e)
{
	struct place_dir *d;

	GROW(p->dirs, p->n_dirs, p->alloc_dirs);
	d = &p->dirs[p->n_dirs++];
	d->path = p->names.len;
	d->mode = e->mode & 07777;
	d->mtime = (struct timespec){ e->mtime, e->mtime_ns };
	strbuf_add(&p->names, p->name.buf, p->name.len + 1);
}

/* A directory that takes the place of a whiteout must not be merged with the
 * one that was hidden. */
static int replace_by_dir(struct place *p, struct error *err)
{
	struct stat st;

	if (fstatat(p->parent_fd, p->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(p, "examine", err);
	if (S_ISDIR(st.st_mode))
		return 0;
	if (remove_old(p, err) < 0)
		return -1;
	if (mkdirat(p->parent_fd, p->base, 0700) < 0)
		return fail(p, "make directory", err);
	return p->o.layer && view_is_whiteout(&st) ?
		       set_opaque(p, p->base, err) : 0;
}

static int make_dir(struct place *p, const struct tar_entry *e,
		    struct error *err)
{
	if (p->n_dirs == DIRECTORIES_MAX)
		return error_set(err, ERR_INPUT,
				 "more than %d directories in the archive",
				 DIRECTORIES_MAX);
	if (p->name.len && mkdirat(p->parent_fd, p->base, 0700) < 0) {
		if (errno != EEXIST)
			return fail(p, "make directory", err);
		if (replace_by_dir(p, err) < 0)
			return -1;
	}
	note_dir(p, e);
	return set_owner_xattrs(p, e, err);
}

static int write_data(struct place *p, struct tar *t,
		      const struct tar_entry *e, int fd, struct error *err)
{
	uint64_t at, end = 0;
	const void *data;
	size_t n;
	int more;

	while ((more = tar_data(t, &data, &n, &at, err)) > 0) {
		if (at > e->size || n > e->size - at)
			return error_set(err, ERR_INPUT,
					 "'%s' is longer than it says",
					 p->name.buf);
		while (n) {
			ssize_t done = pwrite(fd, data, n, (off_t)at);

			if (done < 0 && errno == EINTR)
				continue;
			if (done < 0)
				return fail(p, "write", err);
			data = (const char *)data + done;
			n -= (size_t)done;
			at += (uint64_t)done;
		}
		end = MAX(end, at);
	}
	if (more < 0)
		return -1;
	if (end < e->size && ftruncate(fd, (off_t)e->size) < 0)
		return fail(p, "write", err);
	return 0;
}

static int make_file(struct place *p, struct tar *t, const struct tar_entry *e,
		     struct error *err)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	mode_t mode = e->mode & 07777;
	/* Attributes need a file that its owner may write. */
	bool late = (mode & (07000 | p->umask)) || p->o.s->o.single_id ||
		    e->n_xattrs;
	mode_t first = late ? 0600 : mode;
	cleanup_close int fd = -1;
	struct timespec when[2] = { { e->mtime, e->mtime_ns },
				    { e->mtime, e->mtime_ns } };

	if (e->size > p->o.s->o.max_bytes ||
	    p->bytes > p->o.s->o.max_bytes - e->size)
		return error_set(err, ERR_INPUT,
				 "the archive's files are larger than %llu bytes",
				 (unsigned long long)p->o.s->o.max_bytes);
	p->bytes += e->size;
	fd = openat(p->parent_fd, p->base, flags, first);
	if (fd < 0 && errno == EEXIST) {
		if (remove_old(p, err) < 0)
			return -1;
		fd = openat(p->parent_fd, p->base, flags, first);
	}
	if (fd < 0)
		return fail(p, "make", err);
	if (write_data(p, t, e, fd, err) < 0 ||
	    set_owner_xattrs(p, e, err) < 0)
		return -1;
	if (late && fchmod(fd, mode) < 0)
		return fail(p, "set the mode of", err);
	if (futimens(fd, when) < 0)
		return fail(p, "set the time of", err);
	return 0;
}

static int make_link(struct place *p, const struct tar_entry *e,
		     struct error *err)
{
	if (symlinkat(e->link, p->parent_fd, p->base) < 0)
		return fail(p, "make link", err);
	if (set_owner_xattrs(p, e, err) < 0)
		return -1;
	return set_time(p, e, err);
}

/* The target's directory is found inside the root too, and a link that the
 * target is gets a second name itself. */
static int make_hard_link(struct place *p, const struct tar_entry *e,
			  struct error *err)
{
	cleanup_strbuf struct strbuf target = STRBUF_INIT;
	cleanup_free char *dir = NULL;
	cleanup_close int fd = -1;
	const char *slash;

	clean(&target, e->link);
	if (str_eq(target.buf, p->name.buf))
		return 0;
	slash = strrchr(target.buf, '/');
	dir = slash ? xstrndup(target.buf, (size_t)(slash - target.buf))
		    : xstrdup(".");
	if (remove_old(p, err) < 0)
		return -1;
	fd = fs_open_in_root(p->root, dir, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0 && linkat(fd, slash ? slash + 1 : target.buf, p->parent_fd,
			      p->base, 0) == 0)
		return 0;
	return error_errno_code(err, ERR_INPUT,
				"cannot link '%s' to '%s' of the archive",
				p->name.buf, target.buf);
}

static int make_device(struct place *p, const struct tar_entry *e,
		       struct error *err)
{
	char text[40];
	mode_t mode = e->mode & (S_IFMT | 07777);

	if (S_ISCHR(mode) && !e->major && !e->minor) {
		log_warn("'%s': character device 0:0 is left out",
			 p->name.buf);
		return 0;
	}
	if (mknodat(p->parent_fd, p->base, (mode & S_IFMT) | 0600,
		    makedev(e->major, e->minor)) < 0) {
		if (errno != EPERM)
			return fail(p, "make device", err);
		if (!p->warned_device)
			log_warn("'%s': devices cannot be made here; kept as "
				 "empty files", p->name.buf);
		p->warned_device = true;
		snprintf(text, sizeof(text), "%c:%u:%u",
			 S_ISCHR(mode) ? 'c' : 'b', e->major, e->minor);
		if (mknodat(p->parent_fd, p->base, S_IFREG | 0600, 0) < 0 ||
		    store_put_xattr(p->parent_fd, p->base, DEVICE_XATTR, text,
				    strlen(text)) < 0)
			return fail(p, "make a stand-in for device", err);
	}
	return 0;
}

static int make_special(struct place *p, const struct tar_entry *e,
			struct error *err)
{
	struct stat st;

	if (S_ISFIFO(e->mode)) {
		if (mkfifoat(p->parent_fd, p->base, 0600) < 0)
			return fail(p, "make fifo", err);
	} else if (make_device(p, e, err) < 0) {
		return -1;
	}
	if (fstatat(p->parent_fd, p->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(p, "examine", err);
	if (set_owner_xattrs(p, e, err) < 0)
		return -1;
	if (fchmodat(p->parent_fd, p->base, e->mode & 07777, 0) < 0)
		return fail(p, "set the mode of", err);
	return set_time(p, e, err);
}

int place_entry(struct place *p, struct tar *t, const struct tar_entry *e,
		struct error *err)
{
	if (locate(p, e->path, err) < 0)
		return -1;
	if (p->o.layer && str_starts(p->base, WHITEOUT))
		return whiteout(p, err);
	if (S_ISDIR(e->mode) && !e->hard)
		return make_dir(p, e, err);
	if (!p->name.len)
		return error_set(err, ERR_INPUT,
				 "'%s': the root must be a directory", e->path);
	if (e->hard)
		return make_hard_link(p, e, err);
	if (S_ISREG(e->mode))
		return make_file(p, t, e, err);
	if (!S_ISLNK(e->mode) && !S_ISFIFO(e->mode) && !S_ISCHR(e->mode) &&
	    !S_ISBLK(e->mode))
		return error_set(err, ERR_INPUT,
				 "'%s': file type %o cannot be in a layer",
				 p->name.buf, (unsigned)(e->mode & S_IFMT));
	if (remove_old(p, err) < 0)
		return -1;
	return S_ISLNK(e->mode) ? make_link(p, e, err)
				: make_special(p, e, err);
}

static int finish_dir(struct place *p, const struct place_dir *d,
		      struct error *err)
{
	struct timespec when[2] = { d->mtime, d->mtime };
	cleanup_close int fd = -1;

	/* A later entry may have put something else in its place. */
	fd = fs_open_in_root(p->root, p->name.len ? p->name.buf : ".",
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ?
			       0 : fail(p, "open", err);
	if (fchmod(fd, d->mode) < 0)
		return fail(p, "set the mode of", err);
	if (futimens(fd, when) < 0)
		return fail(p, "set the time of", err);
	return 0;
}

int place_finish(struct place *p, struct error *err)
{
	forget_parent(p);
	/* Backwards, children first: a directory that its owner may not enter
	 * stops nobody who has no capabilities. */
	for (size_t i = p->n_dirs; i--;) {
		strbuf_reset(&p->name);
		strbuf_addstr(&p->name, p->names.buf + p->dirs[i].path);
		if (finish_dir(p, &p->dirs[i], err) < 0)
			return -1;
	}
	return 0;
}
