/* internal.h - what the files of env/ share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENV_INTERNAL_H
#define ENV_INTERNAL_H

#include "env/env.h"

#define ENV_STATE "state.json"
#define ENV_STATE_MAX (8 << 20)
#define ENV_GRACE_MS 2000 /* between SIGTERM and SIGKILL, usually */
#define SERVICE_GRACE_MS 10000 /* as docker; a database has much to write */

struct env {
	struct store *store;
	char *name; /* NULL: ephemeral */
	char *dir;  /* run/<name>, or a scratch directory */
	int users_fd; /* holds a lock of this process: it uses it */
	int scratch_lock;
	struct json *state;
	struct runtime_sandbox sandbox;
	bool running, joined;
	const struct env_life *life; /* while env_up runs */
	const struct env_options *options; /* while env_up runs */
	const struct env_service *spec; /* then, of a service; NULL: none */
	struct env *pod; /* then as well: whose service it is */
	struct env **services; /* of its pod, in the order of their start */
	size_t n_services;
	bool healthy; /* a service that was found so */
	pid_t keeper;  /* 0: none */
	int keeper_fd; /* its pipe */
	struct json *config; /* ours, its variables are replaced; or NULL */
	/* how commands run in it; "K" without a value: unset */
	struct strvec env;    /* of the container */
	struct strvec probed; /* on top, as the user's shell sets them */
	struct strvec remote; /* on top, for hooks and commands */
	char *user;	      /* as written */
	struct strvec groups; /* that its processes are in, too */
	struct runtime_swap swap; /* uid 0: none */
	bool no_new_privs;    /* of every command */
	char *cwd;
};

/* process.c: what the runner wants, and what it points into. */
struct env_process {
	struct runtime_process p;
	struct strvec env, shell_argv;
	struct runtime_user user;
	char *cwd;
};

/* state.c */
char *state_dir(const struct store *s, const char *name); /* malloc'ed */
int state_bad_name(const char *name, struct error *err);
int state_missing(const char *name, struct error *err);
/* ERR_SYSTEM with what to do about it. */
int state_damaged(const struct env *e, const char *what, struct error *err);
/* An object, empty for an environment that is new. */
int state_read(struct env *e, struct error *err) MUST_CHECK;
int state_write(struct env *e, struct error *err) MUST_CHECK;
/* Note e->sandbox, or that there is none, and write. */
int state_started(struct env *e, struct error *err) MUST_CHECK;
int state_stopped(struct env *e, struct error *err) MUST_CHECK;
/* Serialises what changes an environment: a lock, -1 on error. Only who is
 * to `create` it makes its directory. */
int state_lock(const struct env *e, bool create, struct error *err)
	MUST_CHECK;
int state_try_lock(const struct env *e); /* -1 when it is held */
/* Say that this process uses it. */
int state_use(struct env *e, struct error *err) MUST_CHECK;
/* Is e->sandbox to go on without us, as another process uses it or somebody
 * wants it so? Reads the state; the answer holds while locked. One that the
 * state does not name, as devenv ended before it was written, is nobody's. */
bool state_wanted(struct env *e);
/* Let it go on when nobody uses it, and write. */
int state_detach(struct env *e, struct error *err) MUST_CHECK;
/* How long it has to end by itself, in milliseconds. */
int state_grace(const struct env *e);
/* Find the sandbox that the state names; false: it does not run. */
bool state_sandbox(struct env *e);

/* keeper.c: a process that stops the sandbox when this one is gone, however
 * that came, and nobody else uses it. It starts the sandbox too, unless
 * `spec` is NULL: then e->sandbox runs already. */
int keeper_start(struct env *e, const struct runtime_spec *spec,
		 struct error *err) MUST_CHECK;
/* Let the keeper go: the sandbox was stopped, or is to go on. */
void keeper_end(struct env *e);

/* commands.c: user, directory and variables of commands; first what does not
 * need the sandbox, then what may name the container's variables. */
int commands_describe(struct env *e, const struct env_options *o,
		      struct error *err) MUST_CHECK;
int commands_finish(struct env *e, const struct env_options *o,
		    struct error *err) MUST_CHECK;
/* What image and configuration set, as hooks see it, without what the user's
 * shell adds. */
void commands_variables(const struct env *e, struct strvec *out);
/* Kept with the state, so that `exec` needs nothing else. */
void commands_remember(struct env *e);
int commands_recall(struct env *e, struct error *err) MUST_CHECK;

/* owner.c: of a new environment of a user with id ranges, who is to see the
 * workspace as that of another one of the image: e->swap, noted in the state,
 * and the image's files for it, in `lower` of e->dir. Later, the same again. */
int owner_make(struct env *e, const struct env_options *o, struct error *err)
	MUST_CHECK;
void owner_recall(struct env *e);
/* Volumes of the store, so that they look the same for every root. */
int owner_volumes(const struct env_options *o, const struct runtime_swap *swap,
		  struct error *err) MUST_CHECK;
/* The mounts of `o`, those that are to be the user's (updateRemoteUserUID)
 * mapped to its ids where that is possible; `lowers` are the image's layers. */
struct owner_mounts {
	struct runtime_mount *v; /* strings are those of `o` */
	size_t n;
};
void owner_release(struct owner_mounts *m);
int owner_mounts(struct env *e, const struct env_options *o,
		 const struct strvec *lowers, struct owner_mounts *out,
		 struct error *err) MUST_CHECK;

