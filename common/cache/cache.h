/* cache.h - what a step is made from, as a key, and what it made */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include "base/strvec.h"
#include "cache/place.h"
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

/* --- field.c --- */

/* One line of a key's text: "NAME LENGTH:VALUE", or the head of a list,
 * "NAME[] COUNT". Nothing is terminated. */
struct cache_field {
	const char *line, *name, *value;
	size_t line_len, name_len, len;
	bool head;
};
/* From *at on, which moves behind it; false at the end, and at what is no
 * field. */
bool cache_field_next(const char **at, const char *end, struct cache_field *f);
bool cache_field_is(const struct cache_field *f, const char *name);
/* What a key follows from, for people: neither values of variables nor text of
 * commands. */
void cache_key_parts(const struct cache_key *k, struct strvec *out);

#define CACHE_GROUND "scratch"

/* What a step with a key made. */
struct cache_entry {
	char layer[STORE_ID]; /* "": none */
	/* A digest of the layers that one lies on, CACHE_GROUND for none; "":
	 * unknown. A step that ran once more may have made another layer:
	 * what was made on the first is no difference to the second. In a
	 * store it is over their names, in a cache over their diff ids. */
	char below[STORE_ID];
	char *created;	      /* RFC 3339 */
	/* Another key of the same step, which what follows is keyed by; "":
	 * this one. */
	char as[CACHE_KEY];
	/* Where the compressed layer is, when it need not be in the store:
	 * all of them, or "" and NULL. */
	char diff_id[DIGEST_TEXT];
	struct oci_descriptor desc;
	char *origin; /* as cache_pull takes it */
	/* When a cache counts it no more unless somebody uses it (seconds since
	 * 1970); 0: never, as far as anybody knows. */
	int64_t expires;
};
#define cleanup_cache_entry CLEANUP(cache_entry_release)
void cache_entry_release(struct cache_entry *e);

/*
 * 1: a layer with this key is in the store, or a registry was seen to have
 * it; 0: not, `reason` (may be NULL) says why; -1: error. A damaged entry is
 * a miss.
 */
int cache_get(struct store *s, const char *key, struct cache_entry *e,
	      const char **reason, struct error *err) MUST_CHECK;
/* Remember; `text` of the key is kept so that a later miss can be explained. */
int cache_put(struct store *s, const char *key, const struct cache_key *k,
	      const struct cache_entry *e, struct error *err) MUST_CHECK;
/* Forget a key, as what it promised is not to be had. */
int cache_forget(struct store *s, const char *key, struct error *err)
	MUST_CHECK;
/* The same of all keys that promise it: the "layer" of that id, or the "image"
 * of that configuration. Their number or -1. */
int cache_forget_all(struct store *s, const char *name, const char *value,
		     struct error *err) MUST_CHECK;

/* --- explain.c --- */

/*
 * Keep what a step read, for explaining: lines "PATH TAB DIGEST", sorted by
 * path, names relative to what was copied.
 */
int cache_put_files(struct store *s, const char *key,
		    const struct strvec *files, struct error *err) MUST_CHECK;
struct cache_past; /* past.h */
/*
 * Why there is no step with this key: what is different from the step that is
 * most like it, in the store or in a build that was published (NULL: none).
 * `files` (may be NULL) are those it reads. One short clause each; at least
 * one. Values of variables are not shown.
 */
int cache_explain(struct store *s, const struct cache_past *past,
		  const struct cache_key *k, const struct strvec *files,
		  struct strvec *reasons, struct error *err) MUST_CHECK;

/* --- remote.c: steps in a cache that others read, too --- */

/*
 * Each step is an OCI manifest tagged "step-KEY" with the layer of the step
 * and annotations that say when it was made, its diff id, and what it lies
 * on. Whoever may write there decides what a step with a key is: the layer is
 * verified against the manifest, the manifest against nothing but its key.
 */

/*
 * Look keys up, all at once; found[i].layer is "" for those that are not
 * there. Entries that cannot be understood are warned about and missing.
 */
int cache_remote_get(struct cache_place *p, const char *const *keys,
		     size_t n, struct cache_entry *found, struct error *err)
	MUST_CHECK;
/* A step to be published; `layer.digest` and size are those of desc. */
struct cache_publish {
	const char *key;
	const struct cache_entry *entry; /* with desc and diff_id */
	struct registry_source layer;
};
/* Layers first, then the manifests. */
int cache_remote_put(struct cache_place *p, struct cache_publish *list,
		     size_t n, struct error *err) MUST_CHECK;

#endif
