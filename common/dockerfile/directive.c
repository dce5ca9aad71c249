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
	if (!cut(p, end, &key, &value) || !is_known(key)) {
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

static bool is_bool(const char *s)
{
	static const char *const words[] = {
		"1", "t", "T", "TRUE", "true", "True",
		"0", "f", "F", "FALSE", "false", "False",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (str_eq(s, words[i]))
			return true;
	return false;
}

static char *check_part(const char *p, const char *end)
{
	const char *eq = memchr(p, '=', (size_t)(end - p));
	const char *k = p, *kend = eq, *v, *vend = end;
	cleanup_free char *key = NULL;
	cleanup_free char *value = NULL;

	if (!eq)
		return xstrfmt("invalid check option \"%.*s\"", (int)(end - p),
			       p);
	dockerfile_trim(&k, &kend);
	v = eq + 1;
	dockerfile_trim(&v, &vend);
	key = xstrndup(k, (size_t)(kend - k));
	value = xstrndup(v, (size_t)(vend - v));
	if (str_eq(key, "skip") || str_eq(key, "experimental"))
		return NULL;
	if (!str_eq(key, "error"))
		return xstrfmt("invalid check option \"%s\"", key);
	if (!is_bool(value))
		return xstrfmt("failed to parse check option \"%.*s\": "
			       "invalid boolean", (int)(end - p), p);
	return NULL;
}

char *dockerfile_check_value(const char *value)
{
	const char *p = value, *end = value + strlen(value);
	int parts;

	for (parts = 1;; parts++) {
		const char *semi = parts < 3 ? strchr(p, ';') : NULL;
		char *wrong = check_part(p, semi ? semi : end);

		if (wrong || !semi)
			return wrong;
		p = semi + 1;
	}
}
