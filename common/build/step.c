/* step.c - the steps that only write files */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "build/chroot.h"
#include "build/stage.h"
#include "build/recopy.h"

int step_context_tree(struct build *b, struct build_tree *tree,
			struct error *err)
{
	if (b->context_fd < 0)
		return error_set(err, ERR_INPUT,
				 "there is no build context to copy from");
	*tree = (struct build_tree){
		.fd = b->context_fd,
		.ignore = b->ignore,
		.cache = b->stat_cache,
	};
	return 0;
}

static int copy_part(struct build *b, struct copy_target *to,
		     const struct source_part *part,
		     const struct source_view *local, struct error *err)
{
	struct source_view remote;
	int rc;

	if (!part->remote)
		return copy_run(to, &local->tree, &part->step, err);
	if (source_remote_open(b, part->remote, &remote, err) < 0)
		return -1;
	rc = copy_run(to, &remote.tree, &part->step, err);
	source_close(b, &remote);
	return rc;
}

static int copy_parts(struct build *b, struct copy_target *to,
		      const struct build_step *step,
		      const struct source_view *local, struct error *err)
{
	struct source_part part;
	size_t at = 0;

	while (source_next_part(step, &at, &part))
		if (copy_part(b, to, &part, local, err) < 0)
			return -1;
	return 0;
}

static int copy(struct build *b, const struct build_step *step, int root,
		const struct store_draft *draft, struct error *err)
{
	struct copy_target to = {
		.store = b->o->store,
		.rootfd = root,
		.chmod = step->chmod,
		.single_id = b->o->single_id,
	};
	const struct build_from from = { step->from_stage, step->from };
	struct source_view view = { .tree = { .fd = -1 } };
	int rc;

	if (step->chown) {
		to.chown = true;
		if (runtime_chown_lookup(root, step->chown, &to.uid, &to.gid,
					 err) < 0)
			return -1;
	}
	if (step->sources.nr > step->n_remotes &&
	    source_open(b, &from, NULL, &view, err) < 0)
		return -1;
	to.recopy = b->recopy = recopy_new(b, step, &view.tree, root,
					   draft->fs);
	rc = copy_parts(b, &to, step, &view, err);
	source_close(b, &view);
	return rc;
}

/* The length of the longest part of a clean path that is there. */
static size_t present(int root, const char *path)
{
	size_t n = strlen(path);

	while (n > 1) {
		cleanup_free char *part = xstrndup(path, n);
		cleanup_close int fd = fs_open_in_root(root, part, O_PATH, 0);

		if (fd >= 0)
			break;
		while (n > 1 && path[--n] != '/')
			;
	}
	return n;
}

/* SOURCE_DATE_EPOCH for the directories that were made, and the one they were
 * made in: this layer holds it, too. */
static int date_dirs(const struct build *b, int root, const char *path,
		     size_t from, struct error *err)
{
	const struct timespec when[2] = { { .tv_sec = b->epoch },
					  { .tv_sec = b->epoch } };
	size_t n = strlen(path);

	if (b->epoch < 0 || b->epoch > time(NULL))
		return 0;
	for (; n >= from && n > 1; n--) {
		cleanup_free char *part = NULL;
		cleanup_close int fd = -1;

		if (path[n] && path[n] != '/')
			continue;
		part = xstrndup(path, n);
		fd = fs_open_in_root(root, part, O_RDONLY | O_DIRECTORY, 0);
		if (fd < 0 || futimens(fd, when) < 0)
			return error_errno(err, "cannot set the time of '%s'",
					   part);
	}
	return 0;
}

static int workdir(struct build *b, const struct build_step *step, int root,
		   struct error *err)
{
	cleanup_close int fd = fs_open_in_root(root, step->cwd, O_PATH, 0);
	struct copy_target to = { .store = b->o->store, .rootfd = root };
	size_t known = present(root, step->cwd);
	struct stat dir;

	if (fd >= 0) {
		if (fstat(fd, &dir) < 0 || !S_ISDIR(dir.st_mode))
			return error_set(err, ERR_INPUT,
					 "'%s' is not a directory", step->cwd);
		return 0;
	}
	/* As by --chown, where a bare number is the group, too. */
	to.chown = *step->user;
	if (to.chown && runtime_chown_lookup(root, step->user, &to.uid,
					     &to.gid, err) < 0)
		return -1;
	if (copy_make_dirs(&to, step->cwd, err) < 0)
		return -1;
	return date_dirs(b, root, step->cwd, known, err);
}

static int put_files(struct build *b, struct build_stage *st,
		     const struct build_step *step, struct store_draft *draft,
		     struct error *err)
{
	cleanup_close int root = stage_mount(b, st, draft, "root", err);
	int rc;

	if (root < 0)
		return -1;
	rc = step->op == BUILD_COPY ? copy(b, step, root, draft, err)
				    : workdir(b, step, root, err);
	stage_unmount(b, "root");
	return rc;
}

static int put_alone(struct build *b, const struct build_step *step,
		     const struct store_draft *draft, struct error *err)
{
	cleanup_close int root = open(draft->fs, O_RDONLY | O_DIRECTORY |
							 O_CLOEXEC);

	if (root < 0)
		return error_errno(err, "cannot open '%s'", draft->fs);
	return copy(b, step, root, draft, err);
}

int step_execute(struct build *b, struct build_stage *st,
		 const struct build_step *step, struct store_draft *draft,
		 struct error *err)
{
	int rc;

	if (step->link)
		return put_alone(b, step, draft, err);
	rc = step->op == BUILD_RUN ? step_run(b, st, step, draft, err)
				   : put_files(b, st, step, draft, err);
	return rc < 0 || !b->o->by_chroot ? rc : chroot_take(b, st, draft, err);
}
