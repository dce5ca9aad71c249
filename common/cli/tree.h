/* tree.h - from a URL or a directory to the plan of a workspace */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include "cli/cli.h"

struct cli_tree_options {
	const struct cli_clone_options *clone;
	const struct cli_project_options *project;
	const char *store; /* as for cli_open_store */
	int driver;
	bool initialize; /* initializeCommand may run */
	bool only_probe; /* and is of no interest */
	bool remote;	 /* build from a clone of its own */
	bool must_build; /* the fallback image is for trees without one */
};

struct cli_tree {
	struct record source;	  /* of the clone, if there was one */
	struct cli_context fresh; /* with `remote` */
};
#define CLI_TREE_INIT                     \
	{                                 \
		.fresh = CLI_CONTEXT_INIT \
	}
void cli_tree_release(struct cli_tree *t);

/*
 * Clone or take the directory that `word` (NULL: here) is, plan it, run
 * initializeCommand and open the builder's store. The builder knows how Git
 * and registries are reached, and then where the tree came from.
 */
int cli_tree_plan(struct cli_tree *t, const struct cli_tree_options *o,
		  const char *word, struct cli_builder *b, struct cli_round *r,
		  struct error *err) MUST_CHECK;
/*
 * Plan again, for the fallback image alone, when a clone, a configuration or
 * a build failed for `why`, which is told then. Where there is no such image,
 * or it is not meant for that, it is the error.
 */
int cli_tree_fall_back(struct cli_tree *t, const struct cli_tree_options *o,
		       const char *word, struct cli_builder *b,
		       struct cli_round *r, struct error *why,
		       struct error *err) MUST_CHECK;
/* What was for the build alone goes. */
void cli_tree_built(struct cli_tree *t, struct cli_round *r);

/* --- remote.c: a build from a clone of its own --- */

/*
 * As cli_context_clone for what then runs on the workspace `dir`: `url` is
 * cloned anew for the build alone. Compose files, whose paths stay in use, are
 * ERR_INPUT.
 */
int cli_context_remote(struct cli_context *c, struct cli_builder *b,
		       struct cli_round *r,
		       const struct cli_clone_options *clone, const char *url,
		       const char *dir, const struct cli_project_options *o,
		       struct error *err) MUST_CHECK;
/* Once it is built: the project is the workspace. */
void cli_context_settle(struct cli_context *c, struct cli_round *r);

#endif
