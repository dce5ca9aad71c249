/* base.h - read-only stores below this one, for the files of store/ */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_BASE_H
#define STORE_BASE_H

#include "store/internal.h"

#define STORE_IDS "ids" /* which users own the files of its layers */

/* Open those that DEVENV_BASE_STORE names. What cannot be used is remembered,
 * and told of by base_tell. */
int base_open(struct store *s, struct error *err) MUST_CHECK;
void base_close(struct store *s);
/* Remember which ids ours are, for those whose base this becomes. */
int base_note_ids(struct store *s, struct error *err) MUST_CHECK;
/* Warn, once, of those that cannot be used. */
void base_tell(struct store *s);
/* Decide whose layers can be mounted here, and warn of the others. */
void base_judge(struct store *s);
/* Remember those whose layers an image of this store is made of. */
void base_note_used(struct store *s, const struct store_image *i);
/* One that was remembered and is not open now, or NULL; malloc'ed. */
char *base_absent(const struct store *s);
/* 1 found, 0 not; of damage it warns. */
int base_get_image(struct store *s, const char *name,
		   struct store_image *i) MUST_CHECK;

/* --- base_layout.c --- */

/* An image of a plain OCI layout by its normalised name, or by a prefix of
 * the digest of its manifest or configuration: 1, 0, -1. */
int base_layout_get(struct store *b, const char *name, struct store_image *i,
		    struct error *err) MUST_CHECK;
/* Normalised names, those that have one. */
int base_layout_names(struct store *b, struct strvec *names,
		      struct error *err) MUST_CHECK;

#endif
