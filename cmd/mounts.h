/* mounts.h - what of this host is seen in an environment */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_MOUNTS_H
#define CMD_MOUNTS_H

#include "runtime/runtime.h"
#include "wrap/json.h"

struct cmd_mounts {
	struct runtime_mount *v;
	size_t nr, alloc;
};
void cmd_mounts_release(struct cmd_mounts *m);

/* "DIR:TARGET[:ro|rw]" of the command line. */
int cmd_mounts_volume(struct cmd_mounts *m, const char *text,
		      struct error *err) MUST_CHECK;
/*
 * The workspace `dir`, at the place that `config` (may be NULL) gives it, and
 * what of `root`, the top of its tree, a "workspaceMount" asks for instead.
 * A configuration comes from the repository: it mounts nothing outside of it.
 * `folder` is where commands start (malloc'ed).
 */
int cmd_mounts_workspace(struct cmd_mounts *m, const struct json *config,
			 const char *dir, const char *root, char **folder,
			 struct error *err) MUST_CHECK;

#endif
