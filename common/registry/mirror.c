/* mirror.c - other hosts that serve a registry's images, asked first */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#include <strings.h>

#include "base/log.h"

#define DEFAULT_ORIGIN "docker.io"

static void mirror_release(struct registry_mirror *m)
{
	free(m->origin);
	free(m->host);
	free(m->prefix);
}

void registry_mirrors_release(struct registry *r)
{
	size_t i;

	for (i = 0; i < r->n_mirrors; i++)
		mirror_release(&r->mirrors[i]);
	free(r->mirrors);
	r->mirrors = NULL;
	r->n_mirrors = 0;
}

static bool is_host(const char *name)
{
	return *name && !name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
					   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					   "0123456789.-:[]")];
}

/* A prefix is the beginning of a repository's name, so that grammar holds. */
static int check(const struct registry_mirror *m, const char *text,
		 struct error *err)
{
	cleanup_free char *name = xstrfmt("host.invalid/%s/x",
					  m->prefix ? m->prefix : "x");
	cleanup_oci_ref struct oci_ref ref = { 0 };

	if (is_host(m->origin) && is_host(m->host) &&
	    oci_ref_parse(&ref, name, NULL) == 0)
		return 0;
	error_set(err, ERR_USAGE, "'%s' names no registry mirror", text);
	return error_hint(err, "write HOST[:PORT][/PREFIX] for a mirror of "
			       "docker.io, ORIGIN=HOST... for another "
			       "registry's");
}

static int add(struct registry *r, const char *text, struct error *err)
{
	const char *equals = strchr(text, '=');
	const char *place = equals ? equals + 1 : text;
	const char *slash = strchr(place, '/');
	struct registry_mirror *m;

	r->mirrors = xrealloc_array(r->mirrors, r->n_mirrors + 1,
				    sizeof(*r->mirrors));
	m = &r->mirrors[r->n_mirrors++];
	*m = (struct registry_mirror){
		.origin = equals ? xstrndup(text, (size_t)(equals - text))
				 : xstrdup(DEFAULT_ORIGIN),
		.host = slash ? xstrndup(place, (size_t)(slash - place))
			      : xstrdup(place),
		.prefix = slash && slash[1] ? xstrdup(slash + 1) : NULL,
	};
	return check(m, text, err);
}

int registry_mirrors_load(struct registry *r, const struct strvec *list,
			  struct error *err)
{
	size_t i, k;

	for (i = 0; i < list->nr; i++) {
		cleanup_strvec struct strvec words = STRVEC_INIT;

		strvec_split(&words, list->v[i], ",;");
		for (k = 0; k < words.nr; k++)
			if (add(r, words.v[k], err) < 0)
				return -1;
	}
	return 0;
}

bool registry_is_mirror(const struct registry *r, const char *host)
{
	size_t i;

	for (i = 0; i < r->n_mirrors; i++)
		if (!strcasecmp(r->mirrors[i].host, host))
			return true;
	return r->moved_host && str_eq(r->moved_host, host);
}

static void place(const struct registry_mirror *m, const struct oci_ref *ref,
		  struct oci_ref *out)
{
	oci_ref_copy(out, ref);
	free(out->host);
	out->host = xstrdup(m->host);
	if (!m->prefix)
		return;
	free(out->repository);
	out->repository = xstrfmt("%s/%s", m->prefix, ref->repository);
}

/* Another place may do better where the network or a registry failed, not
 * where this machine did. */
static bool may_go_on(const struct error *e)
{
	return e->code == ERR_NETWORK || e->code == ERR_REFUSED;
}

/* Where the policy has an image read, and nowhere else. */
static int try_moved(struct registry *r, const struct oci_ref *ref,
		     const char *to, registry_try_fn fn, void *arg,
		     struct error *err)
{
	const char *before = r->moved_host;
	cleanup_oci_ref struct oci_ref at = { 0 };
	int rc;

	if (oci_ref_parse(&at, to, err) < 0)
		return -1;
	free(at.tag);
	at.tag = xstrdup_null(ref->tag);
	at.digest = xstrdup_null(ref->digest);
	r->moved_host = at.host;
	rc = fn(r, &at, arg, err);
	r->moved_host = before;
	return rc < 0 ? error_wrap(err, "by way of %s", to) : 0;
}

int registry_try_places(struct registry *r, const struct oci_ref *ref,
			registry_try_fn fn, void *arg, struct error *err)
{
	cleanup_free char *name = xstrfmt("%s/%s", ref->host,
					  ref->repository);
	const struct gate_question q = { .kind = GATE_IMAGE, .name = name };
	cleanup_free char *to = NULL;
	size_t i;

	if (gate_check(&q, err) < 0)
		return -1;
	to = gate_moved(name);
	if (to)
		return try_moved(r, ref, to, fn, arg, err);
	for (i = 0; i < r->n_mirrors; i++) {
		const struct registry_mirror *m = &r->mirrors[i];
		cleanup_oci_ref struct oci_ref at = { 0 };
		cleanup_error struct error why = ERROR_INIT;

		if (strcasecmp(m->origin, ref->host) != 0)
			continue;
		place(m, ref, &at);
		if (fn(r, &at, arg, &why) == 0)
			return 0;
		if (!may_go_on(&why))
			return error_move(err, &why);
		log_info("mirror %s does not serve %s/%s: %s", m->host,
			 ref->host, ref->repository, why.msg);
	}
	return fn(r, ref, arg, err);
}

bool registry_first_place(const struct registry *r, const struct oci_ref *ref,
			  struct oci_ref *at)
{
	cleanup_free char *name = xstrfmt("%s/%s", ref->host,
					  ref->repository);
	cleanup_free char *to = gate_moved(name);
	size_t i;

	if (to)
		return false;
	for (i = 0; i < r->n_mirrors; i++)
		if (!strcasecmp(r->mirrors[i].origin, ref->host))
			break;
	if (i < r->n_mirrors)
		place(&r->mirrors[i], ref, at);
	else
		oci_ref_copy(at, ref);
	return true;
}
