/* base.c - allocation that ends the process when memory is out, and strings */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base.h"

#include <stdarg.h>
#include <unistd.h>

static NORETURN void out_of_memory(void)
{
	static const char text[] = "devenv: out of memory\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	abort();
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);

	if (!p)
		out_of_memory();
	return p;
}

void *xrealloc_array(void *p, size_t n, size_t size)
{
	p = reallocarray(p, n ? n : 1, size ? size : 1);
	if (!p)
		out_of_memory();
	return p;
}

char *xstrdup(const char *s)
{
	return xmemdup(s, strlen(s) + 1);
}

char *xstrdup_null(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = xmalloc(len + 1);

	memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

void *xmemdup(const void *p, size_t n)
{
	void *copy = xmalloc(n);

	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *xstrfmt(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	if (n < 0)
		out_of_memory();
	return s;
}

void base_free_ptr(void *p)
{
	free(*(void **)p);
}

void base_close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void base_close_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

bool str_eq_null(const char *a, const char *b)
{
	if (!a || !b)
		return a == b;
	return str_eq(a, b);
}

bool str_is_true(const char *s)
{
	return s && (str_eq(s, "1") || !strcasecmp(s, "true"));
}

bool str_starts(const char *s, const char *prefix)
{
	return str_skip(s, prefix) != NULL;
}

bool str_ends(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);

	return n >= m && !memcmp(s + n - m, suffix, m);
}

const char *str_skip(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(s, prefix, n) ? NULL : s + n;
}

bool str_to_u64(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		unsigned d = (unsigned)(unsigned char)*s - '0';

		if (d > 9 || v > (max - d) / 10 || v * 10 + d > max)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

#define NEAR_MAX 64 /* longer words are never a typing mistake */

/* Levenshtein distance, one row at a time. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NEAR_MAX + 1], n = strlen(b), i, j;

	for (j = 0; j <= n; j++)
		row[j] = j;
	for (i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (j = 0; j < n; j++) {
			size_t above = row[j + 1];
			size_t change = diagonal + (a[i] != b[j]);

			row[j + 1] = MIN(change, MIN(above, row[j]) + 1);
			diagonal = above;
		}
	}
	return row[n];
}

const char *str_nearest(const char *word, const char *const *candidates)
{
	const char *best = NULL;
	size_t least = 3;

	if (strlen(word) > NEAR_MAX)
		return NULL;
	for (; *candidates; candidates++) {
		size_t d;

		if (strlen(*candidates) > NEAR_MAX)
			continue;
		d = distance(word, *candidates);
		if (d < least) {
			least = d;
			best = *candidates;
		}
	}
	return best;
}
