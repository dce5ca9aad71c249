/* repo_proxy.c - which proxy, by option or by the usual variables */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wrap/noproxy.h"
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

const char *repo_proxy(const struct repo_session *s)
{
	const struct giturl *u = &s->remote;

	if (u->kind != GITURL_HTTP && u->kind != GITURL_HTTPS)
		return NULL;
	if (s->options->proxy)
		return s->options->proxy;
	if (noproxy_names(u->host, giturl_port(u)))
		return NULL;
	/* HTTP_PROXY is what a CGI program gets from a "Proxy:" header, so
	 * that one counts in lower case only. */
	return u->kind == GITURL_HTTP
		       ? first_set("http_proxy", "all_proxy", "ALL_PROXY", NULL)
		       : first_set("https_proxy", "HTTPS_PROXY", "all_proxy",
				   "ALL_PROXY");
}
