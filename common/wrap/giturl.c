/* giturl.c - parse, compare, clean and resolve addresses of repositories */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/giturl.h"

#include <ctype.h>

#include "wrap/url.h"

static const struct scheme {
	const char *name;
	enum giturl_kind kind;
	unsigned port;
} schemes[] = {
	{ "http", GITURL_HTTP, 80 },	{ "https", GITURL_HTTPS, 443 },
	{ "ssh", GITURL_SSH, 22 },	{ "git+ssh", GITURL_SSH, 22 },
	{ "ssh+git", GITURL_SSH, 22 },	{ "git", GITURL_GIT, 9418 },
	{ "file", GITURL_FILE, 0 },
};

void giturl_release(struct giturl *u)
{
	free(u->user);
	free(u->password);
	free(u->host);
	free(u->path);
	free(u->fragment);
	*u = (struct giturl){ 0 };
}

static const struct scheme *scheme_of(enum giturl_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (schemes[i].kind == kind)
			return &schemes[i];
	return NULL;
}

unsigned giturl_port(const struct giturl *u)
{
	const struct scheme *s = scheme_of(u->kind);

	return u->port ? u->port : s ? s->port : 0;
}

static char *percent_decode(const char *s, size_t n)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	url_decode(&out, s, n);
	return strbuf_detach(&out);
}

static bool is_control(int c)
{
	return (c >= 0 && c < 0x20) || c == 0x7f;
}

static int check_text(const char *s, size_t n, struct error *err)
{
	if (!n)
		return error_set(err, ERR_USAGE, "empty repository address");
	if (n > GITURL_MAX)
		return error_set(err, ERR_USAGE, "repository address is longer "
				 "than %d bytes", GITURL_MAX);
	for (size_t i = 0; i < n; i++)
		if (is_control((unsigned char)s[i]) ||
		    (i + 2 < n && is_control(url_decode_byte(s + i))))
			return error_set(err, ERR_USAGE, "repository address "
					 "has a control character at byte %zu",
					 i + 1);
	return 0;
}

static int check_word(const char *what, const char *s, struct error *err)
{
	if (s && *s == '-')
		return error_set(err, ERR_USAGE, "%s in repository address "
				 "starts with '-'", what);
	return 0;
}

static int set_host(struct giturl *u, const char *s, size_t n,
		    struct error *err)
{
	bool brackets = n > 2 && s[0] == '[' && s[n - 1] == ']';

	if (brackets) {
		s++;
		n -= 2;
	}
	if (!n)
		return error_set(err, ERR_USAGE,
				 "repository address has no host");
	u->host = xstrndup(s, n);
	if (check_word("host", u->host, err) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (!isalnum(c) && c < 0x80 &&
		    !strchr(brackets ? ":." : ".-_", c))
			return error_set(err, ERR_USAGE, "host in repository "
					 "address has the character '%c'", c);
		u->host[i] = (char)tolower(c);
	}
	return 0;
}

static int set_port(struct giturl *u, const char *s, size_t n,
		    struct error *err)
{
	cleanup_free char *digits = xstrndup(s, n);
	uint64_t port = 0;

	if (n && (!str_to_u64(digits, 65535, &port) || !port))
		return error_set(err, ERR_USAGE, "port in repository address "
				 "is not between 1 and 65535");
	u->port = (unsigned)port;
	return 0;
}

/* The colon before a port: the last one outside of brackets. */
static const char *port_colon(const char *s, size_t n)
{
	const char *colon = memrchr(s, ':', n);

	return colon && !memchr(colon, ']', (size_t)(s + n - colon)) ? colon
								     : NULL;
}

static int set_host_port(struct giturl *u, const char *s, size_t n,
			 struct error *err)
{
	const char *colon = port_colon(s, n);
	size_t host = colon ? (size_t)(colon - s) : n;

	if (set_host(u, s, host, err) < 0)
		return -1;
	return colon ? set_port(u, colon + 1, n - host - 1, err) : 0;
}

