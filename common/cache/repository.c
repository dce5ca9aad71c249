/* repository.c - a cache in a repository of a registry */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/internal.h"

static int need_registry(struct cache_place *p, struct error *err)
{
	return *p->registry ? 0 : registry_new(p->registry, p->options, err);
}

static void ref_of(const struct cache_place *p, const char *tag,
		   struct oci_ref *ref)
{
	oci_ref_copy(ref, &p->ref);
	free(ref->tag);
	ref->tag = xstrdup(tag);
}

static int look_up(struct cache_place *p, struct cache_document *list,
		   size_t n, struct error *err)
{
	cleanup_free struct registry_lookup *asked = xcalloc(n,
							     sizeof(*asked));
	cleanup_free struct oci_ref *refs = xcalloc(n, sizeof(*refs));
	size_t i;
	int rc;

	if (need_registry(p, err) < 0)
		return -1;
	for (i = 0; i < n; i++) {
		ref_of(p, list[i].tag, &refs[i]);
		asked[i].ref = &refs[i];
	}
	rc = registry_look_up(*p->registry, asked, n, err);
	for (i = 0; i < n; i++) {
		list[i].there = !rc && asked[i].there;
		list[i].m = asked[i].found;
		oci_ref_release(&refs[i]);
	}
	return rc;
}

static int pull(struct cache_place *p, struct registry_blob *blobs, size_t n,
		struct error *err)
{
	if (need_registry(p, err) < 0)
		return -1;
	return registry_pull_blobs(*p->registry, &p->ref, blobs, n, err);
}

static int put(struct cache_place *p, struct registry_source *blobs,
	       size_t n_blobs, const struct cache_deposit *list, size_t n,
	       struct error *err)
{
	size_t i;

	if (need_registry(p, err) < 0 ||
	    registry_push_blobs(*p->registry, &p->ref, blobs, n_blobs, err) <
		    0)
		return -1;
	for (i = 0; i < n; i++) {
		cleanup_oci_ref struct oci_ref ref = { 0 };

		ref_of(p, list[i].tag, &ref);
		if (registry_push_manifest(*p->registry, &ref,
					   list[i].media_type,
					   list[i].body.buf, list[i].body.len,
					   err) < 0)
			return -1;
	}
	return 0;
}

const struct cache_form cache_form_registry = {
	.look_up = look_up,
	.pull = pull,
	.put = put,
};
