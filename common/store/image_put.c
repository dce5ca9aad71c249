/* image_put.c - images/: an image is remembered, with what describes it */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store/base.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "store/put.h"

/* --- index.json --- */

/* An index that is kept is kept whole. */
static bool describe_index(struct store *s, const struct store_image *i,
			   struct oci_descriptor *desc)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;
	const char *type;

	if (!blob_is_own(s, i->index, &desc->size) ||
	    store_read_blob(s, i->index, OCI_MANIFEST_MAX, &text, NULL) < 0)
		return false;
	j = json_parse("index", text.buf, text.len, NULL);
	type = json_get_str(j, "mediaType");
	memcpy(desc->digest, i->index, sizeof(desc->digest));
	desc->media_type = (char *)(type && str_eq(type, DOCKER_LIST)
					    ? DOCKER_LIST : OCI_INDEX);
	return true;
}

/* Is all that the manifest names among the blobs? */
bool store_index_entry(struct store *s, const struct store_image *i,
		       struct oci_descriptor *desc)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_oci_manifest struct oci_manifest m = { .docker = false };

	if (*i->index && i->reference)
		return describe_index(s, i, desc);
	if (!*i->manifest || !i->reference ||
	    !blob_is_own(s, i->manifest, &desc->size) ||
	    store_read_blob(s, i->manifest, OCI_MANIFEST_MAX, &text, NULL) <
		    0 ||
	    oci_manifest_parse(&m, text.buf, text.len, NULL) < 0 ||
	    !blob_is_own(s, m.config.digest, NULL))
		return false;
	for (size_t k = 0; k < m.n_layers; k++) {
		if (!blob_is_own(s, m.layers[k].digest, NULL))
			return false;
	}
	memcpy(desc->digest, i->manifest, sizeof(desc->digest));
	desc->media_type = (char *)oci_manifest_media_type(&m);
	return true;
}

/* --- put --- */

#define LINK_TRIES 100

/* A second name for the record, replacing what had it. A link has no lock of
 * its own, so another process may take it for a leftover and remove it; and
 * one that replaces the record between two steps of linkat makes that ENOENT.
 */
static int link_record(struct store *s, const char *from, const char *to,
		       struct error *err)
{
	char temp[32], random[17];
	int i;

	for (i = 0; i < LINK_TRIES; i++) {
		random_hex(random, 8);
		snprintf(temp, sizeof(temp), "tmp/%s", random);
		if (linkat(s->fd, from, s->fd, temp, 0) < 0) {
			if (errno != ENOENT)
				break;
			continue;
		}
		if (renameat(s->fd, temp, s->fd, to) == 0) {
			/* A rename onto the same file leaves both names. */
			unlinkat(s->fd, temp, 0);
			return 0;
		}
		if (errno != ENOENT)
			break;
	}
	error_errno(err, "cannot store an image");
	unlinkat(s->fd, temp, 0);
	return -1;
}

/* Written once more as it is, it was used: nothing has to reach the disk. */
static bool is_written(const struct store *s, const char *path,
		       const struct strbuf *text)
{
	cleanup_strbuf struct strbuf old = STRBUF_INIT;

	if (fs_read_at(s->fd, path, STORE_RECORD_MAX, &old, NULL) < 0 ||
	    old.len != text->len || memcmp(old.buf, text->buf, old.len))
		return false;
	image_note_use(s, path);
	return true;
}

/* Blobs that are there and a record that says the same stay. */
static int write_files(struct store *s, const char *record,
		       const struct strbuf *text,
		       const struct store_text *blobs, size_t n,
		       struct error *err)
{
	cleanup_free struct store_file_text *files = xcalloc(n + 1,
							     sizeof(*files));
	cleanup_free char (*paths)[STORE_BLOB_PATH] = xcalloc(n + 1,
							      sizeof(*paths));
	char digest[DIGEST_TEXT];
	size_t wanted = 0, i;

	for (i = 0; i < n; i++)
		if (blob_is_wanted(s, blobs[i].data, blobs[i].n, digest,
				   paths[i]))
			files[wanted++] = (struct store_file_text){
				paths[i], blobs[i].data, blobs[i].n
			};
	if (!is_written(s, record, text))
		files[wanted++] = (struct store_file_text){ record, text->buf,
							    text->len };
	return store_replace_all(s, files, wanted, err);
}

int store_put_image_with(struct store *s, const struct store_image *i,
			 const struct store_text *blobs, size_t n,
			 struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct oci_descriptor desc = { .size = 0 };
	char ref[STORE_RECORD], id[STORE_RECORD];
	const char *reference = i->reference;
	bool known = *i->config_digest;

	if (!reference && !known)
		return error_set(err, ERR_SYSTEM,
				 "an image needs a reference or an id");
	if (image_to_text(i, &text, err) < 0)
		return -1;
	base_note_used(s, i);
	if (reference)
		store_record_of_ref(ref, reference);
	if (known)
		store_record_of_id(id, digest_hex(i->config_digest));
	if (write_files(s, reference ? ref : id, &text, blobs, n, err) < 0)
		return -1;
	if (reference && known && link_record(s, ref, id, err) < 0)
		return -1;
	if (!reference)
		return 0;
	return store_index_set(s, reference,
			       store_index_entry(s, i, &desc) ? &desc : NULL,
			       err);
}

int store_put_image(struct store *s, const struct store_image *i,
		    struct error *err)
{
	return store_put_image_with(s, i, NULL, 0, err);
}
