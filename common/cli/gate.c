/* gate.c - whom this process may contact, as the options say */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include "wrap/gate.h"

void cli_gate_setup(bool offline)
{
	const struct gate gate = { .offline = offline };

	gate_set(&gate);
}
