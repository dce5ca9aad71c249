/* docs.h - documents that describe images, kept in memory by digest */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_DOCS_H
#define BUILD_DOCS_H

#include "registry/registry.h"
#include "store/store.h"

#define DOCS_TYPE "application/vnd.devenv.bases.v1"
#define DOCS_EMPTY_TYPE "application/vnd.oci.empty.v1+json"
#define DOCS_EMPTY "{}"

struct build_docs {
	struct build_doc {
		char digest[DIGEST_TEXT];
		struct strbuf text;
	} *v;
	size_t nr, alloc;
};

/* An image that this build stands on or copies from. */
struct build_used {
	char *name; /* normalised */
	char *platform;
	char digest[DIGEST_TEXT]; /* what the name means; "" for one that was
				     in the store */
	char manifest[DIGEST_TEXT]; /* the image's own */
	bool first; /* among those that FROM lines name */
};
struct build_used_list {
	struct build_used *v;
	size_t nr, alloc;
};

void docs_release(struct build_docs *docs);
/* Its digest is computed here: who wrote it does not matter. */
const struct build_doc *docs_add(struct build_docs *docs, const char *text,
				 size_t n);
const struct build_doc *docs_find(const struct build_docs *docs,
				  const char *digest);

/* All of them embedded in one OCI manifest, and back. */
void docs_write(const struct build_docs *docs, struct strbuf *out);
int docs_read(struct build_docs *docs, const char *text, size_t n,
	      struct error *err) MUST_CHECK;
/* A descriptor that holds its own data. */
struct json *docs_descriptor(const char *type, const char *data, size_t n);

/* The image that `digest` (of an index or a manifest) means for a platform:
 * 1, 0 when a document of it is not here, -1. */
int docs_image(const struct build_docs *docs, const struct oci_ref *ref,
	       const char *digest, const struct oci_platform *platform,
	       struct store_image *image, struct error *err) MUST_CHECK;
/* Put an image that docs_image made into the store. */
int docs_keep(const struct build_docs *docs, struct store *s,
	      const struct store_image *image, struct error *err) MUST_CHECK;
/* Fetch all documents of an image; `digest` is that of the first. Those that
 * the store has are taken from there. */
int docs_fetch(struct build_docs *docs, const struct store *s,
	       struct registry *r, const struct oci_ref *ref,
	       const struct oci_platform *platform, char digest[DIGEST_TEXT],
	       struct error *err) MUST_CHECK;
/* A configuration on its way into memory; ERR_INPUT: too large. */
int docs_sink(struct registry_blob *blob, const struct oci_descriptor *d,
	      struct strbuf *text, struct error *err) MUST_CHECK;

#endif
