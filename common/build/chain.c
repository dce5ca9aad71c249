/* chain.c - a layer is a difference: what it lies on has to be the same */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/chain.h"
#include "build/stage.h"

/* The steps of a stage and of those that it continues, lowest first. */
struct line {
	struct build_planned **v;
	size_t nr, alloc;
	const struct build_stage *ground; /* on whose base they lie */
};

static void line_release(struct line *l)
{
	free(l->v);
}

static void line_of(const struct build *b, size_t stage, struct line *l)
{
	const struct build_stage *st = &b->stages[stage];
	struct build_base base;
	size_t k;

	build_eval_base(b->ev, stage, &base);
	if (base.kind == BASE_STAGE)
		line_of(b, base.stage, l);
	else
		l->ground = st;
	for (k = 0; k < st->n_plan; k++) {
		GROW(l->v, l->nr, l->alloc);
		l->v[l->nr++] = &st->plan[k];
	}
}

/* --- digests over diff ids --- */

/* Its hexadecimal digits, appended. */
static bool add_diff_id(const struct build *b, const char *id,
			const char *diff_id, struct strbuf *ids)
{
	struct store_meta meta = { 0 };

	if (!*diff_id) {
		if (!store_has_layer(b->o->store, id) ||
		    store_get_meta(b->o->store, id, &meta, NULL) < 0 ||
		    !*meta.diff_id)
			return false;
		diff_id = meta.diff_id;
	}
	strbuf_addstr(ids, digest_hex(diff_id));
	return true;
}

static bool add_base(const struct build *b, const struct line *l,
		     struct strbuf *ids)
{
	const struct build_stage *st = l->ground;
	size_t i;

	for (i = 0; i < st->base_layers; i++)
		if (!add_diff_id(b, st->image.layers[i].id,
				 st->image.layers[i].diff_id, ids))
			return false;
	return true;
}

/* The name of a layer that a cache gave is its diff id already. */
static bool add_step(const struct build *b, const struct build_planned *p,
		     struct strbuf *ids)
{
	if (p->remote) {
		strbuf_addstr(ids, p->layer);
		return true;
	}
	return add_diff_id(b, p->layer, "", ids);
}

bool chain_below(const struct build *b, size_t stage,
		 const struct build_planned *p, char below[STORE_ID])
{
	CLEANUP(line_release) struct line l = { 0 };
	cleanup_strbuf struct strbuf ids = STRBUF_INIT;
	size_t i;

	line_of(b, stage, &l);
	if (!add_base(b, &l, &ids))
		return false;
	for (i = 0; l.v[i] != p; i++)
		if (!add_step(b, l.v[i], &ids))
			return false;
	stage_digest_ids(&ids, below);
	return true;
}

bool chain_fits(const struct build *b, size_t stage,
		const struct build_planned *p, const struct cache_entry *e)
{
	char below[STORE_ID];

	return p->step.link ||
	       (chain_below(b, stage, p, below) && str_eq(below, e->below));
}

/* --- how far a cache goes --- */

static bool find(const struct chain_known *cache, const char *key, size_t *at)
{
	for (*at = 0; *at < cache->n; ++*at)
		if (str_eq(cache->keys[*at], key))
			return true;
	return false;
}

/* How many steps from the ground up the cache has, each on those below. What
 * is not in question came from a cache itself. */
static size_t reach(const struct build *b, const struct line *l,
		    const struct chain_known *cache, const bool *wanted)
{
	cleanup_strbuf struct strbuf ids = STRBUF_INIT;
	size_t i, at;

	if (!add_base(b, l, &ids))
		return 0;
	for (i = 0; i < l->nr; i++) {
		const struct cache_entry *e;
		char below[STORE_ID];

		if (!find(cache, l->v[i]->key, &at)) {
			if (!add_step(b, l->v[i], &ids))
				break;
			continue;
		}
		e = &cache->found[at];
		stage_digest_ids(&ids, below);
		if ((wanted && wanted[at]) || !e->layer[0] ||
		    (!l->v[i]->step.link && !str_eq(e->below, below)))
			break;
		strbuf_addstr(&ids, e->layer);
	}
	return i;
}

/* --- another chain for the store --- */

static size_t cached_steps(const struct line *l)
{
	size_t i = 0;

	while (i < l->nr && l->v[i]->cached)
		i++;
	return i;
}

/* Is the cache ahead of the store somewhere, and behind it nowhere? */
static bool is_better(const struct build *b, const struct chain_known *cache)
{
	bool better = false;
	size_t i;

	for (i = 0; i < b->n_stages; i++) {
		CLEANUP(line_release) struct line l = { 0 };
		size_t here, there;

		line_of(b, i, &l);
		here = cached_steps(&l);
		there = reach(b, &l, cache, NULL);
		if (there < here)
			return false;
		better = better || there > here;
	}
	return better;
}

static int adopt(struct build *b, const struct line *l,
		 const struct chain_known *cache, chain_take *take,
		 struct error *err)
{
	size_t n = reach(b, l, cache, NULL), i, at;
	cleanup_strbuf struct strbuf ids = STRBUF_INIT;

	for (i = 0; i < l->ground->base_layers; i++)
		strbuf_addstr(&ids, l->ground->image.layers[i].id);
	for (i = 0; i < n && find(cache, l->v[i]->key, &at); i++) {
		struct cache_entry e = cache->found[at];

		stage_digest_ids(&ids, e.below);
		if (take(b, l->v[i], &e, err) < 0)
			return -1;
		strbuf_addstr(&ids, e.layer);
	}
	return 0;
}

int chain_adopt(struct build *b, const struct chain_known *cache,
		chain_take *take, struct error *err)
{
	size_t i;

	if (!is_better(b, cache))
		return 0;
	for (i = 0; i < b->n_stages; i++) {
		CLEANUP(line_release) struct line l = { 0 };

		line_of(b, i, &l);
		if (adopt(b, &l, cache, take, err) < 0)
			return -1;
	}
	return 1;
}

/* --- what to publish --- */

static bool is_same(const struct build *b, const struct build_planned *p,
		    const struct cache_entry *e)
{
	cleanup_strbuf struct strbuf ours = STRBUF_INIT;

	return e->layer[0] && add_step(b, p, &ours) &&
	       str_eq(ours.buf, e->layer);
}

static bool choose(const struct build *b, size_t stage,
		   const struct chain_known *cache, bool *wanted)
{
	CLEANUP(line_release) struct line l = { 0 };
	bool changed = false;
	size_t had, i, at;

	line_of(b, stage, &l);
	had = reach(b, &l, cache, wanted);
	for (i = 0; had < l.nr && i < l.nr; i++) {
		const struct build_planned *p = l.v[i];

		if (!find(cache, p->key, &at) || wanted[at] ||
		    (is_same(b, p, &cache->found[at]) &&
		     (i < had || chain_fits(b, stage, p, &cache->found[at]))))
			continue;
		wanted[at] = changed = true;
	}
	return changed;
}

void chain_choose(const struct build *b, const struct chain_known *cache,
		  bool *wanted)
{
	bool changed = true;
	size_t i;

	/* Stages share steps: what one replaces, another lies on. */
	while (changed)
		for (changed = false, i = 0; i < b->n_stages; i++)
			changed = choose(b, i, cache, wanted) || changed;
}
