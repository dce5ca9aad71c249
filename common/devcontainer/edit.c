/* edit.c - put a Feature into the text of a devcontainer.json */
/* SPDX-License-Identifier: Apache-2.0 */
#include "devcontainer/feature.h"

#include <ctype.h>

/*
 * The text was accepted by jsonc_parse, so nothing here has to be checked: a
 * byte outside of strings and comments that begins nothing is a blank.
 */
struct member {
	size_t key, value, end; /* of the value */
};

static size_t skip_comment(const char *s, size_t at)
{
	const char *end;

	if (s[at + 1] == '/')
		return at + strcspn(s + at, "\r\n");
	end = strstr(s + at + 2, "*/");
	return end ? (size_t)(end - s) + 2 : at + strlen(s + at);
}

static size_t skip_blank(const char *s, size_t at)
{
	while (s[at] && !strchr("\"{}[],:-", s[at]) &&
	       !isalnum((unsigned char)s[at])) {
		if (s[at] == '/' && (s[at + 1] == '/' || s[at + 1] == '*'))
			at = skip_comment(s, at);
		else
			at++;
	}
	return at;
}

static size_t skip_string(const char *s, size_t at)
{
	for (at++; s[at] && s[at] != '"'; at++)
		if (s[at] == '\\' && s[at + 1])
			at++;
	return at + (s[at] == '"');
}

static size_t skip_value(const char *s, size_t at)
{
	int depth = 0;

	do {
		if (s[at] == '"') {
			at = skip_string(s, at);
		} else if (isalnum((unsigned char)s[at]) || s[at] == '-') {
			at += strcspn(s + at, ",:{}[]\"/ \t\r\n");
		} else if (s[at]) {
			depth += strchr("{[", s[at]) != NULL;
			depth -= strchr("}]", s[at]) != NULL;
			at++;
		}
		if (depth)
			at = skip_blank(s, at);
	} while (depth && s[at]);
	return at;
}

/* The next member of the object; `at` is behind its brace, or behind one
 * member. false: there are no more, and `at` is at the end of the object. */
static bool next_member(const char *s, size_t *at, struct member *m)
{
	m->key = skip_blank(s, *at);
	if (s[m->key] == ',')
		m->key = skip_blank(s, m->key + 1);
	*at = m->key;
	if (s[m->key] != '"')
		return false;
	m->value = skip_blank(s, skip_string(s, m->key));
	m->value = skip_blank(s, m->value + (s[m->value] == ':'));
	m->end = *at = skip_value(s, m->value);
	return true;
}

static bool is_key(const char *s, size_t at, const char *key)
{
	cleanup_json struct json *j = jsonc_parse("key", s + at,
						  skip_string(s, at) - at,
						  NULL);

	return str_eq_null(json_str(j), key);
}

/* The last one of that name, as it is the one that counts. */
static bool find_member(const char *s, size_t object, const char *key,
			struct member *found)
{
	size_t at = object + 1;
	bool any = false;
	struct member m;

	while (next_member(s, &at, &m)) {
		if (!is_key(s, m.key, key))
			continue;
		*found = m;
		any = true;
	}
	return any;
}

static void replace(struct strbuf *text, size_t from, size_t to,
		    const struct strbuf *with)
{
	cleanup_free char *rest = xstrdup(text->buf + to);

	strbuf_setlen(text, from);
	strbuf_add(text, with->buf, with->len);
	strbuf_addstr(text, rest);
}

/* The blanks that its line begins with. */
static void add_indent(const char *s, size_t at, struct strbuf *out)
{
	size_t line = at;

	while (line && s[line - 1] != '\n')
		line--;
	strbuf_add(out, s + line, strspn(s + line, " \t"));
}

/* Behind the last member, and like it on a line of its own or on the same. */
static void append_behind(struct strbuf *text, const struct member *last,
			  const struct strbuf *member)
{
	cleanup_strbuf struct strbuf with = STRBUF_INIT;
	size_t line = last->key;

	while (line && strchr(" \t", text->buf[line - 1]))
		line--;
	strbuf_addch(&with, ',');
	if (!line || text->buf[line - 1] == '\n') {
		strbuf_addch(&with, '\n');
		add_indent(text->buf, last->key, &with);
	} else {
		strbuf_addch(&with, ' ');
	}
	strbuf_add(&with, member->buf, member->len);
	replace(text, last->end, last->end, &with);
}

static void append_first(struct strbuf *text, size_t object, size_t end,
			 const struct strbuf *member)
{
	cleanup_strbuf struct strbuf with = STRBUF_INIT;

	strbuf_addch(&with, '\n');
	add_indent(text->buf, object, &with);
	strbuf_addf(&with, "\t%s\n", member->buf);
	add_indent(text->buf, object, &with);
	replace(text, end, end, &with);
}

static void set_member(struct strbuf *text, size_t object, const char *key,
		       const struct json *value)
{
	cleanup_strbuf struct strbuf member = STRBUF_INIT;
	cleanup_strbuf struct strbuf written = STRBUF_INIT;
	cleanup_json struct json *name = json_new_str(key);
	struct member m, last = { 0 };
	size_t at = object + 1;
	bool any = false;

	json_write_unsorted(&written, value, false);
	if (find_member(text->buf, object, key, &m)) {
		replace(text, m.value, m.end, &written);
		return;
	}
	json_write_unsorted(&member, name, false);
	strbuf_addf(&member, ": %s", written.buf);
	while (next_member(text->buf, &at, &m)) {
		last = m;
		any = true;
	}
	if (any)
		append_behind(text, &last, &member);
	else
		append_first(text, object, at, &member);
}

void devcontainer_add_feature(struct strbuf *text, const char *id,
			      const struct json *options)
{
	cleanup_json struct json *none = json_new_object();
	size_t top = skip_blank(text->buf, 0);
	struct member m;

	if (!find_member(text->buf, top, "features", &m) ||
	    text->buf[m.value] != '{')
		set_member(text, top, "features", none);
	if (find_member(text->buf, top, "features", &m))
		set_member(text, m.value, id, options ? options : none);
}
