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
	bool environment; /* even without a configuration */
	const char *name; /* of the environment; NULL: nothing is kept */
	char *const *command; /* NULL: none given */
	bool shell;	      /* then a shell, not what the image says */
};

/*
 * Run it to its end: as an environment when it has a name, a configuration or
 * goes on in the background, else as a single process. `status` is that of
 * the command; in the background the record's section is filled.
 */
int cmd_launch_run(const struct cmd_launch *l, int *status,
		   struct json **environment, struct error *err) MUST_CHECK;

#endif
