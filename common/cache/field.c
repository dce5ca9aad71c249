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

/* Those whose value is no secret and no long text. */
static bool is_shown(const struct cache_field *f)
{
	static const char *const names[] = {
		"parent", "platform", "ids",  "op",	 "cwd",	    "user",
		"network", "dest",    "dir",  "chown",	 "chmod",   "parents",
		"link",	   "file",    "from", "source",	 "layer",   "epoch",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (cache_field_is(f, names[i]))
			return true;
	return cache_field_is(f, "content") && f->len == DIGEST_HEX;
}

void cache_key_parts(const struct cache_key *k, struct strvec *out)
{
	const char *at = k->text.buf, *end = at + k->text.len;
	struct cache_field f;

	while (cache_field_next(&at, end, &f)) {
		const char *equals = memchr(f.value, '=', f.head ? 0 : f.len);

		if (f.head || cache_field_is(&f, "format"))
			continue;
		if (is_shown(&f))
			strvec_pushf(out, "%.*s %.*s", (int)f.name_len, f.name,
				     (int)f.len, f.value);
		else if (cache_field_is(&f, "env") && equals)
			strvec_pushf(out, "env %.*s", (int)(equals - f.value),
				     f.value);
		else if (f.len)
			strvec_pushf(out, "%.*s (%zu bytes)", (int)f.name_len,
				     f.name, f.len);
	}
}
