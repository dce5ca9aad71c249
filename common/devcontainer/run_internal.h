/* run_internal.h - shared by the files that read what is to run */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVCONTAINER_RUN_INTERNAL_H
#define DEVCONTAINER_RUN_INTERNAL_H

#include "devcontainer/run.h"

/* A property, or an element of it, that is being read. */
struct run_reader {
	struct devcontainer_run *r;
	const char *property;
	size_t index;
};
void run_note(const struct run_reader *rd, const char *fmt, ...)
	PRINTF(2, 3);
void run_add_mount(const struct run_reader *rd, const char *text);
/* Takes what it points to. */
void run_push_mount(const struct run_reader *rd,
		    const struct devcontainer_mount *m);
void run_add_security(const struct run_reader *rd, const char *text);
/* "80", "8080:80", "127.0.0.1:80:80", with "/tcp" or not. */
void run_add_port(const struct run_reader *rd, const char *text);
/* run_args.c */
void run_add_args(struct devcontainer_run *r, const struct json *list);

/* run_flags.c: an option of docker run. */
struct run_flag {
	const char *name;
	char letter;
	bool alone; /* takes no value of its own; "=true" may come with it */
	/* NULL: not acted on */
	void (*set)(const struct run_reader *rd, const char *value);
};
const struct run_flag *run_flag_long(const char *name);
const struct run_flag *run_flag_letter(char letter);

/* run_limits.c: of the values of such options; a wrong one is noted. */
void run_set_ulimit(const struct run_reader *rd, const char *value);
void run_set_memory(const struct run_reader *rd, const char *value);
void run_set_shm(const struct run_reader *rd, const char *value);
void run_set_cpus(const struct run_reader *rd, const char *value);
void run_set_pids(const struct run_reader *rd, const char *value);
void run_set_sysctl(const struct run_reader *rd, const char *value);
void run_set_stop_timeout(const struct run_reader *rd, const char *value);

#endif
