/* feature.h - Dev Container Features: names, metadata, order, lockfile */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVCONTAINER_FEATURE_H
#define DEVCONTAINER_FEATURE_H

#include "devcontainer/devcontainer.h"
#include "wrap/digest.h"

/* Part of devcontainer.h. Nothing here asks a network or a disk: who orders
 * Features hands in how they are found. */

#define DEVCONTAINER_FEATURES_MAX 512 /* of one environment */
#define DEVCONTAINER_FEATURE_FILE "devcontainer-feature.json"

/* --- feature_ref.c: what a name refers to --- */

enum devcontainer_feature_source {
	DEVCONTAINER_FEATURE_OCI,
	DEVCONTAINER_FEATURE_TARBALL,
	DEVCONTAINER_FEATURE_LOCAL,
};

struct devcontainer_feature_ref {
	enum devcontainer_feature_source source;
	char *id;	/* the last part: "node" */
	char *registry; /* OCI: host[:port], lower case */
	char *path;	/* OCI: "namespace/id", lower case */
	char *tag;	/* OCI, unless there is a digest */
	char *digest;	/* OCI: "sha256:...", or NULL */
	char *url;	/* tarball */
	char *dir;	/* local: absolute */
};
void devcontainer_feature_ref_release(struct devcontainer_feature_ref *ref);
#define cleanup_devcontainer_feature_ref \
	CLEANUP(devcontainer_feature_ref_release)

/* Where local Features are found. Absolute paths. */
struct devcontainer_feature_place {
	char *from;  /* directory of the configuration */
	char *below; /* what they must lie in */
	char *top;   /* what no link may lead out of: the project */
};
#define cleanup_devcontainer_feature_place \
	CLEANUP(devcontainer_feature_place_release)
void devcontainer_feature_place_release(struct devcontainer_feature_place *p);
/* They lie in the project's .devcontainer, or beside a configuration that is
 * elsewhere. */
void devcontainer_feature_place_of(struct devcontainer_feature_place *p,
				   const char *config_file);
/* ERR_INPUT without a position; forms that are no longer in use are refused
 * with a hint at what replaced them. */
int devcontainer_feature_ref_parse(struct devcontainer_feature_ref *ref,
				   const char *text,
				   const struct devcontainer_feature_place *p,
				   struct error *err) MUST_CHECK;

/* --- feature_meta.c: devcontainer-feature.json --- */

/* One Feature, as it was asked for and as it was found. */
struct devcontainer_feature {
	char *id;	      /* as written where it was asked for */
	struct json *options; /* as written: an object, a string, a boolean */
	char *where;	      /* "FILE:LINE:COL", or NULL */
	char *asked_by; /* id of the Feature that depends on it, or NULL */
	bool additional; /* the configuration does not name it: nor does a
			    lockfile */
	struct devcontainer_feature_ref ref;
	/* Of the manifest (OCI) or the archive (tarball); "" where local. */
	char digest[DIGEST_TEXT];
	char archive[DIGEST_TEXT]; /* of its files; "" where local */
	uint64_t archive_size;
	struct devcontainer metadata;
	struct strvec aliases; /* its id, and those it had before */
	struct strvec why;     /* it comes where it does; short clauses */
};
#define DEVCONTAINER_FEATURE_INIT \
	{                         \
		0                 \
	}
void devcontainer_feature_release(struct devcontainer_feature *f);

/* In order of installation. */
struct devcontainer_features {
	struct devcontainer_feature *v;
	size_t nr, alloc;
};
#define cleanup_devcontainer_features CLEANUP(devcontainer_features_release)
void devcontainer_features_release(struct devcontainer_features *list);

/* Read JSON with comments and check the type of every known property. What
 * is unknown, or required and missing, goes to `notes` as "FILE:LINE:COL:
 * ...". */
int devcontainer_feature_parse(struct devcontainer *metadata, const char *name,
			       const char *text, size_t n, struct strvec *notes,
			       struct error *err) MUST_CHECK;
/*
 * What a Feature adds to the metadata label of its image: "id" as written,
 * then those of its hooks, init, privileged, capAdd, securityOpt, entrypoint,
 * mounts and customizations that it has. The caller frees it.
 */
struct json *devcontainer_feature_entry(const struct devcontainer_feature *f);
/* {"id","options","dependsOn","installsAfter"}: an element of the view. */
struct json *devcontainer_feature_view(const struct devcontainer_feature *f);

