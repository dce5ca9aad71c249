/* init.c - devenv init: put a Dev Container Template into a project */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/template.h"
#include "cmd/cmd.h"

struct options {
	struct cli_template_options template;
	struct cli_registry registry;
};

#define O(member) offsetof(struct options, template.member)
static const struct opt rows[] = {
	{ OPT_GROUP, .help = "What is written" },
	{ OPT_LIST, 0, "option", "KEY=VALUE", OPT_NO_ENV,
	  "value of an option of the template", O(options) },
	{ OPT_LIST, 0, "omit", "PATH", OPT_NO_ENV,
	  "leave out this file, or all in DIR/*", O(omit) },
	{ OPT_STR, 0, "features", "JSON", OPT_NO_ENV,
	  "Features to add: [{\"id\": ID, \"options\": {...}}]", O(features) },
	{ OPT_BOOL, 0, "force", NULL, OPT_NO_ENV,
	  "replace files that are there", O(force) },
	{ OPT_END },
};

static const struct cmd_table tables[] = {
	{ rows, 0 },
	{ cli_registry_rows, offsetof(struct options, registry) },
	{ 0 },
};

/* As `devcontainer templates apply` prints it. */
static int print(const struct strvec *files, struct error *err)
{
	cleanup_json struct json *j = json_new_object();
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct json *list = json_set(j, "files", json_new_array());
	size_t i;

	for (i = 0; i < files->nr; i++) {
		cleanup_free char *path = xstrfmt("./%s", files->v[i]);

		json_push(list, json_new_str(path));
	}
	json_write(&out, j, false);
	strbuf_addch(&out, '\n');
	return cli_write(NULL, &out, err);
}

static int run(struct cmd_call *call, struct error *err)
{
	const struct options *o = call->options;
	cleanup_cli_template struct cli_template t = { 0 };
	cleanup_strvec struct strvec files = STRVEC_INIT;
	struct registry_options registry;

	if (cmd_words(call, 1, 2, err) < 0)
		return -1;
	cli_registry_options(&o->registry, &registry);
	if (cli_template_read(&t, call->args.v[0], &registry, err) < 0 ||
	    cli_template_write(&t, &o->template,
			       call->args.nr > 1 ? call->args.v[1] : ".",
			       &files, err) < 0)
		return -1;
	return print(&files, err);
}

const struct cmd cmd_init = {
	.name = "init",
	.summary = "Put a Dev Container Template into a project.",
	.usage = "init [OPTION...] TEMPLATE [DIR]",
	.detail = "TEMPLATE is a reference of a registry, or a folder with "
		  "devcontainer-template.json.",
	.tables = tables,
	.size = sizeof(struct options),
	.run = run,
};
