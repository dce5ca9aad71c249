/* lookup.h - images that the network is asked for, several at a time */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_LOOKUP_H
#define BUILD_LOOKUP_H

#include "base/job.h"
#include "build/internal.h"

struct lookup {
	struct build *b;
	const char *name; /* as written; borrowed */
	const struct oci_platform *platform;
	struct oci_ref ref;
	char digest[DIGEST_TEXT]; /* what the name means; "" until known */
	bool found; /* all that describes it is in the build's documents */
	struct job job;
	bool started;
};

struct lookups {
	struct lookup *v;
	size_t nr, alloc;
};
#define cleanup_lookups CLEANUP(lookup_release)
void lookup_release(struct lookups *l);
int lookup_add(struct lookups *l, struct build *b, const char *name,
		const struct oci_platform *platform, struct error *err)
	MUST_CHECK;
/* Have what describes them; `failed` is the one that an error is about. */
int lookup_run(struct build *b, struct lookups *l, size_t *failed,
		struct error *err) MUST_CHECK;

/*
 * bases.c: what describes the images of a build, in one document of a cache.
 * It is found by what the names of the FROM lines mean, so that a machine with
 * an empty store asks once for each of those and once for the document.
 * Nothing in there is believed: what a digest leads to is verified by it.
 */

/* Read it into the build's documents; a cache that has none is no error. */
int bases_read(struct build *b, const struct lookups *l, struct error *err)
	MUST_CHECK;
/* The document, and its tag; NULL: there is none, as an image is not to be had
 * from a registry. */
char *bases_write(struct build *b, struct strbuf *body);

#endif
