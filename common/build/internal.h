/* internal.h - what the files of build/ share */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_INTERNAL_H
#define BUILD_INTERNAL_H

#include "build/build.h"
#include "build/copy.h"
#include "build/docs.h"
#include "cache/cache.h"

/* --- layout.c --- */

/* build_layout_load of a directory that is open. */
int build_layout_read(int dirfd, const char *tag,
		      const struct oci_platform *platform,
		      struct build_manifest *m, struct error *err) MUST_CHECK;

/* Take an image of a layout into the store: manifest, configuration and the
 * blobs of layers that are not unpacked here. `tag` may be a digest. */
int build_layout_import(struct store *s, const char *dir, const char *tag,
			const struct oci_platform *platform,
			struct store_image *image, struct error *err)
	MUST_CHECK;
/* Join a manifest and its configuration, which the image has. */
int build_describe(struct store_image *image, const struct oci_manifest *m,
		   struct error *err) MUST_CHECK;
/* The same for a configuration that is in the store; the image gets the
 * digests of both. */
int build_describe_stored(struct store *s, const char *manifest,
			  const struct oci_manifest *m,
			  struct store_image *image, struct error *err)
	MUST_CHECK;

/* --- known.c --- */

/* The text of a document, which matches its digest. */
typedef int build_document_fn(void *arg, const struct oci_descriptor *d,
			      struct strbuf *body, struct error *err);
/* All that a document names, and itself last; ERR_INPUT. */
int build_whole_read(struct build_whole *w, const struct oci_descriptor *root,
		     build_document_fn *read, void *arg, struct error *err)
	MUST_CHECK;

/* --- one build: build.c plans it (plan.c), then runs it (schedule.c) --- */

/*
 * A step that makes a layer, as planned: its key and the name of its layer
 * are known before anything runs, since they follow from text and context.
 */
struct build_planned {
	struct build_step step;
	struct cache_key text; /* of the key, for the cache */
	char key[CACHE_KEY];
	char parent[CACHE_KEY]; /* of what it works on */
	char as[CACHE_KEY];	/* what follows goes by: its own, as a rule */
	char layer[STORE_ID];
	char *created; /* of the layer, RFC 3339 */
	bool cached;
	bool remote; /* cached, and its layer is not in the store */
	bool awaited; /* another build runs it, as was told */
	size_t number; /* in its stage, where FROM is 1 */
	size_t report; /* in the result */
};

/* A stage: what it will be, and how far it has come. */
struct build_stage {
	bool found; /* its base image, in `image` */
	bool begun;
	struct store_image image; /* layers, configuration with history */
	char key[CACHE_KEY];	  /* of the file system */
	size_t base_history;	  /* entries that are the base image's */
	size_t base_layers;	  /* the same of its layers */
	/* the base image: as written, and its manifest; or NULL, "" */
	const char *base_name;
	char base_digest[DIGEST_TEXT];
	bool missed; /* a step of the plan so far has to run */
	struct build_planned *plan;
	size_t n_plan, alloc_plan;

	bool wanted;  /* all its layers have to be there */
	bool mounted; /* something runs on it or reads from it */
	bool ready;   /* what it stands on is there */
	bool busy;    /* a job works for it */
	size_t next;  /* step of the plan */
	struct strvec dirs; /* of the layers so far, where it is mounted */
	struct chroot_tree *tree; /* by chroot: what a step writes to */
	/* the last user looked up, valid while no layer touches etc/ */
	char *user_spec;
	struct runtime_user user;
};

/* The layers that planned steps will make, by key; a table for hashing. */
struct build_made {
	struct build_made_entry {
		char key[CACHE_KEY], layer[STORE_ID];
	} *v;
	size_t nr, alloc; /* alloc is a power of 2, or 0 */
};

struct build {
	const struct build_options *o;
	struct registry *registry; /* of the process, for jobs */
	struct registry *share;	   /* share.c: never a job's */
	bool probe; /* nothing is run, and no image becomes the store's */
	bool resolved; /* the images of FROM lines, a first time */
	struct build_docs docs; /* of images that the network was asked for */
	struct build_used_list used;
	bool lost; /* a layer that a cache promised was not to be had */
	bool again; /* the store knows more now: plan once more */
	struct strvec dead; /* caches that failed: asked no more */
	char key[CACHE_KEY]; /* known.h: of the image, as planned */
	bool known;   /* the result is an image that was there already */
	bool adopted; /* from a cache just now */
	bool changed; /* files did while a step read them: of no use to others */
	struct dockerfile df;
	struct dockerfile_lint lint;
	struct build_eval *ev;
	struct build_stage *stages;
	size_t n_stages;
	struct dockerfile_ignore *ignore;
	struct store_stat_cache *stat_cache;
	int context_fd;
	struct build_source **sources; /* source.c: by name, as they are met */
	size_t n_sources, alloc_sources;
	struct source_state **remotes; /* source_remote.c */
	size_t n_remotes, alloc_remotes;
	unsigned n_mounts; /* of sources, to give each its own name */
	char *trees;   /* by chroot: roots of stages, for all jobs */
	char *scratch; /* empty directory; in a job one of its own below it */
	int scratch_lock;
	char *now; /* RFC 3339, for what this build makes */
	int64_t epoch; /* SOURCE_DATE_EPOCH, or -1 */
	struct build_made made;
	struct recopy *recopy; /* of the COPY at work, till its layer is there */
	double started;
	size_t planned; /* bytes that the plan holds */
	struct build_result *result;
};

