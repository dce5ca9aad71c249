/* image.c - images/: what a reference or an id means here */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define ID_PREFIX_MIN 12

void store_image_release(struct store_image *i)
{
	free(i->reference);
	free(i->origin);
	oci_config_release(&i->config);
	for (size_t k = 0; k < i->n_layers; k++) {
		oci_descriptor_release(&i->layers[k].desc);
		free(i->layers[k].origin);
	}
	free(i->layers);
	json_free(i->annotations);
	memset(i, 0, sizeof(*i));
}

/*
 * One record has two names: "ref-" and the digest of the reference, "id-" and
 * the digest of the configuration.
 */
void store_record_of_ref(char name[STORE_RECORD], const char *reference)
{
	char digest[DIGEST_TEXT];

	digest_bytes(reference, strlen(reference), digest);
	snprintf(name, STORE_RECORD, "images/ref-%s", digest_hex(digest));
}

void store_record_of_id(char name[STORE_RECORD], const char *hex)
{
	snprintf(name, STORE_RECORD, "images/id-%s", hex);
}

/* --- records --- */

static struct json *layer_to_json(const struct store_image_layer *l)
{
	struct json *j = json_new_object();

	json_set_str(j, "id", l->id);
	json_set_str(j, "diff_id", l->diff_id);
	json_set_str(j, "digest", l->desc.digest);
	json_set_str(j, "media_type", l->desc.media_type);
	json_set_int(j, "size", (int64_t)l->desc.size);
	if (l->origin)
		json_set_str(j, "origin", l->origin);
	return j;
}

int image_to_text(const struct store_image *i, struct strbuf *out,
		  struct error *err)
{
	cleanup_strbuf struct strbuf config = STRBUF_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = json_new_object();
	struct json *layers = json_new_array(), *parsed;

	json_set(j, "layers", layers);
	for (size_t k = 0; k < i->n_layers; k++)
		json_push(layers, layer_to_json(&i->layers[k]));
	oci_config_write(&i->config, &config);
	parsed = json_parse("configuration", config.buf, config.len, err);
	if (!parsed)
		return -1;
	json_set(j, "config", parsed);
	json_set_str(j, "reference", i->reference);
	json_set_str(j, "origin", i->origin);
	json_set_str(j, "manifest", i->manifest);
	json_set_str(j, "config_digest", i->config_digest);
	json_set_str(j, "index", i->index);
	if (i->annotations)
		json_set(j, "annotations", json_dup(i->annotations));
	json_write(&text, j, false);
	store_seal(out, text.buf, text.len);
	return 0;
}

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
}

static void layer_from_json(const struct json *j, struct store_image_layer *l)
{
	int64_t size = 0;

	copy_text(l->id, sizeof(l->id), json_get_str(j, "id"));
	copy_text(l->diff_id, sizeof(l->diff_id), json_get_str(j, "diff_id"));
	copy_text(l->desc.digest, sizeof(l->desc.digest),
		  json_get_str(j, "digest"));
	l->desc.media_type = xstrdup_null(json_get_str(j, "media_type"));
	l->origin = xstrdup_null(json_get_str(j, "origin"));
	if (json_get_int(j, "size", &size) && size > 0)
		l->desc.size = (uint64_t)size;
}

static int image_from_json(const struct json *j, struct store_image *i,
			   struct error *err)
{
	cleanup_strbuf struct strbuf config = STRBUF_INIT;
	const struct json *layers = json_get(j, "layers");
	size_t n = json_len(layers);

	if (json_kind(json_get(j, "config")) != JSON_OBJECT ||
	    n > OCI_LAYERS_MAX)
		return error_set(err, ERR_SYSTEM, "no image record");
	json_write(&config, json_get(j, "config"), false);
	if (oci_config_parse(&i->config, config.buf, config.len, err) < 0)
		return -1;
	i->reference = xstrdup_null(json_get_str(j, "reference"));
	i->origin = xstrdup_null(json_get_str(j, "origin"));
	copy_text(i->manifest, sizeof(i->manifest),
		  json_get_str(j, "manifest"));
	copy_text(i->config_digest, sizeof(i->config_digest),
		  json_get_str(j, "config_digest"));
	copy_text(i->index, sizeof(i->index), json_get_str(j, "index"));
	if (json_kind(json_get(j, "annotations")) == JSON_OBJECT)
		i->annotations = json_dup(json_get(j, "annotations"));
	i->layers = xcalloc(n + 1, sizeof(*i->layers));
	i->n_layers = n;
	for (size_t k = 0; k < n; k++)
		layer_from_json(json_at(layers, k), &i->layers[k]);
	return 0;
}

