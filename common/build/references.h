/* references.h - what a Dockerfile would fetch, told before anything is */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_REFERENCES_H
#define BUILD_REFERENCES_H

#include "build/build.h"
#include "wrap/gate.h"

struct build_reference {
	enum gate_kind kind;
	const char *use; /* "FROM", "ADD" ... */
	char *name;	 /* normalised, as the gate is asked */
	unsigned line;	/* 0: it is not in the file itself */
	bool reachable; /* from the target */
};
struct build_references {
	struct build_reference *v;
	size_t nr, alloc;
};
#define cleanup_build_references CLEANUP(build_references_release)
void build_references_release(struct build_references *list);
/*
 * In the order of the file. What depends on a base image (its triggers, its
 * variables in the address of an ADD) is known only when that is; the gate is
 * asked again for whatever is fetched. On an error those found so far stay.
 */
int build_references_find(struct build_references *list,
			  const struct dockerfile *df,
			  const struct build_eval_options *o,
			  struct error *err) MUST_CHECK;
/* A Feature of the configuration: an image's name or a URL. */
void build_references_feature(struct build_references *list, const char *id);
/* The `images` view of devenv-parse(1). */
struct json *build_references_json(const struct build_references *list);
/* Ask the gate about all that the target needs; each refusal is shown. */
int build_references_ask(const struct build_references *list,
			 const char *file, struct error *err) MUST_CHECK;

#endif
