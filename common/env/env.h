/* env.h - environments: an image at work on a workspace, with its life cycle */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENV_ENV_H
#define ENV_ENV_H

#include "devcontainer/devcontainer.h"
#include "runtime/runtime.h"
#include "store/store.h"

/* How an environment comes to life. */
struct env_life {
	int64_t probe_ms; /* how long the user's shell may take to start */
	const struct strvec *secrets; /* "K=V" for hooks alone, or NULL */
	/* Cloned into a new environment and installed, after
	 * postCreateCommand: a URL or NULL; a command or NULL (its install
	 * script); a directory or NULL ("~/dotfiles"). */
	const char *dotfiles, *dotfiles_command, *dotfiles_target;
	/* updateContentCommand runs, again if need be, and nothing after it */
	bool prebuild;
	bool no_attach; /* without postAttachCommand */
	bool no_waiting; /* nothing after the command that "waitFor" names */
	bool no_start; /* nothing after the dotfiles */
	/* Files in there, absolute, or NULL: where the variables of image and
	 * configuration are written, "K=V" lines in order; where, at each
	 * start, postStartCommand is, as a script that is left to whoever
	 * runs it. */
	const char *export_file, *post_start;
};
#define ENV_PROBE_MS 10000

struct env_service;
struct env_options {
	struct store *store;
	const struct store_image *image; /* all its layers are unpacked */
	const char *name; /* NULL: what is written vanishes at the end */
	const struct json *config; /* as devcontainer_merge makes it, or NULL */
	const char *workspace; /* of the host, for `ps`; mounts bring it in */
	const struct json *labels; /* what others know it by, or NULL */
	const char *folder;    /* where it is seen, and commands start; or NULL */
	const char *config_file; /* where the configuration is seen; or NULL */
	const struct strvec *env;  /* "K=V" on top of the image's */
	const char *user;	   /* NULL: of the configuration, or image */
	const char *hostname;
	enum runtime_network network;
	int net; /* of RUNTIME_NET_GIVEN */
	const struct runtime_mount *mounts;
	size_t n_mounts;
	bool replace;	/* start from the image again, whatever is there */
	bool no_hooks;
	/* Rights beyond the usual ones; `cap_add` may be NULL. */
	bool privileged, no_seccomp, no_new_privs;
	const struct strvec *cap_add;
	const struct strvec *hosts; /* as runtime_spec has them, or NULL */
	const struct runtime_bounds *bounds; /* or NULL */
	const struct runtime_budget *budget; /* or NULL */
	const struct strvec *groups; /* of every user's processes; or NULL */
	int64_t grace_ms; /* between SIGTERM and SIGKILL; 0: usual */
	const struct env_life *life; /* NULL: no secrets, all commands */
	enum runtime_mode mode; /* RUNTIME_CHROOT: for env_run only */
	/* Its pod: what runs beside it and what it is called there itself, in
	 * the order of their start; or none. */
	const struct env_service *services;
	size_t n_services;
};

/*
 * A service of a pod: an environment NAME-SERVICE of which one process is all
 * there is. Its entry point and command are the image's, or those of the
 * configuration; the sandbox ends when it does.
 */
struct env_service {
	const char *service; /* as the pod calls it */
	bool self; /* the environment that the pod is of: no options */
	/* The network is the pod's, unless it is RUNTIME_NET_NONE. */
	struct env_options options;
	const struct json *needs; /* {SERVICE: {"condition","required"}} */
	const struct json *health; /* as compose has it, on top of the image's;
				      or NULL */
};

/*
 * run/<name>/ in the store: state.json, lock, users, upper/, work/, log. A
 * name has one sandbox at most; several processes may use it, and the last of
 * them stops it unless one asked that it goes on (env_detach). A process has
 * one `struct env` of a name at a time. Who uses an environment uses the
 * services of its pod as well: they are stopped after it.
 */
struct env;

/*
 * Have the environment run: made from the image when it is new or its image
 * changed, else as it was left. Hooks: onCreate, updateContent and postCreate
 * once after it was made (one that failed runs again the next time),
 * postStart at each start, postAttach at each call. A failing hook is
 * ERR_STEP. A running environment with another image is ERR_REFUSED.
 * Services start in their order, each once what it needs is there; those that
 * run are joined, those that changed are made anew. One that does not become
 * healthy, or ends where its success is needed, is ERR_STEP.
 */
int env_up(struct env **out, const struct env_options *o, struct error *err)
	MUST_CHECK;
/* Use an environment that runs. */
int env_attach(struct env **out, struct store *s, const char *name,
	       struct error *err) MUST_CHECK;
