/* version.c - devenv version */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cmd/cmd.h"

static int run(struct cmd_call *call, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (cmd_words(call, 0, 0, err) < 0)
		return -1;
	strbuf_addstr(&out, "devenv " DEVENV_VERSION "\n");
	return cli_write(NULL, &out, err);
}

const struct cmd cmd_version = {
	.name = "version",
	.summary = "Print the version.",
	.usage = "version",
	.run = run,
};
