/* package.c - the archive of a Feature, which strangers made */
/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "feature/internal.h"
#include "wrap/tar.h"

/* Bytes in memory, read from the front. */
struct reader {
	const struct strbuf *bytes;
	size_t at;
};

static ssize_t read_bytes(void *arg, void *data, size_t n, struct error *err)
{
	struct reader *r = arg;

	(void)err;
	n = MIN(n, r->bytes->len - r->at);
	memcpy(data, r->bytes->buf + r->at, n);
	r->at += n;
	return (ssize_t)n;
}

static bool climbs(const char *path)
{
	for (; *path; path += strspn(path, "/")) {
		size_t n = strcspn(path, "/");

		if (n == 2 && !memcmp(path, "..", 2))
			return true;
		path += n;
	}
	return false;
}

/* "./a/b" as "a/b"; NULL: it leads out, which no packer writes. */
static char *clean_name(const char *path, struct error *err)
{
	if (*path != '/' && !climbs(path))
		return path_clean(path);
	error_set(err, ERR_INPUT, "the archive leads out of the Feature: '%s'",
		  path);
	return NULL;
}

/* Its size, holes and all, is charged: those cost an archive nothing. */
static int copy_data(struct tar *t, int fd, uint64_t size, struct error *err)
{
	const void *data;
	size_t n;
	uint64_t offset;
	int rc;

	while ((rc = tar_data(t, &data, &n, &offset, err)) > 0) {
		if (offset > size || n > size - offset)
			return error_set(err, ERR_INPUT, "a file of the "
					 "archive is longer than it says");
		if (lseek(fd, (off_t)offset, SEEK_SET) < 0)
			return error_errno(err, "cannot write a file");
		if (fs_write_all(fd, data, n, err) < 0)
			return -1;
	}
	return rc;
}

static int put_file(struct files *f, struct tar *t, const char *path,
		    uint64_t size, struct error *err)
{
	cleanup_close int fd = files_create(f, path, err);

	if (fd < 0 || copy_data(t, fd, size, err) < 0)
		return -1;
	/* Holes at the end. */
	if (ftruncate(fd, (off_t)size) < 0)
		return error_errno(err, "cannot write '%s'", path);
	return 0;
}

static int put(struct files *f, struct tar *t, const struct tar_entry *e,
	       struct error *err)
{
	cleanup_free char *path = clean_name(e->path, err);

	if (!path ||
	    files_charge(f, S_ISREG(e->mode) ? e->size : 0, err) < 0)
		return -1;
	if (str_eq(path, "."))
		return 0;
	if (e->hard)
		return error_set(err, ERR_INPUT,
				 "the archive has a hard link: '%s'", path);
	if (S_ISDIR(e->mode))
		return files_mkdir(f, path, err);
	if (S_ISREG(e->mode))
		return put_file(f, t, path, e->size, err);
	if (S_ISLNK(e->mode) && e->link)
		return files_link(f, path, e->link, err);
	return error_set(err, ERR_INPUT,
			 "the archive has a device or a pipe: '%s'", path);
}

int package_unpack(const struct strbuf *archive, int dirfd, struct error *err)
{
	struct reader r = { archive, 0 };
	struct files f = { .dirfd = dirfd };
	cleanup_tar struct tar *t = NULL;
	struct tar_entry e;
	int rc;

	if (tar_open(&t, true, read_bytes, &r, err) < 0)
		return -1;
	while ((rc = tar_next(t, &e, err)) > 0)
		if (put(&f, t, &e, err) < 0)
			return -1;
	return rc < 0 ? -1 : files_check(dirfd, err);
}

static int read_member(struct tar *t, struct strbuf *out, struct error *err)
{
	const void *data;
	size_t n;
	uint64_t offset;
	int rc;

	while ((rc = tar_data(t, &data, &n, &offset, err)) > 0) {
		if (out->len + n > DEVCONTAINER_MAX || offset != out->len)
			return error_set(err, ERR_INPUT,
					 "%s is larger than "
					 "%d bytes",
					 DEVCONTAINER_FEATURE_FILE,
					 DEVCONTAINER_MAX);
		strbuf_add(out, data, n);
	}
	return rc;
}

int package_metadata(const struct strbuf *archive, struct strbuf *out,
		     struct error *err)
{
	struct reader r = { archive, 0 };
	struct files f = { .dirfd = -1 };
	cleanup_tar struct tar *t = NULL;
	struct tar_entry e;
	int rc;

	if (tar_open(&t, true, read_bytes, &r, err) < 0)
		return -1;
	while ((rc = tar_next(t, &e, err)) > 0) {
		cleanup_free char *path = clean_name(e.path, err);

		if (!path ||
		    files_charge(&f, S_ISREG(e.mode) ? e.size : 0, err) < 0)
			return -1;
		if (S_ISREG(e.mode) && !e.hard &&
		    str_eq(path, DEVCONTAINER_FEATURE_FILE))
			return read_member(t, out, err);
	}
	if (rc < 0)
		return -1;
	return error_set(err, ERR_INPUT, "the archive has no %s",
			 DEVCONTAINER_FEATURE_FILE);
}
