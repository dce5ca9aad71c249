/* test_feature_versions.c - versions of Features, and Features put into text */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "devcontainer/feature.h"

static int order_of(const char *a, const char *b)
{
	struct devcontainer_version v, w;

	cr_assert(devcontainer_version_parse(&v, a), "%s", a);
	cr_assert(devcontainer_version_parse(&w, b), "%s", b);
	return devcontainer_version_compare(&v, &w);
}

Test(feature_version, reads_three_numbers_and_no_more)
{
	static const char *const bad[] = {
		"", "1", "1.2", "1.2.", "1.2.3.4", "01.2.3", "1.2.3-", "v1.2.3",
		"1.2.x", "1.2.3-a..b", "1.2.3-.a", "1.2.3 ", "-1.2.3", "latest",
		"1.2.99999999999999999999",
	};
	struct devcontainer_version v;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect(!devcontainer_version_parse(&v, bad[i]), "'%s'",
			  bad[i]);
	cr_assert(devcontainer_version_parse(&v, "0.10.200-rc.1"));
	cr_expect(v.part[0] == 0 && v.part[1] == 10 && v.part[2] == 200);
	cr_expect_str_eq(v.early, "rc.1");
}

Test(feature_version, early_ones_come_before_the_version)
{
	/* semver.org, 11 */
	static const char *const order[] = {
		"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta",
		"1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",
		"1.0.0", "1.0.2", "1.0.10", "1.2.0", "2.0.0",
	};

	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		for (size_t k = 0; k < ARRAY_SIZE(order); k++) {
			int rc = order_of(order[i], order[k]);

			cr_expect_eq((rc > 0) - (rc < 0), (i > k) - (i < k),
				     "%s %s", order[i], order[k]);
		}
}

Test(feature_version, a_tag_means_all_that_begin_so)
{
	struct devcontainer_version v, early;

	cr_assert(devcontainer_version_parse(&v, "1.20.3"));
	cr_assert(devcontainer_version_parse(&early, "1.20.4-rc.1"));
	cr_expect(devcontainer_version_matches(&v, "1"));
	cr_expect(devcontainer_version_matches(&v, "1.20"));
	cr_expect(devcontainer_version_matches(&v, "1.20.3"));
	cr_expect(!devcontainer_version_matches(&v, "1.2"));
	cr_expect(!devcontainer_version_matches(&v, "1.20.4"));
	cr_expect(!devcontainer_version_matches(&v, "odd"));
	cr_expect(!devcontainer_version_matches(&v, "1x"));
	cr_expect(!devcontainer_version_matches(&early, "1"));
	cr_expect(devcontainer_version_matches(&early, "1.20.4-rc.1"));
}

static void expect_added(const char *text, const char *want)
{
	cleanup_json struct json *options = json_new_object();
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;
	cleanup_json struct json *j = NULL;

	json_set_bool(options, "o", true);
	strbuf_addstr(&sb, text);
	devcontainer_add_feature(&sb, "a/b:1", options);
	cr_expect_str_eq(sb.buf, want);
	j = jsonc_parse("", sb.buf, sb.len, NULL);
	cr_expect(json_get_bool(json_get(json_get(j, "features"), "a/b:1"),
				"o"), "%s", sb.buf);
}

Test(feature_edit, goes_where_a_person_would_put_it)
{
	expect_added("{}", "{\n\t\"features\": {\n\t\t\"a/b:1\": {\"o\":true}"
			   "\n\t}\n}");
	expect_added("{ \"image\": \"x\" }",
		     "{ \"image\": \"x\", \"features\": {\n"
		     "\t\"a/b:1\": {\"o\":true}\n} }");
	expect_added("{\n  \"features\": {\n    \"c\": {}, // why\n  },\n}\n",
		     "{\n  \"features\": {\n    \"c\": {},\n"
		     "    \"a/b:1\": {\"o\":true}, // why\n  },\n}\n");
	expect_added("/* {\"features\" */ {\"x\": \"}\\\"{\", \"features\": {}}",
		     "/* {\"features\" */ {\"x\": \"}\\\"{\", \"features\": {\n"
		     "\t\"a/b:1\": {\"o\":true}\n}}");
}

Test(feature_edit, replaces_options_that_are_there)
{
	expect_added("{\"features\": {\"a\\/b:1\": {\"v\": [1, {\"x\": \"]\"}]},"
		     " \"c\": true}}",
		     "{\"features\": {\"a\\/b:1\": {\"o\":true}, "
		     "\"c\": true}}");
	expect_added("{\"features\": {\"a/b:1\" /*:*/ : \"1\"/**/}}",
		     "{\"features\": {\"a/b:1\" /*:*/ : {\"o\":true}/**/}}");
	expect_added("{\"n\": -1.5e3, \"features\": null, \"z\": [[], {}]}",
		     "{\"n\": -1.5e3, \"features\": {\n"
		     "\t\"a/b:1\": {\"o\":true}\n}, \"z\": [[], {}]}");
}
