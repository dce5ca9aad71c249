/* expand.c - variables, quotes and escapes in words */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/internal.h"

#define DEPTH_MAX 64
#define NO_STOP 0
#define SHOWN_MAX 200 /* bytes of a word that a message repeats */

struct lexer {
	const struct dockerfile_env *env;
	const char *p, *end;
	bool plain_quotes; /* quotes mean nothing (heredoc bodies) */
	unsigned depth;
	size_t max; /* bytes a result may have */
};

/* Where characters go. Only the outermost level splits into words. */
struct sink {
	struct strbuf *text;
	struct strvec *words; /* or NULL */
	size_t bytes; /* put so far, words included */
};

static int too_long(const struct lexer *lx, struct error *err)
{
	return error_set(err, ERR_INPUT,
			 "the expanded text is longer than %zu bytes",
			 lx->max);
}

static void end_word(struct sink *s)
{
	if (!s->words)
		return;
	if (s->text->len)
		strvec_push(s->words, s->text->buf);
	strbuf_reset(s->text);
}

static void put(struct sink *s, const char *p, size_t n, bool may_split)
{
	const char *end = p + n;

	s->bytes += n;
	if (!s->words || !may_split) {
		strbuf_add(s->text, p, n);
		return;
	}
	while (p < end) {
		uint32_t c;
		size_t len = dockerfile_rune(p, end, &c);

		if (dockerfile_is_space(c))
			end_word(s);
		else
			strbuf_add(s->text, p, len);
		p += len;
	}
}

static size_t peek(const struct lexer *lx, uint32_t *c)
{
	*c = 0;
	return lx->p < lx->end ? dockerfile_rune(lx->p, lx->end, c) : 0;
}

/* A run of digits, one special parameter, or letters, digits and "_". */
static char *read_name(struct lexer *lx)
{
	const char *start = lx->p;
	uint32_t c;
	size_t n = peek(lx, &c);

	if (n && dockerfile_is_digit(c)) {
		for (; n && dockerfile_is_digit(c); n = peek(lx, &c))
			lx->p += n;
	} else if (n == 1 && c < 0x80 && strchr("@*#?-$!", (int)c)) {
		lx->p++;
	} else {
		for (; n && (dockerfile_is_letter(c) ||
			     dockerfile_is_digit(c) || c == '_');
		     n = peek(lx, &c))
			lx->p += n;
	}
	return xstrndup(start, (size_t)(lx->p - start));
}

static const char *get(const struct lexer *lx, const char *name)
{
	return lx->env->get(lx->env->arg, name);
}

/* The same where nothing stands for a name that is unset. */
static const char *need(const struct lexer *lx, const char *name)
{
	const char *value = get(lx, name);

	if (!value && lx->env->unset)
		lx->env->unset(lx->env->arg, name);
	return value;
}

static int run(struct lexer *lx, char stop, bool raw, struct sink *s,
	       struct error *err);

/* The word of a modifier, up to `stop`. */
static int modifier_word(struct lexer *lx, char stop, bool raw,
			 const char *missing, struct strbuf *out,
			 struct error *err)
{
	cleanup_error struct error inner = ERROR_INIT;
	struct sink s = { .text = out };

	if (++lx->depth > DEPTH_MAX)
		return error_set(err, ERR_INPUT,
				 "substitutions are nested too deeply");
	if (run(lx, stop, raw, &s, &inner) < 0) {
		if (lx->p < lx->end)
			return error_move(err, &inner);
		return error_set(err, ERR_INPUT, "%s", missing);
	}
	lx->depth--;
	return 0;
}

static int substitute_unset(const char *name, const char *value, char op,
			    bool colon, const char *word, struct sink *s,
			    struct error *err)
{
	bool absent = !value || (colon && !*value);

	if (op == '?' && absent)
		return error_set(err, ERR_INPUT, "%s: %s", name,
				 *word ? word :
				 value ? "is not allowed to be empty" :
					 "is not allowed to be unset");
	if (op == '+')
		value = absent ? "" : word;
	else if (absent) /* '-' */
		value = word;
	put(s, value, strlen(value), true);
	return 0;
}

