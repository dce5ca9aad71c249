/* await.c - what another process fetches is waited for, not fetched twice */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/await.h"

#include <time.h>

#include "base/log.h"
#include "base/signals.h"
#include "store/lock.h"

static int wait_for(struct store *s, const char *name,
		    const struct oci_descriptor *blob,
		    struct progress *progress, struct error *err)
{
	const struct timespec pause = { .tv_nsec = STORE_LOCK_MS * 1000000L };
	int lock = -1, rc;

	while (!(rc = store_lock_try(s, name, &lock, err))) {
		if (signals_check(err) < 0)
			return -1;
		progress_update(progress,
				store_partial_size(s, blob->digest),
				blob->size);
		nanosleep(&pause, NULL);
	}
	store_unlock(&lock);
	return rc < 0 ? -1 : 0;
}

int await_fetch(struct store *s, const char *name,
		const struct oci_descriptor *blob, struct error *err)
{
	cleanup_free char *title =
		xstrfmt("waiting for %.19s, which another process fetches",
			*blob->digest ? blob->digest : name);
	struct progress *progress = progress_start(title, NULL, blob->size);
	int rc = wait_for(s, name, blob, progress, err);

	progress_end(progress, !rc && store_has_blob(s, blob->digest, NULL));
	return rc;
}
