/* writer.h - blobs in the making, and their names */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include "store/internal.h"

#define STORE_PARTIAL_MIN ((uint64_t)256 << 10) /* less is soon had again */

struct store_writer {
	struct store *s;
	struct store_temp temp;
	struct digest digest;
	char final[DIGEST_TEXT]; /* of all that was written, once asked for */
	uint64_t size, flushed;
	bool keep; /* for another process, when this one does not end it */
};

int store_blob_path(char path[STORE_BLOB_PATH], const char *digest,
		    struct error *err) MUST_CHECK;
/* Is this, below tmp/, a part of a blob that may still be wanted? */
bool store_partial_waits(const char *name, const struct stat *st);
/* upload.c: or a note of an upload? */
bool store_upload_waits(const char *name, const struct stat *st);

#endif
