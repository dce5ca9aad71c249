/* chain.h - a layer is a difference: what it lies on has to be the same */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_CHAIN_H
#define BUILD_CHAIN_H

#include "build/internal.h"

/*
 * A step that runs twice may make two layers, as of time or the network, and
 * then both are right for its key. But a layer above was made on one of them:
 * on the other it might remove what is not there, or say of packages what is
 * not so. The entry of a step in a cache therefore names all layers below its
 * own, by one digest over their diff ids, and is used on those alone. A layer
 * that stands alone (--link) goes with any.
 */

/* What a cache said of steps, by key. */
struct chain_known {
	const char *const *keys;
	struct cache_entry *found; /* layer "": it has none */
	size_t n;
};

/* The digest for what a step of a stage lies on; false where a layer was never
 * brought into the form that has a diff id, so that no cache can know it. */
bool chain_below(const struct build *b, size_t stage,
		 const struct build_planned *p, char below[STORE_ID]);
/* Does the layer of an entry lie on what is below this step? */
bool chain_fits(const struct build *b, size_t stage,
		const struct build_planned *p, const struct cache_entry *e);
/*
 * Of a store and a cache that made the same steps, each on a chain of its own,
 * where only the cache goes on: `take` the steps of the cache in place of those
 * of the store. 1: done; 0: that is no gain, as in some stage the store goes
 * further; -1. The cache was asked for all steps of the build. Stages may share
 * a step, which is taken for each of them.
 */
typedef int chain_take(struct build *b, struct build_planned *p,
		       const struct cache_entry *e, struct error *err);
int chain_adopt(struct build *b, const struct chain_known *cache,
		chain_take *take, struct error *err) MUST_CHECK;
/*
 * Which of these steps a cache has to be given, so that who reads it finds all
 * of each stage on one chain. What it has on a chain of its own stays; where
 * that ends, ours takes its place from the ground up.
 */
void chain_choose(const struct build *b, const struct chain_known *cache,
		  bool *wanted);

#endif
