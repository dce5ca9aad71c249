/* copy.c - destination rules of COPY and ADD */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "build/internal.h"
#include "build/recopy.h"

/* What a path in the root is, links followed inside it; 0: nothing. */
static mode_t kind_of(int rootfd, const char *path)
{
	cleanup_close int fd = fs_open_in_root(rootfd, path, O_PATH, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 0;
	return st.st_mode & S_IFMT;
}

/* Every link of a destination names the place to write, also one that leads
 * to what is yet to be made. */
static char *real_path(struct copy_target *to, const char *path,
		       struct error *err)
{
	cleanup_free char *real = fs_real_in_root(to->rootfd, path);

	if (!real)
		error_errno_code(err, ERR_INPUT, "cannot follow '%s'", path);
	else if (copy_check_name(real, err) == 0)
		return steal_ptr(&real);
	return NULL;
}

int copy_make_dirs(struct copy_target *to, const char *path,
		   struct error *err)
{
	cleanup_error struct error inner = ERROR_INIT;
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
	real = real_path(to, path, err);
	if (!real)
		return -1;
	fd = store_mkdir_in_root(to->store, to->rootfd, real, (mode_t)mode,
				 uid, gid, &inner);
	if (fd >= 0)
		return 0;
	if (inner.sys != ENOTDIR)
		return error_move(err, &inner);
	return error_set(err, ERR_INPUT,
			 "cannot make the directory '%s': a part of it is a "
			 "file", path);
}

/* Does a directory itself lie there, and no link to one? */
static bool is_dir(int rootfd, const char *path)
{
	cleanup_close int fd = fs_open_in_root(rootfd, path,
					       O_PATH | O_NOFOLLOW, 0);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

static int onto_directory(const char *path, const char *dest,
			  struct error *err)
{
	return error_set(err, ERR_INPUT,
			 "cannot copy the file '%s' onto the directory '%s'",
			 path, dest);
}

/* Where a file goes that is called `name`: the path itself, or below it. */
static char *file_place(struct copy_target *to, const struct build_step *step,
			const char *name, bool many, struct error *err)
{
	cleanup_free char *below = NULL;

	if (!many && !step->dest_is_dir &&
	    kind_of(to->rootfd, step->dest) != S_IFDIR)
		return real_path(to, step->dest, err);
	below = path_join(step->dest, name);
	if (is_dir(to->rootfd, below)) {
		onto_directory(name, below, err);
		return NULL;
	}
	/* What is there is replaced, also a link: below a directory only the
	 * directory's own path is followed. */
	return copy_make_dirs(to, step->dest, err) < 0 ? NULL
						       : steal_ptr(&below);
}

static int copy_file(struct copy_target *to, const struct build_tree *source,
		     const struct build_step *step,
		     const struct tree_item *item, bool many,
		     struct error *err)
{
	cleanup_free char *place = file_place(to, step, item->name, many, err);
	cleanup_free char *dir = place ? path_dir(place) : NULL;

	if (!place || copy_make_dirs(to, dir, err) < 0)
		return -1;
	if (is_dir(to->rootfd, place))
		return onto_directory(item->path, place, err);
	return copy_file_to(to, source, item, place, err);
}

static int copy_dir(struct copy_target *to, const struct build_tree *source,
		    const struct build_step *step,
		    const struct tree_item *item, struct error *err)
{
	mode_t there = kind_of(to->rootfd, step->dest);

	if (there && there != S_IFDIR)
		return error_set(err, ERR_INPUT,
				 "cannot copy the directory '%s' onto the file "
				 "'%s'", item->path, step->dest);
	if (copy_make_dirs(to, step->dest, err) < 0)
		return -1;
	to->fresh = !there;
	return copy_dir_to(to, source, item, step->dest, err);
}

/* A heredoc source: a 0644 file named by its delimiter. */
static int copy_heredoc(struct copy_target *to, const struct build_step *step,
			const struct dockerfile_heredoc *doc, bool many,
			struct error *err)
{
	cleanup_free char *path = file_place(to, step, doc->name, many, err);
	cleanup_free char *dir = path ? path_dir(path) : NULL;
	cleanup_free char *name = path ? path_base(path) : NULL;
	cleanup_close int dirfd = -1, fd = -1;
	struct stat st = { .st_mode = S_IFREG | 0644 };
	struct tree_entry e = { -1, name, "", &st, false };

	if (!path || copy_check_name(path, err) < 0 ||
	    copy_make_dirs(to, dir, err) < 0)
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
		       const struct build_step *step,
		       const struct tree_item *item, struct error *err)
{
	cleanup_close int fd = -1, dest = -1;
	int is;

	if (!step->add || step->unpack == BUILD_UNPACK_NO ||
	    item->type != S_IFREG)
		return 0;
	fd = fs_open_in_root(source->fd, item->path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", item->path);
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
	if (store_add_archive(to->store, fd, dest, err) < 0)
		return error_wrap(err, "%s", item->path);
	return 1;
}

/* Directories are merged, but files need different names. */
static int check_many(struct copy_target *to, const struct build_step *step,
		      const struct tree_items *items, struct error *err)
{
	size_t i, files = step->n_files;

	for (i = 0; i < items->nr; i++)
		files += items->v[i].type != S_IFDIR;
	if (!files || step->dest_is_dir ||
	    kind_of(to->rootfd, step->dest) == S_IFDIR)
		return 0;
	return error_set(err, ERR_INPUT,
			 "several sources need a directory: '%s' does not end "
			 "in '/'", step->dest);
}

static int copy_item(struct copy_target *to, const struct build_tree *source,
		     const struct build_step *step,
		     const struct tree_item *item, bool many,
		     struct error *err)
{
	int unpacked = try_archive(to, source, step, item, err);

	if (unpacked)
		return unpacked < 0 ? -1 : 0;
	if (item->type == S_IFDIR)
		return copy_dir(to, source, step, item, err);
	return copy_file(to, source, step, item, many, err);
}

int copy_run(struct copy_target *to, const struct build_tree *source,
	     const struct build_step *step, struct error *err)
{
	cleanup_tree_items struct tree_items items = { 0 };
	size_t i;
	bool many;

	if (tree_pick(source, step, &items, err) < 0)
		return -1;
	many = items.nr + step->n_files > 1;
	/* Files of the first may be replaced by others. */
	if (many && to->recopy)
		recopy_spoil(to->recopy);
	if (many && check_many(to, step, &items, err) < 0)
		return -1;
	for (i = 0; i < items.nr; i++)
		if (copy_item(to, source, step, &items.v[i], many, err) < 0)
			return -1;
	for (i = 0; i < step->n_files; i++)
		if (copy_heredoc(to, step, &step->files[i], many, err) < 0)
			return -1;
	return 0;
}
