/* whole.h - an index with all it names, on its way to other places */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_WHOLE_H
#define BUILD_WHOLE_H

#include "oci/oci.h"
#include "registry/registry.h"
#include "store/store.h"

/* An index, or a manifest alone, with all that it names, as the bytes are:
 * what is named comes before what names it. */
struct build_document {
	struct oci_descriptor desc;
	struct strbuf body;
	bool is_index;
	struct oci_index index;
	struct oci_manifest manifest;
};
struct build_blob {
	void *arg;
	const char *digest;
};
struct build_whole {
	struct build_document *v;
	size_t n, alloc;
	/* Open a blob, given a struct build_blob with `arg`. */
	int (*open)(void *blob, int *fd, struct error *err);
	void *arg;
	const char *origin; /* host/repository that has the blobs, or NULL */
};
#define cleanup_build_whole CLEANUP(build_whole_release)
void build_whole_release(struct build_whole *w);
const struct build_document *build_whole_find(const struct build_whole *w,
					      const char *digest);
/*
 * What `ref` names, all platforms and attestations of it, into the store.
 * `image` is the one for the platform; NULL: for this machine, or else the
 * first. ERR_INPUT where the index names what is no manifest or nests too
 * deeply.
 */
int build_pull_whole(struct store *s, struct registry *r,
		     const struct oci_ref *ref,
		     const struct oci_platform *platform,
		     struct build_whole *w, struct store_image *image,
		     struct error *err) MUST_CHECK;
/* image->index, from the store; borrows both until it is pushed. */
int build_whole_of_image(struct store *s, const struct store_image *image,
			 struct build_whole *w, struct error *err) MUST_CHECK;
/* The entry of an OCI layout with a tag (NULL: the only one); borrows the
 * descriptor of its directory. */
int build_whole_of_layout(int *dirfd, const char *tag, struct build_whole *w,
			  struct error *err) MUST_CHECK;
/* Blobs, then manifests under their digests, then the last document under
 * the tag of `to`. */
int build_push_whole(struct registry *r, const struct build_whole *w,
		     const struct oci_ref *to, struct error *err) MUST_CHECK;

#endif
