/* eval_meta.c - instructions that change the configuration only */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "build/eval.h"

#define PORTS_MAX JSON_MAX_KEYS /* a configuration names each by a key */

/* One call's worth of arguments, to keep the functions below short. */
struct meta {
	struct build_eval *ev;
	struct build_stage *st;
	const struct dockerfile_node *node;
	struct strbuf *text; /* for the history */
	struct error *err;
};

static char *expand(const struct meta *m, const char *word)
{
	return build_eval_expand(m->ev, m->st, m->node, word, m->err);
}

static void replace(char **slot, char *value)
{
	free(*slot);
	*slot = value;
}

void build_eval_shell(const struct oci_config *c, const char *text,
		      struct strvec *out)
{
	size_t i;

	if (!c->shell.nr) {
		strvec_push(out, "/bin/sh");
		strvec_push(out, "-c");
	}
	for (i = 0; i < c->shell.nr; i++)
		strvec_push(out, c->shell.v[i]);
	strvec_push(out, text);
}

/* Go's %q of a list: ["a" "b"] */
static void add_quoted(struct strbuf *out, const struct strvec *list)
{
	size_t i;

	strbuf_addch(out, '[');
	for (i = 0; i < list->nr; i++) {
		if (i)
			strbuf_addch(out, ' ');
		dockerfile_quote(out, list->v[i]);
	}
	strbuf_addch(out, ']');
}

/* Go's %v of a list: [a b] */
static void add_list(struct strbuf *out, const struct strvec *list)
{
	size_t i;

	strbuf_addch(out, '[');
	for (i = 0; i < list->nr; i++)
		strbuf_addf(out, "%s%s", i ? " " : "", list->v[i]);
	strbuf_addch(out, ']');
}

/* All pairs are expanded in the scope before the instruction. */
static int do_pairs(const struct meta *m, struct strvec *set,
		    struct strindex *index)
{
	cleanup_strvec struct strvec keys = STRVEC_INIT;
	cleanup_strvec struct strvec values = STRVEC_INIT;
	size_t i;

	for (i = 0; i < m->node->n_pairs; i++) {
		char *key = expand(m, m->node->pairs[i].key);
		char *value = key ? expand(m, m->node->pairs[i].value) : NULL;

		if (key)
			strvec_push_own(&keys, key);
		if (!value)
			return -1;
		strvec_push_own(&values, value);
		if (!*key)
			return build_eval_fail(m->ev, m->st, m->node, m->err,
					       "%s names can not be blank",
					       m->node->keyword);
	}
	if (set->nr + keys.nr > BUILD_VARS_MAX)
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "more than %d names by %s",
				       BUILD_VARS_MAX, m->node->keyword);
	strbuf_addstr(m->text, m->node->keyword);
	for (i = 0; i < keys.nr; i++) {
		strindex_env_set(index, set, keys.v[i], values.v[i]);
		strbuf_addf(m->text, " %s=%s", keys.v[i], values.v[i]);
	}
	return 0;
}

static void command(const struct meta *m, struct strvec *out)
{
	strvec_release(out);
	if (m->node->form == DF_FORM_EXEC)
		strvec_copy(out, &m->node->args);
	else
		build_eval_shell(&m->st->config,
				 m->node->args.nr ? m->node->args.v[0] : "",
				 out);
	strbuf_addf(m->text, "%s ", m->node->keyword);
	add_quoted(m->text, out);
}

static int do_cmd(const struct meta *m)
{
	command(m, &m->st->config.cmd);
	m->st->config.has_cmd = true;
	m->st->cmd_set = true;
	return 0;
}

static int do_entrypoint(const struct meta *m)
{
	struct oci_config *c = &m->st->config;

	command(m, &c->entrypoint);
	c->has_entrypoint = c->entrypoint.nr > 0;
	if (!m->st->cmd_set) {
		strvec_release(&c->cmd);
		c->has_cmd = false;
	}
	return 0;
}

