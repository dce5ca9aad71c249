/* test_registry.c - challenges, docker configurations, addresses */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/internal.h"

Test(registry_challenge, reads_quoted_strings_with_commas_and_blanks)
{
	cleanup_registry_challenge struct registry_challenge c = { 0 };

	registry_challenge_parse(&c,
		"Bearer realm=\"https://auth/token?x=1,2\",service=\"a b\","
		"scope=\"repository:b/n:pull,push repository:a/dev:pull\","
		"error=\"insufficient_scope\"");
	cr_assert(c.bearer && !c.basic);
	cr_assert_str_eq(c.realm, "https://auth/token?x=1,2");
	cr_assert_str_eq(c.service, "a b");
	cr_assert_str_eq(c.scope,
			 "repository:b/n:pull,push repository:a/dev:pull");
	cr_assert_str_eq(c.error, "insufficient_scope");
}

Test(registry_challenge, takes_bearer_among_several_in_any_order)
{
	cleanup_registry_challenge struct registry_challenge a = { 0 };
	cleanup_registry_challenge struct registry_challenge b = { 0 };

	registry_challenge_parse(&a, "Basic realm=\"wrong\", Negotiate, "
				     "bearer realm=right , service=s");
	cr_assert(a.bearer && a.basic);
	cr_assert_str_eq(a.realm, "right");
	cr_assert_str_eq(a.service, "s");
	registry_challenge_parse(&b, "Bearer realm=\"one\"");
	registry_challenge_parse(&b, "Bearer realm=\"two\"");
	registry_challenge_parse(&b, "Basic realm=\"three\"");
	cr_assert_str_eq(b.realm, "one");
	cr_assert(b.basic);
}

Test(registry_challenge, survives_nonsense)
{
	static const char *const odd[] = {
		"", ",,,", "=", "Bearer", "Bearer realm=", "Bearer realm=\"x",
		"Bearer realm=\"x\\", "Bearer =\"x\"", "\"\"\"", "\x01\x02",
		"Bearer realm=\"a\\\"b\"",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(odd); i++) {
		cleanup_registry_challenge struct registry_challenge c = { 0 };

		registry_challenge_parse(&c, odd[i]);
		if (i == ARRAY_SIZE(odd) - 1)
			cr_assert_str_eq(c.realm, "a\"b");
	}
}

static int find(const char *text, const char *host, const char *repository,
		struct registry_credentials *out, struct error *err)
{
	struct registry_config c = { 0 };
	int rc;

	cr_assert_eq(registry_config_add(&c, "test", text, strlen(text), err),
		     0);
	rc = registry_config_find(&c, host, repository, out, err);
	registry_config_release(&c);
	return rc;
}

static void finds_user(const char *text, const char *host,
		       const char *repository, const char *user)
{
	cleanup_registry_credentials struct registry_credentials c = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	int rc = find(text, host, repository, &c, &err);

	cr_assert_eq(rc, user ? 1 : 0, "%s %s: %d %s", host, repository, rc,
		     err.msg);
	if (user)
		cr_assert_str_eq(c.user, user);
}

/* a:p, b:p:q, hub:p */
static const char many[] =
	"{ // a comment\n \"auths\": {"
	"\"example.com\": {\"auth\": \"YTpw\"},"
	"\"example.com/team\": {\"auth\": \"YjpwOnE=\"},"
	"\"https://other.example:5000/v2/\": {\"username\":\"o\","
	"\"password\":\"x\"},"
	"\"empty.example\": {},"
	"\"Upper.Example/team\": {\"auth\": \"YTpw\"},"
	"\"https://index.docker.io/v1/\": {\"auth\": \"aHViOnA=\"},"
	"}}";

Test(registry_config, matches_hosts_and_the_longest_path)
{
	finds_user(many, "example.com", "x", "a");
	finds_user(many, "example.com", "team/x", "b");
	finds_user(many, "example.com", "teamwork/x", "a");
	finds_user(many, "other.example:5000", "x", "o");
	finds_user(many, "other.example", "x", NULL);
	finds_user(many, "empty.example", "x", NULL);
	finds_user(many, "upper.example", "team/x", "a");
	finds_user(many, "example.com.evil.example", "x", NULL);
	finds_user(many, "docker.io", "library/debian", "hub");
}

