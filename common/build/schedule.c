/* schedule.c - run what is missing, as much of it at once as may be */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signals.h"
#include "build/stage.h"
#include "build/slot.h"
#include "store/lock.h"

static bool is_done(const struct build_stage *st)
{
	return st->ready && !st->busy && st->next == st->n_plan;
}

static bool is_idle(const struct slot *slot)
{
	return !slot->job.pid && !slot->todo;
}

static struct slot *idle_slot(struct schedule *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		if (is_idle(&s->slots[i]))
			return &s->slots[i];
	return NULL;
}

/* --- what has to be there --- */

static void want(struct build_stage *st, bool mounted)
{
	st->wanted = true;
	if (mounted)
		st->mounted = true;
}

static void want_inputs(struct build *b, size_t stage)
{
	struct build_stage *st = &b->stages[stage];
	struct build_base base;
	struct build_from from;
	size_t i, k;

	for (i = 0; i < st->n_plan; i++) {
		const struct build_planned *p = &st->plan[i];

		if (p->cached)
			continue;
		st->mounted |= !p->step.link;
		for (k = 0; plan_input(p, k, &from); k++)
			if (from.stage != SIZE_MAX)
				want(&b->stages[from.stage], true);
	}
	build_eval_base(b->ev, stage, &base);
	if (base.kind == BASE_STAGE)
		want(&b->stages[base.stage], st->mounted);
}

/* What a stage needs stands before it: one pass upwards is enough. */
static void want_target(struct build *b)
{
	size_t target = build_eval_target(b->ev), i;

	want(&b->stages[target], false);
	for (i = target + 1; i-- > 0;)
		if (b->stages[i].wanted)
			want_inputs(b, i);
}

static void count_steps(struct schedule *s)
{
	const struct build *b = s->b;
	size_t i, k;

	for (i = 0; i < b->n_stages; i++)
		for (k = 0; b->stages[i].wanted && k < b->stages[i].n_plan;
		     k++)
			s->display.steps += !b->stages[i].plan[k].cached;
}

/* --- stages --- */

static bool lacks_layer(const struct build *b, const struct build_stage *st)
{
	size_t n = slot_fetched_layers(st), i;

	for (i = 0; i < n; i++)
		if (!store_has_layer(b->o->store, st->image.layers[i].id))
			return true;
	return false;
}

/* Does a job fetch a layer of the same name now? */
static bool shares_fetch(const struct schedule *s,
			 const struct build_stage *st)
{
	size_t i, k, l;

	for (i = 0; i < s->nr; i++) {
		const struct slot *slot = &s->slots[i];
		const struct build_stage *other;

		if (is_idle(slot) || slot->p)
			continue;
		other = slot->stage;
		for (k = 0; k < slot_fetched_layers(other); k++)
			for (l = 0; l < slot_fetched_layers(st); l++)
				if (str_eq(other->image.layers[k].id,
					   st->image.layers[l].id))
					return true;
	}
	return false;
}

/* Are the layers on disk, where the stage is mounted at all? If not, they are
 * on their way or have to wait. */
static bool have_layers(struct schedule *s, struct build_stage *st)
{
	struct slot *slot;

	if (!st->mounted || !lacks_layer(s->b, st))
		return true;
	slot = idle_slot(s);
	if (!slot || st->busy || shares_fetch(s, st))
		return false;
	slot->p = NULL;
	display_begin(&s->display, slot->number, "fetch",
		      st->image.reference ? st->image.reference : "");
	slot_begin(slot, st, slot_fetch);
	return false;
}

static void ready_image(struct schedule *s, struct build_stage *st)
{
	size_t k;

	if (!have_layers(s, st))
		return;
	st->ready = true;
	for (k = 0; st->mounted && k < st->base_layers; k++)
		strvec_push_own(&st->dirs,
				store_layer_fs(s->b->o->store,
					       st->image.layers[k].id));
}

