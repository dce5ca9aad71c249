/* pull.c - fetch blobs in parallel, each verified while it streams */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

struct pull {
	struct registry_call call;
	struct registry_blob *blob;
	struct http_sink sink;
	struct digest digest;
	uint64_t got;
	bool again; /* a wrong digest was seen once */
};

struct pulls {
	struct pull *all;
	size_t n;
};

static int sink_write(void *arg, const void *data, size_t n,
		      struct error *err)
{
	struct pull *p = arg;
	const struct registry_sink *sink = &p->blob->sink;

	if (n > p->blob->desc.size - p->got)
		return error_set(err, ERR_NETWORK,
				 "blob %s is longer than the %llu bytes its "
				 "descriptor says",
				 p->blob->desc.digest,
				 (unsigned long long)p->blob->desc.size);
	p->got += n;
	digest_update(&p->digest, data, n);
	return sink->write(sink->arg, data, n, err);
}

static int sink_restart(void *arg, struct error *err)
{
	struct pull *p = arg;
	const struct registry_sink *sink = &p->blob->sink;

	digest_release(&p->digest);
	digest_init(&p->digest, true);
	if (!p->got)
		return 0;
	p->got = 0;
	return sink->restart(sink->arg, err);
}

/* 1: a first mismatch, to be fetched again from the start. */
static int verify(struct pull *p, struct error *err)
{
	const struct oci_descriptor *d = &p->blob->desc;
	char got[DIGEST_TEXT];

	digest_final_text(&p->digest, got);
	if (p->got == d->size && str_eq(got, d->digest))
		return 0;
	if (!p->again) {
		p->again = true;
		return sink_restart(p, err) < 0 ? -1 : 1;
	}
	if (p->got != d->size)
		return error_set(err, ERR_NETWORK,
				 "blob %s has %llu bytes where its descriptor "
				 "says %llu",
				 d->digest, (unsigned long long)p->got,
				 (unsigned long long)d->size);
	return error_set(err, ERR_NETWORK,
			 "blob %s does not match its digest: got %s",
			 d->digest, got);
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
		return p->blob->done(p->blob->sink.arg, err);
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
		 const struct oci_ref *ref, struct registry_blob *blob)
{
	p->blob = blob;
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

int registry_pull_blobs(struct registry *r, const struct oci_ref *ref,
			struct registry_blob *blobs, size_t n,
			struct error *err)
{
	cleanup_free struct pull *list = xcalloc(n + 1, sizeof(*list));
	cleanup_free struct registry_call **calls = xcalloc(n + 1,
							    sizeof(*calls));
	cleanup_free char *title = xstrfmt("pulling %s/%s", ref->host,
					   ref->repository);
	struct pulls all = { .all = list, .n = n };
	struct registry_batch b = { .calls = calls, .n = n,
				    .parallel = r->o.parallel,
				    .title = title,
				    .moved = moved, .arg = &all };
	size_t i;
	int rc;

	if (!n)
		return 0;
	for (i = 0; i < n; i++) {
		init(&list[i], r, ref, &blobs[i]);
		calls[i] = &list[i].call;
		b.total += blobs[i].desc.size;
	}
	rc = registry_run(r, &b, err);
	for (i = 0; i < n; i++) {
		registry_call_release(&list[i].call);
		digest_release(&list[i].digest);
	}
	return rc < 0 ? error_wrap(err, "%s/%s", ref->host, ref->repository)
		      : 0;
}