/* It goes on when nobody uses it any more. To be said once all is well: until
 * then it ends with those who use it, however they end. A configuration may
 * have it so, too ("shutdownAction": "none"). */
int env_detach(struct env *e, struct error *err) MUST_CHECK;
/*
 * The hooks that are due in one that is used, by the configuration it was
 * started with. `end` is why they ended: "done", "prebuild", "skipNonBlocking"
 * or "stopForPersonalization", as the life has it.
 */
int env_live(struct env *e, const struct env_life *life, const char **end,
	     struct error *err) MUST_CHECK;
void env_close(struct env *e); /* stops it if nobody else uses it */
void env_close_ptr(struct env **e);
#define cleanup_env CLEANUP(env_close_ptr)

/* The network of an environment that runs, or, where none does, a new one that
 * its services are to share: a descriptor, or -1 where a user's other devenv
 * made it, into whose networks this one may not go. */
int env_net(struct store *s, const char *name, int *fd, struct error *err)
	MUST_CHECK;

/* What is done in it. */
struct env_command {
	char *const *argv;	  /* NULL: the user's shell */
	const char *user, *cwd;	  /* NULL: those of the environment */
	const struct strvec *env; /* "K=V" on top of remoteEnv */
	bool tty;
};
/* Standard input, output and error are ours. `status` as runtime_run. */
int env_exec(struct env *e, const struct env_command *c, int *status,
	     struct error *err) MUST_CHECK;
/* The same in the background: it goes on when this process ends, its output
 * goes to the environment's log. */
int env_background(struct env *e, const struct env_command *c,
		   struct error *err) MUST_CHECK;
/*
 * Run `script` by /bin/sh as root, with its output in our log. What it writes,
 * NAME=VALUE lines, to the file that its variable ENVBUILDER_ENV names is
 * appended to `said`; TARGET_USER is who commands run as. A status other than
 * 0 is ERR_STEP, other lines are ERR_INPUT.
 */
int env_setup(struct env *e, const char *script, struct strvec *said,
	      struct error *err) MUST_CHECK;
/* One command in the image, as PID 1 of a sandbox of its own; what it writes
 * vanishes. Of the options, name, configuration and workspace do not count. */
int env_run(const struct env_options *o, const struct env_command *c,
	    int *status, struct error *err) MUST_CHECK;
/* "environment" section of the record: name, pid, workspace, user ... */
struct json *env_describe(const struct env *e);

/* --- by name, without using it --- */

struct env_info {
	char *name, *image, *workspace, *created;
	struct strvec layers; /* ids, lowest first */
	char *failed; /* lifecycle command that did, the last time; or NULL */
	struct json *labels; /* as it was given, or NULL */
	struct strvec env;   /* "K=V" of the container itself */
	char *pod, *service; /* whose service it is, and which; or NULL */
	int status; /* of a service that ended by itself, else -1 */
	bool running, damaged; /* damaged: its state cannot be read */
	pid_t pid;
};
#define cleanup_env_info CLEANUP(env_info_release)
void env_info_release(struct env_info *i);
/* All environments, sorted by name; free the array and release each. */
int env_list(struct store *s, struct env_info **out, size_t *n,
	     struct error *err) MUST_CHECK;
/* Is there one, running or not? */
bool env_exists(struct store *s, const char *name);
/* One of them, as env_list gives it. ERR_USAGE: there is none. */
int env_look(struct store *s, const char *name, struct env_info *out,
	     struct error *err) MUST_CHECK;
/* SIGTERM, after `grace_ms` SIGKILL; negative: as long as it was started
 * with. Then the same for the services of its pod, the last first. Not running
 * is fine. */
int env_stop(struct store *s, const char *name, int grace_ms,
	     struct error *err) MUST_CHECK;
/* With the services of its pod. Refused while it runs or when its state is
 * damaged, unless `force`. */
int env_remove(struct store *s, const char *name, bool force,
	       struct error *err) MUST_CHECK;
/* A descriptor of its log: the output of its background command. */
int env_log(struct store *s, const char *name, struct error *err) MUST_CHECK;
/* Letters, digits, "-", "_" and ".", not first a dot, 64 at most. */
bool env_name_valid(const char *name);
/* "NAME-SERVICE", or as much of it as a name may have; malloc'ed. */
char *env_service_name(const char *name, const char *service);
/* "app-1a2b3c4d" of a workspace directory: its name and a digest. */
char *env_name_of(const char *workspace);
/* The same with a digest of another text. */
char *env_name_by(const char *workspace, const char *text);

#endif
