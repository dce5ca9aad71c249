/* jsonc.c - check JSON and JSON with comments strictly, with positions */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/json.h"

#include <math.h>

#define NUMBER_MAX 63 /* cJSON copies a number into 64 bytes */

struct scan {
	const char *name;
	char *text;
	size_t n, pos;
	bool comments;
	struct error *err;
	size_t depth;
	char open[JSON_MAX_DEPTH]; /* '{' or '[' of every open container */
	unsigned keys[JSON_MAX_DEPTH];
};

void jsonc_position(const char *text, size_t at, unsigned *line,
		    unsigned *col)
{
	size_t start = 0;

	*line = 1;
	for (size_t i = 0; i < at; i++) {
		if (text[i] != '\n' && text[i] != '\r')
			continue;
		start = i + 1;
		if (text[i] == '\n' || start == at || text[start] != '\n')
			++*line;
	}
	*col = (unsigned)(at - start) + 1;
}

static int fail(struct scan *s, size_t at, const char *what)
{
	unsigned line, col;

	jsonc_position(s->text, at, &line, &col);
	return error_set(s->err, ERR_INPUT, "%s:%u:%u: %s", s->name, line,
			 col, what);
}

/* The byte at the cursor, or -1 at the end. */
static int peek(const struct scan *s)
{
	return s->pos < s->n ? (unsigned char)s->text[s->pos] : -1;
}

static bool looking_at(const struct scan *s, const char *word)
{
	size_t len = strlen(word);

	return s->n - s->pos >= len && !memcmp(s->text + s->pos, word, len);
}

/* Length of the UTF-8 character at `p`, or 0 (Unicode 15, table 3-7). */
static size_t utf8_len(const unsigned char *p, size_t n)
{
	unsigned char lo = 0x80, hi = 0xbf;
	size_t len;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		lo = 0xa0;
	else if (p[0] == 0xed)
		hi = 0x9f;
	else if (p[0] == 0xf0)
		lo = 0x90;
	else if (p[0] == 0xf4)
		hi = 0x8f;
	for (size_t i = 1; i < len; i++) {
		if (i >= n || p[i] < lo || p[i] > hi)
			return 0;
		lo = 0x80;
		hi = 0xbf;
	}
	return len;
}

static int step_utf8(struct scan *s)
{
	size_t len = utf8_len((unsigned char *)s->text + s->pos,
			      s->n - s->pos);

	if (!len)
		return fail(s, s->pos, "invalid UTF-8");
	s->pos += len;
	return 0;
}

static void blank(struct scan *s, size_t from)
{
	for (; from < s->pos; from++)
		if (s->text[from] != '\n' && s->text[from] != '\r')
			s->text[from] = ' ';
}

static int skip_comment(struct scan *s)
{
	size_t start = s->pos;
	bool block = looking_at(s, "/*");

	if (!block && !looking_at(s, "//"))
		return fail(s, s->pos, "unexpected '/'");
	s->pos += 2;
	for (;;) {
		int c = peek(s);

		if (block && looking_at(s, "*/")) {
			s->pos += 2;
			break;
		}
		if (c < 0 && block)
			return fail(s, start, "comment is not closed");
		if (!block && (c < 0 || c == '\n' || c == '\r'))
			break;
		if (step_utf8(s) < 0)
			return -1;
	}
	blank(s, start);
	return 0;
}

static int skip_blanks(struct scan *s)
{
	for (;;) {
		int c = peek(s);

		if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			s->pos++;
		} else if (!s->comments) {
			return 0;
		} else if (c == '/') {
			if (skip_comment(s) < 0)
				return -1;
		} else if (c == '\f' || c == '\v' ||
			   looking_at(s, "\xc2\xa0")) {
			size_t from = s->pos;

			s->pos += c == 0xc2 ? 2 : 1;
			blank(s, from);
		} else {
			return 0;
		}
	}
}

