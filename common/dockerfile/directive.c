/* directive.c - "# key=value" lines at the top of a Dockerfile */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "dockerfile/internal.h"

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && isspace((unsigned char)*p))
		p++;
	return p;
}

/* "# key = value" -> lower-case key and value; false: not of that form. */
static bool cut(const char *p, const char *end, char **key, char **value)
{
	const char *k;
	char *c;

	p = skip_blanks(p, end);
	if (p == end || *p != '#')
		return false;
	k = p = skip_blanks(p + 1, end);
	if (p == end || !isalpha((unsigned char)*p))
		return false;
	while (p < end && isalnum((unsigned char)*p))
		p++;
	*key = xstrndup(k, (size_t)(p - k));
	for (c = *key; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	p = skip_blanks(p, end);
	if (p == end || *p != '=')
		return false;
	p++;
	dockerfile_trim(&p, &end);
	if (p == end)
		return false;
	*value = xstrndup(p, (size_t)(end - p));
	return true;
}

static bool is_known(const char *key)
{
	return str_eq(key, "syntax") || str_eq(key, "escape") ||
	       str_eq(key, "check");
}

int dockerfile_directive(struct dockerfile_directives *d,
			 struct dockerfile *df, const char *p,
			 const char *end, unsigned lineno, struct error *err)
{
	cleanup_free char *key = NULL;
	cleanup_free char *value = NULL;

	if (d->done)
		return 0;
	if (lineno == 1 && end - p > 1 && !memcmp(p, "#!", 2)) {
		d->shebang = true;
		return 0;
	}
	if (!cut(p, end, &key, &value) || !is_known(key) ||
	    (d->shebang && !str_eq(key, "syntax"))) {
		d->done = true;
		return 0;
	}
	if (strvec_env_get(&df->directives, key))
		return dockerfile_fail(
			df, lineno, 1, err,
			"only one %s parser directive can be used", key);
	strvec_pushf(&df->directives, "%s=%s", key, value);
	if (!str_eq(key, "escape"))
		return 0;
	if (!str_eq(value, "`") && !str_eq(value, "\\"))
		return dockerfile_fail(
			df, lineno, 1, err,
			"invalid escape token '%s' does not match ` or \\",
			value);
	df->escape = *value;
	return 0;
}
