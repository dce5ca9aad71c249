/* place.h - where caches are kept: a repository of a registry, or oci:DIR */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CACHE_PLACE_H
#define CACHE_PLACE_H

#include "registry/registry.h"

/*
 * A cache is a set of manifests, each under a tag, with the blobs they name.
 * A tag of ours is one of these and the 64 digits of a key. Whatever else is
 * there belongs to others and is left alone.
 */
#define CACHE_STEP_TAG "step-"	 /* one step: remote.c */
#define CACHE_IMAGE_TAG "image-" /* a whole build */
#define CACHE_BASES_TAG "bases-" /* what describes images that it uses */
#define CACHE_PAST_TAG "past-"	 /* past.h: what the newest was made from */

#define CACHE_DIR_PREFIX "oci:"

struct cache_form; /* how one kind of place works: internal.h */

/* "HOST/REPOSITORY", or "oci:DIR": an OCI image layout, which many processes
 * may use at once, and which may be read-only. */
struct cache_place {
	const struct cache_form *form;
	char *name; /* as layers from there have it as their origin */
	struct oci_ref ref; /* of a registry: host and repository */
	const char *dir;    /* of a directory: absolute */
	/* The client, made when it is needed; it stays the caller's. */
	struct registry **registry;
	const struct registry_options *options;
	/* What nobody used for so many seconds is not there; 0: all is. */
	uint64_t ttl;
	bool renews; /* looking something up is using it */
	bool lists;  /* what is incomplete is no news: the answer says so */
};
#define cleanup_cache_place CLEANUP(cache_place_release)
void cache_place_release(struct cache_place *p);
/* Takes a name apart and asks nobody; for that `r` and `o` may be NULL.
 * ERR_USAGE. */
int cache_place_init(struct cache_place *p, const char *name,
		     struct registry **r, const struct registry_options *o,
		     struct error *err) MUST_CHECK;

/* A manifest that may be there or not. */
struct cache_document {
	char *tag; /* the caller's */
	bool there;
	struct registry_manifest m; /* then: verified against its digest */
	/* When it was put there or last renewed (seconds since 1970); 0: the
	 * place does not know. */
	int64_t used;
	bool expired; /* it is there, but too old */
};
/*
 * Look manifests up, all at once; release each `m`. A place that does not
 * exist has none. In a directory one whose blobs are not all there is not
 * there. What is renewed, where that is due and allowed, is renewed by half
 * of its time: that costs a small write, and failing is no error.
 */
int cache_place_look_up(struct cache_place *p, struct cache_document *list,
			size_t n, struct error *err) MUST_CHECK;
/* Fetch blobs, as registry_pull_blobs does. */
int cache_place_pull(struct cache_place *p, struct registry_blob *blobs,
		     size_t n, struct error *err) MUST_CHECK;

/* A manifest to be put under a tag, which then means this one. */
struct cache_deposit {
	char *tag;
	const char *media_type;
	struct strbuf body;
};
/* Blobs first, then the manifests. A directory that does not exist is made. */
int cache_place_put(struct cache_place *p, struct registry_source *blobs,
		    size_t n_blobs, const struct cache_deposit *list,
		    size_t n, struct error *err) MUST_CHECK;

/* Fetch blobs from where an origin says that they are. */
int cache_pull(struct registry **r, const struct registry_options *o,
	       const char *origin, struct registry_blob *blobs, size_t n,
	       struct error *err) MUST_CHECK;

#endif
