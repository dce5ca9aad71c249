/* builder.c - building a plan, as several commands do it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "base/log.h"
#include "base/path.h"
#include "cli/caches.h"
#include "cli/features.h"
#include "cli/probe.h"

#define O(member) offsetof(struct cli_build_options, member)
const struct opt cli_build_rows[] = {
	{ OPT_GROUP, .help = "How it is built" },
	{ OPT_BOOL, 0, "no-cache", NULL, NULL, "run every step again",
	  O(no_cache) },
	{ OPT_BOOL, 0, "pull", NULL, NULL,
	  "ask the registry for base images that are in the store, too",
	  O(pull) },
	{ OPT_ENUM, 0, "network", "default|host|none", NULL,
	  "network of RUN (default: the host's)", O(network) },
	{ OPT_LIST, 0, "build-context", "NAME=SOURCE", NULL,
	  "let NAME mean another directory or image in the Dockerfile",
	  O(contexts) },
	{ OPT_ENUM, 0, "driver", CLI_DRIVERS, NULL, CLI_DRIVER_HELP,
	  O(driver) },
	{ OPT_BOOL, 0, "frozen-lockfile", NULL, NULL,
	  "fail unless devcontainer-lock.json says all about Features",
	  O(frozen_lockfile) },
	{ OPT_BOOL, 0, "no-lockfile", NULL, NULL,
	  "neither read nor write devcontainer-lock.json", O(no_lockfile) },
	{ OPT_LIST, 0, "label", "KEY=VALUE", NULL, "set a label of the image",
	  O(labels) },
	{ OPT_LIST, 0, "annotation", "KEY=VALUE", NULL,
	  "set an annotation of the manifest", O(annotations) },
	{ OPT_BOOL, 0, "explain", NULL, NULL,
	  "say why steps have to run: which file, variable or command changed",
	  O(explain) },
	{ OPT_STR, 0, "cache-repo", "CACHE", "ENVBUILDER_CACHE_REPO",
	  "read steps from this cache (HOST/REPOSITORY or oci:DIR), and "
	  "publish there what it lacks", O(cache_repo) },
	{ OPT_LIST, 0, "cache-from", "CACHE", NULL,
	  "read steps from this cache, too", O(cache_from) },
	{ OPT_STR, 0, "cache-to", "CACHE[,mode=min|max]", NULL,
	  "publish steps there: the target's, or those of all stages",
	  O(cache_to) },
	{ OPT_STR, 0, "layer-cache-dir", "DIR", "ENVBUILDER_LAYER_CACHE_DIR",
	  "--cache-repo oci:DIR, which it replaces", O(layer_cache_dir) },
	{ OPT_STR, 0, "cache-ttl", "AGE", NULL,
	  "steps that nobody used for so long (36h, 14d) are not in a cache",
	  O(cache_ttl) },
	{ OPT_STR, 0, "cache-ttl-days", "N", "ENVBUILDER_CACHE_TTL_DAYS",
	  "--cache-ttl in days, where 0 is a week", O(cache_ttl_days) },
	{ OPT_BOOL, 0, "push-image", NULL, "ENVBUILDER_PUSH_IMAGE",
	  "call the published image 'latest' in the cache, too",
	  O(push_image) },
	{ OPT_BOOL, 0, "exit-on-push-failure", NULL,
	  "ENVBUILDER_EXIT_ON_PUSH_FAILURE",
	  "fail when the cache cannot be written to", O(must_publish) },
	{ OPT_INT, 0, "jobs", "N", NULL,
	  "steps at once (default: the processors, at least 4)", O(jobs) },
	{ OPT_STR, 0, "report", "FILE.html", NULL,
	  "write a page about the build: time, cache, layers", O(report) },
	{ OPT_LIST, 0, "secret", "id=ID[,src=FILE|,env=NAME]", OPT_NO_ENV,
	  "let RUN --mount=type=secret read it", O(secrets) },
	{ OPT_LIST, 0, "build-secrets", "ID=VALUE", "ENVBUILDER_BUILD_SECRETS",
	  "the same by value; better in the environment", O(values),
	  .secret = true },
	{ OPT_LIST, 0, "ssh", "ID[=SOCKET|KEY[,KEY]]", OPT_NO_ENV,
	  "let RUN --mount=type=ssh ask this agent", O(ssh) },
	{ OPT_LIST, 0, "allow", "RIGHT", NULL,
	  "network.host, or security.insecure: all rights of root", O(allow) },
	{ OPT_END },
};

#define JOBS_MAX 256 /* more only compete with each other */

void cli_builder_release(struct cli_builder *b)
{
	registry_free(b->registry);
	store_close(b->store);
}

