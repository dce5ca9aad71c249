/* run_internal.h - shared by run.c and run_args.c */
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
void run_add_security(const struct run_reader *rd, const char *text);
/* "80", "8080:80", "127.0.0.1:80:80", with "/tcp" or not. */
void run_add_port(const struct run_reader *rd, const char *text);
/* run_args.c */
void run_add_args(struct devcontainer_run *r, const struct json *list);

#endif