/* Union, in sorted order: a range may be thousands of ports. */
static void add_ports(struct strvec *set, const struct strvec *ports)
{
	size_t i, n = 0;

	for (i = 0; i < ports->nr; i++)
		strvec_push(set, ports->v[i]);
	strvec_sort(set);
	for (i = 0; i < set->nr; i++) {
		if (n && str_eq(set->v[n - 1], set->v[i]))
			free(set->v[i]);
		else
			set->v[n++] = set->v[i];
	}
	set->nr = n;
	if (set->v)
		set->v[n] = NULL;
}

static int do_expose(const struct meta *m)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	cleanup_strvec struct strvec ports = STRVEC_INIT;
	size_t i;

	for (i = 0; i < m->node->args.nr; i++)
		if (build_eval_expand_words(m->ev, m->st, m->node,
					    m->node->args.v[i], &words,
					    m->err) < 0)
			return -1;
	strvec_sort(&words);
	for (i = 0; i < words.nr; i++) {
		if (dockerfile_ports(words.v[i], &ports, m->err) < 0)
			return build_eval_place(m->ev, m->st, m->node, m->err);
		if (m->st->config.ports.nr + ports.nr > PORTS_MAX)
			return build_eval_fail(m->ev, m->st, m->node, m->err,
					       "more than %d ports",
					       PORTS_MAX);
	}
	add_ports(&m->st->config.ports, &ports);
	strbuf_addstr(m->text, "EXPOSE ");
	add_list(m->text, &ports);
	return 0;
}

static int do_volume(const struct meta *m)
{
	cleanup_strvec struct strvec list = STRVEC_INIT;
	struct strvec *set = &m->st->config.volumes;
	size_t i;

	for (i = 0; i < m->node->args.nr; i++) {
		char *path = expand(m, m->node->args.v[i]);

		if (!path)
			return -1;
		strvec_push_own(&list, path);
		if (!*path)
			return build_eval_fail(m->ev, m->st, m->node, m->err,
					       "VOLUME specified can not be "
					       "an empty string");
		if (set->nr >= BUILD_VARS_MAX)
			return build_eval_fail(m->ev, m->st, m->node, m->err,
					       "too many volumes");
		if (!strvec_has(set, path))
			strvec_push(set, path);
	}
	strbuf_addstr(m->text, "VOLUME ");
	add_list(m->text, &list);
	return 0;
}

static int do_user(const struct meta *m)
{
	char *user = expand(m, m->node->args.v[0]);

	if (!user)
		return -1;
	strbuf_addf(m->text, "USER %s", user);
	replace(&m->st->config.user, user);
	return 0;
}

static int do_stop_signal(const struct meta *m)
{
	char *name = expand(m, m->node->args.v[0]);

	if (!name)
		return -1;
	strbuf_addf(m->text, "STOPSIGNAL %s", name);
	replace(&m->st->config.stop_signal, name);
	if (!dockerfile_signal_valid(name))
		return build_eval_fail(m->ev, m->st, m->node, m->err,
				       "invalid signal: %s", name);
	return 0;
}

static int64_t interval(const struct meta *m, const char *flag)
{
	const char *value = dockerfile_flag(m->node, flag, 0);
	int64_t ns = 0;

	/* The form was checked with the rest of the text. */
	if (value && *value && dockerfile_duration(value, &ns, NULL) < 0)
		return 0;
	return ns;
}

/* Go's %q of a number: the character it stands for. */
static void add_rune(struct strbuf *out, int number)
{
	cleanup_strbuf struct strbuf q = STRBUF_INIT;
	char one[2] = { (char)number, 0 };

	if (number == '\'') {
		strbuf_addstr(out, "'\\''");
	} else if (number == '"') {
		strbuf_addstr(out, "'\"'");
	} else if (!number) {
		strbuf_addstr(out, "'\\x00'");
	} else if (number < 0x80) {
		dockerfile_quote(&q, one);
		strbuf_addf(out, "'%.*s'", (int)q.len - 2, q.buf + 1);
	} else if (number < 0xa0) {
		strbuf_addf(out, "'\\u%04x'", (unsigned)number);
	} else if (number < 0x800) {
		strbuf_addf(out, "'%c%c'", 0xc0 | number >> 6,
			    0x80 | (number & 0x3f));
	} else {
		strbuf_addstr(out, "'\xef\xbf\xbd'");
	}
}

