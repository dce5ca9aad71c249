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
	struct strvec cap_add, sysctls;
	struct runtime_limit *limits;
	struct runtime_bounds bounds;
	struct runtime_budget budget;
	int64_t grace_ms; /* as env_options has it */
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

/* --- bounds.c --- */

/* Limits and the like, from s->run, as far as this process may set them. */
void cli_bounds_get(struct cli_settings *s, const struct cli_launch *l);

/* --- devices.c --- */

/* The devices and GPUs of `run`. Those that not every user may have anyway
 * are left out, with a warning, unless with --allow-privileged. */
struct cli_mounts;
void cli_devices_add(struct cli_mounts *m, const struct cli_launch *l,
		     const struct devcontainer_run *run);
bool cli_devices_gpu(void); /* has this host one? */

/* --- requirements.c --- */

/* Warn where this host has less than `hostRequirements` asks for, and name
 * those of `secrets` that nobody gave. True: GPUs are to be seen. */
bool cli_requirements_tell(const struct cli_launch *l,
			   const struct json *config);

#endif
