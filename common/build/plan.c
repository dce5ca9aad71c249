/* plan.c - what each stage will be, and which of its steps are known */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/signals.h"
#include "build/display.h"
#include "build/known.h"
#include "build/share.h"
#include "build/stage.h"

#define PLAN_MAX ((size_t)512 << 20) /* bytes: many RUN, each with all ENV */

static struct build_step_report *report(struct build *b, size_t stage,
					const struct build_step *step)
{
	struct build_result *r = b->result;
	struct build_step_report *s;

	GROW(r->steps, r->n_steps, r->alloc_steps);
	s = &r->steps[r->n_steps++];
	*s = (struct build_step_report){ .stage = stage,
					 .line = step->line,
					 .text = xstrdup(step->text) };
	return s;
}

int plan_fail(const struct build *b, unsigned line, struct error *err)
{
	if (err && (err->code == ERR_INPUT || err->code == ERR_STEP ||
		    err->code == ERR_NETWORK || err->code == ERR_REFUSED ||
		    err->code == ERR_HOST))
		error_wrap(err, "%s:%u:1", b->o->name, line);
	return -1;
}

static bool mount_input(const struct build_step *step, size_t n,
			struct build_from *from)
{
	size_t i;

	for (i = 0; i < step->n_mounts; i++) {
		*from = step->mounts[i].from;
		if ((from->stage != SIZE_MAX || from->name) && !n--)
			return true;
	}
	return false;
}

bool plan_input(const struct build_planned *p, size_t n,
		struct build_from *from)
{
	const struct build_step *step = &p->step;

	if (step->op == BUILD_RUN)
		return mount_input(step, n, from);
	*from = (struct build_from){ step->from_stage, step->from };
	return step->op == BUILD_COPY && step->sources.nr && !n;
}

void plan_label(const struct build *b, size_t stage,
		const struct build_planned *p, struct strbuf *out)
{
	struct build_base base;

	build_eval_base(b->ev, stage, &base);
	if (base.name)
		strbuf_addstr(out, base.name);
	else
		strbuf_addf(out, "stage-%zu", stage);
	strbuf_addf(out, " %zu/%zu", p->number,
		    b->stages[stage].n_plan + 1);
}

static size_t list_size(const struct strvec *list)
{
	size_t n = 0, i;

	for (i = 0; i < list->nr; i++)
		n += strlen(list->v[i]) + 3 * sizeof(char *);
	return n;
}

/* A short file may have many steps that each hold a long environment. */
static int charge(struct build *b, const struct build_planned *p,
		  struct error *err)
{
	b->planned += sizeof(*p) + p->text.text.len +
		      list_size(&p->step.env) + list_size(&p->step.argv);
	if (b->planned <= PLAN_MAX)
		return 0;
	return error_set(err, ERR_INPUT,
			 "the steps and their environments take more than %zu "
			 "MiB", PLAN_MAX >> 20);
}

/* A key is a digest: its first digits are as good as any hash. */
static struct build_made_entry *find_made(const struct build_made *m,
					  const char *key)
{
	size_t i = strtoul((char[9]){ key[0], key[1], key[2], key[3], key[4],
				      key[5], key[6], key[7] },
			   NULL, 16);

	for (i &= m->alloc - 1; m->v[i].key[0]; i = (i + 1) & (m->alloc - 1))
		if (str_eq(m->v[i].key, key))
			break;
	return &m->v[i];
}

static void grow_made(struct build_made *m)
{
	struct build_made old = *m;
	size_t i;

	m->alloc = old.alloc ? 2 * old.alloc : 64;
	m->v = xcalloc(m->alloc, sizeof(*m->v));
	for (i = 0; i < old.alloc; i++)
		if (old.v[i].key[0])
			*find_made(m, old.v[i].key) = old.v[i];
	free(old.v);
}

/* Two stages that do the same have the same layer. */
static void name_layer(struct build_made *m, struct build_planned *p)
{
	struct build_made_entry *e;

	if (2 * m->nr >= m->alloc)
		grow_made(m);
	e = find_made(m, p->key);
	if (!e->key[0]) {
		store_new_id(e->layer);
		memcpy(e->key, p->key, CACHE_KEY);
		m->nr++;
	}
	memcpy(p->layer, e->layer, STORE_ID);
}

/*
 * Its layer and what it is in the cache, or the name its layer will have. A
 * layer is the difference to those it was made on. Where one of those has to
 * be made again, which may come out another, it is made again as well, unless
 * it stands alone; and that must be here, as layers are fetched first.
 */
static int look_up(struct build *b, struct build_stage *st,
		   struct build_planned *p, struct cache_entry *hit,
		   struct error *err)
{
	const char *reason = "the cache was not asked";
	int rc = 0;

	if (!b->o->no_cache)
		rc = cache_get(b->o->store, p->key, hit, &reason, err);
	if (rc < 0)
		return -1;
	p->remote = rc && !store_has_layer(b->o->store, hit->layer);
	if (rc && st->missed && (p->remote || !p->step.link)) {
		reason = "what it stands on has to run";
		p->remote = false;
		rc = 0;
	} else if (rc && !stage_fits(st, p, hit)) {
		reason = "what it stands on was made once more";
		p->remote = false;
		rc = 0;
	}
	p->cached = rc;
	if (rc) {
		if (*hit->as)
			memcpy(p->as, hit->as, CACHE_KEY);
		memcpy(p->layer, hit->layer, STORE_ID);
		p->created = xstrdup(hit->created);
	} else {
		st->missed = true;
		name_layer(&b->made, p);
		p->created = xstrdup(b->now);
		log_debug("key %.12s: %s", p->key, reason);
	}
	return 0;
}

