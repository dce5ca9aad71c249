/* life.h - how an environment comes to life */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_LIFE_H
#define CLI_LIFE_H

#include "cli/cli.h"

struct cli_life_options {
	char *secrets; /* a file */
	char *dotfiles, *dotfiles_command, *dotfiles_target;
	int probe_seconds; /* 0: the default */
	bool initialize, prebuild, no_attach, no_waiting;
};
/* Which lifecycle commands run and how; and what is for who starts it. */
extern const struct opt cli_life_rows[], cli_start_rows[];
/* The same, read; points into the options. */
struct cli_life {
	struct env_life life;
	struct strvec secrets;
};
#define cleanup_cli_life CLEANUP(cli_life_release)
void cli_life_release(struct cli_life *l);
int cli_life_get(struct cli_life *l, const struct cli_life_options *o,
		 struct error *err) MUST_CHECK;

/* --- initialize.c --- */

/* Run initializeCommand on this host, in `dir`; where that is not allowed,
 * say that it was not. A command that fails is ERR_STEP. */
int cli_initialize(const struct json *config, const char *dir, bool allowed,
		   struct error *err) MUST_CHECK;

#endif
