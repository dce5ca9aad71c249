/* launch.h - an image at work, as run, up and iterate start it */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_LAUNCH_H
#define CMD_LAUNCH_H

#include "base/opt.h"
#include "cmd/builder.h"
#include "env/env.h"

struct cmd_run_options {
	char *name, *user, *workdir, *hostname, *entrypoint;
	struct strvec env, volumes;
	int network;
	bool tty, detach, replace, no_hooks;
};
extern const struct opt cmd_run_rows[];

/* What is to run. */
struct cmd_launch {
	const struct cmd_builder *b;
	const struct cmd_run_options *o;
	const struct store_image *image; /* all layers are unpacked */
	const struct record *record;	 /* its plan's configuration; or NULL */
	const char *workspace;		 /* of the host, or NULL */
	const char *mount_root; /* what is mounted; NULL: the workspace */
	/* A development environment: it has a life cycle, and without a
	 * command a shell, not what the image says. */
	bool environment;
	const char *name; /* of the environment; NULL: nothing is kept */
	char *const *command; /* NULL: none given */
	bool no_tty;	      /* whatever we have: Ctrl-C is for us */
};

/*
 * Run it to its end: with an init when it is an environment, has a name or
 * goes on in the background, else as a single process. `status` is that of
 * the command; in the background the record's section is filled.
 */
int cmd_launch_run(const struct cmd_launch *l, int *status,
		   struct json **environment, struct error *err) MUST_CHECK;
/* Options that cannot be meant; before anything is done. */
int cmd_launch_check(const struct cmd_run_options *o, struct error *err)
	MUST_CHECK;
/* `run` and `exec` leave the low statuses to the command: our own trouble is
 * 125, unless it has a status of its own there. Returns -1. */
int cmd_launch_failed(struct error *err);

#endif
