/* docs.c - indexes, manifests, configurations: images before they are stored */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/docs.h"

#include "build/internal.h"
#include "store/put.h"
#include "wrap/gate.h"

#define DOCS_MAX 4096 /* that somebody else wrote */
#define DOCUMENT_TYPE "application/vnd.devenv.document.v1+json"

void docs_release(struct build_docs *docs)
{
	size_t i;

	for (i = 0; i < docs->nr; i++)
		strbuf_release(&docs->v[i].text);
	free(docs->v);
	*docs = (struct build_docs){ 0 };
}

const struct build_doc *docs_find(const struct build_docs *docs,
				  const char *digest)
{
	size_t i;

	for (i = 0; i < docs->nr; i++)
		if (str_eq(docs->v[i].digest, digest))
			return &docs->v[i];
	return NULL;
}

const struct build_doc *docs_add(struct build_docs *docs, const char *text,
				 size_t n)
{
	struct build_doc doc = { .text = STRBUF_INIT };
	const struct build_doc *old;

	digest_bytes(text, n, doc.digest);
	old = docs_find(docs, doc.digest);
	if (old)
		return old;
	strbuf_add(&doc.text, text, n);
	GROW(docs->v, docs->nr, docs->alloc);
	docs->v[docs->nr] = doc;
	return &docs->v[docs->nr++];
}

/* --- as one manifest that holds them all --- */

void docs_write(const struct build_docs *docs, struct strbuf *out)
{
	cleanup_json struct json *j = json_new_object();
	struct json *layers = json_new_array();
	size_t i;

	json_set_int(j, "schemaVersion", 2);
	json_set_str(j, "mediaType", OCI_MANIFEST);
	json_set_str(j, "artifactType", DOCS_TYPE);
	json_set(j, "config", docs_descriptor(DOCS_EMPTY_TYPE, DOCS_EMPTY,
					      strlen(DOCS_EMPTY)));
	json_set(j, "layers", layers);
	for (i = 0; i < docs->nr; i++)
		json_push(layers, docs_descriptor(DOCUMENT_TYPE,
						  docs->v[i].text.buf,
						  docs->v[i].text.len));
	json_write(out, j, false);
}

struct json *docs_descriptor(const char *type, const char *data, size_t n)
{
	cleanup_oci_descriptor struct oci_descriptor d = { 0 };
	cleanup_strbuf struct strbuf encoded = STRBUF_INIT;
	char digest[DIGEST_TEXT];
	struct json *j;

	digest_bytes(data, n, digest);
	oci_descriptor_set(&d, type, digest, n);
	j = oci_descriptor_to_json(&d);
	base64_encode(&encoded, data, n);
	json_set_str(j, "data", encoded.buf);
	return j;
}

int docs_read(struct build_docs *docs, const char *text, size_t n,
	      struct error *err)
{
	cleanup_json struct json *j = json_parse("manifest", text, n, err);
	const struct json *layer;

	if (!j)
		return -1;
	for (layer = json_first(json_get(j, "layers")); layer;
	     layer = json_next(layer)) {
		cleanup_strbuf struct strbuf data = STRBUF_INIT;
		const char *encoded = json_get_str(layer, "data");

		if (docs->nr >= DOCS_MAX || !encoded ||
		    base64_decode(&data, encoded, NULL) < 0)
			return error_set(err, ERR_INPUT,
					 "these are no documents of images");
		docs_add(docs, data.buf, data.len);
	}
	return 0;
}

/* --- images --- */

/* From an index to the manifest for a platform: 1, 0 when a document is
 * missing, whose digest is `at` then. `seen` gets the digests of others. */
static int descend(const struct build_docs *docs,
		   const struct oci_platform *platform, char at[DIGEST_TEXT],
		   struct strvec *seen, const struct build_doc **out,
		   struct error *err)
{
	int depth;

	for (depth = 0; depth <= OCI_NESTING_MAX; depth++) {
		cleanup_oci_descriptor struct oci_descriptor d = { 0 };
		const struct build_doc *doc = docs_find(docs, at);

		*out = doc;
		if (!doc)
			return 0;
		strvec_push(seen, at);
		if (!oci_is_index(NULL, doc->text.buf, doc->text.len))
			return 1;
		if (oci_index_choose(doc->text.buf, doc->text.len, platform,
				     &d, err) < 0)
			return -1;
		memcpy(at, d.digest, DIGEST_TEXT);
	}
	return error_set(err, ERR_INPUT, "indexes are nested deeper than %d",
			 OCI_NESTING_MAX);
}

int docs_image(const struct build_docs *docs, const struct oci_ref *ref,
	       const char *digest, const struct oci_platform *platform,
	       struct store_image *image, struct error *err)
{
	cleanup_oci_manifest struct oci_manifest m = { 0 };
	cleanup_strvec struct strvec seen = STRVEC_INIT;
	struct gate_question q = { .kind = GATE_IMAGE, .digests = &seen };
	const struct build_doc *doc, *config;
	char at[DIGEST_TEXT];
	int rc;

