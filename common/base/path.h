/* path.h - pure path arithmetic; nothing here touches a file system */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include "base/base.h"

/* Lexical clean as Go's path.Clean: "" gives ".", ".." above "/" vanishes. */
char *path_clean(const char *path);
/* a/b cleaned; an absolute b still goes below a. */
char *path_join(const char *a, const char *b);
/* b if absolute, else a/b; cleaned. */
char *path_resolve(const char *a, const char *b);
/* Last element without trailing slashes; "/" for the root, "." for "". */
char *path_base(const char *path);
char *path_dir(const char *path);
/* Is `path` equal to `dir` or below it (both cleaned)? */
bool path_within(const char *path, const char *dir);
/* The part of `path` below `dir` ("" when equal), or NULL. */
const char *path_below(const char *path, const char *dir);
/* Absolute form of a path relative to the working directory (lexical). */
char *path_absolute(const char *path);

#endif
