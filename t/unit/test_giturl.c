/* test_giturl.c - addresses of repositories: parsing, cleaning, comparing */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "wrap/giturl.h"

static void name_is(const char *url, const char *want)
{
	cleanup_free char *name = giturl_name(url);

	cr_expect_str_eq(name, want, "%s gives %s, not %s", url, name, want);
}

static void redacts(const char *url, const char *want)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	giturl_redact(url, &out);
	cr_expect_str_eq(out.buf, want, "%s gives %s", url, out.buf);
}

static void text_is(const char *url, const char *want)
{
	cleanup_giturl struct giturl u = { 0 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	cr_assert_eq(giturl_parse(&u, url, NULL), 0, "%s", url);
	giturl_text(&u, &out);
	cr_expect_str_eq(out.buf, want, "%s gives %s", url, out.buf);
}

static void refused(const char *url, const char *word)
{
	cleanup_giturl struct giturl u = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(giturl_parse(&u, url, &err), -1, "%s", url);
	cr_expect_eq(err.code, ERR_USAGE);
	cr_expect(strstr(err.msg, word), "%s: %s", url, err.msg);
}

static bool same(const char *a, const char *b)
{
	cleanup_giturl struct giturl x = { 0 }, y = { 0 };

	cr_assert_eq(giturl_parse(&x, a, NULL), 0);
	cr_assert_eq(giturl_parse(&y, b, NULL), 0);
	return giturl_same(&x, &y);
}

Test(giturl, names_the_folder_after_the_last_path_element)
{
	name_is("https://github.com/coder/envbuilder.git", "envbuilder");
	name_is("https://github.com/coder/envbuilder.git/", "envbuilder");
	name_is("https://u:p@github.com/coder/envbuilder.git//", "envbuilder");
	name_is("https://host/a/b#refs/heads/x/y", "b");
	name_is("https://github.com/coder/envbuilder.git/#refs/heads/x",
		"envbuilder");
	name_is("https://github.com/coder/envbuilder.git#x-branch",
		"envbuilder");
	name_is("https://github.com/coder/envbuilder", "envbuilder");
	name_is("/repo", "repo");
	name_is("/path/to/repo", "repo");
	name_is("https://host/a/b.git?x=/y", "b");
	name_is("https://host/my%20repo.git", "my repo");
	name_is("git@github.com:coder/tool.git", "tool");
	name_is("git@github.com:tool", "tool");
	name_is("ssh://git@host:2222/x/y.git", "y");
	name_is("/srv/git/z.git/", "z");
	name_is("file:///srv/git/z.git", "z");
	name_is("./sub/dir", "dir");
}

Test(giturl, names_the_folder_empty_without_a_usable_path)
{
	name_is("https://host", "empty");
	name_is("https://host/", "empty");
	name_is("https://host/#main", "empty");
	name_is("/", "empty");
	name_is("https://host/..", "empty");
	name_is("https://host/.git", "empty");
	name_is("https://host/%2e%2e", "empty");
	name_is("", "empty");
}

Test(giturl, redacts_credentials_and_nothing_else)
{
	redacts("https://u:p@h/x#y@z", "https://h/x#y@z");
	redacts("https://token@h/x", "https://h/x");
	redacts("https://u:p@q@h/x", "https://h/x");
	redacts("https://h/x@y", "https://h/x@y");
	redacts("https://h?u:p@x", "https://h?u:p@x");
	redacts("ssh://git:pw@h:22/x", "ssh://git@h:22/x");
	redacts("ssh://git@h/x", "ssh://git@h/x");
	redacts("git@h:x", "git@h:x");
	redacts("git:pw@h:x", "git@h:x");
	redacts("./a@b", "./a@b");
}

Test(giturl, text_has_no_secret_and_no_fragment)
{
	text_is("https://u:p@Host:8443/x/y.git#main",
		"https://host:8443/x/y.git");
	text_is("git@h:x/y.git#v1", "git@h:x/y.git");
	text_is("git@[h:2222]:x/y", "ssh://git@h:2222/~/x/y");
	text_is("git@[::1]:/x/y", "ssh://git@[::1]/x/y");
	text_is("ssh://git:pw@h:2222/x", "ssh://git@h:2222/x");
	text_is("git+ssh://git@h/x", "ssh://git@h/x");
	text_is("file:///a%20b", "file:///a%20b");
	text_is("  /srv/x ", "/srv/x");
}

Test(giturl, reads_user_and_password_decoded)
{
	cleanup_giturl struct giturl u = { 0 };

	cr_assert_eq(giturl_parse(&u, "https://a%40b:c%3ad@h:81/x#refs/heads/m",
				  NULL), 0);
	cr_expect_str_eq(u.user, "a@b");
	cr_expect_str_eq(u.password, "c:d");
	cr_expect_str_eq(u.host, "h");
	cr_expect_eq(u.port, 81);
	cr_expect_str_eq(u.path, "/x");
	cr_expect_str_eq(u.fragment, "refs/heads/m");
}

Test(giturl, refuses_what_could_run_or_hide_something)
{
	refused("ext::sh -c touch% /x", "transport helpers");
	refused("fd::17", "transport helpers");
	refused("https://a%0ahost=b/", "control character");
	refused("https://h/x\r", "control character");
	refused("https://h/x%00y", "control character");
	refused("https://h/x\033[2J", "control character");
	refused("ssh://-oProxyCommand=x/y", "host");
	refused("-oProxyCommand=x:y", "starts with '-'");
	refused("h:--upload-pack=x", "starts with '-'");
	refused("ssh://-x@h/y", "starts with '-'");
	refused("--upload-pack=x", "starts with '-'");
	refused("ftp://h/x", "'ftp' is not supported");
	refused("https:///x", "no host");
	refused("https://h:0/x", "port");
	refused("https://h:99999/x", "port");
	refused("https://h x/y", "character ' '");
	refused("file://other/x", "another host");
	refused("", "empty");
	refused("#main", "empty");
}

Test(giturl, compares_without_credentials_and_decoration)
{
	cr_expect(same("https://u:p@h/x.git", "https://H:443/x/"));
	cr_expect(same("git@h:x/y.git", "ssh://other@h:22/x/y"));
	cr_expect(same("git@[h:2222]:x", "ssh://h:2222/~/x"));
	cr_expect(same("/srv/x.git/", "file:///srv/x"));
	cr_expect(!same("https://h/x", "https://h/y"));
	cr_expect(!same("https://h/x", "https://h:444/x"));
	cr_expect(!same("https://h/x", "http://h/x"));
	cr_expect(!same("https://h/x", "https://h/X"));
}

static void resolves(const char *parent, const char *rel, const char *want)
{
	cleanup_giturl struct giturl p = { 0 }, u = { 0 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(giturl_parse(&p, parent, NULL), 0);
	if (giturl_resolve(&u, &p, rel, &err) < 0) {
		cr_expect_null(want, "%s + %s: %s", parent, rel, err.msg);
		return;
	}
	cr_assert_not_null(want, "%s + %s must fail", parent, rel);
	giturl_text(&u, &out);
	cr_expect_str_eq(out.buf, want, "%s + %s gives %s", parent, rel,
			 out.buf);
}

Test(giturl, resolves_relative_submodules)
{
	resolves("https://h/a/b.git", "../c.git", "https://h/a/c.git");
	resolves("https://h/a/b.git/", "../../c", "https://h/c");
	resolves("https://h/a", "./c", "https://h/a/c");
	resolves("git@h:a/b.git", "../c.git", "git@h:a/c.git");
	resolves("git@h:b.git", "../c.git", "git@h:c.git");
	resolves("/srv/a/b", "../c", "/srv/a/c");
	resolves("https://h/a", "https://other/x", "https://other/x");
}

Test(giturl, relative_submodules_stay_on_their_host)
{
	resolves("https://h/a", "../../evil.example/x", NULL);
	resolves("git@h:b", "../../evil.example:x", NULL);
	resolves("git@h:b", "../-oProxyCommand=x", NULL);
	resolves("https://h/a", "ext::sh", NULL);
}
