/* rm.c - devenv rm: remove environments and what they wrote */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cmd/cmd.h"
#include "env/env.h"
#include "store/volume.h"

struct options {
	bool force, volumes;
};

static const struct opt rows[] = {
	{ OPT_BOOL, 'f', "force", NULL, OPT_NO_ENV,
	  "those that run, too", offsetof(struct options, force) },
	{ OPT_BOOL, 0, "volumes", NULL, OPT_NO_ENV,
	  "the names are those of volumes",
	  offsetof(struct options, volumes) },
	{ OPT_END },
};

static const struct cmd_table tables[] = { { rows, 0 }, { 0 } };

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	cleanup_store struct store *s = NULL;
	size_t i;
	int rc = 0;

	if (cmd_words(call, 1, SIZE_MAX, err) < 0 ||
	    cli_open_store(call->globals->store, RUNTIME_AUTO, &s, NULL,
			   err) < 0)
		return -1;
	for (i = 0; i < call->args.nr && !rc; i++)
		rc = o->volumes ? store_volume_remove(s, call->args.v[i], err)
				: env_remove(s, call->args.v[i], o->force,
					     err);
	return rc;
}

const struct cmd cmd_rm = {
	.name = "rm",
	.summary = "Remove environments and what they wrote.",
	.usage = "rm [-f] NAME...\n"
		 "rm --volumes NAME...",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
