/* quote.c - strings as Go's %q prints them */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/internal.h"

static bool is_printable(uint32_t c)
{
	if (c < 0x80)
		return c >= ' ' && c != 0x7f;
	if (dockerfile_is_space(c) || c < 0xa1 || c == 0xad)
		return false;
	return !((c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
		 (c >= 0x2060 && c <= 0x206f) || (c >= 0xd800 && c <= 0xf8ff) ||
		 c == 0xfeff || (c & 0xfffe) == 0xfffe || c >= 0xe0000);
}

static void add_rune(struct strbuf *out, const char *p, size_t n, uint32_t c)
{
	static const char letters[] = "abtnvfr"; /* from \a, 7, on */

	if (c == 0xfffd && n == 1)
		strbuf_addf(out, "\\x%02x", (unsigned char)*p);
	else if (c == '"' || c == '\\')
		strbuf_addf(out, "\\%c", (int)c);
	else if (is_printable(c))
		strbuf_add(out, p, n);
	else if (c >= 7 && c <= 13)
		strbuf_addf(out, "\\%c", letters[c - 7]);
	else if (c < 0x80)
		strbuf_addf(out, "\\x%02x", (unsigned)c);
	else if (c < 0x10000)
		strbuf_addf(out, "\\u%04x", (unsigned)c);
	else
		strbuf_addf(out, "\\U%08x", (unsigned)c);
}

void dockerfile_quote(struct strbuf *out, const char *s)
{
	const char *end = s + strlen(s);

	strbuf_addch(out, '"');
	while (s < end) {
		uint32_t c;
		size_t n = dockerfile_rune(s, end, &c);

		add_rune(out, s, n, c);
		s += n;
	}
	strbuf_addch(out, '"');
}
