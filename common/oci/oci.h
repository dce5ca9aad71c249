/* oci.h - image-spec formats: names, manifests, indexes, configurations */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OCI_OCI_H
#define OCI_OCI_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "wrap/digest.h"
#include "wrap/json.h"

#define OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OCI_INDEX "application/vnd.oci.image.index.v1+json"
#define OCI_CONFIG "application/vnd.oci.image.config.v1+json"
#define OCI_LAYER "application/vnd.oci.image.layer.v1.tar"
#define OCI_LAYER_GZIP "application/vnd.oci.image.layer.v1.tar+gzip"
#define OCI_LAYER_ZSTD "application/vnd.oci.image.layer.v1.tar+zstd"
#define OCI_EMPTY "application/vnd.oci.empty.v1+json" /* "{}" */
#define DOCKER_MANIFEST "application/vnd.docker.distribution.manifest.v2+json"
#define DOCKER_LIST "application/vnd.docker.distribution.manifest.list.v2+json"
#define DOCKER_CONFIG "application/vnd.docker.container.image.v1+json"
#define DOCKER_LAYER "application/vnd.docker.image.rootfs.diff.tar"
#define DOCKER_LAYER_GZIP "application/vnd.docker.image.rootfs.diff.tar.gzip"

#define OCI_MANIFEST_MAX (4u << 20) /* bytes accepted from a peer */
#define OCI_CONFIG_MAX (8u << 20)
#define OCI_LAYERS_MAX 512
#define OCI_NESTING_MAX 4 /* of indexes in indexes */

/* A normalised reference: docker.io, library/ and latest are written out, the
 * host is in lower case. */
struct oci_ref {
	char *host;	  /* "docker.io", "127.0.0.1:5000" */
	char *repository; /* "library/debian" */
	char *tag;	  /* NULL when only a digest was given */
	char *digest;	  /* "sha256:..." or NULL; wins over the tag */
};
#define cleanup_oci_ref CLEANUP(oci_ref_release)
void oci_ref_release(struct oci_ref *ref);
/* Grammar of distribution-spec; errors are ERR_USAGE naming the fault. */
int oci_ref_parse(struct oci_ref *ref, const char *text, struct error *err)
	MUST_CHECK;
/* host/repository[:tag][@digest] */
char *oci_ref_format(const struct oci_ref *ref);
void oci_ref_copy(struct oci_ref *to, const struct oci_ref *from);

struct oci_platform {
	char *os, *arch, *variant; /* variant may be NULL */
};
#define cleanup_oci_platform CLEANUP(oci_platform_release)
void oci_platform_release(struct oci_platform *p);
/* "os/arch[/variant]" or "arch"; normalised (x86_64 -> amd64, arm64/v8 ->
 * arm64, arm -> arm/v7 ...). */
int oci_platform_parse(struct oci_platform *p, const char *text,
		       struct error *err) MUST_CHECK;
/* Names as images use them: the same for one that was built elsewhere. */
void oci_platform_normalise(struct oci_platform *p);
/* This machine's. */
void oci_platform_host(struct oci_platform *p);
char *oci_platform_format(const struct oci_platform *p);
bool oci_platform_equal(const struct oci_platform *a,
			const struct oci_platform *b);
void oci_platform_copy(struct oci_platform *to,
		       const struct oci_platform *from);
/* How well an offer fits: 0 the same, more for older variants that run as
 * well, -1 not at all. */
int oci_platform_rank(const struct oci_platform *wanted,
		      const struct oci_platform *offer);

struct oci_descriptor {
	char *media_type;
	char digest[DIGEST_TEXT];
	uint64_t size;
};
#define cleanup_oci_descriptor CLEANUP(oci_descriptor_release)
void oci_descriptor_release(struct oci_descriptor *d);
/* Replaces what is there; `digest` is a valid one. */
void oci_descriptor_set(struct oci_descriptor *d, const char *media_type,
			const char *digest, uint64_t size);
/* From JSON; `where` begins the messages. ERR_INPUT. */
int oci_descriptor_parse(struct oci_descriptor *d, const struct json *j,
			 const char *where, struct error *err) MUST_CHECK;
