/* list.c - environments by name: list, stop, remove, log */
/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "env/internal.h"

void env_info_release(struct env_info *i)
{
	free(i->name);
	free(i->image);
	free(i->workspace);
	free(i->created);
	strvec_release(&i->layers);
	free(i->failed);
	json_free(i->labels);
	strvec_release(&i->env);
	free(i->pod);
	free(i->service);
}

/* 1: there, 0: not. Nothing is created. */
static int open_named(struct env *e, struct store *s, const char *name,
		      struct error *err)
{
	*e = (struct env){ .store = s,
			   .users_fd = -1,
			   .scratch_lock = -1,
			   .keeper_fd = -1,
			   .sandbox = { .pidfd = -1 } };
	if (!env_name_valid(name))
		return state_bad_name(name, err);
	e->name = xstrdup(name);
	e->dir = state_dir(s, name);
	return fs_is_dir(e->dir);
}

static void close_named(struct env *e)
{
	runtime_sandbox_release(&e->sandbox);
	json_free(e->state);
	free(e->name);
	free(e->dir);
}

static int must_open(struct env *e, struct store *s, const char *name,
		     struct error *err)
{
	int rc = open_named(e, s, name, err);

	if (rc)
		return rc < 0 ? -1 : 0;
	return state_missing(name, err);
}

static int read_names(struct store *s, struct strvec *names,
		      struct error *err)
{
	cleanup_free char *path = path_join(store_path(s), "run");
	DIR *dir = opendir(path);
	struct dirent *d;

	if (!dir)
		return errno == ENOENT
			       ? 0
			       : error_errno(err, "cannot open '%s'", path);
	while ((d = readdir(dir)))
		if (env_name_valid(d->d_name))
			strvec_push(names, d->d_name);
	closedir(dir);
	strvec_sort(names);
	return 0;
}

/* As it ended by itself, or -1. */
static int status_of(const struct env *e)
{
	int64_t kept = -1;
	int status;

	if (service_ended(e, &status))
		return status;
	return json_get_int(e->state, "exit_status", &kept) ? (int)kept : -1;
}

static void inform(struct env_info *info, struct env *e)
{
	info->name = xstrdup(e->name);
	info->damaged = state_read(e, NULL) < 0;
	info->running = !info->damaged && state_sandbox(e);
	info->pid = e->sandbox.init;
	info->image = xstrdup_null(json_get_str(e->state, "image"));
	info->workspace = xstrdup_null(json_get_str(e->state, "workspace"));
	info->created = xstrdup_null(json_get_str(e->state, "created"));
	json_get_strings(json_get(e->state, "layers"), &info->layers);
	info->failed = xstrdup_null(json_get_str(e->state, "failed"));
	if (json_get(e->state, "labels"))
		info->labels = json_dup(json_get(e->state, "labels"));
	json_get_strings(json_get(e->state, "env"), &info->env);
	info->pod = xstrdup_null(json_get_str(e->state, "pod"));
	info->service = xstrdup_null(json_get_str(e->state, "service"));
	info->status = info->running ? -1 : status_of(e);
}

int env_list(struct store *s, struct env_info **out, size_t *n,
	     struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	size_t i;

	*n = 0;
	if (read_names(s, &names, err) < 0)
		return -1;
	*out = xcalloc(names.nr + 1, sizeof(**out));
	for (i = 0; i < names.nr; i++) {
		struct env e;

		if (open_named(&e, s, names.v[i], NULL) > 0)
			inform(&(*out)[(*n)++], &e);
		close_named(&e);
	}
	return 0;
}

bool env_exists(struct store *s, const char *name)
{
	cleanup_free char *dir = state_dir(s, name);

	return env_name_valid(name) && fs_is_dir(dir);
}

int env_look(struct store *s, const char *name, struct env_info *out,
	     struct error *err)
{
	struct env e;
	int rc = must_open(&e, s, name, err);

	if (!rc)
		inform(out, &e);
	close_named(&e);
	return rc;
}

