/* gate.h - whom this process may contact: asked before every connection */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_GATE_H
#define WRAP_GATE_H

#include "base/error.h"
#include "base/strvec.h"

/*
 * http.h and repo.h ask here before they look up a name or connect, whoever
 * called them, so that no caller can forget to. What may be contacted is a
 * property of the process, as what is logged: main sets it once, and children
 * inherit it. Before that everything may be.
 */
enum gate_kind {
	GATE_URL,   /* a download: its URL, without user and fragment */
	GATE_GIT,   /* a repository: its URL without credentials */
	GATE_IMAGE, /* read from a registry: host/repository[:tag][@digest] */
	GATE_PUSH,  /* the same, written to */
	GATE_HOST,  /* URL to which one of these sends us */
};

struct gate_question {
	enum gate_kind kind;
	const char *name; /* normalised */
	/* The user named the place as one to read from instead of others. */
	bool mirror;
	/* What an image was found to be: the digests of its manifest and of
	 * the indexes that led there, and "created" of its configuration.
	 * NULL: not known, so they are not asked about. */
	const struct strvec *digests;
	const char *created;
};

struct gate {
	bool offline; /* mirrors only */
	bool strict;  /* there are rules: plans are asked about as a whole */
	/* NULL: anything. ERR_REFUSED for a no. */
	int (*ask)(void *arg, const struct gate_question *q,
		   struct error *err);
	/* Where an image is read instead ("host/repository", malloc'ed), or
	 * NULL; such a place counts as a mirror. NULL: there are none. */
	char *(*moved)(void *arg, const char *name);
	void *arg;
};

void gate_set(const struct gate *gate);
bool gate_offline(void);
bool gate_strict(void);
int gate_check(const struct gate_question *q, struct error *err) MUST_CHECK;
/* The same about a connection: never where nothing is to be contacted. */
int gate_connect(const struct gate_question *q, struct error *err) MUST_CHECK;
/* As the member. */
char *gate_moved(const char *name);

#endif
