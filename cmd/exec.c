/* exec.c - devenv exec: a command in a running environment */
/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/path.h"
#include "cli/cli.h"
#include "cmd/cmd.h"
#include "env/env.h"

struct options {
	char *user, *workdir, *workspace;
	struct strvec env;
	bool tty;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_LIST, 'e', "env", "NAME=VALUE", OPT_NO_ENV, "set a variable",
	  O(env) },
	{ OPT_STR, 'u', "user", "USER[:GROUP]", OPT_NO_ENV,
	  "user of the command", O(user) },
	{ OPT_STR, 'w', "workdir", "DIR", OPT_NO_ENV,
	  "working directory of the command", O(workdir) },
	{ OPT_STR, 0, "workspace-folder", "DIR", OPT_NO_ENV,
	  "in the environment that 'up' gave this directory, without NAME",
	  O(workspace), .is_word = true },
	{ OPT_BOOL, 't', "tty", NULL, OPT_NO_ENV,
	  "terminal for the command (default: when we have one)", O(tty) },
	{ OPT_END },
};

static const struct cmd_table tables[] = { { rows, 0 }, { 0 } };

static char *name_of(const struct cmd_call *call)
{
	const struct options *o = call->options;
	cleanup_free char *dir = NULL;

	if (!o->workspace)
		return xstrdup(call->args.v[0]);
	dir = path_absolute(o->workspace);
	return env_name_of(dir);
}

static int exec_in(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	const size_t names = o->workspace ? 0 : 1;
	cleanup_free char *name = name_of(call);
	struct env_command c = {
		.argv = call->args.nr > names ? call->args.v + names : NULL,
		.user = o->user,
		.cwd = o->workdir,
		.env = &o->env,
		.tty = o->tty || terminal,
	};
	cleanup_store struct store *s = NULL;
	cleanup_env struct env *e = NULL;

	if (cli_read_store(call->globals->store, &s, err) < 0 ||
	    env_attach(&e, s, name, err) < 0)
		return -1;
	return env_exec(e, &c, &call->status, err);
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;

	if (!o->workspace && (!call->args.nr || call->dashdash == 0))
		return error_set(err, ERR_USAGE,
				 "the name of an environment is missing");
	if (!exec_in(call, err))
		return 0;
	return cli_launch_failed(err);
}

const struct cmd cmd_exec = {
	.name = "exec",
	.summary = "Run a command in a running environment.",
	.usage = "exec [OPTION...] NAME [--] [COMMAND [ARGUMENT...]]\n"
		 "exec [OPTION...] --workspace-folder DIR [--] [COMMAND "
		 "[ARGUMENT...]]",
	.detail = "Without a command, the user's shell. The status is the "
		  "command's.",
	.tables = tables,
	.size = sizeof(struct options),
	.max_words = 1,
	.run = run,
};
