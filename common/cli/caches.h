/* caches.h - caches beside the store, as options name them */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CACHES_H
#define CLI_CACHES_H

#include "cli/cli.h"

/* Names that cache_place_init takes. */
struct cli_caches {
	struct strvec from;
	char *to;
	bool max; /* the steps of all stages, not the target's alone */
};
#define cleanup_cli_caches CLEANUP(cli_caches_release)
void cli_caches_release(struct cli_caches *c);
/* As the options say, in the manner of docker or shorter; ERR_USAGE. */
int cli_caches_get(struct cli_caches *c, const struct cli_build_options *o,
		   struct error *err) MUST_CHECK;

#endif
