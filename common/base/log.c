/* log.c - messages for people and programs, on standard error */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <unistd.h>

#include "base/live.h"
#include "base/log_internal.h"
#include "base/strvec.h"

#define LINE_MIN 8   /* a shorter line of a file hides nothing */
#define LINES_MAX 64 /* of one secret that are looked for */

/* How this program talks: set once by main, read everywhere. */
static struct {
	enum log_level level;
	enum log_format format;
	enum log_progress progress;
	struct strvec secrets;
	log_sink sink;
	void *sink_arg;
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

void log_add_secret_text(const char *text, size_t n)
{
	const char *p = text, *end = text + n;
	bool single = !memchr(p, '\n', n) || memchr(p, '\n', n) == end - 1;
	size_t lines;

	for (lines = 0; p < end && lines < LINES_MAX; lines++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		size_t size = (size_t)((eol ? eol : end) - p);
		cleanup_free char *line = xstrndup(p, size);
		size_t len = strlen(line); /* a zero byte ends it */

		if (len && line[len - 1] == '\r')
			line[--len] = '\0';
		if (single || len >= LINE_MIN)
			log_add_secret(line);
		explicit_bzero(line, len);
		p += size + 1;
	}
}

void log_mask(struct strbuf *sb)
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

	log_mask(sb);
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

void log_divert(log_sink sink, void *arg)
{
	setup.sink = sink;
	setup.sink_arg = arg;
}

void log_say(const struct log_event *e)
{
	if (setup.sink)
		setup.sink(setup.sink_arg, e);
	else
		log_show(e);
}

static void message_json(const struct log_event *e)
{
	static const char *const names[] = { "error", "warning", "info",
					     "debug" };
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_addch(&sb, '{');
	log_json_str(&sb, "event", "log", 3);
	log_json_str(&sb, "level", names[e->level], strlen(names[e->level]));
	log_json_str(&sb, "message", e->text, e->n);
	if (e->hint)
		log_json_str(&sb, "hint", e->hint, strlen(e->hint));
	strbuf_addstr(&sb, "}\n");
	log_put(&sb);
}

/* A message is one line: a line break in it is a name's that others chose,
 * perhaps to forge a hint. */
static void message_text(const struct log_event *e)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	live_hide();
	strbuf_addstr(&sb, "devenv: ");
	if (e->level == LOG_WARN)
		strbuf_addstr(&sb, "warning: ");
	strbuf_add_safe(&sb, e->text, e->n);
	strbuf_addch(&sb, '\n');
	if (e->hint) {
		strbuf_addstr(&sb, "hint: ");
		strbuf_add_safe(&sb, e->hint, strlen(e->hint));
		strbuf_addch(&sb, '\n');
	}
	log_put(&sb);
}

static void output_json(const struct log_event *e)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_addch(&sb, '{');
	log_json_str(&sb, "event", "output", 6);
	if (e->hint)
		log_json_str(&sb, "step", e->hint, strlen(e->hint));
	log_json_str(&sb, "text", e->text, e->n);
	strbuf_addstr(&sb, "}\n");
	log_put(&sb);
}

static void output_text(const struct log_event *e)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	live_hide();
	if (e->hint)
		strbuf_addf(&sb, "%s ", e->hint);
	strbuf_add_safe(&sb, e->text, e->n);
	strbuf_addch(&sb, '\n');
	log_put(&sb);
}

static void show(const struct log_event *e)
{
	bool json = log_is_json();

	if (e->kind == LOG_EVENT_PROGRESS)
		progress_show(e);
	else if (e->kind == LOG_EVENT_OUTPUT)
		(json ? output_json : output_text)(e);
	else
		(json ? message_json : message_text)(e);
}

/* Secrets are looked for before anything is written in another way. */
void log_show(const struct log_event *e)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT, hint = STRBUF_INIT;
	struct log_event copy = *e;

	if (!setup.secrets.nr || e->kind == LOG_EVENT_PROGRESS) {
		show(e);
		return;
	}
	strbuf_add(&text, e->text, e->n);
	strbuf_addstr(&hint, e->hint ? e->hint : "");
	log_mask(&text);
	log_mask(&hint);
	copy.text = text.buf;
	copy.n = text.len;
	copy.hint = e->hint ? hint.buf : NULL;
	show(&copy);
}

void log_fields(const char *event, const struct log_field *f, size_t n)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	size_t i;

	if (!log_is_json() || setup.progress == PROGRESS_NONE)
		return;
	strbuf_addch(&sb, '{');
	log_json_str(&sb, "event", event, strlen(event));
	for (i = 0; i < n; i++)
		if (f[i].text)
			log_json_str(&sb, f[i].key, f[i].text,
				     strlen(f[i].text));
		else
			strbuf_addf(&sb, ",\"%s\":%lld", f[i].key,
				    (long long)f[i].number);
	strbuf_addstr(&sb, "}\n");
	log_put(&sb);
}

static void add_amount(struct strbuf *sb, const char *unit, uint64_t amount)
{
	if (unit)
		strbuf_addf(sb, "%llu %s", (unsigned long long)amount, unit);
	else
		strbuf_add_size(sb, amount);
}

void log_add_amount(struct strbuf *sb, const struct log_event *e)
{
	add_amount(sb, e->hint, e->done);
	if (e->total) {
		strbuf_addstr(sb, " of ");
		add_amount(sb, e->hint, e->total);
	}
}

static void emit(enum log_level level, const char *text, const char *hint)
{
	struct log_event e = { .kind = LOG_EVENT_MESSAGE,
			       .level = level,
			       .text = text,
			       .n = strlen(text),
			       .hint = hint };

	log_say(&e);
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

static void put_line(struct log_output *o, bool more)
{
	struct log_event e = { .kind = LOG_EVENT_OUTPUT,
			       .text = o->line.buf,
			       .n = o->line.len,
			       .hint = o->prefix,
			       .more = more };

	log_say(&e);
	strbuf_reset(&o->line);
}

#define LINE_MAX_BYTES 65536 /* a longer line is shown in pieces */

void log_output_add(struct log_output *o, const char *data, size_t n)
{
	const char *end = memrchr(data, '\n', n);
	size_t i;

	for (i = 0; i < n; i++) {
		bool last = i + 1 == n;

		if (data[i] == '\n') {
			put_line(o, data + i < end);
		} else if (data[i] == '\r' && !last && data[i + 1] == '\n') {
			continue;
		} else if (data[i] == '\r') {
			/* progress bars redraw: keep the newest form only */
			strbuf_reset(&o->line);
		} else {
			strbuf_addch(&o->line, data[i]);
			if (o->line.len >= LINE_MAX_BYTES)
				put_line(o, data + i < end);
		}
	}
}

void log_output_end(struct log_output *o)
{
	if (!o)
		return;
	if (o->line.len)
		put_line(o, false);
	strbuf_release(&o->line);
	free(o->prefix);
	free(o);
}
