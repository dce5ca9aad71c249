/* put.h - part of store.h: an image together with what describes it */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_PUT_H
#define STORE_PUT_H

#include "store/store.h"

/* A small blob that is in memory. */
struct store_text {
	const void *data;
	size_t n;
};
/* store_put_image, and store_put_blob for each of the blobs that it names:
 * with one wait for the disk instead of one for each, and nothing of it is
 * visible before all of it is there. */
int store_put_image_with(struct store *s, const struct store_image *i,
			 const struct store_text *blobs, size_t n,
			 struct error *err) MUST_CHECK;

#endif
