/* explain.c - why steps have to run */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "build/copy.h"
#include "build/internal.h"
#include "build/share.h"
#include "cache/past.h"

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

static int explain(struct build *b, const struct cache_past *past,
		   size_t stage, const struct build_planned *p,
		   struct strvec *reasons, struct error *err)
{
	static const char below[] = "what it stands on is another";
	cleanup_strvec struct strvec files = STRVEC_INIT, found = STRVEC_INIT;
	struct build_base base;
	size_t i;

	if (explain_files(b, &p->step, &files, err) < 0 ||
	    cache_explain(b->o->store, past, &p->text,
			  files.nr ? &files : NULL, &found, err) < 0)
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

/* --- builds that were published --- */

#define NAMES 2

/* What a build goes by whose text may change: the names in it. The other name
 * is that of any build. */
static void past_names(const struct build *b, char names[NAMES][CACHE_KEY])
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	cleanup_free char *platform = oci_platform_format(&b->o->platform);
	const char *slash = strrchr(b->o->name, '/');
	size_t i;

	cache_key_begin(&k, "");
	cache_key_add(&k, "past", "");
	cache_key_finish(&k, names[1]);
	cache_key_add(&k, "name", slash ? slash + 1 : b->o->name);
	cache_key_add(&k, "target", b->o->target ? b->o->target : "");
	cache_key_add(&k, "platform", platform);
	for (i = 0; i < b->n_stages; i++) {
		struct build_base base;

		build_eval_base(b->ev, i, &base);
		cache_key_add(&k, "stage", base.name ? base.name : "");
	}
	cache_key_finish(&k, names[0]);
}

/* The newest build in a cache; without any there is less to tell. */
static void recall(struct build *b, struct cache_past *past)
{
	const struct strvec *from = b->o->cache_from;
	char names[NAMES][CACHE_KEY];
	const char *const list[NAMES] = { names[0], names[1] };
	size_t i;

	past_names(b, names);
	for (i = 0; from && i < from->nr && !past->json; i++) {
		cleanup_cache_place struct cache_place place = { 0 };
		cleanup_error struct error why = ERROR_INIT;

		if (!strvec_has(&b->dead, from->v[i]) &&
		    (share_open(b, from->v[i], &place, &why) < 0 ||
		     cache_past_get(&place, list, NAMES, past, &why) < 0))
			log_debug("%s: earlier builds are not known: %s",
				  from->v[i], why.msg);
	}
}

int explain_publish(struct build *b, struct cache_place *place,
		    struct error *err)
{
	cleanup_cache_past struct cache_past past = { 0 };
	char names[NAMES][CACHE_KEY];
	const char *const list[NAMES] = { names[0], names[1] };
	size_t i, k;

	cache_past_new(&past);
	for (i = 0; i < b->n_stages; i++) {
		for (k = 0; k < b->stages[i].n_plan; k++) {
			const struct build_planned *p = &b->stages[i].plan[k];
			cleanup_strvec struct strvec files = STRVEC_INIT;

			if (explain_files(b, &p->step, &files, err) < 0)
				return -1;
			cache_past_add(&past, p->key, &p->text, &files);
		}
	}
	past_names(b, names);
	return cache_past_put(place, list, NAMES, &past, err);
}

int explain_missing(struct build *b, struct error *err)
{
	cleanup_cache_past struct cache_past past = { 0 };
	size_t i, k;

	recall(b, &past);
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
			else if (explain(b, &past, i, p, reasons, err) < 0)
				return -1;
			if (first)
				continue;
			tell(b, i, p, reasons);
			first = p;
		}
	}
	return 0;
}
