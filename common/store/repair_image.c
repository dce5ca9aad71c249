/* repair_image.c - write an image's record again from what it described */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/repair.h"

#include <unistd.h>

#define INDEX_MAX ((size_t)64 << 20)

/* What index.json says of the image whose record was at `path`: by the name
 * the path comes from, or by the configuration that it is about. */
struct listed {
	char *reference;
	char manifest[DIGEST_TEXT]; /* "": not listed */
};

static bool is_about(struct store *s, const char *path, const char *reference,
		     const char *manifest)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_oci_manifest struct oci_manifest m = { .docker = false };
	char name[STORE_RECORD];

	if (!digest_valid(manifest))
		return false;
	if (store_record_is_ref(path)) {
		store_record_of_ref(name, reference);
		return str_eq(name, path);
	}
	if (store_read_blob(s, manifest, OCI_MANIFEST_MAX, &text, NULL) < 0 ||
	    oci_manifest_parse(&m, text.buf, text.len, NULL) < 0)
		return false;
	store_record_of_id(name, digest_hex(m.config.digest));
	return str_eq(name, path);
}

static void find_listed(struct store *s, const char *path, struct listed *l)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;

	if (fs_read_at(s->fd, "index.json", INDEX_MAX, &text, NULL) < 0)
		return;
	j = json_parse("index.json", text.buf, text.len, NULL);
	for (struct json *m = json_first(json_get(j, "manifests")); m;
	     m = json_next(m)) {
		const char *digest = json_get_str(m, "digest");
		const char *name = json_get_str(json_get(m, "annotations"),
						STORE_REF_NAME);

		if (!name || !digest || !is_about(s, path, name, digest))
			continue;
		l->reference = xstrdup(name);
		memcpy(l->manifest, digest, DIGEST_TEXT);
		return;
	}
}

/* Layers that were made here have ids of their own. */
static void find_layer(struct store *s, struct store_image_layer *l,
		       const char *diff_id)
{
	cleanup_strvec struct strvec ids = STRVEC_INIT;
	struct store_meta meta = { .uid = 0 };

	memcpy(l->diff_id, diff_id, DIGEST_TEXT);
	memcpy(l->id, digest_hex(diff_id), STORE_ID);
	if (store_has_layer(s, l->id) ||
	    store_list(s, "layers", &ids, NULL) < 0)
		return;
	for (size_t i = 0; i < ids.nr; i++) {
		if (store_get_meta(s, ids.v[i], &meta, NULL) < 0 ||
		    !str_eq(meta.diff_id, diff_id))
			continue;
		memcpy(l->id, ids.v[i], STORE_ID);
		return;
	}
}

static void find_form(struct store *s, struct store_image_layer *l)
{
	struct store_meta meta = { .uid = 0 };

	if (store_get_meta(s, l->id, &meta, NULL) < 0)
		return;
	if (*meta.origin)
		l->origin = xstrdup(meta.origin);
	if (!*l->desc.digest && *meta.blob)
		oci_descriptor_set(&l->desc, meta.media_type, meta.blob,
				   meta.blob_size);
}

/* Its layers, each of them somewhere: 0 or -1. */
static int find_layers(struct store *s, struct store_image *i,
		       const struct oci_manifest *m)
{
	const struct strvec *ids = &i->config.diff_ids;

	if (ids->nr > OCI_LAYERS_MAX || (m->n_layers && m->n_layers != ids->nr))
		return -1;
	i->layers = xcalloc(ids->nr + 1, sizeof(*i->layers));
	for (size_t k = 0; k < ids->nr; k++) {
		struct store_image_layer *l = &i->layers[k];

		if (!digest_valid(ids->v[k]))
			return -1;
		i->n_layers++;
		find_layer(s, l, ids->v[k]);
		if (m->n_layers)
			oci_descriptor_set(&l->desc, m->layers[k].media_type,
					   m->layers[k].digest,
					   m->layers[k].size);
		find_form(s, l);
		if (!store_has_layer(s, l->id) &&
		    !store_has_blob(s, l->desc.digest, NULL) && !l->origin)
			return -1;
	}
	return 0;
}

/* The image again, without what only its record knew. */
static int read_documents(struct store *s, const char *path,
			  struct store_image *i)
{
	cleanup_oci_manifest struct oci_manifest m = { .docker = false };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct listed listed = { .reference = NULL };
	const char *hex = str_skip(path, "images/id-");
	cleanup_free char *config = hex ? xstrfmt("sha256:%s", hex) : NULL;

	find_listed(s, path, &listed);
	i->reference = listed.reference;
	memcpy(i->manifest, listed.manifest, DIGEST_TEXT);
	if (*i->manifest) {
		if (store_read_blob(s, i->manifest, OCI_MANIFEST_MAX, &text,
				    NULL) < 0 ||
		    oci_manifest_parse(&m, text.buf, text.len, NULL) < 0)
			return -1;
		free(config);
		config = xstrdup(m.config.digest);
	}
	if (!config || !digest_valid(config))
		return -1;
	memcpy(i->config_digest, config, DIGEST_TEXT);
	strbuf_reset(&text);
	if (store_read_blob(s, config, OCI_CONFIG_MAX, &text, NULL) < 0 ||
	    oci_config_parse(&i->config, text.buf, text.len, NULL) < 0)
		return -1;
	return find_layers(s, i, &m);
}

enum outcome repair_record(struct repair *r, const char *path,
			   struct strbuf *how, struct error *err)
{
	cleanup_store_image struct store_image now = { .n_layers = 0 };
	cleanup_store_image struct store_image i = { .n_layers = 0 };

	if (store_read_image(r->s, path, &now, NULL) > 0) {
		strbuf_addstr(how, "it is here again");
		return OUTCOME_MENDED;
	}
	if (read_documents(r->s, path, &i) == 0) {
		repair_say(r, how, "made again from the image's configuration");
		if (r->o->dry_run)
			return OUTCOME_MENDED;
		return store_put_image(r->s, &i, err) < 0 ? OUTCOME_FAILED
							  : OUTCOME_MENDED;
	}
	if (r->only_certain)
		return OUTCOME_LOST;
	repair_say(r, how, "removed; pull or build the image again");
	if (!r->o->dry_run && store_discard(r->s, path, err) < 0)
		return OUTCOME_FAILED;
	return OUTCOME_LOST;
}

enum outcome repair_image(struct repair *r, const char *path,
			  struct strbuf *how, struct error *err)
{
	cleanup_store_image struct store_image i = { .n_layers = 0 };
	const char *name;

	if (repair_lacks_base(r, how))
		return OUTCOME_LOST;
	if (store_read_image(r->s, path, &i, NULL) <= 0) {
		strbuf_addstr(how, "gone with its other name");
		return OUTCOME_MENDED;
	}
	name = store_record_is_ref(path) && i.reference ? i.reference
							: i.config_digest;
	repair_say(r, how, "removed, the image %s",
		   i.reference ? i.reference : name);
	if (!r->o->dry_run && store_remove_image(r->s, name, err) < 0)
		return OUTCOME_FAILED;
	return OUTCOME_LOST;
}
