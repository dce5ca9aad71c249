/* whole.c - an index with all it names: fetch, keep, push, bytes unchanged */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strindex.h"
#include "build/stage.h"
#include "store/put.h"

#define DOCUMENTS_MAX 1024
#define BYTES_MAX ((size_t)64 << 20) /* of all documents */
#define BLOBS_MAX 20000

static void document_release(struct build_document *d)
{
	oci_descriptor_release(&d->desc);
	strbuf_release(&d->body);
	oci_manifest_release(&d->manifest);
	oci_index_release(&d->index);
}

void build_whole_release(struct build_whole *w)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		document_release(&w->v[i]);
	free(w->v);
	*w = (struct build_whole){ 0 };
}

const struct build_document *build_whole_find(const struct build_whole *w,
					      const char *digest)
{
	size_t i;

	for (i = 0; i < w->n; i++)
		if (str_eq(w->v[i].desc.digest, digest))
			return &w->v[i];
	return NULL;
}

static bool is_known(const char *type)
{
	return str_eq(type, OCI_INDEX) || str_eq(type, DOCKER_LIST) ||
	       str_eq(type, OCI_MANIFEST) || str_eq(type, DOCKER_MANIFEST);
}

static int parse(struct build_document *d, struct error *err)
{
	cleanup_strbuf struct strbuf shown = STRBUF_INIT;
	const char *type = d->desc.media_type;

	if (d->body.len != d->desc.size)
		return error_set(err, ERR_INPUT,
				 "%s has %zu bytes where the index says %llu",
				 d->desc.digest, d->body.len,
				 (unsigned long long)d->desc.size);
	if (!is_known(type)) {
		strbuf_add_safe(&shown, type, strlen(type));
		return error_set(err, ERR_INPUT,
				 "%s is of the type '%s', which is not "
				 "supported", d->desc.digest, shown.buf);
	}
	d->is_index = oci_is_index(type, NULL, 0);
	if (d->is_index)
		return oci_index_parse(&d->index, d->body.buf, d->body.len,
				       err);
	return oci_manifest_parse(&d->manifest, d->body.buf, d->body.len, err);
}

/* Reading all that an index names. */
struct reading {
	struct build_whole *w;
	build_document_fn *read;
	void *arg;
	size_t bytes;
};

static int add(struct reading *r, const struct oci_descriptor *desc, int depth,
	       struct error *err);

/* What is named comes before what names it, as a registry wants it. */
static int add_entries(struct reading *r, const struct build_document *d,
		       int depth, struct error *err)
{
	size_t i;

	if (depth == OCI_NESTING_MAX)
		return error_set(err, ERR_INPUT,
				 "indexes are nested deeper than %d",
				 OCI_NESTING_MAX);
	for (i = 0; i < d->index.n; i++)
		if (add(r, &d->index.v[i].desc, depth + 1, err) < 0)
			return -1;
	return 0;
}

static int read_one(struct reading *r, struct build_document *d,
		    struct error *err)
{
	if (r->read(r->arg, &d->desc, &d->body, err) < 0)
		return -1;
	r->bytes += d->body.len;
	if (r->w->n == DOCUMENTS_MAX || r->bytes > BYTES_MAX)
		return error_set(err, ERR_INPUT,
				 "the index names more than %d manifests or "
				 "%zu bytes of them", DOCUMENTS_MAX,
				 BYTES_MAX);
	return parse(d, err);
}

static int add(struct reading *r, const struct oci_descriptor *desc, int depth,
	       struct error *err)
{
	struct build_document d = { .body = STRBUF_INIT };

	if (build_whole_find(r->w, desc->digest))
		return 0;
	oci_descriptor_set(&d.desc, desc->media_type, desc->digest,
			   desc->size);
	if (read_one(r, &d, err) < 0 ||
	    (d.is_index && add_entries(r, &d, depth, err) < 0)) {
		document_release(&d);
		return -1;
	}
	GROW(r->w->v, r->w->n, r->w->alloc);
	r->w->v[r->w->n++] = d;
	return 0;
}

