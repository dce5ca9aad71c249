/* transfer.c - blobs of an image on their way to a registry */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/stage.h"

#include "base/log.h"
#include "store/upload.h"

static bool take_note(void *arg, const char *key, struct strbuf *text)
{
	return store_upload_take(arg, key, text);
}

static bool put_note(void *arg, const char *key, const char *text, size_t n)
{
	return store_upload_put(arg, key, text, n);
}

static void drop_note(void *arg, const char *key)
{
	store_upload_drop(arg, key);
}

void build_note_uploads(struct store *s, struct registry *r)
{
	const struct registry_notes notes = { take_note, put_note, drop_note,
					      s };

	registry_set_notes(r, &notes);
}

/* A blob to be pushed. */
struct outgoing {
	struct store *store;
	const struct oci_descriptor *desc;
	char *origin; /* where it is to be had, or NULL */
	const char *place; /* another, or NULL */
	bool there; /* the registry said so, or mounted it */
};

struct outgoings {
	struct outgoing *v;
	size_t n;
};

static void outgoings_release(struct outgoings *all)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		free(all->v[i].origin);
	free(all->v);
}

static int out_open(void *arg, int *fd, struct error *err)
{
	const struct outgoing *out = arg;

	*fd = store_open_blob(out->store, out->desc->digest, err);
	return *fd < 0 ? -1 : 0;
}

/* Which registry has a blob, as far as anybody knows. A layer that a build
 * made came from none, whatever its base did; of a configuration that is not
 * known, and asking for it in vain costs nothing. */
char *build_origin_of(struct store *s, const struct store_image *image,
		      const char *digest)
{
	struct store_meta meta = { 0 };
	size_t i;

	for (i = 0; i < image->n_layers; i++) {
		const struct store_image_layer *l = &image->layers[i];

		if (!str_eq(l->desc.digest, digest))
			continue;
		/* One layer may have come in several compressed forms. */
		if (!store_has_layer(s, l->id) ||
		    store_get_meta(s, l->id, &meta, NULL) < 0 ||
		    !str_eq(meta.blob, digest))
			return xstrdup_null(build_layer_origin(image, l));
		return meta.origin[0] ? xstrdup(meta.origin) : NULL;
	}
	return xstrdup_null(image->origin);
}

static void find_origins(struct outgoings *all, struct store *s,
			 const struct store_image *image,
			 const struct build_manifest *manifest)
{
	const struct oci_manifest *m = &manifest->parsed;
	size_t i;

	all->n = m->n_layers + 1;
	all->v = xcalloc(all->n, sizeof(*all->v));
	for (i = 0; i < all->n; i++) {
		const struct oci_descriptor *d = &m->config;

		if (i < m->n_layers)
			d = &m->layers[i];
		all->v[i] = (struct outgoing){
			.store = s, .desc = d,
			.origin = build_origin_of(s, image, d->digest),
			.place = manifest->place,
		};
	}
}

const char *build_mountable(const char *origin, const struct oci_ref *to)
{
	const char *rest = origin ? str_skip(origin, to->host) : NULL;

	if (!rest || *rest != '/' || str_eq(rest + 1, to->repository))
		return NULL;
	return rest + 1;
}

static struct registry_source source_of(struct outgoing *out,
					const struct oci_ref *to)
{
	struct registry_source source = {
		.size = out->desc->size,
		.open = out_open,
		.arg = out,
		.mount_from = build_mountable(out->place, to),
	};

	if (!source.mount_from)
		source.mount_from = build_mountable(out->origin, to);
	memcpy(source.digest, out->desc->digest, DIGEST_TEXT);
	return source;
}