static void make_ready(struct schedule *s, size_t i)
{
	struct build_stage *st = &s->b->stages[i];
	struct build_base base;

	build_eval_base(s->b->ev, i, &base);
	if (base.kind == BASE_IMAGE) {
		ready_image(s, st);
		return;
	}
	if (base.kind == BASE_STAGE && !is_done(&s->b->stages[base.stage]))
		return;
	if (!have_layers(s, st))
		return;
	st->ready = true;
	if (base.kind == BASE_STAGE)
		strvec_copy(&st->dirs, &s->b->stages[base.stage].dirs);
}

/* Looking up a user and what all sandboxes share is done here, where it is
 * remembered for the next step. */
static int warm_up(struct schedule *s, size_t stage,
		   const struct build_planned *p, struct error *err)
{
	const struct runtime_user *user;

	if (p->step.op != BUILD_RUN)
		return 0;
	if (!s->warm && runtime_warm(err) < 0)
		return -1;
	s->warm = true;
	return stage_user(s->b, &s->b->stages[stage], p->step.user, &user,
			  err);
}

/* Is all there that a step reads from? What is missing is on its way then. */
static bool has_inputs(struct schedule *s, const struct build_planned *p)
{
	struct build_from from;
	bool ready = true;
	size_t i;

	for (i = 0; plan_input(p, i, &from); i++) {
		struct build_stage *st = from.stage != SIZE_MAX ?
						 &s->b->stages[from.stage] :
						 source_stage(s->b, &from);

		if (from.stage == SIZE_MAX && st && !st->ready)
			ready_image(s, st);
		ready = ready && (!st || is_done(st));
	}
	return ready;
}

/* 1: there is nothing to begin, another build has made it. */
static int begin_step(struct schedule *s, size_t stage,
		      struct build_planned *p, struct error *err)
{
	struct build_stage *st = &s->b->stages[stage];
	cleanup_strbuf struct strbuf label = STRBUF_INIT;
	bool ready = has_inputs(s, p);
	struct slot *slot = idle_slot(s);
	enum claim claim;

	if (!slot || !ready)
		return 0;
	claim = claim_step(slot, stage, p, err);
	if (claim == CLAIM_ERROR)
		return -1;
	if (claim != CLAIM_OURS)
		return claim == CLAIM_THERE;
	plan_label(s->b, stage, p, &label);
	display_begin(&s->display, slot->number, label.buf, p->step.text);
	s->b->result->executed++;
	if (warm_up(s, stage, p, err) < 0)
		return plan_fail(s->b, p->step.line, err);
	if (store_draft_new(s->b->o->store, &slot->draft, err) < 0)
		return -1;
	slot->p = p;
	slot->index = stage;
	slot_begin(slot, st, slot_step);
	return 0;
}

/* Stages may have a step in common; one of them runs it. */
static enum { THERE, COMING, MISSING } look_for(const struct schedule *s,
						const struct build_planned *p)
{
	size_t i;

	if (p->cached)
		return THERE;
	for (i = 0; i < s->nr; i++) {
		const struct slot *slot = &s->slots[i];

		if (!is_idle(slot) && slot->p &&
		    str_eq(slot->p->layer, p->layer))
			return COMING;
	}
	return store_has_layer(s->b->o->store, p->layer) ? THERE : MISSING;
}

/* Another stage ran it: for this one it came from the cache. */
static void note_shared(struct schedule *s, size_t stage,
			struct build_planned *p)
{
	cleanup_strbuf struct strbuf label = STRBUF_INIT;

	if (p->cached)
		return;
	p->cached = true;
	s->b->result->steps[p->report].cached = true;
	s->b->result->cached++;
	s->display.steps--;
	plan_label(s->b, stage, p, &label);
	display_cached(label.buf, p->step.text);
}

/* Go on with a stage as far as that needs no waiting. */
static int advance(struct schedule *s, size_t i, struct error *err)
{
	struct build_stage *st = &s->b->stages[i];
	int rc;

	if (!st->wanted || st->busy)
		return 0;
	if (!st->ready)
		make_ready(s, i);
	while (st->ready && st->next < st->n_plan) {
		struct build_planned *p = &st->plan[st->next];

		switch (look_for(s, p)) {
		case COMING:
			return 0;
		case MISSING:
			rc = begin_step(s, i, p, err);
			if (rc <= 0)
				return rc;
			break;
		case THERE:
			note_shared(s, i, p);
			stage_pass(s->b, st, p);
			st->next++;
		}
	}
	return 0;
}

