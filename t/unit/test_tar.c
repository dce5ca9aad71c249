/* test_tar.c - tar headers byte for byte; compression and its accidents */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/strbuf.h"
#include "wrap/compress.h"
#include "wrap/digest.h"
#include "wrap/tar.h"
#include "wrap/tarwrite.h"

static int add(void *arg, const void *data, size_t n, struct error *err UNUSED)
{
	strbuf_add(arg, data, n);
	return 0;
}

/* Bytes being read, a few at a time. */
struct source {
	const char *data;
	size_t n, step;
};

static ssize_t take(void *arg, void *data, size_t n, struct error *err UNUSED)
{
	struct source *s = arg;

	n = MIN(MIN(n, s->n), s->step);
	memcpy(data, s->data, n);
	s->data += n;
	s->n -= n;
	return (ssize_t)n;
}

static void one(struct strbuf *out, const struct tar_entry *e)
{
	cleanup_tarwrite struct tarwrite t;

	tarwrite_init(&t, add, out);
	cr_assert_eq(tarwrite_header(&t, e, NULL), 0);
	cr_assert_eq(tarwrite_end(&t, NULL), 0);
}

static char *field(const struct strbuf *tar, size_t at, size_t n)
{
	return xstrndup(tar->buf + at, n);
}
#define EXPECT_FIELD(at, n, want) \
	do { \
		cleanup_free char *got_ = field(&tar, at, n); \
		cr_expect_str_eq(got_, want); \
	} while (0)

Test(tarwrite, plain_member_is_ustar)
{
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	struct tar_entry e = { .path = "dir", .mode = S_IFDIR | 01777,
			       .uid = 1000, .gid = 2097151,
			       .mtime = 1700000000 };

	one(&tar, &e);
	cr_assert_eq(tar.len, 3 * 512);
	EXPECT_FIELD(0, 100, "dir/");
	EXPECT_FIELD(100, 8, "0001777");
	EXPECT_FIELD(108, 8, "0001750");
	EXPECT_FIELD(116, 8, "7777777");
	EXPECT_FIELD(124, 12, "00000000000");
	EXPECT_FIELD(136, 12, "14524770400");
	EXPECT_FIELD(156, 1, "5");
	EXPECT_FIELD(257, 8, "ustar");
	EXPECT_FIELD(263, 2, "00");
	EXPECT_FIELD(329, 8, "0000000");
	EXPECT_FIELD(337, 8, "0000000");
}

Test(tarwrite, long_ascii_name_is_split_without_pax)
{
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_free char *a = xstrfmt("%090d", 1), *b = xstrfmt("%090d", 2);
	cleanup_free char *path = xstrfmt("%s/%s", a, b);
	struct tar_entry e = { .path = path, .mode = S_IFREG | 0644 };

	one(&tar, &e);
	cr_assert_eq(tar.len, 3 * 512);
	EXPECT_FIELD(0, 100, b);
	EXPECT_FIELD(345, 155, a);
}

Test(tarwrite, pax_records_are_sorted_and_count_themselves)
{
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	struct tar_xattr x = { "security.capability", "\x01\0\0\x02", 4 };
	struct tar_entry e = { .path = "d/\xc3\xa4", .mode = S_IFREG | 0755,
			       .uid = 2097152, .mtime = -5, .xattrs = &x,
			       .n_xattrs = 1 };
	static const char want[] =
		"41 SCHILY.xattr.security.capability=\x01\0\0\x02\n"
		"12 mtime=-5\n13 path=d/\xc3\xa4\n15 uid=2097152\n";

	one(&tar, &e);
	cr_assert_eq(tar.len, 5 * 512);
	/* what is not ASCII goes, and with it the trailing slash */
	EXPECT_FIELD(0, 100, "d/PaxHeaders.0");
	EXPECT_FIELD(156, 1, "x");
	EXPECT_FIELD(329, 8, "");
	cr_expect_eq(memcmp(tar.buf + 512, want, sizeof(want)), 0);
	EXPECT_FIELD(1024, 100, "d/");
	EXPECT_FIELD(1024 + 108, 8, "0000000");
	EXPECT_FIELD(1024 + 136, 12, "00000000000");
}

Test(tarwrite, device_number_that_does_not_fit_is_an_error)
{
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	cleanup_tarwrite struct tarwrite t;
	struct tar_entry e = { .path = "dev", .mode = S_IFBLK, .major = 1,
			       .minor = 2097152 };

	tarwrite_init(&t, add, &out);
	cr_expect_eq(tarwrite_header(&t, &e, &err), -1);
	cr_expect_not_null(strstr(err.msg, "cannot hold device"));
}

/* --- compression --- */

static void fill(struct strbuf *data, size_t n)
{
	uint32_t x = 1;

	while (data->len < n) {
		x = x * 1664525 + 1013904223;
		strbuf_addf(data, "%x line of text\n", x >> (x & 31));
	}
}

static void pack(struct strbuf *out, enum compress_kind kind, int level,
		 const struct strbuf *data)
{
	cleanup_compress struct compress *c = NULL;

	cr_assert_eq(compress_new(&c, kind, level, add, out, NULL), 0);
	cr_assert_eq(compress_write(c, data->buf, data->len, NULL), 0);
	cr_assert_eq(compress_end(c, NULL), 0);
}

static int unpack(struct strbuf *out, const struct strbuf *packed, size_t step,
		  struct error *err)
{
	struct source s = { packed->buf, packed->len, step };
	cleanup_decompress struct decompress *d = NULL;
	char buf[70000];
	ssize_t n;

	if (decompress_new(&d, take, &s, err) < 0)
		return -1;
	while ((n = decompress_read(d, buf, sizeof(buf), err)) > 0)
		strbuf_add(out, buf, (size_t)n);
	return (int)n;
}

