/* collect.c - which entries of a cache stay, and which go */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/internal.h"

#include <time.h>

#include "base/date.h"
#include "base/strindex.h"

#define AT_ONCE 1024 /* manifests in memory */
#define NOTE_CREATED "dev.devenv.step.created"
#define OCI_CREATED "org.opencontainers.image.created"

static void item_release(struct cache_item *item)
{
	size_t i;

	for (i = 0; i < item->n_blobs; i++)
		oci_descriptor_release(&item->blobs[i]);
	free(item->blobs);
	free(item->tag);
}

void cache_list_release(struct cache_list *list)
{
	size_t i;

	for (i = 0; i < list->nr; i++)
		item_release(&list->v[i]);
	free(list->v);
	*list = (struct cache_list){ 0 };
}

/* --- what is there --- */

static const char *kind_of(const char *tag)
{
	static const struct {
		const char *prefix, *kind;
	} kinds[] = {
		{ CACHE_STEP_TAG, "step" },
		{ CACHE_IMAGE_TAG, "image" },
		{ CACHE_BASES_TAG, "bases" },
		{ CACHE_PAST_TAG, "past" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *key = str_skip(tag, kinds[i].prefix);

		if (key && strlen(key) == DIGEST_HEX &&
		    strspn(key, "0123456789abcdef") == DIGEST_HEX)
			return kinds[i].kind;
	}
	return NULL;
}

static void add_blob(struct cache_item *item, const struct oci_descriptor *d)
{
	item->blobs[item->n_blobs] = (struct oci_descriptor){ 0 };
	oci_descriptor_set(&item->blobs[item->n_blobs++], d->media_type,
			   d->digest, d->size);
	item->size += d->size;
}

/* An index has no blobs of its own. */
static void take_manifest(struct cache_item *item, const struct strbuf *body)
{
	cleanup_oci_manifest struct oci_manifest m = { 0 };
	const char *created;
	size_t i;

	if (oci_manifest_parse(&m, body->buf, body->len, NULL) < 0)
		return;
	item->blobs = xcalloc(m.n_layers + 1, sizeof(*item->blobs));
	add_blob(item, &m.config);
	for (i = 0; i < m.n_layers; i++)
		add_blob(item, &m.layers[i]);
	created = json_get_str(m.annotations, NOTE_CREATED);
	if (!created)
		created = json_get_str(m.annotations, OCI_CREATED);
	if (created && !date_parse(created, &item->created))
		item->created = 0;
}

static void take(struct cache_list *list, const struct cache_document *d)
{
	struct cache_item *item;

	GROW(list->v, list->nr, list->alloc);
	item = &list->v[list->nr++];
	*item = (struct cache_item){ .tag = xstrdup(d->tag),
				     .kind = kind_of(d->tag),
				     .whole = d->there,
				     .used = d->used,
				     .size = d->m.body.len };
	memcpy(item->digest, d->m.digest, DIGEST_TEXT);
	if (*item->digest)
		take_manifest(item, &d->m.body);
}

static int take_some(struct cache_place *p, struct cache_list *list,
		     char *const *tags, size_t n, struct error *err)
{
	cleanup_free struct cache_document *docs = xcalloc(n, sizeof(*docs));
	size_t i;
	int rc;

	for (i = 0; i < n; i++)
		docs[i].tag = tags[i];
	rc = cache_place_look_up(p, docs, n, err);
	for (i = 0; i < n; i++) {
		if (!rc)
			take(list, &docs[i]);
		registry_manifest_release(&docs[i].m);
	}
	return rc;
}

/* Markers speak for what they are beside; that of nothing is nobody's. */
static void join_markers(struct cache_list *list)
{
	cleanup_strindex struct strindex tags = { 0 };
	size_t i, of;

	for (i = 0; i < list->nr; i++)
		if (list->v[i].kind)
			strindex_add(&tags, list->v[i].tag,
				     strlen(list->v[i].tag), i);
	for (i = 0; i < list->nr; i++) {
		const struct cache_item *item = &list->v[i];
		const char *tag = str_skip(item->tag, CACHE_MARKER);

		if (!tag || !strindex_get(&tags, tag, strlen(tag), &of))
			continue;
		memcpy(list->v[of].marker, item->digest, DIGEST_TEXT);
		list->v[of].used = MAX(list->v[of].used, item->used);
	}
}

static int by_use(const void *a, const void *b)
{
	const struct cache_item *x = a, *y = b;

	if (x->used != y->used)
		return x->used < y->used ? 1 : -1;
	return strcmp(x->tag, y->tag);
}

int cache_list_get(struct cache_place *p, struct cache_list *list,
		   struct error *err)
{
	cleanup_strvec struct strvec tags = STRVEC_INIT;
	size_t i;

	p->lists = true;
	if (p->form->tags(p, &tags, err) < 0)
		return -1;
	for (i = 0; i < tags.nr; i += AT_ONCE)
		if (take_some(p, list, tags.v + i, MIN(tags.nr - i, AT_ONCE),
			      err) < 0)
			return -1;
	join_markers(list);
	for (i = 0; i < list->nr; i++)
		if (!list->v[i].used)
			list->v[i].used = list->v[i].created;
	if (list->nr)
		qsort(list->v, list->nr, sizeof(*list->v), by_use);
	return 0;
}

/* --- what goes --- */

/* Bytes of an item's blobs that are not among `seen` yet; they are then. */
static uint64_t new_bytes(const struct cache_item *item, struct strindex *seen,
			  size_t *n)
{
	uint64_t bytes = 0;
	size_t i;

	for (i = 0; i < item->n_blobs; i++) {
		const struct oci_descriptor *d = &item->blobs[i];

		if (!strindex_add(seen, d->digest, DIGEST_TEXT - 1, 0))
			continue;
		bytes += d->size;
		++*n;
	}
	return bytes;
}

/* What was used last is kept first, until there is no more room. */
static void choose(struct cache_list *list, const struct cache_gc_options *o)
{
	cleanup_strindex struct strindex kept = { 0 };
	int64_t now = time(NULL);
	uint64_t bytes = 0;
	size_t n = 0, i;

	for (i = 0; i < list->nr; i++) {
		struct cache_item *item = &list->v[i];

		if (!item->kind)
			continue;
		item->dropped = !item->whole ||
				(o->max_age && now > item->used &&
				 (uint64_t)(now - item->used) > o->max_age) ||
				(o->keep_size && bytes > o->keep_size);
		if (item->dropped)
			continue;
		bytes += new_bytes(item, &kept, &n);
		item->dropped = o->keep_size && bytes > o->keep_size;
	}
}

/* A manifest is deleted by its digest, and all tags of it go. */
static void spare_shared(struct cache_list *list)
{
	cleanup_strindex struct strindex kept = { 0 };
	size_t i, unused;

	for (i = 0; i < list->nr; i++)
		if (!list->v[i].dropped)
			strindex_add(&kept, list->v[i].digest,
				     strlen(list->v[i].digest), i);
	for (i = 0; i < list->nr; i++) {
		struct cache_item *item = &list->v[i];

		if (item->dropped && item->whole &&
		    strindex_get(&kept, item->digest, strlen(item->digest),
				 &unused))
			item->dropped = false;
	}
}

void cache_count_freed(const struct cache_list *list,
		       struct cache_gc_result *result)
{
	cleanup_strindex struct strindex seen = { 0 };
	size_t ignored = 0, i;

	for (i = 0; i < list->nr; i++)
		if (!list->v[i].dropped)
			new_bytes(&list->v[i], &seen, &ignored);
	for (i = 0; i < list->nr; i++)
		if (list->v[i].dropped)
			result->bytes += new_bytes(&list->v[i], &seen,
						   &result->blobs);
}

int cache_gc(struct cache_place *p, const struct cache_gc_options *o,
	     struct cache_gc_result *result, struct error *err)
{
	cleanup_cache_list struct cache_list list = { 0 };
	size_t i;

	*result = (struct cache_gc_result){ 0 };
	if (cache_list_get(p, &list, err) < 0)
		return -1;
	choose(&list, o);
	spare_shared(&list);
	for (i = 0; i < list.nr; i++)
		result->entries += list.v[i].dropped;
	return p->form->remove(p, &list, o->dry_run, result, err);
}