int cli_build_contexts(const struct cli_build_options *o,
		       struct build_named_list *named, struct error *err)
{
	size_t i;

	for (i = 0; i < o->contexts.nr; i++)
		if (build_named_add(named, o->contexts.v[i], err) < 0)
			return -1;
	return 0;
}

/* Of a build that failed, too; its error is the one that counts. */
static int write_report(const struct cli_builder *b,
			const struct cli_build_options *o, const char *name,
			const struct build_result *result, int rc,
			struct error *err)
{
	cleanup_strbuf struct strbuf page = STRBUF_INIT;
	const struct build_report_options ro = {
		.store = b->store,
		.name = name,
		.failure = rc < 0 && err ? err->msg : NULL,
	};

	if (!o->report || !*o->report)
		return rc;
	build_report(result, &ro, &page);
	if (cli_write(o->report, &page, rc < 0 ? NULL : err) < 0)
		return -1;
	return rc;
}

/* As buildx writes them, an index may be meant. */
static int check_annotations(const struct cli_build_options *o,
			     struct error *err)
{
	size_t i;

	for (i = 0; i < o->annotations.nr; i++) {
		const char *text = o->annotations.v[i];
		const char *equals = strchr(text, '=');
		const char *colon = strchr(text, ':');

		if (!equals || equals == text)
			return error_set(err, ERR_USAGE, "--annotation takes "
					 "KEY=VALUE, not '%s'", text);
		if (colon && colon < equals)
			return error_set(err, ERR_USAGE, "--annotation "
					 "annotates manifests only: '%.*s'",
					 (int)(colon - text), text);
	}
	return 0;
}

/* The options of a build, and what they borrow. */
struct ready {
	struct strbuf text;
	struct build_named_list named;
	struct strvec labels;
	struct cli_caches caches;
	struct cli_granted granted;
	struct cli_features features;
	char *name;
	struct build_options o;
};

static void ready_release(struct ready *r)
{
	strbuf_release(&r->text);
	build_named_release(&r->named);
	strvec_release(&r->labels);
	cli_caches_release(&r->caches);
	cli_granted_release(&r->granted);
	cli_features_release(&r->features);
	oci_platform_release(&r->o.platform);
	free(r->name);
}

/* What a configuration asks for, unless the command line says otherwise. */
static enum runtime_network network(const struct cli_build_options *o,
				    const struct record_plan *plan)
{
	const char *asked = json_get_str(plan->options, "network");

	if (o->network == 2 || (!o->network && str_eq_null(asked, "none")))
		return RUNTIME_NET_NONE;
	return RUNTIME_NET_HOST;
}

/* Those of the command line come last and win. */
static void set_labels(struct ready *r, const struct cli_build_options *o,
		       const struct record_plan *plan)
{
	const struct json *m = json_first(json_get(plan->options, "labels"));

	for (; m; m = json_next(m))
		if (json_str(m))
			strvec_pushf(&r->labels, "%s=%s", json_key(m),
				     json_str(m));
	for (size_t i = 0; i < o->labels.nr; i++)
		strvec_push(&r->labels, o->labels.v[i]);
}

static void set_options(struct ready *r, const struct cli_builder *b,
			const struct cli_build_options *o,
			const struct record_plan *plan)
{
	r->o = (struct build_options){
		.store = b->store,
		.registry = &b->registry_options,
		.context = plan->context,
		.context_time = b->context_time,
		.dockerfile = plan->dockerfile,
		.target = plan->target,
		.args = &plan->args,
		.named = &r->named,
		.labels = &r->labels,
		.origin = { b->source.url, b->source.commit,
			    plan->kind == RECORD_TEMPLATE ? plan->name
							  : NULL },
		.annotations = &o->annotations,
		.metadata = plan->metadata,
		.no_cache = o->no_cache ||
			    json_get_bool(plan->options, "no_cache"),
		.pull = o->pull || json_get_bool(plan->options, "pull"),
		.single_id = b->mode == RUNTIME_SINGLE,
		.by_chroot = b->mode == RUNTIME_CHROOT,
		.network = network(o, plan),
		.git = { .url = b->origin,
			 .ca_file = b->registry_options.ca_file,
			 .ca_base64 = b->registry_options.ca_base64 },
		.jobs = (unsigned int)MIN(o->jobs, JOBS_MAX),
		.explain = o->explain || o->report,
		.must_publish = o->must_publish,
		.latest = o->push_image,
	};
	set_labels(r, o, plan);
	if (b->git)
		cli_git_access(b->git, &r->o.git);
}

