/* feature_sets.c - Features in the form that other tools read */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/merged.h"

static struct json *oci_reference(const struct devcontainer_feature_ref *ref)
{
	struct json *j = json_new_object();
	cleanup_free char *resource = xstrfmt("%s/%s", ref->registry,
					      ref->path);
	const char *slash = strrchr(ref->path, '/');
	cleanup_free char *namespace =
		xstrndup(ref->path, slash ? (size_t)(slash - ref->path) : 0);
	cleanup_free char *owner =
		xstrndup(namespace, strcspn(namespace, "/"));

	json_set_str(j, "id", ref->id);
	json_set_str(j, "owner", owner);
	json_set_str(j, "namespace", namespace);
	json_set_str(j, "registry", ref->registry);
	json_set_str(j, "resource", resource);
	json_set_str(j, "path", ref->path);
	json_set_str(j, "version", ref->digest ? ref->digest : ref->tag);
	json_set_str(j, ref->digest ? "digest" : "tag",
		     ref->digest ? ref->digest : ref->tag);
	return j;
}

/* The name without the version it may end with. */
static char *bare_id(const char *id)
{
	const char *last = strrchr(id, '/');
	const char *from = last ? last : id;

	return xstrndup(id, (size_t)(from - id) + strcspn(from, ":@"));
}

static struct json *source(const struct devcontainer_feature *f)
{
	cleanup_free char *bare = bare_id(f->id);
	struct json *j = json_new_object();

	switch (f->ref.source) {
	case DEVCONTAINER_FEATURE_OCI:
		json_set_str(j, "type", "oci");
		json_set(j, "featureRef", oci_reference(&f->ref));
		json_set_str(j, "manifestDigest", f->digest);
		json_set_str(j, "userFeatureIdWithoutVersion", bare);
		break;
	case DEVCONTAINER_FEATURE_TARBALL:
		json_set_str(j, "type", "direct-tarball");
		json_set_str(j, "tarballUri", f->ref.url);
		break;
	case DEVCONTAINER_FEATURE_LOCAL:
		json_set_str(j, "type", "file-path");
		json_set_str(j, "resolvedFilePath", f->ref.dir);
		break;
	}
	json_set_str(j, "userFeatureId", f->id);
	return j;
}

struct json *cli_feature_sets(const struct devcontainer_features *list)
{
	struct json *sets = json_new_array();

	for (size_t i = 0; i < list->nr; i++) {
		const struct devcontainer_feature *f = &list->v[i];
		struct json *set = json_push(sets, json_new_object());
		struct json *all = json_set(set, "features", json_new_array());
		struct json *one = json_push(all, json_dup(f->metadata.json));
		cleanup_free char *id = xstrfmt("%s_%zu", f->ref.id, i);

		json_set(set, "sourceInformation", source(f));
		json_set_str(set, "internalVersion", "2");
		json_set(one, "value", json_dup(f->options));
		json_set_bool(one, "included", true);
		json_set_str(one, "consecutiveId", id);
	}
	return sets;
}
