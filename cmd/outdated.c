/* outdated.c - devenv outdated: newer versions of a project's Features */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/compat.h"
#include "cli/features.h"
#include "cmd/cmd.h"

struct options {
	struct cli_folder folder;
	struct cli_project_options project;
	struct cli_unused unused;
	struct cli_registry registry;
	int format;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_STR, 0, "config", "NAME|PATH",
	  "ENVBUILDER_DEVCONTAINER_JSON_PATH",
	  "the devcontainer.json, or the folder of .devcontainer it is in",
	  O(project.config) },
	{ OPT_ENUM, 0, "output-format", "text|json", OPT_NO_ENV,
	  "form of the list", O(format) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ cli_folder_rows, O(folder) },	    { rows, 0 },
	{ cli_unused_rows, O(unused) },	    { cli_registry_rows, O(registry) },
	{ 0 },
};

#define COLUMNS 4

static void add_cell(struct strvec *cells, const char *text)
{
	strvec_push(cells, text ? text : "-");
}

static void list_cells(const struct json *features, struct strvec *cells)
{
	static const char *const head[] = { "Feature", "Current", "Wanted",
					    "Latest" };
	const struct json *m;

	for (size_t i = 0; i < COLUMNS; i++)
		strvec_push(cells, head[i]);
	for (m = json_first(features); m; m = json_next(m)) {
		add_cell(cells, json_key(m));
		add_cell(cells, json_get_str(m, "current"));
		add_cell(cells, json_get_str(m, "wanted"));
		add_cell(cells, json_get_str(m, "latest"));
	}
}

static void write_table(const struct json *features, struct strbuf *out)
{
	cleanup_strvec struct strvec cells = STRVEC_INIT;
	size_t width[COLUMNS] = { 0 };

	list_cells(features, &cells);
	for (size_t i = 0; i < cells.nr; i++)
		width[i % COLUMNS] = MAX(width[i % COLUMNS],
					 strlen(cells.v[i]));
	for (size_t i = 0; i < cells.nr; i++)
		if (i % COLUMNS == COLUMNS - 1)
			strbuf_addf(out, "%s\n", cells.v[i]);
		else
			strbuf_addf(out, "%-*s  ", (int)width[i % COLUMNS],
				    cells.v[i]);
}

static int find(const struct options *o, struct cli_project *p,
		struct record_plan *plan, struct error *err)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;

	p->replan = true;
	cli_folder_word(&o->folder, &words);
	if (cli_project_find(p, &words, &o->project, err) < 0)
		return -1;
	if (p->kind != RECORD_DEVCONTAINER)
		return error_set(err, ERR_INPUT, "no devcontainer.json in '%s'",
				 p->dir);
	return cli_project_plan(p, &o->project, plan, err);
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	cleanup_cli_project struct cli_project p = CLI_PROJECT_INIT;
	cleanup_record_plan struct record_plan plan = RECORD_PLAN_INIT;
	const struct cli_features_look look = { .store = call->globals->store,
						.registry = &o->registry };
	cleanup_json struct json *features = NULL;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct json *j;

	if (cmd_words(call, 0, 0, err) < 0)
		return -1;
	cli_unused_tell(cli_unused_rows, &o->unused);
	if (find(o, &p, &plan, err) < 0 ||
	    cli_features_outdated(&plan, &look, &features, err) < 0)
		return -1;
	if (!o->format) {
		write_table(features, &text);
		return cli_write(NULL, &text, err);
	}
	j = json_new_object();
	json_set(j, "features", steal_ptr(&features));
	return cli_answer(j, err);
}

const struct cmd cmd_outdated = {
	.name = "outdated",
	.summary = "List the Features of a project that have newer versions.",
	.usage = "outdated [OPTION...]",
	.detail = "Current is what the lockfile has, wanted the newest that "
		  "the configuration allows,\nlatest the newest there is.",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
