/* launch.c - an image at work, as run, up and iterate start it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/launch.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "devcontainer/devcontainer.h"

#define O(member) offsetof(struct cmd_run_options, member)
const struct opt cmd_run_rows[] = {
	{ OPT_GROUP, .help = "How it runs" },
	{ OPT_STR, 0, "name", "NAME", NULL,
	  "keep it as an environment of this name", O(name) },
	{ OPT_BOOL, 'd', "detach", NULL, NULL,
	  "leave it running in the background", O(detach) },
	{ OPT_BOOL, 0, "replace", NULL, NULL,
	  "start from the image, whatever is kept under the name",
	  O(replace) },
	{ OPT_LIST, 'e', "env", "NAME[=VALUE]", OPT_NO_ENV,
	  "set a variable; without a value from here", O(env) },
	{ OPT_STR, 'u', "user", "USER[:GROUP]", OPT_NO_ENV,
	  "user of the command", O(user) },
	{ OPT_STR, 'w', "workdir", "DIR", OPT_NO_ENV,
	  "working directory of the command", O(workdir) },
	{ OPT_LIST, 'v', "volume", "DIR:TARGET[:ro]", OPT_NO_ENV,
	  "mount a directory or file of this host", O(volumes) },
	{ OPT_ENUM, 0, "net", "host|none", NULL,
	  "network of the sandbox (default: the host's)", O(network) },
	{ OPT_STR, 0, "hostname", "NAME", NULL, "host name in there",
	  O(hostname) },
	{ OPT_STR, 0, "entrypoint", "COMMAND", OPT_NO_ENV,
	  "instead of the image's; empty: none", O(entrypoint) },
	{ OPT_BOOL, 't', "tty", NULL, OPT_NO_ENV,
	  "terminal for the command (default: when we have one)", O(tty) },
	{ OPT_BOOL, 0, "skip-hooks", NULL, NULL,
	  "run no lifecycle commands", O(no_hooks) },
	{ OPT_END },
};

/* One launch with all that the structs of others point into. */
struct work {
	const struct cmd_launch *l;
	const struct json *config;
	struct strvec env, argv;
	struct runtime_mount *mounts;
	size_t n_mounts, alloc_mounts;
	char *folder;
};

static void work_release(struct work *w)
{
	strvec_release(&w->env);
	strvec_release(&w->argv);
	while (w->n_mounts--) {
		free(w->mounts[w->n_mounts].source);
		free(w->mounts[w->n_mounts].target);
	}
	free(w->mounts);
	free(w->folder);
}

static bool want_tty(const struct cmd_run_options *o)
{
	return o->tty || (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO));
}

/* NAME without a value takes ours; unset here it stays unset there. */
static void collect_env(struct work *w)
{
	const struct strvec *given = &w->l->o->env;
	size_t i;

	for (i = 0; i < given->nr; i++) {
		const char *value = getenv(given->v[i]);

		if (strchr(given->v[i], '='))
			strvec_push(&w->env, given->v[i]);
		else if (value)
			strvec_pushf(&w->env, "%s=%s", given->v[i], value);
	}
}

static int add_volume(struct work *w, const char *text, struct error *err)
{
	const char *colon = strchr(text, ':');
	struct runtime_mount m = { .kind = RUNTIME_BIND };
	cleanup_free char *source = NULL, *target = NULL;
	size_t n;

	if (!colon || colon[1] != '/') {
		error_set(err, ERR_USAGE, "--volume: '%s' is not DIR:TARGET",
			  text);
		return error_hint(err, "TARGET is absolute; named volumes are "
				       "not supported");
	}
	n = strcspn(colon + 1, ":");
	if (colon[1 + n] && !str_eq(colon + 1 + n, ":ro") &&
	    !str_eq(colon + 1 + n, ":rw"))
		return error_set(err, ERR_USAGE, "--volume: '%s' is not known",
				 colon + 2 + n);
	source = xstrndup(text, (size_t)(colon - text));
	m.source = path_absolute(source);
	m.target = xstrndup(colon + 1, n);
	m.read_only = str_eq(colon + 1 + n, ":ro");
	GROW(w->mounts, w->n_mounts, w->alloc_mounts);
	w->mounts[w->n_mounts++] = m;
	if (!fs_exists(m.source))
		return error_set(err, ERR_USAGE, "--volume: no '%s' here",
				 m.source);
	return 0;
}

