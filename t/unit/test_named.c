/* test_named.c - contexts that --build-context names */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "build/build.h"

static char os[] = "linux", amd64[] = "amd64", arm64[] = "arm64";

static void add_named(struct build_named_list *list, const char *text)
{
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(build_named_add(list, text, &err), 0, "%s", err.msg);
}

/* [S09] */
Test(named, all_spellings_of_an_image_are_one_name)
{
	static const char *const same[] = { "debian", "debian:latest",
					    "library/debian", "DEBIAN",
					    "docker.io/library/debian",
					    "docker.io/debian:latest" };
	static const char *const others[] = { "debian:12", "x/debian",
					      "127.0.0.1:5000/debian",
					      "debian::linux/arm64", "" };
	cleanup_build_named struct build_named_list list = { 0 };
	const struct oci_platform p = { .os = os, .arch = amd64 };
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(same); i++) {
		cleanup_free char *text =
			xstrfmt("%s=docker-image://to", same[i]);

		add_named(&list, text);
		for (k = 0; k < ARRAY_SIZE(same); k++)
			cr_expect(build_named_find(&list, same[k], &p));
		for (k = 0; k < ARRAY_SIZE(others); k++)
			cr_expect(!build_named_find(&list, others[k], &p));
		build_named_release(&list);
	}
}

/* [S09] */
Test(named, one_for_the_platform_wins_and_then_the_last)
{
	cleanup_build_named struct build_named_list list = { 0 };
	const struct oci_platform amd = { .os = os, .arch = amd64 };
	const struct oci_platform arm = { .os = os, .arch = arm64 };

	add_named(&list, "a::linux/aarch64=docker-image://arm");
	add_named(&list, "a=docker-image://first");
	add_named(&list, "a=docker-image://last");
	cr_expect_str_eq(build_named_find(&list, "a", &amd)->value, "last");
	cr_expect_str_eq(build_named_find(&list, "a", &arm)->value, "arm");
}
