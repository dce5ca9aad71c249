/* compose.h - compose files: texts in, services out */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMPOSE_COMPOSE_H
#define COMPOSE_COMPOSE_H

#include "base/error.h"
#include "base/strvec.h"
#include "wrap/yaml.h"

#define COMPOSE_FILES_MAX 64 /* read for one project, "extends" included */
/* What variables, "extends" and files of variables make of few bytes is
 * bounded: one value, a project's values, entries of a list. */
#define COMPOSE_VALUE_MAX ((size_t)1 << 20)
#define COMPOSE_TOTAL_MAX ((size_t)32 << 20)
#define COMPOSE_ENTRIES_MAX 4096

/* All that is outside of the texts. */
struct compose_scope {
	/* The project: where relative paths of the first file begin, and
	 * .env and COMPOSE_FILE are looked for. Absolute. */
	const char *dir;
	const char *(*env)(void *arg, const char *name); /* of this host */
	/* A file by its absolute path; `err` says why not. ERR_INPUT with
	 * sys ENOENT where there is none. */
	int (*read)(void *arg, const char *path, struct strbuf *out,
		    struct error *err);
	void *arg;
};

/*
 * Compose files as they are in effect: variables replaced, files and
 * "extends" merged, every property in its one long form and paths absolute.
 *
 *	{"name", "services": {NAME: {...}}, "volumes": {...}}
 *
 * In a service: `command`, `entrypoint`, `env_file`, `cap_add`,
 * `security_opt`, `tmpfs`, `profiles` are arrays of strings; `environment`,
 * `labels`, `extra_hosts` and build's `args` objects (null: from the host);
 * `build` is {"context","dockerfile"|"dockerfile_inline","target","args"};
 * `volumes` [{"type","source","target","read_only"}];
 * `networks` {NAME: {"aliases": array}}; `links` ["SERVICE[:ALIAS]"];
 * `ports` ["[ADDRESS:][PUBLISHED:]TARGET[/PROTOCOL]"]; `depends_on`
 * {SERVICE: {"condition","required"}}; `healthcheck` {"test": array,
 * "interval","timeout","start_period": durations, "retries","disable"}.
 * `environment` has what env_file says, too.
 */
struct compose {
	struct json *model;
	struct strvec warnings; /* "FILE:LINE:COL: ..." */
};
#define COMPOSE_INIT { 0 }
#define cleanup_compose CLEANUP(compose_release)
void compose_release(struct compose *c);

/*
 * Read and merge `files` (paths relative to scope->dir), in their order.
 * ERR_INPUT "FILE:LINE:COL: ..." for what no compose file may hold; what is
 * valid and not acted on is a warning.
 */
int compose_load(struct compose *c, const struct strvec *files,
		 const struct compose_scope *scope, struct error *err)
	MUST_CHECK;

/* A service, or NULL with ERR_INPUT that lists those there are. */
const struct json *compose_service(const struct compose *c, const char *name,
				   struct error *err);
/*
 * `roots` and what they depend on, each after what it depends on; all without
 * a profile where `roots` is empty. A circle is ERR_INPUT.
 */
int compose_order(const struct compose *c, const struct strvec *roots,
		  struct strvec *order, struct error *err) MUST_CHECK;

/* --- interpolate.c --- */

/*
 * ${NAME}, $NAME, ${NAME:-default}, ${NAME-default}, ${NAME:?error},
 * ${NAME?error}, ${NAME:+other}, ${NAME+other}, nested; "$$" is "$". A
 * variable that is not set is empty, its name goes to `unset`. ERR_INPUT
 * without a position.
 */
int compose_interpolate(const char *text,
			const char *(*get)(void *arg, const char *name),
			void *arg, struct strbuf *out, struct strvec *unset,
			struct error *err) MUST_CHECK;

/* --- dotenv.c --- */

/*
 * A file of variables, "K=V" lines with comments, "export" and quotes, as
 * docker reads .env and env_file; values without single quotes are
 * interpolated from `get` and the lines before. Appended to `env`. A line
 * "K" alone takes the variable from `get`. ERR_INPUT "NAME:LINE:1: ...".
 */
int compose_dotenv(const char *name, const char *text,
		   const char *(*get)(void *arg, const char *name), void *arg,
		   struct strvec *env, struct error *err) MUST_CHECK;

/* Words as a shell would split them, without any expansion. false: a quote is
 * not closed. */
bool compose_words(const char *text, struct strvec *out);

#endif
