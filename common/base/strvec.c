/* strvec.c - NULL-terminated lists of strings */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strvec.h"

#include <stdarg.h>

void strvec_release(struct strvec *sv)
{
	size_t i;

	for (i = 0; i < sv->nr; i++)
		free(sv->v[i]);
	free(sv->v);
	*sv = (struct strvec)STRVEC_INIT;
}

void strvec_push_own(struct strvec *sv, char *s)
{
	if (sv->nr + 2 > sv->alloc) {
		sv->alloc = sv->alloc ? sv->alloc * 2 : 8;
		sv->v = xrealloc_array(sv->v, sv->alloc, sizeof(*sv->v));
	}
	sv->v[sv->nr++] = s;
	sv->v[sv->nr] = NULL;
}

void strvec_push(struct strvec *sv, const char *s)
{
	strvec_push_own(sv, xstrdup(s));
}

void strvec_pushf(struct strvec *sv, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		abort();
	va_end(ap);
	strvec_push_own(sv, s);
}

void strvec_push_all(struct strvec *sv, const char *const *list)
{
	for (; list && *list; list++)
		strvec_push(sv, *list);
}

void strvec_pop(struct strvec *sv)
{
	free(sv->v[--sv->nr]);
	sv->v[sv->nr] = NULL;
}

void strvec_copy(struct strvec *dst, const struct strvec *src)
{
	size_t i;

	strvec_release(dst);
	for (i = 0; i < src->nr; i++)
		strvec_push(dst, src->v[i]);
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void strvec_sort(struct strvec *sv)
{
	if (sv->nr)
		qsort(sv->v, sv->nr, sizeof(*sv->v), compare);
}

bool strvec_has(const struct strvec *sv, const char *s)
{
	size_t i;

	for (i = 0; i < sv->nr; i++)
		if (str_eq(sv->v[i], s))
			return true;
	return false;
}

void strvec_split(struct strvec *sv, const char *s, const char *seps)
{
	while (*s) {
		size_t n = strcspn(s, seps);

		if (n)
			strvec_push_own(sv, xstrndup(s, n));
		s += n;
		s += strspn(s, seps);
	}
}

char **strvec_argv(struct strvec *sv)
{
	if (!sv->v) {
		sv->alloc = 8;
		sv->v = xcalloc(sv->alloc, sizeof(*sv->v));
	}
	return sv->v;
}

static char **env_find(const struct strvec *sv, const char *key)
{
	size_t i, n = strlen(key);

	for (i = 0; i < sv->nr; i++)
		if (!strncmp(sv->v[i], key, n) && sv->v[i][n] == '=')
			return &sv->v[i];
	return NULL;
}

const char *strvec_env_get(const struct strvec *sv, const char *key)
{
	char **at = env_find(sv, key);

	return at ? *at + strlen(key) + 1 : NULL;
}

void strvec_env_set(struct strvec *sv, const char *key, const char *value)
{
	char **at = env_find(sv, key);
	char *entry = xstrfmt("%s=%s", key, value);

	if (!at) {
		strvec_push_own(sv, entry);
		return;
	}
	free(*at);
	*at = entry;
}

void strvec_env_unset(struct strvec *sv, const char *key)
{
	char **at = env_find(sv, key);

	if (!at)
		return;
	free(*at);
	memmove(at, at + 1, (size_t)(sv->v + sv->nr - at) * sizeof(*at));
	sv->nr--;
}
