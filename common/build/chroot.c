/* chroot.c - the root of a stage as plain files, where nothing can be mounted */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "build/chroot.h"
#include "build/history.h"
#include "build/stage.h"
#include "build/snapshot.h"

/*
 * A stage's layers are unpacked once, merged, into a directory. Steps work
 * there one after the other; what each changed is found by a walk that looks
 * at every file and reads none, and is copied into its layer. As any process
 * of a build may execute the next step, what is known of a tree is a file
 * beside it, and no such file is there while a step writes.
 */
struct chroot_tree { /* of a stage, while a step writes */
	char *path;
	int fd;
	struct snapshot before;
};

void chroot_free(struct chroot_tree *t)
{
	if (!t)
		return;
	base_close_fd(&t->fd);
	snapshot_release(&t->before);
	free(t->path);
	free(t);
}

static char *state_path(const char *tree)
{
	return xstrfmt("%s.state", tree);
}

/* A stage has its own; what is only read is shared by its content. */
static char *tree_path(const struct build *b, const struct build_stage *st)
{
	uintptr_t at = (uintptr_t)st, first = (uintptr_t)b->stages;

	if (at >= first && at < (uintptr_t)(b->stages + b->n_stages))
		return xstrfmt("%s/stage-%zu", b->trees,
			       (size_t)(st - b->stages));
	return xstrfmt("%s/%s", b->trees, st->key);
}

/* Processes that need the same tree wait for the first of them. */
static int lock_tree(const struct build *b, const char *tree,
		     struct error *err)
{
	cleanup_free char *path = xstrfmt("%s.lock", tree);
	int fd;

	if (mkdir(b->trees, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "cannot create '%s'", b->trees);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || flock(fd, LOCK_EX) < 0) {
		base_close_fd(&fd);
		return error_errno(err, "cannot lock '%s'", path);
	}
	return fd;
}

static int unpack(struct build *b, const struct build_stage *st,
		  const char *tree, struct error *err)
{
	cleanup_free const char **ids = build_chain(&st->image);
	const size_t n = st->dirs.nr;
	const struct store_chain chain = { ids, n, n, 0 };
	const struct snapshot nothing = SNAPSHOT_INIT;
	cleanup_free char *state = state_path(tree);

	if (fs_remove_tree(AT_FDCWD, tree, err) < 0 ||
	    store_flat_copy(b->o->store, &chain, tree, err) < 0)
		return -1;
	if (chmod(tree, 0755) < 0)
		return error_errno(err, "cannot set the mode of '%s'", tree);
	return snapshot_save(&nothing, n, state, err);
}

/* Steps that came from the cache are not in a tree: it is made again. */
static int prepare(struct build *b, const struct build_stage *st,
		   const char *tree, struct snapshot *s, struct error *err)
{
	cleanup_free char *state = state_path(tree);
	size_t layers;

	if (snapshot_load(s, &layers, state) && layers == st->dirs.nr)
		return 0;
	snapshot_release(s);
	return unpack(b, st, tree, err);
}

static int open_tree_at(const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? error_errno(err, "cannot open '%s'", path) : fd;
}

static int begin(struct build_stage *st, char *path, struct snapshot *before,
		 struct error *err)
{
	cleanup_free char *state = state_path(path);
	struct chroot_tree *t = st->tree = xcalloc(1, sizeof(*t));

	t->path = path;
	t->before = *before;
	*before = (struct snapshot)SNAPSHOT_INIT;
	t->fd = open_tree_at(path, err);
	if (t->fd < 0)
		return -1;
	if (!t->before.nr && snapshot_take(&t->before, t->fd, err) < 0)
		return -1;
	if (unlink(state) < 0)
		return error_errno(err, "cannot remove '%s'", state);
	return 0;
}

int chroot_open(struct build *b, struct build_stage *st, bool write,
		struct error *err)
{
	cleanup_snapshot struct snapshot before = SNAPSHOT_INIT;
	cleanup_free char *path = NULL;
	cleanup_close int lock = -1;

	if (st->tree) /* asked for within a step */
		return open_tree_at(st->tree->path, err);
	path = tree_path(b, st);
	lock = lock_tree(b, path, err);
	if (lock < 0 || prepare(b, st, path, &before, err) < 0)
		return -1;
	if (write && begin(st, xstrdup(path), &before, err) < 0)
		return -1;
	return open_tree_at(path, err);
}

int chroot_begin(struct build *b, struct build_stage *st, const char **path,
		 struct error *err)
{
	cleanup_close int fd = chroot_open(b, st, true, err);

	if (fd < 0)
		return -1;
	*path = st->tree->path;
	return 0;
}

static int take(struct build *b, const struct build_stage *st,
		const struct store_draft *draft, struct error *err)
{
	const struct chroot_tree *t = st->tree;
	cleanup_snapshot struct snapshot after = SNAPSHOT_INIT;
	cleanup_free char *state = state_path(t->path);
	cleanup_close int to = open_tree_at(draft->fs, err);

	if (to < 0 || snapshot_take(&after, t->fd, err) < 0 ||
	    collect_changes(b->o->store, &t->before, &after, t->fd, to, err) <
		    0)
		return -1;
	return snapshot_save(&after, st->dirs.nr + 1, state, err);
}

int chroot_take(struct build *b, struct build_stage *st,
		const struct store_draft *draft, struct error *err)
{
	int rc = take(b, st, draft, err);

	chroot_free(steal_ptr(&st->tree));
	return rc;
}
