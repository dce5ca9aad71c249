/* run_user_commands.c - devenv run-user-commands: those of the lifecycle */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compat.h"
#include "cli/life.h"
#include "cmd/cmd.h"

struct options {
	struct cli_named named;
	struct cli_life_options life;
	struct cli_unused unused;
	struct cli_settled settled;
	struct strvec remote_env;
	bool no_start;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_BOOL, 0, "stop-for-personalization", NULL, OPT_NO_ENV,
	  "run nothing after the dotfiles", O(no_start) },
	{ OPT_LIST, 0, "remote-env", "NAME=VALUE", OPT_NO_ENV,
	  "set a variable of these commands", O(remote_env) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ cli_named_rows, O(named) },	{ cli_life_rows, O(life) },
	{ rows, 0 },			{ cli_unused_rows, O(unused) },
	{ cli_settled_rows, O(settled) }, { 0 },
};

struct work {
	struct cli_life life;
	struct store *store;
	char *name;
};

static void work_release(struct work *w)
{
	cli_life_release(&w->life);
	store_close(w->store);
	free(w->name);
}

static int live(struct work *w, const struct cmd_call *call,
		const char **end, struct error *err)
{
	const struct options *o = call->options;
	cleanup_env struct env *e = NULL;

	if (cmd_words(call, 0, 0, err) < 0 ||
	    cli_life_get(&w->life, &o->life, err) < 0)
		return -1;
	w->life.life.no_start = o->no_start;
	for (size_t i = 0; i < o->remote_env.nr; i++)
		strvec_push(&w->life.secrets, o->remote_env.v[i]);
	if (cli_read_store(call->globals->store, &w->store, err) < 0 ||
	    cli_named_find(&o->named, w->store, &w->name, err) < 0 ||
	    env_attach(&e, w->store, w->name, err) < 0)
		return -1;
	return env_live(e, &w->life.life, end, err);
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	CLEANUP(work_release) struct work w = { 0 };
	const char *end;
	struct json *j;

	cli_unused_tell(cli_unused_rows, &o->unused);
	cli_unused_tell(cli_settled_rows, &o->settled);
	if (live(&w, call, &end, err) < 0) {
		cli_answer_failed(w.store, w.name, err);
		return -1;
	}
	j = json_new_object();
	json_set_str(j, "outcome", "success");
	json_set_str(j, "result", end);
	return cli_answer(j, err);
}

const struct cmd cmd_run_user_commands = {
	.name = "run-user-commands",
	.summary = "Run the lifecycle commands that an environment is due.",
	.usage = "run-user-commands [OPTION...]",
	.detail = "Takes the options of the command of that name of the Dev "
		  "Container CLI and prints\none line of JSON. Without one "
		  "that names it, it is the environment of the working\n"
		  "directory.",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
