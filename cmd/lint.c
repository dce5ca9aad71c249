/* lint.c - devenv lint: what could be better in a project or an image */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"
#include "cli/findings.h"
#include "cmd/cmd.h"

struct options {
	struct cli_project_options project;
	int format;
};

static const struct opt rows[] = {
	{ OPT_GROUP, .help = "What is printed" },
	{ OPT_ENUM, 0, "format", "text|json", NULL, "the form of the findings",
	  offsetof(struct options, format) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ cli_config_rows, offsetof(struct options, project) },
		{ cli_project_rows, offsetof(struct options, project) },
	{ rows, 0 },
	{ 0 },
};

/* An image of the store; 0: there is none of that name. */
static int find_image(struct store *s, const char *name,
		      struct store_image *image, struct error *err)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_free char *full = NULL;
	int rc = store_get_image(s, name, image, err);

	if (rc || oci_ref_parse(&ref, name, NULL) < 0)
		return rc;
	full = oci_ref_format(&ref);
	return store_get_image(s, full, image, err);
}

static int lint_image(struct cli_findings *f, struct store *s,
		      const char *name, struct error *err)
{
	cleanup_store_image struct store_image image = { 0 };
	int rc = s ? find_image(s, name, &image, err) : 0;

	if (rc < 0)
		return -1;
	if (rc)
		return cli_lint_image(f, s, name, &image, err);
	error_set(err, ERR_INPUT, "there is no file or directory '%s', and no "
		  "image of that name in the store", name);
	return error_hint(err, "'devenv pull' brings an image into the store");
}

static int lint_project(struct cli_findings *f, struct store *s,
			const struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	cleanup_cli_project struct cli_project p = CLI_PROJECT_INIT;

	if (cli_project_find(&p, &call->args, &o->project, err) < 0)
		return -1;
	return cli_lint_project(f, s, &p, &o->project, err);
}

/* Without a store nothing is known of base images, and that is all. */
static int open_store(const struct cmd_call *call, struct store **s,
		      struct error *err)
{
	cleanup_free char *place = call->globals->store ?
		xstrdup(call->globals->store) : store_default_path();

	return fs_is_dir(place) ? cli_read_store(place, s, err) : 0;
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	cleanup_cli_findings struct cli_findings f = { 0 };
	cleanup_store struct store *s = NULL;
	const char *word = call->args.nr == 1 ? call->args.v[0] : ".";
	int rc;

	if (cmd_words(call, 0, 2, err) < 0 || open_store(call, &s, err) < 0)
		return -1;
	if (fs_exists(word) || str_eq(word, "-"))
		rc = lint_project(&f, s, call, err);
	else
		rc = lint_image(&f, s, word, err);
	call->status = f.nr ? ERR_NO : 0;
	return cli_findings_print(&f, o->format, rc, err);
}

const struct cmd cmd_lint = {
	.name = "lint",
	.summary = "Tell what could be better in a project or an image.",
	.usage = "lint [OPTION...] [DIR|FILE|RECORD|-]\n"
		 "lint [OPTION...] image NAME\n"
		 "lint [OPTION...] IMAGE",
	.detail = "Nothing is fetched: of base images it knows what the store "
		  "has.",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
