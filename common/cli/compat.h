/* compat.h - what callers of the Dev Container CLI pass and expect */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_COMPAT_H
#define CLI_COMPAT_H

#include "cli/cli.h"

/* --- compat.c: options about a daemon, which there is none of --- */

struct cli_unused {
	char *docker, *compose, *user_data, *container_data, *system_data;
	char *session_data, *rows, *columns, *consistency, *gpu, *buildkit;
};
extern const struct opt cli_unused_rows[];
/* What `up` alone is asked, for commands in what it made. */
struct cli_settled {
	char *override, *git_root, *probe;
	bool worktree;
};
extern const struct opt cli_settled_rows[];
/* Say of each row of these that was given that it has no effect. */
void cli_unused_tell(const struct opt *rows, const void *values);

/* The project, for commands that take no word. */
struct cli_folder {
	char *folder;
};
extern const struct opt cli_folder_rows[];
/* A word for cli_project_find; without the option the working directory. */
void cli_folder_word(const struct cli_folder *f, struct strvec *words);

/* --- answer.c: the line that ends standard output --- */

/* One line of JSON; takes `j`. */
int cli_answer(struct json *j, struct error *err) MUST_CHECK;
/* {"outcome": "error", "message", "description"}, with "containerId" where
 * there is an environment of that name; both may be NULL. */
void cli_answer_failed(struct store *s, const char *name,
		       const struct error *err);
/* The line of `build --json`: "outcome" and "imageName", a list: the tags or,
 * where there are none, the id. */
int cli_answer_built(const struct strvec *tags, const char *id,
		     struct error *err) MUST_CHECK;
/* What of a project the line may have, as read-configuration prints it:
 * "configuration", which is put into `out`. */
int cli_answer_config(const struct cli_project *p, struct json *out,
		      struct error *err) MUST_CHECK;
/* Replace ${containerEnv:...} by what the environment has. */
int cli_answer_replace(struct json *config, const struct env_info *e,
		       struct error *err) MUST_CHECK;
/* The same for "mergedConfiguration"; takes `merged`. */
void cli_answer_merged(const struct cli_project *p, struct json *merged,
		       struct json *out);

/* --- named.c: environments by what callers know of them --- */

struct cli_named {
	char *id; /* the name that `up` told as containerId */
	struct strvec labels;
	char *folder, *config;
};
extern const struct opt cli_named_rows[];
/* Was any of them given? */
bool cli_named_given(const struct cli_named *n);
/*
 * The name of the environment meant, malloc'ed: that of --container-id, the
 * one that has all of the labels, or the one of the directory. ERR_RUN: there
 * is none; ERR_USAGE: there are several.
 */
int cli_named_find(const struct cli_named *n, struct store *s, char **name,
		   struct error *err) MUST_CHECK;
/* What `up` calls the environment of a project, malloc'ed: `name`, if that is
 * not NULL; else the one that has its labels, or a new name that is always the
 * same for them, or for its directory and the folder of its configuration. */
int cli_named_new(const char *name, const struct cli_project *p,
		  struct store *s, char **out, struct error *err) MUST_CHECK;

/* --- editor.c: options of `up` under the names of that CLI --- */

struct cli_editor {
	bool replace, no_cache, expect, no_hooks;
	bool configuration, merged; /* in the line of --json */
	struct strvec remote_env;
	struct cli_defaults defaults;
};
extern const struct opt cli_editor_rows[];
/* Put them where the others are; `exists`: there is an environment already.
 * ERR_REFUSED where one had to be. */
int cli_editor_apply(const struct cli_editor *e, bool exists,
		     struct cli_run_options *run,
		     struct cli_build_options *build, struct error *err)
	MUST_CHECK;
/* The line of `up --json` (answer.c): "outcome", "containerId", "remoteUser",
 * "remoteWorkspaceFolder" and what the options ask for. */
int cli_answer_up(const struct cli_editor *e, const struct cli_project *p,
		  const struct cli_launch *l, const struct json *environment,
		  struct error *err) MUST_CHECK;

#endif
