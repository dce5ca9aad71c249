/* history.c - what an image says of its making, and when that was */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/date.h"
#include "build/history.h"
#include "build/internal.h"

/* The name peers know this format of entries by. */
#define COMMENT "buildkit.dockerfile.v0"

char *history_clamp(const char *text, int64_t epoch)
{
	int64_t seconds;

	if (epoch >= 0 && date_parse(text, &seconds) && seconds > epoch)
		return date_format(epoch);
	return xstrdup(text);
}

void history_add(struct oci_config *c, const char *created_by,
		 const char *created)
{
	struct oci_history *h = oci_config_add_history(c);

	h->created = xstrdup_null(created);
	h->created_by = xstrdup(created_by);
	h->comment = xstrdup(COMMENT);
	h->empty_layer = !created;
}

/* What a first instruction without a layer goes by: the first new layer, else
 * the base image. */
static const char *first_time(const struct oci_config *c, size_t from)
{
	size_t i;

	for (i = from; i < c->n_history; i++)
		if (c->history[i].created)
			return c->history[i].created;
	while (from--)
		if (c->history[from].created)
			return c->history[from].created;
	return NULL;
}

void history_finish(struct oci_config *c, size_t from, int64_t epoch)
{
	const char *last = first_time(c, from);
	size_t i;

	for (i = from; i < c->n_history; i++) {
		struct oci_history *h = &c->history[i];
		char *old = h->created;

		if (!old && !last)
			continue;
		h->created = history_clamp(old ? old : last, epoch);
		last = h->created;
		free(old);
	}
	free(c->created);
	c->created = last ? history_clamp(last, epoch) : NULL;
}