static int end_job(struct slot *slot, struct error *err)
{
	int rc = job_finish(&slot->job, err);

	if (!rc)
		job_release(&slot->job);
	return slot_finish(slot, rc, err);
}

/* The only thing there is to do, which an interruption ends by itself. */
static struct slot *lone_run(struct schedule *s)
{
	struct slot *found = NULL;
	size_t i;

	/* There the walk over all files makes a fork cheap, and a display
	 * wants to be drawn while a step runs. */
	if (s->b->o->by_chroot || s->waiting ||
	    display_tick(&s->display) >= 0)
		return NULL;
	for (i = 0; i < s->nr; i++) {
		if (is_idle(&s->slots[i]))
			continue;
		if (found)
			return NULL;
		found = &s->slots[i];
	}
	return found && found->todo && found->p &&
			       found->p->step.op == BUILD_RUN ? found : NULL;
}

/* A fork for each step of a file in which nothing can be done at once would
 * take a quarter of the time of a small one. */
static int run_here(struct slot *slot, struct error *err)
{
	int rc;

	slot->todo = NULL;
	log_divert(slot_hear, slot);
	rc = slot_execute(slot, err);
	log_divert(NULL, NULL);
	/* That is not the step's failure. */
	if (rc < 0 && signals_pending())
		return -1;
	return slot_finish(slot, rc, err);
}

static int begin_all(struct schedule *s, struct error *err)
{
	size_t i;

	for (i = 0; i < s->nr; i++) {
		struct slot *slot = &s->slots[i];
		job_run todo = slot->todo;

		slot->todo = NULL;
		if (todo &&
		    job_start(&slot->job, todo, slot, slot_hear, slot, err) < 0)
			return -1;
	}
	return 0;
}

/* Until a job has something to say, or it is time to look at what others
 * do. */
static int wait_for_jobs(struct schedule *s, struct error *err)
{
	int ms = display_tick(&s->display);

	if (s->waiting && (ms < 0 || ms > STORE_LOCK_MS))
		ms = STORE_LOCK_MS;
	return job_wait(s->jobs, s->nr, ms, err);
}

static int loop(struct schedule *s, struct error *err)
{
	size_t target = build_eval_target(s->b->ev), i;
	struct slot *lone;

	for (;;) {
		if (signals_check(err) < 0)
			return -1;
		s->waiting = false;
		for (i = 0; i <= target; i++)
			if (advance(s, i, err) < 0)
				return -1;
		if (is_done(&s->b->stages[target]))
			return 0;
		lone = lone_run(s);
		if (lone ? run_here(lone, err) < 0 : begin_all(s, err) < 0)
			return -1;
		if (lone)
			continue;
		if (wait_for_jobs(s, err) < 0)
			return -1;
		for (i = 0; i < s->nr; i++)
			if (!is_idle(&s->slots[i]) &&
			    s->slots[i].job.fd < 0 &&
			    end_job(&s->slots[i], err) < 0)
				return -1;
	}
}

int schedule_run(struct build *b, struct error *err)
{
	struct schedule s = { .b = b, .nr = build_jobs(b) };
	size_t i;
	int rc;

	s.slots = xcalloc(s.nr, sizeof(*s.slots));
	s.jobs = xcalloc(s.nr, sizeof(struct job *));
	for (i = 0; i < s.nr; i++) {
		s.slots[i] = (struct slot){ .all = &s, .number = i,
					    .job = JOB_INIT,
					    .claim = -1 };
		s.jobs[i] = &s.slots[i].job;
	}
	display_init(&s.display, s.nr);
	want_target(b);
	count_steps(&s);
	rc = loop(&s, err);
	if (rc < 0)
		slot_stop_all(&s);
	display_release(&s.display);
	free(s.slots);
	free(s.jobs);
	return rc;
}
