/* services.h - the other services of compose files, planned, built, started */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_SERVICES_H
#define CLI_SERVICES_H

#include "cli/compose.h"
#include "cli/launch.h"

/* --- services.c: the plan --- */

/* plan->services: what runs beside the service that the plan is of. */
int cli_services_plan(const struct compose *c, const struct cli_project *p,
		      struct record_plan *plan, struct error *err) MUST_CHECK;

/* Can a service be called so: is it a host name? */
bool cli_services_name(const char *name);

/* --- services_build.c: their images --- */

/* One of them. */
struct cli_service {
	const struct json *entry; /* of the plan's list */
	bool self; /* the one that the plan is of: nothing more is known */
	struct cli_round round;
};
void cli_services_release(struct cli_services *s);
/* The list of a plan that came with a record. */
int cli_services_get(struct cli_services *s, const struct record_plan *plan,
		     const struct record *r, struct error *err) MUST_CHECK;
/* List those of the plan, and ask the gate about all that they need: before
 * anything is fetched. */
int cli_round_ask(struct cli_round *r, struct error *err) MUST_CHECK;
/* Build those that were listed; to `run` they have their layers here. */
int cli_round_services(struct cli_round *r, struct cli_builder *b,
		       const struct cli_build_options *o, bool run,
		       struct error *err) MUST_CHECK;
/* The plans without what lies in the project's tree, which goes away. */
int cli_round_detach(struct cli_round *r, struct error *err) MUST_CHECK;
/* The images that a record has for its services, to run. */
int cli_services_find(struct cli_services *s, const struct record *r,
		      struct cli_builder *b,
		      const struct oci_platform *platform, struct error *err)
	MUST_CHECK;
/* Section "image" of the record, with those of the services. */
void cli_services_record(struct record *r, const struct store *s,
			 const struct cli_services *list);

/* --- pod.c: how they run --- */

/* What the options of an environment with services point into. */
struct cli_pod {
	struct cli_pod_member *members;
	size_t nr;
	struct env_service *services;
	struct cli_run_options options;
	struct strvec hosts;
	struct json *config; /* of the environment, with their ports */
	int net; /* -1: none of its own */
};
#define CLI_POD_INIT { .net = -1 }
#define cleanup_cli_pod CLEANUP(cli_pod_release)
void cli_pod_release(struct cli_pod *pod);
/* Add the launch's services to the options of its environment. */
int cli_pod_get(struct cli_pod *pod, const struct cli_ready *r,
		struct env_options *eo, struct error *err) MUST_CHECK;

#endif