/* {"mediaType", "digest", "size"} */
struct json *oci_descriptor_to_json(const struct oci_descriptor *d);

/* A manifest of either family. */
struct oci_manifest {
	bool docker; /* docker schema 2, else OCI */
	struct oci_descriptor config;
	struct oci_descriptor *layers;
	size_t n_layers;
	struct json *annotations; /* object or NULL */
};
#define cleanup_oci_manifest CLEANUP(oci_manifest_release)
void oci_manifest_release(struct oci_manifest *m);
/* Refuses documents with both `layers` and `manifests`, schema 1, foreign
 * layers with urls, more than OCI_LAYERS_MAX layers; errors are ERR_INPUT. */
int oci_manifest_parse(struct oci_manifest *m, const char *text, size_t n,
		       struct error *err) MUST_CHECK;
/* Byte-stable. */
void oci_manifest_write(const struct oci_manifest *m, struct strbuf *out);
const char *oci_manifest_media_type(const struct oci_manifest *m);
void oci_manifest_add_layer(struct oci_manifest *m, const char *media_type,
			    const char *digest, uint64_t size);

/* Does this text (or media type, where known) denote an index? */
bool oci_is_index(const char *media_type, const char *text, size_t n);
/* What an index names, in its order. */
struct oci_entry {
	struct oci_descriptor desc;
	struct oci_platform platform; /* as it is written; all NULL: none */
	bool image; /* an image or an index, no attestation */
};
struct oci_index {
	struct oci_entry *v;
	size_t n;
};
#define cleanup_oci_index CLEANUP(oci_index_release)
void oci_index_release(struct oci_index *x);
/* ERR_INPUT; at most 1024 entries. */
int oci_index_parse(struct oci_index *x, const char *text, size_t n,
		    struct error *err) MUST_CHECK;
/* The manifest of an index for a platform (NULL: the first image): exact
 * match first, then compatible variants; attestations are passed over.
 * ERR_INPUT names the platforms there are. */
int oci_index_choose(const char *text, size_t n,
		     const struct oci_platform *platform,
		     struct oci_descriptor *out, struct error *err) MUST_CHECK;

struct oci_history {
	char *created, *created_by, *comment, *author;
	bool empty_layer;
};

struct oci_healthcheck {
	bool set;
	struct strvec test;
	int64_t interval, timeout, start_period, start_interval; /* ns */
	int retries;
};

/*
 * Image configuration (image-spec config.md, with the docker members). All
 * members that this struct does not know are carried in `extra` (top level)
 * and `extra_config` and written back.
 */
struct oci_config {
	struct oci_platform platform;
	char *os_version;
	char *created, *author;
	char *user, *workdir, *stop_signal;
	struct strvec env;	  /* "K=V" in order */
	struct strvec entrypoint, cmd, shell, onbuild;
	bool has_entrypoint, has_cmd; /* written, possibly empty */
	struct strvec ports, volumes; /* sets; kept sorted when written */
	struct strvec labels;	      /* "K=V" */
	struct oci_healthcheck health;
	struct strvec diff_ids;
	struct oci_history *history;
	size_t n_history, alloc_history;
	struct json *extra, *extra_config;
};
#define cleanup_oci_config CLEANUP(oci_config_release)
void oci_config_release(struct oci_config *c);
int oci_config_parse(struct oci_config *c, const char *text, size_t n,
		     struct error *err) MUST_CHECK;
/* Byte-stable; zero members are left out, maps are sorted. */
void oci_config_write(const struct oci_config *c, struct strbuf *out);
/* Where it runs, as the descriptors of an index say it. */
struct json *oci_config_platform(const struct oci_config *c);
/* The "config" object alone (Env, Cmd, Labels ...). */
struct json *oci_config_to_json(const struct oci_config *c);
void oci_config_copy(struct oci_config *to, const struct oci_config *from);
struct oci_history *oci_config_add_history(struct oci_config *c);
/* What `FROM scratch` starts with: default PATH, WorkingDir "/". */
void oci_config_scratch(struct oci_config *c, const struct oci_platform *p);

#endif
