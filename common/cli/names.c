/* names.c - variables of envbuilder's that are no options here */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/names.h"

#include <strings.h>
#include <unistd.h>

#include "base/log.h"

#define PREFIX "ENVBUILDER_"

extern char **environ;

/* Without advice: it is so in any case, or has nothing to be about. */
static const struct {
	const char *name, *advice;
} others[] = {
	{ PREFIX "BINARY_PATH", NULL },
	{ PREFIX "CACHED_IMAGE", NULL },
	{ PREFIX "FORCE_SAFE", NULL },
	{ PREFIX "GIT_CLONE_THINPACK", NULL },
	{ PREFIX "IGNORE_PATHS", "nothing of this machine is touched, and what "
				 "the environment is to have of it is named "
				 "with --volume" },
	{ PREFIX "SKIP_REBUILD", "a step runs again only where something it "
				 "depends on changed" },
};

static bool is_row(const struct opt *const *tables, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		for (const struct opt *o = tables[i]; o->type != OPT_END; o++)
			if (o->compat && str_eq(o->compat, name))
				return true;
	return false;
}

static void warn_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		if (!str_eq(others[i].name, name))
			continue;
		if (others[i].advice)
			log_warn("%s is set and not acted on: %s", name,
				 others[i].advice);
		return;
	}
	log_warn("%s is set and not acted on", name);
}

/* Is a variable handed on, with its value or another one? */
static bool is_given(const struct strvec *env, const char *name)
{
	return strvec_has(env, name) || strvec_env_get(env, name);
}

static void warn_of_coder(const struct strvec *env)
{
	static const char *const names[] = { "CODER_AGENT_URL",
					     "CODER_AGENT_TOKEN",
					     "CODER_AGENT_SUBSYSTEM" };
	bool set[ARRAY_SIZE(names)];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		set[i] = value && *value;
		if (set[i] && !is_given(env, names[i]))
			log_warn("%s is not set in the environment: --env %s "
				 "hands it on",
				 names[i], names[i]);
	}
	if (set[0] && set[1])
		log_warn("CODER_AGENT_URL: logs are not sent to Coder");
}

void cli_names_warn(const struct opt *const *tables, size_t n,
		    const struct strvec *env)
{
	for (char **e = environ; *e; e++) {
		const char *equals = strchr(*e, '=');
		cleanup_free char *name = NULL;

		if (!equals || !str_starts(*e, PREFIX) || !equals[1] ||
		    str_eq(equals, "=0") || !strcasecmp(equals, "=false"))
			continue;
		name = xstrndup(*e, (size_t)(equals - *e));
		if (!is_row(tables, n, name))
			warn_of(name);
	}
	warn_of_coder(env);
}

void cli_names_warn_old(const struct opt *const *tables, size_t n)
{
	const char *url = getenv("GIT_URL");

	if (!url || !*url)
		return;
	for (size_t i = 0; i < n; i++) {
		for (const struct opt *o = tables[i]; o->type != OPT_END; o++) {
			const char *old =
				o->compat && str_starts(o->compat, PREFIX)
					? o->compat + strlen(PREFIX)
					: NULL;

			if (old && getenv(old) && !getenv(o->compat))
				log_warn("%s is set and not read: it is %s "
					 "here",
					 old, o->compat);
		}
	}
}
