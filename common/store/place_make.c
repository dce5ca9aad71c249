/* place_make.c - files of a tar: data, links, devices, attributes */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int place_fail(const struct place *p, const char *what, struct error *err)
{
	return error_errno(err, "cannot %s '%s'", what, p->name.buf);
}

int place_remove_old(struct place *p, struct error *err)
{
	if (unlinkat(p->parent_fd, p->base, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return place_fail(p, "replace", err);
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
		return place_fail(p, "set an attribute of", err);
	/* Files of other types cannot carry user attributes. */
	if (!S_ISREG(e->mode) && !S_ISDIR(e->mode))
		return 0;
	parked = xstrfmt(PARKED_XATTR "%s", x->name);
	if (store_put_xattr(p->parent_fd, p->base, parked, x->value,
			    x->size) < 0)
		return place_fail(p, "keep an attribute of", err);
	return 0;
}

int place_set_owner(struct place *p, const struct tar_entry *e,
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
		return place_fail(p, "set the time of", err);
	return 0;
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
				return place_fail(p, "write", err);
			data = (const char *)data + done;
			n -= (size_t)done;
			at += (uint64_t)done;
		}
		end = MAX(end, at);
	}
	if (more < 0)
		return -1;
	if (end < e->size && ftruncate(fd, (off_t)e->size) < 0)
		return place_fail(p, "write", err);
	return 0;
}

int place_file(struct place *p, struct tar *t, const struct tar_entry *e,
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
		if (place_remove_old(p, err) < 0)
			return -1;
		fd = openat(p->parent_fd, p->base, flags, first);
	}
	if (fd < 0)
		return place_fail(p, "make", err);
	if (write_data(p, t, e, fd, err) < 0 ||
	    place_set_owner(p, e, err) < 0)
		return -1;
	if (late && fchmod(fd, mode) < 0)
		return place_fail(p, "set the mode of", err);
	if (futimens(fd, when) < 0)
		return place_fail(p, "set the time of", err);
	return 0;
}

int place_link(struct place *p, const struct tar_entry *e,
		     struct error *err)
{
	if (symlinkat(e->link, p->parent_fd, p->base) < 0)
		return place_fail(p, "make link", err);
	if (place_set_owner(p, e, err) < 0)
		return -1;
	return set_time(p, e, err);
}

/* The target's directory is found inside the root too, and a link that the
 * target is gets a second name itself. */
int place_hard_link(struct place *p, const struct tar_entry *e,
			  struct error *err)
{
	cleanup_strbuf struct strbuf target = STRBUF_INIT;
	cleanup_free char *dir = NULL;
	cleanup_close int fd = -1;
	const char *slash;

	place_clean(&target, e->link);
	if (str_eq(target.buf, p->name.buf))
		return 0;
	slash = strrchr(target.buf, '/');
	dir = slash ? xstrndup(target.buf, (size_t)(slash - target.buf))
		    : xstrdup(".");
	if (place_remove_old(p, err) < 0)
		return -1;
	fd = fs_open_in_root(p->root, dir, O_PATH | O_DIRECTORY, 0);
	if (fd >= 0 && linkat(fd, slash ? slash + 1 : target.buf, p->parent_fd,
			      p->base, 0) == 0)
		return 0;
	return error_errno_code(err, ERR_INPUT,
				"cannot link '%s' to '%s' of the archive",
				p->name.buf, target.buf);
}

int store_put_device(const struct store *s, int dirfd, const char *name,
		     mode_t mode, dev_t rdev)
{
	char text[40];

	if (!s->o.no_nodes) {
		if (mknodat(dirfd, name, (mode & S_IFMT) | 0600, rdev) == 0)
			return 0;
		if (errno != EPERM)
			return -1;
	}
	snprintf(text, sizeof(text), "%c:%u:%u", S_ISCHR(mode) ? 'c' : 'b',
		 major(rdev), minor(rdev));
	if (mknodat(dirfd, name, S_IFREG | 0600, 0) < 0)
		return -1;
	if (store_put_xattr(dirfd, name, DEVICE_XATTR, text, strlen(text)) < 0)
		return -1;
	return 1;
}

static int make_device(struct place *p, const struct tar_entry *e,
		       struct error *err)
{
	int made;

	if (S_ISCHR(e->mode) && !e->major && !e->minor) {
		log_warn("'%s': character device 0:0 is left out",
			 p->name.buf);
		return 0;
	}
	made = store_put_device(p->o.s, p->parent_fd, p->base, e->mode,
				makedev(e->major, e->minor));
	if (made < 0)
		return place_fail(p, "make device", err);
	if (made && !p->warned_device)
		log_warn("'%s': devices cannot be made here; kept as empty "
			 "files", p->name.buf);
	p->warned_device |= made;
	return 0;
}

int place_special(struct place *p, const struct tar_entry *e,
			struct error *err)
{
	struct stat st;

	if (S_ISFIFO(e->mode)) {
		if (mkfifoat(p->parent_fd, p->base, 0600) < 0)
			return place_fail(p, "make fifo", err);
	} else if (make_device(p, e, err) < 0) {
		return -1;
	}
	if (fstatat(p->parent_fd, p->base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : place_fail(p, "examine", err);
	if (place_set_owner(p, e, err) < 0)
		return -1;
	if (fchmodat(p->parent_fd, p->base, e->mode & 07777, 0) < 0)
		return place_fail(p, "set the mode of", err);
	return set_time(p, e, err);
}
