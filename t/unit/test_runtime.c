/* test_runtime.c - names of users and groups, ranges of ids */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "runtime/internal.h"
#include "wrap/seccomp.h"

static char root_path[] = "/tmp/devenv-runtime-XXXXXX";
static int root = -1;

static void put(const char *path, const char *text)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void setup(void)
{
	cr_assert_not_null(mkdtemp(root_path));
	root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(mkdirat(root, "etc", 0755), 0);
	put("etc/passwd", "root:x:0:0:r:/root:/bin/sh\n"
			  "broken line\n"
			  "bob:x:1000:1001:Bob:/home/bob:/bin/zsh\n"
			  "7:x:500:500::/seven:\n");
	put("etc/group", "root:x:0:root\nbob:x:1001:\n"
			 "wheel:x:10:alice,bob\nstaff:x:50:bobby\n");
}

static void teardown(void)
{
	close(root);
	cr_expect_eq(fs_remove_tree(AT_FDCWD, root_path, NULL), 0);
}

static void expect(const char *spec, uid_t uid, gid_t gid, size_t groups,
		   const char *home)
{
	cleanup_runtime_user struct runtime_user u = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(runtime_user_lookup(root, spec, &u, &err), 0, "%s: %s",
		     spec, err.msg);
	cr_expect_eq(u.uid, uid, "%s: uid %u", spec, u.uid);
	cr_expect_eq(u.gid, gid, "%s: gid %u", spec, u.gid);
	cr_expect_eq(u.n_groups, groups, "%s: %zu groups", spec, u.n_groups);
	cr_expect_str_eq(u.home, home);
}