int build_whole_read(struct build_whole *w, const struct oci_descriptor *root,
		     build_document_fn *read, void *arg, struct error *err)
{
	struct reading r = { .w = w, .read = read, .arg = arg };

	return add(&r, root, 0, err);
}

/* --- the blobs of all manifests, each once --- */

struct blobs {
	struct oci_descriptor *v; /* lent by the manifests */
	size_t n, alloc;
	struct strindex seen;
};

static void blobs_release(struct blobs *b)
{
	free(b->v);
	strindex_release(&b->seen);
}

static int add_blob(struct blobs *b, const struct oci_descriptor *d,
		    struct error *err)
{
	if (b->n == BLOBS_MAX)
		return error_set(err, ERR_INPUT,
				 "the index names more than %d blobs",
				 BLOBS_MAX);
	if (!strindex_add(&b->seen, d->digest, strlen(d->digest), b->n))
		return 0;
	GROW(b->v, b->n, b->alloc);
	b->v[b->n++] = *d;
	return 0;
}

static int collect(struct blobs *b, const struct build_whole *w,
		   struct error *err)
{
	size_t i, k;

	for (i = 0; i < w->n; i++) {
		const struct oci_manifest *m = &w->v[i].manifest;

		if (w->v[i].is_index)
			continue;
		if (add_blob(b, &m->config, err) < 0)
			return -1;
		for (k = 0; k < m->n_layers; k++)
			if (add_blob(b, &m->layers[k], err) < 0)
				return -1;
	}
	return 0;
}

/* --- from a registry into the store --- */

struct origin {
	struct registry *r;
	const struct oci_ref *ref;
	struct registry_manifest *top; /* has come already */
};

static int read_registry(void *arg, const struct oci_descriptor *d,
			 struct strbuf *body, struct error *err)
{
	const struct origin *o = arg;
	cleanup_registry_manifest struct registry_manifest m = {
		.body = STRBUF_INIT
	};

	if (str_eq(d->digest, o->top->digest)) {
		strbuf_add(body, o->top->body.buf, o->top->body.len);
		return 0;
	}
	if (registry_get_part(o->r, o->ref, d->digest, &m, err) < 0)
		return -1;
	*body = m.body;
	m.body = (struct strbuf)STRBUF_INIT;
	return 0;
}

/* The index comes last, so that one that is there is there whole. */
static int keep(struct store *s, const struct build_whole *w,
		const struct store_image *image, struct error *err)
{
	cleanup_free struct store_text *texts = xcalloc(w->n, sizeof(*texts));
	size_t i;

	for (i = 0; i < w->n; i++)
		texts[i] = (struct store_text){ w->v[i].body.buf,
						w->v[i].body.len };
	return store_put_image_with(s, image, texts, w->n, err);
}

static int choose(struct store *s, const struct build_whole *w,
		  const struct oci_platform *platform,
		  struct store_image *image, struct error *err)
{
	const struct build_document *d = &w->v[w->n - 1];

	while (d->is_index) {
		cleanup_oci_descriptor struct oci_descriptor next = { 0 };

		if (oci_index_choose(d->body.buf, d->body.len, platform, &next,
				     err) < 0)
			return -1;
		d = build_whole_find(w, next.digest);
	}
	return build_describe_stored(s, d->desc.digest, &d->manifest, image,
				     err);
}

/* Nobody asked for a platform: this machine's, or any. */
static int choose_any(struct store *s, const struct build_whole *w,
		      struct store_image *image, struct error *err)
{
	cleanup_oci_platform struct oci_platform host = { 0 };

	oci_platform_host(&host);
	if (choose(s, w, &host, image, NULL) == 0)
		return 0;
	store_image_release(image);
	return choose(s, w, NULL, image, err);
}

int build_pull_whole(struct store *s, struct registry *r,
		     const struct oci_ref *ref,
		     const struct oci_platform *platform,
		     struct build_whole *w, struct store_image *image,
		     struct error *err)
{
	CLEANUP(blobs_release) struct blobs b = { 0 };
	cleanup_registry_manifest struct registry_manifest top = {
		.body = STRBUF_INIT
	};
	cleanup_oci_descriptor struct oci_descriptor root = { 0 };
	struct origin o = { .r = r, .ref = ref, .top = &top };
	cleanup_free char *name = oci_ref_format(ref);