static int hex4(const struct scan *s, size_t at)
{
	int value = 0;

	if (s->n < 4 || at > s->n - 4)
		return -1;
	for (size_t i = at; i < at + 4; i++) {
		char c = s->text[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + c - '0';
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + c - 'a' + 10;
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + c - 'A' + 10;
		else
			return -1;
	}
	return value;
}

static int scan_unicode_escape(struct scan *s)
{
	size_t start = s->pos;
	int unit = hex4(s, start + 2);

	if (unit < 0)
		return fail(s, start, "'\\u' needs four hexadecimal digits");
	if (!unit)
		return fail(s, start, "\\u0000 is not supported");
	s->pos += 6;
	if (unit < 0xd800 || unit > 0xdfff)
		return 0;
	if (unit < 0xdc00 && looking_at(s, "\\u")) {
		int low = hex4(s, s->pos + 2);

		if (low >= 0xdc00 && low <= 0xdfff) {
			s->pos += 6;
			return 0;
		}
	}
	return fail(s, start, "half of a surrogate pair");
}

static int scan_escape(struct scan *s)
{
	int c = s->pos + 1 < s->n ? s->text[s->pos + 1] : 0;

	if (c == 'u')
		return scan_unicode_escape(s);
	if (!c || !strchr("\"\\/bfnrt", c))
		return fail(s, s->pos, "invalid escape in a string");
	s->pos += 2;
	return 0;
}

static int scan_string(struct scan *s)
{
	size_t start = s->pos++;

	for (;;) {
		int c = peek(s);

		if (c < 0 || c == '\n' || c == '\r')
			return fail(s, start, "string is not closed");
		if (c == '"') {
			s->pos++;
			return 0;
		}
		if (c < 0x20 && !(c == '\t' && s->comments))
			return fail(s, s->pos,
				    "control character in a string");
		if ((c == '\\' ? scan_escape(s) : step_utf8(s)) < 0)
			return -1;
	}
}

static size_t skip_digits(struct scan *s)
{
	size_t start = s->pos;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->pos++;
	return s->pos - start;
}

static int scan_fraction(struct scan *s, size_t start)
{
	if (peek(s) == '.') {
		s->pos++;
		if (!skip_digits(s))
			return fail(s, start, "invalid number");
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		s->pos++;
		if (peek(s) == '+' || peek(s) == '-')
			s->pos++;
		if (!skip_digits(s))
			return fail(s, start, "invalid number");
	}
	return 0;
}

static int scan_number(struct scan *s)
{
	char digits[NUMBER_MAX + 1];
	size_t start = s->pos, len, whole;

	if (peek(s) == '-')
		s->pos++;
	whole = s->pos;
	len = skip_digits(s);
	if (!len)
		return fail(s, start, "invalid number");
	if (len > 1 && s->text[whole] == '0')
		return fail(s, start, "number with a leading zero");
	if (scan_fraction(s, start) < 0)
		return -1;
	len = s->pos - start;
	if (len > NUMBER_MAX)
		return fail(s, start, "number is too long");
	memcpy(digits, s->text + start, len);
	digits[len] = '\0';
	if (!isfinite(strtod(digits, NULL)))
		return fail(s, start, "number is out of range");
	return 0;
}

static bool scan_word(struct scan *s)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (looking_at(s, words[i])) {
			s->pos += strlen(words[i]);
			return true;
		}
	}
	return false;
}

static int fail_value(struct scan *s)
{
	char what[64];
	int c = peek(s);

	if (c < 0)
		return fail(s, s->pos, "unexpected end, a value is missing");
	if (c <= ' ' || c >= 0x7f)
		return fail(s, s->pos, "unexpected byte, expected a value");
	snprintf(what, sizeof(what), "unexpected '%c', expected a value", c);
	return fail(s, s->pos, what);
}

/* A value; of a container only its opening bracket. */
static int scan_value(struct scan *s)
{
	int c = peek(s);

	if (c == '"')
		return scan_string(s);
	if (c == '-' || (c >= '0' && c <= '9'))
		return scan_number(s);
	if (c != '{' && c != '[')
		return scan_word(s) ? 0 : fail_value(s);
	if (s->depth == JSON_MAX_DEPTH)
		return fail(s, s->pos, "too deeply nested");
	s->keys[s->depth] = 0;
	s->open[s->depth++] = (char)c;
	s->pos++;
	return 0;
}

