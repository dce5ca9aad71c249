/* verify.c - check that everything in the store is what it says */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#define READ_SIZE ((size_t)1 << 20)

struct verify {
	struct store *s;
	void (*report)(void *arg, const char *finding);
	void *arg;
	int findings;
};

static void finding(struct verify *v, const char *fmt, ...) PRINTF(2, 3);

static void finding(struct verify *v, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	v->findings++;
	v->report(v->arg, text.buf);
}

static int hash_fd(int fd, char digest[DIGEST_TEXT], struct error *err)
{
	cleanup_free char *buf = xmalloc(READ_SIZE);
	cleanup_digest struct digest d;
	ssize_t n;

	digest_init(&d, true);
	while ((n = fs_read_full(fd, buf, READ_SIZE)) > 0)
		digest_update(&d, buf, (size_t)n);
	if (n < 0)
		return error_errno(err, "cannot read a blob");
	digest_final_text(&d, digest);
	return 0;
}

static int check_blob(struct verify *v, const char *hex, struct error *err)
{
	cleanup_free char *digest = xstrfmt("sha256:%s", hex);
	cleanup_close int fd = -1;
	char found[DIGEST_TEXT];

	if (!digest_valid(digest)) {
		finding(v, "blobs/sha256/%s: not the name of a blob", hex);
		return 0;
	}
	fd = store_open_blob(v->s, digest, err);
	if (fd < 0 || hash_fd(fd, found, err) < 0)
		return -1;
	if (!str_eq(found, digest))
		finding(v, "blobs/sha256/%s: content has digest %s", hex,
			found);
	return 0;
}

static int check_layer(struct verify *v, const char *id,
		       struct error *err UNUSED)
{
	struct store_meta meta;
	cleanup_close int fd = -1;

	if (!store_is_hex(id, STORE_ID - 1)) {
		finding(v, "layers/%s: not the name of a layer", id);
		return 0;
	}
	if (!store_has_layer(v->s, id)) {
		finding(v, "layers/%s: never synced, from an earlier boot", id);
		return 0;
	}
	if (store_get_meta(v->s, id, &meta, NULL) < 0 ||
	    !store_meta_sound(v->s, id)) {
		finding(v, "layers/%s: meta is missing or damaged", id);
		return 0;
	}
	fd = store_layer_fs_fd(v->s, id, NULL);
	if (fd < 0)
		finding(v, "layers/%s: fs is missing", id);
	if (*meta.diff_id && !digest_valid(meta.diff_id))
		finding(v, "layers/%s: diff_id is no digest", id);
	return 0;
}

static int check_image(struct verify *v, const char *file,
		       struct error *err UNUSED)
{
	cleanup_store_image struct store_image i = { .n_layers = 0 };
	cleanup_error struct error why = ERROR_INIT;
	cleanup_free char *path = xstrfmt("images/%s", file);

	if (!str_starts(file, "ref-") && !str_starts(file, "id-")) {
		finding(v, "%s: not the name of an image record", path);
		return 0;
	}
	if (store_read_image(v->s, path, &i, &why) < 0) {
		finding(v, "%s: %s", path, why.msg);
		return 0;
	}
	/* A layer may live in a registry only; then something says where. */
	for (size_t k = 0; k < i.n_layers; k++) {
		const struct store_image_layer *l = &i.layers[k];

		if (!store_has_layer(v->s, l->id) && !*l->desc.digest)
			finding(v, "%s: layer %.12s is gone", path, l->id);
	}
	return 0;
}

static int check_cache(struct verify *v, const char *file,
		       struct error *err UNUSED)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = xstrfmt("cache/%s", file);

	if (fs_read_at(v->s->fd, path, (size_t)16 << 20, &text, NULL) < 0 ||
	    !store_unseal(&text))
		finding(v, "%s: damaged", path);
	return 0;
}

