/* init.h - what an environment runs, as envbuilder's variables say it */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_INIT_H
#define CLI_INIT_H

#include "cli/cli.h"

struct cli_init_options {
	char *command, *script, *args;
};
extern const struct opt cli_init_rows[];
/*
 * The command of these options, appended to `argv`; nothing where none is
 * set. Quotes of --init-args that do not end are ERR_USAGE.
 */
int cli_init_command(const struct cli_init_options *o, struct strvec *argv,
		     struct error *err) MUST_CHECK;

#endif
