/* version.c - versions of Features: order, and which of them a tag means */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/feature.h"

/* Numbers above this are no version of anything. */
#define PART_MAX 1000000000

static bool is_number(const char *s, size_t n)
{
	return n && strspn(s, "0123456789") >= n && (n == 1 || *s != '0');
}

/* One number; moves on behind it. */
static bool take_part(const char **s, uint64_t *part)
{
	size_t n = strspn(*s, "0123456789");
	cleanup_free char *text = xstrndup(*s, n);

	if (!is_number(*s, n) || !str_to_u64(text, PART_MAX, part))
		return false;
	*s += n;
	return true;
}

static bool is_words(const char *s)
{
	static const char set[] = "abcdefghijklmnopqrstuvwxyz"
				  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.";

	return *s && strspn(s, set) == strlen(s) && *s != '.' &&
	       s[strlen(s) - 1] != '.' && !strstr(s, "..");
}

/* How many numbers there are, 0 where it is no version; `rest` is behind. */
static int take_parts(const char *text, uint64_t part[3], const char **rest)
{
	int n = 0;

	do {
		if (!take_part(&text, &part[n++]))
			return 0;
	} while (n < 3 && *text == '.' && *text++);
	*rest = text;
	return n;
}

bool devcontainer_version_parse(struct devcontainer_version *v,
				const char *text)
{
	const char *rest;

	if (take_parts(text, v->part, &rest) != 3)
		return false;
	v->early = *rest == '-' ? rest + 1 : NULL;
	return v->early ? is_words(v->early) : !*rest;
}

/* By number, where both are; what is a number comes first. */
static int compare_word(const char *a, size_t n, const char *b, size_t m)
{
	bool na = is_number(a, n), nb = is_number(b, m);
	int order;

	if (na != nb)
		return na ? -1 : 1;
	if (na && n != m)
		return n < m ? -1 : 1;
	order = strncmp(a, b, MIN(n, m));
	return order ? order : (n > m) - (n < m);
}

static int compare_early(const char *a, const char *b)
{
	for (;;) {
		size_t n = strcspn(a, "."), m = strcspn(b, ".");
		int order = compare_word(a, n, b, m);

		if (order)
			return order;
		if (!a[n] || !b[m])
			return (a[n] != 0) - (b[m] != 0);
		a += n + 1;
		b += m + 1;
	}
}

int devcontainer_version_compare(const struct devcontainer_version *a,
				 const struct devcontainer_version *b)
{
	for (int i = 0; i < 3; i++)
		if (a->part[i] != b->part[i])
			return a->part[i] < b->part[i] ? -1 : 1;
	if (!a->early || !b->early)
		return (b->early != NULL) - (a->early != NULL);
	return compare_early(a->early, b->early);
}

bool devcontainer_version_matches(const struct devcontainer_version *v,
				  const char *tag)
{
	struct devcontainer_version exact;
	uint64_t part[3];
	const char *rest;
	int n;

	if (devcontainer_version_parse(&exact, tag))
		return devcontainer_version_compare(v, &exact) == 0;
	n = take_parts(tag, part, &rest);
	if (!n || *rest || v->early)
		return false;
	return !memcmp(v->part, part, (size_t)n * sizeof(*part));
}
