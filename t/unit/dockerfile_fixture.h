/* dockerfile_fixture.h - what checking a Dockerfile says, row by row */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_DOCKERFILE_FIXTURE_H
#define UNIT_DOCKERFILE_FIXTURE_H

#include <criterion/criterion.h>

#include "dockerfile/dockerfile.h"

struct row {
	const char *in, *want;
};

/* "" when parsing and checking all instructions succeeds. */
static char *check(const char *text)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_dockerfile_stages struct dockerfile_stages s = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	if (dockerfile_parse(&df, "D", text, strlen(text), &err) < 0 ||
	    dockerfile_split(&df, &s, &err) < 0)
		return xstrdup(err.msg);
	return xstrdup("");
}

static void see_check(const struct row *rows, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		cleanup_free char *got = check(rows[i].in);

		cr_expect_str_eq(got, rows[i].want,
				 "%s\n  gives %s\n  not %s", rows[i].in, got,
				 rows[i].want);
	}
}
#define SEE_CHECK(...) \
	do { \
		static const struct row rows_[] = { __VA_ARGS__ }; \
		see_check(rows_, ARRAY_SIZE(rows_)); \
	} while (0)
#define AT1 "D:1:1: dockerfile parse error on line 1: "
#define AT2 "D:2:1: dockerfile parse error on line 2: "

#endif
