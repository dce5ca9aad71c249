/* manifest.c - manifests: get and verify, follow indexes, ask, put */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#include <strings.h>

#include "base/log.h"

#define LOOKUPS 16 /* at once: small answers over one connection */
#define ACCEPT "Accept: " OCI_INDEX ", " OCI_MANIFEST ", " DOCKER_LIST ", " \
	DOCKER_MANIFEST
#define SCHEMA1 "application/vnd.docker.distribution.manifest.v1"

void registry_manifest_release(struct registry_manifest *m)
{
	strbuf_release(&m->body);
	free(m->media_type);
	*m = (struct registry_manifest){ .body = STRBUF_INIT };
}

static char *manifest_path(const struct oci_ref *ref)
{
	return xstrfmt("/v2/%s/manifests/%s", ref->repository,
		       ref->digest ? ref->digest : ref->tag);
}

/* Content-Type without its parameters; NULL when there is none. */
static char *content_type(const struct http_transfer *t)
{
	const char *type = http_header(t, "Content-Type", 0);

	return type ? xstrndup(type, strcspn(type, "; \t")) : NULL;
}

static int take_type(struct registry_manifest *m, const struct http_transfer *t,
		     struct error *err)
{
	cleanup_free char *type = content_type(t);
	cleanup_json struct json *j = json_parse("manifest", t->content.buf,
						 t->content.len, err);
	const char *inner = json_get_str(j, "mediaType");

	if (!j)
		return error_recode(err, ERR_NETWORK);
	if (type && str_starts(type, SCHEMA1)) {
		error_set(err, ERR_INPUT,
			  "schema 1 of docker's manifests is not supported");
		return error_hint(err, "push the image again with a current "
				       "tool");
	}
	/* Servers that know no type say so; others must not contradict. */
	if (type && (!*type || str_eq(type, "application/json") ||
		     str_eq(type, "text/plain") ||
		     str_eq(type, "application/octet-stream"))) {
		free(type);
		type = NULL;
	}
	if (type && inner && !str_eq(type, inner))
		return error_set(err, ERR_NETWORK,
				 "the manifest says it is '%s', the registry "
				 "says '%s'",
				 inner, type);
	if (type)
		m->media_type = steal_ptr(&type);
	else if (inner)
		m->media_type = xstrdup(inner);
	else
		m->media_type = xstrdup(json_get(j, "manifests")
						? OCI_INDEX : OCI_MANIFEST);
	return 0;
}

static int check_digest(struct registry_manifest *m,
			const struct http_transfer *t, const char *wanted,
			struct error *err)
{
	const char *said = http_header(t, "Docker-Content-Digest", 0);

	digest_bytes(t->content.buf, t->content.len, m->digest);
	if (!wanted && said && str_starts(said, "sha256:"))
		wanted = said;
	if (wanted && !str_eq(wanted, m->digest))
		return error_set(err, ERR_NETWORK,
				 "the manifest does not match its digest: "
				 "wanted %.80s, got %s",
				 wanted, m->digest);
	return 0;
}

static int got_answer(struct registry_call *call, struct error *err)
{
	return call->t.status == 200 ? 0 : registry_refused(call, err);
}

void registry_prepare_manifest(struct registry_call *call,
			       const struct oci_ref *ref)
{
	call->t.max = OCI_MANIFEST_MAX;
	registry_call_to(call, "GET", manifest_path(ref));
	strvec_push(&call->t.headers, ACCEPT);
}

/* The body of an answer, verified. */
int registry_take_manifest(struct registry_call *call,
			   const struct oci_ref *ref,
			   struct registry_manifest *out, struct error *err)
{
	struct registry_manifest m = { .body = STRBUF_INIT };

	if (check_digest(&m, &call->t, ref->digest, err) < 0 ||
	    take_type(&m, &call->t, err) < 0) {
		registry_manifest_release(&m);
		return -1;
	}
	m.body = call->t.content;
	call->t.content = (struct strbuf)STRBUF_INIT;
	*out = m;
	return 0;
}

static int get(struct registry_call *call, const struct oci_ref *ref,
	       struct registry_manifest *out, struct error *err)
{
	call->next = got_answer;
	registry_prepare_manifest(call, ref);
	if (registry_run_one(call, err) < 0)
		return -1;
	return registry_take_manifest(call, ref, out, err);
}

static int get_at(struct registry *r, const struct oci_ref *at, void *arg,
		  struct error *err)
{
	cleanup_registry_call struct registry_call call;

	registry_call_init(&call, r, at, false);
	return get(&call, at, arg, err);
}

/* Without the name: the caller has it in his own words. */
static int get_unnamed(struct registry *r, const struct oci_ref *ref,
		       struct registry_manifest *out, struct error *err)
{
	return registry_try_places(r, ref, get_at, out, err);
}

