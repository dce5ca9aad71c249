/* internal.h - shared by the files of this folder */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEVCONTAINER_INTERNAL_H
#define DEVCONTAINER_INTERNAL_H

#include "devcontainer/devcontainer.h"

/* Check the type of every known property. */
int devcontainer_check(const struct devcontainer *dc, struct error *err)
	MUST_CHECK;
/* The same for an entry of a label, which lies at `path` in the text of
 * `label`: what has the wrong type is removed and told in `warnings`. */
void devcontainer_check_entry(const struct devcontainer *label,
			      const struct strvec *path, struct json *entry,
			      struct strvec *warnings);
/* The same for a devcontainer-feature.json. */
int devcontainer_check_feature(const struct devcontainer *dc,
			       struct error *err) MUST_CHECK;
bool devcontainer_feature_knows(const char *property);
/* config.c: JSON with comments, whose top is an object. */
int devcontainer_read(struct devcontainer *dc, const char *name,
		      const char *text, size_t n, struct error *err)
	MUST_CHECK;
/* resolve.c: extensions, settings and devPort into customizations.vscode. */
void devcontainer_move_legacy(struct json *config);

/* build_options.c: raw flags of `docker build`, as "--name=value" or in two
 * words; what nothing acts on is noted with its place in the list. */
void devcontainer_build_options(struct devcontainer_build *b,
				const struct json *list,
				void (*note)(void *arg, size_t i,
					     const char *text),
				void *arg);

/* Replaces one variable: 1, or 0 to leave it as written. `args` are what
 * follows the name, split at colons. */
typedef int vars_replace(void *arg, const char *name,
			 const struct strvec *args, struct strbuf *out,
			 struct error *err);
struct vars {
	vars_replace *replace;
	void *arg;
	struct strvec path; /* keys of the string at hand, for errors */
	size_t added;	    /* bytes put in so far; bounded */
};
/* Replace in one string; 1 when something changed, 0 when not. */
int devcontainer_expand(struct vars *v, const char *text, struct strbuf *out,
			struct error *err) MUST_CHECK;
/* Replace in every string below `j`. */
int devcontainer_expand_tree(struct vars *v, struct json *j,
			     struct error *err) MUST_CHECK;
/* The value of `${name:args[0]:args[1]}` from an environment. */
int devcontainer_lookup(const char *name, const struct strvec *args,
			const char *(*get)(void *arg, const char *name),
			void *arg, struct strbuf *out, struct error *err)
	MUST_CHECK;

#endif
