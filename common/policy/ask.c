/* ask.c - what a policy says to a name, and to the image it led to */
/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <strings.h>
#include <time.h>

#include "policy/internal.h"

/*
 * Each star remembers where it may take one byte more. Only the last `**` and
 * the `*` after it have to: what a star before them took can stay as it is.
 */
bool policy_glob(const char *pattern, const char *text)
{
	const char *star = NULL, *at = NULL, *deep = NULL, *deep_at = NULL;

	for (;;) {
		if (pattern[0] == '*' && pattern[1] == '*') {
			deep = pattern += 2;
			deep_at = text;
			star = NULL;
		} else if (*pattern == '*') {
			star = ++pattern;
			at = text;
		} else if (*text && (*pattern == *text ||
				     (*pattern == '?' && *text != '/'))) {
			pattern++;
			text++;
		} else if (!*text && !*pattern) {
			return true;
		} else if (star && *at && *at != '/') {
			pattern = star;
			text = ++at;
		} else if (deep && *deep_at) {
			pattern = deep;
			text = ++deep_at;
			star = NULL;
		} else {
			return false;
		}
	}
}

/* "." in the forms a server may take for one; its length, or 0. */
static size_t dot(const char *s)
{
	if (*s == '.')
		return 1;
	return strncasecmp(s, "%2e", 3) ? 0 : 3;
}

bool policy_climbs(const char *text)
{
	const char *s;

	for (s = text; *s; s++) {
		size_t n, m;

		if (*s != '/' && *s != '\\' && strncasecmp(s, "%2f", 3) &&
		    strncasecmp(s, "%5c", 3))
			continue;
		s += *s == '%' ? 2 : 0;
		n = dot(s + 1);
		m = n ? dot(s + 1 + n) : 0;
		if (n && (!s[1 + n + m] || strchr("/\\?%", s[1 + n + m])))
			return true;
	}
	return false;
}

/* A name taken apart. */
struct parts {
	char *host;
	char *ported;	    /* with the port that is meant; NULL: it has one */
	char *path;	    /* of an image: its repository */
	const char *digest; /* or NULL */
	bool reference;	    /* it has a tag or a digest */
};

static void parts_release(struct parts *p)
{
	free(p->host);
	free(p->ported);
	free(p->path);
}

static bool has_port(const char *host)
{
	const char *colon = strrchr(host, ':');

	return colon && !strchr(colon, ']');
}

static void split(const struct gate_question *q, struct parts *p)
{
	const char *scheme = strstr(q->name, "://");
	const char *s = scheme ? scheme + 3 : q->name;
	size_t n = strcspn(s, "/"), m;

	*p = (struct parts){ .host = xstrndup(s, n) };
	if (!has_port(p->host))
		p->ported = xstrfmt("%s%s", p->host, policy_port(q->name));
	s += n + (s[n] == '/');
	m = scheme ? strlen(s) : strcspn(s, ":@");
	p->path = xstrndup(s, m);
	p->reference = !scheme && s[m];
	if (!scheme && strchr(s, '@'))
		p->digest = strchr(s, '@') + 1;
}

static bool any(const struct strvec *patterns, const char *text)
{
	size_t i;

	for (i = 0; i < patterns->nr; i++)
		if (policy_glob(patterns->v[i], text))
			return true;
	return !patterns->nr;
}

static bool host_fits(const struct strvec *patterns, const struct parts *p)
{
	return any(patterns, p->host) ||
	       (p->ported && any(patterns, p->ported));
}

/* "team/app" is what people call /team/app.git, and the other way round. */
static bool fits(const struct strvec *patterns, const struct gate_question *q,
		 const char *text)
{
	cleanup_free char *other = NULL;

	if (any(patterns, text))
		return true;
	if (q->kind != GATE_GIT)
		return false;
	other = str_ends(text, ".git") ? xstrndup(text, strlen(text) - 4)
				       : xstrfmt("%s.git", text);
	return any(patterns, other);
}

static bool about(const struct policy_rule *rule,
		  const struct gate_question *q, const struct parts *p)
{
	if (q->kind == GATE_PUSH ? !rule->push
				 : q->kind == GATE_IMAGE && !rule->pull)
		return false;
	return host_fits(&rule->hosts, p) && fits(&rule->paths, q, p->path) &&
	       fits(&rule->urls, q, q->name);
}

static int refuse(const struct policy *p, const struct gate_question *q,
		  unsigned line, struct error *err, const char *fmt, ...)
	PRINTF(5, 6);

static int refuse(const struct policy *p, const struct gate_question *q,
		  unsigned line, struct error *err, const char *fmt, ...)
{
	cleanup_strbuf struct strbuf why = STRBUF_INIT;
	va_list ap;

	va_start(ap, fmt);
	strbuf_vaddf(&why, fmt, ap);
	va_end(ap);
	error_set(err, ERR_REFUSED, "the policy refuses %s: %s", q->name,
		  why.buf);
	if (line)
		return error_hint(err, "the rule is %s:%u", p->name, line);
	return error_hint(err, "what may be used is in %s", p->name);
}

