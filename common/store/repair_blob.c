/* repair_blob.c - have a blob again, from its place or what it was made of */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/repair.h"

#include <fcntl.h>
#include <unistd.h>

/* What is known of a blob that is damaged or gone. */
struct blob {
	struct repair *r;
	const char *digest;
	const struct store_image *manifest_of, *config_of;
	const struct store_image *image; /* it is the form of a layer of it */
	size_t layer;			 /* which one */
	struct store_meta meta; /* a layer that is here has it as form */
	/* Part of an index that is kept whole: itself, or below it. */
	const struct store_image *index_of;
	struct oci_descriptor part;
	bool part_manifest;
	struct strindex walked; /* digests: an index may name one often */
	bool layer_here, wanted;
	struct strbuf *how;
};

static void blob_release(struct blob *b)
{
	oci_descriptor_release(&b->part);
	strindex_release(&b->walked);
}

/* --- who needs it --- */

static void look_at_part(struct blob *b, const struct store_image *i,
			 const struct oci_descriptor *d, bool manifest)
{
	if (b->index_of || !str_eq(d->digest, b->digest))
		return;
	b->index_of = i;
	b->part_manifest = manifest;
	oci_descriptor_set(&b->part, d->media_type ? d->media_type : "",
			   d->digest, d->size);
}

/* What an index names, as far as it can be read. */
static void look_into(struct blob *b, const struct store_image *i,
		      const struct oci_descriptor *d, int depth)
{
	cleanup_oci_manifest struct oci_manifest m = { .docker = false };
	cleanup_oci_index struct oci_index x = { .n = 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	look_at_part(b, i, d, true);
	if (depth > OCI_NESTING_MAX ||
	    !strindex_add(&b->walked, d->digest, strlen(d->digest), 0) ||
	    store_read_blob(b->r->s, d->digest, OCI_MANIFEST_MAX, &text, NULL) <
		    0)
		return;
	if (oci_is_index(NULL, text.buf, text.len)) {
		if (oci_index_parse(&x, text.buf, text.len, NULL) < 0)
			return;
		for (size_t k = 0; k < x.n; k++)
			look_into(b, i, &x.v[k].desc, depth + 1);
		return;
	}
	if (oci_manifest_parse(&m, text.buf, text.len, NULL) < 0)
		return;
	look_at_part(b, i, &m.config, false);
	for (size_t k = 0; k < m.n_layers; k++)
		look_at_part(b, i, &m.layers[k], false);
}

static void look_at_image(struct blob *b, const struct store_image *i)
{
	struct oci_descriptor index = { .size = 0 };

	if (*i->index) {
		memcpy(index.digest, i->index, DIGEST_TEXT);
		look_into(b, i, &index, 0);
	}
	if (str_eq(i->manifest, b->digest))
		b->manifest_of = i;
	if (str_eq(i->config_digest, b->digest))
		b->config_of = i;
	for (size_t k = 0; k < i->n_layers; k++) {
		const struct store_image_layer *l = &i->layers[k];
		struct store_meta meta = { .uid = 0 };
		const bool here =
			store_get_meta(b->r->s, l->id, &meta, NULL) == 0;

		if (!str_eq(l->desc.digest, b->digest) &&
		    !str_eq(meta.blob, b->digest))
			continue;
		b->image = i;
		b->layer = k;
		if (!here)
			continue;
		b->layer_here = true;
		b->meta = meta;
	}
}

/* Layers without an image, which steps remember. */
static int look_at_layers(struct blob *b, struct error *err)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;

	if (b->image)
		return 0;
	if (store_list(b->r->s, "layers", &ids, err) < 0)
		return -1;
	for (size_t i = 0; i < ids.nr && !b->layer_here; i++) {
		struct store_meta meta;

		if (store_get_meta(b->r->s, ids.v[i], &meta, NULL) < 0 ||
		    !str_eq(meta.blob, b->digest))
			continue;
		b->layer_here = true;
		b->meta = meta;
	}
	return 0;
}

static int look_around(struct blob *b, struct error *err)
{
	for (size_t i = 0; i < b->r->n_records; i++)
		look_at_image(b, &b->r->records[i]);
	if (look_at_layers(b, err) < 0)
		return -1;
	b->wanted = b->index_of || b->manifest_of || b->config_of || b->image ||
		    b->layer_here;
	return 0;
}

/* --- made of what is here --- */

static int take_text(struct blob *b, const struct strbuf *text,
		     struct error *err)
{
	char digest[DIGEST_TEXT];

	digest_bytes(text->buf, text->len, digest);
	if (!str_eq(digest, b->digest))
		return 0;
	repair_say(b->r, b->how, "made again from the record of the image");
	if (b->r->o->dry_run)
		return 1;
	return store_put_blob(b->r->s, text->buf, text->len, digest, err) < 0
		       ? -1
		       : 1;
}

