/* slot.c - the places where steps are at work, each in a process */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/failure.h"
#include "build/stage.h"
#include "build/slot.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "build/recopy.h"
#include "store/lock.h"

#define GRACE_MS 5000 /* for a job to undo its work */

/* Mount points and files of a job are its own; locks stay with the parent. */
static int enter_slot(struct slot *slot, struct error *err)
{
	struct build *b = slot->all->b;
	cleanup_free char *number = xstrfmt("%zu", slot->number);
	char *dir = path_join(b->scratch, number);

	b->scratch = dir; /* this process ends soon */
	base_close_fd(&b->scratch_lock);
	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return error_errno(err, "cannot create '%s'", dir);
	return 0;
}

size_t slot_fetched_layers(const struct build_stage *st)
{
	size_t n = st->base_layers, k = st->n_plan, i;

	while (k && !st->plan[k - 1].remote)
		k--;
	for (i = n; k && i < st->image.n_layers; i++)
		if (str_eq(st->image.layers[i].id, st->plan[k - 1].layer))
			n = i + 1;
	return n;
}

int slot_fetch(void *arg, struct strbuf *result UNUSED, struct error *err)
{
	const struct slot *slot = arg;
	struct build *b = slot->all->b;
	struct store_image base = slot->stage->image;

	base_close_fd(&b->scratch_lock);
	base.n_layers = slot_fetched_layers(slot->stage);
	return build_fetch_layers(b->o->store, &b->registry, b->o->registry,
				  &base, err);
}

/* Is what it wrote worth a look? A command's is. By chroot it would have to be
 * told from the layers below first. */
static bool is_kept(const struct build *b, const struct build_planned *p,
		    const struct error *err)
{
	return err && err->code == ERR_STEP && p->step.op == BUILD_RUN &&
	       !b->o->by_chroot;
}

static int try_step(struct slot *slot, struct error *err)
{
	struct build *b = slot->all->b;
	struct build_planned *p = slot->p;

	if (step_execute(b, slot->stage, &p->step, &slot->draft, err) == 0)
		return 0;
	if (is_kept(b, p, err) &&
	    failed_keep(b, slot->stage, p, &slot->draft, NULL) < 0)
		log_debug("what the step wrote could not be kept");
	return -1;
}

static int make_layer(struct slot *slot, struct error *err)
{
	struct build *b = slot->all->b;
	const struct store_meta meta = { .alone = slot->p->step.link };
	int rc = try_step(slot, err);

	if (!rc)
		rc = store_draft_commit(b->o->store, &slot->draft, &meta,
					slot->p->layer, err);
	if (!rc)
		recopy_save(b->recopy, slot->p->layer);
	recopy_free(b->recopy);
	b->recopy = NULL;
	return rc;
}

int slot_execute(struct slot *slot, struct error *err)
{
	struct build *b = slot->all->b;
	struct build_planned *p = slot->p;
	struct cache_entry entry = { .created = b->now };
	char content[CACHE_KEY];
	int found;

	memcpy(entry.layer, p->layer, STORE_ID);
	stage_below(slot->stage, p, entry.below);
	failed_forget(b->o->store, p->key);
	found = rescue_find(b, slot->stage, p, content, err);
	if (found)
		return found < 0 ? -1 : 0;
	if (make_layer(slot, err) < 0 ||
	    rescue_note(b, &entry, p, content, err) < 0)
		return -1;
	if (step_is_same(b, slot->stage, p))
		return explain_put(b, p, &entry, err);
	log_warn("line %u: files changed while the build ran: this step will "
		 "run again", p->step.line);
	return cache_forget(b->o->store, p->key, err);
}

int slot_step(void *arg, struct strbuf *result UNUSED, struct error *err)
{
	struct slot *slot = arg;

	runtime_inherit();
	if (enter_slot(slot, err) < 0 ||
	    store_draft_borrow(&slot->draft, err) < 0)
		return -1;
	return slot_execute(slot, err);
}

void slot_hear(void *arg, const struct log_event *e)
{
	struct slot *slot = arg;

	display_hear(&slot->all->display, slot->number, e);
}

void slot_begin(struct slot *slot, struct build_stage *st, job_run run)
{
	slot->stage = st;
	slot->started = clock_seconds();
	slot->todo = run;
	st->busy = true;
}

static int fail(struct slot *slot, struct error *err)
{
	struct display *d = &slot->all->display;
	cleanup_strvec struct strvec tail = STRVEC_INIT;

	display_end(d, slot->number, false);
	if (!slot->p) {
		slot->all->b->lost = slot_fetched_layers(slot->stage) >
				     slot->stage->base_layers;
		return -1;
	}
	display_tail(d, slot->number, &tail);
	failure_show(slot->all->b, d->rows[slot->number].label, slot->p,
		     &tail, is_kept(slot->all->b, slot->p, err));
	return plan_fail(slot->all->b, slot->p->step.line, err);
}

static void note_time(struct slot *slot, bool failed)
{
	struct build *b = slot->all->b;
	struct build_step_report *rep;

	if (!slot->p)
		return;
	rep = &b->result->steps[slot->p->report];
	rep->ran = true;
	rep->failed = failed;
	rep->start = slot->started - b->started;
	rep->seconds = clock_seconds() - slot->started;
}

int slot_finish(struct slot *slot, int rc, struct error *err)
{
	struct build *b = slot->all->b;
	struct build_stage *st = slot->stage;
	size_t cached = b->result->cached;

	note_time(slot, rc < 0);
	store_unlock(&slot->claim);
	if (rc < 0)
		return fail(slot, err);
	display_end(&slot->all->display, slot->number, true);
	store_draft_drop(b->o->store, &slot->draft);
	st->busy = false;
	if (!slot->p)
		return 0;
	slot->all->display.done++;
	st->next++;
	if (rescue_settle(b, slot->index, slot->p, err) < 0)
		return -1;
	/* This one is among those that are done, too. */
	cached += slot->p->cached;
	slot->all->display.steps -= b->result->cached - cached;
	stage_pass(b, st, slot->p);
	return 0;
}

static void ignore(void *arg UNUSED, const struct log_event *e UNUSED)
{
}

static bool any_runs(const struct schedule *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		if (s->slots[i].job.fd >= 0)
			return true;
	return false;
}

/* What a killed job left mounted would keep the store busy. */
static void clean_slot(struct schedule *s, size_t i)
{
	cleanup_free char *number = xstrfmt("%zu", i);
	cleanup_free char *path = path_join(s->b->scratch, number);
	DIR *dir = opendir(path);
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		cleanup_free char *name = path_join(number, e->d_name);

		if (e->d_name[0] != '.')
			stage_unmount(s->b, name);
	}
	if (dir)
		closedir(dir);
}

void slot_stop_all(struct schedule *s)
{
	double end = clock_seconds() + GRACE_MS / 1e3;
	size_t i;

	for (i = 0; i < s->nr; i++) {
		s->slots[i].job.sink = ignore;
		job_stop(&s->slots[i].job);
	}
	while (any_runs(s) && clock_seconds() < end)
		if (job_wait(s->jobs, s->nr, 100, NULL) < 0)
			break;
	for (i = 0; i < s->nr; i++) {
		bool killed = s->slots[i].job.fd >= 0;

		job_release(&s->slots[i].job);
		if (killed)
			clean_slot(s, i);
		store_draft_drop(s->b->o->store, &s->slots[i].draft);
		store_unlock(&s->slots[i].claim);
	}
}
