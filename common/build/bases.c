/* bases.c - what describes the images of a build, kept in a cache */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "build/docs.h"
#include "build/lookup.h"
#include "build/share.h"

#define BASES_MAX ((size_t)2 << 20) /* of a manifest, which may be twice that */

/* "PLATFORM DIGEST" of all, in no order of the file's. */
static char *tag_of(struct strvec *lines)
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	char hex[CACHE_KEY];

	strvec_sort(lines);
	cache_key_begin(&k, "");
	cache_key_add_list(&k, "base", lines);
	cache_key_finish(&k, hex);
	return xstrfmt(CACHE_BASES_TAG "%s", hex);
}

static void add_line(struct strvec *lines, const char *platform,
		     const char *digest)
{
	cleanup_free char *line = xstrfmt("%s %s", platform, digest);

	if (!strvec_has(lines, line))
		strvec_push(lines, line);
}

static char *tag_of_lookups(const struct lookups *l)
{
	cleanup_strvec struct strvec lines = STRVEC_INIT;
	size_t i;

	for (i = 0; i < l->nr; i++) {
		cleanup_free char *platform =
			oci_platform_format(l->v[i].platform);

		if (!*l->v[i].digest)
			return NULL;
		add_line(&lines, platform, l->v[i].digest);
	}
	return tag_of(&lines);
}

int bases_read(struct build *b, const struct lookups *l, struct error *err)
{
	const struct strvec *from = b->o->cache_from;
	cleanup_free char *tag = tag_of_lookups(l);
	size_t i;

	for (i = 0; tag && i < from->nr; i++) {
		cleanup_cache_place struct cache_place place = { 0 };
		struct cache_document doc = { .tag = tag };
		int rc = share_ask(b, &place, from->v[i], &doc, 1, err);

		if (rc > 0 && doc.there &&
		    docs_read(&b->docs, doc.m.body.buf, doc.m.body.len,
			      NULL) < 0)
			log_debug("%s: %s is not used", place.name, tag);
		registry_manifest_release(&doc.m);
		if (rc < 0 || (rc && doc.there))
			return rc < 0 ? -1 : 0;
	}
	return 0;
}

/* An image that was in the store: what its name means now. */
static int complete(struct build *b, struct build_used *u)
{
	cleanup_oci_platform struct oci_platform platform = { 0 };
	cleanup_oci_ref struct oci_ref ref = { 0 };

	if (*u->digest)
		return 0;
	if (oci_ref_parse(&ref, u->name, NULL) < 0 ||
	    oci_platform_parse(&platform, u->platform, NULL) < 0 ||
	    (!b->share && registry_new(&b->share, b->o->registry, NULL) < 0))
		return -1;
	return docs_fetch(&b->docs, b->o->store, b->share, &ref, &platform,
			  u->digest, NULL);
}

char *bases_write(struct build *b, struct strbuf *body)
{
	cleanup_strvec struct strvec lines = STRVEC_INIT;
	size_t i;

	for (i = 0; i < b->used.nr; i++) {
		struct build_used *u = &b->used.v[i];

		if (complete(b, u) < 0) {
			log_debug("%s is not to be had from its registry",
				  u->name);
			return NULL;
		}
		if (u->first)
			add_line(&lines, u->platform, u->digest);
	}
	docs_write(&b->docs, body);
	if (!lines.nr || body->len > BASES_MAX)
		return NULL;
	return tag_of(&lines);
}
