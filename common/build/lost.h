/* lost.h - part of build.h: layers that a cache promised and does not have */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_LOST_H
#define BUILD_LOST_H

#include "build/build.h"

/*
 * Layers that caches promised are fetched no earlier than something needs
 * them. When what was done with a result failed: are there such layers that
 * cannot be had? Then the steps they are of are forgotten, so that the next
 * build runs them; their number, 0 or -1.
 */
int build_forget_lost(struct store *s, struct registry **r,
		      const struct registry_options *o,
		      const struct build_result *result, struct error *err)
	MUST_CHECK;
/* The same of the layers of an image that are not here, whoever could not have
 * them. */
int build_forget_layers(struct store *s, const struct store_image *image,
			struct error *err) MUST_CHECK;

#endif
