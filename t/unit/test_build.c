/* test_build.c - keys, contexts, copying and outputs of builds */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/path.h"
#include "build/internal.h"

/* --- a tree on disk --- */

static char *tmp;
static int tmp_fd;

static void setup(void)
{
	tmp = xstrdup("/tmp/devenv-unit.XXXXXX");
	cr_assert(mkdtemp(tmp));
	tmp_fd = open(tmp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert(tmp_fd >= 0);
}

static void teardown(void)
{
	cr_assert(!fs_remove_tree(AT_FDCWD, tmp, NULL));
	close(tmp_fd);
	free(tmp);
}

static void put_file(const char *path, const char *text, mode_t mode)
{
	cleanup_free char *dir = path_dir(path);
	int fd;

	cr_assert(!fs_mkdir_p_at(tmp_fd, dir, 0755, NULL));
	fd = openat(tmp_fd, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	cr_assert(fd >= 0, "%s", path);
	cr_assert(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	cr_assert(!fchmod(fd, mode));
	close(fd);
}

static struct build_tree tree_at(const char *path)
{
	struct build_tree t = {
		.fd = openat(tmp_fd, path, O_RDONLY | O_DIRECTORY)
	};

	cr_assert(t.fd >= 0);
	return t;
}

static char d[] = "d", df[] = "d/f"; /* sources */

static int note(void *arg, const struct tree_entry *e,
		struct error *err UNUSED)
{
	if (!e->leave)
		strvec_push(arg, *e->path ? e->path : ".");
	return 0;
}

static void walk_is(const struct build_tree *t, const char *want)
{
	cleanup_strvec struct strvec seen = STRVEC_INIT;
	cleanup_strbuf struct strbuf all = STRBUF_INIT;
	size_t i;

	cr_assert(!tree_walk(t, ".", note, &seen, NULL));
	for (i = 0; i < seen.nr; i++)
		strbuf_addf(&all, "%s%s", i ? " " : "", seen.v[i]);
	cr_assert_str_eq(all.buf, want);
}

TestSuite(build_tree, .init = setup, .fini = teardown);

Test(build_tree, walks_parents_first_and_sorted)
{
	struct build_tree t;

	put_file("c/b/2", "", 0644);
	put_file("c/b/10", "", 0644);
	put_file("c/a", "", 0644);
	cr_assert(!symlinkat("/", tmp_fd, "c/z"));
	t = tree_at("c");
	walk_is(&t, ". a b b/10 b/2 z");
	close(t.fd);
}

Test(build_tree, shows_an_ignored_directory_for_what_is_kept_in_it)
{
	const char *rules = "drop\n!drop/in/keep\nempty\n";
	struct dockerfile_ignore *ignore = NULL;
	struct build_tree t;

	put_file("c/drop/in/keep", "", 0644);
	put_file("c/drop/in/lose", "", 0644);
	put_file("c/drop/out/lose", "", 0644);
	put_file("c/empty/lose", "", 0644);
	cr_assert(!dockerfile_ignore_parse(&ignore, "i", rules, strlen(rules),
					   NULL));
	t = tree_at("c");
	t.ignore = ignore;
	walk_is(&t, ". drop drop/in drop/in/keep");
	dockerfile_ignore_free(ignore);
	close(t.fd);
}

static void digest_of(char *path, char hex[DIGEST_HEX + 1])
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	struct build_tree t = tree_at("c");

	cr_assert(!tree_digest(&t, &(struct tree_item){ .path = path }, NULL,
			       &out, NULL));
	cr_assert(out.len == DIGEST_HEX);
	memcpy(hex, out.buf, DIGEST_HEX + 1);
	close(t.fd);
}

Test(build_tree, digest_follows_what_copy_makes_and_nothing_else)
{
	struct timespec old[2] = { { 1, 0 }, { 1, 0 } };
	char a[DIGEST_HEX + 1], b[DIGEST_HEX + 1];

	put_file("c/d/f", "text", 0644);
	cr_assert(!symlinkat("f", tmp_fd, "c/d/l"));
	digest_of(d, a);
	cr_assert(!utimensat(tmp_fd, "c/d/f", old, 0));
	cr_assert(!fchmodat(tmp_fd, "c/d", 0700, 0));
	digest_of(d, b);
	cr_assert_str_eq(a, b, "times, and the mode of the source itself");
	cr_assert(!fchmodat(tmp_fd, "c/d/f", 0600, 0));
	digest_of(d, b);
	cr_assert_str_neq(a, b, "mode");
	put_file("c/d/f", "texs", 0644);
	digest_of(d, b);
	cr_assert_str_neq(a, b, "content");
	put_file("c/d/f", "text", 0644);
	cr_assert(!renameat(tmp_fd, "c/d/f", tmp_fd, "c/d/g"));
	digest_of(d, b);
	cr_assert_str_neq(a, b, "name");
	cr_assert(!renameat(tmp_fd, "c/d/g", tmp_fd, "c/d/f"));
	cr_assert(!unlinkat(tmp_fd, "c/d/l", 0));
	cr_assert(!symlinkat("g", tmp_fd, "c/d/l"));
	digest_of(d, b);
	cr_assert_str_neq(a, b, "target of a link");
}

/* The paths that one source of a COPY means, by blanks; NULL: an error. */
static char *picked(const struct build_tree *t, const char *source,
		    bool parents, struct error *err)
{
	cleanup_tree_items struct tree_items items = { 0 };
	struct strbuf all = STRBUF_INIT;
	char *sources[] = { xstrdup(source), NULL };
	struct build_step step = { .sources = { sources, 1, 0 },
				   .parents = parents };
	int rc = tree_pick(t, &step, &items, err);
	size_t i;

	free(sources[0]);
	for (i = 0; i < items.nr; i++)
		strbuf_addf(&all, "%s%s", i ? " " : "", items.v[i].path);
	if (!rc)
		return strbuf_detach(&all);
	strbuf_release(&all);
	return NULL;
}

static void picks(const struct build_tree *t, const char *source,
		  const char *want)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *have = picked(t, source, false, &err);

	cr_assert(have, "%s: %s", source, err.msg);
	cr_expect_str_eq(have, want, "%s: %s", source, have);
}

static void picks_none(const struct build_tree *t, const char *source,
		       const char *why)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *have = picked(t, source, false, &err);

	cr_assert(!have, "%s: %s", source, have);
	cr_expect(strstr(err.msg, why), "%s", err.msg);
}

