/* referrers.c - documents about an image: attach one, list them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#define EMPTY "{}"
#define REFERRERS_MAX 1000
#define PAGES_MAX 100
#define UPDATES_MAX 4 /* of a tag that others change at the same time */

static void referrer_release(struct registry_referrer *f)
{
	oci_descriptor_release(&f->desc);
	free(f->artifact_type);
	json_free(f->annotations);
}

void registry_referrers_release(struct registry_referrers *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		referrer_release(&list->v[i]);
	free(list->v);
	*list = (struct registry_referrers){ 0 };
}

/* distribution-spec, "Referrers Tag Schema". */
static void fallback_tag(struct oci_ref *tag, const struct oci_ref *ref,
			 const char *subject)
{
	oci_ref_copy(tag, ref);
	free(tag->digest);
	free(tag->tag);
	tag->digest = NULL;
	tag->tag = xstrfmt("sha256-%s", digest_hex(subject));
}

/* --- list --- */

static int take_entry(struct registry_referrers *list, const struct json *j,
		      const char *wanted, struct error *err)
{
	const struct json *notes = json_get(j, "annotations");
	const char *type = json_get_str(j, "artifactType");
	struct registry_referrer *f;

	/* Not every registry filters. */
	if (wanted && !str_eq_null(type, wanted))
		return 0;
	if (list->n >= REFERRERS_MAX)
		return error_set(err, ERR_NETWORK, "more than %d referrers",
				 REFERRERS_MAX);
	GROW(list->v, list->n, list->alloc);
	f = &list->v[list->n++];
	*f = (struct registry_referrer){
		.artifact_type = xstrdup_null(type),
		.annotations = json_kind(notes) == JSON_OBJECT
				       ? json_dup(notes) : NULL,
	};
	return oci_descriptor_parse(&f->desc, j, "referrer", err);
}

static int take_index(struct registry_referrers *list, const char *text,
		      size_t n, const char *wanted, struct error *err)
{
	cleanup_json struct json *j = json_parse("referrers", text, n, err);
	const struct json *entries = json_get(j, "manifests"), *e;

	if (!j)
		return -1;
	if (json_kind(entries) != JSON_ARRAY)
		return error_set(err, ERR_INPUT,
				 "referrers: the document is no index");
	for (e = json_first(entries); e; e = json_next(e))
		if (take_entry(list, e, wanted, err) < 0)
			return -1;
	return 0;
}

/* Registries that do not know the request say 404; what stands before them
 * may give any page for any address. */
static bool is_index(const struct http_transfer *t)
{
	const char *type = http_header(t, "Content-Type", 0);

	return t->status == 200 && type && str_starts(type, OCI_INDEX);
}

static int answered(struct registry_call *call, struct error *err)
{
	int status = call->t.status;

	if (status == 200 || status == 404 || status == 405)
		return 0;
	return registry_refused(call, err);
}

/* 1 listed, 0 the registry does not know the request, -1 error. */
static int list_api(struct registry *r, const struct oci_ref *ref,
		    const char *wanted, struct registry_referrers *list,
		    struct error *err)
{
	cleanup_registry_call struct registry_call call;
	cleanup_strbuf struct strbuf first = STRBUF_INIT;
	cleanup_free char *path = NULL;
	int pages;

	strbuf_addf(&first, "/v2/%s/referrers/%s", ref->repository,
		    ref->digest);
	if (wanted)
		url_add_query(&first, "artifactType", wanted);
	path = strbuf_detach(&first);
	registry_call_init(&call, r, ref, false);
	call.next = answered;
	call.t.max = OCI_MANIFEST_MAX;
	for (pages = 0; path; pages++) {
		if (pages == PAGES_MAX)
			return error_set(err, ERR_NETWORK,
					 "its list of referrers has no end");
		registry_call_to(&call, "GET", steal_ptr(&path));
		if (registry_run_one(&call, err) < 0)
			return -1;
		if (!is_index(&call.t))
			return 0;
		if (take_index(list, call.t.content.buf, call.t.content.len,
			       wanted, err) < 0 ||
		    registry_next_page(&call, &path, err) < 0)
			return -1;
		http_transfer_reset(&call.t);
	}
	return 1;
}

static int list_tag(struct registry *r, const struct oci_ref *ref,
		    const char *wanted, struct registry_referrers *list,
		    struct error *err)
{
	cleanup_oci_ref struct oci_ref tag = { 0 };
	struct registry_lookup look = { .ref = &tag };
	int rc;

	fallback_tag(&tag, ref, ref->digest);
	rc = registry_look_up(r, &look, 1, err);
	if (!rc && look.there)
		rc = take_index(list, look.found.body.buf, look.found.body.len,
				wanted, err);
	registry_manifest_release(&look.found);
	return rc;
}

int registry_list_referrers(struct registry *r, const struct oci_ref *ref,
			    const char *artifact_type,
			    struct registry_referrers *out, struct error *err)
{
	struct registry_referrers list = { 0 };
	int rc = list_api(r, ref, artifact_type, &list, err);

	if (!rc)
		rc = list_tag(r, ref, artifact_type, &list, err);
	if (rc < 0) {
		registry_referrers_release(&list);
		return error_wrap(err, "referrers of %s/%s@%s", ref->host,
				  ref->repository, ref->digest);
	}
	*out = list;
	return 0;
}

/* --- attach --- */

static void write_manifest(const struct registry_artifact *a,
			   const struct registry_source *layers,
			   struct strbuf *out)
{
	cleanup_json struct json *j = json_new_object();
	struct oci_descriptor config = { .media_type = (char *)OCI_EMPTY,
					 .size = strlen(EMPTY) };
	struct json *list = json_set(j, "layers", json_new_array());
	size_t i;

