/* node_parse.c - one logical line to an instruction */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "dockerfile/internal.h"

struct line {
	struct dockerfile *df;
	struct dockerfile_node *node;
	unsigned lineno;
	const char *rest; /* after the flags, trimmed */
};

static int fail(const struct line *l, struct error *err, const char *text)
{
	return dockerfile_fail(l->df, l->lineno, l->node->col, err, "%s",
			       text);
}

/*
 * `text` as an exec form: 1 when it is a JSON array of strings, 0 when it is
 * no JSON at all (then it is shell form), -1 for an array of anything else.
 */
static int read_exec(const struct line *l, const char *text,
		     struct error *err)
{
	cleanup_error struct error ignored = ERROR_INIT;
	cleanup_json struct json *j = NULL;
	struct json *m;

	if (*text != '[')
		return 0;
	j = json_parse("", text, strlen(text), &ignored);
	if (!j || json_kind(j) != JSON_ARRAY)
		return 0;
	for (m = json_first(j); m; m = json_next(m))
		if (json_kind(m) != JSON_STRING)
			return fail(l, err,
				    "when using JSON array syntax, arrays must "
				    "be comprised of strings only");
	json_get_strings(j, &l->node->args);
	l->node->form = DF_FORM_EXEC;
	return 1;
}

static int read_maybe_exec(const struct line *l, const char *text,
			   struct error *err)
{
	int r = read_exec(l, text, err);

	if (r)
		return r < 0 ? -1 : 0;
	l->node->form = DF_FORM_SHELL;
	if (*text)
		strvec_push(&l->node->args, text);
	return 0;
}

static int read_exec_or_words(const struct line *l, struct error *err)
{
	int r = read_exec(l, l->rest, err);

	if (r)
		return r < 0 ? -1 : 0;
	dockerfile_blank_words(l->rest, &l->node->args);
	return 0;
}

static void add_pair(struct dockerfile_node *node, size_t *alloc, char *key,
		     char *value)
{
	GROW(node->pairs, node->n_pairs, *alloc);
	node->pairs[node->n_pairs].key = key;
	node->pairs[node->n_pairs++].value = value;
}

static void add_word(struct dockerfile_node *node, size_t *alloc,
		     const char *word)
{
	const char *eq = strchr(word, '=');

	if (!eq)
		add_pair(node, alloc, xstrdup(word), NULL);
	else
		add_pair(node, alloc, xstrndup(word, (size_t)(eq - word)),
			 xstrdup(eq + 1));
}

/* `ENV key the rest of the line` */
static int read_legacy_pair(const struct line *l, struct error *err)
{
	size_t n = strcspn(l->rest, "\t\v\f\r ");
	size_t alloc = 0;

	if (!l->rest[n])
		return dockerfile_fail(l->df, l->lineno, l->node->col, err,
				       "%s must have two arguments",
				       l->node->keyword);
	l->node->legacy_pair = true;
	add_pair(l->node, &alloc, xstrndup(l->rest, n),
		 xstrdup(l->rest + n + strspn(l->rest + n, "\t\v\f\r ")));
	return 0;
}

static int read_pairs(const struct line *l, struct error *err)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	bool is_arg = l->node->kind == DF_ARG;
	size_t i, alloc = 0;

	l->node->form = DF_FORM_PAIRS;
	dockerfile_quoted_words(l->rest, l->df->escape, &words);
	if (!is_arg && words.nr && !strchr(words.v[0], '='))
		return read_legacy_pair(l, err);
	for (i = 0; i < words.nr; i++) {
		if (!is_arg && !strchr(words.v[i], '=')) {
			cleanup_strbuf struct strbuf q = STRBUF_INIT;

			dockerfile_quote(&q, words.v[i]);
			return dockerfile_fail(
				l->df, l->lineno, l->node->col, err,
				"Syntax error - can't find = in %s. Must be "
				"of the form: name=value", q.buf);
		}
		add_word(l->node, &alloc, words.v[i]);
	}
	return 0;
}

static int read_health(const struct line *l, struct error *err)
{
	const char *p = l->rest, *end = p + strlen(p);

	l->node->form = DF_FORM_SHELL;
	if (!*p)
		return 0;
	while (p < end) {
		uint32_t c;
		size_t n = dockerfile_rune(p, end, &c);

		if (dockerfile_is_space(c))
			break;
		p += n;
	}
	strvec_push_own(&l->node->args,
			xstrndup(l->rest, (size_t)(p - l->rest)));
	return read_maybe_exec(l, dockerfile_ltrim(p, end), err);
}

static int read_trigger(const struct line *l, bool nested, struct error *err)
{
	/* Chains end here; the check of this instruction refuses them. */
	if (nested || !*l->rest)
		return 0;
	l->node->onbuild = xcalloc(1, sizeof(*l->node->onbuild));
	return dockerfile_parse_node(l->df, l->node->onbuild, l->rest,
				     l->lineno, true, err);
}

static int read_args(const struct line *l, bool nested, struct error *err)
{
	switch (l->node->kind) {
	case DF_RUN:
	case DF_CMD:
	case DF_ENTRYPOINT:
	case DF_SHELL:
		return read_maybe_exec(l, l->rest, err);
	case DF_ADD:
	case DF_COPY:
	case DF_VOLUME:
		return read_exec_or_words(l, err);
	case DF_ENV:
	case DF_LABEL:
	case DF_ARG:
		return read_pairs(l, err);
	case DF_HEALTHCHECK:
		return read_health(l, err);
	case DF_ONBUILD:
		return read_trigger(l, nested, err);
	case DF_FROM:
	case DF_EXPOSE:
		dockerfile_blank_words(l->rest, &l->node->args);
		return 0;
	default:
		if (*l->rest)
			strvec_push(&l->node->args, l->rest);
		return 0;
	}
}

int dockerfile_parse_node(struct dockerfile *df, struct dockerfile_node *node,
			  const char *line, unsigned lineno, bool nested,
			  struct error *err)
{
	const char *p = line, *end = line + strlen(line), *rest;
	struct line l = { .df = df, .node = node, .lineno = lineno };
	cleanup_free char *text = NULL;
	size_t n;
	char *c;

	dockerfile_trim(&p, &end);
	node->text = xstrndup(p, (size_t)(end - p));
	node->start = node->end = lineno;
	node->col = node->col ? node->col : 1;
	n = strcspn(node->text, "\t\v\f\r ");
	node->keyword = xstrndup(node->text, n);
	for (c = node->keyword; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	node->kind = dockerfile_kind_of(node->keyword);
	rest = dockerfile_flag_words(node->text + n, df->escape,
				     &node->flags);
	end = rest + strlen(rest);
	dockerfile_trim(&rest, &end);
	text = xstrndup(rest, (size_t)(end - rest));
	l.rest = text;
	return read_args(&l, nested, err);
}
