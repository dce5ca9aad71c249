/* test_base.c - strings, lists, paths, options */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/opt.h"
#include "base/path.h"
#include "base/strvec.h"
#include "base/units.h"

struct path_case {
	const char *in, *want;
};

Test(path, clean_is_lexical)
{
	static const struct path_case cases[] = {
		{ "", "." },	    { "/", "/" },
		{ "a//b/./c/", "a/b/c" }, { "/../a", "/a" },
		{ "a/..", "." },    { "../a/../../b", "../../b" },
		{ "a/../../b", "../b" }, { "/a/b/../../..", "/" },
		{ "./..", ".." },   { "///x", "/x" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup_free char *got = path_clean(cases[i].in);

		cr_expect_str_eq(got, cases[i].want, "%s: %s, not %s",
				 cases[i].in, got, cases[i].want);
	}
}

Test(path, base_and_dir)
{
	cleanup_free char *a = path_base("/x/y/"), *b = path_dir("/x/y");
	cleanup_free char *c = path_dir("y"), *d = path_base("/");

	cr_expect_str_eq(a, "y");
	cr_expect_str_eq(b, "/x");
	cr_expect_str_eq(c, ".");
	cr_expect_str_eq(d, "/");
}

Test(path, within_needs_a_whole_element)
{
	cr_expect(path_within("/a/b", "/a"));
	cr_expect(path_within("/a", "/a"));
	cr_expect(path_within("/a", "/"));
	cr_expect_not(path_within("/ab", "/a"));
	cr_expect_not(path_within("/", "/a"));
}

Test(strvec, environment_keeps_order)
{
	cleanup_strvec struct strvec env = STRVEC_INIT;

	strvec_env_set(&env, "A", "1");
	strvec_env_set(&env, "AB", "2");
	strvec_env_set(&env, "A", "3");
	cr_expect_eq(env.nr, 2);
	cr_expect_str_eq(env.v[0], "A=3");
	cr_expect_str_eq(strvec_env_get(&env, "AB"), "2");
	strvec_env_unset(&env, "A");
	cr_expect_eq(env.nr, 1);
	cr_expect_null(env.v[1]);
}

Test(strbuf, shows_control_characters)
{
	cleanup_strbuf struct strbuf sb = STRBUF_INIT;

	strbuf_add_safe(&sb, "a\033[31mb\tc\n", 9);
	cr_expect_str_eq(sb.buf, "a\\x1b[31mb\tc");
}

Test(str, numbers_are_whole_and_bounded)
{
	uint64_t v = 7;

	cr_expect(str_to_u64("0", 10, &v) && v == 0);
	cr_expect(str_to_u64("10", 10, &v) && v == 10);
	cr_expect_not(str_to_u64("11", 10, &v));
	cr_expect_not(str_to_u64("", 10, &v));
	cr_expect_not(str_to_u64("-1", 10, &v));
	cr_expect_not(str_to_u64("99999999999999999999", UINT64_MAX, &v));
	cr_expect_eq(v, 10);
}

Test(str, nearest_word)
{
	static const char *const words[] = { "clone", "parse", "push", NULL };

	cr_expect_str_eq(str_nearest("cloen", words), "clone");
	cr_expect_str_eq(str_nearest("pash", words), "push");
	cr_expect_null(str_nearest("build", words));
}

struct values {
	bool flag;
	char *str;
	struct strvec list;
	int num, mode, on;
	char *maybe;
};

#define O(m) offsetof(struct values, m)
static const struct opt rows[] = {
	{ OPT_BOOL, 'f', "flag", NULL, NULL, "a flag", O(flag) },
	{ OPT_STR, 's', "str", "TEXT", "OLD_STR", "a text", O(str) },
	{ OPT_LIST, 'l', "list", "X", NULL, "a list", O(list) },
	{ OPT_INT, 0, "num", "N", NULL, "a number", O(num) },
	{ OPT_ENUM, 0, "mode", "one|two", NULL, "a choice", O(mode) },
	{ OPT_STR, 0, "maybe", "FILE", NULL, "a file, or not", O(maybe),
	  .optional = true },
	{ OPT_ENUM, 0, "on", "true|false", NULL, "a switch", O(on),
	  .optional = true },
	{ OPT_END },
};

static int parse(struct values *v, struct opt_rest *rest, int max_words,
		 const char *line, struct error *err)
{
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	const struct opt_words words = { .max = max_words };
	const struct opt *table = rows;
	void *values = v;

	strvec_split(&argv, line, " ");
	return opt_parse(&table, &values, 1, argv.v, &words, rest, err);
}

Test(opt, parses_all_forms)
{
	cleanup_error struct error err = ERROR_INIT;
	struct values v = { 0 };
	struct opt_rest rest = { .args = STRVEC_INIT };

	cr_assert_eq(parse(&v, &rest, -1,
			   "x -f --str=a w -l1 --list 2 --num 7 --mode two "
			   "-- --flag",
			   &err), 0);
	cr_expect(v.flag);
	cr_expect_str_eq(v.str, "a");
	cr_expect_eq(v.list.nr, 2);
	cr_expect_eq(v.num, 7);
	cr_expect_eq(v.mode, 1);
	cr_expect_eq(rest.args.nr, 2);
	cr_expect_eq(rest.dashdash, 1);
	strvec_release(&rest.args);
	opt_release(rows, &v);
}

Test(opt, takes_no_word_for_an_optional_value)
{
	struct values v = { 0 };
	struct opt_rest rest = { .args = STRVEC_INIT };

	cr_assert_eq(parse(&v, &rest, -1, "x --maybe word", NULL), 0);
	cr_expect_str_eq(v.maybe, "");
	cr_expect_eq(rest.args.nr, 1);
	cr_assert_eq(parse(&v, &rest, -1, "x --maybe=word", NULL), 0);
	cr_expect_str_eq(v.maybe, "word");
	cr_expect_eq(rest.args.nr, 1);
	strvec_release(&rest.args);
	opt_release(rows, &v);
}

Test(opt, words_end_options)
{
	cleanup_error struct error err = ERROR_INIT;
	struct values v = { 0 };
	struct opt_rest rest = { .args = STRVEC_INIT };

	cr_assert_eq(parse(&v, &rest, 1, "x image -f ls -l", &err), 0);
	cr_expect(v.flag);
	cr_expect_eq(rest.args.nr, 3);
	strvec_release(&rest.args);
	opt_release(rows, &v);
}

Test(opt, wrong_usage_is_explained)
{
	static const char *const lines[][2] = {
		{ "x --flg", "unknown option '--flg'" },
		{ "x --str", "--str needs a value (TEXT)" },
		{ "x --num=z", "--num takes a number, not 'z'" },
		{ "x --mode=three", "--mode takes one of one|two" },
		{ "x --flag=maybe", "--flag takes true or false" },
		{ "x -z", "unknown option '-z'" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		cleanup_error struct error err = ERROR_INIT;
		struct values v = { 0 };
		struct opt_rest rest = { .args = STRVEC_INIT };

		cr_expect_eq(parse(&v, &rest, -1, lines[i][0], &err), -1);
		cr_expect_eq(err.code, ERR_USAGE);
		cr_expect(str_starts(err.msg, lines[i][1]), "%s", err.msg);
		strvec_release(&rest.args);
		opt_release(rows, &v);
	}
}

Test(opt, environment_is_weaker_than_the_command_line)
{
	cleanup_error struct error err = ERROR_INIT;
	struct values v = { 0 };
	struct opt_rest rest = { .args = STRVEC_INIT };

	setenv("OLD_STR", "old", 1);
	setenv("DEVENV_LIST", "a,b", 1);
	cr_assert_eq(opt_from_env(rows, &v, &err), 0);
	cr_expect_str_eq(v.str, "old");
	cr_expect_eq(v.list.nr, 2);
	setenv("DEVENV_STR", "new", 1);
	cr_assert_eq(opt_from_env(rows, &v, &err), 0);
	cr_expect_str_eq(v.str, "new");
	cr_assert_eq(parse(&v, &rest, -1, "x --list c", &err), 0);
	cr_expect_eq(v.list.nr, 1);
	strvec_release(&rest.args);
	opt_release(rows, &v);
}

Test(base, close_fd_forgets_the_number)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	base_close_fd(&fd);
	cr_expect_eq(fd, -1);
}

Test(fs, remove_tree_takes_unreadable_directories)
{
	cleanup_error struct error err = ERROR_INIT;
	char dir[] = "/tmp/devenv-unit.XXXXXX";
	cleanup_free char *deep = NULL, *file = NULL;
	cleanup_close int fd = -1;

	cr_assert_not_null(mkdtemp(dir));
	deep = path_join(dir, "a/b/c");
	cr_assert_eq(fs_mkdir_p(deep, 0755, &err), 0);
	file = path_join(deep, "f");
	cr_assert_eq(fs_write_atomic(AT_FDCWD, file, "x", 1, 0600, &err), 0);
	cr_assert_eq(chmod(deep, 0), 0);
	cr_assert_eq(fs_remove_tree(AT_FDCWD, dir, &err), 0);
	cr_expect_not(fs_exists(dir));
	cr_expect_eq(fs_remove_tree(AT_FDCWD, dir, &err), 0);
}

Test(fs, paths_stay_in_their_root)
{
	cleanup_error struct error err = ERROR_INIT;
	char dir[] = "/tmp/devenv-unit.XXXXXX";
	cleanup_free char *link = NULL;
	cleanup_close int root = -1, fd = -1;

	cr_assert_not_null(mkdtemp(dir));
	link = path_join(dir, "out");
	cr_assert_eq(symlink("/../../etc", link), 0);
	root = open(dir, O_PATH | O_DIRECTORY);
	fd = fs_open_in_root(root, "out/passwd", O_RDONLY, 0);
	cr_expect_eq(fd, -1);
	cr_expect_lt(fs_mkdir_in_root(root, "/out/x", 0755, getuid(),
				      getgid(), &err), 0);
	error_release(&err);
	fd = fs_mkdir_in_root(root, "/a/b/../c", 0755, getuid(), getgid(),
			      &err);
	cr_expect_geq(fd, 0);
	cr_expect_eq(faccessat(root, "a/c", F_OK, 0), 0);
	cr_assert_eq(fs_remove_tree(AT_FDCWD, dir, &err), 0);
}

Test(opt, a_switch_may_have_a_word)
{
	struct values v = { .on = 7 };
	struct opt_rest rest = { .args = STRVEC_INIT };

	cr_assert_eq(parse(&v, &rest, -1, "x --on false name", NULL), 0);
	cr_expect(v.on == 1 && rest.args.nr == 1);
	cr_assert_eq(parse(&v, &rest, -1, "x --on name", NULL), 0);
	cr_expect(v.on == 0 && rest.args.nr == 2);
	cr_assert_eq(parse(&v, &rest, -1, "x --on=false --on", NULL), 0);
	cr_expect_eq(v.on, 0);
	cr_expect_neq(parse(&v, &rest, -1, "x --on=maybe", NULL), 0);
	strvec_release(&rest.args);
}

/* One word is ours, and a command follows. */
static size_t parse_strictly(struct values *v, const char *line,
			     struct opt_rest *rest)
{
	static const struct opt strict[] = {
		{ OPT_BOOL, 'f', "flag", NULL, NULL, "a flag", O(flag) },
		{ OPT_STR, 's', "str", "TEXT", NULL, "instead of the word",
		  O(str), .is_word = true },
		{ OPT_END },
	};
	const struct opt_words words = { .max = 1, .strict = true };
	cleanup_strvec struct strvec argv = STRVEC_INIT;
	const struct opt *table = strict;
	void *values = v;

	*rest = (struct opt_rest){ .args = STRVEC_INIT };
	strvec_split(&argv, line, " ");
	cr_assert_eq(opt_parse(&table, &values, 1, argv.v, &words, rest, NULL),
		     0);
	return rest->args.nr;
}

Test(opt, a_command_begins_right_after_our_words)
{
	struct values v = { 0 };
	struct opt_rest rest;

	cr_expect_eq(parse_strictly(&v, "x name -f -x", &rest), 3);
	cr_expect_str_eq(rest.args.v[1], "-f");
	cr_expect(!v.flag);
	strvec_release(&rest.args);
	cr_expect_eq(parse_strictly(&v, "x name -- -f --", &rest), 3);
	cr_expect_eq(rest.dashdash, 1);
	strvec_release(&rest.args);
	cr_expect_eq(parse_strictly(&v, "x --str t -f ls -f", &rest), 2);
	cr_expect_str_eq(rest.args.v[0], "ls");
	cr_expect(v.flag, "an option before the command is ours");
	strvec_release(&rest.args);
	free(v.str);
}

Test(opt, one_name_in_two_tables_sets_both)
{
	static const struct opt none[] = { { OPT_END } };
	static const struct opt *const tables[] = { rows, none, rows, none };
	struct values a = { 0 }, b = { 0 };
	const struct opt_words all = { .max = -1 };
	void *values[] = { &a, NULL, &b, NULL };
	struct opt_rest rest = { .args = STRVEC_INIT };
	char *argv[] = { (char[]){ "x" }, (char[]){ "--str=t" },
			 (char[]){ "-f" }, NULL };

	cr_assert_eq(opt_parse(tables, values, 4, argv, &all, &rest, NULL), 0);
	cr_assert_str_eq(a.str, "t");
	cr_assert_str_eq(b.str, "t");
	cr_assert(a.flag && b.flag);
	opt_release(rows, &a);
	opt_release(rows, &b);
}

Test(units, sizes_in_powers_of_1000_and_1024)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "0", 0 }, { "512", 512 }, { "7b", 7 }, { "2K", 2000 },
		{ "3mb", 3000000 }, { "1GiB", 1u << 30 },
		{ "16TiB", 16ull << 40 },
	};
	static const char *const bad[] = { "", "G", "-1", "1.5G", "1X",
					   "1Gi", "1GG", "99999999999T" };
	uint64_t v;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		cr_expect_eq(units_size(good[i].text, &v, NULL), 0);
		cr_expect_eq(v, good[i].bytes, "%s", good[i].text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(units_size(bad[i], &v, NULL), -1, "%s", bad[i]);
}