static void set_userinfo(struct giturl *u, const char *s, size_t n)
{
	const char *colon = memchr(s, ':', n);
	size_t user = colon ? (size_t)(colon - s) : n;

	u->user = percent_decode(s, user);
	if (colon)
		u->password = percent_decode(colon + 1, n - user - 1);
}

static int parse_authority(struct giturl *u, const char *s, size_t n,
			   struct error *err)
{
	const char *at = memrchr(s, '@', n);

	if (at) {
		set_userinfo(u, s, (size_t)(at - s));
		if (check_word("user", u->user, err) < 0)
			return -1;
		n -= (size_t)(at + 1 - s);
		s = at + 1;
	}
	return set_host_port(u, s, n, err);
}

static int parse_file(struct giturl *u, const char *rest, struct error *err)
{
	const char *path = str_skip(rest, "localhost/");

	path = path ? path - 1 : rest;
	if (*path != '/')
		return error_set(err, ERR_USAGE,
				 "file:// address names another host");
	u->path = percent_decode(path, strlen(path));
	return 0;
}

static int parse_url(struct giturl *u, const char *s, const char *sep,
		     struct error *err)
{
	cleanup_free char *name = xstrndup(s, (size_t)(sep - s));
	const struct scheme *found = NULL;
	const char *rest = sep + 3;
	size_t n = strcspn(rest, "/?");

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (!strcasecmp(schemes[i].name, name))
			found = &schemes[i];
	if (!found) {
		error_set(err, ERR_USAGE, "protocol '%s' is not supported",
			  name);
		return error_hint(err, "use https, http, ssh, git or file");
	}
	u->kind = found->kind;
	if (u->kind == GITURL_FILE)
		return parse_file(u, rest, err);
	if (parse_authority(u, rest, n, err) < 0)
		return -1;
	u->path = xstrdup(rest[n] ? rest + n : "/");
	/* ssh hands the path to a command line over there: "/~" is cut to
	 * "~", and what follows must not look like an option. */
	return check_word("path", u->path, err);
}

/* [user@]host:path, or [user@][host:port]:path with real brackets. */
static int parse_scp(struct giturl *u, const char *s, const char *colon,
		     struct error *err)
{
	size_t n = (size_t)(colon - s);
	const char *at = memrchr(s, '@', n);
	const char *host = at ? at + 1 : s;
	size_t host_n = (size_t)(colon - host);

	u->kind = GITURL_SSH;
	u->scp = true;
	u->path = xstrdup(colon + 1);
	if (at)
		set_userinfo(u, s, (size_t)(at - s));
	if (check_word("user", u->user, err) < 0 ||
	    check_word("path", u->path, err) < 0)
		return -1;
	if (!*u->path)
		return error_set(err, ERR_USAGE,
				 "repository address has no path");
	/* [host:port] has one colon, an IPv6 address has several. */
	if (*host == '[' && memchr(host, ':', host_n) ==
	    memrchr(host, ':', host_n) && memchr(host, ':', host_n))
		return set_host_port(u, host + 1, host_n - 2, err);
	return set_host(u, host, host_n, err);
}

/* The colon that ends the host of an scp form, or NULL. */
static const char *scp_colon(const char *s)
{
	const char *slash = strchr(s, '/');
	const char *open = strchr(s, '[');
	const char *close = open ? strstr(open, "]:") : NULL;
	const char *colon = strchr(s, ':');

	if (close && (open == s || open[-1] == '@') &&
	    (!slash || slash > close))
		return close + 1;
	return colon && (!slash || colon < slash) ? colon : NULL;
}

static bool is_helper(const char *s)
{
	size_t n = 0;

	while (isalnum((unsigned char)s[n]) || (s[n] && strchr("+.-_", s[n])))
		n++;
	return n && s[n] == ':' && s[n + 1] == ':';
}

static int parse_address(struct giturl *u, const char *s, struct error *err)
{
	const char *sep = strstr(s, "://");
	const char *colon = scp_colon(s);

	if (is_helper(s)) {
		error_set(err, ERR_USAGE, "transport helpers such as '%.*s' "
			  "are not allowed", (int)strcspn(s, ":") + 2, s);
		return error_hint(err, "use https, http, ssh, git or file");
	}
	if (sep && colon == sep)
		return parse_url(u, s, sep, err);
	if (colon)
		return parse_scp(u, s, colon, err);
	u->kind = GITURL_PATH;
	u->path = xstrdup(s);
	return check_word("path", s, err);
}

