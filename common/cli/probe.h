/* probe.h - what cache-probe finds, in the forms in which it is told */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include "build/probe.h"
#include "cli/cli.h"

#define CLI_PROBE_FORMATS "record|text|json|env|terraform"
enum cli_probe_format {
	CLI_PROBE_RECORD,
	CLI_PROBE_TEXT,
	CLI_PROBE_JSON,
	CLI_PROBE_ENV,
	CLI_PROBE_TERRAFORM,
};

/* Where a probe is, or was when it failed. */
enum cli_probe_phase {
	CLI_PROBE_CLONING,
	CLI_PROBE_PLANNING,
	CLI_PROBE_ASKING,
	CLI_PROBE_DONE,
};

/* All there is to tell. */
struct cli_probe {
	struct cli_round round; /* project and plan */
	/* Of each platform, in the order in which they are named. */
	struct cli_probed {
		char *platform; /* NULL: there is one alone */
		struct build_probe found;
	} *v;
	size_t nr;
	/* The first that is missed, where all are there that of this machine,
	 * or the first; NULL: nobody asked yet. */
	const struct build_probe *found;
	struct json *services; /* {NAME: {"status","image"}} of the plan's;
				  or NULL */
	enum cli_probe_phase phase;
	const char *builder; /* image to start where there is no other */
	const char *fallback; /* the same, after that */
	struct strvec env;	 /* "ENVBUILDER_X=..." that means the same */
	struct strvec sensitive; /* names of those that nobody should see */
};
#define CLI_PROBE_INIT { .phase = CLI_PROBE_CLONING }
#define cleanup_cli_probe CLEANUP(cli_probe_release)
void cli_probe_release(struct cli_probe *p);

/* --- probe_platforms.c --- */

/* Probe for a plan, for all platforms that it names. */
int cli_probe_all(struct cli_probe *p, const struct cli_builder *b,
		  const struct cli_build_options *o, bool verify,
		  struct error *err) MUST_CHECK;
/* "hit", "miss", "nothing-to-build" */
const char *cli_probe_status(const struct build_probe *found);
/* The list that tells of several platforms; NULL: there is one alone. */
struct json *cli_probe_platforms(const struct cli_probe *p);

/* --- probe_services.c --- */

/* The same for the services of the plan. */
int cli_probe_services(struct cli_probe *p, const struct cli_builder *b,
		       const struct cli_build_options *o, bool verify,
		       struct error *err) MUST_CHECK;

/* --- probe.c --- */

/* What can be started: the image found, else the builder's, else the fallback;
 * NULL: nothing. */
const char *cli_probe_image(const struct cli_probe *p);
/* The first step that has to run; NULL: none is to blame. */
const struct build_step_report *cli_probe_miss(const struct build_probe *found);

/* Print it: the record, lines for people, a variable or nothing, one object,
 * or strings for Terraform. */
int cli_probe_print(struct cli_probe *p, enum cli_probe_format format,
		    struct error *err) MUST_CHECK;
/* Probe for a plan and print that variable; a miss is ERR_NO. */
int cli_probe_variable(const struct cli_builder *b,
		       const struct cli_build_options *o,
		       const struct record_plan *plan, struct error *err)
	MUST_CHECK;
/* A failure, for formats that tell it: JSON has it as an object, and for
 * Terraform every status but 1 would be the same. Returns -1. */
int cli_probe_failed(struct cli_probe *p, enum cli_probe_format format,
		     struct error *err);

/* --- builder.c --- */

/* What building a plan would do. */
int cli_probe_plan(const struct cli_builder *b,
		   const struct cli_build_options *o,
		   const struct record_plan *plan, bool verify,
		   struct build_probe *probe, struct error *err) MUST_CHECK;

/* --- probe_text.c --- */

void cli_probe_text(const struct cli_probe *p, struct strbuf *out);

/* --- probe_env.c: options as envbuilder's variables, and from a query --- */

struct cli_probe_table {
	const struct opt *rows;
	void *values;
};
/* Those that are set, from tables (ended by rows == NULL) and from our
 * environment. Secrets are left out unless `secrets`. */
void cli_probe_env(struct cli_probe *p, const struct cli_probe_table *tables,
		   bool secrets);
/*
 * Terraform's query on standard input, an object of strings: names of options,
 * or of envbuilder's without prefix; dashes may be underscores. Empty values
 * mean nothing.
 */
int cli_probe_query(const struct cli_probe_table *tables, struct error *err)
	MUST_CHECK;

#endif
