/* devcontainer.h - devcontainer.json: text in, configuration out */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVCONTAINER_DEVCONTAINER_H
#define DEVCONTAINER_DEVCONTAINER_H

#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "wrap/json.h"

#define DEVCONTAINER_MAX (1 << 20) /* bytes of a file */

/* A file as written. Unknown properties are kept. */
struct devcontainer {
	struct json *json; /* an object */
	char *name;	   /* for messages */
	char *text;	   /* for positions */
	size_t n;
};
#define DEVCONTAINER_INIT { 0 }
#define cleanup_devcontainer CLEANUP(devcontainer_release)
void devcontainer_release(struct devcontainer *dc);

/*
 * Read JSON with comments and check the type of every property the
 * specification names. ERR_INPUT "NAME:LINE:COL: ..." at the value at fault.
 */
int devcontainer_parse(struct devcontainer *dc, const char *name,
		       const char *text, size_t n, struct error *err)
	MUST_CHECK;
/* As error_set with ERR_INPUT and the position of the value (or key, or else
 * its nearest container) at a path of keys before the message. */
int devcontainer_fail(const struct devcontainer *dc,
		      const struct strvec *path, bool of_key,
		      struct error *err, const char *fmt, ...) PRINTF(5, 6);
/* "NAME:LINE:COL" of the key at a path; malloc'ed. */
char *devcontainer_position(const struct devcontainer *dc,
			    const struct strvec *path);
/* "NAME:LINE:COL: " of a top-level property's name, appended. */
void devcontainer_where(const struct devcontainer *dc, const char *property,
			struct strbuf *out);

/* NAME of a path .devcontainer/NAME/FILE, malloc'ed, or NULL. */
char *devcontainer_folder_name(const char *path);

/*
 * Which file of a tree is meant. `present` are those of the tree, relative to
 * its top: .devcontainer/devcontainer.json, .devcontainer.json,
 * .devcontainer/NAME/devcontainer.json and, if it is the only one,
 * devcontainer.json. `wanted` is such a NAME or NULL.
 * NULL without an error: there is none. Several folders without `wanted`, or
 * a name that is not there: ERR_INPUT that lists them. Borrowed.
 */
const char *devcontainer_choose(const struct strvec *present,
				const char *wanted, struct error *err);

/* Where the file is used: all that variables can tell. */
struct devcontainer_scope {
	const char *folder;	/* the project, absolute */
	const char *mount_root; /* top of its Git tree, or the project */
	const char *config_file; /* absolute */
	/* What variables call the folder, and what is mounted, where the files
	 * are those of a copy; NULL: the folder. */
	const char *place;
	/* Names and values that ${devcontainerId} is made of; NULL: folder
	 * and config_file, as other tools have it. */
	const struct json *labels;
	const char *(*env)(void *arg, const char *name); /* of this host */
	void *arg;
};

/*
 * The configuration with every variable replaced that needs no container
 * (${devcontainerId} included, ${containerEnv:...} not) and the legacy
 * extensions, settings and devPort in customizations.vscode. The caller frees
 * it; NULL is an error.
 */
struct json *devcontainer_resolve(const struct devcontainer *dc,
				  const struct devcontainer_scope *scope,
				  struct error *err);

/* What an environment is known by to other tools: the scope's labels, or those
 * of its paths. The caller frees them. */
#define DEVCONTAINER_LABEL_FOLDER "devcontainer.local_folder"
#define DEVCONTAINER_LABEL_FILE "devcontainer.config_file"
struct json *devcontainer_labels(const struct devcontainer_scope *scope);
/* ${devcontainerId} of labels (an object): 52 digits and a NUL. */
#define DEVCONTAINER_ID 53
void devcontainer_id(const struct json *labels, char id[DEVCONTAINER_ID]);

/* Replace ${containerEnv:NAME[:DEFAULT]} in every string below `j`. */
int devcontainer_container_env(struct json *j,
			       const char *(*get)(void *arg, const char *name),
			       void *arg, struct error *err) MUST_CHECK;

/* --- what a resolved configuration says; `config` may be a record's --- */

/* What to build. Paths are absolute and inside scope->mount_root. */
struct devcontainer_build {
	char *dockerfile; /* path, or NULL */
	char *context;
	char *text; /* "FROM image", or NULL */
	char *target, *platform;
	struct strvec args; /* "K=V" */
	struct strvec cache_from;
	/* "labels" (an object), "network", "no_cache", "pull"; or NULL */
	struct json *options;
	struct json *features; /* [{"id","options","where"}], NULL: none */
	/* "NAME:LINE:COL: ...": what is not acted on */
	struct strvec warnings;
};
#define DEVCONTAINER_BUILD_INIT { 0 }
#define cleanup_devcontainer_build CLEANUP(devcontainer_build_release)
void devcontainer_build_release(struct devcontainer_build *b);
/* A file with neither image, Dockerfile nor compose file takes `fallback`;
 * if that is NULL it is ERR_INPUT. */
int devcontainer_build_get(struct devcontainer_build *b,
			   const struct devcontainer *dc,
			   const struct json *config,
			   const struct devcontainer_scope *scope,
			   const char *fallback, struct error *err) MUST_CHECK;

/* remoteUser, else containerUser, else NULL: the image's. */
const char *devcontainer_user(const struct json *config);
/* A map property as "K=V" in source order; null values are left out and,
 * where `unset` is not NULL, their names go there. */
void devcontainer_env(const struct json *config, const char *property,
		      struct strvec *out, struct strvec *unset);
/* Folder and mount in the container; the mount is NULL where there is none
 * ("" in the file, or compose). Both are malloc'ed. */
void devcontainer_workspace(const struct json *config,
			    const struct devcontainer_scope *scope,
			    char **folder, char **mount);

struct devcontainer_command {
	char *name;	    /* its key in an object, or NULL */
	bool shell;	    /* argv has one word, a script for /bin/sh -c */
	struct strvec argv;
};
/* One hook: commands of an object run side by side. */
struct devcontainer_hook {
	struct devcontainer_command *v;
	size_t nr;
};
#define cleanup_devcontainer_hook CLEANUP(devcontainer_hook_release)
void devcontainer_hook_release(struct devcontainer_hook *h);
/* In the order they run; NULL-terminated. The first runs on the host. */
extern const char *const devcontainer_hooks[];
/* Commands of a hook's value; empty ones are left out. */
void devcontainer_hook_get(struct devcontainer_hook *h, const struct json *j);

#endif