/* [I27] [I30] */
Test(build_tree, sources_stay_inside)
{
	struct build_tree t;

	put_file("outside", "secret", 0644);
	put_file("c/in", "", 0644);
	put_file("c/d/e/f", "", 0644);
	cr_assert(!symlinkat("../outside", tmp_fd, "c/up"));
	cr_assert(!symlinkat("..", tmp_fd, "c/dir"));
	cr_assert(!symlinkat("/in", tmp_fd, "c/abs"));
	cr_assert(!symlinkat("abs", tmp_fd, "c/chain"));
	cr_assert(!symlinkat("loop", tmp_fd, "c/loop"));
	cr_assert(!symlinkat("d/e", tmp_fd, "c/deep"));
	cr_assert(!symlinkat("deep/../e/f", tmp_fd, "c/back"));
	cr_assert(!symlinkat("/proc/self/root/etc/passwd", tmp_fd, "c/magic"));
	t = tree_at("c");
	picks(&t, "../in", "in");
	picks(&t, "abs", "in");
	picks(&t, "chain", "in");
	picks(&t, "dir/in", "in");
	picks(&t, "deep/f", "d/e/f");
	picks(&t, "back", "d/e/f");
	picks_none(&t, "up", "\"/up\": not found");
	picks_none(&t, "dir/outside", "not found");
	picks_none(&t, "../outside", "not found");
	picks_none(&t, "loop", "\"/loop\": not found");
	picks_none(&t, "magic", "\"/magic\": not found");
	close(t.fd);
}

