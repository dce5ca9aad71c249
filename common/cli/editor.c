/* editor.c - what editors ask of `up`, in the words they have for it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compat.h"

#define O(member) offsetof(struct cli_editor, member)
#define UIDS "on|off|never"
#define PROBES "loginInteractiveShell|none|interactiveShell|loginShell"
const struct opt cli_editor_rows[] = {
	{ OPT_GROUP, .help = "Under the names of the Dev Container CLI" },
	{ OPT_BOOL, 0, "remove-existing-container", NULL, NULL,
	  "the same as --replace", O(replace) },
	{ OPT_BOOL, 0, "expect-existing-container", NULL, NULL,
	  "fail if there is no environment yet", O(expect) },
	{ OPT_BOOL, 0, "build-no-cache", NULL, NULL,
	  "--no-cache, where there is no environment yet", O(no_cache) },
	{ OPT_BOOL, 0, "skip-post-create", NULL, NULL,
	  "the same as --skip-hooks", O(no_hooks) },
	{ OPT_LIST, 0, "remote-env", "NAME=VALUE", OPT_NO_ENV,
	  "the same as --env", O(remote_env) },
	{ OPT_ENUM, 0, "default-user-env-probe", PROBES, NULL,
	  "where the configuration has no userEnvProbe",
	  O(defaults.probe) },
	{ OPT_ENUM, 0, "update-remote-user-uid-default", UIDS, NULL,
	  "where it has no updateRemoteUserUID, or (never) whatever it has",
	  O(defaults.uid) },
	{ OPT_BOOL, 0, "include-configuration", NULL, NULL,
	  "with --json: the configuration, too", O(configuration) },
	{ OPT_BOOL, 0, "include-merged-configuration", NULL, NULL,
	  "with --json: what is in effect, too", O(merged) },
	{ OPT_END },
};

int cli_editor_apply(const struct cli_editor *e, bool exists,
		     struct cli_run_options *run,
		     struct cli_build_options *build, struct error *err)
{
	if (e->expect && !exists) {
		error_set(err, ERR_REFUSED, "the environment that is expected "
			  "does not exist");
		return error_hint(err, "without --expect-existing-container "
				       "it is made");
	}
	run->replace |= e->replace;
	run->no_hooks |= e->no_hooks;
	build->no_cache |= e->no_cache && (!exists || run->replace);
	for (size_t i = 0; i < e->remote_env.nr; i++)
		strvec_push(&run->env, e->remote_env.v[i]);
	return 0;
}

void cli_defaults_put(const struct cli_defaults *d, struct json *config)
{
	cleanup_strvec struct strvec probes = STRVEC_INIT;

	strvec_split(&probes, PROBES, "|");
	if (!json_get(config, "userEnvProbe"))
		json_set_str(config, "userEnvProbe", probes.v[d->probe]);
	if (d->uid == CLI_UID_NEVER ||
	    (d->uid == CLI_UID_OFF && !json_get(config, "updateRemoteUserUID")))
		json_set_bool(config, "updateRemoteUserUID", false);
}
