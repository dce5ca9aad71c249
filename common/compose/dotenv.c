/* dotenv.c - files of variables, and words of commands */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "base/strbuf.h"
#include "compose/compose.h"

struct file {
	const char *name;
	unsigned line;
	const char *(*get)(void *arg, const char *name);
	void *arg;
	struct strvec *env;
	size_t total; /* bytes of the values */
	struct error *err;
};

static int fail(const struct file *f, const char *what)
{
	return error_set(f->err, ERR_INPUT, "%s:%u:1: %s", f->name, f->line,
			 what);
}

/* Lines before win over this host, as they are nearer. */
static const char *look_up(void *arg, const char *name)
{
	const struct file *f = arg;
	const char *value = strvec_env_get(f->env, name);

	return value ? value : f->get(f->arg, name);
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

static int add_value(struct file *f, const char *key,
		     const struct strbuf *raw, bool literal)
{
	cleanup_strbuf struct strbuf value = STRBUF_INIT;
	cleanup_error struct error why = ERROR_INIT;

	if (literal)
		strbuf_add(&value, raw->buf, raw->len);
	else if (compose_interpolate(raw->buf, look_up, f, &value, NULL,
				     &why) < 0)
		return fail(f, why.msg);
	strvec_env_set(f->env, key, value.buf);
	f->total += value.len;
	if (f->env->nr > COMPOSE_ENTRIES_MAX || f->total > COMPOSE_TOTAL_MAX)
		return fail(f, "the variables are too many, or too large");
	return 0;
}

/* Of a double-quoted value; others stay as they are. */
static void add_escaped(struct strbuf *out, char c)
{
	static const char from[] = "nrt\"\\", to[] = "\n\r\t\"\\";
	const char *at = c ? strchr(from, c) : NULL;

	if (at) {
		strbuf_addch(out, to[at - from]);
		return;
	}
	/* A dollar stays one: it was escaped. */
	strbuf_addstr(out, c == '$' ? "$" : "\\");
	strbuf_addch(out, c);
}

/* Up to the closing quote, over line ends; NULL where there is none. */
static const char *read_quoted(struct file *f, const char *p,
			       struct strbuf *out)
{
	const char quote = *p++;

	for (; *p && *p != quote; p++) {
		if (*p == '\n')
			f->line++;
		if (quote == '"' && *p == '\\' && p[1])
			add_escaped(out, *++p);
		else
			strbuf_addch(out, *p);
	}
	return *p ? p + 1 : NULL;
}

/* Up to a comment or the line's end. */
static const char *read_plain(const char *p, struct strbuf *out)
{
	const char *start = p;

	while (*p && *p != '\n' &&
	       !(*p == '#' && p > start && (p[-1] == ' ' || p[-1] == '\t')))
		strbuf_addch(out, *p++);
	strbuf_rtrim(out);
	return p;
}

static int read_value(struct file *f, const char *key, const char **p)
{
	cleanup_strbuf struct strbuf raw = STRBUF_INIT;
	const char quote = **p;
	const unsigned line = f->line;

	if (quote == '\'' || quote == '"') {
		*p = read_quoted(f, *p, &raw);
		if (!*p) {
			f->line = line;
			return fail(f, "the quote is not closed");
		}
		*p = skip_blanks(*p);
		if (**p && **p != '\n' && **p != '\r' && **p != '#')
			return fail(f, "something follows the closing quote");
	} else {
		*p = read_plain(*p, &raw);
	}
	*p += strcspn(*p, "\n");
	return add_value(f, key, &raw, quote == '\'');
}

static int read_line(struct file *f, const char **p)
{
	cleanup_free char *key = NULL;
	const char *value;
	size_t n;

	*p = skip_blanks(*p);
	if (str_starts(*p, "export "))
		*p = skip_blanks(*p + 7);
	n = strcspn(*p, "= \t\r\n");
	if (!n && **p != '=')
		return 0;
	key = xstrndup(*p, n);
	if (!n || strpbrk(key, "'\"$"))
		return fail(f, "a line is NAME=VALUE");
	*p = skip_blanks(*p + n);
	if (**p == '=') {
		*p = skip_blanks(*p + 1);
		return read_value(f, key, p);
	}
	if (**p && **p != '\n' && **p != '\r')
		return fail(f, "a line is NAME=VALUE");
	value = look_up(f, key);
	if (value)
		strvec_env_set(f->env, key, value);
	return 0;
}

int compose_dotenv(const char *name, const char *text,
		   const char *(*get)(void *arg, const char *name), void *arg,
		   struct strvec *env, struct error *err)
{
	struct file f = { name, 1, get, arg, env, 0, err };
	const char *p = text;

	while (*p) {
		const char *first = skip_blanks(p);

		if (*first != '#' && read_line(&f, &p) < 0)
			return -1;
		p += strcspn(p, "\n");
		if (*p) {
			p++;
			f.line++;
		}
	}
	return 0;
}

bool compose_words(const char *text, struct strvec *out)
{
	cleanup_strbuf struct strbuf word = STRBUF_INIT;
	bool inside = false;
	char quote = 0;
	const char *p;

	for (p = text; *p; p++) {
		if (!quote && strchr(" \t\r\n", *p)) {
			if (inside)
				strvec_push(out, word.buf);
			strbuf_reset(&word);
			inside = false;
			continue;
		}
		inside = true;
		if (*p == quote)
			quote = 0;
		else if (!quote && (*p == '\'' || *p == '"'))
			quote = *p;
		else if (*p == '\\' && p[1] &&
			 (!quote || (quote == '"' && strchr("\"\\", p[1]))))
			strbuf_addch(&word, *++p);
		else
			strbuf_addch(&word, *p);
	}
	if (inside && !quote)
		strvec_push(out, word.buf);
	return !quote;
}
