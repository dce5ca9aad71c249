/* fs_xattr.c - attributes of a file that is not open */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fs.h"

#ifndef SYS_listxattrat
#define SYS_listxattrat 465 /* Linux 6.13 */
#endif

ssize_t fs_list_xattrs(int dirfd, const char *name, char *names, size_t size)
{
	char path[PATH_MAX + 32];
	ssize_t n = syscall(SYS_listxattrat, dirfd, name, AT_SYMLINK_NOFOLLOW,
			    names, size);

	/* Who filters system calls says either of what he does not know. */
	if (n >= 0 || (errno != ENOSYS && errno != EPERM))
		return n;
	if (snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dirfd, name) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return llistxattr(path, names, size);
}
