/* lost.h - part of build.h: layers that a cache promised and does not have */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_LOST_H
#define BUILD_LOST_H

#include "build/build.h"

/*
 * Layers that caches promised are fetched no earlier than something needs
 * them, which makes what is done with a result fail when they cannot be had.
 * Fetch those that are missing now; where that fails the steps they are of
 * are forgotten, so that the next build runs them.
 */
enum build_lost { LOST_ERROR = -1, LOST_NOTHING, LOST_FETCHED, LOST_FORGOTTEN };
enum build_lost build_forget_lost(struct store *s, struct registry **r,
				  const struct registry_options *o,
				  const struct build_result *result,
				  struct error *err) MUST_CHECK;
/* Forget the steps of the layers of an image that are not here: how many keys
 * promised them, or -1. */
int build_forget_layers(struct store *s, const struct store_image *image,
			struct error *err) MUST_CHECK;

#endif
