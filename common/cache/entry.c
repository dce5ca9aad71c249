/* entry.c - step cache entries in the local store */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/cache.h"

void cache_entry_release(struct cache_entry *e)
{
	free(e->created);
	*e = (struct cache_entry){ 0 };
}

static bool read_entry(const struct strbuf *text, struct cache_entry *e)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_json struct json *j =
		json_parse("step", text->buf, text->len, &err);
	const char *layer = json_get_str(j, "layer");
	const char *created = json_get_str(j, "created");

	if (!layer || !created || strlen(layer) != STORE_ID - 1)
		return false;
	memcpy(e->layer, layer, STORE_ID);
	e->created = xstrdup(created);
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
	else if (!store_has_layer(s, e->layer))
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
	json_set_str(j, "key", k->text.buf);
	json_write(&text, j, false);
	return store_cache_put(s, key, text.buf, text.len, err);
}
