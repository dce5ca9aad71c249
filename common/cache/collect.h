/* collect.h - what a cache holds, and removing what nobody used */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CACHE_COLLECT_H
#define CACHE_COLLECT_H

#include "cache/cache.h"

/* A tag of a cache, or one of somebody else beside them. */
struct cache_item {
	char *tag;
	const char *kind; /* "step", "image", "bases"; NULL: not ours */
	char digest[DIGEST_TEXT]; /* of its manifest; "" when that is lost */
	char marker[DIGEST_TEXT]; /* of what says its use, or "" */
	uint64_t size;		  /* of all its blobs */
	int64_t created, used;	  /* seconds since 1970; 0: not known */
	bool whole;   /* its manifest and blobs are there */
	bool dropped; /* nobody wants it */
	struct oci_descriptor *blobs;
	size_t n_blobs;
};
struct cache_list {
	struct cache_item *v;
	size_t nr, alloc;
};
#define cleanup_cache_list CLEANUP(cache_list_release)
void cache_list_release(struct cache_list *list);
/* Everything under a tag, the most recently used first. */
int cache_list_get(struct cache_place *p, struct cache_list *list,
		   struct error *err) MUST_CHECK;

struct cache_gc_options {
	uint64_t max_age;   /* seconds; 0: any */
	uint64_t keep_size; /* bytes; 0: any */
	bool dry_run;
};
/* What went, and the bytes of blobs that nothing refers to any more. */
struct cache_gc_result {
	size_t entries, blobs;
	uint64_t bytes;
};
/*
 * Remove entries that were not used for longer than `max_age`, and the least
 * recently used ones while all are larger than `keep_size`; in a directory
 * also what is incomplete, and all blobs that nothing refers to. What is not
 * ours stays, and so does a manifest that it shares with us. ERR_REFUSED, with
 * a hint, where a registry deletes nothing; its blobs go when it collects them
 * itself.
 */
int cache_gc(struct cache_place *p, const struct cache_gc_options *o,
	     struct cache_gc_result *result, struct error *err) MUST_CHECK;

#endif
