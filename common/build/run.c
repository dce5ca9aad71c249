/* run.c - RUN: one command in a sandbox on top of the stage */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "build/stage.h"
#include "build/chroot.h"
#include "build/run.h"

#define PIPES "/dev/pipes" /* where a heredoc script is seen */

/* The environment a command gets on top of what keys it. */
static void environment(const struct build_step *step,
			const struct runtime_user *user, struct strvec *env)
{
	size_t i;

	strvec_copy(env, &step->env);
	for (i = 0; i < step->proxy.nr; i++) {
		size_t n = strcspn(step->proxy.v[i], "=");
		cleanup_free char *key = xstrndup(step->proxy.v[i], n);

		if (!strvec_env_get(env, key))
			strvec_push(env, step->proxy.v[i]);
	}
	if (!strvec_env_get(env, "HOME"))
		strvec_env_set(env, "HOME", user->home ? user->home : "/");
}

static int run_command(const struct runtime_spec *spec,
		       const struct runtime_process *p, int *status,
		       struct error *err)
{
	struct runtime_child child, *one = &child;
	int rc;

	if (runtime_spawn(spec, p, NULL, &child, err) < 0)
		return -1;
	rc = runtime_collect(&one, 1, err);
	*status = child.status;
	runtime_child_release(&child);
	return rc;
}

static int fail(const struct build_step *step, int status, struct error *err)
{
	error_set(err, ERR_STEP, "the command '%s' ended with status %d",
		  step->text, status);
	if (status == 127)
		error_hint(err, "127: a command was not found in the image");
	else if (status == 137)
		error_hint(err, "137: it was killed, perhaps because memory "
				"ran out");
	return -1;
}

/* A command that cannot be started failed as a step, not as our own run. */
static int cannot_start(const struct build_stage *st, struct error *err)
{
	if (err && (err->code == ERR_RUN || err->code == ERR_RUN_PERM ||
		    err->code == ERR_RUN_MISSING))
		err->code = ERR_STEP;
	return run_explain_foreign(st, err);
}

/* What every step mounts at, once a build. Processes of one build may do this
 * at once. */
static int make_points(const char *path, struct error *err)
{
	cleanup_free char *mine = xstrfmt("%s.%d", path, getpid());
	cleanup_close int fd = -1;

	if (fs_is_dir(path))
		return 0;
	if (mkdir(mine, 0755) < 0)
		return error_errno(err, "cannot create '%s'", mine);
	fd = open(mine, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", mine);
	if (runtime_points_make(fd, err) < 0)
		return -1;
	/* What lost goes with the scratch directory. */
	if (rename(mine, path) < 0 && errno != EEXIST && errno != ENOTEMPTY)
		return error_errno(err, "cannot create '%s'", path);
	return 0;
}

enum runtime_network run_network(const struct build_options *o,
				 const struct build_step *step)
{
	return step->network == BUILD_NET_NONE ? RUNTIME_NET_NONE : o->network;
}

/* A heredoc that is a script of its own, as a file only the step sees. */
static void add_script(struct run_mounts *r, const struct build_step *step)
{
	if (!step->script)
		return;
	r->v[r->nr++] = (struct runtime_mount){
		.kind = RUNTIME_FILE,
		.target = path_join(PIPES, step->script_name),
		.read_only = true,
		.data = step->script,
		.size = strlen(step->script),
		.mode = 0755,
	};
}

static void add_env(const struct strvec *more, struct strvec *env)
{
	size_t i;

	for (i = 0; i < more->nr; i++) {
		size_t n = strcspn(more->v[i], "=");
		cleanup_free char *key = xstrndup(more->v[i], n);

		strvec_env_set(env, key, more->v[i] + n + 1);
	}
}

/* Start it in its sandbox and wait. */
static int run_in(const struct runtime_spec *spec, struct run_mounts *r,
		  const struct runtime_user *user, int *status,
		  struct error *err)
{
	const struct build_step *step = r->step;
	struct runtime_process p = RUNTIME_PROCESS_INIT;
	cleanup_strvec struct strvec env = STRVEC_INIT;

	environment(step, user, &env);
	add_env(&r->env, &env);
	p.argv = step->argv.v;
	p.env = &env;
	p.cwd = step->cwd;
	p.make_cwd = true;
	p.user = user;
	return run_command(spec, &p, status, err);
}

static int run(struct build *b, struct build_stage *st,
	       const struct build_step *step, const struct store_draft *draft,
	       const struct runtime_user *user, struct error *err)
{
	cleanup_free char *points = path_join(b->scratch, "points");
	cleanup_free const char **lowers = xcalloc(st->dirs.nr + 1,
						   sizeof(*lowers));
	CLEANUP(run_mounts_close) struct run_mounts r;
	size_t copied;
	struct runtime_spec spec = { .upper = draft->fs,
				     .work = draft->work,
				     .draft = true,
				     .lowers = lowers,
				     .n_lowers = st->dirs.nr + 1,
				     .hostname = step->hostname,
				     .network = run_network(b->o, step),
				     .privileged = step->insecure };
	int status;

	if (run_mounts_open(&r, b, step, err) < 0 ||
	    (b->o->by_chroot ? chroot_begin(b, st, &spec.root, err)
			     : make_points(points, err)) < 0)
		return -1;
	if (b->o->by_chroot && run_copies_put(&r, spec.root, err) < 0)
		return -1;
	copied = r.n_copies;
	add_script(&r, step);
	lowers[0] = points;
	for (size_t i = 0; i < st->dirs.nr; i++)
		lowers[i + 1] = st->dirs.v[i];
	spec.mounts = r.v + copied;
	spec.n_mounts = r.nr - copied;
	if (!spec.hostname)
		spec.hostname = "buildkitsandbox";
	if (run_in(&spec, &r, user, &status, err) < 0)
		return cannot_start(st, err);
	return status ? fail(step, status, err) : 0;
}

int step_run(struct build *b, struct build_stage *st,
	     const struct build_step *step, struct store_draft *draft,
	     struct error *err)
{
	const struct runtime_user *user;

	if (stage_user(b, st, step->user, &user, err) < 0 ||
	    run(b, st, step, draft, user, err) < 0)
		return -1;
	if (b->o->single_id && (user->uid || user->gid))
		return store_stamp_owner(b->o->store, draft, user->uid,
					 user->gid, err);
	return 0;
}
