/* build.h - from a parsed Dockerfile to an image: evaluate, run, export */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_BUILD_H
#define BUILD_BUILD_H

#include "build/export.h"
#include "build/step.h"
#include "build/whole.h"
#include "oci/oci.h"
#include "registry/registry.h"
#include "runtime/runtime.h"
#include "store/store.h"
#include "wrap/repo.h"

/* --- named.c: --build-context --- */

enum build_named_kind {
	BUILD_NAMED_IMAGE,  /* docker-image://VALUE */
	BUILD_NAMED_LAYOUT, /* oci-layout://VALUE[:TAG][@DIGEST] */
	BUILD_NAMED_DIR,
	BUILD_NAMED_REMOTE, /* a Git reference, or the URL of an archive */
};

/* A name that FROM, COPY --from and RUN --mount=from= may use; it hides a
 * stage or an image of that name. */
struct build_named {
	char *name; /* shortened as docker does it, perhaps with ::PLATFORM */
	enum build_named_kind kind;
	char *value;
	char *tag; /* of a layout: tag or digest; NULL: its only image */
	struct build_remote remote;
};
struct build_named_list {
	struct build_named *v;
	size_t nr, alloc;
};
#define cleanup_build_named CLEANUP(build_named_release)
void build_named_release(struct build_named_list *list);
/* "NAME=VALUE"; ERR_USAGE. */
int build_named_add(struct build_named_list *list, const char *text,
		    struct error *err) MUST_CHECK;
/* What hides `name` for a platform; NULL: nothing does. */
const struct build_named *
build_named_find(const struct build_named_list *list, const char *name,
		 const struct oci_platform *platform);
/* Files only, rather than an image? */
bool build_named_is_tree(const struct build_named *n);

/* --- eval_lint.c, lint.c: the checks of a Dockerfile --- */

/* dockerfile_lint_init; BUILDKIT_DOCKERFILE_CHECK among the build arguments
 * overrides what the file says. */
int build_lint_begin(struct dockerfile_lint *l, const struct dockerfile *df,
		     const struct strvec *args, struct error *err) MUST_CHECK;
/* What the context leaves out, for the checks; borrowed. */
void build_eval_ignore(struct build_eval *ev,
		       const struct dockerfile_ignore *ignore);
/* The configuration of a base image where it is at hand, else NULL; lent
 * until the next call. */
typedef const struct oci_config *
build_base_config(void *arg, const struct build_base *base);
/* Evaluate all stages for what the checks find, which is in `lint` of the
 * options then. ERR_INPUT for what no check is about. */
int build_lint(const struct dockerfile *df, const struct build_eval_options *o,
	       const struct dockerfile_ignore *ignore,
	       build_base_config *config, void *arg, struct error *err)
	MUST_CHECK;

/* The `stages` view of devenv-parse(1). */
struct json *build_stages_json(struct build_eval *ev, struct error *err);

/* --- context.c: what a build sees of its context --- */

/*
 * What is left out by DOCKERFILE.dockerignore where that exists, else by the
 * .dockerignore of the context. `context` is the path of the directory, both
 * are absolute; `dockerfile` may lie outside, or be NULL. No link leads out of
 * the context or the Dockerfile's directory. Without such a file `out` is not
 * touched.
 */
int build_ignore(int context_fd, const char *context, const char *dockerfile,
		 struct dockerfile_ignore **out, struct error *err) MUST_CHECK;
/* The `context` view of devenv-parse(1), sorted by path; NULL is an error. */
struct json *build_context_json(const char *dir, const char *dockerfile,
				struct error *err);

/* --- secret.c, ssh.c: what steps may use and nothing keeps --- */

#define BUILD_SECRET_MAX (500u << 10)
struct build_secret {
	char *id;
	struct strbuf value; /* may hold anything */
};
#define BUILD_SECRET_INIT { .value = STRBUF_INIT }
void build_secret_release(struct build_secret *s);
/* "id=ID[,src=FILE|,env=NAME]", as docker build has it, and read it: from now
 * on its value is masked in whatever is logged. ERR_USAGE; no message shows
 * a value. */
