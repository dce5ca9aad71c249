/* push.h - one blob on its way to a registry: push.c asks, upload.c sends */
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

/* --- upload.c --- */

/* An upload was begun: send. 1, or -1. */
int upload_begin(struct push *p, struct error *err) MUST_CHECK;
/* An answer came: 1 another request was prepared, 0 all is sent, -1. */
int upload_next(struct push *p, struct error *err) MUST_CHECK;

#endif
