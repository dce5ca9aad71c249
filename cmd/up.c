/* up.c - devenv up: from a URL or a directory to its environment */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/units.h"
#include "cli/compat.h"
#include "cli/init.h"
#include "cli/life.h"
#include "cli/names.h"
#include "cli/probe.h"
#include "cli/services.h"
#include "cli/setup.h"
#include "cli/tree.h"
#include "cmd/cmd.h"

struct options {
	struct cli_clone_options clone;
	struct cli_git git;
	struct cli_project_options project;
	struct cli_build_options build;
	struct cli_run_options run;
	struct cli_life_options life;
	struct cli_init_options init;
	struct cli_setup_options setup;
	struct cli_editor editor;
	struct cli_unused unused;
	struct cli_registry registry;
	bool json, get_cached, remote, must_build;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_BOOL, 0, "json", NULL, NULL,
	  "leave it running, as -d; the last line is what editors expect of "
	  "the Dev Container CLI", O(json) },
	{ OPT_BOOL, 0, "get-cached-image", NULL, "ENVBUILDER_GET_CACHED_IMAGE",
	  "only print ENVBUILDER_CACHED_IMAGE=IMAGE if a cache has it",
	  O(get_cached) },
	{ OPT_BOOL, 0, "remote-repo-build-mode", NULL,
	  "ENVBUILDER_REMOTE_REPO_BUILD_MODE",
	  "build from a clone of its own, not from the workspace",
	  O(remote) },
	{ OPT_BOOL, 0, "exit-on-build-failure", NULL,
	  "ENVBUILDER_EXIT_ON_BUILD_FAILURE",
	  "fail, whatever --fallback-image is", O(must_build) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ rows, 0 },
	{ cli_clone_rows, O(clone) },	{ cli_git_rows, O(git) },
	{ cli_config_rows, O(project) },
	{ cli_project_rows, O(project) }, { cli_build_rows, O(build) },
	{ cli_run_rows, O(run) },	{ cli_life_rows, O(life) },
	{ cli_start_rows, O(life) },
	{ cli_init_rows, O(init) },	{ cli_setup_rows, O(setup) },
	{ cli_editor_rows, O(editor) }, { cli_unused_rows, O(unused) },
	{ cli_registry_rows, O(registry) }, { cli_upload_rows, O(registry) },
	{ 0 },
};

struct work {
	struct options *o;
	char *name; /* of the environment */
	struct cli_builder b;
	struct cli_round round;
	struct cli_tree tree;
	struct cli_life life;
	struct strvec init;
	struct cli_setup setup;
};

static void work_release(struct work *w)
{
	cli_round_release(&w->round);
	cli_tree_release(&w->tree);
	cli_life_release(&w->life);
	strvec_release(&w->init);
	cli_setup_release(&w->setup);
	free(w->name);
	cli_builder_release(&w->b);
}

static void warn_of_variables(const struct options *o, const char *word)
{
	const struct opt *known[ARRAY_SIZE(tables)];
	size_t n = 0;

	for (; tables[n].rows; n++)
		known[n] = tables[n].rows;
	known[n++] = cmd_global_rows;
	cli_names_warn(known, n, &o->run.env);
	if (!word)
		cli_names_warn_old(known, n);
}

static void tell(const struct build_result *r)
{
	size_t all = r->executed + r->cached;

	if (!r->executed)
		log_info("nothing to build");
	else
		log_info("built: %zu of %zu step%s run", r->executed, all,
			 units_s(all));
}

static int launch(struct work *w, char *const *command, int *status,
		  struct error *err)
{
	const struct options *o = w->o;
	struct cli_launch l = { .b = &w->b,
				.o = &o->run,
				.name = w->name,
				.life = &w->life.life,
				.setup = w->setup.script ? &w->setup : NULL,
				.defaults = &o->editor.defaults,
				.command = command };
	cleanup_json struct json *environment = NULL;

	cli_round_launch(&w->round, &l);
	if (cli_launch_run(&l, status, &environment, err) < 0)
		return -1;
	if (o->json)
		return cli_answer_up(&o->editor, &w->round.project, &l,
				     environment, err);
	if (!o->run.detach)
		return 0;
	cli_build_record(&w->round.project.record, w->b.store,
			 &w->round.result);
	cli_services_record(&w->round.project.record, w->b.store,
			    &w->round.services);
	record_set(&w->round.project.record, "environment",
		   steal_ptr(&environment));
	return cli_record_write(&w->round.project.record, err);
}

