/* internal.h - what the files of compose/ share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMPOSE_INTERNAL_H
#define COMPOSE_INTERNAL_H

#include "base/strbuf.h"
#include "compose/compose.h"

/* One text while it is read. */
struct compose_file {
	char *path; /* absolute */
	char *name; /* for messages */
	char *dir;  /* where its relative paths begin */
	struct strbuf text;
	struct json *json;
};
void compose_file_release(struct compose_file *f);

/* One project while it is read. */
struct compose_load {
	const struct compose_scope *scope;
	struct strvec env; /* of .env */
	struct compose_file **files;
	size_t n_files, alloc;
	size_t total; /* see COMPOSE_TOTAL_MAX */
	struct yaml_places *places; /* of `placed` */
	const struct compose_file *placed;
	struct strvec *warnings;
	struct error *err;
};

/* A place in a file: its keys, outermost first. */
struct compose_at {
	struct compose_load *l;
	const struct compose_file *f;
	struct strvec path;
};
void compose_at_release(struct compose_at *at);
/* ERR_INPUT at a place (or at what it is in); of its key where `of_key`. */
int compose_fail(const struct compose_at *at, bool of_key, const char *fmt,
		 ...) PRINTF(3, 4);
void compose_warn(const struct compose_at *at, const char *fmt, ...)
	PRINTF(2, 3);

/* Count what a value takes in memory; an error where that is too much. */
int compose_count(const struct compose_at *at, const struct json *j)
	MUST_CHECK;
/* A list or map of more than COMPOSE_ENTRIES_MAX is an error. */
int compose_few(const struct compose_at *at, const struct json *j) MUST_CHECK;

/* The variables of the project: this host's, then those of .env. */
const char *compose_variable(void *load, const char *name);
/* Replace them in every string below. */
int compose_expand(struct compose_at *at, struct json *j) MUST_CHECK;

/* normal.c: a service as written, its variables replaced, in its long form;
 * NULL is an error. */
struct json *compose_normal(struct compose_at *at, const struct json *service);
/* volume.c: one entry of volumes, normal; NULL is an error. */
struct json *compose_volume(struct compose_at *at, const struct json *j);

/* merge.c: a normal service on top of another, which changes. */
void compose_merge(struct json *base, const struct json *top);

/* extends.c: a service with all it extends; NULL is an error. */
struct json *compose_extend(struct compose_load *l,
			    const struct compose_file *f, const char *name,
			    struct strvec *chain);
/* load.c: a file by its absolute path, read once. NULL is an error. */
const struct compose_file *compose_open(struct compose_load *l,
					const char *path, const char *dir);

#endif
