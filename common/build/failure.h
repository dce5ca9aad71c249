/* failure.h - a step that failed: what is said of it, and what is kept */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_FAILURE_H
#define BUILD_FAILURE_H

#include "build/internal.h"

/* failure.c: the lines of the Dockerfile around a step, its own marked. */
void failure_excerpt(const struct build *b, const struct build_step *step,
		     struct strvec *out);
/* Tell of a step that failed: its last output, where it stands, and whether
 * its file system was `kept`. */
void failure_show(const struct build *b, const char *label,
		  const struct build_planned *p, const struct strvec *tail,
		  bool kept);
/* failed.c: keep what a step wrote before it failed; takes the draft. */
int failed_keep(struct build *b, const struct build_stage *st,
		const struct build_planned *p, struct store_draft *draft,
		struct error *err) MUST_CHECK;
/* What was kept of a step that runs again. */
void failed_forget(struct store *s, const char *key);

#endif
