/* template.h - Dev Container Templates, from where they are to where they go */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_TEMPLATE_H
#define CLI_TEMPLATE_H

#include "cli/cli.h"

/* --- template_read.c --- */

struct cli_template_file {
	char *path; /* clean, relative */
	struct strbuf text;
	bool executable;
};

/* All files of a template, and what its metadata file says. */
struct cli_template {
	char *name; /* for messages */
	struct cli_template_file *v;
	size_t nr, alloc;
	size_t entries; /* read so far, folders included */
	uint64_t bytes;
	struct json *metadata;
};
#define cleanup_cli_template CLEANUP(cli_template_release)
void cli_template_release(struct cli_template *t);
/*
 * Read a folder, or else what a registry has under a reference. ERR_INPUT: it
 * is no template, or has files that are never written: links, devices, names
 * that lead out, and anything of a .git.
 */
int cli_template_read(struct cli_template *t, const char *name,
		      const struct registry_options *o, struct error *err)
	MUST_CHECK;

/* --- template_write.c --- */

struct cli_template_options {
	struct strvec options; /* "KEY=VALUE" */
	struct strvec omit;
	char *features; /* JSON: [{"id", "options"}], or NULL */
	bool force; /* replace files that differ */
};
/* Put the Features of a JSON array into its devcontainer.json. ERR_USAGE:
 * they are none, or it has none. (template_features.c) */
int cli_template_features(struct cli_template *t, const char *features,
			  struct error *err) MUST_CHECK;
/*
 * Write its files below a directory with the options in their places. A file
 * that is there and differs fails it before anything is written. `files` gets
 * the paths of all, sorted.
 */
int cli_template_write(struct cli_template *t,
		       const struct cli_template_options *o, const char *dir,
		       struct strvec *files, struct error *err) MUST_CHECK;

#endif