/* Bytes of the configuration as they were; 0: it is not one of ours. */
static uint64_t config_text(const struct store_image *i, struct strbuf *text)
{
	char digest[DIGEST_TEXT];

	oci_config_write(&i->config, text);
	digest_bytes(text->buf, text->len, digest);
	return str_eq(digest, i->config_digest) ? text->len : 0;
}

static int make_manifest(struct blob *b, struct error *err)
{
	const struct store_image *i = b->manifest_of;
	cleanup_oci_manifest struct oci_manifest m = {
		.annotations = i->annotations ? json_dup(i->annotations) : NULL
	};
	cleanup_strbuf struct strbuf config = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const uint64_t size = config_text(i, &config);

	if (!size)
		return 0;
	oci_descriptor_set(&m.config, OCI_CONFIG, i->config_digest, size);
	for (size_t k = 0; k < i->n_layers; k++) {
		const struct oci_descriptor *d = &i->layers[k].desc;

		if (!*d->digest || !d->media_type)
			return 0;
		oci_manifest_add_layer(&m, d->media_type, d->digest, d->size);
	}
	oci_manifest_write(&m, &text);
	return take_text(b, &text, err);
}

static int make_config(struct blob *b, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	oci_config_write(&b->config_of->config, &text);
	return take_text(b, &text, err);
}

static void set_compression(struct store *s, const char *media_type)
{
	if (media_type && strstr(media_type, "zstd"))
		s->compression = COMPRESS_ZSTD;
	else if (media_type && strstr(media_type, "gzip"))
		s->compression = COMPRESS_GZIP;
	else
		s->compression = COMPRESS_NONE;
}

/* The same program makes the same bytes of a layer that it compressed. */
static int compress_again(struct blob *b, struct error *err)
{
	const struct store_image *i = b->image;
	cleanup_free const char **chain = xcalloc(b->layer + 1, sizeof(*chain));
	cleanup_error struct error why = ERROR_INIT;
	struct store *s = b->r->s;
	const struct store_options before = s->o;
	struct store_meta made;
	char path[REACH_PATH];
	int rc;

	for (size_t k = 0; k <= b->layer; k++)
		chain[k] = i->layers[k].id;
	set_compression(s, b->meta.media_type);
	rc = store_layer_blob_until(s, chain, b->layer + 1, INT64_MAX, &made,
				    &why);
	s->o = before;
	if (rc < 0 || str_eq(made.blob, b->digest))
		return rc < 0 ? 0 : 1;
	snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(made.blob));
	return store_discard(s, path, err);
}

static int make_from_layer(struct blob *b, struct error *err)
{
	int rc;

	if (b->r->o->dry_run) {
		strbuf_addstr(b->how, "would be made again from its layer, "
				      "where that gives the same bytes");
		return 1;
	}
	rc = compress_again(b, err);
	if (rc > 0)
		strbuf_addstr(b->how, "made again from its layer");
	return rc;
}

/* --- from where it came --- */

static int fetch_config(struct blob *b)
{
	const struct store_image *i = b->config_of;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_oci_manifest struct oci_manifest m = { .docker = false };

	/* The manifest says how large it is. */
	if (!*i->manifest ||
	    store_read_blob(b->r->s, i->manifest, OCI_MANIFEST_MAX, &text,
			    NULL) < 0 ||
	    oci_manifest_parse(&m, text.buf, text.len, NULL) < 0 ||
	    !str_eq(m.config.digest, b->digest))
		return 0;
	return repair_fetch(b->r, i->origin, &m.config, false, b->how);
}

/* A layer that is here knows where its form came from; one that was made here
 * came from nowhere, whatever its image did. */
static int fetch_layer(struct blob *b)
{
	struct oci_descriptor d = { .media_type = b->meta.media_type,
				    .size = b->meta.blob_size };
	const char *origin = b->meta.origin;

	if (b->image && !str_eq(b->meta.blob, b->digest)) {
		const struct store_image_layer *l = &b->image->layers[b->layer];

		d = l->desc;
		origin = l->origin ? l->origin : b->image->origin;
	}
	memcpy(d.digest, b->digest, DIGEST_TEXT);
	return repair_fetch(b->r, origin && *origin ? origin : NULL, &d, false,
			    b->how);
}

