/* tar.c - read tar archives of any dialect, through libarchive */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/tar.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <locale.h>

#include "wrap/lazy.h"

#define ARCHIVE_FUNCTIONS(X) \
	X(archive_read_new) \
	X(archive_read_free) \
	X(archive_read_support_format_tar) \
	X(archive_read_support_format_empty) \
	X(archive_read_support_filter_gzip) \
	X(archive_read_support_filter_bzip2) \
	X(archive_read_support_filter_xz) \
	X(archive_read_support_filter_lzma) \
	X(archive_read_support_filter_zstd) \
	X(archive_read_support_filter_lz4) \
	X(archive_read_support_filter_compress) \
	X(archive_read_open) \
	X(archive_read_next_header) \
	X(archive_read_data_block) \
	X(archive_error_string) \
	X(archive_set_error) \
	X(archive_entry_pathname) \
	X(archive_entry_hardlink) \
	X(archive_entry_symlink) \
	X(archive_entry_filetype) \
	X(archive_entry_perm) \
	X(archive_entry_uid) \
	X(archive_entry_gid) \
	X(archive_entry_mtime) \
	X(archive_entry_mtime_nsec) \
	X(archive_entry_size) \
	X(archive_entry_rdevmajor) \
	X(archive_entry_rdevminor) \
	X(archive_entry_xattr_reset) \
	X(archive_entry_xattr_next)

struct lib {
	ARCHIVE_FUNCTIONS(LAZY_POINTER)
};

#define ROW(name) LAZY_ROW(struct lib, name)
static const struct lazy_symbol symbols[] = { ARCHIVE_FUNCTIONS(ROW) };

#define IN_SIZE ((size_t)256 << 10)
#define BLOCK 512u

struct tar {
	struct lib lib;
	struct archive *a;
	tar_read_fn read;
	void *arg;
	char *in;
	bool plain_in; /* not compressed: what is read is the archive */
	uint64_t left; /* bytes of the member that were not given away */
	uint64_t total; /* bytes read */
	/*
	 * libarchive converts names to the locale's charset, and composes
	 * characters on the way. In the C locale it cannot, and keeps the
	 * bytes as they are.
	 */
	locale_t plain;
	struct tar_xattr xattrs[TAR_XATTRS_MAX];
	struct error cause; /* why `read` failed */
};

void tar_close(struct tar *t)
{
	if (!t)
		return;
	if (t->a)
		t->lib.archive_read_free(t->a);
	if (t->plain)
		freelocale(t->plain);
	error_release(&t->cause);
	free(t->in);
	free(t);
}

void tar_close_ptr(struct tar **t)
{
	tar_close(*t);
}

/*
 * Some tools (umoci's insert) end a layer with the last byte of its last
 * file, without filling the block. Other readers accept that; bytes of a file
 * that are missing are another matter.
 */
static size_t fill_block(struct tar *t)
{
	size_t rest = t->total % BLOCK;

	if (!t->plain_in || t->left || !rest)
		return 0;
	memset(t->in, 0, BLOCK - rest);
	return BLOCK - rest;
}

static la_ssize_t read_some(struct archive *a, void *arg, const void **data)
{
	struct tar *t = arg;
	ssize_t n;

	if (error_is(&t->cause))
		return ARCHIVE_FATAL;
	n = t->read(t->arg, t->in, IN_SIZE, &t->cause);
	if (!n)
		n = (ssize_t)fill_block(t);
	*data = t->in;
	if (n >= 0) {
		t->total += (size_t)n;
		return n;
	}
	t->lib.archive_set_error(a, EIO, "read failed");
	return ARCHIVE_FATAL;
}

/* An error of the reader wins over libarchive's words about it. */
static int fail(struct tar *t, struct error *err)
{
	const char *text = t->lib.archive_error_string(t->a);

	if (error_is(&t->cause))
		return error_move(err, &t->cause);
	return error_set(err, ERR_INPUT, "broken tar archive: %s",
			 text ? text : "unknown reason");
}

/* Those filters that libarchive does itself: the others run a program named
 * by the first bytes of the input. */
static void support(struct tar *t, bool compressed)
{
	const struct lib *l = &t->lib;

	l->archive_read_support_format_tar(t->a);
	l->archive_read_support_format_empty(t->a);
	if (!compressed)
		return;
	l->archive_read_support_filter_gzip(t->a);
	l->archive_read_support_filter_bzip2(t->a);
	l->archive_read_support_filter_xz(t->a);
	l->archive_read_support_filter_lzma(t->a);
	l->archive_read_support_filter_zstd(t->a);
	l->archive_read_support_filter_lz4(t->a);
	l->archive_read_support_filter_compress(t->a);
}

int tar_open(struct tar **out, bool compressed, tar_read_fn read, void *arg,
	     struct error *err)
{
	cleanup_tar struct tar *t = xcalloc(1, sizeof(*t));

