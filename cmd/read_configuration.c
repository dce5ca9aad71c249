/* read_configuration.c - devenv read-configuration: for tools, as JSON */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/path.h"
#include "cli/merged.h"
#include "cmd/cmd.h"

struct options {
	char *folder, *config, *override;
	struct strvec id_labels;
	int git_root; /* 0: true, 1: false */
	bool merged, features;
	/* of a tool that drives a daemon */
	char *docker, *compose, *data, *level, *rows, *columns;
	struct cli_registry registry;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_GROUP, .help = "What is read" },
	{ OPT_STR, 0, "workspace-folder", "DIR", OPT_NO_ENV,
	  "the project (default: the working directory)", O(folder) },
	{ OPT_STR, 0, "config", "PATH", OPT_NO_ENV,
	  "the devcontainer.json, instead of the usual places", O(config) },
	{ OPT_STR, 0, "override-config", "PATH", OPT_NO_ENV,
	  "read this instead of what is there", O(override) },
	{ OPT_LIST, 0, "id-label", "NAME=VALUE", OPT_NO_ENV,
	  "make ${devcontainerId} of these, not of the paths", O(id_labels) },
	{ OPT_ENUM, 0, "mount-workspace-git-root", "true|false", OPT_NO_ENV,
	  "mount the top of the Git tree (default: true)", O(git_root) },
	{ OPT_GROUP, .help = "What is printed" },
	{ OPT_BOOL, 0, "include-merged-configuration", NULL, OPT_NO_ENV,
	  "with what image and features say", O(merged) },
	{ OPT_BOOL, 0, "include-features-configuration", NULL, OPT_NO_ENV,
	  "with the Features, in order of installation", O(features) },
	{ OPT_GROUP, .help = "Taken from callers of the Dev Container CLI, "
			     "without effect" },
	{ OPT_STR, 0, "docker-path", "PATH", OPT_NO_ENV,
	  "no daemon is asked", O(docker) },
	{ OPT_STR, 0, "docker-compose-path", "PATH", OPT_NO_ENV,
	  "no daemon is asked", O(compose) },
	{ OPT_STR, 0, "user-data-folder", "DIR", OPT_NO_ENV,
	  "nothing is kept there", O(data) },
	{ OPT_STR, 0, "log-level", "LEVEL", OPT_NO_ENV,
	  "see --verbose and --quiet", O(level) },
	{ OPT_STR, 0, "terminal-rows", "N", OPT_NO_ENV,
	  "nothing is rendered", O(rows) },
	{ OPT_STR, 0, "terminal-columns", "N", OPT_NO_ENV,
	  "nothing is rendered", O(columns) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ rows, 0 },
	{ cli_registry_rows, O(registry) },
	{ 0 },
};

static void tell_unused(const struct options *o)
{
	const struct {
		const char *name, *value;
	} unused[] = {
		{ "docker-path", o->docker },
		{ "docker-compose-path", o->compose },
		{ "user-data-folder", o->data },
		{ "log-level", o->level },
		{ "terminal-rows", o->rows },
		{ "terminal-columns", o->columns },
	};

	for (size_t i = 0; i < ARRAY_SIZE(unused); i++)
		if (unused[i].value)
			log_info("--%s has no effect here", unused[i].name);
}

static struct json *id_labels(const struct strvec *given, struct error *err)
{
	cleanup_json struct json *labels = json_new_object();

	for (size_t i = 0; i < given->nr; i++) {
		const char *eq = strchr(given->v[i], '=');
		cleanup_free char *key = NULL;

		if (!eq || eq == given->v[i] || !eq[1]) {
			error_set(err, ERR_USAGE,
				  "--id-label: '%s' is not NAME=VALUE",
				  given->v[i]);
			return NULL;
		}
		key = xstrndup(given->v[i], (size_t)(eq - given->v[i]));
		json_set_str(labels, key, eq + 1);
	}
	return steal_ptr(&labels);
}

static int find(const struct options *o, struct cli_project *p,
		struct error *err)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	cleanup_free char *config = o->config ? path_absolute(o->config)
					      : NULL;
	const struct cli_project_options po = { .config = config };

	p->replan = true;
	p->alone = o->git_root;
	p->content = o->override;
	strvec_push(&words, o->folder ? o->folder : ".");
	if (cli_project_find(p, &words, &po, err) < 0)
		return -1;
	if (p->kind == RECORD_DEVCONTAINER)
		return 0;
	if (!o->override) {
		error_set(err, ERR_INPUT, "no devcontainer.json in '%s'",
			  p->dir);
		return error_hint(err, "--config names one, "
				       "--override-config one for a project "
				       "that has none");
	}
	p->kind = RECORD_DEVCONTAINER;
	free(p->file);
	p->file = path_join(p->dir, ".devcontainer/devcontainer.json");
	return 0;
}

/* Where it was read, as the other tool's library writes a file's address. */
static struct json *address(const char *path)
{
	struct json *j = json_new_object();

	json_set_int(j, "$mid", 1);
	json_set_str(j, "fsPath", path);
	json_set_str(j, "path", path);
	json_set_str(j, "scheme", "vscode-fileHost");
	return j;
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

static int add_merged(const struct cmd_call *call,
		      const struct cli_project *p,
		      const struct record_plan *plan, struct json *out,
		      struct error *err)
{
	const struct options *o = call->options;
	struct json *merged = cli_merge_plan(p, plan, call->globals->store,
					     &o->registry, err);

	if (!merged)
		return -1;
	json_set(merged, "configFilePath", address(p->file));
	json_set(out, "mergedConfiguration", merged);
	return 0;
}

/* What needs more than the file. */
static int add_more(const struct cmd_call *call, const struct cli_project *p,
		    struct json *out, struct error *err)
{
	const struct options *o = call->options;
	const struct cli_project_options po = { 0 };
	cleanup_record_plan struct record_plan plan = RECORD_PLAN_INIT;

	if (!o->features && !o->merged)
		return 0;
	if (cli_project_plan(p, &po, &plan, err) < 0 ||
	    (o->features && add_features(call, &plan, out, err) < 0))
		return -1;
	return o->merged ? add_merged(call, p, &plan, out, err) : 0;
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	cleanup_cli_project struct cli_project p = CLI_PROJECT_INIT;
	cleanup_json struct json *labels = NULL, *out = json_new_object();
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json *config;

	if (cmd_words(call, 0, 0, err) < 0)
		return -1;
	tell_unused(o);
	if (o->id_labels.nr) {
		labels = id_labels(&o->id_labels, err);
		if (!labels)
			return -1;
		p.labels = labels;
	}
	if (find(o, &p, err) < 0)
		return -1;
	config = cli_project_config(&p, err);
	if (!config)
		return -1;
	json_set(out, "configuration", config);
	json_set(out, "workspace", workspace(&p, config));
	json_set(config, "configFilePath", address(p.file));
	if (add_more(call, &p, out, err) < 0)
		return -1;
	/* One line, as its readers may read lines. */
	json_write_unsorted(&text, out, false);
	strbuf_addch(&text, '\n');
	return cli_write(NULL, &text, err);
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