	memcpy(at, digest, DIGEST_TEXT);
	rc = descend(docs, platform, at, &seen, &doc, err);
	if (rc <= 0)
		return rc;
	if (oci_manifest_parse(&m, doc->text.buf, doc->text.len, err) < 0)
		return -1;
	config = docs_find(docs, m.config.digest);
	if (!config)
		return 0;
	if (oci_config_parse(&image->config, config->text.buf,
			     config->text.len, err) < 0 ||
	    build_describe(image, &m, err) < 0)
		return -1;
	memcpy(image->manifest, doc->digest, DIGEST_TEXT);
	memcpy(image->config_digest, config->digest, DIGEST_TEXT);
	image->reference = oci_ref_format(ref);
	image->origin = xstrfmt("%s/%s", ref->host, ref->repository);
	q.name = image->reference;
	q.created = image->config.created ? image->config.created : "";
	return gate_check(&q, err) < 0 ? -1 : 1;
}

int docs_keep(const struct build_docs *docs, struct store *s,
	      const struct store_image *image, struct error *err)
{
	const struct build_doc *manifest = docs_find(docs, image->manifest);
	const struct build_doc *config = docs_find(docs, image->config_digest);
	const struct store_text blobs[] = {
		{ config->text.buf, config->text.len },
		{ manifest->text.buf, manifest->text.len },
	};

	return store_put_image_with(s, image, blobs, ARRAY_SIZE(blobs), err);
}

/* --- from a registry --- */

static int pull_write(void *arg, const void *data, size_t n,
		      struct error *err UNUSED)
{
	strbuf_add(arg, data, n);
	return 0;
}

static int pull_restart(void *arg, struct error *err UNUSED)
{
	strbuf_reset(arg);
	return 0;
}

int docs_sink(struct registry_blob *blob, const struct oci_descriptor *d,
	      struct strbuf *text, struct error *err)
{
	if (d->size > OCI_CONFIG_MAX)
		return error_set(err, ERR_INPUT,
				 "the image configuration is larger than %u "
				 "bytes", OCI_CONFIG_MAX);
	*blob = (struct registry_blob){
		.desc = *d,
		.sink = { pull_write, pull_restart, text },
	};
	return 0;
}

static int fetch_config(struct build_docs *docs, const struct store *s,
			struct registry *r, const struct oci_ref *ref,
			const struct oci_descriptor *d, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct registry_blob blob;

	if (store_has_blob(s, d->digest, NULL)) {
		if (store_read_blob(s, d->digest, OCI_CONFIG_MAX, &text,
				    err) < 0)
			return -1;
	} else if (docs_sink(&blob, d, &text, err) < 0 ||
		   registry_pull_blobs(r, ref, &blob, 1, err) < 0) {
		return -1;
	}
	docs_add(docs, text.buf, text.len);
	return 0;
}

/* By digest, of which the store may have the document. */
static int fetch_doc(struct build_docs *docs, const struct store *s,
		     struct registry *r, const struct oci_ref *ref,
		     const char *digest, struct error *err)
{
	cleanup_registry_manifest struct registry_manifest got = {
		.body = STRBUF_INIT
	};
	cleanup_oci_ref struct oci_ref at = { 0 };

	if (store_has_blob(s, digest, NULL)) {
		if (store_read_blob(s, digest, OCI_MANIFEST_MAX, &got.body,
				    err) < 0)
			return -1;
	} else {
		oci_ref_copy(&at, ref);
		free(at.digest);
		at.digest = xstrdup(digest);
		if (registry_get_manifest(r, &at, &got, err) < 0)
			return -1;
	}
	docs_add(docs, got.body.buf, got.body.len);
	return 0;
}

/* What the first document leads to. */
static int fetch_rest(struct build_docs *docs, const struct store *s,
		      struct registry *r, const struct oci_ref *ref,
		      const struct oci_platform *platform, const char *digest,
		      struct error *err)
{
	cleanup_oci_manifest struct oci_manifest m = { 0 };
	cleanup_strvec struct strvec seen = STRVEC_INIT;
	const struct build_doc *doc;
	char at[DIGEST_TEXT];
	int rc;

	memcpy(at, digest, DIGEST_TEXT);
	while ((rc = descend(docs, platform, at, &seen, &doc, err)) == 0)
		if (fetch_doc(docs, s, r, ref, at, err) < 0)
			return -1;
	if (rc < 0)
		return -1;
	/* It is no file of the user's that cannot be read. */
	if (oci_manifest_parse(&m, doc->text.buf, doc->text.len, err) < 0)
		return error_recode(err, ERR_NETWORK);
	return fetch_config(docs, s, r, ref, &m.config, err);
}

int docs_fetch(struct build_docs *docs, const struct store *s,
	       struct registry *r, const struct oci_ref *ref,
	       const struct oci_platform *platform, char digest[DIGEST_TEXT],
	       struct error *err)
{
	cleanup_registry_manifest struct registry_manifest got = {
		.body = STRBUF_INIT
	};
	cleanup_free char *name = oci_ref_format(ref);
	const struct gate_question q = { .kind = GATE_IMAGE, .name = name };

	if (gate_check(&q, err) < 0 ||
	    registry_get_manifest(r, ref, &got, err) < 0)
		return -1;
	docs_add(docs, got.body.buf, got.body.len);
	memcpy(digest, got.digest, DIGEST_TEXT);
	if (fetch_rest(docs, s, r, ref, platform, digest, err) < 0)
		return error_wrap(err, "%s", name);
	return 0;
}
