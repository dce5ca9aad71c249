/* gitmodules.h - the .gitmodules file, gitmodules(5); pure text work */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_GITMODULES_H
#define WRAP_GITMODULES_H

#include "base/error.h"

#define GITMODULES_MAX (1024 * 1024) /* bytes a caller should accept */

struct gitmodules_entry {
	char *name, *path, *url; /* all three are set */
};

struct gitmodules {
	struct gitmodules_entry *v;
	size_t nr, alloc;
};
#define cleanup_gitmodules CLEANUP(gitmodules_release)
void gitmodules_release(struct gitmodules *m);

/*
 * Only submodule.NAME.path and .url are read; includes are not followed.
 * Entries without both are left out. A name or path that leads out of its
 * place, into a ".git", or looks like an option, and control characters
 * anywhere are ERR_INPUT "NAME:LINE: ...".
 */
int gitmodules_parse(struct gitmodules *m, const char *name, const char *text,
		     size_t n, struct error *err) MUST_CHECK;

#endif
