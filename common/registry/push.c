/* push.c - push blobs in parallel: ask, mount, or have them sent */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/push.h"

#include <unistd.h>

#include "base/log.h"

#define CLEANUP_MS 2000

struct pushes {
	struct push *all;
	size_t n;
};

static void ask(struct push *p)
{
	p->state = PUSH_ASK;
	registry_call_to(&p->call, "HEAD",
			 xstrfmt("/v2/%s/blobs/%s", p->call.repository,
				 p->source->digest));
}

static bool may_mount(const struct push *p)
{
	return p->source->mount_from && !p->call.host->no_mounts;
}

/* A repository name needs no escaping but for its slashes. */
static void begin(struct push *p)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;

	p->state = PUSH_BEGIN;
	strbuf_addf(&path, "/v2/%s/blobs/uploads/", p->call.repository);
	if (may_mount(p)) {
		url_add_query(&path, "mount", p->source->digest);
		url_add_query(&path, "from", p->source->mount_from);
	}
	registry_call_to(&p->call, "POST", strbuf_detach(&path));
}

static int end(struct push *p, int how)
{
	resume_forget(p);
	p->source->how = how;
	p->done = true;
	free(p->place);
	p->place = NULL;
	return 0;
}

/* Where to send the blob: a URL of the registry's choice, relative or not.
 * Registries behind a proxy that ends TLS often name themselves with http. */
static int find_place(struct push *p, struct url *place, struct url *own,
		      struct error *err)
{
	const char *location = http_header(&p->call.t, "Location", 0);

	/* Told with the first answer, and where it changes. */
	if (!location)
		location = p->place;
	if (!location)
		return error_set(err, ERR_NETWORK,
				 "%s began an upload without saying where to "
				 "send it (no Location)",
				 p->call.host->name);
	if (url_parse(own, p->call.t.url, err) < 0)
		return -1;
	if (url_resolve(place, own, location, err) < 0)
		return error_wrap(err, "%s: Location of an upload",
				  p->call.host->name);
	if (own->tls && !place->tls) {
		if (!str_eq(own->host, place->host))
			return error_set(err, ERR_REFUSED,
					 "%s wants the blob sent to '%s' "
					 "without TLS",
					 p->call.host->name, place->host);
		place->tls = true;
		place->port = own->port;
	}
	return 0;
}

int push_open_source(struct push *p, struct error *err)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	return p->source->open(p->source->arg, &p->fd, err);
}

/* Credentials are for the registry, not for where it wants a blob sent. */
static bool is_elsewhere(const struct push *p, const struct url *place)
{
	cleanup_free char *text = registry_host_url(p->call.host, "/");
	cleanup_url struct url home = { 0 };

	return url_parse(&home, text, NULL) < 0 ||
	       !url_same_origin(place, &home);
}

int push_to_place(struct push *p, const char *method, bool add_digest,
		  struct error *err)
{
	struct http_transfer *t = &p->call.t;
	cleanup_url struct url place = { 0 }, own = { 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (find_place(p, &place, &own, err) < 0)
		return -1;
	if (t->status)
		p->reach = MIN(p->reach, t->peer);
	registry_call_to(&p->call, method, NULL);
	p->call.elsewhere = is_elsewhere(p, &place);
	if (p->call.elsewhere)
		t->limit = p->reach;
	free(p->place);
	url_format(&place, &text);
	p->place = xstrdup(text.buf);
	if (add_digest)
		url_add_query(&text, "digest", p->source->digest);
	free(t->url);
	t->url = strbuf_detach(&text);
	t->once = true;
	p->call.may_fail = true;
	resume_note(p);
	return 1;
}

/* A mount that did not happen became an upload that nobody wants. */
static int decline(struct push *p, struct error *err)
{
	p->state = PUSH_TAKE_BACK;
	return push_to_place(p, "DELETE", false, err);
}

/* After a broken upload nobody knows how much the registry kept, and some
 * append what is sent twice; a new upload is always right. */
int push_start_over(struct push *p, struct error *err)
{
	if (push_count_failure(p, err) < 0)
		return -1;
	p->call.may_fail = false;
	ask(p);
	p->call.t.delay_ms = push_pause_ms(p);
	return 1;
}

int push_anew(struct push *p)
{
	resume_forget(p);
	p->recalled = false;
	p->call.may_fail = false;
	free(steal_ptr(&p->place));
	ask(p);
	return 1;
}

int push_count_failure(struct push *p, struct error *err)
{
	cleanup_error struct error cause = ERROR_INIT;
	int status = p->call.t.status;

	if (++p->tries >= (p->call.r->o.retries ? p->call.r->o.retries : 5) ||
	    (!status && p->call.t.err.code == ERR_SYSTEM) ||
	    p->call.t.inward)
		return status ? registry_refused(&p->call, err)
			      : registry_unreachable(&p->call, err);
	if (!status)
		error_move(&cause, &p->call.t.err);
	log_info("%s: upload of %.19s failed (%s); trying again",
		 p->call.host->name, p->source->digest,
		 cause.msg ? cause.msg : "the registry was in trouble");
	return 0;
}

int push_pause_ms(const struct push *p)
{
	return 250 << MIN(p->tries, 6);
}

static int next(struct registry_call *call, struct error *err)
{
	struct push *p = call->arg;
	int status = call->t.status, rc;

	switch (p->state) {
	case PUSH_ASK:
		if (status == 200)
			return end(p, BLOB_EXISTED);
		/* Without the right to pull, asking is refused but sending
		 * may still be allowed. */
		if (status != 404 && status != 403)
			break;
		if (!p->source->open && !may_mount(p))
			return end(p, BLOB_MISSING);
		if (resume_recall(p))
			return upload_resume(p, err);
		begin(p);
		return 1;
	case PUSH_BEGIN:
		if (status == 201)
			return end(p, BLOB_MOUNTED);
		if (status != 202)
			break;
		return p->source->open ? upload_begin(p, err) : decline(p, err);
	case PUSH_TAKE_BACK:
		return end(p, BLOB_MISSING);
	default:
		rc = upload_next(p, err);
		return rc ? rc : end(p, BLOB_UPLOADED);
	}
	registry_refused(call, err);
	return error_wrap(err, "blob %s", p->source->digest);
}

static uint64_t moved(const void *arg)
{
	const struct pushes *all = arg;
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < all->n; i++)
		sum += all->all[i].done ? all->all[i].source->size
					: all->all[i].offset +
						  http_sent(&all->all[i].call.t);
	return sum;
}

