/* cache.h - what a step is made from, as a key, and what it made */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include "base/strvec.h"
#include "store/store.h"

#define CACHE_KEY (DIGEST_HEX + 1)

/*
 * A definition key: SHA-256 of a text that names everything the step follows
 * from, one field a line, values with their length. Nothing in it depends on
 * time, place, user, proxies or the value of a secret.
 */
struct cache_key {
	struct strbuf text;
};
#define CACHE_KEY_INIT { STRBUF_INIT }
#define cleanup_cache_key CLEANUP(cache_key_release)

/* `parent`: key of the file system the step works on ("" for an empty one). */
void cache_key_begin(struct cache_key *k, const char *parent);
void cache_key_add(struct cache_key *k, const char *name, const char *value);
void cache_key_add_list(struct cache_key *k, const char *name,
			const struct strvec *values);
void cache_key_finish(struct cache_key *k, char hex[CACHE_KEY]);
void cache_key_release(struct cache_key *k);

/* What a step with a key made. */
struct cache_entry {
	char layer[STORE_ID];
	char *created; /* RFC 3339 */
};
#define cleanup_cache_entry CLEANUP(cache_entry_release)
void cache_entry_release(struct cache_entry *e);

/*
 * 1: a layer with this key is in the store; 0: not, `reason` (may be NULL)
 * says why; -1: error. A damaged entry is a miss.
 */
int cache_get(struct store *s, const char *key, struct cache_entry *e,
	      const char **reason, struct error *err) MUST_CHECK;
/* Remember; `text` of the key is kept so that a later miss can be explained. */
int cache_put(struct store *s, const char *key, const struct cache_key *k,
	      const struct cache_entry *e, struct error *err) MUST_CHECK;

#endif
