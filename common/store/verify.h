/* verify.h - damage in a store: what is found, and what mends it */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "base/strindex.h"
#include "store/internal.h"

enum damage {
	DAMAGE_STRAY,  /* a name that nothing of ours has */
	DAMAGE_OWNER,  /* it belongs to somebody else */
	DAMAGE_LAYOUT, /* the file oci-layout */
	DAMAGE_BLOB,   /* `name` is its digest; wrong, or missing */
	DAMAGE_LAYER,  /* `name` is its id */
	DAMAGE_RECORD, /* of an image, cannot be read */
	DAMAGE_NAME,   /* an image has lost one of its two names */
	DAMAGE_IMAGE,  /* a layer of it is nowhere */
	DAMAGE_STEP,
	DAMAGE_INDEX,
};

struct finding {
	enum damage damage;
	char *name; /* what is meant; for most a path in the store */
	char *text; /* one line for people */
};

struct verify {
	struct store *s;
	bool alone;	       /* no other process has the store open */
	uid_t owner;	       /* whose the files have to be */
	struct strindex sound; /* blobs and layers that were looked into */
	/* Manifests of index.json seen: an index may name one often, and so
	 * may that one. */
	struct strindex walked;
	struct finding *v;     /* in order of what needs what */
	size_t nr, alloc;
};
#define cleanup_verify CLEANUP(verify_release)
void verify_release(struct verify *v);
int verify_init(struct verify *v, struct store *s,
		struct error *err) MUST_CHECK;
/* Look at everything but what is known to be sound. The findings of the last
 * time are forgotten. */
int verify_all(struct verify *v, struct error *err) MUST_CHECK;
void verify_note(struct verify *v, enum damage damage, const char *name,
		 const char *fmt, ...) PRINTF(4, 5);
/* A digest of a blob or id of a layer that was looked into. */
bool verify_is_sound(const struct verify *v, const char *name);
void verify_set_sound(struct verify *v, const char *name);
bool verify_has(const struct verify *v, enum damage damage, const char *name);

/* Is the content of a blob what its name says? */
bool verify_blob(const struct store *s, const char *digest);

/* --- verify_layer.c --- */

/* The files of layers against the digests that are known of them. */
int verify_layers(struct verify *v, struct error *err) MUST_CHECK;

/* --- unpack.c --- */

/* store_unpack under an id of the caller's, in place of what has it; `meta`
 * says what is known. */
int unpack_again(struct store *s, int fd, const char *diff_id, const char *id,
		 const struct store_meta *meta, struct error *err) MUST_CHECK;
/* The digest of a blob's files, as that of a layer is made. */
int unpack_digest(struct store *s, int fd, const char *diff_id,
		  const struct store_meta *meta, char digest[DIGEST_TEXT],
		  struct error *err) MUST_CHECK;
#endif
