/* index.c - one name for images of several platforms */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/internal.h"

int build_index_text(struct store *s, const struct store_image *const *images,
		     size_t n, struct strbuf *out, struct error *err)
{
	cleanup_json struct json *j = json_new_object();
	struct json *list = json_set(j, "manifests", json_new_array());
	size_t i;

	json_set_int(j, "schemaVersion", 2);
	json_set_str(j, "mediaType", OCI_INDEX);
	for (i = 0; i < n; i++) {
		const struct store_image *image = images[i];
		struct json *d = json_push(list, json_new_object());
		uint64_t size;

		if (!store_has_blob(s, image->manifest, &size))
			return error_set(err, ERR_SYSTEM,
					 "the manifest %s is not in the store",
					 image->manifest);
		json_set_str(d, "mediaType", OCI_MANIFEST);
		json_set_str(d, "digest", image->manifest);
		json_set_int(d, "size", (int64_t)size);
		json_set(d, "platform", oci_config_platform(&image->config));
	}
	json_write(out, j, false);
	return 0;
}

/* Each under its digest, so that the index may name it. */
static int push_one(const struct build_export *x, struct store_image *image,
		    const struct oci_ref *to, struct error *err)
{
	cleanup_build_manifest struct build_manifest m = BUILD_MANIFEST_INIT;
	cleanup_oci_ref struct oci_ref ref = {
		.host = xstrdup(to->host),
		.repository = xstrdup(to->repository),
		.digest = xstrdup(image->manifest),
	};

	if (build_materialize(x->store, x->registry, x->options, image, &m,
			      err) < 0)
		return -1;
	return build_push(x->store, *x->registry, image, &m, &ref, err);
}

int build_push_index(const struct build_export *x, const struct strbuf *index,
		     const struct oci_ref *to, struct error *err)
{
	size_t i;

	if (!*x->registry && registry_new(x->registry, x->options, err) < 0)
		return -1;
	for (i = 0; i < x->n; i++)
		if (push_one(x, &x->result[i].image, to, err) < 0)
			return -1;
	return registry_push_manifest(*x->registry, to, OCI_INDEX, index->buf,
				      index->len, err);
}
