/* repo_proxy.c - which proxy, by option or by the usual variables */
/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "wrap/repo_lib.h"

static const char *first_set(const char *a, const char *b, const char *c,
			     const char *d)
{
	const char *const names[] = { a, b, c, d };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = names[i] ? getenv(names[i]) : NULL;

		if (value && *value)
			return value;
	}
	return NULL;
}

/* "host", ".domain" and "domain" (with what is below it), each with ":port"
 * or without, or "*". */
static bool excludes(const char *pattern, const struct giturl *u)
{
	cleanup_free char *name = xstrdup(pattern);
	char *colon = strrchr(name, ':');
	size_t host = strlen(u->host), n;
	uint64_t port = 0;

	if (str_eq(name, "*"))
		return true;
	if (colon && strchr(name, ':') == colon &&
	    str_to_u64(colon + 1, 65535, &port)) {
		*colon = '\0';
		if (port != giturl_port(u))
			return false;
	}
	n = strlen(name);
	if (*name == '.')
		memmove(name, name + 1, n--);
	return n && n <= host && !strcasecmp(u->host + host - n, name) &&
	       (n == host || u->host[host - n - 1] == '.');
}

const char *repo_proxy(const struct repo_session *s)
{
	const struct giturl *u = &s->remote;
	const char *none = first_set("no_proxy", "NO_PROXY", NULL, NULL);
	cleanup_strvec struct strvec list = STRVEC_INIT;

	if (u->kind != GITURL_HTTP && u->kind != GITURL_HTTPS)
		return NULL;
	if (s->options->proxy)
		return s->options->proxy;
	if (none)
		strvec_split(&list, none, ", ");
	for (size_t i = 0; i < list.nr; i++)
		if (excludes(list.v[i], u))
			return NULL;
	/* HTTP_PROXY is what a CGI program gets from a "Proxy:" header, so
	 * that one counts in lower case only. */
	return u->kind == GITURL_HTTP
		       ? first_set("http_proxy", "all_proxy", "ALL_PROXY", NULL)
		       : first_set("https_proxy", "HTTPS_PROXY", "all_proxy",
				   "ALL_PROXY");
}
