/* node.c - instructions as values: names, flags, release, JSON, messages */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <strings.h>

#include "dockerfile/internal.h"

/* In the order of enum dockerfile_kind, after DF_UNKNOWN. */
static const char *const keywords[] = {
	"ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM",
	"HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD", "RUN", "SHELL",
	"STOPSIGNAL", "USER", "VOLUME", "WORKDIR", NULL,
};

enum dockerfile_kind dockerfile_kind_of(const char *keyword)
{
	size_t i;

	for (i = 0; keywords[i]; i++)
		if (str_eq(keyword, keywords[i]))
			return (enum dockerfile_kind)(i + 1);
	return DF_UNKNOWN;
}

void dockerfile_node_release(struct dockerfile_node *node)
{
	size_t i;

	free(node->keyword);
	strvec_release(&node->flags);
	strvec_release(&node->args);
	for (i = 0; i < node->n_pairs; i++) {
		free(node->pairs[i].key);
		free(node->pairs[i].value);
	}
	free(node->pairs);
	for (i = 0; i < node->n_heredocs; i++) {
		free(node->heredocs[i].name);
		free(node->heredocs[i].content);
	}
	free(node->heredocs);
	free(node->text);
	free(node->comment);
	/* A trigger cannot hold a trigger: one level, not a recursion. */
	if (node->onbuild)
		dockerfile_node_release(node->onbuild);
	free(node->onbuild);
	*node = (struct dockerfile_node){ 0 };
}

void dockerfile_release(struct dockerfile *df)
{
	size_t i;

	for (i = 0; i < df->n_nodes; i++)
		dockerfile_node_release(&df->nodes[i]);
	free(df->nodes);
	free(df->name);
	strvec_release(&df->directives);
	*df = (struct dockerfile){ 0 };
}

const char *dockerfile_flag(const struct dockerfile_node *node,
			    const char *name, size_t nth)
{
	size_t i;

	for (i = 0; i < node->flags.nr; i++) {
		const char *rest = str_skip(node->flags.v[i] + 2, name);

		if (!rest || (*rest && *rest != '='))
			continue;
		if (!nth--)
			return *rest ? rest + 1 : rest;
	}
	return NULL;
}

bool dockerfile_flag_bool(const struct dockerfile_node *node,
			  const char *name)
{
	const char *value = dockerfile_flag(node, name, 0);

	return value && strcasecmp(value, "false") != 0;
}

int dockerfile_fail(const struct dockerfile *df, unsigned line, unsigned col,
		    struct error *err, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strbuf struct strbuf safe = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	strbuf_add_safe(&safe, text.buf, text.len);
	return error_set(err, ERR_INPUT,
			 "%s:%u:%u: dockerfile parse error on line %u: %s",
			 df->name, line, col, line, safe.buf);
}

int dockerfile_fail_near(const struct dockerfile *df,
			 const struct dockerfile_node *node,
			 const char *message, const char *word,
			 const char *const *names, struct error *err)
{
	const char *near = str_nearest(word, names);

	if (!near)
		return dockerfile_fail(df, node->start, node->col, err, "%s",
				       message);
	return dockerfile_fail(df, node->start, node->col, err,
			       "%s (did you mean %s?)", message, near);
}

static struct json *pairs_to_json(const struct dockerfile_node *node)
{
	struct json *list = json_new_array();
	size_t i;

	for (i = 0; i < node->n_pairs; i++) {
		struct json *pair = json_push(list, json_new_object());

		json_set_str(pair, "key", node->pairs[i].key);
		json_set_str(pair, "value", node->pairs[i].value);
	}
	return list;
}

static struct json *heredocs_to_json(const struct dockerfile_node *node)
{
	struct json *list = json_new_array();
	size_t i;

	for (i = 0; i < node->n_heredocs; i++) {
		const struct dockerfile_heredoc *h = &node->heredocs[i];
		struct json *j = json_push(list, json_new_object());

		json_set_str(j, "name", h->name);
		json_set_str(j, "content", h->content);
		json_set_bool(j, "expand", h->expand);
		json_set_bool(j, "chomp", h->chomp);
		json_set_int(j, "fd", h->fd);
	}
	return list;
}

static struct json *node_to_json(const struct dockerfile_node *node)
{
	static const char *const forms[] = {
		[DF_FORM_WORDS] = "words", [DF_FORM_SHELL] = "shell",
		[DF_FORM_EXEC] = "exec",   [DF_FORM_PAIRS] = "pairs",
	};
	struct json *j = json_new_object();

	json_set_str(j, "instruction", node->keyword);
	json_set_strvec(j, "flags", &node->flags);
	json_set_str(j, "form", forms[node->form]);
	if (node->form == DF_FORM_PAIRS)
		json_set(j, "args", pairs_to_json(node));
	else
		json_set_strvec(j, "args", &node->args);
	json_set(j, "heredocs", heredocs_to_json(node));
	json_set_int(j, "start", node->start);
	json_set_int(j, "end", node->end);
	if (node->onbuild)
		json_set(j, "onbuild", node_to_json(node->onbuild));
	return j;
}

struct json *dockerfile_to_json(const struct dockerfile *df)
{
	struct json *top = json_new_object();
	struct json *directives = json_new_object();
	struct json *nodes = json_new_array();
	size_t i;

	for (i = 0; i < df->directives.nr; i++) {
		const char *eq = strchr(df->directives.v[i], '=');
		cleanup_free char *key = xstrndup(
			df->directives.v[i],
			(size_t)(eq - df->directives.v[i]));

		json_set_str(directives, key, eq + 1);
	}
	json_set(top, "directives", directives);
	for (i = 0; i < df->n_nodes; i++)
		json_push(nodes, node_to_json(&df->nodes[i]));
	json_set(top, "nodes", nodes);
	return top;
}
