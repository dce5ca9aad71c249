/* overlay.c - many layer directories seen as one file system */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/strbuf.h"

/* The kernel takes at most this many bytes as one string parameter. */
#define STRING_MAX_LEN 255

/*
 * The upper directory is read as a layer later, so nothing may be in it that
 * needs its lowers to be understood: no index, no metadata-only copies, no
 * redirects.
 */
static const char *const features[][2] = {
	{ "index", "off" },
	{ "metacopy", "off" },
	{ "redirect_dir", "nofollow" },
};

/* Outside the first user namespace trusted.* attributes are out of reach. */
static bool is_real_root(void)
{
	char text[64];
	cleanup_close int fd = open("/proc/self/uid_map",
				    O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	unsigned int inside, outside, count;

	if (n <= 0)
		return geteuid() == 0;
	text[n] = '\0';
	return sscanf(text, "%u %u %u", &inside, &outside, &count) == 3 &&
	       inside == 0 && outside == 0 && count == UINT32_MAX;
}

static int set(int fs, const char *key, const char *value)
{
	return fsconfig(fs, FSCONFIG_SET_STRING, key, value, 0);
}

/* Names of directories that are too long go through a descriptor. */
static int set_dir(int fs, const char *key, const char *dir)
{
	char link[64];
	cleanup_close int fd = -1;

	if (strlen(dir) <= STRING_MAX_LEN && !strchr(dir, '\\') &&
	    !strchr(dir, ':'))
		return set(fs, key, dir);
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return set(fs, key, link);
}

/* Steps that do the same may be one layer, and images have empty layers. The
 * kernel takes a directory once: where it lies highest, as all that it has
 * hides what is below. */
static bool is_again_above(const struct runtime_layers *l, size_t i)
{
	for (size_t k = i + 1; k < l->n; k++)
		if (str_eq(l->lowers[k], l->lowers[i]))
			return true;
	return false;
}

/* A lone lower cannot be mounted without an upper; twice it can. */
static bool is_lone(const struct runtime_layers *l)
{
	for (size_t i = 1; i < l->n; i++)
		if (!str_eq(l->lowers[i], l->lowers[0]))
			return false;
	return !l->upper;
}

static int set_lowers(int fs, const struct runtime_layers *l)
{
	/* The kernel wants the uppermost first. */
	for (size_t i = l->n; i-- > 0;)
		if (!is_again_above(l, i) &&
		    set_dir(fs, "lowerdir+", l->lowers[i]) < 0)
			return -1;
	return 0;
}

static int set_flag(int fs, const char *key)
{
	return fsconfig(fs, FSCONFIG_SET_FLAG, key, NULL, 0);
}

static int set_all(int fs, const struct runtime_layers *l)
{
	if (set_lowers(fs, l) < 0 || (is_lone(l) && set_lowers(fs, l) < 0))
		return -1;
	if (l->upper && (set_dir(fs, "upperdir", l->upper) < 0 ||
			 set_dir(fs, "workdir", l->work) < 0))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (set(fs, features[i][0], features[i][1]) < 0)
			return -1;
	if ((!is_real_root() && set_flag(fs, "userxattr") < 0) ||
	    (l->draft && l->upper && set_flag(fs, "volatile") < 0))
		return -1;
	return fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
}

/* The first directory that is not there, so that it can be named. */
static int explain(const struct runtime_layers *l, struct error *err)
{
	int saved = errno;

	for (size_t i = 0; i < l->n + 2; i++) {
		const char *dir = i < l->n    ? l->lowers[i]
				  : i == l->n ? l->upper
					      : l->work;

		if (dir && access(dir, F_OK) < 0)
			return error_errno(err, "cannot use '%s'", dir);
	}
	errno = saved;
	error_errno_code(err, errno == EPERM || errno == ENODEV ? ERR_HOST
								: ERR_SYSTEM,
			 "cannot mount an overlay of %zu layers", l->n);
	if (saved == EPERM || saved == ENODEV)
		error_hint(err, "the kernel needs overlayfs, in user "
				"namespaces Linux 5.11 or newer");
	return -1;
}

int runtime_overlay(const struct runtime_layers *l, struct error *err)
{
	cleanup_close int fs = fsopen("overlay", FSOPEN_CLOEXEC);
	int mnt;

	if (fs < 0 || set_all(fs, l) < 0)
		return explain(l, err);
	mnt = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0)
		return error_errno(err, "cannot mount an overlay");
	return mnt;
}

/* To a name in the directory `here` by a descriptor, which closes with the
 * program that is to run: it may be that no path leads there. */
static int make_link(int here, const char *dir, const char *name,
		     struct error *err)
{
	char target[64];
	int fd;

