/* cli.h - what several commands share: option tables and the steps of work */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/error.h"
#include "base/opt.h"
#include "build/build.h"
#include "env/env.h"
#include "record/record.h"
#include "registry/registry.h"
#include "runtime/runtime.h"
#include "store/store.h"
#include "wrap/json.h"
#include "wrap/repo.h"

/* --- clone.c: cloning --- */

struct cli_clone_options {
	char *git_url, *branch, *folder, *base_dir;
	bool single_branch, submodules, insecure;
	bool keep; /* set by who asks: as in repo_options */
	int depth;
	char *ca_file, *ca_base64;
};
extern const struct opt cli_clone_rows[];

/* How repositories are reached, for commands that clone or build. */
struct cli_git {
	char *username, *password, *key_path, *key_base64, *proxy;
};
extern const struct opt cli_git_rows[];
void cli_git_access(const struct cli_git *from, struct repo_options *to);

/* Clone or update; `dir` NULL: as the options say, else ./NAME. The record
 * has its section "source" then. */
int cli_clone_get(const struct cli_clone_options *o, const struct cli_git *git,
		  const char *url, const char *dir, struct record *r,
		  struct error *err) MUST_CHECK;

/* Where that puts a clone without `dir`: absolute, malloc'ed. */
char *cli_clone_place(const struct cli_clone_options *o, const char *url);

/* --- registry.c: access to registries --- */

struct cli_registry {
	char *chunk_size, *compression;
	char *docker_config, *docker_config_base64;
	char *ca_file, *ca_base64;
	struct strvec insecure, unverified, private_realms;
	struct strvec mirrors;
	int retries, stall_seconds, timeout_seconds;
};
/* Rows over struct cli_registry; the second are for those who push. */
extern const struct opt cli_registry_rows[], cli_upload_rows[];
/* And for those whose layers may have to be compressed. */
extern const struct opt cli_compression_rows[];
int cli_compress(const struct cli_registry *from, struct store *s,
		 struct error *err) MUST_CHECK;
/* The same for the client; strings and the list stay with `from`. */
void cli_registry_options(const struct cli_registry *from,
			  struct registry_options *to);

struct cli_platform {
	char *platform;
};
extern const struct opt cli_platform_rows[];
/* The platform named, or this machine's. */
int cli_platform_get(const struct cli_platform *from, struct oci_platform *to,
		     struct error *err) MUST_CHECK;

/* --- project_find.c, project_plan.c: from words to a plan --- */

#define CLI_DOCKERFILE_MAX (1 << 20) /* bytes of one, or of a template */

/* Options of every command that plans; the tables are cli_config_rows, also
 * for commands that only read, and cli_project_rows. */
struct cli_project_options {
	char *config;	  /* --config NAME|PATH */
	char *override;	  /* read instead of what is there */
	char *features;	  /* --additional-features, a JSON object */
	struct strvec id_labels; /* "NAME=VALUE" */
	int no_git_root;  /* 1: nothing above the directory is mounted */
	char *config_dir; /* --config-dir */
	char *file; /* -f: a Dockerfile ("-": standard input); configurations
			are ignored */
	char *context;
	char *target;
	struct strvec build_args;
	char *platform;
	char *fallback; /* --fallback-image */
};
extern const struct opt cli_config_rows[], cli_project_rows[];

/* What the words name. Paths are absolute. */
struct cli_project {
	struct record record; /* read, or new */
	bool replan;	      /* set by who asks: a record's plan is not taken */
	bool alone; /* as well: nothing above the directory belongs to it */
	const char *content; /* read instead of `file`, or NULL; borrowed */
	struct json *labels; /* as in devcontainer_scope, or NULL */
	bool planned;	      /* the record's own plan is what counts */
	enum record_kind kind;
	char *dir;  /* the workspace */
	char *root; /* top of its Git tree, or dir */
	char *file; /* devcontainer.json, Dockerfile or template; NULL: none */
	char *text; /* or the Dockerfile itself, from standard input */
	char *place; /* set by who asks: as in devcontainer_scope */
};
#define CLI_PROJECT_INIT { .planned = false }
#define cleanup_cli_project CLEANUP(cli_project_release)
void cli_project_release(struct cli_project *p);

/*
 * `words` as in devenv-parse(1): nothing or DIR, FILE, RECORD, "-" (a record
 * on standard input), "image" NAME, "environment" NAME. What is found decides
 * `kind`; a tree without anything has RECORD_FALLBACK and no file.
 */
int cli_project_find(struct cli_project *p, const struct strvec *words,
		     const struct cli_project_options *o, struct error *err)
	MUST_CHECK;
/* --- config.c --- */

/* "NAME=VALUE" each as an object, in *labels; none: NULL. ERR_USAGE. */
int cli_config_labels(const struct strvec *given, struct json **labels,
		      struct error *err) MUST_CHECK;
/* Add --additional-features to a plan: those that it has stay. */
int cli_config_features(const char *text, struct record_plan *plan,
			struct error *err) MUST_CHECK;

