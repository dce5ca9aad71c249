/* mount.c - small steps with the kernel's mount descriptors */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

/* `options` alternates keys and values and ends with NULL. */
int runtime_fs_new(const char *type, const char *const *options,
		   unsigned int attr, struct error *err)
{
	cleanup_close int fs = fsopen(type, FSOPEN_CLOEXEC);
	int mnt;

	if (fs < 0)
		return error_errno(err, "cannot make a new %s", type);
	for (; options && *options; options += 2)
		if (fsconfig(fs, FSCONFIG_SET_STRING, options[0], options[1],
			     0) < 0)
			return error_errno(err, "cannot set %s=%s for a %s",
					   options[0], options[1], type);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return error_errno(err, "cannot make a new %s", type);
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, attr);
	if (mnt < 0)
		return error_errno(err, "cannot mount a new %s", type);
	return mnt;
}

/* A copy of the mount at `path`, attached nowhere yet. */
int runtime_clone(int dirfd, const char *path, bool deep, struct error *err)
{
	unsigned int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC |
			     AT_EMPTY_PATH;
	int mnt = open_tree(dirfd, path, flags | (deep ? AT_RECURSIVE : 0));

	if (mnt < 0)
		return error_errno(err, "cannot bind '%s'", path);
	return mnt;
}

int runtime_attach_at(int mnt, int dirfd, const char *path, struct error *err)
{
	unsigned int flags = MOVE_MOUNT_F_EMPTY_PATH |
			     MOVE_MOUNT_T_EMPTY_PATH;

	if (move_mount(mnt, "", dirfd, path, flags) < 0)
		return error_errno(err, "cannot mount at '%s'", path);
	return 0;
}

int runtime_attributes(int mnt, bool deep, uint64_t set, struct error *err)
{
	struct mount_attr attr = { .attr_set = set };
	unsigned int flags = AT_EMPTY_PATH | (deep ? AT_RECURSIVE : 0);

	if (set && mount_setattr(mnt, "", flags, &attr, sizeof(attr)) < 0)
		return error_errno(err, "cannot set mount attributes");
	return 0;
}

bool runtime_fs_type_is(int fd, long magic)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && (long)fs.f_type == magic;
}
