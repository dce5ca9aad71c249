/* help.c - devenv help: the list of commands, or the page of one */
/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/proc.h"
#include "cli/cli.h"
#include "cmd/cmd.h"

static int list(struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	size_t i, width = 0;

	for (i = 0; cmd_all[i]; i++)
		if (!cmd_all[i]->hidden && strlen(cmd_all[i]->name) > width)
			width = strlen(cmd_all[i]->name);
	strbuf_addstr(&out,
		      "usage: devenv [-C DIR] [--store DIR] COMMAND ...\n\n"
		      "From a Git repository to a running development "
		      "environment, without a daemon.\n\n");
	for (i = 0; cmd_all[i]; i++)
		if (!cmd_all[i]->hidden)
			strbuf_addf(&out, "  %-*s  %s\n", (int)width,
				    cmd_all[i]->name, cmd_all[i]->summary);
	opt_help(cmd_global_rows, &out);
	strbuf_addstr(&out, "\n'devenv help COMMAND' opens the manual page, "
			    "'devenv COMMAND --help' is short.\n");
	return cli_write(NULL, &out, err);
}

static int run(struct cmd_call *call, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_free char *man = proc_which("man"), *page = NULL;
	const struct cmd *cmd;

	if (cmd_words(call, 0, 1, err) < 0)
		return -1;
	if (!call->args.nr)
		return list(err);
	cmd = cmd_find(call->args.v[0]);
	if (!cmd)
		return error_set(err, ERR_USAGE,
				 "'%s' is not a devenv command",
				 call->args.v[0]);
	page = xstrfmt("devenv-%s", cmd->name);
	if (man && isatty(STDOUT_FILENO))
		execl(man, "man", page, (char *)NULL);
	cmd_usage(cmd, &out);
	return cli_write(NULL, &out, err);
}

const struct cmd cmd_help = {
	.name = "help",
	.summary = "List the commands, or open the manual page of one.",
	.usage = "help [COMMAND]",
	.run = run,
};
