/* parse.c - devenv parse: what a tree says, as a plan or a view */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "build/build.h"
#include "build/references.h"
#include "cli/compose.h"
#include "cli/features.h"
#include "cli/merged.h"
#include "cmd/cmd.h"

enum view {
	RECORD,
	PLAN,
	CONFIG,
	MERGED,
	FEATURES,
	DOCKERFILE,
	AST,
	STAGES,
	CONTEXT,
	IMAGES,
	COMPOSE,
};

struct options {
	struct cli_project_options project;
	struct cli_registry registry;
	int view;
	char *output;
	bool relative, explain, update_lockfile;
};

static const struct opt rows[] = {
	{ OPT_GROUP, .help = "What is printed" },
	{ OPT_ENUM, 0, "print",
	  "record|plan|config|merged|features|dockerfile|ast|stages|context|"
	  "images|compose",
	  NULL,
	  "one view instead of the record", offsetof(struct options, view) },
	{ OPT_BOOL, 0, "relative", NULL, NULL,
	  "paths relative to the working directory",
	  offsetof(struct options, relative) },
	{ OPT_BOOL, 0, "explain", NULL, NULL,
	  "say in the view of Features why each comes where it does",
	  offsetof(struct options, explain) },
	{ OPT_BOOL, 0, "update-lockfile", NULL, NULL,
	  "find all Features anew, and write devcontainer-lock.json",
	  offsetof(struct options, update_lockfile) },
	{ OPT_STR, 'o', "output", "FILE", OPT_NO_ENV,
	  "write there, as a whole or not at all",
	  offsetof(struct options, output) },
	{ OPT_END },
};

static int platform(const char *text, struct oci_platform *p,
		    struct error *err)
{
	if (text)
		return oci_platform_parse(p, text, err);
	oci_platform_host(p);
	return 0;
}

static struct json *images(const struct dockerfile *df,
			   const struct record_plan *plan,
			   const struct build_eval_options *o,
			   struct error *err)
{
	cleanup_build_references struct build_references list = { 0 };

	cli_features_references(plan, &list);
	if (build_references_find(&list, df, o, err) < 0)
		return NULL;
	return build_references_json(&list);
}

static struct json *stages(const struct dockerfile *df,
			   const struct build_eval_options *o,
			   struct error *err)
{
	cleanup_build_eval struct build_eval *ev = NULL;

	if (build_eval_new(&ev, df, o, err) < 0)
		return NULL;
	return build_stages_json(ev, err);
}

/* What the text means for a platform. */
static struct json *meaning(enum view view, const struct dockerfile *df,
			    const struct record_plan *plan, struct error *err)
{
	cleanup_oci_platform struct oci_platform target = { 0 };
	cleanup_oci_platform struct oci_platform host = { 0 };
	struct build_eval_options o = { .build_args = &plan->args,
					.target = plan->target,
					.platform = &target,
					.build_platform = &host };

	if (platform(plan->platform, &target, err) < 0 ||
	    platform(NULL, &host, err) < 0)
		return NULL;
	return view == IMAGES ? images(df, plan, &o, err)
			      : stages(df, &o, err);
}

/* Views of the Dockerfile as it is written. */
static int print_text(enum view view, const struct record_plan *plan,
		      struct strbuf *out, struct error *err)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = NULL;
	cleanup_json struct json *j = NULL;

	if (cli_project_dockerfile(plan, &text, &name, err) < 0 ||
	    dockerfile_parse(&df, name, text.buf, text.len, err) < 0)
		return -1;
	j = view == AST ? dockerfile_to_json(&df)
			: meaning(view, &df, plan, err);
	if (!j)
		return -1;
	json_write(out, j, true);
	return 0;
}

static int print_config(const struct cli_project *p, struct strbuf *out,
			struct error *err)
{
	cleanup_json struct json *j = cli_project_config(p, err);

	if (!j)
		return -1;
	/* The order of features and of maps has a meaning. */
	json_write_unsorted(out, j, true);
	return 0;
}

static int print_compose(const struct cli_project *p, struct strbuf *out,
			 struct error *err)
{
	cleanup_json struct json *config = cli_project_config(p, err);
	cleanup_compose struct compose c = COMPOSE_INIT;
	size_t i;

