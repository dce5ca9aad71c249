/* run.h - how an environment runs, as its configuration asks for */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVCONTAINER_RUN_H
#define DEVCONTAINER_RUN_H

#include "devcontainer/devcontainer.h"

enum devcontainer_mount_type {
	DEVCONTAINER_BIND,
	DEVCONTAINER_VOLUME,
	DEVCONTAINER_TMPFS
};
struct devcontainer_mount {
	enum devcontainer_mount_type type;
	char *source;  /* a path, or the name of a volume; NULL: none */
	char *target;  /* absolute */
	char *options; /* of a tmpfs, "size=1m,mode=700"; or NULL */
	bool read_only;
};
void devcontainer_mount_release(struct devcontainer_mount *m);
/* "type=bind,source=/a,target=/b", as docker's --mount has it; quotes keep
 * commas. ERR_INPUT without a place. */
int devcontainer_mount_parse(struct devcontainer_mount *m, const char *text,
			     struct error *err) MUST_CHECK;

/* What is not acted on, or only in part. */
struct devcontainer_note {
	const char *property;
	size_t index; /* in its list; SIZE_MAX: all of it */
	char *text;
};

/* What a configuration, resolved or merged, asks of whoever runs it:
 * properties and `runArgs`, which is put on top of them. */
struct devcontainer_run {
	bool privileged, no_seccomp, no_new_privs, no_network;
	struct strvec cap_add;
	struct strvec env;	 /* "K=V", or "K": of this host */
	struct strvec env_files; /* paths as written */
	struct strvec hosts;	 /* "NAME:ADDRESS" */
	char *user, *hostname;	 /* NULL: not given */
	struct devcontainer_mount *mounts;
	size_t n_mounts, alloc_mounts;
	struct devcontainer_note *notes;
	size_t n_notes, alloc_notes;
};
#define DEVCONTAINER_RUN_INIT { 0 }
#define cleanup_devcontainer_run CLEANUP(devcontainer_run_release)
void devcontainer_run_release(struct devcontainer_run *r);
void devcontainer_run_get(struct devcontainer_run *r,
			  const struct json *config);

#endif
