/* share.h - steps that caches elsewhere know, and those they get */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SHARE_H
#define BUILD_SHARE_H

#include "build/internal.h"

/* Look the missing steps of the plan up in the caches of the options. */
int share_look_up(struct build *b, struct error *err) MUST_CHECK;
/* Take over a step that a cache has: its layer has another name then. */
int share_accept(struct build *b, struct build_planned *p,
		 const struct cache_entry *e, struct error *err) MUST_CHECK;
/* Forget the steps whose layers were promised and are not here; their number
 * or -1. */
int share_forget(struct build *b, struct error *err) MUST_CHECK;
/* Publish the image and the steps of this build, as far as the cache of the
 * options lacks them. It fails where the options want that. */
int share_publish(struct build *b, struct error *err) MUST_CHECK;
int share_open(struct build *b, const char *name, struct cache_place *place,
	       struct error *err) MUST_CHECK;
/* Open a cache and look documents up there: 1, or 0 as it failed: a build does
 * without, having said so once. For who only asks that is an error. */
int share_ask(struct build *b, struct cache_place *place, const char *name,
	      struct cache_document *list, size_t n, struct error *err)
	MUST_CHECK;

#endif
