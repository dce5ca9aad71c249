/* report.c - a build as a page for people: time, misses, room */
/* SPDX-License-Identifier: Apache-2.0 */
#include "build/report.h"

#include "base/units.h"

static void cell_seconds(struct strbuf *out, double seconds)
{
	strbuf_addf(out, "<td class=\"n\">%.2f s</td>", seconds);
}

static const char *state_of(const struct build_step_report *s)
{
	return s->failed ? "failed" : s->cached ? "cached" :
	       s->ran		 ? "ran" : "skipped";
}

static double end_of(const struct build_result *r)
{
	double end = 0.001;
	size_t i;

	for (i = 0; i < r->n_steps; i++)
		end = MAX(end, r->steps[i].start + r->steps[i].seconds);
	return end;
}

static void add_bar(struct strbuf *out, const struct build_step_report *s,
		    double end)
{
	strbuf_addstr(out, "<td class=\"t\">");
	if (s->ran)
		strbuf_addf(out, "<div class=\"bar\"><i style=\"left:%.2f%%;"
				 "width:%.2f%%\"></i></div>",
			    100 * s->start / end, 100 * s->seconds / end);
	strbuf_addstr(out, "</td>");
}

/* Those that only change the configuration take no time. */
static void add_timeline(struct strbuf *out, const struct build_result *r)
{
	double end = end_of(r);
	size_t i;

	strbuf_addstr(out, "<h2>Steps</h2>\n<table>\n<tr><th>step<th>line"
			   "<th>instruction<th>state<th>time<th>from the "
			   "start to the end</tr>\n");
	for (i = 0; i < r->n_steps; i++) {
		const struct build_step_report *s = &r->steps[i];

		if (!s->key[0])
			continue;
		strbuf_addf(out, "<tr class=\"%s\"><td class=\"l\">",
			    state_of(s));
		report_add_str(out, s->label ? s->label : "");
		strbuf_addf(out, "</td><td class=\"n\">%u</td><td><code>",
			    s->line);
		report_add_str(out, s->text);
		strbuf_addf(out, "</code></td><td>%s</td>", state_of(s));
		cell_seconds(out, s->seconds);
		add_bar(out, s, end);
		strbuf_addstr(out, "</tr>\n");
	}
	strbuf_addstr(out, "</table>\n");
}

static bool missed(const struct build_result *r)
{
	size_t i;

	for (i = 0; i < r->n_steps; i++)
		if (r->steps[i].reasons.nr)
			return true;
	return false;
}

static void add_misses(struct strbuf *out, const struct build_result *r)
{
	size_t i, k;

	if (!missed(r))
		return;
	strbuf_addstr(out, "<h2>Why steps were not in the cache</h2>\n"
			   "<table>\n<tr><th>step<th>line<th>reason</tr>\n");
	for (i = 0; i < r->n_steps; i++) {
		const struct build_step_report *s = &r->steps[i];

		if (!s->reasons.nr)
			continue;
		strbuf_addstr(out, "<tr><td class=\"l\">");
		report_add_str(out, s->label ? s->label : "");
		strbuf_addf(out, "</td><td class=\"n\">%u</td><td><ul>",
			    s->line);
		for (k = 0; k < s->reasons.nr; k++) {
			strbuf_addstr(out, "<li>");
			report_add_str(out, s->reasons.v[k]);
			strbuf_addstr(out, "</li>");
		}
		strbuf_addstr(out, "</ul></td></tr>\n");
	}
	strbuf_addstr(out, "</table>\n");
}

/* Which step made it; NULL: it came with the base. */
static const struct build_step_report *maker(const struct build_result *r,
					     const char *layer)
{
	size_t i;

	for (i = 0; i < r->n_steps; i++)
		if (str_eq(r->steps[i].layer, layer))
			return &r->steps[i];
	return NULL;
}

static void add_layer(struct strbuf *out, const struct store *s,
		      const struct build_result *r, const char *id)
{
	CLEANUP(report_layer_release) struct report_layer l = { 0 };
	const struct build_step_report *by = maker(r, id);
	cleanup_free char *dir = store_layer_fs(s, id);
	size_t i;

	strbuf_addstr(out, "<tr><td><code>");
	report_add_str(out, by ? by->text : "of the base image");
	strbuf_addstr(out, "</code></td>");
	if (!store_has_layer(s, id)) {
		strbuf_addstr(out, "<td class=\"n\"></td><td class=\"n\"></td>"
				   "<td>not fetched: nothing needed it</td>"
				   "</tr>\n");
		return;
	}
	report_walk(dir, &l);
	strbuf_addstr(out, "<td class=\"n\">");
	strbuf_add_size(out, l.bytes);
	strbuf_addf(out, "</td><td class=\"n\">%llu</td><td>",
		    (unsigned long long)l.files);
	for (i = 0; i < l.n_largest; i++) {
		strbuf_addstr(out, i ? "<br><code>" : "<code>");
		report_add_str(out, l.largest[i].path);
		strbuf_addstr(out, "</code> ");
		strbuf_add_size(out, l.largest[i].size);
	}
	strbuf_addstr(out, "</td></tr>\n");
}

static void add_layers(struct strbuf *out, const struct store *s,
		       const struct build_result *r)
{
	size_t i;

	strbuf_addstr(out, "<h2>Layers of the image</h2>\n<table>\n<tr>"
			   "<th>made by<th>size<th>files<th>the largest"
			   "</tr>\n");
	for (i = 0; i < r->image.n_layers; i++)
		add_layer(out, s, r, r->image.layers[i].id);
	strbuf_addstr(out, "</table>\n");
}

static void add_summary(struct strbuf *out, const struct build_result *r,
			const struct build_report_options *o)
{
	strbuf_addstr(out, "<h1>Build of <code>");
	report_add_str(out, o->name);
	strbuf_addf(out, "</code></h1>\n<p>%zu step%s run, %zu cached, "
			 "%.2f seconds.</p>\n", r->executed,
		    units_s(r->executed), r->cached, r->seconds);
	if (!o->failure)
		return;
	strbuf_addstr(out, "<p class=\"error\"><code>");
	report_add_str(out, o->failure);
	strbuf_addstr(out, "</code></p>\n");
}

void build_report(const struct build_result *r,
		  const struct build_report_options *o, struct strbuf *out)
{
	cleanup_free char *title = xstrfmt("Build of %s", o->name);

	report_begin(out, title);
	add_summary(out, r, o);
	add_timeline(out, r);
	add_misses(out, r);
	if (r->image.n_layers)
		add_layers(out, o->store, r);
	report_end(out);
}
