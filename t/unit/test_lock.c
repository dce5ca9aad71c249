/* test_lock.c - of several processes one makes what they need */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store/lock.h"
#include "store_fixture.h"

#define NAME_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define NAME_F "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

Test(lock, one_name_has_one_holder)
{
	FIXTURE;
	int a = -1, again = -1, other = -1;

	cr_assert_eq(store_lock_try(f.s, NAME_A, &a, &err), 1);
	cr_expect_eq(store_lock_try(f.s, NAME_A, &again, &err), 0);
	cr_expect_eq(again, -1);
	/* the largest offset there is */
	cr_expect_eq(store_lock_try(f.s, NAME_F, &other, &err), 1);
	store_unlock(&a);
	cr_expect_eq(a, -1);
	store_unlock(&a);
	cr_expect_eq(store_lock_try(f.s, NAME_A, &again, &err), 1);
	store_unlock(&again);
	store_unlock(&other);
}

Test(lock, many_need_one_descriptor)
{
	FIXTURE;
	int mine = -1, other = -1;

	cr_assert_eq(store_lock_add(f.s, NAME_A, &mine, &err), 1);
	cr_assert_eq(store_lock_add(f.s, NAME_F, &mine, &err), 1);
	cr_expect_eq(store_lock_add(f.s, NAME_A, &mine, &err), 1);
	cr_expect_eq(store_lock_add(f.s, NAME_A, &other, &err), 0);
	cr_expect_eq(other, -1);
	store_lock_drop(mine, NAME_A);
	cr_expect_eq(store_lock_add(f.s, NAME_A, &other, &err), 1);
	cr_expect_eq(store_lock_add(f.s, NAME_F, &other, &err), 0);
	store_unlock(&mine);
	cr_expect_eq(store_lock_add(f.s, NAME_F, &other, &err), 1);
	store_unlock(&other);
	store_lock_drop(other, NAME_F);
}

Test(lock, what_is_no_name_is_refused)
{
	FIXTURE;
	int fd = -1;

	cr_expect_eq(store_lock_try(f.s, "../x", &fd, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_eq(fd, -1);
}

Test(lock, a_fork_does_not_keep_what_is_given_up)
{
	FIXTURE;
	int a = -1, b = -1;
	pid_t pid;

	cr_assert_eq(store_lock_try(f.s, NAME_A, &a, &err), 1);
	pid = fork();
	if (!pid) {
		pause();
		_exit(0);
	}
	store_unlock(&a);
	cr_expect_eq(store_lock_try(f.s, NAME_A, &b, &err), 1);
	store_unlock(&b);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

Test(lock, goes_with_a_holder_that_is_killed)
{
	FIXTURE;
	int ready[2], a = -1;
	pid_t pid;
	char c;

	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		if (store_lock_try(f.s, NAME_A, &a, NULL) != 1)
			_exit(1);
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	cr_assert_eq(read(ready[0], &c, 1), 1);
	cr_expect_eq(store_lock_try(f.s, NAME_A, &a, &err), 0);
	kill(pid, SIGKILL);
	cr_expect_eq(store_lock(f.s, NAME_A, &a, &err), 0);
	store_unlock(&a);
	waitpid(pid, NULL, 0);
}
