/* internal.h - what the files of cache/ share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CACHE_INTERNAL_H
#define CACHE_INTERNAL_H

#include "cache/collect.h"

/* How one kind of place does what place.h promises. */
struct cache_form {
	int (*look_up)(struct cache_place *p, struct cache_document *list,
		       size_t n, struct error *err);
	int (*pull)(struct cache_place *p, struct registry_blob *blobs,
		    size_t n, struct error *err);
	int (*put)(struct cache_place *p, struct registry_source *blobs,
		   size_t n_blobs, const struct cache_deposit *list, size_t n,
		   struct error *err);
	/* Note that these were used now. */
	int (*renew)(struct cache_place *p, const struct cache_document *list,
		     size_t n, struct error *err);
	/* All tags there are, whoever's. */
	int (*tags)(struct cache_place *p, struct strvec *tags,
		    struct error *err);
	/* Remove what is dropped; the result knows the entries, the rest is
	 * to be filled in. */
	int (*remove)(struct cache_place *p, const struct cache_list *list,
		      bool dry_run, struct cache_gc_result *result,
		      struct error *err);
};
extern const struct cache_form cache_form_registry, cache_form_layout;

#define CACHE_TAGS_MAX 50000 /* finding one among them is slow beyond */

/* collect.c: blobs that only dropped items name. */
void cache_count_freed(const struct cache_list *list,
		       struct cache_gc_result *result);

/* --- note.c --- */

/* When a manifest was last used, in its annotations; 0: it does not say. */
#define CACHE_NOTE_USED "dev.devenv.used"
int64_t cache_noted_use(const struct strbuf *manifest);
/* A manifest that says it of the one under `tag`. */
#define CACHE_MARKER "used-" /* and that tag: where it is */
void cache_write_marker(const char *tag, const char *now, struct strbuf *out);
/* What stands for a configuration where there is none: its descriptor and
 * blob. */
void cache_set_empty(struct oci_descriptor *d);
struct registry_source cache_empty_blob(void);

#endif