int giturl_parse(struct giturl *u, const char *text, struct error *err)
{
	cleanup_giturl struct giturl result = { 0 };
	cleanup_free char *address = NULL;
	size_t n, cut;

	while (*text == ' ')
		text++;
	n = strlen(text);
	while (n && text[n - 1] == ' ')
		n--;
	if (check_text(text, n, err) < 0)
		return -1;
	address = xstrndup(text, n);
	cut = strcspn(address, "#");
	if (address[cut])
		result.fragment = xstrdup(address + cut + 1);
	address[cut] = '\0';
	if (!cut)
		return error_set(err, ERR_USAGE, "empty repository address");
	if (parse_address(&result, address, err) < 0)
		return -1;
	*u = result;
	result = (struct giturl){ 0 };
	return 0;
}

static void add_host(const struct giturl *u, struct strbuf *out)
{
	bool brackets = strchr(u->host, ':') != NULL;

	strbuf_addf(out, "%s%s%s", brackets ? "[" : "", u->host,
		    brackets ? "]" : "");
	if (u->port)
		strbuf_addf(out, ":%u", u->port);
}

static void add_escaped(struct strbuf *out, const char *s, const char *keep)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (isalnum(c) || strchr(keep, c))
			strbuf_addch(out, c);
		else
			strbuf_addf(out, "%%%02X", c);
	}
}

/* A port has no place in the scp form, and brackets are not understood by
 * every implementation of it; "/~/" keeps the path relative to the home. */
static void add_scp(const struct giturl *u, struct strbuf *out)
{
	if (!u->port && !strchr(u->host, ':')) {
		if (u->user)
			strbuf_addf(out, "%s@", u->user);
		strbuf_addf(out, "%s:%s", u->host, u->path);
		return;
	}
	strbuf_addstr(out, "ssh://");
	if (u->user)
		strbuf_addf(out, "%s@", u->user);
	add_host(u, out);
	strbuf_addf(out, "%s%s", *u->path == '/' ? "" :
		    *u->path == '~' ? "/" : "/~/", u->path);
}

void giturl_text(const struct giturl *u, struct strbuf *out)
{
	if (u->kind == GITURL_PATH) {
		strbuf_addstr(out, u->path);
		return;
	}
	if (u->scp) {
		add_scp(u, out);
		return;
	}
	strbuf_addf(out, "%s://", scheme_of(u->kind)->name);
	if (u->kind == GITURL_FILE) {
		add_escaped(out, u->path, "/-._~+,@=:!$&'()*;");
		return;
	}
	if (u->kind == GITURL_SSH && u->user) {
		add_escaped(out, u->user, "-._~");
		strbuf_addch(out, '@');
	}
	add_host(u, out);
	strbuf_addstr(out, u->path);
}

void giturl_redact(const char *text, struct strbuf *out)
{
	const char *sep = strstr(text, "://");
	const char *start = sep ? sep + 3 : text;
	size_t n = strcspn(start, sep ? "/?#" : "/#");
	const char *at = memrchr(start, '@', n);
	const char *colon = at ? memchr(start, ':', (size_t)(at - start)) : NULL;
	bool ssh = !sep || memmem(text, (size_t)(sep - text), "ssh", 3);

	strbuf_add(out, text, (size_t)(start - text));
	if (at && ssh) {
		/* A colon in front of '@' starts a password in both forms. */
		strbuf_add(out, start, (size_t)((colon ? colon : at) - start));
		start = at;
	} else if (at) {
		start = at + 1;
	}
	strbuf_addstr(out, start);
}

static bool usable_name(const char *s)
{
	if (!*s || str_eq(s, ".") || str_eq(s, "..") || strlen(s) > 255)
		return false;
	for (; *s; s++)
		if (is_control((unsigned char)*s) || *s == '/')
			return false;
	return true;
}

