/* test_env.c - names of environments, layers of variables */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>

#include "base/fs.h"
#include "env/internal.h"

Test(env_name, takes_what_is_a_plain_file_name)
{
	static const char *const good[] = { "a", "_x", "app-1.2_3", "0" };
	static const char *const bad[] = { "",	  ".",	  "..",	 ".x",
					   "-x",  "a/b",  "a b", "a\n",
					   "\xc3\xa4" };
	char longest[66];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(good); i++)
		cr_expect(env_name_valid(good[i]), "%s", good[i]);
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect(!env_name_valid(bad[i]), "%s", bad[i]);
	memset(longest, 'x', 65);
	longest[65] = '\0';
	cr_expect(!env_name_valid(longest));
	longest[64] = '\0';
	cr_expect(env_name_valid(longest));
}

Test(env_state, only_its_maker_brings_a_directory_into_being)
{
	cleanup_error struct error err = ERROR_INIT;
	char top[] = "/tmp/devenv-unit.XXXXXX", dir[64], name[] = "one";
	struct env e = { .name = name, .dir = dir };
	cleanup_close int lock = -1;

	cr_assert_not_null(mkdtemp(top));
	snprintf(dir, sizeof(dir), "%s/one", top);
	cr_expect_eq(state_lock(&e, false, &err), -1);
	cr_expect_str_eq(err.msg, "there is no environment 'one'");
	cr_expect_not(fs_exists(dir));
	lock = state_lock(&e, true, NULL);
	cr_expect_geq(lock, 0);
	cr_expect(fs_is_dir(dir));
	cr_expect_eq(fs_remove_tree(AT_FDCWD, top, NULL), 0);
}

static void names(const char *workspace, const char *start)
{
	cleanup_free char *name = env_name_of(workspace);

	cr_expect(str_starts(name, start), "%s: %s", workspace, name);
	cr_expect(env_name_valid(name), "%s", name);
}

Test(env_name, of_a_workspace_is_valid_and_its_own)
{
	cleanup_free char *a = env_name_of("/a/app"), *b = env_name_of("/b/app");

	names("/src/app", "app-");
	names("/src/My App", "My-App-");
	names("/src/.hidden", "env-");
	names("/", "env-");
	cr_expect_str_neq(a, b);
}

Test(env_variables, later_lists_win_and_bare_names_unset)
{
	cleanup_env_process struct env_process ep = { 0 };
	cleanup_strvec struct strvec base = STRVEC_INIT, more = STRVEC_INIT;

	strvec_push(&base, "A=1");
	strvec_push(&base, "B=2");
	strvec_push(&more, "A=3");
	strvec_push(&more, "B");
	strvec_push(&more, "C=x=y");
	env_variables(&base, &more, NULL, false, &ep);
	cr_expect_str_eq(strvec_env_get(&ep.env, "A"), "3");
	cr_expect_null(strvec_env_get(&ep.env, "B"));
	cr_expect_str_eq(strvec_env_get(&ep.env, "C"), "x=y");
	cr_expect_not_null(strvec_env_get(&ep.env, "PATH"));
	cr_expect_str_eq(strvec_env_get(&ep.env, "HOME"), "/");
	cr_expect_null(strvec_env_get(&ep.env, "USER"));
	cr_expect_null(strvec_env_get(&ep.env, "TERM"));
}
