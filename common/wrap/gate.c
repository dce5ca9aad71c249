/* gate.c - whom this process may contact */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/gate.h"

static struct gate current;

void gate_set(const struct gate *gate)
{
	current = *gate;
}

bool gate_offline(void)
{
	return current.offline;
}

bool gate_strict(void)
{
	return current.strict;
}

int gate_check(const struct gate_question *q, struct error *err)
{
	return current.ask ? current.ask(current.arg, q, err) : 0;
}

int gate_connect(const struct gate_question *q, struct error *err)
{
	if (!current.offline || q->mirror)
		return gate_check(q, err);
	error_set(err, ERR_NETWORK, "%s is needed, and --offline contacts "
		  "nobody", q->name);
	if (q->kind == GATE_PUSH)
		return error_hint(err, "push it while online");
	return error_hint(err, "get it into the store while online%s",
			  q->kind == GATE_IMAGE
				  ? ", or name a mirror with --registry-mirror"
				  : "");
}

char *gate_moved(const char *name)
{
	return current.moved ? current.moved(current.arg, name) : NULL;
}
