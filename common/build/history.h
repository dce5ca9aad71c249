/* history.h - when an image was made, and what its files may say of it */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_HISTORY_H
#define BUILD_HISTORY_H

#include "build/internal.h"

/* --- history.c --- */

/* A time, no later than the epoch unless that is -1; malloc'ed. */
char *history_clamp(const char *text, int64_t epoch);
/* An instruction of this build; `created` is NULL when it made no layer. */
void history_add(struct oci_config *c, const char *created_by,
		 const char *created);
/* Give the entries from `from` on, and the image, their times: those without
 * a layer have the time of the layer before them. */
void history_finish(struct oci_config *c, size_t from, int64_t epoch);

/* --- rewrite.c --- */

/* The same image with no time after the epoch in layers that the build made:
 * other blobs, another id. The base's layers stay what they are. */
int build_rewrite(const struct build_export *x, struct store_image *to,
		  struct error *err) MUST_CHECK;
#endif
