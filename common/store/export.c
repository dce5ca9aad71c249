/* export.c - digests and compressed forms of layers, made when asked for */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include "wrap/ring.h"

/* Thread one walks, makes the tar and hashes it; thread two compresses,
 * hashes that and writes. */
struct export {
	struct ring *ring; /* NULL: only the digest is wanted */
	struct digest digest;
	uint64_t size;
	int64_t latest; /* time of a file */
	struct compress *compress;
	struct store_writer *writer;
	struct error err; /* of thread two */
};

static int take_tar(void *arg, const void *data, size_t n, struct error *err)
{
	struct export *x = arg;

	/* The tar writer's pieces are RING_CHUNK bytes, except the last: so
	 * the compressor always sees the same ones. */
	if (!x->size)
		digest_init(&x->digest, n == RING_CHUNK);
	digest_update(&x->digest, data, n);
	x->size += n;
	if (x->ring && !ring_write(x->ring, data, n))
		return error_set(err, ERR_SYSTEM, "compression was ended");
	return 0;
}

static int to_blob(void *arg, const void *data, size_t n, struct error *err)
{
	struct export *x = arg;

	return n ? store_writer_write(x->writer, data, n, err) : 0;
}

static void compress_main(void *arg)
{
	struct export *x = arg;
	bool ok = true;
	void *data;
	size_t n;

	while ((data = ring_take(x->ring, &n))) {
		if (ok && compress_write(x->compress, data, n, &x->err) < 0) {
			ok = false;
			ring_cancel(x->ring);
		}
		ring_give(x->ring);
	}
	if (ok && compress_end(x->compress, &x->err) < 0)
		log_debug("compression failed at the end");
}

static int same_diff_id(const struct store_meta *meta, const char *found,
			struct error *err)
{
	if (!*meta->diff_id || str_eq(meta->diff_id, found))
		return 0;
	error_set(err, ERR_SYSTEM,
		  "cannot be made again as the archive it came from");
	return error_hint(err, "pull the image again, so that the registry's "
			       "blob is used");
}

static int find_diff_id(struct store *s, const char *const *chain, size_t i,
			const struct view *view,
			const struct store_meta *metas,
			char diff_id[DIGEST_TEXT], struct error *err)
{
	struct export x = { .ring = NULL };
	struct store_meta meta;

	if (store_get_meta(s, chain[i], &meta, err) < 0)
		return -1;
	if (diff_tar(s, view, i, metas, take_tar, &x, err) < 0) {
		digest_release(&x.digest);
		return error_wrap(err, "layer %.12s", chain[i]);
	}
	digest_final_text(&x.digest, diff_id);
	memcpy(meta.diff_id, diff_id, DIGEST_TEXT);
	meta.size = x.size;
	return store_set_meta(s, chain[i], &meta, err);
}

/* One that is compared with nothing needs no layer below to be here. */
static int find_alone(struct store *s, const char *const *layer,
		      const struct store_meta *meta, char diff_id[DIGEST_TEXT],
		      struct error *err)
{
	cleanup_view struct view view = { .n = 0 };

	if (view_open(s, layer, 1, &view, err) < 0)
		return -1;
	return find_diff_id(s, layer, 0, &view, meta, diff_id, err);
}

/* What the metas know; *n is where the last one that they do not know ends. */
static int known_diff_ids(struct store *s, const char *const *chain, size_t *n,
			  char (*diff_ids)[DIGEST_TEXT], struct error *err)
{
	size_t end = 0;

	for (size_t i = 0; i < *n; i++) {
		struct store_meta meta;

		if (*diff_ids[i])
			continue;
		if (store_get_meta(s, chain[i], &meta, err) < 0)
			return -1;
		memcpy(diff_ids[i], meta.diff_id, DIGEST_TEXT);
		if (*meta.diff_id)
			continue;
		if (!meta.alone)
			end = i + 1;
		else if (find_alone(s, chain + i, &meta, diff_ids[i], err) < 0)
			return -1;
	}
	*n = end;
	return 0;
}