static int check_each(struct verify *v, const char *dir,
		      int (*check)(struct verify *v, const char *name,
				   struct error *err), struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (store_list(v->s, dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		if (check(v, names.v[i], err) < 0)
			return -1;
	}
	return 0;
}

static void check_indexed(struct verify *v, const char *digest, int depth);

static int check_nested(struct verify *v, const struct strbuf *text,
			int depth, struct error *err)
{
	cleanup_oci_index struct oci_index x = { 0 };

	if (oci_index_parse(&x, text->buf, text->len, err) < 0)
		return -1;
	for (size_t i = 0; i < x.n; i++)
		check_indexed(v, x.v[i].desc.digest, depth + 1);
	return 0;
}

static int check_manifest(struct verify *v, const char *digest,
			  const struct strbuf *text, struct error *err)
{
	cleanup_oci_manifest struct oci_manifest m = { .docker = false };

	if (oci_manifest_parse(&m, text->buf, text->len, err) < 0)
		return -1;
	if (!store_has_blob(v->s, m.config.digest, NULL))
		finding(v, "index.json: configuration %s of %s is missing",
			m.config.digest, digest);
	for (size_t i = 0; i < m.n_layers; i++) {
		if (!store_has_blob(v->s, m.layers[i].digest, NULL))
			finding(v, "index.json: layer %s of %s is missing",
				m.layers[i].digest, digest);
	}
	return 0;
}

/* A blob that index.json needs, directly or through its manifest. */
static void check_indexed(struct verify *v, const char *digest, int depth)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;
	int rc;

	if (!store_has_blob(v->s, digest, NULL)) {
		finding(v, "index.json: manifest %s is missing", digest);
		return;
	}
	rc = store_read_blob(v->s, digest, OCI_MANIFEST_MAX, &text, &why);
	if (!rc && depth < OCI_NESTING_MAX &&
	    oci_is_index(NULL, text.buf, text.len))
		rc = check_nested(v, &text, depth, &why);
	else if (!rc)
		rc = check_manifest(v, digest, &text, &why);
	if (rc < 0)
		finding(v, "index.json: %s", why.msg);
}

/* What an entry says of its manifest, and whose it is. */
static void check_entry(struct verify *v, const struct json *entry)
{
	cleanup_store_image struct store_image i = { .n_layers = 0 };
	const char *name = json_get_str(json_get(entry, "annotations"),
					STORE_REF_NAME);
	const char *digest = json_get_str(entry, "digest");
	const char *type = json_get_str(entry, "mediaType");
	uint64_t have = 0;
	int64_t size = 0;

	/* A damaged record is a finding of its own. */
	if (!name || store_get_image(v->s, name, &i, NULL) == 0)
		finding(v, "index.json: '%s' is no image of this store",
			name ? name : "(none)");
	if (!digest || !digest_valid(digest)) {
		finding(v, "index.json: an entry without a digest");
		return;
	}
	check_indexed(v, digest, 0);
	if (!json_get_int(entry, "size", &size) ||
	    !store_has_blob(v->s, digest, &have) || have != (uint64_t)size)
		finding(v, "index.json: the size of %s is another", digest);
	if (!type || (!str_eq(type, OCI_MANIFEST) &&
		      !str_eq(type, DOCKER_MANIFEST) &&
		      !oci_is_index(type, NULL, 0)))
		finding(v, "index.json: %s is no manifest", digest);
}

static void check_index(struct verify *v)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;
	cleanup_json struct json *j = NULL;
	int64_t version = 0;

	if (fs_read_at(v->s->fd, "index.json", (size_t)64 << 20, &text,
		       &why) == 0)
		j = json_parse("index.json", text.buf, text.len, &why);
	if (!j) {
		finding(v, "index.json: %s", why.msg);
		return;
	}
	if (json_kind(json_get(j, "manifests")) != JSON_ARRAY ||
	    !json_get_int(j, "schemaVersion", &version) || version != 2)
		finding(v, "index.json: no index");
	for (struct json *m = json_first(json_get(j, "manifests")); m;
	     m = json_next(m))
		check_entry(v, m);
}

int store_verify(struct store *s,
		 void (*report)(void *arg, const char *finding), void *arg,
		 struct error *err)
{
	struct verify v = { s, report, arg, 0 };

	if (check_each(&v, "blobs/sha256", check_blob, err) < 0 ||
	    check_each(&v, "layers", check_layer, err) < 0 ||
	    check_each(&v, "images", check_image, err) < 0 ||
	    check_each(&v, "cache", check_cache, err) < 0)
		return -1;
	check_index(&v);
	return v.findings;
}
