/* warm.c - what sandboxes share, made before the first of them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

int runtime_warm(struct error *err)
{
	cleanup_runtime_launch struct runtime_launch l = RUNTIME_LAUNCH_INIT;
	const struct runtime_process p = RUNTIME_PROCESS_INIT;
	const struct runtime_spec spec = { 0 };

	l.p = &p;
	l.spec = &spec;
	return runtime_launch_prepare(&l, err);
}
