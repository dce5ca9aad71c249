/* many.c - ask for things of several repositories side by side */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#define TOGETHER 16 /* at once: small answers */

/* Calls side by side, each with the place that it asks. */
struct many {
	struct registry *r;
	struct registry_call *calls;
	struct oci_ref *at;
	struct registry_call **go; /* those that are sent next */
	size_t n_go, alloc;
};

static void many_init(struct many *m, struct registry *r, size_t n)
{
	*m = (struct many){ .r = r, .alloc = n };
	m->calls = xcalloc(n + 1, sizeof(*m->calls));
	m->at = xcalloc(n + 1, sizeof(*m->at));
	m->go = xcalloc(n + 1, sizeof(*m->go));
}

static void many_release(struct many *m)
{
	size_t i;

	for (i = 0; i < m->alloc; i++) {
		if (m->calls[i].r)
			registry_call_release(&m->calls[i]);
		oci_ref_release(&m->at[i]);
	}
	free(m->calls);
	free(m->at);
	free(m->go);
}

static int take_anything(struct registry_call *call UNUSED,
			 struct error *err UNUSED)
{
	return 0;
}

/* NULL: it is for those who try several places. */
static struct registry_call *add(struct many *m, size_t i,
				 const struct oci_ref *ref)
{
	struct registry_call *call = &m->calls[i];

	if (!registry_first_place(m->r, ref, &m->at[i]))
		return NULL;
	registry_call_init(call, m->r, &m->at[i], false);
	call->next = take_anything;
	call->may_fail = call->bare = call->quiet = true;
	m->go[m->n_go++] = call;
	return call;
}

static int send_all(struct many *m)
{
	struct registry_batch b = { .calls = m->go, .n = m->n_go,
				    .parallel = TOGETHER };

	return registry_run(m->r, &b, NULL);
}

static int get_tokens(struct many *m)
{
	struct http_transfer *t = xcalloc(m->n_go + 1, sizeof(*t)), *ended;
	size_t started = 0, i;
	int rc = 1;

	for (i = 0; i < m->n_go; i++) {
		t[i] = (struct http_transfer)HTTP_TRANSFER_INIT;
		t[i].user = m->go[i];
		if (!registry_auth_prepare(m->go[i], &t[i]))
			continue;
		http_start(m->r->http, &t[i]);
		started++;
	}
	while (started && (rc = http_next(m->r->http, &ended, -1, NULL)) > 0) {
		registry_auth_take(ended->user, ended);
		started--;
	}
	for (i = 0; i < m->n_go; i++) {
		http_abort(m->r->http, &t[i]);
		http_transfer_release(&t[i]);
	}
	free(t);
	return rc < 0 ? -1 : 0;
}

/* Send all; those that need tokens get them side by side, too. */
static void run(struct many *m)
{
	size_t kept = 0, i;

	if (send_all(m) < 0)
		return;
	for (i = 0; i < m->n_go; i++)
		if (m->go[i]->t.status == 401)
			m->go[kept++] = m->go[i];
	m->n_go = kept;
	if (!kept || get_tokens(m) < 0)
		return;
	for (i = 0; i < kept; i++)
		m->go[i]->bare = false;
	(void)!send_all(m); /* those without an answer are asked again */
}

static bool may_ask(const char *name, const struct strvec *digests)
{
	const struct gate_question q = { .kind = GATE_IMAGE, .name = name,
					 .digests = digests };

	return gate_check(&q, NULL) == 0;
}

/* What a mirror says, and a missing right, is no last word. */
static bool is_refused(const struct many *m, size_t i, const char *host)
{
	const struct http_transfer *t = &m->calls[i].t;

	return str_eq(m->at[i].host, host) && t->status != 401 &&
	       (t->status || error_is(&t->err));
}

static void take_manifest(struct many *m, size_t i, struct registry_wanted *w)
{
	struct registry_call *call = &m->calls[i];
	cleanup_free char *name = oci_ref_format(w->ref);
	cleanup_strvec struct strvec digests = STRVEC_INIT;
	int rc;

	if (call->t.status != 200 && !is_refused(m, i, w->ref->host))
		return;
	if (call->t.status == 200)
		rc = registry_take_manifest(call, &m->at[i], &w->found,
					    &w->why);
	else
		rc = call->t.status ? registry_refused(call, &w->why)
				    : registry_unreachable(call, &w->why);
	if (rc < 0) {
		error_wrap(&w->why, "%s", name);
		return;
	}
	strvec_push(&digests, w->found.digest);
	w->there = may_ask(name, &digests);
	if (!w->there)
		registry_manifest_release(&w->found);
}

void registry_get_manifests(struct registry *r, struct registry_wanted *list,
			    size_t n)
{
	CLEANUP(many_release) struct many m;
	size_t i;

	many_init(&m, r, n);
	for (i = 0; i < n; i++) {
		cleanup_free char *name = oci_ref_format(list[i].ref);
		struct registry_call *call =
			may_ask(name, NULL) ? add(&m, i, list[i].ref) : NULL;

		list[i].found = (struct registry_manifest){
			.body = STRBUF_INIT
		};
		list[i].there = false;
		list[i].why = (struct error)ERROR_INIT;
		if (call)
			registry_prepare_manifest(call, &m.at[i]);
	}
	run(&m);
	for (i = 0; i < n; i++) {
		if (!m.calls[i].r)
			continue;
		registry_warn(&m.calls[i]);
		take_manifest(&m, i, &list[i]);
	}
}

void registry_get_pieces(struct registry *r, struct registry_piece *list,
			 size_t n)
{
	CLEANUP(many_release) struct many m;
	size_t i;

	many_init(&m, r, n);
	for (i = 0; i < n; i++) {
		struct registry_call *call = add(&m, i, list[i].ref);

		list[i].found = (struct strbuf)STRBUF_INIT;
		list[i].there = false;
		if (!call)
			continue;
		call->t.max = list[i].size;
		registry_call_to(call, "GET",
				 xstrfmt("/v2/%s/blobs/%s",
					 m.at[i].repository, list[i].digest));
	}
	run(&m);
	for (i = 0; i < n; i++) {
		struct strbuf *got = &m.calls[i].t.content;
		char digest[DIGEST_TEXT];

		if (!m.calls[i].r || m.calls[i].t.status != 200)
			continue;
		digest_bytes(got->buf, got->len, digest);
		list[i].there = str_eq(digest, list[i].digest);
		if (!list[i].there)
			continue;
		list[i].found = *got;
		*got = (struct strbuf)STRBUF_INIT;
	}
}