/* A flipped byte may well leave a valid record, of another image. */
static int parse_image(const char *name, struct strbuf *text,
		       struct store_image *i, struct error *err)
{
	cleanup_json struct json *j = NULL;

	memset(i, 0, sizeof(*i));
	if (!store_unseal(text)) {
		error_set(err, ERR_SYSTEM, "'%s' is damaged", name);
	} else {
		j = json_parse(name, text->buf, text->len, err);
		if (j && image_from_json(j, i, err) == 0)
			return 1;
		store_image_release(i);
		error_wrap(err, "'%s'", name);
	}
	return error_hint(err, "'devenv store verify' names all damage; pull "
			       "or build the image again");
}

int store_read_image(struct store *s, const char *file, struct store_image *i,
		     struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;

	if (fs_read_at(s->fd, file, STORE_RECORD_MAX, &text, &why) < 0)
		return why.sys == ENOENT ? 0 : error_move(err, &why);
	return parse_image(file, &text, i, err);
}

/* --- get, remove --- */

/* The record file that `hex`, whole or in part, means: 1, 0, -1. */
static int find_by_hex(struct store *s, const char *hex,
		       char name[STORE_RECORD], struct error *err)
{
	cleanup_strvec struct strvec files = STRVEC_INIT;
	int found = 0;

	if (store_list(s, "images", &files, err) < 0)
		return -1;
	for (size_t k = 0; k < files.nr; k++) {
		const char *id = str_skip(files.v[k], "id-");

		if (!id || !str_starts(id, hex) ||
		    !store_is_hex(id, DIGEST_HEX))
			continue;
		if (found++)
			return error_set(err, ERR_USAGE,
					 "'%s' means more than one image",
					 hex);
		store_record_of_id(name, id);
	}
	return found;
}

int store_each_record(struct store *s, bool warn, store_record_fn visit,
		      void *arg, struct error *err)
{
	cleanup_strvec struct strvec files = STRVEC_INIT;

	if (store_list(s, "images", &files, err) < 0)
		return -1;
	for (size_t k = 0; k < files.nr; k++) {
		cleanup_store_image struct store_image i = { .n_layers = 0 };
		cleanup_free char *path = xstrfmt("images/%s", files.v[k]);
		cleanup_error struct error why = ERROR_INIT;

		if (store_read_image(s, path, &i, &why) > 0)
			visit(arg, path, &i);
		else if (warn && error_is(&why))
			log_warn("%s", why.msg);
	}
	return 0;
}

bool store_record_is_ref(const char *path)
{
	return str_starts(path, "images/ref-");
}

void image_note_use(const struct store *s, const char *file)
{
	if (!s->read_only)
		utimensat(s->fd, file, NULL, AT_SYMLINK_NOFOLLOW);
}

static int read_used(struct store *s, const char *file, struct store_image *i,
		     struct error *err)
{
	int found = store_read_image(s, file, i, err);

	if (found > 0)
		image_note_use(s, file);
	return found;
}

static int find_by_manifest(struct store *s, const char *hex,
			    struct store_image *i, struct error *err)
{
	cleanup_strvec struct strvec files = STRVEC_INIT;

	if (store_list(s, "images", &files, err) < 0)
		return -1;
	for (size_t k = 0; k < files.nr; k++) {
		cleanup_free char *path = xstrfmt("images/%s", files.v[k]);

		/* a record that cannot be read is not the one looked for */
		if (store_read_image(s, path, i, NULL) <= 0)
			continue;
		if (*i->manifest && str_starts(digest_hex(i->manifest), hex)) {
			image_note_use(s, path);
			return 1;
		}
		store_image_release(i);
	}
	return 0;
}

