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
}

/* 1: there, 0: not. Nothing is created. */
static int open_named(struct env *e, struct store *s, const char *name,
		      struct error *err)
{
	*e = (struct env){ .store = s,
			   .users_fd = -1,
			   .scratch_lock = -1,
			   .sandbox = { .pidfd = -1 } };
	if (!env_name_valid(name))
		return error_set(err, ERR_USAGE,
				 "'%s' is not a name of an environment", name);
	e->name = xstrdup(name);
	e->dir = xstrfmt("%s/run/%s", store_path(s), name);
	if (!fs_is_dir(e->dir))
		return 0;
	return state_read(e, err) < 0 ? -1 : 1;
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
	error_set(err, ERR_USAGE, "there is no environment '%s'", name);
	return error_hint(err, "'devenv ps -a' lists the environments");
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

int env_list(struct store *s, struct env_info **out, size_t *n,
	     struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	size_t i;

	*n = 0;
	if (read_names(s, &names, err) < 0)
		return -1;
	*out = xcalloc(names.nr, sizeof(**out));
	for (i = 0; i < names.nr; i++) {
		struct env_info *info = &(*out)[*n];
		struct env e;

		if (open_named(&e, s, names.v[i], NULL) > 0) {
			info->running = state_sandbox(&e, NULL) > 0;
			info->pid = e.sandbox.init;
			info->name = xstrdup(e.name);
			info->image = xstrdup_null(
				json_get_str(e.state, "image"));
			info->workspace = xstrdup_null(
				json_get_str(e.state, "workspace"));
			info->created = xstrdup_null(
				json_get_str(e.state, "created"));
			(*n)++;
		}
		close_named(&e);
	}
	return 0;
}

static int stop(struct env *e, int grace_ms, struct error *err)
{
	cleanup_close int lock = state_lock(e, err);
	int rc;

	if (lock < 0 || state_read(e, err) < 0)
		return -1;
	rc = state_sandbox(e, err);
	if (rc <= 0)
		return rc;
	runtime_stop(&e->sandbox, grace_ms);
	json_remove(e->state, "pid");
	json_remove(e->state, "detached");
	return state_write(e, err);
}

int env_stop(struct store *s, const char *name, int grace_ms,
	     struct error *err)
{
	struct env e;
	int rc = must_open(&e, s, name, err);

	if (!rc)
		rc = stop(&e, grace_ms, err);
	close_named(&e);
	return rc;
}

static int remove_env(struct env *e, bool force, struct error *err)
{
	cleanup_close int lock = state_lock(e, err);
	cleanup_close int run = -1;
	cleanup_free char *dir = path_dir(e->dir);
	int rc;

	if (lock < 0)
		return -1;
	rc = state_sandbox(e, err);
	if (rc < 0)
		return -1;
	if (rc && !force) {
		error_set(err, ERR_REFUSED,
			  "the environment '%s' is running", e->name);
		return error_hint(err, "'devenv stop %s' first, or --force",
				  e->name);
	}
	if (rc)
		runtime_stop(&e->sandbox, 0);
	run = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run < 0)
		return error_errno(err, "cannot open '%s'", dir);
	return fs_remove_tree(run, e->name, err);
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

int env_log(struct store *s, const char *name, struct error *err)
{
	struct env e;
	int fd = must_open(&e, s, name, err);

	if (!fd) {
		cleanup_free char *path = path_join(e.dir, "log");

		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			error_errno(err, "cannot open '%s'", path);
	}
	close_named(&e);
	return fd;
}
