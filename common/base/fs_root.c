/* fs_root.c - paths inside a directory that stands for the root */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/path.h"

#define OPEN_TRIES 128

int fs_open_in_root(int rootfd, const char *path, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)(flags | O_CLOEXEC),
		.mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int tries = 0;
	long fd;

	/* EAGAIN: a rename raced with a ".." of the walk; the kernel asks
	 * for another try. Who renames without end must not hold us. */
	do {
		fd = syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
	} while (fd < 0 && (errno == EINTR ||
			    (errno == EAGAIN && ++tries < OPEN_TRIES)));
	return (int)fd;
}

int fs_open_straight(const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
				.resolve = RESOLVE_NO_SYMLINKS };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

/* Make one directory of a path in a root; `prefix` is the path so far. */
static int make_in_root(int rootfd, const char *prefix, mode_t mode,
			uid_t uid, gid_t gid, struct error *err)
{
	cleanup_free char *parent = path_dir(prefix);
	cleanup_free char *base = path_base(prefix);
	cleanup_close int dir =
		fs_open_in_root(rootfd, parent, O_PATH | O_DIRECTORY, 0);

	if (dir < 0)
		return error_errno(err, "cannot open '%s'", parent);
	if (mkdirat(dir, base, mode) < 0)
		return error_errno(err, "cannot create '%s'", prefix);
	if (fchownat(dir, base, uid, gid, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot set the owner of '%s'",
				   prefix);
	if (fchmodat(dir, base, mode, 0) < 0)
		return error_errno(err, "cannot set the mode of '%s'", prefix);
	return 0;
}

int fs_mkdir_in_root(int rootfd, const char *path, mode_t mode, uid_t uid,
		     gid_t gid, struct error *err)
{
	cleanup_free char *clean = path_join("/", path);
	char *p = clean;
	int fd = -1;

	do {
		char kept;

		p += strcspn(p + 1, "/") + 1;
		kept = *p;
		*p = '\0';
		if (fd >= 0)
			close(fd);
		fd = fs_open_in_root(rootfd, clean, O_PATH | O_DIRECTORY, 0);
		if (fd < 0 && errno == ENOENT) {
			if (make_in_root(rootfd, clean, mode, uid, gid, err) <
			    0)
				return -1;
			fd = fs_open_in_root(rootfd, clean,
					     O_PATH | O_DIRECTORY, 0);
		}
		if (fd < 0)
			return error_errno(err, "cannot open '%s'", clean);
		*p = kept;
	} while (*p);
	return fd;
}

#define LINKS_MAX 40 /* as the kernel's own limit */

/* The target of `name` in a directory of the root: its length, or -1. */
static ssize_t read_link(int rootfd, const char *dir, const char *name,
			 char target[PATH_MAX])
{
	cleanup_close int fd =
		fs_open_in_root(rootfd, dir, O_PATH | O_DIRECTORY, 0);
	ssize_t n = fd < 0 ? -1 : readlinkat(fd, name, target, PATH_MAX - 1);

	if (n >= 0)
		target[n] = '\0';
	return n;
}

char *fs_real_in_root(int rootfd, const char *path)
{
	cleanup_free char *at = xstrdup("/"), *rest = xstrdup(path);
	const char *p = rest;
	int links = 0;

	while (*(p += strspn(p, "/"))) {
		size_t n = strcspn(p, "/");
		cleanup_free char *part = xstrndup(p, n);
		char target[PATH_MAX], *next;

		p += n;
		if (!str_eq(part, ".") && !str_eq(part, "..") &&
		    read_link(rootfd, at, part, target) >= 0) {
			if (++links > LINKS_MAX) {
				errno = ELOOP;
				return NULL;
			}
			next = xstrfmt("%s/%s", target, p);
			free(rest);
			p = rest = next;
			next = xstrdup(*target == '/' ? "/" : at);
		} else {
			next = path_join(at, part);
		}
		free(at);
		at = next;
	}
	return steal_ptr(&at);
}
