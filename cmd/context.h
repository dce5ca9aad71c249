/* context.h - the files a build sees */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CMD_CONTEXT_H
#define CMD_CONTEXT_H

#include "base/error.h"
#include "wrap/json.h"

/*
 * The `context` view: what survives the ignore file, sorted by path. The
 * ignore file is DOCKERFILE.dockerignore where it exists, else .dockerignore
 * in the context. `dockerfile` may be NULL. NULL is an error.
 */
struct json *cmd_context_json(const char *dir, const char *dockerfile,
			      struct error *err);

#endif
