/* test_strindex.c - strings found by halving, and environments by them */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/strindex.h"

Test(strindex, finds_what_was_added_and_nothing_else)
{
	static const char *const words[] = { "b", "a", "ab", "", "ba", "aa" };
	cleanup_strindex struct strindex ix = { 0 };
	size_t i, number = 99;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		cr_assert(strindex_add(&ix, words[i], strlen(words[i]), i));
	cr_expect_not(strindex_add(&ix, "abc", 2, 7), "ab is there");
	for (i = 0; i < ARRAY_SIZE(words); i++)
		cr_expect(strindex_get(&ix, words[i], strlen(words[i]),
				       &number) && number == i);
	cr_expect_not(strindex_get(&ix, "abc", 3, &number));
	cr_expect_not(strindex_get(&ix, "aab", 3, &number));
	cr_expect(strindex_get(&ix, "bac", 2, &number) && number == 4);
}

Test(strindex, is_an_environment_s_order_and_first_entry)
{
	cleanup_strindex struct strindex ix = { 0 };
	cleanup_strvec struct strvec list = STRVEC_INIT;
	cleanup_strvec struct strvec same = STRVEC_INIT;
	static const char *const sets[][2] = {
		{ "b", "1" }, { "a", "2" }, { "b", "3" }, { "ab", "" },
		{ "A", "4=5" }, { "a", "6" },
	};
	size_t i;

	strvec_split(&list, "x=1 y x=2", " ");
	strvec_copy(&same, &list);
	cr_expect_str_eq(strindex_env_get(&ix, &list, "x"), "1");
	cr_expect_null(strindex_env_get(&ix, &list, "y"));
	cr_expect_str_eq(strindex_env_entry(&ix, &list, "y"), "y");
	for (i = 0; i < ARRAY_SIZE(sets); i++) {
		strindex_env_set(&ix, &list, sets[i][0], sets[i][1]);
		strvec_env_set(&same, sets[i][0], sets[i][1]);
	}
	cr_assert_eq(list.nr, same.nr);
	for (i = 0; i < list.nr; i++)
		cr_expect_str_eq(list.v[i], same.v[i]);
	/* What others add is seen. */
	strvec_push(&list, "new=7");
	cr_expect_str_eq(strindex_env_get(&ix, &list, "new"), "7");
}
