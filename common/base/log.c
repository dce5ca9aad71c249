/* log.c - messages for people and programs, on standard error */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/log_internal.h"
#include "base/strvec.h"

/* How this program talks: set once by main, read everywhere. */
static struct {
	enum log_level level;
	enum log_format format;
	enum log_progress progress;
	struct strvec secrets;
} setup = { .level = LOG_INFO, .progress = PROGRESS_PLAIN };

void log_setup(enum log_level level, enum log_format format,
	       enum log_progress progress)
{
	const char *term = getenv("TERM");
	bool tty = isatty(STDERR_FILENO) && term && !str_eq(term, "dumb");

	setup.level = level;
	setup.format = format;
	if (progress == PROGRESS_AUTO)
		progress = tty ? PROGRESS_TTY : PROGRESS_PLAIN;
	if (format == LOG_JSON && progress != PROGRESS_NONE)
		progress = PROGRESS_JSON;
	setup.progress = progress;
}

enum log_level log_level(void)
{
	return setup.level;
}

enum log_progress log_progress_mode(void)
{
	return setup.progress;
}

bool log_is_json(void)
{
	return setup.format == LOG_JSON || setup.progress == PROGRESS_JSON;
}

void log_add_secret(const char *value)
{
	if (value && strlen(value) >= 4 && !strvec_has(&setup.secrets, value))
		strvec_push(&setup.secrets, value);
}

static void mask(struct strbuf *sb)
{
	size_t i;

	for (i = 0; i < setup.secrets.nr; i++) {
		const char *secret = setup.secrets.v[i];
		size_t n = strlen(secret);
		char *at = sb->buf;

		while ((at = memmem(at, sb->len - (size_t)(at - sb->buf),
				    secret, n))) {
			size_t tail = sb->len - (size_t)(at - sb->buf) - n;
			size_t shown = MIN(n, (size_t)8);

			memset(at, '*', shown);
			memmove(at + shown, at + n, tail);
			strbuf_setlen(sb, sb->len - n + shown);
			at += shown;
		}
	}
}

/* One write a message, so that lines of several processes do not mix. */
void log_put(struct strbuf *sb)
{
	const char *p = sb->buf;
	size_t n;

	mask(sb);
	n = sb->len;
	while (n) {
		ssize_t w = write(STDERR_FILENO, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return;
		p += w;
		n -= (size_t)w;
	}
}

void log_json_str(struct strbuf *sb, const char *key, const char *value,
		  size_t n)
{
	size_t i;

	strbuf_addf(sb, "%s\"%s\":\"", sb->len > 1 ? "," : "", key);
	for (i = 0; i < n; i++) {
		unsigned char c = (unsigned char)value[i];

		if (c == '"' || c == '\\')
			strbuf_addf(sb, "\\%c", c);
		else if (c < 0x20)
			strbuf_addf(sb, "\\u%04x", c);
		else
			strbuf_addch(sb, c);
	}
	strbuf_addch(sb, '"');
}

/* A message is one line: a line break in it is a name's that others chose,
 * perhaps to forge a hint. */
static void emit(enum log_level level, const char *text, const char *hint)
{
	static const char *const names[] = { "error", "warning", "info",
					     "debug" };
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	if (log_is_json()) {
		strbuf_addch(&sb, '{');
		log_json_str(&sb, "event", "log", 3);
		log_json_str(&sb, "level", names[level],
			     strlen(names[level]));
		log_json_str(&sb, "message", text, strlen(text));
		if (hint)
			log_json_str(&sb, "hint", hint, strlen(hint));
		strbuf_addstr(&sb, "}\n");
	} else {
		progress_hide();
		strbuf_addstr(&sb, "devenv: ");
		if (level == LOG_WARN)
			strbuf_addstr(&sb, "warning: ");
		strbuf_add_safe(&sb, text, strlen(text));
		strbuf_addch(&sb, '\n');
		if (hint) {
			strbuf_addstr(&sb, "hint: ");
			strbuf_add_safe(&sb, hint, strlen(hint));
			strbuf_addch(&sb, '\n');
		}
	}
	log_put(&sb);
}

static PRINTF(2, 0) void say(enum log_level level, const char *fmt,
			     va_list ap)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	if (level > setup.level)
		return;
	strbuf_vaddf(&sb, fmt, ap);
	emit(level, sb.buf, NULL);
}

#define LOG_FUNCTION(name, level) \
	void name(const char *fmt, ...) \
	{ \
		va_list ap; \
\
		va_start(ap, fmt); \
		say(level, fmt, ap); \
		va_end(ap); \
	}

LOG_FUNCTION(log_error, LOG_ERROR)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_debug, LOG_DEBUG)

void log_report(const struct error *err)
{
	if (err->msg)
		emit(LOG_ERROR, err->msg, err->hint);
}

struct log_output {
	char *prefix;
	struct strbuf line;
};

struct log_output *log_output_new(const char *prefix)
{
	struct log_output *o = xcalloc(1, sizeof(*o));

	o->prefix = xstrdup_null(prefix);
	o->line = (struct strbuf)STRBUF_INIT;
	return o;
}

static void put_line(struct log_output *o)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	if (log_is_json()) {
		strbuf_addch(&sb, '{');
		log_json_str(&sb, "event", "output", 6);
		if (o->prefix)
			log_json_str(&sb, "step", o->prefix,
				     strlen(o->prefix));
		log_json_str(&sb, "text", o->line.buf, o->line.len);
		strbuf_addstr(&sb, "}\n");
	} else {
		progress_hide();
		if (o->prefix)
			strbuf_addf(&sb, "%s ", o->prefix);
		strbuf_add_safe(&sb, o->line.buf, o->line.len);
		strbuf_addch(&sb, '\n');
	}
	log_put(&sb);
	strbuf_reset(&o->line);
}

#define LINE_MAX_BYTES 65536 /* a longer line is shown in pieces */

void log_output_add(struct log_output *o, const char *data, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		bool last = i + 1 == n;

		if (data[i] == '\n') {
			put_line(o);
		} else if (data[i] == '\r' && !last && data[i + 1] == '\n') {
			continue;
		} else if (data[i] == '\r') {
			/* progress bars redraw: keep the newest form only */
			strbuf_reset(&o->line);
		} else {
			strbuf_addch(&o->line, data[i]);
			if (o->line.len >= LINE_MAX_BYTES)
				put_line(o);
		}
	}
}

void log_output_end(struct log_output *o)
{
	if (!o)
		return;
	if (o->line.len)
		put_line(o);
	strbuf_release(&o->line);
	free(o->prefix);
	free(o);
}
