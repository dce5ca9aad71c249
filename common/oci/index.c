/* index.c - image indexes and docker manifest lists: choose by platform */
/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/internal.h"

#define INDEX_ENTRIES_MAX 1024
#define NO_PLATFORM_RANK 1000 /* behind every variant that fits */

bool oci_is_index(const char *media_type, const char *text, size_t n)
{
	cleanup_json struct json *j = NULL;
	const char *type;

	if (media_type && (str_eq(media_type, OCI_INDEX) ||
			   str_eq(media_type, DOCKER_LIST)))
		return true;
	if (media_type && (str_eq(media_type, OCI_MANIFEST) ||
			   str_eq(media_type, DOCKER_MANIFEST)))
		return false;
	if (!text || n > OCI_MANIFEST_MAX)
		return false;
	j = json_parse("index", text, n, NULL);
	type = json_get_str(j, "mediaType");
	if (type)
		return str_eq(type, OCI_INDEX) || str_eq(type, DOCKER_LIST);
	return json_kind(json_get(j, "manifests")) == JSON_ARRAY;
}

/* Attestations and signatures stand among the images of an index. */
static bool is_image(const struct json *entry)
{
	const struct json *platform = json_get(entry, "platform");
	const struct json *notes = json_get(entry, "annotations");
	const char *type = json_get_str(entry, "mediaType");

	if (json_get_str(notes, "vnd.docker.reference.type"))
		return false;
	if (str_eq_null(json_get_str(platform, "os"), "unknown"))
		return false;
	return type && (str_eq(type, OCI_MANIFEST) ||
			str_eq(type, DOCKER_MANIFEST) ||
			str_eq(type, OCI_INDEX) || str_eq(type, DOCKER_LIST));
}

static bool entry_platform(const struct json *entry, struct oci_platform *p)
{
	const struct json *j = json_get(entry, "platform");
	const char *os = json_get_str(j, "os");
	const char *arch = json_get_str(j, "architecture");

	if (!os || !arch)
		return false;
	*p = (struct oci_platform){
		.os = xstrdup(os),
		.arch = xstrdup(arch),
		.variant = xstrdup_null(json_get_str(j, "variant")),
	};
	return true;
}

/* -1 does not fit; lower is better. */
static int entry_rank(const struct json *entry,
		      const struct oci_platform *wanted, struct strvec *seen)
{
	cleanup_oci_platform struct oci_platform p = { 0 };

	if (!wanted)
		return 0;
	if (!entry_platform(entry, &p))
		return NO_PLATFORM_RANK;
	strvec_push_own(seen, oci_platform_format(&p));
	return oci_platform_rank(wanted, &p);
}

static int none_fits(const struct oci_platform *wanted, struct strvec *seen,
		     struct error *err)
{
	cleanup_strbuf struct strbuf list = STRBUF_INIT;
	cleanup_free char *want = NULL;
	size_t i;

	if (!wanted)
		return error_set(err, ERR_INPUT, "index: it has no image");
	want = oci_platform_format(wanted);
	for (i = 0; i < seen->nr && list.len < 1000; i++) {
		if (i)
			strbuf_addstr(&list, ", ");
		strbuf_add_safe(&list, seen->v[i], strlen(seen->v[i]));
	}
	error_set(err, ERR_INPUT, "index: no image for platform %s; it has %s",
		  want, list.len ? list.buf : "no image at all");
	return error_hint(err, "choose one of them with --platform");
}

/* An entry that names no platform is taken only when it is the only image:
 * among several nobody could say which one is meant. */
static const struct json *best_entry(const struct json *entries,
				     const struct oci_platform *platform,
				     struct strvec *seen)
{
	const struct json *j, *best = NULL;
	int rank, best_rank = NO_PLATFORM_RANK;
	size_t images = 0;

	for (j = json_first(entries); j; j = json_next(j)) {
		if (!is_image(j))
			continue;
		images++;
		rank = entry_rank(j, platform, seen);
		if (rank < 0 || (best && rank >= best_rank))
			continue;
		best = j;
		best_rank = rank;
	}
	return best_rank == NO_PLATFORM_RANK && images > 1 ? NULL : best;
}

static struct json *parse_index(const char *text, size_t n, struct error *err)
{
	cleanup_json struct json *j = NULL;
	const struct json *entries;

	if (n > OCI_MANIFEST_MAX)
		error_set(err, ERR_INPUT, "index: larger than %u bytes",
			  OCI_MANIFEST_MAX);
	else
		j = json_parse("index", text, n, err);
	if (!j || oci_check_schema(j, err) < 0)
		return NULL;
	entries = json_get(j, "manifests");
	if (json_kind(entries) != JSON_ARRAY)
		error_set(err, ERR_INPUT, "index: 'manifests' is not an array");
	else if (json_len(entries) > INDEX_ENTRIES_MAX)
		error_set(err, ERR_INPUT, "index: more than %d entries",
			  INDEX_ENTRIES_MAX);
	else
		return steal_ptr(&j);
	return NULL;
}

int oci_index_choose(const char *text, size_t n,
		     const struct oci_platform *platform,
		     struct oci_descriptor *out, struct error *err)
{
	cleanup_strvec struct strvec seen = STRVEC_INIT;
	cleanup_json struct json *j = parse_index(text, n, err);
	const struct json *best;

	if (!j)
		return -1;
	best = best_entry(json_get(j, "manifests"), platform, &seen);
	if (!best)
		return none_fits(platform, &seen, err);
	*out = (struct oci_descriptor){ 0 };
	return oci_descriptor_parse(out, best, "index: entry", err);
}

void oci_index_release(struct oci_index *x)
{
	size_t i;

	for (i = 0; i < x->n; i++) {
		oci_descriptor_release(&x->v[i].desc);
		oci_platform_release(&x->v[i].platform);
	}
	free(x->v);
	*x = (struct oci_index){ 0 };
}

int oci_index_parse(struct oci_index *x, const char *text, size_t n,
		    struct error *err)
{
	cleanup_json struct json *j = parse_index(text, n, err);
	cleanup_oci_index struct oci_index r = { 0 };
	const struct json *e;

	if (!j)
		return -1;
	r.v = xcalloc(json_len(json_get(j, "manifests")) + 1, sizeof(*r.v));
	for (e = json_first(json_get(j, "manifests")); e; e = json_next(e)) {
		struct oci_entry *entry = &r.v[r.n++];

		if (oci_descriptor_parse(&entry->desc, e, "index: entry",
					 err) < 0)
			return -1;
		entry->image = is_image(e);
		entry_platform(e, &entry->platform);
	}
	*x = r;
	r = (struct oci_index){ 0 };
	return 0;
}
