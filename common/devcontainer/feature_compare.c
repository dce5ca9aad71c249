/* feature_compare.c - when two Features are the same, and which comes first */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/feature_internal.h"

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sorted_keys(const struct json *object, struct strvec *keys)
{
	const struct json *m = json_first(object);

	for (; m; m = json_next(m))
		strvec_push(keys, json_key(m));
	if (keys->nr)
		qsort(keys->v, keys->nr, sizeof(*keys->v), compare_keys);
}

static int compare_bools(bool a, bool b)
{
	return (int)a - (int)b;
}

/* Values of one option; of different kinds they count as equal, since the
 * scripts see both as text. */
static int compare_values(const struct json *a, const struct json *b)
{
	double x = json_number(a), y = json_number(b);

	if (json_kind(a) != json_kind(b))
		return 0;
	switch (json_kind(a)) {
	case JSON_STRING:
		return devcontainer_collate(json_str(a), json_str(b));
	case JSON_BOOL:
		return compare_bools(json_bool(a), json_bool(b));
	case JSON_NUMBER:
		return (x > y) - (x < y);
	default:
		return 0;
	}
}

static int compare_objects(const struct json *a, const struct json *b)
{
	cleanup_strvec struct strvec one = STRVEC_INIT, two = STRVEC_INIT;
	int rc = 0;

	sorted_keys(a, &one);
	sorted_keys(b, &two);
	if (one.nr != two.nr)
		return one.nr < two.nr ? -1 : 1;
	for (size_t i = 0; !rc && i < one.nr; i++) {
		rc = devcontainer_collate(one.v[i], two.v[i]);
		if (!rc)
			rc = compare_values(json_get(a, one.v[i]),
					    json_get(b, two.v[i]));
	}
	return rc;
}

/* As JavaScript calls them, since that is what is sorted by. */
static const char *kind_name(const struct json *j)
{
	switch (json_kind(j)) {
	case JSON_STRING:
		return "string";
	case JSON_BOOL:
		return "boolean";
	case JSON_NUMBER:
		return "number";
	default:
		return "object";
	}
}

/* Options as they are written: defaults do not count. */
static int compare_options(const struct json *a, const struct json *b)
{
	const char *one = kind_name(a), *two = kind_name(b);

	if (!str_eq(one, two))
		return devcontainer_collate(one, two);
	if (str_eq(one, "object"))
		return compare_objects(a, b);
	return compare_values(a, b);
}

static bool share_alias(const struct devcontainer_feature *a,
			const struct devcontainer_feature *b)
{
	for (size_t i = 0; i < a->aliases.nr; i++)
		if (strvec_has(&b->aliases, a->aliases.v[i]))
			return true;
	return false;
}

/* "registry/namespace" */
static char *space_of(const struct devcontainer_feature_ref *ref)
{
	size_t n = strlen(ref->path) - strlen(ref->id) - 1;

	return xstrfmt("%s/%.*s", ref->registry, (int)n, ref->path);
}

static int compare_names(const struct devcontainer_feature *a,
			 const struct devcontainer_feature *b)
{
	cleanup_free char *one = space_of(&a->ref), *two = space_of(&b->ref);

	if (!str_eq(one, two))
		return devcontainer_collate(one, two);
	return share_alias(a, b) ? 0
				 : devcontainer_collate(a->ref.id, b->ref.id);
}

static int compare_oci(const struct devcontainer_feature *a,
		       const struct devcontainer_feature *b)
{
	int options = compare_options(a->options, b->options), rc;

	if (str_eq(a->digest, b->digest) && !options)
		return 0;
	rc = compare_names(a, b);
	if (!rc && a->ref.tag && b->ref.tag)
		rc = devcontainer_collate(a->ref.tag, b->ref.tag);
	if (!rc)
		rc = options;
	return rc ? rc : devcontainer_collate(a->digest, b->digest);
}

int feature_compare(const struct devcontainer_feature *a,
		    const struct devcontainer_feature *b)
{
	int rc;

	if (a->ref.source != b->ref.source)
		return devcontainer_collate(a->id, b->id);
	switch (a->ref.source) {
	case DEVCONTAINER_FEATURE_OCI:
		return compare_oci(a, b);
	case DEVCONTAINER_FEATURE_TARBALL:
		rc = devcontainer_collate(a->ref.url, b->ref.url);
		break;
	default:
		rc = devcontainer_collate(a->ref.dir, b->ref.dir);
	}
	return rc ? rc : compare_options(a->options, b->options);
}

bool feature_equal(const struct devcontainer_feature *a,
		   const struct devcontainer_feature *b)
{
	return a->ref.source == b->ref.source && !feature_compare(a, b);
}

/* The Feature went by the id that is named, or what is named by its. */
static bool match_alias(const struct devcontainer_feature *f,
			const struct devcontainer_feature *named)
{
	return feature_same_space(f, named) &&
	       (strvec_has(&f->aliases, named->ref.id) ||
		strvec_has(&named->aliases, f->ref.id));
}

bool feature_match(const struct devcontainer_feature *f,
		   const struct devcontainer_feature *named)
{
	const struct devcontainer_feature_ref *a = &f->ref, *b = &named->ref;

	if (a->source != b->source)
		return false;
	switch (a->source) {
	case DEVCONTAINER_FEATURE_OCI:
		return (str_eq(a->registry, b->registry) &&
			str_eq(a->path, b->path)) ||
		       match_alias(f, named);
	case DEVCONTAINER_FEATURE_TARBALL:
		return str_eq(a->url, b->url);
	default:
		return str_eq(a->dir, b->dir);
	}
}

bool feature_same_space(const struct devcontainer_feature *a,
			const struct devcontainer_feature *b)
{
	cleanup_free char *one = NULL, *two = NULL;

	if (a->ref.source != DEVCONTAINER_FEATURE_OCI ||
	    b->ref.source != DEVCONTAINER_FEATURE_OCI)
		return false;
	one = space_of(&a->ref);
	two = space_of(&b->ref);
	return str_eq(one, two);
}

void feature_set_aliases(struct devcontainer_feature *f)
{
	const struct json *m = f->metadata.json;
	const char *id = json_get_str(m, "currentId");

	if (!id)
		id = json_get_str(m, "id");
	strvec_release(&f->aliases);
	strvec_push(&f->aliases, id ? id : f->ref.id);
	json_get_strings(json_get(m, "legacyIds"), &f->aliases);
}
