/* run_foreign.c - what to say when a program is for another processor */
/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "build/stage.h"

/* Those that a processor runs beside its own. */
static bool runs_here(const struct oci_platform *p)
{
	cleanup_oci_platform struct oci_platform host = { 0 };

	oci_platform_host(&host);
	return str_eq_null(p->arch, host.arch) ||
	       (str_eq(host.arch, "amd64") && str_eq_null(p->arch, "386"));
}

int run_explain_foreign(const struct build_stage *st, struct error *err)
{
	const struct oci_platform *p = &st->image.config.platform;
	cleanup_free char *name = NULL;

	if (!err || err->sys != ENOEXEC || runs_here(p))
		return -1;
	name = oci_platform_format(p);
	return error_hint(err, "the stage is for %s, whose programs this "
			       "machine does not run: install qemu-user-static "
			       "and register it with binfmt_misc (flag F), or "
			       "use FROM --platform=$BUILDPLATFORM for what "
			       "only builds", name);
}
