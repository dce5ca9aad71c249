/* test_fs.c - removing trees that others made, or are still making */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/inodes.h"

#define DEPTH 3000

/* A chain with links out, by a name that the removal could want for itself,
 * and directories that nobody may enter. */
static void make_deep(const char *top, const char *outside)
{
	int i, fd = open(top, O_RDONLY | O_DIRECTORY);

	for (i = 0; i < DEPTH; i++) {
		int next;

		if (i % 100 == 0)
			cr_assert_eq(symlinkat(outside, fd, ".deep-3"), 0);
		cr_assert_eq(mkdirat(fd, "d", 0755), 0);
		next = openat(fd, "d", O_RDONLY | O_DIRECTORY);
		cr_assert_geq(next, 0);
		if (i % 100 == 0)
			cr_assert_eq(fchmod(fd, 0), 0);
		close(fd);
		fd = next;
	}
	close(fd);
}

Test(fs, remove_tree_needs_few_descriptors_at_any_depth)
{
	struct rlimit limit = { 64, 64 };
	cleanup_error struct error err = ERROR_INIT;
	char dir[] = "/tmp/devenv-unit.XXXXXX";
	cleanup_free char *deep = NULL, *kept = NULL, *file = NULL;

	cr_assert_not_null(mkdtemp(dir));
	deep = xstrfmt("%s/deep", dir);
	kept = xstrfmt("%s/kept", dir);
	file = xstrfmt("%s/file", kept);
	cr_assert_eq(mkdir(deep, 0755), 0);
	cr_assert_eq(mkdir(kept, 0755), 0);
	cr_assert_eq(fs_write_atomic(AT_FDCWD, file, "x", 1, 0600, &err), 0);
	make_deep(deep, kept);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_eq(fs_remove_tree(AT_FDCWD, deep, &err), 0, "%s", err.msg);
	cr_expect_not(fs_exists(deep));
	cr_expect(fs_exists(file), "a link out was followed");
	cr_expect_eq(fs_remove_tree(AT_FDCWD, dir, NULL), 0);
}

/* Makes new names until its directory is gone, or for a bounded time. */
static void *keep_filling(void *arg)
{
	int i, dir = *(int *)arg;

	for (i = 0; i < 20000; i++) {
		char name[32];
		int fd;

		snprintf(name, sizeof(name), "f%d", i);
		fd = openat(dir, name, O_CREAT | O_WRONLY, 0600);
		if (fd < 0)
			break;
		close(fd);
	}
	return NULL;
}

Test(fs, remove_tree_says_so_when_names_are_left)
{
	cleanup_error struct error err = ERROR_INIT;
	char dir[] = "/tmp/devenv-unit.XXXXXX";
	cleanup_close int fd = -1;
	pthread_t thread;

	cr_assert_not_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	cr_assert_geq(fd, 0);
	cr_assert_eq(pthread_create(&thread, NULL, keep_filling, &fd), 0);
	if (!fs_remove_tree(AT_FDCWD, dir, &err))
		cr_expect_not(fs_exists(dir), "gone, it said");
	else
		cr_expect_eq(err.sys, ENOTEMPTY, "%s", err.msg);
	pthread_join(thread, NULL);
	cr_expect_eq(fs_remove_tree(AT_FDCWD, dir, NULL), 0);
}

Test(inodes, the_first_name_of_many_files_is_found)
{
	cleanup_inodes struct inodes t = INODES_INIT;
	struct stat st = { 0 };
	char path[16];
	int i;

	for (i = 0; i < 2000; i++) {
		st.st_dev = (dev_t)(i % 2);
		st.st_ino = (ino_t)(i / 2) << 32;
		snprintf(path, sizeof(path), "p%d", i);
		cr_expect_null(inodes_first(&t, &st, path), "%d", i);
	}
	for (i = 0; i < 2000; i++) {
		st.st_dev = (dev_t)(i % 2);
		st.st_ino = (ino_t)(i / 2) << 32;
		snprintf(path, sizeof(path), "p%d", i);
		cr_expect_str_eq(inodes_first(&t, &st, "other"), path);
	}
}
