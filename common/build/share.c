/* share.c - steps that caches elsewhere know, and those they get */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"
#include "base/log.h"
#include "base/signals.h"
#include "build/known.h"
#include "build/share.h"
#include "build/chain.h"
#include "build/stage.h"

/* A registry client of its own: connections of this process are none of its
 * jobs' business. */
int share_open(struct build *b, const char *name, struct cache_place *place,
	       struct error *err)
{
	if (cache_place_init(place, name, &b->share, b->o->registry, err) < 0)
		return -1;
	place->ttl = b->o->cache_ttl;
	place->renews = !b->probe;
	return 0;
}

/* A cache that cannot be read is as good as none. */
static int give_up(struct build *b, const char *name, struct error *why,
		   struct error *err)
{
	if (b->probe || signals_pending())
		return error_move(err, why);
	log_warn("the step cache %s is not used: %s", name, why->msg);
	strvec_push(&b->dead, name);
	return 0;
}

int share_ask(struct build *b, struct cache_place *place, const char *name,
	      struct cache_document *list, size_t n, struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;

	if (strvec_has(&b->dead, name))
		return 0;
	if (share_open(b, name, place, &why) < 0 ||
	    cache_place_look_up(place, list, n, &why) < 0)
		return give_up(b, name, &why, err);
	return 1;
}

/* --- what others have built --- */

/* Steps in question, each key once. */
struct asked {
	const char **keys;
	struct cache_entry *found;
	size_t n;
};

static void asked_release(struct asked *a)
{
	size_t i;

	for (i = 0; i < a->n; i++)
		cache_entry_release(&a->found[i]);
	free(a->keys);
	free(a->found);
}

static bool is_asked(const struct asked *a, const char *key, size_t *at)
{
	for (*at = 0; *at < a->n; ++*at)
		if (str_eq(a->keys[*at], key))
			return true;
	return false;
}

typedef bool (*wanted_fn)(const struct build *b, size_t stage,
			  const struct build_planned *p);

static void collect(const struct build *b, wanted_fn wanted, struct asked *a)
{
	size_t i, k, at;

	a->keys = xcalloc(b->result->n_steps + 1, sizeof(*a->keys));
	a->found = xcalloc(b->result->n_steps + 1, sizeof(*a->found));
	for (i = 0; i < b->n_stages; i++) {
		for (k = 0; k < b->stages[i].n_plan; k++) {
			const struct build_planned *p = &b->stages[i].plan[k];

			if (wanted(b, i, p) && !is_asked(a, p->key, &at))
				a->keys[a->n++] = p->key;
		}
	}
}

static bool is_missing(const struct build *b UNUSED, size_t stage UNUSED,
		       const struct build_planned *p)
{
	return !p->cached;
}

/* The step's layer, by another name than was planned, wherever it lies. */
static void rename_layer(struct build_stage *st, const char *planned,
			 const struct cache_entry *e)
{
	const struct oci_config *c = &st->image.config;
	size_t i, at = st->base_history;

	for (i = st->base_layers; i < st->image.n_layers; i++) {
		while (at < c->n_history && !c->history[at].created)
			at++;
		if (str_eq(st->image.layers[i].id, planned)) {
			build_place_layer(&st->image.layers[i], e);
			free(c->history[at].created);
			c->history[at].created = xstrdup(e->created);
		}
		at++;
	}
}

int share_accept(struct build *b, struct build_planned *p,
		 const struct cache_entry *e, struct error *err)
{
	struct build_step_report *rep = &b->result->steps[p->report];
	size_t i;

	for (i = 0; i < b->n_stages; i++)
		rename_layer(&b->stages[i], p->layer, e);
	memcpy(p->layer, e->layer, STORE_ID);
	memcpy(rep->layer, e->layer, STORE_ID);
	free(p->created);
	p->created = xstrdup(e->created);
	p->cached = rep->cached = true;
	p->remote = !store_has_layer(b->o->store, e->layer);
	b->result->cached++;
	if (b->probe) {
		free(rep->expires);
		rep->expires = e->expires ? date_format(e->expires) : NULL;
		return 0;
	}
	/* The next build need not ask. */
	return cache_put(b->o->store, p->key, &p->text, e, err);
}

/* Does the stage continue one of which a step has to run? */
static bool stands_on_missing(const struct build *b, size_t stage)
{
	struct build_base base;
	size_t k;

	build_eval_base(b->ev, stage, &base);
	if (base.kind != BASE_STAGE)
		return false;
	for (k = 0; k < b->stages[base.stage].n_plan; k++)
		if (!b->stages[base.stage].plan[k].cached)
			return true;
	return stands_on_missing(b, base.stage);
}

/* What lies on a layer still to be made is made again as well, and so is what
 * lies on another than it was made on; that is `astray`. */
