/* display.c - how a build shows: on a terminal, in a log, to a program */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/display.h"

#include "base/clock.h"
#include "base/live.h"

#define TICK_MS 100
#define UNDER 3 /* lines of output below a step at work */
#define LINE_MAX_BYTES 1000 /* of a line that is kept */

static bool is_live(void)
{
	return log_progress_mode() == PROGRESS_TTY && log_level() >= LOG_INFO;
}

void display_init(struct display *d, size_t rows)
{
	*d = (struct display){ .rows = xcalloc(rows, sizeof(*d->rows)),
			       .n_rows = rows,
			       .started = clock_seconds() };
}

static void row_release(struct display_row *r)
{
	size_t i;

	free(r->label);
	free(r->text);
	free(r->amount);
	for (i = 0; i < DISPLAY_TAIL; i++)
		free(r->lines[i]);
	*r = (struct display_row){ 0 };
}

void display_release(struct display *d)
{
	size_t i;

	if (is_live())
		live_hide();
	for (i = 0; i < d->n_rows; i++)
		row_release(&d->rows[i]);
	free(d->rows);
}

static void step_event(const char *state, const char *label, const char *text,
		       double started)
{
	const struct log_field f[] = {
		{ "state", state, 0 },
		{ "step", label, 0 },
		{ "instruction", text, 0 },
		{ "ms", NULL,
		  started > 0 ? (int64_t)((clock_seconds() - started) * 1e3)
			      : 0 },
	};

	if (log_level() >= LOG_INFO)
		log_fields("step", f, ARRAY_SIZE(f));
}

static bool is_json(void)
{
	return log_progress_mode() == PROGRESS_JSON;
}

static char *first_line(const char *text)
{
	size_t n = strcspn(text, "\n");

	return xstrfmt("%.*s%s", (int)n, text, text[n] ? " ..." : "");
}

void display_cached(const char *label, const char *text)
{
	cleanup_free char *line = first_line(text);

	if (is_json())
		step_event("cached", label, line, 0);
	else
		log_info("[%s] CACHED %s", label, line);
}

void display_begin(struct display *d, size_t row, const char *label,
		   const char *text)
{
	struct display_row *r = &d->rows[row];

	row_release(r);
	r->label = xstrdup(label);
	r->text = first_line(text);
	r->started = clock_seconds();
	if (is_json())
		step_event("start", label, r->text, 0);
	else if (!is_live())
		log_info("[%s] %s", label, r->text);
}

static void keep_line(struct display_row *r, const struct log_event *e)
{
	char **at = &r->lines[r->n_lines++ % DISPLAY_TAIL];

	free(*at);
	*at = xstrndup(e->text, MIN(e->n, (size_t)LINE_MAX_BYTES));
}

static void note_amount(struct display_row *r, const struct log_event *e)
{
	struct strbuf text = STRBUF_INIT;

	if (e->done || e->total)
		log_add_amount(&text, e);
	free(r->amount);
	r->amount = strbuf_detach(&text);
}

void display_hear(struct display *d, size_t row, const struct log_event *e)
{
	struct display_row *r = &d->rows[row];
	cleanup_free char *label = NULL;
	struct log_event copy = *e;

	if (e->kind == LOG_EVENT_PROGRESS && is_live()) {
		note_amount(r, e);
		return;
	}
	if (e->kind == LOG_EVENT_OUTPUT) {
		keep_line(r, e);
		if (is_live() || log_level() < LOG_INFO)
			return;
		label = is_json() ? xstrdup(r->label)
				  : xstrfmt("[%s]", r->label);
		copy.hint = label;
	}
	log_show(&copy);
}

void display_end(struct display *d, size_t row, bool ok)
{
	struct display_row *r = &d->rows[row];
	double seconds = clock_seconds() - r->started;

	if (is_json())
		step_event(ok ? "done" : "failed", r->label, r->text,
			   r->started);
	else if (is_live())
		log_info("[%s] %s %s%.1fs", r->label, r->text,
			 ok ? "" : "FAILED ", seconds);
	else
		log_info("[%s] %s %.1fs", r->label, ok ? "DONE" : "FAILED",
			 seconds);
	if (ok)
		row_release(r);
}

/* Lines are given as (text, right) in two lists. */
static void draw_row(const struct display_row *r, struct strvec *texts,
		     struct strvec *rights)
{
	size_t n = MIN(r->n_lines, (size_t)UNDER), i;

	strvec_push_own(texts, xstrfmt(" => [%s] %s", r->label, r->text));
	strvec_push_own(rights, xstrfmt("%s%s%.1fs",
					r->amount ? r->amount : "",
					r->amount && *r->amount ? "  " : "",
					clock_seconds() - r->started));
	for (i = r->n_lines - n; i < r->n_lines; i++) {
		strvec_push_own(texts, xstrfmt("    %s",
					       r->lines[i % DISPLAY_TAIL]));
		strvec_push(rights, "");
	}
}

static void draw(struct display *d)
{
	cleanup_strvec struct strvec texts = STRVEC_INIT;
	cleanup_strvec struct strvec rights = STRVEC_INIT;
	cleanup_free struct live_line *lines = NULL;
	size_t i;

	strvec_push_own(&texts, xstrfmt("building: %zu of %zu steps", d->done,
					d->steps));
	strvec_push_own(&rights,
			xstrfmt("%.1fs", clock_seconds() - d->started));
	for (i = 0; i < d->n_rows; i++)
		if (d->rows[i].label)
			draw_row(&d->rows[i], &texts, &rights);
	lines = xcalloc(texts.nr, sizeof(*lines));
	for (i = 0; i < texts.nr; i++)
		lines[i] = (struct live_line){ texts.v[i], rights.v[i] };
	live_draw(lines, texts.nr);
}

int display_tick(struct display *d)
{
	double now = clock_seconds();

	if (!is_live())
		return -1;
	if (now - d->drawn >= TICK_MS / 1e3) {
		draw(d);
		d->drawn = now;
	}
	return TICK_MS;
}

void display_tail(const struct display *d, size_t row, struct strvec *out)
{
	const struct display_row *r = &d->rows[row];
	size_t n = MIN(r->n_lines, (size_t)DISPLAY_TAIL), i;

	for (i = r->n_lines - n; i < r->n_lines; i++)
		strvec_push(out, r->lines[i % DISPLAY_TAIL]);
}

void display_line(const char *text)
{
	const struct log_event e = { .kind = LOG_EVENT_OUTPUT,
				     .text = text,
				     .n = strlen(text) };

	if (!is_json() && log_progress_mode() != PROGRESS_NONE)
		log_show(&e);
}
