/* glob.c - Go's filepath.Match */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/internal.h"

/* One character of a class, escapes resolved; 0 bytes: malformed. */
static size_t class_char(const char *p, const char *end, uint32_t *c)
{
	size_t n = 0;

	if (p == end || *p == '-' || *p == ']')
		return 0;
	if (*p == '\\') {
		n = 1;
		if (++p == end)
			return 0;
	}
	return n + dockerfile_rune(p, end, c);
}

int dockerfile_glob_class(const char **p, const char *end, uint32_t c)
{
	const char *q = *p;
	bool negated = q < end && *q == '^', hit = false;
	unsigned ranges = 0;

	q += negated;
	for (;; ranges++) {
		uint32_t low, high;
		size_t n;

		if (q < end && *q == ']' && ranges)
			break;
		n = class_char(q, end, &low);
		q += n;
		if (!n || q == end)
			return -1;
		high = low;
		if (*q == '-') {
			n = class_char(++q, end, &high);
			q += n;
			if (!n || q == end)
				return -1;
		}
		hit |= c >= low && c <= high;
	}
	*p = q + 1;
	return hit != negated;
}

/*
 * Match the one thing at *p against the character at *s and move both. At the
 * end of the name (or before a slash, for wildcards) it only checks the form.
 */
static int match_one(const char **p, const char *pend, const char **s,
		     const char *send)
{
	uint32_t c = 0, want;
	size_t n = *s < send ? dockerfile_rune(*s, send, &c) : 0;
	int hit;

	if (**p == '[') {
		(*p)++;
		hit = dockerfile_glob_class(p, pend, c);
		if (hit < 0)
			return -1;
		hit = hit && n && c != '/';
	} else if (**p == '?') {
		(*p)++;
		hit = n && c != '/';
	} else {
		if (**p == '\\' && ++*p == pend)
			return -1;
		*p += dockerfile_rune(*p, pend, &want);
		hit = n && c == want;
	}
	*s += n;
	return hit;
}

static int check_form(const char *p, const char *end)
{
	static const char name[] = "x";

	while (p < end) {
		const char *s = name;

		if (*p == '*')
			p++;
		else if (match_one(&p, end, &s, name + 1) < 0)
			return -1;
	}
	return 0;
}

/* The usual loop with one point to come back to: a later star makes earlier
 * ones final, because none of them crosses a slash that the later one could
 * not have reached as well. */
static bool match(const char *p, const char *pend, const char *s,
		  const char *send)
{
	const char *star = NULL, *retry = NULL;

	while (s < send || p < pend) {
		if (p < pend && *p == '*') {
			star = ++p;
			retry = s;
			continue;
		}
		if (p < pend && s < send && match_one(&p, pend, &s, send) > 0)
			continue;
		if (!star || retry == send || *retry == '/')
			return false;
		p = star;
		s = ++retry;
	}
	return true;
}

int dockerfile_glob(const char *pattern, const char *name)
{
	const char *pend = pattern + strlen(pattern);

	if (check_form(pattern, pend) < 0)
		return -1;
	return match(pattern, pend, name, name + strlen(name));
}

bool dockerfile_has_glob(const char *text)
{
	for (; *text; text++) {
		if (strchr("*?[", *text))
			return true;
		if (*text == '\\' && !*++text)
			break;
	}
	return false;
}