/* [I27] */
Test(build_tree, wildcards_match_one_level)
{
	struct build_tree t;

	put_file("c/b.c", "", 0644);
	put_file("c/a.c", "", 0644);
	put_file("c/s/x.c", "", 0644);
	put_file("c/s/deep/y.c", "", 0644);
	put_file("c/[x].c", "", 0644);
	put_file("c/a\\b", "", 0644);
	cr_assert(!symlinkat("s", tmp_fd, "c/l"));
	t = tree_at("c");
	picks(&t, "*.c", "[x].c a.c b.c");
	picks(&t, "*/*.c", "s/x.c");
	picks(&t, "l/*.c", "s/x.c");
	picks(&t, "**/*.c", "s/x.c");
	picks(&t, "**", "[x].c a.c a\\b b.c s s");
	picks(&t, "[[]x].c", "[x].c");
	picks(&t, "\\[x*", "[x].c");
	picks(&t, "a\\b", "a\\b");
	picks(&t, "none*", "");
	picks(&t, "none/*", "");
	picks_none(&t, "a[", "syntax error in pattern \"/a[\"");
	picks_none(&t, "none", "\"/none\": not found");
	close(t.fd);
}

/* [I36] */
Test(build_tree, parents_name_a_pivot)
{
	static const struct {
		const char *source, *want;
	} rows[] = {
		{ "s/deep/y", "." }, { "/s/./deep/y", "s" },
		{ "s/./deep/./y", "s" }, { "./s/deep", "." },
		{ "*/./deep", "s s" }, { "/./s", "." }, { ".", "." },
	};
	cleanup_error struct error link = ERROR_INIT, gone = ERROR_INIT;
	struct build_tree t;
	size_t i;

	put_file("c/s/deep/y", "", 0644);
	put_file("c/file", "", 0644);
	cr_assert(!symlinkat("s", tmp_fd, "c/l"));
	t = tree_at("c");
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_free char *have = picked(&t, rows[i].source, true,
						 NULL);

		cr_assert(have, "%s", rows[i].source);
		cr_expect_str_eq(have, rows[i].want, "%s", rows[i].source);
	}
	cr_assert_null(picked(&t, "l/deep/y", true, &link));
	cr_expect(strstr(link.msg, "symbolic link"), "%s", link.msg);
	cr_assert_null(picked(&t, "s/none", true, &gone));
	cr_expect(strstr(gone.msg, "\"/s/none\": not found"), "%s", gone.msg);
	close(t.fd);
}

/* --- copying --- */


TestSuite(build_copy, .init = setup, .fini = teardown);

static struct store *open_store(void)
{
	cleanup_free char *path = path_join(tmp, "store");
	struct store_options o = { .path = path, .single_id = true };
	struct store *s = NULL;
	struct error err = ERROR_INIT;

	cr_assert(!store_open(&s, &o, &err), "%s", err.msg);
	return s;
}

Test(build_copy, follows_links_of_the_destination_inside_the_root)
{
	struct copy_target to = { .store = open_store() };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct tree_item dir = { .path = d }, file = { .path = df };
	struct build_tree root, t;
	struct stat st;

	put_file("c/d/f", "new", 0644);
	put_file("victim/f", "old", 0644);
	put_file("root/x", "", 0644);
	cr_assert(!symlinkat("../../../../victim", tmp_fd, "root/out"));
	cr_assert(!symlinkat("/in", tmp_fd, "root/abs"));
	cr_assert(!mkdirat(tmp_fd, "root/in", 0755));
	root = tree_at("root");
	t = tree_at("c");
	to.rootfd = root.fd;
	cr_assert(copy_dir_to(&to, &t, &dir, "/out", NULL) < 0,
		  "the link leads nowhere inside");
	cr_assert(!copy_dir_to(&to, &t, &dir, "/abs", NULL));
	cr_assert(!fs_read_at(tmp_fd, "root/in/f", 100, &text, NULL));
	cr_assert_str_eq(text.buf, "new");
	strbuf_reset(&text);
	cr_assert(!fs_read_at(tmp_fd, "victim/f", 100, &text, NULL));
	cr_assert_str_eq(text.buf, "old");
	cr_assert(!copy_file_to(&to, &t, &file, "/x", NULL));
	cr_assert(!fstatat(tmp_fd, "root/x", &st, 0) && st.st_size == 3);
	close(root.fd);
	close(t.fd);
	store_close(to.store);
}

