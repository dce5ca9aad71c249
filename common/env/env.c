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
#include "devcontainer/metadata.h"
#include "env/internal.h"

static struct env *env_new(struct store *s, const char *name)
{
	struct env *e = xcalloc(1, sizeof(*e));

	e->store = s;
	e->name = xstrdup_null(name);
	e->users_fd = e->scratch_lock = e->keeper_fd = -1;
	e->sandbox = (struct runtime_sandbox){ .pidfd = -1 };
	return e;
}

static void env_free(struct env *e)
{
	if (!e->running)
		keeper_end(e);
	base_close_fd(&e->keeper_fd);
	runtime_sandbox_release(&e->sandbox);
	base_close_fd(&e->users_fd);
	if (!e->name && e->dir)
		store_scratch_drop(e->store, e->dir, e->scratch_lock);
	json_free(e->state);
	json_free(e->config);
	strvec_release(&e->env);
	strvec_release(&e->probed);
	strvec_release(&e->remote);
	strvec_release(&e->groups);
	free(e->name);
	free(e->dir);
	free(e->user);
	free(e->cwd);
	free(e);
}

/* What an environment was made from: another image means another one. What
 * the label says is taken anew at each start. A service is made anew, as with
 * compose, when its configuration is another, too. */
static char *image_key(const struct store_image *image,
		       const struct json *service)
{
	cleanup_json struct json *config = oci_config_to_json(&image->config);
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char digest[DIGEST_TEXT];
	size_t i;

	json_remove(json_get(config, "Labels"), DEVCONTAINER_LABEL);
	if (!json_len(json_get(config, "Labels")))
		json_remove(config, "Labels");
	json_write(&text, config, false);
	for (i = 0; i < image->n_layers; i++)
		strbuf_addstr(&text, image->layers[i].id);
	if (service)
		json_write(&text, service, false);
	digest_bytes(text.buf, text.len, digest);
	return xstrdup(digest);
}

