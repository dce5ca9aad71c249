/* push.h - a blob on its way: push.c asks, upload.c sends, resume.c notes */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_PUSH_H
#define REGISTRY_PUSH_H

#include "registry/internal.h"

enum push_state {
	PUSH_ASK,   /* HEAD: is it there? */
	PUSH_BEGIN, /* POST: mount it, or begin an upload */
	PUSH_TAKE_BACK, /* DELETE of an upload that nobody wants */
	PUSH_SEND,  /* PUT of all of it */
	PUSH_CHUNK, /* PATCH of a part */
	PUSH_LOOK,  /* GET: how much is there? */
	PUSH_CLOSE, /* PUT after the last part */
};

struct push {
	struct registry_call call;
	struct registry_source *source;
	enum push_state state;
	int fd;
	int tries;
	char *place; /* of an upload that was begun and not ended */
	enum url_reach reach; /* of those who named it, the least */
	uint64_t offset; /* of it, sent in parts */
	uint64_t chunk;	 /* bytes of a part */
	uint64_t least;	 /* of them, as the registry wants it */
	bool noted;	 /* another process could go on with it */
	bool recalled;	 /* it is gone on with, as far as it is known */
	bool done;
};

int push_open_source(struct push *p, struct error *err) MUST_CHECK;
/* Prepare a request to the place of an upload, as the last answer or one
 * before names it; `add_digest` ends it. 1, or -1. */
int push_to_place(struct push *p, const char *method, bool add_digest,
		  struct error *err) MUST_CHECK;
/* Something failed that may go better the next time: 0, or -1 when that was
 * often enough. */
int push_count_failure(struct push *p, struct error *err) MUST_CHECK;
int push_pause_ms(const struct push *p);
/* Ask anew, and upload from the beginning what is not there. 1, or -1. */
int push_start_over(struct push *p, struct error *err) MUST_CHECK;
/* The same where it was no failure: an upload from before is not used. 1. */
int push_anew(struct push *p);

/* --- upload.c --- */

/* An upload was begun: send. 1, or -1. */
int upload_begin(struct push *p, struct error *err) MUST_CHECK;
/* Go on with an upload at p->place that was not ended: the registry is asked
 * what it has of it. 1, or -1. */
int upload_resume(struct push *p, struct error *err) MUST_CHECK;
/* An answer came: 1 another request was prepared, 0 all is sent, -1. */
int upload_next(struct push *p, struct error *err) MUST_CHECK;

/* --- resume.c --- */

/* Is it worth it, and is there a place for notes? */
bool resume_is_wanted(const struct push *p);
/* Remember the place where the upload goes on. */
void resume_note(struct push *p);
/* Nobody is to go on with it. */
void resume_forget(struct push *p);
/* What an earlier process noted becomes p->place: true. */
bool resume_recall(struct push *p);

#endif