/* What did not fail but was cut off may be gone on with. */
static bool is_left(const struct push *p)
{
	return p->noted && p->call.t.status < 400;
}

/* Other uploads that were begun and will not be ended are taken back, as far
 * as the registry lets us; nobody waits long for it. */
static void take_back(struct registry *r, struct pushes *all)
{
	int64_t deadline = registry_now_ms() + CLEANUP_MS;
	struct http_transfer *t;
	size_t i, n = 0;

	http_ignore_signals(r->http, true);
	for (i = 0; i < all->n; i++) {
		struct push *p = &all->all[i];
		cleanup_url struct url place = { 0 };

		if (!p->place || is_left(p) ||
		    url_parse(&place, p->place, NULL) < 0)
			continue;
		resume_forget(p);
		http_abort(r->http, &p->call.t);
		registry_call_to(&p->call, "DELETE", NULL);
		free(p->call.t.url);
		p->call.t.url = steal_ptr(&p->place);
		p->call.t.once = true;
		p->call.elsewhere = is_elsewhere(p, &place);
		p->call.t.tls = p->call.elsewhere ? NULL : &p->call.host->tls;
		if (p->call.elsewhere)
			p->call.t.limit = p->reach;
		else if (registry_auth_header(&p->call))
			strvec_push(&p->call.t.headers,
				    registry_auth_header(&p->call));
		http_start(r->http, &p->call.t);
		n++;
	}
	while (n && registry_now_ms() < deadline)
		if (http_next(r->http, &t, 100, NULL) > 0)
			n--;
	http_abort(r->http, NULL);
	http_ignore_signals(r->http, false);
}

static void init(struct push *p, struct registry *r,
		 const struct oci_ref *ref, struct registry_source *source)
{
	p->source = source;
	p->fd = -1;
	p->reach = URL_LOCAL;
	registry_call_init(&p->call, r, ref, true);
	p->call.next = next;
	p->call.arg = p;
	/* The right to pull from there is asked for from the beginning: one
	 * token serves all requests of the blob. */
	p->call.mount_from = source->mount_from;
	ask(p);
}

/* An image may have one blob twice, most often the empty layer. */
static size_t first_of(const struct registry_source *sources, size_t i)
{
	size_t k = 0;

	while (!str_eq(sources[k].digest, sources[i].digest))
		k++;
	return k;
}

static void release(struct push *p)
{
	registry_call_release(&p->call);
	if (p->fd >= 0)
		close(p->fd);
	free(p->place);
}

int registry_push_blobs(struct registry *r, const struct oci_ref *ref,
			struct registry_source *sources, size_t n,
			struct error *err)
{
	cleanup_free struct push *list = xcalloc(n + 1, sizeof(*list));
	cleanup_free struct registry_call **calls = xcalloc(n + 1,
							    sizeof(*calls));
	cleanup_free char *title = xstrfmt("pushing to %s/%s", ref->host,
					   ref->repository);
	struct pushes all = { .all = list, .n = n };
	struct registry_batch b = { .calls = calls,
				    .parallel = r->o.parallel,
				    .title = title,
				    .moved = moved, .arg = &all };
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		init(&list[i], r, ref, &sources[i]);
		if (first_of(sources, i) < i)
			continue;
		calls[b.n++] = &list[i].call;
		b.total += sources[i].size;
	}
	if (!b.n)
		return 0;
	rc = registry_run(r, &b, err);
	if (rc < 0)
		take_back(r, &all);
	for (i = 0; i < n; i++) {
		sources[i].how = sources[first_of(sources, i)].how;
		release(&list[i]);
	}
	return rc < 0 ? error_wrap(err, "%s/%s", ref->host, ref->repository)
		      : 0;
}
