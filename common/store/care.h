/* care.h - what a store holds and takes, its repair: part of store.h */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_CARE_H
#define STORE_CARE_H

#include "store/store.h"

/*
 * Read-only stores or plain OCI layouts below this one, as DEVENV_BASE_STORE
 * names them (a comma between two). Their images, blobs, and layers that were
 * unpacked for the same users in the same form are found as if they were here;
 * they are never written, and a store is locked against its own store_gc.
 * What cannot be used is warned of by store_claim, and done without.
 */
/* The path of the one that a blob would be read from; NULL: none. */
const char *store_blob_base(const struct store *s, const char *digest);

/* --- usage.c, census.c: what takes room --- */

/* Bytes on disk below one of the store's directories ("layers", "blobs"...;
 * "." is all); each name of a file counts for its part of it. */
int store_disk_usage(struct store *s, const char *dir, uint64_t *bytes,
		     uint64_t *files, struct error *err) MUST_CHECK;

/* An image, whatever its names. */
struct store_image_use {
	struct store_image image;
	struct strvec references; /* sorted; none: known by its id only */
	int64_t used; /* seconds since the epoch; 0: unknown */
	/* Room of its layers and blobs: those that no other image needs, and
	 * the others. Filled in by store_census. */
	uint64_t own, shared;
};
struct store_images {
	struct store_image_use *v; /* sorted by first reference, then id */
	size_t nr, alloc;
};
#define cleanup_store_images CLEANUP(store_images_release)
void store_images_release(struct store_images *i);
/* The images of the store; a damaged record is warned of. */
int store_images(struct store *s, struct store_images *out, struct error *err)
	MUST_CHECK;
/* Those of the stores below, once for each of their names. */
int store_base_images(struct store *s, struct store_images *out,
		      struct error *err) MUST_CHECK;
/* Bytes of its layers: compressed where that form is known, else as a tar;
 * those of which neither is known count for nothing. */
uint64_t store_image_size(const struct store *s, const struct store_image *i);
/* "os/arch[/variant]" of all that is kept of it. */
void store_image_platforms(const struct store *s, const struct store_image *i,
			   struct strvec *out);

/*
 * Who needs the room: each layer and blob counts once, for the first of these
 * that needs it. The sums are what `du` says of the directories.
 */
struct store_census {
	struct store_images images;
	uint64_t own, shared;  /* of one image, of several */
	uint64_t environments; /* with the layers only they need */
	uint64_t steps;	       /* remembered, with what only they need */
	uint64_t mounts, context;
	uint64_t unused; /* gc removes it */
	uint64_t other;	 /* records, directories, what is being made */
	uint64_t total;
	size_t n_environments, n_steps, n_mounts;
};
#define cleanup_store_census CLEANUP(store_census_release)
void store_census_release(struct store_census *c);
int store_census(struct store *s, struct store_census *out, struct error *err)
	MUST_CHECK;

/* --- verify.c, gc.c --- */

/* Check everything; each finding is given to `report`. Returns the number of
 * findings or -1. */
int store_verify(struct store *s,
		 void (*report)(void *arg, const char *finding), void *arg,
		 struct error *err) MUST_CHECK;
struct store_repair_options {
	bool dry_run;
	/* Told of each finding with what became of it, one line. */
	void (*report)(void *arg, const char *line);
	/* Put a blob, or a manifest, of "host/repository" into the store. NULL:
	 * nothing is fetched. */
	int (*fetch)(void *arg, const char *origin,
		     const struct oci_descriptor *d, bool manifest,
		     struct error *err);
	void *arg; /* of both */
};
struct store_repair_result {
	size_t mended;
	size_t lost; /* could not be had again, or not now */
};
/*
 * Mend what store_verify finds. A blob is fetched again, or made from its
 * layer or record; a layer is unpacked again from its blob; an index or record
 * is written again from what it was made of. What cannot be had again is
 * removed with the images and steps that need it, and is lost. What is whole
 * stays as it is. Layers are left alone while another process has the store
 * open or an environment runs on them.
 */
int store_repair(struct store *s, const struct store_repair_options *o,
		 struct store_repair_result *result, struct error *err)
	MUST_CHECK;

/* What store_gc did. */
struct store_gc_result {
	size_t images, layers, blobs, cache, mounts, contexts;
	uint64_t bytes;
};
struct store_gc_options {
	uint64_t max_age;   /* seconds; 0: any */
	uint64_t keep_size; /* bytes; 0: any */
	bool mounts;	    /* forget all cache mounts */
	bool dry_run;
};

/*
 * Remove layers and blobs that no image, no environment below run/ and no
 * step cache entry refers to. Before that, forget step cache entries, cache
 * mounts, digests of context files and images without a reference: those
 * unused for longer than `max_age`, and the least recently used ones while all
 * that is kept is larger than `keep_size`. Refused (ERR_SYSTEM) while another
 * process has the store open.
 */
int store_gc(struct store *s, const struct store_gc_options *o,
	     struct store_gc_result *result, struct error *err) MUST_CHECK;

#endif
