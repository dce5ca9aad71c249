/* plan.c - the section of a record that says what to build */
/* SPDX-License-Identifier: Apache-2.0 */
#include "record/record.h"

static const char *const kinds[] = {
	[RECORD_DEVCONTAINER] = "devcontainer",
	[RECORD_DOCKERFILE] = "dockerfile",
	[RECORD_IMAGE] = "image",
	[RECORD_TEMPLATE] = "template",
	[RECORD_FALLBACK] = "fallback",
};

const char *record_kind_name(enum record_kind kind)
{
	return kinds[kind];
}

void record_plan_release(struct record_plan *p)
{
	free(p->context);
	free(p->dockerfile);
	free(p->text);
	free(p->target);
	strvec_release(&p->args);
	free(p->platform);
	json_free(p->config);
	free(p->config_file);
	json_free(p->features);
	json_free(p->metadata);
	json_free(p->options);
	free(p->user);
	strvec_release(&p->cache_from);
	strvec_release(&p->warnings);
	json_free(p->services);
	free(p->name);
	free(p->reference);
	strvec_release(&p->credentials);
	*p = (struct record_plan)RECORD_PLAN_INIT;
}

struct reader {
	const struct record *record;
	const struct json *plan;
	const char *service; /* its number, where it is one's; or NULL */
	struct error *err;
};

static int fail(const struct reader *rd, const char *key, const char *what)
{
	const char *const own[] = { "plan", key, NULL };
	const char *const of[] = { "plan", "services", rd->service, "plan",
				   key, NULL };

	return record_fail(rd->record, rd->err, rd->service ? of : own, what);
}

static int get_str(const struct reader *rd, const char *key, char **out)
{
	const struct json *j = json_get(rd->plan, key);

	if (json_kind(j) != JSON_STRING && json_kind(j) != JSON_NULL)
		return fail(rd, key, "expected a string");
	*out = xstrdup_null(json_str(j));
	return 0;
}

static int get_list(const struct reader *rd, const char *key,
		    struct strvec *out)
{
	const struct json *j = json_get(rd->plan, key);

	if (json_kind(j) != JSON_ARRAY && json_kind(j) != JSON_NULL)
		return fail(rd, key, "expected an array of strings");
	for (j = json_first(j); j; j = json_next(j)) {
		if (!json_str(j))
			return fail(rd, key, "expected an array of strings");
		strvec_push(out, json_str(j));
	}
	return 0;
}

static int get_kind(const struct reader *rd, enum record_kind *out)
{
	const char *word = json_get_str(rd->plan, "kind");

	for (size_t i = 0; word && i < ARRAY_SIZE(kinds); i++) {
		if (str_eq(word, kinds[i])) {
			*out = (enum record_kind)i;
			return 0;
		}
	}
	return fail(rd, "kind", "expected one of devcontainer, dockerfile, "
				"image, template, fallback");
}

static int get_dockerfile(const struct reader *rd, struct record_plan *p)
{
	const struct json *j = json_get(rd->plan, "dockerfile");
	const char *path = json_get_str(j, "path");
	const char *text = json_get_str(j, "text");

	if (json_kind(j) == JSON_NULL)
		return 0;
	if (!path == !text)
		return fail(rd, "dockerfile",
			    "expected an object with \"path\" or \"text\"");
	p->dockerfile = xstrdup_null(path);
	p->text = xstrdup_null(text);
	return 0;
}

static int get_args(const struct reader *rd, struct strvec *out)
{
	const struct json *j = json_get(rd->plan, "args");

	if (json_kind(j) != JSON_OBJECT && json_kind(j) != JSON_NULL)
		return fail(rd, "args", "expected an object");
	for (j = json_first(j); j; j = json_next(j)) {
		const char *key = json_key(j);

		if (json_kind(j) == JSON_NULL)
			strvec_push(out, key);
		else if (json_str(j))
			strvec_pushf(out, "%s=%s", key, json_str(j));
		else
			return fail(rd, "args", "expected strings or null");
	}
	return 0;
}

static int get_value(const struct reader *rd, const char *key,
		     enum json_kind kind, struct json **out)
{
	const struct json *j = json_get(rd->plan, key);

	if (json_kind(j) == JSON_NULL)
		return 0;
	if (json_kind(j) != kind)
		return fail(rd, key, kind == JSON_ARRAY ? "expected an array" :
						  "expected an object");
	*out = json_dup(j);
	return 0;
}

/* Their plans are read when they are wanted. */
static int get_services(const struct reader *rd, struct json **out)
{
	const struct json *m;

	if (get_value(rd, "services", JSON_ARRAY, out) < 0)
		return -1;
	for (m = json_first(*out); m; m = json_next(m))
		if (!json_get_str(m, "name"))
			return fail(rd, "services",
				    "expected objects with a \"name\"");
	return 0;
}

