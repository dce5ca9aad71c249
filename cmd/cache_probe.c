/* cache_probe.c - devenv cache-probe: is a build there already, and why not? */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe.h"
#include "cmd/cmd.h"

struct options {
	struct cli_clone_options clone;
	struct cli_project_options project;
	struct cli_build_options build;
	struct cli_registry registry;
	struct cli_git git;
	int format, verify;
	bool secrets;
	char *builder;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_GROUP, .help = "What is asked and told" },
	{ OPT_ENUM, 0, "format", CLI_PROBE_FORMATS, NULL,
	  "form of the answer (default: the record)", O(format) },
	{ OPT_ENUM, 0, "verify", "manifest|layers", NULL,
	  "what a cache must have of the image (default: its manifest)",
	  O(verify) },
	{ OPT_STR, 0, "builder-image", "REF", NULL,
	  "what to start where there is no image, for json and terraform",
	  O(builder) },
	{ OPT_BOOL, 0, "with-secrets", NULL, NULL,
	  "show credentials among the variables, too", O(secrets) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ cli_config_rows, O(project) },
	{ cli_project_rows, O(project) }, { cli_build_rows, O(build) },
	{ rows, 0 },			  { cli_clone_rows, O(clone) },
	{ cli_registry_rows, O(registry) }, { cli_git_rows, O(git) },
	{ 0 },
};

/* One probe from its words to its answer. */
struct work {
	struct options *o;
	struct cli_builder b;
	struct cli_context context;
	struct cli_probe probe;
};

static void work_release(struct work *w)
{
	cli_probe_release(&w->probe);
	cli_context_release(&w->context);
	cli_builder_release(&w->b);
}

/* As for cli_probe_env: ours, with where their values are. */
static void fill_tables(struct options *o, struct cli_probe_table *out)
{
	const struct cmd_table *t;

	for (t = tables; t->rows; t++)
		*out++ = (struct cli_probe_table){ t->rows,
						   (char *)o + t->offset };
	*out = (struct cli_probe_table){ 0 };
}

/* Another phase begins where what can be wrong is something else. */
static int find_plan(struct work *w, const struct strvec *words,
		     struct error *err)
{
	struct options *o = w->o;
	struct cli_probe *p = &w->probe;
	bool clones = !words->nr && o->clone.git_url && *o->clone.git_url;
	bool remote = clones || (words->nr && strstr(words->v[0], "://"));
	int rc;

	p->phase = remote ? CLI_PROBE_CLONING : CLI_PROBE_PLANNING;
	rc = clones ? cli_context_clone(&w->context, &w->b, &p->round,
					&o->clone, &o->project, err)
		    : cli_context_plan(&w->context, &w->b, &p->round, words,
				       &o->project, err);
	if (rc < 0)
		return -1;
	record_source_get(&w->b.source, &p->round.project.record);
	if (!w->b.origin)
		w->b.origin = w->b.source.url;
	return record_plan_check(&p->round.plan, err);
}

static int probe(struct work *w, const struct strvec *words,
		 struct error *err)
{
	if (find_plan(w, words, err) < 0)
		return -1;
	cli_project_warn(&w->probe.round.plan);
	w->probe.phase = CLI_PROBE_ASKING;
	if (cli_probe_all(&w->probe, &w->b, &w->o->build,
			  w->o->verify == 1, err) < 0)
		return -1;
	return cli_probe_services(&w->probe, &w->b, &w->o->build,
				  w->o->verify == 1, err);
}

static int run(struct cmd_call *call, struct error *err)
{
	struct options *o = call->options;
	CLEANUP(work_release) struct work w = {
		.o = o, .context = CLI_CONTEXT_INIT, .probe = CLI_PROBE_INIT,
	};
	struct cli_probe_table list[ARRAY_SIZE(tables)];

	fill_tables(o, list);
	if (o->format == CLI_PROBE_TERRAFORM && cli_probe_query(list, err) < 0)
		return cli_probe_failed(&w.probe, o->format, err);
	w.probe.builder = o->builder;
	w.probe.fallback = o->project.fallback;
	cli_probe_env(&w.probe, list, o->secrets);
	cli_registry_options(&o->registry, &w.b.registry_options);
	w.b.git = &o->git;
	if (cmd_words(call, 0, 2, err) < 0 ||
	    cli_open_store(call->globals->store, o->build.driver, &w.b.store,
			   &w.b.mode, err) < 0 ||
	    probe(&w, &call->args, err) < 0)
		return cli_probe_failed(&w.probe, o->format, err);
	if (w.probe.found->status == BUILD_PROBE_MISS &&
	    o->format != CLI_PROBE_TERRAFORM)
		call->status = ERR_NO;
	return cli_probe_print(&w.probe, o->format, err);
}

const struct cmd cmd_cache_probe = {
	.name = "cache-probe",
	.summary = "Say whether a build is in a cache, and why not.",
	.usage = "cache-probe [OPTION...] [DIR|URL|RECORD|-]\n"
		 "cache-probe [OPTION...] image NAME",
	.detail = "Nothing is run, unpacked or published. The status is 0 for "
		  "a hit and where there\nis nothing to build, 1 for a miss.",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
