/* test_tar_headers.c - headers as Go's archive/tar makes them, by digest */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/strbuf.h"
#include "wrap/digest.h"
#include "wrap/tarwrite.h"

/*
 * Each row holds the first digits of the SHA-256 of what go1.19 writes for a
 * header with Format: tar.FormatPAX. In names "{x*3}" is "xxx"; attributes
 * are "NAME=VALUE;...". Directories get their "/" from both writers.
 */
struct row {
	const char *sum, *path, *link, *xattrs;
	struct tar_entry entry;
};

static const struct row rows[] = {
	{ "3fce70286bce2d1e", "a", "", "", { .mode = S_IFREG | 0644 } },
	{ "c68b458320995d07", "dir", "", "", { .mode = S_IFDIR | 01777 } },
	{ "b6d87ea93ec30195", "{a*100}", "", "", { .mode = S_IFREG | 0644 } },
	{ "97716ae81835f83c", "{a*101}", "", "", { .mode = S_IFREG | 0644 } },
	{ "af1944d74035e453", "{a*99}", "", "", { .mode = S_IFDIR | 0644 } },
	{ "08d1632259be42b0", "{a*100}", "", "", { .mode = S_IFDIR | 0644 } },
	{ "fa6bcaa1ff3f76c2", "{d/*60}f", "", "", { .mode = S_IFREG | 0644 } },
	{ "c5d626e92c919f54", "{d/*77}f", "", "", { .mode = S_IFREG | 0644 } },
	{ "5e3c76b74dee68dc", "{d/*78}f", "", "", { .mode = S_IFREG | 0644 } },
	{ "e6f5646e9c48a478", "{d/*129}f", "", "", { .mode = S_IFREG | 0644 } },
	{ "268f218ee80e3b29", "{a*155}/{b*100}", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "148bb2586b313f36", "{a*156}/{b*100}", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "daf0dd6ddb62bcf9", "{a*155}/{b*101}", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "be54ccffec29015b", "{{x*49}/*4}y", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "4eb34a5ab84f2ba5", "/{x*120}", "", "", { .mode = S_IFREG | 0644 } },
	{ "420bea94d9f87941", "x/{y*110}/z", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "529efa484079e3ea", "x/{y*98}/z", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "cd98914a0325ce9f", "{a*154}/{b*99}", "", "",
	  { .mode = S_IFDIR | 0644 } },
	{ "cd7be9f79008c669", "{a*155}/{b*99}", "", "",
	  { .mode = S_IFDIR | 0644 } },
	{ "ef4769b856852d47", "{a*155}/{b*100}", "", "",
	  { .mode = S_IFDIR | 0644 } },
	{ "eec3f64265350f0e", "{d/*70}e", "", "", { .mode = S_IFDIR | 0644 } },
	{ "febe5a2394bef142", "\303\244", "", "", { .mode = S_IFREG | 0644 } },
	{ "62466ba503ad0200", "d/\303\244/f", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "f77e7e6ca1cf9f79", "{\303\244*70}/{b*80}", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "c1252a1eb1dd3e00", "\377\376/bad", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "5920ec71bb0cbb36", "a\303", "", "", { .mode = S_IFREG | 0644 } },
	{ "7e3af9168cdfd7ca", "a\nb", "", "", { .mode = S_IFREG | 0644 } },
	{ "28d96f370ed533d7", "{a*98}/\303\244/f", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "074ca235cdbaed73", "\303\244/{a*99}/b", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "b507766e83485f95", "{a*120}\303\244", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "34f2285dd4e19920", "{\303\244*60}", "", "",
	  { .mode = S_IFDIR | 0644 } },
	{ "5daf948a95e765a4", "{\303\244/*60}e", "", "",
	  { .mode = S_IFDIR | 0644 } },
	{ "fb21a72c45af41ae", "l", "{t*100}", "", { .mode = S_IFLNK | 0777 } },
	{ "565c4ad93dafa20e", "l", "{t*101}", "", { .mode = S_IFLNK | 0777 } },
	{ "90b9af970c5d0f97", "l", "\303\274", "", { .mode = S_IFLNK | 0777 } },
	{ "69567395754c2263", "{l*120}", "/{t*150}", "",
	  { .mode = S_IFLNK | 0777 } },
	{ "548058cb545b4bd4", "l", "../x", "",
	  { .mode = S_IFLNK | 0777, .uid = 1000, .gid = 1000, .mtime = -1 } },
	{ "393c91b12a0ac0c1", "h", "{d/*60}f", "",
	  { .mode = S_IFREG | 0644, .hard = true } },
	{ "a4b8215ab8131131", "h", "\303\244", "",
	  { .mode = S_IFREG | 04755, .hard = true, .uid = 1000, .gid = 1000,
	    .mtime = 5 } },
	{ "dcaf9093d30fa5d4", "u", "", "",
	  { .mode = S_IFREG | 0644, .uid = 2097151, .gid = 2097151 } },
	{ "29e76cf5424febb1", "u", "", "",
	  { .mode = S_IFREG | 0644, .uid = 2097152 } },
	{ "dec3e6aba7e120ac", "u", "", "",
	  { .mode = S_IFREG | 0644, .uid = 4294967294, .gid = 2097152 } },
	{ "c1d3fc30d2898ae0", "u", "", "",
	  { .mode = S_IFREG | 07777, .uid = 2097152, .mtime = -1 } },
	{ "9ca244c40e2fd797", "m", "", "",
	  { .mode = S_IFREG | 0644, .mtime = 8589934591 } },
	{ "ccd136fb9315e4a6", "m", "", "",
	  { .mode = S_IFREG | 0644, .mtime = 8589934592 } },
	{ "459697ebf29e8376", "m", "", "",
	  { .mode = S_IFREG | 0644, .mtime = -1 } },
	{ "b356b9df4291cfdc", "m", "", "",
	  { .mode = S_IFREG | 0644, .mtime = -62135596799 } },
	{ "ebbd9e461ab0ad85", "m", "", "",
	  { .mode = S_IFREG | 0644, .mtime = 253402300799 } },
	{ "d922ccfce3d87d4a", "s", "", "",
	  { .mode = S_IFREG | 0644, .size = 8589934591 } },
	{ "c5866e213505287c", "s", "", "",
	  { .mode = S_IFREG | 0644, .size = 8589934592 } },
	{ "59f908de215ed50e", "s", "", "",
	  { .mode = S_IFREG | 0644, .size = 1099511627776,
	    .mtime = 1700000000 } },
	{ "f8094a9dbcb90ca0", "dev", "", "",
	  { .mode = S_IFCHR | 0666, .major = 1, .minor = 3 } },
	{ "585e992bbbc34f2e", "dev", "", "",
	  { .mode = S_IFBLK | 0660, .gid = 6, .major = 2097151,
	    .minor = 2097151 } },
	{ "39198a574e661306", "p", "", "", { .mode = S_IFIFO | 0600 } },
	{ "c2a318782b58f82f", "{p*130}", "", "",
	  { .mode = S_IFIFO | 0600, .mtime = -5 } },
	{ "e3e97afa2d380e98", "x", "", "security.capability=\001\002\003",
	  { .mode = S_IFREG | 0644 } },
	{ "43485e9e0b642a6d", "x", "", "user.b=2;user.a=1",
	  { .mode = S_IFREG | 0644 } },
	{ "2349e07a8ba1a1c4", "x", "", "user.{n*200}={v*1000}",
	  { .mode = S_IFREG | 0644 } },
	{ "3cd062e9d1e29bff", "x/y", "", "user.a=",
	  { .mode = S_IFDIR | 0644 } },
	{ "3447fc4200d3e4d9", "{x*200}\303\244", "", "user.z=\n=;user.A=\377",
	  { .mode = S_IFREG | 0644, .uid = 3000000, .gid = 3000000,
	    .mtime = -7 } },
	{ "d128f5541a4b0e09", "\303\244{n*86}", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "d42724b6c6dff467", "\303\244{n*87}", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "60511d526d9154a0", "\303\244{n*88}", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "e5453ba9fccce5a3", "\303\244{n*89}", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "cb1016e2e7761919", "\303\244{n*984}", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "6accc816439172d2", "\303\244{n*985}", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "39ee4790aed97a48", "\303\244{n*986}", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "77a536143f73d46c", "\303\244{n*987}", "", "",
	  { .mode = S_IFREG | 0644 } },
	{ "2d82a58fa2d4832b", "\303\244{n*988}", "", "",
	  { .mode = S_IFREG | 0644 } },
};

