/* jsonc_locate.c - where in a JSON text a value stands */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/json.h"

/* A cursor in text that jsonc_scan has made plain JSON. */
struct cursor {
	const char *text;
	size_t n, pos;
};

static int peek(const struct cursor *c)
{
	return c->pos < c->n ? (unsigned char)c->text[c->pos] : -1;
}

static void skip_blanks(struct cursor *c)
{
	while (c->pos < c->n && strchr(" \t\r\n", c->text[c->pos]))
		c->pos++;
}

static void skip_string(struct cursor *c)
{
	for (c->pos++; peek(c) != '"'; c->pos++)
		if (peek(c) == '\\')
			c->pos++;
	c->pos++;
}

static void skip_word(struct cursor *c)
{
	while (c->pos < c->n && !strchr(" \t\r\n,]}", c->text[c->pos]))
		c->pos++;
}

static void skip_value(struct cursor *c)
{
	size_t depth = 0;

	do {
		int ch = peek(c);

		if (ch == '"') {
			skip_string(c);
		} else if (ch == '{' || ch == '[') {
			depth++;
			c->pos++;
		} else if (!depth) {
			skip_word(c);
		} else {
			if (ch == '}' || ch == ']')
				depth--;
			c->pos++;
		}
	} while (depth);
}

static bool key_is(const char *text, size_t n, const char *key)
{
	cleanup_json struct json *j = jsonc_parse("", text, n, NULL);

	return str_eq_null(json_str(j), key);
}

/* Move from an opening bracket to the wanted member: the last of that key,
 * as that is the one that counts. `*key_at` is where its key stands. */
static bool enter(struct cursor *c, const char *want, size_t *key_at)
{
	bool object = peek(c) == '{';
	uint64_t index = 0;
	size_t found = 0;

	if (!object && (peek(c) != '[' || !str_to_u64(want, c->n, &index)))
		return false;
	c->pos++;
	skip_blanks(c);
	for (size_t i = 0; peek(c) != '}' && peek(c) != ']'; i++) {
		size_t key = c->pos;
		bool hit = i == index;

		if (object) {
			skip_string(c);
			hit = key_is(c->text + key, c->pos - key, want);
			skip_blanks(c);
			c->pos++; /* the colon */
			skip_blanks(c);
		}
		if (hit) {
			*key_at = key;
			found = c->pos;
		}
		skip_value(c);
		skip_blanks(c);
		if (peek(c) == ',')
			c->pos++;
		skip_blanks(c);
	}
	c->pos = found;
	return found > 0;
}

bool jsonc_locate(const char *text, size_t n, const struct strvec *path,
		  bool of_key, unsigned *line, unsigned *col)
{
	cleanup_free char *copy = xmemdup(text, n);
	struct cursor c = { .text = copy, .n = n };
	size_t key = 0;

	if (jsonc_scan("", copy, n, true, NULL) < 0)
		return false;
	skip_blanks(&c);
	for (size_t i = 0; i < path->nr; i++)
		if (!enter(&c, path->v[i], &key))
			return false;
	jsonc_position(text, of_key ? key : c.pos, line, col);
	return true;
}
