/* test_noproxy.c - which hosts no_proxy names */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "wrap/noproxy.h"

static bool names(const char *list, const char *host, unsigned port)
{
	setenv("no_proxy", list, 1);
	return noproxy_names(host, port);
}

Test(noproxy, names_and_what_is_below_them)
{
	cr_assert(names("a.example", "a.example", 80));
	cr_assert(names("x, .example\tb", "A.EXAMPLE", 80));
	cr_assert(names("*.example", "deep.a.example", 80));
	cr_assert(names("*", "anything", 80));
	cr_assert_not(names("a.example", "ba.example", 80));
	cr_assert_not(names("a.example", "example", 80));
	cr_assert_not(names(",., ,*.", "example", 80));
	cr_assert_not(names("", "example", 80));
}

Test(noproxy, ports)
{
	cr_assert(names("a.example:5000", "a.example", 5000));
	cr_assert_not(names("a.example:5000", "a.example", 80));
	cr_assert(names("[::1]:80", "::1", 80));
	cr_assert_not(names("[::1]:80", "::1", 81));
	cr_assert(names("[fd00::1]", "fd00::1", 81));
	cr_assert_not(names("a.example:x", "a.example", 80));
}

Test(noproxy, networks)
{
	cr_assert(names("10.0.0.0/8", "10.255.0.1", 80));
	cr_assert_not(names("10.0.0.0/8", "11.0.0.1", 80));
	cr_assert(names("192.168.4.0/22", "192.168.7.255", 80));
	cr_assert_not(names("192.168.4.0/22", "192.168.8.0", 80));
	cr_assert(names("0.0.0.0/0", "8.8.8.8", 80));
	cr_assert(names("fd00::/8", "fdff::1", 80));
	cr_assert(names("0:0:0:0:0:0:0:1", "::1", 80));
	cr_assert_not(names("10.0.0.0/33", "10.0.0.0", 80));
	cr_assert_not(names("10.0.0.0/", "10.0.0.0", 80));
	cr_assert_not(names("::/0", "10.0.0.0", 80));
	cr_assert_not(names("10.0.0.0/8", "10.example", 80));
}

Test(noproxy, lower_case_comes_first)
{
	setenv("NO_PROXY", "upper", 1);
	cr_assert_not(names("lower", "upper", 80));
	unsetenv("no_proxy");
	cr_assert(noproxy_names("upper", 80));
}
