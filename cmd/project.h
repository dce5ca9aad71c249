/* project.h - from the words of a command line to a plan */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_PROJECT_H
#define CMD_PROJECT_H

#include "base/opt.h"
#include "record/record.h"

/* Options of every command that plans; the table is cmd_project_rows. */
struct cmd_project_options {
	char *config;	  /* --config NAME|PATH */
	char *config_dir; /* --config-dir */
	char *file;	  /* -f: a Dockerfile; configurations are ignored */
	char *context;
	char *target;
	struct strvec build_args;
	char *platform;
	char *fallback; /* --fallback-image */
};
extern const struct opt cmd_project_rows[];

/* What the words name. Paths are absolute. */
struct cmd_project {
	struct record record; /* read, or new */
	bool replan;	      /* set by who asks: a record's plan is not taken */
	bool planned;	      /* the record's own plan is what counts */
	enum record_kind kind;
	char *dir;  /* the workspace */
	char *root; /* top of its Git tree, or dir */
	char *file; /* devcontainer.json, Dockerfile or template; NULL: none */
};
#define CMD_PROJECT_INIT { .planned = false }
#define cleanup_cmd_project CLEANUP(cmd_project_release)
void cmd_project_release(struct cmd_project *p);

/*
 * `words` as in devenv-parse(1): nothing or DIR, FILE, RECORD, "-" (a record
 * on standard input), "image" NAME, "environment" NAME. What is found decides
 * `kind`; a tree without anything has RECORD_FALLBACK and no file.
 */
int cmd_project_find(struct cmd_project *p, const struct strvec *words,
		     const struct cmd_project_options *o, struct error *err)
	MUST_CHECK;
/* The `config` view; NULL is an error, ERR_INPUT where there is none. */
struct json *cmd_project_config(const struct cmd_project *p,
				struct error *err);
/* The plan, with the options applied. Warnings are not yet shown. */
int cmd_project_plan(const struct cmd_project *p,
		     const struct cmd_project_options *o,
		     struct record_plan *plan, struct error *err) MUST_CHECK;
/* Show the plan's warnings. */
void cmd_project_warn(const struct record_plan *plan);
/* The Dockerfile of a plan as written; `name` (malloc'ed) is for messages.
 * Commands that build call record_plan_check first. */
int cmd_project_dockerfile(const struct record_plan *plan, struct strbuf *text,
			   char **name, struct error *err) MUST_CHECK;
/* The top of the Git tree that a directory lies in, or itself. */
char *cmd_project_top(const char *dir);
/* An absolute path as a person would write it here; malloc'ed. */
char *cmd_project_name(const char *path);

#endif