/* The innermost "{text*N}" first. */
static char *expand(const char *text)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_addstr(&out, text);
	for (;;) {
		cleanup_strbuf struct strbuf done = STRBUF_INIT;
		char *end = strchr(out.buf, '}'), *from, *star;

		if (!end)
			return strbuf_detach(&out);
		for (from = end; *from != '{'; from--)
			;
		for (star = end; *star != '*'; star--)
			;
		strbuf_add(&done, out.buf, (size_t)(from - out.buf));
		for (long n = strtol(star + 1, NULL, 10); n; n--)
			strbuf_add(&done, from + 1, (size_t)(star - from - 1));
		strbuf_addstr(&done, end + 1);
		strbuf_reset(&out);
		strbuf_add(&out, done.buf, done.len);
	}
}

#define XATTRS 2
static size_t split(char *text, struct tar_xattr x[XATTRS])
{
	char *rest = *text ? text : NULL, *word;
	size_t n = 0;

	while ((word = strsep(&rest, ";"))) {
		char *value = strchr(word, '=');

		*value++ = '\0';
		cr_assert(n < XATTRS);
		x[n++] = (struct tar_xattr){ word, value, strlen(value) };
	}
	return n;
}

static int add(void *arg, const void *data, size_t n, struct error *err UNUSED)
{
	strbuf_add(arg, data, n);
	return 0;
}

static void header(const struct row *row, struct strbuf *out)
{
	cleanup_free char *path = expand(row->path);
	cleanup_free char *link = expand(row->link);
	cleanup_free char *xattrs = expand(row->xattrs);
	struct tar_xattr x[XATTRS];
	struct tar_entry e = row->entry;
	cleanup_tarwrite struct tarwrite t;

	e.path = path;
	e.link = *link ? link : NULL;
	e.xattrs = x;
	e.n_xattrs = split(xattrs, x);
	tarwrite_init(&t, add, out);
	cr_assert_eq(tarwrite_header(&t, &e, NULL), 0);
	cr_assert_eq(tarwrite_end(&t, NULL), 0);
	strbuf_setlen(out, out->len - 1024);
}

/* [L:names] [L:ids] [L:mtime] [L:device] [L:xattr] [L:bytes] */
Test(tarwrite, headers_are_those_of_go)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cleanup_strbuf struct strbuf out = STRBUF_INIT;
		char digest[DIGEST_TEXT];

		header(&rows[i], &out);
		digest_bytes(out.buf, out.len, digest);
		cr_expect_eq(strncmp(digest_hex(digest), rows[i].sum, 16), 0,
			     "row %zu: '%s'", i, rows[i].path);
	}
}
