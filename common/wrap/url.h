/* url.h - http and https addresses: split, resolve, compare */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WRAP_URL_H
#define WRAP_URL_H

#include "base/error.h"
#include "base/strbuf.h"

#define URL_MAX 16384

struct url {
	bool tls;
	char *host; /* lower case; an IPv6 address without brackets */
	unsigned port;
	char *rest; /* path and query, begins with "/"; no fragment */
};
#define cleanup_url CLEANUP(url_release)
void url_release(struct url *u);
/* http and https only; user information, blanks and control characters are
 * refused. Errors are ERR_INPUT. */
int url_parse(struct url *u, const char *text, struct error *err) MUST_CHECK;
void url_format(const struct url *u, struct strbuf *out);
/* A Location or any other reference that a server gives, relative to `base`
 * (RFC 3986, 5.2); ERR_NETWORK. */
int url_resolve(struct url *u, const struct url *base, const char *reference,
		struct error *err) MUST_CHECK;
/* Scheme, host and port are the same: may see each other's credentials. */
bool url_same_origin(const struct url *a, const struct url *b);
/* The same as it is connected to: scheme and host in lower case, no port that
 * goes without saying, no query; NULL: it is none. malloc'ed. */
char *url_canonical(const char *text);
/* The address without its query, which may hold a signature: for people. */
char *url_shown(const char *text);
/* The byte that a "%XX" stands for, or -1. */
int url_decode_byte(const char *s);
/* Append `n` bytes with every "%XX" decoded. False when some is malformed or
 * a NUL: that stays as it is. */
bool url_decode(struct strbuf *out, const char *s, size_t n);
/* The last part of the path, decoded: a name for a file, or NULL where that
 * can be none. malloc'ed. */
char *url_file_name(const char *text);
/* Append "key=value", escaped, after "?" or "&" as the text needs it. */
void url_add_query(struct strbuf *text, const char *key, const char *value);
/* Everything but letters, digits and "-._~" as %XX. */
void url_escape(struct strbuf *out, const char *s);

/* How far inside a network an address lies. */
enum url_reach {
	URL_PUBLIC,
	URL_PRIVATE,  /* RFC 1918, RFC 4193, RFC 6598 */
	URL_LOOPBACK,
	URL_LOCAL,    /* link-local, unspecified, multicast: never a peer's
			 to name */
};
/* A literal address, without brackets; anything else is URL_PUBLIC. */
enum url_reach url_address_reach(const char *ip);
/* localhost, *.localhost, 127.0.0.0/8 or ::1. */
bool url_host_is_loopback(const char *host);

#endif
