/* compose.h - the services of a configuration that names compose files */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMPOSE_H
#define CLI_COMPOSE_H

#include "cli/cli.h"
#include "compose/compose.h"
#include "devcontainer/devcontainer.h"

/*
 * Read the compose files of a resolved configuration. They, and what they
 * refer to, must lie in the project's tree. ERR_INPUT with a place.
 */
int cli_compose_load(struct compose *c, const struct cli_project *p,
		     const struct json *config, struct error *err) MUST_CHECK;
/*
 * Complete a plan with what its service says: what is built, and, below what
 * the file itself says, variables, user, mounts, rights, ports and command.
 */
int cli_compose_plan(const struct cli_project *p,
		     const struct devcontainer *dc, struct record_plan *plan,
		     struct error *err) MUST_CHECK;
/* What is to be built for the service of that name. */
int cli_compose_build(const struct json *service, const char *name,
		      struct record_plan *plan, struct error *err) MUST_CHECK;
/* The configuration `config` (an object) gets from a service. */
void cli_compose_apply(const struct compose *c, const struct json *service,
		       struct json *config);

/* --- compose_args.c --- */

/* Properties that docker run has options for, as a list like runArgs. */
struct json *cli_compose_args(const struct json *service);

/* --- project_plan.c --- */

/* What a plan reads lies in the project's tree. */
int cli_project_check_files(const struct cli_project *p,
			    const struct record_plan *plan, struct error *err)
	MUST_CHECK;

#endif
