/* gate.h - whom this process may contact, as options and policies say */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_GATE_H
#define CLI_GATE_H

#include "base/strindex.h"
#include "policy/policy.h"

/* What wrap/gate.h asks; begins as zero. */
struct cli_gate {
	char *policy_file, *containers_file; /* NULL: there is none */
	struct policy policy; /* read when somebody is to be contacted */
	struct policy_containers containers;
	struct strindex seen; /* what was decided, for the log */
};
#define cleanup_cli_gate CLEANUP(cli_gate_release)
/* Nobody is asked any more. */
void cli_gate_release(struct cli_gate *g);
/* `policy` is the file that was named, or NULL; that is read at once. `g`
 * answers until it is released. */
int cli_gate_setup(struct cli_gate *g, bool offline, const char *policy,
		   struct error *err) MUST_CHECK;

#endif
