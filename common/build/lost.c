/* lost.c - layers that a cache promised and that are not to be had */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/lost.h"

#include "base/log.h"
#include "base/signals.h"
#include "build/internal.h"

/* Without the base image's, which no build can make. */
static struct store_image step_layers(const struct build_result *result)
{
	struct store_image steps = result->image;
	size_t base = MIN(result->base_layers, steps.n_layers);

	steps.layers += base;
	steps.n_layers -= base;
	return steps;
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
	const struct store_image steps = step_layers(result);
	cleanup_error struct error why = ERROR_INIT;

	if (!lacks_layer(s, &steps) || signals_pending())
		return LOST_NOTHING;
	if (build_fetch_layers(s, r, o, &steps, &why) == 0)
		return LOST_FETCHED;
	if (signals_pending())
		return LOST_NOTHING;
	log_debug("%s", why.msg);
	return build_forget_layers(s, &steps, err) < 0 ? LOST_ERROR
						       : LOST_FORGOTTEN;
}
