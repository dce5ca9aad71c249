/* settings.h - what a configuration asks for, as far as it is granted */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SETTINGS_H
#define CLI_SETTINGS_H

#include "cli/cli.h"
#include "devcontainer/run.h"

struct cli_settings {
	struct devcontainer_run run;
	/* What of it is granted; the names are borrowed from `run`. */
	bool privileged, no_seccomp;
	struct strvec cap_add;
};
#define CLI_SETTINGS_INIT { .run = DEVCONTAINER_RUN_INIT }
void cli_settings_release(struct cli_settings *s);
/*
 * Read a merged configuration. Variables and user of `runArgs` go into it;
 * rights that nobody allowed, and what is not acted on and was not told with
 * the plan, are warned about.
 */
int cli_settings_get(struct cli_settings *s, const struct cli_launch *l,
		     struct json *config, struct error *err) MUST_CHECK;

/* --- requirements.c --- */

/* Warn where this host has less than `hostRequirements` asks for, and name
 * those of `secrets` that nobody gave. */
void cli_requirements_tell(const struct cli_launch *l,
			   const struct json *config);

#endif
