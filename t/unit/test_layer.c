/* test_layer.c - layers in and out, hostile archives */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "store_fixture.h"

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

/* As if it had been made here: an archive's is named by what it holds. */
static void make_rows(struct fixture *f, char id[STORE_ID],
		      const char *const *rows)
{
	char unpacked[STORE_ID];
	cleanup_free char *from = NULL, *to = NULL;

	cr_assert_eq(unpack_rows(f, unpacked, NULL, rows), 0);
	from = store_layer_fs(f->s, unpacked);
	from[strlen(from) - strlen("/fs")] = '\0';
	store_new_id(id);
	to = xstrdup(from);
	memcpy(to + strlen(to) - strlen(id), id, strlen(id));
	cr_assert_eq(rename(from, to), 0);
}

Test(store, unchanged_copies_are_dropped)
{
	FIXTURE;
	char low[STORE_ID], high[STORE_ID];
	const char *chain[] = { low, high };

	cr_assert_eq(unpack_rows(&f, low, &err,
				 ROWS("d a", "f a/same", "d b", "d c")), 0);
	make_rows(&f, high, ROWS("d a", "f a/same", "d b", "f b/new", "d c"));
	expect_tar(&f, chain, 2, ROWS("d b", "f b/new"));
}

static void set_time(struct fixture *f, const char *id, const char *name,
		     long nsec)
{
	const struct timespec at = { .tv_sec = 1000, .tv_nsec = nsec };
	const struct timespec times[2] = { at, at };
	cleanup_free char *fs = store_layer_fs(f->s, id);
	cleanup_free char *path = xstrfmt("%s/%s", fs, name);

	cr_assert_eq(utimensat(AT_FDCWD, path, times, 0), 0);
}

Test(store, a_time_that_was_cut_is_the_same)
{
	FIXTURE;
	char unpacked[STORE_ID], made[STORE_ID], high[STORE_ID];
	const char *cut[] = { unpacked, high }, *whole[] = { made, high };

	cr_assert_eq(unpack_rows(&f, unpacked, &err, ROWS("f same")), 0);
	make_rows(&f, made, ROWS("f same", "f more"));
	make_rows(&f, high, ROWS("f new", "f same"));
	set_time(&f, high, "same", 7);
	expect_tar(&f, cut, 2, ROWS("f new"));
	set_time(&f, made, "same", 8);
	expect_tar(&f, whole, 2, ROWS("f new", "f same"));
	set_time(&f, made, "same", 7);
	expect_tar(&f, whole, 2, ROWS("f new"));
}

Test(store, files_of_an_archive_stay)
{
	FIXTURE;

	expect_same_again(&f, ROWS("f old", "f same"),
			  ROWS("f new", "f same"));
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
