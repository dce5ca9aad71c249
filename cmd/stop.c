/* stop.c - devenv stop: end environments, keep what they wrote */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "cmd/cmd.h"
#include "env/env.h"

struct options {
	int timeout;
};

static const struct opt rows[] = {
	{ OPT_INT, 0, "stop-timeout", "SECONDS", NULL,
	  "how long SIGTERM may take before SIGKILL (default: 2, of a service "
	  "10, or what it was started with)",
	  offsetof(struct options, timeout) },
	{ OPT_END },
};

static const struct cmd_table tables[] = { { rows, 0 }, { 0 } };

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	cleanup_store struct store *s = NULL;
	size_t i;

	if (cmd_words(call, 1, SIZE_MAX, err) < 0 ||
	    cli_read_store(call->globals->store, &s, err) < 0)
		return -1;
	for (i = 0; i < call->args.nr; i++)
		if (env_stop(s, call->args.v[i],
			     o->timeout ? o->timeout * 1000 : -1, err) < 0)
			return -1;
	return 0;
}

const struct cmd cmd_stop = {
	.name = "stop",
	.summary = "End environments; what they wrote is kept.",
	.usage = "stop [--stop-timeout=SECONDS] NAME...",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
