/* url.c - http and https addresses: split, resolve, compare */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/url.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>

void url_release(struct url *u)
{
	free(u->host);
	free(u->rest);
	*u = (struct url){ 0 };
}

static int check_bytes(const char *text, struct error *err)
{
	const unsigned char *s;

	if (strnlen(text, URL_MAX + 1) > URL_MAX)
		return error_set(err, ERR_INPUT,
				 "URL is longer than %d bytes", URL_MAX);
	for (s = (const unsigned char *)text; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '\\')
			return error_set(err, ERR_INPUT,
					 "URL holds a byte that may not be "
					 "there (0x%02x)",
					 *s);
	return 0;
}

static bool host_valid(const char *host, bool bracketed)
{
	struct in6_addr a;

	if (bracketed)
		return inet_pton(AF_INET6, host, &a) == 1;
	if (!*host)
		return false;
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && !strchr("-._", *host))
			return false;
	return true;
}

static int split_port(struct url *u, const char *s, struct error *err)
{
	uint64_t port = u->tls ? 443 : 80;

	if (*s && (*s != ':' || (s[1] && !str_to_u64(s + 1, 65535, &port))))
		return error_set(err, ERR_INPUT, "URL has a malformed port");
	u->port = (unsigned)port;
	return 0;
}

static int split_authority(struct url *u, const char *s, size_t n,
			   struct error *err)
{
	cleanup_free char *text = xstrndup(s, n);
	bool bracketed = *text == '[';
	char *end, *p;

	if (strchr(text, '@'))
		return error_set(err, ERR_INPUT,
				 "URL may not hold a user name or password");
	end = bracketed ? strchr(text, ']') : strchr(text, ':');
	if (bracketed && !end)
		return error_set(err, ERR_INPUT, "URL has a malformed host");
	if (split_port(u, bracketed ? end + 1 : end ? end : "", err) < 0)
		return -1;
	if (end)
		*end = '\0';
	u->host = xstrdup(text + bracketed);
	for (p = u->host; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (!host_valid(u->host, bracketed))
		return error_set(err, ERR_INPUT, "URL has a malformed host");
	return 0;
}

static const char *skip_nocase(const char *s, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncasecmp(s, prefix, n) ? NULL : s + n;
}

static int parse(struct url *u, const char *text, struct error *err)
{
	const char *s = skip_nocase(text, "https://");
	size_t n;

	u->tls = s;
	if (!s)
		s = skip_nocase(text, "http://");
	if (!s)
		return error_set(err, ERR_INPUT,
				 "URL is neither http nor https");
	n = strcspn(s, "/?#");
	if (split_authority(u, s, n, err) < 0)
		return -1;
	s += n;
	u->rest = xstrfmt("%s%.*s", *s == '/' ? "" : "/",
			  (int)strcspn(s, "#"), s);
	return 0;
}

int url_parse(struct url *u, const char *text, struct error *err)
{
	struct url r = { 0 };

	if (check_bytes(text, err) < 0)
		return -1;
	if (parse(&r, text, err) < 0) {
		url_release(&r);
		return -1;
	}
	*u = r;
	return 0;
}

void url_format(const struct url *u, struct strbuf *out)
{
	bool v6 = u->host && strchr(u->host, ':');

	strbuf_addf(out, "%s://%s%s%s", u->tls ? "https" : "http",
		    v6 ? "[" : "", u->host, v6 ? "]" : "");
	if (u->port != (u->tls ? 443u : 80u))
		strbuf_addf(out, ":%u", u->port);
	strbuf_addstr(out, u->rest);
}

char *url_canonical(const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct url u = { 0 };

	if (url_parse(&u, text, NULL) < 0)
		return NULL;
	url_format(&u, &out);
	url_release(&u);
	strbuf_setlen(&out, strcspn(out.buf, "?"));
	return strbuf_detach(&out);
}

/* RFC 3986, 5.2.3 and 5.2.4; dot segments are left to the server, which has
 * to cope with them from anybody. */
static char *merge_path(const struct url *base, const char *reference)
{
	size_t n = strcspn(base->rest, "?");

	if (*reference == '/')
		return xstrdup(reference);
	if (*reference != '?') {
		while (n && base->rest[n - 1] != '/')
			n--;
	}
	return xstrfmt("%.*s%s", (int)n, base->rest, reference);
}

static int resolve(struct url *u, const struct url *base,
		   const char *reference, struct error *err)
{
	cleanup_free char *full = NULL;
	size_t scheme = strspn(reference, "abcdefghijklmnopqrstuvwxyz"
					  "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	if (check_bytes(reference, err) < 0)
		return -1;
	if (scheme && reference[scheme] == ':')
		return url_parse(u, reference, err);
	if (str_starts(reference, "//")) {
		full = xstrfmt("%s:%s", base->tls ? "https" : "http",
			       reference);
		return url_parse(u, full, err);
	}
	*u = (struct url){ .tls = base->tls,
			   .port = base->port,
			   .host = xstrdup(base->host),
			   .rest = merge_path(base, reference) };
	u->rest[strcspn(u->rest, "#")] = '\0';
	return 0;
}

int url_resolve(struct url *u, const struct url *base, const char *reference,
		struct error *err)
{
	if (resolve(u, base, reference, err) < 0)
		return error_recode(err, ERR_NETWORK);
	return 0;
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return a->tls == b->tls && a->port == b->port &&
	       str_eq(a->host, b->host);
}

char *url_shown(const char *text)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_add_safe(&sb, text, strcspn(text, "?#"));
	return strbuf_detach(&sb);
}

void url_escape(struct strbuf *out, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x80 && (isalnum(c) || strchr("-._~", c)))
			strbuf_addch(out, c);
		else
			strbuf_addf(out, "%%%02X", c);
	}
}