	if (lazy_load("libarchive.so.13", "libarchive13", symbols,
		      ARRAY_SIZE(symbols), &t->lib, err) < 0)
		return -1;
	t->read = read;
	t->arg = arg;
	t->plain_in = !compressed;
	t->in = xmalloc(IN_SIZE);
	t->a = t->lib.archive_read_new();
	t->plain = newlocale(LC_CTYPE_MASK, "C", NULL);
	if (!t->a || !t->plain)
		abort();
	support(t, compressed);
	if (t->lib.archive_read_open(t->a, t, NULL, read_some, NULL) <
	    ARCHIVE_WARN)
		return fail(t, err);
	*out = steal_ptr(&t);
	return 0;
}

static int get_xattrs(struct tar *t, struct archive_entry *from,
		      struct tar_entry *e, struct error *err)
{
	struct tar_xattr *x = t->xattrs;

	e->xattrs = x;
	if (!t->lib.archive_entry_xattr_reset(from))
		return 0;
	while (t->lib.archive_entry_xattr_next(from, &x->name, &x->value,
					       &x->size) == ARCHIVE_OK) {
		if (++e->n_xattrs == TAR_XATTRS_MAX)
			return error_set(err, ERR_INPUT,
					 "'%s': too many extended attributes",
					 e->path);
		x++;
	}
	return 0;
}

static int get_names(struct tar *t, struct archive_entry *from,
		     struct tar_entry *e, struct error *err)
{
	e->path = t->lib.archive_entry_pathname(from);
	if (!e->path)
		return error_set(err, ERR_INPUT,
				 "broken tar archive: member without a name");
	e->link = t->lib.archive_entry_hardlink(from);
	e->hard = e->link != NULL;
	if (!e->hard && S_ISLNK(e->mode))
		e->link = t->lib.archive_entry_symlink(from);
	if (S_ISLNK(e->mode) && !e->link)
		return error_set(err, ERR_INPUT, "'%s': link without a target",
				 e->path);
	if (strlen(e->path) >= TAR_PATH_MAX ||
	    (e->link && strlen(e->link) >= TAR_PATH_MAX))
		return error_set(err, ERR_INPUT,
				 "name longer than %d bytes in tar archive: "
				 "'%.60s...'", TAR_PATH_MAX - 1, e->path);
	return 0;
}

static int get_numbers(struct tar *t, struct archive_entry *from,
		       struct tar_entry *e, struct error *err)
{
	int64_t uid = t->lib.archive_entry_uid(from);
	int64_t gid = t->lib.archive_entry_gid(from);
	int64_t size = t->lib.archive_entry_size(from);

	/* (uid_t)-1 means "leave it" to chown */
	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return error_set(err, ERR_INPUT,
				 "'%s': owner %lld:%lld is out of range",
				 e->path, (long long)uid, (long long)gid);
	if (size < 0)
		return error_set(err, ERR_INPUT, "'%s': negative size",
				 e->path);
	e->uid = (uid_t)uid;
	e->gid = (gid_t)gid;
	e->size = S_ISREG(e->mode) && !e->hard ? (uint64_t)size : 0;
	e->mtime = t->lib.archive_entry_mtime(from);
	e->mtime_ns = t->lib.archive_entry_mtime_nsec(from);
	e->major = (unsigned)t->lib.archive_entry_rdevmajor(from);
	e->minor = (unsigned)t->lib.archive_entry_rdevminor(from);
	return 0;
}

static int get_entry(struct tar *t, struct archive_entry *from,
		     struct tar_entry *e, struct error *err)
{
	memset(e, 0, sizeof(*e));
	e->mode = t->lib.archive_entry_filetype(from) |
		  (t->lib.archive_entry_perm(from) & 07777);
	if (get_names(t, from, e, err) < 0 ||
	    get_numbers(t, from, e, err) < 0 || get_xattrs(t, from, e, err) < 0)
		return -1;
	return 1;
}

static int next(struct tar *t, struct tar_entry *e, struct error *err)
{
	struct archive_entry *from;
	int rc = t->lib.archive_read_next_header(t->a, &from);

	if (rc == ARCHIVE_EOF)
		return 0;
	/* A warning says that a name is not text in the locale: the raw bytes,
	 * which are what a file system wants, were kept. */
	if (rc < ARCHIVE_WARN)
		return fail(t, err);
	return get_entry(t, from, e, err);
}

int tar_next(struct tar *t, struct tar_entry *e, struct error *err)
{
	locale_t old = uselocale(t->plain);
	int rc = next(t, e, err);

	uselocale(old);
	t->left = rc > 0 ? e->size : 0;
	return rc;
}

int tar_data(struct tar *t, const void **data, size_t *n, uint64_t *offset,
	     struct error *err)
{
	la_int64_t at;
	int rc = t->lib.archive_read_data_block(t->a, data, n, &at);

	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc < ARCHIVE_WARN || at < 0)
		return fail(t, err);
	*offset = (uint64_t)at;
	t->left -= MIN(t->left, *n);
	return 1;
}
