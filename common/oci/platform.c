/* platform.c - operating system, architecture and variant of an image */
/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/oci.h"

#include <ctype.h>

#define PLATFORM_MAX 64

static const char *const systems[] = {
	"linux", "windows", "darwin", "freebsd", "netbsd", "openbsd",
	"dragonfly", "solaris", "illumos", "aix", "android", "plan9",
	"wasip1", "js", NULL,
};

static const char *const architectures[] = {
	"amd64", "arm64", "arm", "386", "ppc64le", "ppc64", "s390x",
	"riscv64", "loong64", "mips", "mipsle", "mips64", "mips64le",
	"wasm", NULL,
};

/* Names of other traditions and what they mean in image-spec terms. */
static const struct {
	const char *name, *arch, *variant;
} aliases[] = {
	{ "x86_64", "amd64", NULL }, { "x86-64", "amd64", NULL },
	{ "aarch64", "arm64", NULL }, { "armhf", "arm", "v7" },
	{ "armel", "arm", "v6" }, { "armv7l", "arm", "v7" },
	{ "armv6l", "arm", "v6" }, { "i386", "386", NULL },
	{ "i486", "386", NULL }, { "i586", "386", NULL },
	{ "i686", "386", NULL }, { "loongarch64", "loong64", NULL },
};

void oci_platform_release(struct oci_platform *p)
{
	free(p->os);
	free(p->arch);
	free(p->variant);
	*p = (struct oci_platform){ 0 };
}

void oci_platform_copy(struct oci_platform *to,
		       const struct oci_platform *from)
{
	to->os = xstrdup_null(from->os);
	to->arch = xstrdup_null(from->arch);
	to->variant = xstrdup_null(from->variant);
}

char *oci_platform_format(const struct oci_platform *p)
{
	return xstrfmt("%s/%s%s%s", p->os, p->arch, p->variant ? "/" : "",
		       p->variant ? p->variant : "");
}

static void replace(char **s, const char *value)
{
	char *copy = xstrdup_null(value);

	free(*s);
	*s = copy;
}

/* The default variant of an architecture is not written, except for arm,
 * where images always name theirs. */
void oci_platform_normalise(struct oci_platform *p)
{
	size_t i;

	if (str_eq(p->os, "macos"))
		replace(&p->os, "darwin");
	for (i = 0; i < ARRAY_SIZE(aliases); i++) {
		if (!str_eq(p->arch, aliases[i].name))
			continue;
		replace(&p->arch, aliases[i].arch);
		if (!p->variant)
			replace(&p->variant, aliases[i].variant);
		break;
	}
	if (p->variant && isdigit((unsigned char)p->variant[0])) {
		cleanup_free char *old = p->variant;

		p->variant = xstrfmt("v%s", old);
	}
	if (p->variant && !*p->variant)
		replace(&p->variant, NULL);
	if (str_eq(p->arch, "arm") && !p->variant)
		replace(&p->variant, "v7");
	if (p->variant &&
	    ((str_eq(p->arch, "arm64") && str_eq(p->variant, "v8")) ||
	     (str_eq(p->arch, "amd64") && str_eq(p->variant, "v1"))))
		replace(&p->variant, NULL);
}

void oci_platform_host(struct oci_platform *p)
{
#if defined(__x86_64__)
	const char *arch = "amd64";
#elif defined(__aarch64__)
	const char *arch = "arm64";
#elif defined(__arm__)
	const char *arch = __ARM_ARCH >= 7 ? "arm" : "armel";
#elif defined(__i386__)
	const char *arch = "386";
#elif defined(__riscv) && __riscv_xlen == 64
	const char *arch = "riscv64";
#elif defined(__powerpc64__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const char *arch = "ppc64le";
#elif defined(__s390x__)
	const char *arch = "s390x";
#elif defined(__loongarch64)
	const char *arch = "loong64";
#else
#error "the image-spec name of this architecture is not known"
#endif
	*p = (struct oci_platform){ .os = xstrdup("linux"),
				    .arch = xstrdup(arch) };
	oci_platform_normalise(p);
}

