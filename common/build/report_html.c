/* report_html.c - text and frame of the page */
/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "build/report.h"

static const char style[] =
	"body{font:15px/1.45 system-ui,sans-serif;margin:2em auto;"
	"max-width:70em;padding:0 1em;color:#222;background:#fff}"
	"h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}"
	"table{border-collapse:collapse;width:100%}"
	"th,td{text-align:left;vertical-align:top;padding:.25em .6em .25em 0;"
	"border-bottom:1px solid #ddd}"
	"td.n{text-align:right;white-space:nowrap;"
	"font-variant-numeric:tabular-nums}"
	"td.l{white-space:nowrap}td.t{width:32%}"
	"code{font:13px/1.4 ui-monospace,monospace;white-space:pre-wrap;"
	"overflow-wrap:anywhere}"
	".bar{position:relative;height:1em;background:#f2f2f2}"
	".bar i{position:absolute;top:0;bottom:0;min-width:2px;"
	"background:#3572b0}"
	".failed .bar i{background:#b3261e}"
	".cached td,.skipped td{color:#666}"
	".error{border-left:4px solid #b3261e;padding-left:1em}"
	"ul{margin:.2em 0;padding-left:1.2em}"
	"@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}"
	"th,td{border-color:#444}.bar{background:#2a2a2a}"
	".cached td,.skipped td{color:#999}}";

/* The length of a whole UTF-8 character that may be shown, or 0. */
static size_t character(const unsigned char *s, size_t n)
{
	size_t len = *s < 0x80 ? 1 : *s < 0xc2 ? 0 : *s < 0xe0 ? 2 :
		     *s < 0xf0 ? 3 : *s < 0xf5 ? 4 : 0, i;
	uint32_t c = len > 1 ? *s & (0x7fu >> len) : *s;

	if (!len || len > n)
		return 0;
	for (i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0))
		return 0;
	/* Surrogates, overlong forms, what is no character, what turns the
	 * direction of text. */
	if ((len == 3 && c < 0x800) || (len == 4 && c < 0x10000) ||
	    c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ||
	    (c & 0xfffe) == 0xfffe || c == 0x200e || c == 0x200f ||
	    c == 0x61c || (c >= 0x2028 && c <= 0x202e) ||
	    (c >= 0x2066 && c <= 0x2069))
		return 0;
	return len;
}

void report_add_str(struct strbuf *out, const char *text)
{
	cleanup_strbuf struct strbuf masked = STRBUF_INIT;
	size_t i = 0;

	strbuf_addstr(&masked, text);
	log_mask(&masked);
	while (i < masked.len) {
		const unsigned char *s = (unsigned char *)masked.buf + i;
		size_t len = character(s, masked.len - i);

		if (!len)
			strbuf_addf(out, "\\x%02x", *s);
		else if (*s == '&' || *s == '<' || *s == '>' || *s == '"' ||
			 *s == '\'')
			strbuf_addf(out, "&#%u;", *s);
		else
			strbuf_add(out, s, len);
		i += len ? len : 1;
	}
}

/* The policy is a second wall: even what would get out of its element could
 * load and run nothing. */
void report_begin(struct strbuf *out, const char *title)
{
	strbuf_addstr(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
			   "<meta charset=\"utf-8\">\n"
			   "<meta http-equiv=\"Content-Security-Policy\" "
			   "content=\"default-src 'none'; "
			   "style-src 'unsafe-inline'\">\n"
			   "<meta name=\"viewport\" "
			   "content=\"width=device-width\">\n<title>");
	report_add_str(out, title);
	strbuf_addf(out, "</title>\n<style>%s</style>\n</head>\n<body>\n",
		    style);
}

void report_end(struct strbuf *out)
{
	strbuf_addstr(out, "</body>\n</html>\n");
}
