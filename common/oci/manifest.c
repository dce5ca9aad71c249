/* manifest.c - image manifests of both families: parse, check, write */
/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/internal.h"

#define MEDIA_TYPE_MAX 255

void oci_descriptor_release(struct oci_descriptor *d)
{
	free(d->media_type);
	*d = (struct oci_descriptor){ 0 };
}

void oci_manifest_release(struct oci_manifest *m)
{
	size_t i;

	oci_descriptor_release(&m->config);
	for (i = 0; i < m->n_layers; i++)
		oci_descriptor_release(&m->layers[i]);
	free(m->layers);
	json_free(m->annotations);
	*m = (struct oci_manifest){ 0 };
}

/* What people see of a digest that may hold anything. */
static void add_shown(struct strbuf *sb, const char *s)
{
	strbuf_add_safe(sb, s, strnlen(s, 100));
}

static int bad_digest(const char *where, const char *digest,
		      struct error *err)
{
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;

	add_shown(&shown, digest);
	if (str_starts(digest, "sha512:"))
		return error_set(err, ERR_INPUT,
				 "%s: sha512 digests are not supported",
				 where);
	return error_set(err, ERR_INPUT, "%s: '%s' is not a digest", where,
			 shown.buf);
}

int oci_descriptor_parse(struct oci_descriptor *d, const struct json *j,
			 const char *where, struct error *err)
{
	const char *type = json_get_str(j, "mediaType");
	const char *digest = json_get_str(j, "digest");
	int64_t size;

	if (json_kind(j) != JSON_OBJECT)
		return error_set(err, ERR_INPUT, "%s is not an object", where);
	if (!digest)
		return error_set(err, ERR_INPUT, "%s has no digest", where);
	if (!digest_valid(digest))
		return bad_digest(where, digest, err);
	if (!json_get_int(j, "size", &size) || size < 0)
		return error_set(err, ERR_INPUT, "%s has no valid size",
				 where);
	if (!type || !*type || strlen(type) > MEDIA_TYPE_MAX)
		return error_set(err, ERR_INPUT, "%s has no valid mediaType",
				 where);
	d->media_type = xstrdup(type);
	memcpy(d->digest, digest, DIGEST_TEXT);
	d->size = (uint64_t)size;
	return 0;
}

static int parse_layer(struct oci_descriptor *d, const struct json *j,
		       size_t i, struct error *err)
{
	cleanup_free char *where = xstrfmt("manifest: layer %zu", i);

	if (oci_descriptor_parse(d, j, where, err) < 0)
		return -1;
	/* Foreign layers make a client fetch from wherever they point to. */
	if (json_len(json_get(j, "urls")) ||
	    strstr(d->media_type, "nondistributable") ||
	    strstr(d->media_type, ".foreign."))
		return error_set(err, ERR_INPUT,
				 "%s is a foreign layer, which is not "
				 "supported",
				 where);
	return 0;
}

static int parse_layers(struct oci_manifest *m, const struct json *layers,
			struct error *err)
{
	const struct json *j;

	if (json_kind(layers) != JSON_ARRAY)
		return error_set(err, ERR_INPUT,
				 "manifest: 'layers' is not an array");
	if (json_len(layers) > OCI_LAYERS_MAX)
		return error_set(err, ERR_INPUT,
				 "manifest: %zu layers, more than the %d "
				 "accepted",
				 json_len(layers), OCI_LAYERS_MAX);
	m->layers = xcalloc(json_len(layers) + 1, sizeof(*m->layers));
	for (j = json_first(layers); j; j = json_next(j)) {
		struct oci_descriptor *d = &m->layers[m->n_layers++];

		if (parse_layer(d, j, m->n_layers - 1, err) < 0)
			return -1;
	}
	return 0;
}

int oci_check_schema(const struct json *j, struct error *err)
{
	int64_t version;

	if (json_kind(j) != JSON_OBJECT)
		return error_set(err, ERR_INPUT,
				 "manifest: the document is not an object");
	if (json_get(j, "manifests") && json_get(j, "layers"))
		return error_set(err, ERR_INPUT,
				 "manifest: ambiguous: it has both 'layers' "
				 "and 'manifests'");
	if (!json_get_int(j, "schemaVersion", &version))
		return error_set(err, ERR_INPUT,
				 "manifest: no schemaVersion");
	if (version == 1) {
		error_set(err, ERR_INPUT,
			  "manifest: schema 1 of docker is not supported");
		return error_hint(err, "push the image again with a current "
				       "tool");
	}
	if (version != 2)
		return error_set(err, ERR_INPUT,
				 "manifest: schemaVersion is not 2");
	return 0;
}

