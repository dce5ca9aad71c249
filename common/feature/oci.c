/* oci.c - Features that registries have */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "feature/internal.h"

#define CONFIG_TYPE "application/vnd.devcontainers"
#define LAYER_TYPE "application/vnd.devcontainers.layer.v1+tar"
#define METADATA "dev.containers.metadata" /* annotation */

struct registry *oci_registry(struct finder *fi, struct error *err)
{
	struct registry_options o = *fi->q->registry;

	o.devcontainers = true;
	if (!*fi->q->client && registry_new(fi->q->client, &o, err) < 0)
		return NULL;
	return *fi->q->client;
}

int oci_name(const struct devcontainer_feature_ref *ref, const char *digest,
	     struct oci_ref *out, struct error *err)
{
	cleanup_free char *text =
		xstrfmt("%s/%s%s%s", ref->registry, ref->path,
			digest ? "@" : ":", digest ? digest : ref->tag);

	if (oci_ref_parse(out, text, err) == 0)
		return 0;
	if (err)
		err->code = ERR_INPUT;
	return -1;
}

static const struct oci_descriptor *feature_layer(const struct oci_manifest *m)
{
	for (size_t i = 0; i < m->n_layers; i++)
		if (str_eq(m->layers[i].media_type, LAYER_TYPE))
			return &m->layers[i];
	return NULL;
}

static int take_manifest(struct devcontainer_feature *f,
			 const struct oci_manifest *m, struct error *err)
{
	const struct oci_descriptor *layer = feature_layer(m);

	if (!str_eq(m->config.media_type, CONFIG_TYPE)) {
		error_set(err, ERR_INPUT,
			  "%s/%s is no Feature: its configuration is %s",
			  f->ref.registry, f->ref.path, m->config.media_type);
		return error_hint(err, "%s is expected", CONFIG_TYPE);
	}
	if (!layer) {
		error_set(err, ERR_INPUT, "%s/%s has no layer of a Feature",
			  f->ref.registry, f->ref.path);
		return error_hint(err, "%s is expected", LAYER_TYPE);
	}
	if (layer->size > ARCHIVE_MAX)
		return error_set(err, ERR_INPUT, "%s/%s is larger than %u MiB",
				 f->ref.registry, f->ref.path,
				 ARCHIVE_MAX >> 20);
	memcpy(f->archive, layer->digest, DIGEST_TEXT);
	f->archive_size = layer->size;
	return 0;
}

/* A lock that has outlived what it binds to. */
static int explain_pin(const char *pin, struct error *err)
{
	if (!pin || !err || err->code != ERR_REFUSED)
		return -1;
	return error_hint(err,
			  "the lockfile binds it to %s; 'devenv parse "
			  "--update-lockfile' looks for it anew",
			  pin);
}

static int get_manifest(struct finder *fi, const struct oci_ref *ref,
			struct registry_manifest *m, struct error *err)
{
	struct registry *r = oci_registry(fi, err);
	int rc = r ? ahead_take_manifest(fi, ref, m, err) : -1;

	return rc ? MIN(rc, 0) : registry_get_manifest(r, ref, m, err);
}

/* What the manifest says; the metadata only where it is written there. */
static int ask(struct finder *fi, const char *digest,
	       struct devcontainer_feature *f, struct strbuf *metadata,
	       struct error *err)
{
	cleanup_registry_manifest struct registry_manifest m = {
		.body = STRBUF_INIT
	};
	cleanup_oci_manifest struct oci_manifest parsed = { 0 };
	cleanup_oci_ref struct oci_ref ref = { 0 };
	const char *text;

	if (oci_name(&f->ref, digest, &ref, err) < 0 ||
	    get_manifest(fi, &ref, &m, err) < 0)
		return -1;
	fi->contacted = true;
	if (oci_manifest_parse(&parsed, m.body.buf, m.body.len, err) < 0)
		return error_wrap(err, "%s/%s", f->ref.registry, f->ref.path);
	if (take_manifest(f, &parsed, err) < 0)
		return -1;
	memcpy(f->digest, m.digest, DIGEST_TEXT);
	text = json_get_str(parsed.annotations, METADATA);
	if (text)
		strbuf_addstr(metadata, text);
	return 0;
}

static int find(struct finder *fi, const char *digest, const char *version,
		struct devcontainer_feature *f, struct strbuf *metadata,
		struct error *err)
{
	struct store *s = fi->q->store;
	cleanup_strbuf struct strbuf archive = STRBUF_INIT;

	if ((digest || !fi->q->pull) &&
	    memory_get(s, &f->ref, version, f, metadata))
		return 0;
	if (ask(fi, digest, f, metadata, err) < 0)
		return -1;
	if (!metadata->len && (oci_archive(fi, f, &archive, err) < 0 ||
			       package_metadata(&archive, metadata, err) < 0))
		return error_wrap(err, "%s/%s", f->ref.registry, f->ref.path);
	jsonc_repair_utf8(metadata);
	memory_put(s, &f->ref, version, f, metadata);
	if (!digest)
		memory_put(s, &f->ref, f->digest, f, metadata);
	return 0;
}

int oci_find(struct finder *fi, const char *pin, struct devcontainer_feature *f,
	     struct strbuf *metadata, struct error *err)
{
	const char *digest = pin ? pin : f->ref.digest;

	if (find(fi, digest, digest ? digest : f->ref.tag, f, metadata, err) ==
	    0)
		return 0;
	return explain_pin(pin, err);
}

static int add_bytes(void *arg, const void *data, size_t n, struct error *err)
{
	struct strbuf *out = arg;

	if (n > ARCHIVE_MAX - out->len)
		return error_set(err, ERR_INPUT,
				 "the archive is larger than %u MiB",
				 ARCHIVE_MAX >> 20);
	strbuf_add(out, data, n);
	return 0;
}

static int forget_bytes(void *arg, struct error *err)
{
	(void)err;
	strbuf_reset(arg);
	return 0;
}

int oci_archive(struct finder *fi, const struct devcontainer_feature *f,
		struct strbuf *archive, struct error *err)
{
	cleanup_oci_descriptor struct oci_descriptor desc = { 0 };
	cleanup_oci_ref struct oci_ref ref = { 0 };
	struct registry *r = oci_registry(fi, err);
	struct registry_blob blob = { .sink = { add_bytes, forget_bytes,
						archive } };

	if (ahead_take_archive(fi, f->archive, archive))
		return 0;
	oci_descriptor_set(&desc, LAYER_TYPE, f->archive, f->archive_size);
	blob.desc = desc;
	if (!r || oci_name(&f->ref, f->digest, &ref, err) < 0)
		return -1;
	return registry_pull_blobs(r, &ref, &blob, 1, err);
}