/* The `config` view; NULL is an error, ERR_INPUT where there is none. */
struct json *cli_project_config(const struct cli_project *p,
				struct error *err);
/* The plan, with the options applied. Warnings are not yet shown. */
int cli_project_plan(const struct cli_project *p,
		     const struct cli_project_options *o,
		     struct record_plan *plan, struct error *err) MUST_CHECK;
/* Show the plan's warnings. */
void cli_project_warn(const struct record_plan *plan);
/* The Dockerfile of a plan as written; `name` (malloc'ed) is for messages.
 * Commands that build call record_plan_check first. */
int cli_project_dockerfile(const struct record_plan *plan, struct strbuf *text,
			   char **name, struct error *err) MUST_CHECK;
/* The top of the Git tree that a directory lies in, or itself. */
char *cli_project_top(const char *dir);
/* An absolute path as a person would write it here; malloc'ed. */
char *cli_project_name(const char *path);

/* --- output.c, record.c: results, sections of records --- */

/* Write a result to standard output, or to `path` (atomically; NULL or "-":
 * standard output). */
int cli_write(const char *path, const struct strbuf *data, struct error *err)
	MUST_CHECK;

/* Set the section, without steps. */
void cli_image_record(struct record *r, const struct store *s,
		      const struct store_image *image);
/* The same of an image that was pulled with its index. */
void cli_whole_record(struct record *r, const struct store *s,
		      const struct store_image *image,
		      const struct build_whole *w);
/* The record on standard output. */
int cli_record_write(const struct record *r, struct error *err) MUST_CHECK;

/* --- open.c: the store --- */

/*
 * Enter the namespaces that mounts and foreign owners need (runtime_enter)
 * and open the store. To be called before anything else that opens sockets
 * or makes threads; as a user it returns in a child process. Who builds or
 * runs asks for the mode, and then a user without id ranges is warned; others
 * pass NULL.
 */
int cli_open_store(const char *path, int driver,
		   struct store **out, enum runtime_mode *mode,
		   struct error *err) MUST_CHECK;

/*
 * The store without entering anything: enough to read records, and the only
 * way to reach environments, whose namespaces cannot be entered from others.
 */
int cli_read_store(const char *path, struct store **out,
		   struct error *err) MUST_CHECK;

/* --- builder.c: what a build needs around it --- */

struct cli_builder {
	struct store *store;
	enum runtime_mode mode;
	struct registry *registry; /* made when needed */
	struct registry_options registry_options;
	/* To reach repositories that a Dockerfile names; may be NULL. The
	 * credentials are for the host of the project's own address. */
	const struct cli_git *git;
	const char *origin; /* that address, or NULL */
	bool fetched; /* the context: its files are named as in there */
	int64_t context_time; /* of a fetched one, or 0 */
	struct record_source source; /* what annotations say, borrowed */
	bool alone; /* lost.h: step caches are written to and not read */
};
void cli_builder_release(struct cli_builder *b);
#define cleanup_cli_builder CLEANUP(cli_builder_release)

/* --- input.c: standard input --- */

enum cli_input { INPUT_NOTHING, INPUT_RECORD, INPUT_TAR };

/* Look at the first bytes without taking them; waits for them. */
int cli_input_kind(enum cli_input *kind, struct error *err) MUST_CHECK;
/* Could there be anything (a pipe or a file, no terminal)? */
bool cli_input_possible(void);

/* --- builder.c: building a plan --- */

#define CLI_DRIVERS "auto|overlay|chroot" /* as enum runtime_driver */
#define CLI_DRIVER_HELP "how a root file system is made for commands"
struct cli_build_options {
	bool no_cache, pull, explain, push_image, must_publish;
	bool frozen_lockfile, no_lockfile;
	int network, jobs;
	int driver; /* enum runtime_driver */
	struct strvec labels, annotations, contexts;
	char *cache_repo, *cache_to, *layer_cache_dir, *cache_ttl;
	char *cache_ttl_days;
	struct strvec cache_from;
	struct strvec secrets, values, ssh, allow; /* as written */
	char *report;
};
extern const struct opt cli_build_rows[];

/* The --build-context options. */
int cli_build_contexts(const struct cli_build_options *o,
		       struct build_named_list *named, struct error *err)
	MUST_CHECK;
/* Build what a plan says. */
int cli_build_plan(const struct cli_builder *b,
		   const struct cli_build_options *o,
		   const struct record_plan *plan, struct build_result *result,
		   struct error *err) MUST_CHECK;
/* Name the image in the store: each tag, or none (then by its id). */
int cli_build_name(const struct cli_builder *b, const struct strvec *tags,
		   struct store_image *image, struct error *err) MUST_CHECK;
/* Section "image" with its steps. */
void cli_build_record(struct record *r, const struct store *s,
		      const struct build_result *result);

/* --- granted.c: secrets, agents and rights that steps are given --- */

