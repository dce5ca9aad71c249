/* clone.c - devenv clone: a Git repository as a directory, and its record */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/clone-options.h"
#include "cmd/cmd.h"
#include "cmd/image-record.h"

static const struct cmd_table tables[] = { { cmd_clone_rows, 0 }, { 0 } };

static int run(struct cmd_call *call, struct error *err)
{
	const struct cmd_clone_options *o = call->options;
	cleanup_record struct record record = RECORD_INIT;
	const char *url = call->args.nr ? call->args.v[0] : o->git_url;
	const char *dir = call->args.nr > 1 ? call->args.v[1] : NULL;

	if (cmd_words(call, o->git_url ? 0 : 1, 2, err) < 0 ||
	    cmd_clone_get(o, url, dir, &record, err) < 0)
		return -1;
	return cmd_record_write(&record, err);
}

const struct cmd cmd_clone = {
	.name = "clone",
	.summary = "Clone a Git repository, or bring a clone up to date.",
	.usage = "clone [OPTION...] URL[#REF] [DIR]",
	.tables = tables,
	.size = sizeof(struct cmd_clone_options),
	.run = run,
};
