/* verify.c - check that everything in the store is what it says */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE ((size_t)1 << 20)
#define SETTLE_MS 300

static void forget_from(struct verify *v, size_t n)
{
	for (size_t i = n; i < v->nr; i++) {
		free(v->v[i].name);
		free(v->v[i].text);
	}
	v->nr = n;
}

void verify_release(struct verify *v)
{
	forget_from(v, 0);
	free(v->v);
	strindex_release(&v->sound);
	strindex_release(&v->walked);
}

int verify_init(struct verify *v, struct store *s, struct error *err)
{
	struct stat st;

	*v = (struct verify){ .s = s };
	if (fstat(s->fd, &st) < 0)
		return error_errno(err, "cannot examine '%s'", s->path);
	v->owner = st.st_uid;
	return 0;
}

void verify_note(struct verify *v, enum damage damage, const char *name,
		 const char *fmt, ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	GROW(v->v, v->nr, v->alloc);
	v->v[v->nr++] =
		(struct finding){ damage, xstrdup(name), strbuf_detach(&text) };
}

bool verify_has(const struct verify *v, enum damage damage, const char *name)
{
	for (size_t i = 0; i < v->nr; i++)
		if (v->v[i].damage == damage && str_eq(v->v[i].name, name))
			return true;
	return false;
}

bool verify_is_sound(const struct verify *v, const char *name)
{
	size_t ignored;

	return strindex_get(&v->sound, name, strlen(name), &ignored);
}

void verify_set_sound(struct verify *v, const char *name)
{
	strindex_add(&v->sound, name, strlen(name), 0);
}

/* A file of ours, which others may remove while we look: 1 there, 0 not. */
static int check_file(struct verify *v, const char *path)
{
	struct stat st;

	if (fstatat(v->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISREG(st.st_mode)) {
		verify_note(v, DAMAGE_STRAY, path, "%s: not a file", path);
		return 0;
	}
	if (st.st_uid != v->owner)
		verify_note(v, DAMAGE_OWNER, path, "%s: belongs to user %u",
			    path, (unsigned)st.st_uid);
	return 1;
}

static int hash_fd(int fd, char digest[DIGEST_TEXT])
{
	cleanup_free char *buf = xmalloc(READ_SIZE);
	cleanup_digest struct digest d;
	ssize_t n;

	digest_init(&d, true);
	while ((n = fs_read_full(fd, buf, READ_SIZE)) > 0)
		digest_update(&d, buf, (size_t)n);
	digest_final_text(&d, digest);
	return n < 0 ? -1 : 0;
}

bool verify_blob(const struct store *s, const char *digest)
{
	cleanup_close int fd = store_open_blob(s, digest, NULL);
	char found[DIGEST_TEXT];

	return fd >= 0 && hash_fd(fd, found) == 0 && str_eq(found, digest);
}

static int check_blob(struct verify *v, const char *hex, const char *path,
		      struct error *err UNUSED)
{
	cleanup_free char *digest = xstrfmt("sha256:%s", hex);
	cleanup_close int fd = -1;
	char found[DIGEST_TEXT];

	if (verify_is_sound(v, digest))
		return 0;
	if (!digest_valid(digest)) {
		verify_note(v, DAMAGE_STRAY, path, "%s: not the name of a blob",
			    path);
		return 0;
	}
	if (!check_file(v, path))
		return 0;
	fd = store_open_blob(v->s, digest, NULL);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || hash_fd(fd, found) < 0)
		verify_note(v, DAMAGE_BLOB, digest, "%s: cannot be read: %s",
			    path, strerror(errno));
	else if (!str_eq(found, digest))
		verify_note(v, DAMAGE_BLOB, digest, "%s: content has digest %s",
			    path, found);
	else
		verify_set_sound(v, digest);
	return 0;
}

/* What can be told without its files. */
static int check_layer(struct verify *v, const char *id, const char *path,
		       struct error *err UNUSED)
{
	struct store_meta meta;
	cleanup_close int fd = -1;
	struct stat st;

