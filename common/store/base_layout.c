/* base_layout.c - images of an OCI layout that other programs wrote */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base.h"

#define INDEX_MAX ((size_t)64 << 20)

static struct json *read_index(struct store *b, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (fs_read_at(b->fd, "index.json", INDEX_MAX, &text, err) < 0)
		return NULL;
	return json_parse("index.json", text.buf, text.len, err);
}

/* As we write names; NULL: it has none. malloc'ed. */
static char *entry_name(const struct json *entry)
{
	const char *name =
		json_get_str(json_get(entry, "annotations"), STORE_REF_NAME);
	cleanup_oci_ref struct oci_ref ref = { .host = NULL };

	if (!name || oci_ref_parse(&ref, name, NULL) < 0)
		return NULL;
	return oci_ref_format(&ref);
}

/* Of this machine, where there are several. */
static int read_manifest(struct store *b, char digest[DIGEST_TEXT],
			 struct oci_manifest *m, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_oci_platform struct oci_platform here = { .os = NULL };
	cleanup_oci_descriptor struct oci_descriptor chosen = { .size = 0 };

	oci_platform_host(&here);
	for (int depth = 0; depth <= OCI_NESTING_MAX; depth++) {
		strbuf_reset(&text);
		if (store_read_blob(b, digest, OCI_MANIFEST_MAX, &text, err) <
		    0)
			return -1;
		if (!oci_is_index(NULL, text.buf, text.len))
			return oci_manifest_parse(m, text.buf, text.len, err);
		oci_descriptor_release(&chosen);
		if (oci_index_choose(text.buf, text.len, &here, &chosen, err) <
		    0)
			return -1;
		memcpy(digest, chosen.digest, DIGEST_TEXT);
	}
	return error_set(err, ERR_INPUT, "an index of indexes, too deep");
}

static int describe(struct store *b, const struct oci_manifest *m,
		    struct store_image *i, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct strvec *ids = &i->config.diff_ids;

	if (store_read_blob(b, m->config.digest, OCI_CONFIG_MAX, &text, err) <
		    0 ||
	    oci_config_parse(&i->config, text.buf, text.len, err) < 0)
		return -1;
	if (ids->nr != m->n_layers)
		return error_set(err, ERR_INPUT,
				 "the manifest lists %zu "
				 "layers, the configuration %zu",
				 m->n_layers, ids->nr);
	memcpy(i->config_digest, m->config.digest, DIGEST_TEXT);
	i->layers = xcalloc(ids->nr + 1, sizeof(*i->layers));
	for (size_t k = 0; k < ids->nr; k++) {
		struct store_image_layer *l = &i->layers[k];

		if (!digest_valid(ids->v[k]))
			return error_set(err, ERR_INPUT,
					 "'%.80s' is no "
					 "diff id",
					 ids->v[k]);
		memcpy(l->diff_id, ids->v[k], DIGEST_TEXT);
		memcpy(l->id, digest_hex(ids->v[k]), STORE_ID);
		oci_descriptor_set(&l->desc, m->layers[k].media_type,
				   m->layers[k].digest, m->layers[k].size);
		i->n_layers++;
	}
	return 0;
}

static int read_image(struct store *b, const char *digest, char **name,
		      struct store_image *i, struct error *err)
{
	cleanup_oci_manifest struct oci_manifest m = { .docker = false };

	memset(i, 0, sizeof(*i));
	if (!digest_valid(digest))
		return error_set(err, ERR_INPUT,
				 "index.json: '%.80s' is no "
				 "digest",
				 digest);
	memcpy(i->manifest, digest, DIGEST_TEXT);
	i->reference = steal_ptr(name);
	if (read_manifest(b, i->manifest, &m, err) < 0 ||
	    describe(b, &m, i, err) < 0) {
		store_image_release(i);
		return -1;
	}
	return 1;
}

/* The digits of "sha256:..." or of an id; NULL: it is a name. */
static const char *hex_of(const char *name)
{
	const char *hex = digest_hex(name);
	const size_t n = strlen(hex);

	return n >= 12 && n <= DIGEST_HEX && store_is_hex(hex, n) ? hex : NULL;
}

static bool has_digest(const struct store_image *i, const char *hex)
{
	return str_starts(digest_hex(i->manifest), hex) ||
	       str_starts(digest_hex(i->config_digest), hex);
}

int base_layout_get(struct store *b, const char *name, struct store_image *i,
		    struct error *err)
{
	cleanup_json struct json *index = read_index(b, err);
	const char *hex = hex_of(name);

	if (!index)
		return -1;
	for (struct json *m = json_first(json_get(index, "manifests")); m;
	     m = json_next(m)) {
		const char *digest = json_get_str(m, "digest");
		cleanup_free char *found = entry_name(m);

		if (!digest || (!hex && !str_eq_null(found, name)))
			continue;
		if (read_image(b, digest, &found, i, hex ? NULL : err) < 0) {
			if (hex)
				continue;
			return -1;
		}
		if (!hex || has_digest(i, hex))
			return 1;
		store_image_release(i);
	}
	return 0;
}

int base_layout_names(struct store *b, struct strvec *names, struct error *err)
{
	cleanup_json struct json *index = read_index(b, err);

	if (!index)
		return -1;
	for (struct json *m = json_first(json_get(index, "manifests")); m;
	     m = json_next(m)) {
		char *name = entry_name(m);

		if (name)
			strvec_push_own(names, name);
	}
	return 0;
}
