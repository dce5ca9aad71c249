/* emit.c - files of layers on their way into a tar */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/inodes.h"
#include "wrap/tarwrite.h"

#define XATTR_LIST_MAX 65536

struct emit {
	struct store *s;
	struct tarwrite tar;
	struct inodes inodes;
	int64_t latest; /* no time is later */
};

/* Attributes of one file, copied. */
struct attrs {
	struct tar_xattr x[TAR_XATTRS_MAX];
	size_t n;
	char device[40]; /* what the stand-in stands for, or "" */
};

static void attrs_release(struct attrs *a)
{
	for (size_t i = 0; i < a->n; i++) {
		free((char *)a->x[i].name);
		free((void *)a->x[i].value);
	}
	a->n = 0;
}
#define cleanup_attrs CLEANUP(attrs_release)

struct emit *emit_new(struct store *s, store_write_fn write, void *arg)
{
	struct emit *e = xcalloc(1, sizeof(*e));

	e->s = s;
	e->latest = INT64_MAX;
	tarwrite_init(&e->tar, write, arg);
	return e;
}

void emit_exact(struct emit *e)
{
	e->tar.exact = true;
}

void emit_clamp(struct emit *e, int64_t latest)
{
	e->latest = latest;
}

void emit_free(struct emit *e)
{
	if (!e)
		return;
	inodes_release(&e->inodes);
	tarwrite_release(&e->tar);
	free(e);
}

void emit_free_ptr(struct emit **e)
{
	emit_free(*e);
}

/* The name under which the file went out before, or NULL: then this is it. */
static const char *first_name(struct emit *e, const struct stat *st,
			      const char *path)
{
	if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
		return NULL;
	return inodes_first(&e->inodes, st, path);
}

/*
 * Version 3 of the capability attribute names the root of the user namespace
 * that set it; an image holds version 2 (vfs_cap_data, linux/capability.h).
 */
static void plain_capability(struct strbuf *value)
{
	if (value->len != 24 || value->buf[3] != 3)
		return;
	value->buf[3] = 2;
	strbuf_setlen(value, 20);
}

static int add_attr(struct attrs *a, const char *name, struct strbuf *value,
		    const char *path, struct error *err)
{
	struct tar_xattr *x = &a->x[a->n];

	if (str_eq(name, CAPABILITY_XATTR))
		plain_capability(value);
	for (size_t i = 0; i < a->n; i++) {
		if (str_eq(a->x[i].name, name))
			return 0;
	}
	if (a->n == TAR_XATTRS_MAX - 1)
		return error_set(err, ERR_SYSTEM,
				 "'%s' has too many extended attributes",
				 path);
	x->name = xstrdup(name);
	x->value = xmemdup(value->buf, value->len + 1);
	x->size = value->len;
	a->n++;
	return 0;
}

static int take_attr(struct attrs *a, int dirfd, const char *name,
		     const char *path, const char *xattr, struct error *err)
{
	cleanup_strbuf struct strbuf value = STRBUF_INIT;
	const char *parked = str_skip(xattr, PARKED_XATTR);

	if (store_xattr_overlay(xattr) && (str_ends(xattr, ".redirect") ||
					   str_ends(xattr, ".metacopy")))
		return error_set(err, ERR_SYSTEM,
				 "'%s' is only part of a file: the overlay was "
				 "mounted with redirect_dir or metacopy", path);
	if (!store_xattr_wanted(parked ? parked : xattr) &&
	    !str_eq(xattr, DEVICE_XATTR))
		return 0;
	if (!store_get_xattr(dirfd, name, xattr, &value))
		return error_errno(err, "cannot read %s of '%s'", xattr, path);
	if (!str_eq(xattr, DEVICE_XATTR))
		return add_attr(a, parked ? parked : xattr, &value, path, err);
	snprintf(a->device, sizeof(a->device), "%s", value.buf);
	return 0;
}

static int get_attrs(struct attrs *a, int dirfd, const char *name,
		     const char *path, const struct stat *st,
		     struct error *err)
{
	cleanup_free char *more = NULL;
	char few[512], *list = few;
	ssize_t n;

	a->n = 0;
	a->device[0] = '\0';
	if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode))
		return 0;
	n = fs_list_xattrs(dirfd, name, few, sizeof(few));
	if (n < 0 && errno == ERANGE) {
		list = more = xmalloc(XATTR_LIST_MAX);
		n = fs_list_xattrs(dirfd, name, more, XATTR_LIST_MAX);
	}
	if (n < 0 && errno == EOPNOTSUPP)
		return 0;
	if (n < 0)
		return error_errno(err, "cannot read attributes of '%s'",
				   path);
	for (const char *p = list; p < list + n; p += strlen(p) + 1) {
		if (take_attr(a, dirfd, name, path, p, err) < 0)
			return -1;
	}
	return 0;
}

static void apply_device(struct tar_entry *t, const char *device)
{
	char type;

	if (sscanf(device, "%c:%u:%u", &type, &t->major, &t->minor) != 3)
		return;
	t->mode = (t->mode & 07777) | (type == 'b' ? S_IFBLK : S_IFCHR);
	t->size = 0;
}

static int emit_link(struct emit *e, int dirfd, const char *name,
		     struct tar_entry *t, struct error *err)
{
	char target[TAR_PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, target, sizeof(target));

	if (n < 0 || n == sizeof(target))
		return error_errno(err, "cannot read link '%s'", t->path);
	target[n] = '\0';
	t->link = target;
	return tarwrite_header(&e->tar, t, err);
}

