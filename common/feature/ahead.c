/* ahead.c - fetch side by side what is needed one by one */
/* SPDX-License-Identifier: Apache-2.0 */
#include "feature/internal.h"

#define TOGETHER_MAX 64 /* manifests that are held at once */

void ahead_release(struct ahead *a)
{
	size_t i;

	for (i = 0; i < a->n; i++) {
		free(a->manifests[i].name);
		registry_manifest_release(&a->manifests[i].m);
		error_release(&a->manifests[i].why);
	}
	for (i = 0; i < a->n_archives; i++)
		strbuf_release(&a->archives[i].bytes);
	free(a->manifests);
	free(a->archives);
}

static struct ahead_manifest *find_name(const struct ahead *a,
					const char *name)
{
	for (size_t i = 0; i < a->n; i++)
		if (str_eq(a->manifests[i].name, name))
			return &a->manifests[i];
	return NULL;
}

/* Names to ask for, each once, and what was said. */
struct round {
	struct oci_ref *refs;
	struct registry_wanted *v;
	size_t n, alloc;
};

static void round_release(struct round *r)
{
	for (size_t i = 0; i < r->alloc; i++)
		oci_ref_release(&r->refs[i]);
	free(r->refs);
	free(r->v);
}

static bool is_asked(const struct round *r, const char *name)
{
	for (size_t i = 0; i < r->n; i++) {
		cleanup_free char *other = oci_ref_format(&r->refs[i]);

		if (str_eq(other, name))
			return true;
	}
	return false;
}

/* Whether somebody is asked at all is decided as oci_find does it. */
static void add(struct round *r, struct finder *fi,
		const struct devcontainer_feature *f, bool named)
{
	const char *pin = named ? NULL : devcontainer_lock_get(&fi->lock, f->id);
	const char *digest = pin ? pin : f->ref.digest;
	struct devcontainer_feature known = DEVCONTAINER_FEATURE_INIT;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *name = NULL;

	if (f->ref.source != DEVCONTAINER_FEATURE_OCI ||
	    ((digest || !fi->q->pull) &&
	     memory_get(fi->q->store, &f->ref, digest ? digest : f->ref.tag,
			&known, &text)) ||
	    oci_name(&f->ref, digest, &r->refs[r->n], NULL) < 0)
		return;
	name = oci_ref_format(&r->refs[r->n]);
	if (is_asked(r, name) || find_name(&fi->ahead, name)) {
		oci_ref_release(&r->refs[r->n]);
		return;
	}
	r->v[r->n].ref = &r->refs[r->n];
	r->n++;
}

static void keep(struct ahead *a, struct registry_wanted *w)
{
	struct ahead_manifest *one;

	if (!w->there && !error_is(&w->why))
		return;
	GROW(a->manifests, a->n, a->alloc);
	one = &a->manifests[a->n++];
	*one = (struct ahead_manifest){ .name = oci_ref_format(w->ref),
					.m = w->found,
					.why = w->why };
}

void ahead_manifests(struct finder *fi,
		     struct devcontainer_feature *const *list, size_t n,
		     bool named)
{
	CLEANUP(round_release) struct round r = { .alloc = n };
	struct registry *client;

	r.refs = xcalloc(n + 1, sizeof(*r.refs));
	r.v = xcalloc(n + 1, sizeof(*r.v));
	for (size_t i = 0; i < n && (fi->contacted || !named) &&
			   r.n < TOGETHER_MAX; i++)
		add(&r, fi, list[i], named);
	client = r.n > 1 ? oci_registry(fi, NULL) : NULL;
	if (!client)
		return;
	registry_get_manifests(client, r.v, r.n);
	for (size_t i = 0; i < r.n; i++)
		keep(&fi->ahead, &r.v[i]);
}

int ahead_take_manifest(struct finder *fi, const struct oci_ref *ref,
			struct registry_manifest *out, struct error *err)
{
	cleanup_free char *name = oci_ref_format(ref);
	struct ahead_manifest *one = find_name(&fi->ahead, name);

	if (!one || !*one->name)
		return 0;
	/* It is taken once: then it is known, or has failed everything. */
	*one->name = '\0';
	if (error_is(&one->why))
		return error_move(err, &one->why);
	*out = one->m;
	one->m = (struct registry_manifest){ .body = STRBUF_INIT };
	return 1;
}

/* One that is large is fetched when its turn comes. */
static void add_piece(struct finder *fi, const struct devcontainer_feature *f,
		      struct registry_piece *p, struct oci_ref *ref,
		      uint64_t *left)
{
	cleanup_free char *dir = NULL;

	*p = (struct registry_piece){ 0 };
	if (f->ref.source != DEVCONTAINER_FEATURE_OCI ||
	    f->archive_size > *left)
		return;
	dir = memory_files(fi->q->store, f->archive);
	if (dir || oci_name(&f->ref, f->digest, ref, NULL) < 0)
		return;
	*left -= f->archive_size;
	p->ref = ref;
	p->digest = f->archive;
	p->size = f->archive_size;
}

static void keep_archive(struct ahead *a, struct registry_piece *p)
{
	struct ahead_archive *one;

	if (!p->there)
		return;
	GROW(a->archives, a->n_archives, a->alloc_archives);
	one = &a->archives[a->n_archives++];
	memcpy(one->digest, p->digest, DIGEST_TEXT);
	one->bytes = p->found;
}

void ahead_archives(struct finder *fi,
		    const struct devcontainer_features *list)
{
	cleanup_free struct registry_piece *v = xcalloc(list->nr + 1,
							sizeof(*v));
	struct oci_ref *refs = xcalloc(list->nr + 1, sizeof(*refs));
	uint64_t left = ARCHIVE_MAX;
	struct registry *client;
	size_t n = 0;

	for (size_t i = 0; i < list->nr; i++) {
		add_piece(fi, &list->v[i], &v[n], &refs[n], &left);
		n += v[n].ref != NULL;
	}
	client = n > 1 ? oci_registry(fi, NULL) : NULL;
	if (client)
		registry_get_pieces(client, v, n);
	for (size_t i = 0; i < n; i++) {
		if (client)
			keep_archive(&fi->ahead, &v[i]);
		oci_ref_release(&refs[i]);
	}
	free(refs);
}

int ahead_take_archive(struct finder *fi, const char *digest,
		       struct strbuf *out)
{
	struct ahead *a = &fi->ahead;

	for (size_t i = 0; i < a->n_archives; i++) {
		if (!str_eq(a->archives[i].digest, digest))
			continue;
		strbuf_add(out, a->archives[i].bytes.buf,
			   a->archives[i].bytes.len);
		return 1;
	}
	return 0;
}