/* Words of the command line win over what is set. */
static int get_ready(struct work *w, const char *word, char *const *command,
		     struct error *err)
{
	const struct options *o = w->o;

	warn_of_variables(o, word);
	cli_unused_tell(cli_unused_rows, &o->unused);
	if (cli_launch_check(&o->run, err) < 0 ||
	    cli_setup_check(&o->setup, err) < 0 ||
	    cli_life_get(&w->life, &o->life, err) < 0)
		return -1;
	w->life.life.export_file = o->setup.export_file;
	w->life.life.post_start = o->setup.post_start;
	w->setup.script = o->setup.script;
	if (command)
		return 0;
	w->setup.init = &o->init;
	return cli_init_command(&o->init, &w->init, err);
}

/* What it is called, and what that it is there already means. */
static int prepare(struct work *w, struct error *err)
{
	struct options *o = w->o;

	if (cli_named_new(o->run.name, &w->round.project, w->b.store,
			  &w->name, err) < 0)
		return -1;
	return cli_editor_apply(&o->editor, env_exists(w->b.store, w->name),
				&o->run, &o->build, err);
}

/* Without a repository the folder is not that of its clone. */
static const char *word_of(const struct cmd_call *call, size_t n)
{
	const struct options *o = call->options;

	if (n)
		return call->args.v[0];
	return o->clone.git_url ? o->clone.git_url : o->clone.folder;
}

static int build(struct work *w, struct error *err)
{
	const struct cli_build_options *o = &w->o->build;

	if (cli_round_ask(&w->round, err) < 0 ||
	    cli_round_build(&w->round, &w->b, o, err) < 0 ||
	    cli_round_services(&w->round, &w->b, o, true, err) < 0)
		return -1;
	cli_tree_built(&w->tree, &w->round);
	tell(&w->round.result);
	return store_sync(w->b.store, err);
}

static int get_image(struct work *w, const struct cli_tree_options *how,
		     const char *word, struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;

	if (cli_tree_plan(&w->tree, how, word, &w->b, &w->round, &why) == 0) {
		if (how->only_probe)
			return 0;
		if (prepare(w, err) < 0)
			return -1;
		if (build(w, &why) == 0)
			return 0;
	}
	if (cli_tree_fall_back(&w->tree, how, word, &w->b, &w->round, &why,
			       err) < 0 ||
	    (!w->name && prepare(w, err) < 0))
		return -1;
	return build(w, err);
}

static int up(struct cmd_call *call, struct work *w, struct error *err)
{
	const struct options *o = w->o;
	const struct cli_tree_options how = {
		.clone = &o->clone,
		.project = &o->project,
		.store = call->globals->store,
		.driver = o->build.driver,
		.initialize = o->life.initialize,
		.only_probe = o->get_cached,
		.remote = o->remote,
		.must_build = o->must_build,
	};
	size_t n = call->dashdash == 0 ? 0 : MIN(call->args.nr, (size_t)1);
	const char *word = word_of(call, n);
	char *const *command = call->args.nr > n ? call->args.v + n : NULL;

	cli_registry_options(&o->registry, &w->b.registry_options);
	w->b.git = &o->git;
	if (get_ready(w, word, command, err) < 0 ||
	    get_image(w, &how, word, err) < 0)
		return -1;
	if (o->get_cached)
		return cli_probe_variable(&w->b, &o->build, &w->round.plan,
					  err);
	if (w->init.nr)
		command = strvec_argv(&w->init);
	return launch(w, command, &call->status, err);
}

static int run(struct cmd_call *call, struct error *err)
{
	struct options *o = call->options;
	CLEANUP(work_release) struct work w = {
		.o = o, .tree = CLI_TREE_INIT,
	};

	if (o->json)
		o->run.detach = true;
	if (up(call, &w, err) == 0)
		return 0;
	if (o->json)
		cli_answer_failed(w.b.store, w.name, err);
	return -1;
}

const struct cmd cmd_up = {
	.name = "up",
	.summary = "From a repository to its running environment.",
	.usage = "up [OPTION...] [URL|DIR] [--] [COMMAND [ARGUMENT...]]",
	.detail = "Clones, plans, builds what changed, runs the lifecycle "
		  "commands that are due and\nthen COMMAND, or a shell. What "
		  "is written in the environment is kept until its\nimage "
		  "changes.",
	.tables = tables,
	.size = sizeof(struct options),
	.max_words = 1,
	.run = run,
};
