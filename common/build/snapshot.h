/* snapshot.h - what is in a tree, to tell later what changed */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_SNAPSHOT_H
#define BUILD_SNAPSHOT_H

#include <sys/stat.h>

#include "base/error.h"
#include "base/strbuf.h"

/* What tells one file from another, and from itself before a change. */
struct snapshot_file {
	size_t path; /* offset in `paths` */
	uint64_t ino, size;
	uint64_t dev; /* of a device node */
	uint32_t mode, uid, gid, links;
	int64_t born, changed, modified; /* ns since 1970; born 0: unknown */
};

#define SNAPSHOT_MAX 5000000 /* files */

/* All files below a root but the root itself: parents before children, names
 * of one directory in bytewise order. */
struct snapshot {
	struct strbuf paths; /* relative, NUL-terminated */
	struct snapshot_file *files;
	size_t nr, alloc;
	int64_t newest; /* of all changes */
};
#define SNAPSHOT_INIT { .paths = STRBUF_INIT }
#define cleanup_snapshot CLEANUP(snapshot_release)
void snapshot_release(struct snapshot *s);
const char *snapshot_path(const struct snapshot *s, size_t i);
/* One walk that reads no file, into an empty snapshot. Returns when the clock has moved on, so that
 * every later change has another time. */
int snapshot_take(struct snapshot *s, int root, struct error *err) MUST_CHECK;

/* Keep it in a file for another process of this build, with a number. */
int snapshot_save(const struct snapshot *s, size_t number, const char *path,
		  struct error *err) MUST_CHECK;
/* false: there is none that is whole. */
bool snapshot_load(struct snapshot *s, size_t *number, const char *path);

enum snapshot_change {
	SNAPSHOT_GONE,	/* `file` is the old one */
	SNAPSHOT_PUT,	/* new, or perhaps changed */
	SNAPSHOT_FRESH, /* a directory in the place of another one */
};
typedef int (*snapshot_fn)(void *arg, enum snapshot_change change,
			   const char *path, const struct snapshot_file *file,
			   struct error *err);
/*
 * Report what is different, in the order of the walk. What was in a directory
 * that is gone or was replaced is not reported as gone; all that is in a fresh
 * one is reported as put.
 */
int snapshot_compare(const struct snapshot *before,
		     const struct snapshot *after, snapshot_fn report,
		     void *arg, struct error *err) MUST_CHECK;

#endif
