/* swap.h - files for environments in which root has changed places */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_SWAP_H
#define STORE_SWAP_H

#include "store/store.h"

/* As store_flat_copy, but what is root's becomes this user's, and the
 * reverse. */
int store_flat_swapped(struct store *s, const struct store_chain *chain,
		       uid_t uid, gid_t gid, const char *dest,
		       struct error *err) MUST_CHECK;
/*
 * Have root's files of a volume, and this user's, change places; uid 0: none
 * have. What was done before for another user is undone.
 */
int store_volume_owners(const char *path, uid_t uid, gid_t gid,
			struct error *err) MUST_CHECK;

#endif
