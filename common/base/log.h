/* log.h - all that a person is told: levels, JSON events, progress */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"
#include "base/error.h"
#include "base/strbuf.h"

/*
 * Everything goes to standard error. Standard output is for results and is
 * written by commands only.
 */
enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };
enum log_progress {
	PROGRESS_AUTO,
	PROGRESS_TTY,
	PROGRESS_PLAIN,
	PROGRESS_JSON,
	PROGRESS_NONE
};

void log_setup(enum log_level level, enum log_format format,
	       enum log_progress progress);
enum log_level log_level(void);
enum log_progress log_progress_mode(void); /* never PROGRESS_AUTO */
/* From now on every occurrence of `value` (4 bytes or longer) in anything
 * logged is shown as ********. */
void log_add_secret(const char *value);
/* The same for one of several lines: each that is long enough to be told from
 * what anybody writes. */
void log_add_secret_text(const char *text, size_t n);

/* The same, in anything that is written elsewhere. */
void log_mask(struct strbuf *sb);

/* One line each: control characters, line breaks too, are shown as \x0a. */
void log_error(const char *fmt, ...) PRINTF(1, 2);
void log_warn(const char *fmt, ...) PRINTF(1, 2);
void log_info(const char *fmt, ...) PRINTF(1, 2);
void log_debug(const char *fmt, ...) PRINTF(1, 2);
/* "devenv: message" and the hint, or a JSON event. */
void log_report(const struct error *err);
/* Bytes of a running command's output, shown as they are in text form
 * (control sequences removed on a terminal), one event a line in JSON. The
 * prefix may be NULL. Incomplete last lines are kept until log_output_end. */
struct log_output;
struct log_output *log_output_new(const char *prefix);
void log_output_add(struct log_output *o, const char *data, size_t n);
void log_output_end(struct log_output *o); /* flushes and frees; NULL is fine */

/* Something said, before it is written. */
struct log_event {
	enum {
		LOG_EVENT_MESSAGE,
		LOG_EVENT_OUTPUT,   /* a line of a command's output */
		LOG_EVENT_PROGRESS, /* of a piece of long work */
	} kind;
	enum log_level level;
	enum { LOG_START, LOG_UPDATE, LOG_DONE, LOG_FAILED } state;
	const char *text; /* `n` bytes: the message, line or title */
	size_t n;
	const char *hint; /* hint, prefix of the line, or unit; or NULL */
	uint64_t done, total;
	int64_t ms;
	bool more; /* another event follows without a pause */
};
typedef void (*log_sink)(void *arg, const struct log_event *e);
/* From now on what is said goes to `sink`; NULL: it is written again. */
void log_divert(log_sink sink, void *arg);
/* Write it, as it would be without a sink. */
void log_show(const struct log_event *e);

/* "12 MB of 30 MB" of progress. */
void log_add_amount(struct strbuf *sb, const struct log_event *e);

/* An event for a program, where JSON is wanted; else nothing. */
struct log_field {
	const char *key;
	const char *text; /* NULL: the number */
	int64_t number;
};
void log_fields(const char *event, const struct log_field *f, size_t n);

/*
 * A piece of long work. On a terminal one line is redrawn; in plain form a
 * line is printed at the start and the end and every few seconds between.
 * `total` 0 means unknown. Units are bytes unless `unit` says otherwise.
 */
struct progress;
struct progress *progress_start(const char *title, const char *unit,
				uint64_t total);
void progress_update(struct progress *p, uint64_t done, uint64_t total);
/* Ends and frees; `ok` says how. NULL is fine. */
void progress_end(struct progress *p, bool ok);

#endif
