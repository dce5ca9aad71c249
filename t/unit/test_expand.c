/* test_expand.c - variables, quotes and escapes in words */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "dockerfile/dockerfile.h"

struct row {
	const char *in, *want;
};

static const char *get_var(void *arg, const char *name)
{
	static const char *const vars[][2] = {
		{ "a", "1" },	      { "e", "" },
		{ "p", "foo.tar.gz" }, { "path", "/usr/lib/x" },
		{ "w", "two words" },  { "\xc3\xbc", "umlaut" },
		{ "foo", "foofoo" },   { "s", "a*b?c\\d}e" },
	};
	size_t i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(vars); i++)
		if (str_eq(vars[i][0], name))
			return vars[i][1];
	return NULL;
}

static char *expand(const char *word, char escape)
{
	const struct dockerfile_env env = { get_var, NULL, escape };
	cleanup_error struct error err = ERROR_INIT;
	struct strbuf out = STRBUF_INIT;

	if (dockerfile_expand(&env, word, &out, &err) == 0)
		return strbuf_detach(&out);
	strbuf_release(&out);
	return xstrdup(err.msg);
}

static void see_expand(const struct row *rows, size_t n, char escape)
{
	size_t i;

	for (i = 0; i < n; i++) {
		cleanup_free char *got = expand(rows[i].in, escape);

		cr_expect_str_eq(got, rows[i].want, "%s gives %s, not %s",
				 rows[i].in, got, rows[i].want);
	}
}
#define SEE_EXPAND(...) \
	do { \
		static const struct row rows_[] = { __VA_ARGS__ }; \
		see_expand(rows_, ARRAY_SIZE(rows_), '\\'); \
	} while (0)
#define BAD(word, why) { word, "failed to process \"" word "\": " why }

/* [E01] */
Test(dockerfile_expansion, quotes_and_escapes)
{
	SEE_EXPAND({ "a\\b", "ab" }, { "a\\", "a" }, { "'$a\\'", "$a\\" },
		   { "\"\\\"\\$\\\\\\n\"", "\"$\\\\n" }, { "\"$a\"", "1" },
		   BAD("'a", "unexpected end of statement while looking for "
			     "matching single-quote"));
}

/* [E02] */
Test(dockerfile_expansion, names)
{
	SEE_EXPAND({ "$a${a}$.", "11$." }, { "$12x", "x" }, { "$@$?", "" },
		   { "$\xc3\xbc", "umlaut" },
		   { "$", "$" },
		   BAD("${}", "syntax error: bad substitution"),
		   BAD("${{a}", "syntax error: bad substitution"),
		   BAD("${:a}", "syntax error: bad substitution"),
		   BAD("${a", "syntax error: missing '}'"));
}

/* [E03] */
Test(dockerfile_expansion, unset_modifiers)
{
	SEE_EXPAND({ "${u:-x}${e:-x}${e-x}${a:-x}", "xx1" },
		   { "${u+x}${e+x}${e:+x}${a:+x}", "xx" },
		   { "${u:-${v:-$a}}", "1" }, { "${a?x}", "1" },
		   BAD("${u?}", "u: is not allowed to be unset"),
		   BAD("${e:?}", "e: is not allowed to be empty"),
		   BAD("${u?msg}", "u: msg"),
		   BAD("${u=x}", "unsupported modifier (=) in substitution"),
		   BAD("${u:=x}", "unsupported modifier (:=) in substitution"),
		   BAD("${u:-x", "syntax error: missing '}'"));
}

