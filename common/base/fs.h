/* fs.h - files and directories: read, replace atomically, remove, resolve */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FS_H
#define BASE_FS_H

#include <sys/stat.h>

#include "base/error.h"
#include "base/strbuf.h"

/* Read a whole file of at most `max` bytes; larger is ERR_INPUT. Reads "-"
 * as standard input. */
int fs_read_file(const char *path, size_t max, struct strbuf *out,
		 struct error *err) MUST_CHECK;
/* The same for a file that others chose: a pipe or device, which could block
 * for ever, is ERR_INPUT. */
int fs_read_regular(const char *path, size_t max, struct strbuf *out,
		    struct error *err) MUST_CHECK;
int fs_read_fd(int fd, size_t max, struct strbuf *out, struct error *err)
	MUST_CHECK;
/* As fs_read_file, relative to a directory and without following a last
 * symbolic link. A missing file gives -1 with err->sys == ENOENT. */
int fs_read_at(int dirfd, const char *path, size_t max, struct strbuf *out,
	       struct error *err) MUST_CHECK;
/* Write all bytes or fail; EINTR and short writes are handled. */
int fs_write_all(int fd, const void *data, size_t n, struct error *err)
	MUST_CHECK;
/* Read until `n` bytes or end of file; returns the count, -1 on error. */
ssize_t fs_read_full(int fd, void *data, size_t n);
/* Replace `path` as a whole: temporary file beside it, fsync, rename. */
int fs_write_atomic(int dirfd, const char *path, const void *data, size_t n,
		    mode_t mode, struct error *err) MUST_CHECK;
/* Open for writing what must not be replaced: a device, a pipe, a link. 1
 * when `path` is one, 0 when it is a regular file or missing, -1 on error. */
int fs_open_special(const char *path, int *fd, struct error *err) MUST_CHECK;
/* mkdir -p; existing directories are left alone. */
int fs_mkdir_p(const char *path, mode_t mode, struct error *err) MUST_CHECK;
int fs_mkdir_p_at(int dirfd, const char *path, mode_t mode,
		  struct error *err) MUST_CHECK;
/* rm -rf by descriptors, never following a link, able to enter directories
 * without permission bits. A missing name is fine. */
int fs_remove_tree(int dirfd, const char *name, struct error *err) MUST_CHECK;
/* A fresh directory "prefixXXXXXX" below dirfd, mode 0700; returns its name
 * (malloc'ed) or NULL. */
char *fs_temp_dir(int dirfd, const char *prefix, struct error *err);
/* openat2 with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS: `path` is resolved
 * as if `rootfd` were "/". Returns a descriptor (O_CLOEXEC) or -1 with errno
 * and no message, so that callers can tell ENOENT apart. */
int fs_open_in_root(int rootfd, const char *path, int flags, mode_t mode);
/* What an absolute path without links names; ELOOP where one of its parts has
 * become a link. As the one before otherwise. */
int fs_open_straight(const char *path, int flags);
/*
 * The absolute path in a root that `path` leads to, with every link resolved
 * inside it. Parts that are not there stay as they are written. Malloc'ed;
 * NULL with ELOOP after 40 links. What it names may change at once: open it
 * by fs_open_in_root.
 */
char *fs_real_in_root(int rootfd, const char *path);
/* As mkdir -p inside a root: every part that is a link is resolved in the
 * root. Returns an O_PATH|O_DIRECTORY descriptor of the last directory or -1
 * with an error. New directories get mode, uid and gid. */
int fs_mkdir_in_root(int rootfd, const char *path, mode_t mode, uid_t uid,
		     gid_t gid, struct error *err) MUST_CHECK;
/* llistxattr of a name in a directory. */
ssize_t fs_list_xattrs(int dirfd, const char *name, char *names, size_t size)
	MUST_CHECK;
/* Copy all bytes between descriptors, by reflink or in the kernel where that
 * works; holes are kept. */
int fs_copy_data(int in, int out, uint64_t size, struct error *err) MUST_CHECK;
/* stat that says whether something is there and a directory. */
bool fs_is_dir(const char *path);
bool fs_is_file(const char *path);
bool fs_exists(const char *path);

#endif
