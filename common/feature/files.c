/* files.c - the files of a Feature, written into a directory of the store */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "feature/internal.h"

/* Scripts call each other, and checkouts and archives keep modes badly: the
 * tools make everything executable. */
#define MODE 0755

int files_charge(struct files *f, uint64_t size, struct error *err)
{
	if (++f->entries > ENTRIES_MAX)
		return error_set(err, ERR_INPUT,
				 "the Feature has more than %d files",
				 ENTRIES_MAX);
	if (size > FILES_MAX - f->bytes)
		return error_set(err, ERR_INPUT,
				 "the Feature is larger than %u MiB",
				 FILES_MAX >> 20);
	f->bytes += size;
	return 0;
}

int files_mkdir(struct files *f, const char *path, struct error *err)
{
	int fd = fs_mkdir_in_root(f->dirfd, path, MODE, geteuid(), getegid(),
				  err);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

/* The directory that a name is in, made if need be. */
static int open_parent(struct files *f, const char *path, struct error *err)
{
	cleanup_free char *dir = path_dir(path);

	return fs_mkdir_in_root(f->dirfd, dir, MODE, geteuid(), getegid(), err);
}

int files_create(struct files *f, const char *path, struct error *err)
{
	cleanup_free char *base = path_base(path);
	cleanup_close int dir = open_parent(f, path, err);
	cleanup_close int fd = -1;

	if (dir < 0)
		return -1;
	fd = openat(dir, base,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0700);
	if (fd < 0 && errno == EEXIST)
		return error_set(err, ERR_INPUT, "'%s' is there twice", path);
	if (fd < 0 || fchmod(fd, MODE) < 0)
		return error_errno(err, "cannot create '%s'", path);
	return steal_fd(&fd);
}

int files_link(struct files *f, const char *path, const char *to,
	       struct error *err)
{
	cleanup_free char *base = path_base(path);
	cleanup_close int dir = open_parent(f, path, err);

	if (dir < 0)
		return -1;
	if (symlinkat(to, dir, base) == 0)
		return 0;
	if (errno == EEXIST)
		return error_set(err, ERR_INPUT, "'%s' is there twice", path);
	return error_errno(err, "cannot create '%s'", path);
}

int files_check(int dirfd, struct error *err)
{
	struct stat st;

	if (fchmod(dirfd, MODE) < 0)
		return error_errno(err, "cannot set the mode of a Feature");
	if (fstatat(dirfd, INSTALL_SCRIPT, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode))
		return 0;
	return error_set(err, ERR_INPUT, "the Feature has no install.sh");
}