	if (*dir != '/') {
		fd = openat(here, dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return error_errno(err, "cannot open '%s'", dir);
		snprintf(target, sizeof(target), "/proc/self/fd/%d", fd);
		dir = target;
	}
	if (symlink(dir, name) < 0)
		return error_errno(err, "cannot make a link");
	return 0;
}

/* "lowerdir=2:1:0,..." naming links in the current directory, because the
 * option string of mount(2) must fit in one page. */
static int short_options(const struct runtime_layers *l, int here,
			 struct strbuf *options, struct error *err)
{
	char name[32];

	strbuf_addstr(options, "lowerdir=");
	for (size_t i = l->n; i-- > 0;) {
		if (is_again_above(l, i))
			continue;
		snprintf(name, sizeof(name), "%zu", i);
		if (make_link(here, l->lowers[i], name, err) < 0)
			return -1;
		strbuf_addf(options, "%s%s", i + 1 < l->n ? ":" : "", name);
	}
	if (is_lone(l))
		strbuf_addf(options, ":%zu", l->n - 1);
	if (l->upper) {
		if (make_link(here, l->upper, "u", err) < 0 ||
		    make_link(here, l->work, "w", err) < 0)
			return -1;
		strbuf_addstr(options, ",upperdir=u,workdir=w");
	}
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		strbuf_addf(options, ",%s=%s", features[i][0],
			    features[i][1]);
	if (!is_real_root())
		strbuf_addstr(options, ",userxattr");
	return 0;
}

static int mount_in(const char *scratch, const struct runtime_layers *l,
		    int here, const char *target, struct error *err)
{
	cleanup_strbuf struct strbuf options = STRBUF_INIT;
	size_t len;

	if (chdir(scratch) < 0)
		return error_errno(err, "cannot enter '%s'", scratch);
	if (short_options(l, here, &options, err) < 0)
		return -1;
	len = options.len;
	if (l->draft && l->upper) {
		strbuf_addstr(&options, ",volatile");
		if (mount("overlay", target, "overlay", 0, options.buf) == 0)
			return 0;
		strbuf_setlen(&options, len); /* kernels before 5.10 */
	}
	if (mount("overlay", target, "overlay", 0, options.buf) < 0)
		return explain(l, err);
	return 0;
}

/* For kernels before 6.5: mount(2) with short relative names. */
int runtime_overlay_old(const struct runtime_layers *l, const char *target,
			struct error *err)
{
	cleanup_close int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char scratch[] = "/tmp/devenv-layers-XXXXXX";
	int ret;

	if (here < 0)
		return error_errno(err, "cannot open the working directory");
	if (!mkdtemp(scratch))
		return error_errno(err, "cannot make a directory in /tmp");
	ret = mount_in(scratch, l, here, target, err);
	if (fchdir(here) < 0 && !ret)
		ret = error_errno(err, "cannot return to the directory");
	/* Links only; the first error is the one to tell. */
	if (fs_remove_tree(AT_FDCWD, scratch, ret < 0 ? NULL : err) < 0)
		return -1;
	return ret;
}

static int bind_read_only(const char *dir, const char *target,
			  struct error *err)
{
	cleanup_close int mnt = runtime_clone(AT_FDCWD, dir, false, err);

	if (mnt < 0 ||
	    runtime_attributes(mnt, false, MOUNT_ATTR_RDONLY, err) < 0)
		return -1;
	return runtime_attach_at(mnt, AT_FDCWD, target, err);
}

int runtime_mount_overlay(const char *const *lowers, size_t n,
			  const char *upper, const char *work,
			  const char *target, struct error *err)
{
	const struct runtime_layers l = { lowers, n, upper, work, true };
	cleanup_error struct error first = ERROR_INIT;
	cleanup_close int mnt = -1;

	if (n == 0)
		return error_set(err, ERR_SYSTEM, "an overlay needs a layer");
	if (n == 1 && !upper)
		return bind_read_only(lowers[0], target, err);
	mnt = runtime_overlay(&l, &first);
	if (mnt >= 0)
		return runtime_attach_at(mnt, AT_FDCWD, target, err);
	/* lowerdir+ is refused with EINVAL where it is not known. */
	if (first.sys != EINVAL && first.sys != ENOSYS)
		return error_move(err, &first);
	return runtime_overlay_old(&l, target, err);
}

int runtime_umount(const char *target, struct error *err)
{
	if (umount2(target, UMOUNT_NOFOLLOW) == 0)
		return 0;
	/* Somebody's open file must not keep the name. */
	if (errno == EBUSY &&
	    umount2(target, UMOUNT_NOFOLLOW | MNT_DETACH) == 0)
		return 0;
	return error_errno(err, "cannot unmount '%s'", target);
}
