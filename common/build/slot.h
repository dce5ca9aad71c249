/* slot.h - the places where steps are at work, each in a process */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SLOT_H
#define BUILD_SLOT_H

#include "base/job.h"
#include "build/display.h"
#include "build/internal.h"

/* One of the places where a job can be at work. */
struct slot {
	struct schedule *all;
	size_t number; /* names what it mounts */
	struct job job;
	job_run todo; /* about to begin; or NULL */
	struct build_stage *stage;
	size_t index;		 /* of the stage */
	struct build_planned *p; /* NULL: it fetches the stage's image */
	struct store_draft draft; /* of the step */
	int claim; /* claim.c: the lock of its key, or -1 */
	double started;
};

struct schedule {
	struct build *b;
	size_t nr;
	struct slot *slots;
	struct job **jobs; /* of the slots */
	struct display display; /* a row for each slot */
	bool warm;	   /* runtime_warm was called */
	bool waiting;	   /* for a step that another build runs */
};

/* Layers of a stage that come from elsewhere: the base image's, and those of
 * steps up to the last that a registry has. */
size_t slot_fetched_layers(const struct build_stage *st);
/* What a slot can do (job_run): fetch those of its stage, run its step. */
int slot_fetch(void *slot, struct strbuf *result, struct error *err)
	MUST_CHECK;
int slot_step(void *slot, struct strbuf *result, struct error *err)
	MUST_CHECK;
/* The latter in this process. */
int slot_execute(struct slot *slot, struct error *err) MUST_CHECK;
/* Its log_sink. */
void slot_hear(void *slot, const struct log_event *e);
void slot_begin(struct slot *slot, struct build_stage *st, job_run run);
/* What it did has ended so. */
int slot_finish(struct slot *slot, int rc, struct error *err) MUST_CHECK;
/* After the first failure: ask the others to undo what they did, then kill
 * them. */
void slot_stop_all(struct schedule *s);

/* --- claim.c: of all builds in a store one runs a step --- */

enum claim {
	CLAIM_OURS,   /* run it; slot_finish gives the claim up */
	CLAIM_THERE,  /* another build has made it: the step is cached now */
	CLAIM_ERROR,
	CLAIM_FOREIGN /* another build is at it: ask again */
};
/* All that the step reads is there. */
enum claim claim_step(struct slot *slot, size_t stage, struct build_planned *p,
		      struct error *err);

#endif