/* --- feature_options.c: options as variables --- */

/* "NAME=value" for the install script: declared defaults, then what was
 * given. `notes` gets what the Feature does not declare. */
void devcontainer_feature_env(const struct devcontainer_feature *f,
			      struct strvec *env, struct strvec *notes);
/* `name` as a variable of the script, appended. */
void devcontainer_option_name(const char *name, struct strbuf *out);

/* --- collate.c --- */

/*
 * <0, 0, >0 in the order that JavaScript's localeCompare gives ASCII (the
 * root collation of ICU): by letter and sign, and only then lower before
 * upper case. What is not ASCII comes after, by bytes.
 */
int devcontainer_collate(const char *a, const char *b);

/* --- feature_order.c --- */

struct devcontainer_feature_finder {
	/* Set digest and metadata of a Feature whose ref is set. */
	int (*find)(void *arg, struct devcontainer_feature *f,
		    struct error *err);
	/* The same for one that is only named in an order, where it might go
	 * by a former id; leaves it alone when it cannot be had. */
	void (*peek)(void *arg, struct devcontainer_feature *f);
	void *arg;
	/* Told before of all that one of these will be asked about, so that
	 * they can be fetched at once; `named`: the latter. NULL: nobody
	 * cares. */
	void (*ahead)(void *arg, struct devcontainer_feature *const *list,
		      size_t n, bool named);
};

/*
 * All Features that `wanted` ([{"id","options","where"}]) and their
 * dependsOn ask for, in order of installation. `override` is
 * overrideFeatureInstallOrder or NULL. A circle is ERR_INPUT.
 */
int devcontainer_features_order(
	struct devcontainer_features *out, const struct json *wanted,
	const struct json *override,
	const struct devcontainer_feature_place *place,
	const struct devcontainer_feature_finder *finder,
	struct error *err) MUST_CHECK;

/* --- edit.c --- */

/* Put a Feature into the text of a configuration, an object that jsonc_parse
 * accepted: behind the others, or with new options in its old place. Comments
 * stay. `options` NULL: {}. */
void devcontainer_add_feature(struct strbuf *text, const char *id,
			      const struct json *options);

/* --- version.c: as semver.org has them --- */

struct devcontainer_version {
	uint64_t part[3];
	const char *early; /* behind the dash, borrowed; NULL: none */
};
/* MAJOR.MINOR.PATCH[-EARLY], and nothing else. */
bool devcontainer_version_parse(struct devcontainer_version *v,
				const char *text);
int devcontainer_version_compare(const struct devcontainer_version *a,
				 const struct devcontainer_version *b);
/* Is it of those that a tag means: "1", "1.2" or a version? */
bool devcontainer_version_matches(const struct devcontainer_version *v,
				  const char *tag);

/* --- lockfile.c: devcontainer-lock.json --- */

struct devcontainer_lock {
	struct json *json; /* NULL: there is none, or it is empty */
};
#define DEVCONTAINER_LOCK_INIT \
	{                      \
		0              \
	}
#define cleanup_devcontainer_lock CLEANUP(devcontainer_lock_release)
void devcontainer_lock_release(struct devcontainer_lock *lock);
/* ERR_INPUT with a position. An empty text is an empty lock. */
int devcontainer_lock_parse(struct devcontainer_lock *lock, const char *name,
			    const char *text, size_t n,
			    struct error *err) MUST_CHECK;
/* The digest that a Feature, as written, is bound to; NULL: none. */
const char *devcontainer_lock_get(const struct devcontainer_lock *lock,
				  const char *id);
/* And the version it has; NULL: none. */
const char *devcontainer_lock_version(const struct devcontainer_lock *lock,
				      const char *id);
/* The file for these Features, byte for byte as the CLI writes it. */
void devcontainer_lock_write(const struct devcontainer_features *list,
			     struct strbuf *out);
/* Does the lock say the same as such a text? */
bool devcontainer_lock_matches(const struct devcontainer_lock *lock,
			       const struct strbuf *text);
/* Is there anything in it to be bound? */
bool devcontainer_lock_needed(const struct devcontainer_features *list);
/* Its path beside a configuration; malloc'ed. */
char *devcontainer_lock_path(const char *config_file);

#endif
