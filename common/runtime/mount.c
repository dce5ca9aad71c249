/* mount.c - small steps with the kernel's mount descriptors, and the mounts
 * that a sandbox is asked to have */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fs.h"

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

int runtime_clone_straight(const char *path, struct error *err)
{
	cleanup_close int fd = fs_open_straight(path, O_PATH);

	if (fd < 0 && errno == ELOOP)
		return error_set(err, ERR_INPUT, "cannot bind '%s': a part of "
				 "it has become a link", path);
	if (fd < 0)
		return error_errno(err, "cannot bind '%s'", path);
	return runtime_clone(fd, "", true, err);
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

/* "size=1m,mode=0700" as alternating keys and values, in place. */
static int split_options(char *text, const char **out, size_t max,
			 struct error *err)
{
	size_t n = 0;
	char *rest = text, *word;

	while ((word = strsep(&rest, ",")) != NULL) {
		char *eq = strchr(word, '=');

		if (!*word)
			continue;
		if (!eq || n + 3 > max)
			return error_set(err, ERR_INPUT,
					 "bad tmpfs option '%s'", word);
		*eq = '\0';
		out[n++] = word;
		out[n++] = eq + 1;
	}
	out[n] = NULL;
	return 0;
}

static int new_tmpfs(const char *text, struct error *err)
{
	cleanup_free char *copy = xstrdup(text ? text : "");
	const char *options[17] = { NULL };

	if (split_options(copy, options, ARRAY_SIZE(options), err) < 0)
		return -1;
	return runtime_fs_new("tmpfs", options, 0, err);
}

/* What is below a source is resolved inside it: a link there may say what it
 * likes. */
static int new_bind(const struct runtime_mount *m, struct error *err)
{
	cleanup_close int top = -1, fd = -1;

	if (m->tree) {
		fd = fcntl(m->tree, F_DUPFD_CLOEXEC, 3);
		return fd < 0 ? error_errno(err, "cannot bind '%s'", m->source)
			      : steal_fd(&fd);
	}
	if (m->kind == RUNTIME_DEVICE)
		return runtime_clone(AT_FDCWD, m->source, false, err);
	if (m->as_user)
		return runtime_clone_straight(m->source, err);
	if (!m->below)
		return runtime_clone(AT_FDCWD, m->source, true, err);
	top = open(m->source, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top < 0)
		return error_errno(err, "cannot open '%s'", m->source);
	fd = fs_open_in_root(top, m->below, O_PATH, 0);
	if (fd < 0)
		return error_errno_code(err, ERR_INPUT, "cannot mount '%s'",
					m->below);
	return runtime_clone(fd, "", true, err);
}

int runtime_bind_open(const struct runtime_mount *m, int *tree,
		      struct error *err)
{
	int fd = new_bind(m, err);

	if (fd < 0)
		return -1;
	*tree = fd;
	return 0;
}

/* Where nothing but the mount leads to it. */
static int new_file(const struct runtime_launch *l,
		    const struct runtime_mount *m, int scratch,
		    struct error *err)
{
	cleanup_free char *name = xstrfmt("file-%zu",
					  (size_t)(m - l->spec->mounts));
	cleanup_close int fd = openat(scratch, name,
				      O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
				      0600);

	if (fd < 0)
		return error_errno(err, "cannot make a file");
	if (fs_write_all(fd, m->data, m->size, err) < 0)
		return -1;
	/* One mapped id is everybody. */
	if (!l->single && fchown(fd, m->uid, m->gid) < 0)
		return error_errno(err, "cannot give a file to %u:%u", m->uid,
				   m->gid);
	if (fchmod(fd, m->mode) < 0)
		return error_errno(err, "cannot set the mode of a file");
	return runtime_clone(scratch, name, false, err);
}

int runtime_mount_new(const struct runtime_launch *l,
		      const struct runtime_mount *m, int scratch,
		      struct error *err)
{
	if (m->kind == RUNTIME_TMPFS)
		return new_tmpfs(m->options, err);
	if (m->kind == RUNTIME_FILE)
		return new_file(l, m, scratch, err);
	return new_bind(m, err);
}
