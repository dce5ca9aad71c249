/* features_view.c - Features as `devenv parse` shows them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "cli/features.h"

/* What was fetched before need not be fetched again; a place where nothing
 * can be kept is no reason to show nothing. */
static void open_store(const char *path, struct store **out)
{
	cleanup_error struct error err = ERROR_INIT;

	if (cli_read_store(path, out, &err) < 0)
		log_debug("nothing of Features is kept: %s", err.msg);
}

/* `ro` and `s` are what `from` borrows. */
static void find_place(const struct cli_features_look *look,
		       struct registry_options *ro, struct store **s,
		       struct cli_features_from *from)
{
	cli_registry_options(look->registry, ro);
	open_store(look->store, s);
	*from = (struct cli_features_from){
		.store = *s,
		.registry = ro,
		.pull = look->update,
		.lock = look->update ? FEATURE_LOCK_UPDATE : FEATURE_LOCK_READ,
	};
}

int cli_features_look(struct cli_features *f, const struct record_plan *plan,
		      const struct cli_features_look *look, struct error *err)
{
	cleanup_store struct store *s = NULL;
	struct registry_options ro;
	struct cli_features_from from;

	if (!json_first(plan->features))
		return 0;
	find_place(look, &ro, &s, &from);
	return cli_features_find(f, plan, &from, err);
}

int cli_features_outdated(const struct record_plan *plan,
			  const struct cli_features_look *look,
			  struct json **out, struct error *err)
{
	cleanup_cli_features struct cli_features f = CLI_FEATURES_INIT;
	cleanup_store struct store *s = NULL;
	struct registry_options ro;
	struct cli_features_from from;

	if (!json_first(plan->features)) {
		*out = json_new_object();
		return 0;
	}
	find_place(look, &ro, &s, &from);
	return cli_features_versions(&f, plan, &from, out, err);
}

static struct json *view(const struct cli_features *f, bool explain)
{
	struct json *list = json_new_array();

	for (size_t i = 0; i < f->list.nr; i++) {
		const struct devcontainer_feature *one = &f->list.v[i];
		struct json *j =
			json_push(list, devcontainer_feature_view(one));

		for (size_t k = 0; k < one->why.nr; k++)
			log_debug("%s: %s", one->id, one->why.v[k]);
		if (explain)
			json_set_strvec(j, "why", &one->why);
	}
	return list;
}

int cli_features_print(const struct record_plan *plan,
		       const struct cli_features_look *look, struct strbuf *out,
		       struct error *err)
{
	cleanup_cli_features struct cli_features f = CLI_FEATURES_INIT;
	cleanup_json struct json *j = NULL;

	if (cli_features_look(&f, plan, look, err) < 0)
		return -1;
	if (!out)
		return 0;
	j = view(&f, look->explain);
	/* The order of options may have a meaning. */
	json_write_unsorted(out, j, true);
	return 0;
}

int cli_features_dockerfile(const struct record_plan *plan,
			    const struct cli_features_look *look,
			    struct strbuf *out, struct error *err)
{
	cleanup_cli_features struct cli_features f = CLI_FEATURES_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = NULL;
	const struct strbuf *result = &text;

	if (record_plan_check(plan, err) < 0 ||
	    cli_project_dockerfile(plan, &text, &name, err) < 0 ||
	    cli_features_look(&f, plan, look, err) < 0)
		return -1;
	if (f.list.nr) {
		if (cli_features_write(&f, plan, name, &text, err) < 0)
			return -1;
		result = &f.text;
	}
	strbuf_add(out, result->buf, result->len);
	return 0;
}
