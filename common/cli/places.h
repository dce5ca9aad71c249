/* places.h - where a change means another build */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PLACES_H
#define CLI_PLACES_H

#include "cli/cli.h"

/* What the newest plan reads, and a watch on it. */
struct cli_places {
	struct watch *watch;
	char *context, *dockerfile, *config;
	struct strvec named; /* directories of --build-context */
	struct strvec features; /* directories of local Features */
	struct dockerfile_ignore *ignore;
};
void cli_places_release(struct cli_places *w);
/*
 * Watch what a build of `words` reads now. Each call makes a fresh set, so
 * whatever changes after it is not missed. A plan that is wrong just now
 * leaves the places of the last one.
 */
int cli_places_watch(struct cli_places *w, const struct strvec *words,
		     const struct cli_project_options *o,
		     const struct cli_build_options *b, struct error *err)
	MUST_CHECK;
int cli_places_fd(const struct cli_places *w); /* to poll */
/* Take what happened: was any of it more than an ignored file? */
bool cli_places_changed(struct cli_places *w);

#endif