struct form {
	enum compress_kind kind;
	int level;
};
static const struct form forms[] = {
	{ COMPRESS_NONE, 0 }, { COMPRESS_GZIP, 0 }, { COMPRESS_GZIP, 6 },
	{ COMPRESS_ZSTD, 0 }, { COMPRESS_ZSTD, 9 },
};

/* Read one file of a plain archive and look for another. */
static int read_through(const struct strbuf *archive, size_t cut,
			struct error *err)
{
	struct source in = { archive->buf, archive->len - cut, 100 };
	cleanup_tar struct tar *t = NULL;
	struct tar_entry e;
	const void *data;
	uint64_t at;
	size_t n;
	int rc;

	cr_assert_eq(tar_open(&t, false, take, &in, NULL), 0);
	cr_assert_eq(tar_next(t, &e, NULL), 1);
	while ((rc = tar_data(t, &data, &n, &at, err)) > 0)
		;
	return rc < 0 ? -1 : tar_next(t, &e, err);
}

Test(tar, last_block_may_be_cut_but_no_file)
{
	cleanup_strbuf struct strbuf tar = STRBUF_INIT;
	cleanup_error struct error err = ERROR_INIT;
	struct tar_entry e = { .path = "f", .mode = S_IFREG | 0644,
			       .size = 700 };
	size_t i;

	one(&tar, &e);
	strbuf_setlen(&tar, 512);
	for (i = 0; i < 4 * 512; i++)
		strbuf_addch(&tar, i < 700 ? 'x' : '\0');
	cr_expect_eq(read_through(&tar, 0, &err), 0);
	cr_expect_eq(read_through(&tar, tar.len - 512 - 700, NULL), 0);
	cr_expect_eq(read_through(&tar, tar.len - 512 - 699, &err), -1);
	cr_expect_eq(err.code, ERR_INPUT);
}

Test(compress, what_goes_in_comes_out)
{
	static const size_t sizes[] = { 0, 1, 300000 }, steps[] = { 1, 4096 };
	cleanup_error struct error err = ERROR_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(forms) * 6; i++) {
		cleanup_strbuf struct strbuf data = STRBUF_INIT;
		cleanup_strbuf struct strbuf packed = STRBUF_INIT;
		cleanup_strbuf struct strbuf back = STRBUF_INIT;
		const struct form *f = &forms[i / 6];

		fill(&data, sizes[i % 3]);
		pack(&packed, f->kind, f->level, &data);
		cr_assert_eq(unpack(&back, &packed, steps[i / 3 % 2], &err), 0,
			     "%s", err.msg);
		cr_expect_eq(back.len, data.len);
		cr_expect_eq(memcmp(back.buf, data.buf, data.len), 0);
	}
}

Test(compress, members_follow_each_other)
{
	cleanup_error struct error err = ERROR_INIT;

	for (size_t i = 1; i < ARRAY_SIZE(forms); i++) {
		cleanup_strbuf struct strbuf a = STRBUF_INIT;
		cleanup_strbuf struct strbuf packed = STRBUF_INIT;
		cleanup_strbuf struct strbuf back = STRBUF_INIT;

		fill(&a, 1000);
		pack(&packed, forms[i].kind, forms[i].level, &a);
		pack(&packed, forms[i].kind, forms[i].level, &a);
		cr_assert_eq(unpack(&back, &packed, 7, &err), 0, "%s",
			     err.msg);
		cr_expect_eq(back.len, 2 * a.len);
	}
}

Test(compress, every_truncation_is_an_error)
{
	for (size_t i = 1; i < ARRAY_SIZE(forms); i++) {
		cleanup_strbuf struct strbuf a = STRBUF_INIT;
		cleanup_strbuf struct strbuf packed = STRBUF_INIT;

		fill(&a, 600);
		pack(&packed, forms[i].kind, forms[i].level, &a);
		for (size_t n = packed.len - 1; n >= 4; n--) {
			cleanup_strbuf struct strbuf back = STRBUF_INIT;
			cleanup_error struct error err = ERROR_INIT;

			strbuf_setlen(&packed, n);
			cr_assert_eq(unpack(&back, &packed, 64, &err), -1,
				     "form %zu cut to %zu", i, n);
			cr_assert_eq(err.code, ERR_INPUT);
		}
	}
}

Test(compress, changed_bytes_are_an_error)
{
	for (size_t i = 1; i < ARRAY_SIZE(forms); i++) {
		cleanup_strbuf struct strbuf a = STRBUF_INIT;
		cleanup_strbuf struct strbuf packed = STRBUF_INIT;
		cleanup_strbuf struct strbuf back = STRBUF_INIT;
		cleanup_error struct error err = ERROR_INIT;

		fill(&a, 60000);
		pack(&packed, forms[i].kind, forms[i].level, &a);
		packed.buf[packed.len / 2] ^= 0x10;
		cr_expect_eq(unpack(&back, &packed, 4096, &err), -1);
		cr_expect_eq(err.code, ERR_INPUT);
	}
}

Test(compress, words_are_parsed_strictly)
{
	static const char *const bad[] = { "", "gz", "gzip:", "gzip:10",
					   "none:1", "zstd:20", "zstd:-1" };
	enum compress_kind kind;
	int level;

	cr_assert_eq(compress_parse("zstd:19", &kind, &level, NULL), 0);
	cr_expect(kind == COMPRESS_ZSTD && level == 19);
	cr_assert_eq(compress_parse("gzip", &kind, &level, NULL), 0);
	cr_expect(kind == COMPRESS_GZIP && level == 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(compress_parse(bad[i], &kind, &level, NULL), -1,
			     "%s", bad[i]);
}