/* Read the text and open what it needs; whatever comes of that, release. */
int build_prepare(struct build *b, struct error *err) MUST_CHECK;
void build_release(struct build *b);
/* How many jobs may work at once. */
size_t build_jobs(const struct build *b);
/* Plan the target and all it needs, looking every step up in the cache; who
 * only asks looks elsewhere himself. */
int plan_all(struct build *b, struct error *err) MUST_CHECK;
/* Put "FILE:LINE:COL: " before the message of an error that an instruction is
 * to blame for; returns -1. */
int plan_fail(const struct build *b, unsigned line, struct error *err);
/* The n-th of what a step reads from beside its own stage. */
bool plan_input(const struct build_planned *p, size_t n,
		struct build_from *from);
/* The name of a step for people: "stage-1 2/5". */
void plan_label(const struct build *b, size_t stage,
		const struct build_planned *p, struct strbuf *out);
/* --- explain.c --- */

/* Put what a step made into the cache, with what it read, so that a later
 * build can tell which files changed. */
int explain_put(struct build *b, const struct build_planned *p,
		const struct cache_entry *e, struct error *err) MUST_CHECK;
/* Put what this build was made from into a cache, for the next that misses. */
int explain_publish(struct build *b, struct cache_place *place,
		    struct error *err) MUST_CHECK;
/* Say of all steps that have to run why, in the result. */
int explain_missing(struct build *b, struct error *err) MUST_CHECK;

/* What the options add to a configuration: metadata, labels; and names of
 * platforms as images use them. */
void build_set_labels(const struct build *b, struct oci_config *c);
/* image.c: a layer that a cache knows, here or in a registry. */
void build_place_layer(struct store_image_layer *l,
		       const struct cache_entry *e);

/* Run what the target lacks. */
int schedule_run(struct build *b, struct error *err) MUST_CHECK;

/* Find the base images of all needed stages, several at a time where the
 * network is asked; of those found before nothing is done. */
int resolve_bases(struct build *b, struct error *err) MUST_CHECK;
void resolve_release(struct build *b);
/* --- source.c: where COPY, ADD and mounts read from --- */

/* A source opened for reading; root of `tree` is its top. */
struct source_view {
	struct build_tree tree;
	char *mount; /* name below the scratch directory; NULL: not mounted */
	bool owned;  /* the tree's descriptor goes with the view */
	char *dir;   /* then where the files are */
};
/* With a draft, what is written to a mounted one goes there. */
int source_open(struct build *b, const struct build_from *from,
		const struct store_draft *draft, struct source_view *view,
		struct error *err) MUST_CHECK;
void source_close(struct build *b, struct source_view *view);
/*
 * What a source adds to a key, without its files being fetched. 1: it counts
 * as a whole (stages and images) and is in the key; 0: what is read from
 * `tree` counts, which the caller adds.
 */
int source_key(struct build *b, const struct build_from *from,
	       struct cache_key *k, struct build_tree *tree, struct error *err)
	MUST_CHECK;
/* The image that FROM or --from means; with `named` what that says. 1 found,
 * 0 when the network must be asked, -1. */
int source_local(struct build *b, const struct build_named *named,
		 const char *name, const struct oci_platform *platform,
		 struct store_image *image, struct error *err) MUST_CHECK;
/* The stage that stands for an image to read from, planned before; NULL for a
 * directory. */
struct build_stage *source_stage(struct build *b,
				 const struct build_from *from);
void source_release_all(struct build *b);

/* --- source_remote.c: sources that are fetched --- */

/* What it is now goes into a key; the server is asked once a build. */
int source_remote_key(struct build *b, const struct build_remote *r,
		      struct cache_key *k, struct error *err) MUST_CHECK;
/* Its files, fetched if need be; source_close ends it. */
int source_remote_open(struct build *b, const struct build_remote *r,
		       struct source_view *view, struct error *err)
	MUST_CHECK;
/*
 * The sources of a COPY or ADD that are read from one tree, as a step of their
 * own: in the order in which they are written, as a later one replaces files
 * of those before. Several sources need a directory, so that it makes no
 * difference whether they are copied together. Heredocs come last.
 */
struct source_part {
	struct build_step step; /* borrows everything */
	const struct build_remote *remote; /* NULL: what --from means */
	char *one[1];
};
/* Begin with *at = 0; false at the end. */
bool source_next_part(const struct build_step *step, size_t *at,
		      struct source_part *p);
void source_remote_release_all(struct build *b);

/* source_epoch.c: give the evaluation the time that SOURCE_DATE_EPOCH names. */
int source_epoch(struct build *b, struct error *err) MUST_CHECK;

#endif