/* probe.c: e->probed by the property userEnvProbe, from a shell of the user or
 * what one said when the environment was started. One that takes longer than
 * `limit_ms` is told of, with what it waits for, and given up. */
int probe_user(struct env *e, int64_t limit_ms, struct error *err) MUST_CHECK;

/* ports.c: those that a configuration forwards, each with its attributes, and
 * the address of this host where it is seen ("seen": its port by that of the
 * environment). */
struct json *ports_describe(const struct json *config,
			    const struct json *seen);

/* entry.c: what runs in the background from the start. */
int entry_start(struct env *e, const struct env_options *o,
		struct error *err) MUST_CHECK;
/* The command that the image has, or a service instead of it, and where. */
void entry_command(const struct env_options *o, struct strvec *argv);
const char *entry_dir(const struct env_options *o);
/* The log, to append to. */
int entry_log(const struct env *e, struct error *err) MUST_CHECK;

/* outcome.c: one process tells another what it started, or why it did not
 * (`pid` 0). Who hears gets -1 then. */
void outcome_say(int to, pid_t pid, const struct error *err);
pid_t outcome_hear(int from, const char *who, struct error *err) MUST_CHECK;

/* service.c: the process of a service, and what became of it. */

/* Start it in e->sandbox, which ends with it. */
int service_start(struct env *e, struct error *err) MUST_CHECK;
/* Has the sandbox that the state names ended by itself, and how? */
bool service_ended(const struct env *e, int *status);
/* A process with the variables, the user and the directory of the service. */
int service_process(struct env *e, const struct env_options *o,
		    char *const *argv, struct env_process *ep,
		    struct error *err) MUST_CHECK;
/* Show the last lines of a text, or of its log. */
void service_show(const char *service, const char *text, size_t n);
void service_show_log(const struct env *e);

/* env.c: have a service of `pod` run, as env_up. One whose work is done stays
 * as it is. */
int env_up_service(struct env **out, struct env *pod,
		   const struct env_service *s, const struct env_options *o,
		   struct error *err) MUST_CHECK;

/* health.c: wait until a service is healthy. */
int health_wait(struct env *e, const struct env_service *s,
		struct error *err) MUST_CHECK;
/* Can its check be made? ERR_INPUT: it is wrong. */
int health_check(const struct env_service *s, struct error *err) MUST_CHECK;
/* Does it have a check at all? */
bool health_known(const struct env_service *s);

/* pod.c: the services beside an environment. */

/* Can this ever come up? Before anything is started. */
int pod_check(const struct env_options *o, struct error *err) MUST_CHECK;
/* Start those that come before the environment, or after it. */
int pod_before(struct env *e, struct error *err) MUST_CHECK;
int pod_after(struct env *e, struct error *err) MUST_CHECK;
/* Warn of those that failed. */
void pod_tell(const struct env *e);
/* Does anybody wait for the end of a service? */
bool pod_awaits_end(const struct env_options *o, const char *service);
/* The services that are there and this environment's: what its state names may
 * have become another's. */
void pod_list(const struct env *e, struct strvec *out);
/* Use those that run. */
void pod_attach(struct env *e);
/* Let them go on when nobody uses them. */
int pod_detach(struct env *e, struct error *err) MUST_CHECK;
void pod_close(struct env *e);

/* A port of the environment, and where this host sees it. */
struct env_port {
	uint16_t inside, host;
	int fd; /* of forward_start alone */
};
/* forward_ports.c: those that are to be seen; malloc'ed. */
struct env_port *forward_ports(const struct json *config,
			       const struct strvec *hosts, size_t *n);
/* forward.c: carry connections to these ports of the loopback address here to
 * an environment with a network of its own, until it ends. Where one is taken
 * `host` becomes another. */
int forward_start(struct env *e, struct env_port *ports, size_t n,
		  struct error *err) MUST_CHECK;

/* hooks.c: the hooks due now. */
int hooks_run(struct env *e, struct error *err) MUST_CHECK;
/* Why they end where they do, as env_live says it. */
const char *hooks_end(const struct env *e);
/* {"onCreateCommand": "done|failed|pending", ...} of those there are. */
struct json *hooks_describe(const struct env *e);

/* files.c: written by us into the environment, whose links are followed in
 * there only; a link at the end is replaced. The variables, for life->
 * export_file; the hooks of the list as a script, for life->post_start. */
int files_export(struct env *e, struct error *err) MUST_CHECK;
int files_post_start(struct env *e, const struct json *hooks,
		     struct error *err) MUST_CHECK;

/* dotfiles.c: what installs them, of no commands where there are none. */
struct env_dotfiles {
	struct devcontainer_hook hook;
	struct strvec env; /* of its command */
	char *url;	   /* without credentials */
};
void dotfiles_release(struct env_dotfiles *d);
/* An error where they may not be fetched. */
int dotfiles_get(struct env_dotfiles *d, const struct env_life *life,
		 struct error *err) MUST_CHECK;

/* process.c */
void env_process_release(struct env_process *ep);
#define cleanup_env_process CLEANUP(env_process_release)
/* Each "K=V" set, each "K" unset. */
void env_put(struct strvec *env, const struct strvec *more);
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
