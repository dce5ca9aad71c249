/* rune.c - UTF-8 and the classes of code points that the language knows */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/internal.h"

static bool is_tail(const char *p)
{
	return ((unsigned char)*p & 0xc0) == 0x80;
}

static size_t broken(uint32_t *c)
{
	*c = 0xfffd;
	return 1;
}

size_t dockerfile_rune(const char *p, const char *end, uint32_t *c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char b = (unsigned char)*p;
	size_t n, i;

	if (b < 0x80) {
		*c = b;
		return 1;
	}
	n = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : 2;
	if (b < 0xc2 || b > 0xf4 || (size_t)(end - p) < n)
		return broken(c);
	*c = b & (0xff >> (n + 1));
	for (i = 1; i < n; i++) {
		if (!is_tail(p + i))
			return broken(c);
		*c = *c << 6 | ((unsigned char)p[i] & 0x3f);
	}
	if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c < 0xe000))
		return broken(c);
	return n;
}

bool dockerfile_is_space(uint32_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 ||
	       c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
	       c == 0x3000;
}

bool dockerfile_is_digit(uint32_t c)
{
	return (c >= '0' && c <= '9') || (c >= 0x660 && c <= 0x669) ||
	       (c >= 0x966 && c <= 0x96f) || (c >= 0xff10 && c <= 0xff19);
}

/* Above ASCII everything is a letter but the blocks of blanks, punctuation,
 * symbols, combining marks, surrogates, private use and pictographs. */
bool dockerfile_is_letter(uint32_t c)
{
	static const uint32_t other[][2] = {
		{ 0x80, 0xa9 }, { 0xab, 0xb4 }, { 0xb6, 0xb9 },
		{ 0xbb, 0xbf }, { 0xd7, 0xd7 }, { 0xf7, 0xf7 },
		{ 0x300, 0x36f }, { 0x660, 0x669 }, { 0x966, 0x96f },
		{ 0x2000, 0x2070 }, { 0x2072, 0x207e }, { 0x2080, 0x208f },
		{ 0x20a0, 0x2101 }, { 0x2150, 0x2182 }, { 0x2190, 0x2bff },
		{ 0x3000, 0x3004 }, { 0x3007, 0x3030 }, { 0xd800, 0xf8ff },
		{ 0xfe00, 0xfe6f }, { 0xff00, 0xff20 }, { 0xff3b, 0xff40 },
		{ 0xff5b, 0xff65 }, { 0xffe0, 0xffff }, { 0x1f000, 0x1fbff },
		{ 0xe0000, 0x10ffff },
	};
	size_t i;

	if (c < 0x80)
		return (c | 32) >= 'a' && (c | 32) <= 'z';
	for (i = 0; i < ARRAY_SIZE(other); i++)
		if (c >= other[i][0] && c <= other[i][1])
			return false;
	return true;
}

const char *dockerfile_ltrim(const char *p, const char *end)
{
	while (p < end) {
		uint32_t c;
		size_t n = dockerfile_rune(p, end, &c);

		if (!dockerfile_is_space(c))
			break;
		p += n;
	}
	return p;
}

void dockerfile_trim(const char **p, const char **end)
{
	*p = dockerfile_ltrim(*p, *end);
	while (*end > *p) {
		const char *last = *end - 1;
		uint32_t c;

		while (last > *p && *end - last < 4 && is_tail(last))
			last--;
		if (last + dockerfile_rune(last, *end, &c) != *end ||
		    !dockerfile_is_space(c))
			break;
		*end = last;
	}
}
