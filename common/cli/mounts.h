/* mounts.h - what an environment sees of this host and its volumes */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_MOUNTS_H
#define CLI_MOUNTS_H

#include "cli/cli.h"
#include "devcontainer/run.h"

struct cli_mounts {
	struct runtime_mount *v;
	size_t nr, alloc;
};
void cli_mounts_release(struct cli_mounts *m);

/* "DIR:TARGET[:ro|rw]" or "NAME:TARGET[:ro|rw]" of the command line. */
int cli_mounts_volume(struct cli_mounts *m, const struct cli_launch *l,
		      const char *text, struct error *err) MUST_CHECK;
/* "type=bind,source=DIR,target=DIR" of the command line, as docker's. */
int cli_mounts_option(struct cli_mounts *m, const struct cli_launch *l,
		      const char *text, struct error *err) MUST_CHECK;
/*
 * The workspace, at the place that `config` (may be NULL) gives it, and what
 * of its tree a "workspaceMount" asks for instead, or a volume, into which
 * nothing of the tree is put.
 * A configuration comes from the repository: it mounts nothing outside of it.
 * `folder` is where commands start (malloc'ed).
 */
int cli_mounts_workspace(struct cli_mounts *m, const struct cli_launch *l,
			 const struct json *config, char **folder,
			 struct error *err) MUST_CHECK;
/*
 * The other mounts of a configuration. What it may not see, or what is not
 * there, is left out with a warning. Of a directory above the tree the tree
 * is left, if `folder` (may be NULL), where commands start, lies in it then.
 */
int cli_mounts_config(struct cli_mounts *m, const struct cli_launch *l,
		      const struct devcontainer_run *run, const char *folder,
		      struct error *err) MUST_CHECK;

/* A directory of this host that was found to be harmless. */
void cli_mounts_bind(struct cli_mounts *m, const char *source,
		     const char *target);

/* A device of this host that was found to be granted. */
void cli_mounts_device(struct cli_mounts *m, const char *source,
		       const char *target);

/* --- worktree.c --- */

/*
 * If `root`, seen at `target`, is a linked work tree: the .git directory of
 * its repository, at the place where the tree looks for it; or, unless it is
 * `wanted`, a word that this can be had.
 */
int cli_mounts_worktree(struct cli_mounts *m, const char *root,
			const char *target, bool wanted, struct error *err)
	MUST_CHECK;

/* --- volume.c --- */

/*
 * The directory of a volume of the store, malloc'ed. One that is new begins
 * with what the image has at `target`, as with docker.
 */
char *cli_volume(const struct cli_launch *l, const char *name,
		 const char *target, struct error *err);

#endif
