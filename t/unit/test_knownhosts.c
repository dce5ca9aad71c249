/* test_knownhosts.c - which lines of known_hosts vouch for a key */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "wrap/knownhosts.h"

/* "AAAA" is three zero bytes, "AAAB" ends in a one. */
static enum knownhosts_answer ask(const char *text, const char *host,
				  unsigned port)
{
	return knownhosts_check(text, host, port, "\0\0\0", 3);
}

Test(knownhosts, finds_names_patterns_and_ports)
{
	cr_expect_eq(ask("h ssh-x AAAA\n", "h", 22), KNOWNHOSTS_MATCH);
	cr_expect_eq(ask("a,h ssh-x AAAA c\n", "H", 22), KNOWNHOSTS_MATCH);
	cr_expect_eq(ask("*.b ssh-x AAAA\n", "a.b", 22), KNOWNHOSTS_MATCH);
	cr_expect_eq(ask("*.b,!a.b ssh-x AAAA\n", "a.b", 22),
		     KNOWNHOSTS_UNKNOWN);
	cr_expect_eq(ask("[h]:2222 ssh-x AAAA\n", "h", 2222),
		     KNOWNHOSTS_MATCH);
	cr_expect_eq(ask("h ssh-x AAAA\n", "h", 2222), KNOWNHOSTS_UNKNOWN);
	cr_expect_eq(ask("[h]:2222 ssh-x AAAA\n", "h", 22),
		     KNOWNHOSTS_UNKNOWN);
	cr_expect_eq(ask("# h ssh-x AAAA\n\n", "h", 22), KNOWNHOSTS_UNKNOWN);
	cr_expect_eq(ask("", "h", 22), KNOWNHOSTS_UNKNOWN);
}

Test(knownhosts, finds_hashed_names)
{
	/* HMAC-SHA1 of "example.org" with twenty zero bytes as salt. */
	const char *line = "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|"
			   "b30nVJpeVVWOG0qYD9b1ry0D0U4= ssh-x AAAA\n";

	cr_expect_eq(ask(line, "example.org", 22), KNOWNHOSTS_MATCH);
	cr_expect_eq(ask(line, "example.com", 22), KNOWNHOSTS_UNKNOWN);
	cr_expect_eq(ask("|1|x|y ssh-x AAAA\n", "h", 22), KNOWNHOSTS_UNKNOWN);
	cr_expect_eq(ask("|1| ssh-x AAAA\n", "h", 22), KNOWNHOSTS_UNKNOWN);
}

Test(knownhosts, tells_different_and_revoked_keys)
{
	cr_expect_eq(ask("h ssh-x AAAB\n", "h", 22), KNOWNHOSTS_DIFFERENT);
	cr_expect_eq(ask("h ssh-x AAAB\nh ssh-x AAAA\n", "h", 22),
		     KNOWNHOSTS_MATCH);
	cr_expect_eq(ask("h ssh-x AAAA\nh ssh-x AAAB\n", "h", 22),
		     KNOWNHOSTS_MATCH);
	cr_expect_eq(ask("h ssh-x AAAA\n@revoked h ssh-x AAAA\n", "h", 22),
		     KNOWNHOSTS_REVOKED);
	cr_expect_eq(ask("@cert-authority h ssh-x AAAA\n", "h", 22),
		     KNOWNHOSTS_UNKNOWN);
	cr_expect_eq(ask("h ssh-x\nh\n", "h", 22), KNOWNHOSTS_UNKNOWN);
}
