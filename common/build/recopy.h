/* recopy.h - files of a COPY that the one before it has as well */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_RECOPY_H
#define BUILD_RECOPY_H

#include "build/internal.h"

/*
 * Take what `step` would copy from the layer that it made last time, into the
 * draft whose root is the directory `draft`, seen as `root`. NULL where that
 * is not possible. The result is the same as that of a copy.
 */
struct recopy *recopy_new(const struct build *b, const struct build_step *step,
			  const struct build_tree *source, int root,
			  const char *draft);
void recopy_free(struct recopy *r); /* NULL is fine */
/* The draft is now this layer: remember what is in it for the next time. */
void recopy_save(struct recopy *r, const char *layer);

/* A directory that the copy made, as the draft and the old layer have it. */
struct recopy_dir {
	char *path; /* in the root; NULL: nothing is taken or remembered */
	int fresh, old;
};
#define RECOPY_DIR_INIT { .fresh = -1, .old = -1 }
void recopy_dir_release(struct recopy_dir *d);
void recopy_enter(struct recopy *r, int fd, struct recopy_dir *d);
/* The copy goes through a link: a file may be met twice. */
void recopy_spoil(struct recopy *r);

/* What a file is to become. */
struct recopy_want {
	const struct tree_entry *e;
	unsigned mode;
	uid_t uid;
	gid_t gid;
};
/* 1: it is in place; 0: it is to be made, with the data of *data where that
 * is a descriptor. */
int recopy_take(struct recopy *r, const struct recopy_dir *d,
		const struct recopy_want *want, int *data);
/* It was made from what is open as `in`. */
void recopy_note(struct recopy *r, const struct recopy_dir *d,
		 const struct tree_entry *e, int in);

#endif
