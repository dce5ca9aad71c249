/* provenance.c - how an image was built, as an in-toto statement */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/attest.h"

#include "base/log.h"
#include "base/path.h"
#include "dockerfile/dockerfile.h"
#include "wrap/giturl.h"

#define STATEMENT "https://in-toto.io/Statement/v1"
#define BUILD_TYPE "https://devenv.dev/build/v1"
#define BUILDER "https://devenv.dev/devenv"

static struct json *digest_json(const char *kind, const char *value)
{
	struct json *j = json_new_object();

	json_set_str(j, kind, value);
	return j;
}

static struct json *subjects(const struct cli_subject *s)
{
	struct json *list = json_new_array();
	size_t i;

	for (i = 0; i < s->n; i++) {
		cleanup_free char *name = oci_ref_format(&s->refs[i]);
		struct json *one = json_push(list, json_new_object());

		json_set_str(one, "name", name);
		json_set(one, "digest",
			 digest_json("sha256", digest_hex(s->digest)));
	}
	return list;
}

/* "git+URL", or NULL for a directory of this machine. */
static char *source_uri(const struct record_source *source)
{
	cleanup_giturl struct giturl u = { 0 };
	cleanup_free char *url = NULL;

	if (!source->url || giturl_parse(&u, source->url, NULL) < 0)
		return NULL;
	url = giturl_canonical(&u);
	return url ? xstrfmt("git+%s", url) : NULL;
}

/* The repository, as the source or as one of the dependencies. */
static struct json *source_json(const struct record_source *source)
{
	cleanup_free char *uri = source_uri(source);
	struct json *j;

	if (!uri && !source->commit)
		return NULL;
	j = json_new_object();
	if (uri)
		json_set_str(j, "uri", uri);
	if (source->commit)
		json_set(j, "digest",
			 digest_json("gitCommit", source->commit));
	return j;
}

/* A path as the repository knows it: what lies outside has only a name. */
static void set_path(struct json *j, const char *key, const char *path,
		     const char *top)
{
	const char *below = path && top ? path_below(path, top) : NULL;
	cleanup_free char *base = path ? path_base(path) : NULL;

	if (below)
		json_set_str(j, key, *below ? below : ".");
	else if (base)
		json_set_str(j, key, base);
}

/* A proxy's address may hold a password. */
static bool is_withheld(const char *name)
{
	return dockerfile_is_secret(name) || str_ends(name, "_proxy") ||
	       str_ends(name, "_PROXY");
}

static void set_args(struct json *j, const struct strvec *args)
{
	struct json *given = json_new_object();
	struct json *withheld = json_new_array();
	size_t i;

	for (i = 0; i < args->nr; i++) {
		const char *text = args->v[i];
		cleanup_free char *key = xstrndup(text, strcspn(text, "="));
		const char *value = text[strlen(key)] ? text + strlen(key) + 1
						      : NULL;

		if (!value || is_withheld(key))
			json_push(withheld, json_new_str(key));
		else
			json_set_str(given, key, value);
	}
	json_set(j, "args", given);
	if (json_len(withheld))
		json_set(j, "argsWithheld", withheld);
	else
		json_free(withheld);
}

static struct json *parameters(const struct record_plan *plan,
			       const struct record_source *source,
			       const char *platform)
{
	struct json *j = json_new_object();
	struct json *from = source_json(source);
	const char *top = source->path ? source->path : plan->context;

	json_set_str(j, "kind", record_kind_name(plan->kind));
	if (from && source->ref)
		json_set_str(from, "ref", source->ref);
	if (from)
		json_set(j, "source", from);
	set_path(j, "context", plan->context, top);
	set_path(j, "dockerfile", plan->dockerfile, top);
	if (plan->target)
		json_set_str(j, "target", plan->target);
	if (plan->name)
		json_set_str(j, "template", plan->name);
	json_set_str(j, "platform", platform);
	set_args(j, &plan->args);
	return j;
}

static struct json *dependencies(const struct json *image,
				 const struct record_source *source)
{
	struct json *list = json_new_array(), *own = source_json(source);
	const struct json *m;

	if (own)
		json_push(list, own);
	for (m = json_first(json_get(image, "dependencies")); m;
	     m = json_next(m)) {
		struct json *one = json_push(list, json_new_object());

		json_set_str(one, "uri", json_get_str(m, "name"));
		json_set(one, "digest", json_dup(json_get(m, "digest")));
	}
	return list;
}

static struct json *run_details(const char *builder)
{
	struct json *j = json_new_object();
	struct json *b = json_set(j, "builder", json_new_object());
	struct json *version = json_new_object();

	json_set_str(b, "id", builder && *builder ? builder : BUILDER);
	json_set_str(version, "devenv", DEVENV_VERSION);
	json_set(b, "version", version);
	return j;
}

/* What a build wrote; what a pull wrote has no steps. */
static int check(const struct record *r, const struct json *image,
		 struct error *err)
{
	if (record_get(r, "plan") && json_len(json_get(image, "steps")))
		return 0;
	error_set(err, ERR_INPUT, "the record does not tell how the image was "
		  "built");
	return error_hint(err, "push the record that 'devenv build' prints, "
			       "not the name of an image");
}

int cli_provenance(const struct record *r, const struct cli_subject *s,
		   const char *builder, struct strbuf *out, struct error *err)
{
	cleanup_record_plan struct record_plan plan = RECORD_PLAN_INIT;
	cleanup_json struct json *j = json_new_object();
	const struct json *image = record_get(r, "image");
	struct record_source source;
	struct json *predicate, *definition;

	if (check(r, image, err) < 0 || record_plan_get(&plan, r, err) < 0)
		return -1;
	record_source_get(&source, r);
	json_set_str(j, "_type", STATEMENT);
	json_set(j, "subject", subjects(s));
	json_set_str(j, "predicateType", CLI_PROVENANCE);
	predicate = json_set(j, "predicate", json_new_object());
	definition = json_set(predicate, "buildDefinition",
			      json_new_object());
	json_set_str(definition, "buildType", BUILD_TYPE);
	json_set(definition, "externalParameters",
		 parameters(&plan, &source, json_get_str(image, "platform")));
	json_set(definition, "resolvedDependencies",
		 dependencies(image, &source));
	json_set(predicate, "runDetails", run_details(builder));
	json_write(out, j, true);
	log_mask(out);
	return 0;
}