Test(registry_config, keeps_colons_of_a_password)
{
	cleanup_registry_credentials struct registry_credentials c = { 0 };

	cr_assert_eq(find(many, "example.com", "team/x", &c, NULL), 1);
	cr_assert_str_eq(c.password, "p:q");
}

Test(registry_config, knows_identity_and_registry_tokens)
{
	static const char text[] =
		"{\"auths\":{\"h\":{\"identitytoken\":\"idtoken\"},"
		"\"g\":{\"registrytoken\":\"regtoken\"}}}";
	cleanup_registry_credentials struct registry_credentials c = { 0 };
	cleanup_registry_credentials struct registry_credentials d = { 0 };

	cr_assert_eq(find(text, "h", "x", &c, NULL), 1);
	cr_assert_str_eq(c.identity_token, "idtoken");
	cr_assert_eq(find(text, "g", "x", &d, NULL), 1);
	cr_assert_str_eq(d.registry_token, "regtoken");
}

Test(registry_config, names_what_is_wrong)
{
	struct registry_credentials c = { 0 };
	cleanup_error struct error a = ERROR_INIT, b = ERROR_INIT;
	cleanup_error struct error d = ERROR_INIT;

	cr_assert_eq(find("{\"auths\":{\"h\":{\"auth\":\"!!\"}}}", "h", "x",
			  &c, &a), -1);
	cr_assert(strstr(a.msg, "auth of 'h'"), "%s", a.msg);
	cr_assert_eq(find("{\"credsStore\":\"../x\"}", "h", "x", &c, &b), -1);
	cr_assert(strstr(b.msg, "helper's name"), "%s", b.msg);
	cr_assert_eq(find("{\"credHelpers\":{\"h\":\"no-such-one\"}}", "h",
			  "x", &c, &d), -1);
	cr_assert(strstr(d.hint, "docker-credential-no-such-one"), "%s",
		  d.hint);
}

static void make_helper(const char *dir, const char *name, const char *text)
{
	cleanup_free char *path = xstrfmt("%s/docker-credential-%s", dir,
					  name);
	cleanup_free char *search = xstrfmt("%s:%s", dir, getenv("PATH"));
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	/* As the program does: a helper need not read what it is told. */
	signal(SIGPIPE, SIG_IGN);
	setenv("PATH", search, 1);
}

static void drop_helper(const char *dir, const char *name)
{
	cleanup_free char *path = xstrfmt("%s/docker-credential-%s", dir,
					  name);

	unlink(path);
	rmdir(dir);
}

Test(registry_config, asks_a_helper_with_the_host_on_standard_input)
{
	static const char config[] = "{\"credHelpers\":{\"h:5\":\"one\"}}";
	char dir[] = "/tmp/devenv-helper.XXXXXX";
	cleanup_registry_credentials struct registry_credentials c = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	cr_assert(mkdtemp(dir));
	setenv("DEVENV_SECRET_THING", "x", 1);
	make_helper(dir, "one",
		    "#!/bin/sh\n"
		    "read -r host\n"
		    "[ $# = 1 ] && [ \"$1\" = get ] || exit 9\n"
		    "echo '{\"Username\":\"'\"$host$DEVENV_SECRET_THING\"'\","
		    "\"Secret\":\"s3cret\"}'\n");
	cr_assert_eq(find(config, "h:5", "x", &c, &err), 1, "%s", err.msg);
	cr_assert_str_eq(c.user, "h:5");
	cr_assert_str_eq(c.password, "s3cret");
	drop_helper(dir, "one");
}

