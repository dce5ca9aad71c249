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
	uint64_t ttl; /* as build_options have it */
};
#define cleanup_cli_caches CLEANUP(cli_caches_release)
void cli_caches_release(struct cli_caches *c);
/* As the options say, in the manner of docker or shorter; ERR_USAGE. */
int cli_caches_get(struct cli_caches *c, const struct cli_build_options *o,
		   struct error *err) MUST_CHECK;

/* --- cache.c: the commands on one of them --- */

struct cli_cache {
	char *place, *keep_age, *keep_size;
	bool dry_run, json;
	int format;
};
extern const struct opt cli_cache_rows[];
/* What is there, on standard output. */
int cli_cache_list(const struct cli_cache *c,
		   const struct registry_options *o, struct error *err)
	MUST_CHECK;
/* What gc is to keep, by the words of --keep-age and --keep-size (NULL: not
 * given, and the number is 0). A size of 0 keeps as little as can be; an age
 * of 0 would be taken for none: ERR_USAGE. */
struct cli_keep {
	uint64_t age, size;
};
int cli_keep_parse(struct cli_keep *k, const char *age, const char *size,
		   struct error *err) MUST_CHECK;
/* Remove what nobody used, and say what went. */
int cli_cache_collect(const struct cli_cache *c,
		      const struct registry_options *o, struct error *err)
	MUST_CHECK;

#endif
