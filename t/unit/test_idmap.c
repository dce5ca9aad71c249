/* test_idmap.c - maps that swap two ids */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "runtime/bounds.h"

static void check_of(uint32_t ids, uint32_t a, uint32_t b, const char *want)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	runtime_idmap_text(a, b, ids, &out);
	cr_expect_str_eq(out.buf, want);
}

static void check(uint32_t a, uint32_t b, const char *want)
{
	check_of(UINT32_MAX, a, b, want);
}

/* Somebody who works in a directory puts a link in the place of another. */
Test(idmap, a_place_of_a_repository_is_not_reached_by_links)
{
	cleanup_error struct error err = ERROR_INIT, later = ERROR_INIT;
	char dir[] = "/tmp/devenv-straight-XXXXXX";
	cleanup_free char *link = path_join(mkdtemp(dir), "data");
	cleanup_free char *below = path_join(link, "devenv");
	struct runtime_mount m = { .source = below, .as_user = true };
	int tree = -1;

	cr_assert_eq(symlink("/etc", link), 0);
	cr_expect_eq(runtime_mount_new(NULL, &m, -1, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect(strstr(err.msg, "/data/devenv': a part of it has become a "
				  "link"), "%s", err.msg);
	cr_expect_eq(runtime_bind_as(link, 1, 1, &tree, &later), -1);
	cr_expect_eq(later.code, ERR_INPUT);
	cr_expect_eq(tree, -1);
	cr_expect_eq(fs_remove_tree(AT_FDCWD, dir, &err), 0);
}

Test(idmap, swaps_two_ids_and_keeps_the_rest)
{
	check(0, 1000,
	      "0 1000 1\n1 1 999\n1000 0 1\n1001 1001 4294966294\n");
	check(1000, 0,
	      "0 1000 1\n1 1 999\n1000 0 1\n1001 1001 4294966294\n");
	check(5, 6, "0 0 5\n5 6 1\n6 5 1\n7 7 4294967288\n");
	check(7, 7, "0 0 4294967295\n");
	check_of(65537, 0, 1000, "0 1000 1\n1 1 999\n1000 0 1\n"
				 "1001 1001 64536\n");
	check_of(1001, 0, 1000, "0 1000 1\n1 1 999\n1000 0 1\n");
	check(0, 4294967294u,
	      "0 4294967294 1\n1 1 4294967293\n4294967294 0 1\n");
}
