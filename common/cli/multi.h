/* multi.h - several platforms at once */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_MULTI_H
#define CLI_MULTI_H

#include "cli/cli.h"

/* One build a platform, in the order in which they are named. */
struct cli_multi {
	struct strvec platforms;
	struct build_result *v; /* with manifests, known by their ids */
	size_t nr;
	struct build_result *own; /* what this machine runs, or the first */
	struct strbuf index; /* that names them all */
	char digest[DIGEST_TEXT]; /* of that */
};
#define CLI_MULTI_INIT { .index = STRBUF_INIT }
#define cleanup_cli_multi CLEANUP(cli_multi_release)
void cli_multi_release(struct cli_multi *m);
/* Does the plan name more than one platform? */
bool cli_multi_wanted(const struct record_plan *plan);
/* Those it names, in their normal form and each once, or this machine's. */
int cli_platforms(struct strvec *list, const struct record_plan *plan,
		  struct error *err) MUST_CHECK;
/* Which one this machine runs, or the first. */
size_t cli_platforms_own(const struct strvec *list);
int cli_multi_build(struct cli_multi *m, struct cli_builder *b,
		    const struct cli_build_options *o,
		    const struct record_plan *plan, struct error *err)
	MUST_CHECK;
/* The index under every tag. */
int cli_multi_push(const struct cli_multi *m, struct cli_builder *b,
		   const struct strvec *tags, struct error *err) MUST_CHECK;
/* Section "image": of the own one, with the digest of the index and a list of
 * all. */
void cli_multi_record(struct record *r, const struct store *s,
		      const struct cli_multi *m);

#endif
