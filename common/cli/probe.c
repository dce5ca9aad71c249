/* probe.c - what cache-probe found, for programs */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe.h"

#include "base/log.h"
#include "base/path.h"

#define NIL_ID "00000000-0000-0000-0000-000000000000"

void cli_probe_release(struct cli_probe *p)
{
	size_t i;

	cli_round_release(&p->round);
	for (i = 0; i < p->nr; i++) {
		free(p->v[i].platform);
		build_probe_release(&p->v[i].found);
	}
	free(p->v);
	json_free(p->services);
	strvec_release(&p->env);
	strvec_release(&p->sensitive);
}

static const char *or_null(const char *s)
{
	return s && *s ? s : NULL;
}

const char *cli_probe_image(const struct cli_probe *p)
{
	if (p->found && p->found->status != BUILD_PROBE_MISS &&
	    p->found->image)
		return p->found->image;
	return or_null(p->builder) ? p->builder : or_null(p->fallback);
}

/* An instruction that makes a layer, of which nobody has it. */
static bool is_missing(const struct build_step_report *s)
{
	return *s->key && !s->cached;
}

const struct build_step_report *cli_probe_miss(const struct build_probe *found)
{
	const struct build_result *r = &found->result;
	size_t i;

	for (i = 0; i < r->n_steps; i++)
		if (is_missing(&r->steps[i]))
			return &r->steps[i];
	return NULL;
}

static void set(struct json *j, const char *key, const char *value)
{
	json_set(j, key, json_new_str(or_null(value)));
}

static char *reason_of(const struct build_step_report *s)
{
	struct strbuf text = STRBUF_INIT;
	size_t i;

	for (i = 0; i < s->reasons.nr; i++)
		strbuf_addf(&text, "%s%s", i ? "; " : "", s->reasons.v[i]);
	if (!text.len && is_missing(s))
		strbuf_addstr(&text, "no step with this key is known");
	return strbuf_detach(&text);
}

static struct json *step_json(const struct build_step_report *s)
{
	cleanup_free char *reason = reason_of(s);
	struct json *j = json_new_object();

	json_set_int(j, "stage", (int64_t)s->stage);
	json_set_int(j, "line", s->line);
	json_set_str(j, "instruction", s->text);
	set(j, "key", s->key);
	json_set_bool(j, "cached", s->cached || !*s->key);
	set(j, "reason", reason);
	return j;
}

static struct json *steps_json(const struct cli_probe *p, bool full)
{
	const struct build_result *r = &p->found->result;
	struct json *list = json_new_array();
	size_t i;

	for (i = 0; i < r->n_steps; i++) {
		const struct build_step_report *s = &r->steps[i];
		struct json *j = json_push(list, step_json(s));

		if (full) {
			set(j, "created", s->created);
			set(j, "expires", s->expires);
		}
		if (s->parts.nr)
			json_set_strvec(j, "parts", &s->parts);
	}
	return list;
}

static struct json *miss_json(const struct cli_probe *p)
{
	const struct build_step_report *s = cli_probe_miss(p->found);
	struct json *j;

	if (p->found->status != BUILD_PROBE_MISS)
		return json_new_null();
	if (s && !p->found->reason)
		return step_json(s);
	j = json_new_object();
	set(j, "reason", p->found->reason);
	return j;
}

static void set_platforms(const struct cli_probe *p, struct json *j)
{
	struct json *list = cli_probe_platforms(p);

	if (list)
		json_set(j, "platforms", list);
}

/* --- the record --- */

static int print_record(struct cli_probe *p, struct error *err)
{
	struct record *r = &p->round.project.record;
	struct json *j = json_new_object();

	json_set_str(j, "status", cli_probe_status(p->found));
	set(j, "image", p->found->status == BUILD_PROBE_MISS
				? NULL
				: p->found->image);
	set(j, "digest", p->found->digest);
	json_set(j, "first_miss", miss_json(p));
	json_set(j, "steps", steps_json(p, false));
	set_platforms(p, j);
	if (p->services)
		json_set(j, "services", json_dup(p->services));
	record_plan_set(&p->round.plan, r);
	record_set(r, "cache", j);
	return cli_record_write(r, err);
}

/* --- one object --- */

static struct json *bases_json(const struct cli_probe *p)
{
	struct json *list = json_new_array();
	size_t i;

	for (i = 0; i < p->found->n_bases; i++) {
		struct json *j = json_push(list, json_new_object());

		json_set_str(j, "ref", p->found->bases[i].name);
		set(j, "digest", p->found->bases[i].digest);
		json_set_str(j, "platform", p->found->bases[i].platform);
	}
	return list;
}

static struct json *env_map(const struct cli_probe *p)
{
	struct json *map = json_new_object();
	size_t i;

	for (i = 0; i < p->env.nr; i++) {
		const char *value = strchr(p->env.v[i], '=');
		cleanup_free char *key = xstrndup(
			p->env.v[i], (size_t)(value - p->env.v[i]));

		json_set_str(map, key, value + 1);
	}
	return map;
}

/* Where the plan was read, from the top of its tree. */
static const char *spec_path(const struct cli_probe *p)
{
	const struct cli_project *project = &p->round.project;
	const char *file = project->file ? project->file
					 : p->round.plan.dockerfile;
	const char *below = file && project->dir
				    ? path_below(file, project->dir) : NULL;

	return below && *below ? below : file;
}

