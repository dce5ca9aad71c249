/* process.c - a command in an environment: user, directory, variables */
/* SPDX-License-Identifier: Apache-2.0 */
#include "env/internal.h"

#include <unistd.h>

#define DEFAULT_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

void env_process_release(struct env_process *ep)
{
	strvec_release(&ep->env);
	strvec_release(&ep->shell_argv);
	runtime_user_release(&ep->user);
	free(ep->cwd);
}

void env_put(struct strvec *env, const struct strvec *more)
{
	size_t i;

	for (i = 0; i < more->nr; i++) {
		const char *eq = strchr(more->v[i], '=');
		cleanup_free char *key = NULL;

		if (!eq) {
			strvec_env_unset(env, more->v[i]);
			continue;
		}
		key = xstrndup(more->v[i], (size_t)(eq - more->v[i]));
		strvec_env_set(env, key, eq + 1);
	}
}

static void put_default(struct strvec *env, const char *key,
			const char *value)
{
	if (value && !strvec_env_get(env, key))
		strvec_env_set(env, key, value);
}

void env_variables(const struct strvec *base, const struct strvec *more,
		   const struct strvec *last, bool tty,
		   struct env_process *ep)
{
	const char *term = getenv("TERM");

	env_put(&ep->env, base);
	if (more)
		env_put(&ep->env, more);
	if (last)
		env_put(&ep->env, last);
	put_default(&ep->env, "PATH", DEFAULT_PATH);
	put_default(&ep->env, "HOME",
		    ep->user.home ? ep->user.home : "/");
	put_default(&ep->env, "USER", ep->user.name);
	if (tty)
		put_default(&ep->env, "TERM", term ? term : "xterm");
}

void env_process_fill(struct env_process *ep, const struct env_command *c)
{
	ep->p = (struct runtime_process)RUNTIME_PROCESS_INIT;
	ep->p.argv = c->argv;
	if (!c->argv) {
		strvec_push(&ep->shell_argv,
			    ep->user.shell ? ep->user.shell : "/bin/sh");
		ep->p.argv = ep->shell_argv.v;
	}
	ep->p.env = &ep->env;
	ep->p.cwd = ep->cwd;
	ep->p.make_cwd = true;
	ep->p.user = &ep->user;
	ep->p.tty = c->tty;
}

/* What the shell of the environment's user says of that user is not so of
 * another one. */
static void drop_identity(struct env *e, struct strvec *remote)
{
	static const char *const names[] = { "HOME", "USER", "LOGNAME",
					     "SHELL", "MAIL" };
	cleanup_strvec struct strvec probed = STRVEC_INIT;
	size_t i;

	json_get_strings(json_get(e->state, "probed"), &probed);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const char *has = strvec_env_get(remote, names[i]);
		const char *said = strvec_env_get(&probed, names[i]);

		if (has && said && str_eq(has, said))
			strvec_env_unset(remote, names[i]);
	}
}

int env_prepare(struct env *e, const struct env_command *c,
		struct env_process *ep, struct error *err)
{
	cleanup_close int root = runtime_root_fd(&e->sandbox, err);
	cleanup_strvec struct strvec remote = STRVEC_INIT;

	if (root < 0)
		return -1;
	if (runtime_user_lookup(root, c->user ? c->user : e->user, &ep->user,
				err) < 0 ||
	    runtime_user_join(root, &e->groups, &ep->user, err) < 0)
		return -1;
	strvec_copy(&remote, &e->remote);
	if (c->user && !str_eq(c->user, e->user))
		drop_identity(e, &remote);
	env_variables(&e->env, &remote, c->env, c->tty, ep);
	ep->cwd = xstrdup(c->cwd ? c->cwd : e->cwd);
	env_process_fill(ep, c);
	ep->p.no_new_privs = e->no_new_privs;
	return 0;
}

int env_exec(struct env *e, const struct env_command *c, int *status,
	     struct error *err)
{
	cleanup_env_process struct env_process ep = { 0 };

	if (env_prepare(e, c, &ep, err) < 0)
		return -1;
	ep.p.in = STDIN_FILENO;
	ep.p.out = STDOUT_FILENO;
	ep.p.err = STDERR_FILENO;
	return runtime_exec(&e->sandbox, &ep.p, status, err);
}

int env_background(struct env *e, const struct env_command *c,
		   struct error *err)
{
	cleanup_env_process struct env_process ep = { 0 };
	cleanup_close int log = entry_log(e, err);
	struct runtime_child child;

	if (log < 0)
		return -1;
	if (env_prepare(e, c, &ep, err) < 0)
		return -1;
	ep.p.out = log;
	ep.p.err = log;
	ep.p.tty = false;
	ep.p.outlive = true;
	if (runtime_spawn_in(&e->sandbox, &ep.p, NULL, &child, err) < 0)
		return -1;
	runtime_child_leave(&child);
	return 0;
}
