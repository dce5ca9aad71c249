/* run.c - devenv run: an image or a record at work */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"
#include "cmd/cmd.h"
#include "cmd/image-record.h"
#include "cmd/input.h"
#include "cmd/launch.h"
#include "cmd/open.h"

struct options {
	struct cmd_run_options run;
	struct cmd_platform platform;
	struct cmd_registry registry;
	bool pull;
};

#define O(member) offsetof(struct options, member)
static const struct opt rows[] = {
	{ OPT_BOOL, 0, "pull", NULL, NULL,
	  "ask the registry for an image that is in the store, too",
	  O(pull) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ cmd_run_rows, O(run) },	    { rows, 0 },
	{ cmd_platform_rows, O(platform) }, { cmd_registry_rows, O(registry) },
	{ 0 },
};

struct work {
	struct cmd_builder b;
	struct record record;
	struct store_image image;
	bool pull;
	struct oci_platform platform;
};

static void work_release(struct work *w)
{
	record_release(&w->record);
	store_image_release(&w->image);
	oci_platform_release(&w->platform);
	cmd_builder_release(&w->b);
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
			     w->pull, &w->image, err) < 0)
		return -1;
	return build_fetch_layers(w->b.store, &w->b.registry,
				  &w->b.registry_options, &w->image, err);
}

static int launch(struct work *w, const struct cmd_run_options *o,
		  char *const *command, int *status, struct error *err)
{
	bool recorded_too = w->record.json != NULL;
	struct cmd_launch l = { .b = &w->b,
				.o = o,
				.image = &w->image,
				.record = recorded_too ? &w->record : NULL,
				.name = o->name,
				.command = command };
	struct record_source source = { 0 };
	struct json *environment = NULL;
	cleanup_free char *name = NULL;
	int rc;

	if (o->name && !env_name_valid(o->name))
		return error_set(err, ERR_USAGE,
				 "'%s' is not a name for an environment",
				 o->name);
	if (recorded_too) {
		record_source_get(&source, &w->record);
		l.workspace = source.path;
	}
	if (o->detach && !o->name) {
		char random[9];

		random_hex(random, 4);
		l.name = name = xstrfmt("env-%s", random);
	}
	rc = cmd_launch_run(&l, status, &environment, err);
	if (rc < 0 || !o->detach) {
		json_free(environment);
		return rc;
	}
	if (!recorded_too) {
		record_new(&w->record);
		cmd_image_record(&w->record, &w->image);
	}
	record_set(&w->record, "environment", environment);
	return cmd_record_write(&w->record, err);
}

static int run_words(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	CLEANUP(work_release) struct work w = { .pull = o->pull };
	char **words = call->args.v;
	char *const *command = call->args.nr > 1 ? words + 1 : NULL;

	if (cmd_platform_get(&o->platform, &w.platform, err) < 0 ||
	    cmd_open_store(call, &w.b.store, &w.b.mode, err) < 0)
		return -1;
	cmd_registry_options(&o->registry, &w.b.registry_options);
	if (find(&w, words[0], err) < 0)
		return -1;
	return launch(&w, &o->run, command, &call->status, err);
}

/* Statuses below 125 are the command's; ours are those docker uses. */
static int run(struct cmd_call *call, struct error *err)
{
	if (!call->args.nr || call->dashdash == 0) {
		error_set(err, ERR_USAGE, "an image or a record is missing");
		return error_hint(err, "usage: devenv run IMAGE|RECORD|- "
				       "[-- COMMAND...]");
	}
	if (!run_words(call, err))
		return 0;
	if (err->code < ERR_RUN && err->code != ERR_USAGE)
		err->code = ERR_RUN;
	return -1;
}

const struct cmd cmd_run = {
	.name = "run",
	.summary = "Run a command in an image, or a record's environment.",
	.usage = "run [OPTION...] IMAGE|RECORD|- [--] [COMMAND [ARGUMENT...]]",
	.detail = "What is written vanishes at the end, unless --name keeps "
		  "it. The status is the\ncommand's; 125 to 127 say that it "
		  "could not be run.",
	.tables = tables,
	.size = sizeof(struct options),
	.max_words = 1,
	.run = run,
};
