/* test_gitref.c - git references of ADD and contexts */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "dockerfile/dockerfile.h"

struct reads {
	const char *text, *remote, *ref, *subdir, *checksum;
};

/* [I41] */
Test(gitref, splits_query_and_fragment)
{
	static const struct reads rows[] = {
		{ "https://h/r.git", "https://h/r.git", NULL, NULL, NULL },
		{ "https://h/r.git#", "https://h/r.git", NULL, NULL, NULL },
		{ "git@h:r.git#a/b:c/d", "git@h:r.git", "a/b", "c/d", NULL },
		{ "github.com/a/b#c", "https://github.com/a/b", "c", NULL,
		  NULL },
		{ "https://h/r.git#:d", "https://h/r.git", NULL, "d", NULL },
		{ "https://h/r.git?ref=a#a:b", "https://h/r.git", "a", "b",
		  NULL },
		{ "ssh://u@h/r?ref=a%2Fb+c&subdir=%64", "ssh://u@h/r",
		  "a/b c", "d", NULL },
		{ "https://h/r.git?tag=t", "https://h/r.git", "refs/tags/t",
		  NULL, NULL },
		{ "https://h/r.git?branch=refs/heads/b", "https://h/r.git",
		  "refs/heads/b", NULL, NULL },
		{ "https://h/r.git?commit=abcd", "https://h/r.git", "abcd",
		  NULL, "abcd" },
		{ "https://h/r.git?checksum=ab&ref=x", "https://h/r.git", "x",
		  NULL, "ab" },
		{ "https://h/r.git?checksum=ab&ref=x&fetch-by-commit=1",
		  "https://h/r.git", "ab", NULL, "ab" },
		{ "https://h/r.git?&&", "https://h/r.git", NULL, NULL, NULL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_dockerfile_git struct dockerfile_git g = { 0 };
		cleanup_error struct error err = ERROR_INIT;

		cr_assert_eq(dockerfile_git_parse(&g, rows[i].text, &err), 0,
			     "%s: %s", rows[i].text, err.msg);
		cr_expect_str_eq(g.remote, rows[i].remote);
		cr_expect(str_eq_null(g.ref, rows[i].ref), "%s",
			  rows[i].text);
		cr_expect(str_eq_null(g.subdir, rows[i].subdir), "%s",
			  rows[i].text);
		cr_expect(str_eq_null(g.checksum, rows[i].checksum), "%s",
			  rows[i].text);
	}
}

/* [I41] */
Test(gitref, switches_are_go_bools_and_may_be_bare)
{
	cleanup_dockerfile_git struct dockerfile_git g = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(dockerfile_git_parse(&g, "git://h/r?keep-git-dir", &err),
		     0);
	cr_expect(g.keep_git_dir == 1 && g.submodules == -1 &&
		  !g.mtime_commit);
	dockerfile_git_release(&g);
	cr_assert_eq(dockerfile_git_parse(&g,
					  "git://h/r?keep-git-dir=T&"
					  "submodules=False&mtime=commit",
					  &err), 0);
	cr_expect(g.keep_git_dir == 1 && g.submodules == 0 && g.mtime_commit);
}

/* [I41] */
Test(gitref, says_what_is_wrong)
{
	static const char *const rows[][2] = {
		{ "x.git?ref=b#a", "ref conflicts: \"a\" vs \"b\"" },
		{ "x.git?tag=b#a", "ref conflicts: \"a\" vs \"refs/tags/b\"" },
		{ "x.git?branch=b&ref=a",
		  "ref conflicts: \"a\" vs \"refs/heads/b\"" },
		{ "x.git?subdir=b#:a", "subdir conflicts: \"a\" vs \"b\"" },
		{ "x.git?checksum=b&commit=a",
		  "checksum conflicts: \"b\" vs \"a\"" },
		{ "x.git?tag=a&branch=a", "branch conflicts with tag" },
		{ "x.git?mtime=x", "invalid mtime value: \"x\"" },
		{ "x.git?fetch-by-commit=x",
		  "invalid fetch-by-commit value: \"x\"" },
		{ "x.git?keep-git-dir=x", "invalid keep-git-dir value: \"x\"" },
		{ "x.git?submodules=yes", "invalid submodules value: \"yes\"" },
		{ "x.git?q", "query \"q\" has no value" },
		{ "x.git?q=1", "unexpected query \"q\"" },
		{ "x.git?ref=1&ref=1", "query \"ref\" has multiple values" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_dockerfile_git struct dockerfile_git g = { 0 };
		cleanup_error struct error err = ERROR_INIT;

		cr_assert_eq(dockerfile_git_parse(&g, rows[i][0], &err), -1,
			     "%s", rows[i][0]);
		cr_expect_str_eq(err.msg, rows[i][1]);
		cr_expect_eq(err.code, ERR_INPUT);
	}
}
