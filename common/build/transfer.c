/* transfer.c - blobs of an image between the store and registries */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/internal.h"

#include "base/log.h"

/* A blob on its way into the store. */
struct incoming {
	struct store *store;
	struct store_writer *writer;
	char digest[DIGEST_TEXT];
};

static int in_write(void *arg, const void *data, size_t n, struct error *err)
{
	struct incoming *in = arg;

	return store_writer_write(in->writer, data, n, err);
}

static int in_restart(void *arg, struct error *err)
{
	struct incoming *in = arg;

	return store_writer_restart(in->writer, err);
}

static int in_done(void *arg, struct error *err)
{
	struct incoming *in = arg;

	if (store_writer_commit(in->writer, in->digest, NULL, err) < 0)
		return -1;
	in->writer = NULL;
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

int build_pull_blobs(struct store *s, struct registry *r,
		     const struct oci_ref *from,
		     const struct oci_descriptor *list, size_t n,
		     struct error *err)
{
	cleanup_free struct incoming *in = xcalloc(n + 1, sizeof(*in));
	cleanup_free struct registry_blob *blobs = xcalloc(n + 1,
							   sizeof(*blobs));
	size_t i, k = 0;
	int rc = 0;

	for (i = 0; i < n && !rc; i++) {
		if (store_has_blob(s, list[i].digest, NULL) ||
		    seen_before(list, i))
			continue;
		in[k].store = s;
		memcpy(in[k].digest, list[i].digest, DIGEST_TEXT);
		rc = store_writer_new(s, &in[k].writer, err);
		blobs[k] = (struct registry_blob){
			.desc = list[i],
			.sink = { in_write, in_restart, &in[k] },
			.done = in_done,
		};
		k++;
	}
	if (!rc)
		rc = registry_pull_blobs(r, from, blobs, k, err);
	for (i = 0; i < k; i++)
		store_writer_free(in[i].writer);
	return rc;
}

/* A blob to be pushed: from the store, or first from where it came. */
struct outgoing {
	struct store *store;
	struct registry *r;
	const struct oci_descriptor *desc;
	char *origin; /* host/repository, or NULL */
};

static int out_open(void *arg, int *fd, struct error *err)
{
	struct outgoing *out = arg;
	cleanup_oci_ref struct oci_ref from = { 0 };

	if (!store_has_blob(out->store, out->desc->digest, NULL)) {
		if (!out->origin)
			return error_set(err, ERR_SYSTEM,
					 "blob %s is not in the store and "
					 "nothing says where it came from",
					 out->desc->digest);
		if (oci_ref_parse(&from, out->origin, err) < 0 ||
		    build_pull_blobs(out->store, out->r, &from, out->desc, 1,
				     err) < 0)
			return -1;
	}
	*fd = store_open_blob(out->store, out->desc->digest, err);
	return *fd < 0 ? -1 : 0;
}

/* Which registry has a blob, as far as anybody knows. */
static char *origin_of(struct store *s, const struct store_image *image,
		       const char *digest)
{
	struct store_meta meta = { 0 };
	size_t i;

	for (i = 0; i < image->n_layers; i++) {
		const struct store_image_layer *l = &image->layers[i];

		if (!str_eq(l->desc.digest, digest))
			continue;
		if (store_has_layer(s, l->id) &&
		    store_get_meta(s, l->id, &meta, NULL) == 0 &&
		    meta.origin[0])
			return xstrdup(meta.origin);
		return xstrdup_null(image->origin);
	}
	return str_eq(image->config_digest, digest)
		       ? xstrdup_null(image->origin) : NULL;
}

/* The repository part, when the blob can be mounted within one host. */
static const char *mountable(const char *origin, const struct oci_ref *to)
{
	const char *rest = origin ? str_skip(origin, to->host) : NULL;

	if (!rest || *rest != '/' || str_eq(rest + 1, to->repository))
		return NULL;
	return rest + 1;
}

static void add_source(struct registry_source *source, struct outgoing *out,
		       const struct oci_ref *to)
{
	memcpy(source->digest, out->desc->digest, DIGEST_TEXT);
	source->size = out->desc->size;
	source->open = out_open;
	source->arg = out;
	source->mount_from = mountable(out->origin, to);
}

int build_push(struct store *s, struct registry *r,
	       const struct store_image *image,
	       const struct build_manifest *m, const struct oci_ref *to,
	       struct error *err)
{
	size_t n = m->parsed.n_layers + 1, i;
	cleanup_free struct outgoing *out = xcalloc(n, sizeof(*out));
	cleanup_free struct registry_source *sources =
		xcalloc(n, sizeof(*sources));
	int rc;

	for (i = 0; i < n; i++) {
		const struct oci_descriptor *d = &m->parsed.config;

		if (i < n - 1)
			d = &m->parsed.layers[i];
		out[i] = (struct outgoing){
			.store = s, .r = r, .desc = d,
			.origin = origin_of(s, image, d->digest),
		};
		add_source(&sources[i], &out[i], to);
	}
	rc = registry_push_blobs(r, to, sources, n, err);
	for (i = 0; i < n; i++)
		free(out[i].origin);
	if (rc < 0)
		return -1;
	return registry_push_manifest(r, to,
				      oci_manifest_media_type(&m->parsed),
				      m->body.buf, m->body.len, err);
}
