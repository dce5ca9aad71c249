/* record.h - the document that commands hand to each other */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "wrap/json.h"

#define RECORD_SCHEMA "devenv/1"
#define RECORD_MAX (16 << 20) /* bytes a reader accepts */

/*
 * devenv-record(5). Sections ("source", "plan", "image", "cache", "pushed",
 * "environment" and whatever a later version adds) are values in `json`;
 * those a command does not know pass through it.
 */
struct record {
	struct json *json; /* an object with "schema" */
	char *name;	   /* for messages */
	char *text;	   /* what was read, for positions; NULL: made here */
	size_t n;
};
#define RECORD_INIT { 0 }
#define cleanup_record CLEANUP(record_release)
void record_release(struct record *r);

/* Are these first bytes of an input a record, rather than a tar? */
bool record_detect(const char *data, size_t n);
/* An empty record. */
void record_new(struct record *r);
/* `name` is the file, or "-". Wrong schema or section kinds are ERR_INPUT
 * with a position. */
int record_parse(struct record *r, const char *name, const char *text,
		 size_t n, struct error *err) MUST_CHECK;
/* NULL when absent. Borrowed. */
struct json *record_get(const struct record *r, const char *section);
/* Replace a section; takes ownership of `value`. */
void record_set(struct record *r, const char *section, struct json *value);
/* Sorted keys, indented, final newline. */
void record_write(const struct record *r, struct strbuf *out);
/* Rewrite the paths of `source` and `plan` that lie below `dir` (absolute)
 * relative to it; "." for itself. */
void record_relative(struct record *r, const char *dir);
/* "NAME:LINE:COL: plan.args: text" of ERR_INPUT for the value at a path of
 * keys, which a NULL ends. Returns -1. */
int record_fail(const struct record *r, struct error *err,
		const char *const *path, const char *what);

enum record_kind {
	RECORD_DEVCONTAINER,
	RECORD_DOCKERFILE,
	RECORD_IMAGE,
	RECORD_TEMPLATE,
	RECORD_FALLBACK,
};
const char *record_kind_name(enum record_kind kind);

/* Section "plan": what is to be built. NULL means absent throughout. */
struct record_plan {
	enum record_kind kind;
	char *context;	 /* directory; NULL: nothing is copied from one */
	char *dockerfile; /* path of the file, or else */
	char *text;	 /* the Dockerfile itself */
	char *target;
	struct strvec args; /* "K=V", or "K": from the environment */
	char *platform;
	struct json *config;   /* devcontainer configuration */
	char *config_file;     /* where that was read */
	struct json *features; /* [{"id","options","where"}], NULL: none */
	struct json *metadata; /* what the image's label gets on top of its
				  base's, as written; NULL: nothing */
	char *user;	       /* remoteUser, else containerUser, as written */
	struct strvec cache_from;
	struct json *options; /* "labels", "network", "no_cache", "pull" of a
				 configuration's build; or NULL */
	struct strvec warnings; /* what nothing acts on, FILE:LINE:COL first */
	/* What runs beside it, in the order of start, itself included: {"name",
	 * "names", "depends_on", "healthcheck"} and, for the others, "plan".
	 * NULL: nothing does. */
	struct json *services;
	/* image templates */
	char *name;		  /* of the template */
	char *reference;	  /* where the image goes */
	struct strvec credentials; /* names of stored credentials */
};
#define RECORD_PLAN_INIT { 0 }
#define cleanup_record_plan CLEANUP(record_plan_release)
void record_plan_release(struct record_plan *p);

/* Read the section; its absence is ERR_INPUT that advises `devenv parse`. */
int record_plan_get(struct record_plan *p, const struct record *r,
		    struct error *err) MUST_CHECK;
/* ERR_INPUT where nothing says what to build. */
int record_plan_check(const struct record_plan *p, struct error *err)
	MUST_CHECK;
/* The plan of one of its services; `at` counts them. The one that the plan
 * itself is of has none: `found` is false then. */
int record_plan_service(const struct record_plan *p, const struct record *r,
			size_t at, struct record_plan *out, bool *found,
			struct error *err) MUST_CHECK;
/* The plan as JSON, for such a service. */
struct json *record_plan_json(const struct record_plan *p);
/* Write the section. */
void record_plan_set(const struct record_plan *p, struct record *r);

/* Section "source": NULL members when absent, all borrowed. */
struct record_source {
	const char *url, *ref, *commit, *path;
};
void record_source_get(struct record_source *s, const struct record *r);
void record_source_set(const struct record_source *s, struct record *r);

#endif
