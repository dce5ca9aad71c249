/* entry.c - step cache entries in the local store */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/cache.h"

void cache_entry_release(struct cache_entry *e)
{
	free(e->created);
	free(e->origin);
	oci_descriptor_release(&e->desc);
	*e = (struct cache_entry){ 0 };
}

static void read_place(const struct json *j, struct cache_entry *e)
{
	const char *diff_id = json_get_str(j, "diff_id");
	const char *digest = json_get_str(j, "digest");
	const char *type = json_get_str(j, "media_type");
	const char *origin = json_get_str(j, "origin");
	int64_t size;

	if (!diff_id || !digest || !type || !origin ||
	    !digest_valid(diff_id) || !digest_valid(digest) ||
	    !json_get_int(j, "size", &size) || size < 0)
		return;
	memcpy(e->diff_id, diff_id, DIGEST_TEXT);
	oci_descriptor_set(&e->desc, type, digest, (uint64_t)size);
	e->origin = xstrdup(origin);
}

static bool read_entry(const struct strbuf *text, struct cache_entry *e)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_json struct json *j =
		json_parse("step", text->buf, text->len, &err);
	const char *layer = json_get_str(j, "layer");
	const char *created = json_get_str(j, "created");
	const char *as = json_get_str(j, "as");
	const char *below = json_get_str(j, "below");

	if (!layer || !created || strlen(layer) != STORE_ID - 1)
		return false;
	memcpy(e->layer, layer, STORE_ID);
	e->created = xstrdup(created);
	if (below && strlen(below) < STORE_ID)
		memcpy(e->below, below, strlen(below) + 1);
	if (as && strlen(as) == CACHE_KEY - 1)
		memcpy(e->as, as, CACHE_KEY);
	read_place(j, e);
	return true;
}

int cache_get(struct store *s, const char *key, struct cache_entry *e,
	      const char **reason, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const char *why = NULL;
	int rc = store_cache_get(s, key, &text, err);

	if (rc < 0)
		return -1;
	if (!rc)
		why = "no step with this key was built here";
	else if (!read_entry(&text, e))
		why = "the cache entry is damaged";
	else if (!store_has_layer(s, e->layer) && !e->origin)
		why = "its layer is no longer in the store";
	if (reason)
		*reason = why;
	if (!why)
		return 1;
	cache_entry_release(e);
	return 0;
}

int cache_put(struct store *s, const char *key, const struct cache_key *k,
	      const struct cache_entry *e, struct error *err)
{
	cleanup_json struct json *j = json_new_object();
	cleanup_strbuf struct strbuf text = STRBUF_INIT;

	json_set_str(j, "layer", e->layer);
	json_set_str(j, "created", e->created);
	if (*e->below)
		json_set_str(j, "below", e->below);
	if (*e->as)
		json_set_str(j, "as", e->as);
	json_set_str(j, "key", k->text.buf);
	if (e->origin) {
		json_set_str(j, "diff_id", e->diff_id);
		json_set_str(j, "digest", e->desc.digest);
		json_set_str(j, "media_type", e->desc.media_type);
		json_set_int(j, "size", (int64_t)e->desc.size);
		json_set_str(j, "origin", e->origin);
	}
	json_write(&text, j, false);
	return store_cache_put(s, key, text.buf, text.len, err);
}

int cache_forget(struct store *s, const char *key, struct error *err)
{
	return store_cache_remove(s, key, err);
}

struct forget {
	struct store *s;
	const char *name, *value;
	struct error *err;
	int n;
};

static int forget_one(void *arg, const char *key, const char *text, size_t n,
		      int64_t used UNUSED)
{
	struct forget *f = arg;
	cleanup_json struct json *j = json_parse("step", text, n, NULL);

	if (!str_eq_null(json_get_str(j, f->name), f->value))
		return 0;
	f->n++;
	return cache_forget(f->s, key, f->err);
}

int cache_forget_all(struct store *s, const char *name, const char *value,
		     struct error *err)
{
	struct forget f = { .s = s, .name = name, .value = value, .err = err };

	return store_cache_each(s, forget_one, &f, err) < 0 ? -1 : f.n;
}
