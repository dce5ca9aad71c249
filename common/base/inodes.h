/* inodes.h - files with several names: which was met first */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_INODES_H
#define BASE_INODES_H

#include <sys/stat.h>

#include "base/base.h"

struct inode {
	dev_t dev;
	ino_t ino;
	char *path; /* NULL: free slot */
};

/* Open addressing: a hostile tree may have nothing but hard links. */
struct inodes {
	struct inode *v;
	size_t nr, size; /* a power of two, or 0 */
};
#define INODES_INIT { 0 }
#define cleanup_inodes CLEANUP(inodes_release)
void inodes_release(struct inodes *t);
/* The path under which a file was met before, or NULL: then it is now known
 * as `path`. The answer stays valid until the release. */
const char *inodes_first(struct inodes *t, const struct stat *st,
			 const char *path);

#endif
