/* display.h - how a build shows: on a terminal, in a log, to a program */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BUILD_DISPLAY_H
#define BUILD_DISPLAY_H

#include "base/log.h"
#include "base/strvec.h"

#define DISPLAY_TAIL 20 /* lines of output that are kept of a step */

/*
 * A step at work. On a terminal it has a line at the bottom, with its newest
 * output below; in a log each line of output stands behind the label; as JSON
 * each is an event.
 */
struct display_row {
	char *label; /* "builder 2/5"; NULL: nothing is at work here */
	char *text;  /* the instruction, its first line */
	double started;
	char *lines[DISPLAY_TAIL]; /* a ring */
	size_t n_lines;		   /* that came, ever */
	char *amount;		   /* of what it transfers */
};

struct display {
	struct display_row *rows;
	size_t n_rows;
	double started, drawn;
	size_t steps, done; /* that have to run, that did */
};

void display_init(struct display *d, size_t rows);
void display_release(struct display *d);
/* What was found in the cache; `text` may have more lines than one. */
void display_cached(const char *label, const char *text);
void display_begin(struct display *d, size_t row, const char *label,
		   const char *text);
/* Something that the step's process said. */
void display_hear(struct display *d, size_t row, const struct log_event *e);
/* Without `ok` its output is kept. */
void display_end(struct display *d, size_t row, bool ok);
/* Draw again, when it is time; returns how long (ms) to wait at most until the
 * next call, -1 without a terminal. */
int display_tick(struct display *d);
/* The newest lines of output of a row. */
void display_tail(const struct display *d, size_t row, struct strvec *out);
/* A line for people, as it is; not in JSON. */
void display_line(const char *text);

#endif