static int open_dir(struct env *e, struct error *err)
{
	if (!e->name)
		e->dir = store_scratch(e->store, &e->scratch_lock, err);
	else if (env_name_valid(e->name))
		e->dir = store_run_dir(e->store, e->name, err);
	else
		state_bad_name(e->name, err);
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
	/* A key says that all below is whole, which it is not for a while. */
	json_free(e->state);
	e->state = json_new_object();
	if (e->spec) {
		json_set_str(e->state, "pod", e->pod->name);
		json_set_str(e->state, "service", e->spec->service);
	}
	if (o->mode == RUNTIME_RANGE && state_write(e, err) < 0)
		return -1;
	if (fs_remove_tree(dir, "upper", err) < 0 ||
	    fs_remove_tree(dir, "work", err) < 0 ||
	    fs_remove_tree(dir, "lower", err) < 0)
		return -1;
	/* Its mode is that of the environment's root, whatever our umask. */
	if (mkdirat(dir, "upper", 0755) < 0 ||
	    fchmodat(dir, "upper", 0755, 0) < 0 ||
	    mkdirat(dir, "work", 0700) < 0)
		return error_errno(err, "cannot create '%s/upper'", e->dir);
	if (owner_make(e, o, err) < 0)
		return -1;
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

/* A name is either an environment's or a service's of one pod. */
static int check_pod(const struct env *e, struct error *err)
{
	const char *pod = json_get_str(e->state, "pod");

	if (!json_get(e->state, "key") ||
	    str_eq_null(pod, e->spec ? e->pod->name : NULL))
		return 0;
	if (pod)
		error_set(err, ERR_REFUSED, "'%s' is a service of '%s'",
			  e->name, pod);
	else
		error_set(err, ERR_REFUSED, "'%s' is an environment, and no "
			  "service of '%s'", e->name, e->pod->name);
	return error_hint(err, "choose another --name, or 'devenv rm %s'",
			  e->name);
}

/* 1: made anew, 0: as it was, -1 error. */
static int make_or_reuse(struct env *e, const struct env_options *o,
			 struct error *err)
{
	cleanup_free char *key = image_key(o->image,
					   e->spec ? o->config : NULL);
	const char *old = json_get_str(e->state, "key");
	bool running = state_sandbox(e);

	if (old && str_eq(old, key) && !o->replace) {
		owner_recall(e);
		return 0;
	}
	if (running && !o->replace && !e->spec) {
		error_set(err, ERR_REFUSED,
			  "the environment '%s' is running with another image",
			  e->name);
		return error_hint(err, "'devenv stop %s' ends it; --replace "
				       "does so and starts anew", e->name);
	}
	if (running)
		runtime_stop(&e->sandbox, state_grace(e));
	e->running = false;
	if (old && e->spec)
		log_info("the service '%s' changed, starting anew",
			 e->spec->service);
	else if (old)
		log_info("environment '%s': the image changed, starting anew",
			 e->name);
	return make(e, o, key, err) < 0 ? -1 : 1;
}

static void release_cgroup(struct runtime_cgroup **c)
{
	runtime_cgroup_release(*c);
}

static int start(struct env *e, const struct env_options *o,
		 struct error *err)
{
	CLEANUP(release_cgroup) struct runtime_cgroup *cgroup = NULL;
	cleanup_strvec struct strvec dirs = STRVEC_INIT;
	CLEANUP(owner_release) struct owner_mounts mounts = { 0 };
	cleanup_free char *upper = path_join(e->dir, "upper");
	cleanup_free char *work = path_join(e->dir, "work");
	struct runtime_spec spec = { .upper = upper,
				     .work = work,
				     .hostname = o->hostname ? o->hostname
							     : e->name,
				     .network = o->network,
				     .net = o->net,
				     .privileged = o->privileged,
				     .no_seccomp = o->no_seccomp,
				     .cap_add = o->cap_add,
				     .hosts = o->hosts,
				     .bounds = o->bounds,
				     .dirs = &o->image->config.volumes };
	size_t i;

	for (i = 0; !e->swap.uid && i < o->image->n_layers; i++)
		strvec_push_own(&dirs, store_layer_fs(e->store,
						      o->image->layers[i].id));
	if (e->swap.uid) {
		strvec_push(&dirs, "lower");
		spec.upper = "upper";
		spec.work = "work";
		spec.swap = &e->swap;
	}
	if (!dirs.nr) /* an image without files: an empty directory below */
		strvec_push(&dirs, work);
	spec.lowers = (const char *const *)dirs.v;
	spec.n_lowers = dirs.nr;
	if (owner_volumes(o, &e->swap, err) < 0 ||
	    owner_mounts(e, o, &dirs, &mounts, err) < 0)
		return -1;
	spec.mounts = mounts.v;
	spec.n_mounts = mounts.n;
	if (o->budget)
		cgroup = runtime_cgroup_make(o->budget);
	spec.cgroup = cgroup;
	if (o->grace_ms)
		json_set_int(e->state, "grace_ms", o->grace_ms);
	else
		json_remove(e->state, "grace_ms");
	if (keeper_start(e, &spec, err) < 0)
		return -1;
	e->running = true;
	return state_started(e, err);
}

static int refuse_network(struct error *err)
{
	error_set(err, ERR_HOST, "a service cannot be started in a network "
		  "that another devenv made for this user");
	return error_hint(err, "'devenv stop' ends the environment, 'devenv "
			  "up' starts all of it");
}

/* A sandbox and somebody who ends it if we cannot. */
static int start_or_join(struct env *e, const struct env_options *o,
			 struct error *err)
{
	if (!e->running && o->network == RUNTIME_NET_GIVEN && o->net < 0)
		return refuse_network(err);
	return e->running ? keeper_start(e, NULL, err) : start(e, o, err);
}

/* A network of its own has nothing that this host could see. */
static int forward(struct env *e, const struct env_options *o,
		   struct error *err)
{
	cleanup_free struct env_port *ports = NULL;
	struct json *seen;
	size_t n, i;

	if (e->joined || !e->config || o->network == RUNTIME_NET_HOST)
		return 0;
	ports = forward_ports(e->config, o->hosts, &n);
	if (forward_start(e, ports, n, err) < 0)
		return -1;
	seen = json_set(e->state, "forwarded", json_new_object());
	for (i = 0; i < n; i++) {
		cleanup_free char *inside = xstrfmt("%u", ports[i].inside);

		json_set_int(seen, inside, ports[i].host);
		log_info("port %u of the environment is 127.0.0.1:%u",
			 ports[i].inside, ports[i].host);
	}
	return 0;
}

/* Somebody waited for its end, which came, and the pod goes on since. */
static bool is_done(const struct env *e)
{
	int status;

	return e->spec && !e->running && e->pod->joined &&
	       pod_awaits_end(e->pod->options, e->spec->service) &&
	       service_ended(e, &status) && !status;
}

/* With its services. */
static int let_go_on(struct env *e, struct error *err)
{
	if (state_detach(e, err) < 0)
		return -1;
	return pod_detach(e, err);
}

/* What runs in it besides commands that somebody asks for. */
static int start_processes(struct env *e, const struct env_options *o,
			   struct error *err)
{
	int rc = 0;

	if (e->spec)
		return e->joined ? 0 : service_start(e, err);
	if (e->config && !e->joined && entry_start(e, o, err) < 0)
		return -1;
	if (pod_after(e, err) < 0)
		return -1;
	if (!o->no_hooks && e->config)
		rc = hooks_run(e, err);
	pod_tell(e); /* a command may have failed because of one */
	if (rc < 0)
		return -1;
	/* An editor that goes away leaves it running. */
	return str_eq_null(json_get_str(o->config, "shutdownAction"), "none")
		       ? let_go_on(e, err)
		       : 0;
}

static int up(struct env *e, const struct env_options *o, struct error *err)
{
	cleanup_close int lock = -1;

	if (open_dir(e, err) < 0)
		return -1;
	if (e->name) {
		lock = state_lock(e, true, err);
		if (lock < 0 || state_use(e, err) < 0)
			return -1;
	}
	if (state_read(e, err) < 0 || check_pod(e, err) < 0 ||
	    make_or_reuse(e, o, err) < 0)
		return -1;
	if (is_done(e))
		return 0;
	e->joined = e->running;
	if (o->labels)
		json_set(e->state, "labels", json_dup(o->labels));
	if (commands_describe(e, o, err) < 0 || pod_before(e, err) < 0 ||
	    start_or_join(e, o, err) < 0 || commands_finish(e, o, err) < 0)
		return -1;
	commands_remember(e);
	if (forward(e, o, err) < 0 || state_write(e, err) < 0 ||
	    (e->life->export_file && files_export(e, err) < 0))
		return -1;
	return start_processes(e, o, err);
}

/* Takes `e`. */
static int finish_up(struct env **out, struct env *e,
		     const struct env_options *o, struct error *err)
{
	static const struct env_life plain = { .probe_ms = ENV_PROBE_MS };
	int rc;

	e->options = o;
	e->life = o->life ? o->life : &plain;
	rc = up(e, o, err);
	e->options = NULL;
	e->life = NULL;
	e->spec = NULL;
	e->pod = NULL;
	if (rc < 0) {
		env_close(e);
		return -1;
	}
	*out = e;
	return 0;
}

int env_up(struct env **out, const struct env_options *o, struct error *err)
{
	if (pod_check(o, err) < 0)
		return -1;
	return finish_up(out, env_new(o->store, o->name), o, err);
}

int env_up_service(struct env **out, struct env *pod,
		   const struct env_service *s, const struct env_options *o,
		   struct error *err)
{
	struct env *e = env_new(o->store, o->name);

	e->spec = s;
	e->pod = pod;
	return finish_up(out, e, o, err);
}

static int attach(struct env *e, struct error *err)
{
	if (!fs_is_dir(e->dir)) {
		error_set(err, ERR_RUN, "there is no environment '%s'",
			  e->name);
		return error_hint(err, "'devenv ps -a' lists them");
	}
	if (state_use(e, err) < 0 || state_read(e, err) < 0)
		return -1;
	if (!state_sandbox(e)) {
		error_set(err, ERR_RUN, "the environment '%s' is not running",
			  e->name);
		return error_hint(err, "'devenv ps' lists those that run");
	}
	if (commands_recall(e, err) < 0 || keeper_start(e, NULL, err) < 0)
		return -1;
	pod_attach(e);
	return 0;
}

int env_attach(struct env **out, struct store *s, const char *name,
	       struct error *err)
{
	struct env *e;

	if (!env_name_valid(name))
		return state_bad_name(name, err);
	e = env_new(s, name);
	e->dir = state_dir(s, name);
	if (attach(e, err) < 0) {
		env_free(e);
		return -1;
	}
	*out = e;
	return 0;
}

int env_detach(struct env *e, struct error *err)
{
	cleanup_close int lock = state_lock(e, false, err);

	/* Others may have written since. */
	if (lock < 0 || state_read(e, err) < 0)
		return -1;
	return let_go_on(e, err);
}

/* Nobody uses it any more. */
static void stop(struct env *e)
{
	int status;

	if (service_ended(e, &status))
		json_set_int(e->state, "exit_status", status);
	runtime_stop(&e->sandbox, state_grace(e));
	e->running = false;
	if (e->name && state_stopped(e, NULL) < 0)
		log_debug("the state of '%s' was not written", e->name);
}

void env_close(struct env *e)
{
	cleanup_close int lock = -1;

	if (!e)
		return;
	/* Who holds the lock uses the environment; what then remains is done
	 * by the keeper. */
	if (e->running && e->name)
		lock = state_try_lock(e);
	if (e->running && (!e->name || (lock >= 0 && !state_wanted(e))))
		stop(e);
	pod_close(e);
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
	json_set(j, "ports", ports_describe(e->config,
					    json_get(e->state, "forwarded")));
	if (e->config)
		json_set(j, "hooks", hooks_describe(e));
	return j;
}