	if (registry_get_manifest(r, ref, &top, err) < 0)
		return -1;
	oci_descriptor_set(&root, top.media_type, top.digest, top.body.len);
	if (build_whole_read(w, &root, read_registry, &o, err) < 0 ||
	    collect(&b, w, err) < 0 ||
	    build_pull_blobs(s, r, ref, b.v, b.n, err) < 0)
		return -1;
	if ((platform ? choose(s, w, platform, image, err)
		      : choose_any(s, w, image, err)) < 0 ||
	    build_ask(name, NULL, &image->config, err) < 0)
		return -1;
	if (w->v[w->n - 1].is_index)
		memcpy(image->index, root.digest, DIGEST_TEXT);
	image->reference = steal_ptr(&name);
	image->origin = xstrfmt("%s/%s", ref->host, ref->repository);
	return keep(s, w, image, err);
}

/* --- to a registry --- */

static int read_store(void *arg, const struct oci_descriptor *d,
		      struct strbuf *body, struct error *err)
{
	return store_read_blob(arg, d->digest, OCI_MANIFEST_MAX, body, err);
}

static int open_stored(void *arg, int *fd, struct error *err)
{
	const struct build_blob *b = arg;

	*fd = store_open_blob(b->arg, b->digest, err);
	return *fd < 0 ? -1 : 0;
}

int build_whole_of_image(struct store *s, const struct store_image *image,
			 struct build_whole *w, struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_json struct json *j = NULL;
	struct oci_descriptor root = { .media_type = (char *)OCI_INDEX };

	if (store_read_blob(s, image->index, OCI_MANIFEST_MAX, &text, err) < 0)
		return -1;
	j = json_parse("index", text.buf, text.len, err);
	if (!j)
		return -1;
	if (json_get_str(j, "mediaType"))
		root.media_type = (char *)json_get_str(j, "mediaType");
	memcpy(root.digest, image->index, DIGEST_TEXT);
	root.size = text.len;
	w->open = open_stored;
	w->arg = s;
	w->origin = image->origin;
	return build_whole_read(w, &root, read_store, s, err);
}

static int push_documents(struct registry *r, const struct build_whole *w,
			  const struct oci_ref *to, struct error *err)
{
	size_t i;

	for (i = 0; i < w->n; i++) {
		const struct build_document *d = &w->v[i];
		cleanup_oci_ref struct oci_ref ref = { 0 };

		oci_ref_copy(&ref, to);
		if (i < w->n - 1) {
			free(ref.tag);
			ref.tag = NULL;
		}
		if (registry_push_manifest(r, &ref, d->desc.media_type,
					   d->body.buf, d->body.len, err) < 0)
			return -1;
	}
	return 0;
}

int build_push_whole(struct registry *r, const struct build_whole *w,
		     const struct oci_ref *to, struct error *err)
{
	CLEANUP(blobs_release) struct blobs b = { 0 };
	cleanup_free struct registry_source *sources = NULL;
	cleanup_free struct build_blob *list = NULL;
	size_t i;

	if (collect(&b, w, err) < 0)
		return -1;
	sources = xcalloc(b.n + 1, sizeof(*sources));
	list = xcalloc(b.n + 1, sizeof(*list));
	for (i = 0; i < b.n; i++) {
		list[i] = (struct build_blob){ w->arg, b.v[i].digest };
		sources[i] = (struct registry_source){
			.size = b.v[i].size,
			.open = w->open,
			.arg = &list[i],
			.mount_from = build_mountable(w->origin, to),
		};
		memcpy(sources[i].digest, b.v[i].digest, DIGEST_TEXT);
	}
	if (registry_push_blobs(r, to, sources, b.n, err) < 0)
		return -1;
	return push_documents(r, w, to, err);
}