int store_diff_ids(struct store *s, const char *const *chain, size_t n,
		   char (*diff_ids)[DIGEST_TEXT], struct error *err)
{
	cleanup_free struct store_meta *metas = xcalloc(n, sizeof(*metas));
	cleanup_view struct view view = { .n = 0 };

	if (known_diff_ids(s, chain, &n, diff_ids, err) < 0)
		return -1;
	/* Opened once for all that are missing. */
	if (diff_metas(s, chain, n, metas, err) < 0 ||
	    view_open(s, chain, n, &view, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (!*diff_ids[i] && find_diff_id(s, chain, i, &view, metas,
						  diff_ids[i], err) < 0)
			return -1;
	}
	return 0;
}

static int run_threads(struct store *s, const char *const *chain, size_t n,
		       struct export *x, struct error *err)
{
	struct ring_thread thread;
	int rc;

	ring_start(&thread, compress_main, x);
	rc = store_layer_tar_until(s, chain, n, x->latest, take_tar, x, err);
	ring_end(x->ring);
	ring_join(&thread);
	if (!error_is(&x->err))
		return rc;
	/* The first thread's error only says that the other had one. */
	if (err)
		error_release(err);
	return error_move(err, &x->err);
}

static const char *media_type(const struct store *s)
{
	switch (s->compression) {
	case COMPRESS_GZIP:
		return OCI_LAYER_GZIP;
	case COMPRESS_ZSTD:
		return OCI_LAYER_ZSTD;
	default:
		return OCI_LAYER;
	}
}

static int make_blob(struct store *s, const char *const *chain, size_t n,
		     struct export *x, struct store_meta *meta,
		     struct error *err)
{
	char found[DIGEST_TEXT], blob[DIGEST_TEXT] = "";
	uint64_t size;

	if (compress_new(&x->compress, s->compression, s->level, to_blob,
			 x, err) < 0 ||
	    run_threads(s, chain, n, x, err) < 0)
		return -1;
	digest_final_text(&x->digest, found);
	if (same_diff_id(meta, found, err) < 0 ||
	    store_writer_commit(x->writer, blob, &size, err) < 0)
		return -1;
	x->writer = NULL;
	memcpy(meta->diff_id, found, sizeof(found));
	memcpy(meta->blob, blob, sizeof(blob));
	snprintf(meta->media_type, sizeof(meta->media_type), "%s",
		 media_type(s));
	meta->blob_size = size;
	meta->size = x->size;
	return 0;
}

/* `meta` holds what must come out, and receives what did. */
static int write_blob(struct store *s, const char *const *chain, size_t n,
		      int64_t latest, struct store_meta *meta,
		      struct error *err)
{
	cleanup_ring struct ring *ring = ring_new();
	struct export x = { .ring = ring, .latest = latest };
	int rc;

	if (store_writer_new(s, &x.writer, err) < 0)
		return -1;
	rc = make_blob(s, chain, n, &x, meta, err);
	digest_release(&x.digest);
	compress_free(x.compress);
	store_writer_free(x.writer);
	return rc < 0 ? error_wrap(err, "layer %.12s", chain[n - 1]) : 0;
}

int store_layer_blob(struct store *s, const char *const *chain, size_t n,
		     struct store_meta *meta, struct error *err)
{
	const char *id = chain[n - 1];

	if (store_get_meta(s, id, meta, err) < 0)
		return -1;
	if (*meta->blob && store_has_blob(s, meta->blob, NULL))
		return 0;
	if (write_blob(s, chain, n, INT64_MAX, meta, err) < 0)
		return -1;
	return store_set_meta(s, id, meta, err);
}

int store_layer_blob_until(struct store *s, const char *const *chain, size_t n,
			   int64_t latest, struct store_meta *meta,
			   struct error *err)
{
	*meta = (struct store_meta){ .diff_id = "" };
	return write_blob(s, chain, n, latest, meta, err);
}
