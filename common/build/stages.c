/* stages.c - the `stages` view: what the text determines, without network */
/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "build/eval.h"

static struct json *step_to_json(const struct build_step *step)
{
	struct json *j = json_new_object();
	struct json *sources;
	size_t i;

	json_set_int(j, "line", step->line);
	json_set_str(j, "operation", step->node->keyword);
	json_set_str(j, "text", step->text);
	json_set_strvec(j, "sources", &step->sources);
	sources = json_get(j, "sources");
	for (i = 0; i < step->n_files; i++) {
		cleanup_free char *name = xstrfmt("<<%s",
						  step->files[i].name);

		json_push(sources, json_new_str(name));
	}
	json_set_str(j, "destination",
		     step->op == BUILD_WORKDIR ? step->cwd : step->dest);
	return j;
}

static int add_steps(struct build_eval *ev, size_t stage, struct json *list,
		     struct error *err)
{
	for (;;) {
		cleanup_build_step struct build_step step = { 0 };
		int r = build_eval_next(ev, stage, &step, err);

		if (r <= 0)
			return r;
		json_push(list, step_to_json(&step));
	}
}

/* The comment right above FROM, where it begins with the name. */
static const char *description(const struct dockerfile_node *node,
			       const char *name)
{
	const char *line = node->comment ? strrchr(node->comment, '\n') : NULL;
	size_t n = name ? strlen(name) : 0;

	line = line ? line + 1 : node->comment;
	if (!line || !n || strncasecmp(line, name, n) != 0 || line[n] != ' ')
		return NULL;
	return line + n + strspn(line + n, " ");
}

static int add_stage(struct build_eval *ev, size_t index, struct json *list,
		     struct error *err)
{
	struct build_stage *st = &ev->stages[index];
	cleanup_free char *platform = oci_platform_format(&st->platform);
	cleanup_json struct json *steps = json_new_array();
	const char *about = description(&ev->df->nodes[st->cut->from],
					st->cut->name);
	struct json *j;

	if (build_eval_begin(ev, index,
			     st->base == SIZE_MAX ?
				     NULL : &ev->stages[st->base].config,
			     err) < 0 ||
	    add_steps(ev, index, steps, err) < 0)
		return -1;
	j = json_push(list, json_new_object());
	json_set_str(j, "name", st->cut->name);
	json_set_int(j, "index", (int64_t)index);
	if (about)
		json_set_str(j, "description", about);
	json_set_str(j, "base", st->image);
	json_set_str(j, "platform", platform);
	json_set(j, "config", oci_config_to_json(&st->config));
	json_set(j, "steps", steps);
	steps = NULL;
	return 0;
}

struct json *build_stages_json(struct build_eval *ev, struct error *err)
{
	cleanup_json struct json *list = json_new_array();
	size_t i;
	bool failed = false;

	ev->view = true;
	for (i = 0; !failed && i < ev->nr; i++)
		failed = add_stage(ev, i, list, err) < 0;
	ev->view = false;
	if (failed)
		return NULL;
	/* Last, because triggers of one stage may need an earlier one. */
	for (i = 0; i < ev->nr; i++)
		json_set_bool(json_at(list, i), "reachable",
			      ev->stages[i].needed);
	return steal_ptr(&list);
}
