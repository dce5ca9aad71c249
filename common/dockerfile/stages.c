/* stages.c - cut a file at its FROM lines and find the target */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <strings.h>

#include "dockerfile/internal.h"

void dockerfile_stages_release(struct dockerfile_stages *s)
{
	size_t i;

	for (i = 0; i < s->nr; i++)
		free(s->v[i].name);
	free(s->v);
	*s = (struct dockerfile_stages){ 0 };
}

static void begin_stage(const struct dockerfile_node *node, size_t index,
			struct dockerfile_stages *s)
{
	struct dockerfile_stage *stage;
	char *c;

	GROW(s->v, s->nr, s->alloc);
	stage = &s->v[s->nr++];
	*stage = (struct dockerfile_stage){
		.from = index, .first = index + 1, .end = index + 1,
	};
	if (node->args.nr != 3)
		return;
	stage->name = xstrdup(node->args.v[2]);
	for (c = stage->name; *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

static int check_directives(const struct dockerfile *df, struct error *err)
{
	const char *value = strvec_env_get(&df->directives, "check");
	struct dockerfile_lint ignored = { 0 };
	cleanup_free char *wrong =
		value ? dockerfile_check_value(&ignored, value) : NULL;
	unsigned line;

	if (!wrong)
		return 0;
	/* Directives fill the lines from the first one on. */
	for (line = 0; !str_starts(df->directives.v[line], "check="); line++)
		;
	return dockerfile_fail(df, line + 1, 1, err, "%s", wrong);
}

int dockerfile_split(const struct dockerfile *df, struct dockerfile_stages *s,
		     struct error *err)
{
	size_t i;

	if (check_directives(df, err) < 0)
		return -1;
	for (i = 0; i < df->n_nodes; i++) {
		const struct dockerfile_node *node = &df->nodes[i];

		if (dockerfile_check(df, node, err) < 0)
			return -1;
		if (s->nr == DOCKERFILE_STAGES_MAX && node->kind == DF_FROM)
			return dockerfile_fail(df, node->start, node->col, err,
					       "more than %d stages",
					       DOCKERFILE_STAGES_MAX);
		if (node->kind == DF_FROM)
			begin_stage(node, i, s);
		else if (s->nr)
			s->v[s->nr - 1].end = i + 1;
		else if (node->kind != DF_ARG)
			return dockerfile_fail(df, node->start, node->col, err,
					       "no build stage in current "
					       "context");
	}
	if (!s->nr)
		return error_set(err, ERR_INPUT,
				 "%s:1:1: dockerfile contains no stages to "
				 "build", df->name);
	return 0;
}

static int no_target(const struct dockerfile_stages *s, const char *target,
		     struct error *err)
{
	cleanup_strvec struct strvec names = STRVEC_INIT;
	cleanup_strbuf struct strbuf quoted = STRBUF_INIT;
	const char *near;
	size_t i;

	for (i = 0; i < s->nr; i++)
		if (s->v[i].name)
			strvec_push(&names, s->v[i].name);
	dockerfile_quote(&quoted, target);
	near = names.nr ? str_nearest(target,
				      (const char *const *)names.v) : NULL;
	if (!near)
		return error_set(err, ERR_INPUT,
				 "target stage %s could not be found",
				 quoted.buf);
	return error_set(err, ERR_INPUT,
			 "target stage %s could not be found (did you mean "
			 "%s?)", quoted.buf, near);
}

int dockerfile_target(const struct dockerfile_stages *s, const char *target,
		      size_t *index, struct error *err)
{
	uint64_t number;
	size_t i;

	*index = s->nr - 1;
	if (!target || !*target)
		return 0;
	for (i = s->nr; i-- > 0;) {
		if (s->v[i].name && !strcasecmp(s->v[i].name, target)) {
			*index = i;
			return 0;
		}
	}
	if (!str_to_u64(target, UINT32_MAX, &number))
		return no_target(s, target, err);
	if (number >= s->nr)
		return error_set(err, ERR_INPUT, "invalid stage index %s",
				 target);
	*index = (size_t)number;
	return 0;
}
