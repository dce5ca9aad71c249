/* launch.c - an image at work, as run, up and iterate start it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/launch.h"

#include <unistd.h>

#include "base/path.h"
#include "cli/merged.h"
#include "cli/services.h"
#include "cli/setup.h"

#define O(member) offsetof(struct cli_run_options, member)
const struct opt cli_run_rows[] = {
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
	{ OPT_LIST, 'v', "volume", "SOURCE:TARGET[:ro]", OPT_NO_ENV,
	  "mount a directory or file of this host, or a volume", O(volumes) },
	{ OPT_LIST, 0, "mount", "type=KIND,source=SOURCE,target=DIR",
	  OPT_NO_ENV, "the same, as docker's --mount", O(mounts) },
	{ OPT_ENUM, 0, "net", "host|none", NULL,
	  "network of the sandbox (default: the host's)", O(network) },
	{ OPT_STR, 0, "hostname", "NAME", NULL, "host name in there",
	  O(hostname) },
	{ OPT_STR, 0, "entrypoint", "COMMAND", OPT_NO_ENV,
	  "instead of the image's; empty: none", O(entrypoint) },
	{ OPT_BOOL, 0, "mount-git-worktree-common-dir", NULL, NULL,
	  "of a linked work tree: mount its repository's .git, too",
	  O(worktree) },
	{ OPT_BOOL, 0, "allow-privileged", NULL, NULL,
	  "as root, too, grant the rights a configuration asks for",
	  O(privileged) },
	{ OPT_BOOL, 't', "tty", NULL, OPT_NO_ENV,
	  "terminal for the command (default: when we have one)", O(tty) },
	{ OPT_BOOL, 0, "skip-hooks", NULL, NULL,
	  "run no lifecycle commands", O(no_hooks) },
	{ OPT_END },
};

void cli_ready_release(struct cli_ready *w)
{
	json_free(w->config);
	json_free(w->labels);
	strvec_release(&w->env);
	strvec_release(&w->argv);
	cli_mounts_release(&w->mounts);
	cli_settings_release(&w->settings);
	free(w->folder);
	free(w->config_file);
}

static bool want_tty(const struct cli_launch *l)
{
	if (l->no_tty || l->o->tty)
		return !l->no_tty;
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

/* NAME without a value takes ours; unset here it stays unset there. */
static void collect_env(struct cli_ready *w)
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

static int collect_mounts(struct cli_ready *w, struct error *err)
{
	const struct cli_launch *l = w->l;
	const char *root = l->mount_root ? l->mount_root : l->workspace;
	size_t i;

	if (l->workspace &&
	    cli_mounts_workspace(&w->mounts, l, w->config, &w->folder, err) <
		    0)
		return -1;
	if (w->mounts.nr && w->mounts.v[0].as_user &&
	    cli_mounts_worktree(&w->mounts, root, w->mounts.v[0].target,
				l->o->worktree, err) < 0)
		return -1;
	if (cli_mounts_config(&w->mounts, l, &w->settings.run, w->folder,
			      err) < 0)
		return -1;
	cli_devices_add(&w->mounts, l, &w->settings.run);
	for (i = 0; i < l->o->volumes.nr; i++)
		if (cli_mounts_volume(&w->mounts, l, l->o->volumes.v[i],
				      err) < 0)
			return -1;
	for (i = 0; i < l->o->mounts.nr; i++)
		if (cli_mounts_option(&w->mounts, l, l->o->mounts.v[i],
				      err) < 0)
			return -1;
	return 0;
}

/* Where the workspace has it, if it does. */
static void place_config(struct cli_ready *w)
{
	const struct cli_launch *l = w->l;
	const struct json *plan = l->record ? record_get(l->record, "plan")
					    : NULL;
	const char *file = json_get_str(plan, "config_file");
	const char *below = file && l->workspace
				    ? path_below(file, l->workspace) : NULL;

	if (below && w->folder)
		w->config_file = path_join(w->folder, below);
}

/* The command line's command, else the image's, else a shell (empty). */
static void collect_command(struct cli_ready *w)
{
	const struct oci_config *c = &w->l->image->config;
	const char *entrypoint = w->l->o->entrypoint;
	bool of_image = !entrypoint && !w->l->environment;
	size_t i;

	if (entrypoint && *entrypoint)
		strvec_push(&w->argv, entrypoint);
	for (i = 0; of_image && i < c->entrypoint.nr; i++)
		strvec_push(&w->argv, c->entrypoint.v[i]);
	if (w->l->command)
		strvec_push_all(&w->argv,
				(const char *const *)w->l->command);
	for (i = 0; of_image && !w->l->command && i < c->cmd.nr; i++)
		strvec_push(&w->argv, c->cmd.v[i]);
}

static int run_environment(const struct cli_launch *l,
			   const struct env_options *eo,
			   struct env_command *c, int *status,
			   struct json **environment, struct error *err)
{
	cleanup_env struct env *e = NULL;
	cleanup_json struct json *described = NULL;

