/* explain.c - why steps have to run */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "build/copy.h"
#include "build/internal.h"

/* The files of one part of a COPY, where they come from a directory here. */
static int list_part(struct build *b, const struct source_part *part,
		     struct strvec *lines, struct error *err)
{
	const struct build_step *step = &part->step;
	const struct build_from from = { step->from_stage, step->from };
	cleanup_tree_items struct tree_items items = { 0 };
	cleanup_cache_key struct cache_key unused = CACHE_KEY_INIT;
	struct build_tree tree;
	size_t i;
	int rc;

	if (part->remote || !step->sources.nr)
		return 0;
	rc = source_key(b, &from, &unused, &tree, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	if (tree_pick(&tree, step, &items, err) < 0)
		return -1;
	for (i = 0; i < items.nr; i++)
		if (tree_list(&tree, &items.v[i], step->chmod, lines, err) <
		    0)
			return -1;
	return 0;
}

/* What a step reads of directories here, as cache_put_files wants it. */
static int explain_files(struct build *b, const struct build_step *step,
			 struct strvec *lines, struct error *err)
{
	struct source_part part;
	size_t at = 0;

	if (step->op != BUILD_COPY)
		return 0;
	while (source_next_part(step, &at, &part))
		if (list_part(b, &part, lines, err) < 0)
			return -1;
	if (lines->nr)
		strvec_sort(lines);
	return 0;
}

int explain_put(struct build *b, const struct build_planned *p,
		const struct cache_entry *e, struct error *err)
{
	cleanup_strvec struct strvec files = STRVEC_INIT;

	if (cache_put(b->o->store, p->key, &p->text, e, err) < 0 ||
	    explain_files(b, &p->step, &files, err) < 0)
		return -1;
	return files.nr ? cache_put_files(b->o->store, p->key, &files, err)
			: 0;
}

static void tell(const struct build *b, size_t stage,
		 const struct build_planned *p, const struct strvec *reasons)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	plan_label(b, stage, p, &text);
	for (i = 0; i < reasons->nr; i++)
		strbuf_addf(&text, "%s%s", i ? "; " : "] has to run: ",
			    reasons->v[i]);
	log_info("[%s", text.buf);
}

static int explain(struct build *b, size_t stage,
		   const struct build_planned *p, struct strvec *reasons,
		   struct error *err)
{
	static const char below[] = "what it stands on is another";
	cleanup_strvec struct strvec files = STRVEC_INIT, found = STRVEC_INIT;
	struct build_base base;
	size_t i;

	if (explain_files(b, &p->step, &files, err) < 0 ||
	    cache_explain(b->o->store, &p->text, files.nr ? &files : NULL,
			  &found, err) < 0)
		return -1;
	build_eval_base(b->ev, stage, &base);
	for (i = 0; i < found.nr; i++) {
		bool on_base = p == b->stages[stage].plan &&
			       base.kind == BASE_IMAGE &&
			       str_eq(found.v[i], below);

		if (on_base)
			strvec_pushf(reasons, "the base image %s is another",
				     base.image);
		else
			strvec_push(reasons, found.v[i]);
	}
	return 0;
}

int explain_missing(struct build *b, struct error *err)
{
	size_t i, k;

	for (i = 0; i < b->n_stages; i++) {
		const struct build_planned *first = NULL;

		for (k = 0; k < b->stages[i].n_plan; k++) {
			struct build_planned *p = &b->stages[i].plan[k];
			struct strvec *reasons =
				&b->result->steps[p->report].reasons;

			if (p->cached)
				continue;
			if (b->o->no_cache)
				strvec_push(reasons, "the cache was not asked");
			else if (first)
				strvec_pushf(reasons, "it stands on line %u, "
						      "which has to run",
					     first->step.line);
			else if (explain(b, i, p, reasons, err) < 0)
				return -1;
			if (first)
				continue;
			tell(b, i, p, reasons);
			first = p;
		}
	}
	return 0;
}
