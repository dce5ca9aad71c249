/* field.c - the text of a key, taken apart */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/cache.h"

bool cache_field_next(const char **at, const char *end, struct cache_field *f)
{
	const char *line = *at;
	const char *blank = line < end ? memchr(line, ' ', (size_t)(end - line))
				       : NULL;
	char *stop;
	unsigned long n;

	if (!blank || blank == line)
		return false;
	n = strtoul(blank + 1, &stop, 10);
	*f = (struct cache_field){ .line = line, .name = line,
				   .name_len = (size_t)(blank - line),
				   .value = stop + 1, .len = n,
				   .head = *stop == '\n' };
	if (f->head) {
		*at = stop + 1;
	} else {
		if (*stop != ':' || n >= (size_t)(end - stop) - 1 ||
		    stop[1 + n] != '\n')
			return false;
		*at = stop + 1 + n + 1;
	}
	f->line_len = (size_t)(*at - line);
	return true;
}

bool cache_field_is(const struct cache_field *f, const char *name)
{
	return !f->head && f->name_len == strlen(name) &&
	       !memcmp(f->name, name, f->name_len);
}