struct cli_granted {
	struct build_secret *secrets;
	struct build_ssh *ssh;
	size_t n_secrets, n_ssh;
};
void cli_granted_release(struct cli_granted *g);
/* Read what the options name and put it into `to`, which borrows it. */
int cli_granted_get(struct cli_granted *g, const struct cli_build_options *o,
		    enum runtime_mode mode, struct build_options *to,
		    struct error *err) MUST_CHECK;

/* --- launch.c: an image at work --- */

struct cli_run_options {
	char *name, *user, *workdir, *hostname, *entrypoint;
	struct strvec env, volumes, mounts;
	int network;
	bool tty, detach, replace, no_hooks, privileged, worktree;
};
extern const struct opt cli_run_rows[];

/* Of properties that a configuration leaves open (editor.c). */
struct cli_defaults {
	int probe; /* userEnvProbe; 0: as the specification has it */
	enum { CLI_UID_ON, CLI_UID_OFF, CLI_UID_NEVER } uid;
};
void cli_defaults_put(const struct cli_defaults *d, struct json *config);

struct cli_service; /* services.h */
struct cli_services {
	struct cli_service *v;
	size_t nr;
};

struct cli_setup; /* setup.h */

/* What is to run. */
struct cli_launch {
	const struct cli_builder *b;
	const struct cli_run_options *o;
	const struct env_life *life; /* or NULL */
	struct cli_setup *setup; /* run before the command; or NULL */
	const struct store_image *image; /* all layers are unpacked */
	const struct record *record;	 /* its plan's configuration; or NULL */
	const char *workspace;		 /* of the host, or NULL */
	const char *mount_root; /* what is mounted; NULL: the workspace */
	const struct json *labels; /* given for it, or NULL */
	const struct cli_defaults *defaults; /* or NULL */
	/* A development environment: it has a life cycle, and without a
	 * command a shell, not what the image says. */
	bool environment;
	const char *name; /* of the environment; NULL: nothing is kept */
	char *const *command; /* NULL: none given */
	bool no_tty;	      /* whatever we have: Ctrl-C is for us */
	const struct cli_services *services; /* beside it; needs a name */
};

/*
 * Run it to its end: with an init when it is an environment, has a name or
 * goes on in the background, else as a single process. `status` is that of
 * the command; in the background the record's section is filled.
 */
int cli_launch_run(const struct cli_launch *l, int *status,
		   struct json **environment, struct error *err) MUST_CHECK;
/* Options that cannot be meant; before anything is done. */
int cli_launch_check(const struct cli_run_options *o, struct error *err)
	MUST_CHECK;
/* `run` and `exec` leave the low statuses to the command: our own trouble is
 * 125, unless it has a status of its own there. Returns -1. */
int cli_launch_failed(struct error *err);

/* --- round.c: from a tree to its image at work --- */

/* One way from words to an image whose layers are unpacked. */
struct cli_round {
	struct cli_project project;
	struct record_plan plan;
	struct build_result result;
	struct cli_services services; /* of the plan; empty: not asked for */
};
void cli_round_release(struct cli_round *r);
#define cleanup_cli_round CLEANUP(cli_round_release)

/* Find and plan; a record that the project has keeps its sections. */
int cli_round_plan(struct cli_round *r, const struct strvec *words,
		   const struct cli_project_options *o, struct error *err)
	MUST_CHECK;
int cli_round_build(struct cli_round *r, struct cli_builder *b,
		    const struct cli_build_options *o, struct error *err)
	MUST_CHECK;
/* The workspace of the plan, and the record that a launch reads. */
void cli_round_launch(struct cli_round *r, struct cli_launch *l);

/* --- context.c: trees that are no directory here --- */

/* A context that was unpacked from standard input and goes with its release,
 * or was fetched. */
struct cli_context {
	struct store *store;
	char *dir; /* NULL: none */
	int lock;
	struct build_context fetched; /* dir NULL: it is not */
};
#define CLI_CONTEXT_INIT { .lock = -1 }
void cli_context_release(struct cli_context *c);
#define cleanup_cli_context CLEANUP(cli_context_release)
/*
 * Find and plan what the words mean, where they may also be a URL, or "-" for
 * a record or a tar on standard input (plain or in any compression that
 * libarchive reads without a program). A fetched context's address becomes
 * the builder's origin.
 */
int cli_context_plan(struct cli_context *c, struct cli_builder *b,
		     struct cli_round *r, const struct strvec *words,
		     const struct cli_project_options *o, struct error *err)
	MUST_CHECK;

/*
 * The same of the repository that the options name, without its history, in a
 * directory that goes with the context. Variables speak of the project's
 * `place`, and where that is not set of the clone that the options ask for.
 */
int cli_context_clone(struct cli_context *c, struct cli_builder *b,
		      struct cli_round *r,
		      const struct cli_clone_options *clone,
		      const struct cli_project_options *o, struct error *err)
	MUST_CHECK;

#endif
