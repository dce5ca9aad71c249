/* probe_text.c - what cache-probe found, for people */
/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/probe.h"

static void add_step(const struct build_step_report *s, struct strbuf *out)
{
	size_t i;

	strbuf_addf(out, "  %-6s line %-4u ", s->cached ? "hit" : "miss",
		    s->line);
	strbuf_add_safe(out, s->text, strcspn(s->text, "\n"));
	strbuf_addch(out, '\n');
	for (i = 0; i < s->reasons.nr; i++) {
		strbuf_addstr(out, "           because ");
		strbuf_add_safe(out, s->reasons.v[i], strlen(s->reasons.v[i]));
		strbuf_addch(out, '\n');
	}
	if (s->parts.nr)
		strbuf_addf(out, "           key %s\n", s->key);
	for (i = 0; i < s->parts.nr; i++) {
		strbuf_addstr(out, "             ");
		strbuf_add_safe(out, s->parts.v[i], strlen(s->parts.v[i]));
		strbuf_addch(out, '\n');
	}
}

void cli_probe_text(const struct cli_probe *p, struct strbuf *out)
{
	const struct build_probe *f = &p->found;
	const struct build_step_report *miss = cli_probe_miss(p);
	const char *status = cli_probe_status(p);
	size_t i;

	if (f->status != BUILD_PROBE_MISS)
		strbuf_addf(out, "%s: %s\n", status,
			    f->image ? f->image : "an empty image");
	else if (f->reason || !miss)
		strbuf_addf(out, "%s: %s\n", status, f->reason);
	else
		strbuf_addf(out, "%s: from line %u on\n", status, miss->line);
	for (i = 0; i < f->result.n_steps; i++)
		if (*f->result.steps[i].key)
			add_step(&f->result.steps[i], out);
}