/* Takes over the step. */
static int plan_layer(struct build *b, size_t stage, struct build_step *step,
		      struct error *err)
{
	struct build_stage *st = &b->stages[stage];
	struct build_step_report *rep = report(b, stage, step);
	cleanup_cache_entry struct cache_entry hit = { 0 };
	struct build_planned *p;

	GROW(st->plan, st->n_plan, st->alloc_plan);
	p = &st->plan[st->n_plan++];
	*p = (struct build_planned){ .step = *step,
				     .text = CACHE_KEY_INIT,
				     .number = st->n_plan + 1,
				     .report = b->result->n_steps - 1 };
	*step = (struct build_step){ 0 };
	memcpy(p->parent, st->key, CACHE_KEY);
	if (step_key(b, st, p, err) < 0 || look_up(b, st, p, &hit, err) < 0)
		return -1;
	memcpy(rep->key, p->key, CACHE_KEY);
	memcpy(rep->layer, p->layer, STORE_ID);
	rep->cached = p->cached;
	stage_add(st, &p->step, p->layer, p->as, p->created);
	if (p->cached)
		build_place_layer(&st->image.layers[st->image.n_layers - 1],
				  &hit);
	b->result->cached += p->cached;
	return charge(b, p, err);
}

static int plan_step(struct build *b, size_t stage, struct build_step *step,
		     struct error *err)
{
	unsigned line = step->line;

	if (signals_check(err) < 0)
		return -1;
	if (step->op == BUILD_META) {
		report(b, stage, step);
		stage_add(&b->stages[stage], step, NULL, NULL, NULL);
		return 0;
	}
	if (!plan_layer(b, stage, step, err))
		return 0;
	return plan_fail(b, line, err);
}

/* The evaluated configuration, with the history kept here. */
static void adopt_config(struct build_stage *st, const struct oci_config *ev)
{
	struct oci_config *old = &st->image.config;
	struct oci_config merged = { 0 };
	struct oci_config evaluated;

	oci_config_copy(&merged, ev);
	evaluated = merged;
	merged.history = old->history;
	merged.n_history = old->n_history;
	merged.alloc_history = old->alloc_history;
	old->history = evaluated.history;
	old->n_history = evaluated.n_history;
	old->alloc_history = evaluated.alloc_history;
	oci_config_release(old);
	*old = merged;
}

static int plan_steps(struct build *b, size_t i, struct error *err)
{
	for (;;) {
		cleanup_build_step struct build_step step = { 0 };
		int rc = build_eval_next(b->ev, i, &step, err);

		if (!rc)
			adopt_config(&b->stages[i],
				     build_eval_config(b->ev, i));
		if (rc <= 0)
			return rc;
		if (plan_step(b, i, &step, err) < 0)
			return -1;
	}
}

static int plan_stage(struct build *b, size_t i, struct error *err)
{
	size_t j;

	if (stage_begin(b, i, err) < 0)
		return -1;
	/* A trigger of the base image may copy from a stage that nothing else
	 * needs. */
	for (j = 0; j < i; j++) {
		if (!build_eval_needed(b->ev, j) || b->stages[j].begun)
			continue;
		if (resolve_bases(b, err) < 0 || plan_stage(b, j, err) < 0)
			return -1;
	}
	return plan_steps(b, i, err);
}

/* What is known is told before anything runs. */
static void announce(struct build *b, size_t stage)
{
	const struct build_stage *st = &b->stages[stage];
	size_t i;

	for (i = 0; i < st->n_plan; i++) {
		cleanup_strbuf struct strbuf label = STRBUF_INIT;
		const struct build_planned *p = &st->plan[i];

		plan_label(b, stage, p, &label);
		if (p->cached)
			display_cached(label.buf, p->step.text);
		b->result->steps[p->report].label = strbuf_detach(&label);
	}
}

/* What is not known here may be known elsewhere. */
static int look_elsewhere(struct build *b, struct error *err)
{
	int rc;

	known_key(b, b->key);
	rc = known_find(b, err);
	if (rc)
		return rc < 0 ? -1 : 0;
	if (share_look_up(b, err) < 0)
		return -1;
	return b->o->explain && !b->again ? explain_missing(b, err) : 0;
}

int plan_all(struct build *b, struct error *err)
{
	size_t target = build_eval_target(b->ev), i;

	if (resolve_bases(b, err) < 0)
		return -1;
	for (i = 0; i <= target; i++)
		if (build_eval_needed(b->ev, i) && !b->stages[i].begun &&
		    plan_stage(b, i, err) < 0)
			return -1;
	if (!b->probe && look_elsewhere(b, err) < 0)
		return -1;
	for (i = 0; i <= target && !b->probe && !b->again; i++)
		if (b->stages[i].begun)
			announce(b, i);
	return 0;
}