/* A name may be allowed for what it stands for only. */
static int ask(const char *name, const struct strvec *digests,
	       struct error *err)
{
	const struct gate_question q = { .kind = GATE_IMAGE, .name = name,
					 .digests = digests };

	return gate_check(&q, err);
}

static int ask_found(const char *name, const struct strvec *digests,
		     struct registry_manifest *found, struct error *err)
{
	if (ask(name, digests, err) == 0)
		return 0;
	registry_manifest_release(found);
	return -1;
}

int registry_get_manifest(struct registry *r, const struct oci_ref *ref,
			  struct registry_manifest *out, struct error *err)
{
	cleanup_free char *name = oci_ref_format(ref);
	cleanup_strvec struct strvec digests = STRVEC_INIT;

	if (ask(name, NULL, err) < 0)
		return -1;
	if (get_unnamed(r, ref, out, err) < 0)
		return error_wrap(err, "%s", name);
	strvec_push(&digests, out->digest);
	return ask_found(name, &digests, out, err);
}

int registry_get_part(struct registry *r, const struct oci_ref *ref,
		      const char *digest, struct registry_manifest *out,
		      struct error *err)
{
	cleanup_oci_ref struct oci_ref part = { 0 };

	oci_ref_copy(&part, ref);
	free(part.digest);
	part.digest = xstrdup(digest);
	if (get_unnamed(r, &part, out, err) < 0)
		return error_wrap(err, "%s/%s@%s", ref->host, ref->repository,
				  digest);
	return 0;
}

static int follow(struct registry *r, const struct oci_ref *ref,
		  const struct oci_platform *platform,
		  struct registry_manifest *m, struct error *err)
{
	cleanup_oci_descriptor struct oci_descriptor d = { 0 };

	if (oci_index_choose(m->body.buf, m->body.len, platform, &d, err) < 0)
		return -1;
	registry_manifest_release(m);
	return registry_get_part(r, ref, d.digest, m, err);
}

static int resolve(struct registry *r, const struct oci_ref *ref,
		   const struct oci_platform *platform, struct strvec *digests,
		   struct registry_manifest *out, struct error *err)
{
	struct registry_manifest m = { .body = STRBUF_INIT };
	int depth = 0;

	if (get_unnamed(r, ref, &m, err) < 0)
		return -1;
	strvec_push(digests, m.digest);
	while (oci_is_index(m.media_type, m.body.buf, m.body.len)) {
		if (++depth > OCI_NESTING_MAX)
			error_set(err, ERR_INPUT,
				  "%s/%s: indexes are nested deeper than %d",
				  ref->host, ref->repository, OCI_NESTING_MAX);
		if (depth > OCI_NESTING_MAX ||
		    follow(r, ref, platform, &m, err) < 0) {
			registry_manifest_release(&m);
			return -1;
		}
		strvec_push(digests, m.digest);
	}
	*out = m;
	return 0;
}

int registry_resolve(struct registry *r, const struct oci_ref *ref,
		     const struct oci_platform *platform,
		     struct registry_manifest *out, struct error *err)
{
	struct registry_manifest m = { .body = STRBUF_INIT };
	cleanup_strvec struct strvec digests = STRVEC_INIT;
	cleanup_free char *name = oci_ref_format(ref);

	if (ask(name, NULL, err) < 0 ||
	    resolve(r, ref, platform, &digests, &m, err) < 0 ||
	    ask_found(name, &digests, &m, err) < 0)
		return -1;
	*out = m;
	return 0;
}

static int asked(struct registry_call *call, struct error *err)
{
	if (call->t.status == 200 || call->t.status == 404)
		return 0;
	return registry_refused(call, err);
}

/* Who may not read one may read none of them; other trouble is one's own. */
static int looked_up(struct registry_call *call, struct error *err)
{
	const struct registry_lookup *l = call->arg;

	if (l->lenient && call->t.status != 401 && call->t.status != 403)
		return 0;
	return asked(call, err);
}

static int take_found(struct registry_call *call, struct registry_lookup *l,
		      struct error *err)
{
	if (call->t.status == 404)
		return 0;
	if (call->t.status != 200)
		return registry_refused(call, err);
	if (registry_take_manifest(call, l->ref, &l->found, err) < 0)
		return -1;
	l->there = true;
	return 0;
}

static bool is_refused(const struct registry_call *call)
{
	return call->t.status != 200 && call->t.status != 404;
}

