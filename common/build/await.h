/* await.h - what another process fetches is waited for, not fetched twice */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_AWAIT_H
#define BUILD_AWAIT_H

#include "store/store.h"

/* Until the holder of the lock `name` has ended, one way or the other: what
 * it fetches, a blob, may be there afterwards or not. To be called without a
 * lock of a layer or a blob. */
int await_fetch(struct store *s, const char *name,
		const struct oci_descriptor *blob, struct error *err)
	MUST_CHECK;

#endif