static int substitute_trim(const char *value, char op, const char *word,
			   struct sink *s, struct error *err)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	bool longest = *word == op;

	if (dockerfile_pattern_trim(value ? value : "", word + longest,
				    op == '%', longest, &out, err) < 0)
		return -1;
	put(s, out.buf, out.len, true);
	return 0;
}

static int substitute_replace(struct lexer *lx, const char *name,
			      struct sink *s, struct error *err)
{
	cleanup_strbuf struct strbuf pattern = STRBUF_INIT;
	cleanup_strbuf struct strbuf with = STRBUF_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	bool all = lx->p < lx->end && *lx->p == '/';
	const char *value = need(lx, name);

	lx->p += all;
	if (modifier_word(lx, '/', true, "syntax error: missing '/' in ${}",
			  &pattern, err) < 0 ||
	    modifier_word(lx, '}', false, "syntax error: missing '}'", &with,
			  err) < 0 ||
	    dockerfile_pattern_replace(value ? value : "", pattern.buf,
				       with.buf, all, &out, err) < 0)
		return -1;
	put(s, out.buf, out.len, true);
	return 0;
}

static int unsupported(const char *start, const struct lexer *lx,
		       struct error *err)
{
	return error_set(err, ERR_INPUT,
			 "unsupported modifier (%.*s) in substitution",
			 (int)(lx->p - start), start);
}

/* After "${name": the modifier and the closing brace. */
static int modifier(struct lexer *lx, const char *name, struct sink *s,
		    struct error *err)
{
	cleanup_strbuf struct strbuf word = STRBUF_INIT;
	const char *start = lx->p, *value;
	uint32_t c;
	bool colon;

	lx->p += peek(lx, &c);
	if (c == '}') {
		value = need(lx, name);
		if (value)
			put(s, value, strlen(value), true);
		return 0;
	}
	if (c == '/')
		return substitute_replace(lx, name, s, err);
	colon = c == ':';
	if (colon)
		lx->p += peek(lx, &c);
	if (!c)
		return error_set(err, ERR_INPUT, "syntax error: missing '}'");
	if (c > 0x7f || !strchr(colon ? "+-?" : "+-?#%", (int)c))
		return unsupported(start, lx, err);
	if (modifier_word(lx, '}', c == '#' || c == '%',
			  "syntax error: missing '}'", &word, err) < 0)
		return -1;
	if (c == '#' || c == '%')
		return substitute_trim(need(lx, name), (char)c, word.buf, s,
				       err);
	value = get(lx, name);
	return substitute_unset(name, value, (char)c, colon, word.buf, s, err);
}

static int dollar(struct lexer *lx, struct sink *s, struct error *err)
{
	cleanup_free char *name = NULL;
	const char *value;

	lx->p++;
	if (lx->p < lx->end && *lx->p == '{') {
		lx->p++;
		if (lx->p == lx->end)
			return error_set(err, ERR_INPUT,
					 "syntax error: missing '}'");
		if (strchr("{}:", *lx->p))
			return error_set(err, ERR_INPUT,
					 "syntax error: bad substitution");
		name = read_name(lx);
		return modifier(lx, name, s, err);
	}
	name = read_name(lx);
	if (!*name) {
		put(s, "$", 1, false);
		return 0;
	}
	value = need(lx, name);
	if (value)
		put(s, value, strlen(value), true);
	return 0;
}

static int single_quote(struct lexer *lx, struct sink *s, struct error *err)
{
	const char *close = memchr(lx->p + 1, '\'',
				   (size_t)(lx->end - lx->p - 1));

	if (!close) {
		lx->p = lx->end;
		return error_set(err, ERR_INPUT,
				 "unexpected end of statement while looking "
				 "for matching single-quote");
	}
	put(s, lx->p + 1, (size_t)(close - lx->p - 1), false);
	lx->p = close + 1;
	return 0;
}

static int double_quote(struct lexer *lx, bool raw, struct sink *s,
			struct error *err)
{
	/* What stands in quotes is never split. */
	struct sink inner = { .text = s->text, .bytes = s->bytes };
	char escape = lx->env->escape;

