/* volume.h - named volumes of the store */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_VOLUME_H
#define STORE_VOLUME_H

#include "store/store.h"

/* volumes/NAME in the store. Nothing but its user removes one. Its path,
 * malloc'ed; NULL is ERR_USAGE for what is no name. */
char *store_volume_find(struct store *s, const char *name, bool *found,
			struct error *err);
/* Make a directory of the store the volume of that name, unless there is one
 * meanwhile. */
int store_volume_put(struct store *s, const char *name, const char *dir,
		     struct error *err) MUST_CHECK;
int store_volume_remove(struct store *s, const char *name, struct error *err)
	MUST_CHECK;

/* The file beside a volume that says what was done; malloc'ed. */
char *store_volume_record(const char *path);

#endif
