/* materialize.c - an image of the store as manifest, configuration, blobs */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/internal.h"

#include "store/put.h"

void build_manifest_release(struct build_manifest *m)
{
	strbuf_release(&m->body);
	oci_manifest_release(&m->parsed);
	free(m->place);
	*m = (struct build_manifest){ .body = STRBUF_INIT };
}

/* A manifest is of one family: what docker's types name is the same bytes
 * under another name. */
static const char *oci_type(const char *type)
{
	if (str_eq(type, DOCKER_LAYER_GZIP))
		return OCI_LAYER_GZIP;
	return str_eq(type, DOCKER_LAYER) ? OCI_LAYER : type;
}

static bool lacks_blob(const struct store_image *image)
{
	size_t i;

	for (i = 0; i < image->n_layers; i++)
		if (!image->layers[i].desc.digest[0])
			return true;
	return false;
}

static int make_blobs(struct store *s, struct registry **r,
		      const struct registry_options *o,
		      struct store_image *image, struct error *err)
{
	cleanup_free const char **chain = xcalloc(image->n_layers + 1,
						  sizeof(*chain));
	size_t i;

	/* A layer is told from those below it: they have to be there. */
	if (lacks_blob(image) &&
	    build_fetch_layers(s, r, o, image, err) < 0)
		return -1;
	for (i = 0; i < image->n_layers; i++) {
		struct store_image_layer *l = &image->layers[i];
		struct store_meta meta = { 0 };

		chain[i] = l->id;
		if (l->desc.digest[0])
			continue;
		if (store_get_meta(s, l->id, &meta, err) < 0)
			return -1;
		/* What a registry has goes as it came: made again it might
		 * differ, by what a user may not unpack. */
		if (!(meta.blob[0] && meta.origin[0]) &&
		    store_layer_blob(s, chain, i + 1, &meta, err) < 0)
			return -1;
		memcpy(l->diff_id, meta.diff_id, DIGEST_TEXT);
		oci_descriptor_set(&l->desc, meta.media_type, meta.blob,
				   meta.blob_size);
	}
	return 0;
}

static int write_manifest(struct store *s, struct store_image *image,
			  struct build_manifest *m, struct error *err)
{
	uint64_t size;
	size_t i;

	if (build_identify(s, image, err) < 0)
		return -1;
	if (!store_has_blob(s, image->config_digest, &size))
		return error_set(err, ERR_SYSTEM,
				 "the configuration of the image is no longer "
				 "in the store");
	oci_descriptor_set(&m->parsed.config, OCI_CONFIG,
			   image->config_digest, size);
	for (i = 0; i < image->n_layers; i++) {
		const struct oci_descriptor *d = &image->layers[i].desc;

		oci_manifest_add_layer(&m->parsed, oci_type(d->media_type),
				       d->digest, d->size);
	}
	if (image->annotations)
		m->parsed.annotations = json_dup(image->annotations);
	oci_manifest_write(&m->parsed, &m->body);
	digest_bytes(m->body.buf, m->body.len, image->manifest);
	return 0;
}

int build_materialize(struct store *s, struct registry **r,
		      const struct registry_options *o,
		      struct store_image *image, struct build_manifest *m,
		      struct error *err)
{
	struct store_text body;

	if (image->manifest[0] && store_has_blob(s, image->manifest, NULL)) {
		if (store_read_blob(s, image->manifest, OCI_MANIFEST_MAX,
				    &m->body, err) < 0)
			return -1;
		memcpy(m->digest, image->manifest, DIGEST_TEXT);
		return oci_manifest_parse(&m->parsed, m->body.buf,
					  m->body.len, err);
	}
	if (make_blobs(s, r, o, image, err) < 0 ||
	    write_manifest(s, image, m, err) < 0)
		return -1;
	memcpy(m->digest, image->manifest, DIGEST_TEXT);
	body = (struct store_text){ m->body.buf, m->body.len };
	return store_put_image_with(s, image, &body, 1, err);
}