static int ask_digest(const struct policy *p, const struct policy_rule *rule,
		      const struct gate_question *q, const struct parts *parts,
		      struct error *err)
{
	size_t i;

	if (rule->need_digest && parts->reference && !parts->digest)
		return refuse(p, q, rule->line, err,
			      "it has to be named by its digest");
	if (!rule->digests.nr || (!parts->digest && !q->digests))
		return 0;
	if (parts->digest && strvec_has(&rule->digests, parts->digest))
		return 0;
	for (i = 0; q->digests && i < q->digests->nr; i++)
		if (strvec_has(&rule->digests, q->digests->v[i]))
			return 0;
	return refuse(p, q, rule->line, err, "%s is not among its digests",
		      parts->digest ? parts->digest
		      : q->digests->nr ? q->digests->v[q->digests->nr - 1]
				       : "an unknown one");
}

static int ask_age(const struct policy *p, const struct policy_rule *rule,
		   const struct gate_question *q, int64_t now,
		   struct error *err)
{
	struct tm tm = { 0 };
	int64_t age;

	if (!rule->max_age || !q->created)
		return 0;
	if (!strptime(q->created, "%Y-%m-%dT%H:%M:%S", &tm))
		return refuse(p, q, rule->line, err,
			      "it does not say when it was made");
	age = now - (int64_t)timegm(&tm);
	if (age <= rule->max_age)
		return 0;
	return refuse(p, q, rule->line, err,
		      "it is %lld days old, made at %s", (long long)age / 86400,
		      q->created);
}

static int ask_rules(const struct policy *p, const struct policy_rules *rules,
		     const struct gate_question *q, int64_t now,
		     unsigned *line, struct error *err)
{
	CLEANUP(parts_release) struct parts parts;
	size_t i;

	split(q, &parts);
	if (q->kind != GATE_IMAGE && q->kind != GATE_PUSH &&
	    policy_climbs(q->name))
		return refuse(p, q, 0, err, "it holds '.' or '..'");
	for (i = 0; i < rules->nr; i++) {
		const struct policy_rule *rule = &rules->v[i];

		if (!about(rule, q, &parts))
			continue;
		*line = rule->line;
		if (rule->deny)
			return refuse(p, q, rule->line, err, "it is denied");
		if (ask_digest(p, rule, q, &parts, err) < 0)
			return -1;
		return ask_age(p, rule, q, now, err);
	}
	return p->allow ? 0 : refuse(p, q, 0, err, "no rule allows it");
}

static int ask_host(const struct policy *p, const struct gate_question *q,
		    struct error *err)
{
	CLEANUP(parts_release) struct parts parts;

	split(q, &parts);
	if (!p->has_redirects ||
	    (p->redirects.nr && host_fits(&p->redirects, &parts)))
		return 0;
	return refuse(p, q, 0, err, "a registry sends us there, and the host "
		      "is not among its redirects");
}

/* What follows `prefix` in a name, at the end of a part; else NULL. */
static const char *below(const char *name, const char *prefix, size_t n)
{
	if (strncmp(name, prefix, n) || (name[n] && name[n] != '/'))
		return NULL;
	return name + n;
}

/* The policy itself sends readers there. */
static bool is_mirror(const struct policy *p, const char *name)
{
	size_t i;

	for (i = 0; i < p->mirrors.nr; i++) {
		const char *to = strchr(p->mirrors.v[i], '=') + 1;

		if (below(name, to, strlen(to)))
			return true;
	}
	return false;
}

char *policy_moved(const struct policy *p, const char *text)
{
	cleanup_free char *name = policy_name(text);
	size_t i;

	for (i = 0; i < p->mirrors.nr; i++) {
		const char *from = p->mirrors.v[i];
		const char *to = strchr(from, '=') + 1;
		const char *rest = below(name, from, (size_t)(to - from) - 1);

		if (rest)
			return xstrfmt("%s%s", to, rest);
	}
	return NULL;
}

int policy_ask(const struct policy *p, const struct gate_question *asked,
	       int64_t now, unsigned *line, struct error *err)
{
	cleanup_free char *name = policy_name(asked->name);
	struct gate_question q = *asked;
	size_t n = strlen(name);

	/* A repository is what it is with a slash behind it, too. */
	while (q.kind == GATE_GIT && n && name[n - 1] == '/')
		name[--n] = '\0';
	q.name = name;
	*line = 0;
	switch (q.kind) {
	case GATE_URL:
		return ask_rules(p, &p->urls, &q, now, line, err);
	case GATE_GIT:
		return ask_rules(p, &p->git, &q, now, line, err);
	case GATE_HOST:
		return ask_host(p, &q, err);
	case GATE_IMAGE:
		if (q.mirror && is_mirror(p, q.name))
			return 0;
		break;
	case GATE_PUSH:
		break;
	}
	return ask_rules(p, &p->images, &q, now, line, err);
}
