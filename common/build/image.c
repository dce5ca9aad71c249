/* image.c - find an image, have its layers on disk, know its id */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/docs.h"
#include "build/stage.h"
#include "wrap/gate.h"

void build_copy_image(struct store_image *to, const struct store_image *from)
{
	size_t i;

	store_image_release(to);
	to->reference = xstrdup_null(from->reference);
	to->origin = xstrdup_null(from->origin);
	memcpy(to->manifest, from->manifest, sizeof(to->manifest));
	memcpy(to->config_digest, from->config_digest,
	       sizeof(to->config_digest));
	oci_config_copy(&to->config, &from->config);
	to->annotations = from->annotations ? json_dup(from->annotations)
					    : NULL;
	to->n_layers = from->n_layers;
	to->layers = xmemdup(from->layers,
			     from->n_layers * sizeof(*from->layers));
	for (i = 0; i < from->n_layers; i++) {
		struct store_image_layer *l = &to->layers[i];

		l->desc.media_type = xstrdup_null(l->desc.media_type);
		l->origin = xstrdup_null(l->origin);
	}
}

void build_add_layer(struct store_image *image, const char *id)
{
	struct store_image_layer *l;

	image->layers = xrealloc_array(image->layers, image->n_layers + 1,
				       sizeof(*image->layers));
	l = &image->layers[image->n_layers++];
	*l = (struct store_image_layer){ 0 };
	memcpy(l->id, id, STORE_ID);
	image->manifest[0] = '\0';
	image->config_digest[0] = '\0';
}

void build_place_layer(struct store_image_layer *l,
		       const struct cache_entry *e)
{
	memcpy(l->id, e->layer, STORE_ID);
	if (!e->origin)
		return;
	memcpy(l->diff_id, e->diff_id, DIGEST_TEXT);
	oci_descriptor_set(&l->desc, e->desc.media_type, e->desc.digest,
			   e->desc.size);
	free(l->origin);
	l->origin = xstrdup(e->origin);
}

const char *build_layer_origin(const struct store_image *image,
			       const struct store_image_layer *l)
{
	return l->origin ? l->origin : image->origin;
}

void build_layer_dirs(const struct store *s, const struct store_image *image,
		      struct strvec *dirs)
{
	size_t i;

	for (i = 0; i < image->n_layers; i++)
		strvec_push_own(dirs, store_layer_fs(s, image->layers[i].id));
}

const char **build_chain(const struct store_image *image)
{
	const char **chain = xcalloc(image->n_layers + 1, sizeof(*chain));
	size_t i;

	for (i = 0; i < image->n_layers; i++)
		chain[i] = image->layers[i].id;
	return chain;
}

static int need_registry(struct registry **r, const struct registry_options *o,
			 struct error *err)
{
	return *r ? 0 : registry_new(r, o, err);
}

int build_describe(struct store_image *image, const struct oci_manifest *m,
		   struct error *err)
{
	size_t i;

	if (m->n_layers != image->config.diff_ids.nr)
		return error_set(err, ERR_INPUT,
				 "the manifest lists %zu layers, the "
				 "configuration %zu", m->n_layers,
				 image->config.diff_ids.nr);
	for (i = 0; i < m->n_layers; i++) {
		const char *diff_id = image->config.diff_ids.v[i];
		struct store_image_layer *l;

		if (!digest_valid(diff_id))
			return error_set(err, ERR_INPUT,
					 "'%s' is not a diff id", diff_id);
		build_add_layer(image, digest_hex(diff_id));
		l = &image->layers[i];
		memcpy(l->diff_id, diff_id, DIGEST_TEXT);
		l->desc = m->layers[i];
		l->desc.media_type = xstrdup(m->layers[i].media_type);
	}
	return 0;
}

int build_ask(const char *name, const char *digest,
	      const struct oci_config *config, struct error *err)
{
	cleanup_strvec struct strvec digests = STRVEC_INIT;
	struct gate_question q = { .kind = GATE_IMAGE, .name = name };

	if (digest) {
		strvec_push(&digests, digest);
		q.digests = &digests;
	}
	if (config)
		q.created = config->created ? config->created : "";
	return gate_check(&q, err);
}

/*
 * What was fetched when other rules held: 1 it may be used, 0 its registry has
 * to say which index led to it. An image that was made here, though it may
 * have the same name, is nobody's to refuse.
 */
static int ask_local(const struct store_image *image, const char *name,
		     struct error *err)
{
	const char *rest = image->origin ? str_skip(name, image->origin)
					 : NULL;