static bool word_valid(const char *s)
{
	if (!*s)
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("._-", *s))
			return false;
	return true;
}

static bool in_list(const char *const *list, const char *s)
{
	for (; *list; list++)
		if (str_eq(*list, s))
			return true;
	return false;
}

static bool is_alias(const char *s)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(aliases); i++)
		if (str_eq(aliases[i].name, s))
			return true;
	return false;
}

static int unknown_word(const char *text, struct error *err)
{
	const char *near = str_nearest(text, architectures);

	error_set(err, ERR_USAGE,
		  "platform '%s': neither a known operating system nor a known "
		  "architecture",
		  text);
	return error_hint(err, "write it as 'linux/%s'",
			  near ? near : "amd64");
}

int oci_platform_parse(struct oci_platform *p, const char *text,
		       struct error *err)
{
	cleanup_free char *copy = xstrndup(text, PLATFORM_MAX + 1);
	char *part[3] = { copy, NULL, NULL }, *s;
	struct oci_platform r;
	size_t n = 1, i;

	for (s = copy; *s; s++) {
		*s = (char)tolower((unsigned char)*s);
		if (*s != '/')
			continue;
		*s = '\0';
		if (n == 3)
			return error_set(err, ERR_USAGE,
					 "platform '%s' has more than three "
					 "parts",
					 text);
		part[n++] = s + 1;
	}
	for (i = 0; i < n; i++)
		if (strlen(text) > PLATFORM_MAX || !word_valid(part[i]))
			return error_set(err, ERR_USAGE,
					 "platform '%.*s' is not of the form "
					 "os/arch[/variant]",
					 PLATFORM_MAX, text);
	oci_platform_host(&r);
	if (n == 1) {
		if (in_list(architectures, part[0]) || is_alias(part[0])) {
			replace(&r.arch, part[0]);
			replace(&r.variant, NULL);
		} else if (in_list(systems, part[0])) {
			replace(&r.os, part[0]);
		} else {
			oci_platform_release(&r);
			return unknown_word(text, err);
		}
	} else {
		replace(&r.os, part[0]);
		replace(&r.arch, part[1]);
		replace(&r.variant, part[2]);
	}
	oci_platform_normalise(&r);
	*p = r;
	return 0;
}

static void normal_copy(struct oci_platform *to,
			const struct oci_platform *from)
{
	to->os = xstrdup(from->os ? from->os : "");
	to->arch = xstrdup(from->arch ? from->arch : "");
	to->variant = xstrdup_null(from->variant);
	oci_platform_normalise(to);
}

bool oci_platform_equal(const struct oci_platform *a,
			const struct oci_platform *b)
{
	return oci_platform_rank(a, b) == 0;
}

/* "v7" as 7; no variant is the architecture's oldest. */
static int variant_level(const struct oci_platform *p)
{
	const char *v = p->variant;

	if (!v)
		return str_eq(p->arch, "arm64") ? 8 : 1;
	if (v[0] != 'v' || v[1] < '1' || v[1] > '9' || v[2])
		return -1;
	return v[1] - '0';
}

int oci_platform_rank(const struct oci_platform *wanted,
		      const struct oci_platform *offer)
{
	cleanup_oci_platform struct oci_platform a, b;
	int la, lb;

	normal_copy(&a, wanted);
	normal_copy(&b, offer);
	if (!str_eq(a.os, b.os) || !str_eq(a.arch, b.arch))
		return -1;
	if (str_eq_null(a.variant, b.variant))
		return 0;
	/* An older variant runs on a newer machine, never the reverse. */
	la = variant_level(&a);
	lb = variant_level(&b);
	return la > 0 && lb > 0 && lb < la ? la - lb : -1;
}
