/* interpolate.c - variables in the values of compose files */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "base/strbuf.h"
#include "compose/compose.h"

#define DEPTH_MAX 16

struct expander {
	const char *(*get)(void *arg, const char *name);
	void *arg;
	struct strvec *unset;
	struct error *err;
};

static bool starts_name(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

static size_t name_length(const char *p)
{
	size_t n = 0;

	if (!starts_name(*p))
		return 0;
	while (isalnum((unsigned char)p[n]) || p[n] == '_')
		n++;
	return n;
}

/* The brace that closes the one before `p`, or NULL. */
static const char *closing(const char *p)
{
	int depth = 1;

	for (; *p; p++) {
		if (p[0] == '$' && p[1] == '{')
			depth++;
		else if (*p == '}' && !--depth)
			return p;
	}
	return NULL;
}

static int expand(struct expander *x, const char *p, const char *end,
		  int depth, struct strbuf *out);

static void note_unset(struct expander *x, const char *name)
{
	if (x->unset && !strvec_has(x->unset, name))
		strvec_push(x->unset, name);
}

/* What follows the name in braces: an operator and its word. */
static int expand_word(struct expander *x, const char *name, const char *op,
		       const char *end, int depth, struct strbuf *out)
{
	const char *value = x->get(x->arg, name);
	bool colon = *op == ':';
	bool there = value && (*value || !colon);
	char kind = op[colon];

	op += colon + 1;
	switch (kind) {
	case '-':
		if (!there)
			return expand(x, op, end, depth + 1, out);
		strbuf_addstr(out, value);
		return 0;
	case '+':
		return there ? expand(x, op, end, depth + 1, out) : 0;
	case '?': {
		cleanup_strbuf struct strbuf why = STRBUF_INIT;

		if (there) {
			strbuf_addstr(out, value);
			return 0;
		}
		if (expand(x, op, end, depth + 1, &why) < 0)
			return -1;
		return error_set(x->err, ERR_INPUT,
				 "the variable %s has to be set%s%s", name,
				 why.len ? ": " : "", why.buf);
	}
	default:
		return error_set(x->err, ERR_INPUT,
				 "'${%s%.*s}' is no variable", name,
				 (int)(end - op + colon + 1), op - colon - 1);
	}
}

static int expand_braces(struct expander *x, const char *p, const char *end,
			 int depth, struct strbuf *out)
{
	size_t n = name_length(p);
	cleanup_free char *name = xstrndup(p, n);
	const char *value;

	if (!n)
		return error_set(x->err, ERR_INPUT, "'${%.*s}' names no "
				 "variable", (int)(end - p), p);
	if (p + n != end)
		return expand_word(x, name, p + n, end, depth, out);
	value = x->get(x->arg, name);
	if (value)
		strbuf_addstr(out, value);
	else
		note_unset(x, name);
	return 0;
}

/* After a dollar; `p` goes behind what it begins. */
static int expand_one(struct expander *x, const char **p, int depth,
		      struct strbuf *out)
{
	const char *end;
	size_t n = name_length(*p);

	if (**p == '$') {
		strbuf_addch(out, '$');
		++*p;
		return 0;
	}
	if (n) {
		end = *p + n;
		if (expand_braces(x, *p, end, depth, out) < 0)
			return -1;
		*p = end;
		return 0;
	}
	end = **p == '{' ? closing(*p + 1) : NULL;
	if (!end) {
		error_set(x->err, ERR_INPUT, "'$%.20s' is no variable", *p);
		return error_hint(x->err, "write $$ for a dollar");
	}
	if (expand_braces(x, *p + 1, end, depth, out) < 0)
		return -1;
	*p = end + 1;
	return 0;
}

static int expand(struct expander *x, const char *p, const char *end,
		  int depth, struct strbuf *out)
{
	if (depth > DEPTH_MAX)
		return error_set(x->err, ERR_INPUT,
				 "variables are nested too deep");
	while (p < end) {
		if (*p != '$') {
			strbuf_addch(out, *p++);
			continue;
		}
		p++;
		if (expand_one(x, &p, depth, out) < 0)
			return -1;
		if (out->len > COMPOSE_VALUE_MAX)
			return error_set(x->err, ERR_INPUT, "with its "
					 "variables the value is larger than "
					 "%zu bytes", COMPOSE_VALUE_MAX);
	}
	return 0;
}

int compose_interpolate(const char *text,
			const char *(*get)(void *arg, const char *name),
			void *arg, struct strbuf *out, struct strvec *unset,
			struct error *err)
{
	struct expander x = { get, arg, unset, err };

	return expand(&x, text, text + strlen(text), 0, out);
}
