/* test_policy.c - patterns, rules and scopes */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "policy/policy.h"

Test(policy, globs_keep_to_parts)
{
	static const struct {
		const char *pattern, *text;
		bool fits;
	} rows[] = {
		{ "a/b", "a/b", true },	     { "a/*", "a/b", true },
		{ "a/*", "a/b/c", false },   { "a/**", "a/b/c", true },
		{ "a/**", "a", false },	     { "**/c", "a/b/c", true },
		{ "**/c", "a/b/cd", false }, { "*", "", true },
		{ "*.example.com", "a.b.example.com", true },
		{ "*.example.com", "example.com", false },
		{ "a*c*e", "abcde", true },  { "a*c*e", "abde", false },
		{ "**b/*c", "xb/ac/b/dc", true },
		{ "**b/*c", "xb/ac/b/d", false },
		{ "a?c", "abc", true },	     { "a?c", "a/c", false },
		{ "https://h/**", "https://hx/y", false },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		cr_expect_eq(policy_glob(rows[i].pattern, rows[i].text),
			     rows[i].fits, "%s for %s", rows[i].pattern,
			     rows[i].text);
}

/* A pattern that makes some matchers try every way there is, and an address
 * as long as one may be. */
Test(policy, globs_take_no_time_to_fail, .timeout = 5)
{
	char pattern[2001], text[8193];
	size_t i;

	for (i = 0; i < 2000; i += 4)
		memcpy(pattern + i, "**a*", 4);
	pattern[2000] = '\0';
	memset(text, 'a', 8192);
	text[8192] = '\0';
	text[8191] = 'b';
	pattern[1999] = 'c';
	cr_expect(!policy_glob(pattern, text));
}

Test(policy, finds_what_climbs)
{
	static const char *const up[] = {
		"https://h/..",	       "https://h/a/../b", "https://h/%2e%2E/x",
		"https://h/.%2e",      "https://h/a%2f..", "https://h/..\\x",
		"https://h/a/%2E./%2f", "https://h/.", "https://h/a/%2e/b",
	};
	static const char *const level[] = {
		"https://h/..a", "https://h/a..", "https://h/a..b/c",
		"https://h/.a",	 "https://h/...", "https://h/%2e%2ex",
	};
	size_t i;

	for (i = 0; i < sizeof(up) / sizeof(*up); i++)
		cr_expect(policy_climbs(up[i]), "%s", up[i]);
	for (i = 0; i < sizeof(level) / sizeof(*level); i++)
		cr_expect(!policy_climbs(level[i]), "%s", level[i]);
}

static int ask(const struct policy *p, enum gate_kind kind, const char *name)
{
	const struct gate_question q = { .kind = kind, .name = name };
	cleanup_error struct error err = ERROR_INIT;
	unsigned line;

	return policy_ask(p, &q, 0, &line, &err);
}

static void parse(struct policy *p, const char *text)
{
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(policy_parse(p, "p.yaml", text, strlen(text), &err), 0,
		     "%s", err.msg);
}

Test(policy, decides_by_the_first_rule_about_a_name)
{
	cleanup_policy struct policy p = { 0 };

	parse(&p, "images:\n"
		  "- {repositories: team/secret, action: deny}\n"
		  "- {registries: r.example.com, repositories: 'team/*'}\n"
		  "- {registries: push.example.com, use: push}\n"
		  "- docker.io/library/*\n"
		  "git:\n"
		  "- {hosts: g.example.com, repositories: 'us/*'}\n"
		  "- h.example.com\n"
		  "urls: ['https://f.example.com/**']\n"
		  "redirects: ['*.cdn.example.com']\n");
	cr_expect_eq(ask(&p, GATE_IMAGE, "r.example.com/team/a:1"), 0);
	cr_expect_eq(ask(&p, GATE_IMAGE, "r.example.com/team/secret"), -1);
	cr_expect_eq(ask(&p, GATE_IMAGE, "r.example.com/team/a/b"), -1);
	cr_expect_eq(ask(&p, GATE_IMAGE, "push.example.com/x:1"), -1);
	cr_expect_eq(ask(&p, GATE_PUSH, "push.example.com/x:1"), 0);
	cr_expect_eq(ask(&p, GATE_IMAGE, "docker.io/library/debian:12"), 0);
	cr_expect_eq(ask(&p, GATE_IMAGE, "docker.io/other/debian:12"), -1);
	cr_expect_eq(ask(&p, GATE_GIT, "https://g.example.com/us/a.git"), 0);
	cr_expect_eq(ask(&p, GATE_GIT, "https://g.example.com/you/a"), -1);
	cr_expect_eq(ask(&p, GATE_GIT, "ssh://h.example.com/any/thing"), 0);
	cr_expect_eq(ask(&p, GATE_GIT, "ssh://h.example.com:23/x"), -1);
	cr_expect_eq(ask(&p, GATE_URL, "https://f.example.com/a/b"), 0);
	cr_expect_eq(ask(&p, GATE_URL, "http://f.example.com/a/b"), -1);
	cr_expect_eq(ask(&p, GATE_HOST, "https://a.cdn.example.com/x"), 0);
	cr_expect_eq(ask(&p, GATE_HOST, "https://f.example.com/x"), -1);
}

/* Another way to write what a rule denies is denied as well. */
Test(policy, knows_places_however_they_are_written)
{
	cleanup_policy struct policy p = { 0 };

	parse(&p, "default: allow\n"
		  "images: [{registries: bad.example.com, action: deny}]\n"
		  "git: [{hosts: 'bad.example.com:99', action: deny}]\n"
		  "urls: [{urls: 'https://h.example/secret/**', "
		  "action: deny}]\n");
	cr_expect_eq(ask(&p, GATE_IMAGE, "bad.example.com./a:1"), -1);
	cr_expect_eq(ask(&p, GATE_GIT, "https://bad.example.com.:99/a"), -1);
	cr_expect_eq(ask(&p, GATE_URL, "https://h.example/%73ecret/x"), -1);
	cr_expect_eq(ask(&p, GATE_URL, "https://h.example./secre%74/x"), -1);
	cr_expect_eq(ask(&p, GATE_URL, "https://h.example/./secret/x"), -1);
	cr_expect_eq(ask(&p, GATE_URL, "https://h.example/secret%2fx"), -1);
	cr_expect_eq(ask(&p, GATE_URL, "https://h.example//secret/x"), -1);
	cr_expect_eq(ask(&p, GATE_URL, "https://h.example/secret%2x"), 0);
	cr_expect_eq(ask(&p, GATE_IMAGE, "bad.example.com:443/a:1"), -1);
	cr_expect_eq(ask(&p, GATE_IMAGE, "bad.example.com:4433/a:1"), 0);
	cr_expect_eq(ask(&p, GATE_IMAGE, "Bad.Example.com/a:1"), -1);
	cr_expect_eq(ask(&p, GATE_URL, "https://h.example/secretx"), 0);
}

Test(policy, knows_repositories_however_they_are_written)
{
	static const char *const bad[] = {
		"https://h.example/evil/app",  "https://h.example//evil/app",
		"https://h.example/evil//x/",  "https://h.example/evil%2Fx",
		"https://u.example/evil/app",  "https://u.example/evil/app.git",
		"https://u.example/evil/app/", "ssh://u.example/evil/dot",
		"ssh://u.example/evil/dot.git",
	};
	cleanup_policy struct policy p = { 0 };
	size_t i;

	parse(&p, "default: allow\n"
		  "git:\n"
		  "- {hosts: h.example, repositories: 'evil/**', "
		  "action: deny}\n"
		  "- {urls: 'https://u.example/evil/app', action: deny}\n"
		  "- {repositories: 'evil/dot.git', action: deny}\n");
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_expect_eq(ask(&p, GATE_GIT, bad[i]), -1, "%s", bad[i]);
	cr_expect_eq(ask(&p, GATE_GIT, "https://u.example/evil/apps"), 0);
	cr_expect_eq(ask(&p, GATE_GIT, "https://h.example/evil"), 0);
}

/* What a rule says of a host in capitals or with its usual port holds. */
Test(policy, knows_rules_however_they_are_written)
{
	cleanup_policy struct policy p = { 0 };
	cleanup_free char *moved = NULL;

	parse(&p, "default: allow\n"
		  "images: [{registries: 'Bad.example:443', action: deny}]\n"
		  "git: [{hosts: '[::1]:22', action: deny}]\n"
		  "urls: [{urls: 'HTTPS://F.example:443/%61//**', "
		  "action: deny}]\n"
		  "redirects: ['CDN.example:443']\n"
		  "mirrors: {'Hub.example:443': M.example:443/hub}\n");
	moved = policy_moved(&p, "hub.example/team/app");
	cr_expect_eq(ask(&p, GATE_IMAGE, "bad.example/a:1"), -1);
	cr_expect_eq(ask(&p, GATE_IMAGE, "bad.example:5000/a:1"), 0);
	cr_expect_eq(ask(&p, GATE_GIT, "ssh://[::1]/x"), -1);
	cr_expect_eq(ask(&p, GATE_GIT, "ssh://[::1]:23/x"), 0);
	cr_expect_eq(ask(&p, GATE_URL, "https://f.example/a/b"), -1);
	cr_expect_eq(ask(&p, GATE_URL, "http://f.example/a/b"), 0);
	cr_expect_eq(ask(&p, GATE_HOST, "https://cdn.example/x"), 0);
	cr_expect_eq(ask(&p, GATE_HOST, "http://cdn.example/x"), -1);
	cr_assert_str_eq(moved, "m.example/hub/team/app");
}

Test(policy, moves_names_at_the_ends_of_parts)
{
	cleanup_policy struct policy p = { 0 };
	cleanup_free char *moved = NULL, *not = NULL;

	parse(&p, "mirrors: {docker.io/library: m.example.com/hub}\n");
	moved = policy_moved(&p, "docker.io/library/debian");
	not = policy_moved(&p, "docker.io/librarything/debian");
	cr_assert_str_eq(moved, "m.example.com/hub/debian");
	cr_assert_null(not);
}

Test(policy, finds_the_scope_of_containers)
{
	static const char text[] =
		"{\"default\": [{\"type\": \"reject\"}],"
		" \"transports\": {\"docker\": {"
		"  \"h/a\": [{\"type\": \"insecureAcceptAnything\"}],"
		"  \"h/a/c@sha256:1\": [{\"type\": \"reject\"}],"
		"  \"h/a/b:no\": [{\"type\": \"reject\"}],"
		"  \"*.w.example\": [{\"type\": \"insecureAcceptAnything\"}]"
		"}}}";
	static const struct {
		const char *name;
		int rc;
	} rows[] = {
		{ "h/a/b:1", 0 },   { "h/a/b:no", -1 },	 { "h/a:1", 0 },
		{ "h/ab:1", -1 },   { "x.w.example/a:1", 0 },
		{ "w.example/a", -1 },
		{ "h/a/c@sha256:1", -1 }, { "h/a/c:t@sha256:1", -1 },
		{ "h/a/c:t@sha256:2", 0 },
	};
	cleanup_policy_containers struct policy_containers c = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	size_t i;

	cr_assert_eq(policy_containers_parse(&c, "p", text, strlen(text),
					     &err), 0);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct gate_question q = { .kind = GATE_IMAGE,
						 .name = rows[i].name };

		cr_expect_eq(policy_containers_ask(&c, &q, NULL), rows[i].rc,
			     "%s", rows[i].name);
	}
}
