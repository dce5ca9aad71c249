/* fuzz_oci.c - what registries send: names, manifests, configs, challenges */
/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci.h"
#include "registry/internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ref(const char *text)
{
	cleanup_oci_ref struct oci_ref a = { 0 }, b = { 0 };
	cleanup_free char *once = NULL, *twice = NULL;

	if (oci_ref_parse(&a, text, NULL) < 0)
		return;
	/* What was accepted means the same when it is read again. */
	once = oci_ref_format(&a);
	if (oci_ref_parse(&b, once, NULL) < 0)
		abort();
	twice = oci_ref_format(&b);
	if (!str_eq(once, twice))
		abort();
}

static void manifest(const char *text, size_t n)
{
	cleanup_oci_manifest struct oci_manifest a = { 0 }, b = { 0 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (oci_manifest_parse(&a, text, n, NULL) < 0)
		return;
	oci_manifest_write(&a, &out);
	if (oci_manifest_parse(&b, out.buf, out.len, NULL) < 0)
		abort();
}

static void config(const char *text, size_t n)
{
	cleanup_oci_config struct oci_config a = { 0 }, b = { 0 };
	cleanup_strbuf struct strbuf once = STRBUF_INIT, twice = STRBUF_INIT;

	if (oci_config_parse(&a, text, n, NULL) < 0)
		return;
	oci_config_write(&a, &once);
	if (oci_config_parse(&b, once.buf, once.len, NULL) < 0)
		abort();
	oci_config_write(&b, &twice);
	if (!str_eq(once.buf, twice.buf))
		abort();
}

static void choose(const char *text, size_t n)
{
	cleanup_oci_platform struct oci_platform p = { 0 };
	cleanup_oci_descriptor struct oci_descriptor d = { 0 };

	oci_platform_host(&p);
	(void)!oci_is_index(NULL, text, n);
	(void)!oci_index_choose(text, n, &p, &d, NULL);
}

static void address(const char *text)
{
	cleanup_url struct url base = { 0 }, u = { 0 }, again = { 0 };
	cleanup_strbuf struct strbuf out = STRBUF_INIT;

	if (url_parse(&base, "https://h:5000/v2/a/b?c", NULL) < 0 ||
	    url_resolve(&u, &base, text, NULL) < 0)
		return;
	url_format(&u, &out);
	if (out.len <= URL_MAX && url_parse(&again, out.buf, NULL) < 0)
		abort();
}

/* The first byte says what the rest is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_registry_challenge struct registry_challenge c = { 0 };
	cleanup_free char *text = NULL;

	if (!size)
		return 0;
	text = xstrndup((const char *)data + 1, size - 1);
	switch (data[0]) {
	case 'r':
		ref(text);
		break;
	case 'm':
		manifest(text, strlen(text));
		break;
	case 'i':
		choose(text, strlen(text));
		break;
	case 'c':
		config(text, strlen(text));
		break;
	case 'w':
		registry_challenge_parse(&c, text);
		break;
	case 'u':
		address(text);
		break;
	default:
		break;
	}
	return 0;
}
