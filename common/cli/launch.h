/* launch.h - all that a launch points into, made ready */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_LAUNCH_H
#define CLI_LAUNCH_H

#include "cli/mounts.h"
#include "cli/settings.h"

struct cli_ready {
	const struct cli_launch *l;
	struct json *config; /* NULL: none, as in docker run */
	struct json *labels; /* likewise */
	struct strvec env, argv;
	struct cli_mounts mounts;
	struct cli_settings settings;
	char *folder, *config_file; /* as they are seen in there */
};
#define CLI_READY_INIT { .settings = CLI_SETTINGS_INIT }
void cli_ready_release(struct cli_ready *r);
/* Rights, variables, mounts and command; r->l and r->config are set. */
int cli_ready_get(struct cli_ready *r, struct error *err) MUST_CHECK;
/* The same as options, which point into it. */
void cli_ready_options(const struct cli_ready *r, struct env_options *eo);

#endif
