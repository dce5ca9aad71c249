/* progress.c - long work on a terminal, in a log, for a program */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/live.h"
#include "base/log_internal.h"

#define REDRAW_MS 100
#define PLAIN_MS 5000 /* a line that often says the work goes on */

struct progress {
	char *title, *unit;
	uint64_t done, total;
	int64_t started, shown;
};

static void describe(struct strbuf *sb, const struct log_event *e)
{
	strbuf_add_safe(sb, e->text, e->n);
	if (!e->done && !e->total)
		return;
	strbuf_addstr(sb, ": ");
	log_add_amount(sb, e);
}

static void show_json(const struct log_event *e)
{
	static const char *const states[] = { "start", "update", "done",
					      "failed" };
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_addch(&sb, '{');
	log_json_str(&sb, "event", "progress", 8);
	log_json_str(&sb, "title", e->text, e->n);
	log_json_str(&sb, "state", states[e->state],
		     strlen(states[e->state]));
	strbuf_addf(&sb, ",\"done\":%llu,\"total\":%llu,\"ms\":%lld}\n",
		    (unsigned long long)e->done,
		    (unsigned long long)e->total, (long long)e->ms);
	log_put(&sb);
}

void progress_show(const struct log_event *e)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	if (log_is_json()) {
		show_json(e);
		return;
	}
	if (e->state == LOG_DONE || e->state == LOG_FAILED) {
		live_hide();
		return;
	}
	if (log_progress_mode() == PROGRESS_TTY) {
		struct live_line line = { NULL, NULL };

		describe(&sb, e);
		line.text = sb.buf;
		live_draw(&line, 1);
		return;
	}
	strbuf_addstr(&sb, "devenv: ");
	describe(&sb, e);
	strbuf_addch(&sb, '\n');
	log_put(&sb);
}

static void say(struct progress *p, int state)
{
	int64_t now = clock_ms();
	struct log_event e = { .kind = LOG_EVENT_PROGRESS,
			       .state = state,
			       .text = p->title,
			       .n = strlen(p->title),
			       .hint = p->unit,
			       .done = p->done,
			       .total = p->total,
			       .ms = now - p->started };

	p->shown = now;
	if (log_level() >= LOG_INFO && log_progress_mode() != PROGRESS_NONE)
		log_say(&e);
}

struct progress *progress_start(const char *title, const char *unit,
				uint64_t total)
{
	struct progress *p = xcalloc(1, sizeof(*p));

	p->title = xstrdup(title);
	p->unit = xstrdup_null(unit);
	p->total = total;
	p->started = clock_ms();
	say(p, LOG_START);
	return p;
}

void progress_update(struct progress *p, uint64_t done, uint64_t total)
{
	int64_t every = log_progress_mode() == PROGRESS_PLAIN ? PLAIN_MS
							      : REDRAW_MS;

	if (!p)
		return;
	p->done = done;
	p->total = total;
	if (clock_ms() - p->shown >= every)
		say(p, LOG_UPDATE);
}

void progress_end(struct progress *p, bool ok)
{
	if (!p)
		return;
	say(p, ok ? LOG_DONE : LOG_FAILED);
	free(p->title);
	free(p->unit);
	free(p);
}
