/* warning.c - what a registry wants people to know */
/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/internal.h"

#include "base/log.h"

#define TEXT_MAX 1024	/* bytes of one that are shown */
#define WARNINGS_MAX 10 /* of one registry */

/* distribution-spec, "Warnings": 299 - "TEXT", and nothing else counts. */
static bool take_text(const char *value, struct strbuf *out)
{
	const char *p;

	if (!str_starts(value, "299 - \""))
		return false;
	for (p = value + 7; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		if (out->len < TEXT_MAX)
			strbuf_addch(out, *p);
	}
	return p[0] == '"' && !p[1] && out->len;
}

static void show(struct registry_host *host, const struct strbuf *text)
{
	cleanup_strbuf struct strbuf safe = STRBUF_INIT;

	if (host->warned.nr >= WARNINGS_MAX ||
	    strvec_has(&host->warned, text->buf))
		return;
	strvec_push(&host->warned, text->buf);
	strbuf_add_safe(&safe, text->buf, text->len);
	log_warn("%s says: %s", host->name, safe.buf);
}

void registry_warn(struct registry_call *call)
{
	const char *value;
	size_t i;

	/* What is stored elsewhere has no word about this registry. */
	if (call->elsewhere)
		return;
	for (i = 0; (value = http_header(&call->t, "Warning", i)); i++) {
		cleanup_strbuf struct strbuf text = STRBUF_INIT;

		if (take_text(value, &text))
			show(call->host, &text);
	}
}
