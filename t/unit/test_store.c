/* test_store.c - layers in and out, what a crash leaves, hostile archives */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/store.h"
#include "wrap/tarwrite.h"

/* --- a store in a scratch directory --- */

struct fixture {
	char dir[64], path[96];
	struct store *s;
	struct store_options o;
};

static void reopen(struct fixture *f)
{
	struct error err = ERROR_INIT;

	store_close(f->s);
	f->s = NULL;
	cr_assert_eq(store_open(&f->s, &f->o, &err), 0, "%s", err.msg);
}

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	snprintf(f->dir, sizeof(f->dir), "/tmp/devenv-unit.XXXXXX");
	cr_assert_not_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/store", f->dir);
	f->o.path = f->path;
	f->o.user_xattr = geteuid() != 0;
	f->o.single_id = geteuid() != 0;
	reopen(f);
}

static void teardown(struct fixture *f)
{
	struct error err = ERROR_INIT;

	store_close(f->s);
	cr_expect_eq(fs_remove_tree(AT_FDCWD, f->dir, &err), 0);
	error_release(&err);
}
#define FIXTURE \
	CLEANUP(teardown) struct fixture f; \
	cleanup_error struct error err = ERROR_INIT; \
	setup(&f)

/* --- archives made by hand --- */

static int to_strbuf(void *arg, const void *data, size_t n,
		     struct error *err UNUSED)
{
	strbuf_add(arg, data, n);
	return 0;
}

/* "type path [target]": d f l h w(hiteout file) c(0:0 device) p(ipe);
 * a file's content is its own path. */
static void make_tar(struct strbuf *out, const char *const *rows)
{
	cleanup_tarwrite struct tarwrite t;

	tarwrite_init(&t, to_strbuf, out);
	for (; *rows; rows++) {
		char type = **rows;
		cleanup_free char *path = xstrdup(*rows + 2);
		char *target = strchr(path, '>');
		struct tar_entry e = { .path = path, .mtime = 1000,
				       .uid = geteuid(), .gid = getegid() };

		if (target)
			*target++ = '\0';
		e.link = target;
		e.hard = type == 'h';
		e.mode = type == 'd'   ? S_IFDIR | 0755
			 : type == 'l' ? S_IFLNK | 0777
			 : type == 'c' ? S_IFCHR | 0600
			 : type == 'p' ? S_IFIFO | 0600
				       : S_IFREG | 0644;
		if (type == 'f')
			e.size = strlen(path);
		cr_assert_eq(tarwrite_header(&t, &e, NULL), 0);
		if (e.size) {
			int p[2];

			cr_assert_eq(pipe(p), 0);
			cr_assert_eq(write(p[1], path, e.size),
				     (ssize_t)e.size);
			close(p[1]);
			cr_assert_eq(tarwrite_file(&t, p[0], e.size, path,
						   NULL), 0);
			close(p[0]);
		}
	}
	cr_assert_eq(tarwrite_end(&t, NULL), 0);
}

static int memory_fd(const struct strbuf *data)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);

	cr_assert_eq(fs_write_all(fd, data->buf, data->len, NULL), 0);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int unpack(struct fixture *f, const struct strbuf *tar,
		  char id[STORE_ID], struct error *err)
{
	cleanup_close int fd = memory_fd(tar);
	char digest[DIGEST_TEXT];

	digest_bytes(tar->buf, tar->len, digest);
	snprintf(id, STORE_ID, "%s", digest_hex(digest));
	return store_unpack(f->s, fd, digest, NULL, err);
}

static int unpack_rows(struct fixture *f, char id[STORE_ID],
		       struct error *err, const char *const *rows)
{
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;

	make_tar(&tar, rows);
	return unpack(f, &tar, id, err);
}
#define ROWS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static bool layer_stat(struct fixture *f, const char *id, const char *name,
		       struct stat *st)
{
	cleanup_free char *fs = store_layer_fs(f->s, id);
	cleanup_free char *path = xstrfmt("%s/%s", fs, name);

	return lstat(path, st) == 0;
}

/* --- opening --- */

