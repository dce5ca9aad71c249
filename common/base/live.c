/* live.c - lines at the bottom of a terminal that are drawn again and again */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/live.h"

#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/log_internal.h"

/* How many lines stand there, the cursor in the last one. */
static size_t shown;

struct window {
	size_t rows, columns;
	bool utf8;
};

static bool is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);
		const char *dot = value ? strrchr(value, '.') : NULL;

		if (value && *value)
			return dot && (!strncasecmp(dot, ".utf-8", 6) ||
				       !strncasecmp(dot, ".utf8", 5));
	}
	return false;
}

static struct window window(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || !size.ws_col ||
	    !size.ws_row)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	return (struct window){ size.ws_row, size.ws_col, is_utf8() };
}

/* Bytes of the character at `s`, 0 when it is none that a terminal shows. */
static size_t sequence(const char *s, size_t n)
{
	unsigned char c = (unsigned char)*s;
	size_t len = c >= 0xf0 && c < 0xf5 ? 4 : c >= 0xe0 ? 3 : 2, i;

	if (c < 0xc2 || c >= 0xf5 || len > n)
		return 0;
	for (i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* U+0080 to U+009F are controls, as some of ASCII's are. */
	return c == 0xc2 && (unsigned char)s[1] < 0xa0 ? 0 : len;
}

/*
 * As much of a text as fits; returns the columns that it takes at most. How
 * wide a character is depends on the terminal, but none is wider than two.
 */
static size_t add_cut(struct strbuf *out, const char *s, size_t n,
		      size_t columns, bool utf8)
{
	size_t used = 0, i = 0;

	while (i < n) {
		unsigned char c = (unsigned char)s[i];
		size_t len = c < 0x80 ? 1 : utf8 ? sequence(s + i, n - i) : 0;
		size_t width = len > 1 ? 2 : 1;

		if (used + width > columns)
			break;
		if (!len || c < 0x20 || c == 0x7f)
			strbuf_addch(out, c == '\t' ? ' ' : '?');
		else
			strbuf_add(out, s + i, len);
		used += width;
		i += len ? len : 1;
	}
	return used;
}

/* The last column stays empty: a full line would break on some terminals. */
static void add_line(struct strbuf *out, const struct live_line *line,
		     const struct window *w)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	size_t room = w->columns - 1;
	size_t right = line->right ? strlen(line->right) : 0, used;

	strbuf_addstr(&text, line->text);
	log_mask(&text);
	if (right + 10 > room)
		right = 0;
	used = add_cut(out, text.buf, text.len,
		       right ? room - right - 1 : room, w->utf8);
	for (; right && used < room - right; used++)
		strbuf_addch(out, ' ');
	if (right)
		strbuf_addstr(out, line->right);
	strbuf_addstr(out, "\033[K");
}

static void go_up(struct strbuf *out)
{
	strbuf_addch(out, '\r');
	if (shown > 1)
		strbuf_addf(out, "\033[%zuA", shown - 1);
	shown = 0;
}

void live_draw(const struct live_line *lines, size_t n)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct window w = window();
	size_t i;

	n = MIN(n, w.rows > 1 ? w.rows - 1 : 1);
	go_up(&out);
	for (i = 0; i < n; i++) {
		if (i)
			strbuf_addstr(&out, "\r\n");
		add_line(&out, &lines[i], &w);
	}
	strbuf_addstr(&out, "\033[J");
	shown = n;
	log_put(&out);
}

void live_hide(void)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (!shown)
		return;
	go_up(&out);
	strbuf_addstr(&out, "\033[J");
	log_put(&out);
}
