/* step.h - what a Dockerfile asks for, instruction by instruction */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_STEP_H
#define BUILD_STEP_H

#include "dockerfile/dockerfile.h"
#include "oci/oci.h"

struct build_named; /* build.h */
struct build_named_list;

/* --- eval_remote.c: what is fetched --- */

/* A source of ADD, or a context, that is fetched. */
struct build_remote {
	size_t at; /* which source of its step */
	bool is_git;
	char *url;	/* http; of Git as people may see it */
	char *name;	/* http: what the file is called */
	char *checksum; /* "sha256:...", or what a commit begins with */
	struct dockerfile_git git;
	bool keep_git_dir;
};
#define cleanup_build_remote CLEANUP(build_remote_release)
void build_remote_release(struct build_remote *r);
/* An http(s) URL or a Git reference; `name` may be set. ERR_INPUT. */
int build_remote_parse(struct build_remote *r, const char *text,
		       struct error *err) MUST_CHECK;
/* --- eval.c: what the text means, stage by stage --- */

/* What --from of COPY, or from= of a mount, means. */
struct build_from {
	size_t stage;	  /* SIZE_MAX: it is no stage */
	const char *name; /* then: of an image or a named context; NULL: the
			     build's own context */
};
#define BUILD_FROM_CONTEXT { SIZE_MAX, NULL }

enum build_op {
	BUILD_META, /* changes the configuration only */
	BUILD_RUN,
	BUILD_COPY, /* COPY and ADD */
	BUILD_WORKDIR,
};

/* --unpack of ADD: archives of the context are unpacked unless it says no,
 * those that come from elsewhere only when it says yes. */
enum build_unpack {
	BUILD_UNPACK_UNSAID,
	BUILD_UNPACK_NO,
	BUILD_UNPACK_YES,
};

/* One RUN --mount. */
struct build_mount {
	struct dockerfile_mount m; /* expanded */
	char *id;     /* of a cache, secret or agent: as given or implied */
	char *target; /* absolute; NULL: a secret for the environment only */
	char *env;    /* name there, or NULL */
	struct build_from from; /* of a bind, or of a cache where m.from */
};

enum build_network { BUILD_NET_DEFAULT, BUILD_NET_NONE, BUILD_NET_HOST };

/*
 * One instruction, expanded in the scope where it stands. Everything that a
 * key depends on is here; nothing here depends on a file.
 */
struct build_step {
	enum build_op op;
	unsigned line;
	const struct dockerfile_node *node; /* borrowed */
	bool onbuild;	  /* a trigger of the base image */
	char *text;	  /* "COPY a /b": expanded, for people */
	char *created_by; /* history text, NULL: none */
	char *cwd;	  /* absolute WORKDIR in force */
	char *user;	  /* USER in force, as written; "" is root */
	/* RUN */
	struct strvec argv;
	struct strvec env;   /* image ENV and ARGs in scope, in order */
	struct strvec proxy; /* predefined proxies: run with, never keyed */
	char *script;	     /* heredoc as a file to execute, or NULL */
	char *script_name;
	struct build_mount *mounts; /* sorted by target */
	size_t n_mounts;
	enum build_network network;
	bool insecure;	/* --security=insecure */
	char *hostname; /* NULL: the usual one */
	char *cache_ns; /* keeps the caches of its mounts apart; may be "" */
	/* COPY and ADD */
	bool add;
	struct strvec sources; /* expanded, as written else */
	struct build_remote *remotes; /* those that are fetched, in order */
	size_t n_remotes;
	char *dest;	       /* absolute; keeps a trailing slash */
	bool dest_is_dir;      /* dest ended in "/" or was "." */
	char *from;	       /* --from: a name, or NULL */
	size_t from_stage;     /* its stage, or SIZE_MAX */
	char *chown, *chmod;   /* expanded, or NULL */
	bool parents;	       /* --parents */
	bool link;	       /* --link: on an empty root, whatever is below */
	enum build_unpack unpack;
	struct strvec excludes; /* --exclude, as written */
	struct dockerfile_heredoc *files; /* heredoc sources, expanded */
	size_t n_files;
	/* WORKDIR: cwd is the directory to make */
};
void build_step_release(struct build_step *st);
#define cleanup_build_step CLEANUP(build_step_release)
/* Source `i`, if it is fetched; else NULL. */
const struct build_remote *build_step_remote(const struct build_step *step,
					     size_t i);

