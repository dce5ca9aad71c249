/* place.c - make the files of a tar below a directory, and nowhere else */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define DIRECTORIES_MAX 1000000
#define WHITEOUT ".wh."
#define OPAQUE ".wh..wh..opq"

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
	strvec_release(&p->implied);
	base_close_fd(&p->parent_fd);
	free(p->dirs);
	free(p);
}

void place_free_ptr(struct place **p)
{
	place_free(*p);
}

void place_clean(struct strbuf *out, const char *path)
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

/* Directories on the way that nothing has listed, before they are made. */
static void note_implied(struct place *p, const char *path)
{
	size_t n = 0;

	do {
		cleanup_free char *part = NULL;
		cleanup_close int fd = -1;

		n += strcspn(path + n + (n > 0), "/") + (n > 0);
		part = xstrndup(path, n);
		fd = fs_open_in_root(p->root, part, O_PATH, 0);
		if (fd < 0 && p->implied.nr < DIRECTORIES_MAX)
			strvec_push_own(&p->implied, steal_ptr(&part));
	} while (path[n]);
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
	if (p->o.layer)
		note_implied(p, path);
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

	place_clean(&p->name, path);
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

static int set_opaque(struct place *p, const char *name, struct error *err)
{
	if (store_put_opaque(p->o.s, p->parent_fd, name, err) == 0)
		return 0;
	return error_wrap(err, "%s", p->name.buf);
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
	if (fstatat(p->parent_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return place_fail(p, "examine", err);
		return store_put_whiteout(p->o.s, p->parent_fd, name, err);
	}
	return S_ISDIR(st.st_mode) ? set_opaque(p, name, err) : 0;
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
	bool gone;

	if (fstatat(p->parent_fd, p->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return place_fail(p, "examine", err);
	if (S_ISDIR(st.st_mode))
		return 0;
	gone = view_is_whiteout(p->o.s, p->parent_fd, p->base, &st);
	if (place_remove_old(p, err) < 0)
		return -1;
	if (mkdirat(p->parent_fd, p->base, 0700) < 0)
		return place_fail(p, "make directory", err);
	return p->o.layer && gone ? set_opaque(p, p->base, err) : 0;
}

static int make_dir(struct place *p, const struct tar_entry *e,
		    struct error *err)
{
	if (p->o.add && !p->name.len)
		return 0;
	if (p->n_dirs == DIRECTORIES_MAX)
		return error_set(err, ERR_INPUT,
				 "more than %d directories in the archive",
				 DIRECTORIES_MAX);
	if (p->name.len && mkdirat(p->parent_fd, p->base, 0700) < 0) {
		if (errno != EEXIST)
			return place_fail(p, "make directory", err);
		if (replace_by_dir(p, err) < 0)
			return -1;
	}
	note_dir(p, e);
	return place_set_owner(p, e, err);
}

int place_entry(struct place *p, struct tar *t, const struct tar_entry *e,
		struct error *err)
{
	if (locate(p, e->path, err) < 0)
		return -1;
	if (p->o.layer && str_starts(p->base, WHITEOUT))
		return whiteout(p, err);
	if (p->o.add && (str_starts(p->name.buf, WHITEOUT) ||
			 strstr(p->name.buf, "/" WHITEOUT)))
		return error_set(err, ERR_INPUT,
				 "'%s': in a layer, a name that begins with "
				 "'" WHITEOUT "' removes another file",
				 p->name.buf);
	if (S_ISDIR(e->mode) && !e->hard)
		return make_dir(p, e, err);
	if (!p->name.len)
		return error_set(err, ERR_INPUT,
				 "'%s': the root must be a directory", e->path);
	if (e->hard)
		return place_hard_link(p, e, err);
	if (S_ISREG(e->mode))
		return place_file(p, t, e, err);
	if (!S_ISLNK(e->mode) && !S_ISFIFO(e->mode) && !S_ISCHR(e->mode) &&
	    !S_ISBLK(e->mode))
		return error_set(err, ERR_INPUT,
				 "'%s': file type %o cannot be in a layer",
				 p->name.buf, (unsigned)(e->mode & S_IFMT));
	if (place_remove_old(p, err) < 0)
		return -1;
	return S_ISLNK(e->mode) ? place_link(p, e, err)
				: place_special(p, e, err);
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
			       0 : place_fail(p, "open", err);
	if (fchmod(fd, d->mode) < 0)
		return place_fail(p, "set the mode of", err);
	if (futimens(fd, when) < 0)
		return place_fail(p, "set the time of", err);
	return 0;
}

/* The time at which a layer is unpacked must not show in it. */
static int finish_implied(struct place *p, struct error *err)
{
	static const struct timespec when[2] = { { 0 }, { 0 } };
	size_t i;

	for (i = 0; i < p->implied.nr; i++) {
		cleanup_close int fd = fs_open_in_root(
			p->root, p->implied.v[i],
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

		if (fd >= 0 && futimens(fd, when) < 0)
			return error_errno(err, "cannot set the time of '%s'",
					   p->implied.v[i]);
	}
	return 0;
}

int place_finish(struct place *p, struct error *err)
{
	forget_parent(p);
	if (finish_implied(p, err) < 0)
		return -1;
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
