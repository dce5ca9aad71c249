/* layout.h - files of a cache directory, for those that read and write them */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CACHE_LAYOUT_H
#define CACHE_LAYOUT_H

#include "cache/internal.h"

/*
 * An OCI image layout, which any tool can read:
 *
 *	oci-layout, index.json	the manifests, by tag
 *	blobs/sha256/HEX	a manifest's time is that of its last use
 *	tmp/NAME		a file in the making; it appears by rename
 *	lock			shared by who writes; alone: who removes
 *	index.lock		held by who replaces index.json
 *
 * Readers take no lock. What a killed process left is in tmp/ only, and goes
 * when next somebody writes there alone.
 */
#define LAYOUT_REF_NAME "org.opencontainers.image.ref.name"
#define LAYOUT_INDEX_MAX ((size_t)64 << 20)
#define LAYOUT_BLOB (sizeof("blobs/sha256/") + DIGEST_HEX)

void layout_blob_path(char path[LAYOUT_BLOB], const char *digest);
/* Its size, or -1 when it is not there. */
int64_t layout_blob_size(int dirfd, const char *digest);
/* The directory; -1 with `sys` ENOENT when there is none. */
int layout_open(const struct cache_place *p, struct error *err) MUST_CHECK;
/* An empty object where there is none; NULL is an error. */
struct json *layout_read_index(int dirfd, struct error *err);
/* Its descriptors, from the first to NULL by json_next. */
struct json *layout_first(const struct json *index);
/* What one of them is called, its digest, where it has both; else NULL. */
const char *layout_tag(const struct json *descriptor, const char **digest);
/* A manifest, verified; false when it is missing or damaged. */
bool layout_read_manifest(int dirfd, const char *digest, struct strbuf *out);

/* --- layout_write.c --- */

int layout_put(struct cache_place *p, struct registry_source *blobs,
	       size_t n_blobs, const struct cache_deposit *list, size_t n,
	       struct error *err) MUST_CHECK;
/* A descriptor that holds the lock until it is closed. */
int layout_lock(int dirfd, const char *name, int how, struct error *err)
	MUST_CHECK;
/* With both locks, or index.lock where nothing goes. */
int layout_write_index(int dirfd, struct json *index, struct error *err)
	MUST_CHECK;

/* --- layout_remove.c --- */

int layout_remove(struct cache_place *p, const struct cache_list *list,
		  bool dry_run, struct cache_gc_result *result,
		  struct error *err) MUST_CHECK;

#endif