Test(store, opens_its_own_directory_only)
{
	FIXTURE;
	struct store *other = NULL;
	struct stat st;

	cr_assert_eq(stat(f.path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0700);
	cr_assert_eq(chmod(f.path, 0755), 0);
	cr_expect_eq(store_open(&other, &f.o, &err), -1);
	cr_expect_not_null(strstr(err.msg, "open to others"));
	cr_assert_eq(chmod(f.path, 0700), 0);
}

Test(store, refuses_a_newer_format)
{
	FIXTURE;
	struct store *other = NULL;
	cleanup_free char *path = xstrfmt("%s/format", f.path);

	cr_assert_eq(fs_write_atomic(AT_FDCWD, path, "2\n", 2, 0600, NULL), 0);
	cr_expect_eq(store_open(&other, &f.o, &err), -1);
	cr_expect_not_null(strstr(err.msg, "has format '2'"));
	cr_expect_not_null(strstr(err.hint, "newer devenv"));
}

/* --- blobs --- */

Test(store, blob_with_a_wrong_digest_never_appears)
{
	FIXTURE;
	struct store_writer *w;
	char want[DIGEST_TEXT], got[DIGEST_TEXT] = "";
	uint64_t size;

	digest_bytes("abc", 3, want);
	cr_assert_eq(store_writer_new(f.s, &w, &err), 0);
	cr_assert_eq(store_writer_write(w, "abd", 3, &err), 0);
	cr_expect_eq(store_writer_commit(w, want, &size, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_not(store_has_blob(f.s, want, NULL));
	cr_assert_eq(store_writer_restart(w, NULL), 0);
	cr_assert_eq(store_writer_write(w, "abc", 3, NULL), 0);
	cr_assert_eq(store_writer_commit(w, got, &size, NULL), 0);
	cr_expect_str_eq(got, want);
	cr_expect(store_has_blob(f.s, want, &size) && size == 3);
}

static void count(void *arg, const char *text UNUSED)
{
	++*(int *)arg;
}

Test(store, verify_finds_a_changed_blob)
{
	FIXTURE;
	char digest[DIGEST_TEXT];
	cleanup_free char *path = NULL;
	int n = 0;

	cr_assert_eq(store_put_blob(f.s, "abc", 3, digest, &err), 0);
	cr_expect_eq(store_verify(f.s, count, &n, &err), 0);
	path = xstrfmt("%s/blobs/sha256/%s", f.path, digest_hex(digest));
	cr_assert_eq(fs_write_atomic(AT_FDCWD, path, "abd", 3, 0600, NULL), 0);
	cr_expect_eq(store_verify(f.s, count, &n, &err), 1);
	cr_expect_eq(n, 1);
}

/* --- drafts --- */

Test(store, draft_of_a_killed_process_goes)
{
	FIXTURE;
	struct store_draft d;
	int pipes[2], status;
	char dir[256] = "";
	pid_t pid;

	cr_assert_eq(store_draft_new(f.s, &d, &err), 0);
	cr_assert_eq(pipe(pipes), 0);
	pid = fork();
	if (!pid) {
		struct store_draft lost;
		struct store *s;

		if (store_open(&s, &f.o, NULL) < 0 ||
		    store_draft_new(s, &lost, NULL) < 0 ||
		    write(pipes[1], lost.dir, strlen(lost.dir)) < 0)
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status));
	cr_assert_gt(read(pipes[0], dir, sizeof(dir) - 1), 0);
	cr_expect(fs_is_dir(dir));
	reopen(&f);
	cr_expect_not(fs_exists(dir));
	cr_expect(fs_is_dir(d.fs), "the draft of a living process stays");
	store_draft_drop(f.s, &d);
	close(pipes[0]);
	close(pipes[1]);
}

static void commit_empty(struct fixture *f, char id[STORE_ID])
{
	struct error err = ERROR_INIT;
	struct store_draft d;

	store_new_id(id);
	cr_assert_eq(store_draft_new(f->s, &d, &err), 0, "%s", err.msg);
	cr_assert_eq(store_draft_commit(f->s, &d, NULL, id, &err), 0, "%s",
		     err.msg);
}

/* As after a power loss: the layer says that another boot made it. */
static void forge_boot(struct fixture *f, const char *id)
{
	cleanup_free char *path = xstrfmt("%s/layers/%s/boot", f->path, id);

	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(symlink("another-boot", path), 0);
}

Test(store, unsynced_layer_of_an_earlier_boot_is_not_there)
{
	FIXTURE;
	char lost[STORE_ID], kept[STORE_ID];
	cleanup_free char *fs = NULL;

	commit_empty(&f, kept);
	cr_assert_eq(store_sync(f.s, &err), 0);
	commit_empty(&f, lost);
	forge_boot(&f, kept);
	cr_expect(store_has_layer(f.s, lost));
	forge_boot(&f, lost);
	cr_expect_not(store_has_layer(f.s, lost));
	cr_expect(store_has_layer(f.s, kept));
	fs = store_layer_fs(f.s, lost);
	cr_expect(fs_is_dir(fs));
	reopen(&f);
	cr_expect_not(fs_exists(fs));
	cr_expect(store_has_layer(f.s, kept));
}

/* --- unpacking --- */

Test(store, hostile_names_stay_inside)
{
	FIXTURE;
	char id[STORE_ID];
	struct stat st;
	cleanup_free char *outside = xstrfmt("%s/out", f.dir);
	cleanup_free char *up = xstrfmt("l up>%s", f.dir);

	cr_assert_eq(mkdir(outside, 0755), 0);
	cr_assert_eq(unpack_rows(&f, id, &err,
				 ROWS("f ../../../../../../tmp/evil1",
				      "f /abs", up, "d up", "l to>../../..",
				      "f to/evil2", "l link>/etc/passwd",
				      "f link")), 0, "%s", err.msg);
	cr_expect_not(fs_exists("/tmp/evil1"));
	cr_expect(layer_stat(&f, id, "tmp/evil1", &st));
	cr_expect(layer_stat(&f, id, "abs", &st));
	cr_expect(layer_stat(&f, id, "up", &st) && S_ISDIR(st.st_mode));
	cr_expect(layer_stat(&f, id, "evil2", &st), "clamped at the root");
	cr_expect(layer_stat(&f, id, "link", &st) && S_ISREG(st.st_mode));
}

Test(store, absolute_link_is_followed_inside_only)
{
	FIXTURE;
	cleanup_free char *outside = xstrfmt("%s/out", f.dir);
	cleanup_free char *link = xstrfmt("l door>%s", outside);
	cleanup_free char *leak = xstrfmt("%s/leak", outside);
	char id[STORE_ID];

	cr_assert_eq(mkdir(outside, 0755), 0);
	cr_expect_eq(unpack_rows(&f, id, &err, ROWS(link, "f door/leak")), -1);
	cr_expect_not(fs_exists(leak));
	cr_expect_not(store_has_layer(f.s, id));
}

Test(store, hard_link_to_outside_is_refused)
{
	FIXTURE;
	char id[STORE_ID];

	cr_expect_eq(unpack_rows(&f, id, &err,
				 ROWS("h shadow>/etc/passwd")), -1);
	cr_expect_eq(err.code, ERR_INPUT);
	cr_expect_not_null(strstr(err.msg, "cannot link 'shadow'"));
}

Test(store, hard_link_through_a_link_stays_inside)
{
	FIXTURE;
	char id[STORE_ID];

	cr_expect_eq(unpack_rows(&f, id, &err,
				 ROWS("l e>/etc", "h shadow>e/passwd")), -1);
	cr_expect_eq(err.code, ERR_INPUT);
}

Test(store, whiteouts_that_hide_nothing_are_refused)
{
	static const char *const bad[] = { "w .wh.", "w a/.wh..", "w .wh...",
					   "f .wh.x/y", "w .wh..wh..opq" };

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		FIXTURE;
		char id[STORE_ID];

		cr_expect_eq(unpack_rows(&f, id, &err,
					 ROWS("d a", bad[i])), -1,
			     "%s", bad[i]);
		cr_expect_eq(err.code, ERR_INPUT);
	}
}

Test(store, whiteout_hides_lower_content_only)
{
	FIXTURE;
	char id[STORE_ID];
	struct stat st;
	cleanup_free char *fs = NULL, *dir = NULL, *opaque = NULL;
	const char *mark = f.o.user_xattr ? "user.overlay.opaque"
					  : "trusted.overlay.opaque";
	char y;

	cr_assert_eq(unpack_rows(&f, id, &err,
				 ROWS("w .wh.gone", "f kept", "w .wh.kept",
				      "w .wh.fresh", "d fresh", "d op", "f op/new",
				      "w op/.wh..wh..opq")), 0, "%s", err.msg);
	cr_expect(layer_stat(&f, id, "gone", &st) && S_ISCHR(st.st_mode) &&
		  st.st_rdev == makedev(0, 0));
	cr_expect(layer_stat(&f, id, "kept", &st) && S_ISREG(st.st_mode));
	cr_expect(layer_stat(&f, id, "fresh", &st) && S_ISDIR(st.st_mode));
	cr_expect(layer_stat(&f, id, "op/new", &st) && S_ISREG(st.st_mode));
	fs = store_layer_fs(f.s, id);
	dir = xstrfmt("%s/fresh", fs);
	opaque = xstrfmt("%s/op", fs);
	cr_expect_eq(getxattr(dir, mark, &y, 1), 1);
	cr_expect_eq(getxattr(opaque, mark, &y, 1), 1);
}

Test(store, last_of_duplicates_wins)
{
	FIXTURE;
	char id[STORE_ID];
	struct stat st;

	cr_assert_eq(unpack_rows(&f, id, &err,
				 ROWS("f a", "d a", "f a/b", "f a", "d c",
				      "f c/x", "l c>a", "d e", "d e")), 0,
		     "%s", err.msg);
	cr_expect(layer_stat(&f, id, "a", &st) && S_ISREG(st.st_mode));
	cr_expect(layer_stat(&f, id, "c", &st) && S_ISLNK(st.st_mode));
	cr_expect(layer_stat(&f, id, "e", &st) && st.st_mtime == 1000);
}

Test(store, wrong_digest_leaves_nothing)
{
	FIXTURE;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_close int fd = -1;
	char digest[DIGEST_TEXT];
	int n = 0;

	make_tar(&tar, ROWS("f a"));
	fd = memory_fd(&tar);
	digest_bytes("x", 1, digest);
	cr_expect_eq(store_unpack(f.s, fd, digest, NULL, &err), -1);
	cr_expect_not_null(strstr(err.msg, "has the content of"));
	cr_expect_not(store_has_layer(f.s, digest_hex(digest)));
	cr_expect_eq(store_verify(f.s, count, &n, NULL), 0);
}

Test(store, truncated_archive_is_an_error)
{
	FIXTURE;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	char id[STORE_ID];

	make_tar(&tar, ROWS("f aaaa", "f bbbb"));
	strbuf_setlen(&tar, 514); /* in the middle of a file */
	cr_expect_eq(unpack(&f, &tar, id, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
}

Test(store, too_many_entries_are_refused)
{
	FIXTURE;
	char id[STORE_ID];

	f.o.max_entries = 2;
	reopen(&f);
	cr_expect_eq(unpack_rows(&f, id, &err, ROWS("f a", "f b", "f c")), -1);
	cr_expect_not_null(strstr(err.msg, "too many files"));
}

/* --- export --- */

static void expect_tar(struct fixture *f, const char *const *chain, size_t n,
		       const char *const *rows)
{
	cleanup_strbuf struct strbuf have = STRBUF_INIT, want = STRBUF_INIT;
	struct error err = ERROR_INIT;

	make_tar(&want, rows);
	cr_assert_eq(store_layer_tar(f->s, chain, n, to_strbuf, &have, &err),
		     0, "%s", err.msg);
	if (have.len != want.len || memcmp(have.buf, want.buf, want.len)) {
		for (size_t at = 0; at + 512 <= have.len; at += 512) {
			if (!memcmp(have.buf + at + 257, "ustar", 5))
				fprintf(stderr, "have: %c %.100s\n",
					have.buf[at + 156], have.buf + at);
		}
		cr_assert_fail("%zu bytes, expected %zu", have.len, want.len);
	}
}

Test(store, layer_comes_out_as_it_went_in)
{
	FIXTURE;
	char id[STORE_ID];
	const char *chain[] = { id };
	const char *const rows[] = { "d a",  "f a/b",	  "h a/c>a/b",
				     "f a.b", "l l>../x", "p pipe",
				     /* composed, decomposed, no UTF-8 */
				     "f u\xcc\x88", "f \xc3\xa4",
				     "f \xc3\xa4\xff", "f \xe9t\xe9", NULL };

	/* The program's locale, in which libraries might convert names. */
	cr_assert_not_null(setlocale(LC_CTYPE, "C.UTF-8"));
	cr_assert_eq(unpack_rows(&f, id, &err, rows), 0, "%s", err.msg);
	expect_tar(&f, chain, 1, rows);
}

static void expect_same_again(struct fixture *f, const char *const *below,
			      const char *const *rows)
{
	struct error err = ERROR_INIT;
	char low[STORE_ID], high[STORE_ID];
	const char *chain[] = { low, high };
	cleanup_strbuf struct strbuf have = STRBUF_INIT, want = STRBUF_INIT;
	struct store_meta meta;

	cr_assert_eq(unpack_rows(f, low, &err, below), 0, "%s", err.msg);
	cr_assert_eq(unpack_rows(f, high, &err, rows), 0, "%s", err.msg);
	cr_assert_eq(store_layer_blob(f->s, chain, 2, &meta, &err), 0, "%s",
		     err.msg);
	cr_expect_str_eq(digest_hex(meta.diff_id), high);
	cr_expect(store_has_blob(f->s, meta.blob, NULL));
}

/* Whiteout rows have mode 0644, mtime 1000: not what export writes. */
static void wh(struct tarwrite *t, const char *path)
{
	struct tar_entry e = { .path = path, .mode = S_IFREG };

	cr_assert_eq(tarwrite_header(t, &e, NULL), 0);
}

static void dir_entry(struct tarwrite *t, const char *path)
{
	struct tar_entry e = { .path = path, .mode = S_IFDIR | 0755,
			       .mtime = 1000, .uid = geteuid(),
			       .gid = getegid() };

	cr_assert_eq(tarwrite_header(t, &e, NULL), 0);
}

Test(store, blob_has_the_diff_id_it_came_with)
{
	FIXTURE;

	expect_same_again(&f, ROWS("d a", "f a/x"), ROWS("d b", "f b/y"));
}

Test(store, opaque_directory_becomes_whiteouts_at_all_depths)
{
	FIXTURE;
	cleanup_strbuf struct strbuf have = STRBUF_INIT, want = STRBUF_INIT;
	cleanup_tarwrite struct tarwrite t;
	char low[STORE_ID], high[STORE_ID];
	const char *chain[] = { low, high };

	cr_assert_eq(unpack_rows(&f, low, &err,
				 ROWS("d d", "f d/a", "d d/sub", "f d/sub/old",
				      "f d/z", "f other")), 0);
	cr_assert_eq(unpack_rows(&f, high, &err,
				 ROWS("d d", "d d/sub", "w d/.wh..wh..opq",
				      "w .wh.missing", "w .wh.other")), 0);
	cr_assert_eq(store_layer_tar(f.s, chain, 2, to_strbuf, &have, &err),
		     0, "%s", err.msg);
	tarwrite_init(&t, to_strbuf, &want);
	dir_entry(&t, "d");
	wh(&t, "d/.wh.a");
	dir_entry(&t, "d/sub");
	wh(&t, "d/sub/.wh.old");
	wh(&t, "d/.wh.z");
	wh(&t, ".wh.other");
	cr_assert_eq(tarwrite_end(&t, NULL), 0);
	cr_assert_eq(have.len, want.len);
	cr_expect_eq(memcmp(have.buf, want.buf, want.len), 0);
}

Test(store, unchanged_copies_are_dropped)
{
	FIXTURE;
	char low[STORE_ID], high[STORE_ID];
	const char *chain[] = { low, high };

	cr_assert_eq(unpack_rows(&f, low, &err,
				 ROWS("d a", "f a/same", "d b", "d c")), 0);
	cr_assert_eq(unpack_rows(&f, high, &err,
				 ROWS("d a", "f a/same", "d b", "f b/new",
				      "d c")), 0);
	expect_tar(&f, chain, 2, ROWS("d b", "f b/new"));
}

static void draft_file(struct fixture *f, char id[STORE_ID], const char *name,
		       const char *text)
{
	cleanup_free char *path = NULL;
	struct store_draft d;

	store_new_id(id);
	cr_assert_eq(store_draft_new(f->s, &d, NULL), 0);
	path = xstrfmt("%s/%s", d.fs, name);
	cr_assert_eq(fs_write_atomic(AT_FDCWD, path, text, strlen(text),
				     0644, NULL), 0);
	cr_assert_eq(store_draft_commit(f->s, &d, NULL, id, NULL), 0);
}

Test(store, diff_ids_of_a_chain_are_those_of_its_layers)
{
	FIXTURE;
	char low[STORE_ID], mid[STORE_ID], high[STORE_ID];
	const char *chain[] = { low, mid, high, "not-here" };
	char ids[4][DIGEST_TEXT] = { "", "", "", "sha256:known" };
	struct store_meta meta;

	cr_assert_eq(unpack_rows(&f, low, &err, ROWS("f one")), 0);
	draft_file(&f, mid, "one", "1");
	draft_file(&f, high, "two", "2");
	cr_assert_eq(store_diff_ids(f.s, chain, 4, ids, &err), 0, "%s",
		     err.msg);
	cr_expect_str_eq(digest_hex(ids[0]), low);
	cr_expect_str_eq(ids[3], "sha256:known");
	for (size_t i = 1; i < 3; i++) {
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		char digest[DIGEST_TEXT];

		cr_assert_eq(store_layer_tar(f.s, chain, i + 1, to_strbuf,
					     &tar, &err), 0, "%s", err.msg);
		digest_bytes(tar.buf, tar.len, digest);
		cr_expect_str_eq(ids[i], digest);
		cr_assert_eq(store_get_meta(f.s, chain[i], &meta, &err), 0);
		cr_expect_str_eq(meta.diff_id, digest);
		cr_expect_eq(meta.size, tar.len);
	}
}

Test(store, flat_tar_is_the_merged_view)
{
	FIXTURE;
	cleanup_strbuf struct strbuf have = STRBUF_INIT, want = STRBUF_INIT;
	cleanup_free char *dest = xstrfmt("%s/flat", f.dir);
	cleanup_free char *kept = xstrfmt("%s/a/top", dest);
	char low[STORE_ID], high[STORE_ID];
	const char *chain[] = { low, high };
	const struct store_chain both = { chain, 2, 2, 0 };

	cr_assert_eq(unpack_rows(&f, low, &err,
				 ROWS("d a", "f a/low", "f gone", "d op",
				      "f op/hidden")), 0);
	cr_assert_eq(unpack_rows(&f, high, &err,
				 ROWS("d a", "f a/top", "w .wh.gone", "d op",
				      "w op/.wh..wh..opq")), 0);
	cr_assert_eq(store_flat_tar(f.s, &both, to_strbuf, &have, &err), 0,
		     "%s", err.msg);
	make_tar(&want, ROWS("d a", "f a/low", "f a/top", "d op"));
	cr_assert_eq(have.len, want.len);
	cr_expect_eq(memcmp(have.buf, want.buf, want.len), 0);
	cr_assert_eq(store_flat_copy(f.s, &both, dest, &err), 0, "%s",
		     err.msg);
	cr_expect(fs_is_file(kept));
	cr_expect_eq(store_flat_copy(f.s, &both, dest, &err), -1);
	cr_expect_not_null(strstr(err.msg, "is not empty"));
}

Test(store, single_id_keeps_owners_beside_the_files)
{
	FIXTURE;
	cleanup_strbuf struct strbuf tar = STRBUF_INIT, out = STRBUF_INIT;
	cleanup_tarwrite struct tarwrite t;
	char id[STORE_ID];
	const char *chain[] = { id };
	struct tar_entry e = { .path = "dir", .mode = S_IFDIR | 0750,
			       .uid = 1000, .gid = 2000, .mtime = 1000 };

	f.o.single_id = true;
	reopen(&f);
	tarwrite_init(&t, to_strbuf, &tar);
	cr_assert_eq(tarwrite_header(&t, &e, NULL), 0);
	e.path = "file";
	e.mode = S_IFREG | 04755;
	cr_assert_eq(tarwrite_header(&t, &e, NULL), 0);
	e.path = "link";
	e.link = "file";
	e.mode = S_IFLNK | 0777;
	cr_assert_eq(tarwrite_header(&t, &e, NULL), 0);
	cr_assert_eq(tarwrite_end(&t, NULL), 0);
	cr_assert_eq(unpack(&f, &tar, id, &err), 0, "%s", err.msg);
	cr_assert_eq(store_layer_tar(f.s, chain, 1, to_strbuf, &out, &err), 0,
		     "%s", err.msg);
	cr_assert_eq(out.len, tar.len);
	cr_expect_eq(memcmp(out.buf, tar.buf, tar.len), 0);
}

/* --- caches --- */

Test(store, torn_cache_entry_is_a_miss)
{
	FIXTURE;
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	cleanup_free char *path = NULL;
	char key[STORE_ID];

	store_new_id(key);
	cr_expect_eq(store_cache_get(f.s, key, &text, &err), 0);
	cr_assert_eq(store_cache_put(f.s, key, "hello", 5, &err), 0);
	cr_expect_eq(store_cache_get(f.s, key, &text, &err), 1);
	cr_expect_str_eq(text.buf, "hello");
	path = xstrfmt("%s/cache/%s", f.path, key);
	cr_assert_eq(truncate(path, DIGEST_TEXT + 3), 0);
	cr_expect_eq(store_cache_get(f.s, key, &text, &err), 0);
	cr_expect_eq(store_cache_get(f.s, "../../x", &text, &err), -1);
}

/* `st` NULL: the file's own. */
static int digest_of(struct fixture *f, const char *name,
		     const struct stat *st, char text[DIGEST_TEXT])
{
	struct store_stat_cache *c;
	uint8_t raw[DIGEST_RAW] = { 0 };
	cleanup_strbuf struct strbuf hex = STRBUF_INIT;
	cleanup_close int dir = open(f->dir, O_RDONLY | O_DIRECTORY);
	struct stat own;
	int rc;

	if (!st)
		cr_assert_eq(fstatat(dir, name, &own, 0), 0);
	cr_assert_eq(store_stat_cache_open(f->s, f->dir, &c, NULL), 0);
	rc = store_stat_cache_digest(c, dir, name, st ? st : &own, raw, NULL);
	store_stat_cache_close(c);
	strbuf_add_hex(&hex, raw, sizeof(raw));
	snprintf(text, DIGEST_TEXT, "sha256:%s", hex.buf);
	return rc;
}

Test(store, stat_cache_sees_a_change_of_the_same_size)
{
	FIXTURE;
	cleanup_free char *path = xstrfmt("%s/file", f.dir);
	char want[DIGEST_TEXT], got[DIGEST_TEXT];

	for (int i = 0; i < 20; i++) {
		char text[16];
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

		snprintf(text, sizeof(text), "%03d", i);
		cr_assert_eq(write(fd, text, 3), 3);
		close(fd);
		digest_bytes(text, 3, want);
		cr_assert_eq(digest_of(&f, "file", NULL, got), 0);
		cr_expect_str_eq(got, want);
	}
}

Test(store, stat_cache_does_not_read_what_it_knows)
{
	FIXTURE;
	cleanup_free char *path = xstrfmt("%s/file", f.dir);
	char want[DIGEST_TEXT], got[DIGEST_TEXT];
	struct stat st;

	cr_assert_eq(fs_write_atomic(AT_FDCWD, path, "abc", 3, 0600, NULL), 0);
	digest_bytes("abc", 3, want);
	nanosleep(&(struct timespec){ 0, 50000000 }, NULL);
	cr_assert_eq(digest_of(&f, "file", NULL, got), 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(digest_of(&f, "file", &st, got), 0);
	cr_expect_str_eq(got, want);
	st.st_ctim.tv_nsec ^= 1;
	cr_expect_eq(digest_of(&f, "file", &st, got), -1);
}

/* Version 2 of vfs_cap_data, as images carry it: cap_net_raw, effective. */
static const char capability[20] = "\x01\0\0\x02\0\x20";

Test(store, capabilities_come_out_as_they_went_in)
{
	static const bool modes[] = { false, true };

	for (size_t i = geteuid() ? 1 : 0; i < ARRAY_SIZE(modes); i++) {
		FIXTURE;
		cleanup_strbuf struct strbuf tar = STRBUF_INIT;
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		cleanup_tarwrite struct tarwrite t;
		char id[STORE_ID];
		const char *chain[] = { id };
		struct tar_xattr x[] = {
			{ "security.capability", capability, 20 },
			{ "user.overlay.redirect", "/etc", 4 },
		};
		struct tar_entry e = { .path = "ping", .uid = 1, .gid = 2,
				       .mode = S_IFREG | 02755, .mtime = 1000,
				       .xattrs = x, .n_xattrs = 1 };

		f.o.single_id = modes[i];
		reopen(&f);
		tarwrite_init(&t, to_strbuf, &tar);
		cr_assert_eq(tarwrite_header(&t, &e, NULL), 0);
		cr_assert_eq(tarwrite_end(&t, NULL), 0);
		cr_assert_eq(unpack(&f, &tar, id, &err), 0, "%s", err.msg);
		cr_assert_eq(store_layer_tar(f.s, chain, 1, to_strbuf, &out,
					     &err), 0, "%s", err.msg);
		cr_assert_eq(out.len, tar.len);
		cr_expect_eq(memcmp(out.buf, tar.buf, tar.len), 0);
		/* Overlay's own marks are never taken from an archive. */
		e.n_xattrs = 2;
		e.path = "other";
		strbuf_reset(&tar);
		tarwrite_release(&t);
		tarwrite_init(&t, to_strbuf, &tar);
		cr_assert_eq(tarwrite_header(&t, &e, NULL), 0);
		cr_assert_eq(tarwrite_end(&t, NULL), 0);
		cr_assert_eq(unpack(&f, &tar, id, &err), 0, "%s", err.msg);
		strbuf_reset(&out);
		cr_expect_eq(store_layer_tar(f.s, chain, 1, to_strbuf, &out,
					     &err), 0, "%s", err.msg);
	}
}

Test(store, images_are_found_by_reference_and_id)
{
	FIXTURE;
	cleanup_store_image struct store_image i = { .n_layers = 0 };
	cleanup_store_image struct store_image got = { .n_layers = 0 };
	cleanup_strvec struct strvec names = STRVEC_INIT;
	struct oci_platform p = { .os = NULL };

	oci_platform_host(&p);
	oci_config_scratch(&i.config, &p);
	oci_platform_release(&p);
	i.reference = xstrdup("docker.io/library/x:latest");
	digest_bytes("config", 6, i.config_digest);
	cr_assert_eq(store_put_image(f.s, &i, &err), 0, "%s", err.msg);
	cr_assert_eq(store_get_image(f.s, i.reference, &got, &err), 1);
	cr_expect_str_eq(got.config_digest, i.config_digest);
	store_image_release(&got);
	i.config_digest[7 + 12] = '\0';
	cr_assert_eq(store_get_image(f.s, i.config_digest, &got, &err), 1);
	cr_expect_str_eq(got.reference, i.reference);
	cr_assert_eq(store_list_images(f.s, &names, &err), 0);
	cr_expect_eq(names.nr, 1);
	cr_assert_eq(store_remove_image(f.s, i.reference, &err), 0);
	store_image_release(&got);
	cr_expect_eq(store_get_image(f.s, i.reference, &got, &err), 0);
	cr_expect_eq(store_get_image(f.s, i.config_digest, &got, &err), 0);
}

/* A layer with a file of `kib` KiB, remembered by a step used `age` seconds
 * ago. */
static void remember_step(struct fixture *f, unsigned kib, time_t age,
			  char key[STORE_ID], char layer[STORE_ID])
{
	struct store_meta meta = { .uid = 0 };
	struct timespec times[2] = { { time(NULL) - age, 0 } };
	cleanup_free char *text = NULL, *path = NULL, *entry = NULL;
	cleanup_error struct error err = ERROR_INIT;
	struct store_draft d;
	char block[1024] = "x";
	FILE *file;

	cr_assert_eq(store_draft_new(f->s, &d, &err), 0);
	path = xstrfmt("%s/file", d.fs);
	file = fopen(path, "w");
	cr_assert(file);
	for (unsigned i = 0; i < kib; i++)
		cr_assert_eq(fwrite(block, sizeof(block), 1, file), 1);
	fclose(file);
	store_new_id(layer);
	store_new_id(key);
	cr_assert_eq(store_draft_commit(f->s, &d, &meta, layer, &err), 0);
	text = xstrfmt("{\"layer\":\"%s\"}", layer);
	cr_assert_eq(store_cache_put(f->s, key, text, strlen(text), &err), 0);
	times[1] = times[0];
	entry = xstrfmt("%s/cache/%s", store_path(f->s), key);
	cr_assert_eq(utimensat(AT_FDCWD, entry, times, 0), 0);
}

Test(store, gc_keeps_what_was_used_last_up_to_a_size)
{
	FIXTURE;
	const struct store_gc_options size = { .keep_size = 2500 * 1024 };
	char keys[3][STORE_ID], layers[3][STORE_ID];
	struct store_gc_result r;

	remember_step(&f, 1000, 10, keys[0], layers[0]);
	remember_step(&f, 1000, 30, keys[1], layers[1]);
	remember_step(&f, 1000, 20, keys[2], layers[2]);
	cr_assert_eq(store_gc(f.s, &size, &r, &err), 0, "%s", err.msg);
	cr_expect_eq(r.cache, 1);
	cr_expect_eq(r.layers, 1);
	cr_expect(store_has_layer(f.s, layers[0]));
	cr_expect_not(store_has_layer(f.s, layers[1]), "the oldest goes");
	cr_expect(store_has_layer(f.s, layers[2]));
	cr_expect_geq(r.bytes, 1000 * 1024);
}

Test(store, gc_forgets_what_is_older_than_an_age)
{
	FIXTURE;
	const struct store_gc_options age = { .max_age = 25 };
	char keys[2][STORE_ID], layers[2][STORE_ID];
	struct store_gc_result r;

	remember_step(&f, 1, 10, keys[0], layers[0]);
	remember_step(&f, 1, 30, keys[1], layers[1]);
	cr_assert_eq(store_gc(f.s, &age, &r, &err), 0, "%s", err.msg);
	cr_expect(store_has_layer(f.s, layers[0]));
	cr_expect_not(store_has_layer(f.s, layers[1]));
}

Test(store, gc_removes_what_nothing_refers_to)
{
	FIXTURE;
	char kept[STORE_ID], lost[STORE_ID], key[STORE_ID];
	cleanup_free char *text = NULL;
	const struct store_gc_options dry = { .dry_run = true }, wet = { 0 };
	struct store_gc_result r;

	commit_empty(&f, kept);
	commit_empty(&f, lost);
	store_new_id(key);
	text = xstrfmt("{\"layer\":\"%s\"}", kept);
	cr_assert_eq(store_cache_put(f.s, key, text, strlen(text), &err), 0);
	cr_assert_eq(store_gc(f.s, &dry, &r, &err), 0, "%s", err.msg);
	cr_expect_eq(r.layers, 1);
	cr_expect(store_has_layer(f.s, lost), "a dry run removes nothing");
	cr_assert_eq(store_gc(f.s, &wet, &r, &err), 0, "%s", err.msg);
	cr_expect(store_has_layer(f.s, kept));
	cr_expect_not(store_has_layer(f.s, lost));
}

static int fill_mount(void *arg, int fd, struct error *err)
{
	int *filled = arg;

	++*filled;
	return fs_write_atomic(fd, "seed", "x", 1, 0600, err);
}

static void take_mount(struct store *s, enum store_sharing sharing, int want,
		       const char *instance, struct store_mount *m, int *filled)
{
	static const char key[] = "0123456789abcdef0123456789abcdef"
				  "0123456789abcdef0123456789abcdef";
	const struct store_mount_maker maker = { fill_mount, filled };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *end = xstrfmt("/%s/%s/fs", key, instance);

	*m = (struct store_mount)STORE_MOUNT_INIT;
	cr_assert_eq(store_mount_take(s, key, sharing, &maker, m, &err), want,
		     "%s", err.msg);
	if (want)
		cr_expect(str_ends(m->fs, end), "%s", m->fs);
}

/* [I06] */
Test(store, cache_mounts_are_shared_kept_apart_or_locked)
{
	FIXTURE;
	struct store_mount a, b, c, d;
	const struct store_gc_options age = { .max_age = 1000 },
				      all = { .mounts = true };
	struct store_gc_result r;
	int filled = 0;

	take_mount(f.s, STORE_SHARED, 1, "0", &a, &filled);
	take_mount(f.s, STORE_SHARED, 1, "0", &b, &filled);
	take_mount(f.s, STORE_LOCKED, 0, "", &d, &filled);
	take_mount(f.s, STORE_PRIVATE, 1, "1", &c, &filled);
	cr_expect_eq(filled, 2, "each instance is filled once");
	store_mount_release(&a);
	take_mount(f.s, STORE_LOCKED, 0, "", &d, &filled);
	store_mount_release(&b);
	take_mount(f.s, STORE_LOCKED, 1, "0", &d, &filled);
	take_mount(f.s, STORE_SHARED, 1, "2", &a, &filled);
	store_mount_release(&c);
	take_mount(f.s, STORE_PRIVATE, 1, "1", &c, &filled);
	store_mount_release(&a);
	store_mount_release(&c);
	store_mount_release(&d);
	cr_expect_eq(filled, 3);
	cr_assert_eq(store_gc(f.s, &age, &r, &err), 0);
	cr_expect_eq(r.mounts, 0, "in use not long ago");
	cr_assert_eq(store_gc(f.s, &all, &r, &err), 0);
	cr_expect_eq(r.mounts, 1);
	take_mount(f.s, STORE_PRIVATE, 1, "0", &a, &filled);
	cr_expect_eq(filled, 4);
	store_mount_release(&a);
}
