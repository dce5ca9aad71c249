/* place.c - a cache by its name, whichever form it has */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/internal.h"

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

	if (!*dir)
		return error_set(err, ERR_USAGE,
				 "'" CACHE_DIR_PREFIX "' names no directory");
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
		return error_hint(err, "write HOST/REPOSITORY or oci:DIR");
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

int cache_place_look_up(struct cache_place *p, struct cache_document *list,
			size_t n, struct error *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		list[i] = (struct cache_document){
			.tag = list[i].tag, .m = { .body = STRBUF_INIT },
		};
	return n ? p->form->look_up(p, list, n, err) : 0;
}

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
