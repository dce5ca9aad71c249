/* rescue.c - what follows a stage that was built again and came out the same */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "build/display.h"
#include "build/share.h"
#include "build/stage.h"

/*
 * The key of a COPY from a stage goes by the key of that stage, so that a
 * whole build can be looked up before anything runs. When such a step is not
 * known but its sources are there, it is looked up once more, by what the
 * files are. What was made of the same files before has its first key in the
 * cache: from there on it counts as that step, and so do those after it.
 */

int rescue_find(struct build *b, const struct build_stage *st,
		const struct build_planned *p, char content[CACHE_KEY],
		struct error *err)
{
	cleanup_cache_entry struct cache_entry hit = { 0 };
	int rc;

	if (step_content_key(b, st, p, content, err) < 0)
		return -1;
	if (!*content || b->o->no_cache)
		return 0;
	rc = cache_get(b->o->store, content, &hit, NULL, err);
	if (rc <= 0)
		return rc;
	if (!store_has_layer(b->o->store, hit.layer) ||
	    !stage_fits(st, p, &hit))
		return 0;
	return cache_put(b->o->store, p->key, &p->text, &hit, err) < 0 ? -1
								       : 1;
}

int rescue_note(struct build *b, struct cache_entry *made,
		const struct build_planned *p, const char *content,
		struct error *err)
{
	cleanup_cache_entry struct cache_entry old = { 0 }, e = { 0 };
	int rc;

	if (!*content)
		return 0;
	rc = cache_get(b->o->store, content, &old, NULL, err);
	if (rc < 0)
		return -1;
	/* The first step with this content stands for all of them. */
	memcpy(e.as, rc && *old.as ? old.as : p->key, CACHE_KEY);
	if (!str_eq(e.as, p->key))
		memcpy(made->as, e.as, CACHE_KEY);
	memcpy(e.layer, made->layer, STORE_ID);
	memcpy(e.below, made->below, STORE_ID);
	e.created = xstrdup(made->created);
	/* With the text of the first key, which says more. */
	return cache_put(b->o->store, content, &p->text, &e, err);
}

/* Take a step over, and say so as for those that were known at once. */
static int accept(struct build *b, size_t stage, struct build_planned *p,
		  const struct cache_entry *hit, struct error *err)
{
	cleanup_strbuf struct strbuf label = STRBUF_INIT;

	memcpy(p->as, *hit->as ? hit->as : p->key, CACHE_KEY);
	plan_label(b, stage, p, &label);
	display_cached(label.buf, p->step.text);
	return share_accept(b, p, hit, err);
}

/* Nobody works with the key that it has. */
static bool is_open(const struct build_stage *st, size_t k)
{
	return !st->plan[k].cached &&
	       (k > st->next || (k == st->next && !st->busy));
}

static bool has_open(const struct build_stage *st)
{
	size_t k;

	for (k = st->next; k < st->n_plan; k++)
		if (!st->plan[k].cached)
			return true;
	return false;
}

static bool reads_stage(const struct build_planned *p)
{
	struct build_from from;
	size_t i;

	for (i = 0; plan_input(p, i, &from); i++)
		if (from.stage != SIZE_MAX)
			return true;
	return false;
}

/* Look a step up once more, on top of another key or with other inputs; not
 * where one that it stands on has yet to run. */
static int look_again(struct build *b, size_t stage, struct build_planned *p,
		      const char key[CACHE_KEY], bool open, struct error *err)
{
	cleanup_cache_entry struct cache_entry hit = { 0 };
	char before[CACHE_KEY];
	int rc;

	memcpy(before, p->key, CACHE_KEY);
	memcpy(p->parent, key, CACHE_KEY);
	if (step_key(b, &b->stages[stage], p, err) < 0)
		return -1;
	if (str_eq(before, p->key))
		return 0;
	memcpy(b->result->steps[p->report].key, p->key, CACHE_KEY);
	rc = b->o->no_cache || open ? 0 : cache_get(b->o->store, p->key, &hit,
						    NULL, err);
	if (rc <= 0 || !store_has_layer(b->o->store, hit.layer) ||
	    !stage_fits(&b->stages[stage], p, &hit))
		return rc < 0 ? -1 : 0;
	return accept(b, stage, p, &hit, err);
}

static int plan_again(struct build *b, size_t stage, struct error *err)
{
	struct build_stage *st = &b->stages[stage];
	struct build_base base;
	char key[CACHE_KEY];
	bool open;
	size_t k;

	build_eval_base(b->ev, stage, &base);
	open = base.kind == BASE_STAGE && has_open(&b->stages[base.stage]);
	memcpy(key, base.kind == BASE_STAGE ? b->stages[base.stage].key :
		    st->n_plan		    ? st->plan[0].parent :
					      st->key, CACHE_KEY);
	for (k = 0; k < st->n_plan; k++) {
		struct build_planned *p = &st->plan[k];

		if (is_open(st, k) &&
		    (!str_eq(p->parent, key) || reads_stage(p)) &&
		    look_again(b, stage, p, key, open, err) < 0)
			return -1;
		open = open || is_open(st, k);
		stage_next_key(key, &p->step, p->as);
	}
	memcpy(st->key, key, CACHE_KEY);
	return 0;
}

/* What comes after goes by another key than was planned. */
static int follow(struct build *b, struct build_planned *p,
		  const struct cache_entry *e, struct error *err)
{
	size_t i;

	if (!*e->as)
		return 0;
	log_debug("key %.12s: the same files as of %.12s", p->key, e->as);
	memcpy(p->as, e->as, CACHE_KEY);
	/* What a stage needs stands before it. */
	for (i = 0; i < b->n_stages; i++)
		if (b->stages[i].begun && plan_again(b, i, err) < 0)
			return -1;
	return 0;
}

int rescue_take(struct build *b, size_t stage, struct build_planned *p,
		struct error *err)
{
	cleanup_cache_entry struct cache_entry e = { 0 };
	int rc = cache_get(b->o->store, p->key, &e, NULL, err);

	if (rc <= 0 || !store_has_layer(b->o->store, e.layer) ||
	    !stage_fits(&b->stages[stage], p, &e) ||
	    (!*e.below && !p->step.link))
		return rc < 0 ? -1 : 0;
	if (accept(b, stage, p, &e, err) < 0 || follow(b, p, &e, err) < 0)
		return -1;
	return 1;
}

int rescue_settle(struct build *b, size_t stage, struct build_planned *p,
		  struct error *err)
{
	cleanup_cache_entry struct cache_entry e = { 0 };
	int rc;

	rc = cache_get(b->o->store, p->key, &e, NULL, err);
	if (rc < 0)
		return -1;
	if (!rc) {
		/* of files that nobody will see again */
		store_new_id(e.as);
		b->changed = true;
	} else if (!str_eq(e.layer, p->layer) &&
		   (stage_fits(&b->stages[stage], p, &e) ||
		    !store_has_layer(b->o->store, p->layer))) {
		b->result->executed--;
		if (accept(b, stage, p, &e, err) < 0)
			return -1;
	}
	return follow(b, p, &e, err);
}