/* The workspace: the default mount, or a bind the configuration asks for. */
static int add_workspace(struct work *w, struct error *err)
{
	const char *dir = w->l->workspace;
	const char *root = w->l->mount_root ? w->l->mount_root : dir;
	struct devcontainer_scope scope = { .folder = dir,
					    .mount_root = root };
	cleanup_strvec struct strvec parts = STRVEC_INIT;
	cleanup_free char *mount = NULL;
	struct runtime_mount m = { .kind = RUNTIME_BIND };
	size_t i;

	if (!dir)
		return 0;
	devcontainer_workspace(w->config, &scope, &w->folder, &mount);
	strvec_split(&parts, mount ? mount : "", ",");
	for (i = 0; i < parts.nr; i++) {
		const char *p = parts.v[i], *value = strchr(p, '=');

		if (str_starts(p, "source=") || str_starts(p, "src="))
			m.source = path_absolute(value + 1);
		else if (str_starts(p, "target=") || str_starts(p, "dst=") ||
			 str_starts(p, "destination="))
			m.target = xstrdup(value + 1);
		else if (str_eq(p, "readonly") || str_eq(p, "ro"))
			m.read_only = true;
		else if (str_starts(p, "type=") && !str_eq(p, "type=bind"))
			return error_set(err, ERR_INPUT,
					 "workspaceMount: '%s' is not "
					 "supported, only type=bind", p);
	}
	if (!m.source || !m.target) {
		free(m.source);
		free(m.target);
		return 0;
	}
	GROW(w->mounts, w->n_mounts, w->alloc_mounts);
	w->mounts[w->n_mounts++] = m;
	return 0;
}

/* The command line's command, else the image's, else a shell (empty). */
static void collect_command(struct work *w)
{
	const struct oci_config *c = &w->l->image->config;
	const struct cmd_run_options *o = w->l->o;
	size_t i;

	if (o->entrypoint && *o->entrypoint)
		strvec_push(&w->argv, o->entrypoint);
	else if (!o->entrypoint && !w->l->shell)
		for (i = 0; i < c->entrypoint.nr; i++)
			strvec_push(&w->argv, c->entrypoint.v[i]);
	if (w->l->command)
		strvec_push_all(&w->argv,
				(const char *const *)w->l->command);
	else if (!o->entrypoint && !w->l->shell)
		for (i = 0; i < c->cmd.nr; i++)
			strvec_push(&w->argv, c->cmd.v[i]);
}

static int run_environment(struct work *w, int *status,
			   struct json **environment, struct error *err)
{
	const struct cmd_launch *l = w->l;
	struct env_options eo = {
		.store = l->b->store,
		.image = l->image,
		.name = l->name,
		.config = w->config,
		.folder = w->folder,
		.workspace = l->workspace,
		.env = &w->env,
		.user = l->o->user,
		.hostname = l->o->hostname,
		.network = l->o->network ? RUNTIME_NET_NONE
					 : RUNTIME_NET_HOST,
		.mounts = w->mounts,
		.n_mounts = w->n_mounts,
		.single_id = l->b->mode == RUNTIME_SINGLE,
		.replace = l->o->replace,
		.no_hooks = l->o->no_hooks,
		.detach = l->o->detach,
	};
	struct env_command c = { .argv = w->argv.nr ? w->argv.v : NULL,
				 .cwd = l->o->workdir,
				 .tty = want_tty(l->o) };
	cleanup_env struct env *e = NULL;

	if (env_up(&e, &eo, err) < 0)
		return -1;
	if (environment)
		*environment = env_describe(e);
	if (!l->o->detach)
		return env_exec(e, &c, status, err);
	*status = 0;
	return w->argv.nr ? env_background(e, &c, err) : 0;
}

/* docker run --rm: the command is PID 1 and nothing stays. */
static int run_single(struct work *w, int *status, struct error *err)
{
	const struct cmd_launch *l = w->l;
	struct env_options eo = {
		.store = l->b->store,
		.image = l->image,
		.env = &w->env,
		.user = l->o->user,
		.hostname = l->o->hostname,
		.network = l->o->network ? RUNTIME_NET_NONE
					 : RUNTIME_NET_HOST,
		.mounts = w->mounts,
		.n_mounts = w->n_mounts,
	};
	struct env_command c = { .argv = w->argv.nr ? w->argv.v : NULL,
				 .cwd = l->o->workdir,
				 .tty = want_tty(l->o) };

	return env_run(&eo, &c, status, err);
}

int cmd_launch_run(const struct cmd_launch *l, int *status,
		   struct json **environment, struct error *err)
{
	CLEANUP(work_release) struct work w = { .l = l };
	const struct json *plan =
		l->record ? record_get(l->record, "plan") : NULL;
	const struct json *config = json_get(plan, "config");
	cleanup_json struct json *none = json_new_object();
	size_t i;

	if (json_len(config))
		w.config = config;
	else if (l->environment)
		w.config = none;
	collect_env(&w);
	collect_command(&w);
	for (i = 0; i < l->o->volumes.nr; i++)
		if (add_volume(&w, l->o->volumes.v[i], err) < 0)
			return -1;
	if (l->workspace && add_workspace(&w, err) < 0)
		return -1;
	if (w.config || l->name || l->o->detach)
		return run_environment(&w, status, environment, err);
	return run_single(&w, status, err);
}
