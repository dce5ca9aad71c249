/* read_configuration.c - devenv read-configuration: for tools, as JSON */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"
#include "base/path.h"
#include "cli/compat.h"
#include "cli/merged.h"
#include "cmd/cmd.h"

struct options {
	struct cli_folder folder;
	struct cli_project_options project;
	char *container;
	bool merged, features, worktree;
	struct cli_unused unused;
	struct cli_registry registry;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_STR, 0, "container-id", "NAME", OPT_NO_ENV,
	  "of the environment of this name", O(container) },
	{ OPT_GROUP, .help = "What is printed" },
	{ OPT_BOOL, 0, "include-merged-configuration", NULL, OPT_NO_ENV,
	  "with what image and features say", O(merged) },
	{ OPT_BOOL, 0, "include-features-configuration", NULL, OPT_NO_ENV,
	  "with the Features, in order of installation", O(features) },
	{ OPT_END },
};

/* Mounts are printed as the configuration has them. */
static const struct opt unused_rows[] = {
	{ OPT_BOOL, 0, "mount-git-worktree-common-dir", NULL, OPT_NO_ENV,
	  "'up' mounts it", O(worktree) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ cli_folder_rows, O(folder) },	  { cli_config_rows, O(project) },
	{ rows, 0 },			  { cli_unused_rows, O(unused) },
	{ unused_rows, 0 },		  { cli_registry_rows, O(registry) },
	{ 0 },
};

struct work {
	const struct options *o;
	struct cli_project project;
	struct env_info environment; /* name NULL: there is none */
};

static void work_release(struct work *w)
{
	cli_project_release(&w->project);
	env_info_release(&w->environment);
}

/* A store that is not there has no environments, and none is made. */
static int find_environment(struct work *w, const char *place,
			    struct error *err)
{
	const struct options *o = w->o;
	const struct cli_named named = {
		.id = o->container,
		.labels = o->project.id_labels,
		.folder = o->folder.folder,
	};
	cleanup_free char *path = place ? xstrdup(place)
					: store_default_path();
	cleanup_free char *name = NULL;
	cleanup_store struct store *s = NULL;

	if (!o->container && !fs_is_dir(path))
		return 0;
	if (cli_read_store(place, &s, err) < 0)
		return -1;
	if (cli_named_find(&named, s, &name, NULL) < 0)
		return 0;
	return env_look(s, name, &w->environment, err);
}

static int find(struct work *w, struct error *err)
{
	const struct options *o = w->o;
	struct cli_project *p = &w->project;
	struct cli_project_options po = o->project;
	cleanup_strvec struct strvec words = STRVEC_INIT;
	/* What other tools name, they name from here. */
	cleanup_free char *config = po.config && fs_is_file(po.config)
					    ? path_absolute(po.config)
					    : xstrdup_null(po.config);

	p->replan = true;
	po.config = config;
	if (o->folder.folder || !o->container || !w->environment.workspace)
		cli_folder_word(&o->folder, &words);
	else
		strvec_push(&words, w->environment.workspace);
	if (cli_project_find(p, &words, &po, err) < 0)
		return -1;
	if (p->kind != RECORD_DEVCONTAINER) {
		error_set(err, ERR_INPUT, "no devcontainer.json in '%s'",
			  p->dir);
		return error_hint(err, "--config names one, "
				       "--override-config one for a project "
				       "that has none");
	}
	if (!p->labels && w->environment.labels)
		p->labels = json_dup(w->environment.labels);
	return 0;
}

/* What is known only where an environment is. */
static int replace(const struct work *w, struct json *config,
		   struct error *err)
{
	if (!w->environment.name)
		return 0;
	return cli_answer_replace(config, &w->environment, err);
}

static struct json *workspace(const struct cli_project *p,
			      const struct json *config)
{
	const struct devcontainer_scope scope = { .folder = p->dir,
						  .mount_root = p->root };
	cleanup_free char *folder = NULL, *mount = NULL;
	struct json *j = json_new_object();

	devcontainer_workspace(config, &scope, &folder, &mount);
	json_set_str(j, "workspaceFolder", folder);
	if (mount)
		json_set_str(j, "workspaceMount", mount);
	else if (json_get(config, "workspaceMount"))
		json_set_str(j, "workspaceMount", "");
	return j;
}

static int add_features(const struct cmd_call *call,
			const struct record_plan *plan, struct json *out,
			struct error *err)
{
	const struct options *o = call->options;
	cleanup_cli_features struct cli_features f = CLI_FEATURES_INIT;
	const struct cli_features_look look = { .store = call->globals->store,
						.registry = &o->registry };
	struct json *features;

	if (cli_features_look(&f, plan, &look, err) < 0)
		return -1;
	if (!f.list.nr)
		return 0;
	features = json_set(out, "featuresConfiguration", json_new_object());
	json_set(features, "featureSets", cli_feature_sets(&f.list));
	return 0;
}

static int add_merged(const struct cmd_call *call, struct work *w,
		      const struct record_plan *plan, struct json *out,
		      struct error *err)
{
	struct json *merged = cli_merge_plan(&w->project, plan,
					     call->globals->store,
					     &w->o->registry, err);

	if (!merged)
		return -1;
	cli_answer_merged(&w->project, merged, out);
	return replace(w, merged, err);
}

/* What needs more than the file. */
static int add_more(const struct cmd_call *call, struct work *w,
		    struct json *out, struct error *err)
{
	const struct options *o = call->options;
	cleanup_record_plan struct record_plan plan = RECORD_PLAN_INIT;

	if (!o->features && !o->merged)
		return 0;
	if (cli_project_plan(&w->project, &o->project, &plan, err) < 0 ||
	    (o->features && add_features(call, &plan, out, err) < 0))
		return -1;
	return o->merged ? add_merged(call, w, &plan, out, err) : 0;
}

static int run(struct cmd_call *call, struct error *err)
{
	CLEANUP(work_release) struct work w = { .o = call->options };
	cleanup_json struct json *out = json_new_object();
	struct json *config;

	if (cmd_words(call, 0, 0, err) < 0)
		return -1;
	cli_unused_tell(cli_unused_rows, &w.o->unused);
	cli_unused_tell(unused_rows, w.o);
	if (find_environment(&w, call->globals->store, err) < 0 ||
	    find(&w, err) < 0 ||
	    cli_answer_config(&w.project, out, err) < 0)
		return -1;
	config = json_get(out, "configuration");
	json_set(out, "workspace", workspace(&w.project, config));
	if (replace(&w, config, err) < 0 || add_more(call, &w, out, err) < 0)
		return -1;
	return cli_answer(steal_ptr(&out), err);
}

const struct cmd cmd_read_configuration = {
	.name = "read-configuration",
	.summary = "Print a configuration as Dev Container tools expect it.",
	.usage = "read-configuration [OPTION...]",
	.detail = "Takes the options of the command of that name of the Dev "
		  "Container CLI and prints\none line of JSON: configuration, "
		  "workspace and, if asked for,\nfeaturesConfiguration and "
		  "mergedConfiguration.",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