	if (!store_is_hex(id, STORE_ID - 1))
		verify_note(v, DAMAGE_STRAY, path,
			    "%s: not the name of a layer", path);
	else if (fstatat(v->s->fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	else if (!layer_is_own(v->s, id))
		verify_note(v, DAMAGE_LAYER, id,
			    "%s: never synced, from an earlier boot", path);
	else if (store_get_meta(v->s, id, &meta, NULL) < 0 ||
		 !store_meta_sound(v->s, id))
		verify_note(v, DAMAGE_LAYER, id,
			    "%s: meta is missing or damaged", path);
	else if ((fd = store_layer_fs_fd(v->s, id, NULL)) < 0)
		verify_note(v, DAMAGE_LAYER, id, "%s: fs is missing", path);
	else if (*meta.diff_id && !digest_valid(meta.diff_id))
		verify_note(v, DAMAGE_LAYER, id, "%s: diff_id is no digest",
			    path);
	else if (st.st_uid != v->owner)
		verify_note(v, DAMAGE_OWNER, path, "%s: belongs to user %u",
			    path, (unsigned)st.st_uid);
	return 0;
}

static int check_note(struct verify *v, const char *id, const char *path,
		      struct error *err UNUSED)
{
	cleanup_free char *layer = xstrfmt("layers/%s", id);
	struct stat st;

	/* The layer comes first, then its note. */
	if (fstatat(v->s->fd, layer, &st, AT_SYMLINK_NOFOLLOW) < 0)
		verify_note(v, DAMAGE_STRAY, path, "%s: there is no such layer",
			    path);
	return 0;
}

/* A manifest or configuration that is known by its digest only is of no use
 * once it is gone. */
static void check_document(struct verify *v, const char *path, const char *what,
			   const char *digest)
{
	if (*digest && !store_has_blob(v->s, digest, NULL) &&
	    !verify_has(v, DAMAGE_BLOB, digest))
		verify_note(v, DAMAGE_BLOB, digest, "%s: the %s %s is missing",
			    path, what, digest);
}

/* One record has two names. */
static void check_names(struct verify *v, const char *path,
			const struct store_image *i)
{
	char name[STORE_RECORD];

	if (!*i->config_digest)
		return;
	store_record_of_id(name, digest_hex(i->config_digest));
	if (faccessat(v->s->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	    faccessat(v->s->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		verify_note(v, DAMAGE_NAME, path, "%s: %s is missing", path,
			    name);
}

static int check_image(struct verify *v, const char *file, const char *path,
		       struct error *err UNUSED)
{
	cleanup_store_image struct store_image i = { .n_layers = 0 };
	cleanup_error struct error why = ERROR_INIT;

	if (!str_starts(file, "ref-") && !str_starts(file, "id-")) {
		verify_note(v, DAMAGE_STRAY, path,
			    "%s: not the name of an image record", path);
		return 0;
	}
	if (!check_file(v, path))
		return 0;
	if (store_read_image(v->s, path, &i, &why) < 0) {
		verify_note(v, DAMAGE_RECORD, path, "%s: %s", path, why.msg);
		return 0;
	}
	check_names(v, path, &i);
	check_document(v, path, "configuration", i.config_digest);
	check_document(v, path, "manifest", i.manifest);
	check_document(v, path, "index", i.index);
	/* A layer may live in a registry only; then something says where. */
	for (size_t k = 0; k < i.n_layers; k++) {
		const struct store_image_layer *l = &i.layers[k];

		if (!store_has_layer(v->s, l->id) &&
		    !store_has_blob(v->s, l->desc.digest, NULL) &&
		    (!*l->desc.digest || (!l->origin && !i.origin)))
			verify_note(v, DAMAGE_IMAGE, path,
				    "%s: layer %.12s is gone", path, l->id);
	}
	return 0;
}

static int check_step(struct verify *v, const char *file UNUSED,
		      const char *path, struct error *err UNUSED)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (!check_file(v, path))
		return 0;
	if (fs_read_at(v->s->fd, path, (size_t)16 << 20, &text, NULL) < 0 ||
	    !store_unseal(&text))
		verify_note(v, DAMAGE_STEP, path, "%s: damaged", path);
	return 0;
}

static int check_each(struct verify *v, const char *dir,
		      int (*check)(struct verify *v, const char *name,
				   const char *path, struct error *err),
		      struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;

	if (store_list(v->s, dir, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.nr; i++) {
		cleanup_free char *path = xstrfmt("%s/%s", dir, names.v[i]);

		if (check(v, names.v[i], path, err) < 0)
			return -1;
	}
	return 0;
}

/* --- index.json --- */

#define INDEX_JSON "index.json"

static void index_note(struct verify *v, const char *fmt, ...) PRINTF(2, 3);

static void index_note(struct verify *v, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	verify_note(v, DAMAGE_INDEX, INDEX_JSON, INDEX_JSON ": %s", text.buf);
}

/* It is here, or it is a finding already. */
static void check_member(struct verify *v, const char *what, const char *digest,
			 const char *manifest)
{
	if (!blob_is_own(v->s, digest, NULL) &&
	    !verify_has(v, DAMAGE_BLOB, digest))
		verify_note(v, DAMAGE_BLOB, digest,
			    INDEX_JSON ": %s %s of %s is missing", what, digest,
			    manifest);
}

static void check_indexed(struct verify *v, const char *digest, int depth);

static int check_nested(struct verify *v, const struct strbuf *text, int depth,
			struct error *err)
{
	cleanup_oci_index struct oci_index x = { .n = 0 };

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
	check_member(v, "configuration", m.config.digest, digest);
	for (size_t i = 0; i < m.n_layers; i++)
		check_member(v, "layer", m.layers[i].digest, digest);
	return 0;
}

/* A blob that index.json needs, directly or through its manifest. */
static void check_indexed(struct verify *v, const char *digest, int depth)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;
	int rc;

	if (!strindex_add(&v->walked, digest, strlen(digest), 0) ||
	    verify_has(v, DAMAGE_BLOB, digest))
		return;
	if (!blob_is_own(v->s, digest, NULL)) {
		verify_note(v, DAMAGE_BLOB, digest,
			    INDEX_JSON ": manifest %s is missing", digest);
		return;
	}
	rc = store_read_blob(v->s, digest, OCI_MANIFEST_MAX, &text, &why);
	if (!rc && depth < OCI_NESTING_MAX &&
	    oci_is_index(NULL, text.buf, text.len))
		rc = check_nested(v, &text, depth, &why);
	else if (!rc)
		rc = check_manifest(v, digest, &text, &why);
	if (rc < 0)
		index_note(v, "%s", why.msg);
}

static const char *listed_digest(const struct store_image *i)
{
	return *i->index ? i->index : i->manifest;
}

/* A name and its manifest, looked for in the records known by their ids. */
struct known {
	const char *name, *manifest;
	bool found;
};

static void compare_known(void *arg, const char *path UNUSED,
			  struct store_image *i)
{
	struct known *k = arg;

	if (str_eq(listed_digest(i), k->manifest) &&
	    str_eq_null(i->reference, k->name))
		k->found = true;
}

/*
 * What is listed may be the damage. 1: it is what its record says, or that
 * record is a finding; 0: it is a finding itself; -1. Where the record is gone,
 * its other name tells.
 */
static int check_listed(struct verify *v, const char *name, const char *digest,
			struct error *err)
{
	cleanup_store_image struct store_image i = { .n_layers = 0 };
	struct known k = { .name = name, .manifest = digest };
	char record[STORE_RECORD];

	store_record_of_ref(record, name);
	if (verify_has(v, DAMAGE_RECORD, record))
		return 1;
	if (store_read_image(v->s, record, &i, NULL) > 0) {
		k.found = str_eq(listed_digest(&i), digest);
		if (!k.found)
			index_note(v, "'%s' is not the manifest %s", name,
				   digest);
		return k.found;
	}
	if (store_each_record(v->s, false, compare_known, &k, err) < 0)
		return -1;
	if (k.found)
		verify_note(v, DAMAGE_RECORD, record,
			    "%s: missing, the record of %s", record, name);
	else
		index_note(v, "'%s' is no image of this store", name);
	return k.found;
}

/* What an entry says of its manifest, and whose it is. */
static int check_entry(struct verify *v, const struct json *entry,
		       struct error *err)
{
	const char *name =
		json_get_str(json_get(entry, "annotations"), STORE_REF_NAME);
	const char *digest = json_get_str(entry, "digest");
	const char *type = json_get_str(entry, "mediaType");
	uint64_t have = 0;
	int64_t size = 0;
	int listed = 0;

	if (!name)
		index_note(v, "an entry without a name");
	if (!digest || !digest_valid(digest)) {
		index_note(v, "an entry without a digest");
		return 0;
	}
	if (name)
		listed = check_listed(v, name, digest, err);
	if (listed <= 0)
		return listed;
	check_indexed(v, digest, 0);
	if (!json_get_int(entry, "size", &size) ||
	    (blob_is_own(v->s, digest, &have) && have != (uint64_t)size))
		index_note(v, "the size of %s is another", digest);
	if (!type ||
	    (!str_eq(type, OCI_MANIFEST) && !str_eq(type, DOCKER_MANIFEST) &&
	     !oci_is_index(type, NULL, 0)))
		index_note(v, "%s is no manifest", digest);
	return 0;
}

static int check_index(struct verify *v, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;
	cleanup_json struct json *j = NULL;
	int64_t version = 0;

	if (!check_file(v, INDEX_JSON)) {
		index_note(v, "missing");
		return 0;
	}
	if (fs_read_at(v->s->fd, INDEX_JSON, (size_t)64 << 20, &text, &why) ==
	    0)
		j = json_parse(INDEX_JSON, text.buf, text.len, &why);
	if (!j) {
		index_note(v, "%s", why.msg);
		return 0;
	}
	if (json_kind(json_get(j, "manifests")) != JSON_ARRAY ||
	    !json_get_int(j, "schemaVersion", &version) || version != 2)
		index_note(v, "no index");
	strindex_release(&v->walked);
	for (struct json *m = json_first(json_get(j, "manifests")); m;
	     m = json_next(m))
		if (check_entry(v, m, err) < 0)
			return -1;
	return 0;
}

static void check_layout(struct verify *v)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;

	if (fs_read_at(v->s->fd, STORE_LAYOUT, 4096, &text, NULL) == 0)
		j = json_parse(STORE_LAYOUT, text.buf, text.len, NULL);
	if (!str_eq_null(json_get_str(j, "imageLayoutVersion"), "1.0.0"))
		verify_note(v, DAMAGE_LAYOUT, STORE_LAYOUT,
			    STORE_LAYOUT ": missing or damaged");
}

static int check_records(struct verify *v, struct error *err)
{
	if (check_each(v, "images", check_image, err) < 0 ||
	    check_each(v, "cache", check_step, err) < 0)
		return -1;
	return check_index(v, err);
}

/* An image is written in several steps, and who writes one may be between
 * them: what is found then is looked at again. */
static int check_settled(struct verify *v, struct error *err)
{
	const struct timespec pause = { .tv_nsec = SETTLE_MS * 1000000L };
	const size_t n = v->nr;

	if (check_records(v, err) < 0)
		return -1;
	if (v->nr == n || v->alone)
		return 0;
	if (flock(v->s->use_fd, LOCK_EX | LOCK_NB) < 0)
		nanosleep(&pause, NULL);
	else if (flock(v->s->use_fd, LOCK_SH) < 0)
		log_debug("cannot go back to a shared lock");
	forget_from(v, n);
	return check_records(v, err);
}

int verify_all(struct verify *v, struct error *err)
{
	forget_from(v, 0);
	check_layout(v);
	if (check_each(v, "blobs/sha256", check_blob, err) < 0 ||
	    check_each(v, "layers", check_layer, err) < 0 ||
	    check_each(v, STORE_UNSYNCED, check_note, err) < 0 ||
	    verify_layers(v, err) < 0)
		return -1;
	return check_settled(v, err);
}

int store_verify(struct store *s,
		 void (*report)(void *arg, const char *finding), void *arg,
		 struct error *err)
{
	cleanup_verify struct verify v = { .s = NULL };

	if (verify_init(&v, s, err) < 0 || verify_all(&v, err) < 0)
		return -1;
	for (size_t i = 0; i < v.nr; i++)
		report(arg, v.v[i].text);
	return (int)v.nr;
}
