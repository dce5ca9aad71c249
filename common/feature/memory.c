/* memory.c - what the store remembers of Features */
/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/log.h"
#include "feature/internal.h"

#define FORMAT "1" /* of what is remembered */

/* A key of the step cache that no step has: what kind, then whose. */
static void make_key(const char *kind, const char *of, const char *version,
		     char key[DIGEST_HEX + 1])
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	char digest[DIGEST_TEXT];

	strbuf_addf(&text, "feature %s\n%s\n%s\n%s\n", FORMAT, kind, of,
		    version);
	digest_bytes(text.buf, text.len, digest);
	memcpy(key, digest_hex(digest), DIGEST_HEX + 1);
}

static struct json *load(struct store *s, const char *key)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	if (store_cache_get(s, key, &text, NULL) <= 0)
		return NULL;
	return json_parse("feature", text.buf, text.len, NULL);
}

static int save(struct store *s, const char *key, const struct json *j,
		struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	json_write(&text, j, false);
	return store_cache_put(s, key, text.buf, text.len, err);
}

char *memory_files(struct store *s, const char *digest)
{
	cleanup_json struct json *j = NULL;
	char key[DIGEST_HEX + 1];
	const char *layer;

	make_key("files", digest, "", key);
	j = load(s, key);
	layer = json_get_str(j, "layer");
	if (!layer || strlen(layer) != STORE_ID - 1 ||
	    !store_has_layer(s, layer))
		return NULL;
	return store_layer_fs(s, layer);
}

static int fill_draft(struct store_draft *d,
		      int (*fill)(void *arg, int dirfd, struct error *err),
		      void *arg, struct error *err)
{
	cleanup_close int fd = open(d->fs, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", d->fs);
	return fill(arg, fd, err);
}

char *memory_put_files(struct store *s, const char *digest,
		       int (*fill)(void *arg, int dirfd, struct error *err),
		       void *arg, struct error *err)
{
	cleanup_json struct json *j = json_new_object();
	struct store_meta meta = { 0 };
	struct store_draft draft;
	char id[STORE_ID], key[DIGEST_HEX + 1];

	if (store_draft_new(s, &draft, err) < 0)
		return NULL;
	store_new_id(id);
	if (fill_draft(&draft, fill, arg, err) < 0 ||
	    store_draft_commit(s, &draft, &meta, id, err) < 0) {
		store_draft_drop(s, &draft);
		return NULL;
	}
	json_set_str(j, "layer", id);
	make_key("files", digest, "", key);
	if (save(s, key, j, err) < 0)
		return NULL;
	return store_layer_fs(s, id);
}

/* The address without its version. */
static char *address(const struct devcontainer_feature_ref *ref)
{
	if (ref->source == DEVCONTAINER_FEATURE_TARBALL)
		return xstrdup(ref->url);
	return xstrfmt("%s/%s", ref->registry, ref->path);
}

int memory_get(struct store *s, const struct devcontainer_feature_ref *ref,
	       const char *version, struct devcontainer_feature *f,
	       struct strbuf *metadata)
{
	cleanup_free char *where = address(ref);
	cleanup_json struct json *j = NULL;
	const char *digest, *archive, *text;
	char key[DIGEST_HEX + 1];
	int64_t size;

	if (!s)
		return 0;
	make_key("found", where, version, key);
	j = load(s, key);
	digest = json_get_str(j, "digest");
	archive = json_get_str(j, "archive");
	text = json_get_str(j, "metadata");
	if (!digest || !archive || !text || !digest_valid(digest) ||
	    !digest_valid(archive) || !json_get_int(j, "size", &size))
		return 0;
	memcpy(f->digest, digest, DIGEST_TEXT);
	memcpy(f->archive, archive, DIGEST_TEXT);
	f->archive_size = (uint64_t)size;
	strbuf_addstr(metadata, text);
	return 1;
}

void memory_put(struct store *s, const struct devcontainer_feature_ref *ref,
		const char *version, const struct devcontainer_feature *f,
		const struct strbuf *metadata)
{
	cleanup_free char *where = address(ref);
	cleanup_json struct json *j = json_new_object();
	cleanup_error struct error err = ERROR_INIT;
	char key[DIGEST_HEX + 1];

	if (!s)
		return;
	json_set_str(j, "digest", f->digest);
	json_set_str(j, "archive", f->archive);
	json_set_int(j, "size", (int64_t)f->archive_size);
	json_set_str(j, "metadata", metadata->buf);
	make_key("found", where, version, key);
	if (save(s, key, j, &err) < 0)
		log_debug("Feature '%s' is not remembered: %s", f->id, err.msg);
}