static int emit_data(struct emit *e, int dirfd, const char *name,
		     struct tar_entry *t, struct error *err)
{
	cleanup_close int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW |
							   O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", t->path);
	if (tarwrite_header(&e->tar, t, err) < 0)
		return -1;
	return tarwrite_file(&e->tar, fd, t->size, t->path, err);
}

int emit_file(struct emit *e, int dirfd, const char *name, const char *path,
	      const struct stat *st, const struct store_meta *meta,
	      struct error *err)
{
	cleanup_attrs struct attrs a = { .n = 0 };
	struct tar_entry t = { .path = path, .mode = st->st_mode,
			       .mtime = MIN(st->st_mtim.tv_sec, e->latest),
			       .mtime_ns = st->st_mtim.tv_sec < e->latest
						   ? st->st_mtim.tv_nsec : 0 };

	if (S_ISSOCK(st->st_mode)) {
		log_warn("socket '%s' is left out of the layer", path);
		return 0;
	}
	store_owner(e->s, dirfd, name, st, meta, &t.uid, &t.gid);
	t.link = first_name(e, st, path);
	t.hard = t.link != NULL;
	if (t.hard)
		return tarwrite_header(&e->tar, &t, err);
	if (S_ISLNK(st->st_mode))
		return emit_link(e, dirfd, name, &t, err);
	if (get_attrs(&a, dirfd, name, path, st, err) < 0)
		return -1;
	t.xattrs = a.x;
	t.n_xattrs = a.n;
	t.major = major(st->st_rdev);
	t.minor = minor(st->st_rdev);
	if (S_ISREG(st->st_mode))
		t.size = (uint64_t)st->st_size;
	apply_device(&t, a.device);
	if (S_ISREG(t.mode) && t.size)
		return emit_data(e, dirfd, name, &t, err);
	return tarwrite_header(&e->tar, &t, err);
}

int emit_whiteout(struct emit *e, const char *dir, const char *name,
		  struct error *err)
{
	cleanup_free char *path = xstrfmt("%s%s.wh.%s", dir, *dir ? "/" : "",
					  name);
	struct tar_entry t = { .path = path, .mode = S_IFREG };

	return tarwrite_header(&e->tar, &t, err);
}

int emit_end(struct emit *e, struct error *err)
{
	return tarwrite_end(&e->tar, err);
}

static bool same_attrs(const struct attrs *a, const struct attrs *b)
{
	size_t found = 0;

	if (a->n != b->n || !str_eq(a->device, b->device))
		return false;
	for (size_t i = 0; i < a->n; i++) {
		for (size_t k = 0; k < b->n; k++) {
			const struct tar_xattr *x = &a->x[i], *y = &b->x[k];

			found += str_eq(x->name, y->name) &&
				 x->size == y->size &&
				 !memcmp(x->value, y->value, x->size);
		}
	}
	return found == a->n;
}

static int same_bytes(int dirfd, int below, const char *name,
		      struct error *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC;
	cleanup_close int a = openat(dirfd, name, flags);
	cleanup_close int b = openat(below, name, flags);
	char left[16384], right[16384];
	ssize_t n;

	if (a < 0 || b < 0)
		return error_errno(err, "cannot open '%s'", name);
	do {
		n = fs_read_full(a, left, sizeof(left));
		if (n < 0 || fs_read_full(b, right, sizeof(right)) != n)
			return n < 0 ? error_errno(err, "cannot read '%s'",
						   name)
				     : 0;
		if (memcmp(left, right, (size_t)n))
			return 0;
	} while (n);
	return 1;
}

static int same_target(int dirfd, int below, const char *name)
{
	char a[TAR_PATH_MAX], b[TAR_PATH_MAX];
	ssize_t n = readlinkat(dirfd, name, a, sizeof(a));

	return n >= 0 && readlinkat(below, name, b, sizeof(b)) == n &&
	       !memcmp(a, b, (size_t)n);
}

/* What was unpacked lost the fraction of a second, which must make no other
 * layer of what lies on it. */
static bool same_time(const struct timespec *a, const struct timespec *below)
{
	return a->tv_sec == below->tv_sec &&
	       (a->tv_nsec == below->tv_nsec || !below->tv_nsec);
}

int emit_same(struct store *s, int dirfd, const struct stat *st,
	      const struct store_meta *meta, int below,
	      const struct stat *below_st, const struct store_meta *below_meta,
	      const char *name, struct error *err)
{
	cleanup_attrs struct attrs a = { .n = 0 }, b = { .n = 0 };
	uid_t uid, below_uid;
	gid_t gid, below_gid;

	if (st->st_mode != below_st->st_mode ||
	    st->st_rdev != below_st->st_rdev)
		return 0;
	if (!S_ISDIR(st->st_mode) &&
	    (st->st_size != below_st->st_size || st->st_nlink > 1 ||
	     !same_time(&st->st_mtim, &below_st->st_mtim)))
		return 0;
	store_owner(s, dirfd, name, st, meta, &uid, &gid);
	store_owner(s, below, name, below_st, below_meta, &below_uid,
		    &below_gid);
	if (uid != below_uid || gid != below_gid)
		return 0;
	if (get_attrs(&a, dirfd, name, name, st, err) < 0 ||
	    get_attrs(&b, below, name, name, below_st, err) < 0)
		return -1;
	if (!same_attrs(&a, &b))
		return 0;
	if (S_ISREG(st->st_mode))
		return same_bytes(dirfd, below, name, err);
	return !S_ISLNK(st->st_mode) || same_target(dirfd, below, name);
}
