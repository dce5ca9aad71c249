/* lookup.c - what names mean, and what describes the images they mean */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/signals.h"
#include "build/docs.h"
#include "build/lookup.h"

void lookup_release(struct lookups *l)
{
	size_t i;

	for (i = 0; i < l->nr; i++) {
		oci_ref_release(&l->v[i].ref);
		job_release(&l->v[i].job);
	}
	free(l->v);
}

int lookup_add(struct lookups *l, struct build *b, const char *name,
		const struct oci_platform *platform, struct error *err)
{
	struct lookup *one;

	GROW(l->v, l->nr, l->alloc);
	one = &l->v[l->nr++];
	*one = (struct lookup){
		.b = b, .name = name, .platform = platform, .job = JOB_INIT
	};
	if (oci_ref_parse(&one->ref, name, err) < 0)
		return -1;
	if (one->ref.digest)
		memcpy(one->digest, one->ref.digest, DIGEST_TEXT);
	return 0;
}

/* --- several at once --- */

/* Start what may start, and take what has ended; `failed` is the one whose
 * error it was. */
static int proceed(struct lookups *l, job_run run, size_t max, bool *left,
		   size_t *failed, struct error *err)
{
	size_t running = 0, i;

	*left = false;
	for (i = 0; i < l->nr; i++) {
		struct lookup *one = &l->v[i];

		*failed = i;
		if (one->job.pid && one->job.fd < 0 &&
		    job_finish(&one->job, err) < 0)
			return -1;
		running += one->job.pid > 0;
	}
	for (i = 0; i < l->nr; i++) {
		struct lookup *one = &l->v[i];

		if (!one->started && running < max) {
			if (job_start(&one->job, run, one, NULL, NULL, err) <
			    0)
				return -1;
			one->started = true;
			running++;
		}
		*left = *left || !one->started || one->job.pid > 0;
	}
	return 0;
}

/* Run it for all that have not started yet. */
static int run_jobs(struct build *b, struct lookups *l, job_run run,
		    size_t *failed, struct error *err)
{
	cleanup_free struct job **jobs = xcalloc(l->nr + 1, sizeof(*jobs));
	bool left;
	size_t i;

	for (i = 0; i < l->nr; i++)
		jobs[i] = &l->v[i].job;
	for (;;) {
		if (signals_check(err) < 0 ||
		    proceed(l, run, build_jobs(b), &left, failed, err) < 0)
			return -1;
		if (!left)
			return 0;
		if (job_wait(jobs, l->nr, -1, err) < 0)
			return -1;
	}
}

/* --- what a name means --- */

/* "" where that cannot be said so: the whole answer will tell why. But who
 * cannot be reached now is not tried once more. */
static int find_digest(struct registry *r, const struct oci_ref *ref,
		       char digest[DIGEST_TEXT], struct error *err)
{
	cleanup_error struct error why = ERROR_INIT;

	if (registry_find_digest(r, ref, digest, &why) == 0)
		return 0;
	*digest = '\0';
	return why.code == ERR_NETWORK ? error_move(err, &why) : 0;
}

static int ask_digest(void *arg, struct strbuf *result, struct error *err)
{
	const struct lookup *l = arg;
	struct build *b = l->b;
	char digest[DIGEST_TEXT];

	if ((!b->registry &&
	     registry_new(&b->registry, b->o->registry, err) < 0) ||
	    find_digest(b->registry, &l->ref, digest, err) < 0)
		return -1;
	strbuf_addstr(result, digest);
	return 0;
}

/* What has the library of the network need not load it in each of its forks,
 * which takes as long as several requests. */
static int load_once(struct build *b, struct error *err)
{
	return b->share ? 0 : registry_new(&b->share, b->o->registry, err);
}

/* A single one needs no process of its own. */
static int ask_here(struct build *b, struct lookup *l, struct error *err)
{
	if (load_once(b, err) < 0)
		return -1;
	return find_digest(b->share, &l->ref, l->digest, err);
}

static int ask_digests(struct build *b, struct lookups *l, size_t *failed,
		       struct error *err)
{
	size_t open = 0, last = 0, i;

	for (i = 0; i < l->nr; i++) {
		l->v[i].started = *l->v[i].digest;
		if (l->v[i].started)
			continue;
		open++;
		last = i;
	}
	if (!open)
		return 0;
	*failed = last;
	if (open == 1)
		return ask_here(b, &l->v[last], err);
	if (load_once(b, err) < 0 ||
	    run_jobs(b, l, ask_digest, failed, err) < 0)
		return -1;
	for (i = 0; i < l->nr; i++) {
		struct lookup *one = &l->v[i];

		if (!*one->digest && digest_valid(one->job.result.buf))
			memcpy(one->digest, one->job.result.buf, DIGEST_TEXT);
		job_release(&one->job);
		one->job = (struct job)JOB_INIT;
	}
	return 0;
}

/* --- what describes it --- */

/* One line with the digest, then the documents. */
static int fetch(void *arg, struct strbuf *result, struct error *err)
{
	const struct lookup *l = arg;
	struct build *b = l->b;
	CLEANUP(docs_release) struct build_docs docs = { 0 };
	char digest[DIGEST_TEXT];

	if (!b->registry &&
	    registry_new(&b->registry, b->o->registry, err) < 0)
		return -1;
	if (docs_fetch(&docs, b->o->store, b->registry, &l->ref, l->platform,
		       digest, err) < 0)
		return -1;
	strbuf_addf(result, "%s\n", digest);
	docs_write(&docs, result);
	return 0;
}

static int take_fetched(struct build *b, struct lookup *l, struct error *err)
{
	const struct strbuf *r = &l->job.result;

	l->found = true;
	memcpy(l->digest, r->buf, DIGEST_TEXT - 1);
	return docs_read(&b->docs, r->buf + DIGEST_TEXT, r->len - DIGEST_TEXT,
			 err);
}

static bool is_known(struct build *b, const struct lookup *l)
{
	cleanup_store_image struct store_image image = { 0 };

	return *l->digest && docs_image(&b->docs, &l->ref, l->digest,
					l->platform, &image, NULL) > 0;
}

static int fetch_rest(struct build *b, struct lookups *l, size_t *failed,
		      struct error *err)
{
	size_t open = 0, i;

	for (i = 0; i < l->nr; i++) {
		l->v[i].started = l->v[i].found;
		open += !l->v[i].found;
	}
	if ((open > 1 && load_once(b, err) < 0) ||
	    run_jobs(b, l, fetch, failed, err) < 0)
		return -1;
	for (i = 0; i < l->nr; i++)
		if (!l->v[i].found && take_fetched(b, &l->v[i], err) < 0)
			return -1;
	return 0;
}

static bool find_known(struct build *b, struct lookups *l)
{
	bool all = true;
	size_t i;

	for (i = 0; i < l->nr; i++) {
		l->v[i].found = is_known(b, &l->v[i]);
		all = all && l->v[i].found;
	}
	return all;
}

/* Where a cache may know what describes an image, a tag is resolved by asking
 * for its digest alone. */
int lookup_run(struct build *b, struct lookups *l, size_t *failed,
	       struct error *err)
{
	bool cached = b->o->cache_from && b->o->cache_from->nr;

	*failed = 0;
	if (cached && ask_digests(b, l, failed, err) < 0)
		return -1;
	if (!find_known(b, l) && cached) {
		if (bases_read(b, l, err) < 0)
			return -1;
		find_known(b, l);
	}
	return fetch_rest(b, l, failed, err);
}
