/* repository.c - a cache in a repository of a registry */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/internal.h"

#include <time.h>

#include "base/date.h"

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

/* --- manifests --- */

static int get(struct cache_place *p, struct cache_document *list, size_t n,
	       struct error *err)
{
	cleanup_free struct registry_lookup *asked = xcalloc(n,
							     sizeof(*asked));
	cleanup_free struct oci_ref *refs = xcalloc(n, sizeof(*refs));
	size_t i;
	int rc;

	for (i = 0; i < n; i++) {
		ref_of(p, list[i].tag, &refs[i]);
		asked[i].ref = &refs[i];
		asked[i].lenient = true;
	}
	rc = registry_look_up(*p->registry, asked, n, err);
	for (i = 0; i < n; i++) {
		list[i].there = !rc && asked[i].there;
		list[i].m = asked[i].found;
		if (list[i].there)
			list[i].used = cache_noted_use(&list[i].m.body);
		oci_ref_release(&refs[i]);
	}
	return rc;
}

static int put_manifest(struct cache_place *p, const char *tag,
			const char *type, const struct strbuf *body,
			struct error *err)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };

	ref_of(p, tag, &ref);
	return registry_push_manifest(*p->registry, &ref, type, body->buf,
				      body->len, err);
}

/* --- use --- */

/*
 * A registry does not say when it was asked for something last. So a manifest
 * says it itself; one that must stay what it is, as others know it by its
 * digest, has another beside it, under "used-TAG".
 */
static int put_marker(struct cache_place *p, const char *tag, const char *now,
		      struct error *err)
{
	cleanup_free char *name = xstrfmt(CACHE_MARKER "%s", tag);
	struct registry_source empty = cache_empty_blob();
	cleanup_strbuf struct strbuf body = STRBUF_INIT;

	cache_write_marker(tag, now, &body);
	if (registry_push_blobs(*p->registry, &p->ref, &empty, 1, err) < 0)
		return -1;
	return put_manifest(p, name, OCI_MANIFEST, &body, err);
}

static int put_noted(struct cache_place *p, const struct cache_document *d,
		     const char *now, struct error *err)
{
	cleanup_json struct json *j = json_parse("manifest", d->m.body.buf,
						 d->m.body.len, err);
	cleanup_strbuf struct strbuf body = STRBUF_INIT;

	if (!j)
		return -1;
	json_set_str(json_get(j, "annotations"), CACHE_NOTE_USED, now);
	json_write(&body, j, false);
	return put_manifest(p, d->tag, OCI_MANIFEST, &body, err);
}

static int renew(struct cache_place *p, const struct cache_document *list,
		 size_t n, struct error *err)
{
	cleanup_free char *now = date_format(time(NULL));
	size_t i;

	for (i = 0; i < n; i++)
		if ((cache_noted_use(&list[i].m.body)
			     ? put_noted(p, &list[i], now, err)
			     : put_marker(p, list[i].tag, now, err)) < 0)
			return -1;
	return 0;
}

static int read_markers(struct cache_place *p, struct cache_document *list,
			size_t n, struct error *err)
{
	cleanup_free struct cache_document *markers =
		xcalloc(n, sizeof(*markers));
	cleanup_free size_t *of = xcalloc(n, sizeof(*of));
	size_t k = 0, i;
	int rc;

	for (i = 0; i < n; i++) {
		if (!list[i].there || list[i].used)
			continue;
		markers[k].tag = xstrfmt(CACHE_MARKER "%s", list[i].tag);
		of[k++] = i;
	}
	rc = k ? get(p, markers, k, err) : 0;
	for (i = 0; i < k; i++) {
		list[of[i]].used = markers[i].used;
		registry_manifest_release(&markers[i].m);
		free(markers[i].tag);
	}
	return rc;
}

/* The second question is asked by those alone who want to know an age. */
static int look_up(struct cache_place *p, struct cache_document *list,
		   size_t n, struct error *err)
{
	if (need_registry(p, err) < 0 || get(p, list, n, err) < 0)
		return -1;
	return p->ttl ? read_markers(p, list, n, err) : 0;
}

/* --- blobs --- */

static int pull(struct cache_place *p, struct registry_blob *blobs, size_t n,
		struct error *err)
{
	if (need_registry(p, err) < 0)
		return -1;
	return registry_pull_blobs(*p->registry, &p->ref, blobs, n, err);
}

/* Together with what says how old it is, which comes first. */
static int put_aged(struct cache_place *p, const struct cache_deposit *d,
		    const char *now, struct error *err)
{
	if (!cache_noted_use(&d->body) && put_marker(p, d->tag, now, err) < 0)
		return -1;
	return put_manifest(p, d->tag, d->media_type, &d->body, err);
}

static int put(struct cache_place *p, struct registry_source *blobs,
	       size_t n_blobs, const struct cache_deposit *list, size_t n,
	       struct error *err)
{
	cleanup_free char *now = date_format(time(NULL));
	size_t i;

	if (need_registry(p, err) < 0 ||
	    registry_push_blobs(*p->registry, &p->ref, blobs, n_blobs, err) <
		    0)
		return -1;
	for (i = 0; i < n; i++)
		if (put_aged(p, &list[i], now, err) < 0)
			return -1;
	return 0;
}

/* --- removing --- */

static int tags(struct cache_place *p, struct strvec *out, struct error *err)
{
	if (need_registry(p, err) < 0)
		return -1;
	return registry_list_tags(*p->registry, &p->ref, CACHE_TAGS_MAX, out,
				  err);
}

static int delete(struct cache_place *p, const char *digest,
		  struct error *err)
{
	cleanup_oci_ref struct oci_ref ref = { 0 };

	if (!*digest)
		return 0;
	oci_ref_copy(&ref, &p->ref);
	ref.digest = xstrdup(digest);
	return registry_delete_manifest(*p->registry, &ref, err);
}

static int remove_dropped(struct cache_place *p, const struct cache_list *list,
			  bool dry_run, struct cache_gc_result *result,
			  struct error *err)
{
	size_t i;

	for (i = 0; i < list->nr && !dry_run; i++) {
		const struct cache_item *item = &list->v[i];

		if (item->dropped && (delete(p, item->digest, err) < 0 ||
				      delete(p, item->marker, err) < 0))
			return -1;
	}
	cache_count_freed(list, result);
	return 0;
}

const struct cache_form cache_form_registry = {
	.look_up = look_up,
	.pull = pull,
	.put = put,
	.renew = renew,
	.tags = tags,
	.remove = remove_dropped,
};
