/* feature.h - fetch Dev Container Features and put them into a Dockerfile */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEATURE_FEATURE_H
#define FEATURE_FEATURE_H

#include "devcontainer/feature.h"
#include "registry/registry.h"
#include "store/store.h"

/* --- resolve.c: from names to Features --- */

enum feature_lock {
	FEATURE_LOCK_READ,   /* the lockfile binds; it is not written */
	FEATURE_LOCK_WRITE,  /* the same, and what it lacks is written */
	FEATURE_LOCK_FROZEN, /* it must be there and say all */
	FEATURE_LOCK_NONE,   /* neither read nor written */
	FEATURE_LOCK_UPDATE, /* not read, but written */
};

struct feature_request {
	/* What was fetched is kept there, and serves again; NULL: nothing is
	 * kept, and feature_unpack cannot be used. */
	struct store *store;
	const struct registry_options *registry;
	struct registry **client; /* of these options; made when needed */
	bool pull; /* ask again what tags and addresses stand for */
	enum feature_lock lock;
	const char *config_file;     /* absolute: folders and the lockfile are
					found by it */
	const struct json *wanted;   /* [{"id","options","where"}] */
	const struct json *override; /* overrideFeatureInstallOrder, or NULL */
};
/*
 * Find all Features that are wanted or needed, in order of installation.
 * Warnings about them are logged. ERR_INPUT for what cannot be meant: names,
 * circles, files that are missing or wrong; ERR_NETWORK and ERR_REFUSED as
 * the registry client.
 */
int feature_resolve(const struct feature_request *q,
		    struct devcontainer_features *out,
		    struct error *err) MUST_CHECK;
/* The directory of each one's files, which stay what they are: all of mode
 * 0755, with an install.sh. Fetched where the store lacks them. */
int feature_unpack(const struct feature_request *q,
		   const struct devcontainer_features *list,
		   struct strvec *dirs, struct error *err) MUST_CHECK;
/* What the metadata label gets: an array that the caller frees. */
struct json *feature_entries(const struct devcontainer_features *list);

/* --- outdated.c --- */

/*
 * {"ID": {"current", "wanted", "wantedMajor", "latest", "latestMajor"}} of the
 * wanted ones that registries have: what the lockfile says, the newest
 * version that the tag means, and the newest there is. What is not known is
 * left out, a Feature that is not there is warned about.
 */
int feature_outdated(const struct feature_request *q, struct json **out,
		     struct error *err) MUST_CHECK;

/* --- text.c: Features as instructions --- */

/* The named context with the files of Feature i is this and i. */
#define FEATURE_CONTEXT "dev_containers_feature_"
/* How the script of a RUN begins that installs one; its id follows. */
#define FEATURE_TITLE "# Feature "
/* The stage that they are installed in, where they need one of their own. */
#define FEATURE_STAGE "dev_containers_target_stage"
/* What its ARG lines declare without a default is told by whoever builds:
 * the base image's user, and those that its label names. */
#define FEATURE_IMAGE_USER "_DEV_CONTAINERS_IMAGE_USER"
#define FEATURE_CONTAINER_USER "_CONTAINER_USER"
#define FEATURE_REMOTE_USER "_REMOTE_USER"

struct feature_text {
	const char *name; /* of the Dockerfile, for messages */
	const char *text;
	size_t n;
	const char *target;	   /* NULL: the last stage */
	const struct json *config; /* resolved configuration */
};
/*
 * The Dockerfile with a RUN for each Feature on top of its target, which is
 * `target` (malloc'ed) then.
 */
int feature_dockerfile(const struct feature_text *in,
		       const struct devcontainer_features *list,
		       struct strbuf *out, char **target,
		       struct error *err) MUST_CHECK;

#endif
