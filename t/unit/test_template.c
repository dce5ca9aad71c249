/* test_template.c - options of Dev Container Templates in files */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "devcontainer/template.h"

static char *filled(const char *text, struct strvec *unknown, size_t max)
{
	char *list[] = { (char[]){ "a=1" }, (char[]){ "b_2=${x}" },
				(char[]){ "empty=" }, NULL };
	const struct strvec values = { .v = list, .nr = 3 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (devcontainer_template_fill(text, strlen(text), &values, unknown,
				       max, &out, NULL) < 0)
		return NULL;
	return strbuf_detach(&out);
}

Test(template, replaces_what_is_an_option_and_nothing_else)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "", "" },
		{ "${templateOption:a}", "1" },
		{ "x${templateOption:\t b_2\n }y", "x${x}y" },
		{ "[${templateOption:empty}]", "[]" },
		{ "${templateOption:}", "${templateOption:}" },
		{ "${templateOption:a", "${templateOption:a" },
		{ "${templateOption:a b}", "${templateOption:a b}" },
		{ "${templateOption:a-b}", "${templateOption:a-b}" },
		{ "${templateOption:${templateOption:a}}",
		  "${templateOption:1}" },
		{ "${localEnv:a}$${templateOption:a}", "${localEnv:a}$1" },
	};
	cleanup_strvec struct strvec unknown = STRVEC_INIT;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cleanup_free char *got = filled(rows[i].text, &unknown, 1000);

		cr_expect_str_eq(got, rows[i].want, "%s", rows[i].text);
	}
	cr_expect_eq(unknown.nr, 0);
}

Test(template, tells_what_is_not_declared_once)
{
	cleanup_strvec struct strvec unknown = STRVEC_INIT;
	cleanup_free char *got = filled("${templateOption:no}"
					"${templateOption:no}.", &unknown, 99);

	cr_expect_str_eq(got, ".");
	cr_assert_eq(unknown.nr, 1);
	cr_expect_str_eq(unknown.v[0], "no");
}

Test(template, keeps_to_a_size)
{
	cleanup_strvec struct strvec unknown = STRVEC_INIT;
	cleanup_free char *got = filled("${templateOption:b_2}"
					"${templateOption:b_2}", &unknown, 5);

	cr_expect_null(got);
}

Test(template, leaves_out_by_name_and_by_directory)
{
	char *list[] = { (char[]){ "a/*" }, (char[]){ "./b" }, NULL };
	const struct strvec omit = { .v = list, .nr = 2 };

	cr_expect(devcontainer_template_omits(&omit, "a/x"));
	cr_expect(devcontainer_template_omits(&omit, "a/x/y"));
	cr_expect(devcontainer_template_omits(&omit, "b"));
	cr_expect(!devcontainer_template_omits(&omit, "a"));
	cr_expect(!devcontainer_template_omits(&omit, "ab/x"));
	cr_expect(!devcontainer_template_omits(&omit, "b/x"));
}