static void refuse(const char *spec, const char *text)
{
	cleanup_runtime_user struct runtime_user u = { 0 };
	cleanup_error struct error err = ERROR_INIT;

	cr_assert_eq(runtime_user_lookup(root, spec, &u, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_not_null(strstr(err.msg, text), "%s: %s", spec, err.msg);
}

Test(runtime_user, finds_names_and_numbers, .init = setup, .fini = teardown)
{
	expect("", 0, 0, 0, "/root");
	expect("bob", 1000, 1001, 1, "/home/bob");
	expect("1000", 1000, 1001, 1, "/home/bob");
	expect("7", 500, 500, 0, "/seven");
	expect("4242", 4242, 0, 0, "/");
	expect("bob:50", 1000, 50, 0, "/home/bob");
	expect("bob:wheel", 1000, 10, 0, "/home/bob");
	expect("12:34", 12, 34, 0, "/");
	expect(":wheel", 0, 10, 0, "/root");
}

Test(runtime_user, refuses_what_is_not_there, .init = setup, .fini = teardown)
{
	refuse("eve", "unable to find user eve: no matching entries");
	refuse("bob:eve", "unable to find group eve: no matching entries");
	refuse("4294967296", "must be in the range");
	refuse("-1", "unable to find user -1");
	refuse("bob:99999999999", "must be in the range");
}

Test(runtime_user, reads_inside_the_root_only, .init = setup,
     .fini = teardown)
{
	cr_assert_eq(unlinkat(root, "etc/passwd", 0), 0);
	cr_assert_eq(symlinkat("/../../../../../etc/passwd", root,
			       "etc/passwd"), 0);
	/* In the root the link names itself. */
	refuse("bob", "cannot open /etc/passwd of the image");
	cr_assert_eq(unlinkat(root, "etc/passwd", 0), 0);
	cr_assert_eq(mkfifoat(root, "etc/passwd", 0644), 0);
	refuse("bob", "not a regular file");
	cr_assert_eq(unlinkat(root, "etc/passwd", 0), 0);
	refuse("bob", "unable to find user bob");
	expect("5:6", 5, 6, 0, "/");
}

Test(runtime_user, refuses_a_database_without_end, .init = setup,
     .fini = teardown)
{
	int fd = openat(root, "etc/group", O_WRONLY);

	cr_assert_eq(ftruncate(fd, (10 << 20) + 1), 0);
	close(fd);
	refuse("bob", "larger than 10 MiB");
}

Test(runtime_chown, takes_a_number_for_both, .init = setup, .fini = teardown)
{
	uid_t uid;
	gid_t gid;

	cr_assert_eq(runtime_chown_lookup(root, "55", &uid, &gid, NULL), 0);
	cr_expect(uid == 55 && gid == 55);
	cr_assert_eq(runtime_chown_lookup(root, "bob", &uid, &gid, NULL), 0);
	cr_expect(uid == 1000 && gid == 1001);
	cr_assert_eq(runtime_chown_lookup(root, "5:wheel", &uid, &gid, NULL),
		     0);
	cr_expect(uid == 5 && gid == 10);
}

Test(runtime_ids, takes_the_largest_range)
{
	const char *text = "eve:1:2\nbob:100000:10\n1000:200000:65536\n"
			   "bob:x:9\nbob:0:99\nbob:4294967295:9\nbob:5\n";
	struct runtime_range r;

	cr_assert(runtime_range_find(text, "bob", 1000, &r));
	cr_expect(r.start == 200000 && r.count == 65536);
	cr_assert(runtime_range_find(text, "bob", 7, &r));
	cr_expect(r.start == 100000 && r.count == 10);
	cr_expect_not(runtime_range_find(text, NULL, 7, &r));
	cr_expect_not(runtime_range_find("", "bob", 7, &r));
}

Test(runtime_ids, knows_a_single_id)
{
	cr_expect(runtime_ids_text_single("         0       1001          1\n"));
	cr_expect_not(runtime_ids_text_single("0 1001 1\n1 100000 65536\n"));
	cr_expect_not(runtime_ids_text_single("0 0 4294967295\n"));
}

/* What the kernel would do with one call. */
static uint32_t verdict(const struct sock_fprog *f, uint32_t abi, int nr,
			uint64_t arg)
{
	const struct seccomp_data d = { .nr = nr, .arch = abi,
					.args = { arg } };
	uint32_t a = 0;

	for (size_t pc = 0; pc < f->len; pc++) {
		const struct sock_filter *i = &f->filter[pc];
		bool yes;

		if (i->code == (BPF_RET | BPF_K))
			return i->k;
		if (i->code == (BPF_LD | BPF_W | BPF_ABS)) {
			memcpy(&a, (const char *)&d + i->k, sizeof(a));
			continue;
		}
		if (i->code == (BPF_JMP | BPF_JA)) {
			pc += i->k;
			continue;
		}
		yes = BPF_OP(i->code) == BPF_JEQ   ? a == i->k
		      : BPF_OP(i->code) == BPF_JGT ? a > i->k
		      : BPF_OP(i->code) == BPF_JGE ? a >= i->k
						   : (a & i->k) != 0;
		pc += yes ? i->jt : i->jf;
	}
	cr_assert_fail("the program has no end");
	return 0;
}

static void expect_verdict(unsigned int kind, const char *name, uint64_t arg,
			   uint32_t want)
{
	const struct sock_fprog *f = runtime_filter(0, kind);
	uint32_t abi[2];
	size_t n = seccomp_abis(abi);

	for (size_t i = 0; i < n; i++) {
		int nr = seccomp_number(abi[i], name);

		if (nr >= 0)
			cr_expect_eq(verdict(f, abi[i], nr, arg), want,
				     "%s of ABI %zu", name, i);
	}
}

Test(runtime, filter_judges_each_call_by_its_number)
{
	static const char *const denied[] = { "acct", "bpf", "mount", "setns",
					      "umount2", "vhangup" };
	static const char *const fine[] = { "read", "openat", "chmod", "chown",
					    "setuid", "close_range" };
	uint32_t abi[2];

	for (size_t i = 0; i < ARRAY_SIZE(denied); i++)
		expect_verdict(0, denied[i], 0, SECCOMP_RET_ERRNO | EPERM);
	for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
		expect_verdict(0, fine[i], 0, SECCOMP_RET_ALLOW);
	expect_verdict(0, "clone3", 0, SECCOMP_RET_ERRNO | ENOSYS);
	expect_verdict(0, "clone", CLONE_NEWUSER, SECCOMP_RET_ERRNO | EPERM);
	expect_verdict(0, "clone", SIGCHLD, SECCOMP_RET_ALLOW);
	expect_verdict(FILTER_SINGLE, "chown", 0, SECCOMP_RET_ERRNO | 0);
	expect_verdict(FILTER_SINGLE, "setuid", 0, SECCOMP_RET_ALLOW);
	expect_verdict(FILTER_SINGLE | FILTER_ROOT, "setuid", 0,
		       SECCOMP_RET_ERRNO | 0);
	expect_verdict(FILTER_SINGLE | FILTER_NOTIFY, "chown", 0,
		       SECCOMP_RET_USER_NOTIF);
	cr_assert(seccomp_abis(abi) > 0);
	cr_expect_eq(verdict(runtime_filter(0, 0), abi[0], 9999, 0),
		     SECCOMP_RET_ERRNO | ENOSYS);
	cr_expect_eq(verdict(runtime_filter(0, 0), ~abi[0], 0, 0),
		     SECCOMP_RET_ERRNO | ENOSYS);
}
