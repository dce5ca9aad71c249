/* test_snapshot.c - what a walk before and one after say of a change */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "build/snapshot.h"

struct fixture {
	char dir[64];
	int fd;
	struct snapshot before, after;
};

static void setup(struct fixture *f)
{
	*f = (struct fixture){ .before = SNAPSHOT_INIT,
			       .after = SNAPSHOT_INIT };
	snprintf(f->dir, sizeof(f->dir), "/tmp/devenv-unit.XXXXXX");
	cr_assert_not_null(mkdtemp(f->dir));
	f->fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void teardown(struct fixture *f)
{
	snapshot_release(&f->before);
	snapshot_release(&f->after);
	close(f->fd);
	cr_expect_eq(fs_remove_tree(AT_FDCWD, f->dir, NULL), 0);
}

static void shell(const struct fixture *f, const char *command)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (chdir(f->dir) == 0)
			execl("/bin/sh", "sh", "-ec", command, NULL);
		_exit(127);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0, "%s", command);
}

/* "-a +b *c ": gone, put, fresh */
static int note(void *arg, enum snapshot_change change, const char *path,
		const struct snapshot_file *file UNUSED,
		struct error *err UNUSED)
{
	static const char marks[] = { [SNAPSHOT_GONE] = '-',
				      [SNAPSHOT_PUT] = '+',
				      [SNAPSHOT_FRESH] = '*' };

	strbuf_addf(arg, "%c%s ", marks[change], path);
	return 0;
}

/* What the first command makes and the second changes. */
static void changes(const char *first, const char *second, const char *want)
{
	CLEANUP(teardown) struct fixture f;
	cleanup_strbuf struct strbuf got = STRBUF_INIT;

	setup(&f);
	shell(&f, first);
	cr_assert_eq(snapshot_take(&f.before, f.fd, NULL), 0);
	shell(&f, second);
	cr_assert_eq(snapshot_take(&f.after, f.fd, NULL), 0);
	cr_assert_eq(snapshot_compare(&f.before, &f.after, note, &got, NULL),
		     0);
	cr_expect_str_eq(got.buf, want, "%s; %s", first, second);
}

Test(snapshot, nothing_changed)
{
	changes("mkdir -p a/b; echo 1 >a/b/c; ln -s x l", "cat a/b/c", "");
}

Test(snapshot, order_is_that_of_the_walk)
{
	changes("mkdir a a-b", "touch a/x a-b/y a.c; chmod 700 a-b",
		"+a +a/x +a-b +a-b/y +a.c ");
}

Test(snapshot, same_size_and_time_is_a_change)
{
	changes("echo 1 >f; touch -d @5 f", "echo 2 >f; touch -d @5 f", "+f ");
}

Test(snapshot, attributes_are_seen_by_the_time_of_change)
{
	changes("echo 1 >f", "chmod 600 f; chmod 644 f", "+f ");
}

Test(snapshot, of_what_is_gone_only_the_top)
{
	changes("mkdir -p d/e; touch d/e/f d/g h", "rm -r d h", "-d -h ");
}

Test(snapshot, another_type_takes_its_place)
{
	changes("mkdir d; touch d/f; touch x", "rm -r d x; touch d; mkdir x",
		"+d +x ");
}

Test(snapshot, replaced_directory_is_fresh_with_all_in_it)
{
	changes("mkdir -p d/sub; touch d/old d/sub/kept",
		"mkdir n; mv d/sub n; rm -r d; mv n d; touch d/new",
		"*d +d/new +d/sub +d/sub/kept ");
}

Test(snapshot, moved_directory_is_new_elsewhere)
{
	changes("mkdir d; touch d/f", "mv d e", "-d +e +e/f ");
}

Test(snapshot, all_names_of_a_file_change)
{
	changes("echo 1 >a; ln a b; ln a c", "echo 2 >>b", "+a +b +c ");
}

Test(snapshot, another_process_reads_what_one_kept)
{
	CLEANUP(teardown) struct fixture f;
	cleanup_free char *path = NULL;
	cleanup_strbuf struct strbuf got = STRBUF_INIT;
	size_t number = 0;

	setup(&f);
	path = xstrfmt("%s.state", f.dir);
	shell(&f, "mkdir a; echo 1 >a/b");
	cr_assert_eq(snapshot_take(&f.before, f.fd, NULL), 0);
	cr_assert_eq(snapshot_save(&f.before, 7, path, NULL), 0);
	cr_assert(snapshot_load(&f.after, &number, path));
	cr_expect_eq(number, 7);
	cr_assert_eq(snapshot_compare(&f.before, &f.after, note, &got, NULL),
		     0);
	cr_expect_str_eq(got.buf, "");
	cr_assert_eq(truncate(path, 90), 0);
	snapshot_release(&f.after);
	cr_expect_not(snapshot_load(&f.after, &number, path));
	unlink(path);
}
