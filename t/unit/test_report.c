/* test_report.c - text of others in a page */
/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "build/report.h"

static void expect(const char *text, const char *html)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	report_add_str(&out, text);
	cr_expect_str_eq(out.buf, html, "%s", out.buf);
}

Test(report_html, text_stays_text)
{
	expect("<b a=\"x\" b='y'>&amp;</b>",
	       "&#60;b a=&#34;x&#34; b=&#39;y&#39;&#62;&#38;amp;&#60;/b&#62;");
	expect("plain\ttext\n", "plain\ttext\n");
	expect("gr\xc3\xbc\xc3\x9f \xe6\xbc\xa2 \xf0\x9f\x98\x80",
	       "gr\xc3\xbc\xc3\x9f \xe6\xbc\xa2 \xf0\x9f\x98\x80");
}

Test(report_html, what_has_no_form_is_shown_by_its_bytes)
{
	expect("\x01\x1b[2J\x7f", "\\x01\\x1b[2J\\x7f");
	expect("\xc2\x9b", "\\xc2\\x9b");	   /* a control */
	expect("\xff\xfe", "\\xff\\xfe");	   /* never UTF-8 */
	expect("\xc3", "\\xc3");		   /* cut */
	expect("\xe2\x82<", "\\xe2\\x82&#60;");	   /* cut by markup */
	expect("\xc0\xbc", "\\xc0\\xbc");	   /* "<", written longer */
	expect("\xe0\x80\xbc", "\\xe0\\x80\\xbc"); /* longer still */
	expect("\xed\xa0\x80", "\\xed\\xa0\\x80"); /* a surrogate */
	expect("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"); /* too high */
	expect("\xe2\x80\xae", "\\xe2\\x80\\xae"); /* turns the text around */
	expect("\xe2\x81\xa6", "\\xe2\\x81\\xa6");
	expect("\xef\xbf\xbf", "\\xef\\xbf\\xbf"); /* no character */
}

Test(report_html, secrets_are_masked_before_they_are_escaped)
{
	log_add_secret("s&cret");
	expect("a s&cret b", "a ****** b");
}

static void make_file(const char *dir, const char *name, off_t size)
{
	cleanup_free char *path = xstrfmt("%s/%s", dir, name);
	cleanup_close int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	cr_assert(fd >= 0 && ftruncate(fd, size) == 0);
}

Test(report_layer, keeps_the_largest_files_in_order)
{
	static const char *const names[] = { "c", "a", "g", "e", "b", "f" };
	static const off_t sizes[] = { 30, 10, 70, 50, 20, 60 };
	CLEANUP(report_layer_release) struct report_layer l = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	char top[] = "/tmp/devenv-unit.XXXXXX";
	char one[64], other[64];
	size_t i;

	cr_assert_not_null(mkdtemp(top));
	for (i = 0; i < ARRAY_SIZE(names); i++)
		make_file(top, names[i], sizes[i]);
	snprintf(one, sizeof(one), "%s/g", top);
	snprintf(other, sizeof(other), "%s/g2", top);
	cr_assert_eq(link(one, other), 0);
	report_walk(top, &l);
	cr_expect_eq(l.files, 7);
	cr_expect_eq(l.bytes, 240, "a file with two names counts once");
	cr_assert_eq(l.n_largest, REPORT_LARGEST);
	cr_expect_eq(l.largest[0].size, 70);
	cr_expect_eq(l.largest[1].size, 70);
	cr_expect_str_eq(l.largest[2].path, "/f");
	cr_expect_str_eq(l.largest[3].path, "/e");
	cr_expect_str_eq(l.largest[4].path, "/c");
	cr_expect_eq(fs_remove_tree(AT_FDCWD, top, &err), 0);
}