int build_secret_parse(struct build_secret *s, const char *text,
		       struct error *err) MUST_CHECK;
/* The same from "ID=VALUE". */
int build_secret_value(struct build_secret *s, const char *text,
		       struct error *err) MUST_CHECK;

struct build_ssh {
	char *id;
	char *socket;	    /* of an agent that runs, or NULL: */
	struct strvec keys; /* files for one that is to be started */
};
#define BUILD_SSH_INIT { .keys = STRVEC_INIT }
void build_ssh_release(struct build_ssh *s);
/* "ID[=SOCKET|KEY[,KEY]...]"; without a path SSH_AUTH_SOCK. ERR_USAGE. */
int build_ssh_parse(struct build_ssh *s, const char *text, struct error *err)
	MUST_CHECK;

/* --- build.c: the whole way to an image --- */

struct build_options {
	struct store *store;
	const struct registry_options *registry; /* used when needed */
	/* How repositories are reached; the credentials in there are for the
	 * host of its `url` only (NULL: for nobody), whatever a Dockerfile
	 * says. */
	struct repo_options git;
	const char *name; /* of the Dockerfile, for messages */
	const char *text;
	size_t text_len;
	const char *context;	/* directory, or NULL: there is none */
	int64_t context_time;	/* where it came from with one; else 0 */
	const char *dockerfile; /* absolute path, for its own ignore file;
				   NULL: there is none */
	const char *target;
	const struct strvec *args;   /* "K=V" or "K" */
	const struct build_named_list *named;
	const struct strvec *labels; /* "K=V", win over the Dockerfile's */
	bool features; /* the text has some on top of its target */
	const struct json *metadata; /* added to the label of that name; or
					NULL */
	struct oci_platform platform;
	bool no_cache, pull;
	bool single_id; /* how runtime_enter found this host */
	bool by_chroot; /* RUNTIME_CHROOT: nothing can be mounted */
	enum runtime_network network;
	unsigned int jobs; /* steps at once; 0: the processors, or 4 */
	bool explain; /* say in the result why steps have to run */
	/* Step caches, "host/repository" each: those that are read, in
	 * order, and the one that is written (NULL: none), with the steps of
	 * all stages or of the target's only. One that fails is warned about
	 * and not used. */
	const struct strvec *cache_from;
	const char *cache_to;
	bool cache_renew; /* what that has of the steps that run is replaced */
	/* Caches other than the store forget what nobody used for so many
	 * seconds; 0: never. */
	uint64_t cache_ttl;
	bool cache_max;
	bool must_publish; /* or else the build fails */
	bool latest; /* publish the image as the newest, too */
	const struct build_secret *secrets;
	size_t n_secrets;
	const struct build_ssh *ssh;
	size_t n_ssh;
	bool allow_insecure; /* RUN --security=insecure may be */
	/* Where the project comes from, for the annotations of the manifest;
	 * without a commit it has none but those that are named ("K=V"). */
	struct build_origin {
		const char *url, *commit, *template;
	} origin;
	const struct strvec *annotations;
};

/* --- describe.c, metadata.c: how an image says it is to be used --- */

/*
 * The configuration that the text gives the target on its base image, which
 * is asked for if the store lacks it; nothing runs. Of the options store,
 * registry, name, text, target, args, platform and pull count. The label
 * below is that of the text, too.
 */
int build_describe_target(const struct build_options *o,
			  struct registry **registry, struct oci_config *out,
			  struct error *err) MUST_CHECK;

/* Add an array of entries to the label devcontainer.metadata (NULL or empty:
 * nothing changes). */
void build_put_metadata(const struct json *entries, struct oci_config *config);

/* --- source_context.c: a context that is fetched --- */

/* It is kept by the store, which must not be collected meanwhile. */
struct build_context {
	char *dir; /* a repository, what an archive held, or a Dockerfile */
	char *url; /* without credentials */
	char *ref, *commit; /* of a repository; else NULL */
	int64_t time; /* of the commit, or Last-Modified; 0: unknown */
};
#define cleanup_build_context CLEANUP(build_context_release)
void build_context_release(struct build_context *c);
/* A Git reference, or an http(s) URL of an archive or a Dockerfile. Of the
 * options store, registry, git and args count. ERR_USAGE: it is none. */
