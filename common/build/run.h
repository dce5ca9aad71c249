/* run.h - what a RUN mounts, while it runs */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_RUN_H
#define BUILD_RUN_H

#include "build/internal.h"
#include "build/ssh.h"

#define RUN_DIR "run"

/* All that was opened for the mounts of one step. */
struct run_mounts {
	struct build *b;
	const struct build_step *step;
	char *dir; /* RUN_DIR of the scratch directory, gone at the end */
	struct runtime_mount *v; /* for the sandbox */
	size_t nr;
	struct strvec env;     /* variables that come with mounts */
	struct source_view *views;
	size_t n_views;
	struct store_draft *drafts; /* what is written and forgotten */
	size_t n_drafts;
	struct ssh_agent *agents;
	size_t n_agents;
	struct run_cache *caches; /* sorted by key */
	char (*cache_keys)[CACHE_KEY]; /* of each mount of the step */
	size_t n_caches;
	/* by chroot: in place of the first of `v`, below `root` */
	struct run_copy *copies;
	size_t n_copies;
	int root;
};

/* The network a RUN gets. */
enum runtime_network run_network(const struct build_options *o,
				 const struct build_step *step);

/* Make everything the step mounts ready; waits for caches that are locked. */
int run_mounts_open(struct run_mounts *r, struct build *b,
		    const struct build_step *step, struct error *err)
	MUST_CHECK;
/* Undo it; also after run_mounts_open failed. */
void run_mounts_close(struct run_mounts *r);
/* What the mounts of a step add to its key. */
int run_mounts_key(struct build *b, const struct build_step *step,
		   struct cache_key *k, struct error *err) MUST_CHECK;

/* --- run_source.c: where binds and seeds come from --- */

/* A source as files that can be bound, which writes do not reach: source and
 * below of `bind`. */
int run_source_open(struct run_mounts *r, const struct build_mount *mount,
		    struct runtime_mount *bind, struct error *err) MUST_CHECK;
/* Copy it into a new directory, which gets its mode and owner. */
int run_source_copy(struct run_mounts *r, const struct build_mount *mount,
		    int dirfd, struct error *err) MUST_CHECK;
/* Its files, as far as they count for a key. */
int run_source_key(struct build *b, const struct build_mount *mount,
		   struct cache_key *k, struct error *err) MUST_CHECK;

/* --- run_copy.c: what chroot can have instead --- */

/* Is it a directory of files, which can be copied? */
bool run_copy_can(struct build *b, const struct build_mount *mount);
/* All mounts of a step, below the path of its root. ERR_HOST where something
 * is in the way. */
int run_copies_put(struct run_mounts *r, const char *root, struct error *err)
	MUST_CHECK;
void run_copies_take(struct run_mounts *r);

/* --- run_cache.c --- */

/* Take an instance of every cache the step mounts, each once. */
int run_caches_take(struct run_mounts *r, struct error *err) MUST_CHECK;
void run_caches_release(struct run_mounts *r);
/* The directory of the one that a mount has. */
const char *run_cache_dir(const struct run_mounts *r,
			  const struct build_mount *mount);

#endif
