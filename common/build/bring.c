/* bring.c - blobs from registries and caches into the store, each once */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/await.h"
#include "build/stage.h"
#include "store/lock.h"

/* A blob on its way into the store. */
struct incoming {
	struct bringing *all;
	struct store_writer *writer;
	char digest[DIGEST_TEXT];
	uint64_t size;
};

/* Blobs that are missing: those that are ours to fetch, and the others. */
struct bringing {
	struct store *store;
	struct incoming *in;
	struct registry_blob *blobs;
	size_t n;
	const struct oci_descriptor **foreign;
	size_t n_foreign;
	int locks;
};

static int need_writer(struct incoming *in, struct error *err)
{
	return in->writer ? 0 : store_writer_new(in->all->store, &in->writer,
						 err);
}

static int in_write(void *arg, const void *data, size_t n, struct error *err)
{
	struct incoming *in = arg;

	if (need_writer(in, err) < 0)
		return -1;
	return store_writer_write(in->writer, data, n, err);
}

static int in_restart(void *arg, struct error *err)
{
	struct incoming *in = arg;

	return in->writer ? store_writer_restart(in->writer, err) : 0;
}

static void in_digest(void *arg, char digest[DIGEST_TEXT])
{
	struct incoming *in = arg;

	if (in->writer)
		store_writer_digest(in->writer, digest);
	else
		digest_bytes("", 0, digest);
}

static int in_resume(void *arg, uint64_t *have, struct error *err)
{
	struct incoming *in = arg;

	return store_writer_resume(in->all->store, in->digest, in->size,
				   &in->writer, have, err);
}

static int in_done(void *arg, struct error *err)
{
	struct incoming *in = arg;

	if (need_writer(in, err) < 0 ||
	    store_writer_commit(in->writer, in->digest, NULL, err) < 0)
		return -1;
	in->writer = NULL;
	store_lock_drop(in->all->locks, digest_hex(in->digest));
	return 0;
}

static bool seen_before(const struct oci_descriptor *list, size_t i)
{
	size_t k;

	for (k = 0; k < i; k++)
		if (str_eq(list[k].digest, list[i].digest))
			return true;
	return false;
}

static void bringing_release(struct bringing *b)
{
	size_t i;

	for (i = 0; i < b->n; i++)
		store_writer_free(b->in[i].writer);
	store_unlock(&b->locks);
	free(b->in);
	free(b->blobs);
	free(b->foreign);
}

static void add_own(struct bringing *b, const struct oci_descriptor *d)
{
	struct incoming *in = &b->in[b->n];

	*in = (struct incoming){ .all = b, .size = d->size };
	memcpy(in->digest, d->digest, DIGEST_TEXT);
	b->blobs[b->n++] = (struct registry_blob){
		.desc = *d,
		.sink = { in_write, in_restart, in, in_digest, in_resume },
		.done = in_done,
	};
}

/* It may have come since it was missed. */
static int claim_blob(struct bringing *b, const struct oci_descriptor *d,
		      struct error *err)
{
	const char *name = digest_hex(d->digest);
	int rc = store_lock_add(b->store, name, &b->locks, err);

	if (rc < 0)
		return -1;
	if (!rc)
		b->foreign[b->n_foreign++] = d;
	else if (store_has_blob(b->store, d->digest, NULL))
		store_lock_drop(b->locks, name);
	else
		add_own(b, d);
	return 0;
}

static int claim(struct bringing *b, const struct oci_descriptor *list,
		 size_t n, struct error *err)
{
	size_t i;

	b->in = xcalloc(n + 1, sizeof(*b->in));
	b->blobs = xcalloc(n + 1, sizeof(*b->blobs));
	b->foreign = xcalloc(n + 1, sizeof(*b->foreign));
	for (i = 0; i < n; i++)
		if (!store_has_blob(b->store, list[i].digest, NULL) &&
		    !seen_before(list, i) && claim_blob(b, &list[i], err) < 0)
			return -1;
	return 0;
}

/* With no lock held. 1: what others did may have failed, so look again. */
static int wait_for_others(struct bringing *b, struct error *err)
{
	size_t i;

	store_unlock(&b->locks);
	for (i = 0; i < b->n_foreign; i++)
		if (await_fetch(b->store, digest_hex(b->foreign[i]->digest),
				b->foreign[i], err) < 0)
			return -1;
	return b->n_foreign > 0;
}

int build_bring_blobs(struct store *s, struct registry **r,
		      const struct registry_options *o, const char *origin,
		      const struct oci_descriptor *list, size_t n,
		      struct error *err)
{
	int rc = 1;

	while (rc > 0) {
		CLEANUP(bringing_release) struct bringing b = { .store = s,
								.locks = -1 };

		rc = claim(&b, list, n, err);
		if (!rc)
			rc = cache_pull(r, o, origin, b.blobs, b.n, err);
		if (!rc)
			rc = wait_for_others(&b, err);
	}
	return rc;
}

int build_pull_blobs(struct store *s, struct registry *r,
		     const struct oci_ref *from,
		     const struct oci_descriptor *list, size_t n,
		     struct error *err)
{
	cleanup_free char *origin = xstrfmt("%s/%s", from->host,
					    from->repository);

	return build_bring_blobs(s, &r, NULL, origin, list, n, err);
}