/* Fetch what has the same origin as `first`, at once. */
static int fetch_from(struct registry *r, const struct registry_source *list,
		      size_t n, size_t first, struct error *err)
{
	const struct outgoing *out = list[first].arg;
	cleanup_free struct oci_descriptor *wanted =
		xcalloc(n, sizeof(*wanted));
	size_t i, k = 0;

	if (!out->origin)
		return error_set(err, ERR_SYSTEM,
				 "blob %s is not in the store and nothing "
				 "says where it came from", out->desc->digest);
	for (i = first; i < n; i++) {
		const struct outgoing *o = list[i].arg;

		if (list[i].how == BLOB_MISSING &&
		    str_eq_null(o->origin, out->origin))
			wanted[k++] = *o->desc;
	}
	return build_bring_blobs(out->store, &r, NULL, out->origin, wanted, k,
				 err);
}

/* Layers that nothing here needed so far are not in the store. Most often the
 * registry has them already, or mounts them; the others are fetched before
 * the push, for both at once would wait for each other. */
static int bring(struct registry *r, const struct outgoings *all,
		 const struct oci_ref *to, struct error *err)
{
	cleanup_free struct registry_source *list =
		xcalloc(all->n, sizeof(*list));
	size_t i, n = 0;

	for (i = 0; i < all->n; i++) {
		if (store_has_blob(all->v[i].store, all->v[i].desc->digest,
				   NULL))
			continue;
		list[n] = source_of(&all->v[i], to);
		list[n++].open = NULL;
	}
	if (registry_push_blobs(r, to, list, n, err) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		struct outgoing *o = list[i].arg;

		o->there = list[i].how != BLOB_MISSING;
		if (!o->there &&
		    !store_has_blob(o->store, o->desc->digest, NULL) &&
		    fetch_from(r, list, n, i, err) < 0)
			return error_wrap(err, "layers that %s lacks",
					  to->host);
	}
	return 0;
}

/* The next push, to another repository, lets the registry mount them. */
static void remember_place(struct store *s, const struct store_image *image,
			   const struct oci_ref *to)
{
	size_t i;

	for (i = 0; i < image->n_layers; i++) {
		const struct store_image_layer *l = &image->layers[i];
		cleanup_error struct error err = ERROR_INIT;
		struct store_meta meta = { 0 };

		if (!store_has_layer(s, l->id) ||
		    store_get_meta(s, l->id, &meta, NULL) < 0 ||
		    meta.origin[0] || !str_eq(meta.blob, l->desc.digest))
			continue;
		snprintf(meta.origin, sizeof(meta.origin), "%s/%s", to->host,
			 to->repository);
		if (store_set_meta(s, l->id, &meta, &err) < 0)
			log_debug("%s", err.msg);
	}
}

int build_check_layer(struct store *s, const struct store_image_layer *l,
		      struct error *err)
{
	/* Unpacking has looked; an image of a registry is what it says. */
	if (!l->origin || store_has_layer(s, l->id))
		return 0;
	if (store_check_layer_blob(s, l->desc.digest, l->diff_id, err) == 0)
		return 0;
	error_wrap(err, "%s", l->origin);
	return error_hint(err, "the step cache is wrong: build it again with "
			       "--no-cache");
}

int build_push(struct store *s, struct registry *r,
	       const struct store_image *image, struct build_manifest *m,
	       const struct oci_ref *to, struct error *err)
{
	CLEANUP(outgoings_release) struct outgoings all = { 0 };
	cleanup_free struct registry_source *sources = NULL;
	size_t i, n = 0;

	build_note_uploads(s, r);
	find_origins(&all, s, image, m);
	if (bring(r, &all, to, err) < 0)
		return -1;
	sources = xcalloc(all.n, sizeof(*sources));
	for (i = 0; i < all.n; i++) {
		if (all.v[i].there)
			continue;
		if (i < image->n_layers &&
		    build_check_layer(s, &image->layers[i], err) < 0)
			return -1;
		sources[n++] = source_of(&all.v[i], to);
	}
	if (registry_push_blobs(r, to, sources, n, err) < 0 ||
	    registry_push_manifest(r, to, oci_manifest_media_type(&m->parsed),
				   m->body.buf, m->body.len, err) < 0)
		return -1;
	remember_place(s, image, to);
	free(m->place);
	m->place = xstrfmt("%s/%s", to->host, to->repository);
	return 0;
}
