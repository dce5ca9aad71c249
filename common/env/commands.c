/* commands.c - how commands see an environment: user, place, variables */
/* SPDX-License-Identifier: Apache-2.0 */
#include "env/internal.h"

static const char *lookup(void *vars, const char *name)
{
	return strvec_env_get(vars, name);
}

/* A property of the configuration on top; null takes a variable away. */
static void put_property(struct strvec *env, const struct json *config,
			 const char *property)
{
	cleanup_strvec struct strvec unset = STRVEC_INIT;
	size_t i;

	devcontainer_env(config, property, env, &unset);
	for (i = 0; i < unset.nr; i++) {
		strvec_env_unset(env, unset.v[i]);
		strvec_push(env, unset.v[i]);
	}
}

/* A service is no environment to work in. */
static void describe_itself(struct strvec *env, const struct env_options *o)
{
	strvec_env_set(env, "DEVCONTAINER", "true");
	/* What scripts ask that know envbuilder. */
	strvec_env_set(env, "ENVBUILDER", "true");
	if (o->config_file)
		strvec_env_set(env, "DEVCONTAINER_CONFIG", o->config_file);
}

int commands_describe(struct env *e, const struct env_options *o,
		      struct error *err)
{
	const struct oci_config *c = &o->image->config;
	const char *user = o->user ? o->user : devcontainer_user(o->config);
	struct json *vars;

	e->no_new_privs = o->no_new_privs;
	if (o->groups)
		strvec_copy(&e->groups, o->groups);
	strvec_copy(&e->env, &c->env);
	if (o->config) {
		e->config = json_dup(o->config);
		vars = json_get(e->config, "containerEnv");
		if (vars && devcontainer_container_env(vars, lookup, &e->env,
						       err) < 0)
			return -1;
		if (!e->spec)
			describe_itself(&e->env, o);
		put_property(&e->env, e->config, "containerEnv");
	}
	e->user = xstrdup(user ? user : c->user ? c->user : "");
	e->cwd = xstrdup(o->folder && o->config	     ? o->folder
			 : c->workdir && *c->workdir ? c->workdir
						     : "/");
	return 0;
}

int commands_finish(struct env *e, const struct env_options *o,
		    struct error *err)
{
	cleanup_env_process struct env_process ep = { 0 };
	const struct env_command any = { 0 };

	if (e->config) {
		/* PATH, HOME and USER are known, too, whoever set them. */
		if (env_prepare(e, &any, &ep, err) < 0 ||
		    devcontainer_container_env(e->config, lookup, &ep.env,
					       err) < 0 ||
		    probe_user(e, e->life->probe_ms, err) < 0)
			return -1;
		env_put(&e->remote, &e->probed);
		put_property(&e->remote, e->config, "remoteEnv");
	}
	if (o->env)
		env_put(&e->remote, o->env);
	return 0;
}

void commands_variables(const struct env *e, struct strvec *out)
{
	cleanup_strvec struct strvec remote = STRVEC_INIT;

	strvec_copy(out, &e->env);
	put_property(&remote, e->config, "remoteEnv");
	env_put(out, &remote);
}

void commands_remember(struct env *e)
{
	json_set_strvec(e->state, "env", &e->env);
	json_set_strvec(e->state, "remote_env", &e->remote);
	json_set_str(e->state, "user", e->user);
	json_set_str(e->state, "cwd", e->cwd);
	json_set_bool(e->state, "no_new_privs", e->no_new_privs);
	json_set_strvec(e->state, "groups", &e->groups);
	json_set(e->state, "config",
		 e->config ? json_dup(e->config) : json_new_null());
}

int commands_recall(struct env *e, struct error *err)
{
	json_get_strings(json_get(e->state, "env"), &e->env);
	json_get_strings(json_get(e->state, "remote_env"), &e->remote);
	json_get_strings(json_get(e->state, "groups"), &e->groups);
	e->user = xstrdup_null(json_get_str(e->state, "user"));
	e->cwd = xstrdup_null(json_get_str(e->state, "cwd"));
	e->no_new_privs = json_get_bool(e->state, "no_new_privs");
	if (!e->user || !e->cwd)
		return state_damaged(e, "has no user or directory", err);
	return 0;
}