static void add_health(struct strbuf *out, const struct oci_healthcheck *h)
{
	const int64_t ns[] = { h->interval, h->timeout, h->start_period,
			       h->start_interval };
	size_t i;

	strbuf_addstr(out, "HEALTHCHECK &{");
	add_quoted(out, &h->test);
	for (i = 0; i < ARRAY_SIZE(ns); i++) {
		strbuf_addstr(out, " \"");
		dockerfile_duration_format(out, ns[i]);
		strbuf_addch(out, '"');
	}
	strbuf_addch(out, ' ');
	add_rune(out, h->retries);
	strbuf_addch(out, '}');
}

static int do_health(const struct meta *m)
{
	struct oci_healthcheck *h = &m->st->config.health;
	const char *retries = dockerfile_flag(m->node, "retries", 0);
	uint64_t number = 0;
	size_t i;

	strvec_release(&h->test);
	*h = (struct oci_healthcheck){ .set = true };
	if (m->node->args.nr == 1) {
		strvec_push(&h->test, "NONE");
	} else {
		strvec_push(&h->test, m->node->form == DF_FORM_EXEC ?
			    "CMD" : "CMD-SHELL");
		for (i = 1; i < m->node->args.nr; i++)
			strvec_push(&h->test, m->node->args.v[i]);
	}
	h->interval = interval(m, "interval");
	h->timeout = interval(m, "timeout");
	h->start_period = interval(m, "start-period");
	h->start_interval = interval(m, "start-interval");
	if (retries && str_to_u64(retries, INT32_MAX, &number))
		h->retries = (int)number;
	add_health(m->text, h);
	return 0;
}

static int do_shell(const struct meta *m)
{
	strvec_release(&m->st->config.shell);
	strvec_copy(&m->st->config.shell, &m->node->args);
	strbuf_addstr(m->text, "SHELL ");
	add_list(m->text, &m->node->args);
	return 0;
}

/* The trigger's source, its heredocs behind it. No history. */
static int do_onbuild(const struct meta *m)
{
	const struct dockerfile_node *t = m->node->onbuild;
	struct strbuf text = STRBUF_INIT;
	size_t i;

	strbuf_addstr(&text, t->text);
	for (i = 0; i < t->n_heredocs; i++)
		strbuf_addf(&text, "\n%s%s", t->heredocs[i].content,
			    t->heredocs[i].name);
	strvec_push_own(&m->st->config.onbuild, strbuf_detach(&text));
	return 0;
}

static int do_maintainer(const struct meta *m)
{
	replace(&m->st->config.author, xstrdup(m->node->args.v[0]));
	strbuf_addf(m->text, "MAINTAINER %s", m->node->args.v[0]);
	return 0;
}

int build_eval_meta(struct build_eval *ev, struct build_stage *st,
		    const struct dockerfile_node *node, struct strbuf *text,
		    struct error *err)
{
	const struct meta m = { ev, st, node, text, err };

	switch (node->kind) {
	case DF_ARG:
		return build_eval_arg(ev, st, node, text, err);
	case DF_CMD:
		return do_cmd(&m);
	case DF_ENTRYPOINT:
		return do_entrypoint(&m);
	case DF_ENV:
		return do_pairs(&m, &st->config.env, &st->index->env);
	case DF_LABEL:
		return do_pairs(&m, &st->config.labels,
				&st->index->labels);
	case DF_EXPOSE:
		return do_expose(&m);
	case DF_HEALTHCHECK:
		return do_health(&m);
	case DF_MAINTAINER:
		return do_maintainer(&m);
	case DF_ONBUILD:
		return do_onbuild(&m);
	case DF_SHELL:
		return do_shell(&m);
	case DF_STOPSIGNAL:
		return do_stop_signal(&m);
	case DF_USER:
		return do_user(&m);
	case DF_VOLUME:
		return do_volume(&m);
	default:
		return build_eval_fail(ev, st, node, err,
				       "unknown instruction: %s",
				       node->keyword);
	}
}
