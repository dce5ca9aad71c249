/* test_gitmodules.c - .gitmodules as anybody may have written it */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "wrap/gitmodules.h"

static void refused(const char *text, const char *word)
{
	cleanup_gitmodules struct gitmodules m = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(gitmodules_parse(&m, ".gitmodules", text, strlen(text),
				      &err), -1, "%s", text);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect(strstr(err.msg, word), "%s", err.msg);
}

Test(gitmodules, reads_names_paths_and_urls)
{
	static const char text[] =
		"# a comment\n[submodule \"a/b\"]\n"
		"\tpath = \"x y\" ; more\n\tURL = ../b.git\n"
		"\tbranch = main\n[core]\n\tpath = no\n"
		"[submodule \"c\"] path = c\n url = https://h/\\\nc\n"
		"[submodule \"half\"]\npath = half\n"
		"[include]\n\tpath = /etc/passwd\n";
	cleanup_gitmodules struct gitmodules m = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(gitmodules_parse(&m, "f", text, sizeof(text) - 1, &err),
		     0, "%s", err.msg);
	cr_assert_eq(m.nr, 2);
	cr_expect_str_eq(m.v[0].name, "a/b");
	cr_expect_str_eq(m.v[0].path, "x y");
	cr_expect_str_eq(m.v[0].url, "../b.git");
	cr_expect_str_eq(m.v[1].url, "https://h/c");
}

Test(gitmodules, refuses_names_and_paths_that_lead_elsewhere)
{
	refused("[submodule \"../x\"]\npath = a\nurl = b\n", "name");
	refused("[submodule \"/x\"]\npath = a\n", "name");
	refused("[submodule \"a\"]\npath = ../x\n", "path");
	refused("[submodule \"a\"]\npath = x/../../y\n", "path");
	refused("[submodule \"a\"]\npath = x\\\\..\\\\y\n", "path");
	refused("[submodule \"a\"]\npath = /x\n", "path");
	refused("[submodule \"a\"]\npath = .git/hooks\n", "path");
	refused("[submodule \"a\"]\npath = x/.GIT\n", "path");
	refused("[submodule \"a\"]\npath = \"x\\t\"\n", "path");
	refused("[submodule \"a\"]\npath = -x\n", "path");
	refused("[submodule \"a\"]\npath =\n", "path");
	refused("[submodule \"a\"]\nurl = --upload-pack=x\n", "url");
	refused("[submodule \"a\"]\nurl = \"x\\ny\"\n", "url");
	refused("[submodule \"a\"]\npath = \"sub\r\"\n", "path");
}

Test(gitmodules, refuses_broken_text_with_its_line)
{
	refused("\n[submodule \"a\"\n", ".gitmodules:2:");
	refused("[submodule \"a\"]\n\n=x\n", ".gitmodules:3:");
	refused("[submodule \"a\"]\nurl = \"x\n", "quote");
	refused("[submodule \"a\"]\nurl = \\x\n", "escape");
}
