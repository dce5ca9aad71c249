/* internal.h - shared by the files that fetch Features */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEATURE_INTERNAL_H
#define FEATURE_INTERNAL_H

#include "feature/feature.h"

#define ARCHIVE_MAX (64u << 20) /* bytes, packed */
#define FILES_MAX (256u << 20)	/* bytes, unpacked */
#define ENTRIES_MAX 10000
#define INSTALL_SCRIPT "install.sh"

/* What was fetched side by side before it was needed, by name or digest. */
struct ahead {
	struct ahead_manifest {
		char *name;
		struct registry_manifest m;
		struct error why; /* there is none, for this reason */
	} *manifests;
	struct ahead_archive {
		char digest[DIGEST_TEXT];
		struct strbuf bytes;
	} *archives;
	size_t n, alloc, n_archives, alloc_archives;
};

/* One resolution: what is asked for, and what is known for it. */
struct finder {
	const struct feature_request *q;
	struct devcontainer_lock lock;
	struct devcontainer_feature_place place;
	struct strvec told; /* warnings that were given */
	bool contacted;	    /* the network answered */
	struct ahead ahead;
};

/* --- resolve.c --- */

void feature_finder_init(struct finder *fi, const struct feature_request *q);
void feature_finder_release(struct finder *fi);
/* Read the lockfile, where the request obeys it. */
int feature_finder_lock(struct finder *fi, struct error *err) MUST_CHECK;

/* --- package.c --- */

/* The metadata file of an archive, plain or gzip; ERR_INPUT: it has none. */
int package_metadata(const struct strbuf *archive, struct strbuf *out,
		     struct error *err) MUST_CHECK;
/* Unpack into an empty directory. */
int package_unpack(const struct strbuf *archive, int dirfd,
		   struct error *err) MUST_CHECK;

/* --- files.c: writing below a directory, whatever the names say --- */

struct files {
	int dirfd;
	uint64_t bytes;
	size_t entries;
};
/* Count one more, of `size` bytes. Fails above the limits. */
int files_charge(struct files *f, uint64_t size, struct error *err) MUST_CHECK;
/* mkdir -p of a clean relative path. */
int files_mkdir(struct files *f, const char *path,
		struct error *err) MUST_CHECK;
/* A new file of mode 0755, open for writing; with the directories above. */
int files_create(struct files *f, const char *path,
		 struct error *err) MUST_CHECK;
int files_link(struct files *f, const char *path, const char *to,
	       struct error *err) MUST_CHECK;
/* Is there an install.sh? */
int files_check(int dirfd, struct error *err) MUST_CHECK;

/* --- memory.c: what the store remembers --- */

/* The layer of an archive's or a folder's files by their digest: its
 * directory, malloc'ed, or NULL. */
char *memory_files(struct store *s, const char *digest);
/* Fill a new layer for that digest and remember it; its directory or NULL. */
char *memory_put_files(struct store *s, const char *digest,
		       int (*fill)(void *arg, int dirfd, struct error *err),
		       void *arg, struct error *err);
/* What a reference was found to be. 1 found, 0 not. */
int memory_get(struct store *s, const struct devcontainer_feature_ref *ref,
	       const char *version, struct devcontainer_feature *f,
	       struct strbuf *metadata);
void memory_put(struct store *s, const struct devcontainer_feature_ref *ref,
		const char *version, const struct devcontainer_feature *f,
		const struct strbuf *metadata);

/* --- ahead.c: side by side what is asked for one by one --- */

void ahead_release(struct ahead *a);
/* Manifests of those that registries have; errors come when they are taken.
 * `named`: they are only named in an order. */
void ahead_manifests(struct finder *fi,
		     struct devcontainer_feature *const *list, size_t n,
		     bool named);
/* Files that the store lacks. */
void ahead_archives(struct finder *fi,
		    const struct devcontainer_features *list);
/* Take one: 1 it is there, 0 it was not asked for, -1 an error. */
int ahead_take_manifest(struct finder *fi, const struct oci_ref *ref,
			struct registry_manifest *out, struct error *err)
	MUST_CHECK;
int ahead_take_archive(struct finder *fi, const char *digest,
		       struct strbuf *out);

/* --- oci.c, tarball.c, local.c --- */

/* The client of the request, made when somebody has to be asked; NULL is an
 * error. */
struct registry *oci_registry(struct finder *fi, struct error *err);
/* What a registry calls it, by its tag or a digest. */
int oci_name(const struct devcontainer_feature_ref *ref, const char *digest,
	     struct oci_ref *out, struct error *err) MUST_CHECK;

/* Digests and the text of the metadata; `pin` is what the lockfile says, or
 * NULL. */
int oci_find(struct finder *fi, const char *pin, struct devcontainer_feature *f,
	     struct strbuf *metadata, struct error *err) MUST_CHECK;
int tarball_find(struct finder *fi, const char *pin,
		 struct devcontainer_feature *f, struct strbuf *metadata,
		 struct error *err) MUST_CHECK;
int local_find(struct finder *fi, struct devcontainer_feature *f,
	       struct strbuf *metadata, struct error *err) MUST_CHECK;
/* The archive of one that was found. */
int oci_archive(struct finder *fi, const struct devcontainer_feature *f,
		struct strbuf *archive, struct error *err) MUST_CHECK;
int tarball_archive(struct finder *fi, const struct devcontainer_feature *f,
		    struct strbuf *archive, struct error *err) MUST_CHECK;
/* The directory of its files in the store, malloc'ed; NULL is an error. */
char *local_files(struct finder *fi, const struct devcontainer_feature *f,
		  struct error *err);
/* An absolute path as a person would write it here; malloc'ed. */
char *local_name(const char *path);

/* --- script.c --- */

/* What RUN executes: users' homes, options, install.sh. */
void script_write(const struct devcontainer_feature *f, const char *dir,
		  struct strbuf *out);

#endif