struct build_eval; /* a Dockerfile with arguments, target and platform */

struct build_eval_options {
	const struct strvec *build_args; /* "K=V", or "K" (from environment) */
	const char *target;		 /* NULL: the last stage */
	const struct oci_platform *platform; /* of the result */
	const struct oci_platform *build_platform;
	const struct build_named_list *named; /* NULL: none; must outlive it */
	/* Findings go there as they are made; NULL: nobody looks for any.
	 * They fail the evaluation where the file says `error=true`, unless
	 * they are what is evaluated for (`check`). */
	struct dockerfile_lint *lint;
	bool check;
	/* Features were added to the target: its ARGs of those names that
	 * have no value get that of its base (feature/feature.h). */
	bool features;
};

/* Checks the whole text (all stages); `df` must outlive the result. */
int build_eval_new(struct build_eval **out, const struct dockerfile *df,
		   const struct build_eval_options *o, struct error *err)
	MUST_CHECK;
void build_eval_free(struct build_eval *ev);
void build_eval_free_ptr(struct build_eval **ev);
#define cleanup_build_eval CLEANUP(build_eval_free_ptr)

size_t build_eval_target(const struct build_eval *ev);
size_t build_eval_count(const struct build_eval *ev);

/* What a stage stands on. */
struct build_base {
	enum { BASE_SCRATCH, BASE_STAGE, BASE_IMAGE } kind;
	size_t stage;		 /* BASE_STAGE */
	const char *image;	 /* BASE_IMAGE: expanded, not normalised */
	const struct build_named *named; /* where it is from, or NULL */
	const char *name;	 /* of this stage, or NULL */
	const struct oci_platform *platform;
	unsigned line;
};
void build_eval_base(const struct build_eval *ev, size_t stage,
		     struct build_base *out);
/* Stages the target needs by text (FROM, --from), in file order; triggers of
 * base images may add more later. */
bool build_eval_needed(const struct build_eval *ev, size_t stage);

/*
 * Begin a stage: `base` is the configuration of its base image, of the stage
 * it continues, or NULL for scratch (and, in the `stages` view, for images
 * nobody fetched). For BASE_STAGE the stage it continues must have ended.
 */
int build_eval_begin(struct build_eval *ev, size_t stage,
		     const struct oci_config *base, struct error *err)
	MUST_CHECK;
/* The next instruction: 1 with a step, 0 at the end, -1 error
 * ("NAME:LINE:COL: ..."). The configuration has its effect already. */
int build_eval_next(struct build_eval *ev, size_t stage,
		    struct build_step *step, struct error *err) MUST_CHECK;
/* Configuration of a stage as it stands (history not included). */
struct oci_config *build_eval_config(struct build_eval *ev, size_t stage);
/* SOURCE_DATE_EPOCH in seconds, -1 without one. */
int64_t build_eval_epoch(const struct build_eval *ev);
/*
 * What it names instead of a number; NULL: nothing. `source` is what has the
 * time: that of a named context, or the one a stage consists of; NULL: that is
 * the build's own context, or something of this machine. Whoever learns the
 * time sets it, before any stage begins.
 */
int build_eval_epoch_from(struct build_eval *ev, const char **name,
			  const struct build_remote **source,
			  struct error *err) MUST_CHECK;
void build_eval_set_time(struct build_eval *ev, int64_t seconds);
/* --build-arg names that nothing used, for a warning. */
void build_eval_unused(const struct build_eval *ev, struct strvec *out);

#endif
