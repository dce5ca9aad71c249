/* test_ignore.c - which files .dockerignore leaves out (D02 to D05) */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "dockerfile/dockerfile.h"

/* Walks down to `path` as a scan does; true when it is left out. */
static bool ignored(const char *patterns, const char *path)
{
	struct dockerfile_ignore_dir dir = { NULL }, sub;
	struct dockerfile_ignore *ig = NULL;
	cleanup_free char *own = xstrdup(path);
	bool out = false;
	char *slash = own;

	cr_assert_eq(dockerfile_ignore_parse(&ig, "I", patterns,
					     strlen(patterns), NULL), 0);
	while (*slash) {
		char kept;

		slash += strcspn(slash + 1, "/") + 1;
		kept = *slash;
		*slash = '\0';
		out = dockerfile_ignored(ig, own, &dir, &sub);
		free(dir.matched);
		dir = sub;
		*slash = kept;
	}
	free(dir.matched);
	dockerfile_ignore_free(ig);
	return out;
}

struct ignore_row {
	const char *patterns, *path;
	bool want;
};

static void see_ignored(const struct ignore_row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		cr_expect_eq(ignored(rows[i].patterns, rows[i].path),
			     rows[i].want, "%s: %s", rows[i].patterns,
			     rows[i].path);
}

/* [D02] */
Test(dockerfile_ignore, lines)
{
	static const struct ignore_row rows[] = {
		{ "\xef\xbb\xbf" "a\n", "a", true },
		{ "#a\n", "#a", false },
		{ " #a\n", "#a", true },
		{ "  a  \r\n", "a", true },
		{ "/a\n", "a", true },
		{ "./x/../a/\n", "a", true },
		{ "a\n! a\n", "a", false },
	};
	cleanup_error struct error err = ERROR_INIT;
	struct dockerfile_ignore *ig = NULL;

	see_ignored(rows, ARRAY_SIZE(rows));
	cr_expect_eq(dockerfile_ignore_parse(&ig, "I", "a\n!\n", 4, &err), -1);
	cr_expect_str_eq(err.msg, "I:2:1: illegal exclusion pattern: \"!\"");
}

/* [D03] */
Test(dockerfile_ignore, last_match_wins)
{
	static const struct ignore_row rows[] = {
		{ "*\n!a\n", "a", false },   { "*\n!a\n", "b", true },
		{ "!a\n*\n", "a", true },    { "a\n", "a/b/c", true },
		{ "**/x\n", "x", true },     { "**/x\n", "a/b/x", true },
		{ "**/x\n", "a/bx", false }, { "a/**\n", "a", false },
		{ "a/**\n", "a/b/c", true }, { "**\n", "a/b", true },
		{ ".\n", "a", false },	     { "a/**/b\n", "a/b", true },
		{ "a/**/b\n", "a/x/y/b", true },
		{ "a\n!a/b\n", "a/b", false },
		{ "a\n!a/b\n", "a/c", true },
		{ "**.go\n", "a/x.go", true },
		{ "a/**/b*c\n", "a/bx/bc", true },
	};

	see_ignored(rows, ARRAY_SIZE(rows));
}

/* [D03] */
Test(dockerfile_ignore, deep_inside_an_element)
{
	static const struct ignore_row rows[] = {
		{ "*a**/b\n", "xaab/b", true },
		{ "*a**/b\n", "xacab", true },
		{ "*a**/b\n", "xa/y/b", true },
		{ "*a**/b\n", "x/a/b", false },
		{ "*a**/b\n", "xacb", false },
		{ "**/a**/b\n", "ax/ab", true },
		{ "**/a**/b\n", "ax/cb", false },
		{ "*a**/?[b-d]*e\n", "xaqa1c/e", false },
		{ "*a**/?[b-d]*e\n", "xaqa1cze", true },
		{ "*a**/b**\n", "aab", true },
		{ "a**/b\n", "axx/b", true },
		{ "a**/b\n", "axxb", false },
	};

	see_ignored(rows, ARRAY_SIZE(rows));
}

/* [D04] */
Test(dockerfile_ignore, wildcards)
{
	static const struct ignore_row rows[] = {
		{ "*.go\n", "a.go", true },   { "*.go\n", "a/b.go", false },
		{ "a?c\n", "a/c", false },    { "[a-z]\n", "q", true },
		{ "[^x]\n", "y", true },      { "a\\*\n", "a*", true },
		{ "a\\*\n", "ab", false },    { "a.b\n", "axb", false },
		{ "(a+)|{}$\n", "(a+)|{}$", true },
		{ "*/*.x\n", "a/b.x", true },
	};
	cleanup_error struct error err = ERROR_INIT;
	struct dockerfile_ignore *ig = NULL;

	see_ignored(rows, ARRAY_SIZE(rows));
	cr_expect_eq(dockerfile_ignore_parse(&ig, "I", "a\n[b\n", 5, &err),
		     -1);
	cr_expect_str_eq(err.msg, "I:2:1: syntax error in pattern");
}

/* [D05] */
Test(dockerfile_ignore, exceptions_keep_directories_walked)
{
	static const char *const text = "a\nb\n!a/x/y\n!q*\n";
	struct dockerfile_ignore *ig = NULL;

	cr_assert_eq(dockerfile_ignore_parse(&ig, "I", text, strlen(text),
					     NULL), 0);
	cr_expect(dockerfile_ignore_walk(ig, "a"));
	cr_expect(dockerfile_ignore_walk(ig, "a/x"));
	cr_expect_not(dockerfile_ignore_walk(ig, "a/x/y"));
	cr_expect_not(dockerfile_ignore_walk(ig, "a/z"));
	cr_expect_not(dockerfile_ignore_walk(ig, "b"));
	cr_expect(dockerfile_ignore_walk(ig, "qq"));
	dockerfile_ignore_free(ig);
}
