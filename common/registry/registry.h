/* registry.h - distribution-spec client: resolve, pull blobs, push images */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include "oci/oci.h"

/* One client for the life of a command: connections, tokens, credentials. */
struct registry;

struct registry_options {
	const char *docker_config;   /* directory or file; NULL: search */
	const char *docker_config_base64; /* wins over files; NULL: none */
	const char *ca_file;	     /* PEM, besides the system's roots */
	const char *ca_base64;	     /* the same, as base64 of PEM text */
	/* "host[:port]" each: may speak plain http; may have any certificate;
	 * may be named by a registry further outside, as its token server or
	 * the place of its blobs. */
	struct strvec insecure, unverified, private_realms;
	/* "[ORIGIN=]HOST[:PORT][/PREFIX]", ORIGIN docker.io by default: asked
	 * in this order, the origin last. A mirror gets the credentials of its
	 * own host only. Reading uses them, pushing never does. */
	struct strvec mirrors;
	int parallel;		     /* blob transfers at once; 0: 4 */
	int retries;	   /* tries for idempotent requests; 0: 5 */
	int stall_seconds;	     /* 0: 60 */
	int timeout_seconds; /* no try begins after it; 0: none */
	const char *chunk_size; /* larger blobs are sent in parts of this size
				   ("8MiB"); NULL: in one request */
	/* Features: DEVCONTAINERS_OCI_AUTH ("HOST|USER|TOKEN,...") comes
	 * before the docker configuration, GITHUB_TOKEN for ghcr.io after. */
	bool devcontainers;
};

/* A client for other downloads, with the same authorities and patience. */
struct http;
int registry_http(const struct registry_options *o, struct http **out,
		  struct error *err) MUST_CHECK;

int registry_new(struct registry **out, const struct registry_options *o,
		 struct error *err) MUST_CHECK;
void registry_free(struct registry *r);
void registry_free_ptr(struct registry **r);
#define cleanup_registry CLEANUP(registry_free_ptr)

/* A manifest as it came, verified against its digest. */
struct registry_manifest {
	struct strbuf body;
	char *media_type;
	char digest[DIGEST_TEXT];
};
void registry_manifest_release(struct registry_manifest *m);
#define cleanup_registry_manifest CLEANUP(registry_manifest_release)

/*
 * GET a manifest by tag or digest. ERR_REFUSED: the registry said no (its
 * text is in the message; a hint says what credentials were used);
 * ERR_NETWORK: no or broken answer; a body that does not match its digest is
 * ERR_NETWORK too.
 */
int registry_get_manifest(struct registry *r, const struct oci_ref *ref,
			  struct registry_manifest *out, struct error *err)
	MUST_CHECK;
/* The same of what an index at `ref` names, by its digest. */
int registry_get_part(struct registry *r, const struct oci_ref *ref,
		      const char *digest, struct registry_manifest *out,
		      struct error *err) MUST_CHECK;
/* As the first, but messages leave out the name; an index is followed to the
 * manifest for `platform`. */
int registry_resolve(struct registry *r, const struct oci_ref *ref,
		     const struct oci_platform *platform,
		     struct registry_manifest *out, struct error *err)
	MUST_CHECK;

/* HEAD: the digest of what a name means, by mirrors as well. */
int registry_find_digest(struct registry *r, const struct oci_ref *ref,
			 char digest[DIGEST_TEXT], struct error *err)
	MUST_CHECK;

/* One of several manifests that may be there or not. */
struct registry_lookup {
	const struct oci_ref *ref; /* borrowed; all of one host */
	bool lenient; /* what cannot be had alone of all is not there, with a
			 warning */
	struct registry_manifest found;
	bool there;
};
/* GET all of them at once; 404 is an answer, other refusals are errors.
 * Mirrors are not asked. Release each `found`. */
int registry_look_up(struct registry *r, struct registry_lookup *list,
		     size_t n, struct error *err) MUST_CHECK;

/* --- many.c: of several repositories, of any hosts, at once --- */

/* One manifest. */
struct registry_wanted {
	const struct oci_ref *ref; /* borrowed */
	struct registry_manifest found;
	bool there;
	struct error why; /* else, as registry_get_manifest says it; or empty */
};
/* Ask for all of them. What has neither an answer nor an error is for
 * registry_get_manifest alone. */
void registry_get_manifests(struct registry *r, struct registry_wanted *list,
			    size_t n);

/* One small blob, in memory. */
struct registry_piece {
	const struct oci_ref *ref;
	const char *digest;
	uint64_t size;
	struct strbuf found; /* verified */
	bool there;
};
/* Fetch all of them. What is not there is for registry_pull_blobs, which
 * tries again and says why. */
void registry_get_pieces(struct registry *r, struct registry_piece *list,
			 size_t n);

/* All tags of a repository, in the registry's order, at most `max`; a
 * repository that does not exist has none. */
int registry_list_tags(struct registry *r, const struct oci_ref *ref,
		       size_t max, struct strvec *tags, struct error *err)
	MUST_CHECK;
/* DELETE the manifest of ref->digest, or the tag: 1 done, 0 it was not there,
 * -1 error; ERR_REFUSED with a hint where the registry deletes nothing. */
