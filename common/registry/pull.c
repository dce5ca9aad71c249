/* pull.c - fetch blobs in parallel, each verified while it streams */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#include "base/log.h"

struct pull {
	struct registry_call call;
	struct registry_blob *blob;
	struct http_sink sink;
	struct digest digest;
	uint64_t got;
	bool again; /* a wrong digest was seen once */
	bool *have; /* told when it has come */
};

struct pulls {
	struct pull *all;
	size_t n;
};

static int sink_restart(void *arg, struct error *err);

static int sink_write(void *arg, const void *data, size_t n,
		      struct error *err)
{
	struct pull *p = arg;
	const struct registry_sink *sink = &p->blob->sink;

	if (n > p->blob->desc.size - p->got) {
		if (sink_restart(p, err) < 0)
			return -1;
		return error_set(err, ERR_NETWORK,
				 "blob %s is longer than the %llu bytes its "
				 "descriptor says",
				 p->blob->desc.digest,
				 (unsigned long long)p->blob->desc.size);
	}
	p->got += n;
	if (!sink->digest)
		digest_update(&p->digest, data, n);
	return sink->write(sink->arg, data, n, err);
}

static int sink_restart(void *arg, struct error *err)
{
	struct pull *p = arg;
	const struct registry_sink *sink = &p->blob->sink;

	digest_release(&p->digest);
	digest_init(&p->digest, true);
	p->got = 0;
	p->call.t.begin = 0;
	return sink->restart(sink->arg, err);
}

/* What is refuted is no beginning for another time. */
static int refute(struct pull *p, const char *digest, struct error *err)
{
	const struct oci_descriptor *d = &p->blob->desc;
	uint64_t got = p->got;

	if (sink_restart(p, err) < 0)
		return -1;
	if (got != d->size)
		return error_set(err, ERR_NETWORK,
				 "blob %s has %llu bytes where its descriptor "
				 "says %llu",
				 d->digest, (unsigned long long)got,
				 (unsigned long long)d->size);
	return error_set(err, ERR_NETWORK,
			 "blob %s does not match its digest: got %s",
			 d->digest, digest);
}

/* 1: a first mismatch, to be fetched again from the start. */
static int verify(struct pull *p, struct error *err)
{
	const struct oci_descriptor *d = &p->blob->desc;
	char got[DIGEST_TEXT];

	if (p->blob->sink.digest)
		p->blob->sink.digest(p->blob->sink.arg, got);
	else
		digest_final_text(&p->digest, got);
	if (p->got == d->size && str_eq(got, d->digest))
		return 0;
	if (p->again)
		return refute(p, got, err);
	p->again = true;
	return sink_restart(p, err) < 0 ? -1 : 1;
}

static int next(struct registry_call *call, struct error *err)
{
	struct pull *p = call->arg;
	int rc;

	if (call->t.status != 200 && call->t.status != 206) {
		registry_refused(call, err);
		return error_wrap(err, "blob %s", p->blob->desc.digest);
	}
	rc = verify(p, err);
	if (rc == 0 && p->blob->done)
		rc = p->blob->done(p->blob->sink.arg, err);
	*p->have = rc == 0;
	return rc;
}

static uint64_t moved(const void *arg)
{
	const struct pulls *all = arg;
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < all->n; i++)
		sum += all->all[i].got;
	return sum;
}

static void init(struct pull *p, struct registry *r,
		 const struct oci_ref *ref, struct registry_blob *blob,
		 bool *have)
{
	p->blob = blob;
	p->have = have;
	p->sink = (struct http_sink){ sink_write, sink_restart, p };
	digest_init(&p->digest, true);
	registry_call_init(&p->call, r, ref, false);
	p->call.next = next;
	p->call.arg = p;
	p->call.t.sink = &p->sink;
	registry_call_to(&p->call, "GET",
			 xstrfmt("/v2/%s/blobs/%s", ref->repository,
				 blob->desc.digest));
}

/* Blobs on their way; those that one place served need no other. */
struct fetch {
	struct registry_blob *blobs;
	bool *have;
	size_t n;
	bool again; /* what came from another place is dropped */
};

/* A part that an earlier process got. */
static int resume(struct pull *p, struct error *err)
{
	const struct registry_sink *sink = &p->blob->sink;

	if (!sink->resume || sink->resume(sink->arg, &p->got, err) < 0)
		return sink->resume ? -1 : 0;
	p->call.t.begin = p->got;
	if (p->got)
		log_info("going on with blob %.19s at %llu of %llu bytes",
			 p->blob->desc.digest, (unsigned long long)p->got,
			 (unsigned long long)p->blob->desc.size);
	return 0;
}

static int begin(struct fetch *f, struct registry *r, const struct oci_ref *at,
		 struct pull *list, struct registry_batch *b,
		 struct error *err)
{
	size_t i;

	for (i = 0; i < f->n; i++) {
		if (f->have[i])
			continue;
		init(&list[b->n], r, at, &f->blobs[i], &f->have[i]);
		b->calls[b->n] = &list[b->n].call;
		b->total += f->blobs[i].desc.size;
		b->n++;
		if (!f->again && resume(&list[b->n - 1], err) < 0)
			return -1;
	}
	f->again = true;
	return 0;
}

static int drop_partial(struct fetch *f, struct error *err)
{
	size_t i;

	for (i = 0; f->again && i < f->n; i++) {
		const struct registry_sink *sink = &f->blobs[i].sink;

		if (!f->have[i] && sink->restart(sink->arg, err) < 0)
			return -1;
	}
	return 0;
}

static int fetch_at(struct registry *r, const struct oci_ref *at, void *arg,
		    struct error *err)
{
	struct fetch *f = arg;
	cleanup_free struct pull *list = xcalloc(f->n, sizeof(*list));
	cleanup_free struct registry_call **calls = xcalloc(f->n,
							    sizeof(*calls));
	cleanup_free char *title = xstrfmt("pulling %s/%s", at->host,
					   at->repository);
	struct pulls all = { .all = list };
	struct registry_batch b = { .calls = calls,
				    .parallel = r->o.parallel,
				    .title = title,
				    .moved = moved, .arg = &all };
	size_t i;
	int rc;

	if (drop_partial(f, err) < 0)
		return -1;
	rc = begin(f, r, at, list, &b, err);
	all.n = b.n;
	if (!rc)
		rc = registry_run(r, &b, err);
	for (i = 0; i < b.n; i++) {
		registry_call_release(&list[i].call);
		digest_release(&list[i].digest);
	}
	return rc;
}

int registry_pull_blobs(struct registry *r, const struct oci_ref *ref,
			struct registry_blob *blobs, size_t n,
			struct error *err)
{
	cleanup_free bool *have = xcalloc(n + 1, sizeof(*have));
	struct fetch f = { .blobs = blobs, .have = have, .n = n };

	if (!n)
		return 0;
	if (registry_try_places(r, ref, fetch_at, &f, err) < 0)
		return error_wrap(err, "%s/%s", ref->host, ref->repository);
	return 0;
}