int build_context_fetch(const struct build_options *o, const char *url,
			struct build_context *c, struct error *err) MUST_CHECK;

/* One instruction as it went, for the record. */
struct build_step_report {
	size_t stage;
	unsigned line;
	char *text;
	char key[65]; /* "" for instructions that make no layer */
	char layer[STORE_ID]; /* "" as well */
	bool cached;
	struct strvec reasons; /* why it had to run, when asked for */
	char *label; /* "builder 2/5", or NULL for those without a layer */
	bool ran, failed;
	double start, seconds; /* since the build began; how long it ran */
	/* Of a step that was probed for, NULL and none where not known: when
	 * its layer was made, when a cache counts it no more, and what its
	 * key follows from. */
	char *created, *expires;
	struct strvec parts;
};

struct build_result {
	struct store_image image; /* no reference, no digests yet */
	struct build_step_report *steps; /* of the stages the target needs */
	size_t n_steps, alloc_steps;
	size_t executed, cached;
	size_t base_layers; /* of the image, that came with its base */
	int64_t epoch;	    /* SOURCE_DATE_EPOCH, or -1 */
	/* What was used: [{"name": URI, "digest": {"sha256": HEX}}], or
	 * "gitCommit"; sorted, each once. */
	struct json *dependencies;
	double seconds;	    /* planning and running */
};
void build_result_release(struct build_result *r);
#define cleanup_build_result CLEANUP(build_result_release)

/*
 * Build the target. Errors: ERR_INPUT with FILE:LINE:COL, ERR_STEP for a
 * command that failed, and what registry, store and runtime report. A failed
 * build leaves the finished steps in the cache and nothing else.
 */
int build_run(const struct build_options *o, struct build_result *result,
	      struct error *err) MUST_CHECK;

/*
 * The image a name denotes: in the store, unless `pull`, else from its
 * registry: manifest and configuration only, and it is remembered.
 * Names: references, image ids, unique prefixes of 12 digits or more.
 * ERR_USAGE: it is no name.
 */
int build_find_image(struct store *s, struct registry **r,
		     const struct registry_options *o, const char *name,
		     const struct oci_platform *platform, bool pull,
		     struct store_image *image, struct error *err) MUST_CHECK;
/* The same without network: 1 found, 0 not, -1 error. */
int build_find_local(struct store *s, const char *name,
		     const struct oci_platform *platform, bool pull,
		     struct store_image *image, struct error *err) MUST_CHECK;
/* The file system of a step as it was when it failed, with its environment, by
 * 12 or more digits of the step's key; all layers are unpacked. It is kept in
 * the step cache until the step is run again. */
int build_find_failed(struct store *s, const char *key,
		      struct store_image *image, struct error *err)
	MUST_CHECK;
/* Make sure that all layers of an image are unpacked, fetching what is not
 * here, several at a time. */
int build_fetch_layers(struct store *s, struct registry **r,
		       const struct registry_options *o,
		       const struct store_image *image, struct error *err)
	MUST_CHECK;
/* The directories of unpacked layers, lowest first. */
void build_layer_dirs(const struct store *s, const struct store_image *image,
		      struct strvec *dirs);
/* Fill in diff ids of the layers and with them the configuration's digest,
 * which is the image's id; the configuration becomes a blob. */
int build_identify(struct store *s, struct store_image *image,
		   struct error *err) MUST_CHECK;
/* Add a layer to an image (description unknown). */
void build_add_layer(struct store_image *image, const char *id);
void build_copy_image(struct store_image *to, const struct store_image *from);

/* --- report.c: a build as a page --- */

struct build_report_options {
	const struct store *store;
	const char *name;    /* of the Dockerfile */
	const char *failure; /* its message, or NULL */
};
/* One HTML file that needs no other and no script. */
void build_report(const struct build_result *r,
		  const struct build_report_options *o, struct strbuf *out);

#endif