	if (!gate_strict() || !rest || !*rest || !strchr(":@", *rest))
		return 1;
	if (build_ask(name, NULL, &image->config, err) < 0)
		return -1;
	return !build_ask(name, image->manifest, NULL, NULL) ||
	       (*image->index && !build_ask(name, image->index, NULL, NULL));
}

int build_describe_stored(struct store *s, const char *manifest,
			  const struct oci_manifest *m,
			  struct store_image *image, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (store_read_blob(s, m->config.digest, OCI_CONFIG_MAX, &text, err) <
		    0 ||
	    oci_config_parse(&image->config, text.buf, text.len, err) < 0 ||
	    build_describe(image, m, err) < 0)
		return -1;
	memcpy(image->manifest, manifest, DIGEST_TEXT);
	memcpy(image->config_digest, m->config.digest, DIGEST_TEXT);
	return 0;
}

static int from_registry(struct store *s, struct registry *r,
			 const struct oci_ref *ref,
			 const struct oci_platform *platform,
			 struct store_image *image, struct error *err)
{
	CLEANUP(docs_release) struct build_docs docs = { 0 };
	char digest[DIGEST_TEXT];

	if (docs_fetch(&docs, s, r, ref, platform, digest, err) < 0 ||
	    docs_image(&docs, ref, digest, platform, image, err) < 0)
		return -1;
	return docs_keep(&docs, s, image, err);
}

/* 12 or more hexadecimal digits, perhaps after "sha256:". */
static bool looks_like_id(const char *name)
{
	const char *hex = digest_hex(name);
	size_t n = strlen(hex);

	return n >= 12 && n <= DIGEST_HEX &&
	       strspn(hex, "0123456789abcdef") == n;
}

static int from_store(struct store *s, const char *name,
		      const struct oci_platform *platform,
		      struct store_image *image, struct error *err)
{
	int rc = store_get_image(s, name, image, err);

	if (rc <= 0)
		return rc;
	if (platform &&
	    oci_platform_rank(platform, &image->config.platform) < 0) {
		store_image_release(image);
		return 0;
	}
	if (image->reference)
		name = image->reference;
	rc = ask_local(image, name, err);
	if (rc <= 0)
		store_image_release(image);
	return rc;
}

int build_find_local(struct store *s, const char *name,
		     const struct oci_platform *platform, bool pull,
		     struct store_image *image, struct error *err)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };
	cleanup_free char *full = NULL;
	int rc;

	if (looks_like_id(name)) {
		rc = from_store(s, name, platform, image, err);
		if (rc)
			return rc;
	}
	if (oci_ref_parse(&ref, name, err) < 0)
		return -1;
	if (pull && !ref.digest)
		return 0;
	full = oci_ref_format(&ref);
	return from_store(s, full, platform, image, err);
}

int build_find_image(struct store *s, struct registry **r,
		     const struct registry_options *o, const char *name,
		     const struct oci_platform *platform, bool pull,
		     struct store_image *image, struct error *err)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };
	int rc = build_find_local(s, name, platform, pull, image, err);

	if (rc)
		return rc < 0 ? -1 : 0;
	if (oci_ref_parse(&ref, name, err) < 0 || need_registry(r, o, err) < 0)
		return -1;
	store_image_release(image);
	return from_registry(s, *r, &ref, platform, image, err);
}

static int find_diff_ids(struct store *s, struct store_image *image,
			 struct error *err)
{
	cleanup_free const char **chain =
		xcalloc(image->n_layers, sizeof(*chain));
	cleanup_free char (*ids)[DIGEST_TEXT] =
		xcalloc(image->n_layers, sizeof(*ids));
	size_t i;

	for (i = 0; i < image->n_layers; i++) {
		chain[i] = image->layers[i].id;
		memcpy(ids[i], image->layers[i].diff_id, DIGEST_TEXT);
	}
	if (store_diff_ids(s, chain, image->n_layers, ids, err) < 0)
		return -1;
	for (i = 0; i < image->n_layers; i++)
		memcpy(image->layers[i].diff_id, ids[i], DIGEST_TEXT);
	return 0;
}

int build_identify(struct store *s, struct store_image *image,
		   struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t i;

	if (image->config_digest[0])
		return 0;
	if (find_diff_ids(s, image, err) < 0)
		return -1;
	strvec_release(&image->config.diff_ids);
	for (i = 0; i < image->n_layers; i++)
		strvec_push(&image->config.diff_ids, image->layers[i].diff_id);
	oci_config_write(&image->config, &text);
	return store_put_blob(s, text.buf, text.len, image->config_digest,
			      err);
}