static int check_type(struct oci_manifest *m, const struct json *j,
		      struct error *err)
{
	const char *type = json_get_str(j, "mediaType");
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;

	if (!type) {
		m->docker = str_eq_null(json_get_str(json_get(j, "config"),
						     "mediaType"),
					DOCKER_CONFIG);
		return 0;
	}
	m->docker = str_eq(type, DOCKER_MANIFEST);
	if (m->docker || str_eq(type, OCI_MANIFEST))
		return 0;
	add_shown(&shown, type);
	return error_set(err, ERR_INPUT,
			 "manifest: mediaType '%s' is not an image manifest",
			 shown.buf);
}

static int parse(struct oci_manifest *m, const struct json *j,
		 struct error *err)
{
	const struct json *annotations = json_get(j, "annotations");

	if (oci_check_schema(j, err) < 0 || check_type(m, j, err) < 0)
		return -1;
	if (json_get(j, "manifests"))
		return error_set(err, ERR_INPUT,
				 "manifest: an index stands where one image's "
				 "manifest is needed");
	if (oci_descriptor_parse(&m->config, json_get(j, "config"),
				 "manifest: config", err) < 0)
		return -1;
	if (json_kind(annotations) == JSON_OBJECT)
		m->annotations = json_dup(annotations);
	return parse_layers(m, json_get(j, "layers"), err);
}

int oci_manifest_parse(struct oci_manifest *m, const char *text, size_t n,
		       struct error *err)
{
	struct oci_manifest r = { 0 };
	cleanup_json struct json *j = NULL;

	if (n > OCI_MANIFEST_MAX)
		return error_set(err, ERR_INPUT,
				 "manifest: larger than %u bytes",
				 OCI_MANIFEST_MAX);
	j = json_parse("manifest", text, n, err);
	if (!j)
		return -1;
	if (parse(&r, j, err) < 0) {
		oci_manifest_release(&r);
		return -1;
	}
	*m = r;
	return 0;
}

const char *oci_manifest_media_type(const struct oci_manifest *m)
{
	return m->docker ? DOCKER_MANIFEST : OCI_MANIFEST;
}

struct json *oci_descriptor_to_json(const struct oci_descriptor *d)
{
	struct json *j = json_new_object();

	json_set_str(j, "mediaType", d->media_type);
	json_set_str(j, "digest", d->digest);
	json_set_int(j, "size", (int64_t)d->size);
	return j;
}

void oci_manifest_write(const struct oci_manifest *m, struct strbuf *out)
{
	cleanup_json struct json *j = json_new_object();
	struct json *layers;
	size_t i;

	json_set_int(j, "schemaVersion", 2);
	json_set_str(j, "mediaType", oci_manifest_media_type(m));
	json_set(j, "config", oci_descriptor_to_json(&m->config));
	layers = json_set(j, "layers", json_new_array());
	for (i = 0; i < m->n_layers; i++)
		json_push(layers, oci_descriptor_to_json(&m->layers[i]));
	if (json_len(m->annotations))
		json_set(j, "annotations", json_dup(m->annotations));
	json_write(out, j, false);
}

void oci_descriptor_set(struct oci_descriptor *d, const char *media_type,
			const char *digest, uint64_t size)
{
	oci_descriptor_release(d);
	d->media_type = xstrdup(media_type);
	snprintf(d->digest, sizeof(d->digest), "%s", digest);
	d->size = size;
}

void oci_manifest_add_layer(struct oci_manifest *m, const char *media_type,
			    const char *digest, uint64_t size)
{
	struct oci_descriptor *d;

	m->layers = xrealloc_array(m->layers, m->n_layers + 1,
				   sizeof(*m->layers));
	d = &m->layers[m->n_layers++];
	*d = (struct oci_descriptor){ 0 };
	oci_descriptor_set(d, media_type, digest, size);
}
