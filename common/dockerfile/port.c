/* port.c - the port ranges of EXPOSE */
/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>

#include "dockerfile/dockerfile.h"

static int bad(const char *word, const char *why, struct error *err)
{
	cleanup_strbuf struct strbuf q = STRBUF_INIT;

	dockerfile_quote(&q, word);
	return error_set(err, ERR_INPUT, "invalid port: %s: %s", q.buf, why);
}

/* "80" or "80-82" */
static bool read_range(const char *text, unsigned *first, unsigned *last)
{
	const char *dash = strchr(text, '-');
	cleanup_free char *low = dash ? xstrndup(text, (size_t)(dash - text)) :
					xstrdup(text);
	uint64_t a, b;

	if (!str_to_u64(low, 65535, &a))
		return false;
	b = a;
	if (dash && !str_to_u64(dash + 1, 65535, &b))
		return false;
	*first = (unsigned)a;
	*last = (unsigned)b;
	return a <= b;
}

/* "ip:host:container" and "[v6]:host:container": the last part counts. The
 * parts before it are checked and have no meaning in an image. */
static const char *container_part(const char *text, bool *valid)
{
	const char *last = strrchr(text, ':'), *p = text;
	cleanup_free char *host = NULL;
	unsigned low, high;

	*valid = true;
	if (!last)
		return text;
	if (*p == '[') {
		p = strchr(p, ']');
		*valid = p && p < last && p[1] == ':';
		if (!*valid)
			return last + 1;
		p++;
	} else {
		p = memchr(text, ':', (size_t)(last - text));
	}
	if (p && p < last)
		p++;
	else if (!p)
		p = text;
	host = p < last ? xstrndup(p, (size_t)(last - p)) : xstrdup("");
	*valid = !*host || read_range(host, &low, &high);
	return last + 1;
}

int dockerfile_ports(const char *word, struct strvec *out, struct error *err)
{
	const char *slash = strchr(word, '/'), *container;
	cleanup_free char *ports = slash ?
		xstrndup(word, (size_t)(slash - word)) : xstrdup(word);
	cleanup_free char *proto = xstrdup(slash && slash[1] ? slash + 1 :
							       "tcp");
	unsigned first, last;
	bool valid;
	char *c;

	for (c = proto; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	container = container_part(ports, &valid);
	if (!*container)
		return bad(word, "no port specified", err);
	if (!str_eq(proto, "tcp") && !str_eq(proto, "udp") &&
	    !str_eq(proto, "sctp"))
		return bad(word, "invalid proto", err);
	if (!valid || !read_range(container, &first, &last))
		return bad(word, "invalid containerPort", err);
	for (; first <= last; first++)
		strvec_pushf(out, "%u/%s", first, proto);
	return 0;
}
