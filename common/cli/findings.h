/* findings.h - what lint and build --check find, and how it is printed */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_FINDINGS_H
#define CLI_FINDINGS_H

#include "cli/cli.h"

struct cli_finding {
	const char *rule; /* of static storage */
	char *file, *message;
	unsigned line; /* 0: of no line */
	bool error;    /* more than a warning */
};
struct cli_findings {
	struct cli_finding *v;
	size_t nr, alloc;
};
#define cleanup_cli_findings CLEANUP(cli_findings_release)
void cli_findings_release(struct cli_findings *f);
void cli_findings_add(struct cli_findings *f, const char *rule, bool error,
		      const char *file, unsigned line, const char *message);
/* The Dockerfile of a plan, all its stages. Base images are those of the
 * store (NULL: none). Findings before an error are kept. */
int cli_lint_plan(struct cli_findings *f, struct store *s,
		  const struct record_plan *plan,
		  const struct build_named_list *named, struct error *err)
	MUST_CHECK;
/* The same, and before it the configuration or template that names it: what
 * is wrong there is a finding, too. */
int cli_lint_project(struct cli_findings *f, struct store *s,
		     const struct cli_project *p,
		     const struct cli_project_options *o, struct error *err)
	MUST_CHECK;
/* An image by its configuration, history and manifest. */
int cli_lint_image(struct cli_findings *f, struct store *s, const char *name,
		   const struct store_image *image, struct error *err)
	MUST_CHECK;
/* On standard output; returns `rc`, the status of what looked for them, or
 * -1. */
int cli_findings_print(const struct cli_findings *f, bool as_json, int rc,
		       struct error *err) MUST_CHECK;

#endif
