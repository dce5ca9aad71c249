/* rewrite.c - an image whose own layers hold no time after an epoch */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/history.h"
#include "build/stage.h"

static int rewrite_layer(const struct build_export *x,
			 const char *const *chain, size_t n,
			 struct store_image_layer *l, struct error *err)
{
	struct store_meta meta;

	if (store_layer_blob_until(x->store, chain, n, x->result->epoch, &meta,
				   err) < 0)
		return -1;
	memcpy(l->diff_id, meta.diff_id, DIGEST_TEXT);
	oci_descriptor_set(&l->desc, meta.media_type, meta.blob,
			   meta.blob_size);
	return 0;
}

int build_rewrite(const struct build_export *x, struct store_image *to,
		  struct error *err)
{
	const struct build_result *result = x->result;
	const struct store_image *from = &result->image;
	cleanup_free const char **chain = build_chain(from);
	size_t i;

	build_copy_image(to, from);
	if (from->n_layers > result->base_layers &&
	    build_fetch_layers(x->store, x->registry, x->options, from,
			       err) < 0)
		return -1;
	for (i = result->base_layers; i < from->n_layers; i++)
		if (rewrite_layer(x, chain, i + 1, &to->layers[i], err) < 0)
			return -1;
	to->config_digest[0] = '\0';
	to->manifest[0] = '\0';
	free(steal_ptr(&to->reference));
	return 0;
}
