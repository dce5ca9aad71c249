/* stage.h - what steps are executed on, and executing them */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_STAGE_H
#define BUILD_STAGE_H

#include "build/internal.h"

/* The key of what a base image holds. */
void stage_base_key(const struct store_image *image, char key[CACHE_KEY]);
/* Note what image it begins with, before anything is put on it. */
void stage_name_base(struct build_stage *st, const char *name);
/* lint.c: the findings of a build become warnings. */
void lint_warn(struct dockerfile_lint *l);

/* An image that the store does not have, from its registry, by a job. */
int resolve_image(struct build *b, const char *name,
		  const struct oci_platform *platform,
		  struct store_image *image, struct error *err) MUST_CHECK;
/* Begin a stage, which stands on a found image or a planned stage. */
int stage_begin(struct build *b, size_t i, struct error *err) MUST_CHECK;
/* Add what a step will make: history, and a layer unless `layer` is NULL. */
void stage_add(struct build_stage *st, const struct build_step *step,
	       const char *layer, const char *key, const char *created);
/* From the key of a file system to that with a step's layer on it. */
void stage_next_key(char key[CACHE_KEY], const struct build_step *step,
		    const char *as);
/* What lies below a layer, as an entry of the cache names it: the digest of the
 * names of all layers, lowest first. The one right below it would not do, as
 * layers that a registry had may be the same on different ones. */
void stage_digest_ids(const struct strbuf *ids, char below[STORE_ID]);
/* The lowest `n` layers of an image. */
void stage_digest_layers(const struct store_image *image, size_t n,
			 char below[STORE_ID]);
/* Those below the layer of a planned step. */
void stage_below(const struct build_stage *st, const struct build_planned *p,
		 char below[STORE_ID]);
/* Was what the cache has for the step made on what it lies on here? */
bool stage_fits(const struct build_stage *st, const struct build_planned *p,
		const struct cache_entry *e);
/* The layer of a planned step is there: what is mounted next has it. */
void stage_pass(struct build *b, struct build_stage *st,
		const struct build_planned *p);
void stage_release(struct build_stage *st);
/*
 * The merged root of a stage, mounted at `name` below the scratch directory;
 * with a draft it is writable and what is written becomes the draft. Returns
 * a descriptor; stage_unmount undoes it.
 */
int stage_mount(struct build *b, struct build_stage *st,
		const struct store_draft *draft, const char *name,
		struct error *err) MUST_CHECK;
void stage_unmount(struct build *b, const char *name);
/* The user a step runs as, looked up in the stage's root. */
int stage_user(struct build *b, struct build_stage *st, const char *spec,
	       const struct runtime_user **user, struct error *err)
	MUST_CHECK;

/* The key of a planned step on top of its parent's. */
int step_key(struct build *b, const struct build_stage *st,
	     struct build_planned *p, struct error *err) MUST_CHECK;
/* Are the files that it read still those of its key? */
bool step_is_same(struct build *b, const struct build_stage *st,
		  const struct build_planned *p);
/* Execute it into the draft. */
int step_execute(struct build *b, struct build_stage *st,
		 const struct build_step *step, struct store_draft *draft,
		 struct error *err) MUST_CHECK;
/* Execute a RUN (run.c). */
int step_run(struct build *b, struct build_stage *st,
	     const struct build_step *step, struct store_draft *draft,
	     struct error *err) MUST_CHECK;
/* run_foreign.c: a hint when a program is for another processor; -1. */
int run_explain_foreign(const struct build_stage *st, struct error *err);
/* The context as a tree to read from; without a context ERR_INPUT. */
int step_context_tree(struct build *b, struct build_tree *tree,
		      struct error *err) MUST_CHECK;

/* image.c: the ids of its layers, lowest first; malloc'ed. */
const char **build_chain(const struct store_image *image);
/* image.c: where a layer's compressed form is, "host/repository" or NULL. */
const char *build_layer_origin(const struct store_image *image,
			       const struct store_image_layer *l);
/* transfer.c: before a layer's blob, which is in the store, goes elsewhere: what
 * a step cache said of it was believed until now. ERR_INPUT. */
int build_check_layer(struct store *s, const struct store_image_layer *l,
		      struct error *err) MUST_CHECK;
/* transfer.c: which registry has a blob (host/repository), as far as anybody
 * knows; NULL or malloc'ed. */
char *build_origin_of(struct store *s, const struct store_image *image,
		      const char *digest);
/* transfer.c: the repository of "host/repository" when what it has can be
 * mounted at `to`, which is on the same host; else NULL. */
const char *build_mountable(const char *origin, const struct oci_ref *to);

/* image.c: may an image that comes from elsewhere be used, being what it is?
 * `digest` and `config` may be NULL. */
int build_ask(const char *name, const char *digest,
	      const struct oci_config *config, struct error *err) MUST_CHECK;

/* dependencies.c: what went into an image, for those who ask later: the list
 * of the result. */
struct json *dependencies_json(struct build *b);
/* The annotations of the image that a stage is; NULL: none. */
struct json *dependencies_annotations(const struct build *b,
				      const struct build_stage *st);

#endif