static int scan_key(struct scan *s)
{
	if (peek(s) != '"')
		return fail(s, s->pos,
			    "expected a property name in double quotes");
	if (++s->keys[s->depth - 1] > JSON_MAX_KEYS)
		return fail(s, s->pos, "object has too many properties");
	if (scan_string(s) < 0 || skip_blanks(s) < 0)
		return -1;
	if (peek(s) != ':')
		return fail(s, s->pos, "expected ':'");
	s->pos++;
	return skip_blanks(s);
}

/* Close the innermost container if its bracket is next. */
static bool scan_close(struct scan *s)
{
	if (peek(s) != (s->open[s->depth - 1] == '{' ? '}' : ']'))
		return false;
	s->depth--;
	s->pos++;
	return true;
}

/*
 * Behind a complete value: commas and closing brackets up to the place of
 * the next member, or to the end of the outermost value.
 */
static int scan_behind(struct scan *s)
{
	while (s->depth) {
		bool object = s->open[s->depth - 1] == '{';
		size_t comma;

		if (skip_blanks(s) < 0)
			return -1;
		if (scan_close(s))
			continue;
		comma = s->pos;
		if (peek(s) != ',')
			return fail(s, comma, object ? "expected ',' or '}'" :
					      "expected ',' or ']'");
		s->pos++;
		if (skip_blanks(s) < 0)
			return -1;
		if (!scan_close(s))
			return 0;
		if (!s->comments)
			return fail(s, comma, "trailing comma");
		s->text[comma] = ' ';
	}
	return 0;
}

static int scan_document(struct scan *s)
{
	do {
		size_t depth = s->depth;

		if (depth && s->open[depth - 1] == '{' && scan_key(s) < 0)
			return -1;
		if (scan_value(s) < 0 || skip_blanks(s) < 0)
			return -1;
		if (s->depth > depth && !scan_close(s))
			continue;
		if (scan_behind(s) < 0)
			return -1;
	} while (s->depth);
	return 0;
}

int jsonc_scan(const char *name, char *text, size_t n, bool comments,
	       struct error *err)
{
	struct scan s = { .name = name, .text = text, .n = n,
			  .comments = comments, .err = err };

	if (comments && looking_at(&s, "\xef\xbb\xbf")) {
		s.pos = 3;
		blank(&s, 0);
	}
	if (skip_blanks(&s) < 0 || scan_document(&s) < 0 ||
	    skip_blanks(&s) < 0)
		return -1;
	if (s.pos < n)
		return fail(&s, s.pos, "unexpected text after the value");
	return 0;
}

/* How much of a broken sequence one U+FFFD stands for: its longest valid
 * beginning (Unicode 15, section 3.9, "maximal subpart"). */
static size_t broken_len(const unsigned char *p, size_t n)
{
	unsigned char trial[4] = { p[0], 0x80, 0x80, 0x80 };
	size_t len = 1;

	/* A beginning is good when a continuation completes it. */
	for (; len < 3 && len < n; len++) {
		trial[len] = p[len];
		if (utf8_len(trial, sizeof(trial)) <= len)
			break;
	}
	return len;
}

void jsonc_repair_utf8(struct strbuf *text)
{
	struct strbuf fixed = STRBUF_INIT;
	size_t done = 0, pos = 0;

	while (pos < text->len) {
		const unsigned char *p = (unsigned char *)text->buf + pos;
		size_t len = utf8_len(p, text->len - pos);

		if (len) {
			pos += len;
			continue;
		}
		strbuf_add(&fixed, text->buf + done, pos - done);
		strbuf_addstr(&fixed, "\xef\xbf\xbd");
		pos += broken_len(p, text->len - pos);
		done = pos;
	}
	if (!done)
		return;
	strbuf_add(&fixed, text->buf + done, pos - done);
	strbuf_release(text);
	*text = fixed;
}
