/* template_features.c - Features on top of those that a template has */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "cli/template.h"
#include "devcontainer/feature.h"

/* The first in order of the names, as there may be several. */
static struct cli_template_file *find_config(struct cli_template *t)
{
	for (size_t i = 0; i < t->nr; i++) {
		cleanup_free char *base = path_base(t->v[i].path);

		if (str_eq(base, "devcontainer.json") ||
		    str_eq(base, ".devcontainer.json"))
			return &t->v[i];
	}
	return NULL;
}

static int check(const struct json *list, struct error *err)
{
	const struct json *m;

	if (json_kind(list) == JSON_ARRAY) {
		for (m = json_first(list); m; m = json_next(m))
			if (!json_get_str(m, "id"))
				break;
		if (!m)
			return 0;
	}
	error_set(err, ERR_USAGE, "--features: expected an array of objects "
		  "with an 'id'");
	return error_hint(err, "like [{\"id\": \"ghcr.io/devcontainers/"
			       "features/node:1\", \"options\": {}}]");
}

static int add_all(struct cli_template_file *f, const struct json *list,
		   struct error *err)
{
	cleanup_json struct json *config = jsonc_parse(f->path, f->text.buf,
						       f->text.len, err);
	const struct json *m;

	if (!config)
		return -1;
	if (json_kind(config) != JSON_OBJECT)
		return error_set(err, ERR_INPUT, "%s:1:1: expected an object",
				 f->path);
	for (m = json_first(list); m; m = json_next(m))
		devcontainer_add_feature(&f->text, json_get_str(m, "id"),
					 json_get(m, "options"));
	return 0;
}

int cli_template_features(struct cli_template *t, const char *features,
			  struct error *err)
{
	struct cli_template_file *f = find_config(t);
	cleanup_json struct json *list = jsonc_parse("--features", features,
						     strlen(features), err);

	if (!list)
		return error_recode(err, ERR_USAGE);
	if (check(list, err) < 0)
		return -1;
	if (!f)
		return error_set(err, ERR_USAGE, "--features: the template "
				 "has no devcontainer.json");
	return add_all(f, list, err);
}
