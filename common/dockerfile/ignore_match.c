/* ignore_match.c - does a path match a pattern of .dockerignore? */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/internal.h"

/*
 * A pattern is compiled once to tokens. Matching keeps one point to come back
 * to in a path element ("*") and one across elements ("**"): a later one of a
 * kind makes earlier ones final, so there is no exponential search. That does
 * not hold for a "**" inside an element, as in "*a**b": such patterns keep all
 * places where they could be.
 */
static void add_token(struct ignore_pattern *p, enum ignore_token_kind kind,
		      const char *text, size_t n)
{
	enum ignore_token_kind before = p->nr ? p->v[p->nr - 1].kind : kind;
	struct ignore_token *last;

	if (p->nr && kind == before && kind == TOKEN_TEXT) {
		last = &p->v[p->nr - 1];
		if (last->text + last->n == text) {
			last->n += n;
			return;
		}
	}
	/* "****" is what "**" is. */
	if (p->nr && kind == before && kind == TOKEN_DEEP)
		return;
	GROW(p->v, p->nr, p->alloc);
	p->v[p->nr++] = (struct ignore_token){ kind, text, n };
}

/* "**" and what follows it; returns the text behind. */
static const char *compile_deep(struct ignore_pattern *p, const char *s)
{
	bool leading = s == p->text;
	bool slash = s[2] == '/';
	size_t i;

	for (i = 0; !leading && s[-1] != '/' && i < p->nr; i++)
		p->sets |= p->v[i].kind == TOKEN_STAR ||
			   p->v[i].kind == TOKEN_DEEP;
	s += 2 + slash;
	/* "**name" with nothing special in it is any path ending so. */
	if (!*s || (leading && !slash && !strpbrk(s, "*?[\\")))
		add_token(p, TOKEN_ALL, s, 0);
	else
		add_token(p, TOKEN_DEEP, s, 0);
	return s;
}

void dockerfile_ignore_compile(struct ignore_pattern *p)
{
	const char *s = p->text, *end = s + strlen(s), *start;

	while (s < end) {
		if (s[0] == '*' && s[1] == '*') {
			s = compile_deep(p, s);
		} else if (*s == '*') {
			add_token(p, TOKEN_STAR, s++, 1);
		} else if (*s == '?') {
			add_token(p, TOKEN_ONE, s++, 1);
		} else if (*s == '[') {
			start = ++s;
			/* The form was checked: this only finds the end. */
			if (dockerfile_glob_class(&s, end, 0) < 0)
				return;
			add_token(p, TOKEN_CLASS, start, (size_t)(s - start));
		} else {
			s += *s == '\\' && s + 1 < end;
			add_token(p, TOKEN_TEXT, s, 1);
			s++;
		}
	}
}

/* Does one token that has a fixed extent match at s? Its length, or -1. */
static ssize_t match_token(const struct ignore_token *t, const char *s,
			   const char *end)
{
	const char *class = t->text;
	uint32_t c;
	size_t n;

	if (t->kind == TOKEN_TEXT)
		return (size_t)(end - s) >= t->n && !memcmp(s, t->text, t->n) ?
			(ssize_t)t->n : -1;
	if (s == end || *s == '/')
		return -1;
	n = dockerfile_rune(s, end, &c);
	if (t->kind == TOKEN_CLASS &&
	    dockerfile_glob_class(&class, t->text + t->n, c) <= 0)
		return -1;
	return (ssize_t)n;
}

struct retry {
	size_t token; /* the wildcard's index + 1, 0: none */
	const char *at;
};

/* Come back to a wildcard and let it take more. */
static bool go_back(const struct ignore_pattern *p, struct retry *star,
		    struct retry *deep, const char *end, size_t *i,
		    const char **s)
{
	if (star->token && star->at < end && *star->at != '/') {
		*i = star->token;
		*s = ++star->at;
		return true;
	}
	star->token = 0;
	if (!deep->token || deep->at == end)
		return false;
	if (p->v[deep->token - 1].kind == TOKEN_DEEP) {
		const char *slash = memchr(deep->at, '/',
					   (size_t)(end - deep->at));

		if (!slash)
			return false;
		deep->at = slash;
	}
	*i = deep->token;
	*s = ++deep->at;
	return true;
}

/* From all places `at` where one token may begin to those where it ends. */
static void step(const struct ignore_token *t, const char *s, size_t n,
		 const uint8_t *at, uint8_t *next)
{
	bool before = false; /* it may have begun at an earlier place */
	size_t k;

	memset(next, 0, n + 1);
	for (k = 0; k <= n; k++) {
		bool slash = k && s[k - 1] == '/';
		ssize_t len;

		if (t->kind == TOKEN_STAR) {
			next[k] = at[k] || (k && next[k - 1] && !slash);
		} else if (t->kind == TOKEN_DEEP) {
			next[k] = at[k] || (before && slash);
		} else if (t->kind == TOKEN_ALL) {
			next[k] = at[k] || before;
		} else if (at[k]) {
			len = match_token(t, s + k, s + n);
			if (len >= 0)
				next[k + (size_t)len] = 1;
		}
		before |= at[k];
	}
}

static bool match_sets(const struct ignore_pattern *p, const char *s)
{
	size_t n = strlen(s), i;
	cleanup_free uint8_t *at = xcalloc(n + 1, 1);
	cleanup_free uint8_t *next = xcalloc(n + 1, 1);

	at[0] = 1;
	for (i = 0; i < p->nr; i++) {
		uint8_t *done = at;

		step(&p->v[i], s, n, at, next);
		at = next;
		next = done;
	}
	return at[n];
}

static bool match_once(const struct ignore_pattern *p, const char *s)
{
	const char *end = s + strlen(s);
	struct retry star = { 0 }, deep = { 0 };
	size_t i = 0;

	for (;;) {
		const struct ignore_token *t = i < p->nr ? &p->v[i] : NULL;
		ssize_t n;

		if (!t && s == end)
			return true;
		if (t && t->kind == TOKEN_ALL && i + 1 == p->nr)
			return true;
		if (t && t->kind == TOKEN_STAR) {
			star = (struct retry){ ++i, s };
			continue;
		}
		if (t && t->kind >= TOKEN_DEEP) {
			deep = (struct retry){ ++i, s };
			star.token = 0;
			continue;
		}
		n = t ? match_token(t, s, end) : -1;
		if (n >= 0) {
			s += n;
			i++;
		} else if (!go_back(p, &star, &deep, end, &i, &s)) {
			return false;
		}
	}
}

bool dockerfile_ignore_match(const struct ignore_pattern *p, const char *path)
{
	return p->sets ? match_sets(p, path) : match_once(p, path);
}

bool dockerfile_ignore_below(const struct ignore_pattern *p, const char *dir)
{
	size_t n = strlen(dir), i, at = 0;

	for (i = 0; i < p->nr && p->v[i].kind == TOKEN_TEXT; i++) {
		const struct ignore_token *t = &p->v[i];
		size_t k;

		for (k = 0; k < t->n; k++, at++) {
			if (at > n)
				return true;
			if (t->text[k] != (at < n ? dir[at] : '/'))
				return false;
		}
	}
	/* Text alone must go on behind the slash; a wildcard may. */
	return i < p->nr || at > n + 1;
}
