/* env.c - make, start and leave an environment */
/* SPDX-License-Identifier: Apache-2.0 */
#include "env/env.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "env/internal.h"

#define GRACE_MS 2000

static struct env *env_new(struct store *s, const char *name)
{
	struct env *e = xcalloc(1, sizeof(*e));

	e->store = s;
	e->name = xstrdup_null(name);
	e->users_fd = e->scratch_lock = -1;
	e->sandbox = (struct runtime_sandbox){ .pidfd = -1 };
	return e;
}

static void env_free(struct env *e)
{
	runtime_sandbox_release(&e->sandbox);
	base_close_fd(&e->users_fd);
	if (!e->name && e->dir)
		store_scratch_drop(e->store, e->dir, e->scratch_lock);
	json_free(e->state);
	json_free(e->config);
	strvec_release(&e->env);
	strvec_release(&e->remote);
	free(e->name);
	free(e->dir);
	free(e->user);
	free(e->cwd);
	free(e);
}

/* What an environment was made from: another image means another one. */
static char *image_key(const struct store_image *image)
{
	cleanup_json struct json *config = oci_config_to_json(&image->config);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char digest[DIGEST_TEXT];
	size_t i;

	json_write(&text, config, false);
	for (i = 0; i < image->n_layers; i++)
		strbuf_addstr(&text, image->layers[i].id);
	digest_bytes(text.buf, text.len, digest);
	return xstrdup(digest);
}

static int open_dir(struct env *e, struct error *err)
{
	if (e->name)
		e->dir = store_run_dir(e->store, e->name, err);
	else
		e->dir = store_scratch(e->store, &e->scratch_lock, err);
	return e->dir ? 0 : -1;
}

static char *now_text(void)
{
	char text[32];
	time_t t = time(NULL);
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return xstrdup(text);
}

static void note_layers(struct env *e, const struct store_image *image)
{
	struct json *layers = json_set(e->state, "layers", json_new_array());
	size_t i;

	for (i = 0; i < image->n_layers; i++)
		json_push(layers, json_new_str(image->layers[i].id));
}

/* Empty upper and work directories, and a fresh state. */
static int make(struct env *e, const struct env_options *o, const char *key,
		struct error *err)
{
	cleanup_close int dir = open(e->dir,
				     O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cleanup_free char *now = now_text();

	if (dir < 0)
		return error_errno(err, "cannot open '%s'", e->dir);
	if (fs_remove_tree(dir, "upper", err) < 0 ||
	    fs_remove_tree(dir, "work", err) < 0)
		return -1;
	if (mkdirat(dir, "upper", 0755) < 0 || mkdirat(dir, "work", 0700) < 0)
		return error_errno(err, "cannot create '%s/upper'", e->dir);
	json_free(e->state);
	e->state = json_new_object();
	json_set_str(e->state, "name", e->name ? e->name : "");
	json_set_str(e->state, "key", key);
	json_set_str(e->state, "created", now);
	json_set_str(e->state, "image",
		     o->image->reference ? o->image->reference
					 : o->image->config_digest);
	json_set_str(e->state, "workspace", o->workspace);
	note_layers(e, o->image);
	return state_write(e, err);
}

/* 1: made anew, 0: as it was, -1 error. */
static int make_or_reuse(struct env *e, const struct env_options *o,
			 struct error *err)
{
	cleanup_free char *key = image_key(o->image);
	const char *old = json_get_str(e->state, "key");
	int running = state_sandbox(e, err);

	if (running < 0)
		return -1;
	if (old && str_eq(old, key) && !o->replace)
		return 0;
	if (running && !o->replace) {
		error_set(err, ERR_REFUSED,
			  "the environment '%s' is running with another image",
			  e->name);
		return error_hint(err, "'devenv stop %s' ends it; --replace "
				       "does so and starts anew", e->name);
	}
	if (running)
		runtime_stop(&e->sandbox, GRACE_MS);
	e->running = false;
	if (old)
		log_info("environment '%s': the image changed, starting anew",
			 e->name);
	return make(e, o, key, err) < 0 ? -1 : 1;
}

static const char *variable(void *arg, const char *name)
{
	const struct env *e = arg;

	return strvec_env_get(&e->env, name);
}

/* ${containerEnv:...} is what the container has before remoteEnv. */
static int resolve_config(struct env *e, const struct json *config,
			  struct error *err)
{
	if (!strvec_env_get(&e->env, "PATH"))
		strvec_env_set(&e->env, "PATH", ENV_PATH);
	e->config = json_dup(config);
	if (devcontainer_container_env(e->config, variable, e, err) < 0)
		return -1;
	devcontainer_env(e->config, "remoteEnv", &e->remote, NULL);
	return 0;
}

/* How commands see the environment: the image's word, then the
 * configuration's, then the command line's. */
static int describe_commands(struct env *e, const struct env_options *o,
			     struct error *err)
{
	const struct oci_config *c = &o->image->config;
	const char *remote = o->user ? o->user
				     : devcontainer_user(o->config);
	cleanup_strvec struct strvec more = STRVEC_INIT;
	size_t i;

