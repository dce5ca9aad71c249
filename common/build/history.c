/* history.c - what an image says of its making, and when that was */
/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "build/history.h"
#include "build/internal.h"

/* The name peers know this format of entries by. */
#define COMMENT "buildkit.dockerfile.v0"

char *history_time(int64_t seconds)
{
	time_t t = (time_t)seconds;
	char text[40];
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return xstrdup("1970-01-01T00:00:00Z");
	return xstrdup(text);
}

bool history_parse(const char *text, int64_t *seconds)
{
	int n = 0, hours = 0, minutes = 0;
	struct tm tm = { 0 };
	char sign = 'Z';

	if (sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon,
		   &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &n) != 6)
		return false;
	text += n;
	if (*text == '.')
		text += 1 + strspn(text + 1, "0123456789");
	if (*text != 'Z' &&
	    sscanf(text, "%c%2d:%2d", &sign, &hours, &minutes) != 3)
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	*seconds = timegm(&tm) -
		   (sign == '-' ? -60 : 60) * (60 * hours + minutes);
	return true;
}

char *history_clamp(const char *text, int64_t epoch)
{
	int64_t seconds;

	if (epoch >= 0 && history_parse(text, &seconds) && seconds > epoch)
		return history_time(epoch);
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