/* 1 it is here again, 0 it cannot be had, -1. */
static int have(struct blob *b, struct error *err)
{
	struct oci_descriptor d = { .size = 0 };
	int rc = 0;

	memcpy(d.digest, b->digest, DIGEST_TEXT);
	if (b->config_of)
		rc = make_config(b, err);
	else if (b->manifest_of)
		rc = make_manifest(b, err);
	if (rc)
		return rc;
	if (b->config_of)
		return fetch_config(b);
	if (b->manifest_of)
		return repair_fetch(b->r, b->manifest_of->origin, &d, true,
				    b->how);
	if (b->index_of)
		return repair_fetch(b->r, b->index_of->origin, &b->part,
				    b->part_manifest, b->how);
	if (!b->wanted)
		return 0;
	rc = fetch_layer(b);
	if (rc || !b->layer_here || !b->image)
		return rc;
	return make_from_layer(b, err);
}

/* --- without it --- */

/* In all records that have it. */
static int forget(struct blob *b, size_t member, const char *digest,
		  struct error *err)
{
	for (size_t k = 0; !b->r->o->dry_run && k < b->r->n_records; k++) {
		struct store_image *i = &b->r->records[k];
		char *has = (char *)i + member;

		if (!str_eq(has, digest))
			continue;
		*has = '\0';
		if (store_put_image(b->r->s, i, err) < 0)
			return -1;
	}
	return 0;
}

/* It follows from the image, and is made when somebody wants it. */
static enum outcome forget_manifest(struct blob *b, struct error *err)
{
	repair_say(b->r, b->how, "forgotten, and made again when needed");
	return forget(b, offsetof(struct store_image, manifest), b->digest,
		      err) < 0
		       ? OUTCOME_FAILED
		       : OUTCOME_MENDED;
}

/* What this machine runs may still be here, but not the image as a whole. */
static int forget_index(struct blob *b, struct error *err)
{
	const struct store_image *i = b->index_of;
	char index[DIGEST_TEXT];

	memcpy(index, i->index, DIGEST_TEXT);
	strbuf_addf(b->how, "not all platforms of %s are here any more, ",
		    i->reference ? i->reference : index);
	return forget(b, offsetof(struct store_image, index), index, err);
}

/* Nobody can say any more what the images with it are. */
static enum outcome remove_images(struct blob *b, struct error *err)
{
	repair_say(b->r, b->how, "removed, with the image %s",
		   b->config_of->reference ? b->config_of->reference
					   : b->digest);
	if (!b->r->o->dry_run &&
	    store_remove_image(b->r->s, b->digest, err) < 0)
		return OUTCOME_FAILED;
	return OUTCOME_LOST;
}

/* Images that are not complete are nothing for other tools. */
static int unlist(struct blob *b, struct error *err)
{
	return b->r->o->dry_run ? 0 : store_index_rebuild(b->r->s, true, err);
}

static enum outcome do_without(struct blob *b, struct error *err)
{
	if (b->index_of && forget_index(b, err) < 0)
		return OUTCOME_FAILED;
	if (b->manifest_of)
		return forget_manifest(b, err);
	if (b->config_of)
		return repair_lacks_base(b->r, b->how) ? OUTCOME_LOST
						       : remove_images(b, err);
	if (b->layer_here) {
		repair_say(b->r, b->how,
			   *b->meta.origin
				   ? "removed, to be fetched when needed"
				   : "removed, to be made when needed");
		if (unlist(b, err) < 0)
			return OUTCOME_FAILED;
		return b->index_of ? OUTCOME_LOST : OUTCOME_MENDED;
	}
	if (b->wanted) {
		repair_say(b->r, b->how, "removed");
		return unlist(b, err) < 0 ? OUTCOME_FAILED : OUTCOME_LOST;
	}
	repair_say(b->r, b->how, "removed: nothing needs it");
	return OUTCOME_MENDED;
}

/* What has the name, unless it is right by now. */
static int clear_place(struct blob *b, bool *whole, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char path[REACH_PATH];

	snprintf(path, sizeof(path), "blobs/sha256/%s", digest_hex(b->digest));
	*whole = store_has_blob(b->r->s, b->digest, NULL) &&
		 verify_blob(b->r->s, b->digest);
	if (*whole || b->r->o->dry_run)
		return 0;
	return store_discard(b->r->s, path, err);
}

enum outcome repair_blob(struct repair *r, const char *digest,
			 struct strbuf *how, struct error *err)
{
	CLEANUP(blob_release)
	struct blob b = { .r = r, .digest = digest, .how = how };
	bool whole;
	int rc;

	if (look_around(&b, err) < 0 || clear_place(&b, &whole, err) < 0)
		return OUTCOME_FAILED;
	if (whole) {
		strbuf_addstr(how, "it is here again");
		return OUTCOME_MENDED;
	}
	rc = have(&b, err);
	if (rc)
		return rc < 0 ? OUTCOME_FAILED : OUTCOME_MENDED;
	return do_without(&b, err);
}