	strvec_copy(&e->env, &c->env);
	if (o->config) {
		strvec_env_set(&e->env, "DEVCONTAINER", "true");
		devcontainer_env(o->config, "containerEnv", &more, NULL);
	}
	for (i = 0; o->env && i < o->env->nr; i++)
		strvec_push(&more, o->env->v[i]);
	for (i = 0; i < more.nr; i++) {
		size_t n = strcspn(more.v[i], "=");
		cleanup_free char *key = xstrndup(more.v[i], n);

		if (more.v[i][n])
			strvec_env_set(&e->env, key, more.v[i] + n + 1);
	}
	e->user = xstrdup(remote ? remote : c->user ? c->user : "");
	e->cwd = xstrdup(o->folder && o->config	 ? o->folder
			 : c->workdir && *c->workdir ? c->workdir
						     : "/");
	return o->config ? resolve_config(e, o->config, err) : 0;
}

static int start(struct env *e, const struct env_options *o,
		 struct error *err)
{
	cleanup_strvec struct strvec dirs = STRVEC_INIT;
	cleanup_free char *upper = path_join(e->dir, "upper");
	cleanup_free char *work = path_join(e->dir, "work");
	cleanup_free struct runtime_mount *mounts =
		xcalloc(o->n_mounts + 1, sizeof(*mounts));
	struct runtime_spec spec = { .upper = upper,
				     .work = work,
				     .hostname = o->hostname ? o->hostname
							     : e->name,
				     .network = o->network,
				     .mounts = mounts };
	size_t i;

	for (i = 0; i < o->image->n_layers; i++)
		strvec_push_own(&dirs, store_layer_fs(e->store,
						      o->image->layers[i].id));
	if (!dirs.nr) /* an image without files: an empty directory below */
		strvec_push(&dirs, work);
	spec.lowers = (const char *const *)dirs.v;
	spec.n_lowers = dirs.nr;
	for (i = 0; i < o->n_mounts; i++)
		mounts[spec.n_mounts++] = o->mounts[i];
	if (o->workspace && o->folder)
		mounts[spec.n_mounts++] = (struct runtime_mount){
			.kind = RUNTIME_BIND,
			.source = (char *)(uintptr_t)o->workspace,
			.target = (char *)(uintptr_t)o->folder,
		};
	if (runtime_start(&spec, &e->sandbox, err) < 0)
		return -1;
	e->running = true;
	json_set_int(e->state, "pid", e->sandbox.init);
	json_set_int(e->state, "start_time",
		     (int64_t)runtime_start_time(e->sandbox.init));
	return state_write(e, err);
}

/* Kept with the state, so that `exec` needs nothing else. */
static void remember_commands(struct env *e)
{
	json_set_strvec(e->state, "env", &e->env);
	json_set_strvec(e->state, "remote_env", &e->remote);
	json_set_str(e->state, "user", e->user);
	json_set_str(e->state, "cwd", e->cwd);
}

static int up(struct env *e, const struct env_options *o, struct error *err)
{
	bool start_now;
	cleanup_close int lock = -1;

	if (open_dir(e, err) < 0)
		return -1;
	if (e->name) {
		lock = state_lock(e, err);
		if (lock < 0 || state_use(e, err) < 0)
			return -1;
	}
	if (state_read(e, err) < 0 || make_or_reuse(e, o, err) < 0 ||
	    describe_commands(e, o, err) < 0)
		return -1;
	remember_commands(e);
	start_now = !e->running;
	if (start_now && start(e, o, err) < 0)
		return -1;
	e->detach = o->detach || json_get_bool(e->state, "detached");
	json_set_bool(e->state, "detached", e->detach);
	if (state_write(e, err) < 0)
		return -1;
	if (o->no_hooks || !o->config)
		return 0;
	return hooks_run(e, e->config, start_now, err);
}

int env_up(struct env **out, const struct env_options *o, struct error *err)
{
	struct env *e = env_new(o->store, o->name);

	if (up(e, o, err) < 0) {
		e->detach = false;
		env_close(e);
		return -1;
	}
	*out = e;
	return 0;
}

static int attach(struct env *e, struct error *err)
{
	int rc;

	if (open_dir(e, err) < 0 || state_use(e, err) < 0 ||
	    state_read(e, err) < 0)
		return -1;
	rc = state_sandbox(e, err);
	if (!rc) {
		error_set(err, ERR_RUN, "the environment '%s' is not running",
			  e->name);
		error_hint(err, "'devenv ps' lists the environments");
	}
	if (rc <= 0)
		return -1;
	json_get_strings(json_get(e->state, "env"), &e->env);
	json_get_strings(json_get(e->state, "remote_env"), &e->remote);
	e->user = xstrdup_null(json_get_str(e->state, "user"));
	e->cwd = xstrdup_null(json_get_str(e->state, "cwd"));
	e->detach = json_get_bool(e->state, "detached");
	if (!e->user || !e->cwd)
		return error_set(err, ERR_SYSTEM, "'%s/" ENV_STATE
				 "' is damaged", e->dir);
	return 0;
}

int env_attach(struct env **out, struct store *s, const char *name,
	       struct error *err)
{
	struct env *e = env_new(s, name);

	if (attach(e, err) < 0) {
		env_free(e);
		return -1;
	}
	*out = e;
	return 0;
}

void env_close(struct env *e)
{
	cleanup_close int lock = -1;

	if (!e)
		return;
	if (e->name && e->dir)
		lock = state_lock(e, NULL);
	if (e->running && !e->detach && state_last(e)) {
		runtime_stop(&e->sandbox, GRACE_MS);
		if (e->state)
			json_remove(e->state, "pid");
		if (e->state && e->name && state_write(e, NULL) < 0)
			log_debug("the state of '%s' was not written",
				  e->name);
	}
	env_free(e);
}

void env_close_ptr(struct env **e)
{
	env_close(*e);
}

struct json *env_describe(const struct env *e)
{
	struct json *j = json_new_object();

	json_set_str(j, "name", e->name);
	json_set_int(j, "pid", e->sandbox.init);
	json_set_str(j, "provider", "local");
	json_set_str(j, "workspace", e->cwd);
	json_set_str(j, "user", *e->user ? e->user : "root");
	json_set(j, "ports", json_new_array());
	return j;
}