char *giturl_name(const char *text)
{
	cleanup_giturl struct giturl u = { 0 };
	cleanup_free char *path = NULL;
	const char *last;
	size_t n;

	if (giturl_parse(&u, text, NULL) < 0)
		return xstrdup("empty");
	n = u.kind == GITURL_PATH || u.scp ? strlen(u.path)
					   : strcspn(u.path, "?");
	path = u.kind == GITURL_PATH ? xstrdup(u.path)
				     : percent_decode(u.path, n);
	n = strlen(path);
	while (n && path[n - 1] == '/')
		path[--n] = '\0';
	last = strrchr(path, '/');
	last = last ? last + 1 : path;
	n = strlen(last);
	if (str_ends(last, ".git"))
		path[(size_t)(last - path) + n - 4] = '\0';
	return xstrdup(usable_name(last) ? last : "empty");
}

/* Length of a path without what makes no difference. */
static size_t significant(const char *path)
{
	size_t n = strlen(path);

	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n > 4 && !memcmp(path + n - 4, ".git", 4))
		n -= 4;
	while (n > 1 && path[n - 1] == '/')
		n--;
	return n;
}

static const char *compared_path(const struct giturl *u)
{
	const char *path = u->path;

	if (u->kind == GITURL_SSH && str_starts(path, "/~/"))
		return path + 3;
	return u->kind == GITURL_SSH && *path == '/' ? path + 1 : path;
}

static bool is_local(const struct giturl *u)
{
	return u->kind == GITURL_FILE || u->kind == GITURL_PATH;
}

char *giturl_canonical(const struct giturl *u)
{
	const struct scheme *s = scheme_of(u->kind);
	struct giturl plain = *u;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (is_local(u) || !u->host)
		return NULL;
	if (s->port == u->port)
		plain.port = 0;
	strbuf_addf(&out, "%s://", s->name);
	add_host(&plain, &out);
	strbuf_addf(&out, "%s%s", *u->path == '/' ? "" : "/", u->path);
	return strbuf_detach(&out);
}

bool giturl_same_host(const struct giturl *a, const struct giturl *b)
{
	return a->kind == b->kind && str_eq_null(a->host, b->host) &&
	       giturl_port(a) == giturl_port(b);
}

bool giturl_same(const struct giturl *a, const struct giturl *b)
{
	const char *p = compared_path(a), *q = compared_path(b);
	size_t n = significant(p);

	if (!(is_local(a) && is_local(b)) && !giturl_same_host(a, b))
		return false;
	return n == significant(q) && !memcmp(p, q, n);
}

/* Cut the last part of a path; false when there is none. */
static bool climb(struct strbuf *path)
{
	size_t n = path->len;

	while (n && path->buf[n - 1] == '/')
		n--;
	if (!n)
		return false;
	while (n && path->buf[n - 1] != '/')
		n--;
	strbuf_setlen(path, n);
	return true;
}

static int resolve_path(const char *base, const char *rel, struct strbuf *out,
			struct error *err)
{
	strbuf_addstr(out, base);
	while (out->len > 1 && out->buf[out->len - 1] == '/')
		strbuf_setlen(out, out->len - 1);
	for (;;) {
		if (str_starts(rel, "../")) {
			if (!climb(out))
				return error_set(err, ERR_INPUT, "relative "
					"address leads above the root of '%s'",
					base);
			rel += 3;
		} else if (str_starts(rel, "./")) {
			rel += 2;
		} else {
			break;
		}
	}
	if (out->len && out->buf[out->len - 1] != '/')
		strbuf_addch(out, '/');
	strbuf_addstr(out, rel);
	return 0;
}

int giturl_resolve(struct giturl *u, const struct giturl *parent,
		   const char *text, struct error *err)
{
	cleanup_strbuf struct strbuf path = STRBUF_INIT;
	cleanup_strbuf struct strbuf whole = STRBUF_INIT;
	struct giturl base = *parent;

	if (!str_starts(text, "./") && !str_starts(text, "../"))
		return giturl_parse(u, text, err);
	if (resolve_path(parent->path, text, &path, err) < 0)
		return -1;
	base.path = path.buf;
	giturl_text(&base, &whole);
	return giturl_parse(u, whole.buf, err);
}
