/* reach.h - what is needed of a store, for the files of store/ */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_REACH_H
#define STORE_REACH_H

#include "store/internal.h"

#define REACH_TEXT_MAX ((size_t)32 << 20) /* of a file that names others */
#define REACH_PATH 80

/* A layer or blob, and whether something needs it. */
struct reach_item {
	char name[STORE_ID];
	bool layer, live;
	uint64_t bytes; /* UINT64_MAX: not measured */
};
/* All that is in the store, sorted by name. */
struct reach {
	struct store *s;
	struct reach_item *items;
	size_t n, alloc;
	size_t *todo; /* items that the last reach_from made live */
	size_t n_todo, alloc_todo;
};
#define cleanup_reach CLEANUP(reach_release)
void reach_release(struct reach *r);
int reach_init(struct reach *r, struct store *s, struct error *err) MUST_CHECK;
/* All that the file names, and what that names in turn, becomes live; what
 * was not before is added to `bytes` (NULL: not measured). */
int reach_from(struct reach *r, const char *path, uint64_t *bytes,
	       struct error *err) MUST_CHECK;
/* The same for what the environments below run/ name. */
int reach_from_runs(struct reach *r, uint64_t *bytes, struct error *err)
	MUST_CHECK;
/* Take back the last reach_from. */
void reach_undo(struct reach *r);
void reach_path(const struct reach_item *item, char path[REACH_PATH]);
uint64_t reach_bytes(struct reach *r, struct reach_item *item);

#endif
