/* strindex.h - strings in order, each with a number, found by halving */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STRINDEX_H
#define BASE_STRINDEX_H

#include "base/strvec.h"

/*
 * For lists that a file can make long: no choice of strings makes a look-up
 * slow. Adding moves what stands behind, so the caller caps the number.
 */
struct strindex {
	struct strindex_entry *v;
	size_t nr, alloc;
	size_t synced; /* entries of the list of strindex_env_* seen */
};
#define cleanup_strindex CLEANUP(strindex_release)
void strindex_release(struct strindex *ix);

/* The number of a string of `n` bytes. */
bool strindex_get(const struct strindex *ix, const char *s, size_t n,
		  size_t *number);
/* false: it is there already, and keeps its number. */
bool strindex_add(struct strindex *ix, const char *s, size_t n,
		  size_t number);

/*
 * Look-ups in a list of "KEY=value" or "KEY" entries that belongs to one index
 * and only grows; entries keep their places and keys. The entry, or NULL.
 */
const char *strindex_env_entry(struct strindex *ix, const struct strvec *list,
			       const char *key);
/* strvec_env_get and strvec_env_set with the index. */
const char *strindex_env_get(struct strindex *ix, const struct strvec *list,
			     const char *key);
void strindex_env_set(struct strindex *ix, struct strvec *list,
		      const char *key, const char *value);

#endif