int registry_delete_manifest(struct registry *r, const struct oci_ref *ref,
			     struct error *err) MUST_CHECK;

/* Where the bytes of a blob go. `write` may be called again from the start
 * after `restart` (a retry). */
struct registry_sink {
	int (*write)(void *arg, const void *data, size_t n, struct error *err);
	int (*restart)(void *arg, struct error *err);
	void *arg;
	/* The digest of all that was written, from a sink that knows it: then
	 * nobody computes it twice. With it a sink may also say, before it is
	 * written to, how many bytes it has from before. NULL: neither. */
	void (*digest)(void *arg, char digest[DIGEST_TEXT]);
	int (*resume)(void *arg, uint64_t *have, struct error *err);
};

struct registry_blob {
	struct oci_descriptor desc;   /* borrowed strings */
	struct registry_sink sink;    /* for pulls */
	int (*done)(void *arg, struct error *err); /* after verification */
};

/* Fetch several blobs of one repository at once; each is verified (digest
 * and size) while it streams. The first failure ends all. */
int registry_pull_blobs(struct registry *r, const struct oci_ref *ref,
			struct registry_blob *blobs, size_t n,
			struct error *err) MUST_CHECK;

/*
 * Where uploads are noted, so that another process can go on with one: small
 * texts without credentials, under 64 hexadecimal digits. Without it, and with
 * what it does not keep, an upload that was cut off is sent anew.
 */
struct registry_notes {
	/* Read it and remove it. False: there is none, or its maker lives. */
	bool (*take)(void *arg, const char *key, struct strbuf *text);
	/* False: it is not kept, perhaps as another process keeps one. */
	bool (*put)(void *arg, const char *key, const char *text, size_t n);
	/* Of one that was put: nobody is to go on with it. */
	void (*drop)(void *arg, const char *key);
	void *arg;
};
void registry_set_notes(struct registry *r,
			const struct registry_notes *notes);

/* A blob to push: it is opened only when the registry lacks it. */
struct registry_source {
	char digest[DIGEST_TEXT];
	uint64_t size;
	/* Give a readable descriptor at offset 0 (the callee closes it). It
	 * must not use the registry. NULL: only ask and mount. */
	int (*open)(void *arg, int *fd, struct error *err);
	void *arg;
	/* A repository on the same host that has it, or NULL. */
	const char *mount_from;
	/* result */
	enum { BLOB_UPLOADED, BLOB_EXISTED, BLOB_MOUNTED, BLOB_MISSING } how;
};

/* Push blobs in parallel (HEAD, mount, POST+PUT), then nothing else. */
int registry_push_blobs(struct registry *r, const struct oci_ref *ref,
			struct registry_source *sources, size_t n,
			struct error *err) MUST_CHECK;
/* A small blob that is in memory: `s` will read `b`, which is borrowed. */
struct registry_bytes {
	const void *data;
	size_t n;
};
void registry_source_bytes(struct registry_source *s,
			   const struct registry_bytes *b);
/* PUT a manifest under its digest or, when ref->tag is set, its tag. */
int registry_push_manifest(struct registry *r, const struct oci_ref *ref,
			   const char *media_type, const char *body, size_t n,
			   struct error *err) MUST_CHECK;
/* HEAD: 1 there, 0 not there, -1 error. Never downloads. */
int registry_has_blob(struct registry *r, const struct oci_ref *ref,
		      const char *digest, struct error *err) MUST_CHECK;
int registry_has_manifest(struct registry *r, const struct oci_ref *ref,
			  char digest[DIGEST_TEXT], struct error *err)
	MUST_CHECK;

/* --- referrers.c: documents about an image --- */

/* What is said about an image: provenance, signatures, lists of parts. */
struct registry_artifact {
	const struct oci_descriptor *subject; /* the image's manifest */
	const char *artifact_type;	      /* a media type */
	const struct registry_artifact_layer {
		const char *media_type;
		struct registry_bytes bytes;
	} *layers;
	size_t n_layers;
	const struct json *annotations; /* object of strings, or NULL */
};
/*
 * Push it into the repository of `ref` as a manifest that refers to its
 * subject. Where the registry does not answer with OCI-Subject, the index
 * under the tag sha256-HEX lists it as well, for all who look there. The same
 * artifact a second time changes nothing. `digest` is its manifest's.
 */
int registry_attach(struct registry *r, const struct oci_ref *ref,
		    const struct registry_artifact *a,
		    char digest[DIGEST_TEXT], struct error *err) MUST_CHECK;

struct registry_referrer {
	struct oci_descriptor desc; /* of its manifest */
	char *artifact_type;	    /* NULL: not said */
	struct json *annotations;   /* object or NULL */
};
struct registry_referrers {
	struct registry_referrer *v;
	size_t n, alloc;
};
#define cleanup_registry_referrers CLEANUP(registry_referrers_release)
void registry_referrers_release(struct registry_referrers *list);
/* What refers to ref->digest, of one artifact type or of all (NULL), in the
 * registry's order: as it says, or by the tag. Mirrors are not asked. */
int registry_list_referrers(struct registry *r, const struct oci_ref *ref,
			    const char *artifact_type,
			    struct registry_referrers *out, struct error *err)
	MUST_CHECK;

#endif
