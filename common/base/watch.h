/* watch.h - be told when files below a directory change (inotify) */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_WATCH_H
#define BASE_WATCH_H

#include "base/error.h"

/*
 * Directories of several trees. Whatever changes after watch_add returned is
 * reported; directories made later are watched from when their creation is
 * read, so a reader looks at the tree again after each change.
 */
struct watch;

/* Which directories matter; `path` is absolute. NULL: all. */
typedef bool (*watch_filter)(void *arg, const char *path);

int watch_new(struct watch **out, struct error *err) MUST_CHECK;
void watch_free(struct watch *w);
/* A directory and all below it, or (`deep` false) it alone. */
int watch_add(struct watch *w, const char *dir, bool deep,
	      watch_filter filter, void *arg, struct error *err) MUST_CHECK;
/* To poll; readable when there is something. */
int watch_fd(const struct watch *w);
/* Take what happened: true when `relevant` (may be NULL) held for any path. */
bool watch_read(struct watch *w, watch_filter relevant, void *arg);

#endif
