/* clone.c - devenv clone: a Git repository as a directory, and its record */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cmd/cmd.h"

struct options {
	struct cli_clone_options clone;
	struct cli_git git;
};

#define O(member) offsetof(struct options, member)
static const struct cmd_table tables[] = {
	{ cli_clone_rows, O(clone) },
	{ cli_git_rows, O(git) },
	{ 0 },
};

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	cleanup_record struct record record = RECORD_INIT;
	const char *url = call->args.nr ? call->args.v[0] : o->clone.git_url;
	const char *dir = call->args.nr > 1 ? call->args.v[1] : NULL;

	if (cmd_words(call, o->clone.git_url ? 0 : 1, 2, err) < 0 ||
	    cli_clone_get(&o->clone, &o->git, url, dir, &record, err) < 0)
		return -1;
	return cli_record_write(&record, err);
}

const struct cmd cmd_clone = {
	.name = "clone",
	.summary = "Clone a Git repository, or bring a clone up to date.",
	.usage = "clone [OPTION...] URL[#REF] [DIR]",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
