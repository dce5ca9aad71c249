/* challenge.c - WWW-Authenticate of RFC 9110: schemes and their parameters */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#include <ctype.h>
#include <strings.h>

#define CHALLENGE_MAX 8192

void registry_challenge_release(struct registry_challenge *c)
{
	free(c->realm);
	free(c->service);
	free(c->scope);
	free(c->error);
	*c = (struct registry_challenge){ 0 };
}

static bool is_token(char c)
{
	return isalnum((unsigned char)c) ||
	       (c && strchr("!#$%&'*+-.^_`|~/", c));
}

static const char *skip_blank(const char *s, bool commas)
{
	while (*s == ' ' || *s == '\t' || (commas && *s == ','))
		s++;
	return s;
}

static const char *token(const char *s, struct strbuf *out)
{
	strbuf_reset(out);
	while (is_token(*s))
		strbuf_addch(out, *s++);
	return s;
}

/* A token or a quoted string, which may hold commas, blanks and escapes. */
static const char *value(const char *s, struct strbuf *out)
{
	if (*s != '"')
		return token(s, out);
	strbuf_reset(out);
	for (s++; *s && *s != '"'; s++) {
		if (*s == '\\' && s[1])
			s++;
		strbuf_addch(out, *s);
	}
	return *s ? s + 1 : s;
}

static void keep(struct registry_challenge *c, const char *name,
		 const char *text)
{
	char **slot = NULL;

	if (!strcasecmp(name, "realm"))
		slot = &c->realm;
	else if (!strcasecmp(name, "service"))
		slot = &c->service;
	else if (!strcasecmp(name, "scope"))
		slot = &c->scope;
	else if (!strcasecmp(name, "error"))
		slot = &c->error;
	if (slot && !*slot)
		*slot = xstrdup(text);
}

void registry_challenge_parse(struct registry_challenge *c, const char *text)
{
	cleanup_free char *copy = xstrndup(text, CHALLENGE_MAX);
	cleanup_strbuf struct strbuf name = STRBUF_INIT, val = STRBUF_INIT;
	const char *s = copy, *after;
	bool wanted = false;

	for (;;) {
		s = skip_blank(s, true);
		if (!*s)
			return;
		after = token(s, &name);
		if (after == s) {
			s++;
			continue;
		}
		s = after;
		after = skip_blank(s, false);
		if (*after == '=') {
			s = value(skip_blank(after + 1, false), &val);
			if (wanted)
				keep(c, name.buf, val.buf);
			continue;
		}
		wanted = !strcasecmp(name.buf, "Bearer") && !c->bearer;
		c->bearer |= wanted;
		c->basic |= !strcasecmp(name.buf, "Basic");
	}
}
