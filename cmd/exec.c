/* exec.c - devenv exec: a command in a running environment */
/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "cli/compat.h"
#include "cmd/cmd.h"
#include "env/env.h"

struct options {
	struct cli_named named;
	struct cli_unused unused;
	struct cli_settled settled;
	char *user, *workdir;
	struct strvec env, remote_env;
	bool tty;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_GROUP, .help = "How it runs" },
	{ OPT_LIST, 'e', "env", "NAME=VALUE", OPT_NO_ENV, "set a variable",
	  O(env) },
	{ OPT_LIST, 0, "remote-env", "NAME=VALUE", OPT_NO_ENV, "the same",
	  O(remote_env) },
	{ OPT_STR, 'u', "user", "USER[:GROUP]", OPT_NO_ENV,
	  "user of the command", O(user) },
	{ OPT_STR, 'w', "workdir", "DIR", OPT_NO_ENV,
	  "working directory of the command", O(workdir) },
	{ OPT_BOOL, 't', "tty", NULL, OPT_NO_ENV,
	  "terminal for the command (default: when we have one)", O(tty) },
	{ OPT_END },
};

static const struct cmd_table tables[] = { { rows, 0 },
					   { cli_named_rows, O(named) },
					   { cli_unused_rows, O(unused) },
					   { cli_settled_rows, O(settled) },
					   { 0 } };

static int exec_in(struct cmd_call *call, struct error *err)
{
	struct options *o = call->options;
	bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	const size_t names = cli_named_given(&o->named) ? 0 : 1;
	cleanup_free char *name = names ? xstrdup(call->args.v[0]) : NULL;
	struct env_command c = {
		.argv = call->args.nr > names ? call->args.v + names : NULL,
		.user = o->user,
		.cwd = o->workdir,
		.env = &o->env,
		.tty = o->tty || terminal,
	};
	cleanup_store struct store *s = NULL;
	cleanup_env struct env *e = NULL;

	for (size_t i = 0; i < o->remote_env.nr; i++)
		strvec_push(&o->env, o->remote_env.v[i]);
	if (cli_read_store(call->globals->store, &s, err) < 0 ||
	    (!name && cli_named_find(&o->named, s, &name, err) < 0) ||
	    env_attach(&e, s, name, err) < 0)
		return -1;
	return env_exec(e, &c, &call->status, err);
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;

	cli_unused_tell(cli_unused_rows, &o->unused);
	cli_unused_tell(cli_settled_rows, &o->settled);
	if (!cli_named_given(&o->named) &&
	    (!call->args.nr || call->dashdash == 0))
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
	.strict = true,
	.run = run,
};