static int accept_found(struct build *b, const struct asked *a, bool *astray,
			struct error *err)
{
	size_t i, k, at;

	for (i = 0; i < b->n_stages; i++) {
		struct build_stage *st = &b->stages[i];

		if (stands_on_missing(b, i))
			continue;
		for (k = 0; k < st->n_plan; k++) {
			struct build_planned *p = &st->plan[k];

			if (p->cached)
				continue;
			if (!is_asked(a, p->key, &at) || !a->found[at].layer[0])
				break;
			if (!chain_fits(b, i, p, &a->found[at])) {
				*astray = true;
				break;
			}
			stage_below(st, p, a->found[at].below);
			if (share_accept(b, p, &a->found[at], err) < 0)
				return -1;
		}
	}
	return 0;
}

static int ask(struct build *b, const char *name, struct asked *a,
	       struct error *err)
{
	cleanup_cache_place struct cache_place place = { 0 };
	cleanup_error struct error why = ERROR_INIT;

	if (share_open(b, name, &place, &why) == 0 &&
	    cache_remote_get(&place, a->keys, a->n, a->found, &why) == 0)
		return 0;
	return give_up(b, name, &why, err);
}

static bool is_any(const struct build *b UNUSED, size_t stage UNUSED,
		   const struct build_planned *p UNUSED)
{
	return true;
}

/* So that all are found when the build is planned once more. */
static int learn(struct build *b, struct build_planned *p,
		 const struct cache_entry *e, struct error *err)
{
	return cache_put(b->o->store, p->key, &p->text, e, err);
}

/* Who only asks leaves the store as it is. */
static int replace(struct build *b, struct build_planned *p,
		   const struct cache_entry *e, struct error *err)
{
	if (p->cached && str_eq(p->layer, e->layer))
		return 0;
	b->result->cached -= p->cached;
	return share_accept(b, p, e, err);
}

/* It goes on from layers that are not the store's: perhaps with all of its
 * own it goes further. */
static int change_over(struct build *b, const char *name, struct error *err)
{
	CLEANUP(asked_release) struct asked a = { 0 };
	int rc;

	collect(b, is_any, &a);
	if (ask(b, name, &a, err) < 0)
		return -1;
	rc = chain_adopt(b, &(struct chain_known){ a.keys, a.found, a.n },
			 b->probe ? replace : learn, err);
	b->again = rc > 0 && !b->probe;
	return rc < 0 ? -1 : 0;
}

int share_look_up(struct build *b, struct error *err)
{
	const struct strvec *from = b->o->cache_from;
	bool astray;
	size_t i;

	for (i = 0; from && i < from->nr && !b->o->no_cache; i++) {
		CLEANUP(asked_release) struct asked a = { 0 };

		astray = false;
		collect(b, is_missing, &a);
		if (!a.n)
			return 0;
		if (strvec_has(&b->dead, from->v[i]))
			continue;
		if (ask(b, from->v[i], &a, err) < 0 ||
		    accept_found(b, &a, &astray, err) < 0 ||
		    (astray && change_over(b, from->v[i], err) < 0))
			return -1;
		if (b->again)
			return 0;
	}
	return 0;
}

int share_forget(struct build *b, struct error *err)
{
	int forgotten = 0;
	size_t i, k;

	for (i = 0; i < b->n_stages; i++) {
		for (k = 0; k < b->stages[i].n_plan; k++) {
			const struct build_planned *p = &b->stages[i].plan[k];

			if (!p->remote || store_has_layer(b->o->store,
							  p->layer))
				continue;
			if (cache_forget(b->o->store, p->key, err) < 0)
				return -1;
			forgotten++;
		}
	}
	return forgotten;
}

/* --- what others get --- */

/* A layer on its way. */
struct shared {
	struct store *store;
	struct cache_entry entry;
	char digest[DIGEST_TEXT];
};

static bool is_target(const struct build *b, size_t stage)
{
	struct build_base base;
	size_t at = build_eval_target(b->ev);

	while (at != stage) {
		build_eval_base(b->ev, at, &base);
		if (base.kind != BASE_STAGE)
			return false;
		at = base.stage;
	}
	return true;
}

static bool is_ours(const struct build *b, size_t stage,
		    const struct build_planned *p)
{
	return !p->remote && (b->o->cache_max || is_target(b, stage));
}

static int open_layer(void *arg, int *fd, struct error *err)
{
	const struct shared *s = arg;

	*fd = store_open_blob(s->store, s->digest, err);
	return *fd < 0 ? -1 : 0;
}

/* 1: ready to go; 0: what it lies on is not here, so nothing can be said. */
static int pack(struct build *b, size_t stage,
		const struct build_planned *p, struct shared *s,
		struct error *err)
{
	const struct build_stage *st = &b->stages[stage];
	cleanup_free const char **chain = build_chain(&st->image);
	struct store_meta meta = { 0 };
	size_t n = 0;

