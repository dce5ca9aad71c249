/* progress.c - long work on a terminal, in a log, for a program */
/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/log_internal.h"

#define REDRAW_MS 100
#define PLAIN_MS 5000 /* a line that often says the work goes on */

struct progress {
	char *title, *unit;
	uint64_t done, total;
	int64_t started, shown;
};

/* Whether the last line on the terminal is ours to overwrite. */
static bool live;

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void progress_hide(void)
{
	static const char clear[] = "\r\033[K";

	if (!live)
		return;
	live = false;
	(void)!write(STDERR_FILENO, clear, sizeof(clear) - 1);
}

static void add_amount(struct strbuf *sb, const struct progress *p,
		       uint64_t amount)
{
	if (p->unit)
		strbuf_addf(sb, "%llu %s", (unsigned long long)amount,
			    p->unit);
	else
		strbuf_add_size(sb, amount);
}

static void describe(struct strbuf *sb, const struct progress *p)
{
	strbuf_add_safe(sb, p->title, strlen(p->title));
	if (!p->done && !p->total)
		return;
	strbuf_addstr(sb, ": ");
	add_amount(sb, p, p->done);
	if (p->total) {
		strbuf_addstr(sb, " of ");
		add_amount(sb, p, p->total);
	}
}

static void show_json(const struct progress *p, const char *state)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_addch(&sb, '{');
	log_json_str(&sb, "event", "progress", 8);
	log_json_str(&sb, "title", p->title, strlen(p->title));
	log_json_str(&sb, "state", state, strlen(state));
	strbuf_addf(&sb, ",\"done\":%llu,\"total\":%llu,\"ms\":%lld}\n",
		    (unsigned long long)p->done,
		    (unsigned long long)p->total,
		    (long long)(now_ms() - p->started));
	log_put(&sb);
}

static void show(struct progress *p, const char *state)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	enum log_progress mode = log_progress_mode();

	p->shown = now_ms();
	if (log_level() < LOG_INFO || mode == PROGRESS_NONE)
		return;
	if (log_is_json()) {
		show_json(p, state);
		return;
	}
	if (mode == PROGRESS_TTY)
		strbuf_addstr(&sb, "\r\033[K");
	else
		strbuf_addstr(&sb, "devenv: ");
	describe(&sb, p);
	if (mode == PROGRESS_PLAIN)
		strbuf_addch(&sb, '\n');
	live = mode == PROGRESS_TTY;
	log_put(&sb);
}

struct progress *progress_start(const char *title, const char *unit,
				uint64_t total)
{
	struct progress *p = xcalloc(1, sizeof(*p));

	p->title = xstrdup(title);
	p->unit = xstrdup_null(unit);
	p->total = total;
	p->started = now_ms();
	show(p, "start");
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
	if (now_ms() - p->shown >= every)
		show(p, "update");
}

void progress_end(struct progress *p, bool ok)
{
	if (!p)
		return;
	progress_hide();
	if (log_is_json() && log_level() >= LOG_INFO &&
	    log_progress_mode() != PROGRESS_NONE)
		show_json(p, ok ? "done" : "failed");
	free(p->title);
	free(p->unit);
	free(p);
}
