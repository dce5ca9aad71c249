/* failure.c - what a person sees of a step that failed */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/failure.h"
#include "build/display.h"
#include "build/internal.h"

#define AROUND 2  /* lines before and after the instruction */
#define MARKED 12 /* lines of the instruction; the rest is left out */

/* The lines of the file that a step stands on. */
struct excerpt {
	unsigned first, last; /* of the instruction */
};

static struct excerpt excerpt_of(const struct build_step *step)
{
	struct excerpt e = { step->line, step->line };

	/* A trigger has no lines here; it stands where its FROM does. */
	if (!step->onbuild && step->node->end > e.last)
		e.last = step->node->end;
	return e;
}

static void add_line(struct strvec *out, const struct excerpt *e,
		     unsigned number, const char *text, size_t n)
{
	bool marked = number >= e->first && number <= e->last;

	if (number < e->first && e->first - number > AROUND)
		return;
	if (number > e->last && number - e->last > AROUND)
		return;
	if (marked && number - e->first >= MARKED) {
		if (number - e->first == MARKED)
			strvec_push(out, "     | >>> ...");
		return;
	}
	strvec_push_own(out, xstrfmt("%4u | %s %.*s", number,
				     marked ? ">>>" : "   ", (int)n, text));
}

void failure_excerpt(const struct build *b, const struct build_step *step,
		     struct strvec *out)
{
	const struct excerpt e = excerpt_of(step);
	const char *at = b->o->text, *end = at + b->o->text_len;
	unsigned number;

	for (number = 1; at < end && number <= e.last + AROUND; number++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((stop ? stop : end) - at);

		add_line(out, &e, number, at,
			 n && at[n - 1] == '\r' ? n - 1 : n);
		at = stop ? stop + 1 : end;
	}
}

static char *joined(const struct strvec *lines)
{
	struct strbuf text = STRBUF_INIT;
	size_t i;

	for (i = 0; i < lines->nr; i++)
		strbuf_addf(&text, "%s%s", i ? "\n" : "", lines->v[i]);
	return strbuf_detach(&text);
}

static void show_json(const struct build *b, const char *label,
		      const struct build_planned *p,
		      const struct strvec *tail, const struct strvec *lines)
{
	cleanup_free char *output = joined(tail);
	cleanup_free char *excerpt = joined(lines);
	const struct log_field f[] = {
		{ "step", label, 0 },
		{ "file", b->o->name, 0 },
		{ "line", NULL, p->step.line },
		{ "instruction", p->step.text, 0 },
		{ "key", p->key, 0 },
		{ "output", output, 0 },
		{ "excerpt", excerpt, 0 },
	};

	log_fields("failure", f, ARRAY_SIZE(f));
}

void failure_show(const struct build *b, const char *label,
		  const struct build_planned *p, const struct strvec *tail,
		  bool kept)
{
	cleanup_free char *enter = xstrfmt("a shell where it failed: devenv "
					   "run --from-step %.12s", p->key);
	cleanup_strvec struct strvec lines = STRVEC_INIT;
	cleanup_free char *where = xstrfmt("%s:%u", b->o->name, p->step.line);
	cleanup_free char *head = xstrfmt("the last output of [%s]:", label);
	size_t i;

	failure_excerpt(b, &p->step, &lines);
	show_json(b, label, p, tail, &lines);
	if (tail->nr)
		display_line(head);
	for (i = 0; i < tail->nr; i++) {
		cleanup_free char *line = xstrfmt("  %s", tail->v[i]);

		display_line(line);
	}
	display_line(where);
	for (i = 0; i < lines.nr; i++)
		display_line(lines.v[i]);
	if (kept)
		display_line(enter);
}
