/* etc.c - the network files that a sandbox gets instead of its image's own */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/bounds.h"

#include "base/fs.h"
#include "base/strbuf.h"

#define FILE_MAX ((size_t)1 << 20)

static void add_given(const struct strvec *given, struct strbuf *out)
{
	size_t i;

	for (i = 0; given && i < given->nr; i++) {
		const char *entry = given->v[i], *colon = strchr(entry, ':');

		if (colon)
			strbuf_addf(out, "%s\t%.*s\n", colon + 1,
				    (int)(colon - entry), entry);
	}
}

static void add_host(struct strbuf *out)
{
	if (fs_read_file("/etc/hosts", FILE_MAX, out, NULL) < 0)
		strbuf_addstr(out, "127.0.0.1\tlocalhost\n");
	if (out->len && out->buf[out->len - 1] != '\n')
		strbuf_addch(out, '\n');
}

/*
 * The first line about a name wins, and so does the first about an address:
 * this host's file must not hide what is given, and 127.0.0.1 is to be called
 * localhost whatever else it is. On the host's network its own names must
 * keep working.
 */
void runtime_etc_hosts(const char *hostname, bool host_network,
		       const struct strvec *given, struct strbuf *out)
{
	if (!host_network)
		strbuf_addstr(out, "127.0.0.1\tlocalhost\n::1\tlocalhost "
				   "ip6-localhost ip6-loopback\n");
	else if (given && given->nr)
		strbuf_addstr(out, "127.0.0.1\tlocalhost\n");
	add_given(given, out);
	if (host_network)
		add_host(out);
	strbuf_addf(out, "127.0.1.1\t%s\n", hostname);
}

static bool has(const struct strvec *list)
{
	return list && list->nr;
}

static void add_list(const char *keyword, const struct strvec *list,
		     struct strbuf *out)
{
	if (!has(list) || str_eq(list->v[0], "."))
		return;
	strbuf_addstr(out, keyword);
	for (size_t i = 0; i < list->nr; i++)
		strbuf_addf(out, " %s", list->v[i]);
	strbuf_addch(out, '\n');
}

/* Is this a line of the host's that something else stands for? */
static bool is_replaced(const char *line, const struct runtime_bounds *b)
{
	cleanup_free char *word = xstrndup(line, strcspn(line, " \t"));

	if (str_eq(word, "nameserver"))
		return has(b->dns);
	if (str_eq(word, "search") || str_eq(word, "domain"))
		return has(b->dns_search);
	return str_eq(word, "options") && has(b->dns_options);
}

void runtime_etc_resolv(const struct runtime_bounds *b, struct strbuf *out)
{
	cleanup_strbuf struct strbuf host = STRBUF_INIT;
	cleanup_strvec struct strvec lines = STRVEC_INIT;

	if (fs_read_file("/etc/resolv.conf", FILE_MAX, &host, NULL) < 0)
		strbuf_reset(&host);
	if (!b || !(has(b->dns) || has(b->dns_search) || has(b->dns_options))) {
		strbuf_add(out, host.buf, host.len);
		return;
	}
	strvec_split(&lines, host.buf, "\n");
	for (size_t i = 0; i < lines.nr; i++)
		if (!is_replaced(lines.v[i], b))
			strbuf_addf(out, "%s\n", lines.v[i]);
	for (size_t i = 0; b->dns && i < b->dns->nr; i++)
		strbuf_addf(out, "nameserver %s\n", b->dns->v[i]);
	/* A dot alone means: none. */
	add_list("search", b->dns_search, out);
	add_list("options", b->dns_options, out);
}
