/* words.c - the three ways an instruction's text is cut into words */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/internal.h"

void dockerfile_blank_words(const char *text, struct strvec *out)
{
	strvec_split(out, text, "\t\v\f\r ");
}

struct word {
	struct strbuf text;
	bool quoted; /* had quotes: kept even if empty */
};

static void end_word(struct word *w, struct strvec *out)
{
	if (w->quoted || w->text.len)
		strvec_push(out, w->text.buf);
	strbuf_reset(&w->text);
	w->quoted = false;
}

void dockerfile_quoted_words(const char *text, char escape,
			     struct strvec *out)
{
	const char *p = text, *end = text + strlen(text);
	struct word w = { .text = STRBUF_INIT };
	char quote = 0;

	while (p < end) {
		uint32_t c;
		size_t n = dockerfile_rune(p, end, &c);

		if (!quote && dockerfile_is_space(c)) {
			end_word(&w, out);
			p += n;
			continue;
		}
		if (c == (unsigned char)escape && quote != '\'') {
			/* A pair stays a pair; one at the end is dropped. */
			if (p + n == end)
				break;
			strbuf_addch(&w.text, escape);
			p += n;
			n = dockerfile_rune(p, end, &c);
		} else if (!quote && (c == '\'' || c == '"')) {
			quote = (char)c;
			w.quoted = true;
		} else if (quote && c == (unsigned char)quote) {
			quote = 0;
		}
		strbuf_add(&w.text, p, n);
		p += n;
	}
	end_word(&w, out);
	strbuf_release(&w.text);
}

/* One "--" word, quotes and escapes processed away. */
static const char *flag_word(const char *p, const char *end, char escape,
			     struct strbuf *out)
{
	char quote = 0;

	while (p < end) {
		uint32_t c;
		size_t n = dockerfile_rune(p, end, &c);

		if (!quote && dockerfile_is_space(c))
			break;
		if (c == (unsigned char)escape) {
			p += n;
			if (p == end)
				break;
			n = dockerfile_rune(p, end, &c);
		} else if (quote ? c == (unsigned char)quote :
				   c == '\'' || c == '"') {
			quote = quote ? 0 : (char)c;
			p += n;
			continue;
		}
		strbuf_add(out, p, n);
		p += n;
	}
	return p;
}

const char *dockerfile_flag_words(const char *text, char escape,
				  struct strvec *out)
{
	const char *p = text, *end = text + strlen(text);
	cleanup_strbuf struct strbuf word = STRBUF_INIT;

	for (;;) {
		p = dockerfile_ltrim(p, end);
		if (!str_starts(p, "--"))
			return p;
		strbuf_reset(&word);
		p = flag_word(p, end, escape, &word);
		if (str_eq(word.buf, "--"))
			return dockerfile_ltrim(p, end);
		strvec_push(out, word.buf);
	}
}