static void set_source(const struct cli_probe *p, struct json *j)
{
	struct record_source source = { 0 };

	if (p->round.project.record.json)
		record_source_get(&source, &p->round.project.record);
	set(j, "commit", source.commit);
	set(j, "ref", source.ref);
	json_set_strvec(j, "warnings", &p->round.plan.warnings);
	json_set_strvec(j, "env", &p->env);
	json_set(j, "env_map", env_map(p));
	json_set_strvec(j, "env_sensitive_keys", &p->sensitive);
}

static struct json *object(const struct cli_probe *p)
{
	const struct record_plan *plan = &p->round.plan;
	bool miss = p->found->status == BUILD_PROBE_MISS;
	struct json *j = json_new_object();

	json_set_str(j, "status", cli_probe_status(p->found));
	set(j, "error_class", NULL);
	json_set_bool(j, "exists", !miss && p->found->image);
	set(j, "image", cli_probe_image(p));
	set(j, "id", miss	     ? NULL
		     : *p->found->digest ? p->found->digest : p->found->id);
	set(j, "tag", p->found->tag);
	set(j, "spec_path", spec_path(p));
	json_set_str(j, "mode", record_kind_name(plan->kind));
	set(j, "user", plan->user ? plan->user : p->found->user);
	json_set(j, "base_images", bases_json(p));
	json_set(j, "steps", steps_json(p, true));
	json_set(j, "first_miss", miss_json(p));
	set_platforms(p, j);
	set_source(p, j);
	return j;
}

static int print_json(const struct json *j, bool pretty, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	json_write(&out, j, pretty);
	if (!pretty)
		strbuf_addch(&out, '\n');
	return cli_write(NULL, &out, err);
}

/* --- Terraform --- */

/* Values are strings there; what has a structure is one in JSON. */
static void flatten(struct json *to, const struct json *from)
{
	static const char *const keys[] = { "status", "image", "tag", "commit",
					    "ref", "mode", "user" };
	static const char *const structured[] = { "env", "env_map",
						  "env_sensitive_keys",
						  "warnings", "first_miss",
						  "platforms" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *value = json_get_str(from, keys[i]);

		json_set_str(to, keys[i], value ? value : "");
	}
	for (i = 0; i < ARRAY_SIZE(structured); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;
		const struct json *value = json_get(from, structured[i]);

		if (!value)
			continue;
		json_write(&text, value, false);
		json_set_str(to, structured[i], text.buf);
	}
}

static int print_terraform(const struct cli_probe *p, struct error *err)
{
	cleanup_json struct json *all = object(p), *j = json_new_object();
	const char *id = json_get_str(all, "id");

	flatten(j, all);
	json_set_str(j, "exists", json_get_bool(all, "exists") ? "true"
							       : "false");
	json_set_str(j, "id", id ? id : NIL_ID);
	return print_json(j, false, err);
}

/* --- all of them --- */

static int print_env(const struct build_probe *p, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (p->status != BUILD_PROBE_MISS && p->image)
		strbuf_addf(&out, "ENVBUILDER_CACHED_IMAGE=%s\n", p->image);
	return cli_write(NULL, &out, err);
}

int cli_probe_variable(const struct cli_builder *b,
		       const struct cli_build_options *o,
		       const struct record_plan *plan, struct error *err)
{
	cleanup_build_probe struct build_probe p = { 0 };

	if (cli_probe_plan(b, o, plan, false, &p, err) < 0)
		return -1;
	if (p.status != BUILD_PROBE_MISS)
		return print_env(&p, err);
	error_set(err, ERR_NO, "no cache has the image of this build");
	return error_hint(err, "'devenv cache-probe --explain' says why");
}

int cli_probe_print(struct cli_probe *p, enum cli_probe_format format,
		    struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;

	switch (format) {
	case CLI_PROBE_RECORD:
		return print_record(p, err);
	case CLI_PROBE_TEXT:
		cli_probe_text(p, &text);
		return cli_write(NULL, &text, err);
	case CLI_PROBE_ENV:
		return print_env(p->found, err);
	case CLI_PROBE_TERRAFORM:
		return print_terraform(p, err);
	case CLI_PROBE_JSON:
		break;
	}
	j = object(p);
	return print_json(j, true, err);
}

static const char *class_of(const struct cli_probe *p, const struct error *err)
{
	bool git = p->phase == CLI_PROBE_CLONING;

	switch (err->code) {
	case ERR_REFUSED:
		return git ? "git-auth" : "registry-auth";
	case ERR_NETWORK:
		return git ? "git-network" : "registry-network";
	case ERR_INPUT:
		return strstr(err->msg, "not supported")
			       ? "unsupported-instruction" : "spec";
	case ERR_USAGE:
		return "usage";
	default:
		return "system";
	}
}

int cli_probe_failed(struct cli_probe *p, enum cli_probe_format format,
		     struct error *err)
{
	cleanup_error struct error ignored = ERROR_INIT;

	if (format == CLI_PROBE_JSON) {
		cleanup_json struct json *j = json_new_object();

		json_set_str(j, "status", "error");
		json_set_str(j, "error_class", class_of(p, err));
		json_set_str(j, "error", err->msg);
		json_set_bool(j, "exists", false);
		set(j, "image", cli_probe_image(p));
		set(j, "id", NULL);
		set_source(p, j);
		/* The first error is the one that counts. */
		if (print_json(j, true, &ignored) < 0)
			log_debug("%s", ignored.msg);
	}
	if (format == CLI_PROBE_TERRAFORM)
		err->code = ERR_NO;
	return -1;
}
