/* run_source.c - the files behind RUN --mount=type=bind, and seeds of caches */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "build/run.h"

static const char *source_of(const struct build_mount *mount)
{
	return mount->m.source ? mount->m.source : "/";
}

/* The file or directory that a mount selects. */
static int pick(const struct build_tree *tree, const struct build_mount *mount,
		struct tree_items *items, struct stat *st, struct error *err)
{
	cleanup_close int fd = -1;

	*st = (struct stat){ 0 };
	if (tree_pick_one(tree, source_of(mount), items, err) < 0)
		return -1;
	fd = fs_open_in_root(tree->fd, items->v[0].path, O_PATH, 0);
	if (fd < 0 || fstat(fd, st) < 0)
		return error_errno(err, "cannot open '%s'",
				   items->v[0].path);
	return 0;
}

/* A stage or an image counts as a whole, of a context what is selected. */
int run_source_key(struct build *b, const struct build_mount *mount,
		   struct cache_key *k, struct error *err)
{
	cleanup_tree_items struct tree_items items = { 0 };
	cleanup_strbuf struct strbuf hex = STRBUF_INIT;
	cleanup_free char *mode = NULL;
	struct build_tree tree;
	struct stat st;
	int rc = source_key(b, &mount->from, k, &tree, err);

	if (rc < 0)
		return -1;
	if (rc) {
		cache_key_add(k, "source", source_of(mount));
		return 0;
	}
	if (pick(&tree, mount, &items, &st, err) < 0 ||
	    tree_digest(&tree, items.v, NULL, &hex, err) < 0)
		return -1;
	/* Seen as it is, where a COPY only looks into it. */
	mode = xstrfmt("%o", st.st_mode);
	cache_key_add(k, "kind", mode);
	cache_key_add(k, "content", hex.buf);
	return 0;
}

/* A new directory of this step: its path and, opened, itself. */
static int make_dir(struct run_mounts *r, char **path, struct error *err)
{
	cleanup_free char *name = xstrfmt("%zu", r->nr);
	int fd;

	*path = path_join(r->dir, name);
	if (mkdir(*path, 0755) < 0)
		return error_errno(err, "cannot create '%s'", *path);
	fd = open(*path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? error_errno(err, "cannot open '%s'", *path) : fd;
}

/* A directory of a tree as `fd` itself. */
static int copy_dir(struct run_mounts *r, const struct build_tree *tree,
		    const struct tree_item *dir, const struct stat *st, int fd,
		    struct error *err)
{
	struct store *store = r->b->o->store;
	struct copy_target to = { .store = store,
				  .rootfd = fd,
				  .single_id = r->b->o->single_id };
	const struct timespec when[2] = { st->st_mtim, st->st_mtim };
	uid_t uid = 0;
	gid_t gid = 0;

	if (tree->keep_owners)
		store_owner(store, tree->fd, dir->path, st, NULL, &uid, &gid);
	if (copy_dir_to(&to, tree, dir, "/", err) < 0 ||
	    store_set_owner(store, fd, ".", uid, gid, err) < 0)
		return -1;
	if (fchmod(fd, st->st_mode & 07777) < 0 || futimens(fd, when) < 0)
		return error_errno(err, "cannot set mode and times of a "
					"directory");
	return 0;
}

/* A context is copied: so nothing of it can be written, no socket or pipe in
 * it be used, and files are root's, as the language has it. */
static int open_tree_of(struct run_mounts *r, const struct build_mount *mount,
			const struct build_tree *tree,
			struct runtime_mount *bind, struct error *err)
{
	cleanup_tree_items struct tree_items items = { 0 };
	cleanup_close int fd = -1;
	struct stat st;
	struct copy_target to = { .store = r->b->o->store,
				  .single_id = r->b->o->single_id };

	if (pick(tree, mount, &items, &st, err) < 0)
		return -1;
	fd = make_dir(r, &bind->source, err);
	if (fd < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return copy_dir(r, tree, items.v, &st, fd, err);
	bind->below = path_join("/", items.v[0].name);
	to.rootfd = fd;
	return copy_file_to(&to, tree, items.v, bind->below, err);
}

int run_source_open(struct run_mounts *r, const struct build_mount *mount,
		    struct runtime_mount *bind, struct error *err)
{
	struct source_view *view = &r->views[r->n_views];
	struct store_draft *draft = NULL;

	/* Writes go to a draft that nobody commits. */
	if (!mount->m.read_only) {
		draft = &r->drafts[r->n_drafts];
		if (store_draft_new(r->b->o->store, draft, err) < 0)
			return -1;
		r->n_drafts++;
	}
	if (source_open(r->b, &mount->from, draft, view, err) < 0)
		return -1;
	r->n_views++;
	if (!view->mount)
		return open_tree_of(r, mount, &view->tree, bind, err);
	bind->source = xstrdup(view->dir);
	bind->below = path_join("/", source_of(mount));
	return 0;
}

int run_source_copy(struct run_mounts *r, const struct build_mount *mount,
		    int dirfd, struct error *err)
{
	struct source_view *view = &r->views[r->n_views];
	cleanup_tree_items struct tree_items items = { 0 };
	struct stat st;

	if (source_open(r->b, &mount->from, NULL, view, err) < 0)
		return -1;
	r->n_views++;
	if (pick(&view->tree, mount, &items, &st, err) < 0)
		return -1;
	if (!S_ISDIR(st.st_mode))
		return error_set(err, ERR_INPUT, "'%s' is not a directory",
				 source_of(mount));
	return copy_dir(r, &view->tree, items.v, &st, dirfd, err);
}
