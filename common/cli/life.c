/* life.c - how an environment comes to life: options and their files */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"
#include "base/log.h"
#include "cli/life.h"
#include "wrap/json.h"

#define SECRETS_MAX ((size_t)4 << 20)
#define PROBE_MAX 3600 /* seconds */

#define O(member) offsetof(struct cli_life_options, member)
const struct opt cli_life_rows[] = {
	{ OPT_GROUP, .help = "How it comes to life" },
	{ OPT_BOOL, 0, "skip-non-blocking-commands", NULL, NULL,
	  "run no lifecycle commands after the one that waitFor names",
	  O(no_waiting) },
	{ OPT_BOOL, 0, "skip-post-attach", NULL, NULL,
	  "do not run postAttachCommand", O(no_attach) },
	{ OPT_BOOL, 0, "prebuild", NULL, NULL,
	  "stop after updateContentCommand, which runs again", O(prebuild) },
	{ OPT_STR, 0, "secrets-file", "FILE", NULL,
	  "JSON object of variables for lifecycle commands alone",
	  O(secrets) },
	{ OPT_STR, 0, "dotfiles-repository", "URL", NULL,
	  "clone it into a new environment's home, and install it",
	  O(dotfiles) },
	{ OPT_STR, 0, "dotfiles-install-command", "COMMAND", NULL,
	  "instead of its install script", O(dotfiles_command) },
	{ OPT_STR, 0, "dotfiles-target-path", "DIR", NULL,
	  "where to (default: ~/dotfiles)", O(dotfiles_target) },
	{ OPT_END },
};

const struct opt cli_start_rows[] = {
	{ OPT_GROUP, .help = "How it is started" },
	{ OPT_BOOL, 0, "allow-initialize", NULL, NULL,
	  "run the repository's initializeCommand on this host",
	  O(initialize) },
	{ OPT_INT, 0, "probe-timeout", "SECONDS", NULL,
	  "time for the user's shell to tell its variables (default: 10)",
	  O(probe_seconds) },
	{ OPT_END },
};

void cli_life_release(struct cli_life *l)
{
	size_t i;

	for (i = 0; i < l->secrets.nr; i++)
		explicit_bzero(l->secrets.v[i], strlen(l->secrets.v[i]));
	strvec_release(&l->secrets);
}

static int add_secret(struct cli_life *l, const char *file,
		      const struct json *member, struct error *err)
{
	const char *name = json_key(member), *value = json_str(member);

	if (!*name || strchr(name, '='))
		return error_set(err, ERR_INPUT,
				 "%s: '%s' is not the name of a variable",
				 file, name);
	if (!value)
		return error_set(err, ERR_INPUT, "%s: the value of '%s' is "
				 "not a string", file, name);
	log_add_secret_text(value, strlen(value));
	strvec_env_set(&l->secrets, name, value);
	return 0;
}

static int read_secrets(struct cli_life *l, const char *file,
			struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;
	const struct json *m;
	int rc = fs_read_file(file, SECRETS_MAX, &text, err);

	if (!rc) {
		j = jsonc_parse(file, text.buf, text.len, err);
		explicit_bzero(text.buf, text.len);
	}
	if (!j)
		return -1;
	if (json_kind(j) != JSON_OBJECT)
		return error_set(err, ERR_INPUT, "%s:1:1: it holds no object",
				 file);
	for (m = json_first(j); m; m = json_next(m))
		if (add_secret(l, file, m, err) < 0)
			return -1;
	return 0;
}

int cli_life_get(struct cli_life *l, const struct cli_life_options *o,
		 struct error *err)
{
	if (o->probe_seconds > PROBE_MAX)
		return error_set(err, ERR_USAGE, "--probe-timeout: at most %d",
				 PROBE_MAX);
	l->life = (struct env_life){
		.probe_ms = o->probe_seconds ? o->probe_seconds * INT64_C(1000)
					     : ENV_PROBE_MS,
		.secrets = &l->secrets,
		.dotfiles = o->dotfiles,
		.dotfiles_command = o->dotfiles_command,
		.dotfiles_target = o->dotfiles_target,
		.prebuild = o->prebuild,
		.no_attach = o->no_attach,
		.no_waiting = o->no_waiting,
	};
	return o->secrets ? read_secrets(l, o->secrets, err) : 0;
}
