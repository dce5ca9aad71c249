/* services_build.c - the images of the services beside an environment */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "build/references.h"
#include "cli/services.h"

void cli_services_release(struct cli_services *s)
{
	while (s->nr)
		cli_round_release(&s->v[--s->nr].round);
	free(s->v);
	s->v = NULL;
}

static int get_one(struct cli_service *one, const struct record_plan *plan,
		   const struct record *r, size_t at, struct error *err)
{
	struct cli_round *round = &one->round;
	bool found;

	one->entry = json_at(plan->services, at);
	round->project = (struct cli_project)CLI_PROJECT_INIT;
	round->plan = (struct record_plan)RECORD_PLAN_INIT;
	if (record_plan_service(plan, r, at, &round->plan, &found, err) < 0)
		return -1;
	one->self = !found;
	if (one->self)
		return 0;
	record_new(&round->project.record);
	record_plan_set(&round->plan, &round->project.record);
	return record_plan_check(&round->plan, err);
}

int cli_services_get(struct cli_services *s, const struct record_plan *plan,
		     const struct record *r, struct error *err)
{
	const size_t n = json_len(plan->services);

	s->v = xcalloc(n + 1, sizeof(*s->v));
	for (; s->nr < n; s->nr++) {
		if (get_one(&s->v[s->nr], plan, r, s->nr, err) < 0) {
			cli_round_release(&s->v[s->nr].round);
			return -1;
		}
	}
	return 0;
}

static const char *name_of(const struct cli_service *s)
{
	return json_get_str(s->entry, "name");
}

/* What is refused is told of before anything is fetched for any of them. */
static int ask(const struct cli_service *s, struct error *err)
{
	const struct record_plan *plan = &s->round.plan;
	cleanup_build_references struct build_references list = { 0 };
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_oci_platform struct oci_platform host = { 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = NULL;
	const struct build_named_list none = { 0 };
	const struct build_eval_options eo = { .build_args = &plan->args,
					       .target = plan->target,
					       .platform = &host,
					       .build_platform = &host,
					       .named = &none };

	oci_platform_host(&host);
	if (cli_project_dockerfile(plan, &text, &name, err) < 0)
		return -1;
	if (dockerfile_parse(&df, name, text.buf, text.len, NULL) < 0 ||
	    build_references_find(&list, &df, &eo, NULL) < 0)
		log_debug("what is wrong with %s is told later", name);
	return build_references_ask(&list, name, err);
}

/* Those that run need their layers; the others an id, to be found by it. */
static int build_one(struct cli_service *s, struct cli_builder *b,
		     const struct cli_build_options *o, bool run,
		     struct error *err)
{
	const struct strvec no_tags = STRVEC_INIT;
	struct build_result *r = &s->round.result;

	log_info("service '%s'", name_of(s));
	if (run)
		return cli_round_build(&s->round, b, o, err);
	if (cli_build_plan(b, o, &s->round.plan, r, err) < 0 ||
	    build_identify(b->store, &r->image, err) < 0)
		return -1;
	return cli_build_name(b, &no_tags, &r->image, err);
}

int cli_round_services(struct cli_round *r, struct cli_builder *b,
		       const struct cli_build_options *o, bool run,
		       struct error *err)
{
	struct cli_services *list = &r->services;
	size_t i;

	for (i = 0; i < list->nr; i++) {
		struct cli_service *s = &list->v[i];

		if (!s->self && build_one(s, b, o, run, err) < 0)
			return error_wrap(err, "service '%s'", name_of(s));
	}
	return 0;
}

static int detach(struct record_plan *plan, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = NULL;

	if (cli_project_dockerfile(plan, &text, &name, err) < 0)
		return -1;
	free(steal_ptr(&plan->dockerfile));
	free(steal_ptr(&plan->context));
	free(plan->text);
	plan->text = strbuf_detach(&text);
	return 0;
}

int cli_round_detach(struct cli_round *r, struct error *err)
{
	struct cli_services *list = &r->services;
	size_t i;

	if (detach(&r->plan, err) < 0)
		return -1;
	for (i = 0; i < list->nr; i++) {
		struct record_plan *plan = &list->v[i].round.plan;

		if (list->v[i].self)
			continue;
		if (detach(plan, err) < 0)
			return -1;
		json_set(json_at(r->plan.services, i), "plan",
			 record_plan_json(plan));
	}
	return 0;
}

static int find_image(struct cli_service *s, struct cli_builder *b,
		      const struct json *images,
		      const struct oci_platform *platform, struct error *err)
{
	struct store_image *image = &s->round.result.image;
	const char *id = json_get_str(json_get(images, name_of(s)),
				      "config_digest");

	if (!id) {
		error_set(err, ERR_INPUT, "the record names no image of it");
		return error_hint(err, "'devenv build' adds one");
	}
	if (build_find_image(b->store, &b->registry, &b->registry_options, id,
			     platform, false, image, err) < 0)
		return -1;
	return build_fetch_layers(b->store, &b->registry,
				  &b->registry_options, image, err);
}

int cli_services_find(struct cli_services *list, const struct record *r,
		      struct cli_builder *b,
		      const struct oci_platform *platform, struct error *err)
{
	const struct json *images = json_get(record_get(r, "image"),
					     "services");
	size_t i;

	for (i = 0; i < list->nr; i++) {
		struct cli_service *s = &list->v[i];

		if (!s->self && find_image(s, b, images, platform, err) < 0)
			return error_wrap(err, "%s: service '%s'", r->name,
					  name_of(s));
	}
	return 0;
}

int cli_round_ask(struct cli_round *r, struct error *err)
{
	struct cli_services *list = &r->services;
	size_t i;

	if (cli_services_get(list, &r->plan, &r->project.record, err) < 0)
		return -1;
	for (i = 0; gate_strict() && i < list->nr; i++)
		if (!list->v[i].self && ask(&list->v[i], err) < 0)
			return error_wrap(err, "service '%s'",
					  name_of(&list->v[i]));
	return 0;
}

void cli_services_record(struct record *r, const struct store *s,
			 const struct cli_services *list)
{
	struct json *all;
	size_t i;

	if (!list->nr)
		return;
	all = json_set(record_get(r, "image"), "services", json_new_object());
	for (i = 0; i < list->nr; i++) {
		struct record *one = &list->v[i].round.project.record;

		if (list->v[i].self)
			continue;
		cli_build_record(one, s, &list->v[i].round.result);
		json_set(all, name_of(&list->v[i]),
			 json_dup(record_get(one, "image")));
	}
}
