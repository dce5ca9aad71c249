/* settings.c - rights and variables that a configuration asks for */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings.h"

#include <strings.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"

#define ENV_FILE_MAX (1 << 20)

void cli_settings_release(struct cli_settings *s)
{
	devcontainer_run_release(&s->run);
	strvec_release(&s->cap_add);
	strvec_release(&s->sysctls);
	free(s->limits);
}

/*
 * A user's sandbox can do no more than the user, whatever rights it has inside
 * of its namespace. Root's could take over the host.
 */
static bool may(const struct cli_launch *l, const char *what)
{
	if (l->b->mode != RUNTIME_ROOT || l->o->privileged)
		return true;
	log_warn("%s is left out: as root it needs --allow-privileged",
		 what);
	return false;
}

/* Those that every environment has, and tracing, which stays among its
 * processes. */
static bool is_harmless(const char *cap)
{
	static const char *const names[] = {
		"AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID",
		"KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW", "SETFCAP",
		"SETGID", "SETPCAP", "SETUID", "SYS_CHROOT", "SYS_PTRACE",
	};
	const char *bare = strncasecmp(cap, "CAP_", 4) ? cap : cap + 4;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcasecmp(bare, names[i]))
			return true;
	return false;
}

static void grant(struct cli_settings *s, const struct cli_launch *l)
{
	const struct strvec *asked = &s->run.cap_add;

	s->privileged = s->run.privileged && may(l, "'privileged'");
	s->no_seccomp = s->run.no_seccomp && !s->privileged &&
			may(l, "'seccomp=unconfined'");
	for (size_t i = 0; i < asked->nr; i++) {
		cleanup_free char *what = xstrfmt("the capability %s",
						  asked->v[i]);

		if (s->privileged || is_harmless(asked->v[i]) || may(l, what))
			strvec_push(&s->cap_add, asked->v[i]);
	}
}

/* "NAME=VALUE", or a name that has its value here. */
static void put_variable(struct json *env, const char *text)
{
	cleanup_free char *name = xstrndup(text, strcspn(text, "="));
	const char *value = text[strlen(name)] ? text + strlen(name) + 1
					       : getenv(name);

	if (*name && value)
		json_set_str(env, name, value);
}

static int read_env_file(const struct cli_launch *l, const char *name,
			 struct json *env, struct error *err)
{
	const char *root = l->mount_root ? l->mount_root : l->workspace;
	cleanup_free char *path = path_resolve(l->workspace ? l->workspace
							    : ".", name);
	cleanup_free char *real = realpath(path, NULL);
	cleanup_free char *top = root ? realpath(root, NULL) : NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	if (!real || !top || !path_within(real, top)) {
		log_warn("--env-file in runArgs: '%s' is no file of the "
			 "repository; it is left out", name);
		return 0;
	}
	if (fs_read_regular(real, ENV_FILE_MAX, &text, err) < 0)
		return -1;
	strvec_split(&lines, text.buf, "\r\n");
	for (size_t i = 0; i < lines.nr; i++)
		if (lines.v[i][0] != '#')
			put_variable(env, lines.v[i]);
	return 0;
}

static struct json *member(struct json *config, const char *key)
{
	struct json *j = json_get(config, key);

	return j ? j : json_set(config, key, json_new_object());
}

static int put_run(const struct cli_settings *s, const struct cli_launch *l,
		   struct json *config, struct error *err)
{
	const struct devcontainer_run *r = &s->run;
	struct json *env = member(config, "containerEnv");

	for (size_t i = 0; i < r->env_files.nr; i++)
		if (read_env_file(l, r->env_files.v[i], env, err) < 0)
			return -1;
	for (size_t i = 0; i < r->env.nr; i++)
		put_variable(env, r->env.v[i]);
	if (r->user)
		json_set_str(config, "containerUser", r->user);
	if (r->workdir)
		json_set_str(member(config, "serviceCommand"), "working_dir",
			     r->workdir);
	return 0;
}

static bool was_told(const struct devcontainer_run *planned, const char *text)
{
	for (size_t i = 0; i < planned->n_notes; i++)
		if (str_eq(planned->notes[i].text, text))
			return true;
	return false;
}

/* The plan told what the file has; image and features are left. */
static void tell(const struct cli_settings *s, const struct cli_launch *l)
{
	cleanup_devcontainer_run struct devcontainer_run planned =
		DEVCONTAINER_RUN_INIT;
	const struct json *plan =
		l->record ? record_get(l->record, "plan") : NULL;

	devcontainer_run_get(&planned, json_get(plan, "config"));
	for (size_t i = 0; i < s->run.n_notes; i++)
		if (!was_told(&planned, s->run.notes[i].text))
			log_warn("'%s' of the image: %s",
				 s->run.notes[i].property,
				 s->run.notes[i].text);
}

int cli_settings_get(struct cli_settings *s, const struct cli_launch *l,
		     struct json *config, struct error *err)
{
	devcontainer_run_get(&s->run, config);
	tell(s, l);
	grant(s, l);
	if (cli_requirements_tell(l, config))
		s->run.gpus = true;
	cli_bounds_get(s, l);
	return put_run(s, l, config, err);
}
