/* key.c - definition keys */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/cache.h"

#define FORMAT "1" /* changes when the meaning of a field does */

void cache_key_begin(struct cache_key *k, const char *parent)
{
	strbuf_reset(&k->text);
	cache_key_add(k, "format", FORMAT);
	cache_key_add(k, "parent", parent);
}

void cache_key_add(struct cache_key *k, const char *name, const char *value)
{
	strbuf_addf(&k->text, "%s %zu:%s\n", name, strlen(value), value);
}

void cache_key_add_list(struct cache_key *k, const char *name,
			const struct strvec *values)
{
	size_t i;

	strbuf_addf(&k->text, "%s[] %zu\n", name, values->nr);
	for (i = 0; i < values->nr; i++)
		cache_key_add(k, name, values->v[i]);
}

void cache_key_finish(struct cache_key *k, char hex[CACHE_KEY])
{
	char digest[DIGEST_TEXT];

	digest_bytes(k->text.buf, k->text.len, digest);
	memcpy(hex, digest_hex(digest), CACHE_KEY);
}

void cache_key_release(struct cache_key *k)
{
	strbuf_release(&k->text);
}
