/* points.c - places to mount at, made for the run where the image has none */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"

#define LINKS_MAX 16

/* The path of a descriptor below `root`, without links in it. */
static int path_in_root(int root, int fd, char *out, size_t size)
{
	char link[64], top[PATH_MAX], path[PATH_MAX];
	ssize_t n, m;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", root);
	n = readlink(link, top, sizeof(top) - 1);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	m = readlink(link, path, sizeof(path) - 1);
	if (n < 0 || m < n)
		return -1;
	path[m] = '\0';
	return snprintf(out, size, "%s", path + n) < (int)size ? 0 : -1;
}

/* Remember what is about to be made, so that it can be unmade. */
static int note(const struct runtime_launch *l, int root, int parent,
		const char *name, bool dir, struct error *err)
{
	struct runtime_report *r = l->report;
	struct runtime_stub *stub = &r->stubs[r->n_stubs];
	char path[PATH_MAX];
	struct stat st;

	if (!l->spec->upper)
		return 0;
	if (r->n_stubs == STUB_MAX)
		return error_set(err, ERR_SYSTEM,
				 "too many missing mount points");
	if (path_in_root(root, parent, path, sizeof(path)) < 0 ||
	    fstat(parent, &st) < 0 ||
	    snprintf(stub->path, sizeof(stub->path), "%s/%s",
		     path[1] ? path : "", name) >= (int)sizeof(stub->path))
		return error_set(err, ERR_SYSTEM,
				 "cannot make the mount point '%s'", name);
	stub->dir = dir;
	stub->times[0] = st.st_atim;
	stub->times[1] = st.st_mtim;
	snprintf(path, sizeof(path), "%s%.*s", l->spec->upper,
		 (int)(strrchr(stub->path, '/') - stub->path), stub->path);
	stub->parent_new = access(path, F_OK) < 0;
	r->n_stubs++;
	return 0;
}

static int make(const struct runtime_launch *l, int root, int parent,
		const char *name, bool dir, struct error *err)
{
	struct runtime_report *r = l->report;
	struct stat st;
	int fd;

	if (note(l, root, parent, name, dir, err) < 0)
		return -1;
	if (dir && mkdirat(parent, name, 0755) < 0)
		return -1;
	fd = openat(parent, name,
		    dir ? O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
			: O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd >= 0 && l->spec->upper && fstat(parent, &st) == 0)
		r->stubs[r->n_stubs - 1].after = st.st_mtim;
	return fd;
}

/* One path component below `parent`; a dangling link is left to its name:
 * *next then holds the path it stands for. */
static int make_at(const struct runtime_launch *l, int root, int parent,
		   const char *dir_path, const char *name, bool dir,
		   char **next, struct error *err)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(parent, name, target, sizeof(target) - 1);

	if (n < 0)
		return make(l, root, parent, name, dir, err);
	target[n] = '\0';
	*next = path_resolve(dir_path, target);
	return -1;
}

static int open_point(int root, const char *path, bool follow)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int check_kind(int fd, const char *path, bool dir, struct error *err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot look at '%s'", path);
	if (S_ISDIR(st.st_mode) == dir && !S_ISLNK(st.st_mode))
		return fd;
	return error_set(err, ERR_INPUT, "cannot mount at '%s' of the image: "
			 "it is not a %s", path, dir ? "directory" : "file");
}

/* The kernel's own directories must not lead elsewhere. */
static bool may_be_link(const char *path)
{
	return !str_eq(path, "/proc") && !str_eq(path, "/sys") &&
	       !str_eq(path, "/dev");
}

static int point(const struct runtime_launch *l, int root, const char *path,
		 bool dir, int depth, struct error *err)
{
	cleanup_free char *clean = path_join("/", path);
	cleanup_free char *up = path_dir(clean), *name = path_base(clean);
	cleanup_free char *next = NULL;
	cleanup_close int parent = -1, fd = -1;

	fd = open_point(root, clean, may_be_link(clean));
	if (fd >= 0)
		return check_kind(fd, clean, dir, err) < 0 ? -1
							   : steal_fd(&fd);
	if (errno != ENOENT || depth == LINKS_MAX)
		return error_errno_code(err, errno == ELOOP || errno == ENOTDIR
						     ? ERR_INPUT : ERR_SYSTEM,
					"cannot mount at '%s' of the image",
					clean);
	parent = point(l, root, up, true, depth + 1, err);
	if (parent < 0)
		return -1;
	fd = make_at(l, root, parent, up, name, dir, &next, err);
	if (fd < 0 && next)
		return point(l, root, next, dir, depth + 1, err);
	if (fd < 0 && !(err && error_is(err)))
		error_errno(err, "cannot make the mount point '%s'", clean);
	return fd < 0 ? -1 : steal_fd(&fd);
}

int runtime_point(const struct runtime_launch *l, int root, const char *path,
		  bool dir, struct error *err)
{
	return point(l, root, path, dir, 0, err);
}

int runtime_points_make(int dirfd, struct error *err)
{
	static const char *const dirs[] = { "proc", "sys", "dev", "etc" };
	static const char *const files[] = { "etc/hosts", "etc/hostname",
					     "etc/resolv.conf" };

	for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
		if (mkdirat(dirfd, dirs[i], 0755) < 0)
			return error_errno(err, "cannot make '%s'", dirs[i]);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		if (mknodat(dirfd, files[i], S_IFREG | 0644, 0) < 0)
			return error_errno(err, "cannot make '%s'", files[i]);
	return 0;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* No link may be on the way: the command could have put one there. */
static int open_dir(int upper, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS,
	};

	return (int)syscall(SYS_openat2, upper, *path ? path : ".", &how,
			    sizeof(how));
}

/* A directory that came into the upper only to hold the stub goes again. */
static void remove_parent(int upper, const char *path)
{
	cleanup_free char *up = path_dir(path), *name = path_base(path);
	cleanup_close int fd = open_dir(upper, up);
	struct stat st;

	if (fd < 0 || !*path || fstat(fd, &st) < 0)
		return;
	if (unlinkat(fd, name, AT_REMOVEDIR) == 0) {
		struct timespec times[2] = { st.st_atim, st.st_mtim };

		if (futimens(fd, times) < 0)
			return;
	}
}

static void clean_one(int upper, const struct runtime_stub *stub)
{
	const char *path = stub->path + 1;
	const char *name = strrchr(stub->path, '/') + 1;
	cleanup_free char *up = xstrndup(path, name > path + 1
				? (size_t)(name - path - 1) : 0);
	cleanup_close int fd = open_dir(upper, up);
	struct timespec now[2];
	struct stat st, entry;
	bool untouched;

	if (fd < 0 || fstat(fd, &st) < 0 ||
	    fstatat(fd, name, &entry, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (!stub->dir && (!S_ISREG(entry.st_mode) || entry.st_size > 0))
		return;
	untouched = same_time(&st.st_mtim, &stub->after);
	now[0] = st.st_atim;
	now[1] = st.st_mtim;
	if (unlinkat(fd, name, stub->dir ? AT_REMOVEDIR : 0) < 0)
		return;
	if (futimens(fd, untouched ? stub->times : now) == 0 && untouched &&
	    stub->parent_new)
		remove_parent(upper, up);
}

void runtime_points_clean(const char *upper,
			  const struct runtime_report *report)
{
	cleanup_close int fd = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	for (size_t i = report->n_stubs; i-- > 0;)
		clean_one(fd, &report->stubs[i]);
}