void url_add_query(struct strbuf *text, const char *key, const char *value)
{
	strbuf_addch(text, strchr(text->buf, '?') ? '&' : '?');
	strbuf_addstr(text, key);
	strbuf_addch(text, '=');
	url_escape(text, value);
}

static enum url_reach reach4(uint32_t a)
{
	if (a >> 24 == 127)
		return URL_LOOPBACK;
	if (a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8 ||
	    a >> 22 == 0x191)
		return URL_PRIVATE;
	if (a >> 16 == 0xa9fe || a >> 24 == 0 || a >> 28 >= 0xe)
		return URL_LOCAL;
	return URL_PUBLIC;
}

static enum url_reach reach6(const struct in6_addr *a)
{
	const uint8_t *b = a->s6_addr;
	uint32_t low = (uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 |
		       (uint32_t)b[14] << 8 | b[15];

	if (IN6_IS_ADDR_LOOPBACK(a))
		return URL_LOOPBACK;
	/* ::ffff:a.b.c.d and 64:ff9b::a.b.c.d reach the IPv4 address. */
	if (IN6_IS_ADDR_V4MAPPED(a) || IN6_IS_ADDR_V4COMPAT(a) ||
	    (!b[0] && b[1] == 0x64 && b[2] == 0xff && b[3] == 0x9b))
		return reach4(low);
	if ((b[0] & 0xfe) == 0xfc)
		return URL_PRIVATE;
	if ((b[0] == 0xfe && (b[1] & 0xc0) == 0x80) || b[0] == 0xff ||
	    IN6_IS_ADDR_UNSPECIFIED(a))
		return URL_LOCAL;
	return URL_PUBLIC;
}

enum url_reach url_address_reach(const char *ip)
{
	struct in6_addr a6;
	struct in_addr a4;

	/* inet_aton knows the short and octal forms that resolvers accept. */
	if (inet_aton(ip, &a4))
		return reach4(ntohl(a4.s_addr));
	if (inet_pton(AF_INET6, ip, &a6) == 1)
		return reach6(&a6);
	return URL_PUBLIC;
}

bool url_host_is_loopback(const char *host)
{
	return !strcasecmp(host, "localhost") || str_ends(host, ".localhost") ||
	       url_address_reach(host) == URL_LOOPBACK;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int url_decode_byte(const char *s)
{
	int hi, lo;

	if (s[0] != '%')
		return -1;
	hi = hex_digit(s[1]);
	lo = hi < 0 ? -1 : hex_digit(s[2]);
	return lo < 0 ? -1 : hi * 16 + lo;
}

bool url_decode(struct strbuf *out, const char *s, size_t n)
{
	bool sound = true;
	size_t i;

	for (i = 0; i < n; i++) {
		int c = i + 2 < n ? url_decode_byte(s + i) : -1;

		sound = sound && (s[i] != '%' || c > 0);
		strbuf_addch(out, c > 0 ? c : s[i]);
		if (c > 0)
			i += 2;
	}
	return sound;
}

char *url_file_name(const char *text)
{
	const char *sep = strstr(text, "://");
	const char *path = strpbrk(sep ? sep + 3 : text, "/?#");
	cleanup_strbuf struct strbuf name = STRBUF_INIT;
	const char *last;

	if (!path || *path != '/' ||
	    !url_decode(&name, path, strcspn(path, "?#")))
		return NULL;
	while (name.len && name.buf[name.len - 1] == '/')
		strbuf_setlen(&name, name.len - 1);
	last = strrchr(name.buf, '/');
	last = last ? last + 1 : name.buf;
	if (!*last || str_eq(last, ".") || str_eq(last, "..") ||
	    strlen(last) > 255)
		return NULL;
	return xstrdup(last);
}
