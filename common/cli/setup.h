/* setup.h - what is done in an environment before its command is run */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SETUP_H
#define CLI_SETUP_H

#include "cli/init.h"

struct cli_setup_options {
	char *script;
	char *export_file, *post_start; /* for struct env_life */
};
extern const struct opt cli_setup_rows[];
/* Paths that cannot be meant are ERR_USAGE. */
int cli_setup_check(const struct cli_setup_options *o,
		    struct error *err) MUST_CHECK;

/* One script, and what it asks for. */
struct cli_setup {
	const char *script;
	const struct cli_init_options *init; /* NULL: a command was given */
	char *user;
	struct strvec argv, env;
};
void cli_setup_release(struct cli_setup *s);
/*
 * Run it in an environment that is up, and change `c`, which then points into
 * `s`, as it says: INIT_COMMAND and INIT_ARGS, but for a command that was
 * given, TARGET_USER, and variables of any other name. Their names may begin
 * with ENVBUILDER_ as well; another one of those is ERR_INPUT.
 */
int cli_setup_run(struct cli_setup *s, struct env *e, struct env_command *c,
		  struct error *err) MUST_CHECK;

#endif
