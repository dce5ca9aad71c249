/* export.h - images on their way: to registries, layouts and archives */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_EXPORT_H
#define BUILD_EXPORT_H

#include "oci/oci.h"
#include "registry/registry.h"
#include "store/store.h"

struct build_result;

/* --- materialize.c, transfer.c, layout.c: images on their way --- */

/* A manifest as it is sent: never written again, as its digest counts. */
struct build_manifest {
	struct strbuf body;
	char digest[DIGEST_TEXT];
	struct oci_manifest parsed;
	char *place; /* host/repository of the last build_push, or NULL */
};
#define BUILD_MANIFEST_INIT { .body = STRBUF_INIT }
#define cleanup_build_manifest CLEANUP(build_manifest_release)
void build_manifest_release(struct build_manifest *m);
/*
 * Give an image its compressed blobs, configuration and manifest, as far as
 * it lacks them, and remember them. Blobs that a registry has are not
 * fetched, unless a layer above them has to be told from them.
 */
int build_materialize(struct store *s, struct registry **r,
		      const struct registry_options *o,
		      struct store_image *image, struct build_manifest *m,
		      struct error *err) MUST_CHECK;
/* Fetch those blobs that the store lacks. */
int build_pull_blobs(struct store *s, struct registry *r,
		     const struct oci_ref *from,
		     const struct oci_descriptor *list, size_t n,
		     struct error *err) MUST_CHECK;
/* The same from an origin as layers have it: "host/repository", "oci:DIR". */
int build_bring_blobs(struct store *s, struct registry **r,
		      const struct registry_options *o, const char *origin,
		      const struct oci_descriptor *list, size_t n,
		      struct error *err) MUST_CHECK;
/* From now on uploads by `r` that are cut off are noted in the store, and gone
 * on with. The store has to be there as long as `r` is. */
void build_note_uploads(struct store *s, struct registry *r);
/* build_note_uploads; blobs (mounted from where they came or were pushed to
 * before, if on the same host), then the manifest under the tag or digest of
 * `to`. */
int build_push(struct store *s, struct registry *r,
	       const struct store_image *image, struct build_manifest *m,
	       const struct oci_ref *to, struct error *err) MUST_CHECK;
/* The manifest of one image of an OCI layout: by tag (NULL: the only one) and
 * platform (NULL: the first image). Its blobs are verified by whoever receives
 * them. */
int build_layout_load(const char *dir, const char *tag,
		      const struct oci_platform *platform,
		      struct build_manifest *m, struct error *err) MUST_CHECK;
int build_layout_push(const char *dir, struct registry *r,
		      const struct build_manifest *m,
		      const struct oci_ref *to, struct error *err) MUST_CHECK;

/* --- archive.c: images in tar files --- */

/* An archive unpacked into a scratch directory, which is a layout for
 * build_layout_push. */
struct build_archive {
	struct store *store;
	char *dir;
	int lock;
};
#define BUILD_ARCHIVE_INIT { .lock = -1 }
#define cleanup_build_archive CLEANUP(build_archive_release)
void build_archive_release(struct build_archive *a);
/*
 * Read an archive, compressed or not: an OCI layout, or what docker save and
 * skopeo's docker-archive write. Layers of the latter are verified and
 * compressed. `name` is a tag or reference; NULL: the only image.
 */
int build_archive_load(struct build_archive *a, struct store *s, int fd,
		       const char *name, const struct oci_platform *platform,
		       struct build_manifest *m, struct error *err) MUST_CHECK;

/* --- export.c: --output --- */

enum build_output_kind {
	BUILD_OUTPUT_OCI,    /* an OCI layout, in a tar or a directory */
	BUILD_OUTPUT_DOCKER, /* the same with docker's manifest.json */
	BUILD_OUTPUT_TAR,    /* the file system, flattened */
	BUILD_OUTPUT_LOCAL,  /* the same into a directory */
};
struct build_output {
	enum build_output_kind kind;
	char *dest;	/* "-": standard output */
	bool directory; /* tar=false */
	/* rewrite-timestamp: files of layers that this build made are no
	 * younger than SOURCE_DATE_EPOCH. */
	bool rewrite;
};
#define cleanup_build_output CLEANUP(build_output_release)
void build_output_release(struct build_output *o);
/* "type=oci,dest=FILE", as docker build has it; ERR_USAGE. */
int build_output_parse(struct build_output *o, const char *text,
		       struct error *err) MUST_CHECK;
/* Where an image comes from and what it is called. */
struct build_export {
	struct store *store;
	struct registry **registry;
	const struct registry_options *options;
	struct build_result *result; /* one, or one a platform */
	size_t n;		     /* how many */
	const char *const *names; /* NULL-terminated; NULL: none */
};
/* Write an image; several of them as an index, which only BUILD_OUTPUT_OCI
 * holds. A file appears complete or not at all. */
int build_export(const struct build_export *x, const struct build_output *o,
		 struct error *err) MUST_CHECK;
/* The index of images that have manifests, as a registry gets it. */
int build_index_text(struct store *s, const struct store_image *const *images,
		     size_t n, struct strbuf *out, struct error *err)
	MUST_CHECK;
/* The images under their digests, then the index under the tag of `to`. */
int build_push_index(const struct build_export *x, const struct strbuf *index,
		     const struct oci_ref *to, struct error *err) MUST_CHECK;

#endif
