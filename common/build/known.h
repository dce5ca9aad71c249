/* known.h - builds that a cache knows as a whole, by the key of their image */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_KNOWN_H
#define BUILD_KNOWN_H

#include "build/internal.h"

/*
 * The key of the image that a plan leads to: what its files follow from, its
 * configuration without times and digests, and SOURCE_DATE_EPOCH. It is the
 * same on every machine, whatever that has built before.
 */
void known_key(const struct build *b, char hex[CACHE_KEY]);

/*
 * Look for the image of the plan, first in the store, then in the caches of
 * the options. 1: it is the result, all steps count as cached, and nothing of
 * it was fetched but its configuration; 0: it has to be built.
 */
int known_find(struct build *b, struct error *err) MUST_CHECK;

/* What an earlier build took over from a cache: 1, 0, -1. */
int known_recall(struct build *b, struct store_image *image,
		 struct error *err) MUST_CHECK;
/* The image is there: all steps count as cached. */
void known_all_cached(struct build *b);

/* Where an image was found: a cache has its manifest. */
struct known_found {
	char *place; /* HOST/REPOSITORY or oci:DIR; malloc'ed */
	struct build_manifest m;
};
#define KNOWN_FOUND_INIT { .m = BUILD_MANIFEST_INIT }
void known_found_release(struct known_found *f);
/* Ask the caches alone, in order, until one has it: 1, 0, -1. */
int known_ask(struct build *b, const char *key, struct known_found *f,
	      struct error *err) MUST_CHECK;

/* The tag of an image with this key; malloc'ed. */
char *known_tag(const char *key);

/* --- known_publish.c --- */

/* Is the image in the cache that is written to? 1, 0, -1. */
int known_is_there(struct build *b, struct error *err) MUST_CHECK;
/* Put the result there, with what describes the images it stands on. */
int known_publish(struct build *b, struct error *err) MUST_CHECK;
/* Call the result "latest" there. */
int known_publish_latest(struct build *b, struct error *err) MUST_CHECK;

#endif