Test(units, ages_in_the_largest_unit_that_says_enough)
{
	static const struct {
		uint64_t seconds;
		const char *text;
	} ages[] = { { 0, "0s" },	    { 119, "119s" },
		     { 120, "2m" },	    { 7199, "119m" },
		     { 7200, "2h" },	    { 172799, "47h" },
		     { 172800, "2d" },	    { 1209599, "13d" },
		     { 1209600, "2w" } };

	for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;

		units_add_age(&out, ages[i].seconds);
		cr_expect_str_eq(out.buf, ages[i].text);
	}
}

Test(units, ages)
{
	static const char *const bad[] = { "", "d", "1y", "1dd", "-1d" };
	uint64_t v;

	cr_expect(units_age("90", &v, NULL) == 0 && v == 90);
	cr_expect(units_age("36h", &v, NULL) == 0 && v == 36 * 3600);
	cr_expect(units_age("2w", &v, NULL) == 0 && v == 14 * 86400);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(units_age(bad[i], &v, NULL), -1, "%s", bad[i]);
}

Test(error, is_wrapped_in_what_it_does_not_say_itself)
{
	cleanup_error struct error err = ERROR_INIT;

	error_set(&err, ERR_INPUT, "no");
	cr_assert_eq(error_wrap(&err, "%s", "file"), -1);
	cr_assert_str_eq(err.msg, "file: no");
	cr_assert_eq(error_wrap(&err, "%s", "file"), -1);
	cr_assert_str_eq(err.msg, "file: no");
	cr_assert_eq(error_wrap(&err, "%s", "fi"), -1);
	cr_assert_str_eq(err.msg, "fi: file: no");
	cr_assert_eq(error_wrap(&err, "%s", "fi: file: no way"), -1);
	cr_assert_str_eq(err.msg, "fi: file: no way: fi: file: no");
}
