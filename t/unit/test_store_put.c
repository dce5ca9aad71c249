/* test_store_put.c - images put into a store together with their blobs */
/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "store/put.h"
#include "store_fixture.h"

static void make_image(struct store_image *i)
{
	struct oci_platform p = { .os = NULL };

	*i = (struct store_image){ .n_layers = 0 };
	oci_platform_host(&p);
	oci_config_scratch(&i->config, &p);
	oci_platform_release(&p);
	i->reference = xstrdup("docker.io/library/x:latest");
	digest_bytes("config", 6, i->config_digest);
}

static ino_t record_of(const struct fixture *f, const struct store_image *i,
		       struct timespec *mtime)
{
	cleanup_free char *path = xstrfmt("%s/images/id-%s", f->path,
					  digest_hex(i->config_digest));
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	*mtime = st.st_mtim;
	return st.st_ino;
}

Test(store_put, blobs_appear_with_the_image)
{
	FIXTURE;
	cleanup_store_image struct store_image i, got = { .n_layers = 0 };
	cleanup_strbuf struct strbuf text = STRBUF_INIT;
	const struct store_text blobs[] = { { "config", 6 }, { "", 0 } };
	char digest[DIGEST_TEXT];

	make_image(&i);
	cr_assert_eq(store_put_image_with(f.s, &i, blobs, 2, &err), 0, "%s",
		     err.msg);
	cr_assert_eq(store_get_image(f.s, i.config_digest, &got, &err), 1);
	cr_assert_eq(store_read_blob(f.s, i.config_digest, 64, &text, &err),
		     0, "%s", err.msg);
	cr_expect_str_eq(text.buf, "config");
	digest_bytes("", 0, digest);
	cr_expect(store_has_blob(f.s, digest, NULL));
}

Test(store_put, many_blobs_need_few_descriptors)
{
	FIXTURE;
	cleanup_store_image struct store_image i;
	struct store_text blobs[200];
	char bytes[200], digest[DIGEST_TEXT];

	make_image(&i);
	for (unsigned k = 0; k < ARRAY_SIZE(blobs); k++) {
		bytes[k] = (char)k;
		blobs[k] = (struct store_text){ bytes + k, 1 };
	}
	cr_assert_eq(store_put_image_with(f.s, &i, blobs, ARRAY_SIZE(blobs),
					  &err), 0, "%s", err.msg);
	for (unsigned k = 0; k < ARRAY_SIZE(blobs); k++) {
		digest_bytes(bytes + k, 1, digest);
		cr_expect(store_has_blob(f.s, digest, NULL));
	}
}

Test(store_put, the_same_image_again_is_only_used)
{
	FIXTURE;
	cleanup_store_image struct store_image i;
	struct timespec first, second;
	ino_t before;

	make_image(&i);
	cr_assert_eq(store_put_image(f.s, &i, &err), 0, "%s", err.msg);
	before = record_of(&f, &i, &first);
	nanosleep(&(struct timespec){ 0, 20000000 }, NULL);
	cr_assert_eq(store_put_image(f.s, &i, &err), 0, "%s", err.msg);
	cr_expect_eq(record_of(&f, &i, &second), before);
	cr_expect_neq(second.tv_nsec, first.tv_nsec);
	free(i.origin);
	i.origin = xstrdup("elsewhere.test/x");
	cr_assert_eq(store_put_image(f.s, &i, &err), 0, "%s", err.msg);
	cr_expect_neq(record_of(&f, &i, &second), before);
}

Test(store_put, a_damaged_record_is_replaced)
{
	FIXTURE;
	cleanup_store_image struct store_image i, got = { .n_layers = 0 };
	cleanup_free char *path = NULL;

	make_image(&i);
	free(steal_ptr(&i.reference));
	cr_assert_eq(store_put_image(f.s, &i, &err), 0, "%s", err.msg);
	path = xstrfmt("%s/images/id-%s", f.path,
		       digest_hex(i.config_digest));
	cr_assert_eq(truncate(path, 20), 0);
	cr_expect_eq(store_get_image(f.s, i.config_digest, &got, NULL), -1);
	cr_assert_eq(store_put_image(f.s, &i, &err), 0, "%s", err.msg);
	cr_expect_eq(store_get_image(f.s, i.config_digest, &got, &err), 1);
}