/* `look`: nothing is changed but the store. */
static int get_ready(struct ready *r, const struct cli_builder *b,
		     const struct cli_build_options *o,
		     const struct record_plan *plan, bool look,
		     struct error *err)
{
	const struct cli_features_from from = {
		.store = b->store,
		.registry = &b->registry_options,
		.pull = o->pull,
		.lock = cli_features_lock(o, look || b->source.url),
	};
	const char *inside = NULL;

	*r = (struct ready){ .text = STRBUF_INIT,
			     .features = CLI_FEATURES_INIT };
	set_options(r, b, o, plan);
	if (cli_caches_get(&r->caches, o, err) < 0 ||
	    cli_build_contexts(o, &r->named, err) < 0 ||
	    check_annotations(o, err) < 0 ||
	    cli_granted_get(&r->granted, o, b->mode, &r->o, err) < 0 ||
	    cli_project_dockerfile(plan, &r->text, &r->name, err) < 0)
		return -1;
	if (o->push_image && !r->caches.to)
		return error_set(err, ERR_USAGE,
				 "--push-image needs --cache-repo or "
				 "--cache-to");
	r->o.cache_from = b->alone ? NULL : &r->caches.from;
	r->o.cache_renew = b->alone;
	r->o.cache_to = r->caches.to;
	r->o.cache_max = r->caches.max;
	r->o.cache_ttl = r->caches.ttl;
	if (b->fetched && plan->dockerfile)
		inside = path_below(plan->dockerfile, plan->context);
	r->o.name = inside ? inside : r->name;
	r->o.text = r->text.buf;
	r->o.text_len = r->text.len;
	if (cli_features_build(&r->features, plan, &from, &r->named, &r->o,
			       err) < 0)
		return -1;
	if (plan->platform)
		return oci_platform_parse(&r->o.platform, plan->platform, err);
	oci_platform_host(&r->o.platform);
	return 0;
}

int cli_build_plan(const struct cli_builder *b,
		   const struct cli_build_options *o,
		   const struct record_plan *plan, struct build_result *result,
		   struct error *err)
{
	CLEANUP(ready_release) struct ready r;
	int rc;

	if (get_ready(&r, b, o, plan, false, err) < 0)
		return -1;
	rc = build_run(&r.o, result, err);
	if (rc < 0)
		cli_features_failed(&r.features, result, err);
	return write_report(b, o, r.o.name, result, rc, err);
}

int cli_probe_plan(const struct cli_builder *b,
		   const struct cli_build_options *o,
		   const struct record_plan *plan, bool verify,
		   struct build_probe *probe, struct error *err)
{
	CLEANUP(ready_release) struct ready r;

	if (get_ready(&r, b, o, plan, true, err) < 0)
		return -1;
	return build_probe(&r.o, verify, probe, err);
}

int cli_build_name(const struct cli_builder *b, const struct strvec *tags,
		   struct store_image *image, struct error *err)
{
	size_t i;

	for (i = 0; i < tags->nr; i++) {
		cleanup_oci_ref struct oci_ref ref = { 0 };

		if (oci_ref_parse(&ref, tags->v[i], err) < 0)
			return -1;
		free(image->reference);
		image->reference = oci_ref_format(&ref);
		if (store_put_image(b->store, image, err) < 0)
			return -1;
	}
	return tags->nr ? 0 : store_put_image(b->store, image, err);
}

static struct json *steps_json(const struct store *store,
			       const struct build_result *result)
{
	struct json *list = json_new_array();
	size_t i;

	for (i = 0; i < result->n_steps; i++) {
		const struct build_step_report *s = &result->steps[i];
		struct json *j = json_push(list, json_new_object());
		struct store_meta meta = { 0 };

		if (s->layer[0] &&
		    store_get_meta(store, s->layer, &meta, NULL) < 0)
			meta.size = 0;
		json_set_int(j, "stage", (int64_t)s->stage);
		json_set_int(j, "line", s->line);
		json_set_str(j, "instruction", s->text);
		json_set(j, "key", json_new_str(s->key[0] ? s->key : NULL));
		json_set_bool(j, "cached", s->cached);
		if (s->reasons.nr)
			json_set_strvec(j, "reasons", &s->reasons);
		json_set(j, "seconds", json_new_number(s->seconds));
		json_set_int(j, "size", (int64_t)meta.size);
	}
	return list;
}

void cli_build_record(struct record *r, const struct store *s,
		      const struct build_result *result)
{
	cli_image_record(r, s, &result->image);
	json_set(record_get(r, "image"), "steps", steps_json(s, result));
	if (json_len(result->dependencies))
		json_set(record_get(r, "image"), "dependencies",
			 json_dup(result->dependencies));
}