static int take_all(struct registry_call *calls, struct registry_lookup *list,
		    size_t n, struct error *err)
{
	size_t refused = 0, i;

	for (i = 0; i < n; i++)
		refused += is_refused(&calls[i]);
	for (i = 0; i < n; i++) {
		const struct oci_ref *ref = list[i].ref;
		cleanup_error struct error why = ERROR_INIT;

		if (take_found(&calls[i], &list[i], &why) == 0)
			continue;
		if (!list[i].lenient || refused == n)
			return error_move(err, &why);
		log_warn("%s/%s: %.18s... is not used: %s", ref->host,
			 ref->repository, ref->tag ? ref->tag : ref->digest,
			 why.msg);
	}
	return 0;
}

int registry_look_up(struct registry *r, struct registry_lookup *list,
		     size_t n, struct error *err)
{
	cleanup_free struct registry_call *calls = xcalloc(n + 1,
							   sizeof(*calls));
	cleanup_free struct registry_call **all = xcalloc(n + 1, sizeof(*all));
	struct registry_batch b = { .calls = all, .n = n,
				    .parallel = LOOKUPS };
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		list[i].found = (struct registry_manifest){
			.body = STRBUF_INIT
		};
		list[i].there = false;
		registry_call_init(&calls[i], r, list[i].ref, false);
		calls[i].next = looked_up;
		calls[i].arg = &list[i];
		registry_prepare_manifest(&calls[i], list[i].ref);
		all[i] = &calls[i];
	}
	rc = registry_run(r, &b, err);
	if (!rc)
		rc = take_all(calls, list, n, err);
	for (i = 0; i < n; i++)
		registry_call_release(&calls[i]);
	if (rc < 0 && n)
		return error_wrap(err, "%s/%s", list[0].ref->host,
				  list[0].ref->repository);
	return rc;
}

int registry_has_blob(struct registry *r, const struct oci_ref *ref,
		      const char *digest, struct error *err)
{
	cleanup_registry_call struct registry_call call;

	registry_call_init(&call, r, ref, false);
	call.next = asked;
	registry_call_to(&call, "HEAD", xstrfmt("/v2/%s/blobs/%s",
						ref->repository, digest));
	if (registry_run_one(&call, err) < 0)
		return error_wrap(err, "%s/%s: blob %s", ref->host,
				  ref->repository, digest);
	return call.t.status == 200;
}

int registry_has_manifest(struct registry *r, const struct oci_ref *ref,
			  char digest[DIGEST_TEXT], struct error *err)
{
	cleanup_registry_manifest struct registry_manifest m = {
		.body = STRBUF_INIT
	};
	cleanup_free char *name = oci_ref_format(ref);
	cleanup_registry_call struct registry_call call;
	const char *said;

	registry_call_init(&call, r, ref, false);
	call.next = asked;
	registry_call_to(&call, "HEAD", manifest_path(ref));
	strvec_push(&call.t.headers, ACCEPT);
	if (registry_run_one(&call, err) < 0)
		return error_wrap(err, "%s", name);
	if (call.t.status == 404)
		return 0;
	said = http_header(&call.t, "Docker-Content-Digest", 0);
	if (ref->digest) {
		memcpy(digest, ref->digest, DIGEST_TEXT);
	} else if (said && digest_valid(said)) {
		memcpy(digest, said, DIGEST_TEXT);
	} else {
		/* The header is optional; the bytes always tell. */
		if (registry_get_manifest(r, ref, &m, err) < 0)
			return -1;
		memcpy(digest, m.digest, DIGEST_TEXT);
	}
	return 1;
}

static int was_put(struct registry_call *call, struct error *err)
{
	int status = call->t.status;

	if (status == 201 || status == 200 || status == 202)
		return 0;
	return registry_refused(call, err);
}

int registry_put_manifest(struct registry *r, const struct oci_ref *ref,
			  const char *media_type, const char *body, size_t n,
			  bool *listed, struct error *err)
{
	cleanup_registry_call struct registry_call call;
	char digest[DIGEST_TEXT];

	digest_bytes(body, n, digest);
	registry_call_init(&call, r, ref, true);
	call.next = was_put;
	registry_call_to(&call, "PUT",
			 xstrfmt("/v2/%s/manifests/%s", ref->repository,
				 ref->tag ? ref->tag : digest));
	strvec_pushf(&call.t.headers, "Content-Type: %s", media_type);
	call.t.body = body;
	call.t.body_size = n;
	if (registry_run_one(&call, err) < 0)
		return error_wrap(err, "manifest of %s/%s", ref->host,
				  ref->repository);
	*listed = http_header(&call.t, "OCI-Subject", 0);
	return 0;
}

int registry_push_manifest(struct registry *r, const struct oci_ref *ref,
			   const char *media_type, const char *body, size_t n,
			   struct error *err)
{
	bool listed;

	return registry_put_manifest(r, ref, media_type, body, n, &listed,
				     err);
}