static int get_all(const struct reader *rd, struct record_plan *p)
{
	if (get_kind(rd, &p->kind) < 0 ||
	    get_str(rd, "context", &p->context) < 0 ||
	    get_dockerfile(rd, p) < 0 ||
	    get_str(rd, "target", &p->target) < 0 ||
	    get_args(rd, &p->args) < 0 ||
	    get_str(rd, "platform", &p->platform) < 0 ||
	    get_value(rd, "config", JSON_OBJECT, &p->config) < 0 ||
	    get_str(rd, "config_file", &p->config_file) < 0 ||
	    get_value(rd, "features", JSON_ARRAY, &p->features) < 0 ||
	    get_value(rd, "metadata", JSON_ARRAY, &p->metadata) < 0 ||
	    get_str(rd, "user", &p->user) < 0 ||
	    get_list(rd, "cache_from", &p->cache_from) < 0 ||
	    get_value(rd, "options", JSON_OBJECT, &p->options) < 0 ||
	    get_list(rd, "warnings", &p->warnings) < 0 ||
	    get_services(rd, &p->services) < 0 ||
	    get_str(rd, "name", &p->name) < 0 ||
	    get_str(rd, "reference", &p->reference) < 0 ||
	    get_list(rd, "credentials", &p->credentials) < 0)
		return -1;
	return 0;
}

static int read_plan(struct record_plan *p, struct reader *rd)
{
	struct record_plan got = RECORD_PLAN_INIT;

	if (get_all(rd, &got) < 0) {
		record_plan_release(&got);
		return -1;
	}
	*p = got;
	return 0;
}

int record_plan_get(struct record_plan *p, const struct record *r,
		    struct error *err)
{
	struct reader rd = { .record = r,
			     .plan = record_get(r, "plan"),
			     .err = err };

	if (rd.plan)
		return read_plan(p, &rd);
	record_fail(r, err, (const char *[]){ NULL },
		    "the record has no plan");
	return error_hint(err, "pass it through 'devenv parse' first");
}

int record_plan_service(const struct record_plan *p, const struct record *r,
			size_t at, struct record_plan *out, bool *found,
			struct error *err)
{
	cleanup_free char *number = xstrfmt("%zu", at);
	struct reader rd = { .record = r,
			     .plan = json_get(json_at(p->services, at), "plan"),
			     .service = number,
			     .err = err };

	*found = rd.plan;
	return rd.plan ? read_plan(out, &rd) : 0;
}

int record_plan_check(const struct record_plan *p, struct error *err)
{
	if (!p->dockerfile && !p->text)
		return error_set(err, ERR_INPUT,
				 "the plan has no Dockerfile");
	return 0;
}

static struct json *args_json(const struct strvec *args)
{
	struct json *j = json_new_object();

	for (size_t i = 0; i < args->nr; i++) {
		const char *eq = strchr(args->v[i], '=');
		cleanup_free char *key = NULL;

		if (!eq) {
			json_set(j, args->v[i], json_new_null());
			continue;
		}
		key = xstrndup(args->v[i], (size_t)(eq - args->v[i]));
		json_set_str(j, key, eq + 1);
	}
	return j;
}

static struct json *dockerfile_json(const struct record_plan *p)
{
	struct json *j;

	if (!p->dockerfile && !p->text)
		return json_new_null();
	j = json_new_object();
	if (p->dockerfile)
		json_set_str(j, "path", p->dockerfile);
	else
		json_set_str(j, "text", p->text);
	return j;
}

static struct json *dup_or(const struct json *j, struct json *otherwise)
{
	if (!j)
		return otherwise;
	json_free(otherwise);
	return json_dup(j);
}

struct json *record_plan_json(const struct record_plan *p)
{
	struct json *j = json_new_object();

	json_set_str(j, "kind", kinds[p->kind]);
	json_set_str(j, "context", p->context);
	json_set(j, "dockerfile", dockerfile_json(p));
	json_set_str(j, "target", p->target);
	json_set(j, "args", args_json(&p->args));
	json_set_str(j, "platform", p->platform);
	json_set(j, "config", dup_or(p->config, json_new_object()));
	if (p->config_file)
		json_set_str(j, "config_file", p->config_file);
	json_set(j, "features", dup_or(p->features, json_new_array()));
	if (p->metadata)
		json_set(j, "metadata", json_dup(p->metadata));
	json_set_str(j, "user", p->user);
	json_set_strvec(j, "warnings", &p->warnings);
	if (p->cache_from.nr)
		json_set_strvec(j, "cache_from", &p->cache_from);
	if (p->options)
		json_set(j, "options", json_dup(p->options));
	if (p->name)
		json_set_str(j, "name", p->name);
	if (p->reference)
		json_set_str(j, "reference", p->reference);
	if (p->credentials.nr)
		json_set_strvec(j, "credentials", &p->credentials);
	if (p->services)
		json_set(j, "services", json_dup(p->services));
	return j;
}

void record_plan_set(const struct record_plan *p, struct record *r)
{
	record_set(r, "plan", record_plan_json(p));
}
