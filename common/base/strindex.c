/* strindex.c - strings in order, each with a number, found by halving */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strindex.h"

struct strindex_entry {
	char *s;
	size_t number;
};

void strindex_release(struct strindex *ix)
{
	size_t i;

	for (i = 0; i < ix->nr; i++)
		free(ix->v[i].s);
	free(ix->v);
	*ix = (struct strindex){ 0 };
}

/* Where it is, or would be. */
static size_t place(const struct strindex *ix, const char *s, size_t n,
		    bool *there)
{
	size_t low = 0, high = ix->nr;

	*there = false;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other = ix->v[middle].s;
		int order = strncmp(s, other, n);

		if (!order && other[n])
			order = -1;
		*there |= !order;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool strindex_get(const struct strindex *ix, const char *s, size_t n,
		  size_t *number)
{
	bool there;
	size_t at = place(ix, s, n, &there);

	if (there)
		*number = ix->v[at].number;
	return there;
}

bool strindex_add(struct strindex *ix, const char *s, size_t n, size_t number)
{
	bool there;
	size_t at = place(ix, s, n, &there);

	if (there)
		return false;
	GROW(ix->v, ix->nr, ix->alloc);
	memmove(ix->v + at + 1, ix->v + at, (ix->nr - at) * sizeof(*ix->v));
	ix->nr++;
	ix->v[at] = (struct strindex_entry){ xstrndup(s, n), number };
	return true;
}

/* Of entries with one key the first counts, as in every environment. */
static void sync_with(struct strindex *ix, const struct strvec *list)
{
	for (; ix->synced < list->nr; ix->synced++) {
		const char *entry = list->v[ix->synced];

		strindex_add(ix, entry, strcspn(entry, "="), ix->synced);
	}
}

const char *strindex_env_entry(struct strindex *ix, const struct strvec *list,
			       const char *key)
{
	size_t number;

	sync_with(ix, list);
	return strindex_get(ix, key, strlen(key), &number) ?
		       list->v[number] : NULL;
}

const char *strindex_env_get(struct strindex *ix, const struct strvec *list,
			     const char *key)
{
	const char *entry = strindex_env_entry(ix, list, key);
	const char *value = entry ? entry + strlen(key) : NULL;

	return value && *value ? value + 1 : NULL;
}

void strindex_env_set(struct strindex *ix, struct strvec *list,
		      const char *key, const char *value)
{
	char *entry = xstrfmt("%s=%s", key, value);
	size_t number;

	sync_with(ix, list);
	if (!strindex_get(ix, key, strlen(key), &number)) {
		strvec_push_own(list, entry);
		return;
	}
	free(list->v[number]);
	list->v[number] = entry;
}
