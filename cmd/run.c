/* run.c - devenv run: an image or a record at work */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"
#include "build/lost.h"
#include "cli/services.h"
#include "cmd/cmd.h"

struct options {
	struct cli_run_options run;
	struct cli_platform platform;
	struct cli_registry registry;
	bool pull;
	int driver;
	char *from_step;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_BOOL, 0, "pull", NULL, NULL,
	  "ask the registry for an image that is in the store, too",
	  O(pull) },
	{ OPT_ENUM, 0, "driver", CLI_DRIVERS, NULL, CLI_DRIVER_HELP,
	  O(driver) },
	{ OPT_STR, 0, "from-step", "KEY", OPT_NO_ENV,
	  "instead of an image: where this step of a build failed",
	  O(from_step), .is_word = true },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ cli_run_rows, O(run) },	    { rows, 0 },
	{ cli_platform_rows, O(platform) }, { cli_registry_rows, O(registry) },
	{ 0 },
};

struct work {
	struct cli_builder b;
	struct record record;
	struct store_image image;
	struct record_plan plan; /* of a record, for its services */
	struct cli_services services;
	bool pull;
	struct oci_platform platform;
};

static void work_release(struct work *w)
{
	record_release(&w->record);
	store_image_release(&w->image);
	cli_services_release(&w->services);
	record_plan_release(&w->plan);
	oci_platform_release(&w->platform);
	cli_builder_release(&w->b);
}

/* The name of the image that a record holds. */
static const char *recorded(const struct record *r, struct error *err)
{
	const struct json *image = record_get(r, "image");
	const char *id = json_get_str(image, "config_digest");

	if (!id)
		id = json_get_str(image, "reference");
	if (id)
		return id;
	error_set(err, ERR_INPUT, "%s: the record names no image", r->name);
	error_hint(err, "'devenv build' adds one");
	return NULL;
}

static int find(struct work *w, const char *word, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *name = word;

	if (str_eq(word, "-") || fs_is_file(word)) {
		if (fs_read_file(word, RECORD_MAX, &text, err) < 0 ||
		    record_parse(&w->record, word, text.buf, text.len, err) <
			    0)
			return -1;
		name = recorded(&w->record, err);
		if (!name)
			return -1;
	}
	if (build_find_image(w->b.store, &w->b.registry,
			     &w->b.registry_options, name, &w->platform,
			     w->pull, &w->image, err) < 0) {
		if (w->record.json && err->code == ERR_USAGE)
			err->code = ERR_INPUT; /* a record's, no argument */
		return -1;
	}
	if (build_fetch_layers(w->b.store, &w->b.registry,
			       &w->b.registry_options, &w->image, err) == 0)
		return 0;
	if (build_forget_layers(w->b.store, &w->image, NULL) > 0)
		error_hint(err, "build it again: a step cache does not have "
				"what it promised");
	return -1;
}

/* The workspace that a record tells of, if any. */
static int find_workspace(const struct record *r, char **dir,
			  struct error *err)
{
	struct record_source source;

	record_source_get(&source, r);
	if (!source.path)
		return 0;
	*dir = path_absolute(source.path);
	if (fs_is_dir(*dir))
		return 0;
	record_fail(r, err, (const char *[]){ "source", "path", NULL },
		    "there is no such directory here");
	return error_hint(err, "clone it again, or take source.path out to "
			       "run without the workspace");
}

/* They have names of their own, which begin with that of the environment. */
static int find_services(struct work *w, const char *name, struct error *err)
{
	if (!w->record.json || !record_get(&w->record, "plan"))
		return 0;
	if (record_plan_get(&w->plan, &w->record, err) < 0)
		return -1;
	if (json_len(w->plan.services) && !name) {
		log_warn("the services of the record are not started: they "
			 "need an environment with a --name");
		return 0;
	}
	if (cli_services_get(&w->services, &w->plan, &w->record, err) < 0)
		return -1;
	return cli_services_find(&w->services, &w->record, &w->b,
				 &w->platform, err);
}

static int write_record(struct work *w, struct json *environment,
			struct error *err)
{
	if (!w->record.json) {
		record_new(&w->record);
		cli_image_record(&w->record, w->b.store, &w->image);
	}
	record_set(&w->record, "environment", environment);
	return cli_record_write(&w->record, err);
}

static int launch(struct work *w, const struct cli_run_options *o,
		  char *const *command, int *status, struct error *err)
{
	const struct record *r = w->record.json ? &w->record : NULL;
	struct json *environment = NULL;
	cleanup_free char *name = NULL, *workspace = NULL, *top = NULL;
	struct cli_launch l = { .b = &w->b,
				.o = o,
				.image = &w->image,
				.record = r,
				.environment = r && record_get(r, "plan"),
				.name = o->name,
				.command = command };
	char random[9];

	if (r && find_workspace(r, &workspace, err) < 0)
		return -1;
	if (workspace)
		top = cli_project_top(workspace);
	l.workspace = workspace;
	l.mount_root = top;
	random_hex(random, 4);
	name = xstrfmt("env-%s", random);
	if (o->detach && !o->name)
		l.name = name;
	if (find_services(w, l.name, err) < 0)
		return -1;
	l.services = &w->services;
	if (cli_launch_run(&l, status, &environment, err) < 0)
		return -1;
	if (o->detach)
		return write_record(w, environment, err);
	json_free(environment);
	return 0;
}

static int run_words(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	CLEANUP(work_release) struct work w = { .pull = o->pull };
	char **words = call->args.v;
	size_t images = o->from_step ? 0 : 1; /* words that name one */
	char *const *command = call->args.nr > images ? words + images : NULL;

	if (cli_launch_check(&o->run, err) < 0 ||
	    cli_platform_get(&o->platform, &w.platform, err) < 0 ||
	    cli_open_store(call->globals->store, o->driver, &w.b.store,
			   &w.b.mode, err) < 0)
		return -1;
	cli_registry_options(&o->registry, &w.b.registry_options);
	if (o->from_step ? build_find_failed(w.b.store, o->from_step,
					     &w.image, err) < 0
			 : find(&w, words[0], err) < 0)
		return -1;
	return launch(&w, &o->run, command, &call->status, err);
}

/* Statuses below 125 are the command's; ours are those docker uses. */
static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;

	if (!o->from_step && (!call->args.nr || call->dashdash == 0)) {
		error_set(err, ERR_USAGE, "an image or a record is missing");
		return error_hint(err, "usage: devenv run IMAGE|RECORD|- "
				       "[-- COMMAND...]");
	}
	if (!run_words(call, err))
		return 0;
	return cli_launch_failed(err);
}

const struct cmd cmd_run = {
	.name = "run",
	.summary = "Run a command in an image, or a record's environment.",
	.usage = "run [OPTION...] IMAGE|RECORD|- [--] [COMMAND [ARGUMENT...]]\n"
		 "run [OPTION...] --from-step KEY [-- COMMAND [ARGUMENT...]]",
	.detail = "What is written vanishes at the end, unless --name keeps "
		  "it. The status is the\ncommand's; 125 to 127 say that it "
		  "could not be run.",
	.tables = tables,
	.size = sizeof(struct options),
	.max_words = 1,
	.strict = true,
	.run = run,
};
