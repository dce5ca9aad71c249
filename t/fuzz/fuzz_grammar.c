/* fuzz_grammar.c - the small grammars: what is printed is read again */
/* SPDX-License-Identifier: Apache-2.0 */
#include "dockerfile/dockerfile.h"
#include "oci/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void duration(const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	int64_t ns = 0, again = 0;

	if (dockerfile_duration(text, &ns, NULL) < 0)
		return;
	dockerfile_duration_format(&out, ns);
	must(dockerfile_duration(out.buf, &again, NULL) == 0 && again == ns);
}

static void platform(const char *text)
{
	cleanup_oci_platform struct oci_platform a = { 0 };
	cleanup_oci_platform struct oci_platform b = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_free char *out = NULL;

	/* A variant may get its "v" only here, and be too long then. */
	if (strlen(text) > 60 || oci_platform_parse(&a, text, &err) < 0)
		return;
	out = oci_platform_format(&a);
	must(oci_platform_parse(&b, out, NULL) == 0 &&
	     oci_platform_equal(&a, &b));
}

static void reference(const char *text)
{
	cleanup_oci_ref struct oci_ref a = { 0 };
	cleanup_oci_ref struct oci_ref b = { 0 };
	cleanup_free char *once = NULL;
	cleanup_free char *twice = NULL;

	if (oci_ref_parse(&a, text, NULL) < 0)
		return;
	once = oci_ref_format(&a);
	must(oci_ref_parse(&b, once, NULL) == 0);
	twice = oci_ref_format(&b);
	must(str_eq(once, twice));
}

static void ports(const char *text)
{
	cleanup_strvec struct strvec a = STRVEC_INIT;
	cleanup_strvec struct strvec b = STRVEC_INIT;
	size_t i;

	if (dockerfile_ports(text, &a, NULL) < 0)
		return;
	must(a.nr > 0 && a.nr <= 65536);
	for (i = 0; i < a.nr && i < 10; i++)
		must(dockerfile_ports(a.v[i], &b, NULL) == 0 &&
		     b.nr == i + 1 && str_eq(a.v[i], b.v[i]));
}

static void mode(const char *text)
{
	unsigned out = 0;

	if (dockerfile_chmod(text, 0644, false, &out, NULL) == 0)
		must(out <= 07777);
	if (dockerfile_chmod(text, 01755, true, &out, NULL) == 0)
		must(out <= 07777);
}

/* A mount as its flag, so that what an instruction accepts is what is read. */
static void mount(const char *text)
{
	cleanup_dockerfile struct dockerfile df = { 0 };
	cleanup_error struct error err = ERROR_INIT;
	cleanup_strbuf struct strbuf line = STRBUF_INIT;

	free(dockerfile_mount_from(text));
	strbuf_addstr(&line, "RUN --mount=");
	for (; *text; text++) {
		if (strchr(" \t\v\f\r\n'\"\\", *text))
			strbuf_addch(&line, '\\');
		strbuf_addch(&line, *text == '\n' ? ' ' : *text);
	}
	strbuf_addstr(&line, " x");
	if (dockerfile_parse(&df, "D", line.buf, line.len, NULL) == 0 &&
	    dockerfile_check(&df, &df.nodes[0], &err) < 0)
		must(err.code == ERR_INPUT && str_starts(err.msg, "D:1:1: "));
}

/* A quoted text has no character that could leave its quotes. */
static void quote(const char *text)
{
	cleanup_strbuf struct strbuf out = STRBUF_INIT;
	size_t i;

	dockerfile_quote(&out, text);
	must(out.len >= 2 && out.buf[out.len - 1] == '"');
	for (i = 1; i + 1 < out.len; i++) {
		must(out.buf[i] != '"' && (unsigned char)out.buf[i] >= ' ');
		i += out.buf[i] == '\\';
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cleanup_free char *text = xstrndup((const char *)data, size);
	char *second = strchr(text, '\n');

	duration(text);
	platform(text);
	reference(text);
	ports(text);
	mode(text);
	mount(text);
	quote(text);
	dockerfile_is_secret(text);
	dockerfile_signal_valid(text);
	dockerfile_is_heredoc(text);
	dockerfile_is_git(text);
	if (second) {
		*second++ = '\0';
		must(dockerfile_glob(text, second) <= 1);
	}
	return 0;
}