int store_get_image(struct store *s, const char *name, struct store_image *i,
		    struct error *err)
{
	int found = image_get_own(s, name, i, err);

	return found ? found : base_get_image(s, name, i);
}

int image_get_own(struct store *s, const char *name, struct store_image *i,
		  struct error *err)
{
	const char *hex = str_skip(name, "sha256:");
	char file[STORE_RECORD];
	int found;

	if (!hex && strlen(name) >= ID_PREFIX_MIN)
		hex = name;
	if (!hex || strlen(hex) > DIGEST_HEX ||
	    strlen(hex) < ID_PREFIX_MIN ||
	    !store_is_hex(hex, strlen(hex))) {
		store_record_of_ref(file, name);
		return read_used(s, file, i, err);
	}
	found = find_by_hex(s, hex, file, err);
	if (found < 0)
		return -1;
	return found ? read_used(s, file, i, err)
		     : find_by_manifest(s, hex, i, err);
}

/* Whether another reference shows an image. */
struct sharing {
	const char *config_digest;
	bool found;
};

static void look_for_other(void *arg, const char *path, struct store_image *i)
{
	struct sharing *sh = arg;

	if (store_record_is_ref(path) &&
	    str_eq(i->config_digest, sh->config_digest))
		sh->found = true;
}

static int remove_record(struct store *s, const char *file, struct error *err)
{
	if (unlinkat(s->fd, file, 0) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s/%s'", s->path,
				   file);
	return 0;
}

static int remove_reference(struct store *s, const char *reference,
			    struct error *err)
{
	char file[STORE_RECORD];

	store_record_of_ref(file, reference);
	if (store_index_set(s, reference, NULL, err) < 0)
		return -1;
	return remove_record(s, file, err);
}

/* By id: all references to it go as well. */
static int remove_all(struct store *s, const struct store_image *i,
		      struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	char file[STORE_RECORD];

	if (store_list_images(s, &names, err) < 0)
		return -1;
	for (size_t k = 0; k < names.nr; k++) {
		cleanup_store_image struct store_image other = { .n_layers = 0 };

		store_record_of_ref(file, names.v[k]);
		if (store_read_image(s, file, &other, NULL) > 0 &&
		    str_eq(other.config_digest, i->config_digest) &&
		    remove_reference(s, names.v[k], err) < 0)
			return -1;
	}
	store_record_of_id(file, digest_hex(i->config_digest));
	return remove_record(s, file, err);
}

int store_remove_image(struct store *s, const char *name, struct error *err)
{
	cleanup_store_image struct store_image i = { .n_layers = 0 };
	struct sharing sh = { .found = false };
	char file[STORE_RECORD];
	int found = image_get_own(s, name, &i, err);

	if (found < 0)
		return -1;
	if (!found && base_get_image(s, name, &i))
		return error_set(err, ERR_REFUSED, "the image '%s' is in the "
				 "base store '%s', which is never changed",
				 name, i.base);
	if (!found)
		return error_set(err, ERR_NO, "there is no image '%s'", name);
	if (!i.reference || !str_eq(i.reference, name)) {
		if (*i.config_digest)
			return remove_all(s, &i, err);
		return remove_reference(s, i.reference ? i.reference : name,
					err);
	}
	if (remove_reference(s, name, err) < 0)
		return -1;
	if (!*i.config_digest)
		return 0;
	sh.config_digest = i.config_digest;
	if (store_each_record(s, false, look_for_other, &sh, err) < 0)
		return -1;
	if (sh.found)
		return 0;
	store_record_of_id(file, digest_hex(i.config_digest));
	return remove_record(s, file, err);
}

static void add_name(void *arg, const char *path, struct store_image *i)
{
	if (store_record_is_ref(path) && i->reference)
		strvec_push(arg, i->reference);
}

int store_list_images(struct store *s, struct strvec *names, struct error *err)
{
	if (store_each_record(s, true, add_name, names, err) < 0)
		return -1;
	if (names->nr)
		strvec_sort(names);
	return 0;
}
