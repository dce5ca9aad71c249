/* logs.c - devenv logs: what an environment's background command said */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <unistd.h>

#include "base/fs.h"
#include "cli/cli.h"
#include "cmd/cmd.h"
#include "env/env.h"

static int copy(int fd, struct error *err)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read the log");
		if (fs_write_all(STDOUT_FILENO, buf, (size_t)n, err) < 0)
			return -1;
	}
	return 0;
}

static int run(struct cmd_call *call, struct error *err)
{
	cleanup_store struct store *s = NULL;
	cleanup_close int fd = -1;

	if (cmd_words(call, 1, 1, err) < 0 ||
	    cli_read_store(call->globals->store, &s, err) < 0)
		return -1;
	fd = env_log(s, call->args.v[0], err);
	return fd < 0 ? -1 : copy(fd, err);
}

const struct cmd cmd_logs = {
	.name = "logs",
	.summary = "Print the output of an environment's background command.",
	.usage = "logs NAME",
	.run = run,
};
