/* gitmodules.c - read .gitmodules, which anybody may have written */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/gitmodules.h"

#include <ctype.h>
#include <strings.h>

#include "base/strbuf.h"

#define ENTRIES_MAX 10000

struct reader {
	const char *file;
	const char *at, *end;
	unsigned line;
	struct gitmodules *out;
	struct gitmodules_entry *entry; /* section of now, or NULL */
	struct error *err;
};

static void entry_release(struct gitmodules_entry *e)
{
	free(e->name);
	free(e->path);
	free(e->url);
}

void gitmodules_release(struct gitmodules *m)
{
	for (size_t i = 0; i < m->nr; i++)
		entry_release(&m->v[i]);
	free(m->v);
	*m = (struct gitmodules){ 0 };
}

static int fail(const struct reader *r, const char *what)
{
	return error_set(r->err, ERR_INPUT, "%s:%u: %s", r->file, r->line,
			 what);
}

static int peek(const struct reader *r)
{
	return r->at < r->end ? (unsigned char)*r->at : -1;
}

static void skip_blanks(struct reader *r)
{
	while (peek(r) == ' ' || peek(r) == '\t' || peek(r) == '\r')
		r->at++;
}

static void skip_line(struct reader *r)
{
	while (peek(r) >= 0 && peek(r) != '\n')
		r->at++;
}

static struct gitmodules_entry *find(struct reader *r, const char *name)
{
	struct gitmodules *m = r->out;

	for (size_t i = 0; i < m->nr; i++)
		if (str_eq(m->v[i].name, name))
			return &m->v[i];
	if (m->nr >= ENTRIES_MAX)
		return NULL;
	GROW(m->v, m->nr, m->alloc);
	m->v[m->nr] = (struct gitmodules_entry){ .name = xstrdup(name) };
	return &m->v[m->nr++];
}

/* [submodule "NAME"], where a backslash takes the next character as it is. */
static int read_section(struct reader *r)
{
	cleanup_strbuf struct strbuf section = STRBUF_INIT;
	cleanup_strbuf struct strbuf name = STRBUF_INIT;

	r->entry = NULL;
	for (r->at++; isalnum(peek(r)) || peek(r) == '.' || peek(r) == '-';)
		strbuf_addch(&section, *r->at++);
	skip_blanks(r);
	if (peek(r) == '"') {
		for (r->at++; peek(r) >= 0 && peek(r) != '"';) {
			if (peek(r) == '\n')
				return fail(r, "newline in a section name");
			if (peek(r) == '\\' && r->at + 1 < r->end)
				r->at++;
			strbuf_addch(&name, *r->at++);
		}
		r->at++;
	}
	if (peek(r) != ']')
		return fail(r, "section has no closing ']'");
	r->at++;
	if (strcasecmp(section.buf, "submodule") || !name.len)
		return 0;
	if (strlen(name.buf) != name.len)
		return fail(r, "NUL in a section name");
	r->entry = find(r, name.buf);
	return r->entry ? 0 : fail(r, "too many submodules");
}

/* Quotes, escapes and continuation lines of git-config(1). */
static int read_value(struct reader *r, struct strbuf *out)
{
	bool quoted = false;
	size_t keep = 0;

	for (skip_blanks(r); peek(r) >= 0 && peek(r) != '\n'; r->at++) {
		int c = peek(r);

		if (!quoted && (c == '#' || c == ';')) {
			skip_line(r);
			break;
		}
		if (c == '"') {
			quoted = !quoted;
			keep = out->len;
			continue;
		}
		if (c == '\\') {
			static const char from[] = "nt\"\\b";
			static const char to[] = "\n\t\"\\\b";
			const char *p;

			r->at++;
			c = peek(r);
			if (c == '\n') {
				r->line++;
				continue;
			}
			p = c > 0 ? strchr(from, c) : NULL;
			if (!p)
				return fail(r, "unknown escape in a value");
			c = (unsigned char)to[p - from];
		}
		if (c == '\0')
			return fail(r, "NUL in a value");
		strbuf_addch(out, c);
		if (quoted || !isspace(c))
			keep = out->len;
	}
	strbuf_setlen(out, keep);
	return quoted ? fail(r, "quote is not closed") : 0;
}

static bool is_clean(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* Every part between slashes (both kinds) is an ordinary name. */
static bool is_inside(const char *s)
{
	if (!*s || *s == '/' || *s == '\\' || *s == '-' || !is_clean(s))
		return false;
	while (*s) {
		size_t n = strcspn(s, "/\\");

		if (!n || (n == 1 && *s == '.') || (n == 2 && s[0] == '.' &&
						     s[1] == '.') ||
		    (n >= 4 && !strncasecmp(s, ".git", 4) &&
		     (n == 4 || s[4] == ' ' || s[4] == '.' || s[4] == ':')))
			return false;
		s += n;
		s += *s != '\0';
	}
	return true;
}

static int store(struct reader *r, const char *key, const char *value)
{
	struct gitmodules_entry *e = r->entry;
	char **place = NULL;

	if (!e)
		return 0;
	if (!strcasecmp(key, "path"))
		place = &e->path;
	else if (!strcasecmp(key, "url"))
		place = &e->url;
	if (!place)
		return 0;
	if (!is_inside(e->name))
		return fail(r, "submodule name is not a plain relative path");
	if (place == &e->path && !is_inside(value))
		return fail(r, "submodule path is not a plain relative path");
	if (place == &e->url && (*value == '-' || !is_clean(value)))
		return fail(r, "submodule url starts with '-' or has control "
			    "characters");
	free(*place);
	*place = xstrdup(value);
	return 0;
}

static int read_pair(struct reader *r)
{
	cleanup_strbuf struct strbuf key = STRBUF_INIT;
	cleanup_strbuf struct strbuf value = STRBUF_INIT;

	while (isalnum(peek(r)) || peek(r) == '-')
		strbuf_addch(&key, *r->at++);
	skip_blanks(r);
	if (!key.len)
		return fail(r, "not a key");
	if (peek(r) == '=') {
		r->at++;
		if (read_value(r, &value) < 0)
			return -1;
	} else if (peek(r) >= 0 && peek(r) != '\n') {
		return fail(r, "'=' expected after a key");
	}
	return store(r, key.buf, value.buf);
}

static void drop_incomplete(struct gitmodules *m)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->nr; i++) {
		if (m->v[i].path && m->v[i].url && *m->v[i].url)
			m->v[kept++] = m->v[i];
		else
			entry_release(&m->v[i]);
	}
	m->nr = kept;
}

static int read_all(struct reader *r)
{
	for (; r->at < r->end; skip_blanks(r)) {
		int c = peek(r), rc = 0;

		if (c == '\n') {
			r->line++;
			r->at++;
		} else if (c == ' ' || c == '\t' || c == '\r') {
			r->at++;
		} else if (c == '#' || c == ';') {
			skip_line(r);
		} else if (c == '[') {
			rc = read_section(r);
		} else {
			rc = read_pair(r);
		}
		if (rc < 0)
			return -1;
	}
	return 0;
}

int gitmodules_parse(struct gitmodules *m, const char *name, const char *text,
		     size_t n, struct error *err)
{
	cleanup_gitmodules struct gitmodules result = { 0 };
	struct reader r = { .file = name, .at = text, .end = text + n,
			    .line = 1, .out = &result, .err = err };

	if (read_all(&r) < 0)
		return -1;
	drop_incomplete(&result);
	*m = result;
	result = (struct gitmodules){ 0 };
	return 0;
}