/* [E04] */
Test(dockerfile_expansion, trim)
{
	SEE_EXPAND({ "${p%.*}", "foo.tar" }, { "${p%%.*}", "foo" },
		   { "${p#*.}", "tar.gz" }, { "${p##*.}", "gz" },
		   { "${p#???}", ".tar.gz" }, { "${p#x}", "foo.tar.gz" },
		   { "${path##*/}", "x" }, { "${p%\\*}", "foo.tar.gz" },
		   { "${p#[f]}", "foo.tar.gz" },
		   { "${s#a\\*}", "b?c\\d}e" }, { "${s%\\}e}", "a*b?c\\d" },
		   { "${s##*\\\\}", "d}e" }, { "${s%%\\?*}", "a*b" },
		   { "${p#$foo}${p#${none:-foo}}", "foo.tar.gz.tar.gz" },
		   { "${none#x}${none%%*}", "" },
		   BAD("${p:#x}",
		       "unsupported modifier (:#) in substitution"));
}

/* [E05] */
Test(dockerfile_expansion, replace)
{
	SEE_EXPAND({ "${foo/o/0}", "f0ofoo" }, { "${foo//o/0}", "f00f00" },
		   { "${path//\\//-}", "-usr-lib-x" },
		   { "${path/l*/X}", "/usr/X" }, { "${foo//oo/$a}", "f1f1" },
		   { "${foo//o/}", "ff" }, { "${u/a/b}", "" },
		   { "${s/\\*/X}", "aXb?c\\d}e" },
		   { "${path/\\/usr*x/Y}", "Y" },
		   { "${foo/${a:+oo}/$p}", "ffoo.tar.gzfoo" },
		   BAD("${foo/o}", "syntax error: missing '/' in ${}"));
}

/* [E06] */
Test(dockerfile_expansion, escape_directive_counts)
{
	static const struct row rows[] = { { "`$a\\", "$a\\" },
					   { "\"`\"\"", "\"" } };

	see_expand(rows, ARRAY_SIZE(rows), '`');
}

/* [E09] */
Test(dockerfile_expansion, words_split_after_expansion)
{
	const struct dockerfile_env env = { get_var, NULL, '\\' };
	cleanup_strvec struct strvec words = STRVEC_INIT;

	cr_assert_eq(dockerfile_expand_words(&env, "x$w \"$w\"", &words, NULL),
		     0);
	cr_assert_eq(words.nr, 3);
	cr_expect_str_eq(words.v[0], "xtwo");
	cr_expect_str_eq(words.v[1], "words");
	cr_expect_str_eq(words.v[2], "two words");
}

/* [E10] */
Test(dockerfile_expansion, heredoc_bodies_keep_quotes)
{
	const struct dockerfile_env env = { get_var, NULL, '\\' };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	cr_assert_eq(dockerfile_expand_heredoc(&env, "\"$a\" 'x\n\\$a", &out,
					       NULL), 0);
	cr_expect_str_eq(out.buf, "\"1\" 'x\n$a");
}

/* [E11] */
Test(dockerfile_expansion, undefined_is_empty)
{
	SEE_EXPAND({ "[$u]", "[]" });
}

Test(dockerfile_expansion, is_bounded)
{
	struct strbuf deep = STRBUF_INIT;
	char *got;
	int i;

	for (i = 0; i < 100000; i++)
		strbuf_addstr(&deep, "${u:-");
	got = expand(deep.buf, '\\');
	cr_expect(strstr(got, "nested too deeply") || strstr(got, "missing"));
	free(got);
	strbuf_release(&deep);
}

/* Neither quotes nor a cut into words let a text grow past the limit. */
Test(dockerfile_expansion, is_bounded_in_quotes_and_words)
{
	const struct dockerfile_env env = { get_var, NULL, '\\' };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_strvec struct strvec words = STRVEC_INIT;
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *got = NULL;
	int i;

	strbuf_addch(&text, '"');
	for (i = 0; i < 200000; i++)
		strbuf_addstr(&text, "$w");
	strbuf_addch(&text, '"');
	got = expand(text.buf, '\\');
	cr_expect(strstr(got, "longer than 1048576 bytes"));
	text.buf[0] = text.buf[text.len - 1] = ' ';
	cr_assert_lt(dockerfile_expand_words(&env, text.buf, &words, &err), 0);
	cr_expect(strstr(err.msg, "longer than 1048576 bytes"));
}