Test(registry_config, falls_back_on_auths_when_the_store_has_nothing)
{
	static const char config[] =
		"{\"credsStore\":\"two\",\"auths\":{\"h\":{\"auth\":"
		"\"YTpw\"}}}";
	char dir[] = "/tmp/devenv-helper.XXXXXX";

	cr_assert(mkdtemp(dir));
	make_helper(dir, "two",
		    "#!/bin/sh\n"
		    "echo 'credentials not found in native keychain'\n"
		    "exit 1\n");
	finds_user(config, "h", "x", "a");
	drop_helper(dir, "two");
}

static void resolves(const char *base, const char *reference,
		     const char *want)
{
	cleanup_url struct url b = { 0 }, u = { 0 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	cr_assert_eq(url_parse(&b, base, NULL), 0);
	cr_assert_eq(url_resolve(&u, &b, reference, NULL), 0, "%s",
		     reference);
	url_format(&u, &out);
	cr_assert_str_eq(out.buf, want);
}

Test(url, resolves_every_form_of_location)
{
	resolves("https://h/v2/a/", "/x?_state=1", "https://h/x?_state=1");
	resolves("https://h/v2/a", "b?c", "https://h/v2/b?c");
	resolves("https://h/v2/a?q", "?z", "https://h/v2/a?z");
	resolves("https://h:5/v2/", "//o/x", "https://o/x");
	resolves("http://h/", "HTTPS://O:443/x#f", "https://o/x");
	resolves("http://[::1]:5000/a", "/b", "http://[::1]:5000/b");
}

Test(url, refuses_what_may_mislead)
{
	static const char *const bad[] = {
		"ftp://h/", "http://", "http://u:p@h/", "http://h\r\nX: y/",
		"http://h /", "http://h:x/", "http://h:99999/",
		"http://[::1/", "http://h\\@e/", "file:///etc/passwd", "h",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct url u = { 0 };

		cr_assert_eq(url_parse(&u, bad[i], NULL), -1, "%s", bad[i]);
	}
}

/* [I40] */
Test(url, names_a_file_or_nothing)
{
	static const char *const rows[][2] = {
		{ "http://h/a/b.txt", "b.txt" },
		{ "http://h/a/b.txt?c=/d#/e", "b.txt" },
		{ "http://h/a/b/", "b" },
		{ "http://h/a%20b%2", NULL },
		{ "http://h/a%20b", "a b" },
		{ "http://h/x%2fy", "y" },
		{ "http://h", NULL },
		{ "http://h/", NULL },
		{ "http://h?/x", NULL },
		{ "http://h/..", NULL },
		{ "http://h/a/%2e%2e", NULL },
		{ "http://h/%2e", NULL },
		{ "http://h/a%00b", NULL },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *name = url_file_name(rows[i][0]);

		cr_expect(str_eq_null(name, rows[i][1]), "%s: %s", rows[i][0],
			  name ? name : "nothing");
	}
}

Test(url, adds_queries_after_what_is_there)
{
	cleanup_strbuf struct strbuf a = STRBUF_INIT;

	strbuf_addstr(&a, "http://h/x");
	url_add_query(&a, "k", "a b/c");
	url_add_query(&a, "l", "sha256:1");
	cr_assert_str_eq(a.buf, "http://h/x?k=a%20b%2Fc&l=sha256%3A1");
}

Test(url, knows_how_far_inside_an_address_lies)
{
	cr_assert_eq(url_address_reach("8.8.8.8"), URL_PUBLIC);
	cr_assert_eq(url_address_reach("10.1.2.3"), URL_PRIVATE);
	cr_assert_eq(url_address_reach("172.31.0.1"), URL_PRIVATE);
	cr_assert_eq(url_address_reach("172.32.0.1"), URL_PUBLIC);
	cr_assert_eq(url_address_reach("192.168.0.1"), URL_PRIVATE);
	cr_assert_eq(url_address_reach("100.64.0.1"), URL_PRIVATE);
	cr_assert_eq(url_address_reach("127.9.9.9"), URL_LOOPBACK);
	cr_assert_eq(url_address_reach("2130706433"), URL_LOOPBACK);
	cr_assert_eq(url_address_reach("0x7f.1"), URL_LOOPBACK);
	cr_assert_eq(url_address_reach("169.254.169.254"), URL_LOCAL);
	cr_assert_eq(url_address_reach("0.0.0.0"), URL_LOCAL);
	cr_assert_eq(url_address_reach("::1"), URL_LOOPBACK);
	cr_assert_eq(url_address_reach("::ffff:127.0.0.1"), URL_LOOPBACK);
	cr_assert_eq(url_address_reach("64:ff9b::a9fe:a9fe"), URL_LOCAL);
	cr_assert_eq(url_address_reach("fd00::1"), URL_PRIVATE);
	cr_assert_eq(url_address_reach("fe80::1"), URL_LOCAL);
	cr_assert_eq(url_address_reach("2001:db8::1"), URL_PUBLIC);
	cr_assert(url_host_is_loopback("localhost"));
	cr_assert(!url_host_is_loopback("localhost.evil.example"));
}

Test(registry_scope, covers_what_it_lists_and_no_more)
{
	const char *two = "repository:a/b:pull,push repository:c:pull";

	cr_expect(registry_scope_covers(two, "repository:a/b:pull"));
	cr_expect(registry_scope_covers(two, "repository:c:pull"));
	cr_expect(registry_scope_covers(two, two));
	cr_expect(registry_scope_covers(two, "repository:a/b:push,pull"));
	cr_expect(registry_scope_covers("*", two));
	cr_expect_not(registry_scope_covers(two, "repository:c:pull,push"));
	cr_expect_not(registry_scope_covers(two, "repository:a/b:pul"));
	cr_expect_not(registry_scope_covers(two, "repository:a:pull"));
	cr_expect_not(registry_scope_covers("", "repository:c:pull"));
}

Test(registry_token, is_used_until_it_expires)
{
	struct registry_token t = { .scope = (char *)"repository:a:pull",
				    .header = (char *)"Authorization: x" };
	struct registry_host host = { .tokens = &t, .n_tokens = 1 };
	struct registry_call call = { .host = &host, .repository = "a" };

	t.expires_ms = registry_now_ms() + 60000;
	cr_expect_str_eq(registry_auth_header(&call), t.header);
	t.expires_ms = registry_now_ms() - 1;
	cr_expect_null(registry_auth_header(&call));
	t.expires_ms = registry_now_ms() + 60000;
	call.push = true;
	cr_expect_null(registry_auth_header(&call));
}

static void check_environment(const char *host, bool wanted, const char *user,
			      const char *password)
{
	struct registry r = { .o = { .devcontainers = wanted } };
	cleanup_registry_credentials struct registry_credentials c = { 0 };

	cr_expect_eq(registry_find_credentials(&r, host, "a/b", &c, NULL),
		     user != NULL, "%s", host);
	cr_expect(str_eq_null(c.user, user), "%s: %s", host, c.user);
	cr_expect(str_eq_null(c.password, password), "%s", host);
}

Test(registry_environment, has_credentials_for_features_only)
{
	unsetenv("GITHUB_HOST");
	setenv("GITHUB_TOKEN", "gh", 1);
	setenv("DEVCONTAINERS_OCI_AUTH", "a.b|u|t|x,broken,c.d:5|v|w,e|f|", 1);
	check_environment("ghcr.io", false, NULL, NULL);
	check_environment("ghcr.io", true, "USERNAME", "gh");
	check_environment("ghcr.io.evil", true, NULL, NULL);
	check_environment("a.b", true, "u", "t|x");
	check_environment("a.b", false, NULL, NULL);
	check_environment("c.d:5", true, "v", "w");
	check_environment("c.d", true, NULL, NULL);
	check_environment("e", true, NULL, NULL);
	setenv("GITHUB_HOST", "git.example.com", 1);
	check_environment("ghcr.io", true, NULL, NULL);
	setenv("GITHUB_HOST", "github.com", 1);
	check_environment("ghcr.io", true, "USERNAME", "gh");
}
