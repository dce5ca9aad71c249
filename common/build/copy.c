/* copy.c - destination rules of COPY and ADD */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "build/internal.h"

/* What a path in the root is, links followed inside it. */
static mode_t kind_of(int rootfd, const char *path)
{
	cleanup_close int fd = fs_open_in_root(rootfd, path, O_PATH, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	return st.st_mode & S_IFMT;
}

/* A link in the last part of a destination names the place to write. */
static char *resolve_last(int rootfd, const char *path)
{
	const struct build_tree root = { .fd = rootfd };
	char *at = path_clean(path);
	int i;

	for (i = 0; i < 40; i++) {
		cleanup_free char *dir = path_dir(at), *name = path_base(at);
		cleanup_close int fd = fs_open_in_root(
			root.fd, dir, O_PATH | O_DIRECTORY, 0);
		char target[PATH_MAX], *next;
		ssize_t n;

		if (fd < 0)
			break;
		n = readlinkat(fd, name, target, sizeof(target) - 1);
		if (n < 0)
			break;
		target[n] = '\0';
		next = path_resolve(dir, target);
		free(at);
		at = next;
	}
	return at;
}

/* The same for every part: a link may lead to what is yet to be made. */
static char *resolve_all(int rootfd, const char *path)
{
	char *at = xstrdup("/");

	while (*(path += strspn(path, "/"))) {
		size_t n = strcspn(path, "/");
		cleanup_free char *part = xstrndup(path, n);
		cleanup_free char *next = path_join(at, part);

		free(at);
		at = resolve_last(rootfd, next);
		path += n;
	}
	return at;
}

int copy_make_dirs(struct copy_target *to, const char *path,
		   struct error *err)
{
	cleanup_free char *real = NULL;
	unsigned mode = 0755;
	uid_t uid = to->chown ? to->uid : 0;
	gid_t gid = to->chown ? to->gid : 0;
	cleanup_close int fd = -1;

	if (kind_of(to->rootfd, path) == S_IFDIR)
		return 0;
	if (to->chmod &&
	    dockerfile_chmod(to->chmod, 0755, true, &mode, err) < 0)
		return -1;
	real = resolve_all(to->rootfd, path);
	fd = store_mkdir_in_root(to->store, to->rootfd, real, (mode_t)mode,
				 uid, gid, err);
	return fd < 0 ? -1 : 0;
}

static int copy_to_file(struct copy_target *to,
			const struct build_tree *source, const char *path,
			const char *dest, struct error *err)
{
	cleanup_free char *real = resolve_last(to->rootfd, dest);
	cleanup_free char *dir = path_dir(real);

	if (kind_of(to->rootfd, real) == S_IFDIR)
		return error_set(err, ERR_INPUT,
				 "cannot copy the file '%s' onto the "
				 "directory '%s'", path, dest);
	if (copy_make_dirs(to, dir, err) < 0)
		return -1;
	return copy_file_to(to, source, path, real, err);
}

static int copy_one(struct copy_target *to, const struct build_tree *source,
		    const struct build_step *step, const char *path,
		    bool many, struct error *err)
{
	mode_t there = kind_of(to->rootfd, step->dest);
	cleanup_free char *real = NULL, *name = NULL, *below = NULL;
	struct stat st;

	real = tree_follow(source, path, &st);
	if (!real)
		return error_set(err, ERR_INPUT, "\"/%s\": not found", path);
	if (S_ISDIR(st.st_mode)) {
		if (there && there != S_IFDIR)
			return error_set(err, ERR_INPUT,
					 "cannot copy the directory '%s' onto "
					 "the file '%s'", path, step->dest);
		if (copy_make_dirs(to, step->dest, err) < 0)
			return -1;
		return copy_dir_to(to, source, real, step->dest, err);
	}
	if (there != S_IFDIR && !step->dest_is_dir && !many)
		return copy_to_file(to, source, real, step->dest, err);
	if (copy_make_dirs(to, step->dest, err) < 0)
		return -1;
	name = path_base(path);
	below = path_join(step->dest, name);
	if (kind_of(to->rootfd, below) == S_IFDIR)
		return error_set(err, ERR_INPUT,
				 "cannot copy the file '%s' onto the "
				 "directory '%s'", path, below);
	return copy_file_to(to, source, real, below, err);
}

/* A heredoc source: a 0644 file named by its delimiter. */
static int copy_heredoc(struct copy_target *to,
			const struct build_step *step,
			const struct dockerfile_heredoc *doc, bool many,
			struct error *err)
{
	bool below = many || step->dest_is_dir ||
		     kind_of(to->rootfd, step->dest) == S_IFDIR;
	cleanup_free char *path = below ? path_join(step->dest, doc->name)
					: resolve_last(to->rootfd, step->dest);
	cleanup_free char *dir = path_dir(path), *name = path_base(path);
	cleanup_close int dirfd = -1, fd = -1;
	struct stat st = { .st_mode = S_IFREG | 0644 };
	struct tree_entry e = { -1, name, "", &st, false };

	if (copy_make_dirs(to, dir, err) < 0)
		return -1;
	dirfd = fs_open_in_root(to->rootfd, dir, O_PATH | O_DIRECTORY, 0);
	if (dirfd < 0)
		return error_errno(err, "cannot open '%s'", dir);
	if (unlinkat(dirfd, name, 0) < 0 && errno != ENOENT)
		return error_errno(err, "cannot replace '%s'", path);
	fd = openat(dirfd, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0644);
	if (fd < 0)
		return error_errno(err, "cannot create '%s'", path);
	if (fs_write_all(fd, doc->content, strlen(doc->content), err) < 0)
		return error_wrap(err, "%s", path);
	clock_gettime(CLOCK_REALTIME, &st.st_mtim);
	return copy_finish(to, dirfd, name, &e, err);
}

/* Is this source an archive that ADD unpacks? Told by its first bytes. */
static int try_archive(struct copy_target *to,
		       const struct build_tree *source,
		       const struct build_step *step, const char *path,
		       struct error *err)
{
	struct stat st;
	cleanup_free char *real = tree_follow(source, path, &st);
	cleanup_close int fd = -1, dest = -1;
	int is;

	if (!real || !S_ISREG(st.st_mode))
		return 0;
	fd = fs_open_in_root(source->fd, real, O_RDONLY, 0);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	is = store_is_archive(fd, err);
	if (is <= 0)
		return is;
	if (copy_make_dirs(to, step->dest, err) < 0)
		return -1;
	dest = fs_open_in_root(to->rootfd, step->dest,
			       O_RDONLY | O_DIRECTORY, 0);
	if (dest < 0)
		return error_errno(err, "cannot open '%s'", step->dest);
	/* --chown is for what is copied: an archive names owners itself. */
	if (store_extract_archive(to->store, fd, dest, false, 0, 0, err) < 0)
		return error_wrap(err, "%s", path);
	return 1;
}

int copy_run(struct copy_target *to, const struct build_tree *source,
	     const struct build_step *step, struct error *err)
{
	cleanup_strvec struct strvec paths = STRVEC_INIT;
	size_t i;
	bool many;

	for (i = 0; i < step->sources.nr; i++)
		if (tree_sources(source, step->sources.v[i], &paths, err) < 0)
			return -1;
	many = paths.nr + step->n_files > 1;
	if (many && !step->dest_is_dir &&
	    kind_of(to->rootfd, step->dest) != S_IFDIR)
		return error_set(err, ERR_INPUT,
				 "several sources need a directory: '%s' "
				 "does not end in '/'", step->dest);
	for (i = 0; i < paths.nr; i++) {
		int unpacked = 0;

		if (step->add)
			unpacked = try_archive(to, source, step, paths.v[i],
					       err);
		if (unpacked < 0)
			return -1;
		if (!unpacked &&
		    copy_one(to, source, step, paths.v[i], many, err) < 0)
			return -1;
	}
	for (i = 0; i < step->n_files; i++)
		if (copy_heredoc(to, step, &step->files[i], many, err) < 0)
			return -1;
	return 0;
}
