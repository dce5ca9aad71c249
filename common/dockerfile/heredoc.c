/* heredoc.c - find "<<EOF" in an instruction and read its delimiter */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/internal.h"

/*
 * Words as a shell would see them, quotes and escapes kept. The escape is
 * always a backslash here. Unbalanced quotes: there are no words, the line is
 * left to the shell of the image.
 */
static bool raw_words(const char *line, struct strvec *out)
{
	const char *p = line, *start = NULL;
	char quote = 0;

	for (; *p; p++) {
		bool blank = !quote && strchr(" \t\v\f\r\n", *p);

		if (blank && start) {
			strvec_push_own(out, xstrndup(start,
						      (size_t)(p - start)));
			start = NULL;
		}
		if (blank)
			continue;
		if (!start)
			start = p;
		if (*p == '\\' && quote != '\'' && p[1])
			p++;
		else if (quote ? *p == quote : *p == '\'' || *p == '"')
			quote = quote ? 0 : *p;
	}
	if (start)
		strvec_push(out, start);
	return !quote;
}

/* The delimiter with quotes and escapes removed. */
static char *unquote(const char *word)
{
	struct strbuf out = STRBUF_INIT;
	const char *p;
	char quote = 0;

	for (p = word; *p; p++) {
		if (quote ? *p == quote : *p == '\'' || *p == '"') {
			quote = quote ? 0 : *p;
			continue;
		}
		if (*p == '\\' && !quote && p[1])
			p++;
		else if (*p == '\\' && quote == '"' && p[1] &&
			 strchr("\"$\\", p[1]))
			p++;
		else if (*p == '\\' && !quote)
			continue;
		strbuf_addch(&out, *p);
	}
	return strbuf_detach(&out);
}

/* Matches ^(\d*)<<(-?)\s*([^<]*)$; returns the last part or NULL. */
static const char *match(const char *text, unsigned *fd, bool *chomp)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t value = 0;

	if (!str_starts(text + digits, "<<"))
		return NULL;
	if (digits) {
		cleanup_free char *number = xstrndup(text, digits);

		if (!str_to_u64(number, UINT32_MAX, &value))
			return NULL;
	}
	*fd = (unsigned)value;
	text += digits + 2;
	*chomp = *text == '-';
	text += *chomp;
	text += strspn(text, " \t\v\f\r");
	return strchr(text, '<') ? NULL : text;
}

static bool read_word(const char *text, struct dockerfile_heredoc *h)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	const char *rest = match(text, &h->fd, &h->chomp);

	if (!rest || !raw_words(rest, &words) || words.nr != 1)
		return false;
	h->name = unquote(words.v[0]);
	h->expand = str_eq(h->name, words.v[0]);
	return true;
}

bool dockerfile_is_heredoc(const char *text)
{
	struct dockerfile_heredoc h = { 0 };
	bool is = read_word(text, &h);

	free(h.name);
	return is;
}

/* "<<" or "3<<-" alone, with a word after it that can be a delimiter: not
 * the number of a shift as in $((1 << 2)). */
static bool is_apart(const char *word, const char *next)
{
	unsigned fd;
	bool chomp;
	const char *rest = match(word, &fd, &chomp);

	if (!rest || *rest || !next)
		return false;
	return *next == '_' || *next == '\'' || *next == '"' || *next == '$' ||
	       dockerfile_is_letter((unsigned char)*next);
}

void dockerfile_join_heredocs(struct strvec *args)
{
	size_t i, n = 0;

	for (i = 0; i < args->nr; i++) {
		char *word = args->v[i];

		if (is_apart(word, args->v[i + 1])) {
			args->v[n++] = xstrfmt("%s%s", word, args->v[i + 1]);
			free(args->v[++i]);
			free(word);
		} else {
			args->v[n++] = word;
		}
	}
	args->nr = n;
	if (args->v)
		args->v[n] = NULL;
}

void dockerfile_find_heredocs(const char *line,
			      struct dockerfile_heredoc **v, size_t *nr)
{
	cleanup_strvec struct strvec words = STRVEC_INIT;
	size_t i, alloc = 0;

	*v = NULL;
	*nr = 0;
	if (!raw_words(line, &words))
		return;
	dockerfile_join_heredocs(&words);
	for (i = 0; i < words.nr; i++) {
		struct dockerfile_heredoc h = { 0 };

		if (!read_word(words.v[i], &h))
			continue;
		GROW(*v, *nr, alloc);
		(*v)[(*nr)++] = h;
	}
}

void dockerfile_chomp(struct strbuf *out, const char *content)
{
	bool start = true;

	for (; *content; content++) {
		if (start && *content == '\t')
			continue;
		strbuf_addch(out, *content);
		start = *content == '\n';
	}
}
