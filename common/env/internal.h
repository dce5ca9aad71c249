/* internal.h - what the files of env/ share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENV_INTERNAL_H
#define ENV_INTERNAL_H

#include "env/env.h"

#define ENV_STATE "state.json"
#define ENV_STATE_MAX (8 << 20)
/* Where the image and the configuration name none. */
#define ENV_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct env {
	struct store *store;
	char *name; /* NULL: ephemeral */
	char *dir;  /* run/<name>, or a scratch directory */
	int users_fd; /* holds a shared lock: we use it */
	int scratch_lock;
	struct json *state;
	struct json *config; /* the variables of the container replaced */
	struct runtime_sandbox sandbox;
	bool running, detach;
	/* how commands run in it */
	struct strvec env;    /* of the container */
	struct strvec remote; /* on top, for hooks and commands */
	char *user;	      /* as written */
	char *cwd;
};

/* state.c */
int state_read(struct env *e, struct error *err) MUST_CHECK;
int state_write(struct env *e, struct error *err) MUST_CHECK;
/* Serialises what changes an environment: a lock, -1 on error. */
int state_lock(const struct env *e, struct error *err) MUST_CHECK;
/* Say that we use it. */
int state_use(struct env *e, struct error *err) MUST_CHECK;
/* Are we the only ones who use it? The answer holds while locked. */
bool state_last(struct env *e);
/* The sandbox it runs in: 1, 0 when it does not run, -1 error. */
int state_sandbox(struct env *e, struct error *err) MUST_CHECK;

/* hooks.c: the hooks due now; `start`: the sandbox is new. */
int hooks_run(struct env *e, const struct json *config, bool start,
	      struct error *err) MUST_CHECK;

/* process.c */
struct env_process {
	struct runtime_process p;
	struct strvec env, shell_argv;
	struct runtime_user user;
	char *cwd;
};
void env_process_release(struct env_process *ep);
#define cleanup_env_process CLEANUP(env_process_release)
/* The variables of a process: `base`, then `more`, then `last` (each may be
 * NULL), then what is missing of PATH, HOME, USER and TERM. */
void env_variables(const struct strvec *base, const struct strvec *more,
		   const struct strvec *last, bool tty,
		   struct env_process *ep);
/* From user, variables and directory to what the runner wants. */
void env_process_fill(struct env_process *ep, const struct env_command *c);
int env_prepare(struct env *e, const struct env_command *c,
		struct env_process *ep, struct error *err) MUST_CHECK;

#endif