	lx->p++;
	while (lx->p < lx->end && *lx->p != '"') {
		if (inner.bytes > lx->max)
			return too_long(lx, err);
		if (*lx->p == '$') {
			if (dollar(lx, &inner, err) < 0)
				return -1;
			continue;
		}
		if (*lx->p == escape && lx->p + 1 == lx->end) {
			lx->p++;
			continue;
		}
		if (*lx->p == escape && (lx->p[1] == '"' || lx->p[1] == '$' ||
					 lx->p[1] == escape)) {
			if (raw)
				put(&inner, lx->p, 1, false);
			lx->p++;
		}
		put(&inner, lx->p++, 1, false);
	}
	if (lx->p == lx->end)
		return error_set(err, ERR_INPUT,
				 "unexpected end of statement while looking "
				 "for matching double-quote");
	lx->p++;
	s->bytes = inner.bytes;
	return 0;
}

/* One character that is neither "$" nor a quote. */
static void ordinary(struct lexer *lx, bool raw, struct sink *s)
{
	uint32_t c;
	size_t n = peek(lx, &c);

	if (c != (unsigned char)lx->env->escape) {
		put(s, lx->p, n, true);
		lx->p += n;
		return;
	}
	if (raw)
		put(s, lx->p, n, false);
	lx->p += n;
	n = peek(lx, &c);
	put(s, lx->p, n, false);
	lx->p += n;
}

static int run(struct lexer *lx, char stop, bool raw, struct sink *s,
	       struct error *err)
{
	while (lx->p < lx->end) {
		char c = *lx->p;
		int r = 0;

		if (stop != NO_STOP && c == stop) {
			lx->p++;
			return 0;
		}
		if (c == '$')
			r = dollar(lx, s, err);
		else if (c == '\'' && !lx->plain_quotes)
			r = single_quote(lx, s, err);
		else if (c == '"' && !lx->plain_quotes)
			r = double_quote(lx, raw, s, err);
		else
			ordinary(lx, raw, s);
		if (r < 0)
			return -1;
		if (s->bytes > lx->max)
			return too_long(lx, err);
	}
	if (stop != NO_STOP)
		return error_set(err, ERR_INPUT,
				 "unexpected end of statement while looking "
				 "for matching %c", stop);
	return 0;
}

static int expand(const struct dockerfile_env *env, const char *word,
		  bool plain_quotes, size_t max, struct sink *s,
		  struct error *err)
{
	cleanup_error struct error inner = ERROR_INIT;
	cleanup_strbuf struct strbuf quoted = STRBUF_INIT;
	cleanup_free char *shown = NULL;
	struct lexer lx = {
		.env = env, .p = word, .end = word + strlen(word),
		.plain_quotes = plain_quotes, .max = max,
	};

	if (run(&lx, NO_STOP, false, s, &inner) == 0)
		return 0;
	shown = xstrndup(word, SHOWN_MAX);
	dockerfile_quote(&quoted, shown);
	return error_set(err, ERR_INPUT, "failed to process %s%s: %s",
			 quoted.buf, strlen(word) > SHOWN_MAX ? "..." : "",
			 inner.msg);
}

int dockerfile_expand(const struct dockerfile_env *env, const char *word,
		      struct strbuf *out, struct error *err)
{
	struct sink s = { .text = out };

	return expand(env, word, false, DOCKERFILE_WORD_MAX, &s, err);
}

int dockerfile_expand_words(const struct dockerfile_env *env,
			    const char *word, struct strvec *out,
			    struct error *err)
{
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	struct sink s = { .text = &text, .words = out };

	if (expand(env, word, false, DOCKERFILE_WORD_MAX, &s, err) < 0)
		return -1;
	end_word(&s);
	return 0;
}

int dockerfile_expand_heredoc(const struct dockerfile_env *env,
			      const char *body, struct strbuf *out,
			      struct error *err)
{
	struct sink s = { .text = out };

	return expand(env, body, true, DOCKERFILE_HEREDOC_MAX, &s, err);
}
