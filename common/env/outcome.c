/* outcome.c - what became of a start, from the process that made it */
/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/fs.h"
#include "env/internal.h"

struct outcome {
	pid_t pid; /* of what was started; 0: failed */
	enum error_code code;
	int sys;
	char msg[1024], hint[512];
};

void outcome_say(int to, pid_t pid, const struct error *err)
{
	struct outcome o = { .pid = pid };

	if (!pid) {
		o.code = err->code;
		o.sys = err->sys;
		snprintf(o.msg, sizeof(o.msg), "%s", err->msg);
		snprintf(o.hint, sizeof(o.hint), "%s",
			 err->hint ? err->hint : "");
	}
	(void)!write(to, &o, sizeof(o));
}

pid_t outcome_hear(int from, const char *who, struct error *err)
{
	struct outcome o = { 0 };

	if (fs_read_full(from, &o, sizeof(o)) != sizeof(o))
		return error_set(err, ERR_SYSTEM, "%s was ended", who);
	if (o.pid > 0)
		return o.pid;
	error_set(err, o.code, "%s", o.msg);
	if (err)
		err->sys = o.sys;
	return *o.hint ? error_hint(err, "%s", o.hint) : -1;
}
