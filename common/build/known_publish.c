/* known_publish.c - images on their way into a cache, and what describes them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "build/docs.h"
#include "build/known.h"
#include "build/lookup.h"
#include "build/share.h"
#include "build/stage.h"

int known_is_there(struct build *b, struct error *err)
{
	cleanup_cache_place struct cache_place place = { 0 };
	cleanup_free char *tag = known_tag(b->key);
	struct cache_document doc = { .tag = tag };
	int rc;

	if (share_open(b, b->o->cache_to, &place, err) < 0)
		return -1;
	rc = cache_place_look_up(&place, &doc, 1, err);
	registry_manifest_release(&doc.m);
	return rc < 0 ? -1 : doc.there;
}

/* A blob of the image that the store has. */
struct own_blob {
	struct store *store;
	const char *digest;
};

static int open_own(void *arg, int *fd, struct error *err)
{
	const struct own_blob *blob = arg;

	*fd = store_open_blob(blob->store, blob->digest, err);
	return *fd < 0 ? -1 : 0;
}

/* Layers that nobody needed here are not in the store. */
static int bring(struct build *b, const struct oci_descriptor *d,
		 struct error *err)
{
	cleanup_free char *origin = NULL;

	if (store_has_blob(b->o->store, d->digest, NULL))
		return 0;
	origin = build_origin_of(b->o->store, &b->result->image, d->digest);
	if (!origin)
		return error_set(err, ERR_SYSTEM,
				 "blob %s is not in the store and nothing says "
				 "where it came from", d->digest);
	return build_bring_blobs(b->o->store, &b->share, b->o->registry,
				 origin, d, 1, err);
}

static int put_in_dir(struct build *b, struct cache_place *place,
		      const struct build_manifest *m, char *tag,
		      struct error *err)
{
	size_t n = m->parsed.n_layers + 1, i;
	cleanup_free struct registry_source *blobs = xcalloc(n, sizeof(*blobs));
	cleanup_free struct own_blob *own = xcalloc(n, sizeof(*own));
	struct cache_deposit deposit = {
		.tag = tag,
		.media_type = oci_manifest_media_type(&m->parsed),
		.body = m->body,
	};

	for (i = 0; i < n; i++) {
		const struct oci_descriptor *d = i < n - 1
			? &m->parsed.layers[i] : &m->parsed.config;

		if (bring(b, d, err) < 0 ||
		    (i < n - 1 &&
		     build_check_layer(b->o->store,
				       &b->result->image.layers[i], err) < 0))
			return -1;
		own[i] = (struct own_blob){ b->o->store, d->digest };
		blobs[i] = (struct registry_source){ .size = d->size,
						     .open = open_own,
						     .arg = &own[i] };
		memcpy(blobs[i].digest, d->digest, DIGEST_TEXT);
	}
	return cache_place_put(place, blobs, n, &deposit, 1, err);
}

/* Blobs and manifest; without a tag it goes by its digest. */
static int push(struct build *b, const struct cache_place *place,
		struct build_manifest *m, const char *tag, struct error *err)
{
	cleanup_oci_ref struct oci_ref to = { 0 };

	if (!b->share && registry_new(&b->share, b->o->registry, err) < 0)
		return -1;
	oci_ref_copy(&to, &place->ref);
	free(to.tag);
	to.tag = xstrdup_null(tag);
	return build_push(b->o->store, b->share, &b->result->image, m, &to,
			  err);
}

/* The tag comes last, with what notes its use. */
static int put_image(struct build *b, struct cache_place *place,
		     struct build_manifest *m, char *tag, struct error *err)
{
	struct cache_deposit deposit = {
		.tag = tag,
		.media_type = oci_manifest_media_type(&m->parsed),
		.body = m->body,
	};

	if (place->dir)
		return put_in_dir(b, place, m, tag, err);
	if (push(b, place, m, NULL, err) < 0)
		return -1;
	return cache_place_put(place, NULL, 0, &deposit, 1, err);
}

static int put_bases(struct build *b, struct cache_place *place,
		     struct error *err)
{
	cleanup_strbuf struct strbuf body = STRBUF_INIT;
	cleanup_free char *tag = bases_write(b, &body);
	struct cache_deposit deposit = { .tag = tag,
					 .media_type = OCI_MANIFEST,
					 .body = body };
	size_t n = b->docs.nr + 1, i;
	cleanup_free struct registry_source *blobs = xcalloc(n, sizeof(*blobs));
	cleanup_free struct registry_bytes *bytes = xcalloc(n, sizeof(*bytes));

	if (!tag)
		return 0;
	for (i = 0; i < n; i++) {
		bytes[i] = (struct registry_bytes){ DOCS_EMPTY,
						    strlen(DOCS_EMPTY) };
		if (i < n - 1)
			bytes[i] = (struct registry_bytes){
				b->docs.v[i].text.buf, b->docs.v[i].text.len
			};
		registry_source_bytes(&blobs[i], &bytes[i]);
	}
	return cache_place_put(place, blobs, n, &deposit, 1, err);
}

int known_publish(struct build *b, struct error *err)
{
	cleanup_build_manifest struct build_manifest m = BUILD_MANIFEST_INIT;
	cleanup_cache_place struct cache_place place = { 0 };
	cleanup_free char *tag = known_tag(b->key);

	if (share_open(b, b->o->cache_to, &place, err) < 0 ||
	    build_materialize(b->o->store, &b->share, b->o->registry,
			      &b->result->image, &m, err) < 0 ||
	    put_image(b, &place, &m, tag, err) < 0 ||
	    put_bases(b, &place, err) < 0 ||
	    explain_publish(b, &place, err) < 0)
		return -1;
	log_info("the image was published as %s:%s", place.name, tag);
	return 0;
}

int known_publish_latest(struct build *b, struct error *err)
{
	cleanup_build_manifest struct build_manifest m = BUILD_MANIFEST_INIT;
	cleanup_cache_place struct cache_place place = { 0 };
	char tag[] = "latest";

	if (share_open(b, b->o->cache_to, &place, err) < 0 ||
	    build_materialize(b->o->store, &b->share, b->o->registry,
			      &b->result->image, &m, err) < 0)
		return -1;
	return place.dir ? put_in_dir(b, &place, &m, tag, err)
			 : push(b, &place, &m, tag, err);
}
