/* config.c - which configuration is read, and what is added to it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"
#include "devcontainer/devcontainer.h"

#define O(member) offsetof(struct cli_project_options, member)
const struct opt cli_config_rows[] = {
	{ OPT_GROUP, .help = "What configuration is read" },
	{ OPT_STR, 0, "config", "NAME|PATH",
	  "ENVBUILDER_DEVCONTAINER_JSON_PATH",
	  "the devcontainer.json, or the folder of .devcontainer it is in",
	  O(config) },
	{ OPT_STR, 0, "override-config", "PATH", NULL,
	  "read this instead of what is there", O(override) },
	{ OPT_STR, 0, "additional-features", "JSON", NULL,
	  "install these Features, too: an object as in the configuration",
	  O(features) },
	{ OPT_LIST, 0, "id-label", "NAME=VALUE", NULL,
	  "know the environment, and ${devcontainerId}, by this label",
	  O(id_labels) },
	{ OPT_ENUM, 0, "mount-workspace-git-root", "true|false", NULL,
	  "mount the top of the Git tree (default: true)", O(no_git_root),
	  .optional = true },
	{ OPT_END },
};

int cli_config_labels(const struct strvec *given, struct json **labels,
		      struct error *err)
{
	cleanup_json struct json *all = json_new_object();

	for (size_t i = 0; i < given->nr; i++) {
		const char *eq = strchr(given->v[i], '=');
		cleanup_free char *key = NULL;

		if (!eq || eq == given->v[i] || !eq[1])
			return error_set(err, ERR_USAGE,
					 "--id-label: '%s' is not NAME=VALUE",
					 given->v[i]);
		key = xstrndup(given->v[i], (size_t)(eq - given->v[i]));
		json_set_str(all, key, eq + 1);
	}
	*labels = given->nr ? steal_ptr(&all) : NULL;
	return 0;
}

static bool has_feature(const struct json *list, const char *id)
{
	for (const struct json *m = json_first(list); m; m = json_next(m))
		if (str_eq_null(json_get_str(m, "id"), id))
			return true;
	return false;
}

static void add_feature(struct record_plan *plan, const struct json *member)
{
	struct json *one;

	if (!plan->features)
		plan->features = json_new_array();
	if (has_feature(plan->features, json_key(member)))
		return;
	one = json_push(plan->features, json_new_object());
	json_set_str(one, "id", json_key(member));
	json_set(one, "options", json_dup(member));
	json_set_str(one, "where", "--additional-features");
	json_set_bool(one, "additional", true);
}

int cli_config_features(const char *text, struct record_plan *plan,
			struct error *err)
{
	cleanup_json struct json *j = NULL;

	if (strlen(text) > DEVCONTAINER_MAX)
		return error_set(err, ERR_USAGE, "--additional-features: "
				 "longer than %d bytes", DEVCONTAINER_MAX);
	j = jsonc_parse("--additional-features", text, strlen(text), err);
	if (!j)
		return error_recode(err, ERR_USAGE);
	if (json_kind(j) != JSON_OBJECT) {
		error_set(err, ERR_USAGE, "--additional-features: expected an "
			  "object");
		return error_hint(err, "write it as \"features\" of a "
				       "devcontainer.json: {\"ID\": {}}");
	}
	if (json_first(j) && !plan->config_file)
		return error_set(err, ERR_USAGE, "--additional-features is "
				 "for a project with a devcontainer.json");
	for (const struct json *m = json_first(j); m; m = json_next(m))
		add_feature(plan, m);
	return 0;
}