	while (n < st->image.n_layers && !str_eq(chain[n], p->layer))
		n++;
	if (n == st->image.n_layers)
		return 0;
	for (size_t i = 0; i <= n; i++)
		if (!store_has_layer(b->o->store, chain[i]))
			return 0;
	if (!chain_below(b, stage, p, s->entry.below))
		return 0;
	if (store_get_meta(b->o->store, p->layer, &meta, err) < 0 ||
	    store_layer_blob(b->o->store, chain, n + 1, &meta, err) < 0)
		return -1;
	s->store = b->o->store;
	memcpy(s->digest, meta.blob, DIGEST_TEXT);
	memcpy(s->entry.diff_id, meta.diff_id, DIGEST_TEXT);
	s->entry.created = xstrdup(p->created);
	oci_descriptor_set(&s->entry.desc, meta.media_type, meta.blob,
			   meta.blob_size);
	return 1;
}

/* One that is there and of no use is replaced by the step that ran. */
static void forget_useless(const struct build *b, struct asked *a)
{
	size_t i, k, at;

	for (i = 0; b->o->cache_renew && i < b->n_stages; i++) {
		for (k = 0; k < b->stages[i].n_plan; k++) {
			const struct build_planned *p = &b->stages[i].plan[k];

			if (b->result->steps[p->report].ran &&
			    is_asked(a, p->key, &at))
				a->found[at].layer[0] = '\0';
		}
	}
}

static int pack_all(struct build *b, const struct asked *a,
		    struct cache_publish *list, struct shared *shared,
		    size_t *n, struct error *err)
{
	cleanup_free bool *wanted = xcalloc(a->n + 1, sizeof(*wanted));
	size_t i, k, at;

	chain_choose(b, &(struct chain_known){ a->keys, a->found, a->n },
		     wanted);
	for (i = 0; i < b->n_stages; i++) {
		for (k = 0; k < b->stages[i].n_plan; k++) {
			const struct build_planned *p = &b->stages[i].plan[k];
			struct shared *s = &shared[*n];
			int rc;

			if (!is_asked(a, p->key, &at) || !wanted[at])
				continue;
			wanted[at] = false;
			rc = pack(b, i, p, s, err);
			if (rc < 0)
				return -1;
			if (!rc)
				continue;
			list[*n] = (struct cache_publish){
				.key = p->key,
				.entry = &s->entry,
				.layer = { .size = s->entry.desc.size,
					   .open = open_layer, .arg = s },
			};
			memcpy(list[*n].layer.digest, s->digest, DIGEST_TEXT);
			++*n;
		}
	}
	return 0;
}

static int publish_steps(struct build *b, struct error *err)
{
	CLEANUP(asked_release) struct asked a = { 0 };
	cleanup_cache_place struct cache_place c = { 0 };
	cleanup_free struct cache_publish *list = NULL;
	cleanup_free struct shared *shared = NULL;
	size_t n = 0, i;
	int rc;

	collect(b, is_ours, &a);
	if (!a.n)
		return 0;
	list = xcalloc(a.n, sizeof(*list));
	shared = xcalloc(a.n, sizeof(*shared));
	if (share_open(b, b->o->cache_to, &c, err) < 0 ||
	    cache_remote_get(&c, a.keys, a.n, a.found, err) < 0)
		return -1;
	forget_useless(b, &a);
	rc = pack_all(b, &a, list, shared, &n, err);
	if (!rc)
		rc = cache_remote_put(&c, list, n, err);
	if (!rc && n)
		log_info(n == 1 ? "%zu step was published in %s" :
				  "%zu steps were published in %s",
			 n, b->o->cache_to);
	for (i = 0; i < n; i++)
		cache_entry_release(&shared[i].entry);
	return rc;
}

/* The image comes last: where it is, all its steps are. What came from a cache
 * is there for others already, but where a step had to run again, an image
 * that is there may be of no use. */
static int publish(struct build *b, struct error *err)
{
	int there = b->adopted;

	if (!there && !b->o->no_cache && !b->o->cache_renew &&
	    !b->result->executed)
		there = known_is_there(b, err);
	if (there < 0 ||
	    (!there && (publish_steps(b, err) < 0 ||
			known_publish(b, err) < 0)))
		return -1;
	return b->o->latest ? known_publish_latest(b, err) : 0;
}

int share_publish(struct build *b, struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;

	if (!b->o->cache_to || b->changed || publish(b, &why) == 0)
		return 0;
	if (b->o->must_publish || signals_pending()) {
		error_wrap(&why, "publishing in %s", b->o->cache_to);
		return error_move(err, &why);
	}
	log_warn("steps were not published in %s: %s", b->o->cache_to,
		 why.msg);
	return 0;
}