	if (!config)
		return -1;
	if (!json_get(config, "dockerComposeFile"))
		return error_set(err, ERR_INPUT,
				 "the configuration names no compose file");
	if (cli_compose_load(&c, p, config, err) < 0)
		return -1;
	for (i = 0; i < c.warnings.nr; i++)
		log_warn("%s", c.warnings.v[i]);
	json_write(out, c.model, true);
	return 0;
}

/* The one view that may need a network. */
static int print_merged(const struct cli_project *p,
			const struct record_plan *plan,
			const struct cmd_call *call, struct strbuf *out,
			struct error *err)
{
	const struct options *o = call->options;
	cleanup_json struct json *j = cli_merge_plan(
		p, plan, call->globals->store, &o->registry, err);

	if (!j)
		return -1;
	json_write_unsorted(out, j, true);
	return 0;
}

/* A context can be looked at before there is anything to build in it. */
static int print_context(const struct cli_project *p,
			 const struct options *o, struct strbuf *out,
			 struct error *err)
{
	cleanup_record_plan struct record_plan plan = RECORD_PLAN_INIT;
	cleanup_json struct json *j = NULL;
	bool bare = !p->planned && p->kind == RECORD_FALLBACK;

	if (!bare && cli_project_plan(p, &o->project, &plan, err) < 0)
		return -1;
	if (!bare && !plan.context)
		return error_set(err, ERR_INPUT, "the plan has no context");
	j = build_context_json(bare ? p->dir : plan.context,
			       plan.dockerfile, err);
	if (!j)
		return -1;
	json_write(out, j, true);
	return 0;
}

static void print_record(struct cli_project *p, const struct options *o,
			 const struct record_plan *plan, struct strbuf *out)
{
	record_plan_set(plan, &p->record);
	if (o->relative) {
		cleanup_free char *here = path_absolute(".");

		record_relative(&p->record, here);
	}
	if (o->view == PLAN)
		json_write(out, record_get(&p->record, "plan"), true);
	else
		record_write(&p->record, out);
}

static int print(struct cli_project *p, const struct cmd_call *call,
		 struct strbuf *out, struct error *err)
{
	const struct options *o = call->options;
	cleanup_record_plan struct record_plan plan = RECORD_PLAN_INIT;
	const struct cli_features_look look = {
		.store = call->globals->store,
		.registry = &o->registry,
		.update = o->update_lockfile,
		.explain = o->explain,
	};

	if (o->view == CONFIG)
		return print_config(p, out, err);
	if (o->view == COMPOSE)
		return print_compose(p, out, err);
	if (o->view == CONTEXT)
		return print_context(p, o, out, err);
	if (cli_project_plan(p, &o->project, &plan, err) < 0)
		return -1;
	if (o->view == MERGED)
		return print_merged(p, &plan, call, out, err);
	if (o->view == FEATURES)
		return cli_features_print(&plan, &look, out, err);
	if (o->view == DOCKERFILE)
		return cli_features_dockerfile(&plan, &look, out, err);
	if (o->view != RECORD && o->view != PLAN)
		return print_text((enum view)o->view, &plan, out, err);
	cli_project_warn(&plan);
	print_record(p, o, &plan, out);
	return o->update_lockfile ?
		       cli_features_print(&plan, &look, NULL, err) : 0;
}

static int run(struct cmd_call *call, struct error *err)
{
	cleanup_cli_project struct cli_project project = CLI_PROJECT_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const struct options *o = call->options;

	project.replan = true;
	if (cmd_words(call, 0, 2, err) < 0 ||
	    cli_project_find(&project, &call->args, &o->project, err) < 0 ||
	    print(&project, call, &out, err) < 0)
		return -1;
	return cli_write(o->output, &out, err);
}

const struct cmd cmd_parse = {
	.name = "parse",
	.summary = "Turn a tree into a plan, or print what its files say.",
	.usage = "parse [DIR|FILE|RECORD|-] [--print=VIEW]\n"
		 "parse image NAME",
	.detail = "Reads devcontainer.json, a Dockerfile or a template below "
		  ".coder/images and\nwrites a record with its plan.",
	.tables = (const struct cmd_table[]){
		{ cli_config_rows, offsetof(struct options, project) },
		{ cli_project_rows, offsetof(struct options, project) },
		{ rows, 0 },
		{ cli_registry_rows, offsetof(struct options, registry) },
		{ NULL, 0 },
	},
	.size = sizeof(struct options),
	.run = run,
};