	digest_bytes(EMPTY, strlen(EMPTY), config.digest);
	json_set_int(j, "schemaVersion", 2);
	json_set_str(j, "mediaType", OCI_MANIFEST);
	json_set_str(j, "artifactType", a->artifact_type);
	json_set(j, "config", oci_descriptor_to_json(&config));
	json_set(j, "subject", oci_descriptor_to_json(a->subject));
	for (i = 0; i < a->n_layers; i++) {
		struct oci_descriptor d = {
			.media_type = (char *)a->layers[i].media_type,
			.size = layers[i].size,
		};

		memcpy(d.digest, layers[i].digest, DIGEST_TEXT);
		json_push(list, oci_descriptor_to_json(&d));
	}
	if (json_len(a->annotations))
		json_set(j, "annotations", json_dup(a->annotations));
	json_write(out, j, false);
}

static struct json *new_entry(const struct registry_artifact *a,
			      const struct strbuf *manifest,
			      const char *digest)
{
	struct oci_descriptor d = { .media_type = (char *)OCI_MANIFEST,
				    .size = manifest->len };
	struct json *j;

	memcpy(d.digest, digest, DIGEST_TEXT);
	j = oci_descriptor_to_json(&d);
	json_set_str(j, "artifactType", a->artifact_type);
	if (json_len(a->annotations))
		json_set(j, "annotations", json_dup(a->annotations));
	return j;
}

static bool lists(const struct json *index, const char *digest)
{
	const struct json *e;

	for (e = json_first(json_get(index, "manifests")); e; e = json_next(e))
		if (str_eq_null(json_get_str(e, "digest"), digest))
			return true;
	return false;
}

/* The index under a tag, or an empty one where there is none yet. */
static struct json *read_index(struct registry *r, const struct oci_ref *tag,
			       struct error *err)
{
	struct registry_lookup look = { .ref = tag };
	struct json *j = NULL;

	if (registry_look_up(r, &look, 1, err) < 0)
		return NULL;
	if (!look.there) {
		j = json_new_object();
		json_set_int(j, "schemaVersion", 2);
		json_set_str(j, "mediaType", OCI_INDEX);
		json_set(j, "manifests", json_new_array());
	} else if (!oci_is_index(look.found.media_type, look.found.body.buf,
				 look.found.body.len)) {
		error_set(err, ERR_INPUT, "tag %s is no index", tag->tag);
	} else {
		j = json_parse("referrers", look.found.body.buf,
			       look.found.body.len, err);
	}
	registry_manifest_release(&look.found);
	return j;
}

/*
 * Where the registry does not keep the list, its clients do. Two of them may
 * write at the same time, so each looks whether its entry has stayed.
 */
static int add_to_tag(struct registry *r, const struct oci_ref *ref,
		      const struct registry_artifact *a,
		      const struct strbuf *manifest, const char *digest,
		      struct error *err)
{
	cleanup_oci_ref struct oci_ref tag = { 0 };
	int i;

	fallback_tag(&tag, ref, a->subject->digest);
	for (i = 0; i <= UPDATES_MAX; i++) {
		cleanup_json struct json *index = read_index(r, &tag, err);
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		if (!index)
			return -1;
		if (lists(index, digest))
			return 0;
		json_push(json_get(index, "manifests"),
			  new_entry(a, manifest, digest));
		json_write(&text, index, false);
		if (i < UPDATES_MAX &&
		    registry_push_manifest(r, &tag, OCI_INDEX, text.buf,
					   text.len, err) < 0)
			return -1;
	}
	return error_set(err, ERR_NETWORK, "others keep changing tag %s",
			 tag.tag);
}

static int push_parts(struct registry *r, const struct oci_ref *ref,
		      const struct registry_artifact *a,
		      struct registry_source *sources, struct error *err)
{
	const struct registry_bytes empty = { EMPTY, strlen(EMPTY) };
	cleanup_free struct registry_bytes *bytes =
		xcalloc(a->n_layers + 1, sizeof(*bytes));
	size_t i;

	for (i = 0; i < a->n_layers; i++) {
		bytes[i] = a->layers[i].bytes;
		registry_source_bytes(&sources[i], &bytes[i]);
	}
	registry_source_bytes(&sources[i], &empty);
	return registry_push_blobs(r, ref, sources, a->n_layers + 1, err);
}

int registry_attach(struct registry *r, const struct oci_ref *ref,
		    const struct registry_artifact *a,
		    char digest[DIGEST_TEXT], struct error *err)
{
	cleanup_free struct registry_source *sources =
		xcalloc(a->n_layers + 1, sizeof(*sources));
	cleanup_strbuf struct strbuf manifest = STRBUF_INIT;
	cleanup_oci_ref struct oci_ref to = { 0 };
	char name[DIGEST_TEXT];
	bool listed = false;

	if (push_parts(r, ref, a, sources, err) < 0)
		return -1;
	write_manifest(a, sources, &manifest);
	digest_bytes(manifest.buf, manifest.len, name);
	oci_ref_copy(&to, ref);
	free(to.tag);
	to.tag = NULL;
	if (registry_put_manifest(r, &to, OCI_MANIFEST, manifest.buf,
				  manifest.len, &listed, err) < 0)
		return -1;
	if (!listed && add_to_tag(r, ref, a, &manifest, name, err) < 0)
		return error_wrap(err, "referrers of %s/%s", ref->host,
				  ref->repository);
	memcpy(digest, name, DIGEST_TEXT);
	return 0;
}