Test(build_copy, keeps_hard_links_and_replaces_links)
{
	struct copy_target to = { .store = open_store() };
	const struct tree_item dir = { .path = d };
	struct build_tree root, t;
	struct stat a, b;

	put_file("c/d/f", "new", 0644);
	cr_assert(!linkat(tmp_fd, "c/d/f", tmp_fd, "c/d/g", 0));
	put_file("root/t/old", "old", 0644);
	cr_assert(!symlinkat("old", tmp_fd, "root/t/f"));
	root = tree_at("root");
	t = tree_at("c");
	to.rootfd = root.fd;
	cr_assert(!copy_dir_to(&to, &t, &dir, "/t", NULL));
	cr_assert(!fstatat(tmp_fd, "root/t/f", &a, AT_SYMLINK_NOFOLLOW));
	cr_assert(!fstatat(tmp_fd, "root/t/g", &b, AT_SYMLINK_NOFOLLOW));
	cr_assert(S_ISREG(a.st_mode) && a.st_ino == b.st_ino);
	cr_assert(!fstatat(tmp_fd, "root/t/old", &a, 0) && a.st_size == 3);
	close(root.fd);
	close(t.fd);
	store_close(to.store);
}

/* --- keys --- */

static void key_of(char hex[CACHE_KEY], const char *name, const char *value,
		   const char *list)
{
	cleanup_cache_key struct cache_key k = CACHE_KEY_INIT;
	cleanup_strvec struct strvec values = STRVEC_INIT;

	strvec_split(&values, list, " ");
	cache_key_begin(&k, "parent");
	cache_key_add(&k, name, value);
	cache_key_add_list(&k, "list", &values);
	cache_key_finish(&k, hex);
}

Test(cache_key, no_two_texts_read_the_same)
{
	char a[CACHE_KEY], b[CACHE_KEY];

	key_of(a, "arg", "x", "1 2");
	key_of(b, "arg", "x", "1 2");
	cr_assert_str_eq(a, b);
	key_of(b, "arg", "x", "12");
	cr_assert_str_neq(a, b);
	key_of(b, "env", "x", "1 2");
	cr_assert_str_neq(a, b);
	key_of(b, "arg", "x\nlist[] 2\nlist 1:1\nlist 1:2\n", "");
	cr_assert_str_neq(a, b);
}

/* --- --output --- */

static void output_is(const char *text, enum build_output_kind kind,
		      const char *dest, bool directory)
{
	cleanup_build_output struct build_output o;

	cr_assert(!build_output_parse(&o, text, NULL), "%s", text);
	cr_assert_eq(o.kind, kind, "%s", text);
	cr_assert_str_eq(o.dest, dest, "%s", text);
	cr_assert_eq(o.directory, directory, "%s", text);
}

Test(build_output, reads_what_docker_build_reads)
{
	output_is("type=oci,dest=a.tar", BUILD_OUTPUT_OCI, "a.tar", false);
	output_is("dest=d,type=oci,tar=false", BUILD_OUTPUT_OCI, "d", true);
	output_is("type=docker", BUILD_OUTPUT_DOCKER, "-", false);
	output_is("type=tar,dest=-", BUILD_OUTPUT_TAR, "-", false);
	output_is("out", BUILD_OUTPUT_LOCAL, "out", false);
	output_is("-", BUILD_OUTPUT_TAR, "-", false);
}

Test(build_output, refuses_the_rest)
{
	static const char *const wrong[] = { "type=zip,dest=a", "dest=a",
					     "type=local", "type=oci,x",
					     "type=oci,tar=1",
					     "type=oci,color=red" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wrong); i++) {
		cleanup_build_output struct build_output o;
		cleanup_error struct error err = ERROR_INIT;

		cr_assert(build_output_parse(&o, wrong[i], &err) < 0, "%s",
			  wrong[i]);
		cr_assert_eq(err.code, ERR_USAGE);
	}
}
