/* tarwrite.h - write the tar dialect of image layers, byte for byte */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_TARWRITE_H
#define WRAP_TARWRITE_H

#include "wrap/tar.h"

/*
 * Layers are named by the digest of their bytes, so a writer must never change
 * its mind. This one makes what Go's archive/tar makes with Format PAX: ustar,
 * and a PAX header only for what ustar cannot say.
 */
typedef int (*tarwrite_fn)(void *arg, const void *data, size_t n,
			   struct error *err);

struct tarwrite {
	tarwrite_fn write;
	void *arg;
	unsigned char *buf;
	size_t used;
	uint64_t total; /* bytes so far, what is in buf included */
	bool exact;	/* fractions of seconds, which layers never have */
};

void tarwrite_init(struct tarwrite *t, tarwrite_fn write, void *arg);
void tarwrite_release(struct tarwrite *t);
#define cleanup_tarwrite CLEANUP(tarwrite_release)

/* Header of a member. Directories get their "/" here. `mtime_ns` is
 * written when `exact`. A regular file with a size must be followed by tarwrite_file. */
int tarwrite_header(struct tarwrite *t, const struct tar_entry *e,
		    struct error *err) MUST_CHECK;
/* `size` bytes from a descriptor, and padding. A file that is shorter is an
 * error; a longer one is cut. */
int tarwrite_file(struct tarwrite *t, int fd, uint64_t size, const char *name,
		  struct error *err) MUST_CHECK;
/* End of archive; all is written. */
int tarwrite_end(struct tarwrite *t, struct error *err) MUST_CHECK;

#endif
