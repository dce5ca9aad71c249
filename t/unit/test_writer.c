/* test_writer.c - blobs that come in parts, from several processes */
/* SPDX-License-Identifier: Apache-2.0 */
#include "store_fixture.h"

#define SIZE (1u << 20)

static char data[SIZE];

static void make(char digest[DIGEST_TEXT])
{
	size_t i;

	for (i = 0; i < SIZE; i++)
		data[i] = (char)(i * 31 + (i >> 8));
	digest_bytes(data, SIZE, digest);
}

static uint64_t resume(struct fixture *f, const char *digest,
		       struct store_writer **w)
{
	uint64_t have = 7;

	cr_assert_eq(store_writer_resume(f->s, digest, SIZE, w, &have, NULL),
		     0);
	return have;
}

static bool has_part(const struct fixture *f, const char *digest)
{
	cleanup_free char *path = xstrfmt("%s/tmp/partial-%s", f->path,
					  digest_hex(digest));

	return access(path, F_OK) == 0;
}

Test(writer, goes_on_where_another_ended)
{
	FIXTURE;
	struct store_writer *w;
	char digest[DIGEST_TEXT];
	uint64_t size;

	make(digest);
	cr_expect_eq(resume(&f, digest, &w), 0);
	cr_assert_eq(store_writer_write(w, data, SIZE / 2, NULL), 0);
	store_writer_free(w);
	reopen(&f);
	cr_assert_eq(resume(&f, digest, &w), SIZE / 2);
	cr_assert_eq(store_writer_write(w, data + SIZE / 2, SIZE / 2, NULL),
		     0);
	cr_assert_eq(store_writer_commit(w, digest, &size, &err), 0);
	cr_expect_eq(size, SIZE);
	cr_expect(store_has_blob(f.s, digest, NULL));
	cr_expect_not(has_part(&f, digest));
}

Test(writer, leaves_little_behind)
{
	FIXTURE;
	struct store_writer *w;
	char digest[DIGEST_TEXT];

	make(digest);
	resume(&f, digest, &w);
	cr_assert_eq(store_writer_write(w, data, 1000, NULL), 0);
	store_writer_free(w);
	cr_expect_not(has_part(&f, digest));
	resume(&f, digest, &w);
	cr_assert_eq(store_writer_write(w, data, SIZE / 2, NULL), 0);
	cr_assert_eq(store_writer_restart(w, NULL), 0);
	store_writer_free(w);
	cr_expect_not(has_part(&f, digest), "what was refuted");
}

Test(writer, two_at_once_do_not_share_a_part)
{
	FIXTURE;
	struct store_writer *one, *two;
	char digest[DIGEST_TEXT];

	make(digest);
	resume(&f, digest, &one);
	cr_assert_eq(store_writer_write(one, data, SIZE, NULL), 0);
	cr_expect_eq(resume(&f, digest, &two), 0, "it is locked");
	cr_assert_eq(store_writer_write(two, data, SIZE, NULL), 0);
	cr_assert_eq(store_writer_commit(two, digest, NULL, &err), 0);
	cr_assert_eq(store_writer_commit(one, digest, NULL, &err), 0);
	cr_expect_not(has_part(&f, digest), "the blob was there first");
}

Test(writer, digest_of_what_was_written)
{
	FIXTURE;
	struct store_writer *w;
	char digest[DIGEST_TEXT], got[DIGEST_TEXT];

	make(digest);
	resume(&f, digest, &w);
	store_writer_digest(w, got);
	cr_expect_str_neq(got, digest);
	cr_assert_eq(store_writer_restart(w, NULL), 0);
	cr_assert_eq(store_writer_write(w, data, SIZE, NULL), 0);
	store_writer_digest(w, got);
	cr_expect_str_eq(got, digest);
	store_writer_digest(w, got);
	cr_expect_str_eq(got, digest, "as often as it is asked for");
	store_writer_free(w);
}
