/* extends.c - a service with those it extends */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "compose/internal.h"

#define CHAIN_MAX 32

/* The service that `ref` names, in its file. NULL is an error. */
static struct json *extended(struct compose_at *at, const struct json *ref,
			     struct strvec *chain)
{
	const char *name = json_str(ref) ? json_str(ref)
					 : json_get_str(ref, "service");
	const char *file = json_get_str(ref, "file");
	const struct compose_file *f = at->f;
	cleanup_free char *path = NULL, *dir = NULL;

	if (!name) {
		compose_fail(at, false, "the name of a service expected");
		return NULL;
	}
	if (file) {
		path = path_resolve(at->f->dir, file);
		dir = path_dir(path);
		f = compose_open(at->l, path, dir);
		if (!f) {
			if (at->l->err && at->l->err->sys) {
				error_release(at->l->err);
				compose_fail(at, false, "cannot read '%s'",
					     file);
			}
			return NULL;
		}
	}
	if (!json_get(json_get(f->json, "services"), name)) {
		compose_fail(at, false, "there is no service '%s' in '%s'",
			     name, f->name);
		return NULL;
	}
	return compose_extend(at->l, f, name, chain);
}

static struct json *extend(struct compose_at *at, struct strvec *chain)
{
	const struct json *service =
		json_get(json_get(at->f->json, "services"), at->path.v[1]);
	const struct json *ref = json_get(service, "extends");
	struct json *own = compose_normal(at, service), *base = NULL;

	if (!own || !ref)
		return own;
	strvec_push(&at->path, "extends");
	base = extended(at, ref, chain);
	strvec_pop(&at->path);
	if (base)
		compose_merge(base, own);
	json_free(own);
	return base;
}

struct json *compose_extend(struct compose_load *l,
			    const struct compose_file *f, const char *name,
			    struct strvec *chain)
{
	CLEANUP(compose_at_release) struct compose_at at = { .l = l, .f = f };
	cleanup_free char *id = xstrfmt("%s %s", f->path, name);
	struct json *j = NULL;

	strvec_push(&at.path, "services");
	strvec_push(&at.path, name);
	if (strvec_has(chain, id))
		compose_fail(&at, true, "the service '%s' extends itself",
			     name);
	else if (chain->nr >= CHAIN_MAX)
		compose_fail(&at, true, "'extends' goes too deep");
	else {
		strvec_push(chain, id);
		j = extend(&at, chain);
		strvec_pop(chain);
	}
	if (j && compose_count(&at, j) < 0) {
		json_free(j);
		return NULL;
	}
	return j;
}
