/* run.h - how an environment runs, as its configuration asks for */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVCONTAINER_RUN_H
#define DEVCONTAINER_RUN_H

#include "devcontainer/devcontainer.h"

enum devcontainer_mount_type {
	DEVCONTAINER_BIND,
	DEVCONTAINER_VOLUME,
	DEVCONTAINER_TMPFS,
	DEVCONTAINER_DEVICE /* a device of the host, or a directory of some */
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

/* One of RLIMIT_*. */
struct devcontainer_ulimit {
	int resource;
	uint64_t soft, hard; /* UINT64_MAX: none */
};
/* "nofile=1024:4096", "core=-1". ERR_INPUT without a place. */
int devcontainer_ulimit_parse(struct devcontainer_ulimit *u, const char *text,
			      struct error *err) MUST_CHECK;
/* The name of a resource, as in "nofile". */
const char *devcontainer_ulimit_name(int resource);

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
	bool read_only, host_ipc, gpus;
	struct strvec cap_add, cap_drop;
	struct strvec env;	 /* "K=V", or "K": of this host */
	struct strvec env_files; /* paths as written */
	struct strvec hosts;	 /* "NAME:ADDRESS" */
	struct strvec group_add; /* names and numbers */
	struct strvec dns, dns_search, dns_options;
	struct strvec sysctls;	/* "K=V", of no namespace of the host */
	char *user, *hostname;	/* NULL: not given */
	char *workdir;		/* of the image's own command; NULL: its */
	uint64_t memory;	/* bytes; 0: all */
	uint64_t cpu_quota;	/* of each 100000; 0: all */
	uint64_t pids;		/* 0: any number */
	uint64_t stop_timeout;	/* seconds; UINT64_MAX: not given */
	struct devcontainer_ulimit *ulimits; /* each resource once */
	size_t n_ulimits, alloc_ulimits;
	struct devcontainer_mount *mounts;
	size_t n_mounts, alloc_mounts;
	struct devcontainer_note *notes;
	size_t n_notes, alloc_notes;
};
#define DEVCONTAINER_RUN_INIT { .stop_timeout = UINT64_MAX }
#define cleanup_devcontainer_run CLEANUP(devcontainer_run_release)
void devcontainer_run_release(struct devcontainer_run *r);
void devcontainer_run_get(struct devcontainer_run *r,
			  const struct json *config);

#endif
