/* merged.h - configurations as they are in effect */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_MERGED_H
#define CLI_MERGED_H

#include "cli/features.h"
#include "devcontainer/metadata.h"

/* getenv, for variables of a configuration. */
const char *cli_host_env(void *arg, const char *name);
/*
 * A resolved configuration with what the label of its image (NULL: none) and
 * the features among `own` (entries of a plan, or NULL) add. The label may
 * end with `own` already. Faults of the label are logged. The caller frees it;
 * NULL is an error.
 */
struct json *cli_merge(const char *label, const struct json *config,
		       const struct json *own,
		       const struct devcontainer_scope *scope,
		       struct error *err);
/*
 * The same for a plan that nothing was built from: the label is that of its
 * Dockerfile and base image, which is asked for if the store (at `store`,
 * NULL: the usual place) lacks it.
 */
struct json *cli_merge_plan(const struct cli_project *p,
			    const struct record_plan *plan, const char *store,
			    const struct cli_registry *registry,
			    struct error *err);
/* The same for what is to run. */
struct json *cli_merge_launch(const struct cli_launch *l, struct error *err);
/* What its environment is known by, as devcontainer_labels. */
struct json *cli_launch_labels(const struct cli_launch *l);

/* Features in order, as `featureSets` of the Dev Container CLI has them. */
struct json *cli_feature_sets(const struct devcontainer_features *list);

#endif
