/* test_idmap.c - maps that swap two ids */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "runtime/internal.h"

static void check(uint32_t a, uint32_t b, const char *want)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	runtime_idmap_text(a, b, &out);
	cr_expect_str_eq(out.buf, want);
}

Test(idmap, swaps_two_ids_and_keeps_the_rest)
{
	check(0, 1000,
	      "0 1000 1\n1 1 999\n1000 0 1\n1001 1001 4294966294\n");
	check(1000, 0,
	      "0 1000 1\n1 1 999\n1000 0 1\n1001 1001 4294966294\n");
	check(5, 6, "0 0 5\n5 6 1\n6 5 1\n7 7 4294967288\n");
	check(7, 7, "0 0 4294967295\n");
	check(0, 4294967294u,
	      "0 4294967294 1\n1 1 4294967293\n4294967294 0 1\n");
}
