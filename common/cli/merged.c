/* merged.c - what image, features and configuration say together */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/merged.h"

#include "base/log.h"
#include "base/path.h"
#include "cli/features.h"

const char *cli_host_env(void *arg, const char *name)
{
	(void)arg;
	return *name ? getenv(name) : NULL;
}

/* Do the entries end with what the plan has put there? */
static bool ends_with(const struct json *entries, const struct json *own)
{
	size_t n = json_len(entries), k = json_len(own);
	const struct json *m, *o = json_first(own);

	if (k > n)
		return false;
	for (m = json_at(entries, n - k); o; m = json_next(m), o = json_next(o))
		if (!m || !json_equal(m, o))
			return false;
	return true;
}

/*
 * The entries of the image and of features. What the label says of the file
 * itself is left out: the plan has it, perhaps edited since.
 */
static struct json *of_others(const struct json *label,
			      const struct json *own)
{
	struct json *list = json_new_array();
	bool built = json_first(own) && ends_with(label, own);
	size_t left = json_len(label) - (built ? json_len(own) : 0);
	const struct json *m;

	for (m = json_first(label); m && left; m = json_next(m), left--)
		json_push(list, json_dup(m));
	for (m = json_first(own); m; m = json_next(m))
		if (json_get(m, "id"))
			json_push(list, json_dup(m));
	return list;
}

struct json *cli_merge(const char *label, const struct json *config,
		       const struct json *own,
		       const struct devcontainer_scope *scope,
		       struct error *err)
{
	cleanup_strvec struct strvec warnings = STRVEC_INIT;
	cleanup_json struct json *read = devcontainer_label_read(label,
								 &warnings);
	cleanup_json struct json *entries = of_others(read, own);
	cleanup_json struct json *last = devcontainer_label_entry(config);
	size_t i;

	for (i = 0; i < warnings.nr; i++)
		log_warn("%s", warnings.v[i]);
	if (devcontainer_entries_resolve(entries, config, scope, err) < 0)
		return NULL;
	if (json_first(last))
		json_push(entries, steal_ptr(&last));
	return devcontainer_merge(config, entries);
}

/* A tree without a configuration has the name that one would have; malloc'ed. */
static char *config_file(const char *file, const char *folder)
{
	return file ? path_absolute(file)
		    : path_join(folder, ".devcontainer/devcontainer.json");
}

/* What the image will be, as far as text tells. */
static int describe(const struct record_plan *plan, struct store *s,
		    const struct cli_registry *registry,
		    struct oci_config *config, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = NULL;
	struct registry_options ro;
	struct registry *r = NULL;
	struct build_options bo = { .store = s,
				    .registry = &ro,
				    .target = plan->target,
				    .args = &plan->args };
	int rc;

	cli_registry_options(registry, &ro);
	if (cli_project_dockerfile(plan, &text, &name, err) < 0)
		return -1;
	bo.name = name;
	bo.text = text.buf;
	bo.text_len = text.len;
	if (!plan->platform)
		oci_platform_host(&bo.platform);
	else if (oci_platform_parse(&bo.platform, plan->platform, err) < 0)
		return -1;
	rc = build_describe_target(&bo, &r, config, err);
	oci_platform_release(&bo.platform);
	registry_free(r);
	return rc;
}

struct json *cli_merge_plan(const struct cli_project *p,
			    const struct record_plan *plan, const char *store,
			    const struct cli_registry *registry,
			    struct error *err)
{
	cleanup_store struct store *s = NULL;
	cleanup_oci_config struct oci_config config = { 0 };
	cleanup_free char *file = config_file(plan->config_file, p->dir);
	cleanup_json struct json *none = json_new_object();
	const struct devcontainer_scope scope = { .folder = p->dir,
						  .mount_root = p->root,
						  .config_file = file,
						  .labels = p->labels,
						  .env = cli_host_env };
	cleanup_cli_features struct cli_features features = CLI_FEATURES_INIT;
	const struct cli_features_look how = { .store = store,
					       .registry = registry };

	if (cli_read_store(store, &s, err) < 0 ||
	    describe(plan, s, registry, &config, err) < 0 ||
	    cli_features_look(&features, plan, &how, err) < 0)
		return NULL;
	return cli_merge(strvec_env_get(&config.labels, DEVCONTAINER_LABEL),
			 plan->config ? plan->config : none,
			 features.metadata ? features.metadata : plan->metadata,
			 &scope, err);
}

/* The paths that a launch's scope points to. */
struct paths {
	char *folder, *file;
};

static void paths_release(struct paths *p)
{
	free(p->folder);
	free(p->file);
}

static struct devcontainer_scope launch_scope(const struct cli_launch *l,
					      struct paths *p)
{
	const struct json *plan =
		l->record ? record_get(l->record, "plan") : NULL;

	p->folder = path_absolute(l->workspace ? l->workspace : ".");
	p->file = config_file(json_get_str(plan, "config_file"), p->folder);
	return (struct devcontainer_scope){
		.folder = p->folder,
		.mount_root = l->mount_root ? l->mount_root : p->folder,
		.config_file = p->file,
		.labels = l->labels,
		.env = cli_host_env,
	};
}

struct json *cli_launch_labels(const struct cli_launch *l)
{
	CLEANUP(paths_release) struct paths p = { 0 };
	const struct devcontainer_scope scope = launch_scope(l, &p);

	return devcontainer_labels(&scope);
}

struct json *cli_merge_launch(const struct cli_launch *l, struct error *err)
{
	const struct json *plan =
		l->record ? record_get(l->record, "plan") : NULL;
	const struct json *config = json_get(plan, "config");
	cleanup_json struct json *none = json_new_object();
	CLEANUP(paths_release) struct paths p = { 0 };
	const struct devcontainer_scope scope = launch_scope(l, &p);

	return cli_merge(strvec_env_get(&l->image->config.labels,
					DEVCONTAINER_LABEL),
			 config ? config : none, json_get(plan, "metadata"),
			 &scope, err);
}
