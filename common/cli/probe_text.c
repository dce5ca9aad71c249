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

static void add_summary(const struct build_probe *f, struct strbuf *out)
{
	const struct build_step_report *miss = cli_probe_miss(f);
	const char *status = cli_probe_status(f);

	if (f->status != BUILD_PROBE_MISS)
		strbuf_addf(out, "%s: %s\n", status,
			    f->image ? f->image : "an empty image");
	else if (f->reason || !miss)
		strbuf_addf(out, "%s: %s\n", status, f->reason);
	else
		strbuf_addf(out, "%s: from line %u on\n", status, miss->line);
}

void cli_probe_text(const struct cli_probe *p, struct strbuf *out)
{
	size_t i, k;

	for (i = 0; i < p->nr; i++) {
		const struct build_probe *f = &p->v[i].found;

		if (p->v[i].platform)
			strbuf_addf(out, "%s: ", p->v[i].platform);
		add_summary(f, out);
		for (k = 0; k < f->result.n_steps; k++)
			if (*f->result.steps[k].key)
				add_step(&f->result.steps[k], out);
	}
}