/* First its end, then the lock: who runs hooks in it holds the lock. */
static int stop(struct env *e, int grace_ms, struct error *err)
{
	cleanup_close int lock = -1;

	if (state_read(e, err) < 0)
		return -1;
	if (!state_sandbox(e))
		return 0;
	runtime_stop(&e->sandbox, grace_ms < 0 ? state_grace(e) : grace_ms);
	lock = state_lock(e, false, err);
	if (lock < 0 || state_read(e, err) < 0)
		return -1;
	runtime_sandbox_release(&e->sandbox);
	return state_sandbox(e) ? 0 : state_stopped(e, err);
}

int env_stop(struct store *s, const char *name, int grace_ms,
	     struct error *err)
{
	cleanup_strvec struct strvec services = STRVEC_INIT;
	struct env e;
	size_t i;
	int rc = must_open(&e, s, name, err);

	if (!rc)
		rc = stop(&e, grace_ms, err);
	if (!rc)
		pod_list(&e, &services);
	close_named(&e);
	for (i = services.nr; i && !rc; i--) /* the last one first */
		rc = env_stop(s, services.v[i - 1], grace_ms, err);
	return rc;
}

static int refuse_running(const struct env *e, struct error *err)
{
	error_set(err, ERR_REFUSED, "the environment '%s' is running",
		  e->name);
	return error_hint(err, "'devenv stop %s' first, or --force", e->name);
}

/* Out of sight at once, so that a new one of its name can be made. */
static int discard(struct env *e, struct error *err)
{
	cleanup_free char *to = NULL;
	int lock = -1, rc = 0;
	char *scratch = store_scratch(e->store, &lock, err);

	if (!scratch)
		return -1;
	to = path_join(scratch, "environment");
	if (rename(e->dir, to) < 0)
		rc = error_errno(err, "cannot remove '%s'", e->dir);
	store_scratch_drop(e->store, scratch, lock);
	free(scratch);
	return rc;
}

static int remove_services(struct env *e, bool force, struct error *err)
{
	cleanup_strvec struct strvec services = STRVEC_INIT;
	size_t i;

	pod_list(e, &services);
	for (i = services.nr; i; i--)
		if (env_remove(e->store, services.v[i - 1], force, err) < 0)
			return -1;
	return 0;
}

static int remove_env(struct env *e, bool force, struct error *err)
{
	cleanup_close int lock = -1;

	/* A damaged state names no sandbox. */
	if (state_read(e, force ? NULL : err) < 0 && !force)
		return -1;
	if (state_sandbox(e)) {
		if (!force)
			return refuse_running(e, err);
		runtime_stop(&e->sandbox, 0);
		runtime_sandbox_release(&e->sandbox);
	}
	lock = state_lock(e, false, err);
	if (lock < 0)
		return -1;
	if (state_read(e, NULL) == 0 && state_sandbox(e))
		return refuse_running(e, err); /* it was started meanwhile */
	if (remove_services(e, force, err) < 0)
		return -1;
	return discard(e, err);
}

int env_remove(struct store *s, const char *name, bool force,
	       struct error *err)
{
	struct env e;
	int rc = must_open(&e, s, name, err);

	if (!rc)
		rc = remove_env(&e, force, err);
	close_named(&e);
	return rc;
}

int env_net(struct store *s, const char *name, int *fd, struct error *err)
{
	struct env e;
	int rc = open_named(&e, s, name, err);

	if (rc > 0 && state_read(&e, NULL) == 0 && state_sandbox(&e))
		*fd = runtime_net_of(&e.sandbox, NULL);
	else if (rc >= 0)
		rc = *fd = runtime_net_new(err);
	close_named(&e);
	return rc < 0 ? -1 : 0;
}

int env_log(struct store *s, const char *name, struct error *err)
{
	cleanup_free char *path = NULL;
	struct env e;
	int fd = must_open(&e, s, name, err);

	if (!fd) {
		path = path_join(e.dir, "log");
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
		if (fd < 0 && errno == ENOENT)
			error_set(err, ERR_USAGE, "the environment '%s' has "
				  "no log: it ran nothing in the background",
				  name);
		else if (fd < 0)
			error_errno(err, "cannot open '%s'", path);
	}
	close_named(&e);
	return fd;
}
