/* internal.h - what the files of cache/ share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CACHE_INTERNAL_H
#define CACHE_INTERNAL_H

#include "cache/cache.h"

/* How one kind of place does what place.h promises. */
struct cache_form {
	int (*look_up)(struct cache_place *p, struct cache_document *list,
		       size_t n, struct error *err);
	int (*pull)(struct cache_place *p, struct registry_blob *blobs,
		    size_t n, struct error *err);
	int (*put)(struct cache_place *p, struct registry_source *blobs,
		   size_t n_blobs, const struct cache_deposit *list, size_t n,
		   struct error *err);
};
extern const struct cache_form cache_form_registry, cache_form_layout;

#endif
