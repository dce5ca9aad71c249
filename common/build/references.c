/* references.c - what a Dockerfile would fetch, told before anything is */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/references.h"

#include "base/log.h"
#include "build/eval.h"
#include "wrap/giturl.h"
#include "wrap/url.h"

void build_references_release(struct build_references *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		free(list->v[i].name);
	free(list->v);
	*list = (struct build_references){ 0 };
}

/* Where one is found. */
struct place {
	const struct build_named_list *named;
	const struct oci_platform *platform;
	const char *use;
	unsigned line;
	bool reachable;
};

/* Takes the name; NULL is none. */
static void add(struct build_references *list, const struct place *p,
		enum gate_kind kind, char *name)
{
	if (!name)
		return;
	GROW(list->v, list->nr, list->alloc);
	list->v[list->nr++] = (struct build_reference){
		.kind = kind,
		.use = p->use,
		.name = name,
		.line = p->line,
		.reachable = p->reachable,
	};
}

static void add_remote(struct build_references *list, const struct place *p,
		       const struct build_remote *r)
{
	cleanup_giturl struct giturl u = { 0 };

	if (!r->is_git) {
		add(list, p, GATE_URL, url_canonical(r->url));
	} else if (!giturl_parse(&u, r->git.remote, NULL)) {
		add(list, p, GATE_GIT, giturl_canonical(&u));
	}
}

/* An image, or what a name of --build-context stands for. */
static void add_image(struct build_references *list, const struct place *p,
		      const char *name)
{
	const struct build_named *n =
		p->named ? build_named_find(p->named, name, p->platform)
			 : NULL;
	cleanup_oci_ref struct oci_ref ref = { 0 };

	if (n && n->kind == BUILD_NAMED_REMOTE)
		add_remote(list, p, &n->remote);
	else if (n && n->kind == BUILD_NAMED_IMAGE)
		name = n->value;
	if ((n && n->kind != BUILD_NAMED_IMAGE) || str_eq(name, "scratch"))
		return;
	if (!oci_ref_parse(&ref, name, NULL))
		add(list, p, GATE_IMAGE, oci_ref_format(&ref));
}

static void add_step(struct build_references *list, struct place *p,
		     const struct build_step *step)
{
	size_t i;

	p->line = step->line;
	p->use = step->node->keyword;
	for (i = 0; i < step->n_remotes; i++)
		add_remote(list, p, &step->remotes[i]);
	p->use = "COPY --from";
	if (step->from && step->from_stage == SIZE_MAX)
		add_image(list, p, step->from);
	p->use = "RUN --mount";
	for (i = 0; i < step->n_mounts; i++) {
		const struct build_from *from = &step->mounts[i].from;

		if (from->stage == SIZE_MAX && from->name)
			add_image(list, p, from->name);
	}
}

static int add_stage(struct build_references *list, struct build_eval *ev,
		     size_t stage, struct error *err)
{
	struct build_stage *st = &ev->stages[stage];
	struct place p = { .named = ev->named,
			   .platform = &st->platform,
			   .use = "FROM",
			   .reachable = st->needed };
	struct build_base base;
	int rc;

	build_eval_base(ev, stage, &base);
	p.line = base.line;
	if (base.kind == BASE_IMAGE)
		add_image(list, &p, base.image);
	if (build_eval_begin(ev, stage,
			     st->base == SIZE_MAX
				     ? NULL : &ev->stages[st->base].config,
			     err) < 0)
		return -1;
	do {
		cleanup_build_step struct build_step step = { 0 };

		rc = build_eval_next(ev, stage, &step, err);
		if (rc > 0)
			add_step(list, &p, &step);
	} while (rc > 0);
	return rc;
}

/* The frontend that the file asks for: never fetched, as this program reads
 * the language itself, but named all the same. */
static void add_syntax(struct build_references *list,
		       const struct dockerfile *df)
{
	const char *syntax = strvec_env_get(&df->directives, "syntax");
	const struct place p = { .use = "syntax", .line = 1,
				 .reachable = true };
	cleanup_free char *image = NULL;

	if (!syntax)
		return;
	image = xstrndup(syntax, strcspn(syntax, " \t"));
	add_image(list, &p, image);
}

int build_references_find(struct build_references *list,
			  const struct dockerfile *df,
			  const struct build_eval_options *o,
			  struct error *err)
{
	cleanup_build_eval struct build_eval *ev = NULL;
	struct build_eval_options quiet = *o;
	size_t i;

	quiet.lint = NULL;
	add_syntax(list, df);
	if (build_eval_new(&ev, df, &quiet, err) < 0)
		return -1;
	ev->view = true;
	for (i = 0; i < ev->nr; i++)
		if (add_stage(list, ev, i, err) < 0)
			return -1;
	return 0;
}

/* As the specification tells them apart: what begins with a dot is a folder
 * beside the configuration. */
void build_references_feature(struct build_references *list, const char *id)
{
	const struct place p = { .use = "feature", .reachable = true };
	cleanup_oci_ref struct oci_ref ref = { 0 };

	if (str_starts(id, "https://") || str_starts(id, "http://"))
		add(list, &p, GATE_URL, url_canonical(id));
	else if (*id != '.' && *id != '/' && !oci_ref_parse(&ref, id, NULL))
		add(list, &p, GATE_IMAGE, oci_ref_format(&ref));
}

struct json *build_references_json(const struct build_references *list)
{
	static const char *const kinds[] = { [GATE_URL] = "url",
					     [GATE_GIT] = "git",
					     [GATE_IMAGE] = "image" };
	struct json *out = json_new_array();
	size_t i;

	for (i = 0; i < list->nr; i++) {
		const struct build_reference *r = &list->v[i];
		struct json *j = json_push(out, json_new_object());

		json_set_str(j, "kind", kinds[r->kind]);
		json_set_str(j, "name", r->name);
		json_set_str(j, "use", r->use);
		json_set_int(j, "line", r->line);
		json_set_bool(j, "reachable", r->reachable);
	}
	return out;
}

static size_t ask_all(const struct build_references *list, const char *file,
		      struct error *err)
{
	size_t refused = 0, i;

	for (i = 0; i < list->nr; i++) {
		const struct build_reference *r = &list->v[i];
		const struct gate_question q = { .kind = r->kind,
						 .name = r->name };
		cleanup_error struct error why = ERROR_INIT;

		if (!r->reachable || !gate_check(&q, &why))
			continue;
		refused++;
		if (r->line)
			error_wrap(&why, "%s:%u:1: %s", file, r->line, r->use);
		else
			error_wrap(&why, "%s", r->use);
		if (error_is(err))
			log_report(err);
		error_release(err);
		error_move(err, &why);
	}
	return refused;
}

int build_references_ask(const struct build_references *list,
			 const char *file, struct error *err)
{
	cleanup_error struct error last = ERROR_INIT;
	size_t refused = ask_all(list, file, &last);

	if (refused < 2)
		return refused ? error_move(err, &last) : 0;
	log_report(&last);
	return error_set(err, last.code, "%zu references of %s are refused, "
			 "so nothing was fetched", refused, file);
}
