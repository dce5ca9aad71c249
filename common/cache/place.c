/* place.c - a cache by its name, whichever form it has */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/internal.h"

#include <time.h>

#include "base/log.h"
#include "base/path.h"

void cache_place_release(struct cache_place *p)
{
	free(p->name);
	oci_ref_release(&p->ref);
	*p = (struct cache_place){ 0 };
}

static int init_layout(struct cache_place *p, const char *dir,
		       struct error *err)
{
	cleanup_free char *path = NULL;

	if (!*dir) {
		error_set(err, ERR_USAGE,
			  "'" CACHE_DIR_PREFIX "' names no directory");
		return -1;
	}
	path = path_absolute(dir);
	p->name = xstrfmt(CACHE_DIR_PREFIX "%s", path);
	p->dir = p->name + strlen(CACHE_DIR_PREFIX);
	p->form = &cache_form_layout;
	return 0;
}

static int init_registry(struct cache_place *p, const char *name,
			 struct error *err)
{
	const char *slash = strrchr(name, '/');

	if (strchr(name, '@') || (slash && strchr(slash, ':'))) {
		error_set(err, ERR_USAGE,
			  "'%s': a cache is a repository, without a tag or "
			  "digest", name);
		error_hint(err, "write HOST/REPOSITORY or oci:DIR");
		return -1;
	}
	if (oci_ref_parse(&p->ref, name, err) < 0)
		return -1;
	p->name = xstrfmt("%s/%s", p->ref.host, p->ref.repository);
	p->form = &cache_form_registry;
	return 0;
}

int cache_place_init(struct cache_place *p, const char *name,
		     struct registry **r, const struct registry_options *o,
		     struct error *err)
{
	const char *dir = str_skip(name, CACHE_DIR_PREFIX);

	*p = (struct cache_place){ .registry = r, .options = o };
	return dir ? init_layout(p, dir, err) : init_registry(p, name, err);
}

/* --- age --- */

/* Without an age beyond which things are gone, use is noted for those who
 * remove what nobody used. */
#define RENEW_SECONDS (7 * 24 * 3600 / 2)

static bool is_older(const struct cache_document *d, int64_t now,
		     uint64_t seconds)
{
	return d->used && now > d->used &&
	       (uint64_t)(now - d->used) > seconds;
}

/* Renewing often would cost a write for each hit of each build. */
static void renew(struct cache_place *p, const struct cache_document *list,
		  size_t n, int64_t now)
{
	cleanup_free struct cache_document *due = xcalloc(n, sizeof(*due));
	cleanup_error struct error err = ERROR_INIT;
	uint64_t period = p->ttl ? p->ttl / 2 : RENEW_SECONDS;
	size_t n_due = 0, i;

	for (i = 0; i < n; i++)
		if (list[i].there && is_older(&list[i], now, period))
			due[n_due++] = list[i];
	if (n_due && p->form->renew(p, due, n_due, &err) < 0)
		log_debug("%s: the use of %zu entries is not noted: %s",
			  p->name, n_due, err.msg);
}

int cache_place_look_up(struct cache_place *p, struct cache_document *list,
			size_t n, struct error *err)
{
	int64_t now = time(NULL);
	size_t i;

	for (i = 0; i < n; i++)
		list[i] = (struct cache_document){
			.tag = list[i].tag, .m = { .body = STRBUF_INIT },
		};
	if (!n)
		return 0;
	if (p->form->look_up(p, list, n, err) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		list[i].expired = list[i].there && p->ttl &&
				  is_older(&list[i], now, p->ttl);
		list[i].there = list[i].there && !list[i].expired;
	}
	if (p->renews)
		renew(p, list, n, now);
	return 0;
}

/* --- blobs and manifests --- */

int cache_place_pull(struct cache_place *p, struct registry_blob *blobs,
		     size_t n, struct error *err)
{
	return n ? p->form->pull(p, blobs, n, err) : 0;
}

int cache_place_put(struct cache_place *p, struct registry_source *blobs,
		    size_t n_blobs, const struct cache_deposit *list,
		    size_t n, struct error *err)
{
	return p->form->put(p, blobs, n_blobs, list, n, err);
}

int cache_pull(struct registry **r, const struct registry_options *o,
	       const char *origin, struct registry_blob *blobs, size_t n,
	       struct error *err)
{
	cleanup_cache_place struct cache_place p = { 0 };

	if (cache_place_init(&p, origin, r, o, err) < 0)
		return -1;
	return cache_place_pull(&p, blobs, n, err);
}
