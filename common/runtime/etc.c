/* etc.c - the network files that a sandbox gets instead of its image's own */
/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/internal.h"

#include "base/fs.h"
#include "base/strbuf.h"

#define FILE_MAX ((size_t)1 << 20)

/* On the host's network its own names must keep working. */
void runtime_etc_hosts(const char *hostname, bool host_network,
		       const struct strvec *more, struct strbuf *out)
{
	size_t i;

	if (!host_network ||
	    fs_read_file("/etc/hosts", FILE_MAX, out, NULL) < 0) {
		strbuf_reset(out);
		strbuf_addstr(out, "127.0.0.1\tlocalhost\n::1\tlocalhost "
				   "ip6-localhost ip6-loopback\n");
	}
	if (out->len && out->buf[out->len - 1] != '\n')
		strbuf_addch(out, '\n');
	strbuf_addf(out, "127.0.1.1\t%s\n", hostname);
	for (i = 0; more && i < more->nr; i++) {
		const char *entry = more->v[i], *colon = strchr(entry, ':');

		if (colon)
			strbuf_addf(out, "%s\t%.*s\n", colon + 1,
				    (int)(colon - entry), entry);
	}
}

void runtime_etc_resolv(struct strbuf *out)
{
	if (fs_read_file("/etc/resolv.conf", FILE_MAX, out, NULL) < 0)
		strbuf_reset(out);
}
