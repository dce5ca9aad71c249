/* name.c - one way of writing for one place */
/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/internal.h"

#include <ctype.h>
#include <strings.h>

#include "wrap/url.h"

/* "%41" of what needs no escape is "A"; servers take "//" and "%2f" for "/". */
static void add_path(struct strbuf *out, const char *s)
{
	for (; *s; s++) {
		int c = *s == '%' ? url_decode_byte(s) : -1;

		if (c > 0 && c < 0x80 && (isalnum(c) || strchr("-._~/", c)))
			s += 2;
		else
			c = (unsigned char)*s;
		if (c != '/' || !out->len || out->buf[out->len - 1] != '/')
			strbuf_addch(out, c);
	}
}

/* The port that a scheme has anyway; "": it has none. */
static const char *own_port(const char *scheme, size_t n)
{
	static const char *const ports[][2] = { { "https", ":443" },
						{ "http", ":80" },
						{ "ssh", ":22" },
						{ "git", ":9418" } };
	size_t i;

	if (!n)
		return ":443"; /* a registry */
	for (i = 0; i < ARRAY_SIZE(ports); i++)
		if (strlen(ports[i][0]) == n &&
		    !strncasecmp(scheme, ports[i][0], n))
			return ports[i][1];
	return "";
}

static void add_host(struct strbuf *out, const char *host, size_t n,
		     const char *port)
{
	size_t end = n, begin = out->len, i;

	while (end && isdigit((unsigned char)host[end - 1]))
		end--;
	end = end && host[end - 1] == ':' ? end - 1 : n;
	for (i = 0; i < end; i++)
		strbuf_addch(out, tolower((unsigned char)host[i]));
	while (out->len > begin && out->buf[out->len - 1] == '.')
		strbuf_setlen(out, out->len - 1);
	if (strlen(port) != n - end || strncmp(host + end, port, n - end))
		strbuf_add(out, host + end, n - end);
}

char *policy_name(const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	const char *sep = strstr(text, "://");
	const char *host = sep ? sep + 3 : text;
	size_t n = strcspn(host, "/"), i;

	for (i = 0; i < (size_t)(host - text); i++)
		strbuf_addch(&out, tolower((unsigned char)text[i]));
	add_host(&out, host, n,
		 own_port(text, sep ? (size_t)(sep - text) : 0));
	if (sep)
		add_path(&out, host + n);
	else
		strbuf_addstr(&out, host + n);
	return strbuf_detach(&out);
}

char *policy_host(const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	add_host(&out, text, strlen(text), "");
	return strbuf_detach(&out);
}

const char *policy_port(const char *name)
{
	const char *sep = strstr(name, "://");

	return own_port(name, sep ? (size_t)(sep - name) : 0);
}
