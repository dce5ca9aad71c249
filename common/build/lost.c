/* lost.c - layers that a cache promised and that are not to be had */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/lost.h"

#include "base/log.h"
#include "base/signals.h"
#include "build/internal.h"

/* Layers that are not here and that a cache has: those say so themselves, a
 * base image's do not. Borrows all but the list, which is malloc'ed. */
static struct store_image promised(const struct store *s,
				   const struct store_image *image)
{
	struct store_image some = { .origin = image->origin };
	size_t i;

	some.layers = xcalloc(image->n_layers + 1, sizeof(*some.layers));
	for (i = 0; i < image->n_layers; i++)
		if (image->layers[i].origin &&
		    !store_has_layer(s, image->layers[i].id))
			some.layers[some.n_layers++] = image->layers[i];
	return some;
}

static bool lacks_layer(const struct store *s, const struct store_image *image)
{
	size_t i;

	for (i = 0; i < image->n_layers; i++)
		if (!store_has_layer(s, image->layers[i].id))
			return true;
	return false;
}

int build_forget_layers(struct store *s, const struct store_image *image,
			struct error *err)
{
	int forgotten = 0, n = 0;
	size_t i;

	for (i = 0; i < image->n_layers && n >= 0; i++) {
		if (store_has_layer(s, image->layers[i].id))
			continue;
		n = cache_forget_all(s, "layer", image->layers[i].id, err);
		forgotten += n;
	}
	if (n >= 0 && image->config_digest[0] && lacks_layer(s, image)) {
		n = cache_forget_all(s, "image", image->config_digest, err);
		forgotten += n;
	}
	return n < 0 ? -1 : forgotten;
}

enum build_lost build_forget_lost(struct store *s, struct registry **r,
				  const struct registry_options *o,
				  const struct build_result *result,
				  struct error *err)
{
	const struct store_image some = promised(s, &result->image);
	cleanup_free struct store_image_layer *list = some.layers;
	cleanup_error struct error why = ERROR_INIT;

	if (!some.n_layers || signals_pending())
		return LOST_NOTHING;
	if (build_fetch_layers(s, r, o, &some, &why) == 0)
		return LOST_FETCHED;
	if (signals_pending())
		return LOST_NOTHING;
	log_debug("%s", why.msg);
	return build_forget_layers(s, &result->image, err) < 0 ?
		       LOST_ERROR : LOST_FORGOTTEN;
}
