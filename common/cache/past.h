/* past.h - what the newest builds were made from, for those who ask why */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CACHE_PAST_H
#define CACHE_PAST_H

#include "cache/cache.h"

/*
 * A document beside the images of a cache: the texts of the keys of one build
 * and the names of the files that it read. Values are digests with a salt of
 * the document, which tell whether they are the same and nothing else.
 */
struct cache_past {
	struct json *json; /* {"salt", "steps": [{"key", "text", "files"}]} */
};
#define cleanup_cache_past CLEANUP(cache_past_release)
void cache_past_release(struct cache_past *past);

void cache_past_new(struct cache_past *past);
/* Lines of `files` are those of cache_put_files. */
void cache_past_add(struct cache_past *past, const char *hex,
		    const struct cache_key *k, const struct strvec *files);
/* The text of a key with such digests in place of values. */
void cache_past_hide(const struct cache_past *past, const struct cache_key *k,
		     struct strbuf *out);

/* The newest build of one of these names, the first that there is: 1, 0, -1.
 * `names` are keys. */
int cache_past_get(struct cache_place *p, const char *const *names, size_t n,
		   struct cache_past *past, struct error *err) MUST_CHECK;
/* Be the newest of all these names. */
int cache_past_put(struct cache_place *p, const char *const *names, size_t n,
		   const struct cache_past *past, struct error *err)
	MUST_CHECK;

#endif
