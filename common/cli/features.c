/* features.c - the Features of a plan, found, written, made ready to build */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/features.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/path.h"

void cli_features_release(struct cli_features *f)
{
	devcontainer_features_release(&f->list);
	strvec_release(&f->dirs);
	strbuf_release(&f->text);
	free(f->target);
	json_free(f->metadata);
	registry_free(f->client);
}

enum feature_lock cli_features_lock(const struct cli_build_options *o,
				    bool look)
{
	if (o->frozen_lockfile)
		return FEATURE_LOCK_FROZEN;
	if (o->no_lockfile)
		return FEATURE_LOCK_NONE;
	return look ? FEATURE_LOCK_READ : FEATURE_LOCK_WRITE;
}

/* `file` is the configuration's absolute path then. */
static int request(struct cli_features *f, struct feature_request *q,
		   const struct record_plan *plan,
		   const struct cli_features_from *from, char **file,
		   struct error *err)
{
	if (!plan->config_file)
		return error_set(err, ERR_INPUT,
				 "the plan has Features and "
				 "no 'config_file' beside which they are "
				 "found");
	*file = path_absolute(plan->config_file);
	*q = (struct feature_request){
		.store = from->store,
		.registry = from->registry,
		.client = &f->client,
		.pull = from->pull,
		.lock = from->lock,
		.config_file = *file,
		.wanted = plan->features,
		.override =
			json_get(plan->config, "overrideFeatureInstallOrder"),
	};
	return 0;
}

/* Their entries come before that of the file itself. */
static struct json *join_metadata(const struct cli_features *f,
				  const struct record_plan *plan)
{
	struct json *all = feature_entries(&f->list);
	const struct json *m = json_first(plan->metadata);

	for (; m; m = json_next(m))
		json_push(all, json_dup(m));
	return all;
}

int cli_features_find(struct cli_features *f, const struct record_plan *plan,
		      const struct cli_features_from *from, struct error *err)
{
	cleanup_free char *file = NULL;
	struct feature_request q;

	if (!json_first(plan->features))
		return 0;
	if (request(f, &q, plan, from, &file, err) < 0 ||
	    feature_resolve(&q, &f->list, err) < 0)
		return -1;
	f->metadata = join_metadata(f, plan);
	return 0;
}

int cli_features_versions(struct cli_features *f,
			  const struct record_plan *plan,
			  const struct cli_features_from *from,
			  struct json **out, struct error *err)
{
	cleanup_free char *file = NULL;
	struct feature_request q;

	if (request(f, &q, plan, from, &file, err) < 0)
		return -1;
	return feature_outdated(&q, out, err);
}

int cli_features_write(struct cli_features *f, const struct record_plan *plan,
		       const char *name, const struct strbuf *text,
		       struct error *err)
{
	const struct feature_text in = { .name = name,
					 .text = text->buf,
					 .n = text->len,
					 .target = plan->target,
					 .config = plan->config };

	return feature_dockerfile(&in, &f->list, &f->text, &f->target, err);
}

static int unpack(struct cli_features *f, const struct record_plan *plan,
		  const struct cli_features_from *from,
		  struct build_named_list *named, struct error *err)
{
	cleanup_free char *file = NULL;
	struct feature_request q;

	if (request(f, &q, plan, from, &file, err) < 0 ||
	    feature_unpack(&q, &f->list, &f->dirs, err) < 0)
		return -1;
	for (size_t i = 0; i < f->dirs.nr; i++) {
		cleanup_free char *context =
			xstrfmt(FEATURE_CONTEXT "%zu=%s", i, f->dirs.v[i]);

		if (build_named_add(named, context, err) < 0)
			return -1;
	}
	return 0;
}

void cli_features_references(const struct record_plan *plan,
			     struct build_references *list)
{
	const struct json *m;

	for (m = json_first(plan->features); m; m = json_next(m))
		if (json_get_str(m, "id"))
			build_references_feature(list, json_get_str(m, "id"));
}

/* All that is refused is told together, before anything is fetched; without
 * Features build_run does so. */
static int ask_first(const struct record_plan *plan,
		     const struct build_named_list *named,
		     const struct build_options *bo, struct error *err)
{
	cleanup_build_references struct build_references list = { 0 };
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_oci_platform struct oci_platform host = { 0 };
	const struct build_eval_options eo = { .build_args = bo->args,
					       .target = bo->target,
					       .platform = &host,
					       .build_platform = &host,
					       .named = named };

	oci_platform_host(&host);
	cli_features_references(plan, &list);
	if (dockerfile_parse(&df, bo->name, bo->text, bo->text_len, NULL) < 0 ||
	    build_references_find(&list, &df, &eo, NULL) < 0)
		log_debug("what is wrong with %s is told later", bo->name);
	return build_references_ask(&list, bo->name, err);
}

int cli_features_build(struct cli_features *f, const struct record_plan *plan,
		       const struct cli_features_from *from,
		       struct build_named_list *named, struct build_options *bo,
		       struct error *err)
{
	const struct strbuf text = { .buf = (char *)bo->text,
				     .len = bo->text_len };

	if (gate_strict() && json_first(plan->features) &&
	    ask_first(plan, named, bo, err) < 0)
		return -1;
	if (cli_features_find(f, plan, from, err) < 0)
		return -1;
	if (!f->list.nr)
		return 0;
	if (cli_features_write(f, plan, bo->name, &text, err) < 0 ||
	    unpack(f, plan, from, named, err) < 0)
		return -1;
	bo->text = f->text.buf;
	bo->text_len = f->text.len;
	bo->target = f->target;
	bo->metadata = f->metadata;
	bo->features = true;
	return 0;
}

int cli_features_failed(const struct cli_features *f,
			const struct build_result *result, struct error *err)
{
	const struct devcontainer_feature *one = NULL;
	const char *page;
	size_t n = 0;

	/* Their steps are in the order of the list. */
	for (size_t i = 0; !one && i < result->n_steps; i++) {
		if (n == f->list.nr ||
		    !str_starts(result->steps[i].text, "RUN " FEATURE_TITLE))
			continue;
		if (result->steps[i].failed)
			one = &f->list.v[n];
		n++;
	}
	if (!one)
		return -1;
	error_wrap(err, "%s%sFeature '%s'", one->where ? one->where : "",
		   one->where ? ": " : "", one->id);
	page = json_get_str(one->metadata.json, "documentationURL");
	return page ? error_hint(err, "it is described at %s", page) : -1;
}

void cli_features_dirs(const struct record_plan *plan, struct strvec *dirs)
{
	cleanup_devcontainer_feature_place struct devcontainer_feature_place
		place = { 0 };
	const struct json *m = json_first(plan->features);

	if (!m || !plan->config_file)
		return;
	devcontainer_feature_place_of(&place, plan->config_file);
	for (; m; m = json_next(m)) {
		cleanup_devcontainer_feature_ref struct devcontainer_feature_ref
			ref = { 0 };
		const char *id = json_get_str(m, "id");

		if (id &&
		    devcontainer_feature_ref_parse(&ref, id, &place, NULL) ==
			    0 &&
		    ref.dir && fs_is_dir(ref.dir))
			strvec_push(dirs, ref.dir);
	}
}
