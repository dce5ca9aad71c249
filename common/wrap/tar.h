/* tar.h - read tar archives of any dialect, write the one of image layers */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_TAR_H
#define WRAP_TAR_H

#include <sys/stat.h>

#include "base/error.h"

#define TAR_PATH_MAX 4096
#define TAR_XATTRS_MAX 128

struct tar_xattr {
	const char *name; /* "security.capability" */
	const void *value;
	size_t size;
};

/* One member. Names are bytes, in no particular encoding. */
struct tar_entry {
	const char *path;
	const char *link; /* target of a link, else NULL */
	bool hard;	  /* a hard link */
	mode_t mode;	  /* type and permissions */
	uid_t uid;
	gid_t gid;
	int64_t mtime;
	long mtime_ns;
	uint64_t size; /* of a regular file, holes included */
	unsigned major, minor;
	struct tar_xattr *xattrs;
	size_t n_xattrs;
};

/* --- reading (libarchive, loaded on first use) --- */

struct tar;

/* Up to `n` bytes into `data`: their count, 0 at the end, -1 on error. */
typedef ssize_t (*tar_read_fn)(void *arg, void *data, size_t n,
			       struct error *err);

/* `compressed`: the archive may come as gzip, bzip2, xz, lzma, zstd, lz4 or
 * compress; none of them starts a program. */
int tar_open(struct tar **out, bool compressed, tar_read_fn read, void *arg,
	     struct error *err) MUST_CHECK;
/* 1 with a member (valid until the next call), 0 at the end, -1 error.
 * Broken archives, names longer than TAR_PATH_MAX and ids that do not fit are
 * ERR_INPUT. */
int tar_next(struct tar *t, struct tar_entry *e, struct error *err) MUST_CHECK;
/* The next run of the member's bytes: 1, 0 at the end, -1 error. What lies
 * between two runs is a hole. */
int tar_data(struct tar *t, const void **data, size_t *n, uint64_t *offset,
	     struct error *err) MUST_CHECK;
void tar_close(struct tar *t);
void tar_close_ptr(struct tar **t);
#define cleanup_tar CLEANUP(tar_close_ptr)

#endif