	if (env_up(&e, eo, err) < 0 ||
	    (l->setup && cli_setup_run(l->setup, e, c, err) < 0))
		return -1;
	described = env_describe(e);
	if (!l->o->detach) {
		if (env_exec(e, c, status, err) < 0)
			return -1;
	} else {
		if ((c->argv && env_background(e, c, err) < 0) ||
		    env_detach(e, err) < 0)
			return -1;
		*status = 0;
	}
	if (environment)
		*environment = steal_ptr(&described);
	return 0;
}

void cli_ready_options(const struct cli_ready *r, struct env_options *eo)
{
	const struct cli_launch *l = r->l;
	const struct cli_run_options *o = l->o;

	*eo = (struct env_options){
		.store = l->b->store,
		.image = l->image,
		.name = l->name,
		.config = r->config,
		.folder = r->folder,
		.config_file = r->config_file,
		.workspace = l->workspace,
		.labels = r->labels,
		.env = &r->env,
		.user = o->user,
		.hostname = o->hostname ? o->hostname
					: r->settings.run.hostname,
		.network = o->network || r->settings.run.no_network
				   ? RUNTIME_NET_NONE
				   : RUNTIME_NET_HOST,
		.privileged = r->settings.privileged,
		.no_seccomp = r->settings.no_seccomp,
		.no_new_privs = r->settings.run.no_new_privs,
		.cap_add = &r->settings.cap_add,
		.hosts = &r->settings.run.hosts,
		.bounds = &r->settings.bounds,
		.budget = &r->settings.budget,
		.groups = &r->settings.run.group_add,
		.grace_ms = r->settings.grace_ms,
		.mounts = r->mounts.v,
		.n_mounts = r->mounts.nr,
		.replace = o->replace,
		.no_hooks = o->no_hooks,
		.life = l->life,
		.mode = l->b->mode,
	};
}

static int run(struct cli_ready *w, int *status, struct json **environment,
	       struct error *err)
{
	const struct cli_launch *l = w->l;
	const struct cli_run_options *o = l->o;
	cleanup_cli_pod struct cli_pod pod = CLI_POD_INIT;
	struct env_options eo;
	struct env_command c = { .argv = w->argv.nr ? w->argv.v : NULL,
				 .cwd = o->workdir,
				 .tty = want_tty(l) };

	cli_ready_options(w, &eo);
	if (eo.mode == RUNTIME_CHROOT) {
		if (l->environment || l->name || o->detach || o->tty)
			return error_set(err, ERR_HOST,
					 "by chroot a command runs in the "
					 "foreground, without a terminal of "
					 "its own, and leaves nothing: an "
					 "environment needs mounts");
		c.tty = false;
		return env_run(&eo, &c, status, err);
	}
	/* docker run --rm: the command is PID 1 and nothing stays. On a
	 * terminal it is not, as Ctrl-C does not end a PID 1. */
	if (!l->environment && !l->name && !o->detach && !c.tty)
		return env_run(&eo, &c, status, err);
	if (cli_pod_get(&pod, w, &eo, err) < 0)
		return -1;
	return run_environment(l, &eo, &c, status, environment, err);
}

int cli_ready_get(struct cli_ready *r, struct error *err)
{
	if (r->config &&
	    cli_settings_get(&r->settings, r->l, r->config, err) < 0)
		return -1;
	collect_env(r);
	collect_command(r);
	return collect_mounts(r, err);
}

int cli_launch_run(const struct cli_launch *l, int *status,
		   struct json **environment, struct error *err)
{
	CLEANUP(cli_ready_release) struct cli_ready r = CLI_READY_INIT;

	r.l = l;
	if (l->environment) {
		r.config = cli_merge_launch(l, err);
		if (!r.config)
			return -1;
		if (l->defaults)
			cli_defaults_put(l->defaults, r.config);
		r.labels = cli_launch_labels(l);
	}
	if (cli_ready_get(&r, err) < 0)
		return -1;
	place_config(&r);
	return run(&r, status, environment, err);
}

static bool is_hostname(const char *name)
{
	size_t n = strlen(name);

	return n && n < 64 && *name != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVW"
			    "XYZ0123456789.-_") == n;
}

int cli_launch_check(const struct cli_run_options *o, struct error *err)
{
	if (o->name && !env_name_valid(o->name))
		return error_set(err, ERR_USAGE,
				 "'%s' is not a name for an environment",
				 o->name);
	if (o->hostname && !is_hostname(o->hostname))
		return error_set(err, ERR_USAGE,
				 "--hostname: '%s' is not a host name",
				 o->hostname);
	if (o->detach && o->tty)
		return error_set(err, ERR_USAGE, "--tty and --detach exclude "
						 "each other");
	if (o->workdir && *o->workdir != '/')
		return error_set(err, ERR_USAGE,
				 "--workdir: '%s' is not absolute",
				 o->workdir);
	return 0;
}

int cli_launch_failed(struct error *err)
{
	if (err->code < ERR_RUN && err->code != ERR_USAGE)
		err->code = ERR_RUN;
	return -1;
}
