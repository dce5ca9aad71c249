/* step.c - keys of steps, and the steps that only write files */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "build/internal.h"

int step_fail(const struct build *b, const struct build_step *step,
	      struct error *err)
{
	return error_wrap(err, "%s:%u:1", b->o->name, step->line);
}

static int context_tree(struct build *b, struct build_tree *tree,
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

/* Files of the context count by what they are, those of a stage by the key of
 * the stage, which needs no file to be there. */
static int key_sources(struct build *b, const struct build_step *step,
		       struct cache_key *k, struct error *err)
{
	struct build_tree tree;
	size_t i, j;

	cache_key_add_list(k, "source", &step->sources);
	if (step->from_stage != SIZE_MAX) {
		cache_key_add(k, "from", b->stages[step->from_stage].key);
		return 0;
	}
	for (i = 0; i < step->sources.nr; i++) {
		cleanup_strvec struct strvec paths = STRVEC_INIT;

		if (context_tree(b, &tree, err) < 0 ||
		    tree_sources(&tree, step->sources.v[i], &paths, err) < 0)
			return -1;
		for (j = 0; j < paths.nr; j++) {
			cleanup_strbuf struct strbuf hex = STRBUF_INIT;

			if (tree_digest(&tree, paths.v[j], true, &hex, err) <
			    0)
				return -1;
			cache_key_add(k, "file", paths.v[j]);
			cache_key_add(k, "content", hex.buf);
		}
	}
	return 0;
}

static int key_copy(struct build *b, const struct build_step *step,
		    struct cache_key *k, struct error *err)
{
	size_t i;

	cache_key_add(k, "op", step->add ? "add" : "copy");
	cache_key_add(k, "dest", step->dest);
	cache_key_add(k, "dir", step->dest_is_dir ? "1" : "0");
	cache_key_add(k, "chown", step->chown ? step->chown : "");
	cache_key_add(k, "chmod", step->chmod ? step->chmod : "");
	for (i = 0; i < step->n_files; i++) {
		cache_key_add(k, "heredoc", step->files[i].name);
		cache_key_add(k, "content", step->files[i].content);
	}
	return key_sources(b, step, k, err);
}

static void key_run(const struct build *b, const struct build_step *step,
		    struct cache_key *k)
{
	cache_key_add(k, "op", "run");
	cache_key_add_list(k, "arg", &step->argv);
	cache_key_add_list(k, "env", &step->env);
	cache_key_add(k, "cwd", step->cwd);
	cache_key_add(k, "script", step->script ? step->script : "");
	cache_key_add(k, "network",
		      b->o->network == RUNTIME_NET_NONE ? "none" : "host");
}

int step_key(struct build *b, struct build_stage *st,
	     const struct build_step *step, struct cache_key *k,
	     char hex[CACHE_KEY], struct error *err)
{
	cleanup_free char *platform =
		oci_platform_format(&st->image.config.platform);

	cache_key_begin(k, st->key);
	cache_key_add(k, "platform", platform);
	/* One mapped id cannot hold the owners that a range can. */
	cache_key_add(k, "ids", b->o->single_id ? "single" : "all");
	if (step->op != BUILD_COPY)
		cache_key_add(k, "user", step->user);
	if (step->op == BUILD_RUN) {
		key_run(b, step, k);
	} else if (step->op == BUILD_WORKDIR) {
		cache_key_add(k, "op", "workdir");
		cache_key_add(k, "cwd", step->cwd);
	} else if (key_copy(b, step, k, err) < 0) {
		return -1;
	}
	cache_key_finish(k, hex);
	return 0;
}

/* --- COPY, ADD, WORKDIR --- */

static int open_source(struct build *b, const struct build_step *step,
		       struct build_tree *tree, struct error *err)
{
	if (step->from_stage == SIZE_MAX) {
		if (step->sources.nr)
			return context_tree(b, tree, err);
		*tree = (struct build_tree){ .fd = -1 };
		return 0;
	}
	*tree = (struct build_tree){ .keep_owners = true };
	tree->fd = stage_mount(b, &b->stages[step->from_stage], NULL, "from",
			       err);
	return tree->fd < 0 ? -1 : 0;
}

static void close_source(struct build *b, const struct build_step *step,
			 struct build_tree *tree)
{
	if (step->from_stage == SIZE_MAX)
		return;
	close(tree->fd);
	stage_unmount(b, "from");
}

static int copy(struct build *b, const struct build_step *step, int root,
		struct error *err)
{
	struct copy_target to = {
		.store = b->o->store,
		.rootfd = root,
		.chmod = step->chmod,
		.single_id = b->o->single_id,
	};
	struct build_tree tree;
	int rc;

	if (step->chown) {
		to.chown = true;
		if (runtime_chown_lookup(root, step->chown, &to.uid, &to.gid,
					 err) < 0)
			return -1;
	}
	if (open_source(b, step, &tree, err) < 0)
		return -1;
	rc = copy_run(&to, &tree, step, err);
	close_source(b, step, &tree);
	return rc;
}

static int workdir(struct build *b, struct build_stage *st,
		   const struct build_step *step, int root, struct error *err)
{
	cleanup_close int fd = fs_open_in_root(root, step->cwd, O_PATH, 0);
	const struct runtime_user *user;
	struct copy_target to = { .store = b->o->store, .rootfd = root };
	struct stat dir;

	if (fd >= 0) {
		if (fstat(fd, &dir) < 0 || !S_ISDIR(dir.st_mode))
			return error_set(err, ERR_INPUT,
					 "'%s' is not a directory", step->cwd);
		return 0;
	}
	if (stage_user(b, st, step->user, &user, err) < 0)
		return -1;
	to.chown = true;
	to.uid = user->uid;
	to.gid = user->gid;
	return copy_make_dirs(&to, step->cwd, err);
}

int step_execute(struct build *b, struct build_stage *st,
		 const struct build_step *step, struct store_draft *draft,
		 struct error *err)
{
	cleanup_close int root = -1;
	int rc;

	if (step->op == BUILD_RUN)
		return step_run(b, st, step, draft, err);
	root = stage_mount(b, st, draft, "root", err);
	if (root < 0)
		return -1;
	rc = step->op == BUILD_COPY ? copy(b, step, root, err)
				    : workdir(b, st, step, root, err);
	stage_unmount(b, "root");
	return rc;
}
