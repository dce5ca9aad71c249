/* test_dockerfile_grammar.c - durations, globs, quoted words */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "dockerfile/dockerfile.h"

Test(dockerfile_grammar, durations)
{
	static const struct {
		const char *text;
		int64_t ns;
		const char *again;
	} rows[] = {
		{ "1h2m3.5s", 3723500000000, "1h2m3.5s" },
		{ "90s", 90000000000, "1m30s" },
		{ "1.5ms", 1500000, "1.5ms" },
		{ "100us", 100000, "100\xc2\xb5s" },
		{ "0", 0, "0s" },
		{ "1h", 3600000000000, "1h0m0s" },
		{ "-5ns", -5, "-5ns" },
	};
	static const char *const bad[] = { "", "5", "s", ".s", "1x", "1s ",
					   "9999999999999h" };
	int64_t ns;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		cr_expect_eq(dockerfile_duration(rows[i].text, &ns, NULL), 0,
			     "%s", rows[i].text);
		cr_expect_eq(ns, rows[i].ns, "%s", rows[i].text);
		dockerfile_duration_format(&out, ns);
		cr_expect_str_eq(out.buf, rows[i].again);
	}
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(dockerfile_duration(bad[i], &ns, NULL), -1, "%s",
			     bad[i]);
}

Test(dockerfile_grammar, globs)
{
	static const struct {
		const char *pattern, *name;
		int want;
	} rows[] = {
		{ "*", "abc", 1 },	{ "a*", "abc", 1 },
		{ "a*", "ab/c", 0 },	{ "a*b*c", "axbxbxc", 1 },
		{ "a?c", "abc", 1 },	{ "a?c", "a/c", 0 },
		{ "[[]a", "[a", 1 },	{ "[a-c]x", "bx", 1 },
		{ "[^a-c]x", "dx", 1 }, { "[^a]", "a", 0 },
		{ "a/*/c", "a/b/c", 1 }, { "**", "a/b", 0 },
		{ "\\*", "*", 1 },	{ "[", "a", -1 },
		{ "a[", "b", -1 },	{ "[]a]", "a", -1 },
		{ "a\\", "a", -1 },	{ "[-x]", "x", -1 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		cr_expect_eq(dockerfile_glob(rows[i].pattern, rows[i].name),
			     rows[i].want, "%s %s", rows[i].pattern,
			     rows[i].name);
}

Test(dockerfile_grammar, quote_is_go_s)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	dockerfile_quote(&out, "a\"\\\n\t\x01\xff\xc3\xbc\xe2\x80\x8b");
	cr_expect_str_eq(out.buf, "\"a\\\"\\\\\\n\\t\\x01\\xff\xc3\xbc"
				  "\\u200b\"");
}
